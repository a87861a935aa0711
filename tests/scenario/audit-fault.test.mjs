// SPDX-License-Identifier: Apache-2.0
// While the audit cannot be written nothing is given out and nothing is written; what was noted
// before is not lost.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { binary, startServer } from './server.mjs';

const run = (server, ...words) =>
  execFileSync(binary, [...words, '--data', server.folder], { encoding: 'utf8' }).trim();
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

test('what cannot be audited is neither given out nor written', async (t) => {
  const server = await startServer(t, { open: false });
  const all = { authorization: `Bearer ${run(server, 'token', '--scope', 'system/*.cruds')}` };
  const sql = (text) => execFileSync('sqlite3', ['-cmd', '.timeout 5000', join(server.folder, 'record.db'), text]);
  const get = async () => (await server.get('/fhir/Patient/p', all)).status;
  const put = async () => (await server.put('/fhir/Patient/p', { resourceType: 'Patient', id: 'p',
    active: true }, all)).status;
  assert.equal(await put(), 201);
  assert.equal(await get(), 200);
  await wait(300);
  sql('ALTER TABLE audit_block RENAME TO taken_away');
  assert.equal(await get(), 200, 'noted, and waiting to be written');
  await wait(400);
  assert.equal(await get(), 503);
  assert.match((await server.get('/fhir/Patient', all)).text, /audit cannot be written/);
  const before = (await server.put('/fhir/Patient/q', { resourceType: 'Patient', id: 'q' }, all)).status;
  assert.ok(before >= 500, `a write is refused: ${before}`);
  sql('ALTER TABLE taken_away RENAME TO audit_block');
  await wait(1500);
  assert.equal(await get(), 200, 'by itself again');
  assert.equal((await server.get('/fhir/Patient/q', all)).status, 404, 'nothing of the refused write');
  await wait(300);
  const { entries } = JSON.parse(run(server, 'audit', 'verify', '--json'));
  const reads = String(sql("SELECT group_concat(texts, '') FROM audit_block WHERE bytes = 0"))
    .split('\n').filter((line) => line.includes('"read","Patient/p",0')).length;
  assert.equal(reads, 3, `the one of the outage is among the ${entries}`);
});
