// SPDX-License-Identifier: Apache-2.0
// Writing into the record by people who are signed in: what is typed is never lost, never sent under
// another's name, never written over what somebody else wrote.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { faults, launch, open, shot } from '../lib/browser.mjs';
import { Server, binary, root } from '../lib/server.mjs';

let server, browser, site, token;
const CODE = 'demo';
const PEOPLE = [['a.khan', 'doctor', 'Aisha Khan'], ['k.two', 'doctor', 'Aisha Khan'], ['b.jones', 'nurse', 'Bryn Jones'], ['c.okafor', 'consultant', 'Chidi Okafor']];
const about = { reference: 'Patient/ann' };
const RESOURCES = [
  { resourceType: 'Location', id: 'w1', status: 'active', name: 'Ward 1', physicalType: { coding: [{ code: 'wa' }] } },
  { resourceType: 'Patient', id: 'ann', gender: 'female', birthDate: '1945-07-14', name: [{ family: "O'Neill", given: ['Ann'] }] },
  ...PEOPLE.map(([id]) => ({ resourceType: 'Practitioner', id: id.replace('.', '-') })),
  { resourceType: 'Encounter', id: 'e1', status: 'in-progress', class: { code: 'IMP' }, subject: about, location: [{ location: { reference: 'Location/w1' }, status: 'active' }] },
];
const fhir = async (method, path, body) => {
  const answer = await server.fetch(`/fhir/${path}`, { method, body: body && JSON.stringify(body), headers: { Authorization: `Bearer ${token}` } });
  return answer.json();
};
const all = async (query) => ((await fhir('GET', query)).entry ?? []).map((e) => e.resource);

