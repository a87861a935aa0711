// SPDX-License-Identifier: Apache-2.0
// Results: nobody's is overlooked, none is acknowledged twice, and nothing is joined that does not
// belong together.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server } from '../lib/server.mjs';

const LAB = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' }] };
const LOINC = 'http://loinc.org';
const now = Date.now();
const hours = (n) => new Date(now - n * 3_600_000).toISOString();
let server;

const about = (id) => ({ reference: `Patient/${id}` });
const put = async (resource) => {
  const { status, body } = await server.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource);
  assert.ok(status === 200 || status === 201, JSON.stringify(body));
};
const get = async (path) => {
  const answer = await fetch(server.url + path, { headers: { Accept: 'text/html' } });
  return { status: answer.status, html: await answer.text() };
};
const shown = async (path) => (await get(path)).html.replace(/<[^>]*>/g, ' ').replace(/&lt;/g, '<').replace(/\s+/g, ' ');
const post = async (path, fields) => {
  const answer = await fetch(server.url + path, { method: 'POST', redirect: 'manual', headers: { Accept: 'text/html' }, body: new URLSearchParams(fields) });
  return { status: answer.status, html: await answer.text() };
};
const lab = (id, patient, code, at, more) => ({ resourceType: 'Observation', id, status: 'final', category: [LAB], subject: about(patient),
  code: { coding: [{ system: LOINC, code }], text: `Test ${code}` }, effectiveDateTime: at, ...more });
const report = (id, patient, name, at, result, more = {}) => ({ resourceType: 'DiagnosticReport', id, status: 'final', subject: about(patient),
  code: { text: name }, effectiveDateTime: at, ...(result.length ? { result: result.map((o) => ({ reference: `Observation/${o}` })) } : {}), ...more });
