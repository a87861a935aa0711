// SPDX-License-Identifier: Apache-2.0
// Requests nobody honest sends: valid ones broken at random, from a seed, so that a fault can be met again. Used by
// tests/scenario/hostile.test.mjs for some thousands and by bench/hostile.mjs for a million.
import { connect } from 'node:net';

// mulberry32: the same seed, the same requests.
export function randomOf(seed) {
  let a = seed >>> 0;
  return () => {
    a = a + 0x6D2B79F5 | 0;
    let t = Math.imul(a ^ a >>> 15, 1 | a);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 4294967296;
  };
}

const PATHS = ['/fhir/Patient/marked', '/fhir/Patient', '/fhir', '/fhir/metadata', '/fhir/Observation', '/health', '/',
  '/fhir/Patient/marked/_history/1', '/fhir/Patient/marked/$everything', '/fhir/$graphql', '/fhir/Patient/marked/$graphql',
  '/fhir/ValueSet/$expand', '/fhir/Patient/$match', '/fhir/CodeSystem/$lookup', '/fhir/Patient/$validate', '/fhir/_history', '/sign-in',
  '/auth/token', '/auth/authorize', '/auth/introspect', '/auth/register', '/auth/revoke', '/auth/jwks', '/auth/tap', '/auth/timing',
  '/auth/passkey/challenge', '/auth/passkey/sign-in', '/auth/passkey/enrol', '/sign-in/staff', '/sign-in/staff/back', '/sign-in/patients/back',
  '/.well-known/openid-configuration', '/fhir/.well-known/smart-configuration', '/beds', '/metrics', '/assets/x.css', '/assets/../x.db',
  '/assets/%2e%2e/%2e%2e/etc/passwd', '/fhir/$export', '/record', '/subscriptions/ws', '/fhir/Subscription/$events', '/fhir/Subscription/x/$get-ws-binding-token',
  '/fhir/$viewdefinition-run', '/auth/launch', '/live', '/workstation', '/workstation/events', '/workstation/held', '/workstation/resume',
  '/account', '/step-up', '/privacy', '/privacy/access', '/privacy/explain', '/break-glass/marked', '/my', '/my/act-for', '/ui/theme',
  '/browse/Patient', '/browse/Patient/marked', '/fhir/Patient/sealed', '/fhir/Patient/sealed/_history', '/fhir/Observation/sealed', '/record/patient/sealed', '/record/find',
  '/browse/Patient/sealed', '/seen/sealed', '/fhir/SearchParameter/odd', '/fhir/SearchParameter/$status', '/fhir/AuditEvent', '/beds/board.json', '/obs/responses.csv', '/auth/callback', '/people', '/fhir/Bundle', '/fhir/Binary', '/fhir/Patient/_search', '/fhir/metadata/..;/x.db', '/%', '//', '/fhir//Patient'];
