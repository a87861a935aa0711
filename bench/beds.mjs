#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Measures the beds: moves a second with boards open, the board of a whole hospital, a year of
// situation reports. Release build; starts and stops its own server. Never run by ./test.
//
//   node bench/beds.mjs                     everything; about a minute
//   node bench/beds.mjs --rate 500          moves asked for a second (0: as many as it takes)
//   node bench/beds.mjs --seconds 10 --boards 200 --wards 40 --nurses 32
//   node bench/beds.mjs --lists discharges,cleaning   the first boards are these lists instead
//   node bench/beds.mjs --data FOLDER       figures of a filled record beside the moves
//   node bench/beds.mjs --write             a file in bench/results
//
// Each nurse has three beds of one bay and makes every move in turn; at the end every bed must be
// as the nurse left it and every stay must have as many places as it was moved: no lost update.
import { spawn } from 'node:child_process';
import http from 'node:http';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values: given } = parseArgs({ options: {
  rate: { type: 'string', default: '500' }, seconds: { type: 'string', default: '10' },
  boards: { type: 'string', default: '200' }, lists: { type: 'string', default: '' }, wards: { type: 'string', default: '40' },
  nurses: { type: 'string', default: '32' }, data: { type: 'string' },
  binary: { type: 'string', default: join(root, 'build/release/frontline') },
  write: { type: 'boolean', default: false } } });
const wards = Number(given.wards), nurses = Number(given.nurses), BEDS = 30;
const agent = new http.Agent({ keepAlive: true, maxSockets: nurses * 2 });

const start = (folder) => new Promise((ready, failed) => {
  const child = spawn(given.binary, ['serve', '--data', folder, '--listen', '127.0.0.1:0', '--open',
    '--set', 'log.requests=no'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    log += text;
    const found = /listening on http:\/\/[^:]+:(\d+)/.exec(log);
    if (found) ready({ child, port: Number(found[1]) });
  });
  child.once('exit', (code) => failed(new Error(`serve ended with ${code}: ${log}`)));
});
const stop = (server) => new Promise((done) => {
  server.child.removeAllListeners('exit');
  server.child.once('exit', done);
  server.child.kill();
});

function ask(server, method, path, body) {
  return new Promise((done, failed) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const sent = http.request({ port: server.port, host: '127.0.0.1', method, path, agent,
      headers: text ? { 'content-type': path.startsWith('/fhir') ? 'application/fhir+json'
        : 'application/json', 'content-length': Buffer.byteLength(text) } : {} }, (answer) => {
      let got = '';
      answer.setEncoding('utf8').on('data', (part) => { got += part; });
      answer.on('end', () => done({ status: answer.statusCode, text: got }));
    });
    sent.on('error', failed).end(text);
  });
}

