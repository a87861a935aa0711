// SPDX-License-Identifier: Apache-2.0
// The clinical rules by command line, held against tables written down here from the guideline.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const binary = process.env.FRONTLINE_BINARY ?? 'build/debug/frontline';
const folder = mkdtempSync(join(tmpdir(), 'rule-'));
after(() => rmSync(folder, { recursive: true }));

function rule(name, inputs, ...options) {
  const words = Object.entries(inputs).map(([key, value]) => `${key}=${value}`);
  const { status, stdout, stderr } =
    spawnSync(binary, ['rule', name, ...words, ...options, '--json'], { encoding: 'utf8' });
  return { status, stderr, body: stdout ? JSON.parse(stdout) : undefined };
}

// [from, to, points] as the printed chart has them; what lies outside is impossible.
const chart = {
  resp: [[0, 8, 3], [9, 11, 1], [12, 20, 0], [21, 24, 2], [25, 120, 3]],
  spo2: [[1, 91, 3], [92, 93, 2], [94, 95, 1], [96, 100, 0]],
  spo2Air: [[1, 83, 3], [84, 85, 2], [86, 87, 1], [88, 100, 0]],
  spo2Oxygen: [[1, 83, 3], [84, 85, 2], [86, 87, 1], [88, 92, 0], [93, 94, 1], [95, 96, 2],
    [97, 100, 3]],
  systolic: [[20, 90, 3], [91, 100, 2], [101, 110, 1], [111, 219, 0], [220, 350, 3]],
  pulse: [[0, 40, 3], [41, 50, 1], [51, 90, 0], [91, 110, 1], [111, 130, 2], [131, 350, 3]],
  temp: [['20.0', '35.0', 3], ['35.1', '36.0', 1], ['36.1', '38.0', 0], ['38.1', '39.0', 1],
    ['39.1', '46.0', 2]],
};
const well = { resp: 16, spo2: 98, oxygen: 0, systolic: 120, pulse: 70, alert: 1, temp: '37.0' };
const measured = ['resp', 'spo2', 'systolic', 'pulse', 'temp'];
// Which table the saturation is read in, and what makes it so.
const scales = [['spo2', {}], ['spo2Air', { scale2: 1 }], ['spo2Oxygen', { scale2: 1, oxygen: 1 }]];

const tableOf = (input, scale) => chart[input === 'spo2' ? scale : input];
const edges = (table) => table.flatMap(([from, to, points]) => [[from, points], [to, points]]);

test('news2 gives the points of the chart at both ends of every band', () => {
  for (const [scale, given] of scales) {
    const lists = measured.map((input) => edges(tableOf(input, scale)));
    const runs = Math.max(...lists.map((list) => list.length));
    for (let i = 0; i < runs; i++) {
      const row = lists.map((list) => list[i % list.length]);
      const set = { ...well, ...given };
      const parts = { oxygen: given.oxygen ? 2 : 0, alert: 0 };
      measured.forEach((input, k) => ([set[input], parts[input]] = row[k]));
      const { status, body } = rule('news2', set);
      const total = Object.values(parts).reduce((sum, points) => sum + points);
      assert.equal(status, 0, JSON.stringify(set));
      assert.deepEqual({ ...body.parts }, { ...parts }, JSON.stringify(set));
      assert.equal(body.total, total);
      assert.equal(body.risk, total >= 7 ? 'high' : total >= 5 ? 'medium'
        : Object.values(parts).includes(3) ? 'low-medium' : 'low');
    }
  }
});

test('one step outside what can be measured is named, and nothing is scored', () => {
  for (const [at, by] of [[(t) => t[0][0], -1], [(t) => t.at(-1)[1], 1]]) {
    const set = { ...well };
    for (const input of measured)
      set[input] = input === 'temp' ? (Number(at(chart.temp)) + by / 10).toFixed(1)
        : at(chart[input]) + by;
    const { status, body } = rule('news2', set);
    assert.equal(status, 1);
    assert.deepEqual(body.errors.map((e) => e.input), measured);
    assert.ok(!('total' in body));
  }
});

