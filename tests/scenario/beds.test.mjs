// SPDX-License-Identifier: Apache-2.0
// Beds as a ward meets them: one active stay a bed, whoever writes it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from './server.mjs';

const bd = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/location-physical-type',
                        code: 'bd' }] };
const wa = { coding: [{ ...bd.coding[0], code: 'wa' }] };
const stay = (bed, changes = {}, place = {}) => ({
  resourceType: 'Encounter', status: 'in-progress',
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
  location: [{ location: { reference: `Location/${bed}` }, status: 'active', ...place }],
  ...changes });

async function ward(t) {
  const server = await startServer(t);
  const put = (id, physicalType) =>
    server.put(`/fhir/Location/${id}`, { resourceType: 'Location', id, physicalType });
  assert.equal((await put('ward-1', wa)).status, 201);
  for (const bed of ['bed-1', 'bed-2', 'bed-3'])
    assert.equal((await put(bed, bd)).status, 201);
  return server;
}

test('two hundred stays in one bed at one moment: one is made, 199 are told who has it', async (t) => {
  const server = await ward(t);
  const answers = await Promise.all(
    Array.from({ length: 200 }, () => server.post('/fhir/Encounter', stay('bed-1'))));
  const made = answers.filter((a) => a.status === 201);
  const refused = answers.filter((a) => a.status === 409);
  assert.equal(made.length, 1);
  assert.equal(refused.length, 199);
  for (const { body } of refused) {
    assert.equal(body.resourceType, 'OperationOutcome');
    const text = JSON.stringify(body);
    assert.match(text, /one active stay a bed/);
    assert.ok(text.includes(`Encounter/${made[0].body.id}`), text);
    assert.ok(text.includes('Location/bed-1'), text);
  }
});

test('a discharge frees the bed, and so do a move and a cancelled stay', async (t) => {
  const server = await ward(t);
  const first = (await server.post('/fhir/Encounter', stay('bed-1'))).body;
  assert.equal((await server.post('/fhir/Encounter', stay('bed-1'))).status, 409);
  const left = { ...first, status: 'finished',
                 location: [{ ...first.location[0], status: 'completed' }] };
  assert.equal((await server.put(`/fhir/Encounter/${first.id}`, left)).status, 200);
  const second = (await server.post('/fhir/Encounter', stay('bed-1'))).body;
  assert.ok(second.id);

  const moved = { ...second, location: [{ ...second.location[0], status: 'completed' },
    { location: { reference: 'Location/bed-2' }, status: 'active' }] };
  assert.equal((await server.put(`/fhir/Encounter/${second.id}`, moved)).status, 200);
  assert.equal((await server.post('/fhir/Encounter', stay('bed-2'))).status, 409);
  assert.equal((await server.post('/fhir/Encounter', stay('bed-1'))).status, 201);
  assert.equal((await server.put(`/fhir/Encounter/${second.id}`,
                                 { ...moved, status: 'cancelled' })).status, 200);
  assert.equal((await server.post('/fhir/Encounter', stay('bed-2'))).status, 201);
  assert.equal((await server.put(`/fhir/Encounter/${first.id}`, first)).status, 409,
               'a discharge cannot be undone into a bed that was taken again');
});

test('what is no bed may hold many; a bed may be named by the encounter alone', async (t) => {
  const server = await ward(t);
  const many = await Promise.all(
    Array.from({ length: 5 }, () => server.post('/fhir/Encounter', stay('ward-1'))));
  assert.ok(many.every((a) => a.status === 201));
  const unknown = stay('bed-of-elsewhere', {}, { physicalType: bd });
  assert.equal((await server.post('/fhir/Encounter', unknown)).status, 201);
  assert.equal((await server.post('/fhir/Encounter', unknown)).status, 409);
  assert.equal((await server.post('/fhir/Encounter', stay('bed-3', {}, { status: 'reserved' }))).status,
               201);
  assert.equal((await server.post('/fhir/Encounter', stay('bed-3'))).status, 409);
  assert.equal((await server.post('/fhir/Encounter', stay('bed-3', {}, { status: 'planned' }))).status,
               201);
  assert.equal((await server.post('/fhir/Encounter', stay('bed-3', { status: 'finished' }))).status,
               201);
});

