// SPDX-License-Identifier: Apache-2.0
// What may not be seen leaves no trace: every answer of a server that hides resources equals, byte
// for byte, that of a server where they never were. Three ways of hiding (no relationship, a label,
// a patient's dissent), every family of query, and writes that try ids.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { binary, startServer } from './server.mjs';

const run = (server, ...words) =>
  execFileSync(binary, [...words, '--data', server.folder], { encoding: 'utf8' }).trim();
const seed = Number(process.env.HIDING_SEED ?? 20261122);
let state = seed >>> 0;
const random = () => {                       // mulberry32: the same run every time
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};
const pick = (list) => list[Math.floor(random() * list.length)];
const chance = (p) => random() < p;

const LABELS = { V: 'v3-Confidentiality', R: 'v3-Confidentiality', STD: 'v3-ActCode' };
const label = (code) => ({ security: [{ system: `http://terminology.hl7.org/CodeSystem/${LABELS[code]}`,
                                        code }] });
const FAMILIES = ['Patel', 'Okafor', 'Jones', 'Nowak'];
const CODES = [['8867-4', 'Heart rate', '/min'], ['8310-5', 'Body temperature', 'Cel'],
               ['9279-1', 'Respiratory rate', '/min']];
const day = (n) => `2026-0${1 + n % 9}-1${n % 10}`;

// The record, and for each resource whether the asker (a therapist) may see it.
function makeRecord() {
  const all = [];
  const add = (resource, seen) => { all.push({ resource, seen }); return resource; };
  add({ resourceType: 'Practitioner', id: 'n1', name: [{ family: 'Therapist' }] }, true);
  add({ resourceType: 'Practitioner', id: 'n2', name: [{ family: 'Other' }] }, true);
  for (let p = 0; p < 14; p++) {
    const related = p % 2 === 0, dissents = p === 4, partly = p === 6;
    const open = related && !dissents;
    const id = `p${p}`, subject = { reference: `Patient/${id}` };
    const one = (resource, extra = true) => {
      const code = chance(0.3) ? pick(Object.keys(LABELS)) : null;
      const type = resource.resourceType;
      const kept = partly && type === 'Condition';
      return add(code ? { ...resource, meta: label(code) } : resource,
                 open && !code && !kept && extra);
    };
    add({ resourceType: 'Patient', id, name: [{ family: pick(FAMILIES), given: [`G${p}`] }],
          birthDate: day(p).replace('2026', `19${50 + p}`), gender: pick(['male', 'female']),
          identifier: [{ system: 'urn:mrn', value: `m${p}` }],
          address: [{ city: pick(['Leeds', 'York']) }] }, open);
    add({ resourceType: 'CareTeam', id: `team${p}`, status: 'active', subject,
          participant: [{ member: { reference: `Practitioner/${related ? 'n1' : 'n2'}` } }] }, open);
    if (dissents || partly)
      add({ resourceType: 'Consent', id: `consent${p}`, status: 'active', patient: subject,
            scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope',
                                code: 'patient-privacy' }] },
            category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
            policyRule: { text: 'local' },
            provision: { type: 'deny', actor: [{ role: { text: 'x' },
                                                 reference: { reference: 'Practitioner/n1' } }],
                         ...(partly && { class: [{ system: 'http://hl7.org/fhir/resource-types',
                                                   code: 'Condition' }] }) } }, partly);
    one({ resourceType: 'Encounter', id: `e${p}`, status: 'in-progress', subject,
          class: { code: 'IMP' }, period: { start: day(p) } });
    const observations = [];
    for (let o = 0; o < 9; o++) {
      const [code, display, unit] = pick(CODES);
      observations.push(one({ resourceType: 'Observation', id: `o${p}-${o}`, status: 'final', subject,
        category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category',
                                code: 'vital-signs' }] }],
        code: { coding: [{ system: 'http://loinc.org', code, display }] },
        encounter: { reference: `Encounter/e${p}` }, effectiveDateTime: day(Math.floor(random() * 50)),
        valueQuantity: { value: Math.floor(random() * 90) + 30, unit, code: unit,
                         system: 'http://unitsofmeasure.org' } }));
    }
    one({ resourceType: 'Condition', id: `c${p}`, subject, code: { text: pick(['asthma', 'gout']) } });
    one({ resourceType: 'DiagnosticReport', id: `d${p}`, status: 'final', subject,
          code: { text: 'panel' },
          result: observations.map((o) => ({ reference: `Observation/${o.id}` })) });
    one({ resourceType: 'Composition', id: `x${p}`, status: 'final', subject, title: 'Summary',
          type: { text: 'summary' }, date: day(p), author: [{ reference: 'Practitioner/n1' }],
          section: [{ title: 'Obs', entry: [{ reference: `Observation/o${p}-0` },
                                            { reference: `Condition/c${p}` }] }] });
    one({ resourceType: 'Task', id: `t${p}`, status: 'ready', intent: 'order', for: subject });
    one({ resourceType: 'List', id: `l${p}`, status: 'current', mode: 'working', subject,
          entry: observations.slice(0, 4).map((o) => ({ item: { reference: `Observation/${o.id}` } })) });
    one({ resourceType: 'MedicationRequest', id: `mr${p}`, status: 'active', intent: 'order', subject,
          medicationCodeableConcept: { text: pick(['aspirin', 'warfarin']) } });
  }
  return all;
}

