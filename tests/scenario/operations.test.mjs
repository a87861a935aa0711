// SPDX-License-Identifier: Apache-2.0
// The operations, each against a small ward of its own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from './server.mjs';

const parameters = (...parameter) => ({ resourceType: 'Parameters', parameter });
const loinc = (code) => ({ coding: [{ system: 'http://loinc.org', code }] });

async function ward(server) {
  const put = async (resource) => {
    const answer = await server.put(`/fhir/${resource.resourceType}/${resource.id}`, resource);
    assert.ok(answer.status < 300, answer.text);
  };
  await put({ resourceType: 'Practitioner', id: 'doctor', name: [{ family: 'Who' }] });
  await put({ resourceType: 'Patient', id: 'ann', gender: 'female', birthDate: '1970-01-02',
              name: [{ family: 'Smith', given: ['Ann'] }],
              generalPractitioner: [{ reference: 'Practitioner/doctor' }] });
  await put({ resourceType: 'Patient', id: 'bob', name: [{ family: 'Jones' }] });
  await put({ resourceType: 'Encounter', id: 'stay', status: 'in-progress',
              class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
              subject: { reference: 'Patient/ann' } });
  for (const [id, day, value, code] of [['p1', 1, 70, '8867-4'], ['p2', 2, 80, '8867-4'],
                                        ['p3', 3, 90, '8867-4'], ['t1', 1, 37, '8310-5']])
    await put({ resourceType: 'Observation', id, status: 'final', code: loinc(code),
                subject: { reference: 'Patient/ann' }, encounter: { reference: 'Encounter/stay' },
                effectiveDateTime: `2026-01-0${day}T10:00:00Z`,
                valueQuantity: { value, unit: '/min', system: 'http://unitsofmeasure.org',
                                 code: '/min' } });
}
const ids = (bundle) => (bundle.entry ?? []).map((e) => e.resource.id).sort();

test('search finds by name, code and date, and pages', async (t) => {
  const server = await startServer(t);
  await ward(server);
  const find = async (query) => {
    const answer = await server.get(`/fhir/${query}`);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.body.type, 'searchset');
    return answer.body;
  };
  assert.deepEqual(ids(await find('Patient?name=smith')), ['ann']);
  assert.deepEqual(ids(await find('Observation?code=http://loinc.org|8867-4&date=ge2026-01-02')),
                   ['p2', 'p3']);
  assert.deepEqual(ids(await find('Patient/ann/Observation?code=8310-5')), ['t1']);
  const first = await find('Observation?_count=3&_sort=-date');
  assert.equal(first.entry.length, 3);
  const next = first.link.find((l) => l.relation === 'next').url;
  const second = (await server.get(next.slice(server.url.length))).body;
  assert.equal(second.entry.length, 1);
  const posted = await server.post('/fhir/Patient/_search', 'name=smith',
    { 'content-type': 'application/x-www-form-urlencoded' });
  assert.deepEqual(ids(posted.body), ['ann']);
  const wrong = await server.get('/fhir/Patient?nmae=smith');
  assert.equal(wrong.status, 400);
  assert.match(wrong.text, /nmae/);
  const lenient = await server.get('/fhir/Patient?nmae=smith', { prefer: 'handling=lenient' });
  assert.ok(lenient.body.entry.some((e) => e.search.mode === 'outcome'));
});

test('conditional writes decide by search', async (t) => {
  const server = await startServer(t);
  const body = { resourceType: 'Patient', identifier: [{ system: 'urn:x', value: '1' }] };
  const all = await Promise.all(Array.from({ length: 50 }, () =>
    server.post('/fhir/Patient', body, { 'if-none-exist': 'identifier=urn:x|1' })));
  assert.equal(all.filter((a) => a.status === 201).length, 1);
  assert.equal(all.filter((a) => a.status === 200).length, 49);
  const changed = await server.put('/fhir/Patient?identifier=urn:x|1', { ...body, active: true });
  assert.equal(changed.status, 200, changed.text);
  assert.equal(changed.body.active, true);
  assert.equal((await server.put('/fhir/Patient?identifier=urn:x|2', { resourceType: 'Patient',
    identifier: [{ system: 'urn:x', value: '2' }] })).status, 201);
  await server.post('/fhir/Patient', body);
  assert.equal((await server.put('/fhir/Patient?identifier=urn:x|1', body)).status, 412);
  assert.equal((await server.delete('/fhir/Patient?identifier=urn:x|2')).status, 204);
});

