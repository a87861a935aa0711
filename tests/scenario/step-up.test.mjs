// SPDX-License-Identifier: Apache-2.0
// Acts that ask for a fresh proof, on both sides of the five minutes; a role changed on the screen; and the head of the audit
// said to a real syslog socket.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { auditUntil } from '../lib/audit.mjs';
import { binary, spawnServer } from './server.mjs';

const asForm = { 'content-type': 'application/x-www-form-urlencoded' };
const form = (fields) => new URLSearchParams(fields).toString();
const MINUTES_5 = 5 * 60000;
let server, heard;
const run = (...words) => execFileSync(binary, [...words, '--data', server.folder], { encoding: 'utf8' }).trim();
const sql = (text) => execFileSync('python3', ['-c', `import sqlite3,sys
db = sqlite3.connect(sys.argv[1], timeout=10)
db.execute(sys.argv[2])
db.commit()`, join(server.folder, 'auth.db'), text]);
const get = (path, cookie) => server.get(path, { cookie, accept: 'text/html' });
const post = (path, cookie, fields) => server.ask('POST', path, { body: form(fields), headers: { ...asForm, cookie, accept: 'text/html', origin: server.url } });
const csrfOf = (text) => /name="csrf" value="([^"]+)"/.exec(text)[1];
const proved = (name, agoMs) => sql(`UPDATE sitting SET full_ms = ${Date.now() - agoMs} WHERE user = '${name}'`);

// A syslog of this machine: what it was told.
function listen(path) {
  const child = spawn('python3', ['-u', '-c', `import socket,sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('bound', flush=True)
while True:
    print(s.recv(4096).decode(), flush=True)`, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = [];
  let wake = () => {};
  child.stdout.on('data', (part) => { lines.push(...part.toString().split('\n').filter(Boolean)); wake(); });
  const until = async (fits) => {
    for (let line; ; await new Promise((woken) => { wake = woken; }))
      if ((line = lines.find((one) => fits.test(one)))) return line;
  };
  return { child, until };
}

before(async () => {
  const { mkdtempSync } = await import('node:fs');
  const { tmpdir } = await import('node:os');
  const folder = mkdtempSync(join(tmpdir(), 'frontline-step-')), path = join(folder, 'log');
  heard = listen(path);
  await heard.until(/bound/);
  server = await spawnServer({ open: false, args: ['--set', 'auth.demo_code=demo', '--set', 'audit.publish_syslog=yes',
    '--set', `audit.syslog_socket=${path}`, '--set', 'audit.publish_minutes=1'] });
  for (const [name, role, who] of [['a.khan', 'outreach', 'Practitioner/7'], ['b.jones', 'hca', 'Practitioner/8'], ['admin.one', 'system_admin', 'Practitioner/1'],
    ['ann', 'patient', 'Patient/p1']])
    run('user', 'add', name, '--role', role, '--who', who, '--display', name.toUpperCase());
  const all = { authorization: `Bearer ${run('token', '--scope', 'system/*.cruds')}` };
  await server.put('/fhir/Patient/p1', { resourceType: 'Patient', id: 'p1', name: [{ family: 'Lee' }] }, all);
  await server.put('/fhir/Condition/c1', { resourceType: 'Condition', id: 'c1', code: { text: 'x' }, subject: { reference: 'Patient/p1' } }, all);
});
after(async () => { heard.child.kill(); await server.stop(); });

async function signIn(name) {
  const answer = await server.ask('POST', '/sign-in', { body: form({ name, code: 'demo', next: '/' }), headers: asForm });
  return answer.headers.get('set-cookie').split(';')[0];
}

test('each act is done just before its proof is too old, and refused just after, with the way to prove it', async () => {
  const khan = await signIn('a.khan'), admin = await signIn('admin.one');
  const label = async (n) => (await server.put('/fhir/Condition/c1', { resourceType: 'Condition', id: 'c1', code: { text: String(n) }, subject: { reference: 'Patient/p1' },
    meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: ['NOPAT', 'STD', 'EMP'][n] }] } }, { cookie: khan, origin: server.url }));
  const rows = [
    ['a.khan', 'emergency access', () => get('/break-glass/p1', khan), (a) => a.status === 200, (a) => a.headers.get('location') === '/step-up?next=%2Fbreak-glass%2Fp1'],
    ['admin.one', 'change of a role', () => get('/people/b.jones', admin), (a) => a.status === 200, (a) => a.headers.get('location') === '/step-up?next=%2Fpeople%2Fb.jones'],
    ['a.khan', 'end of a sign-in elsewhere', async () => post('/account/sessions/end-others', khan, { csrf: csrfOf((await get('/step-up', khan)).text) }),
      (a) => a.status === 303, (a) => a.status === 403 && /step-up/.test(a.text)],
  ];
  for (const [name, row, act, done, refused] of rows) {
    for (const [agoMs, judge] of [[MINUTES_5 - 15000, done], [MINUTES_5 + 1000, refused], [0, done]]) {
      proved(name, agoMs);
      const answer = await act();
      assert.ok(judge(answer), `${row}, proved ${agoMs} ms ago: ${answer.status} ${answer.headers.get('location')} ${answer.text.slice(0, 300)}`);
    }
  }
  for (const [agoMs, n, status] of [[MINUTES_5 - 15000, 0, 200], [MINUTES_5 + 1000, 1, 403], [0, 2, 200]]) {
    proved('a.khan', agoMs);
    const answer = await label(n);
    assert.equal(answer.status, status, `label, ${agoMs}: ${answer.text}`);
    if (status === 403)
      assert.match(answer.text, /no older than 5 minutes.*\/step-up/);
  }
});

