// SPDX-License-Identifier: Apache-2.0
// What the privacy officer is shown: each unusual-access flag from both sides, the filters of the
// screen, and the first break of a chain that somebody changed, also after a restore.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { binary, startServer } from './server.mjs';

const cli = (folder, ...words) => execFileSync(binary, [...words, '--data', folder], { encoding: 'utf8' }).trim();
const bearer = (token) => ({ authorization: `Bearer ${token}` });
const form = (fields) => new URLSearchParams(fields).toString();
const label = (system, code) => ({ meta: { security: [{ system: `http://terminology.hl7.org/CodeSystem/${system}`, code }] } });
const HOME = { line: ['1 High Street'], postalCode: 'LS1 1AA' };

// Whose record, and what is unusual about Dr Khan's looking at it.
const ROWS = [
  ['kin', { name: [{ family: 'Khan' }], birthDate: '1950-01-01' }, 'same surname'],
  ['capitals', { name: [{ family: 'KHAN' }], birthDate: '1951-01-01' }, 'same surname'],
  ['longer', { name: [{ family: 'Khanna' }] }, ''],
  ['nameless', { birthDate: '1980-01-01' }, ''],
  ['self', { name: [{ family: 'Khan' }], birthDate: '1980-01-01', address: [HOME] }, 'own record'],
  ['twin', { name: [{ family: 'Lee' }], birthDate: '1980-01-01' }, ''],
  ['house', { name: [{ family: 'Lee' }], address: [{ line: ['1 HIGH STREET'], postalCode: 'ls1 1aa' }] }, 'same address'],
  ['street', { name: [{ family: 'Lee' }], address: [{ line: ['2 High Street'], postalCode: 'LS1 1AA' }] }, ''],
  ['town', { name: [{ family: 'Lee' }], address: [{ line: ['1 High Street'], postalCode: 'LS2 1AA' }] }, ''],
  ['unknown', { name: [{ family: 'Lee' }], address: [{ text: 'somewhere' }] }, ''],
  ['celebrity', { name: [{ family: 'Star' }], ...label('v3-ActCode', 'CEL') }, 'VIP or restricted'],
  ['very', { name: [{ family: 'Star' }], ...label('v3-Confidentiality', 'V') }, 'VIP or restricted'],
  ['restricted', { name: [{ family: 'Star' }], ...label('v3-Confidentiality', 'R') }, 'VIP or restricted'],
  ['normal', { name: [{ family: 'Star' }], ...label('v3-Confidentiality', 'N') }, ''],
  ['both', { name: [{ family: 'Khan' }], address: [HOME] }, 'same surname|same address'],
];
const FLAGS = ['own record', 'same surname', 'same address', 'VIP or restricted'];

async function hospital(t) {
  const server = await startServer(t, { open: false, args: ['--set', 'auth.demo_code=demo'] });
  const all = bearer(cli(server.folder, 'token', '--scope', 'system/*.cruds'));
  const put = (resource) => server.put(`/fhir/${resource.resourceType}/${resource.id}`, resource, all);
  await put({ resourceType: 'Practitioner', id: 'k', name: [{ family: 'Khan' }], birthDate: '1980-01-01', address: [HOME] });
  for (const [id, rest] of ROWS)
    assert.equal((await put({ resourceType: 'Patient', id, ...rest })).status, 201, id);
  cli(server.folder, 'user', 'add', 'a.khan', '--role', 'caldicott', '--who', 'Practitioner/k');
  cli(server.folder, 'user', 'add', 'o.ther', '--role', 'coder');
  cli(server.folder, 'user', 'add', 'p.officer', '--role', 'privacy_officer');
  const answer = await server.ask('POST', '/sign-in', { body: form({ name: 'p.officer', code: 'demo', next: '/' }),
    headers: { 'content-type': 'application/x-www-form-urlencoded' } });
  const officer = { cookie: answer.headers.get('set-cookie').split(';')[0], accept: 'text/html' };
  const as = (name) => bearer(cli(server.folder, 'token', '--user', name, '--scope', 'user/*.rs'));
  const rows = async (query) => {
    const page = await server.get(`/privacy/access?${query}`, officer);
    assert.equal(page.status, 200, `${query}: ${page.text.slice(0, 300)}`);
    return page.text.split('<tbody')[1]?.split('</tbody')[0].split('<tr').slice(1) ?? [];
  };
  return { server, as, rows };
}

test('each unusual access is flagged; and none that is like it; filters narrow the list', async (t) => {
  const { server, as, rows } = await hospital(t);
  const khan = as('a.khan'), other = as('o.ther');
  for (const [id] of ROWS) {
    assert.equal((await server.get(`/fhir/Patient/${id}`, khan)).status, 200, id);
    await server.get(`/fhir/Patient/${id}`, other);
  }
  const shown = (row) => FLAGS.filter((flag) => row.includes(flag)).join('|');
  for (const [id, , flags] of ROWS) {
    const [row] = (await rows(`who=a.khan&patient=${id}`));
    assert.equal(shown(row ?? ''), flags, id);
    const [theirs] = (await rows(`who=o.ther&patient=${id}`));
    assert.equal(shown(theirs ?? '').replace('VIP or restricted', ''), '', `${id} by somebody without a record`);
  }
  const khans = await rows('who=a.khan');
  assert.equal(khans.length, ROWS.length);
  assert.equal((await rows('who=nobody')).length, 0);
  assert.equal((await rows('patient=none')).length, 0);
  assert.equal((await rows('role=caldicott')).length, ROWS.length);
  const day = new Date(), iso = (d) => d.toISOString().slice(0, 10), far = new Date(day.getTime() - 2 * 864e5);
  assert.equal((await rows(`who=a.khan&from=${iso(far)}`)).length, ROWS.length);
  assert.equal((await rows(`who=a.khan&until=${iso(far)}`)).length, 0);
  const hidden = await rows('who=o.ther&only=refused');
  assert.ok(hidden.length >= 2 && hidden.every((row) => row.includes('Refused')), 'V and R are hidden from a coder');
  const unusual = await rows('who=a.khan&only=unusual');
  assert.ok(unusual.length >= ROWS.filter(([, , flags]) => flags).length);
  for (const query of ['from=yesterday', 'until=2026-13-45', 'before=-1', 'before=99999999999999999999', 'who=%00', 'only=nothing',
    `who=${'x'.repeat(3000)}`, 'patient=../..', 'patient=%3Cscript%3E', 'role=%27%20OR%201=1'])
    assert.ok((await rows(query)).every((row) => !row.includes('<script>')), query);
});

