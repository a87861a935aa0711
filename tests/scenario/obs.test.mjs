// SPDX-License-Identifier: Apache-2.0
// Observations as a ward meets them: entering, scoring, correcting, and who is told.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { binary, spawnServer, startServer } from './server.mjs';

const SNOMED = 'http://snomed.info/sct';
const SCORE = '1104051000000101';
const place = (id, kind, partOf) => ({ resourceType: 'Location', id, name: id,
  physicalType: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/location-physical-type',
                             code: kind }] },
  ...(partOf && { partOf: { reference: `Location/${partOf}` } }) });
const stay = (id, bed) => ({ resourceType: 'Encounter', id: `stay-${id}`, status: 'in-progress',
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
  subject: { reference: `Patient/${id}` }, period: { start: ago(600) },
  location: [{ location: { reference: `Location/${bed}` }, status: 'active' }] });
const ago = (minutes) => new Date(Date.now() - minutes * 60000).toISOString();
const person = (id, birthDate = '1950-03-01') => ({ resourceType: 'Patient', id, gender: 'female',
  birthDate, name: [{ use: 'official', family: 'Smith', given: [id] }],
  identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990000018' }] });
const shift = (id, role, name, from, to, ward) => ({ resourceType: 'Schedule', id, active: true,
  serviceCategory: [{ coding: [{ system: 'https://frontline.example/CodeSystem/rota',
                                 code: 'escalation-rota' }] }],
  serviceType: [{ coding: [{ system: 'https://frontline.example/CodeSystem/rota', code: role }] }],
  actor: [{ reference: `Practitioner/${id}`, display: name },
          ...(ward ? [{ reference: `Location/${ward}` }] : [])],
  planningHorizon: { start: ago(-from), end: ago(-to) } });

const WELL = { resp: 16, spo2: 98, oxygen: 'air', systolic: 120, diastolic: 75, pulse: 72,
               acvpu: 'A', temp: '37.0' };
const SICK = { ...WELL, resp: 22, spo2: 93, pulse: 112, temp: '38.5' }; // 2+2+2+1 = 7

async function ward(t, options) {
  const server = await startServer(t, options);
  const put = async (resource) => {
    const { status, text } = await server.put(`/fhir/${resource.resourceType}/${resource.id}`, resource);
    assert.ok(status < 300, text);
  };
  await put(place('ward-a', 'wa'));
  await put(place('bay-a', 'ro', 'ward-a'));
  await put(place('bed-1', 'bd', 'bay-a'));
  await put(place('bed-2', 'bd', 'ward-a'));
  for (const id of ['ann', 'bea']) await put(person(id));
  await put(stay('ann', 'bed-1'));
  await put(stay('bea', 'bed-2'));
  let count = 0;
  server.putAll = put;
  server.form = (path, fields) => server.ask('POST', path, {
    body: new URLSearchParams(fields).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' } });
  server.enter = async (patient, fields) => {
    const key = fields.key ?? `obs-test-${String(count++).padStart(6, '0')}`;
    const answer = await server.form(`/obs/patient/${patient}/enter`, { key, ...fields });
    return { ...answer, key };
  };
  server.read = async (path) => (await server.get(`/fhir/${path}`)).body;
  server.page = async (path) => (await server.get(path, { accept: 'text/html' })).text;
  server.find = async (query) => ((await server.read(query)).entry ?? []).map((e) => e.resource);
  // Waits for what a consumer does: at most five seconds.
  server.until = async (what, check) => {
    for (let i = 0; i < 100; i += 1) {
      const found = await what();
      if (check(found)) return found;
      await new Promise((done) => setTimeout(done, 50));
    }
    assert.fail(`never came true: ${check}: ${JSON.stringify(await what())}`);
    return undefined;
  };
  return server;
}

const extension = (resource, name) => resource.extension?.find((e) =>
  e.url === `https://frontline.example/StructureDefinition/${name}`);
const figure = (task, name) => {
  const found = extension(task, 'escalation').extension.find((e) => e.url === name);
  return found && Object.values(found).find((v) => v !== name);
};
const parts = (score) => Object.fromEntries(score.component.map((c) =>
  [c.code.coding[0].code, c.valueQuantity?.value]));

test('a full set is stored whole, with the codes, the score, its parts and where they came from', async (t) => {
  const server = await ward(t);
  const { status, key, text } = await server.enter('ann', { ...WELL, resp: 21, spo2: 93, pulse: 95, temp: '37.5' });
  assert.equal(status, 303, text);
  const score = await server.read(`Observation/${key}`);
  assert.equal(score.status, 'final');
  assert.equal(score.code.coding[0].code, SCORE);
  assert.equal(score.valueQuantity.value, 5);
  assert.deepEqual(parts(score), { 1104301000000104: 2, 1104311000000102: 2, 1104331000000105: 0,
    1104341000000101: 0, 1104351000000103: 1, 1104361000000100: 0, 1104371000000107: 0 });
  assert.equal(extension(score, 'news2-table').valueString, 'news2-rcp-2017.1');
  assert.equal(score.encounter.reference, 'Encounter/stay-ann');
  assert.equal(score.derivedFrom.length, 7);
  for (const { reference } of score.derivedFrom) {
    const value = await server.read(reference);
    assert.equal(value.effectiveDateTime, score.effectiveDateTime);
    assert.equal(value.subject.reference, 'Patient/ann');
  }
  const bp = await server.read(`Observation/${key}-bp`);
  assert.deepEqual(bp.component.map((c) => [c.code.coding[1].code, c.valueQuantity.value]),
                   [['8480-6', 120], ['8462-4', 75]]);
  const again = await server.enter('ann', { key, ...WELL });
  assert.equal(again.status, 303, 'sent twice, stored once');
  assert.equal((await server.read(`Observation/${key}`)).meta.versionId, '1');
});

test('a partial set is incomplete and never lower: no total, a least, and the higher call stays', async (t) => {
  const server = await ward(t);
  await server.enter('ann', { ...SICK, at: wall(30) });
  const { key, status } = await server.enter('ann', { resp: 16, spo2: 98 });
  assert.equal(status, 303);
  const score = await server.read(`Observation/${key}`);
  assert.equal(score.valueQuantity, undefined);
  assert.match(score.dataAbsentReason.text, /incomplete: 5 of 7 not recorded; at least 0/);
  assert.equal(score.component.filter((c) => c.dataAbsentReason).length, 5);
  const page = await server.page('/obs/patient/ann');
  assert.match(page, /Incomplete/);
  assert.match(page, /registrar or above/, 'the response of the last complete set holds');
  const list = await server.page('/obs/ward/ward-a');
  assert.match(list, /at least 0/);
  assert.match(list, /incomplete/);
});

const wall = (minutesAgo) => {
  const parts = Object.fromEntries(new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/London',
    year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit',
    hourCycle: 'h23' }).formatToParts(Date.now() - minutesAgo * 60000).map((p) => [p.type, p.value]));
  return `${parts.year}-${parts.month}-${parts.day}T${parts.hour}:${parts.minute}`;
};

test('impossible values are stopped, implausible ones asked about, and other units converted', async (t) => {
  const server = await ward(t);
  const stopped = await server.enter('ann', { ...WELL, spo2: 193, temp: '98.6', resp: 'x' });
  assert.equal(stopped.status, 422);
  for (const said of [/Oxygen saturation: 193 is not possible/, /Temperature: 98.6 is not possible/,
                      /Respiration rate: enter a number/])
    assert.match(stopped.text, said);
  assert.deepEqual(await server.find('Observation?patient=ann'), []);
  const kpa = await server.enter('ann', { ...WELL, spo2: '9.5' });
  assert.equal(kpa.status, 422, 'a saturation in kPa is no saturation');

  const asked = await server.enter('ann', { ...WELL, resp: 52 });
  assert.equal(asked.status, 422);
  assert.match(asked.text, /Respiration rate 52 breaths a minute: is that right\?/);
  const other = await server.enter('ann', { ...WELL, resp: 62, confirm_resp: '52' });
  assert.equal(other.status, 422, 'a confirmation holds for its own value');
  assert.equal((await server.enter('ann', { ...WELL, resp: 52, confirm_resp: '52' })).status, 303);

  const { key } = await server.enter('ann', { ...WELL, temp: '98.6', temp_unit: 'F', systolic: 16,
                                              diastolic: 10, pressure_unit: 'kPa' });
  const temp = await server.read(`Observation/${key}-temp`);
  assert.deepEqual([temp.valueQuantity.value, temp.valueQuantity.code], [37.0, 'Cel']);
  const bp = await server.read(`Observation/${key}-bp`);
  assert.deepEqual(bp.component.map((c) => c.valueQuantity.value), [120, 75]);
});

test('the time taken is apart from the time entered; late entries are marked, future ones refused', async (t) => {
  const server = await ward(t);
  const { key } = await server.enter('ann', { ...WELL, at: wall(90) });
  const score = await server.read(`Observation/${key}`);
  assert.ok(Date.parse(score.issued) - Date.parse(score.effectiveDateTime) > 85 * 60000);
  assert.match(await server.page('/obs/patient/ann'), /late entry/);
  assert.equal((await server.enter('ann', { ...WELL, at: wall(-30) })).status, 422);
  assert.equal((await server.enter('ann', { ...WELL, at: '2026-02-30T10:00' })).status, 422);
  assert.equal((await server.enter('ann', { ...WELL, at: wall(60 * 24 * 8) })).status, 422);
  // A form kept on a phone without a network: what passed on the server's clock counts.
  const queued = await server.enter('ann', { ...WELL, taken_ms: String(Date.now() - 45 * 60000) });
  const kept = await server.read(`Observation/${queued.key}`);
  assert.ok(Math.abs(Date.now() - 45 * 60000 - Date.parse(kept.effectiveDateTime)) < 60000);
});

test('scale 2 needs a recorded decision with author and time, and nothing else sets it', async (t) => {
  const server = await ward(t);
  await server.putAll({ resourceType: 'Condition', id: 'copd', subject: { reference: 'Patient/ann' },
    code: { coding: [{ system: SNOMED, code: '13645005' }] } });
  const before = await server.enter('ann', { ...WELL, spo2: 90 });
  assert.equal((await server.read(`Observation/${before.key}`)).valueQuantity.value, 3);
  const noReason = await server.form('/obs/patient/ann/scale', { do: 'start', reason: '' });
  assert.equal(noReason.status, 422);
  // Without author or time a decision does not count.
  const bare = { resourceType: 'MedicationRequest', id: 'bare', status: 'active', intent: 'order',
    subject: { reference: 'Patient/bea' },
    medicationCodeableConcept: { coding: [{ system: SNOMED, code: '24099007' }] },
    extension: [{ url: 'https://frontline.example/StructureDefinition/oxygen-target',
      valueRange: { low: { value: 88 }, high: { value: 92 } } }] };
  await server.putAll(bare);
  const unsigned = await server.enter('bea', { ...WELL, spo2: 90 });
  assert.equal((await server.read(`Observation/${unsigned.key}`)).valueQuantity.value, 3);
  assert.equal((await server.form('/obs/patient/ann/scale',
    { do: 'start', reason: 'hypercapnic failure, gas of 21 November' })).status, 303);
  const [decision] = await server.find('MedicationRequest?patient=ann');
  assert.ok(decision.requester.display && decision.authoredOn);
  const after = await server.enter('ann', { ...WELL, spo2: 90 });
  const score = await server.read(`Observation/${after.key}`);
  assert.equal(score.valueQuantity.value, 0);
  assert.equal(score.component[1].code.coding[0].code, '1104321000000108');
  assert.equal(extension(score, 'oxygen-target-decision').valueReference.reference,
               `MedicationRequest/${decision.id}`);
  assert.match(await server.page('/obs/patient/ann'), /Oxygen scale 2: target 88-92 % decided by/);
  assert.equal((await server.form('/obs/patient/ann/scale', { do: 'stop', reason: 'gas is normal' })).status, 303);
  const last = await server.enter('ann', { ...WELL, spo2: 90 });
  assert.equal((await server.read(`Observation/${last.key}`)).valueQuantity.value, 3);
});

test('a decision on scale 2 is for its stay: in the next one nobody has decided yet', async (t) => {
  const server = await ward(t);
  const points = async () => (await server.read(
    `Observation/${(await server.enter('ann', { ...WELL, spo2: 90 })).key}`)).valueQuantity.value;
  await server.form('/obs/patient/ann/scale', { do: 'start', reason: 'gas of today' });
  assert.equal(await points(), 0);
  const [decision] = await server.find('MedicationRequest?patient=ann');
  assert.equal(decision.encounter.reference, 'Encounter/stay-ann');
  const old = await server.read('Encounter/stay-ann');
  await server.putAll({ ...old, status: 'finished', period: { ...old.period, end: ago(1) },
    location: [{ ...old.location[0], status: 'completed' }] });
  await server.putAll({ ...stay('ann', 'bed-1'), id: 'stay-ann-2', period: { start: ago(0) } });
  await new Promise((second) => setTimeout(second, 1000 - Date.now() % 1000)); // a set is known by its second
  assert.equal(await points(), 3, 'the order is still active, of a stay that is over');
  assert.match(await server.page('/obs/patient/ann'), /was for an earlier stay; in this one nobody has decided/);
  await server.form('/obs/patient/ann/scale', { do: 'start', reason: 'decided again' });
  assert.equal(await points(), 0);
});

test('children and pregnancy and spinal-cord injury are not scored, with the reason', async (t) => {
  const server = await ward(t);
  const year = new Date().getFullYear();
  await server.putAll(person('kid', `${year - 15}-12-31`));
  await server.putAll(person('teen', `${year - 17}-01-01`));
  const condition = (id, patient, code, clinical = 'active') => server.putAll({ resourceType: 'Condition', id,
    subject: { reference: `Patient/${patient}` }, code: { coding: [{ system: SNOMED, code }] },
    clinicalStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical',
                                 code: clinical }] } });
  await condition('p1', 'ann', '77386006');
  await condition('p2', 'bea', '90584004');
  for (const [patient, why] of [['kid', /under 16/], ['ann', /pregnancy/], ['bea', /spinal/]]) {
    const { key, status } = await server.enter(patient, SICK);
    assert.equal(status, 303);
    const score = await server.read(`Observation/${key}`);
    assert.equal(score.valueQuantity, undefined, patient);
    assert.equal(score.dataAbsentReason.coding[0].code, 'not-applicable');
    assert.match(score.dataAbsentReason.text, why);
    assert.match(await server.page(`/obs/patient/${patient}`), /Not scored/);
  }
  await server.putAll({ ...person('ageless', '1950-01-01'), birthDate: undefined });
  await server.enter('ageless', WELL);
  assert.match(await server.page('/obs/patient/ageless'), /Age not recorded: NEWS2 is for 16 and over/);
  assert.doesNotMatch(await server.page('/obs/patient/teen'), /Age not recorded/);
  const teen = await server.enter('teen', WELL);
  assert.equal((await server.read(`Observation/${teen.key}`)).valueQuantity.value, 0);
  await condition('p1', 'ann', '77386006', 'resolved');
  const later = await server.enter('ann', WELL);
  assert.equal((await server.read(`Observation/${later.key}`)).valueQuantity.value, 0);
});

