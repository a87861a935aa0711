// SPDX-License-Identifier: Apache-2.0
// A patient's first page, on a phone first.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { everyWidth, fits, launch, open } from '../lib/browser.mjs';
import { Server, binary } from '../lib/server.mjs';

let server;
let browser;
const run = (...words) => execFileSync(binary, [...words, '--data', server.data], { encoding: 'utf8' }).trim();

before(async () => {
  server = await Server.start({ open: false, args: ['--set', 'auth.demo_code=demo'] });
  const headers = { Authorization: `Bearer ${run('token', '--scope', 'system/*.cruds')}` };
  const put = async (resource) => {
    const { status, body } = await server.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource, headers);
    assert.equal(status, 201, JSON.stringify(body));
  };
  await put({ resourceType: 'Patient', id: 'ann', gender: 'female', birthDate: '1980-05-01', name: [{ family: 'Example', given: ['Ann'] }],
    identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990000018' }] });
  await put({ resourceType: 'AllergyIntolerance', id: 'a1', patient: { reference: 'Patient/ann' }, code: { text: 'Penicillin <b>' }, recordedDate: '2024-03-01' });
  run('user', 'add', 'ann', '--role', 'patient', '--display', 'Ann Example', '--who', 'Patient/ann');
  run('user', 'add', 'jo', '--role', 'claimant', '--display', 'Jo Morgan');
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

for (const name of ['ann', 'jo']) {
  test(`/my as ${name}: nothing for axe, and fits, at three widths by day and night, without scripts too`, async () => {
    const page = await open(browser, `${server.url}/sign-in`);
    await page.locator(`form:has(input[value="${name}"]) button`).click();
    await page.waitForURL('**/my');
    await everyWidth(page, `my-${name}`, 844);
    const text = await page.locator('main').textContent();
    if (name === 'ann') for (const part of ['EXAMPLE, Ann', '999 000 0018', 'Penicillin <b>', '111.nhs.uk']) assert.ok(text.includes(part), part);
    else assert.ok(!text.includes('Penicillin') && text.includes('prove who you are'));
    assert.equal(await page.getByRole('link', { name: 'Beds' }).count(), 0, 'no staff systems in a patient\'s header');
    assert.deepEqual(page.complaints, []);
    await page.context().close();
    const plain = await open(browser, `${server.url}/sign-in`, { js: false });
    await plain.locator(`form:has(input[value="${name}"]) button`).click();
    assert.ok(await plain.locator('h1').isVisible());
    await plain.context().close();
  });
}

test('who does not reach everyone is shown no counts of everyone', async () => {
  run('user', 'add', 'nurse', '--role', 'nurse', '--display', 'A Nurse');
  const page = await open(browser, `${server.url}/sign-in`);
  await page.locator('form:has(input[value="nurse"]) button').click();
  await page.waitForURL(`${server.url}/`);
  assert.equal(await page.locator('#landing-tiles').count(), 0);
  assert.doesNotMatch(await page.locator('main').textContent(), /AllergyIntolerance/);
  const live = await page.request.get(`${server.url}/live`);
  assert.equal(live.status(), 403);
  await page.context().close();
});
