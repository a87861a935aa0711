// SPDX-License-Identifier: Apache-2.0
// A trust copies its record away while the ward goes on writing, and gets it back after a fire.
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { binary, startServer } from './server.mjs';

const run = (...words) => spawnSync(binary, words, { encoding: 'utf8' });
const done = (...words) => execFileSync(binary, words, { encoding: 'utf8' });

function folder(t) {
  const path = mkdtempSync(join(tmpdir(), 'frontline-backup-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('a backup beside a writing server is whole, sealed and as of one instant', async (t) => {
  const server = await startServer(t);
  const at = folder(t), key = join(at, 'key'), file = join(at, 'one.flb'), again = join(at, 'again');
  done('user', 'add', 'nurse', '--role', 'nurse', '--display', 'Nell Nurse', '--data', server.folder);
  done('backup', '--make-key', key);
  assert.equal(statSync(key).mode & 0o777, 0o600);
  assert.equal(run('backup', '--make-key', key).status, 1, 'a key is never written over');

  let writing = true, written = 0;
  const writers = Array.from({ length: 4 }, async () => {
    while (writing) {
      const answer = await server.post('/fhir/Patient', { resourceType: 'Patient', name: [{ family: 'Backup-Patient' }] });
      assert.equal(answer.status, 201);
      written++;
    }
  });
  while (written < 200)
    await new Promise((resolve) => setTimeout(resolve, 20));
  const before = written;
  const made = JSON.parse((await promisify(execFile)(binary,
    ['backup', file, '--data', server.folder, '--key-file', key, '--json'])).stdout);
  writing = false;
  await Promise.all(writers);
  assert.ok(made.files >= 2 && made.bytes > 100000, JSON.stringify(made));
  assert.ok(!readFileSync(file).includes('Backup-Patient'), 'names are not to be read in it');
  assert.equal(statSync(file).mode & 0o777, 0o600);

  done('restore', file, '--data', again, '--key-file', key);
  const check = JSON.parse(done('check', '--data', again, '--json'));
  assert.equal(check.faults, 0);
  assert.ok(check.resources >= before && check.resources <= written, `${before} ${check.resources} ${written}`);
  assert.match(done('user', 'list', '--data', again), /nurse/);
  assert.equal(run('restore', file, '--data', again, '--key-file', key).status, 1, 'not over a folder that is there');
  assert.ok(!existsSync(join(again, 'lock')) && !existsSync(join(again, 'bulk')));
});

test('a backup that is cut, changed, or of another key is refused and says so', async (t) => {
  const server = await startServer(t);
  await server.put('/fhir/Patient/a', { resourceType: 'Patient', id: 'a' });
  const at = folder(t), key = join(at, 'key'), other = join(at, 'other'), file = join(at, 'one.flb');
  done('backup', '--make-key', key);
  done('backup', '--make-key', other);
  done('backup', file, '--data', server.folder, '--key-file', key);
  assert.match(done('restore', file, '--prove', '--key-file', key), /whole/);
  const refused = (pattern, path, ...more) => {
    const answer = run('restore', path, '--prove', ...more);
    assert.equal(answer.status, 1, answer.stdout);
    assert.match(answer.stderr, pattern);
  };
  refused(/another key/, file, '--key-file', other);
  refused(/is encrypted/, file, '--plain');
  refused(/give --key-file/, file);
  refused(/cannot be read/, join(at, 'none.flb'), '--key-file', key);
  refused(/not a backup/, key, '--key-file', key);
  const bytes = readFileSync(file), bad = join(at, 'bad.flb');
  for (const [pattern, changed] of [
    [/cut short/, bytes.subarray(0, bytes.length - 1)],
    [/cut short|damaged/, bytes.subarray(0, bytes.length - 40)],
    [/after its end/, Buffer.concat([bytes, Buffer.from('x')])],
    [/damaged/, Buffer.concat([bytes.subarray(0, 500), Buffer.from([bytes[500] ^ 1]), bytes.subarray(501)])],
    [/damaged/, Buffer.concat([bytes.subarray(0, 30), Buffer.from([bytes[30] ^ 1]), bytes.subarray(31)])]]) {
    writeFileSync(bad, changed);
    refused(pattern, bad, '--key-file', key);
  }
  assert.equal(run('restore', bad, '--data', join(at, 'x'), '--key-file', key).status, 1);
  assert.ok(!existsSync(join(at, 'x')), 'nothing that looks like a data folder is left');

  assert.equal(run('backup', file, '--data', server.folder, '--key-file', key).status, 1, 'never written over');
  assert.ok(readFileSync(file).equals(bytes));
  assert.equal(run('backup', join(at, 'p.flb'), '--data', server.folder).status, 1, 'plain only when said');
  done('backup', join(at, 'p.flb'), '--data', server.folder, '--plain');
  assert.match(done('restore', join(at, 'p.flb'), '--prove', '--plain'), /whole/);
  refused(/not encrypted/, join(at, 'p.flb'), '--key-file', key);
  chmodSync(key, 0o644);
  refused(/chmod 600/, file, '--key-file', key);
  mkdirSync(join(at, 'empty'));
  assert.equal(run('backup', join(at, 'e.flb'), '--data', join(at, 'empty'), '--plain').status, 1, 'an empty folder is no record');
  assert.ok(!existsSync(join(at, 'e.flb')) && !existsSync(join(at, 'e.flb.part')));
});
