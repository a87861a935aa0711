// SPDX-License-Identifier: Apache-2.0
// Views over HTTP: rows at once, and files made in the background.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rmSync } from 'node:fs';
import { spawnServer, startServer } from './server.mjs';

const view = {
  resourceType: 'ViewDefinition', name: 'people', resource: 'Patient',
  select: [{ column: [{ name: 'id', path: 'getResourceKey()', type: 'id' }] },
           { forEachOrNull: 'name', column: [{ name: 'family', path: 'family', type: 'string' }] }],
};
const parameters = (...parameter) => ({ resourceType: 'Parameters', parameter });

async function people(server) {
  await server.put('/fhir/Patient/a', { resourceType: 'Patient', id: 'a',
                                        name: [{ family: 'Ash' }, { family: 'Oak' }] });
  await server.put('/fhir/Patient/b', { resourceType: 'Patient', id: 'b' });
}

test('a view runs over the record, in each format', async (t) => {
  const server = await startServer(t);
  await people(server);
  const run = (query, body) => server.post(`/fhir/$viewdefinition-run${query}`, body);
  assert.equal((await run('?_format=csv', view)).text, 'id,family\r\na,Ash\r\na,Oak\r\nb,\r\n');
  assert.equal((await run('?_format=csv&_limit=1&header=false', view)).text, 'a,Ash\r\n');
  const rows = await run('', parameters({ name: 'viewResource', resource: view },
                                        { name: '_format', valueCode: 'json' },
                                        { name: 'patient', valueReference: { reference: 'Patient/b' } }));
  assert.deepEqual(rows.body, [{ id: 'b', family: null }]);
  const inline = await run('', parameters({ name: 'viewResource', resource: view },
    { name: 'resource', resource: { resourceType: 'Patient', id: 'z' } }));
  assert.equal(inline.text, '{"id":"z","family":null}\n');
});

test('a view that is wrong is refused with the place of the fault', async (t) => {
  const server = await startServer(t);
  await people(server);
  const broken = { ...view, select: [{ column: [{ name: 'x', path: 'name.' }] }] };
  const answer = await server.post('/fhir/$viewdefinition-run', broken);
  assert.equal(answer.status, 422);
  assert.match(answer.text, /select\[0\]\.column\[0\]\.path/);
  const many = { ...view, select: [{ column: [{ name: 'x', path: 'name.family' }] }] };
  assert.equal((await server.post('/fhir/$viewdefinition-run', many)).status, 422);
  assert.equal((await server.post('/fhir/$viewdefinition-run', parameters())).status, 400);
  const unknown = parameters({ name: 'viewReference', valueReference: { reference: 'ViewDefinition/x' } });
  assert.equal((await server.post('/fhir/$viewdefinition-run', unknown)).status, 404);
});

test('an export gives the place of its files, and can be forgotten', async (t) => {
  const server = await startServer(t);
  await people(server);
  const start = await server.post('/fhir/$viewdefinition-export?_format=csv', parameters(
    { name: 'view', part: [{ name: 'name', valueString: 'p' },
                           { name: 'viewResource', resource: view }] }));
  assert.equal(start.status, 202);
  const place = new URL(start.headers.get('content-location')).pathname;
  let status = await server.get(place);
  for (let i = 0; status.status === 202 && i < 100; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    status = await server.get(place);
  }
  assert.equal(status.status, 200, status.text);
  const output = status.body.parameter.find((p) => p.name === 'output').part;
  const location = new URL(output.find((p) => p.name === 'location').valueUri).pathname;
  const file = await server.get(location);
  assert.equal(file.text.trim().split('\n').length, 4);
  assert.equal((await server.delete(place)).status, 202);
  assert.equal((await server.get(place)).status, 404);
});

test('an export that a kill cut short is made again for whoever asks how far it is', async (t) => {
  const first = await spawnServer();
  t.after(() => rmSync(first.folder, { recursive: true, force: true }));
  await people(first);
  const start = await first.post('/fhir/$viewdefinition-export?_format=csv', parameters(
    { name: 'view', part: [{ name: 'name', valueString: 'p' }, { name: 'viewResource', resource: view }] }));
  const place = new URL(start.headers.get('content-location')).pathname;
  await first.stop('SIGKILL');
  const second = await spawnServer({ folder: first.folder });
  t.after(() => second.stop());
  const early = await second.get(`${place}/p-1`);
  assert.deepEqual([early.status, early.headers.get('retry-after')], [503, '1']);
  let status = await second.get(place, { accept: 'application/fhir+json' });
  for (let i = 0; status.status === 202 && i < 100; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    status = await second.get(place);
  }
  assert.equal(status.status, 200, status.text);
  const output = status.body.parameter.find((p) => p.name === 'output').part;
  const file = await second.get(new URL(output.find((p) => p.name === 'location').valueUri).pathname);
  assert.match(file.headers.get('content-type'), /csv/, 'in the format that was asked for');
  assert.equal(file.text.trim().split('\n').length, 4);
  assert.equal((await second.get(`${place}/p-2`)).status, 404);
  assert.equal((await second.get(`${place}x`)).status, 404);
  assert.equal((await second.delete(place)).status, 202);
  assert.equal((await second.get(place)).status, 404, 'forgotten when it was told to');
});

test('a view a system keeps is run by its name', async (t) => {
  const server = await startServer(t);
  await people(server);
  await server.put('/fhir/Encounter/e', { resourceType: 'Encounter', id: 'e', status: 'finished',
    class: { code: 'IMP' }, subject: { reference: 'Patient/a' } });
  const one = await server.get('/fhir/ViewDefinition/beds_stays/$viewdefinition-run?_format=json');
  assert.equal(one.body[0].patient, 'a');
  const asked = parameters({ name: 'viewReference', valueReference: { reference: 'ViewDefinition/beds_stays' } },
                           { name: '_format', valueCode: 'json' });
  assert.deepEqual((await server.post('/fhir/$viewdefinition-run', asked)).body, one.body);
});