before(async () => {
  server = await Server.start({ open: false, args: ['--set', `auth.demo_code=${CODE}`] });
  site = server.url;
  const run = (...words) => execFileSync(binary, [...words, '--data', server.data], { encoding: 'utf8' }).trim();
  token = run('token', '--scope', 'system/*.cruds');
  for (const resource of RESOURCES) await fhir('PUT', `${resource.resourceType}/${resource.id}`, resource);
  for (const [name, role, display] of PEOPLE)
    run('user', 'add', name, '--role', role, '--display', display, '--who', `Practitioner/${name.replace('.', '-')}`, '--areas', 'w1');
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

async function signIn(page, name) {
  await page.goto(`${site}/sign-in`);
  await page.getByLabel('Your name here').fill(name);
  await page.getByLabel('One-time code', { exact: true }).fill(CODE);
  await page.getByRole('button', { name: 'Sign in with the code' }).click();
  await page.waitForURL((url) => url.pathname !== '/sign-in');
}
async function as(name, path, options) {
  const page = await open(browser, `${site}/sign-in`, options);
  await signIn(page, name);
  await page.goto(site + path);
  return page;
}
const task = '/record/patient/ann/new/task', what = 'What is to be done?';

test('signed out while typing: it is kept, and goes under the same name after signing in', async () => {
  const page = await as('b.jones', task);
  await page.getByLabel(what).fill('Turn her at four');
  const other = await page.context().newPage();
  await other.goto(`${site}/record`);
  await other.getByRole('button', { name: 'Sign out' }).click();
  await other.waitForURL(/sign-in|\/$/);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Sign in as b.jones to send it').waitFor();
  assert.deepEqual(await faults(page), []);
  await shot(page, 'record-signed-out');
  assert.equal((await all('Task?patient=ann')).length, 0);
  await signIn(page, 'b.jones');
  await page.goto(`${site}/record/patient/ann`);
  await page.locator('#app-outbox strong', { hasText: /^Sent$/ }).waitFor();
  const [kept] = await all('Task?patient=ann');
  assert.equal(kept.description, 'Turn her at four');
  assert.equal(kept.requester.reference, 'Practitioner/b-jones');
  await page.context().close();
});

test('another person on the same browser neither sends nor sees what the first one wrote', async () => {
  const page = await as('b.jones', task);
  const posts = (url) => url.pathname === task;
  await page.context().route(posts, (route) => (route.request().method() === 'POST' ? route.abort() : route.continue()));
  await page.getByLabel(what).fill('Ring the daughter');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Not sent yet (1)').waitFor();
  const second = await page.context().newPage();
  await signIn(second, 'a.khan');
  await page.context().unroute(posts);
  await second.goto(site + task);
  assert.equal(await second.locator('#app-outbox').count(), 0, 'not shown');
  assert.equal(await second.getByLabel(what).inputValue(), '', 'nor put back');
  await page.evaluate(() => window.dispatchEvent(new Event('online'))); // the first one's tab, open still
  await page.getByText('Sign in as b.jones to send it').waitFor();
  // A form of theirs that is still open, pressed by whoever is there now.
  await page.getByLabel(what).fill('Give the morning dose');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Not sent yet (2)').waitFor();
  const sent = async () => (await all('Task?patient=ann&_sort=_lastUpdated')).filter((t) => /Ring the|Give the/.test(t.description));
  assert.deepEqual(await sent(), [], 'nothing is written under the other name');
  await signIn(second, 'b.jones');
  await second.goto(`${site}/record/patient/ann`);
  await second.locator('#app-outbox strong', { hasText: /^Sent$/ }).nth(1).waitFor();
  assert.deepEqual((await sent()).map((t) => [t.description, t.requester.reference]),
    [['Ring the daughter', 'Practitioner/b-jones'], ['Give the morning dose', 'Practitioner/b-jones']], 'in the order written');
  await page.context().close();
});

test('several written offline: one accepted, one sent before, one refused; each has its outcome', async () => {
  const page = await as('b.jones', task);
  const before = (await all('Task?patient=ann')).length;
  const write = async (path, label, text, more) => {
    await page.goto(site + path);
    await page.getByLabel(label).fill(text);
    await more?.();
  };
  const lost = async (n) => { // the server takes it or not; the answer never comes
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText(`Not sent yet (${n})`).waitFor();
  };
  const posts = '**/record/patient/ann/new/**';
  await page.route(posts, async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    if (route.request().postData().includes('twice')) await route.fetch();
    return route.abort();
  });
  await write(task, what, 'Sent twice');
  await lost(1);
  await write('/record/patient/ann/new/problem', 'Problem or diagnosis', 'Sinusitis', () => page.getByLabel('Ended').fill('2020-01-01'));
  await lost(2);
  await write(task, what, 'Sent once');
  await lost(3);
  await page.unroute(posts);
  await page.evaluate(() => window.dispatchEvent(new Event('online')));
  await page.locator('#app-outbox strong', { hasText: /^Sent$/ }).nth(1).waitFor();
  assert.deepEqual(await page.locator('#app-outbox strong').allTextContents(), ['Sent', 'Refused', 'Sent']);
  assert.equal((await all('Task?patient=ann')).length, before + 2, 'what was sent twice is there once');
  await page.getByRole('button', { name: 'Open the form to mend it' }).click();
  await page.waitForURL(/new\/problem/);
  await page.getByText('Refused').waitFor();
  await page.getByLabel('Ended').fill('');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.waitForURL(/done=problem/);
  assert.equal(await page.locator('#app-outbox strong', { hasText: 'Refused' }).count(), 0, 'taken: no longer refused');
  assert.equal((await all('Condition?patient=ann')).length, 1);
  await page.context().close();
});

test('a browser with no room says so and loses nothing', async () => {
  const page = await as('b.jones', task);
  await page.evaluate(() => { Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }; });
  await page.getByLabel(what).fill('Check the drain');
  await page.getByText('no room to keep what you type').waitFor();
  await page.context().setOffline(true);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Leave this page open and save again').waitFor();
  assert.equal(await page.getByLabel(what).inputValue(), 'Check the drain');
  await page.context().setOffline(false);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.waitForURL(/done=task/);
  assert.deepEqual(page.complaints.filter((c) => !/ERR_INTERNET/.test(c)), []);
  await page.context().close();
});

