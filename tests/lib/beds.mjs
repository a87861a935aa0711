// SPDX-License-Identifier: Apache-2.0
// A small hospital for the tests of beds: two wards, bays for women and men, a side room, a lounge.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { binary, startServer } from './server.mjs';

export const physical = (code) => ({ coding: [{
  system: 'http://terminology.hl7.org/CodeSystem/location-physical-type', code }] });
export const attribute = (...codes) => codes.map((code) =>
  ({ coding: [{ system: 'https://frontline.example/CodeSystem/bed-attribute', code }] }));
export const person = (id, gender, birthDate) => ({ resourceType: 'Patient', id, gender, birthDate,
  name: [{ family: 'Smith', given: [id] }] });
export const place = (id, kind, partOf, type) => ({ resourceType: 'Location', id, name: id,
  physicalType: physical(kind), type, ...(partOf && { partOf: { reference: `Location/${partOf}` } }) });
export const flag = (patient, text) => ({ resourceType: 'Flag', status: 'active', code: { text },
  subject: { reference: `Patient/${patient}` } });

const PLACES = [
  place('ward-a', 'wa'), place('ward-b', 'wa'), place('bay-f', 'ro', 'ward-a'), place('bay-m', 'ro', 'ward-a'),
  place('bed-f1', 'bd', 'bay-f', attribute('female', 'adult')),
  place('bed-f2', 'bd', 'bay-f', attribute('female', 'adult')),
  place('bed-m1', 'bd', 'bay-m', attribute('male', 'adult')),
  place('bed-m2', 'bd', 'bay-m', attribute('male', 'adult')),
  place('bed-side', 'bd', 'ward-a', attribute('side-room', 'adult')),
  place('bed-b1', 'bd', 'ward-b', attribute('adult')),
  place('lounge', 'ro', undefined, attribute('discharge-lounge')),
];
const PEOPLE = [person('ann', 'female', '1950-01-01'), person('bea', 'female', '1960-01-01'),
  person('cat', 'female', '1970-01-01'), person('max', 'male', '1970-01-01'), person('kid', 'male', '2020-01-01')];

// options.open false: everybody signs in; server.as(role) then gives the headers of such a person.
export async function hospital(t, options = {}) {
  const server = await startServer(t, options);
  const run = (...words) =>
    execFileSync(binary, [...words, '--data', server.folder], { encoding: 'utf8' }).trim();
  const operator = options.open === false
    ? { authorization: `Bearer ${run('token', '--scope', 'system/*.cruds')}` } : {};
  server.operator = operator;
  for (const resource of [...PLACES, ...PEOPLE])
    assert.equal((await server.put(`/fhir/${resource.resourceType}/${resource.id}`, resource, operator)).status, 201);
  server.move = (name, inputs, headers = operator) => server.ask('POST', `/beds/move/${name}`, {
    body: inputs, headers: { 'content-type': 'application/json', ...headers } });
  server.bed = async (id) =>
    (await server.get('/beds/board.json', operator)).body.beds.find((b) => b.bed === id);
  server.encounter = async (id) => (await server.get(`/fhir/Encounter/${id}`, operator)).body;
  server.as = (role) => {
    run('user', 'add', `a.${role}`, '--role', role, '--areas', 'ward-a,ward-b');
    return { authorization: `Bearer ${run('token', '--scope', 'user/*.cruds', '--user', `a.${role}`)}` };
  };
  // A move that must succeed; gives its answer.
  server.must = async (name, inputs, headers) => {
    const answer = await server.move(name, inputs, headers);
    assert.equal(answer.status, 200, `${name}: ${answer.text}`);
    return answer.body;
  };
  return server;
}

export async function eventually(what, test, ms = 8000) {
  const until = Date.now() + ms;
  for (;;) {
    const seen = await test();
    if (seen) return seen;
    if (Date.now() > until) assert.fail(`not within ${ms} ms: ${what}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

// Reads one event stream until `wanted` says yes to an event; undefined when time is up.
export async function listen(url, wanted, ms = 8000) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), ms);
  let text = '';
  try {
    const response = await fetch(url, { signal: stop.signal, headers: { accept: 'text/event-stream' } });
    for await (const part of response.body) {
      text += Buffer.from(part).toString();
      const found = text.split('\n\n').find(wanted);
      if (found) return found;
    }
  } catch { /* aborted: not seen */ } finally {
    clearTimeout(timer);
    stop.abort();
  }
  return undefined;
}
