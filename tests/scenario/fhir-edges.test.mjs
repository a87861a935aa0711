// SPDX-License-Identifier: Apache-2.0
// Legal but unusual questions, and wrong ones: each row is one request, its status and what its
// answer must say. A row's first word names the part of FHIR it is about.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { binary, startServer } from './server.mjs';

const loinc = (code) => ({ coding: [{ system: 'http://loinc.org', code }] });
const height = (id, date, value) => ({
  resourceType: 'Observation', id, status: 'final', code: loinc('8302-2'), effectiveDateTime: date,
  subject: { reference: 'Patient/ann' },
  valueQuantity: { value, unit: 'cm', system: 'http://unitsofmeasure.org', code: 'cm' } });
const records = [
  { resourceType: 'Organization', id: 'gp', name: 'Surgery' },
  { resourceType: 'Patient', id: 'ann', gender: 'female', birthDate: '1974-12-25',
    managingOrganization: { reference: 'Organization/gp' },
    name: [{ use: 'official', family: 'Chalmers', given: ['Ann', 'Mary'] },
           { use: 'usual', given: ['Annie'] }] },
  { resourceType: 'Patient', id: 'bob', gender: 'male', birthDate: '2001-03',
    name: [{ family: 'Taylor' }] },
  height('h1', '2020-01-01', 170), height('h2', '2021-01-01', 172),
  { resourceType: 'Encounter', id: 'stay', status: 'finished', class: { code: 'IMP' },
    subject: { reference: 'Patient/ann' }, period: { start: '2022-01-10', end: '2022-02-10' } },
  { resourceType: 'Location', id: 'lab', name: 'Lab',
    position: { latitude: 51.5, longitude: -0.12 } },
];

async function filled(t) {
  const server = await startServer(t);
  const entry = records.map((resource) => ({
    resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } }));
  const made = await server.post('/fhir', { resourceType: 'Bundle', type: 'transaction', entry });
  assert.equal(made.status, 200, made.text);
  return server;
}