test('news2 says total, parts, risk and table, or names every input at fault', () => {
  const example = { ...well, resp: 21, spo2: 93, pulse: 95, temp: '37.5' };
  const { body } = rule('news2', example);
  assert.equal(body.total, 5);
  assert.deepEqual(body.parts,
    { resp: 2, spo2: 2, oxygen: 0, systolic: 0, pulse: 1, alert: 0, temp: 0 });
  assert.equal(body.risk, 'medium');
  assert.equal(body.table, 'news2-rcp-2017.1');
  // the published example that says 6 is known for what it is
  assert.equal(rule('news2', { ...example, claimed: 6 }).body.consistent, false);
  assert.equal(rule('news2', { ...example, claimed: 5 }).body.consistent, true);

  const faults = { resp: '+21', spo2: '101', oxygen: 'no', systolic: '120,5', alert: 'C',
    temp: '98.6', height: '180' };
  const { status, body: refused } = rule('news2', faults);
  assert.equal(status, 1);
  assert.deepEqual(refused.errors.map((e) => e.input).sort(),
    ['alert', 'height', 'oxygen', 'pulse', 'resp', 'spo2', 'systolic', 'temp']);
  const twice = spawnSync(binary, ['rule', 'news2', 'resp=21', 'resp=20', '--json']);
  assert.match(String(twice.stdout), /resp: given twice/);
  assert.equal(rule('nonsense', {}).status, 2);
});

test('low urine output: each side of each criterion, and the printed rate on the same side', () => {
  const rows = [
    [209, 6, 'stage 1', 0.497], [210, 6, 'none', 0.5], [209, '5.9', 'none', 0.506],
    [206, '5.9', 'unknown', 0.498], [419, 12, 'stage 2', 0.498], [420, 12, 'none', 0.5],
    [419, '11.9', 'none', 0.503], [503, 24, 'stage 3', 0.299], [504, 24, 'stage 2', 0.3],
    [0, 12, 'stage 3', 0], [0, '11.9', 'stage 1', 0],
  ];
  for (const [urine, hours, stage, rate] of rows) {
    const { body } = rule('oliguria', { urine, hours, weight: 70 });
    assert.equal(body.stage, stage, `${urine} mL in ${hours} h`);
    assert.equal(body.ml_per_kg_h, rate, `${urine} mL in ${hours} h`);
  }
  assert.deepEqual(rule('oliguria', { urine: 100, hours: 6 }).body.errors.map((e) => e.input),
    ['weight']);
});

// Invented thresholds: this is a test of the lock, not a chart.
test('a maternity chart scores only by a table its owner has signed', () => {
  const file = (name, content) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const owner = generateKeyPairSync('ed25519'), other = generateKeyPairSync('ed25519');
  const pem = (pair) => pair.publicKey.export({ type: 'spki', format: 'pem' });
  const text = (from, to) => `table: test 1\nsource: nobody\neffective: ${from}\nexpires: ${to}\n` +
    'signed-by: A Tester\nsigned-on: 2020-01-01\nband: resp 0 2\nband: resp 10 0\n';
  const load = (content, signature, key) => {
    const table = file('mews.txt', content);
    const options = ['--table', table];
    if (signature)
      options.push('--signature', file('mews.txt.other', signature));
    if (key)
      options.push('--key', file('key.pem', key));
    return rule('mews', { resp: 9 }, ...options);
  };
  const good = text('2020-01-01', '2099-01-01'), expired = text('2020-01-01', '2021-01-01');
  const by = (pair, content) => sign(null, Buffer.from(content), pair.privateKey);

  const scored = load(good, by(owner, good), pem(owner));
  assert.equal(scored.status, 0, scored.stderr);
  assert.equal(scored.body.total, 2);
  assert.equal(scored.body.signed_by, 'A Tester');
  assert.equal(load(good, by(owner, good).toString('base64'), pem(owner)).body.total, 2);
  file('mews.txt.sig', by(owner, good));
  assert.equal(load(good, undefined, pem(owner)).body.total, 2, 'the signature beside it');

  const refused = [
    [load(good.replace('10 0', '10 1'), by(owner, good), pem(owner)), /does not hold/],
    [load(`${good}\n`, by(owner, good), pem(owner)), /does not hold/],
    [load(good, by(other, good), pem(owner)), /another key/],
    [load(good, 'not a signature', pem(owner)), /not an Ed25519 signature/],
    [load(good, by(owner, good), undefined), /--key/],
    [load(good, by(owner, good), 'no key'), /no Ed25519 public key/],
    [load(good, by(owner, good), generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey
      .export({ type: 'spki', format: 'pem' })), /no Ed25519 public key/],
    [load(expired, by(owner, expired), pem(owner)), /expired on 2021-01-01/],
    [rule('mews', { resp: 9 }), /no signed threshold table/],
    [rule('mews', { resp: 9, table: good.replaceAll('\n', ' ') }), /--table/],
  ];
  for (const [answer, why] of refused) {
    assert.equal(answer.status, 1);
    assert.match(JSON.stringify(answer.body.errors), why);
    assert.ok(!('total' in answer.body));
  }
});
