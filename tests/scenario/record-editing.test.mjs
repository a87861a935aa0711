// SPDX-License-Identifier: Apache-2.0
// Two people at one thing, for every form there is; and what an edit must leave alone.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Server, root } from '../lib/server.mjs';

let server;
const about = { reference: 'Patient/ann' };
const P = '/record/patient/ann';
async function put(resource) {
  const { status, body } = await server.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource);
  assert.ok(status === 200 || status === 201, JSON.stringify(body));
}
async function post(path, fields) {
  const answer = await fetch(server.url + path, { method: 'POST', redirect: 'manual', headers: { Accept: 'text/html' }, body: new URLSearchParams(fields) });
  return { status: answer.status, html: await answer.text() };
}
const page = async (path) => (await fetch(server.url + path, { headers: { Accept: 'text/html' } })).text();
const read = async (reference) => (await server.send('GET', `/fhir/${reference}`)).body;
const all = async (query) => ((await server.send('GET', `/fhir/${query}`)).body.entry ?? []).map((e) => e.resource);
const words = (html) => html.replace(/<[^>]*>/g, ' ').replace(/&#39;/g, "'").replace(/\s+/g, ' ');
const version = (html) => /name="version" value="(\d+)"/.exec(html)?.[1];

before(async () => {
  server = await Server.start();
  await put({ resourceType: 'Location', id: 'w1', status: 'active', name: 'Ward 1', physicalType: { coding: [{ code: 'wa' }] } });
  for (const [id, nhs] of [['ann', '9990001233'], ['bob', '9990000393'], ['cat', '9990000547']])
    await put({ resourceType: 'Patient', id, birthDate: '1945-07-14', identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: nhs }], name: [{ family: 'Hart', given: [id] }] });
  await put({ resourceType: 'Encounter', id: 'e1', status: 'in-progress', class: { code: 'IMP' }, subject: about, location: [{ location: { reference: 'Location/w1' }, status: 'active' }] });
});
after(() => server?.stop());

// Every entry's fields, and one that the two people change differently.
const KINDS = {
  allergy: [{ agent: 'Nuts', certainty: 'confirmed' }, 'note'], problem: [{ code: 'Gout', status: 'active', sure: 'confirmed' }, 'note'],
  alert: [{ text: 'Falls', category: 'Safety' }, 'text'], medicine: [{ name: 'Aspirin', dose: '75 mg', decision: 'active' }, 'dose'],
  task: [{ text: 'Weigh' }, 'text'], note: [{ plan: 'Home' }, 'plan'], handover: [{ situation: 'Stable' }, 'situation'], discharge: [{ summary: 'Fell.' }, 'summary'],
};
let made = 0;
async function make(kind, fields = KINDS[kind][0]) {
  const once = `once-editing-${String(made += 1).padStart(6, '0')}`;
  assert.equal((await post(`${P}/new/${kind}`, { ...fields, once })).status, 303, kind);
  return `${P}/entry/${kind}/${once}`;
}
async function edit(kind) {
  const path = await make(kind), [fields, part] = KINDS[kind];
  assert.equal((await post(path, { ...fields, [part]: 'hers', version: '1' })).status, 303, kind);
  const his = await post(path, { ...fields, [part]: 'his', version: '1' });
  assert.equal(his.status, 409, kind);
  assert.match(words(his.html), /Changed meanwhile by .*Theirs: hers.*Yours: his/, kind);
  assert.match(await page(path), /hers/);
}
async function signed(kind = 'note') {
  const path = await make(kind);
  assert.equal((await post(`${path}/sign`, { version: '1' })).status, 303);
  return path;
}
const twice = async (path, first, second = first, status = 409) => {
  assert.equal((await post(path, first)).status, 303, path);
  assert.equal((await post(path, second)).status, status, path);
};
const SET = { resp: '16', spo2: '98', oxygen: 'air', systolic: '120', pulse: '80', consciousness: 'alert', temp: '37' };
let keys = 0;
const key = () => `editing-${String(keys += 1).padStart(8, '0')}`;

