// SPDX-License-Identifier: Apache-2.0
// The screens of beds in a real browser, as ward clerks, nurses, bed managers and cleaners use them.
// Alone: some of it is about how soon something is seen.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { attribute, flag, person, physical, place } from '../lib/beds.mjs';
import { everyWidth, faults, fits, launch, open, shot } from '../lib/browser.mjs';
import { Server } from '../lib/server.mjs';

let server;
let browser;
const stays = {};
const day = (offset) => new Date(Date.now() + offset * 86400000).toISOString().slice(0, 10);
const nhs = (value) => [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value }];
const named = (id, gender, born, family, number) => ({ ...person(id, gender, born),
  identifier: nhs(number), name: [{ family, given: [id[0].toUpperCase() + id.slice(1)] }] });

async function put(resource) {
  const { status, body } = await server.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource);
  assert.ok(status < 300, JSON.stringify(body));
}
async function move(name, inputs) {
  const { status, body } = await server.send('POST', `/beds/move/${name}`, inputs, { 'Content-Type': 'application/json' });
  assert.equal(status, 200, `${name}: ${JSON.stringify(body)}`);
  return body;
}

before(async () => {
  server = await Server.start();
  browser = await launch();
  const ward = { ...place('ward-a', 'wa', 'site'), name: 'Ward A',
    type: [{ coding: [{ system: 'https://fhir.hl7.org.uk/CodeSystem/UKCore-PracticeSettingCodeEngland', code: '300' }] }] };
  const bed = (id, bay, ...codes) => ({ ...place(id, 'bd', bay, attribute(...codes)), name: `Bed ${id.slice(-1)}` });
  for (const one of [{ ...place('site', 'si'), name: 'General Hospital' }, ward,
    { ...place('bay-f', 'ro', 'ward-a'), name: 'Bay A' }, { ...place('bay-m', 'ro', 'ward-a'), name: 'Bay B' },
    bed('bed-1', 'bay-f', 'female', 'adult'), bed('bed-2', 'bay-f', 'female', 'adult'), bed('bed-3', 'bay-f', 'female', 'adult'),
    bed('bed-4', 'bay-m', 'male', 'adult'), bed('bed-5', 'bay-m', 'male', 'adult'), bed('bed-6', 'ward-a', 'side-room', 'adult'),
    bed('bed-7', 'bay-m', 'male', 'adult'), bed('bed-8', 'bay-f', 'female', 'adult'),
    { resourceType: 'Location', id: 'lounge', name: 'Lounge', physicalType: physical('ro'), type: attribute('discharge-lounge') },
    named('ann', 'female', '1945-07-14', "O'Neill", '9990001233'), named('bea', 'female', '1960-02-01', "O'Neill", '9990000016'),
    named('max', 'male', '1970-01-01', 'Patel', '9990000024'), named('ned', 'male', '1950-01-01', 'Young', '9990000032'),
    named('cat', 'female', '1988-01-01', 'Chan', '9990000040')]) await put(one);
  for (const [id, text] of [['ann', 'Risk of falls'], ['bea', 'Isolation needed'], ['ann', 'DNACPR decision recorded']])
    await server.send('POST', '/fhir/Flag', flag(id, text));
  stays.ann = (await move('admit', { bed: 'bed-1', patient: 'ann', specialty: '430' })).encounter;
  stays.bea = (await move('admit', { bed: 'bed-6', patient: 'bea' })).encounter;
  stays.max = (await move('admit', { bed: 'bed-4', patient: 'max' })).encounter;
  for (const [i, total] of [2, 7, 5].entries())
    await put({ resourceType: 'Observation', id: `max-${i}`, status: 'final', subject: { reference: 'Patient/max' },
      code: { coding: [{ system: 'http://snomed.info/sct', code: '1104051000000101' }] }, valueQuantity: { value: total },
      effectiveDateTime: new Date(Date.now() + 1000 + i).toISOString() });
  await move('reserve', { bed: 'bed-5', patient: 'ned', minutes: '60' });
  await move('round', { encounter: stays.ann, criteria: 'none' });
  await move('edd', { encounter: stays.ann, date: day(0) });
  await move('close', { bed: 'bed-7', why: 'staffing', until: 'Monday' });
  await move('dirty', { bed: 'bed-8', clean: 'infection' });
  await move('request', { patient: 'cat', source: 'ed', priority: 'urgent', specialty: '300', isolation: 'unknown' });
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const PAGES = {
  'beds-hospital': () => '/beds', 'beds-ward': () => '/beds/ward/ward-a',
  'beds-ward-filtered': () => '/beds/ward/ward-a?show=ready', 'beds-wall': () => '/beds/ward/ward-a?wall=1',
  'beds-bed': () => '/beds/bed/bed-1', 'beds-free-bed': () => '/beds/bed/bed-2', 'beds-suggest': () => '/beds/suggest?sex=female&age=70',
  'beds-requests': () => '/beds/requests', 'beds-discharges': () => '/beds/discharges', 'beds-cleaning': () => '/beds/cleaning',
  'beds-infection': () => '/beds/infection', 'beds-outliers': () => '/beds/outliers', 'beds-worklist': () => '/beds/worklist',
  'beds-return': () => `/beds/return/${day(0)}?of=adult_occupied`, 'beds-site': () => '/beds/site', 'beds-figures': () => '/beds/figures', 'beds-round': () => `/beds/round/${stays.ann}`,
  'beds-transfer': () => `/beds/do/transfer?encounter=${stays.ann}`, 'beds-admit': () => '/beds/do/admit?bed=bed-2&find=chan',
  'beds-request': () => '/beds/do/request?find=young', 'beds-close': () => '/beds/do/close?bed=bed-2',
};

for (const [name, path] of Object.entries(PAGES)) {
  test(`${name}: nothing for axe, and fits, at three widths by day and night`, async () => {
    const page = await open(browser, server.url + path());
    await everyWidth(page, name);
    assert.deepEqual(page.complaints, []);
    await page.emulateMedia({ media: 'print', colorScheme: 'light' });
    await shot(page, `${name}-print`);
    assert.ok(!await page.locator('.app-do, .app-filter button').first().isVisible().catch(() => false), 'controls on paper');
    await page.context().close();
  });
}

test('the ward board says of each bed what it is, by word and not by colour alone', async () => {
  const page = await open(browser, `${server.url}/beds/ward/ward-a`, { js: false });
  const row = async (bed) => (await page.locator(`#bed-${bed}`).innerText()).replace(/\s+/g, ' ');
  const ann = await row('bed-1');
  for (const part of ["O'NEILL, Ann", '14-Jul-1945', 'Female', '999 000 1233', '2 called O\'NEILL here', 'Risk of falls',
    'DNACPR decision recorded', 'No longer meets', 'today', 'Not known']) assert.ok(ann.includes(part), `${part} in ${ann}`);
  assert.match(await row('bed-5'), /reserved until \d\d:\d\d/i);
  assert.match(await row('bed-7'), /closed staffing until Monday/i);
  assert.match(await row('bed-8'), /dirty.*infection clean/i);
  assert.match(await row('bed-6'), /side room.*Isolation needed/i);
  assert.match(await row('bed-2'), /available bay, women/i);
  assert.match(await row('bed-4'), /5 at \d\d:\d\d/);
  assert.equal(await page.locator('#bed-bed-4 .app-spark').getAttribute('aria-label'), 'NEWS2, last 3 sets: 2, 7, 5');
  assert.equal(await page.locator('.app-spark').count(), 1, 'one set makes no trend, and none no picture');
  await page.context().close();
});

test('a patient dragged onto a bed gets the form of the move; a bed that breaks a rule says which and who decides', async () => {
  const page = await open(browser, `${server.url}/beds/ward/ward-a`);
  await page.setViewportSize({ width: 1280, height: 1600 }); // both rows in sight: a drag does not scroll
  const drag = async (bed) => {
    await page.locator('#bed-bed-1 .app-name').dragTo(page.locator(`#bed-${bed} th`));
    await page.locator('.app-dialog #app-dialog-title').waitFor();
  };
  await drag('bed-3');
  const box = page.locator('.app-dialog[aria-labelledby=app-dialog-title]');
  assert.match(await box.locator('h2').innerText(), /Move to another bed/);
  assert.equal(await box.locator('input[name=bed]:checked').getAttribute('value'), 'bed-3');
  assert.equal(await box.locator('.app-warning').count(), 0);
  assert.match(await box.innerText(), /two identifiers/, 'nothing is moved by the drop itself');
  await page.keyboard.press('Escape');
  await drag('bed-7');
  assert.match(await box.locator('.app-warning').innerText(), /Bed 7 breaks a rule: the bed is closed; would mix sexes.*Only the bed manager/);
  await page.keyboard.press('Escape');
  await drag('bed-5');
  assert.match(await box.locator('.app-warning').innerText(), /Bed 5 breaks a rule: kept for somebody else/);
  assert.deepEqual(await faults(page), []);
  await page.keyboard.press('Escape');
  await page.locator('#bed-bed-1 .app-name').dragTo(page.locator('#bed-bed-4 th'));
  await page.waitForTimeout(50);
  assert.equal(await page.locator('.app-dialog[open]').count(), 0, 'an occupied bed is not offered');
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test('an open list follows the record: a row changes in its place, one that left says so, a new one is offered', async () => {
  const page = await open(browser, `${server.url}/beds/cleaning`);
  const rows = () => page.locator('tbody tr').evaluateAll((all) => all.map((r) => r.id));
  assert.deepEqual(await rows(), ['item-0-bed-8']);
  await move('clean', { bed: 'bed-8' });
  await page.waitForFunction(() => /cleaning/i.test(document.querySelector('#item-0-bed-8').textContent));
  await move('dirty', { bed: 'bed-3', clean: 'standard' });
  await page.locator('#app-pending button').filter({ hasText: '1 update' }).waitFor();
  assert.deepEqual(await rows(), ['item-0-bed-8'], 'nothing appears under the pointer');
  assert.equal(await page.locator('#count-0').innerText(), '2');
  const link = page.locator('#item-0-bed-8 .app-do a').last();
  await link.focus();
  await move('cleaned', { bed: 'bed-8' });
  await page.locator('#item-0-bed-8.is-gone').waitFor();
  assert.match(await page.locator('#item-0-bed-8').innerText(), /No longer on this list/);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'item-0-bed-8', 'the place is kept');
  assert.deepEqual(await faults(page), []);
  await move('cleaned', { bed: 'bed-3' });
  await page.locator('#app-pending').waitFor({ state: 'hidden' });
  await move('dirty', { bed: 'bed-8', clean: 'infection' });
  await page.waitForFunction(() => !document.querySelector('#item-0-bed-8.is-gone'));
  await page.context().close();
});

test('requests, discharges, the worklist, infection control and the site meeting follow it too', async () => {
  const at = async (list) => open(browser, `${server.url}/beds/${list}`);
  const [requests, going, work, infection, site] =
    await Promise.all(['requests', 'discharges', 'worklist', 'infection', 'site'].map(at));
  const asked = await move('request', { patient: 'ned', source: 'transfer', priority: 'routine', specialty: '300' });
  await requests.locator('#app-pending button').filter({ hasText: '1 update' }).waitFor();
  await site.waitForFunction(() => /2/.test(document.querySelector('#at-specialty-0').lastElementChild.textContent));
  await put({ resourceType: 'Task', id: 'odd', status: 'requested', intent: 'order', code: { text: 'Bed exception' },
    description: 'A message could not be applied' });
  await work.locator('#app-pending button').filter({ hasText: '1 update' }).waitFor();
  await move('edd', { encounter: stays.bea, date: day(1) });
  await going.locator('#app-pending button').filter({ hasText: '1 update' }).waitFor();
  await put({ ...flag('max', 'Isolation needed'), id: 'iso-max' });
  await infection.locator('#app-pending button').filter({ hasText: '1 update' }).waitFor();
  await move('cancel-request', { request: asked.request, why: 'sent home' });
  await requests.locator('#app-pending').waitFor({ state: 'hidden' });
  for (const page of [requests, going, work, infection, site]) {
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  }
  await put({ resourceType: 'Task', id: 'odd', status: 'completed', intent: 'order', code: { text: 'Bed exception' } });
  await put({ ...flag('max', 'Isolation needed'), id: 'iso-max', status: 'inactive' });
});

test('a filter works without scripts and by keyboard alone', async () => {
  const page = await open(browser, `${server.url}/beds/ward/ward-a`, { js: false });
  await page.locator('#state').selectOption('available');
  await page.getByRole('button', { name: 'Show' }).press('Enter');
  assert.deepEqual(await page.locator('tbody tr').evaluateAll((rows) => rows.map((r) => r.id)), ['bed-bed-2', 'bed-bed-3']);
  await page.goto(`${server.url}/beds/ward/ward-a?q=0001233`);
  assert.deepEqual(await page.locator('tbody tr').evaluateAll((rows) => rows.map((r) => r.id)), ['bed-bed-1'], 'by NHS number');
  await page.goto(`${server.url}/beds/ward/ward-a?q=nobody`);
  assert.match(await page.locator('main').innerText(), /Show all 8/);
  await page.context().close();
  const keys = await open(browser, `${server.url}/beds/ward/ward-a`);
  await keys.keyboard.press('/');
  await keys.keyboard.type('patel');
  await keys.keyboard.press('Enter');
  await keys.waitForURL('**q=patel*');
  await keys.locator('h1').click();
  await keys.keyboard.press('j');
  assert.match(await keys.evaluate(() => document.activeElement.textContent), /Bed 4/);
  await keys.keyboard.press('g');
  await keys.keyboard.press('b');
  await keys.waitForURL(`${server.url}/beds`);
  await keys.context().close();
});

test('a wall display shows initials and states, no names, numbers or controls', async () => {
  const page = await open(browser, `${server.url}/beds/ward/ward-a?wall=1`);
  const html = await page.content();
  for (const hidden of ["O'NEILL", 'NEILL', '999 000', '1945', 'DNACPR', 'Discharge']) assert.ok(!html.includes(hidden), hidden);
  assert.match(await page.locator('#wall-bed-1').innerText(), /A\. O\./);
  assert.equal(await page.locator('form').filter({ visible: true }).count(), 0);
  await page.getByText('Live', { exact: true }).waitFor();
  await move('leave', { encounter: stays.max });
  await page.locator('#wall-bed-4').getByText('on home leave').waitFor();
  await move('return', { encounter: stays.max });
  await page.locator('#wall-bed-4').getByText('on home leave').waitFor({ state: 'detached' });
  await page.context().close();
});

test('a move opens over the board, asks for two identifiers, is done and can be taken back', async () => {
  const page = await open(browser, `${server.url}/beds/ward/ward-a`);
  await page.getByText('Live', { exact: true }).waitFor();
  await page.evaluate(() => { globalThis.same = true; });
  await page.locator('#bed-bed-1').getByRole('link', { name: 'Move' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('999 000 1233').waitFor();
  assert.deepEqual(await faults(page), []);
  await shot(page, 'beds-dialog-move', { fullPage: false });
  await dialog.getByLabel(/Ward A, Bed 2/).check();
  await dialog.locator('form.app-form').evaluate((form) => { form.noValidate = true; });
  await dialog.getByRole('button', { name: 'Move', exact: true }).click();
  await dialog.getByRole('link', { name: /check two identifiers/ }).waitFor();
  assert.deepEqual(await faults(page), []);
  assert.ok(await dialog.getByLabel(/Ward A, Bed 2/).isChecked(), 'what was chosen stays');
  await dialog.getByLabel(/Yes: name and date of birth/).check();
  await dialog.getByRole('button', { name: 'Move', exact: true }).click();
  await page.locator('#app-done').getByText('Moved.').waitFor();
  await page.locator('#bed-bed-2').getByText("O'NEILL, Ann").waitFor();
  assert.ok(await page.evaluate(() => globalThis.same), 'the board was not left');
  await shot(page, 'beds-done', { fullPage: false });
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.locator('#app-done').getByText('Taken back.').waitFor();
  await page.locator('#bed-bed-1').getByText("O'NEILL, Ann").waitFor();
  await page.context().close();
});

test('without scripts a move is a page of its own, and a refusal names the rule on it', async () => {
  const page = await open(browser, `${server.url}/beds/ward/ward-a`, { js: false });
  await page.locator('#bed-bed-2').getByRole('link', { name: 'Admit' }).click();
  await page.locator('#find').fill('young');
  await page.getByRole('button', { name: 'Find' }).click();
  await page.getByLabel(/YOUNG, Ned/).check();
  await page.getByLabel(/Yes: name and date of birth/).check();
  await page.getByRole('button', { name: 'Admit' }).click();
  const summary = await page.locator('.nhsuk-error-summary').innerText();
  assert.match(summary, /mix sexes.*mixed-sex.*may be overridden by/s);
  assert.match(summary, /no other bed suits now/);
  await page.context().close();
});

test('a form about one patient is refused when another lies there by then', async () => {
  const answer = await server.fetch('/beds/do/discharge', { method: 'POST', redirect: 'manual',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'text/html' },
    body: new URLSearchParams({ encounter: stays.max, expect: 'ann', checked: 'yes' }).toString() });
  assert.equal(answer.status, 409);
  assert.match(await answer.text(), /another patient lies there/);
  const unchecked = await server.fetch('/beds/do/discharge', { method: 'POST', redirect: 'manual',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'text/html' },
    body: new URLSearchParams({ encounter: stays.max, expect: 'max' }).toString() });
  assert.equal(unchecked.status, 400);
  const { body } = await server.send('GET', `/fhir/Encounter/${stays.max}`);
  assert.equal(body.status, 'in-progress');
});

test('a round is recorded on one page; a date put back needs its reason', async () => {
  const page = await open(browser, `${server.url}/beds/round/${stays.ann}`, { js: false });
  await page.locator('#edd').fill(day(3));
  await page.getByRole('button', { name: 'Record this round' }).click();
  await page.getByRole('link', { name: /the date is put back: say why/ }).waitFor();
  await page.getByLabel(/Meets none/).check();
  await page.locator('#edd-why').fill('Waiting for a package of care');
  await page.locator('#pathway').selectOption('P1');
  await page.getByRole('button', { name: 'Record this round' }).click();
  await page.getByRole('link', { name: /say what holds the discharge up/ }).waitFor();
  await page.locator('#delay').selectOption('social-care');
  await page.locator('#task').fill('Order a commode');
  await page.locator('#owner').fill('Occupational therapy');
  await page.locator('#due').fill(`${day(1)}T12:00`);
  await page.getByRole('button', { name: 'Record this round' }).click();
  await page.locator('#app-done').getByText('Ward round recorded.').waitFor();
  await page.goto(`${server.url}/beds/discharges`);
  const row = (await page.locator('tr', { hasText: "O'NEILL, Ann" }).innerText()).replace(/\s+/g, ' ');
  for (const part of ['No longer meets', 'Pathway P1', 'Waiting for social care', 'Order a commode Occupational therapy, due']) {
    assert.ok(row.includes(part), `${part} in ${row}`);
  }
  await page.goto(`${server.url}/beds/round/${stays.ann}`);
  assert.match(await page.locator('main').innerText(), /Waiting for a package of care/);
  await page.getByLabel(/Order a commode/).check();
  await page.getByRole('button', { name: 'Record this round' }).click();
  await page.goto(`${server.url}/beds/discharges`);
  assert.ok(!(await page.locator('main').innerText()).includes('Order a commode'));
  await page.context().close();
});

test('a request is answered with a bed by a person, who sees why each other bed is refused', async () => {
  const page = await open(browser, `${server.url}/beds/requests`);
  await page.getByRole('link', { name: 'Keep a bed' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Beds that cannot be taken').click();
  const refused = await dialog.locator('details').innerText();
  assert.match(refused, /Bed 1.*somebody is in this bed/);
  assert.match(refused, /Bed 7.*closed/);
  await dialog.getByLabel(/Ward A, Bed 3/).check();
  await dialog.getByRole('button', { name: 'Keep this bed' }).click();
  await page.getByText('The bed is kept.').waitFor();
  await page.goto(`${server.url}/beds/ward/ward-a`);
  assert.match(await page.locator('#bed-bed-3').innerText(), /CHAN, Cat/);
  assert.match(await page.locator('#bed-bed-3').innerText(), /reserved/i);
  await page.context().close();
});

test('a return is signed off on its page, amended with a reason, and shows who and why', async () => {
  const page = await open(browser, `${server.url}/beds/figures`, { js: false });
  await page.getByRole('link', { name: day(0), exact: true }).click();
  await page.getByRole('button', { name: 'Sign off and submit these numbers' }).click();
  assert.match(await page.locator('main').innerText(), /Submitted .* by/);
  await page.locator('#field').selectOption('admissions');
  await page.locator('#value').fill('3');
  await page.locator('#reason').evaluate((input) => { input.required = false; });
  await page.getByRole('button', { name: 'Amend' }).click();
  await page.getByRole('link', { name: /say why the number changes/ }).waitFor();
  assert.equal(await page.locator('#value').inputValue(), '3', 'what was typed stays');
  await page.locator('#reason').fill('Counted by hand');
  await page.getByRole('button', { name: 'Amend' }).click();
  assert.match(await page.locator('main').innerText(), /0 to 3\s+Counted by hand/);
  const csv = await (await server.fetch('/beds/csv/sitrep')).text();
  assert.match(csv, /^"day","adult_core_open"/);
  assert.equal(csv.trim().split('\r\n').length, 29);
  assert.equal((await server.fetch('/beds/csv/nothing')).status, 404);
  await page.context().close();
});

test('a filtered board offers what comes new and moves nothing under the pointer', async () => {
  const page = await open(browser, `${server.url}/beds/ward/ward-a?state=available`);
  await page.getByText('Live', { exact: true }).waitFor();
  const before = await page.locator('tbody tr').count();
  await move('clean', { bed: 'bed-8' });
  await move('cleaned', { bed: 'bed-8' });
  await page.getByRole('button', { name: '1 update, show' }).waitFor();
  assert.equal(await page.locator('tbody tr').count(), before);
  await page.getByRole('button', { name: '1 update, show' }).click();
  await page.locator('#bed-bed-8').waitFor();
  await page.context().close();
});

test('a board that loses the server says so within 20 s and greys itself', async () => {
  const page = await open(browser, `${server.url}/beds/ward/ward-a`);
  await page.getByText('Live', { exact: true }).waitFor();
  server.child.kill('SIGSTOP');
  const lost = Date.now();
  try {
    await page.locator('#app-stale').waitFor({ state: 'visible', timeout: 25000 });
    assert.ok(Date.now() - lost <= 20000, `${Date.now() - lost} ms`);
    assert.equal(await page.evaluate(() => getComputedStyle(document.getElementById('bed-bed-1')).opacity), '0.55');
    await shot(page, 'beds-stale', { fullPage: false });
    // Five minutes later, by the page's own clock, the age is red.
    await page.evaluate(() => { const real = Date.now; Date.now = () => real() + 301000; });
    await page.waitForFunction(() => document.body.classList.contains('is-old'), undefined, { timeout: 8000 });
  } finally {
    server.child.kill('SIGCONT');
  }
  await page.context().close();
});

test('a cold board is within its budget, and is seen within 1.5 s on a slow phone', async () => {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  const sizes = { Document: 0, Script: 0, Stylesheet: 0, Image: 0, Other: 0, EventSource: 0 };
  const types = new Map();
  session.on('Network.responseReceived', (event) => types.set(event.requestId, event.type));
  session.on('Network.loadingFinished', (event) => { sizes[types.get(event.requestId)] += event.encodedDataLength; });
  await session.send('Network.emulateNetworkConditions', { offline: false, latency: 150,
    downloadThroughput: 1.6e6 / 8, uploadThroughput: 750e3 / 8 });
  await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  await page.goto(`${server.url}/beds/ward/ward-a`, { waitUntil: 'load' });
  await page.waitForTimeout(500);
  const all = Object.values(sizes).reduce((sum, bytes) => sum + bytes, 0);
  const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime);
  console.log(`ward board: scripts ${sizes.Script}, styles ${sizes.Stylesheet}, page ${all} bytes; first paint ${Math.round(paint)} ms, slow profile`);
  assert.ok(sizes.Script <= 25 * 1024 && sizes.Stylesheet <= 35 * 1024 && all <= 100 * 1024, JSON.stringify(sizes));
  // Twice the budget of the release build: this one carries sanitizers and shares the machine.
  assert.ok(paint <= 3000, `${paint} ms`);
  await context.close();
});