test('a FHIRPath Patch changes what its expression finds', async (t) => {
  const server = await startServer(t);
  await ward(server);
  const done = await server.ask('PATCH', '/fhir/Patient/ann', {
    body: parameters({ name: 'operation', part: [
      { name: 'type', valueCode: 'replace' }, { name: 'path', valueString: 'Patient.birthDate' },
      { name: 'value', valueDate: '1971-02-03' }] }),
    headers: { 'content-type': 'application/fhir+json' } });
  assert.equal(done.status, 200, done.text);
  assert.equal(done.body.birthDate, '1971-02-03');
});

test('an XML Patch changes what its XPath finds, alone and in a transaction', async (t) => {
  const server = await startServer(t);
  await ward(server);
  const type = 'application/xml-patch+xml';
  const diff = (date) => `<diff xmlns:f="http://hl7.org/fhir"><replace
    sel="f:Patient/f:birthDate/@value">${date}</replace></diff>`;
  const done = await server.ask('PATCH', '/fhir/Patient/ann', { body: diff('1971-02-03'),
    headers: { 'content-type': type } });
  assert.equal(done.status, 200, done.text);
  assert.equal(done.body.birthDate, '1971-02-03');
  const sent = await server.post('/fhir', { resourceType: 'Bundle', type: 'transaction', entry: [{
    request: { method: 'PATCH', url: 'Patient/ann' },
    resource: { resourceType: 'Binary', contentType: type,
                data: Buffer.from(diff('1972-02-03')).toString('base64') } }] });
  assert.equal(sent.status, 200, sent.text);
  assert.equal((await server.get('/fhir/Patient/ann')).body.birthDate, '1972-02-03');
  for (const [body, status] of [['<diff><remove sel="Patient/photo"/></diff>', 422], ['', 400],
                                ['<!DOCTYPE diff []><diff/>', 400], ['<diff', 400]])
    assert.equal((await server.ask('PATCH', '/fhir/Patient/ann',
      { body, headers: { 'content-type': type } })).status, status, body);
});

test('$meta, $meta-add and $meta-delete', async (t) => {
  const server = await startServer(t);
  await ward(server);
  const tag = { system: 'urn:tags', code: 'vip' };
  const send = (operation, meta) => server.post(`/fhir/Patient/ann/${operation}`,
    parameters({ name: 'meta', valueMeta: meta }));
  const added = await send('$meta-add', { tag: [tag] });
  assert.equal(added.status, 200, added.text);
  await send('$meta-add', { tag: [tag], profile: ['http://example.org/p'] });
  const meta = (await server.get('/fhir/Patient/ann/$meta')).body.parameter[0].valueMeta;
  assert.deepEqual(meta.tag, [tag]);
  assert.deepEqual(meta.profile, ['http://example.org/p']);
  await server.put('/fhir/Organization/org', { resourceType: 'Organization', id: 'org', name: 'Ward',
    meta: { tag: [{ system: 'urn:tags', code: 'a|b' }, tag], security: [{ code: 'R' }] } });
  const whole = async (path) => (await server.get(`${path}/$meta`)).body.parameter[0].valueMeta;
  assert.deepEqual(await whole('/fhir/Patient'), { profile: ['http://example.org/p'], tag: [tag] });
  assert.deepEqual((await whole('/fhir')).tag.map((g) => g.code).sort(), ['a|b', 'vip']);
  assert.deepEqual((await whole('/fhir')).security, [{ code: 'R' }]);
  assert.deepEqual(await whole('/fhir/Device'), {});
  await send('$meta-delete', { tag: [tag] });
  const left = (await server.get('/fhir/Patient/ann')).body;
  assert.equal(left.meta.tag, undefined);
  assert.equal(left.name[0].family, 'Smith');
  assert.equal((await server.get('/fhir/Patient/ann/$meta-add')).status, 405);
});

test('$validate says what is wrong and 200', async (t) => {
  const server = await startServer(t);
  const good = await server.post('/fhir/Patient/$validate',
                                 { resourceType: 'Patient', active: true });
  assert.equal(good.status, 200, good.text);
  assert.ok(!good.body.issue.some((i) => i.severity === 'error'), good.text);
  const bad = await server.post('/fhir/Patient/$validate', parameters({ name: 'resource',
    resource: { resourceType: 'Patient', gender: 'x' } }));
  assert.equal(bad.status, 200, bad.text);
  assert.ok(bad.body.issue.some((i) => i.severity === 'error'));
});

