// SPDX-License-Identifier: Apache-2.0
// Topic-based Subscriptions: a receiver over HTTP that fails, is slow and checks signatures, a
// WebSocket client, an event stream, and a server that is killed in the middle.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { WebSocket } from '../lib/websocket.mjs';
import { binary, spawnServer, startServer } from './server.mjs';

const BACKPORT = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/';
const TOPICS = 'https://frontline.example/fhir/SubscriptionTopic/';
const LOCAL = ['--set', 'subscriptions.allow=127.0.0.0/8'];

// Answers with what `answer(bundle, request)` gives: a status, or a promise of one.
async function receiver(t, answer = () => 200) {
  const seen = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part) => { text += part; });
    request.on('end', async () => {
      const call = { method: request.method, url: request.url, headers: request.headers, text,
                     bundle: text.startsWith('{') ? JSON.parse(text) : undefined };
      seen.push(call);
      const status = await answer(call, seen);
      response.writeHead(status);
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => { server.closeAllConnections(); server.close(); });
  return { seen, url: `http://127.0.0.1:${server.address().port}/hook` };
}

const parameters = (bundle) => bundle.entry[0].resource.parameter;
const value = (bundle, name) => {
  const found = parameters(bundle).find((p) => p.name === name) ?? {};
  return found[Object.keys(found).find((key) => key.startsWith('value'))];
};
const kind = (bundle) => value(bundle, 'type');
const events = (bundle) => parameters(bundle).filter((p) => p.name === 'notification-event')
  .map((p) => Object.fromEntries(p.part.map((part) => [part.name,
    part.valueString ?? part.valueInstant ?? part.valueReference.reference])));
const numbers = (calls) => calls.filter((c) => c.bundle && kind(c.bundle) === 'event-notification')
  .flatMap((c) => events(c.bundle).map((e) => Number(e['event-number'])));

function subscription(topic, { endpoint, content = 'id-only', filters = [], type = 'rest-hook',
                               channel = {}, extension = [] } = {}) {
  return {
    resourceType: 'Subscription', status: 'requested', reason: 'test', criteria: TOPICS + topic,
    _criteria: filters.length ? { extension: filters.map((valueString) => (
      { url: `${BACKPORT}backport-filter-criteria`, valueString })) } : undefined,
    channel: { type, endpoint, payload: 'application/fhir+json',
               _payload: { extension: [{ url: `${BACKPORT}backport-payload-content`,
                                         valueCode: content }] },
               extension: extension.length ? extension : undefined, ...channel },
  };
}

