// SPDX-License-Identifier: Apache-2.0
// Emergency access and its review, consents, narrowed scopes, explanations, and the audit as those
// see it who look after it.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { binary, startServer } from './server.mjs';

const run = (server, ...words) =>
  execFileSync(binary, [...words, '--data', server.folder], { encoding: 'utf8' }).trim();
const bearer = (token) => ({ authorization: `Bearer ${token}` });
const token = (server, scope, ...more) => bearer(run(server, 'token', '--scope', scope, ...more));
const form = (fields) => new URLSearchParams(fields).toString();
const asForm = { 'content-type': 'application/x-www-form-urlencoded' };
const subject = { reference: 'Patient/p1' };
const security = (code, system = 'v3-ActCode') =>
  ({ security: [{ system: `http://terminology.hl7.org/CodeSystem/${system}`, code }] });

async function hospital(t, args = []) {
  const server = await startServer(t, { open: false, args: ['--set', 'auth.demo_code=demo', ...args] });
  const all = token(server, 'system/*.cruds');
  const put = async (resource) => {
    const answer = await server.put(`/fhir/${resource.resourceType}/${resource.id}`, resource, all);
    assert.equal(answer.status, 201, answer.text);
  };
  await put({ resourceType: 'Practitioner', id: 'k', name: [{ family: 'Khan' }], birthDate: '1980-01-01' });
  await put({ resourceType: 'Patient', id: 'p1', name: [{ family: 'Khan', given: ['Ann'] }],
              birthDate: '1950-01-01' });
  await put({ resourceType: 'Patient', id: 'p2', name: [{ family: 'Lee' }] });
  await put({ resourceType: 'CareTeam', id: 't2', status: 'active', subject: { reference: 'Patient/p2' },
              participant: [{ member: { reference: 'Practitioner/k' } }] });
  await put({ resourceType: 'Condition', id: 'c1', subject, code: { text: 'asthma' } });
  await put({ resourceType: 'Condition', id: 'std1', subject, meta: security('STD'), code: { text: 'x' } });
  await put({ resourceType: 'Condition', id: 'v1', subject, meta: security('V', 'v3-Confidentiality'),
              code: { text: 'y' } });
  run(server, 'user', 'add', 'a.khan', '--role', 'ahp', '--who', 'Practitioner/k', '--display', 'Aisha Khan');
  run(server, 'user', 'add', 'h.hca', '--role', 'hca');
  run(server, 'user', 'add', 'p.officer', '--role', 'privacy_officer');
  run(server, 'user', 'add', 'q.officer', '--role', 'privacy_officer');
  run(server, 'user', 'add', 'ann', '--role', 'patient', '--who', 'Patient/p1');
  return { server, all, put };
}

async function signIn(server, name) {
  const answer = await server.ask('POST', '/sign-in', {
    body: form({ name, code: 'demo', next: '/' }), headers: asForm });
  assert.equal(answer.status, 303, answer.text);
  return { cookie: answer.headers.get('set-cookie').split(';')[0], accept: 'text/html' };
}
const csrfOf = (page) => /name="csrf" value="([^"]+)"/.exec(page.text)?.[1];
const post = (server, who, path, fields) => server.ask('POST', path, { body: form(fields),
  headers: { ...who, ...asForm, origin: server.url } });
const status = async (server, who, path) => (await server.get(path, who)).status;
const why = { reason: 'emergency', basis: 'direct-care', minutes: '30',
              words: 'Found collapsed in the corridor, treating now' };

