// SPDX-License-Identifier: Apache-2.0
// Chromium as people use it: widths, day and night, keyboard only, without scripts, on paper.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { root } from './server.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
export const WIDTHS = [390, 768, 1280];
export const SHOTS = join(root, 'tests/screenshots');

export async function launch() {
  const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
  return chromium.launch({
    executablePath,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

// A page in a context of its own: { width, night, js }. Whatever the console complains of is kept.
export async function open(browser, url, { width = 1280, night = false, js = true } = {}) {
  const context = await browser.newContext({
    viewport: { width, height: 900 }, javaScriptEnabled: js,
    colorScheme: night ? 'dark' : 'light', bypassCSP: false,
  });
  const page = await context.newPage();
  page.complaints = [];
  page.on('console', (message) => {
    if (message.type() === 'error') page.complaints.push(message.text());
  });
  page.on('pageerror', (fault) => page.complaints.push(String(fault)));
  await page.goto(url);
  return page;
}

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const OF_COLOUR = ['color-contrast', 'link-in-text-block'];

// What axe finds against WCAG 2.2 A and AA, as short texts. It runs in the page's own world by the
// debugger, past the Content-Security-Policy. A document that was looked at by day, at this width,
// is held to the rules of colour alone by night: the other rules read nothing that the night changes.
export async function faults(page) {
  if (!await page.evaluate(() => 'axe' in globalThis)) await page.evaluate(axe);
  const violations = await page.evaluate(async ([all, colour]) => {
    const now = `${innerWidth} ${document.documentElement.outerHTML}`;
    const night = matchMedia('(prefers-color-scheme: dark)').matches;
    const again = night && globalThis.seenByDay === now;
    if (!night) globalThis.seenByDay = now;
    const found = await globalThis.axe.run(document, {
      resultTypes: ['violations'],
      runOnly: again ? { type: 'rule', values: colour } : { type: 'tag', values: all },
    });
    return found.violations;
  }, [RULES, OF_COLOUR]);
  return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`);
}

// A picture in tests/screenshots, for people to look at: only when FRONTLINE_SHOTS is set.
export async function shot(page, name, options = {}) {
  if (!process.env.FRONTLINE_SHOTS) return;
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true, ...options });
}

// True when nothing makes the page scroll sideways.
export async function fits(page) {
  return page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
}

// What reaches over the right edge, by its classes and words.
export async function tooWide(page) {
  return page.evaluate(() => [...document.querySelectorAll('body *')]
    .filter((at) => at.getBoundingClientRect().right > window.innerWidth + 1)
    .map((at) => `${at.tagName}.${at.className} ${at.textContent.trim().slice(0, 30)}`).slice(-6));
}

// A page at each width, by day and by night: kept as pictures, nothing for axe, nothing sideways.
export async function everyWidth(page, name, height = 900) {
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height });
    for (const scheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme: scheme });
      await shot(page, `${name}-${width}-${scheme}`);
      assert.deepEqual(await faults(page), [], `${name}, ${width} px, ${scheme}`);
    }
    assert.ok(await fits(page), `${name}, ${width} px: scrolls sideways for ${(await tooWide(page)).join('; ')}`);
  }
}