const kind = (code) => ({ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/location-physical-type', code }] });
const place = (id, code, partOf, type) => ({ resourceType: 'Location', id, name: id, physicalType: kind(code),
  ...(type && { type }), ...(partOf && { partOf: { reference: `Location/${partOf}` } }) });

async function build(server) {
  const put = async (list) => {
    const entry = list.map((resource) => ({ resource,
      request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } }));
    const made = await ask(server, 'POST', '/fhir', { resourceType: 'Bundle', type: 'transaction', entry });
    if (made.status !== 200) throw new Error(made.text.slice(0, 500));
  };
  await put([place('site', 'si')]);
  for (let w = 0; w < wards; w++) {
    const list = [place(`w${w}`, 'wa', 'site')];
    for (let bay = 0; bay * 6 < BEDS; bay++) list.push(place(`w${w}-${bay}`, 'ro', `w${w}`));
    for (let b = 0; b < BEDS; b++) list.push(place(`w${w}b${b}`, 'bd', `w${w}-${Math.floor(b / 6)}`));
    for (let b = 0; b < BEDS; b++)
      list.push({ resourceType: 'Patient', id: `w${w}p${b}`, gender: 'female', birthDate: '1950-01-01',
                  name: [{ family: `Ward${w}`, given: [`Bed${b}`] }] });
    await put(list);
  }
  // All beds but the nurses' own are taken.
  for (let w = 0; w < wards; w++)
    for (let b = 6; b < BEDS; b++) await must(server, 'admit', { bed: `w${w}b${b}`, patient: `w${w}p${b}` });
}

async function must(server, move, inputs) {
  const answer = await ask(server, 'POST', `/beds/move/${move}`, inputs);
  if (answer.status !== 200) throw new Error(`${move} ${JSON.stringify(inputs)}: ${answer.status} ${answer.text}`);
  return JSON.parse(answer.text).encounter;
}

// A page and its stream, as a screen on a wall has it.
async function openBoard(server, number, counts) {
  const list = given.lists.split(',')[number], ward = number % 5 && !list ? `w${number % wards}` : '';
  const page = await ask(server, 'GET', list ? `/beds/${list}` : ward ? `/beds/ward/${ward}` : '/beds');
  const seq = /data-live-seq="(\d+)"/.exec(page.text)[1];
  return new Promise((open, failed) => {
    const stream = http.get({ port: server.port, host: '127.0.0.1', agent: false,
      path: `/beds/live?after=${seq}${list ? `&list=${list}` : ward && `&ward=${ward}`}` }, (answer) => {
      answer.on('data', (part) => { counts.bytes += part.length; counts.parts++; });
      open(stream);
    });
    stream.on('error', (wrong) => (counts.closing ? null : failed(wrong)));
  });
}

// One nurse's round: every move there is, over three beds of one bay.
function* round(nurse) {
  const w = nurse % wards, first = Math.floor(nurse / wards) * 3;
  const bed = (i) => `w${w}b${first + i}`;
  const stays = {}, keep = (name) => (id) => { stays[name] = id; };
  const clean = function* (b) { yield ['clean', { bed: b }]; yield ['cleaned', { bed: b }]; };
  yield ['admit', { bed: bed(0), patient: `w${w}p${first}`, isolation: 'none' }, keep('a')];
  yield ['admit', { bed: bed(1), patient: `w${w}p${first + 1}`, isolation: 'none' }, keep('b')];
  yield ['swap', { encounter: stays.a, with: stays.b }];
  yield ['transfer', { encounter: stays.a, bed: bed(2) }];
  yield* clean(bed(1));
  yield ['edd', { encounter: stays.a, date: '2030-01-01' }];
  yield ['discharge', { encounter: stays.a }];
  yield* clean(bed(2));
  yield ['discharge', { encounter: stays.b }];
  yield* clean(bed(0));
  return stays;
}

// Seconds of processor the server has used: what a busy machine cannot blur.
function processorSeconds(server) {
  const fields = readFileSync(`/proc/${server.child.pid}/stat`, 'latin1').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function movesRow(server) {
  const boards = Number(given.boards), rate = Number(given.rate), seconds = Number(given.seconds);
  const counts = { bytes: 0, parts: 0, closing: false }, streams = [], took = [], ended = [];
  for (let i = 0; i < boards; i++) streams.push(await openBoard(server, i, counts));
  const processor = processorSeconds(server);
  const began = performance.now(), until = began + seconds * 1000;
  let given_out = 0, failures = 0, firstFailure = '';
  // With a rate a move is due at its time, and a late start counts against the program.
  const due = async () => {
    if (!rate) return performance.now();
    const at = began + (given_out++ * 1000) / rate, wait = at - performance.now();
    if (wait > 0) await new Promise((done) => setTimeout(done, wait));
    return at;
  };
  const work = async (nurse) => {
    while (performance.now() < until) {
      const steps = round(nurse);
      let next = steps.next();
      while (!next.done) {
        const [move, inputs, take] = next.value, at = await due();
        const answer = await ask(server, 'POST', `/beds/move/${move}`, inputs);
        took.push(performance.now() - at);
        if (answer.status !== 200) {
          failures++;
          firstFailure ||= `${move} ${answer.status} ${answer.text.slice(0, 300)}`;
          return;
        }
        take?.(JSON.parse(answer.text).encounter);
        next = steps.next();
      }
      ended.push(next.value);
    }
  };
  await Promise.all(Array.from({ length: nurses }, (_, i) => work(i)));
  const lasted = (performance.now() - began) / 1000;
  const used = processorSeconds(server) - processor;
  await new Promise((done) => setTimeout(done, 500));
  counts.closing = true;
  for (const stream of streams) stream.destroy();
  took.sort((a, b) => a - b);
  const at = (part) => took[Math.min(took.length - 1, Math.floor(took.length * part))];
  return { boards, cores: used / lasted, eachMs: (used * 1000) / took.length, rate: Math.round(took.length / lasted), p50: at(0.5), p99: at(0.99), highest: took.at(-1),
           failures, firstFailure, lost: await lost(server, ended),
           heard: Math.round(counts.parts / lasted), heardKb: Math.round(counts.bytes / 1024 / lasted) };
}

// Every stay must have the places it was moved through, and every bed must be free again.
async function lost(server, ended) {
  let count = 0;
  for (const stays of ended.slice(0, 500)) {
    for (const [id, places] of [[stays.a, 3], [stays.b, 2]]) {
      const e = JSON.parse((await ask(server, 'GET', `/fhir/Encounter/${id}`)).text);
      count += e.location.length !== places || e.status !== 'finished';
    }
  }
  const { beds } = JSON.parse((await ask(server, 'GET', '/beds/board.json')).text);
  for (const bed of beds)
    count += Number(bed.bed.split('b')[1]) < Math.floor((nurses + wards - 1) / wards) * 3 && bed.state !== 'available';
  return count;
}

async function times(server, path, count) {
  const list = [];
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    const answer = await ask(server, 'GET', path);
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text.slice(0, 200)}`);
    list.push(performance.now() - began);
  }
  return list.sort((a, b) => a - b)[Math.floor(count / 2)];
}

async function figuresRow(folder) {
  const server = await start(folder), rows = [];
  const today = new Date(), ago = new Date(today - 364 * 86400000);
  const day = (date) => date.toISOString().slice(0, 10);
  const beds = JSON.parse((await ask(server, 'GET', '/beds/board.json')).text).beds.length;
  for (const [name, path, count] of [
    [`hospital board, ${beds} beds`, '/beds', 5], ['the same as JSON, every person', '/beds/board.json', 5],
    ['a ward', '/beds/ward/ward-amu-1', 5],
    ['a year of situation reports', `/beds/sitrep?from=${day(ago)}&to=${day(today)}`, 1],
    ['figures page with its forecasts', '/beds/figures', 1]])
    rows.push([name, await times(server, path, count)]);
  await stop(server);
  return rows;
}

const before = loadavg()[0];
const folder = mkdtempSync(join(tmpdir(), 'frontline-bench-beds-'));
const server = await start(folder);
await build(server);
const moves = await movesRow(server);
const board = await times(server, '/beds', 9), json = await times(server, '/beds/board.json', 9);
await stop(server);
rmSync(folder, { recursive: true, force: true });
const figures = given.data ? await figuresRow(given.data) : [];

const ms = (value) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
const lines = [
  `# Beds, ${new Date().toISOString().slice(0, 10)}`, '',
  `${cpus().length} x ${cpus()[0].model}, load generator included; load average ${before.toFixed(1)} before it began.`, '',
  '| what | figure | must |', '|---|---|---|',
  `| moves, ${moves.boards} boards open, ${nurses} at a time | ${moves.rate}/s | 500/s |`,
  `| a move, p50, p99, longest | ${ms(moves.p50)}, ${ms(moves.p99)}, ${ms(moves.highest)} | p99 50 ms |`,
  `| processor: cores busy, for each move | ${moves.cores.toFixed(2)}, ${moves.eachMs.toFixed(2)} ms | |`,
  `| lost updates, refused moves | ${moves.lost}, ${moves.failures} | 0, 0 |`,
  `| told to the boards | ${moves.heard} events/s, ${moves.heardKb} KB/s | |`,
  `| hospital board of ${wards * BEDS} beds, by ward | ${ms(board)} | 300 ms |`,
  `| every bed and person of it as JSON | ${ms(json)} | 300 ms |`,
  ...figures.map(([name, value]) => `| ${name} | ${ms(value)} | |`), ''];
console.log(lines.join('\n'));
if (moves.firstFailure) console.log(`first refused: ${moves.firstFailure}`);
if (given.write)
  writeFileSync(join(root, 'bench/results', `beds-${new Date().toISOString().slice(0, 10)}.md`), lines.join('\n'));
process.exit(moves.lost || moves.failures ? 1 : 0);