const QUERIES = ['', '', '', '?_id=1', '?name=%ff%fe', '?_count=-1', '?_count=99999999999999999999', '?_page=AAAA', '?_sort=%00',
  '?_filter=name eq "x" and (((', '?_include=*:*', '?_has:Observation:patient:code=x', '?code:in=urn:none', '?date=gt0000',
  '?url=http://snomed.info/sct?fhir_vs=ecl/<<<', '?query={Patient(id:1){id', '?_elements=' + 'a,'.repeat(500), '?a'.repeat(300),
  '?value-quantity=1e999', '?near=x|y', '?_lastUpdated=2026-13-45', '?subject:Patient.name=x', '?%', '?_format=%2e%2e/xml',
  '?_type=Patient,Nothing', '?next=//evil.example', '?redirect_uri=javascript:1', '?_text="', '?_content=NEAR(', '?_total=estimate',
  "?name=x'%20OR%201=1--", '?_filter=' + '('.repeat(2000), '?next=%0d%0aSet-Cookie:%20x=1', '?state=' + 'x'.repeat(7000), '?code=x&code=y&state=z',
  '?query=' + encodeURIComponent('{'.repeat(500)), '?error=access_denied&state=x', '?after=-1', '?iss=http://127.0.0.1:1&launch=x',
  '?code-value-quantity=' + 'a$b$'.repeat(400), '?code-value-quantity=http://loinc.org|8867-4$gt1e308,$', '?combo-code-value-quantity=$$$', '?odd=a$b$c', '?component-code-value-concept=a|b$c|d$',
  '?subject=Patient/sealed', '?_id=sealed,marked', '?_has:Observation:subject:_id=sealed', '?_filter=' + 'not('.repeat(400) + 'a eq b', '?_filter=' + 'a eq 1 or '.repeat(900), '?family=Sealed&_summary=count',
  '?query=' + encodeURIComponent('{__schema{types{fields{type{ofType{fields{type{name}}}}}}}}'), '?query=' + encodeURIComponent('{' + 'a:Patient(id:"sealed"){id name{family}} '.repeat(200) + '}'),
  '?name:exact=' + '%25'.repeat(900), '?_fhirpath=' + encodeURIComponent('repeat('.repeat(60)), '?level=P1&next=/my'];
const FHIRPATH = ["Patient.name.where(family = 'x')", '('.repeat(3000), 'iif('.repeat(200), "'\\u0000'", '%resource.%', "matches('(a+)+$')", '1/0', '{}'.repeat(900), 'repeat($this)'];
// Small texts that ask for much: doubled by copies, by entities, by names that stand for names.
const copies = (n) => [{ op: 'add', path: '/name', value: [{ family: 'x' }] }, ...Array.from({ length: n }, () => ({ op: 'copy', from: '/name', path: '/name/0/extension' }))];
const laughs = '<!DOCTYPE a [<!ENTITY a "ha">' + Array.from({ length: 20 }, (_, n) => `<!ENTITY ${'a'.repeat(n + 2)} "${`&${'a'.repeat(n + 1)};`.repeat(10)}">`).join('') + ']>';
const composite = (id, component) => ({ resourceType: 'SearchParameter', id, url: `urn:${id}`, name: id, status: 'active', description: 'x', code: id, base: ['Observation'],
  type: 'composite', expression: 'Observation', component });
