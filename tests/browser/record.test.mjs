// SPDX-License-Identifier: Apache-2.0
// The patient record as people use it: by eye, by keyboard, on a telephone, without scripts, when the
// server goes away, on paper.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { everyWidth, faults, fits, launch, open, shot } from '../lib/browser.mjs';
import { Server, root } from '../lib/server.mjs';

const IMAGES = join(root, 'docs/images');
const NHS = 'https://fhir.nhs.uk/Id/nhs-number';
const LAB = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' }] };
const now = Date.now();
const hours = (n) => new Date(now - n * 3_600_000).toISOString();
let server;
let browser;

const person = (id, nhs, family, given, gender, birthDate) => ({
  resourceType: 'Patient', id, active: true, gender, birthDate,
  identifier: [{ system: NHS, value: nhs }, { system: 'https://ward.example/Id/hospital-number', value: `H${id.length}0${nhs.slice(5, 9)}` }],
  name: [{ use: 'official', family, given: [given], prefix: [gender === 'male' ? 'Mr' : 'Mrs'] }],
});
const place = (id, name, kind, partOf) => ({
  resourceType: 'Location', id, status: 'active', mode: 'instance', name,
  physicalType: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/location-physical-type', code: kind }] },
  ...(partOf ? { partOf: { reference: `Location/${partOf}` } } : {}),
});
const stay = (id, patient, bed, reason) => ({
  resourceType: 'Encounter', id, status: 'in-progress', class: { code: 'IMP' }, subject: { reference: `Patient/${patient}` },
  period: { start: hours(50) }, reasonCode: [{ text: reason }], location: [{ location: { reference: `Location/${bed}` }, status: 'active' }],
  participant: [{ individual: { display: 'KHAN, Amir (Dr)' } }],
});
const lab = (id, name, value, unit, low, high, at) => ({
  resourceType: 'Observation', id, status: 'final', category: [LAB], code: { text: name }, subject: { reference: 'Patient/webb' }, effectiveDateTime: at,
  valueQuantity: { value, unit }, referenceRange: [{ low: { value: low }, high: { value: high } }],
  ...(value > high ? { interpretation: [{ coding: [{ code: 'H' }] }] } : {}),
});
const RESOURCES = [
  place('w7', 'Ward 7, Medicine', 'wa'), place('bay', 'Bay A', 'ro', 'w7'), place('b1', 'Bed 1', 'bd', 'bay'), place('b2', 'Bed 2', 'bd', 'bay'),
  person('webb', '9990001233', 'Webb', 'Barbara', 'female', '1954-05-31'), person('web', '9990000040', 'Web', 'Beryl', 'female', '1948-02-03'),
  person('cook', '9990000393', 'Cook', 'George', 'male', '1956-07-04'),
  stay('e1', 'webb', 'b1', 'Community-acquired pneumonia'), stay('e2', 'web', 'b2', 'Heart failure'),
  { resourceType: 'AllergyIntolerance', id: 'pen', patient: { reference: 'Patient/webb' }, recordedDate: '2011-03-01', code: { text: 'Penicillin' },
    clinicalStatus: { coding: [{ code: 'active' }] }, reaction: [{ manifestation: [{ text: 'Anaphylaxis' }], severity: 'severe' }] },
  { resourceType: 'Flag', id: 'falls', status: 'active', code: { text: 'Risk of falls' }, subject: { reference: 'Patient/webb' } },
  { resourceType: 'Flag', id: 'dna', status: 'active', code: { text: 'DNACPR decision recorded' }, subject: { reference: 'Patient/web' } },
  { resourceType: 'Condition', id: 'asthma', clinicalStatus: { coding: [{ code: 'active' }] }, code: { text: 'Asthma' }, subject: { reference: 'Patient/webb' }, onsetDateTime: '1998-04-01' },
  { resourceType: 'MedicationRequest', id: 'salb', status: 'active', intent: 'order', category: [{ coding: [{ code: 'community' }] }], authoredOn: '2015-01-02',
    medicationCodeableConcept: { text: 'Salbutamol 100 micrograms/dose inhaler' }, subject: { reference: 'Patient/webb' }, dosageInstruction: [{ text: 'Two puffs when needed' }] },
  ...[6, 30].flatMap((h, i) => [lab(`crp${i}`, 'C-reactive protein', 84 + 60 * i, 'mg/L', 0, 5, hours(h)), lab(`k${i}`, 'Potassium', 4.1, 'mmol/L', 3.5, 5.3, hours(h))]),
  { resourceType: 'DiagnosticReport', id: 'crp', status: 'final', code: { text: 'C-reactive protein' }, subject: { reference: 'Patient/webb' }, effectiveDateTime: hours(6), result: [{ reference: 'Observation/crp0' }] },
  { resourceType: 'Task', id: 'oxygen', status: 'requested', intent: 'order', description: 'Wean oxygen; repeat gas at 18:00', for: { reference: 'Patient/webb' }, owner: { display: 'Registrar' }, authoredOn: hours(3),
    restriction: { period: { end: hours(1) } } },
  { resourceType: 'Composition', id: 'sbar', status: 'final', title: 'Handover (SBAR)', date: hours(2), subject: { reference: 'Patient/webb' }, author: [{ display: 'Sister J. Ross' }],
    type: { coding: [{ system: 'https://frontline.example/CodeSystem/note-type', code: 'sbar-handover' }] },
    section: Object.entries({ situation: 'Pneumonia, day 2, on 2 litres', background: 'Asthma; penicillin anaphylaxis', assessment: 'NEWS2 4, improving', recommendation: 'Doxycycline by mouth; call if NEWS2 is 5' })
      .map(([code, words]) => ({ title: code, code: { coding: [{ code }] }, text: { status: 'additional', div: `<div xmlns="http://www.w3.org/1999/xhtml"><p>${words}</p></div>` } })) },
];

