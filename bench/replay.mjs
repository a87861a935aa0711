#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// The replay of tests/recovery/hl7.test.mjs at length, by hand:
//
//   node --max-old-space-size=6000 bench/replay.mjs COUNT [SEED [KILLS [FOLDER [DATA]]]]
//
// FRONTLINE_BINARY names the program; build/release/frontline otherwise. With FOLDER both records and
// their canonical texts are kept there, the records in DATA when that is given: in memory a kill loses no
// more and no less than on disk.
process.env.FRONTLINE_BINARY ??= 'build/release/frontline';
const { replay } = await import('../tests/recovery/replay.mjs');
const [count = 100000, seed = 6, kills = 20] = process.argv.slice(2).map(Number);
const [folder, data] = process.argv.slice(5);
const began = Date.now();
const told = (went) => process.stderr.write(`${Math.round((Date.now() - began) / 1000)} s: ${went.answered} answered, ${went.kills} kills\n`);
const went = await replay({ count, seed, kills, folder, data, keep: !!folder, told });
const clean = Object.values(went.checks).every((check) => check.code === 0);
const same = went.difference === '' && went.straight.refused === 0 && went.crooked.left.length === 0;
console.log(JSON.stringify({ count, seed, ...went, checks: clean ? 'clean' : went.checks, difference: went.difference.slice(0, 3000),
                             straight: { ...went.straight, left: went.straight.left.slice(0, 3) },
                             crooked: { ...went.crooked, left: went.crooked.left.slice(0, 3) } }, null, 1));
process.exit(clean && same ? 0 : 1);
