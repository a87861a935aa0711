// SPDX-License-Identifier: Apache-2.0
// A signed discharge summary on its way to the practice, to a real receiver over HTTP.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Server } from '../lib/server.mjs';

const text = (html) => html.replace(/<[^>]*>/g, ' ').replace(/&#39;/g, "'").replace(/\s+/g, ' ');
const data = mkdtempSync(join(tmpdir(), 'send-'));
let server, receiver, port, got = [], answers = () => 201;

// Listens on the same port each time, so that it can be away and come back.
async function listen() {
  receiver = http.createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part) => { body += part; }).on('end', () => {
      got.push({ key: request.headers['idempotency-key'], type: request.headers['content-type'], body: JSON.parse(body) });
      const status = answers(got.at(-1));
      if (status) response.writeHead(status).end(status === 422 ? 'no such patient here' : '');
      receiver.emit('told', got.at(-1));
    });
  });
  receiver.listen(port ?? 0, '127.0.0.1');
  await once(receiver, 'listening');
  port = receiver.address().port;
}
const hang_up = async () => { receiver.closeAllConnections(); receiver.close(); await once(receiver, 'close'); };
const start = async () => {
  server = await Server.start({ data, args: ['--set', `record.send_to=a81001=http://127.0.0.1:${port}/in nowhere=http://127.0.0.1:1/`,
    '--set', 'record.send_allow=127.0.0.1'] });
};
const put = async (resource) => {
  const { status, body } = await server.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource);
  assert.ok(status < 300, JSON.stringify(body));
};
async function post(path, fields) {
  const answer = await fetch(server.url + path, { method: 'POST', redirect: 'manual', headers: { Accept: 'text/html' }, body: new URLSearchParams(fields) });
  return { status: answer.status, html: await answer.text() };
}
const page = async (path) => text(await (await fetch(server.url + path, { headers: { Accept: 'text/html' } })).text());
let n = 0;
async function signed(patient) {
  const id = `once-send-00000${n += 1}`, path = `/record/patient/${patient}/entry/discharge/${id}`;
  assert.equal((await post(`/record/patient/${patient}/new/discharge`, { summary: 'She fell.', once: id })).status, 303);
  assert.equal((await post(`${path}/sign`, { version: '1' })).status, 303);
  return path;
}
const send = async (path) => (await post(`${path}/send`, { version: '2' })).status;
// Until the page says so; each look is a request, so nothing spins.
async function until(path, wanted) {
  let said;
  for (let tries = 0; tries < 400; tries++) {
    said = await page(path);
    if (wanted.test(said)) return said;
    await new Promise((done) => setTimeout(done, 25));
  }
  return assert.match(said, wanted);
}

before(async () => {
  await listen();
  await start();
  await put({ resourceType: 'Organization', id: 'gp', name: 'The Surgery', identifier: [{ system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: 'A81001' }] });
  await put({ resourceType: 'Organization', id: 'far', name: 'Far Practice' });
  const person = (id, gp) => put({ resourceType: 'Patient', id, name: [{ family: 'Hill', given: [id] }], birthDate: '1950-01-01',
    ...(gp && { generalPractitioner: [{ reference: `Organization/${gp}` }] }) });
  await person('ann', 'gp');
  await person('bob', 'far');
  await person('cat');
});
after(async () => { await server?.stop(); await hang_up(); rmSync(data, { recursive: true }); });

