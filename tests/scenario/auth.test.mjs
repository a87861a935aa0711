// SPDX-License-Identifier: Apache-2.0
// Who may see what, over HTTP: tokens, SMART's flows with a real client, sign-in, and the audit.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as oidc from 'openid-client';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { auditUntil } from '../lib/audit.mjs';
import { binary, root, startServer } from './server.mjs';

const run = (server, ...words) =>
  execFileSync(binary, [...words, '--data', server.folder], { encoding: 'utf8' }).trim();
const bearer = (token) => ({ authorization: `Bearer ${token}` });
const token = (server, scope, ...more) => bearer(run(server, 'token', '--scope', scope, ...more));
const closed = (t, args = []) => startServer(t, { open: false, args });
const everything = 'system/*.cruds';
const form = (fields) => new URLSearchParams(fields).toString();
const asForm = { 'content-type': 'application/x-www-form-urlencoded' };

test('without a token the record is closed, and says how to get in', async (t) => {
  const server = await closed(t);
  for (const path of ['/fhir/Patient', '/fhir/Patient/1', '/fhir', '/fhir/_history']) {
    const answer = await server.get(path);
    assert.equal(answer.status, 401, path);
    assert.match(answer.headers.get('www-authenticate'), /^Bearer/);
    assert.match(answer.text, /frontline token/);
  }
  assert.equal((await server.post('/fhir/Patient', { resourceType: 'Patient' })).status, 401);
  for (const path of ['/fhir/metadata', '/fhir/.well-known/smart-configuration', '/health'])
    assert.equal((await server.get(path)).status, 200, path);
  assert.equal((await server.get('/fhir/Patient', bearer('fl_guess'))).status, 401);
});

test('a token opens the types and actions of its scopes and no others', async (t) => {
  const server = await closed(t);
  const all = token(server, everything), read = token(server, 'system/Patient.rs');
  const made = await server.post('/fhir/Patient', { resourceType: 'Patient' }, all);
  assert.equal(made.status, 201, made.text);
  const path = `/fhir/Patient/${made.body.id}`;
  assert.equal((await server.get(path, read)).status, 200);
  assert.equal((await server.get('/fhir/Observation', read)).status, 403);
  assert.equal((await server.post('/fhir/Patient', { resourceType: 'Patient' }, read)).status, 403);
  assert.equal((await server.put(path, { ...made.body, active: true }, read)).status, 403);
  assert.equal((await server.delete(path, read)).status, 403);
  assert.equal((await server.get(path, all)).body.meta.versionId, '1');
});

test('a transaction cannot do what its token may not', async (t) => {
  const server = await closed(t);
  const entry = (type) => ({ resource: { resourceType: type },
                             request: { method: 'POST', url: type } });
  const bundle = { resourceType: 'Bundle', type: 'transaction',
                   entry: [entry('Patient'), entry('Basic')] };
  bundle.entry[1].resource.code = { text: 'x' };
  const refused = await server.post('/fhir', bundle, token(server, 'system/Patient.cruds'));
  assert.equal(refused.status, 403, refused.text);
  const left = await server.get('/fhir/Patient/_history', token(server, everything));
  assert.equal(left.body.total, 0, 'nothing of the transaction was kept');
});

test('a restricted entry leaves no trace for who may not see it', async (t) => {
  const server = await closed(t);
  const all = token(server, everything);
  const patient = (await server.post('/fhir/Patient', { resourceType: 'Patient' }, all)).body;
  const security = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality',
                      code: 'V' }];
  const hidden = await server.post('/fhir/Condition', { resourceType: 'Condition',
    meta: { security }, subject: { reference: `Patient/${patient.id}` } }, all);
  assert.equal(hidden.status, 201, hidden.text);
  run(server, 'user', 'add', 'out.reach', '--role', 'outreach');
  const nurse = token(server, 'user/*.cruds', '--user', 'out.reach');
  assert.equal((await server.get(`/fhir/Patient/${patient.id}`, nurse)).status, 200);
  const absent = await server.get('/fhir/Condition/no-such', nurse);
  const there = await server.get(`/fhir/Condition/${hidden.body.id}`, nurse);
  assert.equal(there.status, absent.status);
  assert.equal(there.text.replaceAll(hidden.body.id, 'ID'), absent.text.replaceAll('no-such', 'ID'));
});