async function until(what, check, ms = 15000) {
  const end = Date.now() + ms;
  while (Date.now() < end) {
    const found = await check();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return assert.fail(`never: ${what}`);
}

async function create(server, resource, headers) {
  const made = await server.post('/fhir/Subscription', resource, headers);
  assert.equal(made.status, 201, made.text);
  return made.body.id;
}
const statusOf = async (server, id) => (await server.get(`/fhir/Subscription/${id}`)).body.status;
async function active(server, resource) {
  const id = await create(server, resource);
  await until('active', async () => (await statusOf(server, id)) === 'active');
  return id;
}
const patient = (family) => ({ resourceType: 'Patient', name: [{ family }] });

test('a rest-hook is greeted, then told every event in order, signed', async (t) => {
  const server = await startServer(t, { args: LOCAL });
  const hook = await receiver(t);
  const id = await active(server, subscription('Patient', {
    endpoint: hook.url, channel: { header: ['Authorization: Bearer abc'] } }));
  const secret = (await server.post(`/fhir/Subscription/${id}/$signing-secret`)).body.parameter[0]
    .valueString;
  assert.equal(kind(hook.seen[0].bundle), 'handshake');
  assert.equal(hook.seen[0].headers.authorization, 'Bearer abc');
  const made = (await server.post('/fhir/Patient', patient('Ash'))).body;
  await server.put(`/fhir/Patient/${made.id}`, { ...made, active: true });
  await server.delete(`/fhir/Patient/${made.id}`);
  await until('three events', () => numbers(hook.seen).length >= 3);
  assert.deepEqual(numbers(hook.seen), [1, 2, 3]);
  for (const call of hook.seen) {
    const sum = createHmac('sha256', secret).update(call.text).digest('hex');
    assert.equal(call.headers['x-hub-signature-256'], `sha256=${sum}`);
    assert.notEqual(call.headers['x-hub-signature-256'],
      `sha256=${createHmac('sha256', 'wrong').update(call.text).digest('hex')}`);
  }
  const told = hook.seen.find((c) => kind(c.bundle) === 'event-notification').bundle;
  assert.equal(told.type, 'history');
  assert.equal(told.entry[0].resource.resourceType, 'Parameters');
  assert.equal(value(told, 'subscription').reference, `${server.url}/fhir/Subscription/${id}`);
  assert.equal(value(told, 'topic'), `${TOPICS}Patient`);
  assert.equal(events(told)[0].focus, `${server.url}/fhir/Patient/${made.id}`);
  assert.equal(told.entry[1].fullUrl, `${server.url}/fhir/Patient/${made.id}`);
  assert.equal(told.entry[1].resource, undefined);
  const check = await server.post('/fhir/Bundle/$validate', told);
  assert.ok(!check.body.issue.some((i) => i.severity === 'error'), check.text);
});

test('content is what was asked for, and filters are searches', async (t) => {
  const server = await startServer(t, { args: LOCAL });
  const [empty, full] = [await receiver(t), await receiver(t)];
  await active(server, subscription('Patient-create', { endpoint: empty.url, content: 'empty' }));
  const id = await active(server, subscription('Patient-create', {
    endpoint: full.url, content: 'full-resource',
    filters: ['Patient?family:exact=Ash&birthdate=ge2000-01-01', 'gender:not=male'] }));
  await server.post('/fhir/Patient', { ...patient('Ash'), birthDate: '1999-12-31' });
  await server.post('/fhir/Patient', { ...patient('Ash'), birthDate: '2000-01-01', gender: 'male' });
  await server.post('/fhir/Patient', { ...patient('ash'), birthDate: '2000-01-01' });
  await server.post('/fhir/Patient', { ...patient('Ash'), birthDate: '2000-01-01' });
  await until('four', () => numbers(empty.seen).length === 4);
  await until('one', () => numbers(full.seen).length === 1);
  const told = full.seen.at(-1).bundle;
  assert.equal(told.entry[1].resource.name[0].family, 'Ash');
  assert.equal(told.entry[1].resource.meta.versionId, '1');
  const bare = empty.seen.find((c) => kind(c.bundle) === 'event-notification').bundle;
  assert.equal(bare.entry.length, 1);
  assert.equal(value(bare, 'topic'), undefined);
  assert.equal(events(bare)[0].focus, undefined);
  const status = await server.get(`/fhir/Subscription/${id}/$status`);
  assert.equal(status.body.type, 'searchset');
  assert.equal(value(status.body, 'events-since-subscription-start'), '1');
});

test('a receiver that fails is tried again, and misses and repeats nothing', async (t) => {
  const server = await startServer(t, { args: LOCAL });
  let broken = 2;
  const hook = await receiver(t, (call) => (
    kind(call.bundle) === 'event-notification' && broken-- > 0 ? 503 : 200));
  await active(server, subscription('Patient-create', { endpoint: hook.url, extension: [
    { url: `${BACKPORT}backport-max-count`, valuePositiveInt: 2 }] }));
  for (let i = 0; i < 5; i++) await server.post('/fhir/Patient', patient(`N${i}`));
  await until('all', () => numbers(hook.seen).includes(5));
  const good = hook.seen.filter((c) => kind(c.bundle) === 'event-notification').slice(2);
  assert.deepEqual(numbers(good), [1, 2, 3, 4, 5]);
  assert.ok(good.every((c) => events(c.bundle).length <= 2));
});

test('a slow and a dead receiver hold up nobody', async (t) => {
  const server = await startServer(t, { args: LOCAL });
  const slow = await receiver(t, (call) => (kind(call.bundle) === 'handshake' ? 200
    : new Promise((resolve) => { setTimeout(() => resolve(200), 4000); })));
  const dead = await receiver(t, (call) => (kind(call.bundle) === 'handshake' ? 200 : 500));
  const quick = await receiver(t);
  for (const hook of [slow, dead, quick])
    await active(server, subscription('Patient-create', { endpoint: hook.url }));
  const began = Date.now();
  for (let i = 0; i < 10; i++) await server.post('/fhir/Patient', patient(`N${i}`));
  await until('the quick one', () => numbers(quick.seen).length === 10, 3500);
  assert.ok(Date.now() - began < 3500);
});

test('a receiver that never answers well puts its subscription in error, until asked again', async (t) => {
  const server = await startServer(t, { args: [...LOCAL, '--set', 'subscriptions.attempts=2'] });
  let status = 500;
  const hook = await receiver(t, () => status);
  const id = await create(server, subscription('Patient-create', { endpoint: hook.url }));
  await until('error', async () => (await statusOf(server, id)) === 'error');
  const found = (await server.get(`/fhir/Subscription/${id}`)).body;
  assert.match(found.error, /answered 500/);
  const report = await server.get('/fhir/Subscription/$status?status=error');
  assert.equal(report.body.entry.length, 1);
  status = 200;
  assert.equal((await server.put(`/fhir/Subscription/${id}`, { ...found, status: 'requested' })).status, 200);
  await until('active', async () => (await statusOf(server, id)) === 'active');
  assert.equal((await server.get(`/fhir/Subscription/${id}`)).body.error, undefined);
  status = 500;
  await server.post('/fhir/Patient', patient('Ash'));
  await until('error again', async () => (await statusOf(server, id)) === 'error');
  const again = (await server.get(`/fhir/Subscription/${id}`)).body;
  status = 200;
  await server.put(`/fhir/Subscription/${id}`, { ...again, status: 'requested' });
  await until('what it missed', () => numbers(hook.seen.slice(-1)).includes(1));
});

test('a killed server tells every event once it is back, by its number', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'frontline-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  let down = false;
  const hook = await receiver(t, () => (down ? 503 : 200));
  let server = await spawnServer({ folder, args: LOCAL });
  const id = await active(server, subscription('Patient-create', { endpoint: hook.url }));
  down = true;
  const posts = [];
  for (let i = 0; i < 30; i++)
    posts.push(server.post('/fhir/Patient', patient(`N${i}`)).catch(() => undefined));
  await Promise.all(posts.slice(0, 10));
  await server.stop('SIGKILL');
  const kept = (await Promise.all(posts)).filter((answer) => answer?.status === 201).length;
  down = false;
  server = await spawnServer({ folder, args: LOCAL });
  t.after(() => server.stop());
  for (let i = 0; i < 3; i++) await server.post('/fhir/Patient', patient(`L${i}`));
  const total = (await server.get('/fhir/Patient?_summary=count')).body.total;
  assert.ok(total >= kept + 3);
  const received = () => [...new Set(numbers(hook.seen))].sort((a, b) => a - b);
  await until('all events', () => received().length >= total, 30000);
  assert.deepEqual(received(), Array.from({ length: total }, (_, i) => i + 1));
  const all = (await server.get(`/fhir/Subscription/${id}/$events`)).body;
  assert.deepEqual(events(all).map((e) => Number(e['event-number'])), received());
  assert.equal(new Set(events(all).map((e) => e.focus)).size, total);
  const some = (await server.get(
    `/fhir/Subscription/${id}/$events?eventsSinceNumber=2&eventsUntilNumber=3&content=full-resource`)).body;
  assert.deepEqual(events(some).map((e) => e['event-number']), ['2', '3']);
  assert.equal(kind(some), 'query-event');
  assert.equal(some.entry[1].resource.resourceType, 'Patient');
});

