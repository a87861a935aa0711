// SPDX-License-Identifier: Apache-2.0
// A hospital's messages late, twice, out of order and through kills end in the record they make when
// each comes once and in its order. bench/replay.mjs does the same at length.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replay } from './replay.mjs';

const count = Number(process.env.COUNT ?? 600), seed = Number(process.env.SEED ?? 6);
const kills = Number(process.env.KILLS ?? 2);

test('messages in disorder and through kills end in the same record', { timeout: 3600000 }, async () => {
  const went = await replay({ count, seed, kills });
  const told = `${count} messages, seed ${seed}: ${JSON.stringify({ ...went.crooked, left: went.crooked.left.length })}`;
  assert.equal(went.straight.refused, 0, 'in order all are taken');
  assert.deepEqual(went.crooked.left.map((m) => m.text), [], told);
  assert.equal(went.crooked.kills, kills);
  for (const [name, check] of Object.entries(went.checks)) assert.equal(check.code, 0, name + check.stdout + check.stderr);
  assert.equal(went.difference.slice(0, 4000), '', told);
  assert.deepEqual(went.counts.crooked, went.counts.straight);
  console.log(`# ${told}`);
});
