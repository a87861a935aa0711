// SPDX-License-Identifier: Apache-2.0
// Reading the record by eye: the first page of who works here, one test's graph.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { everyWidth, launch } from '../lib/browser.mjs';
import { Server, binary } from '../lib/server.mjs';

const hours = (n) => new Date(Date.now() - n * 3_600_000).toISOString();
const LAB = [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' }] }];
let server, browser, page;
const run = (...words) => execFileSync(binary, [...words, '--data', server.data], { encoding: 'utf8' }).trim();
const about = { reference: 'Patient/ann' };
const potassium = (id, at, value) => ({ resourceType: 'Observation', id, status: 'final', category: LAB, subject: about, effectiveDateTime: at,
  code: { coding: [{ system: 'http://loinc.org', code: '2823-3' }], text: 'Potassium' }, valueQuantity: { value, unit: 'mmol/L' }, referenceRange: [{ low: { value: 3.5 }, high: { value: 5.3 } }],
  ...(value > 6 ? { interpretation: [{ coding: [{ code: 'HH' }] }] } : {}) });
const RESOURCES = [
  { resourceType: 'Location', id: 'w1', status: 'active', mode: 'instance', name: 'Ward 1', physicalType: { coding: [{ code: 'wa' }] } },
  { resourceType: 'Location', id: 'b1', status: 'active', mode: 'instance', name: 'Bed 1', partOf: { reference: 'Location/w1' },
    physicalType: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/location-physical-type', code: 'bd' }] } },
  { resourceType: 'Patient', id: 'ann', birthDate: '1950-01-02', name: [{ family: 'Hart', given: ['Ann'] }] },
  { resourceType: 'Encounter', id: 'e', status: 'in-progress', class: { code: 'IMP' }, subject: about, period: { start: hours(30) },
    location: [{ location: { reference: 'Location/b1' }, status: 'active' }], participant: [{ individual: { reference: 'Practitioner/doc' } }] },
  potassium('k1', hours(2), 6.9), potassium('k2', hours(30), 4.4), potassium('k3', hours(60), 4.1),
  { resourceType: 'DiagnosticReport', id: 'r', status: 'final', subject: about, code: { text: 'Biochemistry' }, effectiveDateTime: hours(2), result: [{ reference: 'Observation/k1' }] },
  { resourceType: 'Task', id: 't', status: 'requested', intent: 'order', for: about, description: 'Repeat the gas', owner: { reference: 'Practitioner/doc' }, restriction: { period: { end: hours(1) } } },
];

before(async () => {
  server = await Server.start({ open: false });
  browser = await launch();
  const all = run('token', '--scope', 'system/*.cruds');
  for (const resource of RESOURCES)
    assert.equal((await server.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource, { Authorization: `Bearer ${all}` })).status, 201, resource.id);
  run('user', 'add', 'doc.x', '--role', 'doctor', '--display', 'Dr Amir Khan', '--who', 'Practitioner/doc', '--areas', 'w1');
  const token = run('token', '--scope', 'user/*.cruds', '--user', 'doc.x');
  page = await (await browser.newContext({ extraHTTPHeaders: { Authorization: `Bearer ${token}` } })).newPage();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

for (const [name, path] of Object.entries({ 'home-doctor': '/', 'record-test': '/record/patient/ann/results?test=2823-3' }))
  test(`${name}: nothing for axe, and fits, at three widths by day and night`, async () => {
    await page.goto(server.url + path);
    await everyWidth(page, name);
  });

test('by keyboard alone: from the first page to a patient by name and date of birth', async () => {
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.goto(server.url);
  await page.keyboard.press('/');
  await page.keyboard.type('hart ann 2 jan 1950');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/record\/find/);
  await page.getByRole('link', { name: 'HART, Ann' }).focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/record\/patient\/ann$/);
});
