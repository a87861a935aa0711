// SPDX-License-Identifier: Apache-2.0
// FHIR's terminology operations: hl7.org/fhir/R4/terminology-service.html.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from './server.mjs';

const gender = 'http://hl7.org/fhir/ValueSet/administrative-gender';
const genderSystem = 'http://hl7.org/fhir/administrative-gender';
const bones = {
  resourceType: 'CodeSystem', url: 'http://example.org/bones', version: '2', name: 'Bones',
  status: 'active', content: 'complete', caseSensitive: true, hierarchyMeaning: 'is-a',
  property: [{ code: 'side', type: 'code' }, { code: 'inactive', type: 'boolean' }],
  concept: [
    { code: 'bone', display: 'Bone', concept: [
      { code: 'long', display: 'Long bone', concept: [
        { code: 'femur', display: 'Thigh bone',
          designation: [{ language: 'la', value: 'Os femoris' }],
          property: [{ code: 'side', valueCode: 'both' }] },
        { code: 'tibia', display: 'Shin bone', property: [{ code: 'side', valueCode: 'left' }] }] },
      { code: 'old', display: 'Old word', property: [{ code: 'inactive', valueBoolean: true }] }] },
    { code: 'cartilage', display: 'Cartilage' }],
};
const set = (compose, url = 'http://example.org/vs') =>
  ({ resourceType: 'ValueSet', url, status: 'active', compose });
const codes = (answer) => (answer.body.expansion.contains ?? []).map((c) => c.code).sort();
const valueOf = (answer, name) => {
  const found = answer.body.parameter.find((p) => p.name === name) ?? {};
  return found[Object.keys(found).find((key) => key.startsWith('value'))];
};

async function withBones(t) {
  const server = await startServer(t);
  assert.equal((await server.post('/fhir/CodeSystem', bones)).status, 201);
  return server;
}
const expand = (server, compose, query = '') =>
  server.post(`/fhir/ValueSet/$expand${query}`, { resourceType: 'Parameters', parameter: [
    { name: 'valueSet', resource: set(compose) }] });
const include = (...filter) => ({ include: [{ system: bones.url, filter }] });
const by = (property, op, value) => ({ property, op, value });

test('the value sets of R4 itself expand and answer', async (t) => {
  const server = await startServer(t);
  const answer = await server.get(`/fhir/ValueSet/$expand?url=${gender}`);
  assert.deepEqual(codes(answer), ['female', 'male', 'other', 'unknown']);
  assert.equal(answer.body.expansion.total, 4);
  const check = (query) => server.get(`/fhir/ValueSet/$validate-code?url=${gender}&${query}`);
  assert.equal(valueOf(await check(`system=${genderSystem}&code=male`), 'result'), true);
  assert.equal(valueOf(await check(`system=${genderSystem}&code=man`), 'result'), false);
  assert.equal(valueOf(await check('system=http://other&code=male'), 'result'), false);
  const wrong = await check(`system=${genderSystem}&code=male&display=Female`);
  assert.equal(valueOf(wrong, 'result'), false);
  assert.match(valueOf(wrong, 'message'), /"Male"/);
});

test('each filter operator selects by the hierarchy and properties', async (t) => {
  const server = await withBones(t);
  const rows = [
    [[by('concept', 'is-a', 'long')], ['femur', 'long', 'tibia']],
    [[by('concept', 'descendent-of', 'long')], ['femur', 'tibia']],
    [[by('concept', 'is-not-a', 'bone')], ['cartilage']],
    [[by('concept', 'generalizes', 'femur')], ['bone', 'femur', 'long']],
    [[by('side', '=', 'left')], ['tibia']],
    [[by('side', 'in', 'left,both')], ['femur', 'tibia']],
    [[by('side', 'not-in', 'left,both')], ['bone', 'cartilage', 'long', 'old']],
    [[by('side', 'exists', 'true')], ['femur', 'tibia']],
    [[by('code', 'regex', '[a-z]{4}')], ['bone', 'long']],
    [[by('concept', 'is-a', 'bone'), by('side', 'exists', 'false')], ['bone', 'long', 'old']],
    [[by('concept', 'is-a', 'nothing')], []],
  ];
  for (const [filters, expected] of rows)
    assert.deepEqual(codes(await expand(server, include(...filters))), expected,
                     JSON.stringify(filters));
  assert.equal((await expand(server, include(by('code', 'regex', '(')))).status, 422);
  assert.equal((await expand(server, include(by('code', 'like', 'x')))).status, 422);
});