test('in a transaction a swap of two beds goes through, and a double booking fails whole', async (t) => {
  const server = await ward(t);
  const a = (await server.post('/fhir/Encounter', stay('bed-1'))).body;
  const b = (await server.post('/fhir/Encounter', stay('bed-2'))).body;
  const entry = (resource, bed) => ({ resource: { ...resource,
      location: [{ location: { reference: `Location/${bed}` }, status: 'active' }] },
    request: { method: 'PUT', url: `Encounter/${resource.id}` } });
  const swap = { resourceType: 'Bundle', type: 'transaction',
                 entry: [entry(a, 'bed-2'), entry(b, 'bed-1')] };
  assert.equal((await server.post('/fhir', swap)).status, 200);
  const bad = { ...swap, entry: [entry(a, 'bed-3'), entry(b, 'bed-3')] };
  assert.equal((await server.post('/fhir', bad)).status, 409);
  const now = (await server.get(`/fhir/Encounter/${a.id}`)).body;
  assert.equal(now.location[0].location.reference, 'Location/bed-2');
});

// ---- moves and boards ----

const attribute = (...codes) => codes.map((code) =>
  ({ coding: [{ system: 'https://frontline.example/CodeSystem/bed-attribute', code }] }));
const person = (id, gender, birthDate) => ({ resourceType: 'Patient', id, gender, birthDate,
  name: [{ family: 'Smith', given: [id] }] });

async function hospital(t) {
  const server = await startServer(t);
  const put = async (resource) =>
    assert.equal((await server.put(`/fhir/${resource.resourceType}/${resource.id}`, resource)).status,
                 201);
  const place = (id, kind, partOf, type) => ({ resourceType: 'Location', id, name: id,
    physicalType: { coding: [{ ...bd.coding[0], code: kind }] }, type,
    ...(partOf && { partOf: { reference: `Location/${partOf}` } }) });
  await put(place('ward-a', 'wa'));
  await put(place('bay-f', 'ro', 'ward-a'));
  await put(place('bay-m', 'ro', 'ward-a'));
  await put(place('bed-f1', 'bd', 'bay-f', attribute('female', 'adult')));
  await put(place('bed-f2', 'bd', 'bay-f', attribute('female', 'adult')));
  await put(place('bed-m1', 'bd', 'bay-m', attribute('male', 'adult')));
  await put(place('bed-side', 'bd', 'ward-a', attribute('side-room', 'adult')));
  await put(person('ann', 'female', '1950-01-01'));
  await put(person('bea', 'female', '1960-01-01'));
  await put(person('max', 'male', '1970-01-01'));
  await put(person('kid', 'male', '2020-01-01'));
  server.move = (name, inputs) => server.ask('POST', `/beds/move/${name}`, {
    body: inputs, headers: { 'content-type': 'application/json' } });
  server.bed = async (id) =>
    (await server.get('/beds/board.json')).body.beds.find((b) => b.bed === id);
  return server;
}

test('a stay goes from admission to a clean bed', async (t) => {
  const server = await hospital(t);
  const made = await server.move('admit', { bed: 'bed-f1', patient: 'ann', isolation: 'none' });
  assert.equal(made.status, 200, made.text);
  const { encounter } = made.body;
  assert.equal((await server.bed('bed-f1')).state, 'occupied');
  assert.equal((await server.bed('bed-f1')).name_shown, 'SMITH, ann');
  const stayed = (await server.get(`/fhir/Encounter/${encounter}`)).body;
  assert.equal(stayed.status, 'in-progress');

  assert.equal((await server.move('transfer', { encounter, bed: 'bed-f2' })).status, 200);
  assert.equal((await server.bed('bed-f1')).state, 'dirty');
  assert.match((await server.bed('bed-f1')).note, /standard clean by/);
  assert.equal((await server.bed('bed-f2')).encounter, encounter);
  assert.equal((await server.move('admit', { bed: 'bed-f1', patient: 'bea' })).status, 422);
  assert.equal((await server.move('clean', { bed: 'bed-f1' })).status, 200);
  assert.equal((await server.bed('bed-f1')).state, 'cleaning');
  assert.equal((await server.move('cleaned', { bed: 'bed-f1' })).status, 200);
  assert.equal((await server.bed('bed-f1')).state, 'available');

  assert.equal((await server.move('discharge', { encounter })).status, 200);
  assert.equal((await server.bed('bed-f2')).state, 'dirty');
  const left = (await server.get(`/fhir/Encounter/${encounter}`)).body;
  assert.equal(left.status, 'finished');
  assert.ok(left.period.end);
  assert.deepEqual(left.location.map((l) => l.status), ['completed', 'completed']);
});

