// SPDX-License-Identifier: Apache-2.0
// Feeds a hospital's messages over MLLP, in order or in disorder with the server killed now and
// then, and writes what the record is afterwards in a form two records can be compared in.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { frontline, Server } from '../lib/server.mjs';
import { chance, disordered, inOrder } from './hospital.mjs';

const WINDOW = 24;
const feedPort = (server) => Number(/HL7 v2 on port (\d+)/.exec(server.log)[1]);

// One connection: sends what `next` gives, WINDOW at a time; `done(message, code)` in their order.
class Line {
  constructor(port, next, done) {
    Object.assign(this, { next, done, under: [], rest: '', over: false });
    this.socket = net.connect(port, '127.0.0.1');
    this.socket.setNoDelay(true).setEncoding('latin1').on('error', () => {});
    this.closed = new Promise((resolve) => this.socket.on('close', resolve));
    this.socket.on('connect', () => this.fill()).on('data', (text) => this.read(text));
  }

  fill() {
    let frames = '';
    while (!this.over && this.under.length < WINDOW) {
      const message = this.next();
      if (!message) this.over = true;
      else {
        this.under.push(message);
        frames += `\x0b${message.text}\x1c\r`;
      }
    }
    if (frames) this.socket.write(frames);
    if (this.over && !this.under.length) this.socket.end();
  }

  read(text) {
    this.rest += text;
    let from = 0;
    for (let end; (end = this.rest.indexOf('\x1c\r', from)) >= 0; from = end + 2) {
      const [, code, id] = /MSA\|(\w\w)\|([^|\r]*)/.exec(this.rest.slice(from, end));
      const message = this.under.shift();
      assert.equal(id, `N${message.number}`, 'answers come in the order of the messages');
      this.done(message, code);
    }
    this.rest = this.rest.slice(from);
    this.fill();
  }
}

// Until the log's consumers have seen all of it, what they wrote included.
async function settled(server) {
  for (let quiet = 0; quiet < 2;) {
    const text = await (await server.fetch('/metrics')).text();
    const lags = [...text.matchAll(/^frontline_consumer_lag\{name="[^"]*"\} (\d+)$/gm)].map((m) => Number(m[1]));
    assert.ok(lags.length, 'the metrics tell how far the consumers are');
    quiet = lags.every((lag) => lag === 0) ? quiet + 1 : 0;
    if (quiet < 2) await new Promise((done) => setTimeout(done, 50));
  }
}

async function onHold(server) {
  const { body } = await server.get('/fhir/Communication?status=on-hold&_count=50');
  return (body.entry ?? []).map(({ resource }) => ({ why: resource.statusReason?.text,
    text: Buffer.from(resource.payload[0].contentAttachment.data, 'base64').toString() }));
}

// All messages once, and those again that a kill left without an answer. Returns how it went, and what
// is on hold in the end: `left`.
export async function feed({ data, messages, lines = 1, kills = 0, seed = 0, total, args = [], told = () => {} }) {
  const dice = chance(seed ^ 0xdead), again = [];
  const went = { answered: 0, refused: 0, kills: 0 };
  const cuts = Array.from({ length: kills }, () => Math.floor((0.05 + 0.9 * dice.next()) * total)).sort((a, b) => a - b);
  const source = messages[Symbol.iterator]();
  let server;
  const next = () => again.shift() ?? source.next().value;
  const done = (message, code) => {
    went.answered++;
    if (code !== 'AA') went.refused++;
    if (went.answered % 10000 === 0) told(went);
    if (cuts.length && went.answered >= cuts[0]) {
      cuts.shift();
      went.kills++;
      server.child.kill('SIGKILL');
    }
  };
  const start = () => Server.start({ data, args: ['--set', 'hl7v2.listen=127.0.0.1:0', '--set', 'log.requests=no', ...args] });
  server = await start();
  for (let whole = false; !whole;) {
    const port = feedPort(server);
    const open = Array.from({ length: lines }, () => new Line(port, next, done));
    await Promise.all(open.map((line) => line.closed));
    const lost = open.flatMap((line) => line.under);
    whole = !lost.length && open.every((line) => line.over);
    again.push(...lost);
    if (!whole && server.child.exitCode === null && server.child.signalCode === null && !server.child.killed)
      assert.fail(`the server hung up: ${server.log.slice(-500)}`);
    if (server.child.killed) {
      await server.exited;
      server = await start();
      whole = false;
    }
  }
  await settled(server);
  const left = await onHold(server);
  assert.equal(await server.stop(), 0);
  return { ...went, left };
}

// ---- what the record is ----

async function* lines(folder) {
  for (const name of readdirSync(folder).sort())
    for await (const line of createInterface({ input: createReadStream(join(folder, name)), crlfDelay: Infinity }))
      if (line) yield line;
}

const keyOf = (resource) => `${resource.resourceType}?` +
  (resource.identifier ?? []).map((i) => `${i.system}|${i.value}`).sort().join(',');
const byText = (a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
// Lists whose order says nothing.
const SETS = new Set(['identifier', 'extension', 'link', 'result']);

function plain(value, name) {
  if (Array.isArray(value)) {
    const list = value.map((v) => plain(v));
    return SETS.has(name) ? list.sort(byText) : list;
  }
  if (!value || typeof value !== 'object') return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, plain(value[key], key)]));
}

