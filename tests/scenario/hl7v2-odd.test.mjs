// SPDX-License-Identifier: Apache-2.0
// What comes over a hospital's feed that no example shows: odd frames, marks and character sets, two
// quotes, cancellings of what never came, late and repeated messages, merges told late and taken back.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Server } from '../lib/server.mjs';

const folder = mkdtempSync(join(tmpdir(), 'frontline-odd-'));
let server, port;
before(async () => {
  writeFileSync(join(folder, 'lab.json'), JSON.stringify({ application: 'LAB', facility: 'RXX',
    tables: { units: { MMOLL: 'mmol/L' } } }));
  server = await Server.start({ args: ['--set', 'hl7v2.listen=127.0.0.1:0', '--set', `hl7v2.senders=${folder}`] });
  port = Number(/HL7 v2 on port (\d+)/.exec(server.log)[1]);
});
after(async () => { await server.stop(); rmSync(folder, { recursive: true, force: true }); });

// Writes the bytes, gives the first `count` answers, or those until the server hangs up.
async function exchange(bytes, count = 1) {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.setEncoding('utf8');
  socket.write(bytes);
  let text = '';
  for await (const part of socket) {
    text += part;
    if (text.split('\x1c\r').length > count) break;
  }
  socket.destroy();
  return text.split('\x1c\r').filter(Boolean).map((answer) => answer.slice(1));
}
const frame = (message, encoding = 'utf8') => Buffer.concat([Buffer.from('\x0b'), Buffer.from(message, encoding), Buffer.from('\x1c\r')]);
const code = (answer) => /MSA\|(\w\w)/.exec(answer)?.[1];
let number = 0;
const message = (event, at, segments, { app = 'PAS', id = `O${++number}`, more = '' } = {}) =>
  [`MSH|^~\\&|${app}|RXX|FL|W|${at}||${event}|${id}|P|2.4|${more}`, event.startsWith('ADT') ? `EVN||${at}` : '', ...segments]
    .filter(Boolean).join('\r') + '\r';
const send = async (...words) => (await exchange(frame(message(...words))))[0];
const taken = async (...words) => assert.equal(code(await send(...words)), 'AA');
const pid = (mrn, rest = 'Smith^Anna||19700330|F') => `PID|1||${mrn}^^^RXX^MR||${rest}`;
const pv1 = (place, visit) => `PV1||I|${place}${'|'.repeat(16)}${visit}`;
const found = async (query) => (await server.send('GET', `/fhir/${query}`)).body.entry?.map((e) => e.resource) ?? [];
const one = async (query) => {
  const list = await found(query);
  assert.equal(list.length, 1, query);
  return list[0];
};
const held = async (id) => (await one(`Communication?identifier=PAS%7CRXX%7C${id}`.replaceAll('%7C', '%5C%7C'))).status;

test('frames: an end that never comes, one begun within another, and ten megabytes', async () => {
  const [unended] = await exchange(Buffer.concat([Buffer.from('\x0bMSH|^~\\&|PAS'), frame(message('ADT^A28', '20260101', [pid('F1')]))]));
  assert.match(unended, /MSA\|AR\|.*\rERR\|/s);
  const [noReturn] = await exchange('\x0bMSH|^~\\&|A\x1cx');
  assert.equal(code(noReturn), 'AR');
  await taken('ADT^A28', '20260101100000', [pid('BIG')]);
  const letter = 'Well. '.repeat(1_750_000);
  await taken('MDM^T02', '20260101100100', [pid('BIG'), 'TXA|1|CLN|TX||20260101100100|||||||BIGDOC|||||AU', `OBX|1|TX|^L||${letter}||||||F`]);
  const document = await one('DocumentReference?identifier=BIGDOC');
  assert.equal(Buffer.from(document.content[0].attachment.data, 'base64').length, letter.length);
});

test('other delimiters, and escapes of each', async () => {
  const text = 'MSH#@*%!#PAS#RXX#FL#W#20260101100000##ADT@A28#ODD1#P#2.4\rEVN##20260101100000\r' +
    'PID#1##D1@@@RXX@MR##Hash%F%Sign@A%S%B%R%C%T%D%E%X%X41%%.br%Y##19700330#F\r';
  const [answer] = await exchange(frame(text));
  assert.equal(code(answer), 'AA', answer);
  const { name } = await one('Patient?identifier=D1');
  assert.deepEqual(name[0], { use: 'official', family: 'Hash#Sign', given: ['A@B*C!D%XA\nY'] });
  const [same] = await exchange(frame('MSH||^~|A|B|\rPID|1\r'));
  assert.equal(code(same), 'AR', 'a mark twice');
});

