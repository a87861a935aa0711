// SPDX-License-Identifier: Apache-2.0
// Large code systems from their release files: small files in those formats, written here.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { binary, startServer } from './server.mjs';

const write = (server, path, lines) => {
  const file = join(server.folder, 'releases', path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, lines.join('\r\n') + '\r\n');
};
const load = (server, format, path = '.') => execFileSync(binary,
  ['term', 'load', format, join(server.folder, 'releases', path), '--data', server.folder],
  { encoding: 'utf8' });
const codes = (answer) => answer.body.expansion.contains?.map((c) => c.code).sort() ?? [];
const valueOf = (answer, name) => {
  const found = answer.body.parameter.find((p) => p.name === name) ?? {};
  return found[Object.keys(found).find((key) => key.startsWith('value'))];
};

const FSN = '900000000000003001', SYNONYM = '900000000000013009';
function writeSnomed(server) {
  const tab = (rows) => rows.map((row) => row.join('\t'));
  const at = '20260101', m = '900000000000207008';
  write(server, 'sct2_Concept_Snapshot_INT_20260101.txt', tab([
    ['id', 'effectiveTime', 'active', 'moduleId', 'definitionStatusId'],
    ...['138875005', '404684003', '125605004', '71620000', '363698007', '71341001', '272673000',
        '700043003', '116680003'].map((id) => [id, at, '1', m, m]),
    ['111111117', '20250601', '0', m, m]]));
  let n = 0;
  const named = (id, term, type = FSN) => [`d${++n}`, at, '1', m, id, 'en', type, term, m];
  write(server, 'sct2_Description_Snapshot-en_INT_20260101.txt', tab([
    ['id', 'effectiveTime', 'active', 'moduleId', 'conceptId', 'languageCode', 'typeId', 'term', 'case'],
    named('71620000', 'Fracture of femur (disorder)'), named('71620000', 'Broken thigh bone', SYNONYM),
    named('71620000', 'Femoral fracture', SYNONYM), named('125605004', 'Fracture of bone (disorder)'),
    named('404684003', 'Clinical finding (finding)'), named('111111117', 'Old idea (finding)')]));
  write(server, 'der2_cRefset_LanguageSnapshot-en_INT_20260101.txt', tab([
    ['id', 'effectiveTime', 'active', 'moduleId', 'refsetId', 'referencedComponentId', 'acceptabilityId'],
    ['u', at, '1', m, '999', 'd3', '900000000000548007']]));
  const link = (source, target, type = '116680003', active = '1') =>
    ['r', at, active, m, source, target, '0', type, m, m];
  write(server, 'sct2_Relationship_Snapshot_INT_20260101.txt', tab([
    ['id', 'effectiveTime', 'active', 'moduleId', 'sourceId', 'destinationId', 'group', 'typeId', 'c', 'mod'],
    link('404684003', '138875005'), link('125605004', '404684003'), link('71620000', '125605004'),
    link('71341001', '272673000'), link('71620000', '71341001', '363698007'),
    link('125605004', '272673000', '363698007'), link('71620000', '272673000', '363698007', '0'),
    link('71620000', '42')]));
  write(server, 'der2_Refset_SimpleSnapshot_INT_20260101.txt', tab([
    ['id', 'effectiveTime', 'active', 'moduleId', 'refsetId', 'referencedComponentId'],
    ['u', at, '1', m, '700043003', '71620000']]));
}

test('SNOMED CT loads from RF2 while the server runs, and ECL selects over it', async (t) => {
  const server = await startServer(t);
  const sct = 'http://snomed.info/sct';
  assert.equal((await server.get(`/fhir/CodeSystem/$lookup?system=${sct}&code=71620000`)).status, 404);
  writeSnomed(server);
  assert.match(load(server, 'snomed'), /11 concepts, 4 links, 3 attributes; 1 left out/);
  const found = await server.get(`/fhir/CodeSystem/$lookup?system=${sct}&code=71620000`);
  assert.equal(valueOf(found, 'display'), 'Femoral fracture', 'the preferred one of three names');
  assert.match(valueOf(found, 'version'), /version\/20260101$/);
  const names = found.body.parameter.filter((p) => p.name === 'designation')
    .map((p) => p.part.find((q) => q.name === 'value').valueString).sort();
  assert.deepEqual(names, ['Broken thigh bone', 'Fracture of femur (disorder)']);
  const validate = async (display) => valueOf(await server.get('/fhir/CodeSystem/$validate-code?url=' +
    `${sct}&code=71620000&display=${encodeURIComponent(display)}`), 'result');
  assert.equal(await validate('broken thigh bone'), true, 'a synonym is a right display');
  assert.equal(await validate('Broken arm'), false);
  const ecl = async (text) => codes(await server.get('/fhir/ValueSet/$expand?url=' +
    encodeURIComponent(`${sct}?fhir_vs=ecl/${text}`)));
  assert.deepEqual(await ecl('<< 125605004'), ['125605004', '71620000']);
  assert.deepEqual(await ecl('< 404684003 : 363698007 = << 272673000'), ['125605004', '71620000']);
  assert.deepEqual(await ecl('< 404684003 : 363698007 = 71341001'), ['71620000']);
  assert.deepEqual(await ecl('^ 700043003'), ['71620000']);
  assert.deepEqual(codes(await server.get('/fhir/ValueSet/$expand?url=' +
    encodeURIComponent(`${sct}?fhir_vs=isa/404684003`) + '&filter=femo')), ['71620000']);
  const typed = async (text, more = '') => (await server.get('/fhir/ValueSet/$expand?url=' +
    encodeURIComponent(`${sct}?fhir_vs`) + `&filter=${encodeURIComponent(text)}${more}`)).body.expansion.contains ?? [];
  assert.deepEqual((await typed('thigh')).map((c) => c.code), ['71620000'], 'found by a synonym');
  assert.deepEqual((await typed('fract')).map((c) => c.display), ['Fracture of bone', 'Femoral fracture'],
                   'what begins with the text comes first');
  const [said] = await typed('thigh', '&includeDesignations=true');
  assert.deepEqual(said.designation.map((d) => [d.use.code, d.language]), [[FSN, 'en'], [SYNONYM, 'en']]);
  assert.equal((await typed('thigh'))[0].designation, undefined);
  const above = await server.get(`/fhir/CodeSystem/$subsumes?system=${sct}&codeA=404684003&codeB=71620000`);
  assert.equal(valueOf(above, 'outcome'), 'subsumes');
  assert.equal((await server.get('/fhir/ValueSet/$expand?url=' +
    encodeURIComponent(`${sct}?fhir_vs=ecl/<<< 1`))).status, 422);
});

