// SPDX-License-Identifier: Apache-2.0
// Clients that write to a server which is killed, and the ledger of what it had acknowledged.
//
// Each client owns its resources, so that what must be there after a kill is known exactly: the last
// acknowledged state, or the one whose answer was still awaited. A transaction must be there whole
// or not at all.
import assert from 'node:assert/strict';

const FHIR = { 'content-type': 'application/fhir+json' };
const patient = (id, mark) => ({ resourceType: 'Patient', id, active: true,
                                 name: [{ family: `Mark${mark}` }],
                                 identifier: [{ system: 'urn:test:ledger', value: `${id}` }] });
const observation = (id, of, mark) => ({
  resourceType: 'Observation', id, status: 'final', code: { text: `Mark${mark}` },
  subject: { reference: `Patient/${of}` }, effectiveDateTime: '2026-01-01T10:00:00Z',
});
const markOf = (resource) =>
  Number(/Mark(\d+)/.exec(resource.name?.[0].family ?? resource.code?.text)?.[1]);

// What is known of one resource: `sure` was acknowledged, `maybe` was sent and not answered.
// A state is { mark } or { gone: true }; sure undefined: never acknowledged.
class Ledger {
  constructor() {
    this.states = new Map();
    this.pairs = new Map(); // a transaction's two resources, with the mark both must carry
    this.acknowledged = 0;
    this.refused = 0;
  }

  sent(key, state) {
    this.states.set(key, { ...this.states.get(key), maybe: state });
  }

  answered(key, state) {
    this.states.set(key, { sure: state });
    this.acknowledged++;
  }
}

export class Client {
  constructor(number, ledger, random) {
    Object.assign(this, { number, ledger, random, count: 0, marks: 0 });
  }

  // One write of a kind picked by chance; throws when the connection is lost.
  async write(url) {
    const kind = this.random();
    if (kind < 0.35 || this.count < 4) return this.put(url, `c${this.number}-${this.count++}`);
    if (kind < 0.65) return this.put(url, this.pick());
    if (kind < 0.75) return this.remove(url, this.pick());
    if (kind < 0.85) return this.createOnce(url);
    return this.transaction(url);
  }

  pick() {
    return `c${this.number}-${Math.floor(this.random() * this.count)}`;
  }

  async ask(url, method, path, body, headers = {}) {
    const answer = await fetch(`${url}/fhir/${path}`, {
      method, headers: { ...FHIR, prefer: 'return=minimal', ...headers },
      body: body && JSON.stringify(body), signal: AbortSignal.timeout(20000),
    });
    await answer.arrayBuffer();
    if (answer.status >= 300) this.ledger.refused++;
    return answer;
  }

  async put(url, id) {
    const key = `Patient/${id}`, state = { mark: ++this.marks };
    this.ledger.sent(key, state);
    const answer = await this.ask(url, 'PUT', key, patient(id, state.mark));
    if (answer.ok) this.ledger.answered(key, state);
  }

  async remove(url, id) {
    const key = `Patient/${id}`, state = { gone: true };
    if (!this.ledger.states.get(key)?.sure) return;
    this.ledger.sent(key, state);
    const answer = await this.ask(url, 'DELETE', key);
    if (answer.ok) this.ledger.answered(key, state);
  }

  // By condition: asked twice, made once.
  async createOnce(url) {
    const value = `once-${this.number}-${this.marks++}`;
    const body = { resourceType: 'Basic', code: { text: 'x' },
                   identifier: [{ system: 'urn:test:once', value }] };
    const condition = { 'if-none-exist': `identifier=urn:test:once|${value}` };
    this.ledger.sent(`once/${value}`, { once: true });
    for (let i = 0; i < 2; i++) {
      const answer = await this.ask(url, 'POST', 'Basic', body, condition);
      if (answer.ok) this.ledger.answered(`once/${value}`, { once: true });
    }
  }

