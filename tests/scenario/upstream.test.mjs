// SPDX-License-Identifier: Apache-2.0
// Staff sign in at the trust's OpenID provider: a real one, in the shape of the national service.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { Walker, provider } from '../lib/provider.mjs';
import { binary, startServer } from './server.mjs';

const run = (server, ...words) =>
  execFileSync(binary, [...words, '--data', server.folder], { encoding: 'utf8' }).trim();
const users = (server) => JSON.parse(run(server, 'user', 'list', '--json'));

const role = (code, more = {}) => ({ person_roleid: `r-${code}`, org_code: 'RXX', role_code: `S8000:G8000:${code}`,
  role_name: '"Clinical":"Clinical Provision":"Nurse Access Role"', ...more });
const nurse = { nhsid_useruid: '555021935107', name: 'KHAN Aisha', nhsid_nrbac_roles: [role('R8001', { activity_codes: ['B0380'] })] };

async function set(t, args = []) {
  const { issuer, ready } = await provider(t);
  const server = await startServer(t, { open: false, args: ['--set', `upstream.issuer=${issuer}`,
    '--set', 'upstream.name=Care ID', '--set', 'upstream.organisation=RXX', ...args] });
  const op = await ready(server, { client_id: 'frontline', redirect_uris: [`${server.url}/sign-in/staff/back`] });
  op.person = { sub: 'sub-1', acr: 'AAL3_ANY', claims: nurse };
  return { server, op };
}

// The end of a sign-in in a browser of its own: { status, text, walker }.
async function signIn(server, walker = new Walker(), query = 'next=/account') {
  const { answer, text, url } = await walker.walk(`${server.url}/sign-in/staff?${query}`);
  return { status: answer.status, text, url, walker };
}
function refused(end, words, row) {
  assert.match(end.text, /You are not signed in/, `${row}: ${end.url} ${end.text.slice(0, 300)}`);
  assert.match(end.text.replaceAll('&#39;', "'"), words, row);
  assert.ok(end.status >= 400 && end.status < 500, `${row}: ${end.status}`);
  assert.doesNotMatch(end.walker.cookies(new URL(end.url).origin), /frontline_session/, row);
}

test('a nurse signs in with her national role, and is a nurse here', async (t) => {
  const { server, op } = await set(t);
  assert.match((await server.get('/sign-in')).text, /Continue to Care ID/);
  const end = await signIn(server);
  assert.match(end.text, /Signed in as <strong>KHAN Aisha/, end.text.slice(0, 2000));
  assert.deepEqual(users(server).map((u) => [u.name, u.role]), [['uid.555021935107', 'nurse']]);
  const asked = op.asked.find((a) => a.path === '/auth').query;
  assert.equal(asked.code_challenge_method, 'S256');
  assert.ok(asked.nonce && asked.state && asked.code_challenge);
  assert.equal(asked.acr_values, 'AAL2_OR_AAL3_ANY');
  assert.equal(asked.max_age, '43200');
  const again = await signIn(server);
  assert.match(again.text, /Signed in as/);
  assert.equal(users(server).length, 1, 'the same person is the same account');
});

test('each national role becomes its role here, by activities held or included', async (t) => {
  const { server, op } = await set(t);
  const rows = [
    ['R8000', undefined, 'doctor'], ['R8001', ['B0360'], 'nurse'], ['R8001', ['B0380'], 'nurse'],
    ['R8003', ['B0572', 'B0360'], 'pharmacist'], ['R8003', ['B0360'], 'ahp'], ['R8010', ['B0825'], 'ward_clerk'],
    ['R8015', undefined, 'system_admin'], ['R0001', undefined, 'privacy_officer'], ['R5105', undefined, 'caldicott'],
  ];
  for (const [i, [code, activity_codes, expected]] of rows.entries()) {
    op.person = { sub: `s${i}`, acr: 'AAL2_ANY', claims: { ...nurse, nhsid_useruid: `9${i}`, nhsid_nrbac_roles: [role(code, { activity_codes })] } };
    assert.match((await signIn(server)).text, /Signed in as/, code);
    assert.equal(users(server).find((u) => u.name === `uid.9${i}`).role, expected, code);
  }
});