test('disabling a person and revoking a token hold within a second', async (t) => {
  const server = await closed(t);
  run(server, 'user', 'add', 'out.reach', '--role', 'outreach');
  const first = run(server, 'token', '--user', 'out.reach', '--scope', 'user/*.rs');
  const second = run(server, 'token', '--user', 'out.reach', '--scope', 'user/*.rs');
  const status = async (text) => (await server.get('/fhir/_history', bearer(text))).status;
  assert.deepEqual([await status(first), await status(second)], [200, 200]);
  run(server, 'token', '--revoke', first);
  await new Promise((done) => setTimeout(done, 700));
  assert.deepEqual([await status(first), await status(second)], [401, 200]);
  run(server, 'user', 'disable', 'out.reach');
  await new Promise((done) => setTimeout(done, 700));
  assert.equal(await status(second), 401);
});

async function signIn(server, name, code) {
  const answer = await server.ask('POST', '/sign-in', { body: form({ name, code, next: '/' }),
                                                        headers: asForm });
  return answer.status === 303 ? answer.headers.get('set-cookie').split(';')[0] : null;
}

test('the demonstration code signs in on loopback, a wrong one does not', async (t) => {
  const server = await closed(t, ['--set', 'auth.demo_code=let-me-see']);
  run(server, 'user', 'add', 'a.khan', '--role', 'nurse', '--display', 'Aisha Khan');
  assert.match((await server.get('/sign-in')).text, /Aisha Khan/);
  assert.equal(await signIn(server, 'a.khan', 'wrong'), null);
  assert.equal(await signIn(server, 'nobody', 'let-me-see'), null);
  const cookie = await signIn(server, 'a.khan', 'let-me-see');
  assert.match(cookie, /^frontline_session=.{43}$/);
  const post = (headers) => server.post('/fhir/Patient', { resourceType: 'Patient' },
                                        { cookie, ...headers });
  assert.equal((await post({})).status, 403, 'a form from elsewhere');
  assert.equal((await post({ origin: 'https://evil.example' })).status, 403);
  assert.notEqual((await post({ origin: server.url })).status, 401);
});

test('who came in and who did not is in the audit, by name and way', async (t) => {
  const server = await closed(t, ['--set', 'auth.demo_code=let-me-see']);
  run(server, 'user', 'add', 'a.khan', '--role', 'nurse', '--who', 'Practitioner/7');
  await signIn(server, 'a.khan', 'wrong');
  await signIn(server, 'a.khan', 'let-me-see');
  const tries = (await auditUntil(server.folder, (e) => e.act === 'sign-in', 2)).map((e) => [e.who, e.person, e.what, e.outcome]);
  assert.deepEqual(tries, [['a.khan', 'Practitioner/7', '/sign-in by code', 2], ['a.khan', 'Practitioner/7', '/sign-in by demo', 0]]);
});

test('sign-in goes on within this server only', async (t) => {
  const server = await closed(t, ['--set', 'auth.demo_code=x']);
  run(server, 'user', 'add', 'a.khan', '--role', 'nurse');
  for (const next of ['https://evil.example/', '//evil.example', '/\\evil.example', 'evil', '', '/\t/evil.example', '\t//evil.example',
    '/\u0001/evil.example', '/x\\..\\evil.example', '/ /evil.example', 'javascript:alert(1)', '/a\r\nSet-Cookie: x=1']) {
    const answer = await server.ask('POST', '/sign-in', {
      body: form({ name: 'a.khan', code: 'x', next }), headers: asForm });
    assert.equal(answer.headers.get('location'), '/', JSON.stringify(next));
    const theme = await server.ask('POST', '/ui/theme', { body: form({ theme: 'day', path: next }), headers: asForm });
    assert.equal(theme.headers.get('location'), '/', JSON.stringify(next));
  }
});

