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

// What a searcher would write for an element's value; nothing for what has no plain form.
function questions(value) {
  if (Array.isArray(value))
    return value.slice(0, 2).flatMap(questions);
  if (typeof value === 'boolean' || typeof value === 'string')
    return [String(value)];
  if (!value || typeof value !== 'object')
    return [];
  if (value.coding)
    return questions(value.coding);
  if (value.reference)
    return /^[A-Za-z]+\/[A-Za-z0-9.-]+$/.test(value.reference) ? [value.reference] : [];
  if (value.family)
    return [value.family];
  if (value.code && !('value' in value))
    return [value.system ? `${value.system}|${value.code}` : value.code];
  if (typeof value.value === 'string')
    return [value.system && !/^(phone|fax|email|pager|url|sms|other)$/.test(value.system)
      ? `${value.system}|${value.value}` : value.value];
  return [];
}
const escaped = (text) => encodeURIComponent(text.replace(/[\\,$]/g, '\\$&'));
const plainName = (name) => name.replace(/-/g, '').toLowerCase();

test('every example is found by its own search parameters', { skip }, async (t) => {
  const server = await startServer(t);
  const capability = (await server.get('/fhir/metadata')).body;
  const params = Object.fromEntries(capability.rest[0].resource.map((r) =>
    [r.type, r.searchParam.filter((p) => p.type !== 'composite' && p.type !== 'special')]));
  const missed = [];
  let asked = 0;
  for (const name of readdirSync(folder).filter((f) => f.endsWith('.json')).sort()) {
    const resource = JSON.parse(readFileSync(join(folder, name), 'utf8'));
    const { resourceType, id } = resource;
    if (!id || faulty.includes(name))
      continue;
    await server.put(`/fhir/${resourceType}/${id}`, resource);
    for (const param of params[resourceType]) {
      const element = Object.keys(resource).find((key) => key.toLowerCase() === plainName(param.name));
      const texts = element ? questions(resource[element]) : [];
      for (const text of texts.filter((one) => typeof one === 'string')) {
        if (text.includes('|') && (param.type === 'uri' || param.type === 'string'))
          continue;
        if (param.type === 'reference' && !text.includes('/'))
          continue;
        if (resourceType === 'Questionnaire' && param.name === 'code')
          continue; // is of Questionnaire.item.code, not of Questionnaire.code
        const query = `${resourceType}?${param.name}=${escaped(text)}&_id=${id}`;
        const answer = await server.get(`/fhir/${query}`);
        asked++;
        if (answer.body?.entry?.[0]?.resource?.id !== id)
          missed.push(`${name}: ${query}: ${answer.status}`);
      }
    }
  }
  t.diagnostic(`${asked} questions asked`);
  assert.deepEqual(missed, []);
});
