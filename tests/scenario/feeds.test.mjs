// SPDX-License-Identifier: Apache-2.0
// Feeds looked after: messages on hold seen, mended and taken again; silence told; and ADT out of
// what is done here, to a receiver that refuses, hangs up and comes back.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import tls from 'node:tls';
import { Server, startServer } from './server.mjs';

const LISTEN = ['--set', 'hl7v2.listen=127.0.0.1:0'];
const feedPort = (server) => Number(/HL7 v2 on port (\d+)/.exec(server.log)[1]);
const adt = (event, id, ...segments) => [`MSH|^~\\&|PAS|RXX|FL|W|20261101100000||ADT^${event}|${id}|P|2.4`,
  'EVN||20261101100000', ...segments].join('\r') + '\r';

async function send(port, message) {
  const socket = net.connect(port, '127.0.0.1');
  socket.setEncoding('utf8');
  socket.write(`\x0b${message}\x1c\r`);
  let answer = '';
  for await (const part of socket) {
    answer += part;
    if (answer.includes('\x1c\r')) break;
  }
  socket.destroy();
  return /MSA\|(\w\w)/.exec(answer)[1];
}

async function until(what, check, ms = 15000) {
  for (const end = Date.now() + ms; Date.now() < end;) {
    const found = await check();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return assert.fail(`never: ${what}`);
}

const form = (fields) => new URLSearchParams(fields).toString();
const asForm = { 'content-type': 'application/x-www-form-urlencoded' };

test('a message on hold is seen, mended and taken again; another is set aside', async (t) => {
  const server = await startServer(t, { args: LISTEN });
  const port = feedPort(server);
  const broken = adt('A01', 'M1', 'PID|1||7^^^RXX^MR||Ash^Ann||1970<b>|F', 'PV1||I|W1^^B1||||||||||||||||V1');
  assert.equal(await send(port, adt('A03', 'M2', 'PID|1||9^^^RXX^MR||Oak^Bo||19710101|M', 'PV1||I|W1||||||||||||||||V9')), 'AE');
  assert.equal(await send(port, broken.replace('PID|1||7^^^RXX^MR', 'PID|1||')), 'AE');
  const list = await server.get('/feeds', { accept: 'text/html' });
  assert.equal(list.status, 200, list.text);
  assert.match(list.text, /PAS\|RXX/);
  const places = [...list.text.matchAll(/href="(\/feeds\/message\/[^"]+)">(M\d)/g)];
  assert.deepEqual(places.map((p) => p[2]).sort(), ['M1', 'M2']);
  const place = places.find((p) => p[2] === 'M1')[1];
  const one = await server.get(place, { accept: 'text/html' });
  assert.match(one.text, /PID\|1\|\|\|\|Ash/);
  assert.ok(!one.text.includes('<b>'), 'what came is shown escaped');

  const again = await server.post(place, form({ act: 'take', message: broken.replace('PID|1||7^^^RXX^MR', 'PID|1||').replaceAll('\r', '\r\n') }), asForm);
  assert.equal(again.status, 422);
  assert.match(again.text, /could not be applied/);
  const mended = broken.replace('1970<b>', '19700101').replaceAll('\r', '\r\n');
  const taken = await server.post(place, form({ act: 'take', message: mended }), asForm);
  assert.equal(taken.status, 303, taken.text);
  assert.equal((await server.get('/fhir/Patient?family=Ash')).body.total, 1);
  assert.equal((await server.post(place, form({ act: 'take', message: mended }), asForm)).status, 409);

  const other = places.find((p) => p[2] === 'M2')[1];
  assert.equal((await server.post(other, form({ act: 'aside', reason: '' }), asForm)).status, 400);
  assert.equal((await server.post(other, form({ act: 'else' }), asForm)).status, 400);
  assert.equal((await server.post(other, form({ act: 'aside', reason: 'a test of the sender' }), asForm)).status, 303);
  const left = await server.get('/feeds', { accept: 'text/html' });
  assert.match(left.text, /None: every message was applied/);
  const kept = (await server.get(`/fhir/Communication/${other.split('/').at(-1)}`)).body;
  assert.equal(kept.status, 'stopped');
  assert.match(kept.statusReason.text, /a test of the sender/);
  const metrics = (await server.get('/metrics')).text;
  assert.match(metrics, /frontline_hl7_messages_total\{sender="PAS\|RXX",outcome="error"\} \d/);
});

// Answers each message by `code(control, count, text)`; a falsy one hangs up. `lines` counts callers.
async function destination(t, code, make = (take) => net.createServer(take)) {
  const seen = [], own = { seen, lines: 0 };
  const server = make((socket) => {
    let text = '';
    own.lines++;
    socket.setEncoding('utf8').on('error', () => {}).on('data', (part) => {
      text += part;
      if (!text.includes('\x1c\r')) return;
      const control = /^MSH(?:\|[^|]*){8}\|([^|]*)/.exec(text.slice(1))[1];
      seen.push({ control, event: /ADT\^(A\d\d)/.exec(text)[1], text });
      const answer = code(control, seen.length, text);
      if (!answer) return void socket.destroy();
      socket.write(`\x0bMSH|^~\\&|X|Y|F|H|20260101||ACK|1|P|2.5.1\rMSA|${answer}|${control}|no\r\x1c\r`);
      text = '';
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return Object.assign(own, { address: `127.0.0.1:${server.address().port}` });
}

test('what is done here is told to others, in order, until it is answered', async (t) => {
  const other = await destination(t, (control, count) => ({ 1: '', 2: 'AE', 3: 'AA', 4: 'CA' }[count] ?? 'AA'));
  const server = await startServer(t, { args: [...LISTEN, '--set', `hl7v2.send=${other.address}`,
                                               '--set', 'hl7v2.send_as=FRONT|WARD'] });
  await server.put('/fhir/Patient/p', { resourceType: 'Patient', id: 'p', gender: 'female', birthDate: '1970-01-02',
    name: [{ family: "O'Neil|Ash", given: ['Ann'] }],
    identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990000042' }, { system: 'urn:mrn', value: '7' }] });
  await server.put('/fhir/Location/w', { resourceType: 'Location', id: 'w', name: 'Ward 1' });
  for (const bed of ['a', 'b'])
    await server.put(`/fhir/Location/${bed}`, { resourceType: 'Location', id: bed, name: `Bed ${bed}`,
      partOf: { reference: 'Location/w' } });
  const stay = (status, bed) => ({ resourceType: 'Encounter', id: 'e', status, class: { code: 'IMP' },
    subject: { reference: 'Patient/p' }, identifier: [{ value: 'V1' }],
    location: [{ status: 'active', location: { reference: `Location/${bed}` } }] });
  for (const [status, bed] of [['planned', 'a'], ['in-progress', 'a'], ['in-progress', 'b'], ['finished', 'b']])
    assert.ok((await server.put('/fhir/Encounter/e', stay(status, bed))).status < 300);
  // What came by a feed is not sent back.
  await send(feedPort(server), adt('A01', 'F1', 'PID|1||8^^^RXX^MR||Feed^Fi||19700101|F', 'PV1||I|W9^^B9||||||||||||||||V8'));
  await server.put('/fhir/Encounter/e', stay('in-progress', 'b'));
  await until('all', () => other.seen.at(-1)?.event === 'A13');
  assert.deepEqual(other.seen.map((s) => s.event), ['A01', 'A01', 'A01', 'A02', 'A03', 'A13']);
  assert.equal(new Set(other.seen.map((s) => s.control)).size, 4);
  const first = other.seen[2].text;
  assert.match(first, /^\x0bMSH\|\^~\\&\|FRONT\|WARD\|/);
  assert.match(first, /\rPID\|1\|\|9990000042\^\^\^NHS\^NH~7\^\^\^urn:mrn\^MR\|\|O'Neil\\F\\Ash\^Ann\|\|19700102\|F\r/);
  assert.match(first, /\rPV1\|1\|I\|Ward 1\^\^Bed a\|{16}V1\r/);
});

// A certificate authority of the test's own, and a key pair it signed for 127.0.0.1.
function certificates(t) {
  const folder = mkdtempSync(join(tmpdir(), 'frontline-tls-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const at = (name) => join(folder, name), run = (...words) => execFileSync('openssl', words, { stdio: 'ignore' });
  run('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=Test authority', '-days', '2', '-keyout', at('ca.key'), '-out', at('ca.pem'));
  run('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=127.0.0.1', '-keyout', at('key.pem'), '-out', at('csr.pem'));
  writeFileSync(at('ext'), 'subjectAltName=IP:127.0.0.1\n');
  run('x509', '-req', '-in', at('csr.pem'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2', '-extfile', at('ext'), '-out', at('cert.pem'));
  return { at, read: (name) => readFileSync(at(name)) };
}

test('several are told, each on one connection, over TLS where it says so; a refusal is parked and shown', async (t) => {
  const { at, read } = certificates(t);
  const plain = await destination(t, (control, count, text) => (text.includes('REFUSED') ? 'AR' : 'AA'));
  const secure = await destination(t, () => 'AA', (take) => tls.createServer({ key: read('key.pem'), cert: read('cert.pem'), ca: read('ca.pem'), requestCert: true, rejectUnauthorized: true }, take));
  const server = await startServer(t, { args: ['--set', `hl7v2.send=${plain.address}, tls:${secure.address}`,
    '--set', `hl7v2.send_authority=${at('ca.pem')}`, '--set', `hl7v2.send_certificate=${at('cert.pem')}`, '--set', `hl7v2.send_key=${at('key.pem')}`] });
  const stay = (id, visit, status) => server.put(`/fhir/Encounter/${id}`, { resourceType: 'Encounter', id, status, class: { code: 'IMP' }, subject: { reference: `Patient/${id}` }, identifier: [{ value: visit }] });
  for (const id of ['p1', 'p2']) await server.put(`/fhir/Patient/${id}`, { resourceType: 'Patient', id, identifier: [{ value: id }] });
  await stay('p1', 'REFUSED', 'in-progress');
  await stay('p1', 'KEPT', 'finished');
  await stay('p2', 'OTHER', 'in-progress');
  await until('the other patient', () => plain.seen.some((s) => s.text.includes('OTHER')));
  await until('all over TLS', () => secure.seen.length === 3);
  assert.deepEqual(secure.seen.map((s) => s.event).sort(), ['A01', 'A01', 'A03']);
  assert.equal(secure.lines, 1, 'one connection');
  assert.equal(plain.lines, 1, 'a refusal keeps the connection');
  assert.ok(!plain.seen.some((s) => s.text.includes('KEPT')), 'what is about the same patient waits behind it');
  const list = await server.get('/feeds', { accept: 'text/html' });
  assert.match(list.text, /Parked/);
  assert.match(list.text, /answered AR: no/);
  assert.match((await server.get('/metrics')).text, /frontline_hl7_out_refused_total\{destination="127[^"]*"\} 1/);
  const [place] = /\/feeds\/out\/\d+/.exec(list.text);
  assert.match((await server.get(place, { accept: 'text/html' })).text, /PV1\|1\|I\|.*REFUSED/);
  assert.equal((await server.post(place, form({ act: 'give-up', reason: ' ' }), asForm)).status, 422);
  assert.equal((await server.post(place, form({ act: 'else' }), asForm)).status, 400);
  assert.equal((await server.post(place, form({ act: 'again' }), asForm)).status, 303);
  await until('refused again', () => plain.seen.filter((s) => s.text.includes('REFUSED')).length === 2);
  await until('parked again', async () => /Parked/.test((await server.get('/feeds', { accept: 'text/html' })).text));
  assert.equal((await server.post(place, form({ act: 'give-up', reason: 'put right by telephone' }), asForm)).status, 303);
  await until('the next of that patient', () => plain.seen.some((s) => s.text.includes('KEPT')));
  assert.equal((await server.post(place, form({ act: 'again' }), asForm)).status, 404);
});

test('MLLP is taken over TLS, from those an authority has signed', async (t) => {
  const { at, read } = certificates(t);
  const server = await startServer(t, { args: [...LISTEN, '--set', `hl7v2.certificate=${at('cert.pem')}`, '--set', `hl7v2.key=${at('key.pem')}`, '--set', `hl7v2.authority=${at('ca.pem')}`] });
  const port = feedPort(server), text = adt('A28', 'T1', 'PID|1||7^^^RXX^MR||Ash^Ann||19700101|F');
  const ask = (options) => new Promise((done) => {
    const socket = tls.connect({ port, host: '127.0.0.1', ca: read('ca.pem'), ...options }, () => socket.write(`\x0b${text}\x1c\r`));
    let answer = '';
    socket.setEncoding('utf8').on('error', () => {}).on('close', () => done(answer)).on('data', (part) => { answer += part; socket.end(); });
  });
  assert.equal(await ask({}), '', 'without a certificate');
  assert.match(await ask({ cert: read('cert.pem'), key: read('key.pem') }), /MSA\|AA\|T1/);
});

test('a birth date that is none is not passed over in silence', async (t) => {
  const server = await startServer(t, { args: LISTEN });
  const port = feedPort(server);
  const person = (id, at, born) => adt('A31', id, `PID|1||7^^^RXX^MR||Ash^Ann||${born}|F`).replaceAll('20261101100000', at);
  const read = async () => (await server.get('/fhir/Patient')).body.entry[0].resource;
  assert.equal(await send(port, person('B1', '20261101100000', '1970-13-99')), 'AA');
  let found = await read();
  assert.equal(found.birthDate, undefined);
  assert.deepEqual(found._birthDate.extension.map((e) => e.valueCode ?? e.valueString), ['error', '1970-13-99']);
  assert.equal(await send(port, person('B2', '20261101100100', '19700102')), 'AA');
  found = await read();
  assert.equal(found.birthDate, '1970-01-02');
  assert.equal(found._birthDate, undefined);
  assert.equal(await send(port, person('B3', '20261101100200', 'unknown')), 'AA');
  found = await read();
  assert.equal(found.birthDate, '1970-01-02', 'what is known is kept');
  assert.deepEqual(found._birthDate.extension.map((e) => e.valueString), ['unknown']);
});

test('a merge of records that disagree puts a warning on the survivor', async (t) => {
  const server = await startServer(t, { args: LISTEN });
  const port = feedPort(server);
  for (const mrn of [1, 2, 3, 4])
    assert.equal(await send(port, adt('A28', `P${mrn}`, `PID|1||${mrn}^^^RXX^MR||Ash^Ann||19700101|F`)), 'AA');
  const patients = Object.fromEntries((await server.get('/fhir/Patient')).body.entry.map(({ resource }) =>
    [resource.identifier[0].value, `Patient/${resource.id}`]));
  const allergy = (mrn, text) => server.post('/fhir/AllergyIntolerance', { resourceType: 'AllergyIntolerance',
    clinicalStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical', code: 'active' }] },
    code: { text }, patient: { reference: patients[mrn] } });
  const group = (mrn, text) => server.post('/fhir/Observation', { resourceType: 'Observation', status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '882-1' }] }, subject: { reference: patients[mrn] },
    valueCodeableConcept: { text } });
  for (const [mrn, text] of [[1, 'Latex'], [2, 'latex'], [2, 'Penicillin'], [3, 'Latex'], [4, 'Latex']])
    assert.equal((await allergy(mrn, text)).status, 201);
  for (const [mrn, text] of [[1, 'A Pos'], [2, 'O Neg'], [3, 'A Pos'], [4, 'A Pos']])
    assert.equal((await group(mrn, text)).status, 201);
  const merge = (id, keep, gone) => send(port, adt('A40', id, `PID|1||${keep}^^^RXX^MR||Ash^Ann||19700101|F`, `MRG|${gone}^^^RXX^MR`));
  assert.equal(await merge('G1', 1, 2), 'AA');
  assert.equal(await merge('G2', 3, 4), 'AA');
  const flags = (await server.get('/fhir/Flag')).body.entry.map((e) => e.resource);
  assert.equal(flags.length, 1, 'two records that agree need no warning');
  assert.equal(flags[0].subject.reference, patients[1]);
  assert.match(flags[0].code.text, /allergies there that are not here: Penicillin; another blood group there: O Neg/);
});

test('a batch is its messages one by one, answered together', async (t) => {
  const server = await startServer(t, { args: LISTEN });
  const socket = net.connect(feedPort(server), '127.0.0.1');
  socket.setEncoding('utf8');
  const messages = ['X1', 'X2', 'X3'].map((id, i) =>
    adt('A28', id, i === 1 ? 'PID|1||||Nobody^No||19700101|F' : `PID|1||${id}^^^RXX^MR||Ash^Ann||19700101|F`));
  socket.write(`\x0bFHS|^~\\&|PAS\rBHS|^~\\&|PAS\r${messages.join('')}BTS|4\rFTS|1\r\x1c\r`);
  let answer = '';
  for await (const part of socket) {
    answer += part;
    if (answer.includes('\x1c\r')) break;
  }
  socket.destroy();
  assert.ok(answer.startsWith('\x0bBHS|'));
  assert.deepEqual([...answer.matchAll(/MSA\|(\w\w)\|(X\d)/g)].map((m) => `${m[1]} ${m[2]}`), ['AA X1', 'AE X2', 'AA X3']);
  assert.match(answer, /\rBTS\|3\|the batch said 4 messages\r\x1c\r$/);
  assert.equal((await server.get('/fhir/Patient')).body.total, 2);
});

test('what runs behind the scenes is shown to whoever keeps the server', async (t) => {
  const server = await startServer(t);
  await server.post('/fhir/Patient', { resourceType: 'Patient' });
  const page = await server.get('/admin/background', { accept: 'text/html' });
  assert.equal(page.status, 200, page.text);
  assert.match(page.text, /subscriptions/);
  assert.match(page.text, /Nothing stands still/);
  assert.equal((await server.post('/admin/background/consumers/subscriptions', '', asForm)).status, 409);
  assert.equal((await server.post('/admin/background/consumers/nobody', '', asForm)).status, 404);
  assert.equal((await server.post('/admin/background/due/adt-out', '', asForm)).status, 303);
});

test('silence and a destination that takes nothing are told, through a restart, until both are heard again', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'frontline-alarm-')), senders = join(folder, 'senders'), data = join(folder, 'data');
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(senders);
  writeFileSync(join(senders, 'pas.json'), JSON.stringify({ application: 'PAS', facility: 'RXX', silent_s: 1 }));
  const closed = net.createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address();
  closed.close();
  const args = [...LISTEN, '--set', `hl7v2.senders=${senders}`, '--set', `hl7v2.send=127.0.0.1:${port}`, '--set', 'hl7v2.stuck_s=1'];
  const page = async (server) => (await server.fetch('/feeds', { headers: { accept: 'text/html' } })).text();
  const metric = async (server, name) => Number(new RegExp(`^frontline_${name}\\{[^}]*\\} (\\d+)$`, 'm').exec((await server.get('/metrics')).text)?.[1]);
  const both = (server) => until('both told', async () => await metric(server, 'hl7_silent') === 1 && await metric(server, 'hl7_out_stuck') === 1);
  let server = await Server.start({ folder: data, args });
  assert.equal(await send(feedPort(server), adt('A28', 'AL1', 'PID|1||AL^^^RXX^MR||Al^Arm||19700101|F')), 'AA');
  await server.put('/fhir/Patient/al', { resourceType: 'Patient', id: 'al' });
  await server.put('/fhir/Encounter/al', { resourceType: 'Encounter', id: 'al', status: 'in-progress', class: { code: 'IMP' },
    subject: { reference: 'Patient/al' }, identifier: [{ value: 'AL' }] });
  await both(server);
  assert.match(await page(server), /Silent feeds: 1\.[^]*Destinations that take nothing: 1\./);
  assert.match(server.log, /PAS\|RXX has been silent/);
  assert.equal(await server.stop(), 0);
  server = await Server.start({ folder: data, args });
  t.after(() => server.stop());
  await both(server);
  const seen = [];
  const open = net.createServer((socket) => socket.setEncoding('utf8').on('error', () => {}).on('data', (text) => {
    seen.push(text);
    socket.write(`\x0bMSH|^~\\&|X|Y|F|H|20260101||ACK|1|P|2.5.1\rMSA|AA|${/^MSH(?:\|[^|]*){8}\|([^|]*)/.exec(text.slice(1))[1]}\r\x1c\r`);
  })).listen(port, '127.0.0.1');
  t.after(() => open.close());
  await until('taken', async () => await metric(server, 'hl7_out_stuck') === 0);
  await until('heard', async () => await send(feedPort(server), adt('A28', 'AL2', 'PID|1||AL^^^RXX^MR||Al^Arm||19700101|F')) === 'AA' &&
                                   await metric(server, 'hl7_silent') === 0);
  assert.match(server.log, /PAS\|RXX sends again/);
  assert.doesNotMatch(await page(server), /Destinations that take nothing/);
  assert.equal(seen.length, 1, 'once, though it waited through a restart');
});