test('a rule that is broken is named, with who may override it, and an override is kept', async (t) => {
  const server = await hospital(t);
  const mixed = await server.move('admit', { bed: 'bed-m1', patient: 'ann' });
  assert.equal(mixed.status, 422);
  assert.match(mixed.text, /rule: mixed-sex; may be overridden by: bed manager/);
  assert.match(mixed.text, /next best: bed-f/);
  const child = await server.move('admit', { bed: 'bed-m1', patient: 'kid' });
  assert.match(child.text, /adult-only/);
  const isolated = await server.move('admit', { bed: 'bed-f1', patient: 'ann', isolation: 'needed' });
  assert.match(isolated.text, /needs-side-room; may be overridden by: infection control/);
  const forced = await server.move('admit', { bed: 'bed-m1', patient: 'ann',
                                              override: 'no other bed, agreed with the site' });
  assert.equal(forced.status, 200, forced.text);
  const kept = (await server.get(`/fhir/Encounter/${forced.body.encounter}`)).body;
  assert.match(JSON.stringify(kept.extension), /rule-override.*agreed with the site/);
  const taken = await server.move('admit', { bed: 'bed-m1', patient: 'max', override: 'please' });
  assert.equal(taken.status, 409, 'a taken bed is never overridden');
  assert.ok(taken.text.includes(`Encounter/${forced.body.encounter}`));
  assert.equal((await server.move('admit', { bed: 'bed-f1', patient: 'ann' })).status, 409,
               'one bed a patient');
});

test('two hundred moves to one bed: one is made, 199 are told by whom and offered another', async (t) => {
  const server = await hospital(t);
  await Promise.all(Array.from({ length: 200 }, (_, i) =>
    server.put(`/fhir/Patient/w${i}`, person(`w${i}`, 'female', '1950-01-01'))));
  const answers = await Promise.all(Array.from({ length: 200 }, (_, i) =>
    server.move('admit', { bed: 'bed-f1', patient: `w${i}`, isolation: 'none' })));
  const made = answers.filter((a) => a.status === 200);
  assert.equal(made.length, 1);
  for (const refused of answers.filter((a) => a !== made[0])) {
    assert.equal(refused.status, 409, refused.text);
    assert.ok(refused.text.includes(`Encounter/${made[0].body.encounter}`), refused.text);
    assert.match(refused.text, /next best: bed-/);
  }
});

test('a reservation keeps a bed, a swap changes two, home leave keeps, a cancel gives back', async (t) => {
  const server = await hospital(t);
  const kept = (await server.move('reserve', { bed: 'bed-f1', patient: 'ann', minutes: '30' })).body;
  assert.equal((await server.bed('bed-f1')).state, 'reserved');
  assert.equal((await server.move('admit', { bed: 'bed-f1', patient: 'bea' })).status, 409);
  assert.equal((await server.move('admit', { bed: 'bed-f1', encounter: kept.encounter })).status, 200);
  assert.equal((await server.bed('bed-f1')).state, 'occupied');
  const bea = (await server.move('admit', { bed: 'bed-f2', patient: 'bea' })).body;
  assert.equal((await server.move('swap', { encounter: kept.encounter, with: bea.encounter })).status,
               200);
  assert.equal((await server.bed('bed-f1')).encounter, bea.encounter);
  assert.equal((await server.move('leave', { encounter: bea.encounter })).status, 200);
  assert.equal((await server.bed('bed-f1')).note, 'on home leave');
  assert.equal((await server.move('return', { encounter: bea.encounter })).status, 200);
  assert.equal((await server.move('cancel', { encounter: bea.encounter })).status, 200);
  assert.equal((await server.bed('bed-f1')).state, 'dirty');
});