test('who has no role here is told what to do', async (t) => {
  const { server, op } = await set(t);
  const rows = [
    ['unknown role', { nhsid_nrbac_roles: [role('R9999')] }, /R9999.*ask the administrator to add it/],
    ['a student, on purpose not in the table', { nhsid_nrbac_roles: [role('R8004')] }, /no role here/],
    ['too few activities', { nhsid_nrbac_roles: [role('R8001', { activity_codes: ['B0820'] })] }, /lacks the activities/],
    ['elsewhere', { nhsid_nrbac_roles: [role('R8001', { org_code: 'RYY' })] }, /another organisation/],
    ['none chosen of two', { nhsid_nrbac_roles: [role('R8001'), role('R8000')] }, /did not choose/],
    ['one chosen that is not held', { nhsid_nrbac_roles: [role('R8001')], selected_roleid: 'other' }, /did not choose/],
    ['no roles', { nhsid_nrbac_roles: [] }, /did not choose/],
    ['no national id', { nhsid_useruid: undefined }, /national id/],
    ['roles of a wrong shape', { nhsid_nrbac_roles: { a: 1 } }, /./],
  ];
  for (const [row, claims, words] of rows) {
    op.person = { sub: row, acr: 'AAL3_ANY', claims: { ...nurse, ...claims } };
    refused(await signIn(server), words, row);
  }
  op.person = { sub: 'two', acr: 'AAL3_ANY', claims: { ...nurse, nhsid_nrbac_roles: [role('R8001'), role('R8000')], selected_roleid: 'r-R8000' } };
  assert.match((await signIn(server)).text, /Signed in as/);
  assert.equal(users(server).at(-1).role, 'doctor', 'the chosen one of two');
});

test('what the provider answers is believed only if it is for us now and to this question', async (t) => {
  const { server, op } = await set(t);
  const now = () => Math.floor(Date.now() / 1000);
  const claims = (change) => async (tokens, { sign, decode }) => {
    tokens.id_token = await sign({ ...decode(tokens.id_token), ...change });
  };
  const none = async (tokens, { decode }) => {
    const part = (v) => Buffer.from(JSON.stringify(v)).toString('base64url');
    tokens.id_token = `${part({ alg: 'none' })}.${part(decode(tokens.id_token))}.`;
  };
  const rows = [
    ['wrong nonce', claims({ nonce: 'x' }), /another question/],
    ['no nonce', claims({ nonce: undefined }), /another question/],
    ['expired', claims({ exp: now() - 120 }), /too old/],
    ['no expiry', claims({ exp: undefined }), /too old/],
    ['issued in the future', claims({ iat: now() + 600 }), /future/],
    ['wrong audience', claims({ aud: 'another' }), /another service/],
    ['one of two audiences, for another', claims({ aud: ['frontline', 'another'], azp: 'another' }), /another service/],
    ['wrong issuer', claims({ iss: 'https://evil.example' }), /another provider/],
    ['no subject', claims({ sub: undefined }), /who you are/],
    ['weak', claims({ acr: 'AAL1_USERPASS' }), /not strong enough/],
    ['an acr nobody knows', claims({ acr: 'AAL9' }), /not strong enough/],
    ['no acr', claims({ acr: undefined }), /not strong enough/],
    ['signed in there yesterday', claims({ auth_time: now() - 86400 }), /too long ago/],
    ['no auth_time', claims({ auth_time: undefined }), /too long ago/],
    ['alg none', none, /signature/],
    ['alg HS256 with the public key', async (tokens, { decode }) => {
      const { SignJWT } = await import('jose');
      tokens.id_token = await new SignJWT(decode(tokens.id_token)).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(JSON.stringify(op.keys[0].n)));
    }, /signature/],
    ['unknown kid', async (tokens, { sign, decode }) => { tokens.id_token = await sign(decode(tokens.id_token), { kid: 'other' }); }, /signature/],
    ['a bit of the signature', (tokens) => { tokens.id_token = tokens.id_token.slice(0, -8) + 'AAAAAAAA'; }, /signature/],
    ['no ID token', (tokens) => { delete tokens.id_token; }, /signature/],
  ];
  for (const [row, spoil, words] of rows) {
    op.spoil = spoil;
    refused(await signIn(server), words, row);
  }
  op.spoil = null;
  op.spoilInfo = (body) => { body.sub = 'somebody else'; };
  refused(await signIn(server), /somebody else/, 'userinfo of another');
  op.spoilInfo = null;
  assert.equal(users(server).length, 0, 'none of them made an account');
  assert.match((await signIn(server)).text, /Signed in as/);
});

