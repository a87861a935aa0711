// SPDX-License-Identifier: Apache-2.0
// Every role x type x interaction x relationship x label, asked through the API, against a table
// written from docs/security/access.md and from nothing in the program: matrix.csv for the roles,
// the lists below for the rest. Each cell is one entry of a batch, or one request.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { binary, root, startServer } from './server.mjs';

const run = (server, ...words) =>
  execFileSync(binary, [...words, '--data', server.folder], { encoding: 'utf8' }).trim();
const [head, ...lines] = readFileSync(join(root, 'tests/scenario/matrix.csv'), 'utf8').trim().split('\n');
const columns = head.split(',');
const roles = lines.map((line) => Object.fromEntries(line.split(',').map((v, i) => [columns[i], v])));

// A few types of each group; those whose records are a patient's come with the element that says so.
const TYPES = {
  demographics: { Patient: 'self', RelatedPerson: 'patient', Person: null },
  clinical: { Observation: 'subject', Condition: 'subject', AllergyIntolerance: 'patient',
              Procedure: 'subject', Device: 'patient', Flag: 'subject', CareTeam: 'subject' },
  medicines: { MedicationRequest: 'subject', MedicationStatement: 'subject', Medication: null },
  notes: { DocumentReference: 'subject', Communication: 'subject', Basic: 'subject', List: 'subject' },
  flow: { Encounter: 'subject', ServiceRequest: 'subject', Task: 'for', Slot: null },
  directory: { Organization: null, Practitioner: null, Location: null },
  knowledge: { Library: null, ValueSet: null },
  finance: { Account: 'subject', ChargeItem: 'subject' },
  security: { Provenance: 'target' },
};
const code = { text: 'x' };
const MORE = {
  Observation: { status: 'final', code }, Procedure: { status: 'completed' },
  Flag: { status: 'active', code }, CareTeam: { status: 'inactive' },
  MedicationRequest: { status: 'active', intent: 'order', medicationCodeableConcept: code },
  MedicationStatement: { status: 'active', medicationCodeableConcept: code },
  DocumentReference: { status: 'current', content: [{ attachment: { title: 'x' } }] },
  Communication: { status: 'completed' }, Basic: { code }, List: { status: 'current', mode: 'working' },
  Encounter: { status: 'finished', class: { code: 'AMB' } },
  ServiceRequest: { status: 'completed', intent: 'order' }, Task: { status: 'completed', intent: 'order' },
  Slot: { status: 'free', schedule: { display: 'x' }, start: '2026-01-01T00:00:00Z', end: '2026-01-01T01:00:00Z' },
  Organization: { name: 'x' }, Library: { status: 'active', type: code }, ValueSet: { status: 'active' },
  Account: { status: 'active' }, ChargeItem: { status: 'billed', code },
  Provenance: { recorded: '2026-01-01T00:00:00Z', agent: [{ who: { display: 'x' } }] },
};
const SYSTEMS = { R: 'v3-Confidentiality', V: 'v3-Confidentiality', NOPAT: 'v3-ActCode', STD: 'v3-ActCode',
                  EMP: 'v3-ActCode' };
const LABELS = ['none', ...Object.keys(SYSTEMS)];
const LIFTED = ['R', 'STD', 'EMP', 'NOPAT'];          // what emergency access lifts
const PATIENTS = { mine: 'mine', other: 'other', glass: 'glass' };

// A change that any resource takes: its language.
const PATCH = Buffer.from('[{"op":"add","path":"/language","value":"en"}]').toString('base64');

function make(type, about, patient, label, id) {
  const reference = { reference: `Patient/${patient}` };
  const link = about === 'target' || type === 'Account' ? { [about]: [reference] } : about && about !== 'self' ? { [about]: reference } : {};
  const meta = label === 'none' ? {} : { meta: { security: [{
    system: `http://terminology.hl7.org/CodeSystem/${SYSTEMS[label]}`, code: label }] } };
  return { resourceType: type, ...(id && { id }), ...meta, ...MORE[type], ...link };
}

// The policy: may this role see this thing; may it do that with it.
function sees(role, group, about, patient, label) {
  const reached = !about || role.reach === 'everyone' || patient === 'mine' ||
                  (patient === 'glass' && role.glass === 'yes');
  const glass = about && patient === 'glass' && role.glass === 'yes';
  const shown = label === 'none' || role.labels.split(' ').includes(label) || (glass && LIFTED.includes(label));
  return reached && shown && role[group].includes('r');
}
function writes(role, group, about, patient, label, letter) {
  const reached = !about || role.reach === 'everyone' || patient === 'mine' ||
                  (patient === 'glass' && role.glass === 'yes');
  const glass = about && patient === 'glass' && role.glass === 'yes';
  const shown = label === 'none' || role.labels.split(' ').includes(label) || (glass && LIFTED.includes(label));
  return role[group].includes(letter) && reached && shown;
}