test('new confusion scores 3 and asks for review; confusion that is usual does not', async (t) => {
  const server = await ward(t);
  const fresh = await server.enter('ann', { ...WELL, acvpu: 'C' });
  const usual = await server.enter('bea', { ...WELL, acvpu: 'K' });
  assert.equal((await server.read(`Observation/${fresh.key}`)).valueQuantity.value, 3);
  assert.equal((await server.read(`Observation/${usual.key}`)).valueQuantity.value, 0);
  assert.match(await server.page('/obs/patient/ann'), /A single parameter scores 3/);
  await server.until(() => server.find('Task?patient=ann'), (tasks) => tasks.length === 1);
});

test('a high score tells who is on shift, and not who is off; answering stops the clock', async (t) => {
  const server = await ward(t);
  await server.putAll(shift('night', 'registrar', 'Dr Night', -700, -1));
  await server.putAll(shift('day', 'registrar', 'Dr Day', -60, 600));
  await server.putAll(shift('other', 'registrar', 'Dr Other', -60, 600, 'ward-z'));
  const { key } = await server.enter('ann', SICK);
  const [task] = await server.until(() => server.find('Task?patient=ann'), (tasks) => tasks.length === 1);
  assert.equal(task.id, `esc-${key}`);
  assert.deepEqual([task.status, task.priority], ['requested', 'stat']);
  assert.match(task.description, /within 30 minutes/);
  assert.equal(figure(task, 'told'), 'Dr Day (registrar)');
  assert.equal(Date.parse(figure(task, 'answer-by')) - Date.parse(figure(task, 'raised')), 5 * 60000);
  const told = await server.find('Communication?patient=ann');
  assert.deepEqual(told.map((c) => c.recipient.map((r) => r.display)), [['Dr Day']]);
  assert.match(await server.page('/obs/escalations'), /SMITH, ann/);
  assert.match(await server.page('/obs/ward/ward-a'), /Not answered/);

  const path = `/obs/escalation/${task.id}`;
  assert.equal((await server.form(`${path}/answer`, { note: '' })).status, 400, 'a reason is needed');
  assert.equal((await server.form(`${path}/snooze`, { note: 'busy', minutes: '10' })).status, 422,
               'an emergency is not put off');
  assert.equal((await server.form(`${path}/answer`, { note: 'on my way' })).status, 303);
  const answered = await server.read(`Task/${task.id}`);
  assert.equal(answered.status, 'accepted');
  assert.ok(figure(answered, 'answered'));
  assert.equal((await server.form(`${path}/answer`, { note: 'me too' })).status, 409);
  assert.equal((await server.form(`${path}/seen`, { note: 'fluids given, repeat in 30 min' })).status, 303);
  assert.equal((await server.read(`Task/${task.id}`)).status, 'completed');
  assert.equal((await server.form(`${path}/seen`, { note: 'again' })).status, 409);
  // one answered and seen; another that nobody answered is counted beside it, never left out
  const other = await server.enter('bea', { ...SICK, acvpu: 'C' });
  await server.until(() => server.read(`Task/esc-${other.key}`), ({ status }) => status === 'requested');
  const times = (await server.page('/obs/responses')).replace(/<[^>]+>/g, '|').replace(/[|\s]*\|[|\s]*/g, '|');
  assert.match(times, /\|emergency\|2\|1\|1 of 2\|0 min\|0 min\|1 of 2\|0 min\|0 min\|1 of 1 \(100 %\)\|/);
  const csv = await server.page('/obs/responses.csv');
  assert.match(csv, new RegExp(`esc-${key},ward-a,emergency,7,completed,`));
});

