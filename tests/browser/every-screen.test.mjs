// SPDX-License-Identifier: Apache-2.0
// Every screen of the program, found as people find them: by following links through a demonstration
// hospital, each role from its first page. A new HTML route that no link leads to, and that is not
// named below, fails; so does one that axe, a telephone, the night or the keyboard finds fault with.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { faults, fits, launch, open } from '../lib/browser.mjs';
import { routes } from '../lib/routes.mjs';
import { Server, binary, makeFolder } from '../lib/server.mjs';

// Who walks, and what they open that no page links to: forms opened by a scan, a badge or an app.
const WALKS = {
  outreach: ['/obs', '/record', '/beds', '/account', '/step-up?next=/account', '/record/confirm/p000001'],
  bed_manager: ['/beds'],
  records_officer: ['/record/merge', '/feeds'],
  privacy_officer: ['/privacy'],
  system_admin: ['/'],
  patient: ['/my'],
  nobody: ['/sign-in', '/workstation'],
};
// Addresses whose answer is no page, and pages that other tests have to make something for first.
const NO_PAGE = [/^\/fhir/, /^\/auth\//, /^\/\.well-known/, /^\/assets/, /\.(json|csv)$/, /\/live$/, /^\/health$/,
  /^\/metrics$/, /^\/subscriptions/, /^\/workstation\/./, /^\/sign-in\/./, /^\/beds\/csv/,
  /^\/beds\/(sitrep|kh03|census)/, /^\/record\/codes$/, /\/file\//];
const MADE_ELSEWHERE = { // the page, and the test that opens it
  '/feeds/message/{id}': 'feeds.test.mjs', '/feeds/out/{number}': 'feeds.test.mjs',
};
const KINDS = ['tab', 'kind', 'move']; // one screen for each of these, not one for all

const all = routes().filter(({ method }) => method === 'GET');
const patterns = [...new Set(all.map(({ path }) => path))];
const screens = patterns.filter((path) => !NO_PAGE.some((no) => no.test(path)));
const known = patterns.map((path) => ({ path, names: [...path.matchAll(/\{(\w+)\*?\}/g)].map(([, name]) => name),
  match: new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\*\}/g, '(.+)').replace(/\{\w+\}/g, '([^/]+)')}$`) }))
  .sort((a, b) => a.names.length - b.names.length);

// The route of an address, and what tells it from other screens of the same route.
function screenOf(path) {
  const route = known.find(({ match }) => match.test(path));
  if (!route) return undefined;
  const values = route.match.exec(path).slice(1);
  return [route.path, ...values.filter((_, i) => KINDS.includes(route.names[i]))].join(' ');
}

let server;
let browser;
const cookies = {};
const found = new Map(); // screen: { who, address }

async function signIn(who) {
  const answer = await server.fetch('/sign-in', { method: 'POST', redirect: 'manual',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: `name=${who}&code=demo&next=/` });
  assert.equal(answer.status, 303, who);
  cookies[who] = answer.headers.getSetCookie().map((text) => text.split(';')[0]).join('; ');
}

// What a demonstration has none of: a set of this program's own, and an emergency access to review.
async function make() {
  const send = (path, fields) => server.fetch(path, { method: 'POST', redirect: 'manual',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', Cookie: cookies.outreach, Origin: server.url },
    body: String(new URLSearchParams(fields)) });
  const ask = async (path) => (await server.fetch(path, { headers: { Cookie: cookies.outreach } })).text();
  const form = await ask('/break-glass/p000001');
  const first = (name) => new RegExp(`name="${name}"[^]*?value="([^"]+)"`).exec(form)[1];
  const glass = await send('/break-glass/p000001', { csrf: first('csrf'), reason: first('reason'), basis: first('basis'),
    words: 'Collapsed in the waiting room', minutes: '5' });
  assert.equal(glass.status, 303, await glass.text());
  const inpatient = /\/obs\/patient\/(\w+)/.exec(await ask('/obs/ward/ward-amu-1'))[1];
  const set = await send(`/obs/patient/${inpatient}/enter`, { key: 'every-screen-0001', resp: 16, spo2: 98, oxygen: 'air',
    systolic: 122, diastolic: 74, pulse: 72, acvpu: 'A', temp: '36.8' });
  assert.equal(set.status, 303, await set.text());
  WALKS.outreach.unshift(`/obs/patient/${inpatient}`);
}

