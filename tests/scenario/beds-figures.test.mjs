// SPDX-License-Identifier: Apache-2.0
// The returns: what counts, who is behind a number, what was submitted and how it was amended.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attribute, hospital, physical, place } from '../lib/beds.mjs';

const stay = (id, bed, start, end, changes = {}) => ({ resourceType: 'Encounter', id,
  status: end ? 'finished' : 'in-progress', class: { code: 'IMP' }, subject: { reference: `Patient/${id}` },
  period: { start, ...(end && { end }) },
  location: [{ location: { reference: `Location/${bed}` }, physicalType: physical('bd'),
               status: end ? 'completed' : 'active', period: { start, ...(end && { end }) } }], ...changes });
const rowOf = async (server, day) =>
  (await server.get(`/beds/sitrep?from=${day}&to=${day}`, server.operator)).body.rows[0];
const put = async (server, resource) => {
  const answer = await server.put(`/fhir/${resource.resourceType}/${resource.id}`, resource);
  assert.ok(answer.status < 300, answer.text);
};
const london = (days) => new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/London' })
  .format(new Date(Date.now() + days * 86400000));

test('maternity, home leave, day cases and closures are left out; occupied critical care beds are in', async (t) => {
  const server = await hospital(t);
  await put(server, { ...place('ward-mat', 'wa'), type: [{ coding: [{ code: '501' }] }] });
  await put(server, place('bed-mat', 'bd', 'ward-mat'));
  await put(server, place('bed-icu', 'bd', 'ward-a', attribute('critical')));
  await put(server, { ...place('bed-icu-2', 'bd', 'ward-a', attribute('critical')), status: 'suspended',
    operationalStatus: { code: 'C' }, extension: [{ url: 'https://frontline.example/StructureDefinition/bed-closure',
      extension: [{ url: 'from', valueDateTime: '2026-01-01T00:00:00Z' }] }] });
  await put(server, { ...place('bed-shut', 'bd', 'ward-b', attribute('adult')), extension: [{
    url: 'https://frontline.example/StructureDefinition/bed-closure', extension: [
      { url: 'from', valueDateTime: '2026-03-09T12:00:00Z' }, { url: 'why', valueString: 'leak' },
      { url: 'to', valueDateTime: '2026-03-11T12:00:00Z' }] }] });
  await put(server, stay('mother', 'bed-mat', '2026-03-01T10:00:00Z', '2026-03-20T10:00:00Z'));
  await put(server, stay('ill', 'bed-icu-2', '2026-03-01T10:00:00Z', '2026-03-20T10:00:00Z'));
  await put(server, stay('day', 'bed-f1', '2026-03-10T07:00:00Z', '2026-03-10T15:00:00Z', { class: { code: 'SS' } }));
  await put(server, stay('away', 'bed-f2', '2026-03-01T10:00:00Z', '2026-03-20T10:00:00Z', { statusHistory: [
    { status: 'in-progress', period: { start: '2026-03-01T10:00:00Z', end: '2026-03-09T18:00:00Z' } },
    { status: 'onleave', period: { start: '2026-03-09T18:00:00Z', end: '2026-03-11T09:00:00Z' } }] }));
  const open = { core_open: 7, escalation_open: 0 };
  const [before, on, after] = await Promise.all(['2026-03-09', '2026-03-10', '2026-03-12'].map((d) => rowOf(server, d)));
  assert.deepEqual(before.adult, { ...open, occupied: 1 });
  assert.deepEqual(on.adult, { ...open, core_open: 6, occupied: 0 }, 'on leave, and one bed closed');
  assert.deepEqual(after.adult, { ...open, occupied: 1 });
  assert.equal(on.critical_open, 2, 'one open, one closed but occupied');
  assert.equal(on.critical_occupied, 1);
  assert.equal(on.admissions, 0, 'a day case is no admission');
  const behind = (await server.get('/beds/sitrep/2026-03-12')).body.behind;
  assert.deepEqual(behind.adult_occupied, ['away']);
  assert.deepEqual(behind.critical_occupied, ['ill']);
  assert.deepEqual(behind.stays_7_days, ['away'], 'eleven midnights');
  assert.deepEqual((await server.get('/beds/sitrep/2026-03-08')).body.behind.stays_7_days, ['away'], 'seven');
  assert.deepEqual((await server.get('/beds/sitrep/2026-03-07')).body.behind.stays_7_days, [], 'six');
});

test('a day is submitted once and amended for fourteen days with who, when, from what to what and why', async (t) => {
  const server = await hospital(t, { open: false });
  const manager = server.as('bed_manager'), clerk = server.as('ward_clerk');
  const post = (day, act, body, who = manager) => server.ask('POST', `/beds/sitrep/${day}/${act}`, {
    body, headers: { 'content-type': 'application/json', ...who } });
  const today = london(0), fourteen = london(-14), fifteen = london(-15);
  assert.equal((await post(today, 'submit', {}, clerk)).status, 403);
  const made = await post(today, 'submit', {});
  assert.equal(made.status, 200, made.text);
  assert.equal(made.body.submitted.adult_core_open, 6);
  assert.equal(made.body.submitted.by, 'a.bed_manager');
  assert.equal((await post(today, 'submit', {})).status, 409, 'once');

  const change = { field: 'adult_occupied', value: 3, reason: 'three were missing from the feed' };
  const amended = await post(today, 'amend', change);
  assert.equal(amended.status, 200, amended.text);
  assert.equal(amended.body.submitted.adult_occupied, 3);
  const again = await post(today, 'amend', { ...change, value: '4', reason: 'and one more' });
  assert.deepEqual(again.body.amendments.map((a) => [a.field, a.old, a.new, a.reason, a.who]), [
    ['adult_occupied', 0, 3, 'three were missing from the feed', 'a.bed_manager'],
    ['adult_occupied', 3, 4, 'and one more', 'a.bed_manager']]);
  assert.ok(again.body.amendments.every((a) => a.at.startsWith(today)));
  assert.equal(again.body.adult.occupied, 0, 'what is computed stays what is computed');

  assert.equal((await post(fourteen, 'amend', change)).status, 200, 'the fourteenth day');
  const late = await post(fifteen, 'amend', change);
  assert.equal(late.status, 422, late.text);
  assert.match(late.text, /14 days/);
  assert.equal((await post(london(1), 'submit', {})).status, 422, 'not before the day');
  assert.equal((await post(today, 'amend', { ...change, field: 'moon' })).status, 400);
  assert.equal((await post(today, 'amend', { ...change, value: -1 })).status, 400);
  assert.equal((await post(today, 'amend', { ...change, reason: '' })).status, 400);
  assert.equal((await post(today, 'dance', change)).status, 404);
  assert.equal((await post('22.11.2026', 'submit', {})).status, 400);
});