// How two people meet at each form that changes something there. Given: what the first one does and
// the second must be refused.
const MEET = {
  '/record/patient/{patient}/entry/{kind}/{id}': async () => { for (const kind of Object.keys(KINDS)) await edit(kind); },
  '/record/patient/{patient}/entry/{kind}/{id}/sign': async () => {
    const path = await make('note');
    await post(path, { plan: 'Home today', version: '1' });
    assert.equal((await post(`${path}/sign`, { version: '1' })).status, 409, 'not what was read');
  },
  '/record/patient/{patient}/entry/{kind}/{id}/cosign': async () => {
    const path = await signed();
    await post(path, { plan: 'Stay', why: 'New fever', version: '2' });
    assert.equal((await post(`${path}/cosign`, { version: '2' })).status, 409);
  },
  '/record/patient/{patient}/entry/discharge/{id}/send': async () => {
    const path = await signed('discharge');
    await post(path, { summary: 'Fell twice.', why: 'Second fall', version: '2' });
    assert.equal((await post(`${path}/send`, { version: '2' })).status, 409);
  },
  '/record/patient/{patient}/wrong/{type}/{id}': async () => {
    const path = await make('task'), id = path.split('/').pop(), wrong = `${P}/wrong/Task/${id}`;
    const drawn = version(await page(wrong));
    await post(path, { text: 'Weigh twice', version: '1' });
    assert.equal((await post(wrong, { how: 'mark', reason: 'Not hers', version: drawn })).status, 409);
    assert.equal((await read(`Task/${id}`)).status, 'requested');
  },
  '/record/patient/{patient}/acknowledge': async () => {
    const report = { resourceType: 'DiagnosticReport', id: 'fbc', status: 'final', code: { text: 'Full blood count' }, subject: about };
    await put(report);
    await put({ ...report, status: 'corrected' });
    assert.equal((await post(`${P}/acknowledge`, { report: 'fbc/1' })).status, 409, 'corrected meanwhile');
  },
  '/record/patient/{patient}/reconcile/{id}': async () => {
    const medicine = { resourceType: 'MedicationRequest', id: 'ami', status: 'active', intent: 'order', category: [{ coding: [{ code: 'community' }] }], medicationCodeableConcept: { text: 'Amitriptyline' },
      subject: about, dosageInstruction: [{ text: '10 mg at night' }] };
    await put(medicine);
    const path = `${P}/reconcile/ami`, decide = { decision: 'active', why: '', version: '0', medicine: '1' };
    await twice(path, decide);
    await put({ ...medicine, dosageInstruction: [{ text: '50 mg at night' }] });
    assert.match(words(await page(`${P}/medicines`)), /The medicine was changed since: decide again/);
    assert.equal((await post(path, { ...decide, version: '1' })).status, 409, 'the list changed meanwhile');
    assert.equal((await post(path, { ...decide, version: '1', medicine: '2' })).status, 303);
  },
  '/obs/set/{set}': async () => {
    const set = key();
    assert.equal((await post('/obs/patient/ann/enter', { ...SET, key: set })).status, 303);
    const again = { ...SET, pulse: '81', key: '1', reason: 'typed wrong' };
    await twice(`/obs/set/${set}`, again, { ...again, pulse: '82' });
  },
  '/obs/fluid/{entry}': async () => {
    const id = key();
    assert.equal((await post('/obs/patient/ann/fluid', { key: id, route: 'oral', volume: '100' })).status, 303);
    await twice(`/obs/fluid/${id}`, { reason: 'wrong patient' });
  },
  '/obs/patient/{id}/scale': () => twice('/obs/patient/ann/scale', { reason: 'Known hypercapnia' }),
  '/obs/escalation/{task}/{do}': async () => {
    assert.equal((await post('/obs/patient/bob/enter', { ...SET, resp: '26', spo2: '90', pulse: '135', key: key(), confirm_spo2: '1', confirm_pulse: '1' })).status, 303);
    let task;
    for (let i = 0; i < 100 && !task; i += 1) {
      [task] = await all('Task?code=news2-escalation&patient=bob');
      if (!task) await new Promise((done) => { setTimeout(done, 50); });
    }
    await twice(`/obs/escalation/${task.id}/answer`, { note: 'I come at once' });
  },
  '/obs/rota/{ward}': async () => {
    const wall = (hours) => new Date(Date.now() + hours * 3600e3).toLocaleString('sv-SE', { timeZone: 'Europe/London' }).slice(0, 16).replace(' ', 'T');
    const shift = { who: 'Okafor', role: 'registrar', order: '1', place: 'ward', from: wall(-1), until: wall(8) };
    await put({ resourceType: 'Practitioner', id: 'ok', name: [{ family: 'Okafor', given: ['Ngozi'] }] });
    assert.equal((await post('/obs/rota/w1', shift)).status, 303);
    const id = (await all('Schedule'))[0].id, path = `/obs/rota/w1?shift=${id}&version=1`;
    assert.match(await page(`/obs/rota/w1?shift=${id}`), /shift=[^"]*&amp;version=1"/, 'the form carries it');
    await twice(path, { ...shift, until: wall(9) }, { ...shift, until: wall(10) });
    assert.equal((await post(path, { off: 'yes' })).status, 409);
  },
};
// Forms that make something new each time (by an id of their own), or change nothing.
const MAKES = ['/record/confirm/{patient}', '/record/patient/{patient}/new/{kind}', '/record/merge', '/obs/patient/{id}/enter', '/obs/patient/{id}/preview', '/obs/patient/{id}/fluid',
  '/obs/patient/{id}/weight', '/obs/patient/{id}/gcs'];

const routes = ['systems/record/record.c', 'systems/obs/obs.c'].flatMap((file) => {
  const text = readFileSync(join(root, file), 'utf8');
  const prefix = /#define PATIENT "([^"]+)"/.exec(text)?.[1] ?? '';
  return [...text.matchAll(/\{ "POST", (PATIENT )?"([^"]+)"/g)].map((m) => (m[1] ? prefix : '') + m[2]);
});

test('every form of the record and of observations is known here, and every kind of entry', () => {
  assert.deepEqual([...routes].sort(), [...Object.keys(MEET), ...MAKES].sort());
  const kinds = /entry_kinds\[\] = \{([^}]*)\}/.exec(readFileSync(join(root, 'systems/record/entry_kinds.c'), 'utf8')
    + readFileSync(join(root, 'systems/record/entry.c'), 'utf8'))[1];
  assert.deepEqual([...kinds.matchAll(/entry_(\w+)/g)].map((m) => m[1]).sort(), Object.keys(KINDS).sort());
});

for (const [route, meet] of Object.entries(MEET))
  test(`two people: the second is not written unseen, POST ${route}`, meet);

test('nothing of any system is deleted by a route', () => {
  for (const line of readFileSync(join(root, 'src/main/modules.c'), 'utf8').matchAll(/&(\w+)_module/g)) {
    const file = join(root, 'systems', line[1], `${line[1]}.c`);
    assert.ok(!/\{ "DELETE",/.test(readFileSync(file, 'utf8')), file);
  }
});

test('an edit leaves alone what it does not show: codings, times, notes of others, dates known in part', async () => {
  const SCT = 'http://snomed.info/sct', ICD = 'http://hl7.org/fhir/sid/icd-10';
  await put({ resourceType: 'Condition', id: 'two', subject: about, onsetDateTime: '2010', clinicalStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }] },
    code: { text: 'Gout', coding: [{ system: SCT, code: '90560007' }, { system: ICD, code: 'M10.9' }] }, category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-category', code: 'problem-list-item' }] }, { text: 'Rheumatology' }],
    note: [{ text: 'mine', authorString: 'Dr One', time: '2020-01-01T10:00:00Z' }, { text: 'theirs', authorString: 'Dr Two' }] });
  const path = `${P}/entry/problem/two`, form = await page(path);
  assert.match(form, /name="onset" type="text" value="2010"/, 'a calendar would show nothing, and send nothing');
  const fields = { code: 'Gout', code_code: `${SCT}|90560007|Gout`, status: 'active', sure: 'confirmed', onset: '2010', category: 'problem-list-item', note: 'mine', version: '1' };
  assert.equal((await post(path, { ...fields, status: 'remission' })).status, 303);
  const kept = await read('Condition/two');
  assert.deepEqual(kept.code.coding.map((c) => c.code), ['90560007', 'M10.9']);
  assert.deepEqual([kept.onsetDateTime, kept.category.length, kept.note.length, kept.note[0].authorString], ['2010', 2, 2, 'Dr One']);
  assert.equal((await post(path, { ...fields, status: 'remission', note: 'mine, later', version: '2' })).status, 303);
  assert.deepEqual((await read('Condition/two')).note.map((n) => n.text), ['mine, later', 'theirs']);
  await put({ resourceType: 'Task', id: 'at-two', status: 'requested', intent: 'order', for: about, description: 'Gas', restriction: { period: { end: '2026-11-22T14:00:00Z' } } });
  assert.equal((await post(`${P}/entry/task/at-two`, { text: 'Blood gas', status: 'requested', due: '2026-11-22', version: '1' })).status, 303);
  assert.equal((await read('Task/at-two')).restriction.period.end, '2026-11-22T14:00:00Z', 'the hour stays');
});