test('killed in the middle of the climb: who is told next, and by when, is as it was', async (t) => {
  const server = await ward(t);
  const restart = async (between = async () => {}) => {
    await server.stop('SIGKILL');
    await between();
    const again = await spawnServer({ folder: server.folder });
    Object.assign(server, { url: again.url, child: again.child });
  };
  await server.putAll(shift('reg', 'registrar', 'Dr Day', -60, 600));
  await server.putAll(shift('out', 'outreach', 'Outreach', -60, 600));
  await server.putAll(shift('con', 'consultant', 'Dr Boss', -60, 600));
  await server.enter('ann', SICK);
  const [first] = await server.until(() => server.find('Task?patient=ann'), (tasks) => tasks.length === 1);
  const about = (task) => ['told', 'step', 'round', 'raised', 'answer-by', 'review-by'].map((n) => figure(task, n));
  await restart();
  const after = await server.read(`Task/${first.id}`);
  assert.deepEqual(about(after), about(first), 'a kill changes nobody and no time');
  assert.equal(after.meta.versionId, first.meta.versionId);

  // The five minutes are nearly over: silence must be noticed though nothing runs when they end.
  const due = Date.now() + 1500;
  extension(after, 'escalation').extension.find((e) => e.url === 'answer-by').valueDateTime =
    new Date(due).toISOString();
  await server.putAll(after);
  await restart(() => new Promise((done) => setTimeout(done, due + 100 - Date.now())));
  const climbed = await server.until(() => server.read(`Task/${first.id}`), (task) => figure(task, 'step') === 1);
  assert.deepEqual([figure(climbed, 'told'), figure(climbed, 'round'), climbed.status],
                   ['Outreach (critical care outreach)', 2, 'requested']);
  const told = Date.parse(climbed.lastModified);
  assert.ok(told >= due && told < due + 5000, 'told as soon as it runs again');
  assert.ok(Math.abs(Date.parse(figure(climbed, 'answer-by')) - told - 5 * 60000) < 1000);
  assert.equal(figure(climbed, 'raised'), figure(first, 'raised'));
  await restart();
  assert.deepEqual(about(await server.read(`Task/${first.id}`)), about(climbed), 'told once, not again');
  const names = (await server.find('Communication?patient=ann')).map((c) => c.recipient[0].display).sort();
  assert.deepEqual(names, ['Dr Day', 'Outreach']);
  assert.match(await server.page('/obs/escalations'), /Outreach/);
});

