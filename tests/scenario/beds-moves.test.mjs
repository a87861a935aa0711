// SPDX-License-Identifier: Apache-2.0
// Every move of beds, what takes it back, who may set a rule aside, and what happens when it is late.
import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { eventually, flag, hospital, listen } from '../lib/beds.mjs';

const stay = (patient, bed, changes = {}) => ({ resourceType: 'Encounter', status: 'in-progress',
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
  subject: { reference: `Patient/${patient}` },
  location: [{ location: { reference: `Location/${bed}` }, status: 'active' }], ...changes });

test('a nurse moves a patient of the ward, and the bed goes to cleaning', async (t) => {
  const server = await hospital(t, { open: false });
  const nurse = server.as('nurse');
  const { encounter } = await server.must('admit', { bed: 'bed-f1', patient: 'ann', isolation: 'none' });
  await server.must('transfer', { encounter, bed: 'bed-f2' }, nurse);
  assert.equal((await server.bed('bed-f1')).state, 'dirty');
  await server.must('clean', { bed: 'bed-f1' }, nurse);
  await server.must('cleaned', { bed: 'bed-f1' }, nurse);
  assert.equal((await server.bed('bed-f1')).state, 'available');
  const place = (await server.get('/fhir/Location/bed-f1', nurse)).body;
  const direct = await server.put('/fhir/Location/bed-f1', { ...place, name: 'mine' }, nurse);
  assert.equal(direct.status, 403, 'the directory of places is still not theirs');
});

test('an override is taken from the person the rule names, and from nobody else', async (t) => {
  const server = await hospital(t, { open: false });
  const clerk = server.as('ward_clerk'), nurse = server.as('nurse'), manager = server.as('bed_manager');
  const ask = { bed: 'bed-m1', patient: 'ann', isolation: 'none', override: 'no other bed tonight' };
  for (const [name, who] of [['clerk', clerk], ['nurse', nurse]]) {
    const refused = await server.move('admit', ask, who);
    assert.ok([403, 404, 422].includes(refused.status), `${name}: ${refused.text}`);
  }
  const { encounter: mine } = await server.must('admit', { bed: 'bed-f1', patient: 'ann', isolation: 'none' });
  const wrong = await server.move('transfer', { encounter: mine, bed: 'bed-m1', override: 'please' }, nurse);
  assert.equal(wrong.status, 422, wrong.text);
  assert.match(wrong.text, /rule: mixed-sex; may be overridden by: bed manager/);
  assert.match(wrong.text, /the override was not taken/);
  const short = await server.move('transfer', { encounter: mine, bed: 'bed-m1', override: 'x' }, manager);
  assert.equal(short.status, 422, 'a reason is needed');
  await server.must('transfer', { encounter: mine, bed: 'bed-m1', override: 'agreed with both patients' }, manager);
  const kept = (await server.encounter(mine)).extension.find((e) => e.url.endsWith('rule-override')).extension;
  const part = (name) => kept.find((e) => e.url === name);
  assert.equal(part('rule').valueString, 'mixed-sex');
  assert.equal(part('reason').valueString, 'agreed with both patients');
  assert.equal(part('who').valueString, 'a.bed_manager');
  assert.match(part('role').valueString, /Bed manager/);
  assert.ok(part('at').valueDateTime);
  const isolated = await server.move('transfer', { encounter: mine, bed: 'bed-f2', isolation: 'needed',
                                                   override: 'side rooms are full' }, manager);
  assert.equal(isolated.status, 422, 'an infection rule is not the bed manager\'s');
  assert.match(isolated.text, /needs-side-room; may be overridden by: infection control/);
  await server.must('transfer', { encounter: mine, bed: 'bed-f2', isolation: 'needed',
                                  override: 'cohorted with the same strain' }, server.as('infection_control'));
});

test('a swap obeys the rules of both beds', async (t) => {
  const server = await hospital(t);
  const { encounter: ann } = await server.must('admit', { bed: 'bed-f1', patient: 'ann', isolation: 'none' });
  const { encounter: bea } = await server.must('admit', { bed: 'bed-side', patient: 'bea', isolation: 'none' });
  const { encounter: max } = await server.must('admit', { bed: 'bed-m1', patient: 'max', isolation: 'none' });
  const mixed = await server.move('swap', { encounter: ann, with: max });
  assert.equal(mixed.status, 422, mixed.text);
  assert.match(mixed.text, /mixed-sex/);
  const done = await server.must('swap', { encounter: ann, with: bea });
  assert.equal(done.undo, 'swap');
  assert.equal((await server.bed('bed-side')).encounter, ann);
  assert.equal((await server.bed('bed-f1')).encounter, bea);
  await server.must('swap', { encounter: ann, with: bea });
  assert.equal((await server.bed('bed-f1')).encounter, ann);
  assert.equal((await server.move('swap', { encounter: ann, with: ann })).status, 400);
});

