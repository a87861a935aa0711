// SPDX-License-Identifier: Apache-2.0
// Patients sign in at their OpenID provider, and those who may act for them do, as long as they may.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { Walker, provider } from '../lib/provider.mjs';
import { auditUntil } from '../lib/audit.mjs';
import { binary, startServer } from './server.mjs';

const run = (server, ...words) =>
  execFileSync(binary, [...words, '--data', server.folder], { encoding: 'utf8' }).trim();
const asForm = { 'content-type': 'application/x-www-form-urlencoded' };
const VERIFIED = { url: 'https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus',
  valueCodeableConcept: { coding: [{ code: '01' }] } };
const SYSTEM = 'https://fhir.nhs.uk/Id/nhs-number';
const years = (n, days = 0) => {
  const d = new Date();
  d.setUTCFullYear(d.getUTCFullYear() - n, d.getUTCMonth(), d.getUTCDate() + days);
  return d.toISOString().slice(0, 10);
};
const patient = (id, value, birthDate, more = {}) => ({ resourceType: 'Patient', id, birthDate, gender: 'female',
  identifier: [{ system: SYSTEM, value, extension: [VERIFIED] }], name: [{ family: `Family-${id}`, given: ['Given'] }], ...more });
const claims = (nhs_number, birthdate, level = 'P9') => ({ nhs_number, birthdate, given_name: 'Ann', family_name: 'Example',
  identity_proofing_level: level, vot: `${level}.Cp.Cd`, vtm: 'https://login.example/trustmark' });
const ANN = '9990000018', BEN = '9990000026', CAL = '9990000034';

async function set(t) {
  const { issuer, ready } = await provider(t);
  const server = await startServer(t, { open: false, args: ['--set', `patients.issuer=${issuer}`] });
  const op = await ready(server, { client_id: 'frontline', redirect_uris: [`${server.url}/sign-in/patients/back`] });
  const token = { authorization: `Bearer ${run(server, 'token', '--scope', 'system/*.cruds')}` };
  server.put_ = async (resource) => {
    const answer = await server.put(`/fhir/${resource.resourceType}/${resource.id}`, resource, token);
    assert.ok(answer.status < 300, answer.text);
    return answer.body;
  };
  await server.put_(patient('ann', ANN, '1980-05-01'));
  op.person = { sub: 'ann', claims: claims(ANN, '1980-05-01') };
  return { server, op };
}
async function signIn(server, query = 'next=/my', walker = new Walker()) {
  const { answer, text, url } = await walker.walk(`${server.url}/sign-in/patients?${query}`);
  return { status: answer.status, text: text.replaceAll('&#39;', "'"), url, walker };
}
const get = async (server, walker, path) => {
  const answer = await server.get(path, { cookie: walker.cookies(server.url) });
  return answer;
};
function refused(end, words, row) {
  assert.match(end.text, words, `${row}: ${end.status} ${end.text.slice(0, 1500)}`);
  assert.ok(end.status >= 400 && end.status < 500, `${row}: ${end.status}`);
  assert.doesNotMatch(end.walker.cookies(new URL(end.url).origin), /frontline_session/, row);
}

test('a verified person sees their own record and nobody else\'s', async (t) => {
  const { server, op } = await set(t);
  await server.put_(patient('ben', BEN, '1970-01-01'));
  await server.put_({ resourceType: 'AllergyIntolerance', id: 'a1', patient: { reference: 'Patient/ann' }, code: { text: 'Penicillin' } });
  await server.put_({ resourceType: 'AllergyIntolerance', id: 'a2', patient: { reference: 'Patient/ann' }, code: { text: 'Secret thing' },
    meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'NOPAT' }] } });
  const end = await signIn(server);
  assert.equal(end.status, 200, end.text);
  assert.match(end.text, /999 000 0018/);
  assert.match(end.text, /Penicillin/);
  assert.doesNotMatch(end.text, /Secret/, 'a redacted entry leaves no trace');
  assert.match(end.text, /111\.nhs\.uk/);
  assert.equal((await get(server, end.walker, '/fhir/Patient/ann')).status, 200);
  assert.equal((await get(server, end.walker, '/fhir/Patient/ben')).status, 404);
  assert.equal((await get(server, end.walker, '/fhir/AllergyIntolerance/a2')).status, 404);
  const asked = op.asked.find((a) => a.path === '/auth' && a.query.client_id).query;
  assert.equal(asked.vtr, '["P9.Cp.Cd","P9.Cp.Ck","P9.Cm"]');
});

