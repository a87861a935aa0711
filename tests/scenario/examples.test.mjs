// SPDX-License-Identifier: Apache-2.0
// The specification's own examples: stored, read back equal in JSON, and in XML and back.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startServer, testdata } from './server.mjs';

const folder = join(testdata, 'r4-examples');
const skip = existsSync(folder) ? false : 'skipped: no ../shared/testdata';
// These break the rules of R4 themselves: a reference to a type the element does not allow, or a
// Questionnaire whose items lack linkId.
const faulty = ['DeviceUseStatement-example.json', 'Observation-clinical-gender.json',
                'Questionnaire-qs1.json'];
const plain = (text) => {
  const resource = JSON.parse(text);
  if (resource.meta) {
    delete resource.meta.versionId;
    delete resource.meta.lastUpdated;
    if (!Object.keys(resource.meta).length)
      delete resource.meta;
  }
  return resource;
};

test('every example is stored and read back equal', { skip }, async (t) => {
  const server = await startServer(t);
  const refused = [];
  let kept = 0;
  for (const name of readdirSync(folder).filter((f) => f.endsWith('.json')).sort()) {
    const text = readFileSync(join(folder, name), 'utf8');
    const { resourceType, id } = JSON.parse(text);
    if (!id)
      continue;
    const path = `/fhir/${resourceType}/${id}`;
    const put = await server.ask('PUT', path, { body: text });
    if (![200, 201].includes(put.status)) {
      refused.push(`${name}: ${put.status} ${put.body.issue.map((i) => i.diagnostics).join('; ')}`);
      continue;
    }
    kept++;
    const back = await server.get(path);
    assert.deepEqual(plain(back.text), plain(text), name);
    const xml = await server.get(path, { accept: 'application/fhir+xml' });
    assert.equal(xml.status, 200, `${name}: ${xml.text}`);
    assert.match(xml.headers.get('content-type'), /^application\/fhir\+xml/);
    const again = await server.ask('PUT', path, { body: xml.text,
      headers: { 'content-type': 'application/fhir+xml' } });
    assert.equal(again.status, 200, `${name} by XML: ${again.text}`);
    assert.deepEqual(plain((await server.get(path)).text), plain(text), `${name} through XML`);
  }
  t.diagnostic(`${kept} kept`);
  assert.deepEqual(refused.filter((line) => !faulty.includes(line.split(':')[0])), []);
});