test('an isolated patient leaves a bed that needs an infection clean, closed or not', async (t) => {
  const server = await hospital(t);
  await server.post('/fhir/Flag', flag('ann', 'A very long flag about a risk of falls on the way to the bathroom at night'));
  await server.post('/fhir/Flag', flag('ann', 'Isolation needed'));
  const { encounter } = await server.must('admit', { bed: 'bed-side', patient: 'ann' });
  const open = await server.move('transfer', { encounter, bed: 'bed-f1', isolation: 'none' });
  assert.equal(open.status, 422, 'the flag has the last word');
  await server.must('discharge', { encounter });
  assert.match((await server.bed('bed-side')).note, /^infection clean by/);
  await server.must('close', { bed: 'bed-side', why: 'leak' });
  await server.must('open', { bed: 'bed-side' });
  assert.match((await server.bed('bed-side')).note, /^infection clean by/);
  await server.must('clean', { bed: 'bed-side' });
  const spot = (await server.get('/fhir/Location/bed-side')).body;
  const own = (name) => spot.extension.filter((e) => e.url.endsWith(name));
  assert.equal(own('bed-clean')[0].valueCode, 'infection');
  assert.ok(own('bed-due')[0].valueDateTime);
  const closure = own('bed-closure');
  assert.equal(closure.length, 1);
  assert.deepEqual(closure[0].extension.map((e) => e.url), ['from', 'why', 'to']);
  await server.must('cleaned', { bed: 'bed-side' });
  await server.must('dirty', { bed: 'bed-side', clean: 'deep' });
  assert.match((await server.bed('bed-side')).note, /^deep clean by/);
  assert.equal((await server.move('dirty', { bed: 'bed-f1', clean: 'quick' })).status, 400);
});

test('home leave keeps the bed and its nights are told apart; the lounge frees it', async (t) => {
  const server = await hospital(t);
  const { encounter } = await server.must('admit', { bed: 'bed-f1', patient: 'ann', isolation: 'none' });
  assert.equal((await server.move('return', { encounter })).status, 422, 'was not away');
  await server.must('leave', { encounter });
  assert.equal((await server.move('leave', { encounter })).status, 422, 'is away already');
  assert.equal((await server.move('admit', { bed: 'bed-f1', patient: 'bea' })).status, 409);
  await server.must('return', { encounter });
  const away = (await server.encounter(encounter)).statusHistory;
  assert.deepEqual(away.map((s) => s.status), ['in-progress', 'onleave']);
  assert.ok(away[1].period.start && away[1].period.end);

  await server.must('lounge', { encounter });
  assert.equal((await server.bed('bed-f1')).state, 'dirty');
  assert.equal((await server.encounter(encounter)).status, 'in-progress');
  await server.must('cancel-transfer', { encounter });
  assert.equal((await server.bed('bed-f1')).encounter, encounter, 'back from the lounge');
  await server.must('lounge', { encounter, lounge: 'lounge' });
  await server.must('cleaned', { bed: 'bed-f1' });
  await server.must('admit', { bed: 'bed-f1', patient: 'bea', isolation: 'none' });
  const late = await server.move('cancel-transfer', { encounter });
  assert.equal(late.status, 409);
  assert.match(late.text, /worklist/);
  await server.must('discharge', { encounter });
  assert.equal((await server.encounter(encounter)).status, 'finished');
  assert.equal((await server.move('lounge', { encounter: 'none' })).status, 404);
});

test('a reservation runs out by itself, is told to the boards, and one for the patient counts as theirs', async (t) => {
  const server = await hospital(t);
  const body = stay('ann', 'bed-f1', { status: 'planned' });
  body.location[0].status = 'reserved';
  body.location[0].period = { end: new Date(Date.now() + 2500).toISOString() };
  const made = await server.post('/fhir/Encounter', body);
  assert.equal(made.status, 201, made.text);
  assert.equal((await server.bed('bed-f1')).state, 'reserved');
  const page = (await server.get('/beds/ward/ward-a')).text;
  const told = listen(`${server.url}/beds/live?ward=ward-a&after=${/data-live-seq="(\d+)"/.exec(page)[1]}`,
                      (e) => e.includes('id="bed-bed-f1"') && /available/i.test(e));
  await eventually('cancelled by the timer', async () =>
    (await server.encounter(made.body.id)).status === 'cancelled');
  assert.ok(await told, 'an open board is told');
  assert.equal((await server.bed('bed-f1')).state, 'available');
  await server.must('admit', { bed: 'bed-f1', patient: 'bea', isolation: 'none' });

  // The next bed of somebody who lies in one: kept for them, then theirs.
  const { encounter } = await server.must('admit', { bed: 'bed-f2', patient: 'cat', isolation: 'none' });
  const kept = await server.must('reserve', { bed: 'bed-side', patient: 'cat', isolation: 'none' });
  const other = await server.move('admit', { bed: 'bed-side', patient: 'max', isolation: 'none' });
  assert.equal(other.status, 409, other.text);
  await server.must('transfer', { encounter, bed: 'bed-side', isolation: 'none' });
  assert.equal((await server.encounter(kept.encounter)).status, 'cancelled');
  assert.equal((await server.bed('bed-side')).encounter, encounter);
});

