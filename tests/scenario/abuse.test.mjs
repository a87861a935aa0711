// SPDX-License-Identifier: Apache-2.0
// What hostile, broken and slow clients send: each gets its documented status and an
// OperationOutcome, memory stays bounded, and the server goes on.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { startServer } from './server.mjs';

// Sends bytes and resolves to all that comes back until the other side closes, or after `ms`.
function raw(server, bytes, ms = 3000) {
  const { hostname, port } = new URL(server.url);
  return new Promise((done) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    let got = '';
    const end = () => { socket.destroy(); done(got); };
    const timer = setTimeout(end, ms);
    socket.on('data', (data) => { got += data; });
    socket.on('close', () => { clearTimeout(timer); done(got); });
    socket.on('error', () => {});
  });
}
const memoryOf = (server) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.child.pid}/status`, 'utf8'))[1]) * 1024;
const close = 'Host: a\r\nConnection: close\r\n';

test('malformed requests get a status and an OperationOutcome', async (t) => {
  const server = await startServer(t);
  const rows = [
    ['no method', `/fhir HTTP/1.1\r\n${close}\r\n`, [400, 404, 405]],
    ['no host', 'GET /fhir/Patient/1 HTTP/1.1\r\n\r\n', [400]],
    ['bad host', 'GET /fhir/Patient/1 HTTP/1.1\r\nHost: a"b\r\n\r\n', [400]],
    ['bad version', `GET / HTTP/9.9\r\n${close}\r\n`, [505]],
    ['bad escape', `GET /fhir/Patient/%zz HTTP/1.1\r\n${close}\r\n`, [400]],
    ['NUL in the path', `GET /fhir/Patient/%00 HTTP/1.1\r\n${close}\r\n`, [400]],
    ['two lengths', 'POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n' +
      'Content-Length: 2\r\n\r\n{}', [400]],
    ['length and chunks', 'POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n' +
      'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n', [400]],
    ['negative length', 'POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n',
     [400]],
    ['huge length', 'POST /fhir/Patient HTTP/1.1\r\nHost: a\r\n' +
      'Content-Length: 99999999999999999999999\r\n\r\n', [400, 413]],
    ['200 MB', 'POST /fhir HTTP/1.1\r\nHost: a\r\nContent-Length: 209715200\r\n\r\n', [413]],
    ['long URL', `GET /fhir/Patient?name=${'x'.repeat(20000)} HTTP/1.1\r\n${close}\r\n`, [414]],
    ['long header', `GET / HTTP/1.1\r\n${close}X: ${'x'.repeat(40000)}\r\n\r\n`, [431]],
    ['many headers', `GET / HTTP/1.1\r\n${close}${'X: y\r\n'.repeat(9000)}\r\n`, [431]],
    ['enormous header', `GET / HTTP/1.1\r\n${close}X: ${'x'.repeat(2e6)}\r\n\r\n`, [431]],
    ['bad chunk', 'POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n' +
      'zz\r\n', [400]],
    ['unknown coding', 'POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n',
     [400]],
  ];
  for (const [name, bytes, statuses] of rows) {
    const got = await raw(server, bytes);
    const status = Number(got.slice(9, 12));
    assert.ok(statuses.includes(status), `${name}: ${got.slice(0, 80)}`);
    assert.match(got, /OperationOutcome/, name);
  }
  // What is no HTTP at all, a TLS greeting say, is closed without a word.
  assert.equal(await raw(server, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n'), '');
  assert.equal((await server.get('/health')).status, 200);
});

test('a body cut off, or trickled, ends its connection and nothing else', async (t) => {
  const server = await startServer(t, { args: ['--set', 'http.idle_s=1'] });
  const head = 'POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n';
  const began = Date.now();
  await Promise.all([raw(server, `${head}{"resource`, 100), raw(server, head, 8000),
                     raw(server, 'GET / HTTP/1.1\r\nHos', 8000)]);
  assert.ok(Date.now() - began < 7000, 'slow clients are cut');
  const { body } = await server.get('/fhir/_history');
  assert.equal(body.total, 0);
});

test('thousands of idle connections cost little', async (t) => {
  const server = await startServer(t);
  const { hostname, port } = new URL(server.url);
  const sockets = [];
  const before = memoryOf(server);
  for (let i = 0; i < 2000; i++) {
    await new Promise((done, failed) => {
      const socket = connect(Number(port), hostname, done);
      socket.on('error', failed);
      sockets.push(socket);
    });
  }
  assert.equal((await server.get('/health')).status, 200);
  const each = (memoryOf(server) - before) / sockets.length;
  sockets.forEach((socket) => socket.destroy());
  assert.ok(each < 300000, `${each} bytes a connection`); // the sanitizer's own share included
});

