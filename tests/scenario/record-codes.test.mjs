// SPDX-License-Identifier: Apache-2.0
// Finding a code while typing, in a release large enough to have an index of words.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test, after } from 'node:test';
import { Server, binary } from '../lib/server.mjs';

const M = '900000000000207008', FSN = '900000000000003001', SYNONYM = '900000000000013009', AT = '20260101';
const FINDING = '404684003', SUBSTANCE = '105590001', SITES = ['arm', 'leg', 'hand', 'foot', 'skull', 'rib', 'hip'];
let server;

function release(folder) {
  const concepts = [], names = [], links = [];
  const add = (id, parent, full, ...others) => {
    concepts.push([id, AT, full.startsWith('Old') ? '0' : '1', M, M]);
    [[FSN, `${full} (disorder)`], [SYNONYM, full], ...others.map((o) => [SYNONYM, o])].forEach(([use, term]) =>
      names.push([`d${names.length}`, AT, '1', M, id, 'en', use, term, M]));
    links.push([`r${links.length}`, AT, '1', M, id, parent, '0', '116680003', M, M]);
  };
  add(FINDING, '138875005', 'Clinical finding');
  add(SUBSTANCE, '138875005', 'Substance');
  add('195967001', FINDING, 'Asthma', 'Bronchial hyperreactivity');
  add('1001', FINDING, 'Asthmatic bronchitis');
  add('1002', FINDING, 'X-ray of chest abnormal');
  add('1003', FINDING, 'Ménière disease');
  add('1004', FINDING, 'Old asthma');
  add('1005', SUBSTANCE, 'Asthma inhaler gas');
  add('1006', FINDING, 'Pain', 'Ache of heart');
  for (let n = 0; n < 2200; n++) add(String(20000 + n), FINDING, `Fracture of ${SITES[n % 7]} number ${n}`);
  const write = (name, head, rows) => writeFileSync(join(folder, name),
    [head.split(' '), ...rows].map((row) => `${row.join('\t')}\r\n`).join(''));
  mkdirSync(folder);
  write(`sct2_Concept_Snapshot_INT_${AT}.txt`, 'id effectiveTime active moduleId definitionStatusId', concepts);
  write(`sct2_Description_Snapshot-en_INT_${AT}.txt`,
    'id effectiveTime active moduleId conceptId languageCode typeId term case', names);
  write(`sct2_Relationship_Snapshot_INT_${AT}.txt`,
    'id effectiveTime active moduleId sourceId destinationId group typeId c mod', links);
}
const ask = async (q, list = 'problem') =>
  (await server.send('GET', `/record/codes?list=${list}&q=${encodeURIComponent(q)}`)).body;
const texts = async (q, list) => (await ask(q, list)).hits.map((hit) => hit.text);

before(async () => {
  server = await Server.start();
  const folder = join(server.data, 'release');
  release(folder);
  execFileSync(binary, ['term', 'load', 'snomed', folder, '--data', server.data]);
});
after(() => server?.stop());

test('every word begins one, shortest first, in the list asked for and in use', async () => {
  assert.deepEqual(await texts('asth'), ['Asthma', 'Asthmatic bronchitis']);
  assert.deepEqual(await texts('bronch asth'), ['Asthmatic bronchitis']);
  assert.deepEqual(await texts('asth', 'agent'), ['Asthma inhaler gas']);
  assert.deepEqual(await texts('hyperreact'), ['Asthma'], 'by another of its names');
  assert.deepEqual(await texts('meniere'), ['Ménière disease'], 'accents aside');
  assert.deepEqual(await texts('x-ray'), ['X-ray of chest abnormal']);
  assert.deepEqual(await texts('195967001'), ['Asthma'], 'by its code');
  assert.deepEqual(await texts('195967'), [], 'part of a code is none');
  const fractures = await ask('f');
  assert.equal(fractures.hits.length, 12);
  assert.deepEqual([fractures.starter, fractures.near], [false, false]);
  assert.deepEqual(await texts('fracture number 1777'), [`Fracture of ${SITES[1777 % 7]} number 1777`]);
});

test('words of two names of one concept are no match', async () => {
  assert.deepEqual(await texts('ache of heart'), ['Pain']);
  assert.deepEqual(await texts('pain heart'), []);
});

test('one letter out is found when nothing begins so, and said', async () => {
  for (const typed of ['ashtma', 'asthna', 'astma', 'asthhma']) {
    const found = await ask(typed);
    assert.equal(found.hits[0]?.text, 'Asthma', typed);
    assert.equal(found.near, true);
  }
  assert.equal((await ask('bronchitis ashtmatic')).hits[0].text, 'Asthmatic bronchitis');
  assert.deepEqual((await ask('zzzz')).hits, []);
  assert.deepEqual((await ask('')).hits, []);
});

test('a sentence is answered like a word', async () => {
  const found = await ask('a b c d e f g h i j k l m n o p q r s t u v w x y z '.repeat(4));
  assert.deepEqual(found.hits, []);
});
