// SPDX-License-Identifier: Apache-2.0
// A person sees where they are signed in and which apps they allowed, and ends either: theirs alone, at once, without scripts.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { binary, spawnServer } from './server.mjs';

const asForm = { 'content-type': 'application/x-www-form-urlencoded' };
const form = (fields) => new URLSearchParams(fields).toString();
const BACK = 'http://127.0.0.1:9/back', SCOPE = 'patient/*.rs launch/patient offline_access';
let server;
const run = (...words) => execFileSync(binary, [...words, '--data', server.folder], { encoding: 'utf8' }).trim();
const post = (path, cookie, fields) => server.ask('POST', path, { body: form(fields), headers: { ...asForm, cookie, accept: 'text/html' } });
const page = async (path, cookie) => server.get(path, { cookie, accept: 'text/html' });

before(async () => {
  server = await spawnServer({ open: false, args: ['--set', 'auth.demo_code=demo'] });
  for (const [name, role, who] of [['a.khan', 'outreach', 'Practitioner/7'], ['b.jones', 'outreach', 'Practitioner/8'],
    ['ann.smith', 'patient', 'Patient/ann'], ['privacy.one', 'privacy_officer', 'Practitioner/9'], ['admin.one', 'system_admin', 'Practitioner/1']])
    run('user', 'add', name, '--role', role, '--who', who, '--display', name.toUpperCase());
  const all = { authorization: `Bearer ${run('token', '--scope', 'system/*.cruds')}` };
  await server.put('/fhir/Patient/ann', { resourceType: 'Patient', id: 'ann', name: [{ family: 'Smith' }] }, all);
  run('client', 'add', 'chart', '--name', 'Growth chart', '--redirect', BACK, '--scope', SCOPE);
});
after(() => server.stop());

async function signIn(name, agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0') {
  const answer = await server.ask('POST', '/sign-in', { body: form({ name, code: 'demo', next: '/' }), headers: { ...asForm, 'user-agent': agent } });
  return answer.headers.get('set-cookie').split(';')[0];
}
const csrfOf = (text) => /name="csrf" value="([^"]+)"/.exec(text)[1];
const idsOf = (text, name) => [...text.matchAll(new RegExp(`name="${name}" value="([^"]+)"`, 'g'))].map((found) => found[1]);