test('a summary is sent once and the page shows that it was received', async () => {
  const path = await signed('ann');
  assert.match(await page(path), /To the GP Not sent It goes to The Surgery when you send it/);
  const told = once(receiver, 'told');
  assert.equal(await send(path), 303);
  assert.equal(await send(path), 303, 'pressed twice');
  const [{ key, type, body }] = await told;
  assert.deepEqual([type, body.resourceType, body.type], ['application/fhir+json', 'Bundle', 'document']);
  assert.equal(body.entry[0].resource.resourceType, 'Composition');
  assert.equal(body.entry[1].resource.id, 'ann');
  const checked = (await server.send('POST', '/fhir/Bundle/$validate', body)).body;
  assert.deepEqual(checked.issue.filter((i) => i.severity === 'error'), []);
  assert.match(key, /^doc-once-send-000001-2$/);
  await until(path, /Received The Surgery confirmed it on/);
  assert.equal(got.length, 1);
  const kept = (await server.send('GET', `/fhir/Communication/${key}`)).body;
  assert.deepEqual([kept.status, Boolean(kept.received)], ['completed', true]);
  assert.match(await page(`/record/patient/ann/item/DocumentReference/${key}`), /Clinical summary She fell\./, 'as it was sent');
});

test('without an address nothing is sent, and the page says so', async () => {
  for (const [patient, practice] of [['bob', 'Far Practice'], ['cat', 'the GP practice']]) {
    const path = await signed(patient);
    const said = await page(path);
    assert.match(said, new RegExp(`Nothing is sent from here: this server knows no address for ${practice}`));
    assert.match(said, /Print it and send it by hand/);
    assert.doesNotMatch(said, /Send to the GP/);
    assert.equal(await send(path), 422);
  }
  assert.equal((await server.send('GET', '/fhir/Communication?patient=bob')).body.entry?.length ?? 0, 0);
});

test('a refusal is shown with its reason and can be sent again', async () => {
  const path = await signed('ann');
  const before = got.length;
  answers = () => 422;
  assert.equal(await send(path), 303);
  const said = await until(path, /Refused/);
  assert.match(said, /answered 422: no such patient here.*Mend what it names and send it again/);
  assert.equal(got.length, before + 1, 'it is not tried again by itself');
  answers = () => 200;
  assert.equal(await send(path), 303);
  await until(path, /Received/);
  assert.equal(got.length, before + 2);
});

test('a receiver that is away gets it when it is back', async () => {
  const path = await signed('ann');
  await hang_up();
  assert.equal(await send(path), 303);
  assert.match(await until(path, /Not received yet/), /Tried 1 times; the last time: .*tried again by itself/);
  const before = got.length;
  await listen();
  await until(path, /Received/);
  assert.equal(got.length, before + 1);
  answers = (() => { let asked = 0; return () => (asked++ ? 201 : 503); })();
  const other = await signed('ann');
  assert.equal(await send(other), 303);
  await until(other, /Received/);
  assert.equal(got.length, before + 3, 'a 503 is tried again');
});

test('killed while the receiver thinks: after the restart it is sent again under the same key', async () => {
  const path = await signed('ann');
  let hold = true;
  answers = () => (hold ? 0 : 201);
  const told = once(receiver, 'told');
  assert.equal(await send(path), 303);
  await told;
  server.child.kill('SIGKILL');
  await server.exited;
  hold = false;
  const again = once(receiver, 'told');
  await start();
  await again;
  await until(path, /Received/);
  assert.equal(got.at(-1).key, got.at(-2).key);
  assert.deepEqual(got.at(-1).body, got.at(-2).body);
});

test('what is changed after it was sent is said not to have been', async () => {
  const path = await signed('ann');
  answers = () => 201;
  assert.equal(await send(path), 303);
  await until(path, /Received/);
  await post(path, { version: '2', summary: 'She fell twice.', why: 'The second fall was left out' });
  const said = await page(path);
  assert.match(said, /Not sent.*Version 2 was sent. What was changed since has not been/);
  assert.equal((await post(`${path}/send`, { version: '3' })).status, 303);
  await until(path, /Received/);
  const id = path.split('/').pop(), document = async (vid) => (await server.send('GET', `/fhir/DocumentReference/doc-${id}-${vid}`)).body;
  assert.deepEqual((await document(3)).relatesTo, [{ code: 'replaces', target: { reference: `DocumentReference/doc-${id}-2` } }]);
  assert.deepEqual([(await document(2)).status, (await document(3)).status], ['superseded', 'current']);
});
