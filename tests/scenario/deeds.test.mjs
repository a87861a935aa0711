// SPDX-License-Identifier: Apache-2.0
// What is done to accounts, sign-ins, keys, badges and apps stands in the audit: by whom, once, however it was done.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { auditEntries } from '../lib/audit.mjs';
import { Authenticator } from '../lib/authenticator.mjs';
import { binary, spawnServer } from './server.mjs';

const asForm = { 'content-type': 'application/x-www-form-urlencoded' };
const form = (fields) => new URLSearchParams(fields).toString();
const MINUTE = 60000, HOUR = 60 * MINUTE;
let server;
const run = (...words) => execFileSync(binary, [...words, '--data', server.folder], { encoding: 'utf8' }).trim();
const options = { open: false, args: ['--set', 'auth.demo_code=demo', '--set', 'auth.registration=yes'] };
const sql = (text) => execFileSync('python3', ['-c', `import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=10)
db.execute(sys.argv[2]); db.commit()`, join(server.folder, 'auth.db'), text]);

before(async () => {
  server = await spawnServer(options);
  server.url = server.url.replace('127.0.0.1', 'localhost');
  for (const name of ['a.khan', 'b.jones', 'c.lee']) run('user', 'add', name, '--role', 'nurse', '--who', `Practitioner/${name[0]}`);
});
after(() => server.stop());

const post = (path, cookie, fields, more = {}) => server.ask('POST', path, { body: form(fields), headers: { ...asForm, cookie, accept: 'text/html', ...more } });
const json = (path, cookie, body) => server.ask('POST', path, { body: JSON.stringify(body),
  headers: { 'content-type': 'application/json', accept: 'application/json', origin: server.url, cookie } });
async function signIn(name, cookie = '') {
  const answer = await post('/sign-in', cookie, { name, code: 'demo', next: '/' });
  assert.equal(answer.status, 303, answer.text);
  return answer.headers.getSetCookie().find((line) => line.startsWith('frontline_session')).split(';')[0];
}
const page = async (path, cookie) => (await server.get(path, { cookie, accept: 'text/html' })).text;
const csrfOf = (text) => /name="csrf" value="([^"]+)"/.exec(text)[1];

// Waits for as many entries as the rows say, and gives the texts of all that came since `from`.
async function told(from, expected) {
  const until = Date.now() + 8000;
  for (;;) {
    const fresh = auditEntries(server.folder).slice(from).filter((e) => ['sign-out', 'account', 'sign-in'].includes(e.act))
      .map((e) => `${e.who} ${e.act} ${e.what} ${e.outcome}`);
    const missing = expected.filter((text) => !fresh.includes(text));
    if (!missing.length) {
      for (const text of expected)
        assert.equal(fresh.filter((one) => one === text).length, expected.filter((one) => one === text).length, `once: ${text}`);
      return fresh;
    }
    assert.ok(Date.now() < until, `not told: ${missing.join('; ')}\nbut ${fresh.join('\n')}`);
    await new Promise((wait) => setTimeout(wait, 150));
  }
}
const now = () => auditEntries(server.folder).length;

