// SPDX-License-Identifier: Apache-2.0
// The HL7 v2 feed as a patient administration system drives it, by a client nobody here wrote and
// by plain sockets where the bytes matter.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Client, Message } from 'node-hl7-client';
import { spawnServer, startServer } from './server.mjs';

const feedArgs = ['--set', 'hl7v2.listen=127.0.0.1:0'];
const feedPort = (server) => Number(/HL7 v2 on port (\d+)/.exec(server.log)[1]);

const pv1 = (place, visit) => `PV1||I|${place}${'|'.repeat(16)}${visit}`;
const pid = (mrn, name = 'Smith^Anna') => `PID|1||${mrn}^^^RXX^MR||${name}||19700330|F`;
const text = (event, id, at, ...segments) =>
  [`MSH|^~\\&|PAS|RXX|FL|W|${at}||${event}|${id}|P|2.4`, `EVN||${at}`, ...segments].join('\r') + '\r';
const frame = (message) => Buffer.from(`\x0b${message}\x1c\r`);

// A socket that gives each answer in turn.
function connect(port) {
  const socket = net.connect(port, '127.0.0.1');
  const answers = [];
  const waiting = [];
  let rest = '';
  socket.setNoDelay(true);
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    rest += bytes;
    for (let end; (end = rest.indexOf('\x1c\r')) >= 0; rest = rest.slice(end + 2)) {
      const answer = rest.slice(1, end);
      waiting.length ? waiting.shift()(answer) : answers.push(answer);
    }
  });
  socket.on('close', () => { answers.push(''); waiting.splice(0).forEach((done) => done('')); });
  const answer = () => answers.length ? Promise.resolve(answers.shift())
    : new Promise((done) => waiting.push(done));
  return { socket, answer, send: (message) => { socket.write(frame(message)); return answer(); } };
}
const code = (answer) => /MSA\|(\w\w)/.exec(answer)?.[1];

const only = async (server, query) => {
  const { body } = await server.get(`/fhir/${query}`);
  assert.equal(body.entry?.length ?? 0, 1, query);
  return body.entry[0].resource;
};

test('a stay from admission to discharge, sent by node-hl7-client', async (t) => {
  const server = await startServer(t, { args: feedArgs });
  const client = new Client({ host: '127.0.0.1' });
  const codes = [];
  let told;
  const connection = client.createConnection({ port: feedPort(server) }, async (answer) => {
    codes.push(answer.getMessage().get('MSA.1').toString());
    told();
  });
  t.after(() => connection.close());
  const send = (message) => new Promise((done) => {
    told = done;
    connection.sendMessage(new Message({ text: message.trimEnd() }));
  });
  await send(text('ADT^A01', 'M1', '20260301100000', pid('H1'), pv1('W1^R1^B1', 'V1')));
  await send(text('ADT^A02', 'M2', '20260302100000', pid('H1'), pv1('W2^R1^B4', 'V1')));
  await send(text('ADT^A03', 'M3', '20260303100000', pid('H1'), pv1('W2^R1^B4', 'V1')));
  assert.deepEqual(codes, ['AA', 'AA', 'AA']);
  const stay = await only(server, 'Encounter?identifier=V1');
  assert.equal(stay.status, 'finished');
  assert.deepEqual(stay.location.map((place) => place.period),
    [{ start: '2026-03-01T10:00:00Z', end: '2026-03-02T10:00:00Z' },
     { start: '2026-03-02T10:00:00Z', end: '2026-03-03T10:00:00Z' }]);
});

test('messages are found however the stream is cut, and answered in their order', async (t) => {
  const server = await startServer(t, { args: feedArgs });
  const { socket, answer } = connect(feedPort(server));
  const both = Buffer.concat(['S1', 'S2'].map((id) =>
    frame(text('ADT^A28', id, '20260301100000', pid(id)))));
  for (const byte of both.subarray(0, 60)) {
    socket.write(Buffer.from([byte]));
    await new Promise((done) => setImmediate(done));
  }
  socket.write(both.subarray(60));
  assert.match(await answer(), /MSA\|AA\|S1/);
  assert.match(await answer(), /MSA\|AA\|S2/);
  socket.end();
});