const BOMBS = [JSON.stringify(copies(60)), JSON.stringify(Array.from({ length: 5000 }, () => ({ op: 'test', path: '/id', value: 'marked' }))),
  JSON.stringify(Array.from({ length: 3000 }, (_, n) => ({ op: 'move', from: '/name', path: `/contact/${n}` }))), JSON.stringify([{ op: 'add', path: '/a'.repeat(3000), value: {} }]),
  `${laughs}<Patient xmlns="http://hl7.org/fhir"><id value="&${'a'.repeat(21)};"/></Patient>`, `<Patient xmlns="http://hl7.org/fhir" ${Array.from({ length: 2000 }, (_, n) => `a${n}="x"`).join(' ')}/>`,
  `<Patient xmlns="http://hl7.org/fhir">${'<contained>'.repeat(400)}`, `<?xml version="1.0" encoding="UTF-7"?><Patient xmlns="http://hl7.org/fhir"/>`, `<a xmlns:x="${'u'.repeat(9000)}"/>`,
  `<Patient xmlns="http://hl7.org/fhir"><text><div xmlns="http://www.w3.org/1999/xhtml">${'<b>'.repeat(900)}x${'</b>'.repeat(900)}</div></text></Patient>`,
  JSON.stringify(composite('odd', [{ definition: 'urn:odd', expression: '%resource' }, { definition: 'urn:odd', expression: 'repeat($this)' }])), JSON.stringify(composite('odd', [])),
  JSON.stringify(composite('odd', Array.from({ length: 300 }, () => ({ definition: 'http://hl7.org/fhir/SearchParameter/clinical-code', expression: 'code' })))),
  JSON.stringify({ query: '{__schema' + '{types{fields{type'.repeat(30) + '{name}' + '}}}'.repeat(30) + '}' }), JSON.stringify({ query: '{' + 'a:__type(name:"Patient"){fields{name}} '.repeat(300) + '}' }),
  JSON.stringify({ query: 'query A{...B} fragment B on Query{...C} fragment C on Query{...B}' }), JSON.stringify({ query: '{' + Array.from({ length: 800 }, (_, n) => `p${n}:Patient(id:"sealed"){id}`).join(' ') + '}' }),
  JSON.stringify({ query: '{PatientList(_count:1000){' + 'name{family} '.repeat(500) + '}}' }), JSON.stringify({ query: '{Patient(id:"marked")' + '@include(if:true)'.repeat(500) + '{id}}' }),
  JSON.stringify({ resourceType: 'Bundle', type: 'batch', entry: Array.from({ length: 300 }, () => ({ request: { method: 'GET', url: 'Patient/sealed' } })) }),
  JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry: Array.from({ length: 60 }, (_, n) => ({ fullUrl: `urn:uuid:${n}`, request: { method: 'POST', url: 'Observation', ifNoneExist: 'subject=Patient/sealed' },
    resource: { resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject: { reference: `urn:uuid:${n + 1}` } } })) }),
  JSON.stringify({ resourceType: 'Parameters', parameter: Array.from({ length: 2000 }, () => ({ name: 'resource', resource: { resourceType: 'Parameters' } })) }),
  JSON.stringify({ resourceType: 'Subscription', status: 'requested', reason: 'x', criteria: 'Patient?_id=sealed', channel: { type: 'rest-hook', endpoint: 'http://[::ffff:169.254.169.254]/latest', header: ['A: b\r\nX: y'] } }),
  JSON.stringify({ inputFormat: 'application/fhir+ndjson', input: [{ type: 'Patient', url: 'http://0x7f000001/x' }] })];
const BODIES = ['', '{}', '{"resourceType":"Patient"}', '{"resourceType":"Patient","name":[{"family":"x"}],"x":1}',
  '{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"POST","url":"Patient"},"resource":{}}]}',
  '{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient/marked"}},{"request":{"method":"GET","url":"../auth"}}]}',
  '{"resourceType":"Bundle","type":"transaction","entry":' + '[{"fullUrl":"urn:uuid:x"},'.repeat(400) + '{}]}',
  '['.repeat(3000), '{"a":'.repeat(2000), '{"resourceType":"Patient","birthDate":"1e999"}', '"\\ud800"', '{"a":1e99999}', '\xff\xfe\x00',
  '{"resourceType":"Patient","id":"' + 'a'.repeat(9000) + '"}', '{"resourceType":"Patient","resourceType":"Group"}', '{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\\"http://www.w3.org/1999/xhtml\\"><script>x</script></div>"}}',
  '<Patient xmlns="http://hl7.org/fhir"><id value="1"/></Patient>', '<!DOCTYPE a [<!ENTITY x "y">]><Patient>&x;</Patient>',
  '<!DOCTYPE a SYSTEM "file:///etc/passwd"><Patient xmlns="http://hl7.org/fhir"/>', '<a>'.repeat(3000), '<Patient xmlns="http://hl7.org/fhir"><name>' + '<given value="x"/>'.repeat(500),
  'grant_type=authorization_code&code=x', 'name=a&code=' + 'x'.repeat(3000), '{"query":"{ ...a } fragment a on Q { ...a }"}',
  'grant_type=refresh_token&refresh_token=x&client_id=y', 'grant_type=client_credentials&client_assertion=e30.e30.&client_assertion_type=x',
  'grant_type=a&grant_type=b', 'token=' + 'fl_'.repeat(2000), 'ask=client_id%3Dx&csrf=&answer=allow', 'client_id=x&redirect_uri=http://127.0.0.1/&response_type=code',
  '{"redirect_uris":["https://a.example/"],"scope":"patient/*.rs"}', '{"redirect_uris":[1,null,{}],"scope":7}', '{"id":"AAAA","clientDataJSON":"AAAA","authenticatorData":"AAAA","signature":"AAAA","userHandle":""}',
  '{"purpose":"sign-in"}', '{"badge":"x","event":"in"}', 'theme=night&path=//evil.example', 'theme=day&path=%2f%0d%0aX:y',
  '[{"op":"remove","path":"/"}]', '[{"op":"add","path":"/name/99999999999999999999","value":1}]', '{"resourceType":"Parameters","parameter":[{"name":"resource"}]}',
  '{"query":"' + '{a'.repeat(2000) + '"}', '{"query":"query a($x: ID = 1) { Patient(id: $x) { id name { family @include(if: $y) } } }","variables":{"x":[]}}',
  ...FHIRPATH.map((path) => JSON.stringify({ resourceType: 'Parameters', parameter: [{ name: 'operation', part: [{ name: 'type', valueCode: 'delete' }, { name: 'path', valueString: path }] }] })),
  ...FHIRPATH.map((path) => JSON.stringify({ resourceType: 'ViewDefinition', resource: 'Patient', status: 'draft', select: [{ column: [{ name: 'x', path }] }] })),
  '--b\r\nContent-Disposition: form-data; name="code"; filename="../../x"\r\n\r\nx\r\n--b--', '--b\r\n'.repeat(400)];
