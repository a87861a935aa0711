// SPDX-License-Identifier: Apache-2.0
// The FHIR API as a client meets it: one test a rule of hl7.org/fhir/R4/http.html.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spawnServer, startServer } from './server.mjs';

const ann = { resourceType: 'Patient', active: true, name: [{ family: 'Smith', given: ['Ann'] }],
              birthDate: '1970-01-02' };
const version = (answer) => answer.headers.get('etag');
const idOf = (answer) => answer.body.id;
const isOutcome = (answer, status) => {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.body.resourceType, 'OperationOutcome');
  return answer.body.issue;
};

test('a resource is created, read, updated, deleted, and its versions stay', async (t) => {
  const server = await startServer(t);
  const made = await server.post('/fhir/Patient', ann);
  assert.equal(made.status, 201);
  const id = idOf(made);
  assert.equal(made.headers.get('location'), `${server.url}/fhir/Patient/${id}/_history/1`);
  assert.equal(version(made), 'W/"1"');
  assert.deepEqual({ ...made.body, id: undefined, meta: undefined },
                   { ...ann, id: undefined, meta: undefined });

  const path = `/fhir/Patient/${id}`;
  assert.deepEqual((await server.get(path)).body, made.body);
  const changed = await server.put(path, { ...made.body, active: false });
  assert.equal(changed.status, 200);
  assert.equal(version(changed), 'W/"2"');
  assert.equal((await server.get(`${path}/_history/1`)).body.active, true);

  const gone = await server.delete(path);
  assert.equal(gone.status, 204);
  isOutcome(await server.get(path), 410);
  assert.equal((await server.delete(path)).status, 204);
  assert.equal((await server.get(`${path}/_history/2`)).body.active, false);
  const history = (await server.get(`${path}/_history`)).body;
  assert.equal(history.type, 'history');
  assert.equal(history.total, 3);
  assert.deepEqual(history.entry.map((e) => e.request.method), ['DELETE', 'PUT', 'POST']);
  const back = await server.put(path, { ...ann, id });
  assert.equal(back.status, 201);
  assert.equal(version(back), 'W/"4"');
});

test('what cannot be read is told apart', async (t) => {
  const server = await startServer(t);
  isOutcome(await server.get('/fhir/Patient/none'), 404);
  isOutcome(await server.get('/fhir/Patience/1'), 404);
  isOutcome(await server.get('/fhir/Patient/none/_history/1'), 404);
  isOutcome(await server.get('/fhir/Patient/no%20id'), 400);
  isOutcome(await server.get('/nothing'), 404);
  isOutcome(await server.ask('PUT', '/health', { body: {} }), 405);
  isOutcome(await server.get('/fhir/$nothing'), 404);
});

test('an update as create takes the id of the client', async (t) => {
  const server = await startServer(t);
  assert.equal((await server.put('/fhir/Patient/ann', { ...ann, id: 'ann' })).status, 201);
  assert.equal((await server.put('/fhir/Patient/ann', { ...ann, id: 'ann' })).status, 200);
  isOutcome(await server.put('/fhir/Patient/ann', { ...ann, id: 'bob' }), 400);
  isOutcome(await server.put('/fhir/Patient/ann', ann), 400);
  isOutcome(await server.put('/fhir/Observation/ann', { ...ann, id: 'ann' }), 400);
});

test('conditions of one version are kept', async (t) => {
  const server = await startServer(t);
  const made = await server.put('/fhir/Patient/ann', { ...ann, id: 'ann' });
  const stale = await server.put('/fhir/Patient/ann', { ...made.body, active: false },
                                 { 'if-match': 'W/"7"' });
  isOutcome(stale, 412);
  const fresh = await server.put('/fhir/Patient/ann', { ...made.body, active: false },
                                 { 'if-match': 'W/"1"' });
  assert.equal(fresh.status, 200);
  isOutcome(await server.put('/fhir/Patient/ann', { ...ann, id: 'ann' },
                             { 'if-none-match': '*' }), 412);
  assert.equal((await server.get('/fhir/Patient/ann', { 'if-none-match': 'W/"2"' })).status, 304);
  assert.equal((await server.get('/fhir/Patient/ann', { 'if-none-match': 'W/"1"' })).status, 200);
  const seen = fresh.headers.get('last-modified');
  assert.equal((await server.get('/fhir/Patient/ann', { 'if-modified-since': seen })).status, 304);
  isOutcome(await server.delete('/fhir/Patient/ann', { 'if-match': 'W/"1"' }), 412);
});

