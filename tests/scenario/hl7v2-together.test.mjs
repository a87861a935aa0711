// SPDX-License-Identifier: Apache-2.0
// A feed and people at one moment: records merged while messages about them come, chains of merges,
// and beds that staff free while messages wait for them. Nothing is lost, nothing left with the dead.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { Server } from '../lib/server.mjs';

let server, port;
before(async () => {
  server = await Server.start({ args: ['--set', 'hl7v2.listen=127.0.0.1:0'] });
  port = Number(/HL7 v2 on port (\d+)/.exec(server.log)[1]);
});
after(() => server.stop());

// Sends all on one connection without waiting; resolves to the codes, in order.
async function pour(messages) {
  const socket = net.connect(port, '127.0.0.1').setEncoding('utf8');
  socket.write(messages.map((text) => `\x0b${text}\x1c\r`).join(''));
  let text = '';
  for await (const part of socket) {
    text += part;
    if (text.split('\x1c\r').length > messages.length) break;
  }
  socket.destroy();
  return text.split('\x1c\r').filter(Boolean).map((answer) => /MSA\|(\w\w)/.exec(answer)?.[1]);
}
let number = 0;
const message = (event, at, ...segments) =>
  [`MSH|^~\\&|PAS|RXX|FL|W|${at}||${event}|T${++number}|P|2.4`, event.startsWith('ADT') ? `EVN||${at}` : '', ...segments]
    .filter(Boolean).join('\r') + '\r';
const pid = (mrn, name = 'Smith^Anna') => `PID|1||${mrn}^^^RXX^MR||${name}||19700330|F`;
const pv1 = (place, visit) => `PV1||I|${place}${'|'.repeat(16)}${visit}`;
const person = (mrn, at = '20260101100000') => message('ADT^A28', at, pid(mrn));
const result = (mrn, order, at) => message('ORU^R01', at, pid(mrn), `OBR|1||${order}|PROF^P^L|||${at}${'|'.repeat(15)}${at}|||F`,
                                           `OBX|1|NM|2823-3^Potassium^LN||4.1|mmol/L|||||F`);
const paper = (mrn, name, at) => message('MDM^T02', at, pid(mrn), `TXA|1|CLN|TX||${at}|||||||${name}|||||AU`, 'OBX|1|TX|^L||Words||||||F');
const merge = (kept, gone, at) => message('ADT^A40', at, pid(kept), `MRG|${gone}^^^RXX^MR`);
const taken = async (...messages) => assert.deepEqual(await pour(messages), messages.map(() => 'AA'));
const found = async (query) => (await server.get(`/fhir/${query}`)).body.entry?.map((e) => e.resource) ?? [];
const one = async (query) => {
  const list = await found(query);
  assert.equal(list.length, 1, query);
  return list[0];
};
const soon = async (what, check) => {
  for (let tries = 0; tries < 400; tries++) {
    if (await check()) return;
    await new Promise((done) => setTimeout(done, 20));
  }
  assert.fail(`never: ${what}`);
};
const officer = (way, source, target) => server.post(`/fhir/Patient/$${way}`, { resourceType: 'Parameters', parameter: [
  { name: 'source-patient', valueReference: { reference: source } }, { name: 'target-patient', valueReference: { reference: target } }] });
const of = async (mrn) => `Patient/${(await one(`Patient?identifier=${mrn}`)).id}`;
// All that is filed under a record, but for the messages themselves.
const filed = async (patient) => (await Promise.all(['Encounter', 'DiagnosticReport', 'Observation', 'DocumentReference', 'Communication']
  .map((type) => found(`${type}?subject=${patient}&_count=500`)))).flat();

const COUNT = 10, TYPES = ['DiagnosticReport', 'Observation', 'DocumentReference'];
const burst = (mrn, tag, at) => Array.from({ length: COUNT }, (_, i) => [
  result(mrn, `${tag}R${i}`, `${at}${String(10 + i).padStart(2, '0')}00`), paper(mrn, `${tag}D${i}`, `${at}0000`),
  message('ADT^A08', `${at}0100`, pid(mrn, `Smith^Anna${i}`))]).flat();

async function mergedMeanwhile(tag, merging) {
  const [kept, gone] = [{ mrn: `K${tag}` }, { mrn: `G${tag}` }];
  await taken(person(kept.mrn), person(gone.mrn));
  for (const each of [kept, gone]) each.reference = await of(each.mrn);
  await Promise.all([taken(...burst(gone.mrn, `${tag}1`, '2026010210')), taken(...burst(gone.mrn, `${tag}2`, '2026010410')),
                     taken(...burst(kept.mrn, `${tag}3`, '2026010211')), merging(kept, gone)]);
  assert.deepEqual(await filed(gone.reference), [], 'nothing is left with the retired record');
  const all = await filed(kept.reference);
  for (const type of TYPES) assert.equal(all.filter((r) => r.resourceType === type).length, 3 * COUNT, type);
  assert.ok(all.filter((r) => r.resourceType === 'Communication').length >= 9 * COUNT + 2, 'nor any message');
  const back = await officer('unmerge', gone.reference, kept.reference);
  assert.equal(back.status, 200, back.text);
  const [theirs, ours] = [await filed(gone.reference), await filed(kept.reference)];
  const count = (list, type) => list.filter((r) => r.resourceType === type).length;
  for (const type of TYPES) assert.deepEqual([count(theirs, type), count(ours, type)], [2 * COUNT, COUNT], `${type} taken back`);
  await taken(paper(gone.mrn, `${tag}after`, '20260105100000'));
  assert.equal((await one(`DocumentReference?identifier=${tag}after`)).subject.reference, gone.reference, 'after it was taken back');
}

