// SPDX-License-Identifier: Apache-2.0
// The patient record in the words of the ward: found, read, written by two at once, corrected.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server } from '../lib/server.mjs';

let server;
const NHS = 'https://fhir.nhs.uk/Id/nhs-number';
const person = (id, nhs, family, given, birthDate, more = {}) => ({
  resourceType: 'Patient', id, active: true, gender: 'female', birthDate,
  identifier: [{ system: NHS, value: nhs }, { system: 'https://ward.example/Id/hospital-number', value: `H${nhs.slice(3, 9)}` }],
  name: [{ use: 'official', family, given: [given] }], ...more,
});
const about = (id) => ({ reference: `Patient/${id}` });
const PEOPLE = [
  person('ann', '9990001233', "O'Neill", 'Ann', '1945-07-04'),
  person('anne', '9990000040', "O'Neil", 'Anne', '1945-04-07'),
  person('zoe', '9990000393', 'Müller', 'Zoë', '1980-02-29'),
  person('twin', '9990000547', 'Patel', 'Anita', '2001-01-01'),
];

async function put(resource) {
  const { status, body } = await server.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource);
  assert.ok(status === 200 || status === 201, JSON.stringify(body));
  return body;
}
const get = async (path, headers = {}) => {
  const answer = await fetch(server.url + path, { redirect: 'manual', headers: { Accept: 'text/html', ...headers } });
  return { status: answer.status, html: await answer.text(), headers: answer.headers };
};
// A form as a browser sends it; the answer is not followed.
async function post(path, fields) {
  const answer = await fetch(server.url + path, {
    method: 'POST', redirect: 'manual', headers: { Accept: 'text/html' },
    body: new URLSearchParams(fields),
  });
  return { status: answer.status, html: await answer.text(), location: answer.headers.get('location') };
}
const find = async (q, born = '') => {
  const { body } = await server.send('GET', `/record/find?q=${encodeURIComponent(q)}&born=${encodeURIComponent(born)}`,
    undefined, { Accept: 'application/json' });
  return body.matches;
};
const read = async (reference) => (await server.send('GET', `/fhir/${reference}`)).body;
const all = async (query) => ((await server.send('GET', `/fhir/${query}`)).body.entry ?? []).map((e) => e.resource);
const text = (html) => html.replace(/<[^>]*>/g, ' ').replace(/&#39;/g, "'").replace(/&amp;/g, '&').replace(/\s+/g, ' ');

before(async () => {
  server = await Server.start();
  for (const patient of PEOPLE) await put(patient);
});
after(() => server?.stop());

test('a number finds one person, whole', async () => {
  for (const q of ['9990001233', '999 000 1233', 'h000123', 'H000123']) {
    const found = await find(q);
    assert.deepEqual(found.map((m) => [m.id, m.full]), [['ann', true]], q);
  }
  assert.deepEqual(await find('9990001234'), []);
  assert.match(text((await get('/record/find?q=9990001234')).html), /last digit does not fit/);
});

test('names are found folded, misspelt, in either order, with day and month changed round', async () => {
  const cases = [
    ['muller zoe', '', 'zoe'], ['ZOË MÜLLER', '', 'zoe'], ['zeo muller', '', 'zoe'], ['mulelr', '', 'zoe'],
    ['oneill ann', '4 7 1945', 'ann'], ["o'neill, ann", '04-Jul-1945', 'ann'], ['oneil ann', '7/4/1945', 'ann'],
    ['patle anita', '1/1/2001', 'twin'], ['', '29/02/1980', 'zoe'], ['muller 29/02/1980', '', 'zoe'],
  ];
  for (const [q, born, expected] of cases) {
    const found = await find(q, born);
    assert.ok(found.some((m) => m.id === expected), `${q} ${born}: ${JSON.stringify(found)}`);
  }
  const [nearest] = await find("o'neill ann", '4/7/1945');
  assert.deepEqual([nearest.id, nearest.full, nearest.similarName], ['ann', true, true]);
  assert.deepEqual(await find('smith'), []);
});

test('a date that is none is refused in words, with what was typed', async () => {
  const { status, html } = await get('/record/find?q=oneill&born=31%2F02%2F1945');
  assert.equal(status, 400);
  assert.match(text(html), /day, month and year/);
  assert.match(html, /value="31\/02\/1945"/);
});

test('a part match opens only after a second identifier', async () => {
  const { html } = await get('/record/find?q=muller');
  assert.ok(html.includes('/record/confirm/zoe') && !html.includes('href="/record/patient/zoe"'));
  const asked = await get('/record/confirm/zoe');
  assert.equal(asked.status, 200);
  assert.ok(!text(asked.html).includes('29-Feb-1980') && !asked.html.includes('999 000 0393'), 'it is not given away');
  for (const second of ['', '28/02/1980', '9990001233', '1980', 'muller']) {
    const wrong = await post('/record/confirm/zoe', { second });
    assert.equal(wrong.status, 422, second);
  }
  for (const second of ['29/02/1980', '999 000 0393', 'H000039']) {
    const right = await post('/record/confirm/zoe', { second });
    assert.deepEqual([right.status, right.location], [303, '/record/patient/zoe'], second);
  }
  assert.ok((await get('/record/find?q=9990000393')).html.includes('href="/record/patient/zoe"'), 'a whole match opens');
});

test('the summary says what is not known, and what may be added', async () => {
  const { status, html } = await get('/record/patient/zoe');
  assert.equal(status, 200);
  const words = text(html);
  for (const part of ['MÜLLER, Zoë', '29-Feb-1980', '999 000 0393', 'H000039', 'Not asked', 'Not in hospital', 'No problem is recorded'])
    assert.ok(words.includes(part), part);
  assert.equal((await get('/record/patient/zoe/nothing')).status, 404);
});

test('nobody learns whether there is such a record', async () => {
  const { status, html } = await get('/record/patient/nobody');
  assert.equal(status, 404);
  assert.match(text(html), /Either there is no such record, or you have no business/);
  assert.equal((await get('/record/patient/nobody/new/allergy')).status, 404);
});

const allergy = {
  none: '', agent: 'Penicillin', agent_code: '', reaction: 'Anaphylaxis', reaction_code: 'http://snomed.info/sct|39579001|x',
  severity: 'severe', certainty: 'confirmed', date: '14 07 2010', source: 'The patient', note: 'Needed adrenaline',
};

test('an allergy is written with agent, reaction, severity, certainty, date and source', async () => {
  const sent = await post('/record/patient/ann/new/allergy', { ...allergy, once: 'once-allergy-000001' });
  assert.equal(sent.status, 303, sent.html);
  const [kept] = await all('AllergyIntolerance?patient=ann');
  assert.equal(kept.code.text, 'Penicillin');
  assert.equal(kept.code.coding, undefined, 'no code is made up');
  assert.deepEqual(kept.reaction[0].manifestation[0].coding[0],
    { system: 'http://snomed.info/sct', code: '39579001', display: 'Anaphylaxis' }, "the terminology's words, not the sender's");
  assert.equal(kept.reaction[0].severity, 'severe');
  assert.equal(kept.onsetDateTime, '2010-07-14');
  assert.equal(kept.asserter.display, 'The patient');
  assert.match(text((await get('/record/patient/ann')).html), /Penicillin \(Anaphylaxis, severe\)/);
});

test('the same form sent twice makes one entry', async () => {
  for (let i = 0; i < 2; i += 1) {
    const { status } = await post('/record/patient/ann/new/allergy', { ...allergy, agent: 'Latex', once: 'once-allergy-000002' });
    assert.equal(status, 303);
  }
  assert.equal((await all('AllergyIntolerance?patient=ann')).filter((a) => a.code.text === 'Latex').length, 1);
});

test('what is wrong with a form is said beside it, with what was typed', async () => {
  const rows = [
    [{ ...allergy, agent: '' }, /say what they are allergic to/], [{ ...allergy, none: 'none' }, /cannot both be so/],
    [{ ...allergy, reaction: '', reaction_code: '' }, /say what happens/], [{ ...allergy, date: '31/02/2020' }, /day, month and year/],
  ];
  for (const [fields, expected] of rows) {
    const { status, html } = await post('/record/patient/zoe/new/allergy', fields);
    assert.equal(status, 422);
    assert.match(text(html), expected);
    assert.ok(html.includes('Needed adrenaline'), 'what was typed is still there');
  }
  assert.equal((await all('AllergyIntolerance?patient=zoe')).length, 0);
});

test('no known allergies is a statement of its own', async () => {
  assert.match(text((await get('/record/patient/zoe')).html), /Allergies Not asked/);
  assert.equal((await post('/record/patient/zoe/new/allergy', { none: 'none' })).status, 303);
  const [kept] = await all('AllergyIntolerance?patient=zoe');
  assert.equal(kept.code.coding[0].code, '716186003');
  assert.match(text((await get('/record/patient/zoe')).html), /Allergies No known allergies/);
});

test('codes are found while typing, every word by its beginning', async () => {
  const { body } = await server.send('GET', '/record/codes?list=problem&q=chron%20kid');
  assert.deepEqual(body.hits, [{ code: 'http://snomed.info/sct|709044004|Chronic kidney disease', text: 'Chronic kidney disease' }]);
  assert.equal(body.starter, true);
  assert.equal((await server.send('GET', '/record/codes?list=nothing&q=a')).status, 404);
  const looked = await post('/record/patient/ann/new/problem', { code: 'asth', look: 'code' });
  assert.equal(looked.status, 200);
  assert.match(looked.html, /value="http:\/\/snomed.info\/sct\|195967001\|Asthma"/);
});

const version = (html) => /name="version" value="(\d+)"/.exec(html)?.[1];

test('two people editing: the second sees who changed what and chooses', async () => {
  await post('/record/patient/ann/new/problem', { code: 'Asthma', status: 'active', sure: 'confirmed', note: 'first', once: 'once-problem-000001' });
  const path = '/record/patient/ann/entry/problem/once-problem-000001';
  const drawn = version((await get(path)).html);
  const base = { code: 'Asthma', status: 'active', sure: 'confirmed', onset: '', end: '', category: 'problem-list-item' };
  assert.equal((await post(path, { ...base, note: 'hers', version: drawn })).status, 303);
  const his = await post(path, { ...base, note: 'his', onset: '1 2 2003', version: drawn });
  assert.equal(his.status, 409);
  const words = text(his.html);
  for (const part of ['Changed meanwhile by', 'Before: first', 'Theirs: hers', 'Yours: his', 'Nothing of yours has been written'])
    assert.ok(words.includes(part), `${part} in ${words}`);
  assert.equal((await read('Condition/once-problem-000001')).note[0].text, 'hers', 'nothing was overwritten');
  const again = { ...base, note: 'his', onset: '2003-02-01', version: version(his.html) };
  assert.equal((await post(path, { ...again, choice_note: 'theirs' })).status, 303);
  const merged = await read('Condition/once-problem-000001');
  assert.deepEqual([merged.note[0].text, merged.onsetDateTime], ['hers', '2003-02-01']);
  assert.equal((await post(path, { ...base, note: 'x', version: '' })).status, 422, 'a form without its version');
});

test('what another system wrote beside the fields is kept', async () => {
  await put({ resourceType: 'AllergyIntolerance', id: 'theirs', patient: about('twin'), criticality: 'high', code: { text: 'Nuts' },
    extension: [{ url: 'https://other.example/x', valueString: 'kept' }],
    reaction: [{ manifestation: [{ text: 'Rash' }], description: 'on the arms' }, { manifestation: [{ text: 'Wheeze' }] }] });
  const path = '/record/patient/twin/entry/allergy/theirs';
  const { status } = await post(path, { version: version((await get(path)).html), agent: 'Nuts', reaction: 'Hives', severity: 'mild' });
  assert.equal(status, 303);
  const kept = await read('AllergyIntolerance/theirs');
  assert.deepEqual([kept.criticality, kept.extension[0].valueString], ['high', 'kept']);
  assert.deepEqual(kept.reaction.map((r) => [r.manifestation[0].text, r.description]), [['Hives', 'on the arms'], ['Wheeze', undefined]]);
});

test("an entry is not opened under another patient's banner", async () => {
  for (const path of ['entry/allergy/theirs', 'wrong/AllergyIntolerance/theirs', 'item/AllergyIntolerance/theirs'])
    assert.equal((await get(`/record/patient/zoe/${path}`)).status, 404, path);
  assert.equal((await post('/record/patient/zoe/entry/allergy/theirs', { version: '1', agent: 'x' })).status, 404);
});

test('a note is drafted, signed, co-signed and amended, with every version', async () => {
  const once = 'once-note-00000001';
  const saved = await post('/record/patient/ann/new/note', { reason: 'Fall', plan: 'X-ray', once, auto: '1' });
  assert.deepEqual(JSON.parse(saved.html), { version: '1', href: `/record/patient/ann/entry/note/${once}` });
  const path = `/record/patient/ann/entry/note/${once}`;
  assert.equal((await post(path, { reason: 'Fall at home', plan: 'X-ray < CT & "rest"', version: '1', auto: '1' })).status, 200);
  assert.equal((await read(`Composition/${once}`)).status, 'preliminary');
  assert.equal((await post(`${path}/cosign`, { version: '2' })).status, 422, 'a draft cannot be co-signed');
  assert.equal((await post(`${path}/sign`, { version: '1' })).status, 409, 'not the version that was read');
  assert.equal((await post(`${path}/sign`, { version: '2' })).status, 303);
  assert.equal((await post(`${path}/sign`, { version: '3' })).status, 422, 'once');
  assert.equal((await post(`${path}/cosign`, { version: '3' })).status, 303);
  assert.deepEqual((await read(`Composition/${once}`)).attester.map((a) => a.mode), ['professional', 'legal']);
  const silent = await post(path, { reason: 'Fall', plan: 'CT', version: '4' });
  assert.equal(silent.status, 422);
  assert.match(text(silent.html), /say why a signed note is changed/);
  assert.equal((await post(path, { reason: 'Fall', plan: 'CT', why: 'X-ray was normal', version: '4' })).status, 303);
  const amended = await read(`Composition/${once}`);
  assert.equal(amended.status, 'amended');
  assert.deepEqual(amended.attester.map((a) => a.mode), ['professional'], 'the co-signature was for what it said before');
  const page = text((await get(path)).html);
  assert.match(page, /Amended X-ray was normal/);
  assert.match(page, /Versions \(5\)/);
});

test('a discharge summary is drawn from the record and signed', async () => {
  const drawn = await get('/record/patient/ann/new/discharge');
  assert.match(drawn.html, /Penicillin \(Anaphylaxis, severe\)/);
  const once = 'once-discharge-001';
  await post('/record/patient/ann/new/discharge', { summary: 'She fell.', allergies: 'Penicillin', once });
  const path = `/record/patient/ann/entry/discharge/${once}`;
  assert.equal((await post(`${path}/send`, { version: '1' })).status, 422, 'a draft is not sent');
  await post(`${path}/sign`, { version: '1' });
  const refused = await post(`${path}/send`, { version: '2' });
  assert.equal(refused.status, 422, 'nobody is told it was sent when there is nowhere to send it');
  assert.match(text(refused.html), /knows no address for the GP practice: print the summary/);
  assert.equal((await all('Communication?patient=ann')).length, 0);
});

test('what is copied forward is said to be, and a note begins empty', async () => {
  const first = await get('/record/patient/zoe/new/note');
  assert.doesNotMatch(text(first.html), /Filled in from the record/);
  assert.equal((await post('/record/patient/zoe/new/handover', { situation: 'Day two, on oxygen', once: 'once-copied-000001' })).status, 303);
  await post('/record/patient/zoe/entry/handover/once-copied-000001/sign', { version: '1' });
  const next = await get('/record/patient/zoe/new/handover');
  assert.match(text(next.html), /Filled in from the record Read every line: it is what was written before, not what is so now/);
  assert.match(next.html, />\s*Day two, on oxygen/);
  assert.doesNotMatch((await get('/record/patient/zoe/new/note')).html, /Day two, on oxygen/, 'a note is begun with nothing');
});

test('an entry in error is marked with the reason, never deleted', async () => {
  const path = '/record/patient/ann/wrong/AllergyIntolerance/once-allergy-000002';
  assert.equal((await post(path, { how: 'mark', reason: '' })).status, 422);
  assert.equal((await post(path, { how: 'mark', reason: 'It was the other patient who said so' })).status, 303);
  const kept = await read('AllergyIntolerance/once-allergy-000002');
  assert.equal(kept.verificationStatus.coding[0].code, 'entered-in-error');
  assert.equal(kept.clinicalStatus, undefined);
  const [trace] = await all('Provenance?target=AllergyIntolerance/once-allergy-000002');
  assert.match(trace.reason[0].text, /other patient/);
  assert.ok(!text((await get('/record/patient/ann')).html).includes('Latex'));
  assert.equal((await post(path, { how: 'mark', reason: 'again' })).status, 422);
});

test('what was written for the wrong patient moves, with a trace on both records', async () => {
  await put({ resourceType: 'Observation', id: 'k', status: 'final', code: { text: 'Potassium' }, subject: about('ann'), valueQuantity: { value: 6.1, unit: 'mmol/L' } });
  await put({ resourceType: 'DiagnosticReport', id: 'ue', status: 'final', code: { text: 'Urea and electrolytes' }, subject: about('ann'), effectiveDateTime: new Date().toISOString(), result: [{ reference: 'Observation/k' }] });
  const path = '/record/patient/ann/wrong/DiagnosticReport/ue';
  const move = { how: 'move', reason: 'Sample of the other patient', number: '9990000040' };
  assert.equal((await post(path, { ...move, born: '4/7/1945' })).status, 422, 'the second identifier must be theirs');
  assert.equal((await post(path, { ...move, born: '7/4/1945' })).status, 303);
  assert.equal((await read('DiagnosticReport/ue')).status, 'entered-in-error');
  assert.equal((await read('Observation/k')).status, 'entered-in-error');
  const [report] = await all('DiagnosticReport?patient=anne');
  const [value] = await all('Observation?patient=anne');
  assert.deepEqual([report.status, report.result[0].reference, value.valueQuantity.value], ['final', `Observation/${value.id}`, 6.1]);
  const [here] = await all(`Provenance?target=DiagnosticReport/${report.id}`);
  assert.equal(here.entity[0].what.reference, 'DiagnosticReport/ue/_history/1');
  assert.equal((await all('Provenance?target=DiagnosticReport/ue')).length, 1);
});

test('a filed document is read in place, a report with its values', async () => {
  await put({ resourceType: 'DocumentReference', id: 'letter', status: 'current', subject: about('twin'), description: 'Clinic letter',
    content: [{ attachment: { contentType: 'text/plain', data: Buffer.from('Dear doctor,\nall is <well>.').toString('base64') } }] });
  assert.match((await get('/record/patient/twin/item/DocumentReference/letter')).html, /Dear doctor,\nall is &lt;well&gt;\./);
  await put({ resourceType: 'Observation', id: 'na', status: 'final', code: { text: 'Sodium' }, subject: about('twin'), valueQuantity: { value: 139, unit: 'mmol/L' }, referenceRange: [{ low: { value: 133 }, high: { value: 146 } }] });
  await put({ resourceType: 'DiagnosticReport', id: 'bio', status: 'final', code: { text: 'Biochemistry' }, subject: about('twin'), result: [{ reference: 'Observation/na' }, { reference: 'Observation/gone' }] });
  assert.match(text((await get('/record/patient/twin/item/DiagnosticReport/bio')).html), /Sodium: 139 mmol\/L \(133 to 146\)/);
});

test('a result waits until it is acknowledged, and again when it is corrected', async () => {
  const report = { resourceType: 'DiagnosticReport', id: 'fbc', status: 'final', code: { text: 'Full blood count' }, subject: about('zoe'), effectiveDateTime: new Date().toISOString() };
  await put(report);
  await put({ resourceType: 'Observation', id: 'hb', status: 'final', category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' }] }],
    code: { text: 'Haemoglobin' }, subject: about('zoe'), effectiveDateTime: report.effectiveDateTime, valueQuantity: { value: 88, unit: 'g/L' },
    interpretation: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation', code: 'L' }] }], referenceRange: [{ low: { value: 115 }, high: { value: 165 } }] });
  const shown = text((await get('/record/patient/zoe/results')).html);
  assert.match(shown, /1 not acknowledged/);
  assert.match(shown, /Haemoglobin g\/L 115 to 165 88 Low/);
  assert.equal((await post('/record/patient/zoe/acknowledge', {})).status, 400);
  assert.equal((await post('/record/patient/zoe/acknowledge', { report: 'fbc/9' })).status, 409);
  assert.equal((await post('/record/patient/ann/acknowledge', { report: 'fbc/1' })).status, 404);
  assert.equal((await post('/record/patient/zoe/acknowledge', { report: 'fbc/1', followup: 'Transfuse' })).status, 303);
  assert.match(text((await get('/record/patient/zoe/results')).html), /Seen .*Transfuse/);
  await put({ ...report, status: 'corrected' });
  assert.match(text((await get('/record/patient/zoe/results')).html), /1 not acknowledged/);
});

test('units of one test that differ are shown with each value', async () => {
  for (const [id, value, unit] of [['g1', 5.4, 'mmol/L'], ['g2', 97, 'mg/dL']])
    await put({ resourceType: 'Observation', id, status: 'final', category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' }] }],
      code: { text: 'Glucose' }, subject: about('twin'), effectiveDateTime: `2026-11-0${id[1]}T10:00:00Z`, valueQuantity: { value, unit } });
  assert.match(text((await get('/record/patient/twin/results')).html), /Glucose Units differ Not given 97 mg\/dL 5.4 mmol\/L/);
});

test('each medicine from before the stay is decided about once, and changed with the version in hand', async () => {
  await put({ resourceType: 'MedicationRequest', id: 'amlo', status: 'active', intent: 'order', category: [{ coding: [{ code: 'community' }] }],
    medicationCodeableConcept: { text: 'Amlodipine 5 mg' }, subject: about('zoe'), dosageInstruction: [{ text: 'once a day' }] });
  assert.match(text((await get('/record/patient/zoe/medicines')).html), /1 not decided/);
  const path = '/record/patient/zoe/reconcile/amlo';
  assert.equal((await post(path, { decision: 'stopped', why: '', version: '0' })).status, 422);
  assert.equal((await post(path, { decision: 'stopped', why: 'Low pressure', version: '0' })).status, 303);
  assert.equal((await post(path, { decision: 'active', why: '', version: '0' })).status, 409, 'somebody decided meanwhile');
  assert.match(text((await get('/record/patient/zoe/medicines')).html), /Stopped Low pressure/);
  assert.match((await get('/record/patient/zoe/new/discharge')).html, /Stopped: Amlodipine 5 mg, once a day: Low pressure/);
});

test('a merge warns of what conflicts, asks, and can be taken back', async () => {
  const path = '/record/merge?source=9990001233&target=9990000393';
  const compared = text((await get(path)).html);
  assert.match(compared, /would move from Patient\/ann to Patient\/zoe/);
  assert.match(compared, /These two records conflict/);
  assert.equal((await post('/record/merge', { source: 'ann', target: 'zoe' })).status, 422);
  assert.equal((await post('/record/merge', { source: 'ann', target: 'zoe', confirm: 'yes' })).status, 303);
  assert.match(text((await get('/record/patient/ann')).html), /Write nothing here/);
  assert.equal((await post('/record/patient/ann/new/task', { text: 'x' })).status, 409, 'nothing is written to a retired record');
  assert.match(text((await get('/record/patient/zoe')).html), /Penicillin/);
  assert.equal((await post('/record/merge', { source: 'ann', target: 'zoe', undo: '1' })).status, 303);
  assert.match(text((await get('/record/patient/ann')).html), /Penicillin/);
  assert.equal((await get('/record/merge?source=123&target=ann')).status, 400);
});

test('the timeline goes back a page at a time and loses nothing', async () => {
  const entries = Array.from({ length: 150 }, (_, i) => ({
    resource: { resourceType: 'Encounter', id: `visit-${i}`, status: 'finished', class: { code: 'AMB' }, subject: about('twin'),
      period: { start: new Date(Date.UTC(2020, 0, 1 + 10 * i)).toISOString() } },
    request: { method: 'PUT', url: `Encounter/visit-${i}` } }));
  assert.equal((await server.send('POST', '/fhir', { resourceType: 'Bundle', type: 'transaction', entry: entries })).status, 200);
  const seen = new Set();
  let path = '/record/patient/twin/timeline?kind=stays';
  for (let pages = 0; path && pages < 10; pages += 1) {
    const { html } = await get(path);
    for (const [, id] of html.matchAll(/item\/Encounter\/(visit-\d+)/g)) seen.add(id);
    path = /href="([^"]*before=[^"]*)"/.exec(html)?.[1].replaceAll('&amp;', '&');
  }
  assert.equal(seen.size, 150);
  assert.match(text((await get('/record/patient/twin/timeline?kind=stays')).html), /2021 3[67]/);
});

test('however many entries share an instant, and though some have no date, "Older" passes over none', async () => {
  await put(person('many', '9990001500', 'Long', 'Ada', '1940-01-01'));
  const at = '2021-03-04T10:00:00+00:00';
  const of = (type, i) => ({ Encounter: { status: 'finished', class: { code: 'AMB' }, period: { start: i % 2 ? at : '2021-03-04T09:59:59.999Z' } },
    Task: { status: 'requested', intent: 'order', authoredOn: at, description: `Task ${i}` },
    Procedure: { status: 'completed', code: { text: `P${i}` }, performedDateTime: i % 3 ? '2021-03-04' : at },
    Condition: { code: { text: `C${i}` } } }[type]);
  const entry = ['Encounter', 'Task', 'Procedure', 'Condition'].flatMap((type) => Array.from({ length: type === 'Condition' ? 10 : 70 }, (_, i) => ({
    resource: { resourceType: type, id: `m-${type}-${i}`, [type === 'Task' ? 'for' : 'subject']: about('many'), ...of(type, i) },
    request: { method: 'PUT', url: `${type}/m-${type}-${i}` } })));
  const answer = await server.send('POST', '/fhir', { resourceType: 'Bundle', type: 'transaction', entry });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  const seen = [];
  let path = '/record/patient/many/timeline', pages = 0;
  for (; path && pages < 12; pages += 1) {
    const { html } = await get(path);
    seen.push(...[...html.matchAll(/(?:item|entry)\/\w+\/(m-\w+-\d+)/g)].map((m) => m[1]));
    path = /href="([^"]*before=[^"]*)"/.exec(html)?.[1].replaceAll('&amp;', '&');
  }
  assert.equal(seen.length, 220);
  assert.equal(new Set(seen).size, 220, 'none twice, none missing');
  assert.equal(pages, 4);
});

test('a form whose answer was lost may be sent again; with other words it never passes over them in silence', async () => {
  const once = 'once-lost-answer-01', path = '/record/patient/twin/new/task', entry = { text: 'Weigh daily', once };
  assert.equal((await post(path, entry)).status, 303);
  assert.equal((await post(path, entry)).status, 303, 'the same again');
  const other = await post(path, { ...entry, text: 'Swallow assessment' });
  assert.equal(other.status, 409);
  assert.match(text(other.html), /saved before, with other words/);
  assert.ok(other.html.includes('Swallow assessment'), 'what was typed is still there');
  const fresh = /name="once" value="([0-9a-f]{32})"/.exec(other.html)[1];
  assert.equal((await post(path, { text: 'Swallow assessment', once: fresh })).status, 303);
  const kept = (await all('Task?patient=twin')).map((t) => t.description);
  assert.ok(kept.includes('Weigh daily') && kept.includes('Swallow assessment'), String(kept));
  const note = { once: 'once-lost-answer-02', auto: '1' }, draft = '/record/patient/twin/new/note';
  assert.equal(JSON.parse((await post(draft, { ...note, plan: 'Home' })).html).version, '1');
  assert.equal(JSON.parse((await post(draft, { ...note, plan: 'Home tomorrow' })).html).version, '2', 'the draft goes on');
  assert.match((await read('Composition/once-lost-answer-02')).section[0].text.div, /Home tomorrow/);
  assert.equal((await post(draft, { ...note, plan: 'Home today' })).status, 409, 'not over what came since');
  assert.equal((await post('/record/patient/zoe/new/task', entry)).status, 409, "nor is another patient's entry taken for this one");
});
