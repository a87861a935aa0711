// SPDX-License-Identifier: Apache-2.0
// The first page of each who works here: what waits for them, and nothing of what they may not see.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { Server, binary } from '../lib/server.mjs';

let server;
const people = {};
const hours = (n) => new Date(Date.now() - n * 3_600_000).toISOString();
const run = (...words) => execFileSync(binary, [...words, '--data', server.data], { encoding: 'utf8' }).trim();
const ward = (id) => ({ resourceType: 'Location', id, status: 'active', mode: 'instance', name: `Ward ${id}`, physicalType: { coding: [{ code: 'wa' }] } });
const bed = (id, in_) => ({ resourceType: 'Location', id, status: 'active', mode: 'instance', name: `Bed ${id}`, partOf: { reference: `Location/${in_}` },
  physicalType: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/location-physical-type', code: 'bd' }] } });
const person = (id, family) => ({ resourceType: 'Patient', id, birthDate: '1950-01-02', name: [{ family, given: ['Ivy'] }] });
const stay = (id, patient, place, doctor) => ({ resourceType: 'Encounter', id, status: 'in-progress', class: { code: 'IMP' }, period: { start: hours(20) },
  subject: { reference: `Patient/${patient}` }, location: [{ location: { reference: `Location/${place}` }, status: 'active' }],
  participant: [{ individual: { reference: `Practitioner/${doctor}` } }] });
const report = (id, patient, flag) => [
  { resourceType: 'Observation', id: `o${id}`, status: 'final', code: { text: 'Potassium' }, subject: { reference: `Patient/${patient}` }, effectiveDateTime: hours(3),
    category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' }] }], valueQuantity: { value: 6.9, unit: 'mmol/L' },
    ...(flag ? { interpretation: [{ coding: [{ code: flag }] }] } : {}) },
  { resourceType: 'DiagnosticReport', id, status: 'final', code: { text: 'Biochemistry' }, subject: { reference: `Patient/${patient}` }, effectiveDateTime: hours(3), result: [{ reference: `Observation/o${id}` }] }];

// The cards of the page by their titles, and the page whole.
async function home(who, path = '/') {
  const answer = await fetch(server.url + path, { redirect: 'manual', headers: { Accept: 'text/html', Authorization: `Bearer ${people[who]}` } });
  const html = await answer.text();
  const text = (part) => part.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ').trim();
  const cards = Object.fromEntries([...html.matchAll(/<section class="home-card"[^>]*>(.*?)<\/section>/gs)].map(([, card]) => {
    const [title, ...rest] = card.split('</h2>');
    return [text(title), text(rest.join(' '))];
  }));
  return { status: answer.status, html, text: text(html), cards };
}
const send = async (resource) => {
  const { status, body } = await server.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource, { Authorization: `Bearer ${people.all}` });
  assert.ok(status === 201 || status === 200, JSON.stringify(body));
};

before(async () => {
  server = await Server.start({ open: false });
  people.all = run('token', '--scope', 'system/*.cruds');
  for (const resource of [ward('w1'), ward('w2'), bed('b1', 'w1'), bed('b2', 'w1'), bed('b3', 'w2'), person('mine', 'Hart'), person('near', 'Moss'), person('other', 'Lamb'),
    stay('s1', 'mine', 'b1', 'doctor'), stay('s2', 'near', 'b2', 'somebody'), stay('s3', 'other', 'b3', 'somebody'),
    ...report('r1', 'mine', ''), ...report('r2', 'near', 'HH'), ...report('r3', 'other', 'HH'),
    { resourceType: 'Task', id: 't1', status: 'requested', intent: 'order', description: 'Repeat the gas', for: { reference: 'Patient/mine' }, owner: { reference: 'Practitioner/doctor' },
      restriction: { period: { end: hours(1) } }, authoredOn: hours(2) }]) await send(resource);
  for (const [name, role, areas] of [['nurse', 'nurse', 'w1'], ['doctor', 'doctor', 'w1'], ['beds', 'bed_manager', ''], ['clerk', 'ward_clerk', 'w1'], ['privacy', 'privacy_officer', ''],
    ['pharmacist', 'pharmacist', 'w1'], ['officer', 'records_officer', ''], ['admin', 'system_admin', '']]) {
    run('user', 'add', `${name}.x`, '--role', role, '--display', `The ${name}`, '--who', `Practitioner/${name}`, ...(areas ? ['--areas', areas] : []));
    people[name] = run('token', '--scope', 'user/*.cruds', '--user', `${name}.x`);
  }
});
after(() => server?.stop());

test('a doctor sees the patients they are named for, results with the critical first, and what is asked of them', async () => {
  const { cards, html } = await home('doctor');
  assert.match(cards['Your patients'], /HART, Ivy 1 result Bed b1, Ward w1/);
  assert.doesNotMatch(cards['Your patients'], /MOSS|LAMB/);
  assert.match(cards['Results to acknowledge'], /MOSS, Ivy 1 critical result Potassium 6.9 mmol\/L Critically high 3 h HART, Ivy 1 result/);
  assert.match(cards['Your tasks'], /Repeat the gas Overdue HART, Ivy by /);
  assert.match(cards['Observations due'], /Ward w1 2 overdue/);
  assert.match(html, /action="\/record\/find"/);
  assert.ok(html.includes('/record/live?ward=w1'), 'the page follows the ward');
});

test('a nurse sees the ward, what is due in it and its beds', async () => {
  const { cards } = await home('nurse');
  assert.match(cards['Your wards'], /Ward w1 1 critical result 2 patients/);
  assert.match(cards['Observations due'], /Ward w1 2 overdue/);
  assert.match(cards.Beds, /Ward w1 .*2 of 2 beds occupied/);
  assert.equal(cards['Your patients'], undefined, 'nobody is named for her');
});

test('what is not theirs is on nobody\'s page', async () => {
  for (const who of ['doctor', 'nurse', 'pharmacist', 'clerk']) {
    const { status, text } = await home(who);
    assert.equal(status, 200);
    assert.doesNotMatch(text, /LAMB|Ward w2/, who);
  }
  for (const who of ['beds', 'privacy', 'admin']) assert.doesNotMatch((await home(who)).text, /HART|MOSS|LAMB/, who);
});

test('the site team sees the hospital\'s beds; whoever has no card is shown where to go', async () => {
  assert.match((await home('beds')).cards.Beds, /The hospital None free 3 of 3 beds occupied Ward w1 .* Ward w2/);
  assert.match((await home('privacy')).text, /Where to go .*Privacy/);
});

test('an acknowledged result leaves the page', async () => {
  const answer = await fetch(`${server.url}/record/patient/near/acknowledge`, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ report: 'r2/1' }),
    headers: { Accept: 'text/html', Authorization: `Bearer ${people.doctor}` } });
  assert.equal(answer.status, 303);
  assert.doesNotMatch((await home('doctor')).cards['Results to acknowledge'], /MOSS/);
});

test('an escalation stands first, with its score, its ward and since when', async () => {
  await send({ resourceType: 'Observation', id: 'score', status: 'final', subject: { reference: 'Patient/near' }, encounter: { reference: 'Encounter/s2' },
    code: { coding: [{ system: 'http://snomed.info/sct', code: '1104051000000101' }] }, effectiveDateTime: hours(0), valueQuantity: { value: 9 },
    category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] }] });
  let seen;
  for (const until = Date.now() + 8000; Date.now() < until; await new Promise((again) => setTimeout(again, 100))) {
    seen = await home('nurse');
    if (/MOSS/.test(seen.cards['Escalations to answer'])) break;
  }
  assert.match(seen.cards['Escalations to answer'], /^MOSS, Ivy answer by \d\d:\d\d, \d+ min left NEWS2 (at least )?9, Ward w1, raised \d+ \w+ \d+, \d\d:\d\d/);
  assert.equal(Object.keys(seen.cards)[0], 'Escalations to answer');
});
