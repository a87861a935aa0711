// SPDX-License-Identifier: Apache-2.0
// Observations in a real browser: entering by keyboard and touch, the chart, the list, on paper.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { everyWidth, faults, fits, launch, open, shot } from '../lib/browser.mjs';
import { Server, root } from '../lib/server.mjs';

let server;
let browser;
const ago = (minutes) => new Date(Date.now() - minutes * 60000).toISOString();
const wall = (minutes) => new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/London', dateStyle: 'short',
  timeStyle: 'short' }).format(Date.now() - minutes * 60000).replace(' ', 'T');
const place = (id, name, kind, partOf) => ({ resourceType: 'Location', id, name,
  physicalType: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/location-physical-type', code: kind }] },
  ...(partOf && { partOf: { reference: `Location/${partOf}` } }) });
const person = (id, family, given, birthDate, nhs) => ({ resourceType: 'Patient', id, gender: 'female', birthDate,
  name: [{ use: 'official', family, given: [given], prefix: ['Mrs'] }],
  identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: nhs }] });
const stay = (id, bed) => ({ resourceType: 'Encounter', id: `stay-${id}`, status: 'in-progress',
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
  subject: { reference: `Patient/${id}` }, period: { start: ago(2000) },
  location: [{ location: { reference: `Location/${bed}` }, status: 'active' }] });
const shift = (id, role, display) => ({ resourceType: 'Schedule', id, active: true,
  serviceCategory: [{ coding: [{ code: 'escalation-rota' }] }], serviceType: [{ coding: [{ code: role }] }],
  actor: [{ reference: `Practitioner/${id}`, display }], planningHorizon: { start: ago(300), end: ago(-300) } });

let count = 0;
const enter = (patient, fields) => fetch(`${server.url}/obs/patient/${patient}/enter`, { method: 'POST',
  redirect: 'manual', body: new URLSearchParams({ key: `obs-browser-${count += 1}`, ...fields }) });
const WELL = { resp: 16, spo2: 98, oxygen: 'air', systolic: 122, diastolic: 74, pulse: 72, acvpu: 'A', temp: '36.8' };

