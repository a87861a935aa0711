#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Measures the timeline of one patient with 50,000 entries: the first page, each page on from it,
// a kind alone, a jump to a year. Release build; makes its own record. Never run by ./test.
//
//   node bench/timeline.mjs                    50,000 entries over 30 years
//   node bench/timeline.mjs --entries 5000 --write
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { cpus, loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values: given } = parseArgs({ options: {
  entries: { type: 'string', default: '50000' }, pages: { type: 'string', default: '60' }, write: { type: 'boolean', default: false },
  binary: { type: 'string', default: join(root, 'build/release/frontline') } } });
const COUNT = Number(given.entries), PAGES = Number(given.pages), LIMIT_MS = 100;
const folder = mkdtempSync(join(tmpdir(), 'timeline-'));
const about = { reference: 'Patient/long' };
const at = (n) => new Date(Date.UTC(1996, 0, 1) + n * (30 * 365.25 * 86_400_000 / COUNT)).toISOString();
const KINDS = [
  (n) => ({ resourceType: 'Observation', status: 'final', code: { text: 'Potassium' }, subject: about, effectiveDateTime: at(n), valueQuantity: { value: 4, unit: 'mmol/L' } }),
  (n) => ({ resourceType: 'DiagnosticReport', status: 'final', code: { text: 'Biochemistry' }, subject: about, effectiveDateTime: at(n) }),
  (n) => ({ resourceType: 'MedicationRequest', status: 'completed', intent: 'order', medicationCodeableConcept: { text: 'Aspirin' }, subject: about, authoredOn: at(n) }),
  (n) => ({ resourceType: 'Condition', code: { text: 'Cough' }, subject: about, onsetDateTime: at(n) }),
  (n) => ({ resourceType: 'Encounter', status: 'finished', class: { code: 'AMB' }, subject: about, period: { start: at(n), end: at(n) } }),
  (n) => ({ resourceType: 'DocumentReference', status: 'current', description: 'Letter', subject: about, date: at(n), content: [{ attachment: { contentType: 'text/plain', data: 'SGk=' } }] }),
];
const lines = [JSON.stringify({ resourceType: 'Patient', id: 'long', birthDate: '1950-01-01', name: [{ family: 'Long' }] })];
for (let n = 0; n < COUNT; n++) lines.push(JSON.stringify({ id: `e${n}`, ...KINDS[n % KINDS.length](n) }));
const file = join(folder, 'all.ndjson');
writeFileSync(file, `${lines.join('\n')}\n`);
const [code] = await once(spawn(given.binary, ['import', '--data', join(folder, 'data'), file], { stdio: ['ignore', 'ignore', 'inherit'] }), 'exit');
if (code) throw new Error(`import ended with ${code}`);

const child = spawn(given.binary, ['serve', '--data', join(folder, 'data'), '--listen', '127.0.0.1:0', '--open', '--set', 'log.requests=no'], { stdio: ['ignore', 'ignore', 'pipe'] });
const url = await new Promise((ready, failed) => {
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    log += text;
    const found = /listening on (http:\S+)/.exec(log);
    if (found) ready(found[1]);
  });
  child.once('exit', (status) => failed(new Error(`serve ended with ${status}: ${log}`)));
});
// What the server's threads have worked, in ms.
const worked = () => readdirSync(`/proc/${child.pid}/task`).reduce((sum, thread) =>
  sum + Number(readFileSync(`/proc/${child.pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6, 0);
async function page(path) {
  const began = performance.now(), before = worked();
  const answer = await fetch(url + path, { headers: { Accept: 'text/html' } });
  const html = await answer.text();
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status}`);
  return { html, wall: performance.now() - began, cpu: worked() - before };
}
const rows = [];
function row(name, list) {
  const of = (key) => list.map((one) => one[key]).sort((a, b) => a - b);
  const pick = (key, share) => of(key)[Math.min(list.length - 1, Math.floor(share * list.length))];
  rows.push({ name, pages: list.length, p50: pick('wall', 0.5), p95: pick('wall', 0.95), max: of('wall').at(-1), cpu: pick('cpu', 0.5), cpu95: pick('cpu', 0.95) });
  console.log(name.padEnd(28), rows.at(-1));
}
const HERE = '/record/patient/long/timeline';
const repeat = async (paths) => { const list = []; for (const path of paths) list.push(await page(path)); return list; };
async function onward(first) {
  const list = [];
  for (let path = first; path && list.length < PAGES;) {
    const one = await page(path);
    list.push(one);
    path = /href="([^"]*before=[^"]*)"/.exec(one.html)?.[1].replace(/&amp;/g, '&');
  }
  return list;
}
try {
  await page(HERE);
  row('first page', await repeat(Array(20).fill(HERE)));
  row('each page on', await onward(HERE));
  row('observations, each page on', await onward(`${HERE}?kind=observations`));
  row('results alone', await repeat(Array(20).fill(`${HERE}?kind=results`)));
  row('a year', await repeat(Array.from({ length: 30 }, (_, n) => `${HERE}?year=${1996 + n}`)));
  row('summary', await repeat(Array(20).fill('/record/patient/long')));
  row('results page', await repeat(Array(20).fill('/record/patient/long/results')));
} finally {
  child.removeAllListeners('exit');
  child.kill();
  await once(child, 'exit');
  rmSync(folder, { recursive: true });
}
const worst = Math.max(...rows.map((one) => one.p95));
console.log(`worst p95 ${worst.toFixed(1)} ms (must be ${LIMIT_MS} or less), ${COUNT} entries`);
if (given.write) {
  const date = new Date().toISOString().slice(0, 10);
  writeFileSync(join(root, `bench/results/timeline-${date}.md`), `# The timeline of a patient with ${COUNT.toLocaleString('en')} entries, ${date}\n\n`
    + `\`node bench/timeline.mjs\` on ${cpus().length} × ${cpus()[0].model.trim()}, load average ${loadavg()[0].toFixed(0)} from other work; the client is on the same cores. `
    + `In milliseconds until the page is read. Must: p95 of ${LIMIT_MS} ms. Worst: ${worst.toFixed(1)} ms.\n\n`
    + '| page | asked | p50 | p95 | longest | work of the server, p50 | p95 |\n|---|---|---|---|---|---|---|\n'
    + `${rows.map((r) => `| ${r.name} | ${r.pages} | ${r.p50.toFixed(1)} | ${r.p95.toFixed(1)} | ${r.max.toFixed(1)} | ${r.cpu.toFixed(1)} | ${r.cpu95.toFixed(1)} |`).join('\n')}\n`);
}
if (worst > LIMIT_MS) process.exitCode = 1;
