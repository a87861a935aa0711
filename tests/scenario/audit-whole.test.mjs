// SPDX-License-Identifier: Apache-2.0
// Every way in leaves an entry in the audit: what was given and what was refused, of each patient
// among it; by people, apps, strangers, and by those who sit at the machine itself.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { auditEntries } from '../lib/audit.mjs';
import { binary, spawnServer, startServer } from './server.mjs';

const cli = (folder, ...words) => execFileSync(binary, [...words, '--data', folder], { encoding: 'utf8' }).trim();
const bearer = (token) => ({ authorization: `Bearer ${token}` });
const form = (fields) => new URLSearchParams(fields).toString();
const SEALED = { meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'V' }] } };
const PATIENTS = 1100; // more than one entry holds

async function hospital(t) {
  const server = await startServer(t, { open: false, args: ['--set', 'auth.demo_code=demo', '--set', 'auth.refusals_per_minute=5'] });
  const all = bearer(cli(server.folder, 'token', '--scope', 'system/*.cruds'));
  for (const [name, role] of [['c.ald', 'caldicott'], ['n.urse', 'nurse'], ['p.at', 'patient']])
    cli(server.folder, 'user', 'add', name, '--role', role, ...(role === 'patient' ? ['--who', 'Patient/a'] : []));
  const put = async (resource) => assert.equal((await server.put(`/fhir/${resource.resourceType}/${resource.id}`, resource, all)).status, 201);
  for (const id of ['a', 'b', 'c'])
    await put({ resourceType: 'Patient', id, identifier: [{ system: 'urn:n', value: id }], name: [{ family: 'Doe' }] });
  await put({ resourceType: 'Patient', id: 'sealed', ...SEALED });
  await put({ resourceType: 'Observation', id: 'o', status: 'final', code: { text: 'x' }, subject: { reference: 'Patient/b' } });
  const session = async (name) => {
    const answer = await server.ask('POST', '/sign-in', { body: form({ name, code: 'demo', next: '/' }),
      headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    return { cookie: answer.headers.get('set-cookie').split(';')[0], origin: server.url };
  };
  return { server, all, nurse: await session('n.urse'), patient: await session('p.at'),
           coder: bearer(cli(server.folder, 'token', '--user', 'c.ald', '--scope', 'user/*.rs')) };
}

const batch = (...urls) => ({ resourceType: 'Bundle', type: 'batch', entry: urls.map((url) => ({ request: { method: 'GET', url } })) });

test('whatever is asked, by whomever, is in the audit with what became of it', async (t) => {
  const { server, all, nurse, patient, coder } = await hospital(t);
  const rows = [ // name, method, path, headers, body, status, [who, act, outcome] of each entry
    ['nobody', 'GET', '/fhir/Patient/a', {}, , 401, ['unknown read 2']],
    ['no token of ours', 'GET', '/fhir/Patient/a', bearer('fl_no'), , 401, ['unknown read 2']],
    ['no session of ours', 'GET', '/fhir/Patient/a', { cookie: `frontline_session=${'a'.repeat(43)}` }, , 401, ['unknown read 2']],
    ['a page without a session', 'GET', '/beds', { accept: 'text/html' }, , 303, ['unknown page 2']],
    ['a form of elsewhere', 'POST', '/fhir/Patient', { ...nurse, origin: 'https://evil.example' }, {}, 403, ['unknown create 2']],
    ['read', 'GET', '/fhir/Patient/a', coder, , 200, ['c.ald read 0']],
    ['not changed', 'GET', '/fhir/Patient/a', { ...coder, 'if-none-match': 'W/"1"' }, , 304, ['c.ald read 0']],
    ['head', 'HEAD', '/fhir/Patient/a', coder, , 200, ['c.ald read 0']],
    ['search', 'GET', '/fhir/Patient?name=Doe', coder, , 200, ['c.ald search 0']],
    ['history', 'GET', '/fhir/Patient/a/_history', coder, , 200, ['c.ald history 0']],
    ['graphql', 'GET', '/fhir/$graphql?query={Patient(id:"a"){id}}', coder, , 200, ['c.ald operation 0']],
    ['found instead of made', 'POST', '/fhir/Patient', { ...all, 'if-none-exist': 'identifier=urn:n|b' }, { resourceType: 'Patient' }, 200,
     ['client:operator search 0']],
    ['made', 'POST', '/fhir/Patient', all, { resourceType: 'Patient' }, 201, ['client:operator create 0']],
    ['not well formed', 'GET', '/fhir/Patient?nothing=1', coder, , 400, ['c.ald search 1']],
    ['not their type', 'POST', '/fhir/Patient', nurse, { resourceType: 'Patient' }, 403, ['n.urse create 2']],
    ['not their page', 'GET', '/privacy/access', nurse, , 403, ['n.urse page 2']],
    ['hidden', 'GET', '/fhir/Patient/sealed', nurse, , 404, ['n.urse read 2']],
    ['absent', 'GET', '/fhir/Patient/never', nurse, , 404, ['n.urse read 1']],
    ['of another', 'GET', '/fhir/Patient/b', patient, , 404, ['p.at read 2']],
    ['batch', 'POST', '/fhir', coder, batch('Patient/a', 'Observation?subject=Patient/b', 'Patient/never'), 200,
     ['c.ald read 0', 'c.ald search 0', 'c.ald read 1', 'c.ald operation 0']],
    ['hidden in a batch', 'POST', '/fhir', nurse, batch('Patient/sealed', 'Patient/a'), 200, ['n.urse read 2', 'n.urse read 2', 'n.urse operation 0']],
    ['hidden in a graph', 'GET', '/fhir/$graphql?query={Patient(id:"sealed"){id}}', nurse, , 404, ['n.urse operation 2']],
  ];
  for (const [name, method, path, headers, body, status] of rows) {
    const answer = await server.ask(method, path, { body, headers: { ...headers, 'x-request-id': name.replace(/ /g, '-') } });
    assert.equal(answer.status, status, `${name}: ${answer.text.slice(0, 300)}`);
  }
  for (let i = 0; i < 8; i++)
    await server.get('/fhir/Patient/a', { ...bearer(`fl_no${i}`), 'x-request-id': 'held-up' });
  for (let i = 0; i < 80; i++)
    await server.get('/fhir/Patient/a', { 'x-request-id': 'flood' });
  assert.equal(await server.stop(), 0);
  const entries = auditEntries(server.folder);
  const of = (request) => entries.filter((entry) => entry.request === request);
  for (const [name, , , , , , expected] of rows)
    assert.deepEqual(of(name.replace(/ /g, '-')).map((e) => `${e.who} ${e.act} ${e.outcome}`), expected, name);
  assert.deepEqual(of('batch').map((e) => e.what), ['Patient/a', 'Observation?subject=Patient/b', 'Patient/never', '/fhir']);
  assert.equal(of('search')[0].pids.length, 3);
  assert.deepEqual(of('found-instead-of-made')[0].pids, of('batch')[1].pids, 'whose record came back');
  assert.equal(of('hidden-in-a-graph')[0].pids.length, 1, 'whose record it was');
  assert.ok(of('held-up').length > 5, 'who is held up is in it, too');
  assert.ok(of('flood').length >= 30 && of('flood').length <= 60, `a flood of strangers is noted, and ends: ${of('flood').length}`);
  assert.match(of('flood').at(-1).reason, /not listed/);
  assert.equal(entries.filter((entry) => entry.act === 'account' && /^\/token: /.test(entry.what)).length, 2, 'tokens made at the machine');
  cli(server.folder, 'audit', 'verify');
});

test('each patient of an export or of a long list is named, and each act at the machine', async (t) => {
  const { server, all } = await hospital(t);
  const many = Array.from({ length: PATIENTS }, (_, n) => ({ request: { method: 'PUT', url: `Patient/m${n}` }, resource: { resourceType: 'Patient', id: `m${n}` } }));
  assert.equal((await server.post('/fhir', { resourceType: 'Bundle', type: 'transaction', entry: many }, all)).status, 200);
  const wait = async (started) => {
    const at = new URL(started.headers.get('content-location')).pathname;
    for (let answer; (answer = await server.get(at, all)).status !== 200;)
      assert.equal(answer.status, 202, answer.text);
  };
  await wait(await server.get('/fhir/Patient/$export', { ...all, prefer: 'respond-async' }));
  const at = mkdtempSync(join(tmpdir(), 'frontline-whole-'));
  t.after(() => rmSync(at, { recursive: true, force: true }));
  cli(server.folder, 'export', '--out', join(at, 'out'));
  cli(server.folder, 'backup', join(at, 'b'), '--plain');
  assert.equal(await server.stop(), 0);
  const script = 'import json,sqlite3,sys,subprocess\n' +
    'for t,b in sqlite3.connect(sys.argv[1]).execute("SELECT texts,bytes FROM audit_block ORDER BY n"):\n' +
    '  r=t if isinstance(t,bytes) else t.encode()\n' +
    '  sys.stdout.buffer.write(subprocess.run(["zstd","-dc"],input=r,stdout=-1).stdout if b else r)\n';
  const entries = execFileSync('python3', ['-c', script, join(server.folder, 'record.db')], { encoding: 'utf8', maxBuffer: 1 << 28 })
    .trim().split('\n').map((line) => JSON.parse(line));
  const exported = entries.filter((entry) => entry[4] === 'export' && entry[13].length);
  assert.equal(new Set(exported.flatMap((entry) => entry[13])).size, PATIENTS + 4, 'whose data left');
  assert.ok(exported.every((entry) => entry[1] === 'client:operator' && /\$export/.test(entry[5]) && entry[13].length <= 1000));
  const made = entries.filter((entry) => entry[4] === 'create' || entry[4] === 'update').filter((entry) => /^Patient\/m\d/.test(entry[5]));
  assert.equal(made.length, PATIENTS, 'each that a transaction writes');
  const acts = entries.filter((entry) => entry[3] === 'operator');
  for (const act of [/^frontline export --out /, /^frontline backup /])
    assert.ok(acts.some((entry) => act.test(entry[5]) && /^operator \S+ \(\d+\)$/.test(entry[1])), `${act} in ${acts.map((entry) => entry[5])}`);
  const restored = join(at, 'restored');
  execFileSync(binary, ['restore', join(at, 'b'), '--data', restored, '--plain']);
  assert.match(auditEntries(restored).at(-1).what, /^frontline restore /);
  assert.match(cli(restored, 'audit', 'verify'), /entries, head/);
});

test('an act at the machine that cannot be noted is not done', async (t) => {
  const server = await startServer(t, { open: false });
  await server.stop();
  execFileSync('sqlite3', [join(server.folder, 'record.db'),
    "CREATE TRIGGER no BEFORE INSERT ON audit_block BEGIN SELECT RAISE(ABORT, 'no'); END"]);
  const out = join(server.folder, 'out');
  const refused = spawnSync(binary, ['export', '--out', out, '--data', server.folder], { encoding: 'utf8' });
  assert.equal(refused.status, 1);
  assert.ok(!existsSync(out), 'nothing went out');
  assert.match(refused.stderr, /noted in the audit before it is done/);
  execFileSync('sqlite3', [join(server.folder, 'record.db'), 'DROP TRIGGER no']);
  cli(server.folder, 'export', '--out', out);
  assert.ok(existsSync(out));
});

test('a journal that is cut, removed or written over under a running server loses nothing that was answered', async (t) => {
  const server = await startServer(t, { open: false });
  const all = bearer(cli(server.folder, 'token', '--scope', 'system/*.cruds'));
  await server.put('/fhir/Patient/a', { resourceType: 'Patient', id: 'a' }, all);
  const journals = [0, 1].map((n) => join(server.folder, `audit.${n}`));
  const harms = [(at) => truncateSync(at, 0), (at) => truncateSync(at, 100), (at) => rmSync(at, { force: true }), (at) => { rmSync(at, { force: true }); writeFileSync(at, 'x'); chmodSync(at, 0o600); }];
  const answered = [];
  for (const [n, harm] of harms.entries())
    for (let i = 0; i < 8; i++) {
      if (i === 2)
        journals.forEach(harm);
      const request = `harm-${n}-${i}`, { status } = await server.get('/fhir/Patient/a', { ...all, 'x-request-id': request });
      assert.ok(status === 200 || status === 503, `${status}`);
      if (status === 200)
        answered.push(request);
    }
  assert.ok(answered.length > 20, `${answered.length} answered`);
  await server.stop('SIGKILL');
  const again = await spawnServer({ folder: server.folder, open: false });
  assert.equal(await again.stop(), 0);
  const noted = new Set(auditEntries(server.folder).map((entry) => entry.request));
  assert.deepEqual(answered.filter((request) => !noted.has(request)), []);
  assert.match(cli(server.folder, 'audit', 'verify'), /entries, head/);
});