before(async () => {
  server = await Server.start();
  browser = await launch();
  mkdirSync(IMAGES, { recursive: true });
  for (const resource of RESOURCES) {
    const { status, body } = await server.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource);
    assert.equal(status, 201, JSON.stringify(body));
  }
  const summary = '/record/patient/webb/entry/discharge/once-browser-000001';
  for (const [path, fields] of [['/record/patient/webb/new/discharge', { summary: 'Pneumonia, treated.', once: 'once-browser-000001' }], [`${summary}/sign`, { version: '1' }]])
    assert.equal((await fetch(server.url + path, { method: 'POST', redirect: 'manual', body: new URLSearchParams(fields) })).status, 303);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const PAGES = {
  'record-home': '/record', 'record-find': '/record/find?q=web', 'record-confirm': '/record/confirm/webb', 'record-nobody': '/record/patient/nobody',
  'record-ward': '/record/ward/w7', 'record-handover': '/record/ward/w7/handover', 'record-ward-results': '/record/ward/w7/results', 'record-downtime': '/record/ward/w7/downtime',
  'record-summary': '/record/patient/webb', 'record-timeline': '/record/patient/webb/timeline', 'record-results': '/record/patient/webb/results',
  'record-medicines': '/record/patient/webb/medicines', 'record-notes': '/record/patient/webb/notes', 'record-allergy': '/record/patient/webb/new/allergy',
  'record-note': '/record/patient/webb/new/note', 'record-entry': '/record/patient/webb/entry/allergy/pen', 'record-item': '/record/patient/webb/item/DiagnosticReport/crp',
  'record-wrong': '/record/patient/webb/wrong/AllergyIntolerance/pen', 'record-discharge': '/record/patient/webb/new/discharge', 'record-sending': '/record/patient/webb/entry/discharge/once-browser-000001',
  'record-merge': '/record/merge?source=9990001233&target=9990000040',
};

for (const [name, path] of Object.entries(PAGES)) {
  test(`${name}: nothing for axe, and fits, at three widths by day and night`, async () => {
    const page = await open(browser, server.url + path);
    await everyWidth(page, name);
    assert.deepEqual(page.complaints.filter((text) => !/status of 404/.test(text)), []);
    await page.context().close();
  });
}

test('an open record and its ward offer what changed, and nothing moves', async () => {
  const pages = {};
  for (const [name, path] of Object.entries({ record: '/record/patient/webb', ward: '/record/ward/w7', other: '/record/patient/cook' })) {
    pages[name] = await open(browser, server.url + path);
    await pages[name].waitForFunction(() => document.getElementById('app-live')?.textContent.includes('Live'));
  }
  const before = await pages.ward.locator('main table').first().textContent();
  const { status } = await server.send('PUT', '/fhir/Task/live', { resourceType: 'Task', status: 'requested', intent: 'order',
    id: 'live', description: 'Blood cultures', for: { reference: 'Patient/webb' }, authoredOn: hours(0) });
  assert.equal(status, 201);
  for (const name of ['record', 'ward']) await pages[name].locator('#app-pending').waitFor({ state: 'visible', timeout: 5000 });
  assert.equal(await pages.ward.locator('main table').first().textContent(), before, 'nothing moved');
  assert.equal(await pages.other.locator('#app-pending').isVisible(), false, 'another record says nothing');
  await pages.record.locator('#app-pending button').click();
  await pages.record.getByText('Blood cultures').first().waitFor();
  for (const page of Object.values(pages)) await page.context().close();
});

test('scripts of a record page stay within 25 KB gzipped', async () => {
  const page = await open(browser, `${server.url}/record/patient/webb/new/note`);
  let bytes = 0;
  for (const src of await page.$$eval('script[src]', (list) => list.map((s) => s.src))) {
    const answer = await fetch(src, { headers: { 'Accept-Encoding': 'gzip' } });
    bytes += Number(answer.headers.get('content-length') ?? (await answer.arrayBuffer()).byteLength);
  }
  assert.ok(bytes > 0 && bytes <= 25 * 1024, `${bytes} bytes`);
  await page.context().close();
});

test('without scripts a problem is coded, saved and read', async () => {
  const page = await open(browser, `${server.url}/record/patient/cook/new/problem`, { js: false });
  await page.getByLabel('Problem or diagnosis').fill('chron obs');
  await page.getByRole('button', { name: 'Look up the code' }).click();
  await page.getByLabel('Chronic obstructive pulmonary disease').check();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.waitForURL(/done=problem/);
  assert.match(await page.locator('main').textContent(), /The problem is saved/);
  const { body } = await server.send('GET', '/fhir/Condition?patient=cook');
  assert.equal(body.entry[0].resource.code.coding[0].code, '13645005');
  await page.context().close();
});

test('by keyboard: a code is found while typing, taken, and dropped when the words change', async () => {
  const page = await open(browser, `${server.url}/record/patient/webb/new/allergy`);
  const agent = page.getByLabel('What are they allergic to?');
  await agent.focus();
  await page.keyboard.type('pea');
  await page.getByRole('option', { name: 'Allergy to peanut' }).waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  assert.equal(await agent.inputValue(), 'Allergy to peanut');
  assert.equal(await page.locator('input[name=agent_code]').inputValue(), 'http://snomed.info/sct|91935009|Allergy to peanut');
  assert.deepEqual(await faults(page), []);
  await page.keyboard.type('s');
  assert.equal(await page.locator('input[name=agent_code]').inputValue(), '', 'words and code never disagree');
  await page.context().close();
});

test('what is typed while the server is away is kept, sent later, and has its outcome', async () => {
  const page = await open(browser, `${server.url}/record/patient/webb/new/task`);
  await page.getByLabel('What is to be done?').fill('Chest X-ray in six weeks');
  await page.context().setOffline(true);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Not sent yet (1)').waitFor();
  assert.match(await page.locator('#app-outbox').textContent(), /Task \(WEBB, Barbara/);
  assert.deepEqual(await faults(page), []);
  await shot(page, 'record-outbox');
  await page.context().setOffline(false);
  await page.locator('#app-outbox strong', { hasText: /^Sent$/ }).waitFor({ timeout: 20_000 });
  const { body } = await server.send('GET', '/fhir/Task?patient=webb');
  assert.equal(body.entry.filter((e) => e.resource.description === 'Chest X-ray in six weeks').length, 1);
  await page.context().close();
});

test('an item the server refuses is not dropped: it says why and opens its form', async () => {
  const page = await open(browser, `${server.url}/record/patient/webb/new/problem`);
  await page.getByLabel('Problem or diagnosis').fill('Sinusitis');
  await page.getByLabel('Ended').fill('2020-01-01');
  await page.context().setOffline(true);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Not sent yet (1)').waitFor();
  await page.context().setOffline(false);
  await page.locator('#app-outbox strong', { hasText: /^Refused$/ }).waitFor({ timeout: 20_000 });
  assert.match(await page.locator('#app-outbox').textContent(), /an active problem has no end/);
  await page.getByRole('button', { name: 'Open the form to mend it' }).click();
  await page.waitForLoadState();
  assert.equal(await page.getByLabel('Problem or diagnosis').inputValue(), 'Sinusitis');
  await page.context().close();
});

test('a draft survives a closed tab and is saved by the server as one types', async () => {
  const page = await open(browser, `${server.url}/record/patient/cook/new/note`);
  await page.getByLabel('History').fill('Short of breath for three days');
  await page.goto('about:blank');
  await page.goto(`${server.url}/record/patient/cook/new/note`);
  assert.equal(await page.getByLabel('History').inputValue(), 'Short of breath for three days');
  await page.getByText('was put back').waitFor();
  await page.getByLabel('History').press('End');
  await page.keyboard.type(', no fever');
  await page.getByText(/Draft saved/).waitFor({ timeout: 15_000 });
  await page.keyboard.type(', no cough');
  await page.getByRole('button', { name: 'Save the draft' }).click();
  await page.waitForURL(/entry\/note/);
  const { body } = await server.send('GET', '/fhir/Composition?patient=cook');
  assert.equal(body.entry.length, 1, 'one note, however often it was saved');
  assert.match(body.entry[0].resource.section[0].text.div, /no fever, no cough/);
  await page.context().close();
});

test('two people at one entry: the second compares and chooses', async () => {
  const path = `${server.url}/record/patient/webb/entry/problem/asthma`;
  const [hers, his] = [await open(browser, path), await open(browser, path)];
  await hers.getByLabel('More').fill('Worse in winter');
  await hers.getByRole('button', { name: 'Save', exact: true }).click();
  await hers.waitForURL(/done=problem/);
  await his.getByLabel('More').fill('Seldom');
  await his.getByRole('button', { name: 'Save', exact: true }).click();
  await his.getByText('Changed meanwhile by').first().waitFor();
  assert.deepEqual(await faults(his), []);
  await shot(his, 'record-conflict');
  await his.getByLabel(/Theirs: Worse in winter/).check();
  await his.getByRole('button', { name: 'Save what I chose' }).click();
  await his.waitForURL(/done=problem/);
  const { body } = await server.send('GET', '/fhir/Condition/asthma');
  assert.equal(body.note[0].text, 'Worse in winter');
  await hers.context().close();
  await his.context().close();
});

test('the handover sheet and the downtime pack print: identifiers and time on each patient', async () => {
  const page = await open(browser, `${server.url}/record/ward/w7/downtime`);
  await page.emulateMedia({ media: 'print' });
  assert.equal(await page.locator('article.record-paper').count(), 2);
  for (const paper of await page.locator('article.record-paper').all())
    assert.match(await paper.textContent(), /NHS No\. 999 000 \d{4}[\s\S]*As of \d+ \w+ \d{4}, \d\d:\d\d/);
  const pdf = await page.pdf({ format: 'A4' });
  assert.ok((pdf.toString('latin1').match(/\/Type\s*\/Page\b/g) ?? []).length >= 3, 'the list, then a page a patient');
  assert.ok(!(await page.locator('nav[aria-label="Main"]').isVisible()));
  await page.context().close();
});

test('the downtime pack is printed to a file by the script that the timer runs', () => {
  const out = mkdtempSync(join(tmpdir(), 'downtime-'));
  const run = (...wards) => execFileSync(join(root, 'deploy/downtime'), ['--url', server.url, '--out', out, ...wards], { encoding: 'utf8', stdio: 'pipe' });
  assert.match(run(), /w7 printed/);
  const [name, ...others] = readdirSync(out);
  assert.match(name, /^w7-\d{8}-\d{4}\.pdf$/);
  assert.equal(others.length, 0);
  const pdf = readFileSync(join(out, name), 'latin1');
  assert.ok((pdf.match(/\/Type\s*\/Page\b/g) ?? []).length >= 3);
  assert.throws(() => run('no-such-ward'), /no-such-ward could not be printed; there is no pack before it/);
  assert.deepEqual(readdirSync(out), [name]);
});

// The pictures of docs/tutorial/first-ward.md.
const PICTURES = { 'ward-list': '/record/ward/w7', 'record-summary': '/record/patient/webb', 'record-results': '/record/patient/webb/results', 'ward-handover': '/record/ward/w7/handover' };
for (const [name, path] of Object.entries(PICTURES)) {
  test(`picture ${name} for the tutorial`, async () => {
    const page = await open(browser, server.url + path, { width: 1100 });
    const file = process.env.TUTORIAL_PICTURES ? join(IMAGES, `${name}.png`) : join(root, 'tests/screenshots', `tutorial-${name}.png`);
    await page.screenshot({ path: file, clip: { x: 0, y: 0, width: 1100, height: 760 } });
    assert.ok(statSync(file).size < 200_000);
    await page.context().close();
  });
}