test('$everything gathers a patient and who treats them', async (t) => {
  const server = await startServer(t);
  await ward(server);
  const all = (await server.get('/fhir/Patient/ann/$everything')).body;
  assert.deepEqual(ids(all), ['ann', 'doctor', 'p1', 'p2', 'p3', 'stay', 't1']);
  assert.equal(all.total, 7);
  const some = (await server.get('/fhir/Patient/ann/$everything?_type=Encounter')).body;
  assert.deepEqual(ids(some), ['stay']);
  const paged = (await server.get('/fhir/Patient/ann/$everything?_count=2')).body;
  const found = new Set(ids(paged));
  let next = paged.link?.find((l) => l.relation === 'next');
  for (let pages = 0; next && pages < 10; pages++) {
    const page = (await server.get(next.url.slice(server.url.length))).body;
    ids(page).forEach((id) => found.add(id));
    next = page.link?.find((l) => l.relation === 'next');
  }
  assert.deepEqual([...found].sort(), ids(all));
  const stay = (await server.get('/fhir/Encounter/stay/$everything')).body;
  assert.ok(['stay', 'ann', 'p1'].every((id) => ids(stay).includes(id)), JSON.stringify(ids(stay)));
  assert.equal((await server.get('/fhir/Patient/none/$everything')).status, 404);

  const dated = async (query) => ids((await server.get(`/fhir/Patient/ann/$everything?${query}`)).body);
  const days = { p1: '2026-01-01', p2: '2026-01-02' };
  for (const [id, day] of Object.entries(days))
    assert.ok((await server.get(`/fhir/Observation/${id}`)).body.effectiveDateTime.startsWith(day), id);
  assert.ok((await dated('start=2026-01-02')).includes('p2'));
  assert.ok(!(await dated('start=2026-01-02')).includes('p1'), 'the day before is outside');
  assert.ok((await dated('end=2026-01-01')).includes('p1'));
  assert.ok(!(await dated('end=2026-01-01')).includes('p2'), 'the day after is outside');
  assert.ok((await dated('end=1980')).includes('ann'), 'the patient is always told');
  for (const wrong of ['start=soon', 'start=2026-02&end=2026-01', 'begin=2026'])
    assert.equal((await server.get(`/fhir/Patient/ann/$everything?${wrong}`)).status, 400, wrong);
});

test('$lastn and $stats', async (t) => {
  const server = await startServer(t);
  await ward(server);
  const last = (await server.get('/fhir/Observation/$lastn?patient=Patient/ann')).body;
  assert.deepEqual(ids(last), ['p3', 't1']);
  const two = (await server.get('/fhir/Observation/$lastn?patient=Patient/ann&max=2')).body;
  assert.deepEqual(ids(two), ['p2', 'p3', 't1']);
  assert.equal((await server.get('/fhir/Observation/$lastn')).status, 400);
  const stats = await server.get('/fhir/Observation/$stats?subject=Patient/ann' +
    '&code=http://loinc.org|8867-4&statistic=average,count,maximum,std-dev');
  assert.equal(stats.status, 200, stats.text);
  const [{ resource }] = stats.body.parameter;
  assert.deepEqual(resource.component.map((c) => c.valueQuantity.value), [80, 3, 90, 10]);
});

test('$document puts a composition and what it refers to in one bundle', async (t) => {
  const server = await startServer(t);
  await ward(server);
  await server.put('/fhir/Composition/letter', {
    resourceType: 'Composition', id: 'letter', status: 'final', type: { text: 'Letter' },
    date: '2026-01-04', title: 'Letter', subject: { reference: 'Patient/ann' },
    author: [{ reference: 'Practitioner/doctor' }],
    section: [{ title: 'Pulse', entry: [{ reference: 'Observation/p1' }] }] });
  const { body } = await server.get('/fhir/Composition/letter/$document');
  assert.equal(body.type, 'document');
  assert.equal(body.entry[0].resource.resourceType, 'Composition');
  assert.deepEqual(ids(body), ['ann', 'doctor', 'letter', 'p1']);
});

const nhs = (value) => ({ system: 'https://fhir.nhs.uk/Id/nhs-number', value });