const TYPES = ['application/fhir+json', 'application/fhir+json', 'application/fhir+xml', 'application/json-patch+json', 'application/xml-patch+xml',
  'application/graphql', 'application/x-www-form-urlencoded', 'application/x-www-form-urlencoded', 'application/json', 'application/fhir+ndjson',
  'multipart/form-data; boundary=b', 'multipart/form-data', 'text/plain', '', 'x'.repeat(3000)];
const METHODS = ['GET', 'GET', 'POST', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'CONNECT', 'get', 'G\0T', 'PROPFIND'];
const HEADERS = ['Cookie: __Host-frontline=' + 'A'.repeat(43), 'Cookie: frontline=x; frontline=y', 'Cookie: ' + 'a=b; '.repeat(3000), 'Cookie: frontline_session=' + 'A'.repeat(43),
  'Cookie: theme=<script>; frontline_place=x', 'If-Match: W/"', 'If-None-Exist: a=b', 'Prefer: respond-async', 'Prefer: return=OperationOutcome, handling=strict',
  'Range: bytes=0-99999999999', 'Range: bytes=' + '0-0,'.repeat(1500) + '1-1', 'Range: bytes=-0', 'If-Range: "x"', 'Cookie: frontline_session=' + '\xff'.repeat(43), 'Cookie: frontline_session=' + 'A'.repeat(42) + '%',
  'Cookie: ' + 'frontline_session=' + 'B'.repeat(8000), 'Cookie: frontline_session=' + 'C'.repeat(43) + '; frontline_session=' + 'D'.repeat(43), 'Accept: application/fhir+json; fhirVersion=9.9', 'Content-Type: application/fhir+json; charset=' + 'x'.repeat(2000),
  'Prefer: ' + 'a=b,'.repeat(900), 'If-Match: W/"99999999999999999999"', 'If-None-Exist: ' + 'identifier=a|b&'.repeat(400), 'TE: trailers', 'Forwarded: for=127.0.0.1;host=evil', 'X-Forwarded-For: 1.2.3.4', 'X-Forwarded-Host: evil.example', 'X-Forwarded-Proto: https', 'Host: evil.example',
  'Accept: ' + '*/*,'.repeat(300), 'Accept: text/html', 'Accept: text/event-stream', 'Accept: application/fhir+xml', 'Accept-Encoding: gzip;q=9', 'Accept-Encoding: gzip',
  'Expect: 100-continue', 'Expect: nonsense', 'Upgrade: websocket', 'Content-Encoding: gzip', 'Origin: null', 'Origin: https://evil.example', 'Sec-Fetch-Site: cross-site',
  'Last-Event-ID: -1', 'Last-Event-ID: 99999999999999999999', 'X-A: b\r\n folded', 'X-Null: a\0b', 'Authorization: Bearer fl_guess', 'Authorization: Basic AAAA',
  'Authorization: Basic ' + 'A'.repeat(9000), 'Authorization: Bearer', 'Transfer-Encoding: chunked', 'Transfer-Encoding: xchunked', 'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding:\tchunked', 'Content-Length: -1', 'Content-Length: +5', 'Content-Length: 5', 'Content-Length: 5, 5', 'Content-Length: 99999999999999999999', ': empty', 'no colon',
  'Connection: close', 'Connection: Upgrade, HTTP2-Settings', 'If-Modified-Since: Thu, 99 Foo 2026', 'X-Request-Id: a\nb', 'X-Long: ' + 'x'.repeat(20000)];