async function load(server, token, entries) {
  const put = (list) => server.post('/fhir', { resourceType: 'Bundle', type: 'transaction',
    entry: list.map(({ resource }) => ({ resource, request: { method: 'PUT',
      url: `${resource.resourceType}/${resource.id}` } })) }, token);
  const answer = await put(entries);
  assert.equal(answer.status, 200, answer.text);
  const again = entries.filter(({ resource }) => resource.resourceType === 'Observation' &&
                                                 Number(resource.id.split('-')[1]) % 3 === 0)
    .map(({ resource, seen }) => ({ resource: { ...resource, status: 'amended' }, seen }));
  assert.equal((await put(again)).status, 200);
  for (const { resource } of entries)        // deletions: one visible, one hidden kind a patient
    if (/^o\d+-8$/.test(resource.id))
      assert.equal((await server.delete(`/fhir/Observation/${resource.id}`, token)).status, 204);
}

// What differs between two servers and says nothing: where, when, and the log's place in a cursor.
const plain = (server, answer) => [answer.status, answer.headers.get('etag'),
  answer.headers.get('content-location'),
  answer.text.replaceAll(server.url, 'URL')
    .replace(/"lastUpdated":"[^"]*"/g, '"lastUpdated":"T"')
    .replace(/"(timestamp|date|lastModified)":"2[^"]*T[^"]*"/g, '"$1":"T"')
    .replace(/"id":"[0-9a-z]{20}"/g, '"id":"I"')
    .replace(/urn:uuid:[0-9a-f-]*/g, 'U')
    .replace(/(_page|_before)=[^"&]*/g, '$1=C')].join('\n');

// Mann and Whitney's U of two lists of times, as the standard deviations it is off by chance.
function rankZ(a, b) {
  const all = [...a.map((v) => [v, 1]), ...b.map((v) => [v, 0])].sort((x, y) => x[0] - y[0]);
  const ranks = all.reduce((sum, [, mine], i) => sum + mine * (i + 1), 0);
  const n = a.length, m = b.length;
  return (ranks - n * (n + 1) / 2 - n * m / 2) / Math.sqrt(n * m * (n + m + 1) / 12);
}

function queries(record) {
  const ids = (type) => record.filter(({ resource }) => resource.resourceType === type)
    .map(({ resource }) => resource.id);
  const types = [...new Set(record.map(({ resource }) => resource.resourceType))];
  const p = () => pick(ids('Patient')), obs = () => pick(ids('Observation'));
  const code = () => pick(CODES)[0], list = [];
  const get = (path) => list.push(['GET', path]);
  for (const { resource } of record) {
    get(`${resource.resourceType}/${resource.id}`);
    if (chance(0.3)) get(`${resource.resourceType}/${resource.id}/_history`);
    if (chance(0.3)) get(`${resource.resourceType}/${resource.id}/_history/1`);
    if (chance(0.2)) get(`${resource.resourceType}/${resource.id}/_history/2`);
    if (chance(0.2)) get(`${resource.resourceType}/${resource.id}/$meta`);
  }
  for (const type of types) {
    for (const tail of ['', '?_summary=count', '?_total=accurate&_count=3', '?_count=0', '?_sort=_id',
                        '?_sort=-_lastUpdated&_elements=id', '?_lastUpdated=ge2020&_total=accurate',
                        '/_history', '/_history?_count=5', '?_security=V', '?_security:not=R',
                        '?_id=' + ids(type).slice(0, 9).join(',')])
      get(type + tail);
    get(`${type}?_revinclude=*:*&_count=4`);
    get(`${type}?_include=*&_count=4&_revinclude:iterate=*`);
  }
  get('_history?_count=40');
  get('?_type=Patient,Observation&_total=accurate&_count=7');
  for (let i = 0; i < 60; i++) {
    get(`Observation?code=${code()}&_total=accurate&_count=5&_sort=${pick(['date', '-date', 'code'])}`);
    get(`Observation?patient=${p()}&date=ge${day(i)}&_total=accurate`);
    get(`Observation?code=${code()}&value-quantity=gt${30 + i}&_total=accurate`);
    get(`Observation?patient.family=${pick(FAMILIES)}&_total=accurate`);
    get(`Observation?subject:Patient.gender=male&code:not=${code()}&_summary=count`);
    get(`Observation?encounter.status=in-progress&_total=accurate&_count=4`);
    get(`Patient?_has:Observation:patient:code=${code()}&_total=accurate`);
    get(`Patient?_has:Condition:patient:code:text=${pick(['asthma', 'gout'])}&_total=accurate`);
    get(`Patient?_has:Observation:patient:_has:DiagnosticReport:result:status=final&_sort=family`);
    get(`Patient?family=${pick(FAMILIES)}&_revinclude=Observation:patient&_sort=birthdate`);
    get(`Patient?identifier=urn:mrn|m${i % 14}&_include=Patient:organization`);
    get(`Patient?_filter=family eq ${pick(FAMILIES)} or gender ne male&_total=accurate`.replaceAll(' ', '%20'));
    get(`DiagnosticReport?result.code=${code()}&_include=DiagnosticReport:result&_total=accurate`);
    get(`DiagnosticReport?result=Observation/${obs()}&_total=accurate`);
    get(`Observation?_list=${pick(ids('List'))}&_total=accurate`);
    get(`Condition?_content=${pick(['asthma', 'gout'])}&_total=accurate`);
    get(`Patient/${p()}/Observation?_total=accurate&_sort=-date&_count=4`);
    get(`Patient/${p()}/*?_count=9`);
    get(`Patient/${p()}/$everything`);
    get(`Encounter/e${i % 14}/$everything?_count=4`);
    get(`Observation/$lastn?patient=${p()}&max=2`);
    get(`Observation/$lastn?category=vital-signs&code=${code()}&subject=Patient/${p()}`);
    get(`Observation/$stats?subject=Patient/${p()}&code=http://loinc.org|${code()}&statistic=count&statistic=average`);
    get(`Composition/x${i % 14}/$document`);
    get(`Task?patient=${p()}&_total=accurate`);
    get(`MedicationRequest?patient:missing=false&_total=accurate&_count=${1 + i % 4}&_sort=patient`);
    get(`Observation?combo-code-value-quantity=http://loinc.org|${code()}$gt60&_total=accurate`);
    list.push(['POST', 'Observation/_search', { body: `code=${code()}&_total=accurate`, headers: {
      'content-type': 'application/x-www-form-urlencoded' } }]);
    list.push(['POST', '$graphql', { body: JSON.stringify({ query:
      `{ Patient(id: "${p()}") { id name { family } ObservationList(_reference: patient) { id } } }` }),
      headers: { 'content-type': 'application/json' } }]);
    list.push(['POST', '$graphql', { body: JSON.stringify({ query:
      `{ ObservationList(code: "${code()}", _sort: "_id") { id subject { reference resource { ... on Patient { gender } } } } }` }),
      headers: { 'content-type': 'application/json' } }]);
  }
  for (let i = 0; i < 14; i++)
    list.push(['POST', 'Patient/$match', { body: { resourceType: 'Parameters', parameter: [
      { name: 'resource', resource: { resourceType: 'Patient', name: [{ family: pick(FAMILIES), given: [`G${i}`] }],
        birthDate: day(i).replace('2026', `19${50 + i}`) } }, { name: 'count', valueInteger: 5 }] } }]);
  list.push(['POST', '', { body: { resourceType: 'Bundle', type: 'batch', entry: ids('Observation')
    .slice(0, 60).map((id) => ({ request: { method: 'GET', url: `Observation/${id}` } })) } }]);
  list.push(['POST', '$viewdefinition-run', { body: { resourceType: 'Parameters', parameter: [
    { name: '_format', valueCode: 'csv' },
    { name: 'viewResource', resource: { resourceType: 'ViewDefinition', status: 'active',
      resource: 'Observation', select: [{ column: [{ path: 'getResourceKey()', name: 'id' },
                                                   { path: 'status', name: 'status' }] }] } }] } }]);
  return list;
}

// Writes that try what is there; none of them may change anything.
function tries(record) {
  const list = [];
  for (const { resource, seen } of record) {
    if (seen || resource.resourceType === 'Patient' && chance(0.5))
      continue;
    const path = `${resource.resourceType}/${resource.id}`;
    list.push(['PUT', path, { body: resource }]);
    list.push(['PUT', path, { body: resource, headers: { 'if-match': 'W/"1"' } }]);
    list.push(['PATCH', path, { body: '[{"op":"test","path":"/id","value":"x"}]',
                                headers: { 'content-type': 'application/json-patch+json' } }]);
    list.push(['DELETE', path, {}]);
    list.push(['GET', path, { headers: { 'if-none-match': 'W/"1"' } }]);
    list.push(['POST', '', { body: { resourceType: 'Bundle', type: 'transaction', entry: [
      { resource, request: { method: 'PUT', url: path } }] } }]);
    list.push(['POST', '', { body: { resourceType: 'Bundle', type: 'batch', entry: [
      { request: { method: 'DELETE', url: path } }] } }]);
    list.push(['PATCH', `${resource.resourceType}?_id=${resource.id}`, {
      body: '[{"op":"test","path":"/id","value":"x"}]',
      headers: { 'content-type': 'application/json-patch+json' } }]);
  }
  return list;
}

test('no answer depends on what its asker may not see', async (t) => {
  const record = makeRecord();
  const [whole, bare] = await Promise.all([startServer(t, { open: false }), startServer(t, { open: false })]);
  const asker = {};
  for (const server of [whole, bare]) {
    const all = { authorization: `Bearer ${run(server, 'token', '--scope', 'system/*.cruds')}` };
    run(server, 'user', 'add', 't.herapist', '--role', 'ahp', '--who', 'Practitioner/n1');
    asker[server.url] = { authorization:
      `Bearer ${run(server, 'token', '--user', 't.herapist', '--scope', 'user/*.cruds')}` };
    await load(server, all, server === whole ? record : record.filter(({ seen }) => seen));
  }
  const hidden = record.filter(({ seen }) => !seen).length;
  assert.ok(hidden > 100 && hidden < record.length - 40, `${hidden} of ${record.length} hidden`);
  const tally = {};
  const times = { seen: [], hidden: [], absent: [] };
  const ask = (server, [method, path, { body, headers } = {}]) => server.ask(method,
    `/fhir/${path}`, { body, headers: { ...headers, ...asker[server.url] } });
  const compare = async (query) => {
    const [a, b] = [await ask(whole, query), await ask(bare, query)];
    tally[a.status] = (tally[a.status] ?? 0) + 1;
    assert.equal(plain(whole, a), plain(bare, b), JSON.stringify(query));
    let [next, other] = [a, b].map(({ body }) => body?.link?.find?.((l) => l.relation === 'next')?.url);
    for (let page = 0; next && page < 3; page++) {
      const [c, d] = [await ask(whole, ['GET', next.split('/fhir/')[1]]),
                      await ask(bare, ['GET', other.split('/fhir/')[1]])];
      assert.equal(plain(whole, c), plain(bare, d), `page ${page + 2} of ${JSON.stringify(query)}`);
      [next, other] = [c, d].map(({ body }) => body?.link?.find?.((l) => l.relation === 'next')?.url);
    }
  };
  const all = [...queries(record), ...tries(record)];
  for (const query of all)
    await compare(query);
  for (let round = 0; round < 400; round++) {
    const { resource, seen } = pick(record);
    const both = [[seen ? 'seen' : 'hidden', resource.id], ['absent', `none${round}`]];
    for (const [kind, id] of round % 2 ? both : both.reverse()) {
      const began = process.hrtime.bigint();
      await ask(whole, ['GET', `${resource.resourceType}/${id}`]);
      times[kind].push(Number(process.hrtime.bigint() - began) / 1000);
    }
  }
  const median = (list) => Math.round(list.toSorted((x, y) => x - y)[list.length >> 1]);
  t.diagnostic(`seed ${seed}: ${all.length} questions over ${record.length} resources, ${hidden} ` +
    `hidden; answers ${JSON.stringify(tally)}; median us to answer: seen ${median(times.seen)}, hidden ${median(times.hidden)}, ` +
    `absent ${median(times.absent)}; z ${rankZ(times.hidden, times.absent).toFixed(1)}`);
  // bench/timing.mjs says it to a fraction of a microsecond, for every way to name a resource.
  assert.ok(Math.abs(rankZ(times.hidden, times.absent)) < 5, 'a hidden resource is told by the time its 404 takes');
  assert.ok(Math.min(...times.hidden, ...times.absent) >= 500, 'no sooner than auth.nothing_after_us');
  run(whole, 'audit', 'verify');
});