test('verify names the first break, whatever was done to the chain, also after a restore', async (t) => {
  const { server, as } = await hospital(t);
  const khan = as('a.khan'), at = mkdtempSync(join(tmpdir(), 'frontline-chain-'));
  t.after(() => rmSync(at, { recursive: true, force: true }));
  for (let i = 0; i < 40; i++)
    await server.get('/fhir/Patient/kin', khan);
  await server.stop();
  const whole = JSON.parse(cli(server.folder, 'audit', 'verify', '--json'));
  const head = JSON.parse(cli(server.folder, 'audit', 'head', '--json'));
  const heads = join(at, 'heads'), last = whole.entries + 1; // the backup is in it, too
  writeFileSync(heads, `2026-11-22T08:00:00.000Z ${head.entries} ${head.hash ?? head.head}\n`);
  execFileSync(binary, ['backup', join(at, 'b'), '--data', server.folder, '--plain']);
  execFileSync(binary, ['restore', join(at, 'b'), '--data', join(at, 'restored'), '--plain']);
  assert.equal(JSON.parse(cli(join(at, 'restored'), 'audit', 'verify', '--json')).entries, last + 1, 'and the restore');
  cli(join(at, 'restored'), 'audit', 'verify', '--heads', heads);
  const text = (n) => `(SELECT texts FROM audit_block WHERE n = ${n})`;
  const kin = Number(execFileSync('sqlite3', [join(server.folder, 'record.db'),
    "SELECT min(n) FROM audit_block WHERE count = 1 AND CAST(texts AS TEXT) LIKE '%Patient/kin/_history/1%'"], { encoding: 'utf8' }));
  const attacks = [
    ['changed', `UPDATE audit_block SET texts = replace(texts, 'client', 'nobody') WHERE n = ${kin}`, kin],
    ['one letter', `UPDATE audit_block SET texts = replace(texts, 'Patient/kin', 'Patient/kim') WHERE n = ${kin}`, kin],
    ['removed', 'DELETE FROM audit_block WHERE n = 5', 5],
    ['removed and closed up', 'DELETE FROM audit_block WHERE n = 5; UPDATE audit_block SET n = -(n - 1) WHERE n > 5; UPDATE audit_block SET n = -n WHERE n < 0', 5],
    ['the first removed', 'DELETE FROM audit_block WHERE n = 1', 1],
    ['swapped', `CREATE TEMP TABLE s AS SELECT ${text(6)} a, ${text(7)} b; UPDATE audit_block SET texts = (SELECT b FROM s) WHERE n = 6; UPDATE audit_block SET texts = (SELECT a FROM s) WHERE n = 7`, 6],
    ['swapped with their hashes', 'UPDATE audit_block SET n = -8 WHERE n = 8; UPDATE audit_block SET n = 8 WHERE n = 9; UPDATE audit_block SET n = 9 WHERE n = -8', 8],
    ['inserted at the end', `INSERT INTO audit_block VALUES(${last + 1}, 1, 0, ${text(4)}, (SELECT hash FROM audit_block WHERE n = 4))`, last + 1],
    ['inserted in between', `UPDATE audit_block SET n = -(n + 1) WHERE n > 9; UPDATE audit_block SET n = -n WHERE n < 0; INSERT INTO audit_block VALUES(10, 1, 0, ${text(4)}, (SELECT hash FROM audit_block WHERE n = 4))`, 10],
    ['cut short', `DELETE FROM audit_block WHERE n >= ${whole.entries}`, null],
    ['emptied', 'DELETE FROM audit_block', null],
  ];
  for (const [n, [row, sql, broken]] of attacks.entries()) {
    const copy = join(at, `copy${n}`);
    cpSync(n % 2 ? server.folder : join(at, 'restored'), copy, { recursive: true });
    execFileSync('sqlite3', [join(copy, 'record.db'), sql]);
    const alone = spawnSync(binary, ['audit', 'verify', '--data', copy], { encoding: 'utf8' });
    const published = spawnSync(binary, ['audit', 'verify', '--data', copy, '--heads', heads], { encoding: 'utf8' });
    if (broken) {
      assert.equal(alone.status, 1, row);
      assert.match(alone.stderr + alone.stdout, new RegExp(`breaks at entry ${broken}:`), row);
    } else {
      assert.equal(alone.status, 0, `${row}: what is gone at the end shows by a published head alone`);
    }
    assert.equal(published.status, 1, `${row}, with the heads`);
    rmSync(copy, { recursive: true });
  }
});
