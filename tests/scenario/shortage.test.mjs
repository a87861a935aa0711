// SPDX-License-Identifier: Apache-2.0
// The disk is full, or may not be written; file handles run out: what was acknowledged is kept, what
// cannot be done is refused with a sentence, and it goes on by itself when there is room again.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { smallDisk } from '../lib/disk.mjs';
import { binary, makeFolder, startServer } from './server.mjs';

const BALLAST_BYTES = 10 << 20;

const big = (id, n) => ({ resourceType: 'Basic', id, code: { text: randomBytes(n).toString('base64') } });

function assertTold(answer, sentence) {
  assert.equal(answer.status, 503, answer.text);
  assert.equal(answer.body.resourceType, 'OperationOutcome');
  assert.equal(answer.body.issue[0].code, 'no-store');
  assert.match(answer.body.issue[0].details.text, sentence);
}

test('a full disk refuses writes with a sentence, keeps what was acknowledged, and goes on with room', async (t) => {
  const disk = await smallDisk(t, 24);
  if (!disk) return;
  writeFileSync(join(disk.seen, 'ballast'), Buffer.alloc(BALLAST_BYTES));
  const server = await startServer(t, { folder: disk.folder, under: disk.under });
  const kept = new Map();
  const write = async (id) => {
    const resource = big(id, 60000), answer = await server.put(`/fhir/Basic/${id}`, resource);
    if (answer.status === 201) kept.set(id, resource.code.text);
    return answer;
  };
  let refused;
  for (let i = 0; i < 400 && !refused; i++) {
    const answer = await write(`b${i}`);
    if (answer.status !== 201) refused = answer;
  }
  assertTold(refused, /full/);
  assert.ok(kept.size > 5, `${kept.size} before it was full`);
  const crowd = await Promise.all(Array.from({ length: 24 }, (_, i) => write(`crowd${i}`)));
  assert.ok(crowd.every(({ status }) => status === 201 || status === 503), crowd.map((a) => a.status).join(' '));
  assert.ok(crowd.some(({ status }) => status === 503), 'it is full');
  const transaction = await server.post('/fhir', { resourceType: 'Bundle', type: 'transaction',
    entry: ['t1', 't2'].map((id) => ({ resource: big(id, 60000), request: { method: 'PUT', url: `Basic/${id}` } })) });
  assert.equal(transaction.status, 503, transaction.text);
  const beside = disk.run(binary, 'check', '--data', disk.folder);
  assert.equal(beside.status, 0, `a check needs no room: ${beside.stdout}${beside.stderr}`);
  for (const [id, text] of kept)
    assert.equal((await server.get(`/fhir/Basic/${id}`)).body?.code.text, text, id);
  assert.equal((await server.get('/fhir/Basic/t1')).status, 404, 'a transaction is there whole or not at all');
  rmSync(join(disk.seen, 'ballast'));
  assert.equal((await write('after')).status, 201, 'there is room again');
  assert.equal(await server.stop(), 0);
  const check = disk.run(binary, 'check', '--data', disk.folder);
  assert.equal(check.status, 0, check.stdout + check.stderr);
  const again = await startServer(t, { folder: disk.folder, under: disk.under });
  for (const [id, text] of kept)
    assert.equal((await again.get(`/fhir/Basic/${id}`)).body?.code.text, text, `${id} after a restart`);
});

test('on a disk that may only be read the server says so and does not start', async (t) => {
  const disk = await smallDisk(t, 24);
  if (!disk) return;
  const server = await startServer(t, { folder: disk.folder, under: disk.under });
  assert.equal((await server.put('/fhir/Basic/a', big('a', 100))).status, 201);
  assert.equal(await server.stop(), 0);
  assert.equal(disk.run('mount', '-o', 'remount,ro', disk.folder.replace(/\/data$/, '')).status, 0);
  const refused = disk.run(binary, 'serve', '--data', disk.folder, '--open', '--listen', '127.0.0.1:0');
  assert.equal(refused.status, 1, refused.stderr);
  assert.match(refused.stderr, /Read-only file system; check .* writable/);
});

test('out of file handles, those who are in go on, others wait, and nothing acknowledged is lost', async (t) => {
  const folder = makeFolder();
  mkdirSync(join(folder, 'data'));
  const server = await startServer(t, { folder: join(folder, 'data') });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const { hostname, port } = new URL(server.url);
  t.after(() => agent.destroy());
  const put = (id) => new Promise((done, failed) => {
    const sent = http.request({ agent, hostname, port, method: 'PUT', path: `/fhir/Basic/${id}`,
      headers: { 'content-type': 'application/fhir+json' } }, (answer) => {
      answer.resume().on('end', () => done(answer.statusCode));
    });
    sent.on('error', failed).end(JSON.stringify(big(id, 100)));
  });
  const limit = (n) => execFileSync('prlimit', ['--pid', String(server.child.pid), `--nofile=${n}:`]);
  assert.equal(await put('first'), 201);
  limit(readdirSync(`/proc/${server.child.pid}/fd`).length + 4);
  const crowd = Array.from({ length: 40 }, () => connect(Number(port), hostname).on('error', () => {}));
  t.after(() => crowd.forEach((socket) => socket.destroy()));
  await Promise.all(crowd.map((socket) => once(socket, 'connect')));
  const kept = ['first'];
  for (let i = 0; i < 20; i++) {
    const status = await put(`b${i}`);
    assert.ok(status === 201 || status === 503, `${status}`);
    if (status === 201) kept.push(`b${i}`);
  }
  assert.ok(kept.length > 1, 'who was in goes on');
  limit(1024);
  crowd.forEach((socket) => socket.destroy());
  assert.equal((await server.put('/fhir/Basic/after', big('after', 100))).status, 201, 'newcomers are let in again');
  for (const id of kept) assert.equal((await server.get(`/fhir/Basic/${id}`)).status, 200, id);
  assert.equal(await server.stop(), 0);
  const check = spawnSync(binary, ['check', '--data', server.folder], { encoding: 'utf8' });
  assert.equal(check.status, 0, check.stdout + check.stderr);
});