test('putting off has its limits', async (t) => {
  const server = await ward(t);
  await server.enter('ann', { ...WELL, acvpu: 'C' });
  const [task] = await server.until(() => server.find('Task?patient=ann'), (tasks) => tasks.length === 1);
  const snooze = (minutes, note = 'in theatre') =>
    server.form(`/obs/escalation/${task.id}/snooze`, { minutes: String(minutes), note });
  assert.equal((await snooze(0)).status, 400);
  assert.equal((await snooze(31)).status, 400);
  assert.equal((await snooze(10, '')).status, 400);
  assert.equal((await snooze(30)).status, 303);
  assert.equal((await server.read(`Task/${task.id}`)).status, 'on-hold');
  assert.equal((await snooze(10)).status, 422, 'it is put off already');
});

test('a corrected set runs the escalation again, down and up, and keeps the old version', async (t) => {
  const server = await ward(t);
  const { key } = await server.enter('ann', SICK);
  await server.until(() => server.find('Task?patient=ann&status=requested'), (tasks) => tasks.length === 1);
  const correct = async (fields) => {
    const { meta } = await server.read(`Observation/${key}`);
    return server.form(`/obs/set/${key}`, { at: '', key: meta.versionId, reason: 'typed wrong', ...fields });
  };
  const score = await server.read(`Observation/${key}`);
  const at = wall((Date.now() - Date.parse(score.effectiveDateTime)) / 60000);
  assert.equal((await correct({ ...WELL, at, reason: '' })).status, 422, 'a reason is needed');
  assert.equal((await correct({ ...WELL, at })).status, 303);
  const corrected = await server.read(`Observation/${key}`);
  assert.deepEqual([corrected.status, corrected.valueQuantity.value], ['corrected', 0]);
  assert.equal(corrected.effectiveDateTime, score.effectiveDateTime);
  assert.equal((await server.read(`Observation/${key}/_history/1`)).valueQuantity.value, 7);
  const [ended] = await server.until(() => server.find('Task?patient=ann'), ([task]) => task.status === 'cancelled');
  assert.match(ended.statusReason.text, /corrected: it now scores 0/);
  assert.equal((await server.form(`/obs/set/${key}`, { ...WELL, at, key: '1', reason: 'late' })).status, 409,
               'somebody corrected it meanwhile');
  assert.equal((await correct({ ...SICK, at, resp: 25 })).status, 303);
  const [again] = await server.until(() => server.find('Task?patient=ann'), ([task]) => task.status === 'requested');
  assert.equal(figure(again, 'total'), 8);
});