test('a state works once, in the browser that left, at the door it left by', async (t) => {
  const { server } = await set(t);
  const walker = new Walker();
  const { url } = await walker.walk(`${server.url}/sign-in/staff?next=/account`, /\/back\?/);
  refused({ ...(await new Walker().walk(url).then((e) => ({ status: e.answer.status, text: e.text }))), url, walker: new Walker() },
    /another browser/, 'a link sent to somebody else');
  const second = await walker.walk(url);
  refused({ status: second.answer.status, text: second.text, url, walker }, /used or too old/, 'and it is used up by the try');
  const own = new Walker();
  const back = await own.walk(`${server.url}/sign-in/staff?next=/account`, /\/back\?/);
  assert.match((await own.walk(back.url)).text, /Signed in as/);
  const replay = new Walker();
  replay.jars = new Map([...own.jars].map(([k, v]) => [k, new Map(v)]));
  replay.jars.get(server.url).delete('frontline_session');
  const again = await replay.walk(back.url);
  refused({ status: again.answer.status, text: again.text, url: back.url, walker: replay }, /used or too old/, 'replayed');
  const made = await new Walker().walk(`${server.url}/sign-in/staff/back?code=x&state=made-up`);
  assert.match(made.text, /used or too old/);
  const bare = await new Walker().walk(`${server.url}/sign-in/staff/back`);
  assert.ok(bare.answer.status >= 400 && bare.answer.status < 500);
});

test('another issuer in the answer, and a person who says no, are told in words', async (t) => {
  const { server, op } = await set(t);
  const walker = new Walker();
  const { url } = await walker.walk(`${server.url}/sign-in/staff`, /\/back\?/);
  const mixed = await walker.walk(url.replace(/iss=[^&]+/, 'iss=https%3A%2F%2Fevil.example'));
  assert.match(mixed.text, /another provider answered/);
  op.person.refuses = true;
  refused(await signIn(server), /did not agree/, 'no');
});

test('keys that rotate are fetched again; a closed account stays closed; a local refinement stays', async (t) => {
  const { server, op } = await set(t);
  assert.match((await signIn(server)).text, /Signed in as/);
  await new Promise((done) => setTimeout(done, 5100)); // keys are asked for again after five seconds
  op.rotate();
  assert.match((await signIn(server)).text, /Signed in as/, 'with the new key');
  run(server, 'user', 'role', 'uid.555021935107', 'nurse_in_charge');
  assert.match((await signIn(server)).text, /Signed in as/);
  assert.equal(users(server)[0].role, 'nurse_in_charge', 'a manager is a nurse to the national list');
  run(server, 'user', 'role', 'uid.555021935107', 'doctor');
  await signIn(server);
  assert.equal(users(server)[0].role, 'nurse', 'but a nurse is no doctor');
  run(server, 'user', 'disable', 'uid.555021935107');
  refused(await signIn(server), /closed/, 'disabled');
});

test('a step-up asks for a fresh sign-in of the same person', async (t) => {
  const { server, op } = await set(t, ['--set', 'upstream.step_up_level=3']);
  const { walker } = await signIn(server);
  const up = () => signIn(server, walker, 'next=/account&step-up=yes');
  assert.match((await up()).text, /Signed in as/);
  const asked = op.asked.filter((a) => a.path === '/auth' && a.query.client_id).at(-1).query;
  assert.deepEqual([asked.prompt, asked.max_age, asked.acr_values], ['login', '300', 'AAL3_ANY']);
  op.person = { ...op.person, acr: 'AAL2_ANY' };
  assert.match((await up()).text, /not strong enough/);
  walker.jars.delete(op.issuer); // another person at the provider, in the same browser
  op.person = { sub: 'sub-2', acr: 'AAL3_ANY', claims: { ...nurse, nhsid_useruid: '7' } };
  assert.match((await up()).text, /somebody else/);
});

test('a provider that is away, or is not what it should be, is told so, and codes still work', async (t) => {
  const server = await startServer(t, { open: false, args: ['--set', 'upstream.issuer=http://127.0.0.1:9'] });
  const end = await new Walker().walk(`${server.url}/sign-in/staff`);
  assert.equal(end.answer.status, 503);
  assert.match(end.text, /did not answer/);
  const plain = await startServer(t, { open: false });
  assert.equal((await plain.get('/sign-in/staff')).status, 404);
  assert.equal((await plain.get('/sign-in/patients')).status, 404);
});