test('dm+d, ICD-10, OPCS-4 and LOINC load, and a broken release changes nothing', async (t) => {
  const server = await startServer(t);
  const xml = (name, record, ...rows) => write(server, `dmd/${name}.xml`, [
    '<?xml version="1.0"?>', '<ALL>', ...rows.map((row) => `<${record}>` +
      Object.entries(row).map(([k, v]) => `<${k}>${v}</${k}>`).join('') + `</${record}>`), '</ALL>']);
  xml('f_vtm2_3', 'VTM', { VTMID: '1', NM: 'Paracetamol' });
  xml('f_vmp2_3', 'VMP', { VPID: '2', VTMID: '1', NM: 'Paracetamol 500mg tablets', NMPREV: 'Acetaminophen 500mg' },
      { VPID: '3', VTMID: '1', INVALID: '1', NM: 'Paracetamol 1mg' });
  xml('f_vmpp2_3', 'VMPP', { VPPID: '4', NM: '32 tablet', VPID: '2' });
  xml('f_amp2_3', 'AMP', { APID: '5', VPID: '2', NM: 'short', DESC: 'Panadol 500mg &amp; more' });
  xml('f_ampp2_3', 'AMPP', { APPID: '6', NM: 'Panadol 32', VPPID: '4', APID: '5' });
  assert.match(load(server, 'dmd', 'dmd'), /6 concepts/);
  const lookup = (system, code) => server.get(`/fhir/CodeSystem/$lookup?system=${system}&code=${code}`);
  assert.equal(valueOf(await lookup('https://dmd.nhs.uk', '5'), 'display'), 'Panadol 500mg & more');
  assert.match((await lookup('https://dmd.nhs.uk', '2')).text, /Former name.*Acetaminophen 500mg/);
  const below = await server.get('/fhir/CodeSystem/$subsumes?system=https://dmd.nhs.uk&codeA=1&codeB=6');
  assert.equal(valueOf(below, 'outcome'), 'subsumes');

  write(server, 'icd/ICD10_CodesAndTitles.txt', ['CODE\tALT\tDESCRIPTION', 'S72\tS72\tFracture of femur',
    'S72.0\tS720\tFracture of neck of femur']);
  write(server, 'opcs/OPCS_CodesAndTitles.txt', ['W37\tTotal prosthetic replacement of hip',
    'W37.1\tPrimary total replacement of hip']);
  write(server, 'loinc/Loinc.csv', ['"LOINC_NUM","STATUS","LONG_COMMON_NAME","SHORTNAME"',
    '"8867-4","ACTIVE","Heart rate","Heart rate"', '"1-8","DEPRECATED","Said ""once"", long ago","Said"']);
  for (const [format, path] of [['icd10', 'icd'], ['opcs4', 'opcs'], ['loinc', 'loinc']])
    load(server, format, path);
  assert.equal(valueOf(await lookup('http://hl7.org/fhir/sid/icd-10', 'S72.0'), 'display'),
               'Fracture of neck of femur');
  assert.match((await lookup('http://hl7.org/fhir/sid/icd-10', 'S72.0')).text, /"valueCode":"S72"/);
  assert.equal(valueOf(await lookup('http://loinc.org', '1-8'), 'display'), 'Said "once", long ago');
  assert.match((await lookup('http://loinc.org', '1-8')).text, /inactive/);
  assert.match((await lookup('http://loinc.org', '1-8')).text, /Short name.*"Said"/);
  assert.doesNotMatch((await lookup('http://loinc.org', '8867-4')).text, /designation/, 'the display is no other name');

  write(server, 'bad/Loinc.csv', ['"LOINC_NUM","STATUS","LONG_COMMON_NAME"', '"8867-4","ACTIVE']);
  const bad = spawnSync(binary, ['term', 'load', 'loinc', join(server.folder, 'releases/bad'),
                                 '--data', server.folder], { encoding: 'utf8' });
  assert.equal(bad.status, 1);
  assert.match(bad.stderr, /line 2/);
  assert.equal(valueOf(await lookup('http://loinc.org', '8867-4'), 'display'), 'Heart rate');
});