// Every route that changes something, from the table the program's own tables are printed to.
test('a form of elsewhere changes nothing, signs nobody in and nobody out', async (t) => {
  const server = await closed(t, ['--set', 'auth.demo_code=x']);
  run(server, 'user', 'add', 'a.khan', '--role', 'consultant');
  const cookie = await signIn(server, 'a.khan', 'x');
  const table = readFileSync(join(root, 'docs/reference/routes.md'), 'utf8');
  const routes = [...table.matchAll(/^\| `?(POST|PUT|PATCH|DELETE)`? \| `([^`]+)`/gm)].map(([, method, path]) => [method, path.replace(/\{[^}]+\}/g, 'x')]);
  assert.ok(routes.length > 60, `${routes.length} routes`);
  // What the other side's own secret opens, or a text of one form alone: no cookie counts there.
  const apart = ['/auth/token', '/auth/introspect', '/auth/revoke', '/auth/register', '/auth/tap', '/auth/authorize'];
  for (const origin of ['https://evil.example', 'null', `${server.url}.evil.example`, 'http://127.0.0.1:1'])
    for (const [method, path] of routes) {
      const type = path.startsWith('/fhir') ? { 'content-type': 'application/fhir+json' } : asForm;
      const answer = await server.ask(method, path, { headers: { cookie, origin, 'sec-fetch-site': 'cross-site', ...type },
        body: path.startsWith('/fhir') ? '{}' : form({ name: 'a.khan', code: 'x', next: '/' }) });
      const expected = apart.includes(path) ? [400, 401, 403, 404, 429] : [403];
      assert.ok(expected.includes(answer.status), `${method} ${path} from ${origin}: ${answer.status}`);
      assert.equal(answer.headers.get('set-cookie'), null, path);
    }
  assert.equal((await server.get('/account', { cookie, accept: 'text/html' })).status, 200, 'still signed in');
});

test('an app gets a code with PKCE by consent, tokens for it, and rotates its refresh token',
     async (t) => {
  const server = await closed(t, ['--set', 'auth.demo_code=demo']);
  const back = 'http://127.0.0.1:9/back';
  const scope = 'openid fhirUser offline_access user/Patient.rs';
  run(server, 'user', 'add', 'out.reach', '--role', 'outreach', '--who', 'Practitioner/7');
  run(server, 'client', 'add', 'app', '--redirect', back, '--scope', scope);
  const options = { execute: [oidc.allowInsecureRequests] };
  const config = await oidc.discovery(new URL(server.url), 'app', undefined, oidc.None(), options);
  const verifier = oidc.randomPKCECodeVerifier(), state = oidc.randomState();
  const nonce = oidc.randomNonce();
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: back, scope, state, nonce, aud: `${server.url}/fhir`,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' });
  const path = url.pathname + url.search;
  assert.match((await server.get(path)).headers.get('location'), /^\/sign-in\?next=/);
  const cookie = await signIn(server, 'out.reach', 'demo');
  const page = (await server.get(path, { cookie })).text;
  assert.match(page, /Look at, search: Patient/);
  const csrf = /name="csrf" value="([^"]+)"/.exec(page)[1];
  const answer = (fields) => server.ask('POST', '/auth/authorize', {
    body: form({ ask: url.search.slice(1), csrf, answer: 'allow', ...fields }),
    headers: { ...asForm, cookie } });
  assert.equal((await answer({ csrf: 'x' })).status, 403);
  assert.match((await answer({ answer: 'deny' })).headers.get('location'), /error=access_denied/);
  const location = (await answer({})).headers.get('location');
  const tokens = await oidc.authorizationCodeGrant(config, new URL(location), {
    pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce });
  assert.equal(tokens.claims().fhirUser, `${server.url}/fhir/Practitioner/7`);
  assert.equal((await server.get('/fhir/Observation/_history', bearer(tokens.access_token))).status,
               403);
  assert.equal((await server.get('/fhir/Patient/_history', bearer(tokens.access_token))).status, 200);
  const next = await oidc.refreshTokenGrant(config, tokens.refresh_token);
  await assert.rejects(oidc.refreshTokenGrant(config, tokens.refresh_token), 'a used refresh token');
  assert.equal((await server.get('/fhir/Patient/_history', bearer(next.access_token))).status, 401,
               'reuse ended the family');
  const again = (await answer({})).headers.get('location');
  const redeem = () => oidc.authorizationCodeGrant(config, new URL(again), {
    pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce });
  const once = await redeem();
  assert.equal((await server.get('/fhir/Patient/_history', bearer(once.access_token))).status, 200);
  await assert.rejects(redeem(), 'a code works once');
  assert.equal((await server.get('/fhir/Patient/_history', bearer(once.access_token))).status, 401,
               'and what it gave is taken back');
});

test('a redirect that was not registered goes nowhere', async (t) => {
  const server = await closed(t);
  run(server, 'client', 'add', 'app', '--redirect', 'http://127.0.0.1:9/back', '--scope',
      'user/*.rs');
  const query = form({ client_id: 'app', redirect_uri: 'http://127.0.0.1:9/evil', state: 's',
                       response_type: 'code', scope: 'user/*.rs', aud: `${server.url}/fhir` });
  const answer = await server.get(`/auth/authorize?${query}`);
  assert.equal(answer.status, 400);
  assert.equal(answer.headers.get('location'), null);
});

test('a backend service signs an assertion, once, and gets its system scopes', async (t) => {
  const server = await closed(t);
  const { publicKey, privateKey } = await generateKeyPair('ES384', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', use: 'sig', alg: 'ES384' };
  const file = join(server.folder, 'app.jwks.json');
  writeFileSync(file, JSON.stringify({ keys: [jwk] }));
  run(server, 'client', 'add', 'warehouse', '--jwks', file, '--scope', 'system/Patient.rs');
  const assertion = (claims = {}, key = privateKey) => new SignJWT({ jti: crypto.randomUUID(), ...claims })
    .setProtectedHeader({ alg: 'ES384', kid: 'k1' }).setIssuer(claims.iss ?? 'warehouse')
    .setSubject('warehouse').setAudience(claims.aud ?? `${server.url}/auth/token`)
    .setExpirationTime(claims.exp ?? '4m').sign(key);
  const ask = async (client_assertion, scope = 'system/Patient.rs') => server.ask('POST',
    '/auth/token', { headers: asForm, body: form({ grant_type: 'client_credentials', scope,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion }) });
  const good = await assertion();
  const answer = await ask(good);
  assert.equal(answer.status, 200, answer.text);
  assert.equal((await server.get('/fhir/Patient/_history', bearer(answer.body.access_token))).status,
               200);
  assert.equal((await ask(good)).status, 401, 'replayed');
  const other = await generateKeyPair('ES384');
  for (const [row, text] of [['another key', await assertion({}, other.privateKey)],
                             ['another audience', await assertion({ aud: 'https://x.example' })],
                             ['too long-lived', await assertion({ exp: '20m' })],
                             ['over', await assertion({ exp: Math.floor(Date.now() / 1000) - 5 })]])
    assert.equal((await ask(text)).status, 401, row);
  assert.equal((await ask(await assertion(), 'system/*.rs')).body.error, 'invalid_scope');
  assert.equal((await ask(await assertion(), 'user/Patient.rs')).body.error, 'invalid_scope');
});

test('every access is in the audit chain, refused ones too, and a change in it is found', async (t) => {
  const server = await closed(t);
  const all = token(server, everything);
  const made = await server.post('/fhir/Patient', { resourceType: 'Patient' }, all);
  await server.get(`/fhir/Patient/${made.body.id}`, all);
  await server.get('/fhir/Observation', token(server, 'system/Patient.rs'));
  const asked = await auditUntil(server.folder, (entry) => entry.act !== 'account', 3);
  assert.deepEqual(asked.map((entry) => `${entry.act} ${entry.outcome}`), ['create 0', 'read 0', 'search 2']);
  run(server, 'audit', 'verify');
});

test('an address that guesses tokens is held up; good ones from it go on', async (t) => {
  const server = await closed(t, ['--set', 'auth.refusals_per_minute=10']);
  const good = token(server, everything);
  if (Date.now() % 60000 > 55000) // not over the end of a minute
    await new Promise((resolve) => setTimeout(resolve, 6000));
  const guess = (n) => server.get('/fhir/Patient', bearer(`fl_guess${n}`));
  for (let n = 0; n < 10; n++)
    assert.equal((await guess(n)).status, 401, String(n));
  const held = await guess(10);
  assert.equal(held.status, 429, held.text);
  assert.equal(held.headers.get('retry-after'), '60');
  assert.equal(held.body.issue[0].code, 'transient');
  assert.equal((await server.get('/fhir/Patient', good)).status, 200, 'the ward goes on');
  assert.equal((await server.get('/fhir/Patient')).status, 401, 'who shows nothing guesses nothing');
  const asked = await server.post('/auth/token', form({ grant_type: 'client_credentials' }), asForm);
  assert.equal(asked.status, 429, 'nor is there a token to be had by guessing');
  assert.equal((await server.get('/auth/jwks')).status === 429, false);
  const audit = run(server, 'audit', 'verify');
  assert.match(audit, /whole|holds|entries/);
});

test('an app begun from the record gets the patient, the stay and what was on screen', async (t) => {
  const server = await closed(t, ['--set', 'auth.demo_code=demo']);
  const back = 'http://127.0.0.1:9/back', start = 'http://127.0.0.1:9/launch';
  const scope = 'launch openid patient/*.rs', all = token(server, everything);
  run(server, 'user', 'add', 'out.reach', '--role', 'outreach', '--who', 'Practitioner/7');
  run(server, 'user', 'add', 'other.one', '--role', 'outreach', '--who', 'Practitioner/8');
  run(server, 'client', 'add', 'app', '--redirect', back, '--launch', start, '--scope', scope);
  run(server, 'client', 'add', 'apart', '--redirect', back, '--scope', scope);
  const put = (resource) => server.put(`/fhir/${resource.resourceType}/${resource.id}`, resource, all);
  for (const id of ['ann', 'bob'])
    await put({ resourceType: 'Patient', id });
  await put({ resourceType: 'Encounter', id: 'stay', status: 'in-progress', class: { code: 'IMP' },
              subject: { reference: 'Patient/ann' } });
  await put({ resourceType: 'ImagingStudy', id: 'scan', status: 'available', subject: { reference: 'Patient/ann' } });
  const cookie = await signIn(server, 'out.reach', 'demo');
  const launch = (query, more = cookie) => server.get(`/auth/launch?${form(query)}`, { cookie: more });
  const screen = { app: 'app', patient: 'ann', encounter: 'stay', context: 'ImagingStudy/scan' };
  for (const [query, status] of [[{ ...screen, app: 'apart' }, 400], [{ ...screen, app: 'none' }, 404],
    [{ ...screen, patient: 'none' }, 404], [{ ...screen, patient: 'bob' }, 400],
    [{ ...screen, encounter: 'none' }, 404], [{ ...screen, context: 'Patient/bob' }, 400],
    [{ ...screen, context: 'ImagingStudy/none' }, 404], [{ ...screen, context: 'x' }, 400]])
    assert.equal((await launch(query)).status, status, JSON.stringify(query));
  assert.equal((await server.get(`/auth/launch?${form(screen)}`)).status, 401);
  const sent = new URL((await launch(screen)).headers.get('location'));
  assert.equal(sent.origin + sent.pathname, start);
  assert.equal(sent.searchParams.get('iss'), `${server.url}/fhir`);

  const verifier = oidc.randomPKCECodeVerifier();
  const asks = async (handle, more = {}) => form({ client_id: 'app', redirect_uri: back, scope, state: 's',
    response_type: 'code', aud: `${server.url}/fhir`, launch: handle, code_challenge_method: 'S256',
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier), ...more });
  const ask = await asks(sent.searchParams.get('launch'));
  const page = await server.get(`/auth/authorize?${ask}`, { cookie });
  assert.match(page.text, /begun from the record Patient\/ann/);
  assert.doesNotMatch(page.text, /For which patient/);
  assert.match(page.headers.get('content-security-policy'), /form-action 'self' http:\/\/127.0.0.1:9;/,
               'the browser may follow the answer to the app');
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)[1];
  const answer = (query) => server.ask('POST', '/auth/authorize', { headers: { ...asForm, cookie },
    body: form({ ask: query, csrf, answer: 'allow' }) });
  const other = await signIn(server, 'other.one', 'demo');
  const told = /^http:\/\/127.0.0.1:9\/back\?iss=[^&]+&state=s&error=invalid_request&error_description=/;
  assert.match((await server.get(`/auth/authorize?${ask}`, { cookie: other })).headers.get('location'), told, "another's launch");
  assert.match((await server.get(`/auth/authorize?${await asks('made.up.one')}`, { cookie })).headers.get('location'), told);
  const evil = await server.get(`/auth/authorize?${await asks('made.up.one', { redirect_uri: 'http://127.0.0.1:9/evil' })}`, { cookie });
  assert.deepEqual([evil.status, evil.headers.get('location')], [400, null], 'never to an address that is not the app\'s');
  const without = await server.get(`/auth/authorize?${await asks('')}`, { cookie });
  assert.match(without.headers.get('location'), /^http:\/\/127.0.0.1:9\/back\?.*error=invalid_request/, 'launch without one');

  const code = new URL((await answer(ask)).headers.get('location')).searchParams.get('code');
  const tokens = await server.ask('POST', '/auth/token', { headers: asForm, body: form({ client_id: 'app',
    grant_type: 'authorization_code', code, redirect_uri: back, code_verifier: verifier }) });
  assert.equal(tokens.status, 200, tokens.text);
  assert.equal(tokens.body.patient, 'ann');
  assert.equal(tokens.body.encounter, 'stay');
  assert.deepEqual(tokens.body.fhirContext, [{ reference: 'ImagingStudy/scan' }]);
  assert.equal(tokens.body.need_patient_banner, true);
  const mine = bearer(tokens.body.access_token);
  assert.equal((await server.get('/fhir/Patient/ann', mine)).status, 200);
  assert.equal((await server.get('/fhir/Patient/bob', mine)).status, 404, 'one patient alone');
  assert.match((await answer(ask)).headers.get('location'), told, 'a launch is good once');

  const old = (await server.get('/auth/jwks')).body.keys.map((k) => k.kid);
  run(server, 'keys', 'rotate');
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const now = (await server.get('/auth/jwks')).body.keys.map((k) => k.kid);
  assert.equal(now.length, 2);
  assert.equal(now[1], old[0], 'the key before is still published');
  const late = new URL((await launch(screen)).headers.get('location')).searchParams.get('launch');
  assert.equal(JSON.parse(Buffer.from(late.split('.')[0], 'base64url')).kid, now[0], 'signed with the new key');
});

test('an app of its own asks which patient and stay it is for', async (t) => {
  const server = await closed(t, ['--set', 'auth.demo_code=demo']);
  const back = 'http://127.0.0.1:9/back', scope = 'launch/patient launch/encounter patient/*.rs';
  const all = token(server, everything);
  run(server, 'user', 'add', 'out.reach', '--role', 'outreach', '--who', 'Practitioner/7');
  run(server, 'client', 'add', 'app', '--redirect', back, '--scope', scope);
  for (const id of ['ann', 'bob']) {
    await server.put(`/fhir/Patient/${id}`, { resourceType: 'Patient', id, birthDate: id === 'ann' ? '1945-07-14' : '1950-01-01',
      name: [{ family: 'Smith', given: [id === 'ann' ? 'Ann' : 'Bob'] }],
      identifier: id === 'ann' ? [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990000018' }] : undefined }, all);
    await server.put(`/fhir/Encounter/${id}-stay`, { resourceType: 'Encounter', id: `${id}-stay`,
      status: 'in-progress', class: { code: 'IMP' }, subject: { reference: `Patient/${id}` } }, all);
  }
  const verifier = oidc.randomPKCECodeVerifier();
  const ask = form({ client_id: 'app', redirect_uri: back, scope, state: 's', response_type: 'code',
    aud: `${server.url}/fhir`, code_challenge_method: 'S256',
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier) });
  const cookie = await signIn(server, 'out.reach', 'demo');
  const page = (await server.get(`/auth/authorize?${ask}`, { cookie })).text;
  assert.match(page, /For which patient/);
  assert.match(page, /For which stay or visit/);
  const csrf = /name="csrf" value="([^"]+)"/.exec(page)[1];
  const answer = (fields) => server.ask('POST', '/auth/authorize', { headers: { ...asForm, cookie },
    body: form({ ask, csrf, answer: 'allow', ...fields }) });
  for (const [fields, told] of [[{ patient: 'none', encounter: 'ann-stay' }, /no patient you may open/],
    [{ patient: 'ann', encounter: 'bob-stay' }, /no stay of the patient/], [{ patient: 'ann' }, /no stay of the patient/]]) {
    const again = await answer(fields);
    assert.equal(again.status, 200);
    assert.match(again.text, told);
  }
  const found = async (typed) => [...(await server.get(`/auth/authorize?${form({ ask, find: typed })}`, { cookie })).text
    .matchAll(/&amp;patient=([\w.-]+)"/g)].map((match) => match[1]);
  assert.deepEqual(await found('smith'), ['ann', 'bob']);
  for (const typed of ['SMITH, Ann', 'ann smith', 'smith 14/7/1945', 'Smith 1945-07-14', '9990000018', '999 000 0018'])
    assert.deepEqual(await found(typed), ['ann'], typed);
  for (const typed of ['nobody', 'smith 31/02/1945', '999 000 0026', 'smith&_id=ann', '%', "ann'--"])
    assert.deepEqual(await found(typed), [], typed);
  const chosen = (await server.get(`/auth/authorize?${form({ ask, patient: 'ann' })}`, { cookie })).text;
  assert.match(chosen, /SMITH, Ann[\s\S]*14-Jul-1945[\s\S]*999 000 0018/);
  assert.match(chosen, /value="ann-stay"/);
  assert.doesNotMatch(chosen, /bob-stay/);
  const shown = await server.get('/fhir/AuditEvent?altid=out.reach&patient=Patient/bob', all);
  assert.ok(shown.body.entry?.some((e) => /auth\/authorize/.test(JSON.stringify(e.resource.entity))), 'whom the finder showed is in the audit');
  const code = new URL((await answer({ patient: 'ann', encounter: 'ann-stay' })).headers.get('location'))
    .searchParams.get('code');
  const tokens = (await server.ask('POST', '/auth/token', { headers: asForm, body: form({ client_id: 'app',
    grant_type: 'authorization_code', code, redirect_uri: back, code_verifier: verifier }) })).body;
  assert.equal(tokens.patient, 'ann');
  assert.equal(tokens.encounter, 'ann-stay');
  assert.equal(tokens.fhirContext, undefined);
});