test('two hundred stays of one patient in one bed: the refusals name the bed\'s rule', async (t) => {
  const server = await hospital(t);
  const answers = await Promise.all(Array.from({ length: 200 }, () => server.post('/fhir/Encounter', stay('ann', 'bed-f1'))));
  const [made, ...more] = answers.filter((a) => a.status === 201);
  assert.equal(more.length, 0);
  for (const refused of answers.filter((a) => a !== made)) {
    assert.equal(refused.status, 409);
    assert.match(refused.text, /one active stay a bed/);
    assert.ok(refused.text.includes(`Encounter/${made.body.id}`));
  }
});

test('a patient is in one bed, for plain writes and at one moment', async (t) => {
  const server = await hospital(t);
  const answers = await Promise.all(['bed-f1', 'bed-f2', 'bed-m1', 'bed-m2', 'bed-side', 'bed-b1'].map((bed) =>
    server.post('/fhir/Encounter', stay('ann', bed))));
  const made = answers.filter((a) => a.status === 201);
  assert.equal(made.length, 1);
  for (const refused of answers.filter((a) => a !== made[0])) {
    assert.equal(refused.status, 409);
    assert.match(refused.text, /one bed a patient/);
    assert.ok(refused.text.includes(`Encounter/${made[0].body.id}`));
  }
  const two = stay('bea', 'bed-b1');
  two.location = ['bed-m1', 'bed-m2'].map((bed) => ({ location: { reference: `Location/${bed}` }, status: 'active' }));
  const refused = await server.post('/fhir/Encounter', two);
  assert.equal(refused.status, 409, 'nor in two beds of one stay');
  const ended = { ...made[0].body, status: 'finished' };
  assert.equal((await server.put(`/fhir/Encounter/${ended.id}`, ended)).status, 200);
  assert.equal((await server.post('/fhir/Encounter', stay('ann', 'bed-f2'))).status, 201);
});

test('a move is taken back while it is safe: not into a bed closed since, nor a bay of the other sex', async (t) => {
  const server = await hospital(t);
  const { encounter } = await server.must('admit', { bed: 'bed-b1', patient: 'ann', isolation: 'none' });
  await server.must('discharge', { encounter });
  await server.must('close', { bed: 'bed-b1', why: 'leak' });
  const closed = await server.move('cancel-discharge', { encounter });
  assert.equal(closed.status, 422, closed.text);
  assert.match(closed.text, /rule: closed; may be overridden by: bed manager/);
  assert.match(closed.text, /next best: bed-f/);
  await server.must('open', { bed: 'bed-b1' });
  await server.must('cancel-discharge', { encounter });
  assert.equal((await server.bed('bed-b1')).encounter, encounter, 'though it waits for cleaning');

  // A ward's bay without a sign: the sex is who lies there.
  const bay = { resourceType: 'Location', physicalType: { coding: [{ code: 'ro' }] }, partOf: { reference: 'Location/ward-b' } };
  await server.put('/fhir/Location/bay-x', { ...bay, id: 'bay-x' });
  for (const id of ['x1', 'x2'])
    await server.put(`/fhir/Location/${id}`, { resourceType: 'Location', id, name: id,
      physicalType: { coding: [{ code: 'bd' }] }, partOf: { reference: 'Location/bay-x' } });
  await server.must('transfer', { encounter, bed: 'x1', isolation: 'none' });
  await server.must('transfer', { encounter, bed: 'bed-side', isolation: 'none' });
  await server.must('admit', { bed: 'x2', patient: 'max', isolation: 'none' });
  const mixed = await server.move('cancel-transfer', { encounter });
  assert.equal(mixed.status, 422, mixed.text);
  assert.match(mixed.text, /mixed-sex/);
  await server.must('cancel-transfer', { encounter, override: 'curtains, for an hour' });
  assert.equal((await server.bed('x1')).encounter, encounter);
});

