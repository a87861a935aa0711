// SPDX-License-Identifier: Apache-2.0
// Bulk Data: a researcher exports, a migration imports, and a restart in between does no harm.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Server } from '../lib/server.mjs';

const ASYNC = { prefer: 'respond-async' };
const NDJSON = { ...ASYNC, 'content-type': 'application/fhir+ndjson' };
const patient = (id, extra) => ({ resourceType: 'Patient', id, active: true, gender: 'female', ...extra });
const observation = (id, of, status = 'final') => ({
  resourceType: 'Observation', id, status, code: { text: 'x' }, subject: { reference: `Patient/${of}` },
});
const lines = (resources) => resources.map((r) => JSON.stringify(r)).join('\n') + '\n';

async function finished(url) {
  for (let i = 0; i < 300; i++) {
    const answer = await fetch(url);
    if (answer.status !== 202) return { status: answer.status, body: await answer.json() };
    assert.ok(answer.headers.get('x-progress'));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the job did not end');
}

async function asked(server, path, headers = ASYNC, body = undefined) {
  const answer = await fetch(server.url + path, { method: body ? 'POST' : 'GET', headers, body });
  assert.equal(answer.status, 202, await answer.text());
  return answer.headers.get('content-location');
}

// The resources of an export, by type.
async function exported(server, path) {
  const { status, body } = await finished(await asked(server, path));
  assert.equal(status, 200, JSON.stringify(body));
  const types = {};
  for (const { type, url } of body.output) {
    const answer = await fetch(url);
    assert.equal(answer.headers.get('content-type'), 'application/fhir+ndjson');
    types[type] = (await answer.text()).trim().split('\n').map((line) => JSON.parse(line));
  }
  return types;
}

const count = (types) => Object.fromEntries(Object.entries(types).map(([t, list]) => [t, list.length]));

test('bulk export and import', async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'frontline-bulk-'));
  t.after(() => rmSync(data, { recursive: true, force: true }));
  let server = await Server.start({ folder: data });

  await t.test('what is imported is told, refused lines too', async () => {
    const resources = [patient('a'), patient('b'), { resourceType: 'Patient', wrong: 1 },
      observation('o1', 'a'), observation('o2', 'b', 'preliminary'),
      { resourceType: 'Organization', id: 'org', name: 'Ward' },
      { resourceType: 'Group', id: 'g', type: 'person', actual: true,
        member: [{ entity: { reference: 'Patient/a' } }] }];
    const { status, body } = await finished(await asked(server, '/fhir/$import', NDJSON, lines(resources)));
    assert.equal(status, 200);
    const errors = await (await fetch(body.error[0].url)).text();
    assert.match(errors, /input.ndjson:3 Patient/);
    assert.equal((await fetch(`${server.url}/fhir/Patient/a`)).status, 200);
  });

  await t.test('system, patient and group level', async () => {
    assert.deepEqual(count(await exported(server, '/fhir/$export')),
      { Group: 1, Observation: 2, Organization: 1, Patient: 2 });
    const patients = count(await exported(server, '/fhir/Patient/$export'));
    assert.equal(patients.Organization, undefined);
    assert.equal(patients.Observation, 2);
    const group = await exported(server, '/fhir/Group/g/$export?_type=Patient,Observation');
    assert.deepEqual(count(group), { Observation: 1, Patient: 1 });
    assert.equal(group.Patient[0].id, 'a');
  });

  await t.test('_since, _typeFilter and _elements', async () => {
    const later = new Date(Date.now() + 3600000).toISOString();
    assert.deepEqual(await exported(server, `/fhir/$export?_since=${later}`), {});
    const filtered = await exported(server,
      `/fhir/$export?_type=Observation&_typeFilter=${encodeURIComponent('Observation?status=final')}`);
    assert.deepEqual(filtered.Observation.map((o) => o.id), ['o1']);
    const [cut] = (await exported(server, '/fhir/$export?_type=Patient&_elements=gender')).Patient;
    assert.equal(cut.gender, 'female');
    assert.equal(cut.active, undefined);
    assert.equal(cut.meta.tag[0].code, 'SUBSETTED');
  });

  await t.test('what was deleted since is told, unless it is there again', async () => {
    const since = new Date(Date.now() - 60000).toISOString();
    for (const id of ['gone', 'back']) {
      await fetch(`${server.url}/fhir/Patient/${id}`, { method: 'PUT', body: JSON.stringify(patient(id)),
        headers: { 'content-type': 'application/fhir+json' } });
      assert.equal((await fetch(`${server.url}/fhir/Patient/${id}`, { method: 'DELETE' })).status, 204);
    }
    await fetch(`${server.url}/fhir/Patient/back`, { method: 'PUT', body: JSON.stringify(patient('back')),
      headers: { 'content-type': 'application/fhir+json' } });
    const { body } = await finished(await asked(server, `/fhir/Patient/$export?_since=${since}`));
    assert.equal(body.deleted.length, 1);
    const bundle = JSON.parse(await (await fetch(body.deleted[0].url)).text());
    assert.deepEqual(bundle, { resourceType: 'Bundle', type: 'transaction',
      entry: [{ request: { method: 'DELETE', url: 'Patient/gone' } }] });
    const later = await finished(await asked(server,
      `/fhir/Patient/$export?_since=${new Date(Date.now() + 60000).toISOString()}`));
    assert.deepEqual(later.body.deleted, []);
    assert.deepEqual((await finished(await asked(server, '/fhir/Patient/$export'))).body.deleted, [],
      'a whole export is no difference');
  });

  await t.test('the CapabilityStatement names the operations', async () => {
    const statement = await (await fetch(`${server.url}/fhir/metadata`)).json();
    const names = (list) => list.map((o) => o.name);
    assert.ok(names(statement.rest[0].operation).includes('export'));
    assert.ok(names(statement.rest[0].operation).includes('import'));
    for (const type of ['Patient', 'Group'])
      assert.ok(names(statement.rest[0].resource.find((r) => r.type === type).operation).includes('export'), type);
  });

  await t.test('bad requests say what to do', async () => {
    for (const [path, headers, status] of [
      ['/fhir/$export', {}, 400], ['/fhir/$export?_type=Nothing', ASYNC, 400],
      ['/fhir/$export?_since=yesterday', ASYNC, 400], ['/fhir/$export?_foo=1', ASYNC, 400],
      ['/fhir/$export?_outputFormat=csv', ASYNC, 400], ['/fhir/Group/none/$export', ASYNC, 404],
      ['/fhir/$bulk/none', {}, 404]]) {
      const answer = await fetch(server.url + path, { headers });
      assert.equal(answer.status, status, path);
      assert.equal((await answer.json()).resourceType, 'OperationOutcome');
    }
  });

  await t.test('a job outlives a restart, and can be ended', async () => {
    const place = await asked(server, '/fhir/$export');
    await server.stop('SIGKILL');
    server = await Server.start({ folder: data });
    const here = server.url + new URL(place).pathname;
    assert.equal((await finished(here)).status, 200);
    assert.equal((await fetch(here, { method: 'DELETE' })).status, 202);
    assert.equal((await fetch(here)).status, 404);
  });

  assert.equal(await server.stop(), 0);
});
