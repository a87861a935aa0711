// SPDX-License-Identifier: Apache-2.0
// Every command as a stranger meets it: asked for help, written wrongly, led to what is not there,
// with nowhere to print to. What it says names the next step; nothing of its inside is shown.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { binary, frontline, makeFolder } from '../lib/server.mjs';

const INNARDS = /Sanitizer|runtime error|\.c:\d|sqlite|statement is wrong|Assertion/i;
const names = execFileSync(binary, ['--help'], { encoding: 'utf8' }).split('\n')
  .map((line) => /^ {2}([a-z]+) /.exec(line)?.[1]).filter(Boolean);
const work = makeFolder(), record = join(work, 'record'), patient = join(work, 'patient.json');
const view = join(work, 'view.json');

// Each command that reads a data folder, with words that are right.
const reading = (data) => [
  ['export', '--data', data, '--out', join(work, 'out')], ['check', '--data', data],
  ['backup', join(work, 'b.flb'), '--plain', '--data', data], ['consumers', '--data', data],
  ['access', 'explain', 'a.khan', 'Patient/p1', '--data', data], ['audit', 'verify', '--data', data],
  ['audit', 'head', '--data', data], ['client', 'add', 'x', '--scope', 'system/*.rs', '--secret', '--data', data],
  ['keys', 'list', '--data', data], ['term', 'list', '--data', data], ['user', 'list', '--data', data],
  ['token', '--scope', 'system/*.rs', '--data', data], ['rebuild', '--data', data], ['package', 'list', '--data', data],
  ['validate', patient, '--data', data], ['fhirpath', 'id', patient, '--data', data], ['workstation', 'list', '--data', data],
];

before(async () => {
  writeFileSync(patient, JSON.stringify({ resourceType: 'Patient', id: 'p1', name: [{ family: 'Shah' }] }));
  writeFileSync(view, JSON.stringify({ resourceType: 'ViewDefinition', resource: 'Patient', status: 'active', name: 'v',
    select: [{ column: [{ name: 'id', path: 'id' }] }] }));
  mkdirSync(join(work, 'empty'));
  assert.equal((await frontline(['import', patient, '--data', record])).code, 0);
});

test('every command tells what it does, with examples, and refuses what it does not know', async () => {
  assert.ok(names.length > 20, names.join());
  for (const name of names) {
    const help = await frontline([name, '--help']);
    assert.equal(help.code, 0, name);
    assert.match(help.stdout, new RegExp(`^frontline ${name}[\\s\\S]*Examples:\\n {2}frontline ${name}[\\s\\S]*Exit: 0`), name);
    const wrong = await frontline([name, '--nonsense']);
    assert.equal(wrong.code, 2, name);
    assert.equal(wrong.stderr, `frontline ${name}: unknown option --nonsense\nTry: frontline ${name} --help\n`);
  }
  const none = await frontline(['no-such-command']);
  assert.equal(none.code, 2);
  assert.match(none.stderr, /there is no command no-such-command[\s\S]*frontline COMMAND --help/);
});

test('too few and too many words are a wrong command line, and say how it is written', async () => {
  for (const words of [['validate'], ['view'], ['fhirpath'], ['package'], ['package', 'remove', 'x'], ['docs'],
    ['import', '--data', record], ['user', '--data', record], ['user', 'list', 'more', '--data', record],
    ['user', 'roles', 'more', '--data', record], ['user', 'add', '--role', 'nurse', '--data', record],
    ['package', 'list', 'more', '--data', record], ['package', 'add', '--data', record], ['check', 'more', '--data', record]]) {
    const went = await frontline(words);
    assert.equal(went.code, 2, `${words.join(' ')}: ${went.stderr}`);
    assert.match(went.stderr, new RegExp(`\\nTry: frontline ${words[0]} --help\\n$`));
  }
});

test('a data folder that is none is said so by every command that reads one', async () => {
  const none = [...reading(join(work, 'nowhere')), ['check', '--data', patient], ['keys', 'rotate', '--data', `${patient}/deeper`]];
  for (const words of none) {
    const went = await frontline(words);
    assert.equal(went.code, 1, words.join(' '));
    assert.match(went.stderr, /^error: there is no data folder .*; give another, or make it by frontline serve or frontline import\n$/,
      words.join(' '));
  }
  for (const words of [['export', '--out', work], ['check'], ['consumers'], ['rebuild'], ['audit', 'head']]) {
    const went = await frontline([...words, '--data', join(work, 'empty')]);
    assert.equal(went.code, 1, words.join(' '));
    assert.match(went.stderr, /there is no record in .*frontline import/, words.join(' '));
  }
  assert.match((await frontline(['audit', 'verify', '--data', record])).stderr, /no audit chain: no server/);
});

test('what cannot be printed is a fault, not a success', () => {
  for (const words of [['config'], ['rule'], ['version'], ['check', '--help'], ['check', '--data', record],
    ['view', 'run', view, patient], ['token', '--scope', 'system/*.rs', '--data', record]]) {
    const went = spawnSync('/bin/sh', ['-c', '"$@" >/dev/full', 'sh', binary, ...words], { encoding: 'utf8' });
    assert.equal(went.status, 1, `${words.join(' ')}: ${went.stderr}`);
    assert.match(went.stderr, /the output cannot be written/);
    assert.doesNotMatch(went.stderr, INNARDS);
  }
});

test('what is listed or counted is listed as JSON, too: an array of rows, or one object', async () => {
  for (const words of [['config'], ['rule'], ['validate', patient], ['view', 'run', view, patient], ['package', 'list', '--data', record],
    ['term', 'list', '--data', record], ['user', 'list', '--data', record], ['user', 'roles', '--data', record], ['workstation', 'list', '--data', record],
    ['rebuild', '--data', record], ['keys', 'list', '--data', record], ['check', '--data', record], ['consumers', '--data', record]]) {
    const went = await frontline([...words, '--json']);
    assert.equal(went.code, 0, `${words.join(' ')}: ${went.stderr}`);
    assert.equal(typeof JSON.parse(went.stdout), 'object', words.join(' '));
  }
  const broken = join(work, 'broken.json');
  writeFileSync(broken, '{"resourceType":"Patient","birthDate":"soon"}');
  const both = await frontline(['validate', patient, broken, '--json', '--quiet']);
  assert.equal(both.code, 1);
  assert.deepEqual(JSON.parse(both.stdout).map((row) => [row.file, row.valid, row.issues.length > 0]),
    [[patient, true, false], [broken, false, true]]);
});

test('right words in an unlikely place end with a reason or well, never with our inside', async () => {
  for (const words of [...reading(record), ['term', 'load', 'loinc', patient, '--data', record],
    ['package', 'add', patient, '--data', record], ['restore', patient, '--prove', '--plain'], ['import', '/dev/null', '--data', record]]) {
    const went = await frontline(words);
    assert.ok([0, 1].includes(went.code), `${words.join(' ')}: ${went.code} ${went.stderr}`);
    assert.ok(went.code === 0 || went.stderr, `${words.join(' ')} says nothing`);
    assert.doesNotMatch(went.stdout + went.stderr, INNARDS, words.join(' '));
  }
});
