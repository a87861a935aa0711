// SPDX-License-Identifier: Apache-2.0
// Whatever page about a patient is opened, it says whose it is: every address that the pages of one
// record lead to is followed.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server } from '../lib/server.mjs';

let server;
const ABOUT = { reference: 'Patient/ann' };
const RESOURCES = [
  { resourceType: 'Patient', id: 'ann', birthDate: '1950-01-01', name: [{ family: 'Hart', given: ['Ann'] }], identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990001233' }] },
  { resourceType: 'AllergyIntolerance', id: 'a', patient: ABOUT, code: { text: 'Latex' } }, { resourceType: 'Condition', id: 'c', subject: ABOUT, code: { text: 'Asthma' } },
  { resourceType: 'Flag', id: 'f', status: 'active', subject: ABOUT, code: { text: 'Risk of falls' } },
  { resourceType: 'Encounter', id: 'e', status: 'in-progress', class: { code: 'IMP' }, subject: ABOUT, period: { start: '2026-01-01T10:00:00Z' } },
  { resourceType: 'MedicationRequest', id: 'm', status: 'active', intent: 'order', subject: ABOUT, medicationCodeableConcept: { text: 'Aspirin' }, authoredOn: '2026-01-01' },
  { resourceType: 'Observation', id: 'o', status: 'final', subject: ABOUT, code: { text: 'Sodium' }, valueQuantity: { value: 3, comparator: '<', unit: 'mmol/L' }, effectiveDateTime: '2026-01-01T10:00:00Z',
    category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' }] }] },
  { resourceType: 'Observation', id: 'bp', status: 'final', subject: ABOUT, code: { text: 'Blood pressure' }, effectiveDateTime: '2026-01-01T11:00:00Z',
    category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] }],
    component: [{ code: { coding: [{ code: '8462-4' }] }, valueQuantity: { value: 75, unit: 'millimeter of mercury', code: 'mm[Hg]' } },
      { code: { coding: [{ code: '8480-6' }] }, valueQuantity: { value: 134, unit: 'millimeter of mercury', code: 'mm[Hg]' } }] },
  { resourceType: 'DiagnosticReport', id: 'r', status: 'final', subject: ABOUT, code: { text: 'Biochemistry' }, effectiveDateTime: new Date().toISOString(), result: [{ reference: 'Observation/o' }] },
  { resourceType: 'Task', id: 't', status: 'requested', intent: 'order', for: ABOUT, description: 'Weigh' },
  { resourceType: 'DocumentReference', id: 'd', status: 'current', subject: ABOUT, description: 'Letter', content: [{ attachment: { contentType: 'text/plain', data: 'SGk=' } }] },
  { resourceType: 'Appointment', id: 'p', status: 'booked', participant: [{ actor: ABOUT, status: 'accepted' }] },
  { resourceType: 'Condition', id: 'x', subject: ABOUT, code: { text: 'Gout' }, recordedDate: '2026-01-03', verificationStatus: { coding: [{ code: 'entered-in-error' }] } },
];
const get = async (path) => {
  const answer = await fetch(server.url + path, { redirect: 'manual', headers: { Accept: 'text/html' } });
  return { status: answer.status, type: answer.headers.get('content-type') ?? '', html: await answer.text() };
};
const words = (html) => html.replace(/<[^>]*>/g, ' ').replace(/&lt;/g, '<').replace(/\s+/g, ' ');

before(async () => {
  server = await Server.start();
  for (const resource of RESOURCES) {
    const { status, body } = await server.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource);
    assert.equal(status, 201, JSON.stringify(body));
  }
});
after(() => server?.stop());

test('every page that the record leads to carries its banner', async () => {
  const seen = new Set(), queue = ['/record/patient/ann', '/obs/patient/ann'], without = [];
  while (queue.length) {
    const path = queue.shift();
    if (seen.has(path)) continue;
    seen.add(path);
    const { status, type, html } = await get(path);
    assert.equal(status, 200, path);
    if (!type.startsWith('text/html')) continue;
    if (!html.includes('id="patient-banner" data-patient="ann"')) without.push(path);
    for (const [, href] of html.matchAll(/href="([^"#]+)/g))
      if (/^\/(record|obs)\/patient\/ann(\/|\?|$)/.test(href)) queue.push(href.replace(/&amp;/g, '&'));
  }
  assert.ok(seen.size > 40, `${seen.size} pages`);
  assert.deepEqual(without, []);
});

test('the summary shows values as they were sent: comparator, pressure the right way round, short units', async () => {
  const page = words((await get('/record/patient/ann')).html);
  assert.match(page, /Blood pressure 134\/75 mmHg/);
  assert.match(page, /Biochemistry Not acknowledged/);
  assert.match(words((await get('/record/patient/ann/item/DiagnosticReport/r')).html), /Sodium: <3 mmol\/L/);
});

test('what was entered in error stands struck on the timeline, with the reason', async () => {
  assert.match((await get('/record/patient/ann/timeline')).html, /<del><a [^>]*>Gout<\/a><\/del>/);
  assert.match(words((await get('/record/patient/ann/timeline')).html), /Gout Entered in error No reason is recorded/);
  const marked = await fetch(`${server.url}/record/patient/ann/wrong/Condition/c`, { method: 'POST', redirect: 'manual', headers: { Accept: 'text/html' },
    body: new URLSearchParams({ how: 'mark', reason: 'Another patient has it' }) });
  assert.equal(marked.status, 303);
  assert.match(words((await get('/record/patient/ann/timeline')).html), /Asthma Entered in error Reason: Another patient has it/);
});