test('no known allergies and an allergy are never both so; the last one withdrawn is "not asked"', async () => {
  const C = '/record/patient/cat', says = async () => /Allergies (.*?) Alerts/.exec(words(await page(C)))[1];
  const add = (fields) => post(`${C}/new/allergy`, fields);
  assert.match(await says(), /Not asked/);
  assert.equal((await add({ none: 'none' })).status, 303);
  assert.match(await says(), /No known allergies/);
  assert.equal((await add({ agent: 'Penicillin', once: 'once-allergic-00001' })).status, 303);
  assert.match(await says(), /Penicillin/);
  const nka = (await all('AllergyIntolerance?patient=cat')).find((a) => a.code.coding?.[0].code === '716186003');
  assert.equal(nka.clinicalStatus.coding[0].code, 'resolved', 'for whoever reads the resources, too');
  const refused = await add({ none: 'none' });
  assert.equal(refused.status, 422);
  assert.match(words(refused.html), /Penicillin is recorded: open it first/);
  const given = await read('AllergyIntolerance/once-allergic-00001');
  assert.equal(given.verificationStatus, undefined, 'nobody said how sure');
  assert.equal((await post(`${C}/wrong/AllergyIntolerance/once-allergic-00001`, { how: 'mark', reason: 'Her sister' })).status, 303);
  assert.match(await says(), /Not asked/, 'nobody has said that there are none');
  assert.equal((await add({ agent: 'Latex', certainty: 'refuted', once: 'once-allergic-00002' })).status, 303);
  assert.match(await says(), /Not asked/);
  assert.equal((await add({ none: 'none' })).status, 303, 'a refuted one does not stand in the way');
  assert.match(await says(), /No known allergies/);
});

