// SPDX-License-Identifier: Apache-2.0
// The server is killed in the middle of mixed writes, fifty times; nothing acknowledged may be lost,
// nothing may be there by half, and `frontline check` must find the record whole.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { frontline, Server } from '../lib/server.mjs';
import { ordeal } from './ledger.mjs';

test('fifty kills during writes of sixteen clients lose nothing', { timeout: 300000 }, async () => {
  const data = mkdtempSync(join(tmpdir(), 'frontline-recovery-'));
  try {
    const start = async () => {
      const server = await Server.start({ folder: data });
      return { url: server.url, cut: () => server.stop('SIGKILL'), stop: () => server.stop() };
    };
    const result = await ordeal({ start, cycles: 50 });
    const told = `${result.acknowledged} acknowledged, ${result.refused} refused, ` +
                 `${result.looked} looked at`;
    assert.ok(result.acknowledged > 1000, told);
    assert.equal(await result.server.stop(), 0);
    const check = await frontline(['check', '--data', data]);
    assert.equal(check.code, 0, check.stdout + check.stderr);
    console.log(`# ${told}`);
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
});