test('a closed record opens in an emergency; says so at once; and is reviewed by another', async (t) => {
  const { server } = await hospital(t);
  const khan = await signIn(server, 'a.khan'), officer = await signIn(server, 'p.officer');
  const refused = await server.get('/browse/Patient/p1', khan);
  const absent = await server.get('/browse/Patient/nobody', khan);
  assert.equal(refused.status, 404);
  assert.equal(refused.text.replaceAll('p1', 'ID').replace(/number [0-9a-f]+/, ''),
               absent.text.replaceAll('nobody', 'ID').replace(/number [0-9a-f]+/, ''));
  assert.match(refused.text, /href="\/break-glass\/p1"/);

  const dialog = await server.get('/break-glass/p1', khan);
  assert.equal(dialog.status, 200);
  const csrf = csrfOf(dialog);
  for (const [row, fields] of Object.entries({
    'no reason': { ...why, reason: '' }, 'unknown reason': { ...why, reason: 'curious' },
    'no basis': { ...why, basis: '' }, 'no words': { ...why, words: 'x' },
    'too long': { ...why, minutes: '61' }, 'no time': { ...why, minutes: '0' } })) {
    const answer = await post(server, khan, '/break-glass/p1', { ...fields, csrf });
    assert.equal(answer.status, 400, row);
    assert.match(answer.text, /There is a problem/, row);
  }
  assert.equal((await post(server, khan, '/break-glass/p1', { ...why, csrf: 'x' })).status, 403);
  assert.equal((await post(server, khan, '/break-glass/nobody', { ...why, csrf })).status, 404);
  assert.equal(await status(server, khan, '/fhir/Patient/p1'), 404, 'still closed');
  assert.match((await server.get('/privacy', officer)).text, /None is waiting/);

  const broken = await post(server, khan, '/break-glass/p1', { ...why, csrf });
  assert.equal(broken.headers.get('location'), '/browse/Patient/p1', broken.text);
  const lifted = run(server, 'access', 'explain', 'a.khan', 'Condition/std1');
  assert.match(lifted, /the glass is broken, and its time is not over/);
  assert.match(lifted, /STD \(sexual health\): lifted, since the glass is broken/);
  assert.match(run(server, 'access', 'explain', 'a.khan', 'Condition/v1'), /V \(very restricted\): hidden from the role/);
  assert.equal(await status(server, khan, '/fhir/Patient/p1'), 200, 'at once');
  assert.equal(await status(server, khan, '/fhir/Condition/c1'), 200);
  assert.equal(await status(server, khan, '/fhir/Condition/std1'), 200, 'lifts sexual health');
  assert.equal(await status(server, khan, '/fhir/Condition/v1'), 404, 'never the very restricted');
  const list = (await server.get('/fhir/Condition?_total=accurate', khan)).body;
  assert.equal(list.total, 2);

  const work = await server.get('/privacy', officer);
  assert.match(work.text, /corridor/);
  const path = /href="(\/privacy\/glass\/\d+)"/.exec(work.text)[1];
  const review = await server.get(path, officer);
  assert.match(review.text, /Condition\/std1/, 'what was opened');
  assert.match(review.text, /same surname/);
  const outcome = { outcome: 'justified', words: 'Checked with the ward', csrf: csrfOf(review) };
  assert.equal((await post(server, officer, path, { ...outcome, outcome: 'fine' })).status, 400);
  assert.equal(await status(server, khan, '/privacy'), 403, 'not for those it watches');
  assert.equal((await post(server, khan, path, outcome)).status, 403);
  assert.equal((await post(server, officer, path, outcome)).status, 303);
  const other = await signIn(server, 'q.officer');
  const again = await post(server, other, path, { ...outcome,
    csrf: csrfOf(await server.get('/break-glass/p2', khan)) });
  assert.equal(again.status, 403, 'a form of another sign-in');
  assert.match((await server.get('/privacy', officer)).text, /None is waiting/);

  const ann = await signIn(server, 'ann');
  const mine = (await server.get('/my/access', ann)).text;
  assert.match(mine, /Aisha Khan/);
  assert.match(mine, /opened in an emergency/);
  assert.match(mine, /corridor/);

  await post(server, khan, '/break-glass/p1/end', { csrf });
  assert.equal(await status(server, khan, '/fhir/Patient/p1'), 404, 'given up: closed at once');
});

test('roles without emergency access, apps and tokens have none', async (t) => {
  const { server } = await hospital(t);
  const hca = await signIn(server, 'h.hca');
  assert.equal((await server.get('/break-glass/p1', hca)).status, 403);
  assert.doesNotMatch((await server.get('/browse/Patient/p1', hca)).text, /break-glass/);
  const app = token(server, 'user/*.cruds', '--user', 'a.khan');
  const answer = await server.ask('POST', '/break-glass/p1', { body: form(why), headers: { ...app, ...asForm } });
  assert.equal(answer.status, 403);
  const narrow = token(server, 'user/Patient.r', '--user', 'a.khan');
  assert.equal((await server.get('/beds', narrow)).status, 403, 'an app at pages beyond its scopes');
});