test('an encounter starts and ends; a topic of the operator and one of the record', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'topics-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'high.json'), JSON.stringify({
    resourceType: 'SubscriptionTopic', url: 'http://trust.example/topics/high', status: 'active',
    resourceTrigger: [{ resource: 'Observation', supportedInteraction: ['create', 'update'],
                        fhirPathCriteria: '%current.value.value > 100 and (%previous.empty() or %previous.value.value <= 100)' }],
    canFilterBy: [{ resource: 'Observation', filterParameter: 'code' }],
  }));
  const server = await startServer(t, { args: [...LOCAL, '--set', `subscriptions.topics=${folder}`] });
  const x = 'http://hl7.org/fhir/4.3/StructureDefinition/extension-SubscriptionTopic.';
  const basic = await server.post('/fhir/Basic', {
    resourceType: 'Basic', code: { coding: [{ system: 'http://hl7.org/fhir/fhir-types', code: 'SubscriptionTopic' }] },
    extension: [
      { url: `${x.replace('4.3', '5.0')}url`, valueUri: 'http://trust.example/topics/moved' },
      { url: `${x}resourceTrigger`, extension: [
        { url: 'resource', valueUri: 'http://hl7.org/fhir/StructureDefinition/Encounter' },
        { url: 'supportedInteraction', valueCode: 'update' },
        { url: 'queryCriteria', extension: [
          { url: 'previous', valueString: 'location=Location/a' },
          { url: 'current', valueString: 'location=Location/b' },
          { url: 'requireBoth', valueBoolean: true }] }] }],
  });
  assert.equal(basic.status, 201);
  const hooks = {};
  for (const [name, topic] of [['start', `${TOPICS}encounter-start`], ['end', `${TOPICS}encounter-end`],
    ['high', 'http://trust.example/topics/high'], ['moved', 'http://trust.example/topics/moved']]) {
    hooks[name] = await receiver(t);
    await active(server, { ...subscription('x', { endpoint: hooks[name].url }), criteria: topic });
  }
  for (const id of ['a', 'b']) await server.put(`/fhir/Location/${id}`, { resourceType: 'Location', id });
  const encounter = (status, place) => ({ resourceType: 'Encounter', id: 'e', status,
    class: { code: 'IMP' }, location: [{ location: { reference: `Location/${place}` } }] });
  for (const [status, place] of [['planned', 'a'], ['in-progress', 'a'], ['in-progress', 'b'],
    ['in-progress', 'b'], ['finished', 'b'], ['finished', 'a']])
    assert.ok((await server.put('/fhir/Encounter/e', encounter(status, place))).status < 300);
  for (const number of [90, 120, 130, 80, 101])
    await server.put('/fhir/Observation/o', { resourceType: 'Observation', id: 'o', status: 'final',
      code: { text: 'pulse' }, valueQuantity: { value: number } });
  await until('high twice', () => numbers(hooks.high.seen).length === 2);
  await until('ended', () => numbers(hooks.end.seen).length === 1);
  assert.deepEqual(numbers(hooks.start.seen), [1]);
  assert.deepEqual(numbers(hooks.moved.seen), [1]);
  const refused = await server.post('/fhir/Subscription', { ...subscription('x', {
    endpoint: hooks.high.url, filters: ['Observation?subject=Patient/1'] }),
    criteria: 'http://trust.example/topics/high' });
  assert.equal(refused.status, 422);
  assert.match(refused.text, /cannot be filtered by subject/);
  const topics = (await server.get('/fhir/Subscription/$topics')).body.parameter.map((p) => p.valueCanonical);
  assert.ok(topics.includes('http://trust.example/topics/moved') && topics.includes(`${TOPICS}Bundle-delete`));
});