const PREFACES = ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'GET /\r\n', '\r\n\r\n\r\n', '\0\0\0\0', 'GET / HTTP/9.9\r\n\r\n',
  'GET / HTTP/1.0\r\n\r\n', 'GET /fhir/metadata HTTP/1.0\nHost: x\n\n', 'POST /auth/token HTTP/1.0\r\nContent-Length: 3\r\n\r\na=b', 'A'.repeat(70000), 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x12\x04\0\0\0\0\0', '\x16\x03\x01\x40\x00' + '\x01'.repeat(16000), '\x80\x2e\x01\x03\x01', 'GET http://evil.example/ HTTP/1.1\r\nHost: a\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 'GET /health HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(200), 'GET ' + '/'.repeat(40000) + ' HTTP/1.1\r\n\r\n'];
const CHUNKS = ['5\r\nhello\r\n0\r\n\r\n', 'FFFFFFFFFFFFFFFF\r\nx', '-1\r\nx\r\n0\r\n\r\n', '5;ext=' + 'x'.repeat(5000) + '\r\nhello\r\n0\r\n\r\n', '0\r\nX-Trailer: y\r\n\r\n', '5\nhello\n0\n\n',
  '1\r\na\r\n'.repeat(3000) + '0\r\n\r\n', '0x5\r\nhello\r\n0\r\n\r\n', ' 5\r\nhello\r\n0\r\n\r\n', '5\r\nhello0\r\n\r\n', '00000000000000000005\r\nhello\r\n0\r\n\r\n', '0\r\n' + 'T: x\r\n'.repeat(4000) + '\r\n',
  '0\r\n\r\nGET /fhir/Patient/marked HTTP/1.1\r\nHost: x\r\n\r\n', 'zz\r\n'];
const VERSIONS = ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/1.2', 'http/1.1'];

const picker = (random) => (list) => list[Math.floor(random() * list.length)];

function spoil(random, bytes) {
  for (let n = 1 + Math.floor(random() * 4); n; n--)
    bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
  return random() < 0.2 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes;
}

// A handshake for a socket, right or wrong, with frames after it that no client sends.
function socketRequest(random, pick) {
  const key = pick(['dGhlIHNhbXBsZSBub25jZQ==', 'short', '', 'A'.repeat(4000)]);
  const frame = pick(['\x81\x05hello', '\x81\xff' + '\xff'.repeat(8), '\x88\x80\0\0\0\0', '\x81\x85\0\0\0\0bind ', '\xff\xff', '\x01\x00', '\x89\x7e\xff\xff', '\x01\x81\0\0\0\0a\x00\x81\0\0\0\0b\x80\x81\0\0\0\0c',
    '\x80\x81\0\0\0\0x', '\xc1\x81\0\0\0\0x', '\x89\xfe\x01\x00\0\0\0\0' + 'p'.repeat(256), '\x81\xff\x7f' + '\xff'.repeat(7) + '\0\0\0\0', '\x01\xfe\x40\x00\0\0\0\0' + 'x'.repeat(16384), '\x83\x80\0\0\0\0', '\x88\x81\0\0\0\0\x01']);
  return Buffer.from([`GET ${pick(['/subscriptions/ws', '/subscriptions/ws', '/fhir/Subscription/$events', '/live', '/health'])} HTTP/1.1`, 'Host: 127.0.0.1',
    'Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Key: ${key}`, `Sec-WebSocket-Version: ${pick(['13', '8', 'x'])}`,
    `Origin: ${pick(['http://127.0.0.1', 'https://evil.example'])}`].join('\r\n') + '\r\n\r\n' + frame.repeat(1 + Math.floor(random() * 3)), 'latin1');
}

