// SPDX-License-Identifier: Apache-2.0
// While the audit cannot be written nothing is given out and nothing is written; what was given out
// is on disk before, whenever the program is killed.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { binary, spawnServer, startServer } from './server.mjs';

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

test('every read that was answered is in the audit after a kill', async (t) => {
  const server = await startServer(t, { open: false });
  const all = { authorization: `Bearer ${run(server, 'token', '--scope', 'system/*.cruds')}` };
  for (const id of ['a', 'b', 'c'])
    await server.put(`/fhir/Patient/${id}`, { resourceType: 'Patient', id }, all);
  const answered = new Map();
  let killed = false, count = 0;
  const reader = async (n) => {
    for (let i = 0; !killed; i++) {
      const request = `kill-${n}-${i}`;
      try {
        const { status } = await server.get(`/fhir/Patient/${'abc'[i % 3]}`, { ...all, 'x-request-id': request });
        answered.set(request, status);
      } catch {
        return;                              // the answer did not come: nobody saw anything
      }
      if (++count === 300) {
        killed = true;
        server.child.kill('SIGKILL');
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, n) => reader(n)));
  await server.stop();
  const again = await spawnServer({ folder: server.folder, open: false });
  await again.stop();
  const texts = execFileSync('sqlite3', [join(server.folder, 'record.db'),
    "SELECT group_concat(texts, '') FROM audit_block WHERE bytes = 0"], { encoding: 'utf8' });
  const entries = JSON.parse(run(server, 'audit', 'verify', '--json')).entries;
  const packed = Number(execFileSync('sqlite3', [join(server.folder, 'record.db'),
    'SELECT ifnull(sum(count), 0) FROM audit_block WHERE bytes > 0'], { encoding: 'utf8' }));
  assert.ok(answered.size >= 300 && [...answered.values()].every((status) => status === 200));
  if (packed === 0)                          // small blocks stand as they are: look for each
    for (const request of answered.keys())
      assert.ok(texts.includes(`"${request}"`), `${request} was answered and is not in the audit`);
  assert.ok(entries >= answered.size + 3, `${entries} entries for ${answered.size} answers and 3 writes`);
  t.diagnostic(`${answered.size} answers, ${entries} entries, ${packed} of them packed`);
});
