// SPDX-License-Identifier: Apache-2.0
// The other ways to a hidden resource: screens, conditions, references, subscriptions, exports and
// their files, XML, HEAD. As in hiding.test.mjs: a server that hides answers as one where nothing was.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { binary, startServer } from './server.mjs';

const run = (server, ...words) =>
  execFileSync(binary, [...words, '--data', server.folder], { encoding: 'utf8' }).trim();
const R = { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }] };
const LOINC = (code) => ({ coding: [{ system: 'http://loinc.org', code }] });
const BATCH = 'application/fhir+json';

function makeRecord() {
  const all = [];
  const add = (resource, seen = true) => all.push({ resource, seen });
  for (const id of ['n1', 'n2'])
    add({ resourceType: 'Practitioner', id, name: [{ family: id }] });
  add({ resourceType: 'Location', id: 'w1', name: 'Ward One', status: 'active', mode: 'instance',
        physicalType: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/location-physical-type', code: 'wa' }] } });
  for (const [id, seen] of [['p0', true], ['p1', false], ['p2', true], ['p3', false]]) {
    const subject = { reference: `Patient/${id}` };
    add({ resourceType: 'Patient', id, identifier: [{ system: 'urn:mrn', value: `m-${id}` }], gender: 'female',
          name: [{ family: 'Adeyemi', given: [id] }], birthDate: `19${60 + Number(id[1])}-02-03`,
          text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">narrated</div>' } }, seen);
    add({ resourceType: 'CareTeam', id: `team-${id}`, status: 'active', subject,
          participant: [{ member: { reference: `Practitioner/${seen ? 'n1' : 'n2'}` } }] }, seen);
    add({ resourceType: 'Encounter', id: `e-${id}`, status: 'in-progress', subject, class: { code: 'IMP' },
          period: { start: '2026-02-01T08:00:00Z' }, location: [{ location: { reference: `Location/bed-${id}` }, status: 'active' }] }, seen);
    add({ resourceType: 'Location', id: `bed-${id}`, name: `Bed ${id}`, status: 'active', mode: 'instance', partOf: { reference: 'Location/w1' },
          physicalType: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/location-physical-type', code: 'bd' }] } });
    for (const [k, code] of ['8867-4', '8310-5', '9279-1'].entries())
      for (const labelled of [false, true])
        add({ resourceType: 'Observation', id: `o-${id}-${k}${labelled ? 'r' : ''}`, ...(labelled && { meta: R }), status: 'final',
              subject, code: LOINC(code), effectiveDateTime: `2026-03-0${1 + k}T0${k + 1}:00:00Z`,
              identifier: [{ system: 'urn:o', value: `${id}-${k}-${labelled}` }],
              category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] }],
              valueQuantity: { value: 40 + 7 * k, unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' } },
            seen && !labelled);
    for (const labelled of [false, true])
      add({ resourceType: 'Condition', id: `c-${id}${labelled ? 'r' : ''}`, ...(labelled && { meta: R }), subject,
            code: { text: 'asthma' }, text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">wheeze</div>' } },
          seen && !labelled);
    add({ resourceType: 'Composition', id: `x-${id}`, status: 'final', subject, title: 'Summary', type: { text: 'summary' },
          date: '2026-03-01', author: [{ reference: 'Practitioner/n1' }],
          section: [{ title: 'all', entry: [{ reference: `Observation/o-${id}-0r` }, { reference: `Condition/c-${id}` }] }] }, seen);
  }
  return all;
}

const plain = (server, { status, headers, text }) => [status, headers.get('etag'), headers.get('location')?.replace(server.url, 'URL').replace(/[0-9a-z]{20}/, 'I'),
  // The count of free beds on the first page is the boards' (access.md): of every bed, for whoever has the permission.
  text.replace(/(<a href="\/beds[^"]*">[^<]*<\/a>)[^]*?<\/li>/g, '$1').replaceAll(server.url, 'URL').replaceAll(server.url.slice(7), 'HOST').replace(/"lastUpdated":"[^"]*"/g, '"lastUpdated":"T"')
    .replace(/<lastUpdated value="[^"]*"/g, '<lastUpdated value="T"')
    .replace(/"(timestamp|date|lastModified|issued|transactionTime|requestTime)":"2[^"]*T[^"]*"/g, '"$1":"T"')
    .replace(/\b[0-9a-z]{20}\b/g, 'I').replace(/urn:uuid:[0-9a-f-]*/g, 'U').replace(/(_page|_before|next)=[^"&]*/g, '$1=C')
    .replace(/(data-live-seq|data-now|data-opened|nonce|name="(csrf|key|once)" value)="[^"]*"/g, '$1').replace(/[0-9T:. -]*\d\d:\d\d(:\d\d)?(\.\d+)?Z?/g, 'T')
    .replace(/(data-(seq|age|at|since)[a-z-]*|id|after)="[0-9T:.Z-]+"/g, '$1')].join('\n')
  .replaceAll('localhost', 'HOST');

async function pair(t) {
  const record = makeRecord();
  const servers = await Promise.all([startServer(t, { open: false }), startServer(t, { open: false })]);
  for (const server of servers) {
    server.all = { authorization: `Bearer ${run(server, 'token', '--scope', 'system/*.cruds')}` };
    run(server, 'user', 'add', 't.herapist', '--role', 'ahp', '--who', 'Practitioner/n1');
    run(server, 'user', 'add', 'n.urse', '--role', 'doctor', '--who', 'Practitioner/n2');
    server.mine = { authorization: `Bearer ${run(server, 'token', '--user', 't.herapist', '--scope', 'user/*.cruds')}` };
    server.other = { authorization: `Bearer ${run(server, 'token', '--user', 'n.urse', '--scope', 'user/*.cruds')}` };
    const list = server === servers[0] ? record : record.filter(({ seen }) => seen);
    const put = await server.post('/fhir', { resourceType: 'Bundle', type: 'transaction', entry: list.map(({ resource }) => ({ resource,
      request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } })) }, server.all);
    assert.equal(put.status, 200, put.text.slice(0, 400));
  }
  return { record, whole: servers[0], bare: servers[1] };
}

// Asked of both; everything that differs, not the first alone.
function comparer(whole, bare) {
  const differ = [], tally = {};
  const both = async (method, path, { body, headers, as = 'mine' } = {}) => {
    const [a, b] = await Promise.all([whole, bare].map((server) =>
      server.ask(method, path, { body: typeof body === 'function' ? body(server) : body, headers: { ...headers, ...server[as] } })));
    tally[a.status] = (tally[a.status] ?? 0) + 1;
    const [x, y] = [plain(whole, a), plain(bare, b)];
    if (x !== y) {
      let at = 0;
      while (x[at] === y[at]) at++;
      differ.push(`${method} ${path} ${JSON.stringify(body ?? '').slice(0, 200)}\n  whole ${a.status} …${x.slice(Math.max(0, at - 90), at + 90)}\n  bare  ${b.status} …${y.slice(Math.max(0, at - 90), at + 90)}`);
    }
    return [a, b];
  };
  return { both, differ, tally };
}

test('screens, conditions, references, exports and events tell nothing of what is hidden', async (t) => {
  const { record, whole, bare } = await pair(t);
  const { both, differ, tally } = comparer(whole, bare);
  const hidden = record.filter(({ seen }) => !seen).map(({ resource }) => resource);

  await t.test('screens', async () => {
    for (const p of ['p0', 'p1', 'none'])
      for (const path of [`/record/patient/${p}`, `/record/confirm/${p}`, `/obs/patient/${p}`, `/obs/patient/${p}/enter`,
        `/obs/patient/${p}/fluid`, `/obs/patient/${p}/gcs`, `/obs/patient/${p}/scale`, `/obs/patient/${p}/escalations`,
        ...['timeline', 'results', 'problems', 'allergies', 'medicines', 'notes', 'documents', 'observations', 'nothing']
          .map((tab) => `/record/patient/${p}/${tab}`),
        `/record/patient/${p}/new/problem`, `/browse/Patient/${p}`, `/browse/Patient/${p}/history`])
        await both('GET', path.replaceAll('p1', p));
    for (const { resourceType, id } of [...hidden, { resourceType: 'Observation', id: 'none' }]) {
      await both('GET', `/browse/${resourceType}/${id}`);
      await both('GET', `/browse/${resourceType}/${id}/history`);
      await both('GET', `/record/patient/p0/item/${resourceType}/${id}`);
      await both('GET', `/record/patient/p1/item/${resourceType}/${id}`);
      await both('GET', `/record/patient/p0/wrong/${resourceType}/${id}`);
    }
    for (const path of ['/record', '/record/find?q=Adeyemi', '/record/find?q=m-p1', '/record/find?q=1961-02-03', '/browse/Patient',
      '/browse/Observation?_count=4', '/browse/Observation?code=8867-4', '/browse/Condition?subject=Patient/p1', '/', '/record/ward/w1',
      '/record/ward/w1/handover', '/record/ward/w1/results', '/record/ward/w1/downtime', '/obs', '/obs/ward/w1', '/obs/escalations'])
      await both('GET', path);
  });

  await t.test('live screens', async () => {
    for (const path of ['/record/ward/w1', '/obs/ward/w1'])
      assert.match((await whole.get(path, whole.mine)).text, /Adeyemi|ADEYEMI|p0/, `${path} shows who may be seen`);
    const open = async (path) => {
      const ends = new AbortController(), seen = { text: '' };
      const answer = await fetch(whole.url + path, { headers: whole.mine, signal: ends.signal });
      const reading = (async () => {
        try {
          for await (const part of answer.body.pipeThrough(new TextDecoderStream()))
            seen.text += part;
        } catch { /* ended by us */ }
      })();
      return { path, seen, status: answer.status, end: () => { ends.abort(); return reading; } };
    };
    const streams = await Promise.all(['/obs/live?ward=w1', '/obs/live?patient=p0', '/obs/live?patient=p1', '/obs/live?patient=none', '/obs/live', '/live',
      '/beds/live?ward=w1', '/beds/live'].map(open));
    assert.equal(streams[2].status, streams[3].status, 'a hidden patient\'s chart and nobody\'s');
    const value = (id, n) => ({ ...record.find(({ resource }) => resource.id === id).resource, valueQuantity: { value: n, unit: '/min' } });
    for (const [id, n] of [['o-p1-0', 666], ['o-p0-0r', 777], ['o-p0-0', 81], ['o-p1-1', 666], ['o-p0-1', 82]])
      assert.equal((await whole.put(`/fhir/Observation/${id}`, value(id, n), whole.all)).status, 200);
    for (let i = 0; i < 60 && !streams[0].seen.text.includes('data:') && !streams[1].seen.text.includes('data:'); i++)
      await new Promise((done) => setTimeout(done, 25));
    for (const { path, seen, status, end } of streams) {
      await end();
      assert.doesNotMatch(seen.text, /666|777|o-p1|o-p0-0r/, path);
      if (path.startsWith('/obs') && status === 200)
        assert.doesNotMatch(seen.text, /p1\b/, `${path} speaks of nobody hidden`);
    }
    t.diagnostic(`events: ${streams.map(({ path, status, seen }) => `${path} ${status} ${seen.text.length}`).join(', ')}`);
    for (const { id } of record.map(({ resource }) => resource).filter(({ id }) => ['o-p0-0', 'o-p0-1'].includes(id)))
      await bare.put(`/fhir/Observation/${id}`, value(id, id === 'o-p0-0' ? 81 : 82), bare.all); // both alike again
  });

  await t.test('conditions and references', async () => {
    const made = (extra) => ({ resourceType: 'Observation', status: 'final', code: LOINC('8867-4'), subject: { reference: 'Patient/p0' }, ...extra });
    for (const [n, resource] of hidden.entries()) {
      const { resourceType, id } = resource;
      await both('HEAD', `/fhir/${resourceType}/${id}`);
      await both('GET', `/fhir/${resourceType}/${id}?_format=xml`);
      await both('GET', `/fhir/${resourceType}/${id}?_summary=count`);
      await both('GET', `/fhir/${resourceType}/${id}`, { headers: { 'if-modified-since': 'Wed, 21 Oct 2015 07:28:00 GMT' } });
      await both('GET', `/fhir/${resourceType}/${id}/$validate`);
      await both('POST', `/fhir/${resourceType}/${id}/$validate`, { body: { resourceType: 'Parameters', parameter: [{ name: 'mode', valueCode: 'delete' }] } });
      await both('POST', `/fhir/${resourceType}/${id}/$meta-add`, { body: { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { tag: [{ code: 'x' }] } }] } });
      await both('POST', `/fhir/${resourceType}/${id}/$meta-delete`, { body: { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { tag: [{ code: 'x' }] } }] } });
      await both('GET', `/fhir/${resourceType}/${id}/$graphql?query={id}`);
      await both('GET', `/fhir/${resourceType}/${id}/$document`);
      await both('POST', '/fhir/Observation', { body: made({ note: [{ text: `${n}` }] }), headers: { 'if-none-exist': `_id=${id}` } });
      await both('PUT', `/fhir/Observation?_id=${id}&subject=Patient/p0`, { body: made({ id, note: [{ text: `put ${n}` }] }) });
      await both('DELETE', `/fhir/${resourceType}?_id=${id}`);
      await both('POST', '/fhir/Observation', { body: made({ note: [{ text: 'derived' }], derivedFrom: [{ reference: `Observation/${id}` }] }) });
      await both('POST', '/fhir/Observation', { body: made({ encounter: { reference: `Encounter/${id}` } }) });
      await both('POST', '/fhir/Observation', { body: made({ hasMember: [{ reference: `${resourceType}/${id}/_history/1` }] }) });
      await both('GET', `/fhir/${resourceType}?_filter=${encodeURIComponent(`_id eq ${id}`)}&_total=accurate`);
    }
    for (const p of ['p1', 'p3', 'none']) {
      await both('POST', '/fhir/Observation', { body: made({ subject: { reference: `Patient/${p}` } }) });
      await both('POST', '/fhir', { body: { resourceType: 'Bundle', type: 'transaction', entry: [{ request: { method: 'POST', url: 'Observation' },
        resource: made({ subject: { reference: `Patient?identifier=urn:mrn|m-${p}` } }) }] } });
      await both('POST', '/fhir', { body: { resourceType: 'Bundle', type: 'transaction', entry: [{ request: { method: 'GET', url: `Patient?identifier=urn:mrn|m-${p}` } },
        { request: { method: 'GET', url: `Patient/${p}` } }] } });
      await both('POST', '/fhir', { body: { resourceType: 'Bundle', type: 'transaction', entry: [{ request: { method: 'POST', url: 'Observation',
        ifNoneExist: `subject=Patient/${p}` }, resource: made({ note: [{ text: `none ${p}` }] }) }] } });
      await both('POST', '/fhir/Patient/$match', { body: { resourceType: 'Parameters', parameter: [{ name: 'resource',
        resource: { resourceType: 'Patient', identifier: [{ system: 'urn:mrn', value: `m-${p}` }] } }, { name: 'onlyCertainMatches', valueBoolean: true }] } });
      await both('GET', `/fhir/Patient/${p}/Observation?_summary=count`);
      await both('GET', `/fhir/Observation?subject:Patient._id=${p}&_total=accurate`);
      await both('GET', `/fhir/Patient?_id:not=${p}&_total=accurate&_sort=family,_id`);
      await both('POST', `/fhir/Patient/$merge`, { body: { resourceType: 'Parameters', parameter: [{ name: 'source-patient', valueReference: { reference: `Patient/${p}` } },
        { name: 'target-patient', valueReference: { reference: 'Patient/p0' } }] } });
    }
    for (const query of ['Patient?_text=narrated&_total=accurate', 'Condition?_text=wheeze&_total=accurate', 'Condition?_content=asthma&_total=accurate',
      'Observation?_sort=patient.family,-date,_id&_count=3&_total=accurate', 'Patient?_has:Observation:patient:identifier=urn:o|p1-0-false&_total=accurate',
      'Observation?patient.identifier=urn:mrn|m-p1&_total=accurate', 'Observation?_total=estimate&_count=2', 'Observation?_summary=count', 'Patient?family:missing=true',
      'Observation?date=2026-03-01&_total=accurate', 'Observation?value-quantity=40&_total=accurate', 'Observation?_lastUpdated=gt2020&_summary=count',
      'Composition?section.entry:Observation.code=8867-4&_total=accurate', 'Composition?entry=Observation/o-p0-0r&_total=accurate', 'Composition?_include=Composition:entry',
      'Observation/$lastn?category=vital-signs', 'Observation/$lastn?code=8867-4&patient=Patient/p1', 'CareTeam?participant=Practitioner/n2&_total=accurate',
      'Practitioner?_has:CareTeam:participant:status=active&_total=accurate', 'Practitioner/n2/$everything', 'Observation/_history?_since=2020-01-01&_count=9', '_history?_count=11'])
      await both('GET', `/fhir/${query}`);
  });

  await t.test('views and bulk data', async () => {
    const view = { resourceType: 'ViewDefinition', status: 'active', resource: 'Observation', select: [{ column: [
      { path: 'getResourceKey()', name: 'id' }, { path: 'subject.getReferenceKey(Patient)', name: 'patient' }] }] };
    for (const format of ['csv', 'json'])
      await both('POST', '/fhir/$viewdefinition-run', { body: { resourceType: 'Parameters', parameter: [
        { name: '_format', valueCode: format }, { name: 'viewResource', resource: view }] } });
    await both('POST', '/fhir/$viewdefinition-export', { headers: { prefer: 'respond-async' }, body: { resourceType: 'Parameters', parameter: [{ name: 'view', part: [{ name: 'viewResource', resource: view }] }] } });
    for (const path of ['$export', 'Patient/$export', 'Group/p1/$export', 'Group/none/$export'])
      await both('GET', `/fhir/${path}`, { headers: { prefer: 'respond-async' } });
  });

  assert.deepEqual(differ, [], `${differ.length} differ:\n${differ.slice(0, 30).join('\n')}`);
  t.diagnostic(`answers ${JSON.stringify(tally)}`);
});

// ---- exports: what one service may have, and who may fetch its files ----

const ASYNC = { prefer: 'respond-async' };
async function ended(url, headers) {
  for (let i = 0; i < 400; i++) {
    const answer = await fetch(url, { headers });
    if (answer.status !== 202) return { status: answer.status, body: await answer.json() };
    await new Promise((done) => setTimeout(done, 25));
  }
  throw new Error('the export did not end');
}

test('an export holds what its asker may have; and is there for nobody else', async (t) => {
  const server = await startServer(t, { open: false });
  const of = (scope, ...more) => ({ authorization: `Bearer ${run(server, 'token', '--scope', scope, ...more)}` });
  const all = of('system/*.cruds');
  const began = new Date(Date.now() - 1000).toISOString();
  for (const { resource } of makeRecord())
    assert.equal((await server.put(`/fhir/${resource.resourceType}/${resource.id}`, resource, all)).status, 201);
  for (const gone of ['Observation/o-p0-2', 'Condition/c-p0'])
    assert.equal((await server.delete(`/fhir/${gone}`, all)).status, 204);
  run(server, 'user', 'add', 't.herapist', '--role', 'ahp', '--who', 'Practitioner/n1');
  const part = of('system/Patient.rs system/Observation.rs'), narrowed = of('system/Patient.rs system/Observation.rs?code=8867-4');
  const others = { 'a narrower token': of('system/Observation.rs'), 'a member of staff': of('user/*.rs', '--user', 't.herapist'), nobody: {} };
  const kick = async (path, as) => {
    const answer = await fetch(server.url + path, { headers: { ...ASYNC, ...as } });
    assert.equal(answer.status, 202, await answer.text());
    return answer.headers.get('content-location');
  };
  for (const [as, types, gone] of [[part, ['Observation', 'Patient'], ['Observation/o-p0-2']], [narrowed, ['Patient'], []]]) {
    const url = await kick(`/fhir/$export?_since=${began}`, as);
    const { status, body } = await ended(url, as);
    assert.equal(status, 200);
    assert.deepEqual([...new Set(body.output.map(({ type }) => type))].sort(), types);
    const files = [...body.output, ...(body.deleted ?? [])].map((f) => f.url);
    const deleted = [];
    for (const { url: file } of body.deleted ?? [])
      deleted.push(...(await (await fetch(file, { headers: as })).text()).matchAll(/"url":"([^"]+)"/g));
    assert.deepEqual(deleted.map(([, what]) => what), gone, 'the deleted, too');
    for (const [who, headers] of Object.entries(others))
      for (const address of [url, ...files]) {
        const there = await fetch(address, { headers }), id = /[0-9a-z]{20,}|[$]bulk\/([^/]+)/.exec(address);
        const none = await fetch(address.replace(id[1] ?? id[0], 'none0000000000000000'), { headers });
        assert.equal(there.status, none.status, `${who}: ${address}`);
        assert.ok([401, 403, 404].includes(there.status), `${who}: ${there.status}`);
      }
    const ends = await fetch(url, { method: 'DELETE', headers: others['a narrower token'] });
    assert.equal(ends.status, 404, 'nor ended by it');
    assert.equal((await fetch(files[0], { headers: as })).status, 200);
  }
});

// ---- files, bundles and lists: whose they are, and whose they may be ----

test('a file is its context\'s, a bundle its first patient\'s; what is nobody\'s is not shown to patients', async (t) => {
  const server = await startServer(t, { open: false });
  const of = (...words) => ({ authorization: `Bearer ${run(server, 'token', ...words)}` });
  const all = of('--scope', 'system/*.cruds'), subject = (p) => ({ reference: `Patient/${p}` });
  const named = (id) => ({ resourceType: 'Patient', id, name: [{ family: `Secret-${id}` }] });
  const composition = (p) => ({ resourceType: 'Composition', status: 'final', type: { text: 'letter' }, subject: subject(p), date: '2026-01-01', author: [{ display: 'x' }], title: `Secret-${p}` });
  const held = (id, p) => [
    { resourceType: 'Binary', id: `file-${id}`, contentType: 'text/plain', ...(p && { securityContext: subject(p) }), data: 'U2VjcmV0' },
    { resourceType: 'Bundle', id: `letter-${id}`, type: 'document', identifier: { system: 'urn:x', value: id }, timestamp: '2026-01-01T00:00:00Z', entry: [
      { fullUrl: 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0', resource: { ...composition(p ?? 'p0'), ...(!p && { subject: { display: 'a stranger' } }) } }] },
    { resourceType: 'Bundle', id: `set-${id}`, type: 'collection', entry: p ? [{ fullUrl: `http://x.example/fhir/Patient/${p}`, resource: named(p) }] : undefined },
    { resourceType: 'Parameters', id: `set-${id}`, parameter: [{ name: 'x', ...(p ? { resource: named(p) } : { valueString: 'Secret' }) }] }];
  const list = [{ resourceType: 'Practitioner', id: 'n1' }, named('p0'), named('p1'),
    { resourceType: 'CareTeam', id: 'team', status: 'active', subject: subject('p0'), participant: [{ member: { reference: 'Practitioner/n1' } }] },
    ...held('p0', 'p0'), ...held('p1', 'p1'), ...held('nobody'),
    { resourceType: 'Group', id: 'both', type: 'person', actual: true, member: ['p1', 'p0'].map((p) => ({ entity: subject(p) })) },
    { resourceType: 'List', id: 'nobody', status: 'current', mode: 'working', entry: [{ item: subject('p1') }] },
    { resourceType: 'List', id: 'own', status: 'current', mode: 'working', subject: subject('p0'), entry: [{ item: subject('p0') }] }];
  for (const resource of list) {
    const answer = await server.put(`/fhir/${resource.resourceType}/${resource.id}`, resource, all);
    assert.equal(answer.status, 201, answer.text);
  }
  run(server, 'user', 'add', 'd.octor', '--role', 'doctor', '--who', 'Practitioner/n1');
  run(server, 'user', 'add', 'pt', '--role', 'patient', '--who', 'Patient/p0');
  const doctor = of('--user', 'd.octor', '--scope', 'user/*.cruds'), patient = of('--user', 'pt', '--scope', 'patient/*.rs');
  const kinds = ['Binary/file', 'Bundle/letter', 'Bundle/set', 'Parameters/set'];
  for (const [whose, forDoctor, forPatient] of [['p0', 200, 200], ['p1', 404, 404], ['nobody', 200, 404]])
    for (const kind of kinds) {
      const path = `${kind}-${whose}`, [type, id] = path.split('/');
      for (const [who, headers, expected] of [['doctor', doctor, forDoctor], ['patient', patient, forPatient]]) {
        const one = await server.get(`/fhir/${path}`, { ...headers, accept: 'application/fhir+json' });
        assert.equal(one.status, expected, `${who} ${path}: ${one.text.slice(0, 200)}`);
        const found = await server.get(`/fhir/${type}?_id=${id}&_total=accurate`, headers);
        assert.equal(found.body.total, expected === 200 ? 1 : 0, `${who} finds ${path}`);
        assert.equal((await server.get(`/fhir/${path}/_history`, headers)).status, expected, `${who} ${path} history`);
      }
    }
  for (const [path, forDoctor, forPatient] of [['Group/both', 404, 404], ['List/nobody', 200, 404], ['List/own', 200, 200]]) {
    assert.equal((await server.get(`/fhir/${path}`, doctor)).status, forDoctor, path);
    assert.equal((await server.get(`/fhir/${path}`, patient)).status, forPatient, path);
    const said = JSON.parse(run(server, 'access', 'explain', 'pt', path, '--json'));
    assert.equal(said.allowed, forPatient === 200, said.verdict);
  }
  for (const type of ['Binary', 'Bundle', 'Group', 'Parameters'])
    assert.doesNotMatch((await server.get(`/fhir/${type}?_count=50`, patient)).text, /p1|nobody|both/, `${type} as a patient`);
});