test('clocks: the provider\'s may be a minute ahead or behind, and not more', async (t) => {
  const { server, op } = await set(t);
  const now = () => Math.floor(Date.now() / 1000);
  const rows = [['expired within the minute', () => ({ exp: now() - 30 }), null], ['and beyond', () => ({ exp: now() - 61 }), /too old/],
    ['issued ahead within the minute', () => ({ iat: now() + 40 }), null], ['and beyond', () => ({ iat: now() + 90 }), /future/],
    ['signed in there twelve hours ago, less a second', () => ({ auth_time: now() - 43199 }), null],
    ['twelve hours and a minute and more', () => ({ auth_time: now() - 43200 - 62 }), /too long ago/],
    ['signed in ahead within the minute', () => ({ auth_time: now() + 40 }), null], ['and beyond', () => ({ auth_time: now() + 90 }), /too long ago/]];
  for (const [row, change, words] of rows) {
    op.spoil = async (tokens, { sign, decode }) => { tokens.id_token = await sign({ ...decode(tokens.id_token), ...change() }); };
    const end = await signIn(server);
    if (words) refused(end, words, row); else assert.match(end.text, /Signed in as/, `${row}: ${end.text.slice(0, 300)}`);
  }
});

test('a provider that goes away: who is in stays in, who comes hears what to do; its keys change while somebody is on the way', async (t) => {
  const { server, op } = await set(t);
  const { walker, text } = await signIn(server);
  assert.match(text, /Signed in as/);
  const under = new Walker();
  const onTheWay = await under.walk(`${server.url}/sign-in/staff?next=/account`, /\/back\?/);
  await new Promise((done) => setTimeout(done, 5100)); // keys are asked for again after five seconds
  op.rotate();
  const { text: after } = await under.walk(onTheWay.url);
  assert.match(after, /Signed in as|begin again/, 'with the new key, or asked to begin again: the restarted provider forgot its code');
  assert.match((await signIn(server)).text, /Signed in as/, 'then with the new key');
  const { url } = await new Walker().walk(`${server.url}/sign-in/staff`, /\/back\?/);
  op.gone();
  assert.equal((await walker.go(`${server.url}/account`)).status, 200, 'a session here goes on');
  const back = await new Walker().walk(url);
  assert.ok(back.answer.status >= 400 && back.answer.status < 504 && back.answer.status !== 500, String(back.answer.status));
  assert.match(back.text, /You are not signed in[\s\S]*One-time code/);
});

test('keys that are slow, huge, or a page that says sorry: told, within seconds, and never instead of good ones', async (t) => {
  const { createServer } = await import('node:http');
  const how = {};
  const odd = createServer((request, response) => {
    const issuer = `http://127.0.0.1:${odd.address().port}`;
    if (request.url.includes('openid-configuration')) {
      const urls = Object.fromEntries(['authorization', 'token', 'userinfo'].map((name) => [`${name}_endpoint`, `${issuer}/${name}`]));
      return response.setHeader('content-type', 'application/json').end(JSON.stringify({ issuer, ...urls, jwks_uri: `${issuer}/jwks` }));
    }
    return how.jwks(response);
  });
  odd.listen(0, '127.0.0.1');
  await (await import('node:events')).once(odd, 'listening');
  t.after(() => { odd.closeAllConnections(); odd.close(); });
  const server = await startServer(t, { open: false, args: ['--set', `upstream.issuer=http://127.0.0.1:${odd.address().port}`] });
  const rows = [['a page', (r) => r.end('<h1>Sorry</h1>'), /does not show its keys/], ['JSON of another kind', (r) => r.end('{"keys":"none"}'), /does not show its keys/],
    ['an error', (r) => r.writeHead(500).end(), /does not show its keys/], ['huge', (r) => r.end(`{"keys":[${'{},'.repeat(1 << 20)}{}]}`), /did not answer|does not show/],
    ['silent', () => {}, /did not answer/]];
  for (const [row, jwks, words] of rows) {
    how.jwks = jwks;
    const begun = Date.now(), end = await new Walker().walk(`${server.url}/sign-in/staff`);
    assert.equal(end.answer.status, 503, row);
    assert.match(end.text, words, row);
    assert.match(end.text, /One-time code/, row);
    assert.ok(Date.now() - begun < 12000, `${row}: ${Date.now() - begun} ms`);
  }
  how.jwks = (r) => r.end('{"keys":[]}');
  assert.equal((await server.get('/sign-in/staff')).status, 303, 'and well again at once');
});