test('merged by the records officer while messages about both come: all of it is the survivor\'s', () =>
  mergedMeanwhile('O', async (kept, gone) => {
    const answer = await officer('merge', gone.reference, kept.reference);
    assert.equal(answer.status, 200, answer.text);
  }));

test('merged by an A40 while messages about both come: all of it is the survivor\'s', () =>
  mergedMeanwhile('A', (kept, gone) => taken(merge(kept.mrn, gone.mrn, '20260103000000'))));

test('A into B into C: what comes for A is C\'s; the steps are taken back in their order only', async () => {
  await taken(person('CA'), person('CB'), person('CC'), person('CD'), paper('CA', 'CA0', '20260101110000'));
  const [a, b, c, d] = await Promise.all(['CA', 'CB', 'CC', 'CD'].map(of));
  await taken(merge('CB', 'CA', '20260102100000'), paper('CA', 'CA1', '20260102110000'), merge('CC', 'CB', '20260103100000'),
              paper('CA', 'CA2', '20260103110000'), result('CB', 'CB1', '20260103120000'));
  for (const name of ['CA0', 'CA1', 'CA2']) {
    const { subject } = await one(`DocumentReference?identifier=${name}`);
    assert.deepEqual([subject.reference, subject.extension.map((e) => e.valueString)], [c, [a, b]], name);
  }
  await taken(merge('CB', 'CA', '20260104100000'));
  assert.equal((await filed(c)).filter((r) => r.resourceType === 'DocumentReference').length, 3, 'told again, a merge changes nothing');
  assert.deepEqual([...await filed(a), ...await filed(b)], []);
  const intoRetired = await officer('merge', d, b);
  assert.equal(intoRetired.status, 422, intoRetired.text);
  assert.match(intoRetired.text, new RegExp(`merged into ${c}: merge into that one`));
  const tooEarly = await officer('unmerge', a, b);
  assert.equal(tooEarly.status, 422, tooEarly.text);
  assert.match(tooEarly.text, /take that merge back first/);
  for (const [source, target] of [[b, c], [a, b]]) assert.equal((await officer('unmerge', source, target)).status, 200);
  assert.equal((await filed(a)).filter((r) => r.resourceType === 'DocumentReference').length, 3);
  assert.equal((await one('DiagnosticReport?identifier=CB1')).subject.reference, b);
});

test('an admission on hold for a bed is taken when staff free the bed', async () => {
  const stay = await taken(message('ADT^A01', '20260201100000', pid('B1'), pv1('B^R^1', 'BV1'))).then(() => one('Encounter?identifier=BV1'));
  assert.deepEqual(await pour([message('ADT^A01', '20260202100000', pid('B2'), pv1('B^R^1', 'BV2')),
                               message('ADT^A08', '20260202110000', pid('B3'), pv1('', 'BV3')),
                               message('ADT^A02', '20260202120000', pid('B3'), pv1('B^R^1', 'BV3'))]), ['AE', 'AA', 'AE']);
  assert.equal((await found('Communication?status=on-hold&identifier=BV2')).length, 1);
  const left = await server.put(`/fhir/Encounter/${stay.id}`, { ...stay, status: 'finished',
    location: stay.location.map((l) => ({ ...l, status: 'completed' })), period: { ...stay.period, end: '2026-02-03T10:00:00Z' } });
  assert.equal(left.status, 200, left.text);
  await soon('the admission is taken by itself', async () => (await found('Encounter?identifier=BV2')).length === 1);
  assert.equal((await one('Encounter?identifier=BV2')).location[0].status, 'active');
  assert.equal((await found('Communication?status=on-hold&identifier=BV3')).length, 1, 'the later one goes on waiting');
  await taken(message('ADT^A03', '20260204100000', pid('B2'), pv1('B^R^1', 'BV2')));
  await soon('and is taken in its turn', async () => (await one('Encounter?identifier=BV3')).location?.[0].status === 'active');
  assert.deepEqual(await found('Communication?status=on-hold&identifier=BV3'), []);
});

test('a stay told after its bed was given on has it again when the other moves', async () => {
  await taken(message('ADT^A01', '20260205100000', pid('L2'), pv1('L^R^1', 'LV2')),
              message('ADT^A01', '20260201100000', pid('L1'), pv1('L^R^1', 'LV1')));
  const late = await one('Encounter?_tag=https://frontline.example/CodeSystem/hl7v2|bed-taken');
  assert.deepEqual([late.identifier[0].value, late.location[0].status], ['LV1', 'completed']);
  await taken(message('ADT^A02', '20260206100000', pid('L2'), pv1('L^R^2', 'LV2')));
  await soon('it lies there', async () => (await one('Encounter?identifier=LV1')).location[0].status === 'active');
  assert.equal((await one('Encounter?identifier=LV1')).meta.tag, undefined);
});