test('a dissent closes the record to whom it names; within a second; and opens when it ends', async (t) => {
  const { server, all, put } = await hospital(t);
  const khan = token(server, 'user/*.rs', '--user', 'a.khan');
  assert.equal(await status(server, khan, '/fhir/Patient/p2'), 200);
  const consent = (provision, state = 'active') => ({ resourceType: 'Consent', id: 'no', status: state,
    patient: { reference: 'Patient/p2' }, policyRule: { text: 'x' },
    scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }], provision });
  const actor = (reference) => [{ role: { text: 'x' }, reference: { reference } }];
  await put(consent({ type: 'deny', actor: actor('Practitioner/k') }));
  assert.equal(await status(server, khan, '/fhir/Patient/p2'), 404);
  assert.equal((await server.get('/fhir/Patient?_total=accurate', khan)).body.total, 0);
  const change = async (provision, expected, row, state) => {
    assert.equal((await server.put('/fhir/Consent/no', consent(provision, state), all)).status, 200);
    assert.equal(await status(server, khan, '/fhir/Patient/p2'), expected, row);
  };
  await change({ type: 'deny', actor: actor('Practitioner/other') }, 200, 'another person');
  await change({ type: 'deny' }, 404, 'everybody');
  assert.match(run(server, 'access', 'explain', 'a.khan', 'Patient/p2'), /keeps this from them: Consent\/no/);
  await change({ type: 'deny', purpose: [{ code: 'HRESCH' }] }, 200, 'research alone');
  await change({ type: 'deny', purpose: [{ code: 'TREAT' }] }, 404, 'treatment');
  await change({ type: 'deny', period: { end: '2020-01-01' } }, 200, 'over');
  await change({ type: 'deny', provision: [{ type: 'permit', actor: actor('Practitioner/k') }] }, 200, 'but her');
  await change({ type: 'deny', class: [{ code: 'Condition' }] }, 200, 'another type');
  await change({ type: 'deny', class: [{ code: 'Patient' }] }, 404, 'this type');
  await change({ type: 'permit', provision: [{ type: 'deny', actor: actor('Practitioner/k') }] }, 404, 'nested');
  await change({ type: 'deny' }, 200, 'withdrawn', 'inactive');
  const refused = await server.put('/fhir/Consent/no', consent({ type: 'deny', dataPeriod: { start: '2020' } }), all);
  assert.equal(refused.status, 422, 'what is not applied is not taken');
  assert.deepEqual(refused.body.issue[0].expression, ['Consent.provision.dataPeriod']);
  assert.match(refused.text, /not applied here/);
  const { verdict } = JSON.parse(run(server, 'access', 'explain', 'a.khan', 'Patient/p2', '--json'));
  assert.match(verdict, /may read/);
});

test('each way to be tied to a patient opens the record while it lasts; and none of them when it is over', async (t) => {
  const { server, all } = await hospital(t);
  const khan = { reference: 'Practitioner/k' }, clinic = { reference: 'HealthcareService/clinic' }, practice = { reference: 'Organization/practice' };
  const entries = [{ resourceType: 'HealthcareService', id: 'clinic', active: true }, { resourceType: 'Organization', id: 'practice', active: true },
    { resourceType: 'Location', id: 'w9', status: 'active', mode: 'instance', name: 'Ward 9' },
    { resourceType: 'Location', id: 'w9-bed', status: 'active', mode: 'instance', name: 'Bed 1', partOf: { reference: 'Location/w9' } },
    { resourceType: 'PractitionerRole', id: 'pr', active: true, practitioner: khan, organization: practice, healthcareService: [clinic] }];
  const stay = (status, more) => (subject) => ({ resourceType: 'Encounter', status, class: { code: 'IMP' }, subject, ...more });
  const seen = { participant: [{ individual: khan }] }, bed = { location: [{ location: { reference: 'Location/w9-bed' }, status: 'active' }] };
  const referral = (status, who) => (subject) => ({ resourceType: 'ServiceRequest', status, intent: 'order', subject, performer: [who] });
  const team = (status, who) => (subject) => ({ resourceType: 'CareTeam', status, subject, participant: [{ member: who }] });
  const task = (status, who) => (about) => ({ resourceType: 'Task', status, intent: 'order', for: about, owner: who });
  const booked = (status) => (about) => ({ resourceType: 'Appointment', status, participant: [{ actor: about, status: 'accepted' }, { actor: khan, status: 'accepted' }] });
  const caseload = (status) => (about) => ({ resourceType: 'EpisodeOfCare', status, patient: about, careManager: khan });
  const ties = { // while it lasts, when it is over
    'in a bed of the ward': [stay('in-progress', bed), stay('finished', bed)], 'under their care': [stay('arrived', seen), stay('cancelled', seen)],
    'referred to them': [referral('active', khan), referral('revoked', khan)], 'referred to their clinic': [referral('active', clinic), referral('completed', clinic)],
    'booked with them': [booked('booked'), booked('cancelled')], 'on their caseload': [caseload('active'), caseload('finished')],
    'of their team': [team('active', khan), team('inactive', khan)],
    'asked of them': [task('requested', khan), task('completed', khan)], 'asked of their clinic': [task('accepted', clinic), task('rejected', clinic)] };
  const rows = Object.entries(ties).flatMap(([name, two], i) => two.map((make, over) => ({ name, over, id: `t${i}-${over}`, make })));
  for (const { id, make } of rows) {
    entries.push({ resourceType: 'Patient', id }, { ...make({ reference: `Patient/${id}` }), id: `tie-${id}` });
  }
  entries.push({ resourceType: 'Patient', id: 'registered', generalPractitioner: [khan] }, { resourceType: 'Patient', id: 'of-practice', generalPractitioner: [practice] });
  const answer = await server.post('/fhir', { resourceType: 'Bundle', type: 'transaction', entry: entries.map((resource) => ({ resource,
    request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } })) }, all);
  assert.equal(answer.status, 200, answer.text);
  run(server, 'user', 'add', 'k.two', '--role', 'ahp', '--who', 'Practitioner/k', '--areas', 'w9');
  const asks = token(server, 'user/*.rs', '--user', 'k.two');
  for (const { name, over, id } of rows)
    assert.equal(await status(server, asks, `/fhir/Patient/${id}`), over ? 404 : 200, `${name}${over ? ', over' : ''}`);
  for (const id of ['registered', 'of-practice']) assert.equal(await status(server, asks, `/fhir/Patient/${id}`), 200, id);
  assert.equal(await status(server, asks, '/fhir/Patient/p1'), 404, 'nothing to do with them');
});