test('a set entered in error is kept, marked, counts for nothing, and its call ends', async (t) => {
  const server = await ward(t);
  const first = await server.enter('ann', { ...WELL, at: wall(60) });
  const { key } = await server.enter('ann', SICK);
  await server.until(() => server.find('Task?patient=ann&status=requested'), (tasks) => tasks.length === 1);
  assert.equal((await server.form(`/obs/set/${key}`, { key: '1', do: 'error', reason: 'wrong patient' })).status, 303);
  assert.equal((await server.read(`Observation/${key}`)).status, 'entered-in-error');
  assert.equal((await server.read(`Observation/${key}-resp`)).status, 'entered-in-error');
  await server.until(() => server.find('Task?patient=ann'), ([task]) => task.status === 'cancelled');
  const page = await server.page('/obs/patient/ann');
  assert.match(page, /entered in error/);
  assert.match(page, /wrong patient/);
  assert.ok(page.includes(`/obs/set/${first.key}`));
  assert.ok(!page.includes(`href="/obs/set/${key}"`), 'what is in error is not corrected');
});

test('a value changed by another app is scored anew', async (t) => {
  const server = await ward(t);
  const { key } = await server.enter('ann', WELL);
  const resp = await server.read(`Observation/${key}-resp`);
  resp.valueQuantity.value = 26;
  resp.status = 'amended';
  assert.equal((await server.put(`/fhir/Observation/${resp.id}`, resp)).status, 200);
  const score = await server.until(() => server.read(`Observation/${key}`), (s) => s.meta.versionId === '2');
  assert.deepEqual([score.status, score.valueQuantity.value], ['corrected', 3]);
  await server.until(() => server.find('Task?patient=ann'), (tasks) => tasks.length === 1);
});

test('a score sent by another system that does not add up is kept, flagged and shown', async (t) => {
  const server = await ward(t);
  const at = new Date().toISOString();
  const vital = (id, code, value, unit) => ({ resourceType: 'Observation', id, status: 'final',
    code: { coding: [{ system: SNOMED, code }] }, subject: { reference: 'Patient/ann' },
    effectiveDateTime: at, valueQuantity: { value, unit, system: 'http://unitsofmeasure.org', code: unit } });
  await server.putAll(vital('x-temp', '276885007', 37.5, 'Cel'));
  const part = (code, value) => ({ code: { coding: [{ system: SNOMED, code }] },
    valueQuantity: { value, unit: 'score' } });
  // UK Core's own example: 37.5 degrees as 1 point, so 6 where the chart gives 5.
  const sent = { resourceType: 'Observation', id: 'x-score', status: 'final',
    code: { coding: [{ system: SNOMED, code: SCORE }] }, subject: { reference: 'Patient/ann' },
    effectiveDateTime: at, valueQuantity: { value: 6, unit: 'score' },
    component: [part('1104301000000104', 2), part('1104311000000102', 2), part('1104331000000105', 0),
      part('1104341000000101', 0), part('1104351000000103', 1), part('1104361000000100', 0),
      part('1104371000000107', 1)] };
  await server.putAll(sent);
  const flagged = await server.until(() => server.find('DetectedIssue?patient=ann'), (list) => list.length === 1);
  assert.match(flagged[0].detail, /Temperature was sent as 1 points; its value gives 0/);
  assert.equal(flagged[0].implicated[0].reference, 'Observation/x-score');
  assert.equal((await server.read('Observation/x-score')).valueQuantity.value, 6, 'kept as it was sent');
  assert.match(await server.page('/obs/patient/ann'), /does not add up/);
  const sum = { ...sent, id: 'y-score', subject: { reference: 'Patient/bea' }, valueQuantity: undefined, valueInteger: 9 };
  await server.putAll(sum);
  const other = await server.until(() => server.find('DetectedIssue?patient=bea'), (list) => list.length === 1);
  assert.match(other[0].detail, /a total of 9 was sent; its own parts add up to 6/);
  const fine = { ...sent, id: 'z-score', subject: { reference: 'Patient/bea' }, effectiveDateTime: ago(60) };
  await server.putAll(fine);
  await server.until(() => server.find('Task?patient=bea'), (tasks) => tasks.length >= 1);
  assert.equal((await server.find('DetectedIssue?patient=bea')).length, 1, 'what adds up is not flagged');
});

// The shape of UK Core's example: total, points of each part and values, an Observation each.
test('points sent as Observations of their own are held against the total and the values, also late ones', async (t) => {
  const server = await ward(t);
  const at = ago(3);
  const sent = (id, code, value, more) => ({ resourceType: 'Observation', id, status: 'final',
    code: { coding: [{ system: SNOMED, code }] }, subject: { reference: 'Patient/ann' },
    effectiveDateTime: at, valueQuantity: { value, unit: 'score' }, ...more });
  const points = { 1104301000000104: 2, 1104311000000102: 2, 1104331000000105: 0, 1104341000000101: 0,
    1104351000000103: 1, 1104361000000100: 0, 1104371000000107: 0 };
  const ids = Object.entries(points).map(([code, value], i) => sent(`part-${i}`, code, value));
  for (const part of ids.slice(0, 6)) await server.putAll(part);
  await server.putAll(sent('total', SCORE, 5,
    { hasMember: ids.map(({ id }) => ({ reference: `Observation/${id}` })) }));
  await server.until(() => server.find('Task?patient=ann'), (tasks) => tasks.length === 1);
  await server.putAll(ids[6]);
  assert.equal((await server.find('DetectedIssue?patient=ann')).length, 0, 'it adds up so far');
  // the value comes last, and gives 1 where 0 was sent
  await server.putAll(sent('late', '276885007', 38.5, { valueQuantity: { value: 38.5, unit: 'Cel',
    system: 'http://unitsofmeasure.org', code: 'Cel' } }));
  const [flag] = await server.until(() => server.find('DetectedIssue?patient=ann'), (list) => list.length === 1);
  assert.match(flag.detail, /Temperature was sent as 0 points; its value gives 1/);
  assert.equal((await server.read('Observation/total')).valueQuantity.value, 5, 'kept as it was sent');
});

