// SPDX-License-Identifier: Apache-2.0
// The pages about who may come in and who looked: one's own account, the administrator's people, the question an app
// asks, the privacy officer's lists, the patient's "who has looked". One server, one browser, one signed-in page a person.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { faults, fits, launch, open, shot } from '../lib/browser.mjs';
import { Server, binary } from '../lib/server.mjs';

let server, browser, site, ask;
const pages = {};
const run = (...words) => execFileSync(binary, [...words, '--data', server.data], { encoding: 'utf8' }).trim();
const BACK = 'http://127.0.0.1:9/back';
const SCOPE = 'launch/patient launch/encounter patient/Observation.rs?category=vital-signs patient/Patient.r openid fhirUser offline_access';

before(async () => {
  server = await Server.start({ open: false, args: ['--set', 'auth.demo_code=demo'] });
  site = server.url.replace('127.0.0.1', 'localhost');
  for (const [name, role, display, who] of [['a.khan', 'outreach', 'Aisha Khan', 'Practitioner/7'], ['admin.one', 'system_admin', 'Sam Admin', 'Practitioner/1'],
    ['priv.one', 'privacy_officer', 'Pat Privacy', 'Practitioner/9'], ['ann', 'patient', 'Ann Smith', 'Patient/ann'], ['b.jones', 'nurse', 'Bea Jones', 'Practitioner/8']])
    run('user', 'add', name, '--role', role, '--display', display, '--who', who);
  run('client', 'add', 'chart', '--name', 'Growth chart', '--redirect', BACK, '--scope', SCOPE);
  const headers = { Authorization: `Bearer ${run('token', '--scope', 'system/*.cruds')}` };
  const put = (type, id, more) => server.put(`/fhir/${type}/${id}`, { resourceType: type, id, ...more }, headers);
  for (const [id, given, birthDate] of [['ann', 'Ann', '1945-07-14'], ['anna', 'Anna', '1945-07-15'], ['bob', 'Bob', '1950-01-01']])
    await put('Patient', id, { name: [{ family: 'Smith', given: [given] }], birthDate,
      identifier: id === 'ann' ? [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990000018' }] : undefined });
  for (const [id, status] of [['stay', 'in-progress'], ['visit', 'finished']])
    await put('Encounter', id, { status, class: { code: id === 'stay' ? 'IMP' : 'AMB', display: id === 'stay' ? 'inpatient' : 'ambulatory' },
      subject: { reference: 'Patient/ann' }, period: { start: id === 'stay' ? '2026-11-20T08:00:00Z' : '2026-10-02T09:00:00Z' } });
  ask = new URLSearchParams({ client_id: 'chart', redirect_uri: BACK, scope: SCOPE, state: 's', response_type: 'code', aud: `${site}/fhir`,
    code_challenge: createHash('sha256').update('v'.repeat(43)).digest('base64url'), code_challenge_method: 'S256' }).toString();
  browser = await launch();
  await signIn('a.khan');
  await pages['a.khan'].goto(`${site}/browse/Patient/ann`); // somebody has looked
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

async function signIn(name, how) {
  const page = await open(browser, `${site}/sign-in?next=/account`, how);
  await page.locator(`form:has(input[value="${name}"]) button`).first().click();
  await page.waitForURL('**/account');
  pages[name] = page;
  return page;
}
const said = async (page, words) => assert.match(await page.locator('main').innerText(), words);

// A phone and a desk, by day and by night.
async function everyWidth(page, name) {
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    for (const scheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme: scheme });
      await shot(page, `${name}-${width}-${scheme}`);
      assert.deepEqual(await faults(page), [], `${name}, ${width} px, ${scheme}`);
    }
    assert.ok(await fits(page), `${name}, ${width} px: scrolls sideways`);
  }
}

test('the consent page: what is asked in plain words, the patient found by name, the stay chosen, all by keyboard', async () => {
  const page = pages['a.khan'];
  await page.goto(`${site}/auth/authorize?${ask}`);
  await said(page, /Growth chart[\s\S]*Look at, search: Observation, only where category is vital-signs[\s\S]*after you have signed out/);
  assert.equal(await page.getByRole('button', { name: 'Allow', exact: true }).count(), 0, 'not before a patient is chosen');
  await page.getByLabel('Name, date of birth or NHS number').focus();
  await page.keyboard.type('smith ann');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: /SMITH, Ann\b/ }).waitFor();
  assert.deepEqual(await page.locator('.app-choices a').allInnerTexts().then((all) => all.map((one) => one.replace(/\s+/g, ' '))),
    ['SMITH, Ann Born 14-Jul-1945 (81y) NHS No. 999 000 0018', 'SMITH, Anna Born 15-Jul-1945 (81y) NHS No. Not known']);
  await everyWidth(page, 'consent-find');
  await page.getByRole('link', { name: /SMITH, Ann\b/ }).focus();
  await page.keyboard.press('Enter');
  await page.getByText('For this patient alone').waitFor();
  await everyWidth(page, 'consent-chosen');
  await page.getByLabel(/Now: inpatient/).focus();
  await page.keyboard.press('Space');
  const sent = page.waitForRequest((request) => request.url().startsWith(BACK));
  await page.getByRole('button', { name: 'Allow', exact: true }).focus();
  await page.keyboard.press('Enter');
  const back = new URL((await sent).url());
  assert.ok(back.searchParams.get('code') && !back.searchParams.get('error'), back.href);
  const answer = await server.ask('POST', '/auth/token', { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams({
    client_id: 'chart', grant_type: 'authorization_code', code: back.searchParams.get('code'), redirect_uri: BACK, code_verifier: 'v'.repeat(43) }).toString() });
  assert.deepEqual([answer.body.patient, answer.body.encounter], ['ann', 'stay'], answer.text);
});

