// SPDX-License-Identifier: Apache-2.0
// Every page that stands on src/ui alone, in a real browser.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { everyWidth, faults, fits, launch, open, shot } from '../lib/browser.mjs';
import { Server } from '../lib/server.mjs';

let server;
let browser;
const patient = {
  resourceType: 'Patient', id: 'ann', active: true, gender: 'female', birthDate: '1945-07-14',
  identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990001233' }],
  name: [{ use: 'official', family: "O'Neill", given: ['Ann'], prefix: ['Ms'] }],
};
const pulse = {
  resourceType: 'Observation', id: 'pulse', status: 'final', code: { text: 'Pulse <script>' },
  subject: { reference: 'Patient/ann' }, valueQuantity: { value: 72, unit: '/min' },
};

before(async () => {
  server = await Server.start();
  browser = await launch();
  for (const resource of [patient, pulse]) {
    const { status, body } = await server.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource);
    assert.equal(status, 201, JSON.stringify(body));
  }
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const PAGES = {
  landing: '/', list: '/browse/Patient', resource: '/browse/Patient/ann',
  observation: '/browse/Observation/pulse', history: '/browse/Patient/ann/history',
  refused: '/browse/Patient?q=nmae%3Dx', missing: '/browse/Patient/nobody', nowhere: '/no-such-page', background: '/admin/background',
};

for (const [name, path] of Object.entries(PAGES)) {
  test(`${name}: nothing for axe, and fits, at three widths by day and night`, async () => {
    const page = await open(browser, server.url + path);
    await everyWidth(page, name);
    const complaints = page.complaints.filter((text) => !/status of 40[04]/.test(text));
    assert.deepEqual(complaints, []);
    await page.context().close();
  });
}

test('without scripts every page still says what it says', async () => {
  for (const path of Object.values(PAGES)) {
    const page = await open(browser, server.url + path, { js: false });
    assert.ok((await page.locator('h1').textContent()).length > 0, path);
    assert.ok(await page.locator('main').isVisible(), path);
    await page.context().close();
  }
});

test('the banner of the patient stands over what is about the patient', async () => {
  const page = await open(browser, `${server.url}/browse/Observation/pulse`);
  const banner = await page.locator('.app-banner').textContent();
  for (const part of ["O'NEILL, Ann (Ms)", '14-Jul-1945', 'Female', '999 000 1233', 'Not known']) {
    assert.ok(banner.includes(part), `${part} in ${banner}`);
  }
  await page.context().close();
});

test('what a resource holds is text, never markup', async () => {
  const page = await open(browser, `${server.url}/browse/Observation/pulse`);
  assert.ok((await page.locator('pre').textContent()).includes('Pulse <script>'));
  await page.context().close();
});

test('night is chosen without a script, and kept', async () => {
  const page = await open(browser, `${server.url}/browse/Patient`, { js: false });
  await page.getByRole('button', { name: 'Night view' }).click();
  assert.equal(new URL(page.url()).pathname, '/browse/Patient');
  assert.equal(await page.locator('html').getAttribute('data-theme'), 'night');
  await page.goto(`${server.url}/`);
  assert.equal(await page.locator('html').getAttribute('data-theme'), 'night');
  await page.context().close();
});

test('the theme form leads to this server only', async () => {
  for (const path of ['//example.org', 'https://example.org', '/\\example.org', '/a\nb']) {
    const answer = await fetch(`${server.url}/ui/theme`, {
      method: 'POST', redirect: 'manual', body: new URLSearchParams({ theme: 'day', path }),
    });
    assert.equal(answer.status, 303);
    assert.equal(answer.headers.get('location'), '/', JSON.stringify(path));
  }
});

test('by keyboard alone: skip link, rows by j and k, search by slash, help by question mark', async () => {
  const page = await open(browser, `${server.url}/browse/Patient`);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to main content');
  await page.keyboard.press('j');
  assert.match(await page.evaluate(() => document.activeElement.textContent), /O'NEILL/);
  await page.keyboard.press('/');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'q');
  await page.keyboard.type('jk?');
  assert.equal(await page.locator('#q').inputValue(), 'jk?');
  await page.keyboard.press('Tab');
  await page.keyboard.press('?');
  assert.ok(await page.getByRole('dialog').isVisible());
  assert.deepEqual(await faults(page), []);
  await page.keyboard.press('Escape');
  await page.keyboard.press('k');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/browse/Patient/ann');
  await page.context().close();
});

test('a table is sorted by its headings', async () => {
  const page = await open(browser, server.url);
  await page.getByRole('button', { name: 'Type' }).click();
  const names = await page.locator('tbody th').allTextContents();
  assert.deepEqual(names, [...names].sort());
  assert.equal(await page.locator('thead th').first().getAttribute('aria-sort'), 'ascending');
  await page.context().close();
});

test('on paper: no controls, black on white', async () => {
  const page = await open(browser, `${server.url}/browse/Patient/ann`, { night: true });
  await page.emulateMedia({ media: 'print' });
  await shot(page, 'resource-print');
  assert.ok(!await page.getByRole('button', { name: /view/ }).isVisible());
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(255, 255, 255)');
  await page.context().close();
});

test('a cold page is within its budget: 100 KB in all, scripts 25 KB, styles 35 KB', async () => {
  const page = await browser.newPage();
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  const sizes = { Document: 0, Script: 0, Stylesheet: 0, Image: 0, Other: 0 };
  const types = new Map();
  session.on('Network.responseReceived', (event) => types.set(event.requestId, event.type));
  session.on('Network.loadingFinished', (event) => {
    sizes[types.get(event.requestId)] += event.encodedDataLength;
  });
  await page.goto(server.url, { waitUntil: 'load' });
  await page.waitForTimeout(500);
  const all = Object.values(sizes).reduce((sum, bytes) => sum + bytes, 0);
  assert.ok(sizes.Script <= 25 * 1024 && sizes.Stylesheet <= 35 * 1024 && all <= 100 * 1024, JSON.stringify(sizes));
  assert.ok(sizes.Stylesheet > 1000);
  await page.close();
});

test('assets may be kept for a year, pages not at all', async () => {
  const html = await (await server.fetch('/')).text();
  const css = /href="(\/assets\/app-[^"]+)"/.exec(html)[1];
  const asset = await server.fetch(css, { headers: { 'Accept-Encoding': 'br' } });
  assert.match(asset.headers.get('cache-control'), /max-age=31536000, immutable/);
  assert.equal(asset.headers.get('content-encoding'), 'br');
  const again = await server.fetch(css, { headers: { 'If-None-Match': asset.headers.get('etag') } });
  assert.equal(again.status, 304);
  assert.equal((await server.fetch('/')).headers.get('cache-control'), 'no-store');
  assert.equal((await server.fetch('/assets/app-0.css')).status, 404);
  assert.equal((await server.fetch('/assets/../../etc/passwd')).status, 404);
});
