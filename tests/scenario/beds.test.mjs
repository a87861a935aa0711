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
