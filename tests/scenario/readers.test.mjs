// SPDX-License-Identifier: Apache-2.0
// Clients that ask for much and read nothing keep nothing that others need: the server answers on.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { startServer } from './server.mjs';

test('more clients that do not read their answers than there are readers hold nobody up', async (t) => {
  const server = await startServer(t, { args: ['--set', 'store.readers=4'] });
  const data = Buffer.alloc(60000, 'x').toString('base64');
  const bundle = { resourceType: 'Bundle', type: 'transaction', entry: Array.from({ length: 100 }, (_, i) => ({
    resource: { resourceType: 'Binary', id: `b${i}`, contentType: 'text/plain', data }, request: { method: 'PUT', url: `Binary/b${i}` } })) };
  assert.equal((await server.post('/fhir', bundle)).status, 200);
  const { port } = new URL(server.url);
  const sockets = await Promise.all(Array.from({ length: 12 }, async () => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.on('error', () => {});
    socket.write('GET /fhir/Binary?_count=100 HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'readable'); // the answer has begun; nothing of it is read
    return socket;
  }));
  const began = Date.now();
  try {
    for (let n = 0; n < 20; n++)
      assert.equal((await fetch(`${server.url}/fhir/Binary/b${n}`, { signal: AbortSignal.timeout(5000) })).status, 200);
  } finally {
    sockets.forEach((socket) => socket.destroy());
  }
  assert.ok(Date.now() - began < 10000, `${Date.now() - began} ms`);
});