test('a dissent closes the record to writing, too, of the types it names; and a team at its end is no tie', async (t) => {
  const { server, all, put } = await hospital(t);
  const khan = token(server, 'user/*.cruds', '--user', 'a.khan');
  const write = async (patient) => (await server.post('/fhir/Observation', { resourceType: 'Observation', status: 'final',
    code: { text: 'gait' }, valueString: 'steady', subject: { reference: `Patient/${patient}` } }, khan)).status;
  assert.equal(await write('p2'), 201);
  const absent = await write('nobody');
  assert.notEqual(absent, 201);
  const deny = (code) => ({ resourceType: 'Consent', id: 'no', status: 'active', patient: { reference: 'Patient/p2' },
    policyRule: { text: 'x' }, category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
    scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
    provision: { type: 'deny', class: [{ code }] } });
  await put(deny('Condition'));
  assert.equal(await write('p2'), 201, 'of another type');
  assert.equal((await server.put('/fhir/Consent/no', deny('Observation'), all)).status, 200);
  assert.equal(await write('p2'), absent, 'as about somebody who is not there');
  assert.equal(await status(server, khan, '/fhir/Patient/p2'), 200);
  assert.equal((await server.put('/fhir/CareTeam/t2', { resourceType: 'CareTeam', id: 't2', status: 'inactive',
    subject: { reference: 'Patient/p2' }, participant: [{ member: { reference: 'Practitioner/k' } }] }, all)).status, 200);
  const until = Date.now() + 3000;
  while (await status(server, khan, '/fhir/Patient/p2') !== 404) {
    assert.ok(Date.now() < until, 'a team that is inactive ties nobody');
    await new Promise((again) => setTimeout(again, 50));
  }
});

test('a consent that cannot be applied as written is refused wherever it comes in', async (t) => {
  const consent = (id, provision) => ({ resourceType: 'Consent', id, status: 'active', patient: { reference: 'Patient/p2' }, policyRule: { text: 'x' },
    scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }], provision });
  const partly = consent('partly', { type: 'deny', code: [{ text: 'HIV' }] }), wholly = consent('wholly', { type: 'deny' });
  const open = await startServer(t);
  assert.equal((await open.put('/fhir/Consent/partly', partly)).status, 422);
  assert.equal((await open.put('/fhir/Consent/wholly', wholly)).status, 201);
  await open.stop();
  const file = join(open.folder, 'consents.ndjson');
  writeFileSync(file, [consent('one', { type: 'deny' }), partly, consent('three', { type: 'deny' })].map((one) => JSON.stringify(one)).join('\n'));
  const taken = spawnSync(binary, ['import', '--data', open.folder, '--json', file], { encoding: 'utf8' });
  assert.equal(taken.status, 1, 'who imports is told by the exit code');
  const report = JSON.parse(taken.stdout);
  assert.equal(report.created, 2);
  assert.deepEqual(report.refusals.map((one) => /consents\.ndjson:2\b/.test(one.where)), [true], taken.stdout);
  assert.match(report.refusals[0].what, /not applied here/);
});