test('a draft put back over what somebody changed since is compared, not saved over it', async () => {
  await fhir('PUT', 'Condition/gout', { resourceType: 'Condition', id: 'gout', subject: about, code: { text: 'Gout', coding: [{ system: 'http://snomed.info/sct', code: '90560007', display: 'Gout' }] },
    clinicalStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }] } });
  const path = '/record/patient/ann/entry/problem/gout';
  const hers = await as('a.khan', path);
  await hers.getByLabel('More').fill('Left toe');
  await hers.goto('about:blank'); // the tab is closed
  const his = await as('b.jones', path);
  await his.getByLabel('State').selectOption('resolved');
  await his.getByRole('button', { name: 'Save', exact: true }).click();
  await his.waitForURL(/done=problem/);
  await hers.goto(site + path);
  await hers.getByText('was put back').waitFor();
  assert.equal(await hers.getByLabel('State').inputValue(), 'active', 'as she left it');
  await hers.getByRole('button', { name: 'Save', exact: true }).click();
  await hers.getByText(/Changed meanwhile by Bryn Jones/).first().waitFor();
  await hers.getByLabel(/Theirs: Resolved/).check();
  await hers.getByRole('button', { name: 'Save what I chose' }).click();
  await hers.waitForURL(/done=problem/);
  const kept = await fhir('GET', 'Condition/gout');
  assert.deepEqual([kept.clinicalStatus.coding[0].code, kept.note[0].text, kept.code.coding[0].code], ['resolved', 'Left toe', '90560007']);
  await hers.context().close();
  await his.context().close();
});

test('on paper nothing of the handover is cut off, its tasks least of all, and it is A4', async () => {
  await fhir('PUT', 'Composition/sbar', { resourceType: 'Composition', id: 'sbar', status: 'final', title: 'Handover (SBAR)', date: '2026-11-22T08:00:00Z', subject: about, author: [{ display: 'Bryn Jones' }],
    type: { coding: [{ system: 'https://frontline.example/CodeSystem/note-type', code: 'sbar-handover' }] },
    section: ['situation', 'background', 'assessment', 'recommendation'].map((code) => ({ title: code, code: { coding: [{ code }] },
      text: { status: 'additional', div: `<div xmlns="http://www.w3.org/1999/xhtml">${'Pulmonary embolism on treatment, needs oxygen, otherwise stable. '.repeat(3)}</div>` } })) });
  const page = await as('b.jones', '/record/ward/w1/handover', { width: 1031 }); // A4 across, less its margins
  await page.emulateMedia({ media: 'print' });
  const cut = await page.$$eval('.record-handover *', (all) => all.filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.textContent));
  assert.deepEqual(cut, []);
  assert.match(await page.locator('.record-todo').innerText(), /Turn her at four/);
  const boxes = (pdf) => [...new Set(pdf.toString('latin1').match(/\/MediaBox ?\[[^\]]*\]/g))].map((b) => b.match(/[\d.]+/g).slice(2).map((n) => Math.round(Number(n))));
  assert.deepEqual(boxes(await page.pdf({ preferCSSPageSize: true })), [[842, 595]]);
  await page.goto(`${site}/record/ward/w1/downtime`);
  assert.deepEqual(boxes(await page.pdf({ preferCSSPageSize: true })).sort(), [[595, 842], [842, 595]], 'a patient on upright pages');
  await page.context().close();
});

test('the downtime pack that cannot be printed says why and how old the last one is', () => {
  const out = mkdtempSync(join(tmpdir(), 'downtime-'));
  writeFileSync(join(out, 'token'), token);
  writeFileSync(join(out, 'w1-20200101-0000.pdf'), '%PDF-');
  const run = (path, env, ...args) => spawnSync('sh', ['-c', path, 'x', join(root, 'deploy/downtime'), '--url', server.url, '--token', join(out, 'token'), '--out', out, ...args], { encoding: 'utf8', env: { ...process.env, ...env } });
  const few = join(out, 'bin'); // everything but chromium
  mkdirSync(few);
  for (const name of ['sh', 'mktemp', 'rm', 'mkdir', 'cat', 'curl', 'sed', 'grep', 'sort', 'head', 'date']) symlinkSync(`/usr/bin/${name}`, join(few, name));
  const rows = [
    [run('exec "$@"', { PATH: few }), /chromium is not installed: no pack can be printed/],
    [run('ulimit -f 1; exec "$@"', {}, 'w1'), /w1 could not be printed; the pack before it is kept: \d+ minutes old/],
    [run('exec "$@"', {}, 'no-such'), /no-such could not be printed; there is no pack before it/],
    [run('exec "$@" --url http://127.0.0.1:9', {}), /does not answer: no pack was printed/],
  ];
  for (const [{ status, stderr }, expected] of rows) {
    assert.equal(status, 1, stderr);
    assert.match(stderr, expected);
  }
  assert.deepEqual(readdirSync(out).filter((name) => /pdf|part/.test(name)), ['w1-20200101-0000.pdf'], 'the old one is kept, and no half of a new one');
  rmSync(out, { recursive: true });
});
