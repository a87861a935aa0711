// SPDX-License-Identifier: Apache-2.0
// A million malformed and hostile requests against the release build: no 5xx, no leak, bounded memory.
//
//   node bench/hostile.mjs [COUNT] [SEED]
//
// Prints the statuses, the memory before and after, and ends with 1 when a bound was passed. Never run by ./test.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { sendHostile } from '../tests/lib/hostile.mjs';

const binary = process.env.FRONTLINE_BINARY ?? resolve(import.meta.dirname, '../build/release/frontline');
const count = Number(process.argv[2] ?? 1e6), seed = Number(process.argv[3] ?? 1), secret = 'Marked-Family-Name';
const data = mkdtempSync(join(tmpdir(), 'frontline-hostile-'));
const server = spawn(binary, ['serve', '--data', data, '--listen', '127.0.0.1:0', '--set', 'log.requests=no']);
const url = await new Promise((found) => {
  let text = '';
  server.stderr.on('data', (part) => { text += part; const at = /listening on (http:\S+)/.exec(text); if (at) found(at[1]); });
});
const token = execFileSync(binary, ['token', '--scope', 'system/*.cruds', '--data', data], { encoding: 'utf8' }).trim();
await fetch(`${url}/fhir/Patient/marked`, { method: 'PUT', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' },
  body: JSON.stringify({ resourceType: 'Patient', id: 'marked', name: [{ family: secret }] }) });
const memory = () => Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))[1]) / 1024);
const port = Number(new URL(url).port), began = Date.now(), samples = [memory()];
const told = (done) => {
  samples.push(memory());
  process.stderr.write(`\r${Math.round(100 * done / count)} % ${memory()} MB `);
};
const result = await sendHostile({ port, count, seed, token, secret, connections: 32, told });
const alive = (await fetch(`${url}/health`)).status === 200;
process.stderr.write('\r');
console.log(JSON.stringify({ count, seconds: Math.round((Date.now() - began) / 1000), statuses: result.statuses, unanswered: result.unanswered,
  leaks: result.leaks, faults: result.faults, memory_mb: { first: samples[0], most: Math.max(...samples), last: memory() }, alive }, null, 2));
server.kill('SIGTERM');
await new Promise((ended) => server.once('exit', ended));
rmSync(data, { recursive: true, force: true });
process.exit(alive && !result.faults.length && !result.leaks ? 0 : 1);
