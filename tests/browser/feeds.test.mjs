// SPDX-License-Identifier: Apache-2.0
// The feeds in a real browser, as an integration engineer looks after them: what came, what failed,
// why, and what to press.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { WIDTHS, faults, fits, launch, open, shot } from '../lib/browser.mjs';
import { Server } from '../lib/server.mjs';

let server, browser, refuses;
const message = (event, id, ...segments) => [`MSH|^~\\&|PAS|RXX|FL|W|20261101100000||ADT^${event}|${id}|P|2.4`,
  'EVN||20261101100000', ...segments].join('\r') + '\r';
const visit = (place, number) => `PV1||I|${place}${'|'.repeat(16)}${number}`;

async function send(text) {
  const socket = net.connect(Number(/HL7 v2 on port (\d+)/.exec(server.log)[1]), '127.0.0.1');
  socket.setEncoding('utf8').write(`\x0b${text}\x1c\r`);
  const [answer] = await once(socket, 'data');
  socket.destroy();
  return /MSA\|(\w\w)/.exec(answer)[1];
}

async function until(page, text) {
  for (let i = 0; i < 200 && !(await page.content()).includes(text); i++) {
    await page.waitForTimeout(50);
    await page.reload();
  }
  assert.ok((await page.content()).includes(text), text);
}

before(async () => {
  refuses = net.createServer((socket) => socket.setEncoding('utf8').on('error', () => {}).on('data', (text) => {
    const control = /^MSH(?:\|[^|]*){8}\|([^|]*)/.exec(text.slice(1))[1];
    socket.write(`\x0bMSH|^~\\&|X|Y|F|H|20260101||ACK|1|P|2.5.1\rMSA|AR|${control}|this ward is not in our tables\r\x1c\r`);
  })).listen(0, '127.0.0.1');
  await once(refuses, 'listening');
  server = await Server.start({ args: ['--set', 'hl7v2.listen=127.0.0.1:0', '--set', `hl7v2.send=127.0.0.1:${refuses.address().port}`] });
  browser = await launch();
  assert.equal(await send(message('A28', 'A1', 'PID|1||7^^^RXX^MR||Ash^Ann||19700101|F')), 'AA');
  assert.equal(await send(message('A03', 'A2', 'PID|1||7^^^RXX^MR||Ash^Ann||19700101|F', visit('W1^R1^B1', 'V9'))), 'AE');
  assert.equal(await send(message('A01', 'A3', 'PID|1||||Oak^Bo||19800101|M', visit('W1^R1^B2', 'V8'))), 'AE');
  await server.send('PUT', '/fhir/Patient/p', { resourceType: 'Patient', id: 'p', identifier: [{ value: 'p' }] });
  await server.send('PUT', '/fhir/Encounter/e', { resourceType: 'Encounter', id: 'e', status: 'in-progress', class: { code: 'IMP' },
    subject: { reference: 'Patient/p' } });
});
after(async () => {
  await browser?.close();
  await server?.stop();
  refuses?.close();
});

const link = async (page, pattern) => page.locator(`a[href^="${pattern}"]`).first().getAttribute('href');

test('every width, by day and by night: nothing is cut off and axe finds nothing', async () => {
  const first = await open(browser, `${server.url}/feeds`);
  await until(first, 'Parked');
  const pages = { feeds: '/feeds', 'feeds-held': await link(first, '/feeds/message/'), 'feeds-unsent': await link(first, '/feeds/out/') };
  await first.context().close();
  for (const [name, path] of Object.entries(pages))
    for (const width of WIDTHS)
      for (const night of [false, true]) {
        const page = await open(browser, server.url + path, { width, night });
        assert.deepEqual(await faults(page), [], `${name} at ${width}`);
        assert.ok(await fits(page), `${name} at ${width}`);
        assert.deepEqual(page.complaints, []);
        await shot(page, `${name}-${width}${night ? '-night' : ''}`);
        await page.context().close();
      }
});

test('what failed says why; mended by keyboard alone and without scripts it is applied', async () => {
  const page = await open(browser, `${server.url}/feeds`, { js: false });
  assert.match(await page.textContent('main'), /a patient identifier must be given/);
  await page.locator('a', { hasText: /^A3$/ }).focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/feeds\/message/);
  const box = page.getByLabel('The message, a segment a line');
  await box.fill((await box.inputValue()).replace('PID|1||||', 'PID|1||8^^^RXX^MR||'));
  await box.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/feeds$/);
  assert.ok(!(await page.textContent('main')).includes('A3'), 'it is not on hold any more');
  const { body } = await server.send('GET', '/fhir/Encounter?identifier=V8');
  assert.equal(body.total, 1);
  await page.context().close();
});

test('what a destination refuses says why, and is given up only with a reason', async () => {
  const page = await open(browser, `${server.url}/feeds`);
  assert.match(await page.textContent('main'), /answered AR: this ward is not in our tables/);
  await page.goto(server.url + await link(page, '/feeds/out/'));
  assert.match(await page.textContent('pre'), /^MSH\|/);
  await page.getByRole('button', { name: 'Give it up' }).click();
  assert.equal(await page.locator('[role=alert]').count(), 1);
  await page.getByLabel('Give it up, because').fill('put right by telephone');
  await page.getByRole('button', { name: 'Give it up' }).click();
  await page.waitForURL(/\/feeds$/);
  assert.equal(await page.locator('a[href^="/feeds/out/"]').count(), 0);
  await page.context().close();
});
