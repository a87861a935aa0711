// SPDX-License-Identifier: Apache-2.0
// The demonstration that ./run serves: an account for each role, and its code on loopback alone.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { binary, root, spawnServer } from './server.mjs';

const asForm = { 'content-type': 'application/x-www-form-urlencoded' };
let folder;
let server;
let printed;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'frontline-demo-'));
  const make = (...words) => execFileSync(binary, words, { encoding: 'utf8' });
  make('synth', '--patients', '40', '--days', '20', '--detail-days', '2', '--out', join(folder, 'synth'));
  make('import', '--data', folder, join(folder, 'synth'), join(root, 'tools/demo/carer.ndjson'));
  printed = make('user', 'demo', '--data', folder);
  assert.equal(make('user', 'demo', '--data', folder), printed, 'again: nothing changes');
  server = await spawnServer({ folder, open: false, args: ['--set', 'auth.demo_code=demo'] });
});
after(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function signIn(name, code = 'demo') {
  const answer = await server.ask('POST', '/sign-in', { body: new URLSearchParams({ name, code, next: '/' }).toString(), headers: asForm });
  return answer.status === 303 ? { cookie: answer.headers.get('set-cookie').split(';')[0] } : null;
}

test('each role has an account, listed where one signs in, and each gets in', async () => {
  const roles = execFileSync(binary, ['user', 'roles', '--data', folder], { encoding: 'utf8' })
    .trim().split('\n').map((line) => line.split(' ')[0]).filter((name) => name !== 'service');
  assert.ok(roles.length >= 12, `${roles}`);
  const page = (await server.get('/sign-in')).text;
  for (const name of roles) {
    assert.match(printed, new RegExp(`^  ${name} `, 'm'));
    assert.match(page, new RegExp(`name="name" value="${name}"`));
    const session = await signIn(name);
    assert.ok(session, name);
    const own = ['patient', 'proxy', 'claimant'].includes(name) ? '/my' : '/';
    const answer = await server.get(own, session);
    assert.equal(answer.status, 200, `${name}: ${answer.text.slice(0, 300)}`);
  }
  assert.equal(await signIn('nurse', 'wrong'), null);
  assert.equal(await signIn('nobody'), null);
});

test('a nurse sees the patients of her ward, a patient themself, a carer whom they act for', async () => {
  const nurse = await signIn('nurse');
  const all = Number(JSON.parse(execFileSync('curl', ['-s', `${server.url}/fhir/Patient?_summary=count`, '-H',
    `Authorization: Bearer ${execFileSync(binary, ['token', '--scope', 'system/*.rs', '--data', folder], { encoding: 'utf8' }).trim()}`])).total);
  const seen = (await server.get('/fhir/Patient?_summary=count', nurse)).body.total;
  assert.ok(seen > 0 && seen < all, `${seen} of ${all}`);
  const patient = await signIn('patient');
  assert.match((await server.get('/my', patient)).text, /NHS number/);
  assert.equal((await server.get('/fhir/Patient?_summary=count', patient)).body.total, 1);
  assert.match((await server.get('/my', await signIn('proxy'))).text, /Act for/);
  assert.match((await server.get('/my', await signIn('claimant'))).text, /prove who you are/);
});

test('nobody signed in: pages lead to the sign-in page, programs hear 401', async () => {
  const html = { accept: 'text/html' };
  for (const path of ['/', '/beds', '/browse/Patient', '/my']) {
    const answer = await server.get(path, html);
    assert.equal(answer.status, 303, path);
    assert.match(answer.headers.get('location'), /^\/sign-in/, path);
  }
  assert.equal((await server.get('/fhir/Patient')).status, 401);
  for (const path of ['/health', '/fhir/metadata', '/fhir/.well-known/smart-configuration', '/sign-in'])
    assert.equal((await server.get(path)).status, 200, path);
});

test('the code is refused off loopback', () => {
  const other = mkdtempSync(join(tmpdir(), 'frontline-demo-'));
  const end = spawnSync(binary, ['serve', '--data', other, '--listen', '0.0.0.0:0', '--set', 'auth.demo_code=demo',
    '--set', 'http.plain_outside=yes'], { encoding: 'utf8', timeout: 20000 });
  rmSync(other, { recursive: true, force: true });
  assert.equal(end.status, 1);
  assert.match(end.stderr, /this machine alone/);
});