test('what could never work is refused when it is written', async (t) => {
  const server = await startServer(t, { args: LOCAL });
  const ok = { endpoint: 'https://hook.example/' };
  const cases = [
    [subscription('Nothing', ok), /there is no topic/],
    [{ ...subscription('Patient', ok), criteria: 'patients' }, /topic/],
    [subscription('Patient', { endpoint: 'ftp://x/' }), /https address/],
    [subscription('Patient', { endpoint: 'https://user:secret@hook.example/' }), /https address/],
    [subscription('Patient', { ...ok, type: 'email' }), /not served here/],
    [subscription('Patient', { ...ok, content: 'everything' }), /full-resource/],
    [subscription('Patient', { ...ok, filters: ['Patient?colour=red'] }), /colour/],
    [subscription('Patient', { ...ok, filters: ['Encounter?status=x'] }), /not about Encounter/],
    [subscription('Patient', { ...ok, channel: { header: ['Host: other'] } }), /header/],
    [subscription('Patient', { ...ok, channel: { header: ['no colon'] } }), /header/],
    [subscription('Patient', { ...ok, channel: { payload: 'text/plain' } }), /payload|written here/],
  ];
  for (const [resource, why] of cases) {
    const answer = await server.post('/fhir/Subscription', resource);
    assert.ok([400, 422].includes(answer.status), `${answer.status} ${answer.text}`);
    assert.match(answer.text, why);
  }
});

test('addresses of the own network are not called, redirects are not followed', async (t) => {
  const closed = await startServer(t, { args: ['--set', 'subscriptions.attempts=1'] });
  const inner = await receiver(t);
  for (const endpoint of [inner.url, inner.url.replace('127.0.0.1', 'localhost'),
    inner.url.replace('127.0.0.1', '[::ffff:127.0.0.1]'), 'https://169.254.169.254/latest/meta-data']) {
    const id = await create(closed, subscription('Patient', { endpoint }));
    await until(`refused ${endpoint}`, async () => (await statusOf(closed, id)) === 'error');
    assert.match((await closed.get(`/fhir/Subscription/${id}`)).body.error, /is not called/);
  }
  assert.equal(inner.seen.length, 0);
  const server = await startServer(t, { args: [...LOCAL, '--set', 'subscriptions.attempts=1'] });
  const moved = createServer((request, response) => { response.writeHead(307, { location: inner.url }); response.end(); });
  moved.listen(0, '127.0.0.1');
  await once(moved, 'listening');
  t.after(() => { moved.closeAllConnections(); moved.close(); });
  const id = await create(server, subscription('Patient', { endpoint: `http://127.0.0.1:${moved.address().port}/` }));
  await until('refused', async () => (await statusOf(server, id)) === 'error');
  assert.equal(inner.seen.length, 0);
});