before(async () => {
  server = await Server.start();
  browser = await launch();
  for (const resource of [place('ward-a', 'Acute Medical Unit', 'wa'), place('bed-1', 'Bed 1', 'bd', 'ward-a'),
    place('bed-2', 'Bed 2', 'bd', 'ward-a'), place('bed-3', 'Bed 3', 'bd', 'ward-a'),
    person('ann', "O'Neill", 'Ann', '1945-07-14', '9990001233'),
    person('bea', 'Okafor', 'Beatrice', '1961-02-03', '9990000018'),
    person('new', 'Patel', 'Nisha', '1980-05-06', '9434765919'),
    stay('ann', 'bed-1'), stay('bea', 'bed-2'), stay('new', 'bed-3'), shift('reg', 'registrar', 'Dr M. Osei'),
    shift('out', 'outreach', 'Sr J. Hall')]) {
    const { status, body } = await server.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource);
    assert.ok(status < 300, JSON.stringify(body));
  }
  const sick = [[1500, {}], [1140, { resp: 18, pulse: 84 }], [900, { resp: 19, spo2: 96, pulse: 88, temp: '37.6' }],
    [420, { resp: 21, spo2: 95, pulse: 98, temp: '38.2', systolic: 112 }],
    [120, { resp: 22, spo2: 93, oxygen: 'oxygen', device: 'cannula', flow: '2', pulse: 112, temp: '38.6', systolic: 104 }],
    [50, { resp: 24, spo2: 93, temp: '' }],
    [5, { resp: 26, spo2: 92, oxygen: 'oxygen', device: 'mask', flow: '6', pulse: 121, temp: '39.2', systolic: 98, acvpu: 'C' }]];
  for (const [minutes, more] of sick) assert.equal((await enter('ann', { ...WELL, ...more, at: wall(minutes) })).status, 303);
  await enter('bea', { ...WELL, at: wall(800) });
  await enter('bea', { ...WELL, pulse: 92, at: wall(370) });
  for (const [route, volume, minutes] of [['iv', 500, 200], ['urine', 120, 150], ['oral', 200, 90], ['urine', 80, 30]])
    await fetch(`${server.url}/obs/patient/ann/fluid`, { method: 'POST', redirect: 'manual',
      body: new URLSearchParams({ key: `fluid-${route}-${minutes}-x`, route, volume, at: wall(minutes) }) });
  for (const [eyes, minutes] of [[4, 60], [3, 5]])
    await fetch(`${server.url}/obs/patient/ann/gcs`, { method: 'POST', redirect: 'manual',
      body: new URLSearchParams({ key: `gcs-browser-${minutes}`, eyes, verbal: '5', motor: '6', head_injury: '1', at: wall(minutes) }) });
  for (let i = 0; i < 60; i += 1) {
    const { body } = await server.send('GET', '/fhir/Task?patient=ann');
    if (body.entry?.length) break;
    await new Promise((done) => setTimeout(done, 50));
  }
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const PAGES = {
  'obs-wards': '/obs', 'obs-ward': '/obs/ward/ward-a', 'obs-chart': '/obs/patient/ann', 'obs-enter': '/obs/patient/bea/enter',
  'obs-scan': '/obs/patient/bea/enter?from=scan', 'obs-scale': '/obs/patient/ann/scale', 'obs-fluid': '/obs/patient/ann/fluid',
  'obs-gcs': '/obs/patient/ann/gcs', 'obs-calls': '/obs/patient/ann/escalations', 'obs-all-calls': '/obs/escalations',
  'obs-responses': '/obs/responses', 'obs-rules': '/obs/rules', 'obs-rota': '/obs/rota/ward-a', 'obs-empty': '/obs/patient/new',
};

for (const [name, path] of Object.entries(PAGES)) {
  test(`${name}: nothing for axe, and fits, at three widths by day and night`, async () => {
    const page = await open(browser, server.url + path);
    await everyWidth(page, name);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  });
}

test('without scripts every page says what it says, and a set is entered', async () => {
  for (const path of Object.values(PAGES)) {
    const page = await open(browser, server.url + path, { js: false });
    assert.ok(await page.locator('main').isVisible(), path);
    assert.ok(await page.locator('h1').textContent(), path);
    await page.context().close();
  }
  const page = await open(browser, `${server.url}/obs/patient/new/enter`, { js: false, width: 390 });
  for (const name of ['resp', 'spo2', 'systolic', 'diastolic', 'pulse', 'temp'])
    await page.fill(`#${name}`, String(WELL[name]));
  await page.locator('input[value=air]').check();
  await page.locator('input[value=A]').check();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.waitForURL('**/obs/patient/new?saved=*');
  assert.match(await page.locator('main').textContent(), /NEWS2\s+0\s+low risk/);
  await page.context().close();
});

test('by keyboard alone a full set is entered in under thirty keys beside the numbers, with the score as it grows', async () => {
  const page = await open(browser, `${server.url}/obs/patient/new/enter`);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'resp', 'straight to work');
  const keys = ['18', 'Enter', '97', 'Enter', 'Space', 'Enter', '118', 'Enter', '70', 'Enter', '76', 'Enter', 'Space',
    'Enter', '37.1', 'Enter'];
  for (const key of keys) {
    if (/^[A-Z]/.test(key)) await page.keyboard.press(key);
    else await page.keyboard.type(key);
  }
  await page.locator('#obs-preview .obs-card__score strong', { hasText: /^0$/ }).waitFor();
  assert.ok(keys.length < 30);
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Save', 'Enter leads to Save');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/obs/patient/new?saved=*');
  assert.match(await page.locator('.obs-saved').textContent(), /Saved: the set taken at/);
  await page.context().close();
});

// A steady pace: 280 ms a key and 900 ms to look up from one sign to the next; on glass 450 ms a digit
// and 1.1 s a target, and 0.7 s whenever the page has to be moved. What the page takes to open and to
// save is added.
const PACE = { key: 280, look: 900, digit: 450, target: 1100, scroll: 700 };
const FULL = { resp: '18', spo2: '97', systolic: '118', diastolic: '70', pulse: '76', temp: '37.1' };
const ORDER = ['resp', 'spo2', 'oxygen', 'systolic', 'diastolic', 'pulse', 'acvpu', 'temp'];