// Two framings at once, or a body that is not what its frame says; what follows it would be a request of somebody else.
function smuggled(random, pick) {
  const lines = [`POST ${pick(PATHS)} HTTP/1.1`, 'Host: 127.0.0.1', pick(['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked', 'Transfer-Encoding : chunked', 'transfer-encoding: \x0bchunked']),
    `Content-Type: ${pick(TYPES)}`];
  if (random() < 0.5)
    lines.push(`Content-Length: ${Math.floor(random() * 60)}`);
  return Buffer.from(lines.join('\r\n') + '\r\n\r\n' + pick(CHUNKS), 'latin1');
}

// One request as bytes. `token` goes into some, and `session` ({ cookie, csrf, origin }) into others, so that they get
// past the gate.
export function hostileRequest(random, token, session) {
  const pick = picker(random), kind = random();
  if (kind < 0.02)
    return Buffer.from(pick(PREFACES), 'latin1');
  if (kind < 0.05)
    return socketRequest(random, pick);
  if (kind < 0.1)
    return smuggled(random, pick);
  let body = pick(random() < 0.08 ? BOMBS : BODIES);
  const lines = [`${pick(METHODS)} ${pick(PATHS)}${pick(QUERIES)} ${pick(VERSIONS)}`, 'Host: 127.0.0.1'];
  if (kind < 0.6) {
    lines.push(`Authorization: Bearer ${token}`);
  } else if (session && kind < 0.85) {
    lines.push(`Cookie: ${session.cookie}`, `Origin: ${pick([session.origin, session.origin, 'null', 'https://evil.example'])}`);
    if (random() < 0.7)
      body = `csrf=${pick([session.csrf, session.csrf, '', 'x'])}&${body}`;
  }
  lines.push(`Content-Type: ${pick(TYPES)}`, `Content-Length: ${Buffer.byteLength(body, 'latin1')}`);
  while (random() < 0.4)
    lines.push(pick(HEADERS));
  const bytes = Buffer.from(lines.join('\r\n') + '\r\n\r\n' + body, 'latin1');
  return random() < 0.5 ? bytes : spoil(random, bytes);
}

const SEGMENTS = ['MSH|^~\\&|A|B|C|D|20261122||ADT^A01|1|P|2.4', 'MSH|', 'MSH|^~\\&' + '|'.repeat(4000), 'PID|1||999~' + '^'.repeat(500), 'EVN|A01', 'PV1|1|I|' + 'x'.repeat(9000), 'ZZZ', '\xff\xfe', 'OBX|1|ED|x||' + 'A'.repeat(20000)];

// One HL7 v2 frame, right or wrong.
export function hostileMessage(random) {
  const pick = picker(random);
  const text = Array.from({ length: Math.floor(random() * 6) }, () => pick(SEGMENTS)).join(pick(['\r', '\n', '']));
  const bytes = Buffer.from(pick(['\x0b', '\x0b', '\x0b', '', '\x0b\x0b']) + text + pick(['\x1c\r', '\x1c\r', '\x1c', '', '\x1c\x1c\r\r']), 'latin1');
  return random() < 0.6 || !bytes.length ? bytes : spoil(random, bytes);
}