// One line a resource, sorted; ids are what the server made them, so each stands for its identifiers.
export async function write(data, folder, file) {
  const out = await frontline(['export', '--data', data, '--out', folder]);
  assert.equal(out.code, 0, out.stderr);
  const keys = new Map();
  for await (const line of lines(folder)) {
    const resource = JSON.parse(line);
    keys.set(`${resource.resourceType}/${resource.id}`, keyOf(resource));
  }
  const stream = createWriteStream(`${file}.raw`);
  const counts = {};
  for await (const line of lines(folder)) {
    const resource = JSON.parse(line);
    if (resource.resourceType === 'Task') continue; // about messages on hold, for people: there is no disorder in order
    counts[resource.resourceType] = (counts[resource.resourceType] ?? 0) + 1;
    for (const part of ['id', 'meta', 'received', ...(resource.resourceType === 'Communication' ? ['encounter', 'subject'] : [])])
      delete resource[part];
    const known = JSON.stringify(resource).replace(/[A-Z]\w+\/[a-z0-9]{20}/g, (id) => keys.get(id) ?? id);
    if (!stream.write(`${JSON.stringify(plain(JSON.parse(known)))}\n`)) await once(stream, 'drain');
  }
  stream.end();
  await once(stream, 'finish');
  execFileSync('sort', ['-S', '300M', '-o', file, `${file}.raw`], { env: { ...process.env, LC_ALL: 'C' } });
  rmSync(`${file}.raw`);
  rmSync(folder, { recursive: true, force: true });
  return counts;
}

// The story in order and in disorder with kills: { straight, crooked, counts, difference }.
// The records are in `data`, their texts in `folder`; both are kept when `keep`.
export async function replay({ count, seed, kills, folder, data, keep = false, told }) {
  const own = folder ?? mkdtempSync(join(tmpdir(), 'frontline-replay-'));
  const records = data ?? own;
  for (const one of [own, records]) mkdirSync(one, { recursive: true });
  const way = { total: count, seed, told };
  const began = Date.now();
  try {
    const timed = async (feeding) => ({ ...await feeding, seconds: (Date.now() - began) / 1000 });
    const [straight, crooked] = await Promise.all([
      timed(feed({ ...way, data: join(records, 'straight'), messages: inOrder(count, seed) })),
      timed(feed({ ...way, data: join(records, 'crooked'), messages: disordered(count, seed), lines: 4, kills })),
    ]);
    const counts = {}, checks = {};
    await Promise.all(['straight', 'crooked'].map(async (name) => {
      counts[name] = await write(join(records, name), join(own, `${name}-out`), join(own, `${name}.txt`));
      checks[name] = await frontline(['check', '--data', join(records, name)]);
    }));
    let difference = '';
    try {
      execFileSync('diff', [join(own, 'straight.txt'), join(own, 'crooked.txt')], { maxBuffer: 1 << 28 });
    } catch (error) {
      difference = `${error.stdout ?? error}`;
    }
    return { straight, crooked, counts, checks, difference };
  } finally {
    if (!keep) rmSync(own, { recursive: true, force: true });
  }
}
