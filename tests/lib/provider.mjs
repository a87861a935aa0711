// SPDX-License-Identifier: Apache-2.0
// A real OpenID provider (npm oidc-provider) that signs in whom the test says, at once, and can be
// told to answer wrongly. `alg` is what everything is signed with, by it and for it:
//
//   const { port, ready } = await provider(t);      // its issuer is http://127.0.0.1:PORT
//   const op = await ready(server, { client_id });  // once Frontline runs and shows its keys
//   op.person = { sub, acr, ts, claims }            // who sits there
//   op.spoil = async (tokens, sign) => {...}        // changes what /token answers
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { SignJWT, decodeJwt, importJWK } from 'jose';
import Provider from 'oidc-provider';

const CLAIMS = {
  openid: ['sub', 'vot', 'vtm'],
  profile: ['name', 'given_name', 'family_name', 'birthdate', 'nhs_number', 'identity_proofing_level'],
  nationalrbacaccess: ['nhsid_nrbac_roles', 'nhsid_useruid'],
  selectedrole: ['selected_roleid'],
};

function key(kid, alg) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg };
}

function configure(op, client, jwks) {
  return {
    clients: [{ token_endpoint_auth_method: 'private_key_jwt', jwks, grant_types: ['authorization_code'], response_types: ['code'],
      token_endpoint_auth_signing_alg: op.alg, id_token_signed_response_alg: op.alg, ...client }],
    enabledJWA: { clientAuthSigningAlgValues: [op.alg], idTokenSigningAlgValues: [op.alg], userinfoSigningAlgValues: [op.alg] },
    jwks: { keys: op.keys }, scopes: Object.keys(CLAIMS), claims: CLAIMS, extraParams: ['vtr'],
    acrValues: ['AAL1_USERPASS', 'AAL2_ANY', 'AAL2_OR_AAL3_ANY', 'AAL3_ANY'], conformIdTokenClaims: false,
    cookies: { keys: ['test'] }, pkce: { required: () => true },
    features: { devInteractions: { enabled: false }, jwtUserinfo: { enabled: true } },
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ sub, ...op.person.claims }) }),
    async loadExistingGrant(ctx) {
      const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
      grant.addOIDCScope(Object.keys(CLAIMS).join(' '));
      await grant.save();
      return grant;
    },
  };
}

// Signs the person in, or says no for them, where a real provider would show its page.
async function interact(provider, op, ctx) {
  const { person } = op;
  const result = person.refuses
    ? { error: 'access_denied', error_description: 'the person said no' }
    : { login: { accountId: person.sub, acr: person.acr, ts: person.ts ?? Math.floor(Date.now() / 1000), remember: false } };
  await provider.interactionFinished(ctx.req, ctx.res, result, { mergeWithLastSubmission: false });
  ctx.respond = false;
}

export async function provider(t, alg = 'RS256') {
  const http = createServer();
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address();
  const issuer = `http://127.0.0.1:${port}`;
  t.after(() => { http.closeAllConnections(); http.close(); });
  const op = { issuer, alg, keys: [key('first', alg)], person: {}, spoil: null, asked: [] };
  const sign = async (claims, header = {}, jwk = op.keys[0]) => new SignJWT(claims)
    .setProtectedHeader({ alg, kid: jwk.kid, ...header }).sign(await importJWK(jwk, alg));

  const start = (client, jwks) => {
    const real = new Provider(issuer, configure(op, client, jwks));
    real.use(async (ctx, next) => {
      op.asked.push({ path: ctx.path, query: { ...ctx.query } });
      if (ctx.path.startsWith('/interaction/')) return interact(real, op, ctx);
      await next();
      if (ctx.path === '/token' && ctx.status === 200 && op.spoil)
        await op.spoil(ctx.body, { sign, decode: decodeJwt });
      if (ctx.path === '/me' && op.spoilInfo) ctx.body = await op.spoilInfo(ctx.body, { sign, decode: decodeJwt }) ?? ctx.body;
    });
    const answer = real.callback();
    http.removeAllListeners('request');
    http.on('request', answer);
  };
  const ready = async (server, client) => {
    const jwks = await (await fetch(`${server.url}/auth/jwks`)).json();
    start(client, jwks);
    op.rotate = () => { op.keys = [key(`next-${Date.now()}`, alg)]; start(client, jwks); };
    op.gone = () => { http.closeAllConnections(); http.close(); };
    return op;
  };
  return { issuer, ready };
}

// A browser without a screen: cookies by host and port, redirects followed one by one.
export class Walker {
  constructor() { this.jars = new Map(); }

  cookies(origin) { return [...(this.jars.get(origin) ?? new Map())].map(([k, v]) => `${k}=${v}`).join('; '); }

  async go(url, options = {}) {
    const { origin } = new URL(url);
    const answer = await fetch(url, { redirect: 'manual', ...options,
      headers: { accept: 'text/html', ...options.headers, cookie: this.cookies(origin) } });
    const jar = this.jars.get(origin) ?? new Map();
    this.jars.set(origin, jar);
    for (const line of answer.headers.getSetCookie()) {
      const [name, ...value] = line.split(';')[0].split('=');
      if (/max-age=0/i.test(line)) jar.delete(name); else jar.set(name, value.join('='));
    }
    return answer;
  }

  // Follows redirects until one would lead to a path `until` matches, or there are none.
  async walk(url, until) {
    for (let i = 0; i < 12; i += 1) {
      const answer = await this.go(url);
      const location = answer.headers.get('location');
      if (!location) return { answer, url, text: await answer.text() };
      url = new URL(location, url).href;
      if (until?.test(url)) return { answer, url, text: '' };
    }
    throw new Error(`too many redirects: ${url}`);
  }
}