test('a value or a set that is deleted counts no more: scored anew, and its call ends', async (t) => {
  const server = await ward(t);
  const { key } = await server.enter('ann', SICK);
  const [task] = await server.until(() => server.find('Task?patient=ann'), (tasks) => tasks.length === 1);
  assert.equal((await server.delete(`/fhir/Observation/${key}-pulse`)).status, 204);
  const again = await server.until(() => server.read(`Observation/${key}`), (s) => s.meta.versionId === '2');
  assert.equal(again.valueQuantity, undefined, 'incomplete: no total');
  assert.equal((await server.read(`Task/${task.id}`)).status, 'requested', 'never lower');
  assert.equal((await server.delete(`/fhir/Observation/${key}`)).status, 204);
  const ended = await server.until(() => server.read(`Task/${task.id}`), ({ status }) => status === 'cancelled');
  assert.match(JSON.stringify(ended), /the set was deleted/);
});

test('a score that comes by HL7 and does not match the values beside it is kept, flagged and calls', async (t) => {
  const server = await ward(t, { args: ['--set', 'hl7v2.listen=127.0.0.1:0'] });
  const port = Number(/HL7 v2 on port (\d+)/.exec(server.log)[1]);
  const now = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  const head = (type, id) => `MSH|^~\\&|MON|RXX|FL|W|${now}||${type}|${id}|P|2.4`;
  const who = 'PID|1||H77^^^RXX^MR||Monitor^Anna||19500301|F';
  const obx = (n, code, value, unit) => `OBX|${n}|NM|${code}^x^SCT||${value}|${unit}^^UCUM|||||F|||${now}+0000`;
  const socket = net.connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  const send = (...lines) => new Promise((done) => {
    socket.once('data', (bytes) => done(bytes.toString()));
    socket.write(`\x0b${lines.join('\r')}\r\x1c\r`);
  });
  assert.match(await send(head('ADT^A28', 'M1'), `EVN||${now}`, who), /MSA\|AA/);
  assert.match(await send(head('ORU^R01', 'M2'), who, `OBR|1||R1|VITALS^Vital signs^L|||${now}+0000${'|'.repeat(18)}F`,
    obx(1, '86290005', '26', '/min'), obx(2, SCORE, '0', '{score}')), /MSA\|AA/);
  const [score] = await server.until(() => server.find(`Observation?code=${SCORE}`), (list) => list.length === 1);
  assert.equal(score.valueQuantity.value, 0, 'kept as it was sent');
  const [flag] = await server.until(() => server.find('DetectedIssue?_count=5'), (list) => list.length === 1);
  assert.match(flag.detail, /a total of 0 was sent; the values that are there give at least 3/);
  await server.until(() => server.find('Task?code=news2-escalation'), (tasks) => tasks.length === 1);
  const patient = score.subject.reference.slice('Patient/'.length);
  assert.match(await server.page(`/obs/patient/${patient}`), /does not add up/);
});

test('the list of a ward says who is due, who is overdue, and nothing normal about a missing set', async (t) => {
  const server = await ward(t);
  let list = await server.page('/obs/ward/ward-a');
  assert.match(list, /no set yet/);
  assert.equal([...list.matchAll(/overdue by 10 h/g)].length, 2, 'due since the stay began');
  await server.enter('ann', { ...WELL, at: wall(60) });
  await server.enter('bea', { ...WELL, resp: 25, at: wall(75) });
  list = await server.page('/obs/ward/ward-a');
  assert.match(list, /overdue by 1[45] min/, 'a single 3: every hour');
  assert.ok(list.indexOf('SMITH, bea') < list.indexOf('SMITH, ann'), 'the overdue stand first');
  assert.match(list, /at least every 12 hours \(unconfirmed\)/);
  const wards = await server.page('/obs');
  assert.match(wards, /ward-a/);
});

test('reached by a scan, two identifiers are checked; a set that came in meanwhile is told', async (t) => {
  const server = await ward(t);
  assert.match(await server.page('/obs/patient/ann/enter?from=scan'), /Is this the right patient\?/);
  assert.equal((await server.enter('ann', { ...WELL, from: 'scan' })).status, 422);
  assert.equal((await server.enter('ann', { ...WELL, from: 'scan', checked_name: '1' })).status, 422);
  assert.equal((await server.enter('ann', { ...WELL, from: 'scan', checked_name: '1', checked_number: '1' })).status, 303);
  const stale = await server.enter('ann', { ...WELL, seen: 'obs-something-old' });
  assert.equal(stale.status, 422);
  assert.match(stale.text, /entered a set taken at .* while this form was open/);
  assert.equal((await server.enter('ann', { ...WELL, seen: 'obs-something-old', confirm_newer: '1' })).status, 303);
});

// ---- fluids and coma ----

