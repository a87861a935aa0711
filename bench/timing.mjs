#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Does the time an answer takes tell what its asker may not see? Each way to name a resource is asked
// for one that is there and hidden and for one that never was, in pairs, in random order, over one
// connection; so are status, headers and body compared. Release build; makes its own record.
// Never run by ./test.
//
//   node bench/timing.mjs                     every way, 20,000 pairs each
//   node bench/timing.mjs --only read,vread   some ways; --list names them
//   node bench/timing.mjs --pairs 50000 --write   a file in bench/results
//
// Reported: medians, their difference with a 95 % interval (the median of a resample is an order
// statistic, drawn from its distribution: 4,000 resamples), Mann and Whitney's test, and how likely
// a hidden one takes longer than an absent one (50 %: no way to tell). "same": hidden against other
// hidden ones, which is what the method itself finds where nothing is.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { cpus, loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values: given } = parseArgs({ options: {
  pairs: { type: 'string', default: '20000' }, only: { type: 'string' }, list: { type: 'boolean' }, seed: { type: 'string', default: '5' },
  patients: { type: 'string', default: '400' }, write: { type: 'boolean', default: false }, data: { type: 'string', default: tmpdir() },
  binary: { type: 'string', default: join(root, 'build/release/frontline') } } });
const PATIENTS = Number(given.patients), EACH = 30, PAIRS = Number(given.pairs);

