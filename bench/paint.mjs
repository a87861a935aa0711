#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Measures what a person at a board waits for: from the commit of a move to its paint in Chromium,
// and the first paint of a cold board on a slow phone. Release build; never run by ./test.
//
//   node bench/paint.mjs                    150 moves on a ward of 30 beds, and beside 20 moves a second
//   node bench/paint.mjs --moves 300 --beside 100
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values: given } = parseArgs({ options: {
  moves: { type: 'string', default: '150' }, beside: { type: 'string', default: '20' },
  binary: { type: 'string', default: join(root, 'build/release/frontline') } } });
const folder = mkdtempSync(join(tmpdir(), 'frontline-paint-'));
const child = spawn(given.binary, ['serve', '--data', folder, '--listen', '127.0.0.1:0', '--open',
  '--set', 'log.requests=no'], { stdio: ['ignore', 'ignore', 'pipe'] });
const url = await new Promise((ready) => {
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    log += text;
    const found = /listening on (http:\S+)/.exec(log);
    if (found) ready(found[1]);
  });
});
const wait = (ms) => new Promise((done) => { setTimeout(done, ms); });
const send = (method, path, body) => fetch(url + path, { method, body: JSON.stringify(body),
  headers: { 'content-type': path.startsWith('/fhir') ? 'application/fhir+json' : 'application/json' } });
const kind = (code) => ({ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/location-physical-type', code }] });
await send('PUT', '/fhir/Location/ward', { resourceType: 'Location', id: 'ward', name: 'Ward', physicalType: kind('wa') });
for (let i = 0; i < 30; i += 1) {
  await send('PUT', `/fhir/Location/bed-${i}`, { resourceType: 'Location', id: `bed-${i}`, name: `Bed ${i}`,
    physicalType: kind('bd'), partOf: { reference: 'Location/ward' } });
}

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
const browser = await chromium.launch({ executablePath, args: ['--headless', '--no-sandbox', '--disable-gpu'] });

async function coldBoard() {
  const page = await (await browser.newContext({ viewport: { width: 390, height: 844 } })).newPage();
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', { offline: false, latency: 150,
    downloadThroughput: 1.6e6 / 8, uploadThroughput: 750e3 / 8 });
  await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  await page.goto(`${url}/beds/ward/ward`);
  const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime);
  await page.context().close();
  return Math.round(paint);
}

// The page notes when each state of a bed was painted: two frames after the change of the page.
async function openBoard() {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage();
  await page.goto(`${url}/beds/ward/ward`);
  await page.getByText('Live', { exact: true }).waitFor();
  await page.evaluate(() => {
    globalThis.painted = {};
    new MutationObserver((all) => {
      for (const change of all) for (const node of change.addedNodes) {
        const mark = `${node.id} ${node.querySelector?.('.app-state')?.textContent}`;
        requestAnimationFrame(() => requestAnimationFrame(() => { globalThis.painted[mark] ??= Date.now(); }));
      }
    }).observe(document.body, { subtree: true, childList: true });
  });
  return page;
}

async function measure(page, moves, first) {
  const delays = [];
  for (let i = 0; i < moves; i += 1) {
    const bed = `bed-${first + (i % 5)}`;
    const close = Math.floor(i / 5) % 2 === 0;
    const mark = `bed-${bed} ${close ? 'closed' : 'dirty'}`;
    await page.evaluate((m) => { delete globalThis.painted[m]; }, mark);
    const answer = await send('POST', `/beds/move/${close ? 'close' : 'open'}`, close ? { bed, why: 'staffing' } : { bed });
    const committed = Date.now();
    if (answer.status !== 200) throw new Error(`${bed}: ${await answer.text()}`);
    const at = await page.waitForFunction((m) => globalThis.painted[m], mark, { polling: 5, timeout: 5000 });
    delays.push(Math.max(0, (await at.jsonValue()) - committed));
    if (!close) await send('POST', '/beds/move/cleaned', { bed });
  }
  delays.sort((a, b) => a - b);
  const at = (share) => delays[Math.min(delays.length - 1, Math.floor(delays.length * share))];
  return `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, worst ${delays.at(-1)} ms`;
}

let busy = true;
async function others(rate) {
  for (let i = 0; busy; i += 1) {
    const bed = `bed-${10 + (i % 15)}`;
    void send('POST', '/beds/move/close', { bed, why: 'staffing' })
      .then(() => send('POST', '/beds/move/open', { bed })).then(() => send('POST', '/beds/move/cleaned', { bed })).catch(() => {});
    await wait(3000 / rate);
  }
}

try {
  console.log(`cold board, slow phone profile, first paint: ${await coldBoard()} ms`);
  const page = await openBoard();
  console.log(`commit to paint, quiet: ${await measure(page, Number(given.moves), 0)}`);
  const crowd = others(Number(given.beside));
  console.log(`commit to paint, beside ${given.beside} moves a second: ${await measure(page, Number(given.moves), 5)}`);
  busy = false;
  await crowd;
} finally {
  await browser.close();
  child.kill();
  rmSync(folder, { recursive: true, force: true });
}