test('one\'s account: the app that was allowed, sign-ins and keys', async () => {
  const page = pages['a.khan'];
  await signIn('a.khan'); // another browser of hers
  pages['a.khan'] = page;
  await page.goto(`${site}/account`);
  await said(page, /Growth chart/);
  await page.getByText('What it may do').click();
  await everyWidth(page, 'account');
  const stop = page.getByRole('button', { name: 'Stop Growth chart' });
  await stop.focus();
  await page.keyboard.press('Enter');
  await page.getByText('The app may do nothing in your name any more.').waitFor();
  await page.getByRole('button', { name: 'End all the others' }).focus();
  await page.keyboard.press('Enter');
  await page.getByText('All your other sign-ins have ended.').waitFor();
});

test('people: a code shown once that lets in, a role, a closed account; without scripts', async () => {
  const page = await signIn('admin.one', { js: false });
  await page.goto(`${site}/people`);
  await said(page, /Bea Jones/);
  await page.goto(`${site}/people/b.jones`);
  await page.getByRole('button', { name: 'Make a code' }).click();
  const code = await page.locator('.app-code-once').innerText();
  assert.match(code, /^[a-z2-9]{10}$/);
  const let_in = () => server.ask('POST', '/sign-in', { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams({ name: 'b.jones', code, next: '/' }).toString() });
  assert.equal((await let_in()).status, 303);
  assert.equal((await let_in()).status, 401, 'once');
  await page.goto(`${site}/people/b.jones`);
  assert.equal(await page.locator('.app-code-once').count(), 0, 'and is not shown again');
  await page.getByLabel('Healthcare assistant').check();
  await page.getByRole('button', { name: 'Change the role' }).click();
  await said(page, /The role is changed/);
  await page.goto(`${site}/people/b.jones`);
  await page.getByRole('button', { name: 'Close the account' }).click();
  await said(page, /The account is closed\.[\s\S]*Open it again/);
  assert.equal((await let_in()).status, 401);
  await page.getByRole('button', { name: 'Open it again' }).click();
  await said(page, /The account is open again/);
  await page.goto(`${site}/people/admin.one`);
  await said(page, /Another administrator closes your account, not you/);
  const seeing = await open(browser, site);
  await seeing.context().addCookies(await page.context().cookies());
  for (const [name, path] of [['people', '/people'], ['person', '/people/a.khan']]) {
    await seeing.goto(site + path);
    await everyWidth(seeing, name);
  }
  const khan = pages['a.khan'];
  for (const path of ['/people', '/people/b.jones'])
    assert.equal((await khan.goto(site + path)).status(), 403, 'an administrator\'s alone');
});

test('privacy officer and patient: who looked, at every width, without scripts too', async () => {
  const officer = await signIn('priv.one'), ann = await signIn('ann');
  for (const [page, name, path, words] of [[officer, 'privacy', '/privacy', /./], [officer, 'privacy-access', '/privacy/access', /Aisha Khan|a\.khan/],
    [ann, 'my-access', '/my/access', /Aisha Khan|outreach/i], [ann, 'my-account', '/account', /Ann Smith/]]) {
    const answer = await page.goto(site + path);
    assert.equal(answer.status(), 200, path);
    await said(page, words);
    await everyWidth(page, name);
    assert.deepEqual(page.complaints, [], path);
  }
  for (const [name, path, words] of [['priv.one', '/privacy/access', /Aisha Khan|a\.khan/], ['ann', '/my/access', /Aisha Khan|outreach/i]]) {
    const plain = await open(browser, site, { js: false, width: 390 });
    await plain.context().addCookies(await pages[name].context().cookies());
    await plain.goto(site + path);
    await said(plain, words);
  }
});