test('a plain write that opens a stay again in a bed taken since is refused and lands on the worklist, once', async (t) => {
  const server = await hospital(t);
  const { encounter } = await server.must('admit', { bed: 'bed-f1', patient: 'ann', isolation: 'none' });
  const open = await server.encounter(encounter);
  await server.must('discharge', { encounter, patient_check: 'ann' });
  await server.must('clean', { bed: 'bed-f1' });
  await server.must('cleaned', { bed: 'bed-f1' });
  const next = await server.must('admit', { bed: 'bed-f1', patient: 'bea', isolation: 'none' });
  const again = () => server.put(`/fhir/Encounter/${encounter}`, open);
  const listed = async () => (await server.get('/beds/exceptions.json')).body.exceptions;
  const refused = await again();
  assert.equal(refused.status, 409, refused.text);
  assert.match(refused.text, new RegExp(`one active stay a bed.*Encounter/${next.encounter}`));
  assert.match(refused.text, /worklist/);
  const [found] = await eventually('an exception', async () => ((await listed()).length ? listed() : null));
  assert.equal(found.encounter, encounter);
  assert.match(found.what, new RegExp(`taken: .*Encounter/${next.encounter}`));
  assert.deepEqual(await Promise.all([again(), again(), again()]).then((all) => all.map((a) => a.status)), [409, 409, 409]);
  // What is refused for another reason, or never lay there, is no exception: the asker alone decides.
  assert.equal((await server.post('/fhir/Encounter', { ...open, id: undefined })).status, 409);
  const other = await server.must('admit', { bed: 'bed-f2', patient: 'cat', isolation: 'none' });
  const moved = await server.encounter(other.encounter);
  moved.location[0].location.reference = 'Location/bed-f1';
  assert.equal((await server.put(`/fhir/Encounter/${moved.id}`, moved)).status, 409);
  await server.must('resolve', { task: found.task, note: 'found another bed' });
  assert.deepEqual(await listed(), []);
});

// ---- the same from another system ----

function connect(port) {
  const socket = net.connect(port, '127.0.0.1'), waiting = [];
  let rest = '';
  socket.on('data', (bytes) => {
    rest += bytes;
    for (let end; (end = rest.indexOf('\x1c\r')) >= 0; rest = rest.slice(end + 2))
      waiting.shift()?.(rest.slice(1, end));
  });
  const send = (message) => new Promise((done) => {
    waiting.push(done);
    socket.write(`\x0b${message}\x1c\r`);
  });
  return { send, close: () => socket.destroy() };
}
const message = (event, id, at, mrn, visit, bed) => [`MSH|^~\\&|PAS|RXX|FL|W|${at}||ADT^${event}|${id}|P|2.4`,
  `EVN||${at}`, `PID|1||${mrn}^^^RXX^MR||Smith^Anna||19700330|F`,
  `PV1||I|W1^B1^${bed}${'|'.repeat(16)}${visit}`].join('\r') + '\r';

test('a cancelled discharge from another system after the bed was taken lands on the worklist', async (t) => {
  const server = await hospital(t, { args: ['--set', 'hl7v2.listen=127.0.0.1:0'] });
  const port = Number(/HL7 v2 on port (\d+)/.exec(server.log)[1]);
  const feed = connect(port);
  t.after(() => feed.close());
  const code = (answer) => /MSA\|(\w\w)/.exec(answer)?.[1];
  assert.equal(code(await feed.send(message('A01', 'M1', '20260322100000', 'P1', 'V1', 'X1'))), 'AA');
  assert.equal(code(await feed.send(message('A03', 'M2', '20260322110000', 'P1', 'V1', 'X1'))), 'AA');
  assert.equal(code(await feed.send(message('A01', 'M3', '20260322120000', 'P2', 'V2', 'X1'))), 'AA');
  for (const id of ['M4', 'M4'])
    assert.equal(code(await feed.send(message('A13', id, '20260322130000', 'P1', 'V1', 'X1'))), 'AE');
  const [found] = await eventually('an exception', async () => {
    const { exceptions } = (await server.get('/beds/exceptions.json')).body;
    return exceptions.length ? exceptions : null;
  });
  assert.match(found.what, /one active stay a bed/);
  assert.equal((await server.get('/beds/exceptions.json')).body.exceptions.length, 1, 'once, though sent twice');
  const held = (await server.get('/fhir/Encounter?status=in-progress')).body.entry;
  assert.equal(held.length, 1, 'never two in one bed');
  assert.equal((await server.move('resolve', { task: found.task })).status, 400);
  await server.must('resolve', { task: found.task, note: 'found bed X2 with the ward' });
  assert.equal((await server.get('/beds/exceptions.json')).body.exceptions.length, 0);
  assert.equal((await server.move('resolve', { task: found.task, note: 'again' })).status, 422);
});
