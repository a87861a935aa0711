// SPDX-License-Identifier: Apache-2.0
// Who waits for a bed: requests, their clock, beds ranked for them, a bed kept and taken.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hospital } from '../lib/beds.mjs';

const ago = (minutes) => new Date(Date.now() - minutes * 60000).toISOString();

test('requests wait in order of priority and clock; twelve hours from the decision is a breach', async (t) => {
  const server = await hospital(t);
  const ask = (inputs) => server.must('request', inputs);
  const old = await ask({ patient: 'ann', source: 'ed', decided: ago(12 * 60), isolation: 'needed', specialty: '300' });
  const young = await ask({ patient: 'bea', source: 'ed', decided: ago(12 * 60 - 2) });
  const urgent = await ask({ patient: 'max', source: 'step-down', priority: 'urgent', monitor: 'yes' });
  const planned = await ask({ patient: 'cat', source: 'elective', due: ago(-24 * 60) });
  const list = (await server.get('/beds/requests.json')).body.requests;
  assert.deepEqual(list.map((r) => r.request), [urgent, old, young, planned].map((r) => r.request));
  const row = (of) => list.find((r) => r.request === of.request);
  assert.deepEqual([row(old).amber, row(old).breach], [true, true]);
  assert.deepEqual([row(young).amber, row(young).breach], [true, false]);
  assert.equal(row(old).isolation, 'needed');
  assert.equal(row(young).isolation, 'not-assessed');
  assert.equal(row(planned).waited_minutes, 0);
  assert.equal(row(old).name_shown, 'SMITH, ann');
  const stored = (await server.get(`/fhir/ServiceRequest/${old.request}`)).body;
  assert.equal(stored.category[0].coding[0].code, 'ed');
  assert.equal(stored.status, 'active');

  assert.equal((await server.move('request', { patient: 'ann', source: 'moon' })).status, 400);
  assert.equal((await server.move('request', { patient: 'ann', source: 'elective' })).status, 400);
  assert.equal((await server.move('request', { patient: 'ann', source: 'ed', decided: ago(-5) })).status, 400);
  assert.equal((await server.move('request', { patient: 'nobody', source: 'ed' })).status, 404);
  assert.equal((await server.move('request', { patient: 'ann', source: 'ed', isolation: 'maybe' })).status, 400);
});

test('beds are ranked for a request with a reason for each and for each refused', async (t) => {
  const server = await hospital(t);
  const { request } = await server.must('request', { patient: 'ann', source: 'ed', isolation: 'needed' });
  await server.must('admit', { bed: 'bed-m1', patient: 'max', isolation: 'none' });
  await server.must('close', { bed: 'bed-b1', why: 'staffing' });
  const { beds } = (await server.get(`/beds/suggest.json?request=${request}`)).body;
  assert.equal(beds.length, 6, 'every bed is told');
  assert.equal(beds[0].bed, 'bed-side');
  assert.equal(beds[0].suits, true);
  const rules = (bed) => beds.find((b) => b.bed === bed).reasons.filter((r) => r.hard).map((r) => r.rule);
  assert.deepEqual(rules('bed-f1'), ['needs-side-room']);
  assert.deepEqual(rules('bed-m1').sort(), ['mixed-sex', 'needs-side-room', 'occupied']);
  assert.deepEqual(rules('bed-b1').sort(), ['closed', 'needs-side-room']);
  assert.equal((await server.get('/beds/suggest.json?request=none')).status, 404);
  assert.equal((await server.get('/beds/suggest.json?sex=female&age=700')).status, 400);
});

test('a word that is none of the choices is refused, not taken for unknown', async (t) => {
  const server = await hospital(t);
  for (const query of ['sex=zz', 'age=-4', 'age=131', 'age=old', 'isolation=maybe', 'monitor=perhaps', 'request=none']) {
    const answer = await server.get(`/beds/suggest.json?${query}`);
    assert.ok(answer.status === 400 || answer.status === 404, `${query}: ${answer.status}`);
    if (!query.startsWith('request')) assert.match(answer.text, new RegExp(`"${query.split('=')[0]}"`));
  }
  assert.equal((await server.get('/beds/suggest?sex=zz', { accept: 'text/html' })).status, 400);
  assert.equal((await server.get('/beds/suggest.json?sex=female&age=130&isolation=none&monitor=no')).status, 200);
  for (const path of ['/beds/live?ward=none', '/beds/live?ward=bed-f1', '/beds/live?list=none'])
    assert.equal((await server.get(path)).status, 404, 'no channel for what is not there');
  const tomorrow = new Date(Date.now() + 36 * 3600000).toISOString().slice(0, 10);
  for (const path of [`/beds/return/${tomorrow}`, `/beds/sitrep/${tomorrow}`])
    assert.equal((await server.get(path)).status, 400, 'nothing is reported of a day to come');
  const { encounter } = await server.must('admit', { bed: 'bed-f1', patient: 'ann', isolation: 'none' });
  const early = await server.move('edd', { encounter, date: '2001-01-01' });
  assert.deepEqual([early.status, /the stay began on/.test(early.text)], [400, true]);
});