test('include, exclude and import combine as sets', async (t) => {
  const server = await withBones(t);
  const url = 'http://example.org/long';
  await server.post('/fhir/ValueSet', set(include(by('concept', 'is-a', 'long')), url));
  const all = { system: bones.url };
  assert.deepEqual(codes(await expand(server, { include: [all], exclude: [{ valueSet: [url] }] })),
                   ['bone', 'cartilage', 'old']);
  assert.deepEqual(codes(await expand(server, { include: [{ ...all, valueSet: [url],
    filter: [by('side', '=', 'left')] }] })), ['tibia']);
  assert.deepEqual(codes(await expand(server, { include: [{ valueSet: [url] },
    { ...all, concept: [{ code: 'cartilage' }] }] })), ['cartilage', 'femur', 'long', 'tibia']);
  const own = set({ include: [{ valueSet: ['http://example.org/loop'] }] },
                  'http://example.org/loop');
  await server.post('/fhir/ValueSet', own);
  const loop = await server.get('/fhir/ValueSet/$expand?url=http://example.org/loop');
  assert.equal(loop.status, 422);
  assert.match(loop.text, /includes itself/);
  assert.equal((await server.get('/fhir/ValueSet/$expand?url=http://example.org/none')).status, 404);
});

test('pages, filter text, activeOnly and nesting shape an expansion', async (t) => {
  const server = await withBones(t);
  const all = { include: [{ system: bones.url }] };
  const first = await expand(server, all, '?count=2');
  const second = await expand(server, all, '?count=2&offset=2');
  assert.equal(first.body.expansion.total, 6);
  assert.equal(first.body.expansion.contains.length, 2);
  assert.equal(codes(first).some((code) => codes(second).includes(code)), false);
  assert.deepEqual(codes(await expand(server, all, '?filter=bo%20th')), ['femur']);
  assert.deepEqual(codes(await expand(server, all, '?filter=femor')), ['femur']);
  assert.deepEqual(codes(await expand(server, all, '?activeOnly=true')),
                   ['bone', 'cartilage', 'femur', 'long', 'tibia']);
  const tree = (await expand(server, all, '?excludeNested=false')).body.expansion.contains;
  assert.deepEqual(tree.map((c) => c.code), ['bone', 'cartilage']);
  assert.deepEqual(tree[0].contains[0].contains.map((c) => c.code), ['femur', 'tibia']);
});

test('lookup tells display, properties, place and words in other languages', async (t) => {
  const server = await withBones(t);
  const answer = await server.get(`/fhir/CodeSystem/$lookup?system=${bones.url}&code=femur`);
  assert.equal(valueOf(answer, 'display'), 'Thigh bone');
  assert.equal(valueOf(answer, 'version'), '2');
  const parts = answer.body.parameter.filter((p) => p.name === 'property').map((p) =>
    p.part.map((x) => x.valueCode ?? x.valueString).join('='));
  assert.ok(parts.includes('parent=long') && parts.includes('side=both'), parts.join());
  assert.match(answer.text, /Os femoris/);
  assert.equal((await server.get(`/fhir/CodeSystem/$lookup?system=${bones.url}&code=wing`)).status,
               404);
  assert.equal((await server.get('/fhir/CodeSystem/$lookup?code=femur')).status, 400);
});

test('subsumption has four answers', async (t) => {
  const server = await withBones(t);
  const rows = [['bone', 'femur', 'subsumes'], ['femur', 'bone', 'subsumed-by'],
                ['femur', 'femur', 'equivalent'], ['femur', 'tibia', 'not-subsumed']];
  for (const [a, b, expected] of rows)
    assert.equal(valueOf(await server.get(
      `/fhir/CodeSystem/$subsumes?system=${bones.url}&codeA=${a}&codeB=${b}`), 'outcome'), expected);
});

test('an unknown system is "not known", not "no"', async (t) => {
  const server = await startServer(t);
  await server.post('/fhir/ValueSet', set({ include: [{ system: 'http://nobody.example/cs' }] }));
  const answer = await server.get('/fhir/ValueSet/$validate-code?url=http://example.org/vs&' +
                                  'system=http://nobody.example/cs&code=1');
  assert.equal(valueOf(answer, 'result'), false);
  assert.match(valueOf(answer, 'message'), /^not known/);
});

test('a map translates, forward and back, and by its rule for the unmapped', async (t) => {
  const server = await startServer(t);
  const map = { resourceType: 'ConceptMap', url: 'http://example.org/map', status: 'active', group: [{
    source: 'http://a', target: 'http://b', unmapped: { mode: 'fixed', code: 'other' },
    element: [{ code: '1', target: [{ code: 'x', equivalence: 'wider' }] },
              { code: '2', target: [{ equivalence: 'unmatched' }] }] }] };
  await server.post('/fhir/ConceptMap', map);
  const ask = (query) => server.get(
    `/fhir/ConceptMap/$translate?url=http://example.org/map&${query}`);
  const forward = await ask('system=http://a&code=1');
  assert.equal(valueOf(forward, 'result'), true);
  assert.match(forward.text, /"code":"x"/);
  assert.equal(valueOf(await ask('system=http://a&code=2'), 'result'), false);
  assert.match((await ask('system=http://a&code=9')).text, /"code":"other"/);
  const back = await ask('system=http://b&code=x&reverse=true');
  assert.match(back.text, /"valueCode":"narrower"/);
  assert.match(back.text, /"code":"1"/);
});