test('$match grades who a person may be, and never is certain of a number alone', async (t) => {
  const server = await startServer(t);
  const put = (id, rest) => server.put(`/fhir/Patient/${id}`, { resourceType: 'Patient', id, ...rest });
  await put('same', { identifier: [nhs('9990000018')], birthDate: '1970-01-02', gender: 'female',
                      name: [{ family: 'Smith', given: ['Ann'] }] });
  await put('twin', { birthDate: '1970-01-02', gender: 'female',
                      name: [{ family: 'Smith', given: ['Amy'] }] });
  await put('other', { birthDate: '1990-07-08', name: [{ family: 'Smith', given: ['Zoe'] }] });
  const match = async (resource, ...rest) => (await server.post('/fhir/Patient/$match', parameters(
    { name: 'resource', resource: { resourceType: 'Patient', ...resource } }, ...rest))).body;
  const grades = (bundle) => Object.fromEntries((bundle.entry ?? []).map((e) =>
    [e.resource.id, e.search.extension[0].valueCode]));
  const full = { identifier: [nhs('9990000018')], birthDate: '1970-01-02',
                 name: [{ family: 'Smyth', given: ['Ann'] }] };
  const found = await match(full);
  assert.equal(found.entry[0].resource.id, 'same');
  assert.equal(grades(found).same, 'certain');
  assert.notEqual(grades(found).twin, 'certain');
  assert.equal(grades(found).other, undefined);
  assert.deepEqual(Object.keys(grades(await match(full,
    { name: 'onlyCertainMatches', valueBoolean: true }))), ['same']);
  const numberOnly = grades(await match({ identifier: [nhs('9990000018')] }));
  assert.equal(numberOnly.same, 'possible');
  const conflict = grades(await match({ identifier: [nhs('9990000018')], birthDate: '1950-09-09',
                                        name: [{ family: 'Brown', given: ['Joe'] }] }));
  assert.notEqual(conflict.same, 'certain');
  const swapped = grades(await match({ birthDate: '1970-02-01',
                                       name: [{ family: 'Smith', given: ['Ann'] }] }));
  assert.ok(['possible', 'probable'].includes(swapped.same), JSON.stringify(swapped));
});

test('$merge turns the references to the survivor and $unmerge turns them back', async (t) => {
  const server = await startServer(t);
  await ward(server);
  const before = (await server.get('/fhir/Observation/p1')).body;
  const send = (operation, more = []) => server.post(`/fhir/Patient/${operation}`, parameters(
    { name: 'source-patient', valueReference: { reference: 'Patient/ann' } },
    { name: 'target-patient', valueReference: { reference: 'Patient/bob' } }, ...more));
  const preview = await send('$merge', [{ name: 'preview', valueBoolean: true }]);
  assert.match(preview.text, /5 resources would move/);
  const merged = await send('$merge');
  assert.equal(merged.status, 200, merged.text);
  const subject = async () => (await server.get('/fhir/Observation/p1')).body.subject.reference;
  assert.equal(await subject(), 'Patient/bob');
  const ann = (await server.get('/fhir/Patient/ann')).body;
  assert.equal(ann.active, false);
  assert.deepEqual(ann.link, [{ other: { reference: 'Patient/bob' }, type: 'replaced-by' }]);
  assert.equal((await send('$merge')).status, 422);
  await server.post('/fhir/Observation', { resourceType: 'Observation', status: 'final',
    code: { text: 'x' }, subject: { reference: 'Patient/bob' } });
  const back = await send('$unmerge');
  assert.equal(back.status, 200, back.text);
  assert.equal(await subject(), 'Patient/ann');
  const after = (await server.get('/fhir/Observation/p1')).body;
  assert.deepEqual({ ...after, meta: 0 }, { ...before, meta: 0 });
  assert.equal((await server.get('/fhir/Patient/bob/Observation')).body.entry.length, 1);
  assert.equal((await server.get('/fhir/Patient/ann')).body.active, true);
  assert.equal((await send('$unmerge')).status, 422);
});