for (const [device, width, height] of [['a phone', 390, 844], ['a trolley', 1024, 768]])
  test(`a full set by touch on ${device}, and by keyboard, takes at most 30 seconds`, async () => {
    for (const touch of [true, false]) {
      const context = await browser.newContext({ viewport: { width, height }, hasTouch: touch, isMobile: touch && width < 500 });
      const page = await context.newPage();
      let spent = 0, taps = 0, keys = 0;
      const timed = async (work) => {
        const begun = Date.now();
        await work();
        spent += Date.now() - begun;
      };
      const at = () => page.evaluate(() => scrollY);
      const tap = async (target) => {
        const before = await at();
        const { height: high } = await target.boundingBox();
        assert.ok(high >= 44, `${await target.getAttribute('name')}: ${high} px high`);
        await target.tap();
        taps += 1;
        spent += PACE.target + (await at() === before ? 0 : PACE.scroll);
      };
      const press = async (key) => { await page.keyboard.press(key); keys += 1; spent += PACE.key; };
      await timed(() => page.goto(`${server.url}/obs/patient/new/enter`));
      for (const name of ORDER) {
        const choice = page.locator(`input[name=${name}][value=${name === 'oxygen' ? 'air' : 'A'}]`);
        if (!FULL[name] && touch) await tap(choice);
        else if (!FULL[name]) await press('Space');
        else {
          if (touch && name !== 'resp') await tap(page.locator(`#${name}`));
          await page.keyboard.type(FULL[name]);
          spent += FULL[name].length * (touch ? PACE.digit : PACE.key);
          keys += FULL[name].length;
        }
        spent += PACE.look;
        if (!touch) await press('Enter');
      }
      if (touch) await tap(page.getByRole('button', { name: 'Save' }));
      else await press('Enter');
      await timed(() => page.waitForURL('**/obs/patient/new?saved=*'));
      const seconds = spent / 1000;
      console.log(`${device}, by ${touch ? 'touch' : 'keyboard'}: ${keys} keys, ${taps} taps, ${seconds.toFixed(1)} s`);
      assert.ok(seconds <= 30, `${seconds} s`);
      await context.close();
    }
  });