test('character sets: Latin-1, UTF-8, and high bytes that no set explains', async () => {
  const latin = message('ADT^A28', '20260101100000', [pid('L1', 'Müller^Zoë||19700330|F')], { more: '|||||8859/1' });
  assert.equal(code((await exchange(frame(latin, 'latin1')))[0]), 'AA');
  assert.equal((await one('Patient?identifier=L1')).name[0].family, 'Müller');
  const unicode = message('ADT^A28', '20260101100000', [pid('L2', 'Müller^Zoë||19700330|F')], { more: '|||||UNICODE UTF-8' });
  assert.equal(code((await exchange(frame(unicode)))[0]), 'AA');
  assert.equal((await one('Patient?identifier=L2')).name[0].given[0], 'Zoë');
  for (const set of ['ASCII', 'UNICODE UTF-8', 'KLINGON'])
    assert.equal(code((await exchange(frame(latin.replace('8859/1', set).replace('L1', 'L3'), 'latin1')))[0]), 'AR', set);
  assert.equal((await found('Patient?identifier=L3')).length, 0);
});

test('two quotes delete, empty keeps, and an earlier message fills only what nobody said since', async () => {
  const who = (rest) => `PID|1||Q1^^^RXX^MR~Q2^^^GP^PI||${rest}`;
  await taken('ADT^A31', '20260105100000', [who('Lane^Jo||19800101|F|||1 High Street^^Leeds||0113 1|')]);
  await taken('ADT^A08', '20260106100000', [who('||||||""||0113 2|')]);
  let patient = await one('Patient?identifier=Q1');
  assert.equal(patient.address, undefined);
  assert.equal(patient.birthDate, '1980-01-01');
  assert.equal(patient.telecom[0].value, '0113 2');
  assert.deepEqual(patient.identifier.map((i) => i.value), ['Q1', 'Q2']);
  await taken('ADT^A31', '20260104100000', [who('Old^Jo||19790101|M|||9 Low Road^^York||0113 0|0114 9|')]);
  patient = await one('Patient?identifier=Q2');
  assert.equal(patient.address, undefined, 'deleted later than it was said');
  assert.deepEqual([patient.name[0].family, patient.birthDate], ['Lane', '1980-01-01']);
  assert.deepEqual(patient.telecom.map((t) => t.value), ['0113 2', '0114 9'], 'what nobody said since');
});

test('enhanced acknowledgement: accepted first, applied second, each as asked', async () => {
  const asks = (accept, application, id) => frame(message('ADT^A28', '20260101100000', [pid('E1')], { id, more: `||${accept}|${application}` }));
  const both = await exchange(asks('AL', 'AL', 'EN1'), 2);
  assert.deepEqual(both.map(code), ['CA', 'AA']);
  assert.deepEqual((await exchange(asks('NE', 'SU', 'EN2'))).map(code), ['AA']);
  const refused = frame(message('ADT^A03', '20260101100000', [pid('E1'), pv1('W^R^B', 'NONE')], { id: 'EN3', more: '||ER|ER' }));
  assert.deepEqual((await exchange(refused, 2)).map(code), ['CE', 'AE']);
});