test('a cancelled discharge after the bed was taken lands on the worklist', async (t) => {
  const server = await hospital(t);
  const ann = (await server.move('admit', { bed: 'bed-f1', patient: 'ann' })).body;
  await server.move('discharge', { encounter: ann.encounter });
  assert.equal((await server.move('cancel-discharge', { encounter: ann.encounter })).status, 200);
  assert.equal((await server.bed('bed-f1')).encounter, ann.encounter);
  await server.move('discharge', { encounter: ann.encounter });
  await server.move('cleaned', { bed: 'bed-f1' });
  assert.equal((await server.move('admit', { bed: 'bed-f1', patient: 'bea' })).status, 200);
  const late = await server.move('cancel-discharge', { encounter: ann.encounter });
  assert.equal(late.status, 409);
  const task = /Task\/([A-Za-z0-9.-]+)/.exec(late.text);
  assert.ok(task, late.text);
  assert.equal((await server.get(`/fhir/Task/${task[1]}`)).body.code.text, 'Bed exception');
});

test('closing, rounds, dates and pathways show on the board; pages stand without scripts', async (t) => {
  const server = await hospital(t);
  assert.equal((await server.move('close', { bed: 'bed-side' })).status, 400);
  assert.equal((await server.move('close', { bed: 'bed-side', why: 'leak', until: 'Monday' })).status,
               200);
  assert.equal((await server.bed('bed-side')).note, 'leak until Monday');
  assert.equal((await server.move('open', { bed: 'bed-side' })).status, 200);
  const { encounter } = (await server.move('admit', { bed: 'bed-f1', patient: 'ann' })).body;
  assert.equal((await server.move('round', { encounter, criteria: 'oxygen-niv,iv-fluids' })).status, 200);
  assert.equal((await server.bed('bed-f1')).reside, 'Meets');
  assert.equal((await server.move('round', { encounter, criteria: 'none' })).status, 200);
  assert.equal((await server.bed('bed-f1')).reside, 'No longer meets');
  assert.equal((await server.move('round', { encounter, criteria: 'moon' })).status, 400);
  assert.equal((await server.move('edd', { encounter, date: '2030-01-02' })).status, 200);
  assert.equal((await server.move('edd', { encounter, date: '2030-01-03' })).status, 200);
  assert.equal((await server.bed('bed-f1')).edd, '3 Jan 2030');
  assert.equal((await server.move('pathway', { encounter, pathway: 'P1' })).status, 200);
  assert.equal((await server.bed('bed-f1')).pathway, 'P1');
  assert.equal((await server.move('dance', {})).status, 404);
  assert.equal((await server.move('admit', { bed: 'bed-9', patient: 'ann' })).status, 404);
  for (const page of ['/beds', '/beds/ward/ward-a', '/beds/bed/bed-f1', '/beds/bed/bed-f2',
                      '/beds/suggest?sex=female&age=70']) {
    const shown = await server.get(page);
    assert.equal(shown.status, 200, page);
    assert.match(shown.headers.get('content-type'), /text\/html/);
  }
  const form = await fetch(`${server.url}/beds/move/discharge`, { method: 'POST', redirect: 'manual',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: `encounter=${encounter}&back=%2Fbeds%2Fbed%2Fbed-f1` });
  assert.equal(form.status, 303);
  assert.equal(form.headers.get('location'), '/beds/bed/bed-f1');
});

