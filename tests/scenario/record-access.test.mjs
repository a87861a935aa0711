// SPDX-License-Identifier: Apache-2.0
// Who may open, write, sign and merge in the patient record, and what the others are told to do.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { Server, binary } from '../lib/server.mjs';

let server;
const people = {};
const run = (...words) => execFileSync(binary, [...words, '--data', server.data], { encoding: 'utf8' }).trim();
const person = (id, nhs, family, given, birthDate, security) => ({
  resourceType: 'Patient', id, birthDate, identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: nhs }],
  name: [{ family, given: [given] }], ...(security ? { meta: { security: [security] } } : {}),
});
const stay = (id, patient, place) => ({
  resourceType: 'Encounter', id, status: 'in-progress', class: { code: 'IMP' }, subject: { reference: `Patient/${patient}` },
  location: [{ location: { reference: `Location/${place}` }, status: 'active' }],
});
const ward = (id) => ({ resourceType: 'Location', id, name: `Ward ${id}`, physicalType: { coding: [{ code: 'wa' }] } });
const VERY = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'V' };

// A page as `who` gets it.
const get = async (who, path) => {
  const answer = await fetch(server.url + path, { redirect: 'manual', headers: { Accept: 'text/html', Authorization: `Bearer ${people[who]}` } });
  return { status: answer.status, text: (await answer.text()).replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ') };
};
const post = async (who, path, fields) => {
  const answer = await fetch(server.url + path, {
    method: 'POST', redirect: 'manual', body: new URLSearchParams(fields), headers: { Accept: 'text/html', Authorization: `Bearer ${people[who]}` },
  });
  return { status: answer.status, location: answer.headers.get('location'), text: (await answer.text()).replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ') };
};

before(async () => {
  server = await Server.start({ open: false });
  const all = run('token', '--scope', 'system/*.cruds');
  for (const resource of [ward('w1'), ward('w2'), person('mine', '9990001233', 'Hart', 'Ivy', '1950-01-02'), person('other', '9990000393', 'Lamb', 'Leo', '1960-03-04'),
    person('secret', '9990000547', 'Fox', 'Eve', '1970-05-06', VERY), stay('s1', 'mine', 'w1'), stay('s2', 'other', 'w2'), stay('s3', 'secret', 'w2')]) {
    const { status, body } = await server.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource, { Authorization: `Bearer ${all}` });
    assert.equal(status, 201, JSON.stringify(body));
  }
  for (const [name, role, areas] of [['hca', 'hca', 'w1'], ['nurse', 'nurse', 'w1'], ['doctor', 'doctor', 'w1'], ['consultant', 'consultant', 'w1'], ['clerk', 'ward_clerk', 'w1'],
    ['officer', 'records_officer', ''], ['outreach', 'outreach', ''], ['beds', 'bed_manager', '']]) {
    run('user', 'add', `${name}.x`, '--role', role, '--display', `The ${name}`, '--who', `Practitioner/${name}`, ...(areas ? ['--areas', areas] : []));
    people[name] = run('token', '--scope', 'user/*.cruds', '--user', `${name}.x`);
  }
});
after(() => server?.stop());

test('a ward opens the records of its own patients, and says what to do about others', async () => {
  assert.equal((await get('nurse', '/record/patient/mine')).status, 200);
  assert.match((await get('nurse', '/record/ward/w1')).text, /HART, Ivy/);
  const closed = await get('nurse', '/record/patient/other');
  const absent = await get('nurse', '/record/patient/nobody');
  assert.equal(closed.status, 404);
  assert.equal(closed.text.replaceAll('other', 'X'), absent.text.replaceAll('nobody', 'X'), 'nobody learns whether there is one');
  assert.match(closed.text, /break the glass/);
  assert.match((await get('hca', '/record/patient/other')).text, /Ask the doctor or nurse in charge/);
  assert.match((await get('nurse', '/record/ward/w2')).text, /Nobody you may see lies here now/);
});

test("other wards' patients are found by a whole match alone, by those who may break the glass", async () => {
  for (const q of ['lamb', 'lamb leo', 'lambe leo']) assert.match((await get('nurse', `/record/find?q=${q}`)).text, /Nobody was found/, q);
  for (const q of ['q=9990000393', 'q=lamb+leo&born=4+3+1960']) {
    const { text } = await get('doctor', `/record/find?${q}`);
    assert.match(text, /LAMB, Leo/, q);
    assert.match(text, /Not your patient Break the glass/);
    assert.ok(!text.includes('Ward w2'), 'where they lie is not told');
    assert.match((await get('hca', `/record/find?${q}`)).text, /Nobody was found/);
  }
  assert.match((await get('doctor', '/record/find?q=9990000547')).text, /Nobody was found/, 'a sensitive record is not shown');
});

test('who has looked is said under the banner, in the words of those who work here', async () => {
  assert.equal((await get('doctor', '/record/patient/mine')).status, 200);
  const { status, text } = await get('nurse', '/seen/mine');
  assert.equal(status, 200);
  assert.match(text, /HART, Ivy .*Everybody who opened this record.*The nurse.*The doctor|HART, Ivy .*Everybody who opened this record.*The doctor.*The nurse/);
  assert.doesNotMatch(text, /your record/);
  assert.equal((await get('nurse', '/seen/other')).status, 404);
});

test('a role without the right is refused in words', async () => {
  assert.equal((await get('hca', '/record/patient/mine')).status, 200);
  assert.equal((await get('hca', '/record/patient/mine/new/note')).status, 403);
  assert.equal((await post('hca', '/record/patient/mine/new/task', { text: 'x' })).status, 403);
  assert.equal((await get('clerk', '/record/find?q=hart')).status, 200);
  assert.equal((await get('clerk', '/record/patient/mine')).status, 403);
  assert.equal((await get('beds', '/record')).status, 403);
  assert.ok(!(await get('hca', '/record/patient/mine')).text.includes('Write a note'), 'what may not be done is not offered');
  for (const who of ['nurse', 'doctor', 'consultant', 'hca']) assert.equal((await get(who, '/record/merge')).status, 403, who);
  assert.equal((await get('officer', '/record/merge')).status, 200);
});

test('a note carries its author, and only a consultant who did not sign it co-signs', async () => {
  const made = await post('doctor', '/record/patient/mine/new/note', { plan: 'Home tomorrow', once: 'once-access-note-1' });
  assert.equal(made.status, 303, made.text);
  const path = '/record/patient/mine/entry/note/once-access-note-1';
  assert.equal((await post('doctor', `${path}/sign`, { version: '1' })).status, 303);
  assert.equal((await post('nurse', `${path}/cosign`, { version: '2' })).status, 403);
  assert.equal((await post('consultant', `${path}/cosign`, { version: '2' })).status, 303);
  assert.match((await get('nurse', path)).text, /Signed The doctor, .* Co-signed The consultant, /);
  await post('consultant', '/record/patient/mine/new/note', { plan: 'Mine', once: 'once-access-note-2' });
  const own = '/record/patient/mine/entry/note/once-access-note-2';
  await post('consultant', `${own}/sign`, { version: '1' });
  assert.equal((await post('consultant', `${own}/cosign`, { version: '2' })).status, 422, 'not one\'s own');
});

test('notes nobody has signed wait on the first page of who wrote them', async () => {
  await post('doctor', '/record/patient/mine/new/note', { plan: 'Later', once: 'once-access-note-3' });
  assert.match((await get('doctor', '/record')).text, /Your notes, not signed Clinical note: HART, Ivy/);
  assert.ok(!(await get('nurse', '/record')).text.includes('not signed'));
  await post('doctor', '/record/patient/mine/entry/note/once-access-note-3/sign', { version: '1' });
  assert.ok(!(await get('doctor', '/record')).text.includes('not signed'));
});

test('who changed an entry meanwhile is named', async () => {
  await post('nurse', '/record/patient/mine/new/alert', { text: 'Risk of falls', once: 'once-access-alert1' });
  const path = '/record/patient/mine/entry/alert/once-access-alert1';
  const base = { category: 'Safety', status: 'active', until: '' };
  assert.equal((await post('doctor', path, { ...base, text: 'High risk of falls', version: '1' })).status, 303);
  const late = await post('nurse', path, { ...base, text: 'Low risk of falls', version: '1' });
  assert.equal(late.status, 409);
  assert.match(late.text, /Changed meanwhile by The doctor,/);
});

test("a move needs a patient whose record is open to the one who moves", async () => {
  const move = { how: 'move', reason: 'Wrong patient', number: '9990000393', born: '4/3/1960' };
  const path = '/record/patient/mine/wrong/Flag/once-access-alert1';
  assert.equal((await post('nurse', path, move)).status, 422);
  assert.equal((await post('outreach', path, move)).status, 303);
});

test("what somebody has not signed is theirs: not read, changed, signed or handed over by others", async () => {
  const path = '/record/patient/mine/entry/handover/once-their-draft-01';
  await post('doctor', '/record/patient/mine/new/handover', { situation: 'Thinking aloud of lupus', once: 'once-their-draft-01' });
  assert.match((await get('doctor', path)).text, /Thinking aloud/);
  for (const [who, page] of [['nurse', path], ['consultant', path], ['nurse', '/record/ward/w1/handover'], ['nurse', '/record/patient/mine/new/handover'],
    ['nurse', '/record/patient/mine/notes'], ['nurse', '/record/patient/mine/item/Composition/once-their-draft-01']]) {
    const seen = await get(who, page);
    assert.equal(seen.status, 200);
    assert.doesNotMatch(seen.text, /lupus/, `${who} ${page}`);
  }
  assert.match((await get('nurse', path)).text, /Begun by The doctor and not signed yet/);
  assert.equal((await post('nurse', path, { situation: 'x', version: '1' })).status, 403);
  assert.equal((await post('consultant', `${path}/sign`, { version: '1' })).status, 403);
  assert.equal((await post('doctor', `${path}/sign`, { version: '1' })).status, 303);
  assert.match((await get('nurse', path)).text, /lupus/);
  assert.match((await get('nurse', '/record/ward/w1/handover')).text, /lupus/);
});

test('whoever signed does not co-sign, whatever they are called; somebody of the same name does', async () => {
  for (const [name, who] of [['same.one', 'Practitioner/same1'], ['same.two', 'Practitioner/same2']]) {
    run('user', 'add', name, '--role', 'consultant', '--display', 'Sam Same', '--who', who, '--areas', 'w1');
    people[name] = run('token', '--scope', 'user/*.cruds', '--user', name);
  }
  const path = '/record/patient/mine/entry/note/once-same-name-001';
  await post('same.one', '/record/patient/mine/new/note', { plan: 'Home', once: 'once-same-name-001' });
  await post('same.one', `${path}/sign`, { version: '1' });
  assert.equal((await post('same.one', `${path}/cosign`, { version: '2' })).status, 422);
  assert.equal((await post('same.two', `${path}/cosign`, { version: '2' })).status, 303);
});

test('a summary that no practice has confirmed stands on the list of who sent it, and of nobody else', async () => {
  const all = run('token', '--scope', 'system/*.cruds'), subject = { reference: 'Patient/mine' }, id = 'doc-sent-1-2';
  const put = async (resource) => assert.equal((await server.send('PUT', `/fhir/${resource.resourceType}/${id}`, { id, ...resource }, { Authorization: `Bearer ${all}` })).status < 300, true);
  await put({ resourceType: 'DocumentReference', status: 'current', subject, content: [{ attachment: { title: 'x' } }], context: { related: [{ reference: 'Composition/sent-1' }] } });
  const list = async (who) => /(GP has not received.*?)(Your notes|Wards|$)/.exec((await get(who, '/record')).text)?.[1] ?? '';
  for (const [status, expected] of [['in-progress', /HART, Ivy Not received yet/], ['stopped', /HART, Ivy Refused/]]) {
    await put({ resourceType: 'Communication', status, subject, sender: { reference: 'Practitioner/doctor' } });
    assert.match(await list('doctor'), expected);
    assert.equal(await list('consultant'), '');
  }
  await put({ resourceType: 'Communication', status: 'completed', subject, sender: { reference: 'Practitioner/doctor' } });
  assert.equal(await list('doctor'), '');
});