  async transaction(url) {
    const id = `t${this.number}-${this.marks}`, mark = ++this.marks;
    const entry = (resource) => ({ resource, request: { method: 'PUT',
      url: `${resource.resourceType}/${resource.id}` } });
    const bundle = { resourceType: 'Bundle', type: 'transaction',
                     entry: [entry(patient(id, mark)), entry(observation(id, id, mark))] };
    this.ledger.pairs.set(id, { mark, sure: false });
    const answer = await this.ask(url, 'POST', '', bundle);
    if (answer.ok) {
      this.ledger.pairs.set(id, { mark, sure: true });
      this.ledger.acknowledged++;
    }
  }
}

async function stateOf(url, key) {
  const answer = await fetch(`${url}/fhir/${key}`);
  const body = await answer.json();
  if (answer.status === 200) return { mark: markOf(body) };
  assert.ok(answer.status === 404 || answer.status === 410, `${key}: ${answer.status}`);
  return answer.status === 410 ? { gone: true } : undefined;
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

async function checkOnce(url, key, entry) {
  const answer = await fetch(`${url}/fhir/Basic?_summary=count&identifier=urn:test:once|${key.slice(5)}`);
  const { total } = await answer.json();
  assert.ok(total === 1 || (total === 0 && !entry.sure), `${key}: ${total} of one`);
}

async function checkOne(url, ledger, key, entry) {
  if (key.startsWith('once/')) {
    await checkOnce(url, key, entry);
    ledger.states.delete(key);
    return;
  }
  const found = await stateOf(url, key);
  assert.ok(same(found, entry.sure) || (entry.maybe && same(found, entry.maybe)),
            `${key}: acknowledged ${JSON.stringify(entry.sure)}, found ${JSON.stringify(found)}`);
  ledger.states.set(key, { sure: found });
}

async function checkPair(url, ledger, id, { mark, sure }) {
  const both = [await stateOf(url, `Patient/${id}`), await stateOf(url, `Observation/${id}`)];
  assert.ok(same(both[0], both[1]), `transaction ${id} is there by half`);
  assert.ok(both[0] ? both[0].mark === mark : !sure, `transaction ${id} was acknowledged and lost`);
  ledger.pairs.delete(id);
}

// As many at a time as there are clients.
async function eachOf(list, look) {
  const waiting = list.values();
  await Promise.all(Array.from({ length: 16 }, async () => {
    for (const one of waiting) await look(one);
  }));
}

// Holds the server against the ledger; what it finds becomes what is sure. A sample of what was
// sure before is looked at again, too.
async function check(url, ledger, random) {
  let looked = 0;
  const doubtful = ([, entry]) => entry.maybe || entry.fresh !== false || random() < 0.05;
  await eachOf([...ledger.states].filter(doubtful), async ([key, entry]) => {
    await checkOne(url, ledger, key, entry);
    const now = ledger.states.get(key);
    if (now) now.fresh = false;
    looked++;
  });
  await eachOf([...ledger.pairs], async ([id, pair]) => {
    await checkPair(url, ledger, id, pair);
    looked++;
  });
  return looked;
}

function chance(seed) { // mulberry32: repeatable
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// Starts the server, lets the clients write, cuts it off and checks what is left, `cycles` times.
// start(): { url, cut() }. Gives what was done.
export async function ordeal({ start, cycles, clients = 16, writeMs = 250, seed = 1, tell }) {
  const ledger = new Ledger(), random = chance(seed);
  const crowd = Array.from({ length: clients }, (_, i) => new Client(i, ledger, chance(seed + i + 1)));
  let looked = 0;
  for (let cycle = 0; cycle <= cycles; cycle++) {
    const server = await start();
    looked += await check(server.url, ledger, random);
    if (cycle === cycles) return { server, looked, ...ledger };
    let over = false;
    const lives = crowd.map(async (client) => {
      while (!over) await client.write(server.url).catch(() => { over = true; });
    });
    await new Promise((resolve) => setTimeout(resolve, writeMs * (0.4 + random() * 1.2)));
    await server.cut();
    over = true;
    await Promise.all(lives);
    tell?.(cycle + 1, ledger);
  }
  return undefined;
}