test('a claimed identity reads no record at any address and is told how to prove itself', async (t) => {
  const { server, op } = await set(t);
  op.person.claims = claims(ANN, '1980-05-01', 'P5');
  const end = await signIn(server, 'next=/my&level=P5');
  assert.equal(end.status, 200, end.text);
  assert.match(end.text, /must first prove who you are/);
  assert.doesNotMatch(end.text, /999 000 0018/);
  for (const path of ['/fhir/Patient/ann', '/fhir/Patient', '/fhir/Observation?patient=Patient/ann', '/fhir/Patient/ann/$everything', '/browse/Patient/ann'])
    assert.notEqual((await get(server, end.walker, path)).status, 200, path);
  op.person.claims = claims(ANN, '1980-05-01');
  const verified = await signIn(server, 'next=/my');
  assert.match(verified.text, /999 000 0018/);
  op.person.claims = claims(ANN, '1980-05-01', 'P5');
  await signIn(server, 'next=/my&level=P5');
  assert.equal((await get(server, end.walker, '/fhir/Patient/ann')).status, 403, 'the claimed session did not grow');
});

test('a provider that signs everything by RS512, what it tells about people too', async (t) => {
  const { issuer, ready } = await provider(t, 'RS512');
  const server = await startServer(t, { open: false, args: ['--set', `patients.issuer=${issuer}`, '--set', 'patients.assertion_alg=RS512'] });
  const op = await ready(server, { client_id: 'frontline', redirect_uris: [`${server.url}/sign-in/patients/back`], userinfo_signed_response_alg: 'RS512' });
  const all = { authorization: `Bearer ${run(server, 'token', '--scope', 'system/*.cruds')}` };
  await server.put('/fhir/Patient/ann', patient('ann', ANN, '1980-05-01'), all);
  op.person = { sub: 'ann', claims: claims(ANN, '1980-05-01') };
  const good = await signIn(server);
  assert.match(good.text, /Family-ann/i, good.text.slice(0, 1500));
  assert.equal(op.asked.find((a) => a.path === '/auth').query.vtr, '["P9.Cp.Cd","P9.Cp.Ck","P9.Cm"]');
  for (const [row, change] of [['unsigned', (said, { decode }) => { const { iss, aud, ...rest } = decode(said); return rest; }],
    ['another audience', (said, { sign, decode }) => sign({ ...decode(said), aud: 'other' })],
    ['another issuer', (said, { sign, decode }) => sign({ ...decode(said), iss: 'https://other.example' })],
    ['somebody else', (said, { sign, decode }) => sign({ ...decode(said), sub: 'ben' })],
    ['changed after it was signed', (said, { decode }) => said.replace(/\.[^.]+\./, `.${Buffer.from(JSON.stringify({ ...decode(said), nhs_number: BEN })).toString('base64url')}.`)]]) {
    op.spoilInfo = change;
    const end = await signIn(server);
    if (row === 'unsigned') // JSON over TLS is what OpenID asks for at least; the ID token stays signed
      assert.match(end.text, /Family-ann/i, row);
    else
      refused(end, /You are not signed in/, row);
  }
  op.spoilInfo = null;
  const walker = (await signIn(server)).walker;
  assert.match((await get(server, walker, '/step-up?next=/account')).text, /\/sign-in\/patients\?step-up=1/);
  const again = await signIn(server, 'step-up=1&next=/account', walker);
  assert.match(again.text, /Where you are signed in/, 'proves it again at the provider');
  const asked = op.asked.filter((a) => a.path === '/auth').at(-1).query;
  assert.deepEqual([asked.prompt, asked.max_age], ['login', '300']);
  op.person = { sub: 'ann', ts: Math.floor(Date.now() / 1000) - 3600, claims: claims(ANN, '1980-05-01') };
  assert.match((await signIn(server, 'step-up=1&next=/account', walker)).text, /too long ago/, 'an old sign-in over there is no proof');
});

test('levels: what was reached must be one of what was asked', async (t) => {
  const { server, op } = await set(t);
  const rows = [
    ['P9', 'P5.Cp.Cd', /not know you as surely/], ['P9', 'P0.Cp.Cd', /not know you as surely/],
    ['P9', 'P9.Cp', /not know you as surely/], ['P9', 'P9', /not know you as surely/], ['P9', undefined, /not know you/],
    ['P5', 'P9.Cp.Cd', /not know you as surely/], ['P5', 'P0.Cm', /not know you/], ['P0', 'P0.Cp.Cd', /no account here/],
  ];
  for (const [level, vot, words] of rows) {
    op.person.claims = { ...claims(ANN, '1980-05-01', level), vot };
    refused(await signIn(server, `level=${level}`), words, `${level} ${vot}`);
  }
  op.person.claims = { ...claims(ANN, '1980-05-01'), vtm: undefined };
  refused(await signIn(server), /how surely/, 'no trustmark');
  op.person.claims = { ...claims(ANN, '1980-05-01'), identity_proofing_level: 'P5' };
  refused(await signIn(server), /contradicts/, 'two levels');
  assert.equal((await server.get('/sign-in/patients?level=P7')).status, 400);
  op.person.claims = { ...claims(ANN, '1980-05-01'), vot: 'P9.Cm' };
  assert.equal((await signIn(server)).status, 200);
});

