// SPDX-License-Identifier: Apache-2.0
// A million malformed and hostile requests, a twentieth of them to the HL7 v2 port: no 5xx, no leak, bounded memory and files.
//
//   node bench/hostile.mjs [COUNT] [SEED] [WORKERS]
//
// FRONTLINE_BINARY names another build (a debug one has the sanitizers). Prints the statuses, memory and open files before and
// after, and ends with 1 when a bound was passed; interrupted, it says so of what it sent by then. Never run by ./test.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { sendHostile } from '../tests/lib/hostile.mjs';

const CONNECTIONS = 96, WAIT_MS = 1000, SECRET = 'Marked-Family-Name', HIDDEN = 'Sealed-Family-Name';

function freePort() {
  return new Promise((found) => {
    const probe = createServer().listen(0, '127.0.0.1', () => { const { port } = probe.address(); probe.close(() => found(port)); });
  });
}

async function start(binary, data) {
  const hl7Port = await freePort();
  const settings = ['log.requests=no', 'auth.demo_code=demo', 'auth.registration=yes', 'auth.refusals_per_minute=0', `hl7v2.listen=127.0.0.1:${hl7Port}`];
  const server = spawn(binary, ['serve', '--data', data, '--listen', '127.0.0.1:0', ...settings.flatMap((one) => ['--set', one])]);
  let log = '';
  const url = await new Promise((found, failed) => {
    server.stderr.on('data', (part) => {
      log = (log + part).slice(-100000);
      const at = /listening on (http:\S+)/.exec(log);
      if (at) found(at[1]);
    });
    server.once('exit', () => failed(new Error(log)));
  });
  return { server, url, hl7Port, log: () => log };
}

// Who the requests that get past the gate come from: a token for all of it, and a nurse's own session.
async function credentials(binary, data, url) {
  const run = (...words) => execFileSync(binary, [...words, '--data', data], { encoding: 'utf8' }).trim();
  const token = run('token', '--scope', 'system/*.cruds');
  run('user', 'add', 'out.reach', '--role', 'outreach');
  await fetch(`${url}/fhir/Patient/marked`, { method: 'PUT', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' },
    body: JSON.stringify({ resourceType: 'Patient', id: 'marked', name: [{ family: SECRET }] }) });
  const put = (resource) => fetch(`${url}/fhir/${resource.resourceType}/${resource.id}`, { method: 'PUT', body: JSON.stringify(resource),
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' } });
  const seal = { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'V' }] };
  await put({ resourceType: 'Patient', id: 'sealed', meta: seal, name: [{ family: HIDDEN }] });
  await put({ resourceType: 'Observation', id: 'sealed', meta: seal, status: 'final', code: { text: HIDDEN }, subject: { reference: 'Patient/sealed', display: HIDDEN } });
  const answer = await fetch(`${url}/sign-in`, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ name: 'out.reach', code: 'demo', next: '/' }) });
  const cookie = answer.headers.get('set-cookie').split(';')[0];
  const page = await (await fetch(`${url}/step-up`, { headers: { cookie } })).text();
  return { token, session: { cookie, csrf: /name="csrf" value="([^"]+)"/.exec(page)[1], origin: url } };
}

function merge(results) {
  const whole = { statuses: {}, unanswered: 0, messages: 0, leaks: [], faults: [] };
  for (const result of results) {
    for (const [status, count] of Object.entries(result.statuses))
      whole.statuses[status] = (whole.statuses[status] ?? 0) + count;
    whole.unanswered += result.unanswered;
    whole.messages += result.messages;
    whole.leaks.push(...result.leaks);
    whole.faults.push(...result.faults);
  }
  return whole;
}

async function main(count, seed, workers) {
  const binary = process.env.FRONTLINE_BINARY ?? resolve(import.meta.dirname, '../build/release/frontline');
  const data = mkdtempSync(join(tmpdir(), 'frontline-hostile-'));
  const { server, url, hl7Port, log } = await start(binary, data);
  const known = await credentials(binary, data, url);
  const memory = () => Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))[1]) / 1024);
  const files = () => readdirSync(`/proc/${server.pid}/fd`).length;
  const began = Date.now(), samples = [memory()], filesBefore = files();
  let sent = 0;
  const reached = [];
  const work = (n) => new Promise((done, failed) => {
    process.once('SIGINT', () => done(reached[n]));
    const worker = new Worker(new URL(import.meta.url), { workerData: { port: Number(new URL(url).port), hl7Port, count: Math.ceil(count / workers),
      seed: seed * 1000 + n, secret: SECRET, hidden: HIDDEN, connections: CONNECTIONS, waitMs: WAIT_MS, ...known } });
    worker.on('message', (message) => {
      if (message.result)
        return done(message.result);
      sent += message.done;
      reached[n] = message.reached;
      samples.push(memory());
      process.stderr.write(`\r${Math.round(100 * sent / count)} % ${samples.at(-1)} MB ${files()} files `);
    });
    worker.on('error', failed);
  });
  const result = merge(await Promise.all(Array.from({ length: workers }, (_, n) => work(n))));
  const seconds = Math.round((Date.now() - began) / 1000);
  for (let tries = 0; files() > filesBefore + 8 && tries < 60; tries++) // idle connections end by themselves
    await new Promise((wait) => setTimeout(wait, 1000));
  const openAfter = files(), alive = (await fetch(`${url}/health`)).status === 200;
  const quarter = Math.max(...samples.slice(0, Math.ceil(samples.length / 4)));
  console.log(`\r${JSON.stringify({ binary, count: Math.min(count, sent), seed, seconds, ...result, memory_mb: { first: samples[0], most_of_first_quarter: quarter, most: Math.max(...samples),
    last: memory() }, files: { before: filesBefore, after: openAfter }, alive }, null, 2)}`);
  server.kill('SIGTERM');
  const ended = await new Promise((done) => server.once('exit', (code, signal) => done(code ?? signal)));
  if (/AddressSanitizer|LeakSanitizer|runtime error/.test(log()))
    console.log(log());
  rmSync(data, { recursive: true, force: true });
  const good = alive && ended === 0 && !result.faults.length && !result.leaks.length && openAfter <= filesBefore + 64;
  process.exit(good ? 0 : 1);
}

if (!isMainThread) {
  let before = 0;
  const told = (done, reached) => { parentPort.postMessage({ done: done - before, reached }); before = done; };
  parentPort.postMessage({ result: await sendHostile({ ...workerData, told }) });
} else {
  await main(Number(process.argv[2] ?? 1e6), Number(process.argv[3] ?? 1), Number(process.argv[4] ?? 2));
}