test('a shift of the rota opens its ward while it lasts; and is written by those who keep the rota', async (t) => {
  const { server, all, put } = await hospital(t);
  await put({ resourceType: 'Location', id: 'w9', name: 'Ward 9' });
  await put({ resourceType: 'Location', id: 'b9', name: 'Bed 9', partOf: { reference: 'Location/w9' } });
  await put({ resourceType: 'Encounter', id: 'e1', status: 'in-progress', subject, class: { code: 'IMP' },
              location: [{ location: { reference: 'Location/b9' }, status: 'active' }] });
  const khan = token(server, 'user/*.rs', '--user', 'a.khan');
  const at = (hours) => new Date(Date.now() + hours * 3600000).toISOString();
  const shift = (from, to, more = {}) => ({ resourceType: 'Schedule', id: 's', active: true,
    serviceCategory: [{ coding: [{ system: 'urn:x', code: 'escalation-rota' }] }], planningHorizon: { start: at(from), end: at(to) },
    actor: [{ reference: 'Practitioner/k' }, { reference: 'Location/w9' }], ...more });
  const rows = [['not yet', shift(1, 9), 404], ['now', shift(-1, 7), 200], ['over', shift(-9, -0.001), 404],
    ['another person', shift(-1, 7, { actor: [{ reference: 'Practitioner/z' }, { reference: 'Location/w9' }] }), 404],
    ['another ward', shift(-1, 7, { actor: [{ reference: 'Practitioner/k' }, { reference: 'Location/w8' }] }), 404],
    ['the whole hospital', shift(-1, 7, { actor: [{ reference: 'Practitioner/k' }] }), 404],
    ['struck out', shift(-1, 7, { active: false }), 404], ['no end', shift(-1, 7, { planningHorizon: { start: at(-1) } }), 404],
    ['a clinic', shift(-1, 7, { serviceCategory: [{ text: 'clinic' }] }), 404], ['now again', shift(-1, 7), 200]];
  for (const [row, schedule, expected] of rows) {
    assert.ok((await server.put('/fhir/Schedule/s', schedule, all)).status < 300);
    let got = 0;
    for (let i = 0; i < 40 && got !== expected; i++) { // a standing is kept for a second
      got = await status(server, khan, '/fhir/Patient/p1');
      if (got !== expected)
        await new Promise((done) => setTimeout(done, 50));
    }
    assert.equal(got, expected, row);
  }
  assert.match(run(server, 'access', 'explain', 'a.khan', 'Patient/p1'), /Encounter on the ward of their shift/);
  const wide = token(server, 'user/*.cruds', '--user', 'a.khan');
  const own = await server.post('/fhir/Schedule', { ...shift(-1, 7), id: undefined }, wide);
  assert.equal(own.status, 403, 'nobody lets themselves in');
  assert.match(own.text, /nurse in charge/);
  assert.equal((await server.put('/fhir/Schedule/s', shift(-1, 99), wide)).status, 403, 'nor makes it longer');
  run(server, 'user', 'add', 'd.octor', '--role', 'doctor', '--who', 'Practitioner/d');
  const doctor = token(server, 'user/*.cruds', '--user', 'd.octor');
  run(server, 'user', 'add', 'o.reach', '--role', 'outreach', '--who', 'Practitioner/o');
  const outreach = token(server, 'user/*.cruds', '--user', 'o.reach');
  const named = (who) => ({ ...shift(-1, 7, { actor: [{ reference: who }, { reference: 'Location/w9' }] }), id: undefined });
  for (const who of ['d', 'z'])
    assert.equal((await server.post('/fhir/Schedule', named(`Practitioner/${who}`), doctor)).status, 403, 'doctors stand on the rota; others keep it');
  assert.equal((await server.post('/fhir/Schedule', named('Practitioner/o'), outreach)).status, 403, 'not their own');
  assert.equal((await server.post('/fhir/Schedule', named('Practitioner/z'), outreach)).status, 201, 'but a colleague\'s');
  run(server, 'user', 'add', 'b.manager', '--role', 'bed_manager', '--who', 'Practitioner/z');
  const keeper = token(server, 'user/*.cruds', '--user', 'b.manager');
  assert.equal((await server.put('/fhir/Schedule/kept', { ...shift(-1, 7), id: 'kept' }, all)).status, 201);
  assert.equal((await server.put('/fhir/Schedule/kept', { ...shift(-1, 6), id: 'kept' }, keeper)).status, 200);
});