test('kept without a network for two patients, each is sent to its own, once; going back and saving again adds none', async () => {
  const context = await browser.newContext();
  const total = async (id) => (await (await fetch(`${server.url}/fhir/Observation?patient=${id}&code=1104051000000101&_summary=count`)).json()).total;
  const before = { new: await total('new'), bea: await total('bea') };
  const pages = {};
  for (const id of ['new', 'bea']) {
    pages[id] = await context.newPage();
    await pages[id].goto(`${server.url}/obs/patient/${id}/enter`);
    for (const name of ['resp', 'spo2', 'systolic', 'diastolic', 'pulse', 'temp']) await pages[id].fill(`#${name}`, String(WELL[name]));
    await pages[id].locator('input[value=air]').check();
    await pages[id].locator('input[value=A]').check();
  }
  await context.setOffline(true);
  for (const id of ['new', 'bea']) await pages[id].getByRole('button', { name: 'Save' }).click();
  const box = pages.bea.locator('#app-outbox');
  await box.getByText('Not sent yet (2)').waitFor();
  assert.match(await box.textContent(), /Observations \(PATEL, Nisha.*Observations \(OKAFOR, Beatrice/);
  assert.equal((await pages.bea.locator('#obs-preview').textContent()).trim(), '', 'an empty form shows no score');
  await context.setOffline(false);
  await pages.bea.evaluate(() => dispatchEvent(new Event('online')));
  await box.getByText('What was kept').waitFor();
  assert.match(await box.textContent(), /Sent Observations \(PATEL.*Sent Observations \(OKAFOR/);
  for (const id of ['new', 'bea']) assert.equal(await total(id), before[id] + 1, id);
  await pages.new.goto(`${server.url}/obs/patient/new/enter`);
  for (const name of ['resp', 'spo2']) await pages.new.fill(`#${name}`, String(WELL[name]));
  await pages.new.getByRole('button', { name: 'Save' }).dblclick();
  await pages.new.waitForURL('**/obs/patient/new?saved=*');
  await pages.new.goBack();
  assert.equal(await pages.new.locator('#resp').inputValue(), '', 'going back shows an empty form');
  await pages.new.getByRole('button', { name: 'Save' }).click();
  await pages.new.getByText('There is a problem').waitFor();
  assert.equal(await total('new'), before.new + 2, 'one set, however often it is sent');
  await context.close();
});

test('without a network the set is kept, sent later, and keeps the time it was taken', async () => {
  const page = await open(browser, `${server.url}/obs/patient/new/enter`);
  const before = await (await fetch(`${server.url}/fhir/Observation?patient=new&code=1104051000000101&_summary=count`)).json();
  for (const name of ['resp', 'spo2', 'systolic', 'diastolic', 'pulse', 'temp']) await page.fill(`#${name}`, String(WELL[name]));
  await page.locator('input[value=air]').check();
  await page.locator('input[value=A]').check();
  const typed = Date.now();
  await page.context().setOffline(true);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Not sent yet (1)').first().waitFor();
  await page.waitForTimeout(2500);
  await page.context().setOffline(false);
  await page.evaluate(() => dispatchEvent(new Event('online')));
  const count = async () => (await (await fetch(`${server.url}/fhir/Observation?patient=new&code=1104051000000101&_summary=count`)).json()).total;
  for (let i = 0; i < 100 && (await count()) === before.total; i += 1) await page.waitForTimeout(200);
  assert.equal(await count(), before.total + 1, 'stored once');
  const found = await (await fetch(`${server.url}/fhir/Observation?patient=new&code=1104051000000101&_sort=-date&_count=1`)).json();
  const taken = Date.parse(found.entry[0].resource.effectiveDateTime);
  assert.ok(Math.abs(taken - typed) < 2000, `${taken - typed} ms from when it was typed`);
  await page.context().close();
});

test('what can be touched is at least 44 pixels high, and the patient stays in sight', async () => {
  const page = await open(browser, `${server.url}/obs/patient/bea/enter`, { width: 390 });
  const small = await page.evaluate(() => [...document.querySelectorAll('.obs-form input[type=text], .obs-choice span, .obs-form button, .obs-form select')]
    .filter((e) => e.offsetParent && e.getBoundingClientRect().height < 44).map((e) => e.outerHTML.slice(0, 80)));
  assert.deepEqual(small, []);
  await page.mouse.wheel(0, 900);
  assert.match(await page.locator('.obs-who').textContent(), /OKAFOR, Beatrice \(Mrs\), NHS No. 999 000 0018/);
  assert.ok(await page.locator('.obs-who').isVisible());
  await shot(page, 'obs-enter-phone', { fullPage: false });
  await page.context().close();
});

test('the preview says what is missing, asks about the odd value and never shows a lower score', async () => {
  const page = await open(browser, `${server.url}/obs/patient/ann/enter`);
  await page.fill('#resp', '52');
  const preview = page.locator('#obs-preview');
  await preview.getByText('Incomplete').waitFor();
  const text = await preview.textContent();
  assert.match(text, /at least 3/);
  assert.match(text, /Not recorded: .*Temperature/);
  assert.match(text, /Respiration rate 52 breaths a minute: is that right\?/);
  assert.match(text, /registrar or above/, 'the last complete set asked for more');
  await page.fill('#resp', '520');
  await preview.getByText('is not possible').waitFor();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('There is a problem').waitFor();
  assert.equal(await page.locator('#resp').inputValue(), '520', 'what was typed is still there');
  assert.deepEqual(await faults(page), []);
  await page.context().close();
});

test('an open list follows a new set by itself, and an open chart its escalation', async () => {
  const list = await open(browser, `${server.url}/obs/ward/ward-a`);
  const chart = await open(browser, `${server.url}/obs/patient/bea`);
  await list.getByText('Live', { exact: true }).waitFor();
  await chart.getByText('Live', { exact: true }).waitFor();
  await enter('bea', { ...WELL, resp: 27, spo2: 91, pulse: 132 });
  await list.locator('#obs-bea .app-chip--high', { hasText: '9' }).waitFor({ timeout: 5000 });
  await chart.locator('.obs-now article').waitFor({ timeout: 5000 });
  assert.match(await chart.locator('.obs-now').textContent(), /Dr M. Osei \(registrar\)/);
  await list.context().close();
  await chart.context().close();
});

test('the chart has every figure in print: the score of each cell, a pattern, and a table', async () => {
  const page = await open(browser, `${server.url}/obs/patient/ann`);
  assert.ok(await page.locator('.obs-rcp pattern').count() >= 4);
  const texts = await page.locator('.obs-rcp__data text').allTextContents();
  for (const wanted of ['26', '98/74', '6.0 L', 'C', '39.2', '≥4']) assert.ok(texts.includes(wanted), `${wanted} in ${texts}`);
  await page.locator('.obs-table summary').click();
  assert.ok(await page.getByRole('cell', { name: /incomplete, at least 4/ }).isVisible());
  await page.context().close();
});

test('the sparkline of a list never falls for an incomplete set, and says it in words', async () => {
  const page = await open(browser, `${server.url}/obs/ward/ward-a`);
  const spark = page.locator('#obs-ann svg');
  assert.match(await spark.getAttribute('aria-label'), /0, 0, 0, 5, 10, at least 4, 16/);
  const line = await spark.locator('path').getAttribute('d');
  const heights = line.match(/-?[\d.]+/g).map(Number).filter((_, i) => i % 2);
  assert.deepEqual(heights, [...heights].sort((a, b) => b - a), `rises only: ${heights}`);
  assert.equal(heights.length, 6);
  await page.context().close();
});

test('on A4: identifiers and time, no controls, within the page', async () => {
  const page = await open(browser, `${server.url}/obs/patient/ann`, { night: true });
  await page.setViewportSize({ width: 718, height: 1000 });
  await page.emulateMedia({ media: 'print' });
  await shot(page, 'obs-chart-print');
  assert.match(await page.locator('p.obs-print').textContent(), /O'NEILL, Ann \(Mrs\), born 14-Jul-1945 .*999 000 1233.*Printed/);
  assert.ok(await page.locator('p.obs-print').isVisible());
  assert.ok(!await page.getByRole('link', { name: 'Enter observations' }).isVisible());
  assert.ok(await fits(page));
  await page.context().close();
});

// The pictures of the documentation, made anew by TUTORIAL_PICTURES=yes.
test('the pictures of the tutorial are of these very pages', async () => {
  const pictures = {
    'obs-ward': ['/obs/ward/ward-a', 1100, 640], 'obs-enter': ['/obs/patient/new/enter', 390, 760],
    'obs-chart': ['/obs/patient/ann', 1100, 1290], 'obs-escalation': ['/obs/patient/ann/escalations', 900, 700],
  };
  for (const [name, [path, width, height]] of Object.entries(pictures)) {
    const page = await open(browser, server.url + path, { width });
    await page.setViewportSize({ width, height });
    if (name === 'obs-enter') {
      for (const [id, value] of [['resp', '22'], ['spo2', '95']]) await page.fill(`#${id}`, value);
      await page.locator('#obs-preview').getByText('Incomplete').waitFor();
      await page.locator('#resp').evaluate((field) => field.closest('.obs-field').scrollIntoView());
    }
    if (name === 'obs-chart') 
      await page.evaluate(() => scrollTo(0, document.querySelector('.obs-charts').getBoundingClientRect().top + scrollY - 140));
    const options = { fullPage: false };
    if (process.env.TUTORIAL_PICTURES) options.path = join(root, 'docs/images', `${name}.png`);
    await shot(page, name, options);
    await page.context().close();
  }
});

test('a page of observations is within its budget', async () => {
  const page = await browser.newPage();
  const sizes = {};
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  const types = new Map();
  session.on('Network.responseReceived', (event) => types.set(event.requestId, event.type));
  session.on('Network.loadingFinished', (event) => {
    sizes[types.get(event.requestId)] = (sizes[types.get(event.requestId)] ?? 0) + event.encodedDataLength;
  });
  await page.goto(`${server.url}/obs/patient/bea/enter`, { waitUntil: 'load' });
  await page.waitForTimeout(300);
  assert.ok(sizes.Script <= 25 * 1024 && sizes.Stylesheet <= 35 * 1024, JSON.stringify(sizes));
  await page.close();
});