test('a fluid chart runs on by hour, carries no zero for what was not measured, and asks about twins', async (t) => {
  const server = await ward(t);
  let count = 0;
  // A fluid day that does not begin while the test runs.
  await server.putAll({ ...place('ward-a', 'wa'), extension: [{ valueTime: `${wall(12 * 60).slice(11, 13)}:00:00`,
    url: 'https://frontline.example/StructureDefinition/fluid-day-start' }] });
  const add = (fields) => server.form('/obs/patient/ann/fluid', { key: `fluid-${count += 1}-abcdefgh`, ...fields });
  assert.equal((await add({ route: 'iv', volume: '500', by_device: '1', at: wall(20) })).status, 303);
  assert.equal((await add({ route: 'urine', volume: '150', at: wall(10) })).status, 303);
  const twin = await add({ route: 'iv', volume: '500', at: wall(5) });
  assert.equal(twin.status, 422);
  assert.match(twin.text, /500 mL of intravenous is charted already .* by the pump: is this another one\?/);
  assert.equal((await add({ route: 'iv', volume: '499', at: wall(5) })).status, 303, 'another volume is no twin');
  for (const wrong of [{ route: 'iv' }, { route: 'iv', volume: '-5' }, { route: 'iv', volume: '20001' },
                       { route: 'tea', volume: '100' }, { route: 'stool', volume: '100', unmeasured: '1' }])
    assert.equal((await add(wrong)).status, 422, JSON.stringify(wrong));
  let page = await server.page('/obs/patient/ann/fluid');
  assert.match(page, /<strong>\+849<\/strong>/);
  assert.equal(page.match(/Nothing charted/g).length, 3, 'a day without an entry is not nought and complete');
  assert.match(page, /All measured/);
  assert.match(page, /unknown, no weight is recorded/);
  assert.equal((await add({ route: 'stool', unmeasured: '1' })).status, 303);
  page = await server.page('/obs/patient/ann/fluid');
  assert.match(page, /\+849 and more/);
  assert.match(page, /No: 1 not measured/);
  const [stool] = await server.find('Observation?patient=ann&code=stool');
  assert.equal(stool.valueQuantity, undefined);
  assert.equal((await server.form(`/obs/fluid/${stool.id}`, { reason: '' })).status, 400);
  assert.equal((await server.form(`/obs/fluid/${stool.id}`, { reason: 'wrong patient' })).status, 303);
  assert.equal((await server.read(`Observation/${stool.id}`)).status, 'entered-in-error');
  assert.doesNotMatch(await server.page('/obs/patient/ann/fluid'), /and more/);
  assert.equal((await server.form('/obs/fluid/no-such', { reason: 'wrong' })).status, 404);
});

test('low urine is graded by weight once six hours are charted, and the ward says when its day begins', async (t) => {
  const server = await ward(t);
  assert.equal((await server.form('/obs/patient/ann/weight', { weight: 'heavy' })).status, 422);
  assert.equal((await server.form('/obs/patient/ann/weight', { weight: '70' })).status, 303);
  const urine = (minutes, volume) => server.form('/obs/patient/ann/fluid',
    { key: `urine-${minutes}-abcdefgh`, route: 'urine', volume: String(volume), at: wall(minutes) });
  for (const minutes of [300, 240, 180, 120, 60, 1]) await urine(minutes, 34);
  assert.match(await server.page('/obs/patient/ann/fluid'), /unknown until six hours/);
  await urine(365, 34);
  assert.match(await server.page('/obs/patient/ann/fluid'), /urine criterion of acute kidney injury, stage 1/);
  await urine(30, 100);
  assert.match(await server.page('/obs/patient/ann/fluid'), /0.5 mL\/kg\/h or more/);
  await server.putAll({ ...place('ward-a', 'wa'), extension: [{ valueTime: '06:30:00',
    url: 'https://frontline.example/StructureDefinition/fluid-day-start' }] });
  assert.match(await server.page('/obs/patient/ann/fluid'), /By fluid day, from 06:30/);
});

test('a coma score with a part that cannot be tested has no total; a fall calls for a doctor', async (t) => {
  const server = await ward(t);
  let count = 0;
  const add = async (eyes, verbal, motor, more = {}) => {
    const key = `gcs-${count += 1}-abcdefgh`;
    const { status } = await server.form('/obs/patient/ann/gcs', { key, eyes, verbal, motor, ...more });
    return { status, key };
  };
  for (const wrong of [['5', '5', '6'], ['4', '', '6'], ['4', '5', '0'], ['x', '5', '6']])
    assert.equal((await add(...wrong)).status, 422, String(wrong));
  const tube = await add('4', 'NT', '6', { at: wall(120) });
  const stored = await server.read(`Observation/${tube.key}`);
  assert.equal(stored.valueQuantity, undefined);
  assert.equal(stored.component[1].dataAbsentReason.text, 'not testable');
  const well = await add('4', '5', '6', { at: wall(60), head_injury: '1' });
  assert.equal((await server.read(`Observation/${well.key}`)).valueQuantity.value, 15);
  let page = await server.page('/obs/patient/ann/gcs');
  assert.match(page, /After a head injury: next by .*, every 30 minutes/);
  assert.match(page, /NICE NG232, unconfirmed/);
  assert.doesNotMatch(page, /has fallen/);
  await add('4', '5', '4', { at: wall(1) });
  page = await server.page('/obs/patient/ann/gcs');
  assert.match(page, /The score has fallen: a doctor re-appraises/);
});

// ---- who may ----