let state = Number(given.seed) >>> 0;
function random() { // mulberry32
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t ^= t + Math.imul(t ^ (t >>> 7), 61 | t);
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const pick = (list) => list[Math.floor(random() * list.length)];
const makeId = () => Array.from({ length: 20 }, () => '0123456789abcdefghijklmnopqrstuv'[Math.floor(random() * 32)]).join('');
const ids = (count) => Array.from({ length: count }, makeId);

// ---- a record: half the patients are another's, and of the asker's own some entries are labelled ----
const R = { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }] };
const mine = ids(PATIENTS), theirs = ids(PATIENTS);
const observation = (id, patient, meta) => ({ resourceType: 'Observation', id, ...(meta && { meta }), status: 'final',
  subject: { reference: `Patient/${patient}` }, effectiveDateTime: `2026-0${1 + Math.floor(random() * 9)}-11T08:00:00Z`,
  code: { coding: [{ system: 'http://loinc.org', code: pick(['8867-4', '8310-5', '9279-1']) }] },
  identifier: [{ system: 'urn:o', value: id }], note: [{ text: 'x'.repeat(1 + Math.floor(random() * 300)) }],
  valueQuantity: { value: 40 + Math.floor(random() * 60), unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' } });
const person = (id) => ({ resourceType: 'Patient', id, identifier: [{ system: 'urn:mrn', value: `m-${id}` }],
  name: [{ family: pick(['Patel', 'Okafor', 'Jones']), given: ['Ann'] }], birthDate: '1960-02-03', gender: 'female' });
const team = (patient, who) => ({ resourceType: 'CareTeam', id: makeId(), status: 'active', subject: { reference: `Patient/${patient}` },
  participant: [{ member: { reference: `Practitioner/${who}` } }] });
const sets = { patient: theirs, seen: [], related: [], label: [] };
const record = [{ resourceType: 'Practitioner', id: 'n1' }, { resourceType: 'Practitioner', id: 'n2' }];
for (const [list, who] of [[mine, 'n1'], [theirs, 'n2']])
  for (const patient of list) {
    record.push(person(patient), team(patient, who));
    for (let n = 0; n < EACH; n++) {
      const id = makeId(), labelled = n % 3 === 0;
      record.push(observation(id, patient, labelled && R));
      if (who === 'n1' || !labelled) (who === 'n2' ? sets.related : labelled ? sets.label : sets.seen).push(id);
    }
  }
// Never there: ids like the others, and each with what it is tried as.
const absent = { patient: ids(PATIENTS), observation: ids(PATIENTS * 10) };

// ---- the ways: [what is named, by whom hidden, the request] ----
const FHIR = 'application/fhir+json', PATCH = '[{"op":"test","path":"/id","value":"x"}]';
const get = (path, headers) => (id) => ['GET', path(id), null, headers];
const params = (...parameter) => JSON.stringify({ resourceType: 'Parameters', parameter });
const note = (subject, extra) => JSON.stringify({ ...observation(undefined, subject), id: undefined, ...extra });
const some = (count) => Array.from({ length: count }, () => pick(sets.seen)).join(',');
const P = 'patient', REL = 'related', LAB = 'label';
const WAYS = {
  read: [REL, get((id) => `/fhir/Observation/${id}`)], 'read label': [LAB, get((id) => `/fhir/Observation/${id}`)],
  'read patient': [P, get((id) => `/fhir/Patient/${id}`)],
  head: [LAB, (id) => ['HEAD', `/fhir/Observation/${id}`]],
  'not modified': [REL, get((id) => `/fhir/Observation/${id}`, { 'If-None-Match': 'W/"1"' })],
  vread: [REL, get((id) => `/fhir/Observation/${id}/_history/1`)], 'vread label': [LAB, get((id) => `/fhir/Observation/${id}/_history/1`)],
  history: [REL, get((id) => `/fhir/Observation/${id}/_history`)], 'history label': [LAB, get((id) => `/fhir/Observation/${id}/_history`)],
  '_id': [REL, get((id) => `/fhir/Observation?_id=${id}`)], '_id label': [LAB, get((id) => `/fhir/Observation?_id=${id}`)],
  'one of 50': [REL, get((id) => `/fhir/Observation?_count=50&_id=${some(49)},${id}`)],
  'one of 50 label': [LAB, get((id) => `/fhir/Observation?_count=50&_id=${some(49)},${id}`)],
  identifier: [REL, get((id) => `/fhir/Observation?identifier=urn:o|${id}`)], 'identifier label': [LAB, get((id) => `/fhir/Observation?identifier=urn:o|${id}`)],
  'identifier patient': [P, get((id) => `/fhir/Patient?identifier=urn:mrn|m-${id}`)],
  subject: [P, get((id) => `/fhir/Observation?subject=Patient/${id}`)], 'subject code': [P, get((id) => `/fhir/Observation?patient=${id}&code=8867-4&_sort=-date`)],
  'subject count': [P, get((id) => `/fhir/Observation?patient=${id}&_summary=count`)],
  compartment: [P, get((id) => `/fhir/Patient/${id}/Observation`)], chain: [P, get((id) => `/fhir/Observation?patient.identifier=urn:mrn|m-${id}`)],
  'has': [REL, get((id) => `/fhir/Patient?_has:Observation:patient:identifier=urn:o|${id}`)],
  everything: [P, get((id) => `/fhir/Patient/${id}/$everything`)], lastn: [P, get((id) => `/fhir/Observation/$lastn?patient=Patient/${id}&category=vital-signs`)],
  meta: [LAB, get((id) => `/fhir/Observation/${id}/$meta`)], graphql: [P, get((id) => `/fhir/Patient/${id}/$graphql?query={id}`)],
  put: [REL, (id) => ['PUT', `/fhir/Observation/${id}`, note(mine[0], { id })]], 'put label': [LAB, (id) => ['PUT', `/fhir/Observation/${id}`, note(mine[0], { id })]],
  patch: [REL, (id) => ['PATCH', `/fhir/Observation/${id}`, PATCH, { 'Content-Type': 'application/json-patch+json' }]],
  'patch label': [LAB, (id) => ['PATCH', `/fhir/Observation/${id}`, PATCH, { 'Content-Type': 'application/json-patch+json' }]],
  delete: [LAB, (id) => ['DELETE', `/fhir/Observation/${id}`]],
  'patch where': [LAB, (id) => ['PATCH', `/fhir/Observation?_id=${id}`, PATCH, { 'Content-Type': 'application/json-patch+json' }]],
  'write about': [P, (id) => ['POST', '/fhir/Observation', note(id)]],
  merge: [P, (id) => ['POST', '/fhir/Patient/$merge', params({ name: 'source-patient', valueReference: { reference: `Patient/${id}` } },
    { name: 'target-patient', valueReference: { reference: `Patient/${mine[0]}` } })]],
  batch: [REL, (id) => ['POST', '/fhir', JSON.stringify({ resourceType: 'Bundle', type: 'batch', entry: [{ request: { method: 'GET', url: `Observation/${id}` } }] })]],
  'page of record': [P, get((id) => `/record/patient/${id}`, { Accept: 'text/html' })], 'page of chart': [P, get((id) => `/obs/patient/${id}`, { Accept: 'text/html' })],
  'page of results': [P, get((id) => `/record/patient/${id}/results`, { Accept: 'text/html' })],
  browse: [LAB, get((id) => `/browse/Observation/${id}`, { Accept: 'text/html' })], find: [P, get((id) => `/record/find?q=m-${id}`, { Accept: 'text/html' })],
};
if (given.list) { console.log(Object.keys(WAYS).join('\n')); process.exit(0); }

// ---- the server, and one connection to it ----
const data = mkdtempSync(join(given.data, 'timing-'));
const run = (...words) => execFileSync(given.binary, [...words, '--data', data], { encoding: 'utf8' }).trim();
const child = spawn(given.binary, ['serve', '--data', data, '--listen', '127.0.0.1:0', '--set', 'log.requests=no'], { stdio: ['ignore', 'ignore', 'pipe'] });
process.once('exit', () => { child.kill('SIGKILL'); rmSync(data, { recursive: true, force: true }); });
const url = new URL(await new Promise((ready, failed) => {
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    log += text;
    const found = /listening on (http:\S+)/.exec(log);
    if (found) ready(found[1]);
  });
  child.once('exit', (code) => failed(new Error(`serve ended with ${code}: ${log}`)));
}));
const all = run('token', '--scope', 'system/*.cruds');
for (let from = 0; from < record.length; from += 500) {
  const answer = await fetch(new URL('/fhir', url), { method: 'POST', headers: { 'Content-Type': FHIR, Authorization: `Bearer ${all}` },
    body: JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry: record.slice(from, from + 500).map((resource) => ({ resource,
      request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } })) }) });
  if (answer.status !== 200) throw new Error(await answer.text());
}
run('user', 'add', 't.herapist', '--role', 'ahp', '--who', 'Practitioner/n1');
const token = run('token', '--user', 't.herapist', '--scope', 'user/*.cruds');