// One cell: what is asked, and the answers the policy allows.
function cells(role, everything) {
  const list = [];
  for (const { type, group, about, patient, label, id } of everything) {
    const cell = `${role.role} ${type} ${patient} ${label}`;
    const add = (what, request, resource, expected) =>
      list.push({ cell: `${cell} ${what}`, entry: { request, ...(resource && { resource }) }, expected });
    const seen = sees(role, group, about, patient, label), typed = role[group].includes('r');
    const got = (ok) => (seen ? [ok] : typed ? [404] : [404, 403]);
    add('read', { method: 'GET', url: `${type}/${id}` }, null, got(200));
    add('vread', { method: 'GET', url: `${type}/${id}/_history/1` }, null, got(200));
    add('history', { method: 'GET', url: `${type}/${id}/_history` }, null, got(200));
    list.push({ cell: `${cell} search`, found: Boolean(seen), entry: { request: { method: 'GET', url: `${type}?_id=${id}` } } });
    const update = writes(role, group, about, patient, label, 'u');
    add('update', { method: 'PUT', url: `${type}/${id}` }, make(type, about, patient, label, id),
        update && seen ? [200] : role[group].includes('u') || role[group].includes('c') ? [403, 404] : [403]);
    list.push({ cell: `${cell} patch`, entry: { request: { method: 'PATCH', url: `${type}/${id}` },
                  resource: { resourceType: 'Binary', contentType: 'application/json-patch+json', data: PATCH } },
                expected: update && seen ? [200] : role[group].includes('u') ? [403, 404] : [403] });
    if (type !== 'Patient')
      add('create', { method: 'POST', url: type }, make(type, about, patient, label),
          writes(role, group, about, patient, label, 'c') ? [201] : [403]);
    if (!role[group].includes('d'))
      add('delete', { method: 'DELETE', url: `${type}/${id}` }, null, [403]);
  }
  return list;
}

async function hospital(t) {
  const server = await startServer(t, { open: false, args: ['--set', 'auth.demo_code=demo', '--set', 'auth.nothing_after_us=0'] });
  const all = { authorization: `Bearer ${run(server, 'token', '--scope', 'system/*.cruds')}` };
  const put = async (resources) => {
    const answer = await server.post('/fhir', { resourceType: 'Bundle', type: 'transaction',
      entry: resources.map((resource) => ({ resource, request: { method: 'PUT',
        url: `${resource.resourceType}/${resource.id}` } })) }, all);
    assert.equal(answer.status, 200, answer.text.slice(0, 500));
  };
  const everything = [];
  for (const [group, types] of Object.entries(TYPES))
    for (const [type, about] of Object.entries(types))
      for (const patient of about ? Object.values(PATIENTS) : ['none'])
        for (const label of LABELS)
          if (about !== 'self' || label === 'none')
            everything.push({ group, type, about, patient, label,
                              id: about === 'self' ? patient : `${type}-${patient}-${label}` });
  await put([...Object.values(PATIENTS).map((id) => ({ resourceType: 'Patient', id })),
             { resourceType: 'Practitioner', id: 'me' },
             { resourceType: 'CareTeam', id: 'tie', status: 'active', subject: { reference: 'Patient/mine' },
               participant: [{ member: { reference: 'Practitioner/me' } }] }]);
  await put(everything.filter(({ about }) => about !== 'self')
    .map(({ type, about, patient, label, id }) => make(type, about, patient, label, id)));
  return { server, everything };
}

// Breaks the glass of one patient, as the dialog does.
async function breakGlass(server, name) {
  const asForm = { 'content-type': 'application/x-www-form-urlencoded' };
  const body = (fields) => new URLSearchParams(fields).toString();
  const signedIn = await server.ask('POST', '/sign-in', { headers: asForm,
    body: body({ name, code: 'demo', next: '/' }) });
  const cookie = signedIn.headers.get('set-cookie').split(';')[0];
  const csrf = /name="csrf" value="([^"]+)"/.exec((await server.get('/break-glass/glass', { cookie })).text)[1];
  const broken = await server.ask('POST', '/break-glass/glass', { headers: { ...asForm, cookie, origin: server.url },
    body: body({ reason: 'emergency', basis: 'vital', words: 'a cell of the matrix', minutes: '60', csrf }) });
  assert.equal(broken.status, 303, `${name}: ${broken.text.slice(0, 300)}`);
}

async function tokenOf(server, role) {
  if (role.role === 'service')
    return run(server, 'token', '--scope', 'system/*.cruds');
  const own = role.reach === 'own';
  run(server, 'user', 'add', `u.${role.role}`, '--role', role.role,
      ...(own && role.role === 'system_admin' ? [] : ['--who', own ? 'Patient/mine' : 'Practitioner/me']));
  if (role.glass === 'yes')
    await breakGlass(server, `u.${role.role}`);
  return run(server, 'token', '--user', `u.${role.role}`, '--scope',
             own && role.role !== 'system_admin' ? 'patient/*.cruds' : 'user/*.cruds');
}

test('every role; type; interaction; relationship and label is answered as the policy says', async (t) => {
  const { server, everything } = await hospital(t);
  const wrong = [];
  let asked = 0;
  for (const role of roles) {
    const headers = { authorization: `Bearer ${await tokenOf(server, role)}` };
    const list = cells(role, everything);
    for (let from = 0; from < list.length; from += 250) {
      const part = list.slice(from, from + 250);
      const answer = await server.post('/fhir', { resourceType: 'Bundle', type: 'batch',
        entry: part.map(({ entry }) => entry) }, headers);
      assert.equal(answer.status, 200, `${role.role}: ${answer.text.slice(0, 300)}`);
      answer.body.entry.forEach(({ response, resource }, i) => {
        const { cell, expected, found } = part[i], status = Number(response.status.slice(0, 3));
        asked++;
        const right = expected ? expected.includes(status)
                               : status === 200 ? (resource.total > 0) === found : !found && status === 403;
        if (!right)
          wrong.push(`${cell}: ${status}${resource?.total === undefined ? '' : ` total ${resource.total}`}, ` +
                     `the policy says ${expected ?? found}`);
      });
    }
  }
  assert.deepEqual(wrong.slice(0, 40), [], `${wrong.length} of ${asked} cells`);
  t.diagnostic(`${asked} cells: ${roles.length} roles, ${everything.length} things`);
});