// What no answer to a stranger holds: our source, our statements, a sanitizer's report.
const INNARDS = /\/src\/[a-z]+\/|\.c:\d+|AddressSanitizer|runtime error|\bSELECT [a-z*]|\bINSERT INTO\b|sqlite|auth\.db|keys\.json|root:x:0/;

function isWhole(answer) {
  const head = answer.indexOf('\r\n\r\n');
  if (head < 0)
    return false;
  const top = answer.slice(0, head), length = /\r\nContent-Length: (\d+)/i.exec(top);
  if (/\r\nContent-Type: text\/event-stream/i.test(top) || top.startsWith('HTTP/1.1 101') || /^HTTP\/1.1 (204|304)/.test(top))
    return true;
  return length ? answer.length >= head + 4 + Number(length[1]) : answer.endsWith('\r\n0\r\n\r\n');
}

// Sends `count` of them over some connections at a time. Resolves to { statuses, unanswered, leaks, faults }: faults are the
// first requests answered with 5xx (503 is what a full server says by design, 505 what HTTP says to another version), leaks
// the first answers that hold `secret` though no good credentials were sent, `hidden` though none that may see the sealed patient
// (the session may not), or what is never told.
export async function sendHostile({ port, count, seed, token, secret, hidden = 'Sealed-Family-Name', session, connections = 16, waitMs = 250, told, hl7Port }) {
  const random = randomOf(seed), result = { statuses: {}, unanswered: 0, messages: 0, leaks: [], faults: [] };
  let left = count;
  const one = (bytes, at, whole) => new Promise((resolve) => {
    const socket = connect(at, '127.0.0.1');
    let answer = '';
    const end = () => { clearTimeout(timer); socket.destroy(); resolve(answer); };
    const timer = setTimeout(end, waitMs);
    socket.on('data', (part) => {
      answer += part.toString('latin1');
      if (whole(answer))
        end();
    });
    socket.on('close', end);
    socket.on('error', () => {});
    if (bytes.length > 8 && bytes[0] % 16 === 7) { // in two parts, as a slow line would
      socket.write(bytes.subarray(0, bytes.length >> 1));
      setTimeout(() => socket.destroyed || socket.write(bytes.subarray(bytes.length >> 1)), 5);
    } else {
      socket.write(bytes);
    }
  });
  const judge = (request, answer) => {
    const status = /^HTTP\/1\.[01] (\d{3})/.exec(answer)?.[1], sent = request.toString('latin1');
    const about = () => ({ request: sent.slice(0, 600), answer: answer.slice(0, 1200) });
    if (status)
      result.statuses[status] = (result.statuses[status] ?? 0) + 1;
    else
      result.unanswered++;
    const busy = status === '503' && !answer.includes('"code":"no-store"');
    if (status >= '500' && !busy && status !== '505' && result.faults.length < 10)
      result.faults.push(about());
    const known = sent.includes(token) || (session && sent.includes(session.cookie));
    const unsealed = answer.includes(hidden) && !sent.includes(token);
    if (((answer.includes(secret) && !known) || unsealed || answer.includes(token) || INNARDS.test(answer)) && result.leaks.length < 10)
      result.leaks.push(about());
  };
  const work = async () => {
    while (left-- > 0) {
      if (hl7Port && random() < 0.05) {
        const answer = await one(hostileMessage(random), hl7Port, (text) => text.endsWith('\x1c\r'));
        result.messages++;
        if (answer.includes(secret) || answer.includes(hidden) || INNARDS.test(answer))
          result.leaks.push({ answer: answer.slice(0, 1200) });
      } else {
        const request = hostileRequest(random, token, session);
        judge(request, await one(request, port, isWhole));
      }
      if (told && left % 2000 === 0)
        told(count - left, result);
    }
  };
  await Promise.all(Array.from({ length: connections }, work));
  return result;
}