const flag = (code) => [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation', code }] }];
const quantity = (value, unit, more = {}) => ({ valueQuantity: { value, unit, ...more } });
const task = async (id) => (await server.send('GET', `/fhir/Task/${id}`)).body;

before(async () => {
  server = await Server.start();
  for (const id of ['ann', 'bob', 'cat', 'dan'])
    await put({ resourceType: 'Patient', id, birthDate: '1950-01-01', name: [{ family: id.toUpperCase(), given: ['Test'] }] });
});
after(() => server?.stop());

test('what waits stands first: critical, then abnormal, then the longest, with what is flagged and for how long', async () => {
  await put(lab('o1', 'ann', 'K', hours(2), { ...quantity(6.9, 'mmol/L'), interpretation: flag('HH') }));
  await put(lab('o2', 'ann', 'NA', hours(30), { ...quantity(129, 'mmol/L'), interpretation: flag('L') }));
  await put(lab('o3', 'ann', 'HB', hours(72), quantity(140, 'g/L')));
  await put(report('plain-old', 'ann', 'Blood count', hours(72), ['o3']));
  await put(report('plain-new', 'ann', 'Liver', hours(1), []));
  await put(report('low', 'ann', 'Sodium', hours(30), ['o2']));
  await put(report('crit', 'ann', 'Potassium', hours(2), ['o1', 'not-there']));
  const page = await shown('/record/patient/ann/results');
  assert.match(page, /4 not acknowledged, 1 critical/);
  const order = ['Potassium Critical Test K 6.9 mmol/L Critically high', 'Sodium Abnormal Test NA 129 mmol/L Low', 'Blood count', 'Liver'];
  assert.deepEqual([...order].sort((a, b) => page.indexOf(a) - page.indexOf(b)), order);
  for (const part of order) assert.ok(page.includes(part), part);
  assert.match(page, /Not acknowledged, 120 min|Not acknowledged, 2 h/);
  assert.match(page, /Not acknowledged, 3 days/);
});

test('once is enough: the second to acknowledge changes nothing, two at once make one', async () => {
  const both = await Promise.all([1, 2, 3, 4].map((n) => post('/record/patient/ann/acknowledge', { report: 'crit/1', followup: `Person ${n}` })));
  assert.ok(both.every(({ status }) => status === 303 || status === 409), both.map((b) => b.status).join());
  assert.ok(both.some(({ status }) => status === 303));
  const first = await task('ack-crit-1');
  assert.equal(first.meta.versionId, '1');
  assert.equal((await post('/record/patient/ann/acknowledge', { report: 'crit/1', followup: 'Later' })).status, 303);
  assert.equal((await task('ack-crit-1')).description, first.description);
});

test('an acknowledgement is taken back with a reason, and the report waits again until it is given anew', async () => {
  assert.match((await get('/record/patient/ann/results')).html, /href="\/record\/patient\/ann\/wrong\/Task\/ack-crit-1"/);
  const taken = await post('/record/patient/ann/wrong/Task/ack-crit-1', { what: 'error', reason: 'Wrong patient on the screen', version: '1' });
  assert.equal(taken.status, 303, taken.html.replace(/<[^>]*>/g, ' ').slice(0, 3000));
  assert.match(await shown('/record/patient/ann/results'), /4 not acknowledged, 1 critical/);
  assert.equal((await post('/record/patient/ann/acknowledge', { report: 'crit/1', followup: 'Treated' })).status, 303);
  const again = await task('ack-crit-1');
  assert.deepEqual([again.status, again.description], ['completed', 'Treated']);
  assert.match(await shown('/record/patient/ann/results'), /3 not acknowledged/);
});

test('somebody else is asked to look: a task for them, and the report waits on', async () => {
  assert.equal((await post('/record/patient/ann/acknowledge', { report: 'low/1', act: 'ask', ask: '' })).status, 400);
  assert.equal((await post('/record/patient/ann/acknowledge', { report: 'low/1', act: 'ask', ask: 'Renal registrar' })).status, 303);
  const page = await shown('/record/patient/ann/results');
  assert.match(page, /3 not acknowledged/);
  assert.match(page, /Asked to look: Renal registrar/);
  assert.match(await shown('/record/patient/ann/tasks'), /Look at the result: Sodium/);
});

test('a report of another patient, or of another version, is not acknowledged', async () => {
  assert.equal((await post('/record/patient/bob/acknowledge', { report: 'low/1' })).status, 404);
  assert.equal((await post('/record/patient/ann/acknowledge', { report: 'low/7' })).status, 409);
  assert.equal((await post('/record/patient/ann/acknowledge', { report: 'low' })).status, 400);
  assert.equal((await post('/record/patient/ann/acknowledge', { report: 'low/1', followup: `${'é'.repeat(400)}` })).status, 303, 'a long follow-up is cut between letters');
});

test('each value stands as it was sent: "<5", words, preliminary, cancelled, not done, corrected', async () => {
  const at = hours(5);
  for (const [n, more] of [quantity(5, 'mg/L', { comparator: '<' }), { valueString: 'Haemolysed' }, { ...quantity(3, 'x'), status: 'preliminary' }, { status: 'cancelled' },
    { dataAbsentReason: { text: 'Sample lost' } }, { ...quantity(7, 'x'), status: 'corrected' }, { valueInteger: 0 }].entries())
    await put(lab(`b${n}`, 'bob', `T${n}`, at, more));
  const page = await shown('/record/patient/bob/results');
  for (const part of ['Test T0 mg/L Not given <5', 'Test T1 Not given Haemolysed', 'Test T2 x Not given 3 Preliminary', 'Test T3 Not given Cancelled', 'Test T4 Not given Sample lost',
    'Test T5 x Not given 7 Corrected', 'Test T6 Not given 0']) assert.ok(page.includes(part), part);
});

test('a range that changed, ranges for several people, two values of one sample, parts of a panel', async () => {
  const range = (low, high, whom) => ({ low: { value: low }, high: { value: high }, ...(whom ? { appliesTo: [{ text: whom }] } : {}) });
  await put(lab('c1', 'cat', 'CREA', hours(3), { ...quantity(90, 'umol/L'), referenceRange: [range(50, 110)] }));
  await put(lab('c2', 'cat', 'CREA', hours(90), { ...quantity(80, 'umol/L'), referenceRange: [range(45, 84)] }));
  // the same minute as another clock writes it is the same sample
  await put(lab('c3', 'cat', 'CREA', hours(3).replace(/\.\d+Z/, '+00:00'), quantity(91, 'umol/L')));
  await put(lab('c4', 'cat', 'FER', hours(3), { ...quantity(20, 'ug/L'), referenceRange: [range(10, 120, 'Women'), range(20, 250, 'Men')] }));
  await put({ ...lab('c5', 'cat', 'GAS', hours(3), {}), component: [{ code: { coding: [{ system: LOINC, code: 'PH' }], text: 'pH' }, valueQuantity: { value: 7.1 }, interpretation: flag('LL') }] });
  const page = await shown('/record/patient/cat/results');
  assert.match(page, /Test CREA umol\/L 50 to 110 9[01] and 1 more 80 range 45 to 84/);
  assert.match(page, /Test FER ug\/L 10 to 120 \(Women\); 20 to 250 \(Men\)/);
  assert.match(page, /pH Not given 7.1 Critically low/);
  assert.doesNotMatch(page, /Test GAS/);
});

test('one test has a graph for each unit, and no number is made of what is none', async () => {
  const values = [[5.4, 'mmol/L'], [5.9, 'mmol/L'], [97, 'mg/dL'], [99, 'mg/dL']];
  for (const [n, [value, unit]] of values.entries())
    await put(lab(`d${n}`, 'dan', 'GLU', hours(10 * n + 1), { ...quantity(value, unit), referenceRange: [{ low: { value: 4 }, high: { value: 7 } }] }));
  await put(lab('d9', 'dan', 'GLU', hours(55), quantity(2, 'mmol/L', { comparator: '<' })));
  await put({ ...lab('d8', 'dan', 'GLU', hours(56), quantity(400, 'mmol/L')), status: 'entered-in-error' });
  const { html } = await get('/record/patient/dan/results?test=GLU');
  assert.equal(html.match(/<svg[^>]*role="img"/g)?.length ?? html.match(/<svg viewBox="0 0 [1-9]\d\d/g)?.length, 2, 'two graphs');
  const page = await shown('/record/patient/dan/results?test=GLU');
  assert.match(page, /2 values in mmol\/L, sample by sample; the band is/);
  assert.match(page, /each unit has its own graph/);
  assert.match(page, /<2 mmol\/L/);
  assert.doesNotMatch(page, /400/);
  assert.match(await shown('/record/patient/dan/results?test=nothing'), /No value of this test is recorded/);
  assert.match((await get('/record/patient/dan/results?test=%22%3E%3Cscript%3E')).html, /No value of this test/);
});