test('a scope with a query opens that part of the type and no other', async (t) => {
  const { server, put } = await hospital(t);
  const observation = (id, category) => ({ resourceType: 'Observation', id, status: 'final', subject,
    category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: category }] }],
    code: { text: id ?? 'new' } });
  await put(observation('vital', 'vital-signs'));
  await put(observation('lab', 'laboratory'));
  await put(observation('social', 'social-history'));
  const two = 'system/Observation.rs?category=vital-signs system/Observation.cruds?category=laboratory system/Patient.rs';
  const app = token(server, two);
  assert.equal(await status(server, app, '/fhir/Observation/vital'), 200);
  assert.equal(await status(server, app, '/fhir/Observation/lab'), 200);
  assert.equal(await status(server, app, '/fhir/Observation/social'), 404);
  assert.equal(await status(server, app, '/fhir/Observation/social/_history'), 404);
  assert.equal((await server.get('/fhir/Observation?_total=accurate', app)).body.total, 2);
  assert.equal((await server.get('/fhir/Observation/_history', app)).body.total, 2);
  assert.equal((await server.get('/fhir/Patient?_has:Observation:patient:code:text=social', app)).body.total, 0);
  const included = await server.get('/fhir/Patient?_id=p1&_revinclude=Observation:patient', app);
  assert.deepEqual(included.body.entry.map((e) => e.resource.id).sort(), ['lab', 'p1', 'vital']);
  const write = async (resource, headers = app) => (await server.put(`/fhir/Observation/${resource.id}`, resource, headers)).status;
  assert.equal(await write({ ...observation('lab', 'laboratory'), status: 'amended' }), 200);
  assert.equal(await write(observation('lab', 'social-history')), 403, 'out of its part');
  assert.equal(await write({ ...observation('vital', 'vital-signs'), status: 'amended' }), 403, 'read only');
  assert.equal((await server.post('/fhir/Observation', observation(undefined, 'vital-signs'), app)).status, 403);
  assert.equal((await server.post('/fhir/Observation', observation(undefined, 'laboratory'), app)).status, 201);
  const bad = token(server, 'system/Observation.rs?nonsense=1');
  assert.equal((await server.get('/fhir/Observation?_total=accurate', bad)).body.total, 0, 'grants nothing');

  run(server, 'client', 'add', 'app', '--redirect', 'http://127.0.0.1:9/back', '--scope',
      'user/Observation.rs user/Condition.rs');
  const ask = (scope) => `/auth/authorize?${form({ client_id: 'app', redirect_uri: 'http://127.0.0.1:9/back',
    state: 's', response_type: 'code', scope, aud: `${server.url}/fhir`, code_challenge_method: 'S256',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM' })}`;
  const khan = await signIn(server, 'a.khan');
  const page = await server.get(ask('user/Observation.rs?category=http://x|vital-signs,laboratory'), khan);
  assert.match(page.text, /Observation, only where category is vital-signs or laboratory/);
  for (const scope of ['user/Observation.rs?patient.name=x', 'user/Observation.rs?_has:Observation:patient:code=1',
                       'user/Observation.rs?nonsense=1', 'user/Observation.rs?_id=1'])
    assert.match((await server.get(ask(scope), khan)).headers.get('location'), /error=invalid_scope/, scope);
});

test('what is hidden is changed only by who proved lately who they are', async (t) => {
  const { server } = await hospital(t);
  const khan = token(server, 'user/*.cruds', '--user', 'a.khan');
  const made = await server.post('/fhir/Condition', { resourceType: 'Condition', code: { text: 'z' },
    subject: { reference: 'Patient/p2' } }, khan);
  assert.equal(made.status, 201, made.text);
  const labelled = { ...made.body, meta: security('NOPAT') };
  assert.equal((await server.put(`/fhir/Condition/${made.body.id}`, labelled, khan)).status, 200, 'fresh');
});