test('a bed is kept for a request, and admitting from it meets the request', async (t) => {
  const server = await hospital(t);
  const { request } = await server.must('request', { patient: 'ann', source: 'ed', isolation: 'none' });
  const kept = await server.must('reserve', { bed: 'bed-f1', request, minutes: '30' });
  const [row] = (await server.get('/beds/requests.json')).body.requests;
  assert.equal(row.kept_bed, 'bed-f1');
  assert.equal(row.kept_stay, kept.encounter);
  assert.deepEqual((await server.encounter(kept.encounter)).basedOn, [{ reference: `ServiceRequest/${request}` }]);
  await server.must('admit', { bed: 'bed-f1', encounter: kept.encounter, request });
  assert.equal((await server.get(`/fhir/ServiceRequest/${request}`)).body.status, 'completed');
  assert.equal((await server.get('/beds/requests.json')).body.requests.length, 0);
  assert.equal((await server.move('admit', { bed: 'bed-f2', request })).status, 404, 'met once');

  const other = await server.must('request', { patient: 'bea', source: 'transfer' });
  const stay = await server.must('reserve', { bed: 'bed-f2', request: other.request });
  assert.equal((await server.move('cancel-request', { request: other.request })).status, 400);
  await server.must('cancel-request', { request: other.request, why: 'went home' });
  assert.equal((await server.encounter(stay.encounter)).status, 'cancelled');
  assert.equal((await server.bed('bed-f2')).state, 'available');
  assert.equal((await server.get(`/fhir/ServiceRequest/${other.request}`)).body.status, 'revoked');
});

test('two hundred people reserve one bed for their requests: one has it, 199 are told by whom', async (t) => {
  const server = await hospital(t);
  const answers = await Promise.all(Array.from({ length: 200 }, (_, i) =>
    server.move('reserve', { bed: 'bed-f1', patient: ['ann', 'bea', 'cat'][i % 3], isolation: 'none' })));
  const made = answers.filter((a) => a.status === 200);
  assert.equal(made.length, 1);
  for (const refused of answers.filter((a) => a !== made[0])) {
    assert.equal(refused.status, 409, refused.text);
    assert.ok(refused.text.includes(`Encounter/${made[0].body.encounter}`), refused.text);
    assert.match(refused.text, /next best: bed-/);
  }
});

test('a patient on another specialty\'s ward is warned of and listed until home', async (t) => {
  const server = await hospital(t);
  const ward = (await server.get('/fhir/Location/ward-b')).body;
  await server.put('/fhir/Location/ward-b', { ...ward, type: [{ coding: [{ code: '430' }] }] });
  const { encounter, warnings } = await server.must('admit', { bed: 'bed-b1', patient: 'ann', specialty: '300' });
  assert.deepEqual(warnings.sort(), ['isolation-not-assessed', 'outlier']);
  const own = await server.must('admit', { bed: 'bed-f1', patient: 'bea', isolation: 'none', specialty: '300' });
  const { outliers } = (await server.get('/beds/outliers.json')).body;
  assert.deepEqual(outliers.map((o) => [o.encounter, o.ward, o.specialty, o.ward_specialty]),
                   [[encounter, 'ward-b', '300', '430']]);
  assert.ok(own.encounter);
  const { beds } = (await server.get('/beds/suggest.json?sex=female&age=70&isolation=none&specialty=300')).body;
  assert.ok(beds.every((b) => b.suits || b.bed !== 'bed-f2'));
  await server.must('discharge', { encounter });
  assert.equal((await server.get('/beds/outliers.json')).body.outliers.length, 0);
});