test('$merge warns of what conflicts, and turns references outside the compartment, too', async (t) => {
  const server = await startServer(t);
  const put = async (type, id, rest) => {
    const answer = await server.put(`/fhir/${type}/${id}`, { resourceType: type, id, ...rest });
    assert.equal(answer.status, 201, answer.text);
  };
  const snomed = (code, display) => ({ coding: [{ system: 'http://snomed.info/sct', code, display }] });
  const allergy = (id, patient, code, more) => put('AllergyIntolerance', id, { code,
    patient: { reference: `Patient/${patient}` }, ...more });
  const group = (id, patient, code) => put('Observation', id, { status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '882-1' }] },
    subject: { reference: `Patient/${patient}` }, valueCodeableConcept: snomed(code, `group ${code}`) });
  await put('Patient', 'one', { birthDate: '1970-01-02', identifier: [nhs('9990000018')] });
  await put('Patient', 'two', { birthDate: '1970-01-02' });
  await allergy('a1', 'one', snomed('716186003', 'No known allergy'));
  await allergy('a2', 'two', snomed('91936005', 'Penicillin'));
  await allergy('a3', 'two', snomed('1', 'Strawberries'), { verificationStatus: { coding: [{ code: 'entered-in-error',
    system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-verification' }] } });
  await group('g1', 'one', '278149003');
  await group('g2', 'two', '278147001');
  await put('Task', 't', { status: 'requested', intent: 'order', for: { reference: 'Patient/one' } });
  const send = (operation, preview) => server.post(`/fhir/Patient/${operation}`, parameters(
    { name: 'source-patient', valueReference: { reference: 'Patient/one' } },
    { name: 'target-patient', valueReference: { reference: 'Patient/two' } },
    { name: 'preview', valueBoolean: preview }));
  const warnings = (answer) => answer.body.parameter[0].resource.issue
    .filter((i) => i.severity === 'warning').map((i) => i.details?.text ?? i.diagnostics);
  const told = warnings(await send('$merge', true));
  assert.equal(told.length, 3, told.join('; '));
  assert.match(told.join('\n'), /none are known, Patient\/two has Penicillin/);
  assert.match(told.join('\n'), /blood groups conflict: Patient\/one has group 278149003/);
  assert.doesNotMatch(told.join('\n'), /birth|NHS|Strawberries/);
  const merged = await send('$merge', false);
  assert.equal(warnings(merged).length, 3, 'told again with the merge');
  const owner = async () => (await server.get('/fhir/Task/t')).body.for.reference;
  assert.equal(await owner(), 'Patient/two', 'a Task is in no compartment');
  assert.equal((await send('$unmerge', false)).status, 200);
  assert.equal(await owner(), 'Patient/one');
  assert.equal((await server.get('/fhir/Observation/g2')).body.subject.reference, 'Patient/two');
});

test('$graphql answers across resources', async (t) => {
  const server = await startServer(t);
  await ward(server);
  const ask = async (query, variables, path = '/fhir/$graphql') => {
    const answer = await server.post(path, { query, variables },
                                     { 'content-type': 'application/json' });
    assert.equal(answer.status, 200, answer.text);
    return answer.body.data;
  };
  assert.deepEqual(await ask('{ Patient(id: "ann") { id birthDate photo { url } who: name { family given } } }'),
    { Patient: { id: 'ann', birthDate: '1970-01-02', photo: null,
                 who: [{ family: 'Smith', given: ['Ann'] }] } });
  const nested = await ask(`query q($p: ID!, $deep: Boolean = true) { Patient(id: $p) {
    generalPractitioner { reference resource { ...doctor } }
    ObservationList(_reference: subject, code: "8867-4", _sort: "date") {
      valueQuantity @include(if: $deep) { value } ... on Patient { birthDate } } } }
    fragment doctor on Practitioner { __typename name { family } }`, { p: 'ann' });
  assert.deepEqual(nested.Patient.generalPractitioner[0].resource,
                   { __typename: 'Practitioner', name: [{ family: 'Who' }] });
  assert.deepEqual(nested.Patient.ObservationList,
                   [70, 80, 90].map((value) => ({ valueQuantity: { value } })));
  assert.deepEqual(await ask('{ PatientList(name: "smith") { name @flatten { family } } }'),
                   { PatientList: [{ family: ['Smith'] }] });
  const page = await ask(`{ ObservationConnection(code: "8867-4", _count: 2) {
    count pagesize next edges { mode resource { id } } } }`);
  assert.equal(page.ObservationConnection.count, 3);
  assert.equal(page.ObservationConnection.edges.length, 2);
  const rest = await ask('query ($c: String) { ObservationConnection(_cursor: $c) { edges { resource { id } } } }',
                         { c: page.ObservationConnection.next });
  assert.equal(rest.ObservationConnection.edges.length, 1);
  assert.deepEqual(await ask('{ id name(use: official) { family } first: name @first { family } }', {},
                             '/fhir/Patient/ann/$graphql'),
                   { id: 'ann', name: null, first: { family: 'Smith' } });
  const deep = `{ Patient(id: "ann") ${'{ link { other { resource '.repeat(30)}{ id }${' } } }'.repeat(30)} }`;
  for (const [query, status] of [['{', 400], ['{ Patient(id: "ann") { nme } }', 400], ['{ Nothing { id } }', 400],
    ['{ Patient(id: "none") { id } }', 404], ['{ Patient(id: "ann") { name } }', 400], ['{ ...none }', 400],
    ['mutation { x }', 400], ['{ ...a } fragment a on Query { ...a }', 413], [deep, 413]]) {
    const answer = await server.post('/fhir/$graphql', query, { 'content-type': 'application/graphql' });
    assert.equal(answer.status, status, `${query.slice(0, 60)}: ${answer.text}`);
    assert.equal(answer.body.resourceType, 'OperationOutcome');
  }
});