test('two hundred updates of one version: one wins', async (t) => {
  const server = await startServer(t);
  await server.put('/fhir/Patient/ann', { ...ann, id: 'ann' });
  const all = await Promise.all(Array.from({ length: 200 }, (_, n) =>
    server.put('/fhir/Patient/ann', { ...ann, id: 'ann', birthDate: `${1800 + n}-01-01` },
               { 'if-match': 'W/"1"' })));
  assert.equal(all.filter((a) => a.status === 200).length, 1);
  assert.equal(all.filter((a) => a.status === 412).length, 199);
});

test('Prefer chooses what an answer carries', async (t) => {
  const server = await startServer(t);
  const minimal = await server.post('/fhir/Patient', ann, { prefer: 'return=minimal' });
  assert.equal(minimal.status, 201);
  assert.equal(minimal.text, '');
  assert.ok(minimal.headers.get('location'));
  const outcome = await server.post('/fhir/Patient', ann, { prefer: 'return=OperationOutcome' });
  isOutcome(outcome, 201);
});

test('a resource that breaks the rules is refused with every fault', async (t) => {
  const server = await startServer(t);
  const issues = isOutcome(await server.post('/fhir/Patient', {
    resourceType: 'Patient', gender: 'mail', birthDate: '1970-13-01', nme: [], active: 'yes',
    link: [{ other: { reference: 'Patient/1' } }],
  }), 422);
  assert.ok(issues.length >= 5, JSON.stringify(issues));
  assert.ok(issues.some((i) => (i.expression ?? []).includes('Patient.birthDate')));
});

test('formats and content types are agreed or refused', async (t) => {
  const server = await startServer(t);
  await server.put('/fhir/Patient/ann', { ...ann, id: 'ann' });
  const path = '/fhir/Patient/ann';
  isOutcome(await server.get(path, { accept: 'image/png' }), 406);
  isOutcome(await server.get(`${path}?_format=yaml`), 406);
  isOutcome(await server.post('/fhir/Patient', ann, { 'content-type': 'text/plain' }), 415);
  isOutcome(await server.post('/fhir/Patient', ann,
                              { 'content-type': 'application/fhir+json; charset=latin1' }), 415);
  for (const accept of ['application/fhir+json', 'application/json', '*/*', 'text/json',
                        'application/fhir+json; fhirVersion=4.0'])
    assert.equal((await server.get(path, { accept })).status, 200, accept);
  assert.match((await server.get(`${path}?_pretty=true`)).text, /\n {2}"id": "ann"/);
  const head = await server.ask('HEAD', path);
  assert.equal(head.status, 200);
  assert.equal(head.text, '');
  assert.ok(Number(head.headers.get('content-length')) > 50);
});

test('malformed bodies are refused with their place', async (t) => {
  const server = await startServer(t);
  for (const [name, body] of Object.entries({
    'cut off': '{"resourceType":"Patient"', 'duplicate key': '{"resourceType":"Patient","id":"a","id":"b"}',
    'bad UTF-8': Buffer.from('{"resourceType":"Patient","id":"\xff"}', 'latin1'),
    'an array': '[]', 'no type': '{}', 'empty': '', 'deep': '['.repeat(100000),
    'huge number': '{"resourceType":"Patient","multipleBirthInteger":1e999999}',
  })) {
    const answer = await server.ask('POST', '/fhir/Patient', { body });
    assert.ok([400, 413, 422].includes(answer.status), `${name}: ${answer.status}`);
    assert.equal(answer.body.resourceType, 'OperationOutcome', name);
  }
  assert.equal((await server.get('/health')).status, 200);
});