async function walk(who) {
  const asked = new Set();
  const queue = [...WALKS[who]];
  while (queue.length > 0) {
    const address = queue.shift();
    const screen = screenOf(address.split('?')[0]);
    if (!screen || asked.has(screen) || NO_PAGE.some((no) => no.test(address.split('?')[0]))) continue;
    asked.add(screen);
    const answer = await server.fetch(address, { redirect: 'manual',
      headers: { Accept: 'text/html', ...(cookies[who] && { Cookie: cookies[who] }) } });
    const text = await answer.text();
    assert.ok(answer.status < 500, `${who}: ${address} answered ${answer.status}`);
    if (answer.status === 200 && !found.has(screen)) found.set(screen, { who, address });
    for (const [, href] of text.matchAll(/(?:href|action)="(\/[^"#]*)/g)) queue.push(href.replaceAll('&amp;', '&'));
  }
}

before(async () => {
  const folder = makeFolder();
  const run = (...words) => execFileSync(binary, words, { encoding: 'utf8' });
  const day = new Date(Date.now() - 8 * 3_600_000).toISOString().slice(0, 10);
  run('synth', '--seed', '5', '--patients', '120', '--detail-days', '1', '--end', day, '--out', join(folder, 'synth'));
  run('import', '--data', join(folder, 'data'), join(folder, 'synth'));
  run('user', 'demo', '--data', join(folder, 'data'));
  server = await Server.start({ folder: join(folder, 'data'), open: false, args: ['--set', 'auth.demo_code=demo'] });
  browser = await launch();
  for (const who of Object.keys(WALKS).filter((name) => name !== 'nobody')) await signIn(who);
  await make();
  for (const who of Object.keys(WALKS)) await walk(who);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

test('every HTML route is a screen that somebody reaches', () => {
  const reached = new Set([...found.keys()].map((screen) => screen.split(' ')[0]));
  assert.deepEqual(screens.filter((path) => !reached.has(path) && !(path in MADE_ELSEWHERE)), []);
  assert.deepEqual(Object.keys(MADE_ELSEWHERE).filter((path) => !screens.includes(path)), [], 'gone');
});

// One look at a screen: as a telephone by day, as a desk by night, on paper, by the Tab key.
async function look(page, address) {
  const wrong = [];
  await page.setViewportSize({ width: 390, height: 844 });
  await page.emulateMedia({ colorScheme: 'light', media: 'screen' });
  await page.goto(server.url + address);
  wrong.push(...await faults(page));
  if (!await fits(page)) wrong.push('scrolls sideways on a telephone');
  await page.emulateMedia({ colorScheme: 'dark' });
  wrong.push(...(await faults(page)).map((fault) => `by night: ${fault}`));
  await page.setViewportSize({ width: 1280, height: 900 });
  if (!await fits(page)) wrong.push('scrolls sideways on a desk');
  await page.keyboard.press('Tab');
  const focus = await page.evaluate(() => {
    const { outlineStyle, boxShadow } = getComputedStyle(document.activeElement);
    return document.activeElement !== document.body && outlineStyle + boxShadow !== 'nonenone';
  });
  if (!focus) wrong.push('Tab leads nowhere one can see');
  await page.emulateMedia({ media: 'print' });
  const paper = await page.evaluate(() => ({ ink: getComputedStyle(document.querySelector('main')).color,
    controls: [...document.querySelectorAll('.app-nav a, .app-header button, main button:not(.app-sort)')]
      .filter((e) => e.checkVisibility()).map((e) => e.textContent.trim()) }));
  if (paper.controls.length) wrong.push(`on paper: ${paper.controls}`);
  if (paper.ink.match(/\d+/g).some((part) => Number(part) > 110)) wrong.push(`ink ${paper.ink} on paper`);
  return wrong;
}

for (const who of Object.keys(WALKS)) {
  test(`${who}: axe, telephone, night, paper and the Tab key find nothing wrong with a screen`, async () => {
    const queue = [...found].filter(([, by]) => by.who === who);
    const wrong = {};
    const lane = async () => {
      const page = await open(browser, 'about:blank');
      if (cookies[who]) await page.context().addCookies(cookies[who].split('; ').map((pair) =>
        ({ name: pair.split('=')[0], value: pair.slice(pair.indexOf('=') + 1), url: server.url })));
      for (let next = queue.shift(); next; next = queue.shift()) {
        const [screen, { address }] = next;
        page.complaints.length = 0;
        const list = [...await look(page, address), ...page.complaints];
        if (list.length) wrong[`${screen} (${address})`] = list;
      }
      await page.context().close();
    };
    await Promise.all([lane(), lane()]);
    assert.deepEqual(wrong, {});
  });
}
