// SPDX-License-Identifier: Apache-2.0
// Filed documents: opened where nothing can run in them, saved otherwise, each under its own patient.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server } from '../lib/server.mjs';

let server;
const b64 = (text) => Buffer.from(text).toString('base64');
const put = async (resource) => {
  const { status, body } = await server.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource);
  assert.ok(status === 200 || status === 201, JSON.stringify(body));
};
const open = async (path) => {
  const answer = await fetch(server.url + path, { redirect: 'manual', headers: { Accept: 'text/html' } });
  return { status: answer.status, body: await answer.text(), type: answer.headers.get('content-type'), how: answer.headers.get('content-disposition'),
    sniff: answer.headers.get('x-content-type-options') };
};
const document = (id, patient, attachments, more = {}) => ({ resourceType: 'DocumentReference', id, status: 'current', date: '2026-01-02T10:00:00Z', description: `Letter ${id}`,
  subject: { reference: `Patient/${patient}` }, author: [{ display: 'Dr Khan' }], content: attachments.map((attachment) => ({ attachment })), ...more });

before(async () => {
  server = await Server.start();
  for (const id of ['ann', 'bob']) await put({ resourceType: 'Patient', id, birthDate: '1950-01-01', name: [{ family: id }] });
  await put({ resourceType: 'Binary', id: 'scan', contentType: 'image/png', data: b64('\x89PNG') });
  await put(document('many', 'ann', [
    { contentType: 'application/pdf', data: b64('%PDF-1.4'), title: 'Clinic "letter"\r\nX-Bad: 1 (é).pdf' }, { contentType: 'text/plain; charset=utf-8', data: b64('Plain <b>words</b>') },
    { contentType: 'image/svg+xml', data: b64('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>') }, { contentType: 'text/html', data: b64('<script>alert(1)</script>') },
    { contentType: 'IMAGE/PNG', url: 'Binary/scan' }, { contentType: 'application/x-thing', data: b64('??') }, { contentType: 'application/pdf', url: 'https://elsewhere.example/x.pdf' },
    { contentType: 'application/pdf', url: 'Binary/gone' }]));
  await put(document('old', 'ann', [{ contentType: 'text/plain', data: b64('Old') }], { status: 'superseded' }));
  await put({ resourceType: 'DiagnosticReport', id: 'rep', status: 'final', code: { text: 'CT head' }, subject: { reference: 'Patient/ann' }, presentedForm: [{ contentType: 'application/pdf', data: b64('%PDF-1.7') }] });
});
after(() => server?.stop());
const file = (n, id = 'many', patient = 'ann', type = 'DocumentReference') => open(`/record/patient/${patient}/file/${type}/${id}/${n}`);

test('what a browser can show without running it is opened', async () => {
  for (const [n, type, body] of [[0, 'application/pdf', '%PDF-1.4'], [1, 'text/plain; charset=utf-8', 'Plain <b>words</b>'], [4, 'image/png', undefined]]) {
    const got = await file(n);
    assert.deepEqual([got.status, got.type, got.sniff], [200, type, 'nosniff'], String(n));
    assert.match(got.how, /^inline; filename="[A-Za-z0-9-]+\.(pdf|txt|png)"$/);
    if (body) assert.equal(got.body, body);
  }
  assert.equal((await file(0, 'rep', 'ann', 'DiagnosticReport')).body, '%PDF-1.7');
});

test('HTML, SVG and what is not known are saved as bytes, never shown', async () => {
  for (const n of [2, 3, 5]) {
    const got = await file(n);
    assert.deepEqual([got.status, got.type, got.sniff], [200, 'application/octet-stream', 'nosniff']);
    assert.match(got.how, /^attachment; filename="document\.(svg|html|bin)"$/);
  }
});

test('what is not here, or not theirs, is not found', async () => {
  for (const path of [[6], [7], [8], [99], ['x'], ['-1'], [0, 'nothing'], [0, 'many', 'bob'], [0, 'rep', 'bob', 'DiagnosticReport'], [0, 'many', 'ann', 'Patient'], [0, 'many', 'ann', 'Nonsense']])
    assert.equal((await file(...path)).status, 404, path.join());
});

test('the list says of each document what it is, from whom, and whether it was replaced; its page lists its files', async () => {
  const list = (await open('/record/patient/ann/documents')).body.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');
  assert.match(list, /Letter many PDF, Dr Khan/);
  assert.match(list, /Letter old Replaced Text, Dr Khan/);
  const page = (await open('/record/patient/ann/item/DocumentReference/many')).body;
  const words = page.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');
  assert.match(words, /Open: PDF .*Open: Text .*Save: Drawing .*Save: Web page .*Open: Picture .*Save: application\/x-thing/);
  assert.match(words, /Not here It lies on another system/);
  assert.doesNotMatch(page.split('<details')[0], /<script>alert/);
});

test("an appointment is not opened under another patient's banner", async () => {
  await put({ resourceType: 'Appointment', id: 'app', status: 'booked', participant: [{ actor: { reference: 'Patient/ann' }, status: 'accepted' }] });
  assert.equal((await open('/record/patient/ann/item/Appointment/app')).status, 200);
  assert.equal((await open('/record/patient/bob/item/Appointment/app')).status, 404);
});
