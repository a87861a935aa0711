// SPDX-License-Identifier: Apache-2.0
// The rota as whoever runs a ward keeps it, and the escalation that goes by it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server } from '../lib/server.mjs';

let server;
const text = (html) => html.replace(/<[^>]*>/g, ' ').replace(/&#39;/g, "'").replace(/\s+/g, ' ');
const put = async (resource) => {
  const { status, body } = await server.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource);
  assert.ok(status < 300, JSON.stringify(body));
};
const page = async (path) => text(await (await fetch(server.url + path, { headers: { Accept: 'text/html' } })).text());
async function post(path, fields) {
  const answer = await fetch(server.url + path, { method: 'POST', redirect: 'manual', headers: { Accept: 'text/html' }, body: new URLSearchParams(fields) });
  return { status: answer.status, html: await answer.text() };
}
// By the clock on the wall in London.
const wall = (minutes) => new Date(Date.now() + minutes * 60000).toLocaleString('sv-SE', { timeZone: 'Europe/London' }).slice(0, 16).replace(' ', 'T');
const shifts = async () => ((await server.send('GET', '/fhir/Schedule?service-category=escalation-rota')).body.entry ?? []).map((e) => e.resource);
const shift = (more) => ({ role: 'registrar', who: 'Okafor', order: '1', from: wall(-60), until: wall(600), place: 'ward', ...more });
const RATES = { resp: 25, spo2: 91, oxygen: 'air', systolic: 90, diastolic: 60, pulse: 131, acvpu: 'A', temp: '38.5' };

before(async () => {
  server = await Server.start();
  const place = (id, kind, partOf) => put({ resourceType: 'Location', id, name: `Ward ${id}`, ...(partOf && { partOf: { reference: `Location/${partOf}` } }),
    physicalType: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/location-physical-type', code: kind }] } });
  await place('w1', 'wa');
  await place('w2', 'wa');
  await place('b1', 'bd', 'w1');
  const staff = (id, family, given) => put({ resourceType: 'Practitioner', id, name: [{ family, given: [given] }] });
  await staff('ok', 'Okafor', 'Ngozi');
  await staff('li1', 'Li', 'Wei');
  await staff('li2', 'Li', 'Mei');
  await put({ resourceType: 'Patient', id: 'ann', name: [{ family: 'Hill', given: ['Ann'] }], birthDate: '1950-01-01' });
  await put({ resourceType: 'Encounter', id: 'stay', status: 'in-progress', class: { code: 'IMP' }, subject: { reference: 'Patient/ann' },
    period: { start: new Date(Date.now() - 3600000).toISOString() }, location: [{ location: { reference: 'Location/b1' }, status: 'active' }] });
});
after(() => server?.stop());

test('a step with nobody on is named, somebody is put on, and an escalation tells them', async () => {
  assert.match(await page('/obs/rota/w1'), /Nobody on now An escalation skips .*registrar/);
  assert.equal((await post('/obs/rota/w1', shift())).status, 303);
  const said = await page('/obs/rota/w1');
  assert.match(said, /registrar .*Okafor.* On now/i);
  assert.match(said, /Put on by Not signed in/);
  assert.doesNotMatch(said, /An escalation skips [^.]*registrar[^.]*and goes on/);
  const answer = await post('/obs/patient/ann/enter', { key: 'rota-set-000001', ...RATES });
  assert.ok(answer.status < 400, answer.html);
  let calls = '';
  for (let tries = 0; tries < 200 && !/Okafor/i.test(calls); tries++) {
    calls = await page('/obs/escalations');
    await new Promise((done) => setTimeout(done, 25));
  }
  assert.match(calls, /Told [^.]*Okafor/i);
});

test('what is wrong is said beside its field, with what was typed, and nothing is written', async () => {
  const before = (await shifts()).length;
  const rows = [
    [{ who: '' }, /Who: give a name/], [{ who: 'Nobody' }, /nobody of the staff is called Nobody/],
    [{ from: 'soon' }, /From: give a date and a time/], [{ until: wall(-90) }, /it ends before it begins/],
    [{ from: wall(-600), until: wall(-1) }, /that is over already/],
    [{ until: wall(-60 + 7 * 1440 + 1) }, /a shift lasts at most 7 days/], [{ order: '0' }, /a number from 1 to 9/],
    [{ order: '10' }, /a number from 1 to 9/], [{ role: 'porter' }, /choose one of the roles/],
  ];
  for (const [more, expected] of rows) {
    const { status, html } = await post('/obs/rota/w1', shift(more));
    assert.equal(status, 422, JSON.stringify(more));
    assert.match(text(html), expected);
  }
  assert.equal((await post('/obs/rota/nowhere', shift())).status, 404);
  assert.equal((await shifts()).length, before);
  assert.equal((await post('/obs/rota/w1', shift({ until: wall(-60 + 7 * 1440) }))).status, 303, 'seven days are allowed');
});

test('of several who are called so one is chosen', async () => {
  const asked = await post('/obs/rota/w1', shift({ who: 'Li', role: 'doctor' }));
  assert.equal(asked.status, 422);
  assert.match(text(asked.html), /several are called so; choose one/);
  assert.match(asked.html, /value="Practitioner\/li2"/);
  assert.equal((await post('/obs/rota/w1', shift({ who: 'Practitioner/li2', role: 'doctor', order: '2' }))).status, 303);
  assert.equal((await post('/obs/rota/w1', shift({ who: 'Practitioner/li1', role: 'doctor', order: '1' }))).status, 303);
  const said = await page('/obs/rota/w1');
  assert.ok(said.indexOf('Wei') < said.indexOf('Mei'), 'in their order');
});

test('a shift is changed with the version in hand, taken off, and never lost', async () => {
  const mine = (await shifts()).find((s) => s.actor[0].reference === 'Practitioner/li1');
  const path = `/obs/rota/w1?shift=${mine.id}`;
  assert.match(await page(path), /Change the shift of LI/);
  assert.equal((await post(`${path}&version=1`, shift({ role: 'doctor', who: mine.actor[0].display, until: wall(300) }))).status, 303);
  assert.equal((await post(`${path}&version=1`, shift({ role: 'doctor', who: mine.actor[0].display }))).status, 409, 'somebody changed it');
  assert.equal((await post(path, { off: 'yes' })).status, 409, 'no version');
  assert.equal((await post(`${path}&version=2`, { off: 'yes' })).status, 303);
  const said = await page('/obs/rota/w1');
  assert.match(said, /Wei.* Taken off/);
  const history = (await server.send('GET', `/fhir/Schedule/${mine.id}/_history`)).body.entry.map((e) => e.resource);
  assert.deepEqual(history.map((h) => [h.meta.versionId, h.active, h.comment.split(',')[0]]),
    [['3', false, 'Taken off by Not signed in'], ['2', true, 'Changed by Not signed in'], ['1', true, 'Put on by Not signed in']]);
});

test("another ward's shift is not this ward's to change", async () => {
  const mine = (await shifts()).find((s) => s.active && s.actor[1]?.reference === 'Location/w1');
  assert.equal((await fetch(`${server.url}/obs/rota/w2?shift=${mine.id}`)).status, 404);
  assert.equal((await post('/obs/rota/w2', shift({ place: 'hospital', role: 'outreach' }))).status, 303);
  assert.match(await page('/obs/rota/w1'), /critical care outreach .*Okafor.*Whole hospital/i);
});
