// SPDX-License-Identifier: Apache-2.0
// SMART App Launch by clients nobody here wrote: fhirclient's own authorize() and ready() in a small app, with the browser's
// steps done as a browser would, and openid-client's proofs by key; then what an app may get wrong, row by row.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose';
import * as oidc from 'openid-client';
import { Walker } from '../lib/provider.mjs';
import { binary, spawnServer } from './server.mjs';

const smart = createRequire(import.meta.url)('fhirclient');
const SCOPE = 'launch/patient launch/encounter openid fhirUser offline_access patient/*.rs user/Practitioner.r';
const EHR_SCOPE = 'launch openid fhirUser online_access patient/*.rs user/Practitioner.r';
const asForm = { 'content-type': 'application/x-www-form-urlencoded' };
const form = (fields) => new URLSearchParams(fields).toString();
const basic = (id, secret) => ({ authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` });
const bearer = (token) => ({ authorization: `Bearer ${token}` });
const challengeOf = (verifier) => createHash('sha256').update(verifier).digest('base64url');
const field = (page, name) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1].replaceAll('&amp;', '&');

let server, all;
const run = (...words) => execFileSync(binary, [...words, '--data', server.folder], { encoding: 'utf8' }).trim();
const put = (resource) => server.put(`/fhir/${resource.resourceType}/${resource.id}`, resource, all);

before(async () => {
  server = await spawnServer({ open: false, args: ['--set', 'auth.demo_code=demo', '--set', 'auth.registration=yes',
    '--set', 'subscriptions.allow=127.0.0.1'] });
  all = bearer(run('token', '--scope', 'system/*.cruds'));
  run('user', 'add', 'out.reach', '--role', 'outreach', '--who', 'Practitioner/7', '--display', 'Olu Reach');
  run('user', 'add', 'one.reach', '--role', 'outreach', '--who', 'Practitioner/7');
  run('user', 'add', 'ann.smith', '--role', 'patient', '--who', 'Patient/ann', '--display', 'Ann Smith');
  await put({ resourceType: 'Practitioner', id: '7', name: [{ family: 'Reach', given: ['Olu'] }] });
  for (const id of ['ann', 'bob']) {
    await put({ resourceType: 'Patient', id, name: [{ family: id }] });
    await put({ resourceType: 'Encounter', id: `${id}-stay`, status: 'in-progress', class: { code: 'IMP' },
                subject: { reference: `Patient/${id}` } });
    await put({ resourceType: 'Observation', id: `${id}-pulse`, status: 'final', subject: { reference: `Patient/${id}` },
                category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] }],
                code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] } });
  }
});
after(() => server.stop());

// An app of its own: /launch begins, /back is where people come back to. `config` is fhirclient's; `pkce` adds to it what
// version 2.4 of fhirclient does not know.
async function smartApp(t, pkce = false) {
  const kept = new Map();
  const storage = { get: async (key) => kept.get(key), set: async (key, value) => (kept.set(key, value), value),
                    unset: async (key) => kept.delete(key) };
  const verifier = randomBytes(32).toString('base64url');
  const app = { client: null, fault: null, config: {} };
  const http = createServer(async (req, res) => {
    try {
      const { pathname } = new URL(req.url, 'http://app');
      if (pathname === '/back' && pkce)
        req.url = req.url.replace(/code=([^&]+)/, (all, code) => `code=${code}%26code_verifier%3D${verifier}`);
      const api = smart(req, res, storage);
      if (pathname === '/launch' && pkce) {
        const url = await api.authorize({ ...app.config, noRedirect: true });
        res.writeHead(302, { location: `${url}&code_challenge=${challengeOf(verifier)}&code_challenge_method=S256` }).end();
      } else if (pathname === '/launch') {
        await api.authorize(app.config);
      } else {
        app.client = await api.ready();
        res.end('ready');
      }
    } catch (error) {
      app.fault = error;
      res.end('fault');
    }
  }).listen(0, '127.0.0.1');
  await once(http, 'listening');
  t.after(() => { http.closeAllConnections(); http.close(); });
  app.url = `http://127.0.0.1:${http.address().port}`;
  app.back = `${app.url}/back`;
  return app;
}

// A browser: signs in when it is led to, answers the consent page, and ends where the app says that it is ready.
async function browse(url, name, fields = {}) {
  const browser = new Walker();
  let { url: at, text } = await browser.walk(url);
  if (new URL(at).pathname === '/sign-in') {
    const sent = await browser.go(`${server.url}/sign-in`, { method: 'POST', headers: asForm,
      body: form({ name, code: 'demo', next: new URL(at).searchParams.get('next') }) });
    assert.equal(sent.status, 303, await sent.text());
    ({ url: at, text } = await browser.walk(new URL(sent.headers.get('location'), server.url).href));
  }
  if (!text.includes('action="/auth/authorize"'))
    return { browser, at, text };
  const answer = await browser.go(`${server.url}/auth/authorize`, { method: 'POST', headers: asForm,
    body: form({ ask: field(text, 'ask'), csrf: field(text, 'csrf'), answer: 'allow', ...fields }) });
  const location = answer.headers.get('location');
  if (!location)
    return { browser, at, text: await answer.text(), consent: text };
  return { browser, consent: text, ...await browser.walk(location) };
}

async function reads(client, patient, who) {
  assert.equal(client.patient.id, patient);
  assert.equal((await client.patient.read()).name[0].family, patient);
  assert.equal((await client.encounter.read()).id, `${patient}-stay`);
  const vitals = await client.request(`Observation?patient=${patient}`, { flat: true });
  assert.deepEqual(vitals.map((o) => o.id), [`${patient}-pulse`]);
  assert.equal(client.user.fhirUser, who);
  assert.equal((await client.user.read()).id, who.split('/')[1]);
  const other = patient === 'ann' ? 'bob' : 'ann';
  await assert.rejects(client.request(`Patient/${other}`), /404|Not Found/i, 'another patient is not there');
}

async function refreshes(client) {
  const before = { ...client.state.tokenResponse };
  await client.refresh();
  assert.notEqual(client.state.tokenResponse.access_token, before.access_token);
  assert.notEqual(client.state.tokenResponse.refresh_token, before.refresh_token);
  assert.equal((await client.patient.read()).resourceType, 'Patient');
  return before;
}

test('fhirclient: a confidential app stands alone, for a patient and a stay, and renews', async (t) => {
  const app = await smartApp(t);
  const secret = run('client', 'add', 'older', '--secret', '--without-pkce', '--redirect', app.back, '--scope', SCOPE);
  app.config = { clientId: 'older', clientSecret: secret, scope: SCOPE, redirectUri: app.back, iss: `${server.url}/fhir` };
  const wrong = await browse(`${app.url}/launch`, 'out.reach', { patient: 'ann', encounter: 'bob-stay' });
  assert.match(wrong.text, /no stay of the patient/);
  const done = await browse(`${app.url}/launch`, 'out.reach', { patient: 'ann', encounter: 'ann-stay' });
  assert.equal(done.text, 'ready', String(app.fault));
  assert.match(done.consent, /Look at, search: everything in the record/);
  await reads(app.client, 'ann', 'Practitioner/7');
  const before = await refreshes(app.client);
  const stolen = await server.ask('POST', '/auth/token', { headers: { ...asForm, ...basic('older', secret) },
    body: form({ grant_type: 'refresh_token', refresh_token: before.refresh_token }) });
  assert.equal(stolen.body.error, 'invalid_grant', 'a used refresh token');
  await assert.rejects(app.client.refresh(), /400|invalid_grant|expired/i, 'takes the family with it');
  await assert.rejects(app.client.request('Patient/ann', { useRefreshToken: false }), /401|expired/i);
});

test('fhirclient: a public app with PKCE; without, it hears why', async (t) => {
  const app = await smartApp(t, true);
  run('client', 'add', 'public', '--redirect', app.back, '--scope', SCOPE);
  app.config = { clientId: 'public', scope: SCOPE, redirectUri: app.back, iss: `${server.url}/fhir` };
  const done = await browse(`${app.url}/launch`, 'ann.smith', { encounter: 'ann-stay' });
  assert.equal(done.text, 'ready', String(app.fault));
  assert.doesNotMatch(done.consent, /For which patient/, 'a patient is asked for no patient');
  await reads(app.client, 'ann', 'Patient/ann');
  await refreshes(app.client);
  const bare = await smartApp(t);
  bare.config = { ...app.config };
  await browse(`${bare.url}/launch`, 'ann.smith');
  run('client', 'add', 'bare', '--redirect', bare.back, '--scope', SCOPE);
  bare.config = { clientId: 'bare', scope: SCOPE, redirectUri: bare.back, iss: `${server.url}/fhir` };
  await browse(`${bare.url}/launch`, 'ann.smith');
  assert.match(String(bare.fault), /invalid_request: PKCE is required/);
});

test('fhirclient: begun from the record, with the stay on screen; signing out ends online access', async (t) => {
  const app = await smartApp(t);
  const secret = run('client', 'add', 'chart', '--secret', '--without-pkce', '--redirect', app.back, '--launch', `${app.url}/launch`,
                     '--scope', EHR_SCOPE);
  app.config = { clientId: 'chart', clientSecret: secret, scope: EHR_SCOPE, redirectUri: app.back };
  const browser = new Walker();
  await browser.go(`${server.url}/sign-in`, { method: 'POST', headers: asForm, body: form({ name: 'one.reach', code: 'demo', next: '/' }) });
  const asked = await browser.walk(`${server.url}/auth/launch?app=chart&patient=bob&encounter=bob-stay`);
  assert.match(asked.text, /begun from the record Patient\/bob/, String(app.fault));
  const answer = await browser.go(`${server.url}/auth/authorize`, { method: 'POST', headers: asForm,
    body: form({ ask: field(asked.text, 'ask'), csrf: field(asked.text, 'csrf'), answer: 'allow' }) });
  assert.equal((await browser.walk(answer.headers.get('location'))).text, 'ready', String(app.fault));
  await reads(app.client, 'bob', 'Practitioner/7');
  await refreshes(app.client);
  await browser.go(`${server.url}/sign-out`, { method: 'POST', headers: asForm });
  await assert.rejects(app.client.refresh(), /400|invalid_grant|expired/i, 'online access ends with the sign-in');
});

test('fhirclient: no is no', async (t) => {
  const app = await smartApp(t, true);
  run('client', 'add', 'declined', '--redirect', app.back, '--scope', SCOPE);
  app.config = { clientId: 'declined', scope: SCOPE, redirectUri: app.back, iss: `${server.url}/fhir` };
  await browse(`${app.url}/launch`, 'ann.smith', { answer: 'deny' });
  assert.match(String(app.fault), /access_denied/);
});

// ---- proofs by key ----

const configuration = (id, proof) => oidc.discovery(new URL(server.url), id, undefined, proof, { execute: [oidc.allowInsecureRequests] });

async function signIn(name) {
  const answer = await server.ask('POST', '/sign-in', { body: form({ name, code: 'demo', next: '/' }), headers: asForm });
  return answer.headers.get('set-cookie').split(';')[0];
}

// The way from the app's request to the code it gets, or to the error it hears.
async function authorize(query, { cookie, ...fields } = {}) {
  const page = await server.get(`/auth/authorize?${query}`, { cookie, accept: 'text/html' });
  if (page.status !== 200)
    return { status: page.status, location: page.headers.get('location') && new URL(page.headers.get('location'), server.url), text: page.text };
  const answer = await server.ask('POST', '/auth/authorize', { headers: { ...asForm, cookie },
    body: form({ ask: query, csrf: field(page.text, 'csrf'), answer: 'allow', ...fields }) });
  return { status: answer.status, location: answer.headers.get('location') && new URL(answer.headers.get('location')), text: answer.text };
}

for (const alg of ['ES384', 'RS384'])
  test(`openid-client: an app that signs with ${alg} signs its person in and renews`, async () => {
    const id = `signs-${alg.toLowerCase()}`, back = 'http://127.0.0.1:9/back', file = join(server.folder, `${id}.json`);
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    writeFileSync(file, JSON.stringify({ keys: [{ ...await exportJWK(publicKey), kid: 'k', use: 'sig', alg }] }));
    run('client', 'add', id, '--jwks', file, '--redirect', back, '--scope', SCOPE);
    const subtle = await importJWK(await exportJWK(privateKey), alg, { extractable: false });
    const config = await configuration(id, oidc.PrivateKeyJwt({ key: subtle, kid: 'k' }));
    const verifier = oidc.randomPKCECodeVerifier(), nonce = oidc.randomNonce();
    const url = oidc.buildAuthorizationUrl(config, { redirect_uri: back, scope: 'openid fhirUser offline_access user/Practitioner.r',
      state: 's', nonce, aud: `${server.url}/fhir`, code_challenge: challengeOf(verifier), code_challenge_method: 'S256' });
    const { location } = await authorize(url.search.slice(1), { cookie: await signIn('out.reach') });
    const checks = { pkceCodeVerifier: verifier, expectedState: 's', expectedNonce: nonce };
    const tokens = await oidc.authorizationCodeGrant(config, location, checks);
    assert.equal(tokens.claims().fhirUser, `${server.url}/fhir/Practitioner/7`);
    const next = await oidc.refreshTokenGrant(config, tokens.refresh_token);
    const told = await oidc.tokenIntrospection(config, next.access_token);
    assert.deepEqual([told.active, told.client_id, told.iss, told.fhirUser],
                     [true, id, server.url, `${server.url}/fhir/Practitioner/7`]);
    await oidc.tokenRevocation(config, next.refresh_token);
    assert.equal((await oidc.tokenIntrospection(config, next.access_token)).active, false);
  });

// ---- what an app may get wrong ----

const BACK = 'http://127.0.0.1:9/back', VERIFIER = randomBytes(32).toString('base64url');
const asked = (more = {}) => ({ client_id: 'rows', redirect_uri: BACK, response_type: 'code', scope: 'launch/patient patient/*.rs offline_access',
  state: 's', aud: `${server.url}/fhir`, code_challenge: challengeOf(VERIFIER), code_challenge_method: 'S256', ...more });

test('what is wrong with a request goes back to the app, or, when it is not known whose it is, nowhere', async () => {
  run('client', 'add', 'rows', '--redirect', BACK, '--scope', 'launch/patient patient/*.rs patient/*.read offline_access openid');
  const cookie = await signIn('out.reach');
  const nowhere = [['another redirect', { redirect_uri: 'http://127.0.0.1:9/evil' }], ['a longer one', { redirect_uri: `${BACK}/x` }],
    ['with a query', { redirect_uri: `${BACK}?x=1` }], ['none', { redirect_uri: '' }], ['another host', { redirect_uri: 'http://127.0.0.1:99/back' }],
    ['no such app', { client_id: 'nobody' }], ['script', { redirect_uri: 'javascript:alert(1)' }]];
  for (const [row, more] of nowhere) {
    const got = await authorize(form(asked(more)), { cookie });
    assert.ok(got.status >= 400 && got.status < 500 && !got.location, `${row}: ${got.status}`);
  }
  const told = [['no PKCE', { code_challenge: '', code_challenge_method: '' }, 'invalid_request'],
    ['plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'], ['no method', { code_challenge_method: '' }, 'invalid_request'],
    ['a short challenge', { code_challenge: 'short' }, 'invalid_request'], ['another aud', { aud: 'https://other.example/fhir' }, 'invalid_request'],
    ['no aud', { aud: '' }, 'invalid_request'], ['implicit', { response_type: 'token' }, 'unsupported_response_type'],
    ['by fragment', { response_mode: 'fragment' }, 'invalid_request'], ['an unknown scope', { scope: 'patient/*.rs drive' }, 'invalid_scope'],
    ['an unknown type', { scope: 'patient/Nothing.rs' }, 'invalid_scope'], ['letters out of order', { scope: 'patient/Patient.sr' }, 'invalid_scope'],
    ['too wide', { scope: 'patient/*.cruds' }, 'invalid_scope'], ['another level', { scope: 'user/*.rs' }, 'invalid_scope'],
    ['a service\'s', { scope: 'system/*.rs' }, 'invalid_scope'], ['nothing', { scope: '' }, 'invalid_scope'],
    ['a query that is none', { scope: 'patient/Observation.rs?' }, 'invalid_scope'],
    ['a query of no parameter', { scope: 'patient/Observation.rs?nothing=1' }, 'invalid_scope'],
    ['a signed request', { request: 'e30.e30.' }, 'request_not_supported'], ['silently', { prompt: 'none' }, 'consent_required']];
  for (const [row, more, error] of told) {
    const { location } = await authorize(form(asked(more)), { cookie });
    assert.ok(location?.href.startsWith(`${BACK}?`), `${row}: ${location}`);
    assert.deepEqual([location.searchParams.get('error'), location.searchParams.get('state'), location.searchParams.get('iss')],
                     [error, 's', server.url], row);
  }
  const silent = await authorize(form(asked({ prompt: 'none' })));
  assert.equal(silent.location.searchParams.get('error'), 'login_required');
  const twice = await authorize(`${form(asked())}&scope=patient/*.rs`, { cookie });
  assert.equal(twice.location.searchParams.get('error'), 'invalid_request', 'a parameter twice');
  const state = 'a\r\nSet-Cookie: x=1\r\n\r\n<b>"&code=y é';
  const back = await authorize(form(asked({ state, code_challenge: '' })), { cookie });
  assert.equal(back.location.searchParams.get('state'), state, 'the state comes back as it was, inside the address');
  assert.equal(back.location.searchParams.get('code'), null);
  const long = 'x'.repeat(6000);
  assert.equal((await authorize(form(asked({ state: long })), { cookie, patient: 'ann' })).location.searchParams.get('state'), long);
});

const tokenOf = (fields, headers = {}) => server.ask('POST', '/auth/token', { headers: { ...asForm, ...headers }, body: form(fields) });
const redeem = (code, more = {}) => tokenOf({ grant_type: 'authorization_code', client_id: 'rows', redirect_uri: BACK, code,
                                              code_verifier: VERIFIER, ...more });
async function codeOf(more = {}, name = 'out.reach') {
  const { location, text } = await authorize(form(asked(more)), { cookie: await signIn(name), patient: 'ann' });
  assert.ok(location, text);
  return location.searchParams.get('code');
}

test('a code: wrong verifier, wrong redirect, another app, used, and what the token endpoint does not take', async () => {
  run('client', 'add', 'other', '--redirect', BACK, '--scope', 'patient/*.rs');
  for (const [row, more] of [['verifier', { code_verifier: 'y'.repeat(43) }], ['no verifier', { code_verifier: '' }],
    ['redirect', { redirect_uri: `${BACK}2` }], ['app', { client_id: 'other' }]])
    assert.equal((await redeem(await codeOf(), more)).body.error, 'invalid_grant', row);
  const code = await codeOf(), good = await redeem(code);
  assert.equal(good.status, 200, good.text);
  assert.equal(good.headers.get('cache-control'), 'no-store');
  assert.equal((await server.get('/fhir/Patient/ann', bearer(good.body.access_token))).status, 200);
  assert.equal((await redeem(code)).body.error, 'invalid_grant');
  assert.equal((await server.get('/fhir/Patient/ann', bearer(good.body.access_token))).status, 401, 'what it gave is taken back');
  for (const [row, answer, error] of [
    ['no grant type', await tokenOf({ client_id: 'rows' }), 'unsupported_grant_type'],
    ['a password', await tokenOf({ client_id: 'rows', grant_type: 'password' }), 'unsupported_grant_type'],
    ['JSON', await server.post('/auth/token', { grant_type: 'authorization_code', client_id: 'rows' }), 'invalid_request'],
    ['twice', await server.ask('POST', '/auth/token', { headers: asForm, body: `${form({ client_id: 'rows', grant_type: 'refresh_token' })}&grant_type=refresh_token` }), 'invalid_request'],
    ['a service that is none', await tokenOf({ client_id: 'rows', grant_type: 'client_credentials', scope: 'system/*.rs' }), 'invalid_scope']]) {
    assert.deepEqual([answer.status, answer.body.error], [400, error], row);
    assert.ok(answer.body.error_description.length > 10, `${row} says what to do`);
  }
  const unknown = await tokenOf({ grant_type: 'authorization_code' }, basic('rows', 'guess'));
  assert.deepEqual([unknown.status, unknown.body.error], [401, 'invalid_client']);
  assert.match(unknown.headers.get('www-authenticate'), /^Basic/);
});

test('a refresh narrows one token and not the consent; a wider or another app\'s try costs nothing', async () => {
  const first = (await redeem(await codeOf())).body;
  const renew = (fields) => tokenOf({ grant_type: 'refresh_token', client_id: 'rows', ...fields });
  assert.equal((await renew({ refresh_token: first.refresh_token, scope: 'patient/*.cruds' })).body.error, 'invalid_scope');
  assert.equal((await renew({ refresh_token: first.refresh_token, client_id: 'other' })).body.error, 'invalid_grant');
  const narrow = (await renew({ refresh_token: first.refresh_token, scope: 'patient/Patient.r' })).body;
  assert.equal(narrow.scope, 'patient/Patient.r');
  assert.equal((await server.get('/fhir/Observation/ann-pulse', bearer(narrow.access_token))).status, 403);
  const wide = (await renew({ refresh_token: narrow.refresh_token })).body;
  assert.equal((await server.get('/fhir/Observation/ann-pulse', bearer(wide.access_token))).status, 200);
});

test('two parallel refreshes by one token: one may win, and then all of them are stopped', async () => {
  for (let round = 0; round < 3; round += 1) {
    const first = (await redeem(await codeOf())).body;
    const renew = (refresh_token) => tokenOf({ grant_type: 'refresh_token', client_id: 'rows', refresh_token });
    const both = await Promise.all([renew(first.refresh_token), renew(first.refresh_token), renew(first.refresh_token)]);
    const won = both.filter((answer) => answer.status === 200);
    assert.ok(won.length <= 1, 'never two');
    assert.ok(both.filter((answer) => answer.status !== 200).every((answer) => answer.body.error === 'invalid_grant'));
    for (const { body } of won) {
      assert.equal((await renew(body.refresh_token)).body.error, 'invalid_grant', 'the winner\'s refresh token');
      assert.equal((await server.get('/fhir/Patient/ann', bearer(body.access_token))).status, 401, 'and its access token');
    }
    assert.equal((await server.get('/fhir/Patient/ann', bearer(first.access_token))).status, 401, 'and the first');
  }
});

test('tokens are looked into and ended by whom they were given to, and by a resource server', async () => {
  const secrets = Object.fromEntries([['own', []], ['stranger', []], ['resource', ['--introspects']]].map(([id, more]) =>
    [id, run('client', 'add', id, '--secret', '--redirect', BACK, '--scope', 'launch/patient patient/*.rs offline_access', ...more)]));
  const proof = (id) => basic(id, secrets[id]);
  const code = await codeOf({ client_id: 'own' });
  const tokens = (await tokenOf({ grant_type: 'authorization_code', redirect_uri: BACK, code, code_verifier: VERIFIER }, proof('own'))).body;
  const look = async (headers) => server.ask('POST', '/auth/introspect', { headers: { ...asForm, ...headers }, body: form({ token: tokens.access_token }) });
  for (const [id, active] of [['own', true], ['stranger', false], ['resource', true]]) {
    const told = (await look(proof(id))).body;
    assert.equal(told.active, active, id);
    assert.equal(told.patient, active ? 'ann' : undefined, id);
  }
  assert.equal((await look({})).status, 401);
  const end = (id, token) => server.ask('POST', '/auth/revoke', { headers: { ...asForm, ...proof(id) }, body: form({ token }) });
  for (const token of [tokens.access_token, tokens.refresh_token])
    assert.equal((await end('stranger', token)).status, 200, 'tells nothing');
  assert.equal((await look(proof('own'))).body.active, true, 'and changes nothing');
  assert.equal((await end('own', tokens.refresh_token)).status, 200);
  assert.equal((await look(proof('own'))).body.active, false);
});

test('an assertion: none, unknown key, wrong names, replayed, not yet, by two proofs at once', async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES384', { extractable: true });
  const file = join(server.folder, 'keys.json'.replace('keys', 'prover'));
  writeFileSync(file, JSON.stringify({ keys: [{ ...await exportJWK(publicKey), kid: 'k1', use: 'sig', alg: 'ES384' }] }));
  run('client', 'add', 'prover', '--jwks', file, '--scope', 'system/Patient.rs offline_access');
  const now = Math.floor(Date.now() / 1000);
  const sign = (claims = {}, header = {}) => new SignJWT({ iss: 'prover', sub: 'prover', aud: `${server.url}/auth/token`,
    exp: now + 200, jti: crypto.randomUUID(), ...claims }).setProtectedHeader({ alg: 'ES384', kid: 'k1', ...header }).sign(privateKey);
  const ask = (client_assertion, more = {}, headers = {}) => tokenOf({ grant_type: 'client_credentials', scope: 'system/Patient.rs', client_assertion,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', ...more }, headers);
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { iss: 'prover', sub: 'prover', aud: `${server.url}/auth/token`, exp: now + 200, jti: 'none' };
  const good = await ask(await sign());
  assert.equal(good.status, 200, good.text);
  assert.equal(good.body.refresh_token, undefined);
  assert.ok(good.body.expires_in <= 300);
  for (const [row, answer] of [
    ['alg none', await ask(`${part({ alg: 'none' })}.${part(claims)}.`)],
    ['alg none, signed', await ask(`${part({ alg: 'none', kid: 'k1' })}.${part(claims)}.AAAA`)],
    ['a shared secret', await ask(await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'k1' }).sign(Buffer.from(JSON.stringify(await exportJWK(publicKey)))))],
    ['kid unknown', await ask(await sign({}, { kid: 'k2' }))], ['crit', await ask(await sign({}, {}).then((jwt) => jwt.replace(/^[^.]+/, part({ alg: 'ES384', kid: 'k1', crit: ['x'], x: 1 }))))],
    ['another issuer', await ask(await sign({ iss: 'rows' }))], ['another subject', await ask(await sign({ sub: 'rows' }))],
    ['another audience', await ask(await sign({ aud: 'https://x.example' }))], ['no jti', await ask(await sign({ jti: undefined }))],
    ['not yet', await ask(await sign({ nbf: now + 200 }))], ['from the future', await ask(await sign({ iat: now + 200 }))],
    ['exp as text', await ask(await sign({ exp: String(now + 200) }))], ['another kind', await ask(await sign(), { client_assertion_type: 'saml' })],
    ['named otherwise', await ask(await sign(), { client_id: 'rows' })], ['two proofs', await ask(await sign(), {}, basic('prover', 'x'))],
    ['no token at all', await ask('x.y')]])
    assert.deepEqual([answer.status, answer.body.error], [401, 'invalid_client'], row);
  assert.equal((await ask(await sign({ exp: now + 330, iat: now + 30 }))).status, 200, 'a clock half a minute ahead');
  assert.equal((await ask(await sign({ exp: now + 400 }))).status, 401, 'and beyond what is allowed');
  for (const scope of ['patient/Patient.rs', 'user/Patient.rs', 'system/Patient.rs offline_access', 'system/*.rs', ''])
    assert.equal((await ask(await sign(), { scope })).body.error, 'invalid_scope', scope);
});