// Reads one event stream until `wanted` says yes to an event, or time is up.
async function listen(url, wanted, ms = 5000) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), ms);
  const response = await fetch(url, { signal: stop.signal, headers: { accept: 'text/event-stream' } });
  let text = '';
  try {
    for await (const part of response.body) {
      text += Buffer.from(part).toString();
      for (const event of text.split('\n\n'))
        if (wanted(event)) return event;
    }
  } catch { /* aborted: not seen */ } finally {
    clearTimeout(timer);
    stop.abort();
  }
  return undefined;
}

test('an open board is told of a move, and of a plain FHIR write, within a moment', async (t) => {
  const server = await hospital(t);
  const page = await server.get('/beds/ward/ward-a');
  const seq = /data-live-seq="(\d+)"/.exec(page.text)[1];
  const heard = listen(`${server.url}/beds/live?ward=ward-a&after=${seq}`,
                       (e) => e.includes('id="bed-bed-f1"') && e.includes('SMITH, ann'));
  const hospitalHeard = listen(`${server.url}/beds/live?after=${seq}`,
                               (e) => e.includes('id="ward-ward-a"'));
  assert.equal((await server.move('admit', { bed: 'bed-f1', patient: 'ann' })).status, 200);
  assert.ok(await heard);
  assert.ok(await hospitalHeard);

  const now = /data-live-seq="(\d+)"/.exec((await server.get('/beds/ward/ward-a')).text)[1];
  // The write comes between the drawing of the page and the opening of its stream.
  await server.post('/fhir/Encounter', stay('bed-f2', { subject: { reference: 'Patient/bea' } }));
  await new Promise((done) => setTimeout(done, 300));
  assert.ok(await listen(`${server.url}/beds/live?ward=ward-a&after=${now}`,
                         (e) => e.includes('id="bed-bed-f2"') && e.includes('SMITH, bea')));
});

test('the situation report of a known day, exactly, and again after a correction', async (t) => {
  const server = await hospital(t);
  const inBed = (id, bed, start, end) => ({ ...stay(bed, { id, status: end ? 'finished' : 'in-progress',
    subject: { reference: `Patient/${id}` }, period: { start, ...(end && { end }) } },
    { status: end ? 'completed' : 'active', period: { start, ...(end && { end }) } }) });
  const put = async (e) =>
    assert.ok((await server.put(`/fhir/Encounter/${e.id}`, e)).status < 300);
  await put(inBed('ann', 'bed-f1', '2026-03-28T12:00:00Z')); // over the spring night
  await put(inBed('bea', 'bed-f2', '2026-03-30T22:30:00Z', '2026-03-31T10:00:00Z')); // 23:30 by the wall
  await put(inBed('max', 'bed-m1', '2026-03-30T23:30:00Z')); // 00:30 on the 31st by the wall
  const rows = async (from, to) =>
    (await server.get(`/beds/sitrep?from=${from}&to=${to}`)).body.rows;
  const [a, b] = await rows('2026-03-31', '2026-04-01');
  assert.equal(a.day, '2026-03-31');
  assert.deepEqual(a.adult, { core_open: 4, escalation_open: 0, occupied: 3 });
  assert.equal(a.admissions, 1, 'bea, on the 30th by the wall');
  assert.equal(a.discharges, 0);
  assert.equal(b.admissions, 1, 'max, on the 31st by the wall');
  assert.equal(b.discharges, 1);
  assert.equal(b.adult.occupied, 2);
  const [later] = await rows('2026-04-04', '2026-04-04');
  assert.equal(later.stays_7_days, 1, 'seven midnights, one of them an hour short');
  const behind = (await server.get('/beds/sitrep/2026-04-01')).body;
  assert.deepEqual(behind.discharged_the_day_before, ['bea']);
  assert.deepEqual([...behind.in_at_08].sort(), ['ann', 'max']);

  await put({ ...inBed('bea', 'bed-f2', '2026-03-30T22:30:00Z'), status: 'cancelled' });
  assert.equal((await rows('2026-03-31', '2026-03-31'))[0].admissions, 0, 'a correction corrects');
  assert.equal((await server.get('/beds/sitrep?from=31.3.2026')).status, 400);
  assert.equal((await server.get('/beds/figures')).status, 200);
});