test('heartbeats come while nothing happens, and the end switches it off', async (t) => {
  const server = await startServer(t, { args: LOCAL });
  const hook = await receiver(t);
  const id = await active(server, { ...subscription('Patient', { endpoint: hook.url, extension: [
    { url: `${BACKPORT}backport-heartbeat-period`, valueUnsignedInt: 1 }] }),
    end: new Date(Date.now() + 4000).toISOString() });
  await until('two beats', () => hook.seen.filter((c) => kind(c.bundle) === 'heartbeat').length >= 2);
  await new Promise((resolve) => setTimeout(resolve, 3000));
  await server.post('/fhir/Patient', patient('late'));
  await until('off', async () => (await statusOf(server, id)) === 'off');
  assert.deepEqual(numbers(hook.seen), []);
});

test('R4\'s own kind: criteria is a search, the resource itself is put', async (t) => {
  const server = await startServer(t, { args: LOCAL });
  const hook = await receiver(t);
  await active(server, { resourceType: 'Subscription', status: 'requested', reason: 'r',
    criteria: 'Patient?family=Ash', channel: { type: 'rest-hook', endpoint: hook.url,
                                               payload: 'application/fhir+json' } });
  await server.put('/fhir/Patient/a', { ...patient('Ash'), id: 'a' });
  await server.put('/fhir/Patient/b', { ...patient('Oak'), id: 'b' });
  await until('one call', () => hook.seen.length === 1);
  assert.equal(hook.seen[0].method, 'PUT');
  assert.equal(hook.seen[0].url, '/hook/Patient/a');
  assert.equal(hook.seen[0].bundle.name[0].family, 'Ash');
});

// ---- websocket and event stream ----

async function bound(server, path, ids, headers) {
  const answer = await server.get(path, headers);
  assert.equal(answer.status, 200, answer.text);
  const found = Object.fromEntries(answer.body.parameter.map((p) => [p.name,
    p.valueString ?? p.valueDateTime ?? p.valueUrl]));
  const socket = new WebSocket(found['websocket-url']);
  const seen = [];
  socket.on('message', (text) => seen.push(JSON.parse(text)));
  socket.ended = once(socket, 'close').then(([code]) => ({ code }));
  await once(socket, 'open');
  socket.send(`bind-with-token ${found.token}`);
  await until('handshakes', () => seen.filter((b) => kind(b) === 'handshake').length === ids);
  return { socket, seen, token: found.token, url: found['websocket-url'] };
}

test('a websocket is bound by a token and told events; ended subscriptions let go of it', async (t) => {
  const server = await startServer(t, { args: LOCAL });
  const one = await active(server, subscription('Patient', { type: 'websocket', content: 'full-resource' }));
  await active(server, subscription('Observation', { type: 'websocket' }));
  const { socket, seen, token, url } = await bound(server, '/fhir/Subscription/$get-ws-binding-token', 2);
  for (let i = 0; i < 20; i++) await server.post('/fhir/Patient', patient(`N${i}`));
  await server.post('/fhir/Observation', { resourceType: 'Observation', status: 'final', code: { text: 'x' } });
  const told = () => seen.filter((b) => kind(b) === 'event-notification');
  await until('all', () => told().flatMap((b) => events(b)).length === 21);
  const patients = told().filter((b) => value(b, 'topic') === `${TOPICS}Patient`);
  assert.deepEqual(patients.flatMap((b) => events(b)).map((e) => Number(e['event-number'])),
    Array.from({ length: 20 }, (_, i) => i + 1));
  assert.equal(patients[0].entry[1].resource.name[0].family, 'N0');
  socket.close();
  assert.equal((await socket.ended).code, 1000);

  const stranger = new WebSocket(url); // the token was used up
  await once(stranger, 'open');
  stranger.send(`bind-with-token ${token}`);
  const [refused] = await once(stranger, 'close');
  assert.equal(refused, 1008);

  const again = await bound(server, `/fhir/Subscription/${one}/$get-ws-binding-token`, 1);
  await server.patch(`/fhir/Subscription/${one}`, [{ op: 'replace', path: '/status', value: 'off' }]);
  assert.equal((await again.socket.ended).code, 1000);
  assert.equal((await server.get('/subscriptions/ws')).status, 426);
  const none = await server.get('/fhir/Subscription/$get-ws-binding-token?id=nobody');
  assert.equal(none.status, 404);
});