test('only an NHS number verified on both sides, with the same date of birth, opens a record', async (t) => {
  const { server, op } = await set(t);
  await server.put_({ ...patient('unverified', BEN, '1970-01-01'), identifier: [{ system: SYSTEM, value: BEN }] });
  await server.put_({ ...patient('traced', CAL, '1970-01-01'), identifier: [{ system: SYSTEM, value: CAL,
    extension: [{ ...VERIFIED, valueCodeableConcept: { coding: [{ code: '02' }] } }] }] });
  await server.put_(patient('dead', '9990000042', '1970-01-01', { deceasedBoolean: true }));
  await server.put_(patient('young', '9990000050', years(13, 1)));
  await server.put_(patient('teen', '9990000069', years(13)));
  const rows = [
    ['number not verified here', claims(BEN, '1970-01-01'), /hold no record/],
    ['present but not traced', claims(CAL, '1970-01-01'), /hold no record/],
    ['deceased', claims('9990000042', '1970-01-01'), /hold no record/],
    ['nobody', claims('9990000077', '1970-01-01'), /hold no record/],
    ['another date of birth', claims(ANN, '1980-05-02'), /date of birth differs/],
    ['no date of birth', claims(ANN, undefined), /NHS number and date/],
    ['no number', claims(undefined, '1980-05-01'), /NHS number and date/],
    ['a number with a wrong check digit', claims('9990000019', '1980-05-01'), /NHS number and date/],
    ['the day before 13', claims('9990000050', years(13, 1)), /13 and over/],
  ];
  for (const [row, said, words] of rows) {
    op.person = { sub: row, claims: said };
    refused(await signIn(server), words, row);
  }
  op.person = { sub: 'teen', claims: claims('9990000069', years(13)) };
  assert.equal((await signIn(server)).status, 200, '13 today');
});

const consent = (id, who, related, functions, more = {}) => ({ resourceType: 'Consent', id, status: 'active',
  scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
  category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }], patient: { reference: `Patient/${who}` },
  dateTime: years(0), policyRule: { text: 'proxy' },
  provision: { type: 'permit', period: { start: years(1), end: years(-1) },
    actor: [{ role: { text: 'proxy' }, reference: { reference: `RelatedPerson/${related}` } }],
    code: functions.map((code) => ({ coding: [{ system: 'https://frontline.example/CodeSystem/proxy-function', code }] })) }, ...more });
const relatedTo = (id, who, value) => ({ resourceType: 'RelatedPerson', id, active: true, patient: { reference: `Patient/${who}` },
  identifier: [{ system: SYSTEM, value }] });

// Ann, who may act for her child Ben (9).
async function family(t, functions = ['view']) {
  const { server, op } = await set(t);
  await server.put_(patient('ben', BEN, years(9)));
  await server.put_(relatedTo('mum', 'ben', ANN));
  await server.put_(consent('c1', 'ben', 'mum', functions));
  await server.put_({ resourceType: 'AllergyIntolerance', id: 'b1', patient: { reference: 'Patient/ben' }, code: { text: 'Peanut' } });
  await server.put_({ resourceType: 'Condition', id: 'b2', subject: { reference: 'Patient/ben' }, code: { text: 'Contraception advice' },
    meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'STD' }] } });
  return { server, op, end: await signIn(server) };
}
async function actFor(server, end, related = 'mum') {
  const page = (await get(server, end.walker, '/my')).text;
  const csrf = /name="csrf" value="([^"]+)"/.exec(page)?.[1] ?? '';
  return server.ask('POST', '/my/act-for', { body: new URLSearchParams({ csrf, related }).toString(),
    headers: { ...asForm, origin: server.url, cookie: end.walker.cookies(server.url) } });
}