test('access explain names each rule, and the privacy officer asks it over HTTP', async (t) => {
  const { server } = await hospital(t);
  const explain = (...words) => JSON.parse(run(server, 'access', 'explain', ...words, '--json'));
  const no = explain('a.khan', 'Patient/p1');
  assert.equal(no.allowed, false);
  assert.equal(no.mayBreakGlass, true);
  assert.equal(no.rules.find((r) => r.rule === 'relationship').passed, false);
  const yes = explain('a.khan', 'Patient/p2');
  assert.equal(yes.allowed, true);
  assert.match(yes.rules.find((r) => r.rule === 'relationship').detail, /CareTeam/);
  assert.equal(explain('a.khan', 'Patient/p2', '--interaction', 'delete').allowed, false);
  assert.match(explain('ann', 'Condition/c1').rules.find((r) => r.rule === 'relationship').detail, /own record/);
  assert.match(run(server, 'access', 'explain', 'a.khan', 'Condition/std1'), /STD \(sexual health\): hidden/);
  for (const words of [['a.khan', ''], ['', 'Patient/p1'], ['a.khan', '/'], ['a.khan', 'Patient/'], ['a.khan', 'Patient/p1/_history/1'],
                       ['a.khan', 'patient/p1'], ['a.khan', "Patient/p1' OR 1=1"], ['a.khan', `Patient/${'x'.repeat(4000)}`], ['a\nb', 'Patient/p1'],
                       ['nobody', 'Patient/p1'], ['a.khan', 'Patient/none'], ['a.khan', 'Nothing/1'],
                       ['a.khan', 'Patient/p1', '--interaction', 'steal']])
    assert.throws(() => run(server, 'access', 'explain', ...words));
  const officer = await signIn(server, 'p.officer');
  const over = await server.get('/privacy/explain?user=a.khan&resource=Patient/p1',
                                { cookie: officer.cookie, accept: 'application/json' });
  assert.deepEqual(over.body, no);
  assert.match((await server.get('/privacy/explain?user=a.khan&resource=Patient/p1', officer)).text, /relationship/);
  assert.equal((await server.get('/privacy/explain?user=x&resource=y', await signIn(server, 'a.khan'))).status, 403);
});

test('access explain says of every role what the API does, in a sentence', async (t) => {
  const { server } = await hospital(t);
  const officer = await signIn(server, 'p.officer');
  const roles = run(server, 'user', 'roles').split('\n').map((line) => line.split(' ')[0]).filter((role) => !['service', 'claimant'].includes(role));
  assert.ok(roles.length >= 18, roles.join());
  const verbs = { read: 'read', history: 'read the history of', search: 'find', delete: 'delete' };
  for (const role of roles) {
    const own = ['patient', 'proxy'].includes(role);
    run(server, 'user', 'add', `x.${role}`, '--role', role, '--who', own ? 'Patient/p1' : 'Practitioner/k');
    const who = token(server, own ? 'patient/*.rs' : 'user/*.cruds', '--user', `x.${role}`);
    for (const path of ['Patient/p1', 'Patient/p2', 'Condition/c1', 'Condition/std1', 'Condition/v1', 'CareTeam/t2', 'Practitioner/k'])
      for (const [interaction, asked] of [['read', path], ['history', `${path}/_history`], ['search', `${path.replace('/', '?_id=')}&_total=accurate`]]) {
        const { status, body } = await server.get(`/fhir/${asked}`, who);
        const may = interaction === 'search' ? body.total === 1 : status === 200;
        const said = (await server.get(`/privacy/explain?user=x.${role}&resource=${path}&interaction=${interaction}`, { cookie: officer.cookie, accept: 'application/json' })).body;
        assert.equal(said.allowed, may, `${role} ${interaction} ${path}: ${said.verdict}`);
        assert.ok(said.verdict.startsWith(`x.${role} may ${may ? '' : 'not '}${verbs[interaction]} ${path}`), said.verdict);
        assert.equal(said.rules.every(({ rule, passed }) => passed || rule === 'emergency access'), may, JSON.stringify(said.rules));
      }
  }
});

