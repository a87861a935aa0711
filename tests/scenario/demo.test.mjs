// SPDX-License-Identifier: Apache-2.0
// The demonstration lives on by itself, keeps its rules, and leaves real data alone.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { binary, startServer } from './server.mjs';

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

function run(...args) {
  const ended = spawnSync(binary, args, { encoding: 'utf8', timeout: 120000 });
  assert.equal(ended.status, 0, ended.stderr);
}

const day = () => new Date(Date.now() - 8 * 3600000).toISOString().slice(0, 10);

function hospital(t, mark) {
  const folder = mkdtempSync(join(tmpdir(), 'frontline-demo-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  run('synth', '--seed', '5', '--patients', '300', '--detail-days', '1', '--end', day(),
      '--out', join(folder, 'synth'));
  run('import', '--data', join(folder, 'data'), join(folder, 'synth'));
  if (mark) writeFileSync(join(folder, 'data', 'demo-complete'), '');
  return join(folder, 'data');
}

const seqOf = async (server) => (await server.get('/beds/board.json')).body.seq;

test('a played hospital moves, double-books nobody, and goes on after a restart', async (t) => {
  const data = hospital(t, true);
  const first = await startServer(t, { folder: data, args: ['--speed', '1000'] });
  const begun = await seqOf(first);
  let seq = begun;
  for (let i = 0; i < 60 && seq < begun + 20; i += 1) {
    await wait(500);
    seq = await seqOf(first);
  }
  assert.ok(seq >= begun + 20, `${seq - begun} versions in 30 s`);
  const board = (await first.get('/beds/board.json')).body.beds;
  const stays = board.map((b) => b.patient).filter(Boolean);
  assert.equal(new Set(stays).size, stays.length, 'one bed a patient');
  await first.stop();
  const again = await startServer(t, { folder: data, args: ['--speed', '1000'] });
  const from = await seqOf(again);
  assert.ok(from >= seq);
  for (let i = 0; i < 60 && seq <= from; i += 1) {
    await wait(500);
    seq = await seqOf(again);
  }
  assert.ok(seq > from);
  await again.stop();
  const frozen = await startServer(t, { folder: data });
  const patients = async () => (await frozen.get('/beds/board.json')).body.beds.map((b) => b.patient ?? '');
  const still = await patients();
  await wait(4500);
  assert.deepEqual(await patients(), still, 'frozen');
});

test('what ./run did not make is never played, and a speed is a number', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'frontline-real-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [speed, says] of [['20', /demo-complete/], ['0', /1 to 1000/], ['1001', /1 to 1000/],
                               ['fast', /1 to 1000/]]) {
    const ended = spawnSync(binary, ['serve', '--data', folder, '--open', '--listen', '127.0.0.1:0',
                                     '--speed', speed], { encoding: 'utf8', timeout: 20000 });
    assert.notEqual(ended.status, 0);
    assert.match(ended.stderr, says);
  }
});