test('a proxy acts for a child under their own name, sees what the consent says, and comes back', async (t) => {
  const { server, end } = await family(t);
  assert.match(end.text, /Act for Given Family-ben/);
  assert.equal((await get(server, end.walker, '/fhir/Patient/ben')).status, 404, 'not before choosing to');
  assert.equal((await actFor(server, end)).status, 303);
  const page = (await get(server, end.walker, '/my')).text;
  assert.match(page, /You are acting for/);
  assert.match(page, /Peanut/);
  assert.doesNotMatch(page, /Contraception/, 'sexual health is never shown to a proxy by default');
  assert.equal((await get(server, end.walker, '/fhir/Patient/ben')).status, 200);
  assert.equal((await get(server, end.walker, '/fhir/Patient/ann')).status, 404, 'one record at a time');
  for (const path of ['/fhir/RelatedPerson', '/fhir/Consent'])
    assert.equal((await get(server, end.walker, path)).status, 403, `${path}: other proxies stay unseen`);
  assert.equal((await actFor(server, end, '')).status, 303);
  assert.equal((await get(server, end.walker, '/fhir/Patient/ann')).status, 200);
  const entries = await auditUntil(server.folder, (e) => e.behalf, 2);
  assert.ok(entries.some((e) => e.person === 'Patient/ann' && e.behalf === 'Patient/ben' && e.what === 'Patient/ben'), JSON.stringify(entries));
  assert.ok(entries.every((e) => e.behalf === 'Patient/ben' && e.role === 'proxy'));
});

test('a function allows its own part and no more', async (t) => {
  const { server, end } = await family(t, ['book']);
  assert.equal((await actFor(server, end)).status, 303);
  assert.equal((await get(server, end.walker, '/fhir/Appointment')).status, 200);
  assert.equal((await get(server, end.walker, '/fhir/AllergyIntolerance')).status, 403);
  assert.doesNotMatch((await get(server, end.walker, '/my')).text, /Peanut/);
});

test('a consent taken away ends the session at the next request', async (t) => {
  for (const change of [
    (server) => server.put_(consent('c1', 'ben', 'mum', ['view'], { status: 'inactive' })),
    (server) => server.put_({ ...relatedTo('mum', 'ben', ANN), active: false }),
  ]) {
    const { server, end } = await family(t);
    await actFor(server, end);
    assert.equal((await get(server, end.walker, '/fhir/Patient/ben')).status, 200);
    await change(server);
    const begun = performance.now();
    assert.equal((await get(server, end.walker, '/fhir/Patient/ben')).status, 401);
    assert.ok(performance.now() - begun < 1000);
    assert.equal((await get(server, end.walker, '/fhir/Patient/ann')).status, 401, 'the session is over');
  }
});

test('a consent that is no consent lets nobody act', async (t) => {
  const { server, op, end } = await family(t);
  const good = consent('c1', 'ben', 'mum', ['view']);
  const rows = [
    ['ended', { provision: { ...good.provision, period: { end: years(0, -1) } } }],
    ['not begun', { provision: { ...good.provision, period: { start: years(0, 1) } } }],
    ['deny', { provision: { type: 'deny' } }],
    ['another actor', { provision: { ...good.provision, actor: [{ role: { text: 'x' }, reference: { reference: 'RelatedPerson/other' } }] } }],
    ['no functions', { provision: { ...good.provision, code: [] } }],
    ['unknown function', { provision: { ...good.provision, code: [{ coding: [{ system: 'https://frontline.example/CodeSystem/proxy-function', code: 'all' }] }] } }],
    ['draft', { status: 'draft' }],
    ['for research', { scope: { coding: [{ code: 'research' }] } }],
    ['made without a date', { dateTime: undefined }],
  ];
  await server.put_({ ...relatedTo('other', 'ben', CAL) });
  for (const [row, change] of rows) {
    const { ...resource } = { ...good, ...change };
    if (resource.provision.code?.length === 0) delete resource.provision.code;
    await server.put_(JSON.parse(JSON.stringify(resource)));
    assert.equal((await actFor(server, end)).status, 403, row);
  }
  await server.put_(good);
  await server.put_(patient('ben', BEN, years(11)));
  await server.put_({ ...good, dateTime: years(0, -1) });
  assert.equal((await actFor(server, end)).status, 403, 'eleven today, agreed yesterday: to be reviewed');
  await server.put_(good);
  assert.equal((await actFor(server, end)).status, 303, 'reviewed today');
  op.person = { sub: 'stranger', claims: claims('9990000077', '1960-01-01') };
  refused(await signIn(server), /hold no record/, 'a stranger');
});

test('a carer with no record here still acts for who trusts them', async (t) => {
  const { server, op } = await family(t);
  await server.put_(relatedTo('gran', 'ben', CAL));
  await server.put_(consent('c2', 'ben', 'gran', ['view']));
  op.person = { sub: 'gran', claims: claims(CAL, '1950-01-01') };
  const end = await signIn(server);
  assert.match(end.text, /Act for Given Family-ben/, end.text);
  assert.equal((await actFor(server, end, 'mum')).status, 403, "not by another's relation");
  assert.equal((await actFor(server, end, 'gran')).status, 303);
  assert.equal((await get(server, end.walker, '/fhir/Patient/ben')).status, 200);
});