test('a trigger nobody takes is rejected with an ERR segment; Z segments are kept', async () => {
  const answer = await send('ADT^A99', '20260101100000', [pid('Z1')]);
  assert.match(answer, /MSA\|AR\|[^\r]*\rERR\|\|MSH\^1\^9\|201\|E\|/);
  await taken('ADT^A28', '20260101100000', [pid('Z1'), 'ZPI|1|the sender\'s own'], { id: 'ZED' });
  const kept = (await found('Communication?_count=100')).find((c) => c.identifier[0].value.endsWith('|ZED'));
  assert.match(Buffer.from(kept.payload[0].contentAttachment.data, 'base64').toString(), /ZPI\|1\|the sender's own/);
});

test('what no table knows and what nobody takes is kept as it was sent', async () => {
  await taken('ADT^A01', '20260101100000', [pid('T1', 'Q^R||1970|Q'), `PV1||Q9|T^R^B${'|'.repeat(16)}TV`]);
  const asSent = (element) => element.extension.find((e) => e.url.endsWith('/as-sent')).valueString;
  const person = await one('Patient?identifier=T1');
  assert.deepEqual([person.gender, asSent(person._gender), asSent((await one('Encounter?identifier=TV')).class)], ['unknown', 'Q', 'Q9']);
  await taken('ADT^A31', '20260102100000', [pid('T1', 'Q^R||1970|F')]);
  const mended = await one('Patient?identifier=T1');
  assert.deepEqual([mended.gender, mended._gender], ['female', undefined], 'a code that is known takes the mark away');
  assert.equal(code(await send('ZZZ^Z01', '20260101', ['ZAB|kept'], { id: 'REJ' })), 'AR');
  const rejected = await one('Communication?identifier=PAS%5C%7CRXX%5C%7CREJ');
  assert.equal(rejected.status, 'not-done');
  assert.match(rejected.statusReason.text, /not taken here/);
  assert.match(Buffer.from(rejected.payload[0].contentAttachment.data, 'base64').toString(), /ZAB\|kept/);
  // Under the name of one that was applied, it changes nothing of that one.
  await taken('ADT^A28', '20260101100000', [pid('T2')], { id: 'APPLIED' });
  assert.equal(code(await send('ZZZ^Z01', '20260101', ['ZAB|other'], { id: 'APPLIED' })), 'AR');
  assert.equal((await one('Communication?identifier=PAS%5C%7CRXX%5C%7CAPPLIED')).status, 'completed');
  assert.match(await send('ADT^A28', '20260101', [pid('T3')], { id: ' ' }), /MSA\|AR\|[^]*MSH\^1\^10\|101/, 'a blank is no control id');
});

test('cancellings of what never came wait for it, and are applied when it comes', async () => {
  const visit = pv1('C1^R1^B1', 'CV');
  assert.equal(code(await send('ADT^A11', '20260102090000', [pid('C1'), visit], { id: 'CX1' })), 'AE');
  await taken('ADT^A28', '20260101100000', [pid('C1')]);
  assert.equal(code(await send('ADT^A13', '20260101110000', [pid('C1'), visit], { id: 'CX2' })), 'AE');
  await taken('ADT^A01', '20260101100000', [pid('C1'), visit]);
  assert.equal((await one('Encounter?identifier=CV')).status, 'cancelled', 'by the cancelling that waited');
  await taken('ADT^A01', '20260103100000', [pid('C2'), pv1('C1^R1^B2', 'CW')]);
  assert.equal(code(await send('ADT^A12', '20260103120000', [pid('C2'), pv1('C1^R1^B2', 'CW')], { id: 'CX3' })), 'AE');
  await taken('ADT^A02', '20260103110000', [pid('C2'), pv1('C1^R1^B3', 'CW')]);
  const stay = await one('Encounter?identifier=CW');
  const bed = await one('Location?name=C1-R1-B2');
  assert.deepEqual(stay.location.map((l) => [l.location.reference, l.status]), [[`Location/${bed.id}`, 'active']]);
  const board = (await server.fetch(`/beds/ward/${bed.partOf.reference.split('/')[1]}`, { headers: { Accept: 'text/html' } }));
  assert.match(await board.text(), /C1-R1-B2/, 'a bed of the feed is on the board of its ward');
});

test('an update before its admission, a transfer after its discharge', async () => {
  await taken('ADT^A08', '20260101120000', [pid('U1'), `${pv1('U^R^B2', 'UV')}${'|'.repeat(25)}20260101100000`]);
  assert.equal((await one('Encounter?identifier=UV')).status, 'in-progress');
  await taken('ADT^A01', '20260101100000', [pid('U1'), `${pv1('U^R^B1', 'UV')}${'|'.repeat(25)}20260101100000`]);
  await taken('ADT^A03', '20260103100000', [pid('U1'), pv1('U^R^B2', 'UV')]);
  await taken('ADT^A02', '20260102100000', [pid('U1'), pv1('U^R^B2', 'UV')]);
  const stay = await one('Encounter?identifier=UV');
  assert.equal(stay.status, 'finished');
  assert.deepEqual(stay.location.map((l) => l.period), [{ start: '2026-01-01T10:00:00Z', end: '2026-01-02T10:00:00Z' },
    { start: '2026-01-02T10:00:00Z', end: '2026-01-03T10:00:00Z' }]);
});

test('an admission told after its bed was given to the next takes the bed from nobody', async () => {
  await taken('ADT^A01', '20260105100000', [pid('N2'), pv1('N^R^B', 'NV2')]);
  assert.equal(code(await send('ADT^A01', '20260106100000', [pid('N3'), pv1('N^R^B', 'NV3')], { id: 'N3' })), 'AE', 'never two in one bed');
  await taken('ADT^A01', '20260101100000', [pid('N1'), pv1('N^R^B', 'NV1')]);
  assert.equal((await one('Encounter?identifier=NV1')).location[0].status, 'completed');
  await taken('ADT^A03', '20260104100000', [pid('N1'), pv1('N^R^B', 'NV1')]);
  const [before, now] = [await one('Encounter?identifier=NV1'), await one('Encounter?identifier=NV2')];
  assert.deepEqual(before.location[0].period, { start: '2026-01-01T10:00:00Z', end: '2026-01-04T10:00:00Z' });
  assert.equal(now.location[0].status, 'active');
});

test('a control id with other content does not pass for the message it was given to', async () => {
  const text = message('ADT^A28', '20260101100000', [pid('K1')], { id: 'SAME' });
  assert.equal(code((await exchange(frame(text)))[0]), 'AA');
  assert.equal(code((await exchange(frame(text.replace('20260101100000', '20260101100009'))))[0]), 'AA', 'sent again at another time');
  const [other] = await exchange(frame(message('ADT^A28', '20260101100000', [pid('K2')], { id: 'SAME' })));
  assert.match(other, /MSA\|AE\|SAME\|[^\r]*id of its own/);
  assert.match(other, /\rERR\|\|MSH\^1\^10\|205\|/);
  assert.equal((await found('Patient?identifier=K2')).length, 0);
});

test('results: units by sender, corrections, and a first result that comes after its correction', async () => {
  const lab = (at, value, status, unit = 'MMOLL') => ['ORU^R01', at, [pid('R1'),
    `OBR|1||RO1|PROF|||20260101|||||||||||||||${at}|||${status}`, `OBX|1|NM|2823-3^Potassium^LN||${value}|${unit}|3.5-5.0|N|||${status}`], { app: 'LAB' }];
  assert.equal(code(await send(...lab('20260101110000', '4.1', 'F'))), 'AE', 'nobody of that number yet');
  await taken('ADT^A28', '20260101100000', [pid('R1')]);
  let potassium = await one('Observation?identifier=RO1%5C%7C2823-3%5C%7C');
  assert.equal(potassium.valueQuantity.value, 4.1, 'it waited for its patient');
  assert.deepEqual([potassium.valueQuantity.unit, potassium.valueQuantity.code], ['MMOLL', 'mmol/L']);
  await taken(...lab('20260101130000', '5.2', 'C'));
  await taken(...lab('20260101120000', '4.4', 'F'));
  potassium = await one('Observation?identifier=RO1%5C%7C2823-3%5C%7C');
  assert.deepEqual([potassium.status, potassium.valueQuantity.value], ['corrected', 5.2]);
  await taken(...lab('20260101140000', '5.2', 'W'));
  assert.equal((await one('Observation?identifier=RO1%5C%7C2823-3%5C%7C')).status, 'entered-in-error');
});

test('a merge turns what refers to the retired record, says so, and can be taken back', async () => {
  for (const mrn of ['M1', 'M2']) await taken('ADT^A28', '20260101100000', [pid(mrn)]);
  await taken('ADT^A01', '20260101110000', [pid('M2'), pv1('M^R^B', 'MV')]);
  await taken('ADT^A40', '20260102100000', [pid('M1'), 'MRG|M2^^^RXX^MR']);
  const [kept, retired] = [await one('Patient?identifier=M1'), await one('Patient?identifier=M2')];
  let stay = await one('Encounter?identifier=MV');
  assert.equal(stay.subject.reference, `Patient/${kept.id}`);
  assert.equal(stay.subject.extension[0].valueString, `Patient/${retired.id}`);
  assert.equal(retired.active, false);
  // What was said of the retired record before the merge and comes late is the retired record's own.
  await taken('ADT^A31', '20260101120000', [pid('M2', 'Late^Anna||19700330|F')]);
  assert.equal((await one('Patient?identifier=M1')).name[0].family, 'Smith');
  assert.equal((await one('Patient?identifier=M2')).name[0].family, 'Late');
  await taken('MDM^T02', '20260101130000', [pid('M2'), 'TXA|1|CLN|TX||20260101130000|||||||MDOC|||||AU', 'OBX|1|TX|^L||Late||||||F']);
  assert.equal((await one('DocumentReference?identifier=MDOC')).subject.reference, `Patient/${kept.id}`);
  const back = await server.send('POST', '/fhir/Patient/$unmerge', { resourceType: 'Parameters', parameter: [
    { name: 'source-patient', valueReference: { reference: `Patient/${retired.id}` } },
    { name: 'target-patient', valueReference: { reference: `Patient/${kept.id}` } }] });
  assert.equal(back.status, 200, JSON.stringify(back.body));
  for (const query of ['Encounter?identifier=MV', 'DocumentReference?identifier=MDOC'])
    assert.equal((await one(query)).subject.reference, `Patient/${retired.id}`, query);
  assert.equal((await one('Patient?identifier=M2')).active, true);
});