test('AuditEvents are searched by privacy officers and by nobody else', async (t) => {
  const { server, all } = await hospital(t);
  const khan = token(server, 'user/*.cruds', '--user', 'a.khan');
  await server.get('/fhir/Patient/p2', khan);
  await server.get('/fhir/CareTeam?patient=p2', khan);
  await server.get('/fhir/Patient/p1', khan);
  await server.get('/fhir/ChargeItem', khan);
  await server.get('/fhir/Patient/p2', bearer('fl_wrong'));
  const officer = token(server, 'user/*.rs', '--user', 'p.officer');
  const find = async (query) => {
    const answer = await server.get(`/fhir/AuditEvent?${query}`, officer);
    assert.equal(answer.status, 200, answer.text);
    return answer.body;
  };
  const khans = await find('altid=a.khan&_total=accurate');
  assert.equal(khans.total, 4);
  assert.deepEqual(khans.entry.map((e) => e.resource.outcome), ['8', '8', '0', '0']);
  const [, hidden] = khans.entry;
  assert.equal(hidden.resource.entity[0].what.reference, 'Patient/p1', 'tried, and not given');
  assert.equal(hidden.resource.entity[1].what.reference, 'Patient/p1');
  assert.equal((await find('altid=a.khan&patient=p2')).total, 2);
  assert.equal((await find('altid=a.khan&patient=Patient/p1')).total, 1);
  assert.equal((await find('agent=Practitioner/k&outcome=0')).total, 2);
  assert.equal((await find('altid=a.khan&action=R')).total, 2);
  assert.equal((await find('altid=a.khan&subtype=search-type')).total, 2);
  assert.equal((await find('altid=unknown&outcome=8')).total, 1, 'a token that is not good');
  assert.equal((await find('altid=client:operator&action=U&_summary=count')).total, 7);
  assert.equal((await find('date=lt2020-01-01')).total, 0);
  assert.equal((await find('patient=nobody')).total, 0);
  const first = await find('altid=client:operator&_count=3');
  const next = first.link.find((l) => l.relation === 'next').url;
  const second = (await server.get(next.slice(server.url.length), officer)).body;
  const ids = [...first.entry, ...second.entry].map((e) => Number(e.resource.id));
  assert.deepEqual(ids, ids.toSorted((a, b) => b - a));
  assert.equal(new Set(ids).size, 6);
  const one = await server.get(`/fhir/AuditEvent/${ids[0]}`, officer);
  assert.deepEqual(one.body, first.entry[0].resource);
  const valid = await server.post('/fhir/AuditEvent/$validate', one.body, all);
  assert.doesNotMatch(valid.text, /"severity":"error"/);
  assert.equal((await server.get('/fhir/AuditEvent/999999', officer)).status, 404);
  assert.equal((await server.get('/fhir/AuditEvent?colour=red', officer)).status, 400);
  const ann = token(server, 'patient/*.rs', '--user', 'ann');
  for (const [row, who] of [['a therapist', khan], ['the patient', ann]])
    for (const path of ['/fhir/AuditEvent', '/fhir/AuditEvent/1', '/fhir/AuditEvent?patient=p1'])
      assert.equal((await server.get(path, who)).status, 403, `${row} ${path}`);
  const page = await server.get('/privacy/access?patient=p1', await signIn(server, 'p.officer'));
  assert.match(page.text, /Aisha Khan/);
  assert.match(page.text, /same surname/);
  assert.match(page.text, /refused/);
});

test('the patient sees who looked; and nothing of what is kept from them', async (t) => {
  const { server, put } = await hospital(t);
  await put({ resourceType: 'Condition', id: 'secret', subject, meta: security('NOPAT'), code: { text: 'safeguarding' } });
  run(server, 'user', 'add', 'o.reach', '--role', 'outreach', '--display', 'Olu Reach');
  const reach = token(server, 'user/*.rs', '--user', 'o.reach');
  await server.get('/fhir/Condition/secret', reach);
  const ann = await signIn(server, 'ann');
  const before = (await server.get('/my/access', ann)).text;
  assert.doesNotMatch(before, /Olu Reach/, 'a look at what is hidden leaves no trace');
  await server.get('/fhir/Condition/c1', reach);
  assert.match((await server.get('/my/access', ann)).text, /Olu Reach/);
  assert.equal((await server.get('/my/access', await signIn(server, 'a.khan'))).status, 403);
});

test('the head of the audit goes out of the house, and a chain made anew is found out by it', async (t) => {
  const file = join(tmpdir(), `frontline-heads-${process.pid}`);
  t.after(() => rmSync(file, { force: true }));
  const { server, all } = await hospital(t, ['--set', `audit.publish_file=${file}`]);
  await server.get('/fhir/Patient/p1', all);
  await server.stop();
  const heads = readFileSync(file, 'utf8');
  assert.match(heads, /^\S+Z \d+ [0-9a-f]{64}\n$/);
  run(server, 'audit', 'verify', '--heads', file);
  execFileSync('sqlite3', [join(server.folder, 'record.db'),
    'DELETE FROM audit_block WHERE n = (SELECT max(n) FROM audit_block)']);
  run(server, 'audit', 'verify');
  assert.throws(() => run(server, 'audit', 'verify', '--heads', file), /published|Command failed/);
});