const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
let have = Buffer.alloc(0), wanted = null;
socket.on('data', (part) => {
  const at = process.hrtime.bigint();
  have = have.length ? Buffer.concat([have, part]) : part;
  const end = have.indexOf('\r\n\r\n');
  if (end < 0 || !wanted) return;
  const head = have.toString('latin1', 0, end), length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
  const body = wanted.head || / 304 /.test(head.slice(0, 13)) ? 0 : length;
  if (have.length < end + 4 + body) return;
  const answer = { at, head, body: have.toString('utf8', end + 4, end + 4 + body) }, done = wanted.done;
  [have, wanted] = [have.subarray(end + 4 + body), null];
  done(answer);
});
const bytes = ([method, path, body, headers]) => Buffer.from(`${method} ${encodeURI(path)} HTTP/1.1\r\nHost: ${url.host}\r\nAuthorization: Bearer ${token}\r\n`
  + (body ? `Content-Length: ${Buffer.byteLength(body)}\r\n` : '') + (body && !headers?.['Content-Type'] ? `Content-Type: ${FHIR}\r\n` : '')
  + Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value}\r\n`).join('') + `\r\n${body ?? ''}`);
function ask(request) {
  const sent = bytes(request);
  return new Promise((done) => {
    wanted = { head: request[0] === 'HEAD', done };
    const began = process.hrtime.bigint();
    socket.write(sent);
    wanted.done = (answer) => done({ ...answer, us: Number(answer.at - began) / 1000 });
  });
}

// ---- what the two lists of times say ----
function gauss() { return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()); }
const median = (sorted) => sorted[sorted.length >> 1];
function resampled(sorted) { // the median of a resample: an order statistic, whose place is Beta(n/2, n/2)
  const place = 0.5 + gauss() * 0.5 / Math.sqrt(sorted.length);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.floor(place * sorted.length)))];
}
function compare(hidden, never) {
  const [a, b] = [hidden, never].map((list) => Float64Array.from(list).sort());
  const draws = Array.from({ length: 4000 }, () => resampled(a) - resampled(b)).sort((x, y) => x - y);
  const ranked = [...hidden.map((v) => [v, 1]), ...never.map((v) => [v, 0])].sort((x, y) => x[0] - y[0]);
  const sum = ranked.reduce((total, [, is], i) => total + is * (i + 1), 0), n = a.length, m = b.length;
  const u = sum - n * (n + 1) / 2;
  return { hidden: median(a), absent: median(b), differ: median(a) - median(b), low: draws[100], high: draws[3899],
           z: (u - n * m / 2) / Math.sqrt(n * m * (n + m + 1) / 12), longer: u / (n * m) };
}
// What may differ in two answers: the id that was asked for, and the clock.
const plain = ({ head, body }, id) => `${head}\n${body}`.replaceAll(id, 'ID').replace(/^date: .*$/gim, '').replace(/^x-request-id: .*$/gim, '')
  .replace(/"(timestamp|lastUpdated)":"[^"]*"/g, '').replace(/"id":"[0-9a-z]{20}"/g, '').replace(/urn:uuid:[0-9a-f-]*/g, '')
  .replace(/give the number [0-9a-f]{16}/g, '').replace(/(data-live-seq|data-now|nonce|name="(csrf|key|once)" value)="[^"]*"/g, '').replace(/'nonce-[^']*'/g, '').replace(/\d\d:\d\d(:\d\d)?/g, '');

const ORDERS = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
const rows = [];
for (const name of given.only ? given.only.split(',') : Object.keys(WAYS)) {
  const [kind, make] = WAYS[name], there = sets[kind], never = kind === P ? absent.patient : absent.observation;
  const times = { hidden: [], absent: [], same: [] };
  let differ = 0, status = '';
  for (let n = -200; n < PAIRS; n++) {
    const [x, y, again] = [pick(there), pick(never), pick(there)];
    const three = [['hidden', x], ['absent', y], ['same', again]], answers = {};
    const order = pick(ORDERS).map((k) => three[k]);
    for (const [as, id] of order) {
      const answer = await ask(make(id));
      answers[as] = answer;
      if (n >= 0) times[as].push(answer.us);
    }
    status = answers.hidden.head.slice(9, 12);
    const [one, other] = [plain(answers.hidden, x), plain(answers.absent, y)];
    if (n % 50 === 0 && !name.startsWith('one of') && one !== other && !differ++) {
      const at = [...one].findIndex((c, i) => c !== other[i]);
      console.log(`${name}: answers differ\n  hidden ...${one.slice(Math.max(0, at - 100), at + 100)}\n  absent ...${other.slice(Math.max(0, at - 100), at + 100)}`);
    }
  }
  const tells = compare(times.hidden, times.absent), noise = compare(times.hidden, times.same);
  rows.push({ name, status, differ, ...tells, noise });
  const us = (v) => v.toFixed(2).padStart(8);
  console.log(`${name.padEnd(20)} ${status} ${us(tells.hidden)} ${us(tells.absent)} ${us(tells.differ)} [${tells.low.toFixed(2)}, ${tells.high.toFixed(2)}] z ${tells.z.toFixed(1)} `
    + `${(100 * tells.longer).toFixed(2)} %  same ${noise.differ.toFixed(2)} z ${noise.z.toFixed(1)}${differ ? `  ${differ} ANSWERS DIFFER` : ''}`);
}
if (given.write) {
  const file = join(root, `bench/results/timing-${new Date().toISOString().slice(0, 10)}.md`);
  writeFileSync(file, `# Hidden or absent: does the time tell?\n\n\`node bench/timing.mjs --pairs ${PAIRS}${given.only ? ` --only '${given.only}'` : ''}\` on ${cpus().length} × ${cpus()[0].model}; `
    + `${PATIENTS} patients of the asker's and ${PATIENTS} hidden, ${EACH} observations each; load average ${loadavg()[0].toFixed(0)}; microseconds until the answer is read, `
    + 'client on the same cores. "longer" is how often a hidden one takes longer than an absent one (50 %: nothing to tell by), z Mann and Whitney\'s; '
    + 'the last two columns compare hidden ones with hidden ones: what the method finds where nothing is.\n\n'
    + '| way | status | hidden | absent | difference of medians, 95 % | longer | z | same: difference | same: z |\n|---|---|---|---|---|---|---|---|---|\n'
    + rows.map((r) => `| ${r.name} | ${r.status} | ${r.hidden.toFixed(1)} | ${r.absent.toFixed(1)} | ${r.differ.toFixed(2)} (${r.low.toFixed(2)} to ${r.high.toFixed(2)}) `
      + `| ${(100 * r.longer).toFixed(1)} % | ${r.z.toFixed(1)} | ${r.noise.differ.toFixed(2)} | ${r.noise.z.toFixed(1)} |`).join('\n') + '\n');
  console.log(file);
}
process.exit(0);