test('numbers, order and unknown extensions come back as they were sent', async (t) => {
  const server = await startServer(t);
  const text = '{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},' +
    '"extension":[{"url":"http://example.org/x","valueDecimal":1.00}],' +
    '"valueQuantity":{"value":0.010,"unit":"mg"}}';
  await server.ask('PUT', '/fhir/Observation/o', { body: text });
  const back = (await server.get('/fhir/Observation/o')).text;
  assert.equal(back.replace(/"meta":\{[^}]*\},/, ''), text);
});

test('a patch changes what it names', async (t) => {
  const server = await startServer(t);
  await server.put('/fhir/Patient/ann', { ...ann, id: 'ann' });
  const done = await server.patch('/fhir/Patient/ann',
                                  [{ op: 'replace', path: '/active', value: false }]);
  assert.equal(done.status, 200, done.text);
  assert.equal(done.body.active, false);
  assert.equal(version(done), 'W/"2"');
  isOutcome(await server.patch('/fhir/Patient/ann',
                               [{ op: 'replace', path: '/active', value: 'no' }]), 422);
  isOutcome(await server.patch('/fhir/Patient/ann', [{ op: 'remove', path: '/photo' }]), 422);
  isOutcome(await server.patch('/fhir/Patient/ann',
                               [{ op: 'replace', path: '/id', value: 'bob' }]), 422);
  isOutcome(await server.patch('/fhir/Patient/none',
                               [{ op: 'remove', path: '/active' }]), 404);
});

