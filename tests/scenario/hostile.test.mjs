// SPDX-License-Identifier: Apache-2.0
// Thousands of broken requests: none is answered with a fault of ours, none gets what it may not have, and the server's
// memory stays where it was. bench/hostile.mjs sends a million.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { sendHostile } from '../lib/hostile.mjs';
import { binary, startServer } from './server.mjs';

const SECRET = 'Marked-Family-Name';

test('broken requests are refused, leak nothing and cost nothing', async (t) => {
  const server = await startServer(t, { open: false });
  const token = execFileSync(binary, ['token', '--scope', 'system/*.cruds', '--data', server.folder], { encoding: 'utf8' }).trim();
  const headers = { authorization: `Bearer ${token}` };
  const made = await server.put('/fhir/Patient/marked', { resourceType: 'Patient', id: 'marked', name: [{ family: SECRET }] }, headers);
  assert.equal(made.status, 201, made.text);
  const port = Number(new URL(server.url).port);
  const memory = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.child.pid}/status`, 'utf8'))[1]) / 1024;
  await sendHostile({ port, count: 500, seed: 1, token, secret: SECRET });
  const before = memory();
  const result = await sendHostile({ port, count: 3000, seed: Date.now() % 1e9, token, secret: SECRET });
  assert.deepEqual(result.faults, [], 'no 5xx');
  assert.deepEqual(result.leaks, []);
  assert.ok(result.statuses[400] > 100 && result.statuses[200] > 10, JSON.stringify(result.statuses));
  assert.ok(memory() < before + 300, `${before} MB before, ${memory()} MB after`);
  assert.equal((await server.get('/health')).status, 200);
});