test('a closure table learns codes and tells what stands above what', async (t) => {
  const server = await withBones(t);
  const ask = (...given) => server.post('/fhir/$closure', { resourceType: 'Parameters', parameter: [
    { name: 'name', valueString: 'ward' }, ...given] });
  const concept = (code) => ({ name: 'concept', valueCoding: { system: bones.url, code } });
  const pairs = (answer) => (answer.body.group ?? []).map((g) =>
    `${g.element[0].code}<${g.element[0].target[0].code}`).sort();
  assert.equal((await ask()).status, 200);
  assert.deepEqual(pairs(await ask(concept('femur'))), []);
  assert.deepEqual(pairs(await ask(concept('bone'))), ['femur<bone']);
  assert.deepEqual(pairs(await ask(concept('long'))), ['femur<long', 'long<bone']);
  assert.deepEqual(pairs(await ask({ name: 'version', valueString: '0' })),
                   ['femur<bone', 'femur<long', 'long<bone']);
  assert.equal((await ask(concept('wing'))).status, 404);
});

test('a search takes the codes of a value set, filters and all, and of a branch of a system', async (t) => {
  const server = await withBones(t);
  const url = 'http://example.org/long';
  await server.post('/fhir/ValueSet', set(include(by('concept', 'is-a', 'long')), url));
  for (const code of ['femur', 'tibia', 'cartilage', 'bone'])
    await server.post('/fhir/Observation', { resourceType: 'Observation', status: 'final',
      code: { coding: [{ system: bones.url, code }] } });
  const found = async (query) => (await server.get(`/fhir/Observation?${query}`)).body.entry
    ?.map((e) => e.resource.code.coding[0].code).sort() ?? [];
  assert.deepEqual(await found(`code:in=${url}`), ['femur', 'tibia']);
  assert.deepEqual(await found(`code:not-in=${url}`), ['bone', 'cartilage']);
  assert.deepEqual(await found(`code:below=${bones.url}|long`), ['femur', 'tibia']);
  assert.deepEqual(await found(`code:above=${bones.url}|femur`), ['bone', 'femur']);
  assert.equal((await server.get('/fhir/Observation?code:in=http://example.org/none')).status, 400);
});

test('an expansion takes the version of a code system its asker names', async (t) => {
  const server = await startServer(t);
  const system = (version, code) => server.put(`/fhir/CodeSystem/s${version}`, { resourceType: 'CodeSystem',
    id: `s${version}`, url: 'urn:wards', version, status: 'active', content: 'complete',
    concept: [{ code, display: `Ward ${code}`, definition: `Where ${code} is` }] });
  assert.equal((await system('1', 'old')).status, 201);
  assert.equal((await system('2', 'new')).status, 201);
  const set = (include) => ({ resourceType: 'ValueSet', status: 'active', compose: { include: [include] } });
  await server.put('/fhir/ValueSet/any', { ...set({ system: 'urn:wards' }), id: 'any', url: 'urn:any' });
  await server.put('/fhir/ValueSet/first', { ...set({ system: 'urn:wards', version: '1' }), id: 'first', url: 'urn:first' });
  const expand = (query) => server.get(`/fhir/ValueSet/$expand?${query}`);
  const codes = async (query) => (await expand(query)).body.expansion.contains.map((c) => c.code);
  assert.deepEqual(await codes('url=urn:any'), ['new'], 'the newest, when nobody names one');
  assert.deepEqual(await codes('url=urn:any&system-version=urn:wards|1'), ['old']);
  assert.deepEqual(await codes('url=urn:first&system-version=urn:wards|2'), ['old'], 'the set has its own');
  assert.deepEqual(await codes('url=urn:first&force-system-version=urn:wards|2'), ['new']);
  assert.deepEqual(await codes('url=urn:any&check-system-version=urn:wards|1'), ['old']);
  assert.equal((await expand('url=urn:first&check-system-version=urn:wards|2')).status, 422);
  assert.equal((await expand('url=urn:any&system-version=urn:wards')).status, 400);
  assert.equal((await expand('url=urn:any&system-version=urn:wards|3')).status, 422);
  assert.equal((await expand('url=urn:any&colour=red')).status, 400, 'a parameter it does not take');
  const [told] = (await expand('url=urn:any&includeDefinition=true')).body.expansion.contains;
  assert.equal(told.extension[0].valueString, 'Where new is');
});
