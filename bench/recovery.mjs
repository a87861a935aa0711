#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// The recovery test at length, by hand:
//
//   node bench/recovery.mjs [CYCLES]            SIGKILL in the middle of writes, 1,000 times
//   node bench/recovery.mjs [CYCLES] --power    as root: the data lie on an XFS image whose file
//                                               system is shut down without flushing, as by a power
//                                               cut, and mounted again (its log is replayed)
//
// FRONTLINE_BINARY names the program; build/release/frontline otherwise.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

process.env.FRONTLINE_BINARY ??= 'build/release/frontline';
const { frontline, Server } = await import('../tests/lib/server.mjs');
const { ordeal } = await import('../tests/recovery/ledger.mjs');

const cycles = Number(process.argv.slice(2).find((word) => /^\d+$/.test(word)) ?? 1000);
const power = process.argv.includes('--power');
const folder = mkdtempSync(join(tmpdir(), 'frontline-recovery-'));
const run = (...words) => execFileSync(words[0], words.slice(1), { stdio: ['ignore', 'ignore', 'inherit'] });

class Image {
  constructor() {
    this.file = join(folder, 'disk.img');
    this.point = join(folder, 'disk');
    mkdirSync(this.point);
    writeFileSync(this.file, '');
    truncateSync(this.file, 1 << 30);
    run('mkfs.xfs', '-q', this.file);
    this.mount();
  }

  mount() { run('mount', '-o', 'loop', this.file, this.point); }

  cut() { run('xfs_io', '-x', '-c', 'shutdown', this.point); }

  unmount() { run('umount', this.point); }
}

const image = power ? new Image() : undefined;
const data = power ? join(image.point, 'data') : join(folder, 'data');
let down = false;

async function start() {
  if (down) image.mount();
  down = false;
  const server = await Server.start({ folder: data });
  return {
    url: server.url,
    stop: () => server.stop(),
    cut: async () => {
      if (power) image.cut();
      await server.stop('SIGKILL');
      if (power) image.unmount();
      down = power;
    },
  };
}

if (!existsSync(data)) mkdirSync(data);
const began = Date.now();
const result = await ordeal({
  start, cycles, seed: began % 100000,
  tell: (cycle, ledger) => {
    if (cycle % 10 === 0) console.log(`${cycle} of ${cycles}: ${ledger.acknowledged} acknowledged`);
  },
});
await result.server.stop();
const check = await frontline(['check', '--data', data]);
console.log(check.stdout.trim());
console.log(`${cycles} ${power ? 'power cuts' : 'kills'} in ${Math.round((Date.now() - began) / 1000)} s: ` +
  `${result.acknowledged} writes acknowledged, ${result.looked} states looked at, none lost`);
if (power) image.unmount();
rmSync(folder, { recursive: true, force: true });
process.exit(check.code);