test('an app\'s token is as fresh as it is young', async () => {
  const token = run('token', '--scope', 'user/*.cruds', '--user', 'a.khan'), headers = { authorization: `Bearer ${token}` };
  const label = (code) => server.put('/fhir/Condition/c1', { resourceType: 'Condition', id: 'c1', code: { text: code }, subject: { reference: 'Patient/p1' },
    meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code }] } }, headers);
  assert.equal((await label('NOPAT')).status, 200);
  sql(`UPDATE token SET issued_ms = ${Date.now() - MINUTES_5 - 1000} WHERE user = 'a.khan'`);
  await new Promise((wait) => setTimeout(wait, 600)); // what is known of a token is half a second old at most
  assert.equal((await label('STD')).status, 403);
});

test('a stale proof is made fresh by a code, and leads back', async () => {
  const khan = await signIn('a.khan');
  proved('a.khan', MINUTES_5 + 1000);
  const csrf = csrfOf((await get('/step-up?next=/break-glass/p1', khan)).text);
  assert.equal((await post('/step-up', khan, { csrf, code: 'wrong', next: '/break-glass/p1' })).status, 401);
  assert.equal((await get('/break-glass/p1', khan)).status, 303, 'still stale');
  const back = await post('/step-up', khan, { csrf, code: 'demo', next: '/break-glass/p1' });
  assert.equal(back.headers.get('location'), '/break-glass/p1');
  assert.equal((await get('/break-glass/p1', khan)).status, 200);
});

test('an administrator changes a role: noted, in force at once, and neither their own nor a patient\'s', async () => {
  const admin = await signIn('admin.one'), khan = await signIn('a.khan'), jones = await signIn('b.jones');
  assert.equal((await get('/people', khan)).status, 403);
  assert.equal((await post('/people/b.jones', khan, { role: 'consultant' })).status, 403);
  const list = (await get('/people', admin)).text;
  assert.match(list, /B\.JONES[\s\S]*Healthcare assistant/);
  assert.doesNotMatch(list, />ann</, 'patients are not staff');
  assert.equal((await get('/people/ann', admin)).status, 404);
  assert.equal((await get('/people/nobody', admin)).status, 404);
  const page = (await get('/people/b.jones', admin)).text, csrf = csrfOf(page);
  assert.match(page, /value="nurse"/);
  assert.doesNotMatch(page, /value="(patient|proxy|service|claimant)"/);
  for (const [row, path, fields, status] of [['no such role', '/people/b.jones', { csrf, role: 'god' }, 400], ['none', '/people/b.jones', { csrf }, 400],
    ['a service', '/people/b.jones', { csrf, role: 'service' }, 400], ['their own', '/people/admin.one', { csrf, role: 'consultant' }, 400],
    ['no csrf', '/people/b.jones', { role: 'nurse' }, 403], ['a patient', '/people/ann', { csrf, role: 'nurse' }, 404]])
    assert.equal((await post(path, admin, fields)).status, status, row);
  assert.equal((await get('/break-glass/p1', jones)).status, 403, 'an assistant has no emergency access');
  assert.equal((await post('/people/b.jones', admin, { csrf, role: 'nurse' })).headers.get('location'), '/people?done=role');
  assert.equal((await get('/break-glass/p1', jones)).status, 200, 'a nurse has, in the same session');
  const noted = await auditUntil(server.folder, (e) => /^\/people\/b.jones role hca to nurse/.test(e.what));
  assert.deepEqual(noted.map((e) => [e.who, e.outcome]), [['admin.one', 0]]);
});

test('the head of the audit is said to the machine\'s syslog, and is the chain\'s own', async () => {
  await server.stop(); // it says so now and then while the chain grows, and always at the end
  const line = await heard.until(/audit head/);
  assert.match(line, /^<85>frontline\[\d+\]: audit head \d{4}-\d\d-\d\dT\S+ \d+ [0-9a-f]{64}$/);
  const file = join(server.folder, 'heads.txt');
  (await import('node:fs')).writeFileSync(file, line.replace(/^.*audit head /, '') + '\n');
  assert.match(run('audit', 'verify', '--heads', file), /./);
});