test('an app changes its keys where it shows them; keys within the own network are not fetched', async (t) => {
  let keys = [], asked = 0;
  const shows = createServer((req, res) => { asked++; res.setHeader('content-type', 'application/json'); res.end(JSON.stringify({ keys })); });
  await once(shows.listen(0, '::'), 'listening');
  t.after(() => { shows.closeAllConnections(); shows.close(); });
  const { port } = shows.address();
  run('client', 'add', 'shows', '--jwks-uri', `http://127.0.0.1:${port}/keys`, '--scope', 'system/Patient.rs');
  run('client', 'add', 'hides', '--jwks-uri', `http://[::1]:${port}/keys`, '--scope', 'system/Patient.rs');
  const pair = async (kid) => {
    const { publicKey, privateKey } = await generateKeyPair('RS384', { extractable: true });
    return { kid, privateKey, jwk: { ...await exportJWK(publicKey), kid, use: 'sig', alg: 'RS384' } };
  };
  const ask = async (id, { kid, privateKey }) => (await tokenOf({ grant_type: 'client_credentials', scope: 'system/Patient.rs',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: await new SignJWT({ jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: 'RS384', kid }).setIssuer(id).setSubject(id).setAudience(`${server.url}/auth/token`).setExpirationTime('2m').sign(privateKey) })).status;
  const [first, second] = [await pair('k1'), await pair('k2')];
  keys = [first.jwk];
  assert.deepEqual([await ask('shows', first), await ask('shows', first), asked], [200, 200, 1], 'kept');
  assert.deepEqual([await ask('hides', first), asked], [401, 1], 'not called');
  keys = [second.jwk];
  await new Promise((wait) => setTimeout(wait, 1100));
  assert.deepEqual([await ask('shows', second), await ask('shows', first)], [200, 401], 'the new key, and no more the old');
});