test('what is not MLLP is told so and cut off; the feed goes on', async (t) => {
  const server = await startServer(t, { args: feedArgs });
  const stray = connect(feedPort(server));
  stray.socket.write('GET / HTTP/1.1\r\n\r\n');
  assert.equal(code(await stray.answer()), 'AR');
  await new Promise((done) => stray.socket.on('close', done));
  const next = connect(feedPort(server));
  assert.equal(code(await next.send(text('ADT^A28', 'N1', '20260301', pid('H1')))), 'AA');
  next.socket.end();
});

test('one message on eight connections at one moment is applied once', async (t) => {
  const server = await startServer(t, { args: feedArgs });
  const message = text('ADT^A01', 'ONE', '20260301100000', pid('H1'), pv1('W1^R1^B1', 'V1'));
  const lines = Array.from({ length: 8 }, () => connect(feedPort(server)));
  const codes = await Promise.all(lines.map(async (line) => code(await line.send(message))));
  lines.forEach((line) => line.socket.end());
  assert.deepEqual(codes, Array(8).fill('AA'));
  for (const query of ['Patient', 'Encounter', 'Communication', 'Location?name=W1-R1-B1', 'Location?name:exact=W1'])
    await only(server, query);
});

test('a bed that is taken puts the second admission in quarantine, and it can be sent again',
  async (t) => {
    const server = await startServer(t, { args: feedArgs });
    const line = connect(feedPort(server));
    const admit = (id, mrn, visit) => text('ADT^A01', id, '20260301100000', pid(mrn),
                                           pv1('W1^R1^B1', visit));
    assert.equal(code(await line.send(admit('B1', 'H1', 'V1'))), 'AA');
    const refused = await line.send(admit('B2', 'H2', 'V2'));
    assert.equal(code(refused), 'AE');
    assert.match(refused, /bed/);
    const kept = await only(server, 'Communication?status=on-hold');
    assert.match(kept.statusReason.text, /bed/);
    assert.equal(Buffer.from(kept.payload[0].contentAttachment.data, 'base64').toString(),
                 admit('B2', 'H2', 'V2'));
    assert.equal((await server.get('/fhir/Encounter?identifier=V2')).body.entry, undefined);

    const leave = text('ADT^A03', 'B3', '20260302100000', pid('H1'), pv1('W1^R1^B1', 'V1'));
    assert.equal(code(await line.send(leave)), 'AA');
    assert.equal(code(await line.send(admit('B2', 'H2', 'V2'))), 'AA');
    assert.equal((await server.get('/fhir/Communication?status=on-hold')).body.entry, undefined);
    line.socket.end();
  });

test('killed in the middle and sent all of it again, the record is as if nothing had happened',
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'frontline-hl7-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const messages = [];
    for (let i = 0; i < 40; i++)
      for (const [event, at] of [['A01', '01'], ['A02', '02'], ['A03', '03']])
        messages.push(text(`ADT^${event}`, `K${i}${event}`, `202603${at}100000`, pid(`H${i}`),
                           pv1(`W${at}^R^B${i}`, `V${i}`)));
    let server = await spawnServer({ folder, args: feedArgs });
    let line = connect(feedPort(server));
    let answered = 0;
    const first = (async () => {
      for (const message of messages) {
        if (code(await line.send(message)) !== 'AA')
          return;
        answered++;
      }
    })();
    while (answered < 60)
      await new Promise((done) => setTimeout(done, 2));
    await server.stop('SIGKILL');
    await first;
    server = await spawnServer({ folder, args: feedArgs });
    t.after(() => server.stop());
    line = connect(feedPort(server));
    for (const message of messages)
      assert.equal(code(await line.send(message)), 'AA');
    line.socket.end();
    const { body } = await server.get('/fhir/Encounter?_count=200');
    assert.equal(body.entry.length, 40);
    for (const { resource } of body.entry) {
      assert.equal(resource.status, 'finished');
      assert.equal(resource.meta.versionId, '3', 'each of its three messages once');
      assert.equal(resource.location.length, 2);
    }
  });