const gender = 'http://hl7.org/fhir/ValueSet/administrative-gender';
const use = 'system=http://hl7.org/fhir/address-use&code=home';
const structure = 'http://hl7.org/fhir/StructureDefinition';
const reads = [
  ['near takes any UCUM length', 'Location?near=51.5|-0.12|100|[ft_i]', 200, /"total":1/],
  ['near in survey miles', 'Location?near=51.5|-0.12|1|[mi_us]', 200, /"total":1/],
  ['near, just outside', 'Location?near=51.52|-0.12|2|km', 200, /"total":0/],
  ['near, just inside', 'Location?near=51.52|-0.12|2.3|km', 200, /"total":1/],
  ['near without a number', 'Location?near=abc', 400, /latitude\|longitude\|distance/],
  ['near off the globe', 'Location?near=91|0', 400, /-90 to 90/],
  ['near by an unknown unit', 'Location?near=51|0|1|parsec', 400, /UCUM length/],
  ['near backwards', 'Location?near=51|0|-1|km', 400, /not negative/],
  ['a named query', 'Patient?_query=x', 400, /no named queries/],
  ['_include with a modifier of its own', 'Observation?_include:all=Observation:subject', 400, /:iterate/],
  ['_filter ends with', 'Patient?_filter=name ew "mers"', 200, /"total":1.*"id":"ann"/],
  ['_filter ends with, elsewhere', 'Patient?_filter=name ew "chal"', 200, /"total":0/],
  ['_filter ends with, chained', 'Observation?_filter=patient.name ew "mers"', 200, /"total":2/],
  ['_filter overlap', 'Encounter?_filter=date po 2022-02', 200, /"total":1/],
  ['_filter overlap, after', 'Encounter?_filter=date po 2022-03', 200, /"total":0/],
  ['_filter overlap of a name', 'Patient?_filter=name po 2022', 400, /dates and periods/],
  ['_filter nested', 'Patient?_filter=(name ew "mers" or name eq "x") and not (gender eq male)', 200,
   /"total":1/],
  ['a name of one type at the root', '?_type=Patient&family=chalmers', 200, /"total":1.*"id":"ann"/],
  ['before _type is said', '?name=s&_type=Organization,Location&_total=accurate', 200, /"total":1.*"id":"gp"/],
  ['a name one of the types has not', '?_type=Patient,Encounter&family=x', 400, /"family\\" is not a search parameter of Encounter/],
  ['a name without types', '?family=x', 400, /every type/],
  ['_type twice', '?_type=Patient&_type=Location&_total=accurate', 200, /"total":3/],
  ['$everything since the future', 'Patient/ann/$everything?_since=2100-01-01', 200, /"total":0/],
  ['$lastn of none', 'Observation/$lastn?patient=ann&max=0', 400, /from 1 on/],
  ['$stats by coding, twice a statistic', 'Observation/$stats?subject=Patient/ann&coding=http://loinc.org|8302-2' +
   '&statistic=average&statistic=count', 200, /"value":171,.*"value":2\b/],
  ['$stats with its sources', 'Observation/$stats?subject=Patient/ann&code=8302-2&system=http://loinc.org' +
   '&statistic=count&include=true&limit=1', 200, /"name":"source","resource":\{[^]*"id":"h2"/],
  ['$stats of a period', 'Observation/$stats?subject=Patient/ann&code=8302-2&statistic=maximum&period=2020/2020-12',
   200, /"value":170/],
  ['$stats for no time', 'Observation/$stats?subject=Patient/ann&code=8302-2&duration=x', 400, /hours/],
  ['$stats of an unknown kind', 'Observation/$stats?subject=Patient/ann&code=none&statistic=x', 400, /no statistic x/],
  ['$expand by context', `ValueSet/$expand?context=${structure}/Patient%23Patient.gender`, 200, /"total":4/],
  ['$expand by a path', 'ValueSet/$expand?context=Observation.status', 200, /"total":8/],
  ['$expand by no element', 'ValueSet/$expand?context=Observation.colour', 400, /no element/],
  ['$expand as of long ago', `ValueSet/$expand?url=${gender}&date=2020`, 422, /as they are now/],
  ['$expand without abstract codes', `ValueSet/$expand?url=${gender}&excludeNotForUI=true`, 200, /"total":4/],
  ['$validate-code by context', 'ValueSet/$validate-code?context=Patient.gender&code=male', 200,
   /"result","valueBoolean":true/],
  ['$translate by any map', `ConceptMap/$translate?${use}`, 200, /"valueBoolean":true.*v3-AddressUse/],
  ['$translate by source and target', `ConceptMap/$translate?${use}` +
   '&source=http://hl7.org/fhir/ValueSet/address-use&target=http://terminology.hl7.org/ValueSet/v2-0190',
   200, /"code":"H"/],
  ['$translate to where no map leads', `ConceptMap/$translate?${use}&target=http://x`, 200, /"valueBoolean":false/],
  ['$translate of a code without system', 'ConceptMap/$translate?code=home', 400, /every map/],
  ['$export by an unknown parameter', '$export?_typeFilter=Patient%3Fshoe%3D1', 400, /"expression":\["shoe"\]/],
  ['$export of an unknown element', '$export?_elements=Patient.shoe', 400, /Patient.shoe/],
  ['$export asked something else', '$export?shoe=1', 400, /it takes: _type/],
];

const graphql = [
  ['slices by place', '{Patient(id:"ann"){name @slice(path:"$index"){use}}}', 200,
   /"name.0":\{"use":"official"\},"name.1":\{"use":"usual"\}/],
  ['a slice of nothing', '{Patient(id:"ann"){name @slice{use}}}', 400, /@slice needs path/],
  ['one value of a flattened list', '{Patient(id:"ann"){name @first @flatten{family @singleton given}}}',
   200, /"family":"Chalmers","given":\["Ann","Mary"\]/],
  ['several values that were to be one', '{Patient(id:"ann"){name @singleton{use}}}', 422, /more than one value/],
  ['a connection asked what it has not', '{PatientConnection{pages}}', 400, /no field pages/],
  ['a connection by type', '{PatientConnection(_count:1){__typename edges{__typename}}}', 200, /PatientEdge/],
  ['a type told', '{__type(name:"PatientContact"){kind name fields{name type{kind ofType{name}}}}}', 200,
   /"kind":"OBJECT","name":"PatientContact".*"name":"telecom","type":\{"kind":"LIST","ofType":\{"name":"ContactPoint"/],
  ['a scalar by GraphQL\'s name', '{__type(name:"Int"){kind name}}', 200, /"kind":"SCALAR","name":"Int"/],
  ['a type there is not', '{__type(name:"Shoe"){name}}', 200, /"__type":null/],
  ['resources as one interface', '{__type(name:"Resource"){kind possibleTypes{name}}}', 200,
   /"INTERFACE","possibleTypes":\[\{"name":"Account"\}/],
  ['arguments of a search', '{__type(name:"Query"){fields{name args{name}}}}', 200,
   /"name":"PatientList","args":\[[^\]]*"general_practitioner"/],
  ['directives', '{__schema{queryType{name} mutationType{name} directives{name args{name}}}}', 200,
   /"queryType":\{"name":"Query"\},"mutationType":null.*"slice","args":\[\{"name":"path"/],
  ['by fragments', '{__type(name:"Period"){...t}} fragment t on __Type{__typename name}', 200, /"__Type","name":"Period"/],
  ['a type without a name', '{__type{name}}', 400, /needs name/],
  ['what introspection has not', '{__schema{shoes}}', 400, /no field shoes in __Schema/],
  ['the schema within a patient', '{Patient(id:"ann"){__schema{types{name}}}}', 400, /no field __schema in Patient/],
  ['types by their names of GraphQL', '{Patient(id:"ann"){__typename name{__typename}}}', 200, /"HumanName"/],
  ['a variable that was not given', 'query q($x: Boolean!){Patient(id:"ann"){id @skip(if: $x)}}', 400,
   /\$x must be given/],
];

const filter = (property, op, value) => ({
  resourceType: 'Parameters', parameter: [{ name: 'valueSet', resource: {
    resourceType: 'ValueSet', status: 'active', compose: { include: [
      { system: 'http://hl7.org/fhir/observation-status', filter: [{ property, op, value }] }] } } }] });
const posts = [
  ['a filter by an undeclared property', 'ValueSet/$expand', filter('colour', '=', 'x'), 422, /no code of .* property/],
  ['a code system in the body', 'CodeSystem/$validate-code', { resourceType: 'Parameters', parameter: [
    { name: 'code', valueCode: 'a' },
    { name: 'codeSystem', resource: { resourceType: 'CodeSystem', status: 'active', content: 'complete',
                                      url: 'http://x', concept: [{ code: 'a', display: 'A' }] } }] },
   200, /"valueBoolean":true.*"A"/],
];
const profile = (...element) => ({
  resourceType: 'StructureDefinition', url: 'http://example.org/p', name: 'P', status: 'active',
  kind: 'resource', abstract: false, type: 'Patient', derivation: 'constraint',
  baseDefinition: `${structure}/Patient`, differential: { element } });
const snapshots = [
  ['a profile in the body', 'post', '$snapshot', profile({ id: 'Patient.birthDate', path: 'Patient.birthDate', min: 1 }),
   200, /"id":"Patient.birthDate",[^]*?"min":1,"max":"1"/],
  ['as a parameter', 'post', '$snapshot', { resourceType: 'Parameters', parameter: [{ name: 'definition',
    resource: profile({ id: 'Patient.name:main', path: 'Patient.name', sliceName: 'main' }) }] },
   200, /"id":"Patient.name:main","path":"Patient.name","sliceName":"main"/],
  ['of R4 by url', 'get', `$snapshot?url=${structure}/vitalsigns`, undefined, 200, /"Observation.category:VSCat.coding.code"/],
  ['of a core type', 'get', `$snapshot?url=${structure}/Patient`, undefined, 200, /"id":"Patient.link.type"/],
  ['of nothing known', 'get', '$snapshot?url=http://x', undefined, 404, /package add/],
  ['of nothing said', 'get', '$snapshot', undefined, 400, /say which/],
  ['an element that is not there', 'post', '$snapshot', profile({ id: 'Patient.shoe', path: 'Patient.shoe' }),
   422, /no element \\"shoe/],
  ['a base nobody has', 'post', '$snapshot', { ...profile(), baseDefinition: 'http://x' }, 422, /no StructureDefinition http/],
  ['one that is stored', 'get', 'p/$snapshot', undefined, 200, /"id":"Patient.gender"/],
];
const xml = [
  ['text in a resource', 'text', /"Patient"/],
  ['a value that is no attribute', '<name><given>x</given></name>', /"Patient.name\[0\].given\[0\]"/],
  ['an unknown element', '<name><shoe value="1"/></name>', /"Patient.name\[0\]"/],
  ['an element twice', '<contact><name><family value="a"/><family value="b"/></name></contact>',
   /"Patient.contact\[0\].name"/],
  ['an unknown attribute', '<name><given value="a"/><given value="a" shoe="x"/></name>', /"Patient.name\[0\].given\[1\]"/],
];

test('FHIR at its edges', async (t) => {
  const server = await filled(t);

  await t.test('unusual and wrong questions have the right answer', async () => {
    for (const [name, path, status, says] of reads) {
      const url = path.includes('%') ? path : encodeURI(path).replaceAll('%7C', '|');
      const answer = await server.get(`/fhir/${url}`, { prefer: 'respond-async' });
      assert.equal(answer.status, status, `${name}: ${answer.text}`);
      assert.match(answer.text, says, name);
    }
  });

  await t.test('$graphql keeps to its directives and says what is wrong', async () => {
    for (const [name, query, status, says] of graphql) {
      const answer = await server.post('/fhir/$graphql', { query });
      assert.equal(answer.status, status, `${name}: ${answer.text}`);
      assert.match(answer.text, says, name);
    }
  });

  // What a client builds its types from: every name that is used is there, once.
  await t.test('the schema of $graphql is whole', async () => {
    const query = `{__schema{types{name kind fields{name args{name type{...r}} type{...r}} interfaces{name}}}}
      fragment r on __Type{name ofType{name ofType{name}}}`;
    const answer = await server.post('/fhir/$graphql', { query });
    assert.equal(answer.status, 200, answer.text.slice(0, 300));
    const { types } = answer.body.data.__schema, names = new Set(types.map((type) => type.name));
    assert.equal(names.size, types.length, 'no name twice');
    const innermost = (type) => (type.ofType ? innermost(type.ofType) : type.name);
    const legal = /^[_A-Za-z]\w*$/;
    for (const type of types)
      for (const field of type.fields ?? []) {
        assert.ok(names.has(innermost(field.type)), `${type.name}.${field.name}`);
        for (const arg of field.args)
          assert.ok(names.has(innermost(arg.type)) && legal.test(arg.name), `${field.name}(${arg.name})`);
        assert.equal(type.fields.filter((other) => other.name === field.name).length, 1, field.name);
      }
  });

  await t.test('$snapshot lays a differential over its base', async () => {
    const stored = { ...profile({ id: 'Patient.gender', path: 'Patient.gender', min: 1 }), id: 'p' };
    assert.equal((await server.put('/fhir/StructureDefinition/p', stored)).status, 201);
    for (const [name, method, path, body, status, says] of snapshots) {
      const url = `/fhir/StructureDefinition/${path}`;
      const answer = method === 'post' ? await server.post(url, body) : await server.get(url);
      assert.equal(answer.status, status, `${name}: ${answer.text.slice(0, 300)}`);
      assert.match(answer.text, says, name);
    }
  });

  await t.test('faults in what is sent name the place', async () => {
    for (const [name, path, body, status, says] of posts) {
      const answer = await server.post(`/fhir/${path}`, body);
      assert.equal(answer.status, status, `${name}: ${answer.text}`);
      assert.match(answer.text, says, name);
    }
    for (const [name, inner, place] of xml) {
      const answer = await server.post('/fhir/Patient', `<Patient xmlns="http://hl7.org/fhir">${inner}</Patient>`,
                                       { 'content-type': 'application/fhir+xml' });
      assert.equal(answer.status, 400, `${name}: ${answer.text}`);
      assert.match(JSON.stringify(answer.body.issue[0].expression), place, name);
    }
  });

  await t.test('frontline fhirpath knows R4\'s value sets, code systems and profiles', async () => {
    const file = join(server.folder, 'patient.json');
    writeFileSync(file, JSON.stringify(records[1]));
    const run = (expression) => spawnSync(binary, ['fhirpath', expression, file, '--json'], { encoding: 'utf8' });
    const rows = [
      [`Patient.gender.memberOf('${gender}')`, '[{"type":"System.Boolean","value":true}]'],
      [`'x'.memberOf('${gender}')`, '[{"type":"System.Boolean","value":false}]'],
      ['Patient.gender.memberOf(%vs-administrative-gender)', '[{"type":"System.Boolean","value":true}]'],
      ['Patient.gender.memberOf(\'http://nobody.example/set\')', '[]'],
      [`conformsTo('${structure}/Patient')`, '[{"type":"System.Boolean","value":true}]'],
    ];
    for (const [expression, says] of rows) assert.equal(run(expression).stdout.trim(), says, expression);
    assert.equal(run('conformsTo(\'http://nobody.example/profile\')').status, 1);
  });
});