test('a medicine is decided with reason, dose and author; the summary says each once', async () => {
  const C = '/record/patient/cat';
  for (const [id, text] of [['m1', 'Ramipril'], ['m2', 'Warfarin'], ['m3', 'Senna']])
    await put({ resourceType: 'MedicationRequest', id, status: 'active', intent: 'order', category: [{ coding: [{ code: 'community' }] }], medicationCodeableConcept: { text }, subject: { reference: 'Patient/cat' }, dosageInstruction: [{ text: 'once a day' }] });
  const decide = (id, fields) => post(`${C}/reconcile/${id}`, { version: '0', medicine: '1', decision: '', why: '', dose: '', ...fields });
  assert.equal((await decide('m1', {})).status, 400, 'nothing is presumed');
  assert.doesNotMatch(await page(`${C}/medicines`), /<option value="active" selected|<option value="active">Continues<\/option><option value="">/);
  assert.equal((await decide('m1', { decision: 'changed', why: 'Kidneys' })).status, 422, 'to what?');
  assert.equal((await decide('m1', { decision: 'active', dose: '2.5 mg' })).status, 422, 'a dose nobody would see');
  assert.equal((await decide('m1', { decision: 'changed', why: 'Kidneys', dose: '2.5 mg once a day' })).status, 303);
  assert.equal((await decide('m2', { decision: 'stopped', why: 'Bleeding' })).status, 303);
  assert.equal((await decide('m3', { decision: 'unknown', why: 'Ask the daughter' })).status, 303);
  const shown = words(await page(`${C}/medicines`));
  assert.match(shown, /1 not decided/, 'not known yet is not decided');
  assert.match(shown, /Continues, changed: 2.5 mg once a day Kidneys Nobody signed in \(open demonstration\), \d+ \w+, \d\d:\d\d/);
  const summary = words(await page(C));
  assert.match(summary, /Warfarin Stopped once a day/, 'what is listed as taken now says so');
  assert.match(summary, /Senna Not known yet/);
  const area = /name="medications"[^>]*>([^<]*)</.exec(await page(`${C}/new/discharge`))[1];
  assert.equal(area.match(/Warfarin/g).length, 1, 'stopped, and not among what goes on');
  assert.match(area, /Stopped: Warfarin, once a day: Bleeding/);
  assert.match(area, /Continue: Ramipril, 2.5 mg once a day: Kidneys/);
});
