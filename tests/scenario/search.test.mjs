// SPDX-License-Identifier: Apache-2.0
// Search parameters of the server's own: posted, indexed while the server works, killed and resumed.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { frontline, Server } from '../lib/server.mjs';

const people = 16000;
const town = {
  resourceType: 'SearchParameter', id: 'town', url: 'http://example.org/town', name: 'Town', status: 'active',
  description: 'where people live', code: 'town', base: ['Patient'], type: 'string',
  expression: 'Patient.address.where(use = \'home\').city',
};
const patient = (n, city) => ({ resourceType: 'Patient', id: `p${n}`,
                                address: [{ use: 'home', city }, { use: 'work', city: 'Hull' }] });

async function filled(t, count) {
  const folder = mkdtempSync(join(tmpdir(), 'frontline-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'people.ndjson'), data = join(folder, 'data');
  const lines = Array.from({ length: count },
                           (_, n) => JSON.stringify(patient(n, n % 4 ? 'Leeds' : 'York')));
  writeFileSync(file, `${lines.join('\n')}\n`);
  const made = await frontline(['import', '--data', data, file]);
  assert.equal(made.code, 0, made.stderr);
  return data;
}

const part = (parameter, name) => {
  const found = parameter?.part.find((one) => one.name === name);
  return found?.valueCode ?? found?.valueInteger ?? found?.valueString;
};
async function status(server) {
  const answer = await server.send('GET', '/fhir/SearchParameter/$status');
  assert.equal(answer.status, 200);
  return answer.body.parameter?.[0];
}
async function until(server, wanted) {
  for (let i = 0; i < 600; i++) {
    const now = await status(server);
    if (wanted(now)) return now;
    await sleep(5);
  }
  throw new Error('it never came');
}
const total = async (server, query) => (await server.send('GET', `/fhir/Patient?_summary=count&${query}`)).body.total;
const isActive = (now) => part(now, 'state') === 'active';

test('a parameter posted is indexed in the background, and resumed after a kill', async (t) => {
  const data = await filled(t, people);
  let server = await Server.start({ folder: data });
  assert.equal((await server.send('PUT', '/fhir/SearchParameter/town', town)).status, 201);
  const early = await server.send('GET', '/fhir/Patient?town=york&_count=1&_total=accurate');
  assert.equal(early.body.total, people / 4, 'whole from the first moment');
  if (!isActive(await status(server))) {
    const outcome = early.body.entry.find((entry) => entry.search.mode === 'outcome');
    assert.match(outcome?.resource.issue[0].diagnostics ?? 'indexed (0 %)', /indexed \(\d+ %\)/);
  }
  const before = await until(server, (now) => part(now, 'done') > 0);
  const inTheMiddle = part(before, 'state') === 'building';
  await server.stop('SIGKILL');

  server = await Server.start({ folder: data });
  t.after(() => server.stop());
  if (inTheMiddle) assert.ok(part(await status(server), 'done') >= part(before, 'done'), 'it goes on where it was');
  assert.equal(await total(server, 'town=york'), people / 4, 'whole while it is resumed');
  await server.send('PUT', '/fhir/Patient/p0', patient(0, 'Leeds'));
  assert.equal(await total(server, 'town=york'), people / 4 - 1);
  await until(server, isActive);
  assert.ok(inTheMiddle, 'the kill came in the middle');
  assert.equal(await total(server, 'town=york'), people / 4 - 1);
  assert.equal(await total(server, 'town=hull'), 0);
  const metadata = (await server.send('GET', '/fhir/metadata')).body;
  const listed = metadata.rest[0].resource.find((r) => r.type === 'Patient').searchParam;
  assert.ok(listed.some((p) => p.name === 'town' && p.definition === town.url && p.type === 'string'));
  assert.match((await server.send('GET', '/metrics')).body,
               /frontline_search_parameter_left\{base="Patient",code="town",state="active"\} 0/);

  assert.equal((await server.send('DELETE', '/fhir/SearchParameter/town')).status, 204);
  await until(server, (now) => now === undefined);
  const gone = await server.send('GET', '/fhir/Patient?town=york');
  assert.equal(gone.status, 400);
  assert.match(gone.body.issue[0].diagnostics, /"town" is not a search parameter of Patient/);
  await sleep(300);
  const checked = await frontline(['check', '--data', data]);
  assert.equal(checked.code, 0, checked.stdout);
});

test('a parameter that cannot take effect is refused where its author sees it', async (t) => {
  const server = await Server.start();
  t.after(() => server.stop());
  const rows = [
    [{ expression: 'Patient.name.' }, /not FHIRPath/], [{ code: 'gender' }, /FHIR's own/],
    [{ base: ['Patience'] }, /"Patience" is not /], [{ type: 'special' }, /said in words/],
    [{ code: 'to.wn' }, /cannot be a parameter's code/],
  ];
  for (const [change, says] of rows) {
    const answer = await server.send('POST', '/fhir/SearchParameter', { ...town, id: undefined, ...change });
    assert.ok([400, 422].includes(answer.status), `${answer.status} ${JSON.stringify(change)}`);
    assert.match(answer.body.issue.map((issue) => issue.diagnostics).join(), says);
  }
  const draft = await server.send('PUT', '/fhir/SearchParameter/d', { ...town, id: 'd', status: 'draft' });
  assert.equal(draft.status, 201);
  const why = await server.send('GET', '/fhir/SearchParameter/d/$status');
  assert.match(part(why.body.parameter[0], 'reason'), /status is active/);
});

test('a search that costs too much is refused or stopped, and holds nothing', async (t) => {
  const data = await filled(t, 3000);
  const server = await Server.start({ folder: data, args: ['--set', 'http.work_ms=200'] });
  t.after(() => server.stop());
  const refused = await server.send(
    'GET', '/fhir/Observation?focus._has:Observation:focus:focus._has:Observation:focus:focus._id=x');
  assert.equal(refused.status, 413);
  assert.match(refused.body.issue[0].diagnostics, /name the type of each reference/);
  const slow = `/fhir/Patient?_filter=${encodeURIComponent(Array(200).fill('active ne true').join(' or '))}`;
  const stopped = await Promise.all(Array.from({ length: 60 }, () => server.send('GET', slow)));
  for (const answer of stopped) {
    assert.equal(answer.status, 503, JSON.stringify(answer.body));
    assert.equal(answer.body.issue[0].code, 'transient');
    assert.match(answer.body.issue[0].diagnostics, /\w{3}/);
  }
  const after = await server.send('GET', '/fhir/Patient?address-city=york&_summary=count');
  assert.equal(after.body.total, 750);
  assert.equal((await server.send('PUT', '/fhir/Patient/p1', patient(1, 'York'))).status, 200);
});
