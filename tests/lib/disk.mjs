// SPDX-License-Identifier: Apache-2.0
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { makeFolder } from './server.mjs';

// A small disk that only this test sees, in a mount namespace held by a process of its own; undefined
// with the test skipped where that is not permitted.
export async function smallDisk(t, megabytes) {
  const point = makeFolder();
  const holder = spawn('unshare', ['-m', 'sh', '-c',
    `mount -t tmpfs -o size=${megabytes}m none "$0" && echo mounted && exec cat`, point],
    { stdio: ['pipe', 'pipe', 'ignore'] });
  const [told] = await Promise.race([once(holder.stdout, 'data'), once(holder, 'exit'), once(holder, 'error')]);
  if (!String(told).startsWith('mounted')) {
    t.skip('no private mounts are permitted here');
    return undefined;
  }
  t.after(() => holder.stdin.end());
  const under = ['nsenter', '-m', '-t', String(holder.pid)];
  return { under, folder: join(point, 'data'), seen: join(`/proc/${holder.pid}/root`, point),
           run: (...words) => spawnSync(under[0], [...under.slice(1), ...words], { encoding: 'utf8' }) };
}