test('an app registers itself: only as it should, and only where it is wanted', async () => {
  const ask = (body) => server.post('/auth/register', body, { 'content-type': 'application/json' });
  const whole = { client_name: 'Own', redirect_uris: ['https://app.example/back'], scope: 'patient/*.rs launch/patient' };
  const made = await ask(whole);
  assert.equal(made.status, 201, made.text);
  assert.equal(made.body.token_endpoint_auth_method, 'none');
  for (const [row, body, error] of [
    ['no redirect', { ...whole, redirect_uris: [] }, 'invalid_redirect_uri'], ['no list', { ...whole, redirect_uris: 'https://a.example' }, 'invalid_redirect_uri'],
    ['plain http', { ...whole, redirect_uris: ['http://app.example/'] }, 'invalid_redirect_uri'],
    ['two in one', { ...whole, redirect_uris: ['https://a.example https://b.example'] }, 'invalid_redirect_uri'],
    ...['javascript:alert(1)', 'data:text/html,x', 'app://back', 'https:///x', 'https://a.example/\r\nSet-Cookie: x=1', 'https://a.example/\t', 'https://trust.example@evil.example/',
      'https://a.example/"><script>', 'https://a.example\\@b.example/', 'HTTP://a.example', `https://a.example/${'x'.repeat(2000)}`, 'http://127.0.0.1@evil.example/', 'http://localhost.evil.example/', 'https://é.example/']
      .map((uri) => [uri.slice(0, 40), { ...whole, redirect_uris: [uri] }, 'invalid_redirect_uri']),
    ['a name too long', { ...whole, client_name: 'x'.repeat(201) }, 'invalid_client_metadata'],
    ['a fragment', { ...whole, redirect_uris: ['https://a.example/#x'] }, 'invalid_redirect_uri'],
    ['an unknown scope', { ...whole, scope: 'drive' }, 'invalid_scope'], ['no scope', { ...whole, scope: undefined }, 'invalid_client_metadata'],
    ['keys within', { ...whole, jwks_uri: 'http://169.254.169.254/latest' }, 'invalid_client_metadata'],
    ['keys at home', { ...whole, jwks_uri: 'http://localhost:1/', token_endpoint_auth_method: 'private_key_jwt' }, 'invalid_client_metadata'],
    ['no object', [1], 'invalid_client_metadata']]) {
    const answer = await ask(body);
    assert.deepEqual([answer.status, answer.body.error], [400, error], row);
  }
  assert.equal((await ask('{')).status, 400);
  const config = (await server.get('/fhir/.well-known/smart-configuration')).body;
  assert.equal(config.registration_endpoint, `${server.url}/auth/register`);
});

test('scopes of version 1, and version 2 with a query', async () => {
  const read = (await redeem(await codeOf({ scope: 'launch/patient patient/*.read' }))).body;
  assert.equal((await server.get('/fhir/Observation?patient=ann', bearer(read.access_token))).body.entry.length, 1);
  assert.equal((await server.post('/fhir/Observation', { resourceType: 'Observation' }, bearer(read.access_token))).status, 403);
  const vital = 'patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|';
  const vitals = (await redeem(await codeOf({ scope: `launch/patient ${vital}vital-signs` }))).body;
  assert.equal((await server.get('/fhir/Observation/ann-pulse', bearer(vitals.access_token))).status, 200);
  const labs = (await redeem(await codeOf({ scope: `launch/patient ${vital}laboratory` }))).body;
  assert.equal((await server.get('/fhir/Observation/ann-pulse', bearer(labs.access_token))).status, 404, 'outside its part');
  assert.equal((await server.get('/fhir/Observation', bearer(labs.access_token))).body.total, 0);
});