test('wrong roles and strangers are refused', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'frontline-obs-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const open = await ward(t, { folder });
  await open.enter('ann', { ...WELL, acvpu: 'C' });
  const [task] = await open.until(() => open.find('Task?patient=ann'), (tasks) => tasks.length === 1);
  await open.stop();
  const closed = await startServer(t, { folder, open: false });
  const run = (...words) => execFileSync(binary, [...words, '--data', folder], { encoding: 'utf8' }).trim();
  const as = (name, role, ...more) => {
    run('user', 'add', name, '--role', role, ...more);
    const token = run('token', '--user', name, '--scope', 'user/*.cruds');
    return async (method, path, fields) => (await closed.ask(method, path, {
      body: fields && new URLSearchParams(fields).toString(),
      headers: { authorization: `Bearer ${token}`, accept: 'text/html',
                 ...(fields && { 'content-type': 'application/x-www-form-urlencoded' }) } })).status;
  };
  const set = { ...WELL, key: 'obs-role-000001' };
  const hca = as('h.ca', 'hca', '--areas', 'ward-a');
  assert.equal(await hca('GET', '/obs/patient/ann'), 200);
  assert.equal(await hca('POST', '/obs/patient/ann/enter', set), 303);
  assert.equal(await hca('POST', '/obs/patient/ann/scale', { do: 'start', reason: 'seems right' }), 403);
  assert.equal(await hca('POST', `/obs/escalation/${task.id}/answer`, { note: 'I will' }), 403);
  const nurse = as('n.urse', 'nurse', '--areas', 'ward-a');
  assert.equal(await nurse('POST', '/obs/patient/ann/scale', { do: 'start', reason: 'seems right' }), 403);
  assert.equal(await nurse('POST', `/obs/escalation/${task.id}/answer`, { note: 'I will' }), 303);
  const target = { resourceType: 'MedicationRequest', status: 'active', intent: 'order',
    subject: { reference: 'Patient/ann' }, requester: { display: 'Dr Who' }, authoredOn: ago(1),
    medicationCodeableConcept: { coding: [{ system: SNOMED, code: '24099007' }] },
    extension: [{ url: 'https://frontline.example/StructureDefinition/oxygen-target',
      valueRange: { low: { value: 88 }, high: { value: 92 } } }] };
  const post = (name, body) => closed.post('/fhir/MedicationRequest', body, {
    authorization: `Bearer ${run('token', '--user', name, '--scope', 'user/*.cruds')}` });
  assert.equal((await post('n.urse', target)).status, 403, 'nor by the interface, in a doctor\'s name');
  assert.equal((await post('n.urse', { ...target, extension: undefined })).status, 201);
  const doctor = as('d.octor', 'doctor', '--areas', 'ward-a');
  assert.equal((await post('d.octor', target)).status, 201);
  assert.equal(await doctor('POST', '/obs/patient/ann/scale', { do: 'stop', reason: 'again, on the screen' }), 303);
  assert.equal(await doctor('POST', '/obs/rota/ward-a', { role: 'registrar', who: 'x' }), 403, 'on the rota, not its keeper');
  assert.equal(await doctor('POST', '/obs/patient/ann/scale', { do: 'start', reason: 'gas of today' }), 303);
  const stranger = as('s.tranger', 'nurse', '--areas', 'ward-z');
  assert.equal(await stranger('GET', '/obs/patient/ann'), 404, 'no business with this patient');
  assert.equal(await stranger('POST', '/obs/patient/ann/enter', { ...set, key: 'obs-role-000002' }), 404);
  assert.equal(await stranger('POST', `/obs/escalation/${task.id}/seen`, { note: 'I will' }), 404);
  assert.equal(await stranger('GET', '/obs/live?ward=ward-a'), 403);
  assert.equal(await stranger('GET', '/obs/live?patient=ann'), 404);
  const clerk = as('c.lerk', 'ward_clerk', '--areas', 'ward-a');
  assert.equal(await clerk('GET', '/obs/patient/ann'), 403);
  assert.equal(await clerk('GET', '/obs/ward/ward-a'), 403);
  const list = await closed.ask('GET', '/obs/ward/ward-a', { headers: {
    authorization: `Bearer ${run('token', '--user', 's.tranger', '--scope', 'user/*.rs')}`, accept: 'text/html' } });
  assert.ok(!list.text.includes('SMITH'), 'a ward of others shows nobody');
});

test('an open list is told of a new set, and a page of its escalation', async (t) => {
  const server = await ward(t);
  await server.page('/obs/ward/ward-a');
  const control = new AbortController();
  t.after(() => control.abort());
  const stream = await fetch(`${server.url}/obs/live?ward=ward-a`, { signal: control.signal });
  const reader = stream.body.pipeThrough(new TextDecoderStream()).getReader();
  await server.enter('ann', SICK);
  let text = '';
  while (!/obs-ann/.test(text)) {
    const { value, done } = await reader.read();
    assert.ok(!done);
    text += value;
  }
  assert.match(text, /id="obs-ann"/);
  assert.equal((await server.get('/obs/live')).status, 400);
});

test('the rows this goes by say where they come from and what is unconfirmed', async (t) => {
  const server = await startServer(t);
  const page = (await server.get('/obs/rules', { accept: 'text/html' })).text;
  for (const said of [/local choice, for the trust to sign/, /RCP NEWS2 2017/, /unconfirmed/, /20\.0 to 46\.0/, /registrar/])
    assert.match(page, said);
});

test('what is not there is not found, and nonsense is named', async (t) => {
  const server = await ward(t);
  for (const path of ['/obs/patient/nobody', '/obs/patient/nobody/enter', '/obs/ward/nowhere', '/obs/set/nothing',
                      '/obs/patient/nobody/fluid', '/obs/patient/nobody/gcs', '/obs/patient/nobody/escalations'])
    assert.equal((await server.get(path, { accept: 'text/html' })).status, 404, path);
  assert.equal((await server.form('/obs/escalation/nothing/answer', { note: 'yes yes' })).status, 404);
  assert.equal((await server.form('/obs/patient/ann/enter', {})).status, 422, 'nothing was entered');
  assert.equal((await server.get('/obs/patient/ann?hours=x')).status, 200);
  const { key } = await server.enter('ann', { ...WELL, oxygen: 'air', flow: '2' });
  assert.equal((await server.get(`/fhir/Observation/${key}`)).status, 404, 'a flow on air is a slip');
  assert.equal((await server.enter('ann', { ...WELL, systolic: 80, diastolic: 90 })).status, 422);
  const long = await server.enter('ann', { ...WELL, acvpu: 'Z'.repeat(70000) });
  assert.equal(long.status, 413);
});
