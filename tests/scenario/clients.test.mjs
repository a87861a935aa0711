// SPDX-License-Identifier: Apache-2.0
// Clients nobody here wrote: fhir-kit-client and SMART's fhirclient, for the flows they support.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { startServer } from './server.mjs';

const require = createRequire(import.meta.url);
const ann = { resourceType: 'Patient', name: [{ family: 'Smith', given: ['Ann'] }],
              birthDate: '1970-01-02', identifier: [{ system: 'urn:x', value: '1' }] };
const pulse = (id, patient) => ({
  resourceType: 'Observation', id, status: 'final', subject: { reference: `Patient/${patient}` },
  code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] },
  valueQuantity: { value: 70, unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' } });

test('fhir-kit-client: every interaction it has', async (t) => {
  const server = await startServer(t);
  const { default: Client } = await import('fhir-kit-client');
  const client = new (Client.default ?? Client)({ baseUrl: `${server.url}/fhir` });

  assert.equal((await client.capabilityStatement()).fhirVersion, '4.0.1');
  const made = await client.create({ resourceType: 'Patient', body: ann });
  const { id } = made;
  assert.equal((await client.read({ resourceType: 'Patient', id })).birthDate, '1970-01-02');
  const changed = await client.update({ resourceType: 'Patient', id, body: { ...made, active: true } });
  assert.equal(changed.meta.versionId, '2');
  const first = await client.vread({ resourceType: 'Patient', id, version: '1' });
  assert.equal(first.active, undefined);
  const patched = await client.patch({ resourceType: 'Patient', id,
    JSONPatch: [{ op: 'replace', path: '/birthDate', value: '1971-01-02' }] });
  assert.equal(patched.birthDate, '1971-01-02');

  const found = await client.search({ resourceType: 'Patient', searchParams: { family: 'smith' } });
  assert.equal(found.total ?? found.entry.length, 1);
  const posted = await client.resourceSearch({ resourceType: 'Patient', options: { postSearch: true },
                                               searchParams: { birthdate: '1971-01-02' } });
  assert.equal(posted.entry[0].resource.id, id);
  for (let i = 0; i < 5; i++)
    await client.update({ resourceType: 'Observation', id: `p${i}`, body: pulse(`p${i}`, id) });
  let page = await client.compartmentSearch({ resourceType: 'Observation', searchParams: { _count: 2 },
    compartment: { resourceType: 'Patient', id } });
  const seen = new Set();
  for (; page; page = await client.nextPage({ bundle: page }))
    page.entry.forEach((entry) => seen.add(entry.resource.id));
  assert.equal(seen.size, 5);

  const history = await client.history({ resourceType: 'Patient', id });
  assert.deepEqual(history.entry.map((e) => e.response.etag), ['W/"3"', 'W/"2"', 'W/"1"']);
  assert.ok((await client.typeHistory({ resourceType: 'Patient' })).entry.length >= 3);
  assert.ok((await client.systemHistory()).entry.length >= 8);
  const everything = await client.operation({ name: 'everything', resourceType: 'Patient', id,
                                              method: 'GET' });
  assert.equal(everything.total, 6);
  const batch = await client.batch({ body: { resourceType: 'Bundle', type: 'batch', entry: [
    { request: { method: 'GET', url: `Patient/${id}` } }] } });
  assert.equal(batch.entry[0].resource.id, id);
  const transaction = await client.transaction({ body: { resourceType: 'Bundle', type: 'transaction',
    entry: [{ resource: ann, request: { method: 'POST', url: 'Patient',
                                        ifNoneExist: 'identifier=urn:x|1' } }] } });
  assert.match(transaction.entry[0].response.status, /^200/);
  const reference = await client.resolve({ reference: `Patient/${id}` });
  assert.equal(reference.id, id);
  await client.delete({ resourceType: 'Patient', id });
  await assert.rejects(client.read({ resourceType: 'Patient', id }),
                       (error) => error.response.status === 410 &&
                         error.response.data.resourceType === 'OperationOutcome');
});

test('fhirclient: requests, pages, references and a patient in context', async (t) => {
  const server = await startServer(t);
  const smart = require('fhirclient');
  const client = smart({ headers: {}, url: '/' }, {}).client({ serverUrl: `${server.url}/fhir` });
  const made = await client.create(ann);
  const { id } = made;
  for (let i = 0; i < 3; i++)
    await client.update(pulse(`p${i}`, id));
  assert.equal((await client.request(`Patient/${id}`)).id, id);
  const all = await client.request(`Observation?patient=${id}&_count=1`, { pageLimit: 0, flat: true });
  assert.equal(all.length, 3);
  const resolved = await client.request('Observation/p1', { resolveReferences: ['subject'] });
  assert.equal(resolved.subject.id, id);
  await client.patch(`Patient/${id}`, [{ op: 'add', path: '/gender', value: 'female' }]);
  assert.equal((await client.request(`Patient/${id}`)).gender, 'female');
  assert.equal(await client.getFhirRelease(), 4);
  await client.delete(`Patient/${id}`);
  await assert.rejects(client.request(`Patient/${id}`), /410|deleted|Gone/i);
});