test('a WebSocket is closed when the server stops', async (t) => {
  const server = await startServer(t, { args: LOCAL });
  await active(server, subscription('Patient', { type: 'websocket' }));
  const { socket } = await bound(server, '/fhir/Subscription/$get-ws-binding-token', 1);
  assert.equal(await server.stop(), 0);
  assert.ok([1001, 1006].includes((await socket.ended).code));
});

const sse = (topic) => subscription(topic, { type: 'message', channel: { _type: { extension: [
  { url: `${BACKPORT}backport-channel-type`,
    valueCoding: { system: 'https://frontline.example/fhir/CodeSystem/channel', code: 'sse' } }] } } });

async function listen(server, id, headers = {}) {
  const cut = new AbortController();
  const response = await fetch(`${server.url}/fhir/Subscription/${id}/$stream`, { headers, signal: cut.signal });
  const stream = { status: response.status, blocks: [], cut };
  (async () => {
    let text = '';
    for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
      text += part;
      for (let at; (at = text.indexOf('\n\n')) >= 0; text = text.slice(at + 2))
        stream.blocks.push(Object.fromEntries(text.slice(0, at).split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)])));
    }
  })().catch(() => {}).finally(() => { stream.ended = true; });
  return stream;
}

test('an event stream resumes after the event it had, and ends with its subscription', async (t) => {
  const server = await startServer(t, { args: LOCAL });
  const id = await active(server, sse('Patient'));
  const first = await listen(server, id);
  await until('greeting', () => first.blocks.length === 1);
  for (let i = 0; i < 3; i++) await server.post('/fhir/Patient', patient(`N${i}`));
  await until('events', () => first.blocks.at(-1).id === '3');
  first.cut.abort();
  for (let i = 0; i < 2; i++) await server.post('/fhir/Patient', patient(`M${i}`));
  const second = await listen(server, id, { 'last-event-id': '3' });
  await until('the rest', () => second.blocks.at(-1)?.id === '5');
  const got = second.blocks.filter((b) => b.id).flatMap((b) => events(JSON.parse(b.data)))
    .map((e) => e['event-number']);
  assert.deepEqual(got, ['4', '5']);
  await server.delete(`/fhir/Subscription/${id}`);
  await until('end', () => second.ended);
  assert.equal((await server.get(`/fhir/Subscription/${id}/$stream`)).status, 410);
});

test('the CapabilityStatement says where and what', async (t) => {
  const server = await startServer(t);
  const rest = (await server.get('/fhir/metadata')).body.rest[0];
  assert.match(rest.extension[0].valueUri, /^ws:\/\/.*\/subscriptions\/ws$/);
  const found = rest.resource.find((r) => r.type === 'Subscription');
  assert.deepEqual(found.operation.map((o) => o.name).filter((n) => /status|events|token/.test(n)),
    ['status', 'events', 'get-ws-binding-token']);
  assert.ok(found.extension.some((e) => e.valueCanonical === `${TOPICS}encounter-start`));
});

// ---- who may be told what ----

const operator = (server, ...words) =>
  execFileSync(binary, [...words, '--data', server.folder], { encoding: 'utf8' }).trim();
const token = (server, scope) => {
  const text = operator(server, 'token', '--scope', scope);
  return { text, headers: { authorization: `Bearer ${text}` } };
};

test('a subscriber is told what its maker may see, until the grant is revoked', async (t) => {
  const server = await startServer(t, { open: false, args: LOCAL });
  const writer = token(server, 'system/*.cruds').headers;
  const narrow = token(server, 'system/Subscription.cruds system/Patient.rs');
  const hook = await receiver(t);
  const ids = [];
  for (const topic of ['Patient', 'Observation']) {
    const made = await server.post('/fhir/Subscription',
      subscription(topic, { endpoint: hook.url, content: 'full-resource' }), narrow.headers);
    assert.equal(made.status, 201, made.text);
    ids.push(made.body.id);
  }
  const status = async (id) => (await server.get(`/fhir/Subscription/${id}`, writer)).body.status;
  for (const id of ids) await until('active', async () => (await status(id)) === 'active');
  await server.post('/fhir/Observation', { resourceType: 'Observation', status: 'final', code: { text: 'x' } }, writer);
  await server.post('/fhir/Patient', patient('Ash'), writer);
  await until('the patient', () => numbers(hook.seen).length === 1);
  assert.ok(!hook.seen.some((c) => c.text.includes('"Observation"')));

  // Nobody listens in on somebody else's.
  const other = token(server, 'system/Subscription.rs');
  for (const path of ['$signing-secret'])
    assert.equal((await server.post(`/fhir/Subscription/${ids[0]}/${path}`, {}, other.headers)).status, 403);

  operator(server, 'token', '--revoke', narrow.text);
  await new Promise((resolve) => setTimeout(resolve, 1600)); // both caches have gone by
  await server.post('/fhir/Patient', patient('Oak'), writer);
  await until('off', async () => (await status(ids[0])) === 'off');
  assert.match((await server.get(`/fhir/Subscription/${ids[0]}`, writer)).body.error, /may not see/);
  assert.ok(!hook.seen.some((c) => c.text.includes('Oak')));
});

