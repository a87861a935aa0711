// SPDX-License-Identifier: Apache-2.0
// Finding a patient by whatever is typed: numbers, dates and names in any order, as a person writes
// them and as a record spells them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server } from '../lib/server.mjs';

const NHS = 'https://fhir.nhs.uk/Id/nhs-number';
const HOSPITAL = 'https://ward.example/Id/hospital-number';
let server;

const person = (id, family, given, birthDate, more = {}, numbers = []) => ({
  resourceType: 'Patient', id, birthDate, name: [{ use: 'official', family, given: [given].flat() }],
  ...(numbers.length ? { identifier: numbers } : {}), ...more });
const PEOPLE = [
  person('obrien', 'O’Brien', 'Zoë', '1960-02-01', {}, [{ system: NHS, value: '9990001233' }, { system: HOSPITAL, value: '1234567' }]),
  person('double', 'Smith-Jones', ['Anne-Marie', 'Rose'], '1981-03-04', {}, [{ system: HOSPITAL, value: 'RX-99/7' }, { system: 'https://old.example/Id/hospital-number', value: 'QQ77' }]),
  person('mac', 'MacDonald', 'Elizabeth', '1970-12-11'),
  person('berg', 'van der Berg', 'Johannes', '1955-05-05'),
  person('hassan', 'Al-Hassan', 'Mohammed', '1990-01-09'),
  person('dead', 'Gone', 'Ada', '1930-01-01', { deceasedDateTime: '2020-05-05' }),
  person('merged', 'Merged', 'Ada', '1931-01-01', { active: false, link: [{ other: { reference: 'Patient/dead' }, type: 'replaced-by' }] }),
  { resourceType: 'Patient', id: 'married', birthDate: '1966-06-06', name: [{ use: 'maiden', family: 'Oldname', given: ['Carol'] }, { use: 'official', family: 'Newname', given: ['Carol'] }, { use: 'nickname', given: ['Caz'] }],
    identifier: [{ use: 'old', system: NHS, value: '9990000040' }, { system: NHS, value: '9990000393' }] },
];

before(async () => {
  server = await Server.start();
  for (const patient of PEOPLE) assert.equal((await server.send('PUT', `/fhir/Patient/${patient.id}`, patient)).status, 201);
});
after(() => server?.stop());

const ask = (q, born = '', accept = 'application/json') =>
  fetch(`${server.url}/record/find?q=${encodeURIComponent(q)}&born=${encodeURIComponent(born)}`, { headers: { Accept: accept } });
const find = async (q, born) => (await (await ask(q, born)).json()).matches;
const page = async (q) => (await (await ask(q, '', 'text/html')).text()).replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');

// What is typed, with the date of birth; who must come first, wholly or in part.
const ROWS = [
  ['NHS No. 999 000 1233', '', 'obrien', true], ['999-000-1233 zoe obrien', '', 'obrien', true],
  ['1234567', '', 'obrien', true], ['hospital number 1234567', '', 'obrien', true], ['rx-99/7', '', 'double', true],
  ["O'Brien", '', 'obrien', false], ['obrien', '', 'obrien', false], ['O Brien', '', 'obrien', false], ['O`BRIEN, zoe', '', 'obrien', false],
  ['smith jones', '', 'double', false], ['Smith–Jones', '', 'double', false], ['anne marie smith-jones', '', 'double', false],
  ['mc donald', '', 'mac', false], ['mcdonald', '', 'mac', false], ['Mac Donald Elizabeth', '', 'mac', false],
  ['vanderberg', '', 'berg', false], ['van der berg', '', 'berg', false], ['Johannes van der Berg', '', 'berg', false],
  ['al hassan', '', 'hassan', false], ['alhassan', '', 'hassan', false],
  ['Mrs Carol Newname', '', 'married', false], ['Oldname', '', 'married', false], ['caz newname', '', 'married', false],
  ['1 Feb 60', '', 'obrien', false], ["O'Brien 1 Feb 60", '', 'obrien', false], ['zoe obrien 01/02/1960', '', 'obrien', true],
  ['01021960', '', 'obrien', false], ['DOB: 1960-02-01', '', 'obrien', false], ['obrien', '1st feb 1960', 'obrien', false],
  ['obrien', '010260', 'obrien', false], ['obrien', 'February 1 1960', 'obrien', false], ['zoe obrien', '19600201', 'obrien', true],
  ['zoe obrien', '2.1.1960', 'obrien', false],
  ['jones', '4.3.81', 'double', false], ['berg', '5.5.55', 'berg', false], ['rose smith-jones', '4.3.81', 'double', false],
];
for (const [q, born, id, full] of ROWS)
  test(`${q}${born && ` born ${born}`} finds ${id}, ${full ? 'whole' : 'in part'}`, async () => {
    const found = await find(q, born);
    assert.deepEqual([found[0]?.id, found[0]?.full], [id, full], JSON.stringify(found));
  });

test('a number with another name or date of birth is no whole match', async () => {
  for (const [q, born] of [['9990001233 Webb', ''], ['9990001233', '2.2.1960'], ['1234567 Webb', '']]) {
    const [match] = await find(q, born);
    assert.equal(match.id, 'obrien');
    assert.equal(match.full, false, q);
    assert.match(match.why, /another/);
  }
});

test('a number that was superseded finds its owner, who is asked for another', async () => {
  for (const [q, id] of [['9990000040', 'married'], ['qq77', 'double']]) {
    const [match] = await find(q);
    assert.deepEqual([match.id, match.full, match.why], [id, false, 'another number of theirs']);
  }
  assert.doesNotMatch(await page('9990000040'), /999 000 0040/, 'the number in use is the one shown');
});

test('the dead and the merged are shown so', async () => {
  assert.match(await page('Gone'), /Deceased.*died 05-May-2020, 90y/);
  assert.match(await page('Merged'), /Merged into another record/);
});

test('a name that only an earlier name matches says which', async () => {
  assert.match(await page('Oldname'), /NEWNAME, Carol.*also known as OLDNAME, Carol/);
});

test('whatever is typed is an answer, never a fault', async () => {
  for (const q of ['', ' ', "'", '-', '%', '*', ',', ',,,', '\u0000', '\u2019', '٠١/٠٢/١٩٦٠', '31.2.1960', '999 000 123', '9'.repeat(400),
    'a '.repeat(300), `${'o\''.repeat(60)}x`, '1 2 3 4 5 6 7 8 9 0', '﷽', "Robert'); DROP TABLE"])
    assert.equal((await ask(q)).status, 200, q);
});