test('_summary and _elements cut a resource down and say so', async (t) => {
  const server = await startServer(t);
  await server.put('/fhir/Patient/ann', {
    ...ann, id: 'ann', contact: [{ name: { family: 'X' } }],
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">Ann</div>' } });
  const keys = async (query) => Object.keys((await server.get(`/fhir/Patient/ann?${query}`)).body);
  assert.ok(!(await keys('_summary=true')).includes('contact'));
  assert.ok((await keys('_summary=true')).includes('name'));
  assert.ok(!(await keys('_summary=data')).includes('text'));
  assert.deepEqual((await keys('_summary=text')).sort(), ['id', 'meta', 'resourceType', 'text']);
  assert.deepEqual((await keys('_elements=birthDate')).sort(),
                   ['active', 'birthDate', 'id', 'meta', 'resourceType']);
  const { meta } = (await server.get('/fhir/Patient/ann?_summary=true')).body;
  assert.equal(meta.tag[0].code, 'SUBSETTED');
});

test('a transaction is all or nothing, its references resolved', async (t) => {
  const server = await startServer(t);
  const bundle = (birthDate) => ({
    resourceType: 'Bundle', type: 'transaction', entry: [
      { fullUrl: 'urn:uuid:6fd1a3c0-0000-4000-8000-000000000001',
        resource: { resourceType: 'Observation', status: 'final', code: { text: 'x' },
                    subject: { reference: 'urn:uuid:6fd1a3c0-0000-4000-8000-000000000002' } },
        request: { method: 'POST', url: 'Observation' } },
      { fullUrl: 'urn:uuid:6fd1a3c0-0000-4000-8000-000000000002',
        resource: { ...ann, birthDate }, request: { method: 'POST', url: 'Patient' } },
    ] });
  const done = await server.post('/fhir', bundle('1970-01-02'));
  assert.equal(done.status, 200, done.text);
  assert.equal(done.body.type, 'transaction-response');
  const [observation, patient] = done.body.entry.map((e) => e.response);
  assert.match(observation.status, /^201/);
  assert.match(observation.location, /Observation\/.+\/_history\/1$/);
  const path = new URL(observation.location).pathname;
  const stored = (await server.get(path)).body;
  assert.equal(`${server.url}/fhir/${stored.subject.reference}/_history/1`, patient.location);

  const issues = isOutcome(await server.post('/fhir', bundle('1970-31-02')), 422);
  assert.ok(issues[0].expression[0].startsWith('Bundle.entry[1].resource.birthDate'),
            JSON.stringify(issues));
  assert.equal((await server.get('/fhir/_history')).body.total, 2);
});

test('a batch does each entry by itself', async (t) => {
  const server = await startServer(t);
  await server.put('/fhir/Patient/ann', { ...ann, id: 'ann' });
  const done = await server.post('/fhir', { resourceType: 'Bundle', type: 'batch', entry: [
    { request: { method: 'GET', url: 'Patient/ann' } },
    { request: { method: 'GET', url: 'Patient/none' } },
    { resource: ann, request: { method: 'POST', url: 'Patient' } },
    { resource: { resourceType: 'Patient', nme: 1 }, request: { method: 'POST', url: 'Patient' } },
    { request: { method: 'DELETE', url: 'Patient/ann' } },
    { request: { method: 'BREW', url: 'Patient/ann' } },
  ] });
  assert.equal(done.status, 200);
  assert.equal(done.body.type, 'batch-response');
  assert.deepEqual(done.body.entry.map((e) => e.response.status.slice(0, 3)),
                   ['200', '404', '201', '422', '204', '400']);
  assert.equal(done.body.entry[0].resource.id, 'ann');
  assert.equal(done.body.entry[3].response.outcome.resourceType, 'OperationOutcome');
});

test('the CapabilityStatement lists what is there', async (t) => {
  const server = await startServer(t);
  const { body } = await server.get('/fhir/metadata');
  assert.equal(body.resourceType, 'CapabilityStatement');
  assert.equal(body.fhirVersion, '4.0.1');
  const patient = body.rest[0].resource.find((r) => r.type === 'Patient');
  assert.ok(patient.searchParam.some((p) => p.name === 'birthdate' && p.type === 'date'));
  assert.equal(body.rest[0].resource.length, 146);
});

test('without --open the API asks for a sign-in', async (t) => {
  const server = await startServer(t, { open: false });
  isOutcome(await server.get('/fhir/Patient/1'), 401);
  const { security } = (await server.get('/fhir/metadata')).body.rest[0];
  assert.ok(security.extension[0].extension.some((e) => e.url === 'token'));
  assert.equal((await server.get('/health')).status, 200);
});

test('SIGTERM stops cleanly and what was answered is still there', async (t) => {
  const first = await startServer(t);
  await first.put('/fhir/Patient/ann', { ...ann, id: 'ann' });
  assert.equal(await first.stop(), 0);
  const second = await spawnServer({ folder: first.folder });
  t.after(() => second.stop());
  assert.equal((await second.get('/fhir/Patient/ann')).status, 200);
});

test('a transaction runs in the order of the specification and knows conditions', async (t) => {
  const server = await startServer(t);
  const uuid = 'urn:uuid:6fd1a3c0-0000-4000-8000-000000000009';
  const send = (...entry) => server.post('/fhir', { resourceType: 'Bundle', type: 'transaction', entry });
  const gp = { resourceType: 'Practitioner', identifier: [{ system: 'urn:gmc', value: '7' }] };
  await server.put('/fhir/Practitioner/gp', { ...gp, id: 'gp' });
  await server.put('/fhir/Patient/old', { ...ann, id: 'old' });
  const made = await send(
    { request: { method: 'GET', url: 'Patient?birthdate=1970-01-02' } },
    { fullUrl: uuid, resource: { ...ann, generalPractitioner: [
      { reference: 'Practitioner?identifier=urn:gmc|7' }] },
      request: { method: 'POST', url: 'Patient' } },
    { resource: { resourceType: 'Basic', id: 'b', code: { text: 'x' }, subject: { reference: uuid },
                  extension: [{ url: 'http://example.org/who', valueReference: { reference: uuid } }] },
      request: { method: 'PUT', url: 'Basic/b' } },
    { request: { method: 'DELETE', url: 'Patient/old' } });
  assert.equal(made.status, 200, made.text);
  assert.deepEqual(made.body.entry.map((e) => e.response.status.slice(0, 3)),
                   ['200', '201', '201', '204']);
  const found = made.body.entry[0].resource.entry;
  assert.equal(found.length, 1, 'the read sees the delete and the create');
  assert.equal(found[0].resource.generalPractitioner[0].reference, 'Practitioner/gp');
  const basic = (await server.get('/fhir/Basic/b')).body;
  assert.equal(basic.subject.reference, `Patient/${found[0].resource.id}`);
  assert.equal(basic.extension[0].valueReference.reference, basic.subject.reference);

  const patch = Buffer.from('[{"op":"add","path":"/author","value":{"reference":"Practitioner/gp"}}]');
  const patched = await send({ resource: { resourceType: 'Binary',
    contentType: 'application/json-patch+json', data: patch.toString('base64') },
    request: { method: 'PATCH', url: 'Basic/b', ifMatch: 'W/"1"' } });
  assert.equal(patched.status, 200, patched.text);
  assert.equal((await server.get('/fhir/Basic/b')).body.author.reference, 'Practitioner/gp');
  const stale = await send({ resource: { ...basic }, request: { method: 'PUT', url: 'Basic/b',
                                                                ifMatch: 'W/"1"' } });
  assert.match(isOutcome(stale, 412)[0].expression[0], /^Bundle\.entry\[0\]/);
  const put = { resource: { ...ann, id: 'x' }, request: { method: 'PUT', url: 'Patient/x' } };
  isOutcome(await send(put, put), 400);
  isOutcome(await send({ resource: { ...ann, managingOrganization: {
    reference: 'Organization?name=nobody' } }, request: { method: 'POST', url: 'Patient' } }), 412);
  const again = await send({ fullUrl: uuid, resource: gp,
    request: { method: 'POST', url: 'Practitioner', ifNoneExist: 'identifier=urn:gmc|7' } },
    { resource: { resourceType: 'Basic', code: { text: 'y' }, author: { reference: uuid } },
      request: { method: 'POST', url: 'Basic' } });
  assert.equal(again.status, 200, again.text);
  assert.match(again.body.entry[0].response.location, /Practitioner\/gp\//);
  const [path] = /Basic\/[^/]+/.exec(again.body.entry[1].response.location);
  assert.equal((await server.get(`/fhir/${path}`)).body.author.reference, 'Practitioner/gp');
  isOutcome(await server.post('/fhir', { resourceType: 'Bundle', type: 'history' }), 400);
  isOutcome(await server.post('/fhir', ann), 400);
});

test('gzip is used when asked for', async (t) => {
  const server = await startServer(t);
  const plain = await server.ask('GET', '/fhir/metadata', { headers: { 'accept-encoding': 'identity' } });
  const packed = await server.ask('GET', '/fhir/metadata', { headers: { 'accept-encoding': 'gzip' } });
  assert.equal(plain.headers.get('content-encoding'), null);
  assert.equal(packed.headers.get('content-encoding'), 'gzip');
  assert.equal(packed.body.rest[0].resource.length, plain.body.rest[0].resource.length);
});

test('XML goes in and out, faults too', async (t) => {
  const server = await startServer(t);
  const xml = '<Patient xmlns="http://hl7.org/fhir"><id value="x"/><active value="true"/></Patient>';
  const headers = { 'content-type': 'application/fhir+xml', accept: 'application/fhir+xml' };
  const put = await server.ask('PUT', '/fhir/Patient/x', { body: xml, headers });
  assert.equal(put.status, 201, put.text);
  assert.match(put.text, /<active value="true"\/>/);
  assert.equal((await server.get('/fhir/Patient/x')).body.active, true);
  const bundle = await server.get('/fhir/Patient?_format=xml');
  assert.match(bundle.text, /^<\?xml|^<Bundle/);
  const fault = await server.get('/fhir/Patient/none', { accept: 'application/fhir+xml' });
  assert.equal(fault.status, 404);
  assert.match(fault.text, /<OperationOutcome/);
  for (const bad of ['<Patient', '<!DOCTYPE x [<!ENTITY a "b">]><Patient xmlns="http://hl7.org/fhir"/>',
                     '<Patient xmlns="http://hl7.org/fhir"><nme value="x"/></Patient>'])
    assert.ok([400, 422].includes((await server.ask('POST', '/fhir/Patient',
                                                    { body: bad, headers })).status), bad);
});