test('two people amend one day at one moment and neither is lost', async (t) => {
  const server = await hospital(t);
  const post = (act, body) => server.ask('POST', `/beds/sitrep/${london(0)}/${act}`, {
    body, headers: { 'content-type': 'application/json' } });
  assert.equal((await post('submit', {})).status, 200);
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) =>
    post('amend', { field: 'admissions', value: i + 1, reason: `number ${i + 1}` })));
  assert.ok(answers.every((a) => a.status === 200), answers.map((a) => a.text).join('\n').slice(0, 500));
  const { amendments } = (await server.get(`/beds/sitrep/${london(0)}`)).body;
  assert.equal(amendments.length, 20);
  for (let i = 1; i < amendments.length; i++)
    assert.equal(amendments[i].old, amendments[i - 1].new, 'each starts from the one before');
});

test('a date of discharge that is moved keeps the one before; a forecast says when it cannot be tried', async (t) => {
  const server = await hospital(t);
  const { encounter } = await server.must('admit', { bed: 'bed-f1', patient: 'ann', isolation: 'none' });
  await server.must('edd', { encounter, date: '2030-01-02' });
  await server.must('edd', { encounter, date: '2030-01-09' });
  assert.equal((await server.move('edd', { encounter, date: '2030-02-31' })).status, 400);
  const { extension } = await server.encounter(encounter);
  const of = (name) => extension.filter((e) => e.url.endsWith(name));
  assert.deepEqual(of('estimated-discharge-date').map((e) => e.valueDate), ['2030-01-09']);
  assert.deepEqual(of('edd-change').map((e) => e.extension.find((x) => x.url === 'to').valueDate),
                   ['2030-01-02', '2030-01-09']);
  const { forecasts } = (await server.get('/beds/forecast.json')).body;
  assert.deepEqual(forecasts.map((f) => f.hours), [24, 72]);
  for (const f of forecasts) {
    assert.equal(f.tried_on, 0);
    assert.ok(f.q05 <= f.q50 && f.q50 <= f.q95 && Math.abs(f.mean - 1) < 1.5, JSON.stringify(f));
  }
  assert.match((await server.get('/beds/figures')).text, /not yet the five weeks/);
});

test('bed days and the census count each midnight of London once, also of 23 and 25 hours', async (t) => {
  const server = await hospital(t);
  await put(server, { ...place('ward-mat', 'wa'), type: [{ coding: [{ code: '501' }] }] });
  await put(server, place('bed-mat', 'bd', 'ward-mat'));
  const surgery = { serviceType: { coding: [{ code: '100' }] } };
  // In at 23:30 and out at 00:30 by the wall on each of the two nights, and a stay over a week with both.
  await put(server, stay('spring', 'bed-f1', '2026-03-28T23:30:00Z', '2026-03-29T00:30:00Z', surgery));
  await put(server, stay('autumn', 'bed-f1', '2026-10-24T22:30:00Z', '2026-10-25T00:30:00Z', surgery));
  await put(server, stay('week', 'bed-f2', '2026-03-27T12:00:00Z', '2026-04-03T11:00:00Z'));
  await put(server, stay('born', 'bed-mat', '2026-03-28T12:00:00Z', '2026-03-30T12:00:00Z'));
  const spring = (await server.get('/beds/kh03?from=2026-03-28&to=2026-03-31')).body;
  assert.deepEqual(spring.general_and_acute, { available: 3 * 6, occupied: 1 + 3, in_return: true,
    by_specialty: { 100: 1, 'not given': 3 } });
  assert.deepEqual(spring.maternity, { available: 3, occupied: 2, in_return: true, by_specialty: { 'not given': 2 } });
  assert.equal(spring.critical_care.in_return, false);
  const autumn = (await server.get('/beds/kh03?from=2026-10-24&to=2026-10-27')).body;
  assert.equal(autumn.general_and_acute.occupied, 1, 'the night of 25 hours once');
  assert.equal(autumn.general_and_acute.available, 3 * 6);
  const year = (await server.get('/beds/kh03?from=2026-03-01&to=2026-11-01')).body;
  assert.equal(year.general_and_acute.occupied, 1 + 1 + 7);
  const census = (await server.get('/beds/census/2026-03-28')).body;
  assert.deepEqual(census.general_and_acute.sort(), ['spring', 'week']);
  assert.deepEqual(census.maternity, ['born']);
  assert.equal((await server.get('/beds/kh03?from=2026-04-01&to=2026-03-01')).status, 400);
  assert.equal((await server.get('/beds/census/yesterday')).status, 400);
});