test('too many connections are refused with 503', async (t) => {
  const server = await startServer(t, { args: ['--set', 'http.connections_max=5'] });
  const { hostname, port } = new URL(server.url);
  const held = await Promise.all(Array.from({ length: 5 }, () => new Promise((done) => {
    const socket = connect(Number(port), hostname, () => done(socket));
  })));
  const got = await raw(server, `GET /health HTTP/1.1\r\n${close}\r\n`);
  assert.match(got, /^HTTP\/1.1 503 /);
  assert.match(got, /OperationOutcome/);
  held.forEach((socket) => socket.destroy());
});

test('a request that needs too much memory is a 413 and leaves none behind', async (t) => {
  const server = await startServer(t, { args: ['--set', 'http.memory_bytes=1M'] });
  const body = JSON.stringify({ resourceType: 'Patient',
                                name: Array.from({ length: 9000 }, () => ({ family: 'X' })) });
  const answer = await server.ask('POST', '/fhir/Patient', { body });
  assert.equal(answer.status, 413);
  assert.equal(answer.body.resourceType, 'OperationOutcome');
  assert.equal((await server.post('/fhir/Patient', { resourceType: 'Patient' })).status, 201);
});

test('pipelined requests are answered in order', async (t) => {
  const server = await startServer(t);
  const got = await raw(server, 'GET /health HTTP/1.1\r\nHost: a\r\n\r\n' +
    `GET /nothing HTTP/1.1\r\nHost: a\r\n\r\nGET /health HTTP/1.1\r\n${close}\r\n`);
  assert.deepEqual([...got.matchAll(/HTTP\/1.1 (\d+)/g)].map((m) => m[1]), ['200', '404', '200']);
});

// The same requests every time: a small generator of its own, not Math.random.
function dice(seed) {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

test('thousands of malformed queries and bodies: no 5xx, always an OperationOutcome', async (t) => {
  const server = await startServer(t);
  const roll = dice(7);
  const pick = (list) => list[roll(list.length)];
  const names = ['name', '_id', 'birthdate', '_sort', '_count', '_include', '_elements', '_summary',
                 '_has:Observation:patient:code', '_lastUpdated', '_page', '_total', '_filter',
                 'general-practitioner.name', 'family:exact', 'name:missing', '_since', '_format'];
  const values = ['', 'a', '%', '%zz', '%00', '%ff%fe', '|', 'a|b|c', 'ap', '2020-13-45', '-1', '*',
                  '99999999999999999999', '\\', ',,', '(', 'name%20eq%20%22x%22', '%ED%A0%80',
                  'd-1-2-3', 'x'.repeat(3000), '%0d%0aX:1'];
  const bodies = ['{"resourceType":"Patient","name":[{"family":"S"}]}', '{ Patient(id: "p") { id } }',
                  '{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType"' +
                    ':"Patient"},"request":{"method":"POST","url":"Patient"}}]}',
                  '[{"op":"add","path":"/name/-","value":{"family":"x"}}]',
                  '<Patient xmlns="http://hl7.org/fhir"><name><family value="x"/></name></Patient>'];
  const types = ['application/fhir+json', 'application/fhir+xml', 'application/json-patch+json',
                 'application/graphql', 'application/x-www-form-urlencoded', 'text/plain'];
  const paths = ['', 'Patient', 'Patient/p', 'Patient?name=x', 'Patient/$match', 'Patient/p/$meta-add',
                 'Patient/$validate', '$graphql', 'Patient/_search', 'Observation/$lastn',
                 'Patient/p/$everything', 'Patient/p/*', 'Patient/p/_history', '_history'];
  await server.put('/fhir/Patient/p', { resourceType: 'Patient', id: 'p' });
  for (let n = 0; n < 3000; n++) {
    const reads = n % 2 === 0, path = pick(paths), mark = path.includes('?') ? '&' : '?';
    const query = reads ? mark + Array.from({ length: roll(4) },
      () => `${pick(names)}=${pick(values)}`).join('&') : '';
    const body = reads ? undefined : Buffer.from(pick(bodies));
    for (let k = roll(4); body && k > 0; k--)
      body[roll(body.length)] = roll(256);
    const method = reads ? 'GET' : pick(['POST', 'PUT', 'PATCH', 'DELETE']);
    const answer = await server.ask(method, `/fhir/${path}${query}`,
                                    { body, headers: reads ? {} : { 'content-type': pick(types) } });
    assert.ok(answer.status < 500, `${method} ${path}${query} ${body}: ${answer.text}`);
    assert.ok(answer.status < 400 || answer.body?.resourceType === 'OperationOutcome', answer.text);
  }
  assert.equal((await server.get('/health')).status, 200);
});