// ---- hidden from who subscribed: by relationship, label and consent, before, between and after ----

const LABEL = { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }] };
const pulse = (id, about, meta) => ({ resourceType: 'Observation', id, ...(meta && { meta }), status: 'final', code: { text: 'pulse' },
  subject: { reference: `Patient/${about}` }, note: [{ text: `says ${id}` }] });
const careTeam = (about, status) => ({ resourceType: 'CareTeam', id: `team-${about}`, status, subject: { reference: `Patient/${about}` },
  participant: [{ member: { reference: 'Practitioner/n1' } }] });
const dissent = (about, status) => ({ resourceType: 'Consent', id: `consent-${about}`, status, patient: { reference: `Patient/${about}` },
  scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
  category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }], policyRule: { text: 'local' },
  provision: { type: 'deny', actor: [{ role: { text: 'x' }, reference: { reference: 'Practitioner/n1' } }] } });

test('no channel and no payload tells of what is hidden from who subscribed, whenever it became so', async (t) => {
  const server = await startServer(t, { open: false, args: LOCAL });
  const all = token(server, 'system/*.cruds').headers;
  const put = async (resource) => {
    const answer = await server.put(`/fhir/${resource.resourceType}/${resource.id}`, resource, all);
    assert.ok(answer.status < 300, answer.text);
  };
  await put({ resourceType: 'Practitioner', id: 'n1' });
  for (const id of ['kept', 'lost', 'denies', 'relents', 'strange']) {
    await put({ resourceType: 'Patient', id });
    if (id !== 'strange') await put(careTeam(id, 'active'));
  }
  await put(dissent('relents', 'active'));
  // Only those who look after the system may subscribe; one of them goes back to the ward.
  operator(server, 'user', 'add', 't.herapist', '--role', 'system_admin', '--who', 'Practitioner/n1');
  const own = operator(server, 'token', '--user', 't.herapist', '--scope', 'user/*.cruds');
  const mine = { authorization: `Bearer ${own}` };
  const hooks = {}, ids = {};
  let down = false;
  for (const content of ['empty', 'id-only', 'full-resource', 'late']) {
    hooks[content] = await receiver(t, (call) => (content === 'late' && down && kind(call.bundle) === 'event-notification' ? 503 : 200));
    ids[content] = await create(server, subscription('Observation', { endpoint: hooks[content].url, content: content === 'late' ? 'full-resource' : content }), mine);
  }
  ids.socket = await create(server, subscription('Observation', { type: 'websocket', content: 'full-resource' }), mine);
  ids.stream = await create(server, { ...sse('Observation'), channel: { ...sse('Observation').channel,
    _payload: { extension: [{ url: `${BACKPORT}backport-payload-content`, valueCode: 'full-resource' }] } } }, mine);
  const status = async (id) => (await server.get(`/fhir/Subscription/${id}`, all)).body.status;
  for (const id of Object.values(ids)) await until('active', async () => (await status(id)) === 'active');
  await put(pulse('before-role', 'kept')); // a system administrator is told of nobody's record
  operator(server, 'user', 'role', 't.herapist', 'ahp');
  await until('the role', async () => (await server.get('/fhir/Patient/kept', mine)).status === 200);
  await new Promise((resolve) => setTimeout(resolve, 1100)); // what a subscriber may see is looked up once a second

  const { socket, seen } = await bound(server, `/fhir/Subscription/${ids.socket}/$get-ws-binding-token`, 1, mine);
  const stream = await listen(server, ids.stream, mine);
  await until('greeting', () => stream.blocks.length === 1);
  const told = {
    ...Object.fromEntries(Object.keys(hooks).map((name) => [name, () => hooks[name].seen.map((call) => call.text)])),
    socket: () => seen.map((bundle) => JSON.stringify(bundle)), stream: () => stream.blocks.map((block) => block.data),
  };
  const last = (text) => (kind(JSON.parse(text)) === 'event-notification' ? events(JSON.parse(text)).map((e) => Number(e['event-number'])) : []);
  const reaches = (number, names = Object.keys(told)) => until(`event ${number} everywhere`, () => names.every((name) => told[name]().flatMap(last).includes(number)));

  // Hidden when it happens: not counted, not told.
  await put(pulse('strange-1', 'strange'));
  await put(pulse('denied-yet', 'relents'));
  await put(pulse('labelled', 'kept', LABEL));
  await put(pulse('turns', 'kept'));            // 1
  await reaches(1);
  await put(pulse('turns', 'kept', LABEL));     // the label comes: what tells of it is hidden, too
  await put(pulse('of-lost', 'lost'));          // 2
  await put(pulse('of-denies', 'denies'));      // 3
  await reaches(3);

  // Between the event and its delivery, and from then on.
  down = true;
  await put(pulse('late-lost', 'lost'));        // 4: seen by those who take it at once
  await reaches(4, Object.keys(told).filter((name) => name !== 'late'));
  await until('tried', () => hooks.late.seen.some((call) => call.text.includes('late-lost')));
  const tried = hooks.late.seen.length;
  await put(careTeam('lost', 'inactive'));
  await put(dissent('denies', 'active'));
  await put(dissent('relents', 'inactive'));
  await until('all three hold', async () => (await Promise.all(['lost', 'denies', 'relents'].map((id) => server.get(`/fhir/Patient/${id}`, mine))))
    .map((answer) => answer.status).join() === '404,404,200');
  await new Promise((resolve) => setTimeout(resolve, 1100));
  down = false;
  await put(pulse('after-lost', 'lost'));
  await put(pulse('after-denies', 'denies'));
  await put(pulse('after-turns', 'kept', LABEL));
  assert.equal((await server.delete('/fhir/Observation/turns', all)).status, 204);
  assert.equal((await server.delete('/fhir/Observation/of-lost', all)).status, 204);
  await put(pulse('after-relents', 'relents')); // 5
  await put(pulse('after-kept', 'kept'));       // 6
  await reaches(6);
  for (const [name, texts] of Object.entries(told)) {
    assert.deepEqual([...new Set(texts().flatMap(last))].sort(), [1, 2, 3, 4, 5, 6], `${name}: no number for what is hidden`);
    const all6 = texts().join('\n');
    assert.doesNotMatch(all6, /strange|denied-yet|labelled|after-(lost|denies|turns)|before-role/, name);
    if (name !== 'empty' && name !== 'late') assert.match(all6, /of-lost[^]*after-relents[^]*after-kept/, `${name} is told what may be seen`);
    if (['full-resource', 'socket', 'stream'].includes(name)) assert.match(all6, /says after-kept/, name);
    if (name === 'empty') assert.doesNotMatch(all6, /Observation\//, 'empty names nothing');
  }
  assert.doesNotMatch(hooks.late.seen.slice(tried).filter((call) => /event-notification/.test(call.text)).at(-1).text, /late-lost/,
    'what was hidden before it could be delivered keeps its number alone');
  for (const content of ['empty', 'id-only', 'full-resource']) {
    const asked = await server.get(`/fhir/Subscription/${ids['full-resource']}/$events?content=${content}`, mine);
    assert.equal(asked.status, 200, asked.text);
    assert.doesNotMatch(asked.text, /lost|denies|turns|strange|labelled/, `$events ${content}: by what may be seen now`);
    assert.deepEqual(events(asked.body).map((e) => Number(e['event-number'])), [1, 2, 3, 4, 5, 6]);
    assert.equal(asked.text.includes('after-kept'), content !== 'empty');
  }
  for (const path of [`${ids.stream}/$status`, '$status']) {
    const counted = await server.get(`/fhir/Subscription/${path}`, mine);
    assert.equal(counted.status, 200, counted.text);
    assert.doesNotMatch(counted.text, /"7"|lost|denies/, path);
  }

  // The one who subscribed loses the right to anything: every channel ends.
  operator(server, 'user', 'disable', 't.herapist');
  await until('refused', async () => (await server.get('/fhir/Patient/kept', mine)).status === 401);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  await put(pulse('to-nobody', 'kept'));
  for (const id of Object.values(ids)) await until('off', async () => (await status(id)) === 'off');
  await socket.ended;
  await until('the stream ends', () => stream.ended);
  for (const [name, texts] of Object.entries(told)) assert.doesNotMatch(texts().join(), /to-nobody/, name);
});