// An app that Ann, or whoever signs in, allows: its access and refresh tokens.
async function allowApp(cookie, more = {}) {
  const verifier = randomBytes(32).toString('base64url');
  const ask = form({ client_id: 'chart', redirect_uri: BACK, scope: SCOPE, state: 's', response_type: 'code', aud: `${server.url}/fhir`,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256' });
  const text = (await page(`/auth/authorize?${ask}`, cookie)).text;
  const answer = await post('/auth/authorize', cookie, { ask, csrf: csrfOf(text), answer: 'allow', ...more });
  const code = new URL(answer.headers.get('location')).searchParams.get('code');
  return (await post('/auth/token', '', { grant_type: 'authorization_code', client_id: 'chart', redirect_uri: BACK, code, code_verifier: verifier })).body;
}
const mayRead = async (token) => (await server.get('/fhir/Patient/ann', { authorization: `Bearer ${token}` })).status;

test('sign-ins are listed by device and ended one by one or all, and what is another\'s stays', async () => {
  const here = await signIn('a.khan'), phone = await signIn('a.khan', 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit Version/18.0 Safari/604.1');
  const edge = await signIn('a.khan', 'Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 Safari/537.36 Edg/130.0'), other = await signIn('b.jones');
  const { text } = await page('/account', here);
  for (const words of ['Firefox on Linux', 'Safari on iPhone', 'Edge on Windows', 'This one', 'from 127.0.0.1'])
    assert.match(text, new RegExp(words), words);
  const theirs = idsOf((await page('/account', phone)).text, 'session');
  assert.equal(theirs.length, 2, 'one\'s own is ended by signing out');
  const csrf = csrfOf(text), ids = idsOf(text, 'session');
  const others = await signIn('b.jones'), foreign = idsOf((await page('/account', others)).text, 'session')[0];
  for (const [row, fields, status] of [["another's", { csrf, session: foreign }, 404], ['none', { csrf, session: 'x' }, 404], ['nothing', { csrf }, 404],
    ['no csrf', { session: ids[0] }, 403], ["another's csrf", { csrf: csrfOf((await page('/account', other)).text), session: ids[0] }, 403]])
    assert.equal((await post('/account/sessions/end', here, fields)).status, status, row);
  assert.equal((await post('/account/sessions/end', '', { csrf, session: ids[0] })).status, 401);
  assert.equal((await page('/account', other)).status, 200, 'nothing of theirs has ended');
  const ended = await post('/account/sessions/end', here, { csrf, session: ids[1] });
  assert.equal(ended.headers.get('location'), '/account?done=session');
  assert.match((await page('/account?done=session', here)).text, /That sign-in has ended/);
  const alive = async (cookie) => (await page('/account', cookie)).status === 200;
  assert.deepEqual([await alive(here), await alive(edge), await alive(phone)].sort(), [false, true, true], 'ended by the next request');
  assert.equal((await post('/account/sessions/end', here, { csrf, session: ids[1] })).status, 404, 'ended already');
  assert.equal((await post('/account/sessions/end-others', here, { csrf })).status, 303);
  assert.deepEqual([await alive(here), await alive(edge), await alive(phone)], [true, false, false]);
});

test('a screen that is open elsewhere ends with its session, within a second', async () => {
  const there = await signIn('a.khan'), here = await signIn('a.khan');
  const path = /data-live="([^"]+)"/.exec((await page('/beds', there)).text)[1];
  const stream = await fetch(server.url + path, { headers: { cookie: there, accept: 'text/event-stream' } });
  assert.equal(stream.status, 200);
  const began = Date.now(), reader = stream.body.getReader(), decoder = new TextDecoder();
  const text = (await page('/account', here)).text;
  await post('/account/sessions/end-others', here, { csrf: csrfOf(text) });
  let heard = '';
  for (let part = await reader.read(); !part.done; part = await reader.read())
    heard += decoder.decode(part.value);
  assert.match(heard, /event: reload/);
  assert.ok(Date.now() - began < 2500, `${Date.now() - began} ms`);
});

test('an app that was allowed is shown in plain words and stopped, by its person alone', async () => {
  const ann = await signIn('ann.smith'), khan = await signIn('a.khan');
  const tokens = await allowApp(ann), own = await allowApp(khan, { patient: 'ann' });
  const { text } = await page('/account', ann);
  assert.match(text, /Growth chart[\s\S]*Look at, search: everything in the record/);
  assert.match(text, /also when you are signed out/);
  const csrf = csrfOf(text), [app] = idsOf(text, 'app'), khans = idsOf((await page('/account', khan)).text, 'app')[0];
  assert.equal(idsOf(text, 'app').length, 1);
  for (const [row, fields, status] of [["another's", { csrf, app: khans }, 404], ['none', { csrf, app: 'x' }, 404], ['empty', { csrf, app: '' }, 404],
    ['no csrf', { app }, 403]])
    assert.equal((await post('/account/apps/end', ann, fields)).status, status, row);
  assert.deepEqual([await mayRead(tokens.access_token), await mayRead(own.access_token)], [200, 200]);
  assert.equal((await post('/account/apps/end', ann, { csrf, app })).headers.get('location'), '/account?done=app');
  assert.deepEqual([await mayRead(tokens.access_token), await mayRead(own.access_token)], [401, 200], 'at once, and no other');
  const renewed = await post('/auth/token', '', { grant_type: 'refresh_token', client_id: 'chart', refresh_token: tokens.refresh_token });
  assert.equal(renewed.body.error, 'invalid_grant');
  assert.match((await page('/account', ann)).text, /None\. An app that asks/);
});

test('the navigation leads people to what they may open', async () => {
  const links = async (name, path = '/account') => (await page(path, await signIn(name))).text.match(/<nav aria-label="Main">[\s\S]*?<\/nav>/)[0];
  const patient = await links('ann.smith', '/my'), privacy = await links('privacy.one'), nurse = await links('a.khan'), admin = await links('admin.one');
  assert.match(patient, /href="\/my"[\s\S]*href="\/my\/access"[\s\S]*href="\/account"/);
  assert.doesNotMatch(patient, /privacy|browse/);
  assert.match(privacy, /href="\/privacy"[\s\S]*href="\/privacy\/access"/);
  assert.doesNotMatch(nurse, /href="\/privacy/);
  for (const [name, shown] of [['ann.smith', patient], ['privacy.one', privacy], ['a.khan', nurse], ['admin.one', admin]]) {
    const cookie = await signIn(name);
    for (const [, href] of shown.matchAll(/href="([^"]+)"/g))
      assert.equal((await page(href, cookie)).status, 200, `${name}: ${href}`);
  }
});

test('a field that comes twice is a 400 with a page that says so, and nothing is done', async () => {
  const cookie = await signIn('a.khan'), text = (await page('/account', cookie)).text, csrf = csrfOf(text);
  await signIn('a.khan');
  const session = idsOf((await page('/account', cookie)).text, 'session')[0];
  const send = (path, body) => server.ask('POST', path, { body, headers: { ...asForm, cookie, accept: 'text/html' } });
  const rows = [['/sign-in', 'name=a.khan&name=b.jones&code=demo'], ['/sign-in', 'name=a.khan&code=x&code=demo'],
    ['/account/sessions/end', `csrf=${csrf}&session=${session}&session=${session}`], ['/account/sessions/end-others', `csrf=${csrf}&csrf=${csrf}`],
    ['/step-up', `csrf=${csrf}&code=demo&next=/&next=//evil.example`], ['/sign-out', 'a=1&a=2']];
  for (const [path, body] of rows) {
    const answer = await send(path, body);
    assert.equal(answer.status, 400, `${path} ${body}: ${answer.status}`);
    assert.match(answer.text, /came twice[\s\S]*go back/, path);
    assert.match(answer.headers.get('content-type'), /text\/html/);
    assert.equal(answer.headers.get('set-cookie'), null, path);
  }
  const both = await send('/account/sessions/end', `csrf=${csrf}&session=${session}`);
  assert.equal(both.status, 303, 'it is there still');
  const read = await server.get('/account?next=/a&next=/b', { cookie, accept: 'text/html' });
  assert.equal(read.status, 400, 'in a query, too');
  const ask = form({ client_id: 'chart', redirect_uri: BACK, scope: SCOPE, response_type: 'code', aud: `${server.url}/fhir`, code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' });
  const answers = await send('/auth/authorize', `${form({ ask, csrf })}&answer=deny&answer=allow`);
  assert.equal(answers.status, 400, 'no and yes at once');
  const search = await server.get('/fhir/Patient?name=a&name=b', { authorization: `Bearer ${run('token', '--scope', 'system/*.rs')}` });
  assert.equal(search.status, 200, 'a FHIR search means both');
});
