// SPDX-License-Identifier: Apache-2.0
// $validate over HTTP: R4's own rules, profiles of a package added while the server runs, and
// references into the record.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { binary, startServer, testdata } from './server.mjs';

const errors = (outcome) => outcome.issue.filter((issue) => issue.severity === 'error')
  .map((issue) => `${issue.expression ?? ''}: ${issue.details?.text ?? issue.diagnostics ?? ''}`);
const UK = 'https://fhir.hl7.org.uk/StructureDefinition/';

// The next use of $validate looks at the folder once a second.
const settle = () => new Promise((done) => setTimeout(done, 1200));

function profile(folder, element) {
  writeFileSync(join(folder, 'p.json'), JSON.stringify({
    resourceType: 'StructureDefinition', url: 'http://example.org/p', name: 'P', status: 'active',
    kind: 'resource', abstract: false, type: 'Patient', derivation: 'constraint',
    baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Patient',
    differential: { element } }));
}

test('$validate answers 200 with what it finds', async (t) => {
  const server = await startServer(t);
  const fine = await server.post('/fhir/Patient/$validate', { resourceType: 'Patient' });
  assert.equal(fine.status, 200);
  assert.deepEqual(errors(fine.body), []);
  const rows = [
    [{ resourceType: 'Patient', nmae: 1 }, /Patient\.nmae/],
    [{ resourceType: 'Patient', birthDate: 'x' }, /Patient\.birthDate/],
    [{ resourceType: 'Patient', contact: [{ gender: 'male' }] }, /pat-1/],
    [{ resourceType: 'Observation', status: 'final', code: { text: 'x' } }, /was sent to Patient/],
    [{ resourceType: 'Ward' }, /not a resource type/],
  ];
  for (const [resource, expected] of rows) {
    const answer = await server.post('/fhir/Patient/$validate', resource);
    assert.equal(answer.status, 200, JSON.stringify(resource));
    assert.match(errors(answer.body).join('\n'), expected);
  }
  const wrapped = await server.post('/fhir/Patient/$validate', { resourceType: 'Parameters',
    parameter: [{ name: 'resource', resource: { resourceType: 'Patient', gender: 'x' } },
                { name: 'mode', valueCode: 'create' }] });
  assert.match(errors(wrapped.body).join('\n'), /administrative-gender/);
  assert.equal((await server.post('/fhir/Patient/$validate', '{')).status, 400);
  assert.equal((await server.get('/fhir/Patient/$validate')).status, 400);
  assert.equal((await server.post('/fhir/Patient/$validate?profile=http://none',
    { resourceType: 'Patient' })).status, 404);
  assert.equal((await server.post('/fhir/Patient/$validate?mode=x',
    { resourceType: 'Patient' })).status, 400);
});

test('$validate of what is stored, and of what it refers to', async (t) => {
  const server = await startServer(t);
  await server.put('/fhir/Patient/a', { resourceType: 'Patient', id: 'a' });
  const stored = await server.get('/fhir/Patient/a/$validate');
  assert.equal(stored.status, 200);
  assert.deepEqual(errors(stored.body), []);
  assert.equal((await server.get('/fhir/Patient/none/$validate')).status, 404);
  const other = await server.post('/fhir/Patient/a/$validate?mode=update',
    { resourceType: 'Patient', id: 'b' });
  assert.match(errors(other.body).join('\n'), /Patient\.id/);
});

test('a package takes effect while the server runs; a broken one leaves the old in force',
  async (t) => {
    const server = await startServer(t);
    const folder = mkdtempSync(join(tmpdir(), 'package-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const add = () => execFileSync(binary, ['package', 'add', folder, '--data', server.folder],
      { stdio: 'pipe' });
    const ask = () => server.post('/fhir/Patient/$validate?profile=http://example.org/p',
      { resourceType: 'Patient' });
    assert.equal((await ask()).status, 404);
    profile(folder, [{ id: 'Patient.name', path: 'Patient.name', min: 1 }]);
    add();
    await settle();
    assert.match(errors((await ask()).body).join('\n'),
      /Patient\.name: is required 1 times.*http:\/\/example\.org\/p/);
    writeFileSync(join(folder, 'broken.json'), '{');
    assert.throws(add);
    await settle();
    assert.match(errors((await ask()).body).join('\n'), /Patient\.name/);
  });

test('value sets posted to the record settle what packages leave open', async (t) => {
  const server = await startServer(t);
  const folder = mkdtempSync(join(tmpdir(), 'package-'));
  t.after(() => rmSync(folder, { recursive: true }));
  profile(folder, [{ id: 'Patient.language', path: 'Patient.language',
    binding: { strength: 'required', valueSet: 'http://example.org/vs' } }]);
  execFileSync(binary, ['package', 'add', folder, '--data', server.folder], { stdio: 'pipe' });
  await settle();
  const ask = async (language) => (await server.post(
    '/fhir/Patient/$validate?profile=http://example.org/p',
    { resourceType: 'Patient', language })).body.issue.map((issue) => issue.severity);
  assert.ok((await ask('en')).includes('warning'));
  await server.put('/fhir/ValueSet/vs', { resourceType: 'ValueSet', id: 'vs', status: 'active',
    url: 'http://example.org/vs',
    compose: { include: [{ system: 'urn:x', concept: [{ code: 'en' }] }] } });
  assert.deepEqual((await ask('en')).filter((severity) => severity !== 'information'), []);
  assert.ok((await ask('cy')).includes('error'));
});

test('UK Core over HTTP', async (t) => {
  if (!existsSync(join(testdata, 'ukcore'))) {
    t.skip('no ../shared/testdata');
    return;
  }
  const server = await startServer(t);
  execFileSync(binary, ['package', 'add', join(testdata, 'ukcore'), '--data', server.folder],
    { stdio: 'pipe' });
  await settle();
  const patient = { resourceType: 'Patient', meta: { profile: [UK + 'UKCore-Patient'] },
    identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990000018' }] };
  assert.deepEqual(errors((await server.post('/fhir/Patient/$validate', patient)).body), []);
  delete patient.identifier[0].value;
  assert.match(errors((await server.post('/fhir/Patient/$validate', patient)).body).join('\n'),
    /Patient\.identifier\[0\]\.value: is required.*UKCore-Patient/);
});