test('signing out, ending a sign-in elsewhere and ending all others', async () => {
  const from = now(), here = await signIn('a.khan'), there = await signIn('a.khan');
  await signIn('a.khan');
  const { csrf, id } = await page('/account', here).then((text) => ({ csrf: csrfOf(text), id: /name="session" value="([^"]+)"/.exec(text)[1] }));
  assert.equal((await post('/account/sessions/end', here, { csrf, session: id })).status, 303);
  assert.equal((await post('/account/sessions/end-others', here, { csrf })).status, 303);
  await post('/sign-out', here, {});
  await post('/sign-out', there, {}); // ended already: nothing more is told
  await told(from, ['a.khan sign-out /sign-out: from elsewhere 0', 'a.khan sign-out /sign-out: from elsewhere 0', 'a.khan sign-out /sign-out: by its person 0']);
});

test('left idle and past the absolute end: ended by themselves, just after the limit and not before', async () => {
  const from = now(), khan = await signIn('a.khan'), jones = await signIn('b.jones'), lee = await signIn('c.lee');
  sql(`UPDATE sitting SET seen_ms = ${Date.now() - 5 * MINUTE - 1000} WHERE user = 'a.khan'`);
  sql(`UPDATE sitting SET seen_ms = ${Date.now() - 4 * MINUTE} WHERE user = 'b.jones'`);
  sql(`UPDATE sitting SET begun_ms = ${Date.now() - 12 * HOUR - 1000} WHERE user = 'c.lee'`);
  const all = await told(from, ['a.khan sign-out /sign-out: left idle 0', 'c.lee sign-out /sign-out: the absolute end 0']);
  assert.deepEqual(all.filter((text) => text.startsWith('b.jones sign-out')), [], 'not yet');
  const states = await Promise.all([khan, jones, lee].map((cookie) => server.get('/account', { cookie, accept: 'text/html' })));
  assert.deepEqual(states.map((a) => a.status), [303, 200, 303]);
});

test('a shared workstation: locked by its person, a badge, idleness, somebody else; and the session that came anew', async () => {
  const { code, reader } = JSON.parse(run('workstation', 'add', 'desk', '--zone', 'public', '--json'));
  const from = now();
  run('user', 'badge', 'add', 'a.khan', '8a1f03c77be2', '--kind', 'desfire-ev3');
  const claimed = await server.ask('POST', '/workstation', { body: form({ id: 'desk', code }), headers: { ...asForm, origin: server.url } });
  const place = claimed.headers.get('set-cookie').split(';')[0];
  const tap = async (event) => (await server.ask('POST', '/auth/tap', { body: JSON.stringify({ badge: '8a1f03c77be2', event }),
    headers: { authorization: `Bearer ${reader}`, 'content-type': 'application/json' } })).status;
  const khan = await signIn('a.khan', place);
  assert.equal((await post('/workstation/lock', khan, {}, { origin: server.url })).status, 303);
  assert.equal(await tap('in'), 200);
  const moved = (await server.get('/sign-in', { cookie: place, accept: 'text/html' })).headers.getSetCookie().find((l) => l.startsWith('frontline_session')).split(';')[0];
  assert.equal(await tap('out'), 200);
  const jones = await signIn('b.jones', place); // khan is locked: b.jones sits there now
  const again = await signIn('a.khan', place);
  await told(from, ['operator account /people: given a badge, desfire-ev3 (a.khan) 0', 'unknown account /workstation: taken by a browser, desk 0',
    'a.khan sign-out /workstation/lock: by its person 0', 'a.khan sign-out /workstation/lock: by a badge 0',
    'b.jones sign-out /workstation/lock: somebody else signed in there 0', 'a.khan sign-out /sign-out: signed in at a workstation anew 0',
    'a.khan sign-in /sign-in by badge 0']);
  sql(`UPDATE sitting SET seen_ms = ${Date.now() - MINUTE - 1000} WHERE user = 'a.khan' AND place = 'desk'`);
  await told(from, ['a.khan sign-out /workstation/lock: left idle 0']);
  for (const cookie of [khan, moved, jones, again])
    assert.equal((await server.get('/workstation/state', { cookie })).status, 401);
  assert.equal(await tap('in'), 200, 'locked by idleness, a badge opens it');
});

test('keys: enrolled, refused, used for a step-up, ended by their owner and by an operator', async () => {
  sql("DELETE FROM sitting WHERE user = 'a.khan'");
  const from = now(), cookie = await signIn('a.khan');
  const enrol = async (key, how) => {
    const asked = (await json('/auth/passkey/challenge', cookie, { purpose: 'enrol' })).body;
    return (await json('/auth/passkey/enrol', cookie, { ...key.create(asked, { origin: server.url, ...how }), name: 'key', next: '/' })).status;
  };
  const key = new Authenticator('ES256'), second = new Authenticator('ES256');
  assert.equal(await enrol(key, {}), 200);
  assert.equal(await enrol(second, {}), 200);
  assert.ok(await enrol(new Authenticator('ES256'), { origin: 'https://evil.example' }) >= 400);
  const stepUp = async (how) => {
    const asked = (await json('/auth/passkey/challenge', cookie, { purpose: 'step-up' })).body;
    return (await json('/auth/passkey/step-up', cookie, { ...key.get(asked, { origin: server.url, ...how }), next: '/' })).status;
  };
  assert.equal(await stepUp({ count: 5 }), 200);
  assert.equal(await stepUp({ count: 6, tamper: true }), 401);
  const csrf = csrfOf(await page('/account', cookie));
  assert.equal((await post('/step-up', cookie, { csrf, code: 'wrong', next: '/' })).status, 401);
  assert.equal((await post('/account/remove', cookie, { csrf, key: second.id.toString('base64url') })).status, 303);
  run('user', 'key', 'revoke', 'a.khan', key.id.toString('base64url'));
  assert.equal((await server.get('/account', { cookie, accept: 'text/html' })).status, 303, 'and the sessions with it');
  await told(from, ['a.khan account /account: a passkey was enrolled 0', 'a.khan account /account: a passkey was enrolled 0',
    'a.khan sign-in /account: a passkey was not enrolled 2', 'a.khan sign-in /step-up by passkey 0', 'a.khan sign-in /step-up by passkey 2',
    'a.khan sign-in /step-up by code 2', 'a.khan account /account: a passkey was ended, by its owner 0',
    'operator account /account: a passkey was ended, by the administrator (a.khan) 0',
    'operator sign-out /sign-out: a key of theirs was ended (a.khan) 0']);
});

test('apps: registered, allowed, ended by their person, by a stolen token, by an operator', async () => {
  const from = now(), back = 'http://127.0.0.1:9/back', scope = 'user/*.rs offline_access';
  run('client', 'add', 'chart', '--redirect', back, '--scope', scope);
  const own = await server.ask('POST', '/auth/register', { body: JSON.stringify({ redirect_uris: [back], scope, client_name: 'Own' }), headers: { 'content-type': 'application/json' } });
  assert.equal(own.status, 201, own.text);
  const cookie = await signIn('b.jones');
  const verifier = 'v'.repeat(43), challenge = (await import('node:crypto')).createHash('sha256').update(verifier).digest('base64url');
  const ask = form({ client_id: 'chart', redirect_uri: back, scope, state: 's', response_type: 'code', aud: `${server.url}/fhir`, code_challenge: challenge, code_challenge_method: 'S256' });
  const allow = async () => {
    const answer = await post('/auth/authorize', cookie, { ask, csrf: csrfOf(await page(`/auth/authorize?${ask}`, cookie)), answer: 'allow' });
    const code = new URL(answer.headers.get('location')).searchParams.get('code');
    return (await post('/auth/token', '', { grant_type: 'authorization_code', client_id: 'chart', redirect_uri: back, code, code_verifier: verifier })).body;
  };
  const renew = (refresh_token) => post('/auth/token', '', { grant_type: 'refresh_token', client_id: 'chart', refresh_token });
  const stolen = await allow(), kept = await allow();
  assert.equal((await renew(stolen.refresh_token)).status, 200);
  assert.equal((await renew(stolen.refresh_token)).status, 400);
  const account = await page('/account', cookie);
  assert.equal((await post('/account/apps/end', cookie, { csrf: csrfOf(account), app: /name="app" value="([^"]+)"/.exec(account)[1] })).status, 303);
  assert.equal((await renew(kept.refresh_token)).status, 400);
  const last = await allow();
  assert.deepEqual(JSON.parse(run('client', 'list', '--json')).filter((c) => c.client_id === 'chart')
    .map((c) => [c.redirect_uris, c.scope, c.proves_itself_by, c.ended]), [[[back], scope, 'public', false]]);
  run('client', 'end', 'chart');
  await new Promise((wait) => setTimeout(wait, 700)); // what is known of a token is half a second old at most
  assert.equal((await server.get('/fhir/Patient', { authorization: `Bearer ${last.access_token}` })).status, 401);
  assert.equal((await renew(last.refresh_token)).status, 401);
  assert.ok((await server.get(`/auth/authorize?${ask}`, { cookie, accept: 'text/html' })).status >= 400, 'nobody is sent to it');
  assert.match(run('client', 'list'), /^chart +public .*\(ended\)$/m);
  const allowed = `b.jones account /auth/authorize: allowed chart ${scope} 0`;
  await told(from, ['operator account /client: registered (client:chart) 0', `client:${own.body.client_id} account /client: registered 0`, allowed, allowed, allowed,
    'b.jones account /auth/authorize: ended chart, its refresh token came a second time 0',
    'b.jones account /auth/authorize: ended chart, taken back by its person 0', 'operator account /client: ended (client:chart) 0']);
});

test('what operators do, while the server runs and while it does not, and how it looks as FHIR', async () => {
  const from = now();
  await signIn('c.lee');
  run('user', 'key', 'add-code', 'c.lee');
  run('user', 'role', 'c.lee', 'doctor');
  run('user', 'disable', 'c.lee');
  run('user', 'enable', 'c.lee');
  const token = run('token', '--scope', 'system/AuditEvent.rs', '--minutes', '5');
  await told(from, ['operator account /people: a one-time code was made (c.lee) 0', 'operator account /people: given the role doctor (c.lee) 0',
    'operator sign-out /sign-out: the account was closed (c.lee) 0', 'operator account /people: closed (c.lee) 0', 'operator account /people: opened again (c.lee) 0',
    'operator account /token: 5 minutes for system/AuditEvent.rs 0']);
  const headers = { authorization: `Bearer ${token}` };
  for (const [subtype, type, words] of [['110122', '110114', '/sign-in by demo'], ['110123', '110114', '/sign-out: the account was closed (c.lee)'], ['110137', '110113', '/people: closed (c.lee)']]) {
    const { body } = await server.get(`/fhir/AuditEvent?subtype=${subtype}&_count=50`, headers);
    const found = body.entry.map((e) => e.resource).filter((e) => e.entity.some((x) => x.description === words));
    assert.ok(found.length, words);
    assert.deepEqual([found[0].type.code, found[0].subtype[0].code], [type, subtype]);
  }
  await server.stop();
  const before = now();
  run('user', 'add', 'd.new', '--role', 'nurse');
  for (const [what, words] of [['no such role', ['user', 'role', 'd.new', 'king']], ['nobody', ['user', 'disable', 'nobody']]])
    assert.throws(() => execFileSync(binary, [...words, '--data', server.folder], { stdio: 'pipe' }), what);
  const { folder } = server;
  server = await spawnServer({ ...options, folder });
  const fresh = await told(before, ['operator account /people: added as nurse (d.new) 0']);
  assert.ok(!fresh.some((text) => /king|nobody/.test(text)), 'what was refused was not done');
  run('audit', 'verify');
});
