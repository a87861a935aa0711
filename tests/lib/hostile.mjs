// SPDX-License-Identifier: Apache-2.0
// Requests nobody honest sends: valid ones broken at random, from a seed, so that a fault can be met
// again. Used by tests/scenario/hostile.test.mjs for some thousands and by bench/hostile.mjs for a
// million.
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
  '/fhir/Patient/marked/_history/1', '/fhir/Patient/marked/$everything', '/fhir/$graphql', '/fhir/ValueSet/$expand',
  '/fhir/Patient/$match', '/fhir/CodeSystem/$lookup', '/fhir/Patient/$validate', '/fhir/_history', '/sign-in', '/auth/token',
  '/auth/authorize', '/auth/introspect', '/auth/register', '/beds', '/metrics', '/assets/x.css', '/fhir/$export', '/record',
  '/fhir/Subscription/$events', '/fhir/$viewdefinition-run', '/auth/launch', '/live'];
const QUERIES = ['', '?_id=1', '?name=%ff%fe', '?_count=-1', '?_count=99999999999999999999', '?_page=AAAA', '?_sort=%00',
  '?_filter=name eq "x" and (((', '?_include=*:*', '?_has:Observation:patient:code=x', '?code:in=urn:none', '?date=gt0000',
  '?url=http://snomed.info/sct?fhir_vs=ecl/<<<', '?query={Patient(id:1){id', '?_elements=' + 'a,'.repeat(500), '?a'.repeat(300),
  '?value-quantity=1e999', '?near=x|y', '?_lastUpdated=2026-13-45', '?subject:Patient.name=x', '?%', '?_format=%2e%2e/xml',
  '?_type=Patient,Nothing', '?next=//evil.example', '?redirect_uri=javascript:1', '?_text="', '?_content=NEAR(', '?_total=estimate'];
const BODIES = ['', '{}', '{"resourceType":"Patient"}', '{"resourceType":"Patient","name":[{"family":"x"}],"x":1}',
  '{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"POST","url":"Patient"},"resource":{}}]}',
  '['.repeat(3000), '{"a":'.repeat(2000), '{"resourceType":"Patient","birthDate":"1e999"}', '"\\ud800"', '{"a":1e99999}', '\xff\xfe\x00',
  '<Patient xmlns="http://hl7.org/fhir"><id value="1"/></Patient>', '<!DOCTYPE a [<!ENTITY x "y">]><Patient>&x;</Patient>',
  'grant_type=authorization_code&code=x', 'name=a&code=' + 'x'.repeat(3000), '{"query":"{ ...a } fragment a on Q { ...a }"}',
  '[{"op":"remove","path":"/"}]', '{"resourceType":"Parameters","parameter":[{"name":"resource"}]}', '{"query":"' + '{a'.repeat(2000) + '"}'];
const TYPES = ['application/fhir+json', 'application/fhir+xml', 'application/json-patch+json', 'application/xml-patch+xml',
  'application/graphql', 'application/x-www-form-urlencoded', 'application/fhir+ndjson', 'text/plain', '', 'x'.repeat(3000)];
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'CONNECT', 'get', 'G\0T', 'PROPFIND'];
const HEADERS = ['Cookie: __Host-frontline=' + 'A'.repeat(43), 'Cookie: frontline=x; frontline=y', 'If-Match: W/"', 'If-None-Exist: a=b',
  'Prefer: respond-async', 'Range: bytes=0-99999999999', 'X-Forwarded-For: 1.2.3.4', 'X-Forwarded-Host: evil.example', 'Host: evil.example',
  'Accept: ' + '*/*,'.repeat(300), 'Accept-Encoding: gzip;q=9', 'Expect: 100-continue', 'Upgrade: websocket', 'Content-Encoding: gzip',
  'Origin: null', 'Last-Event-ID: -1', 'X-A: b\r\n folded', 'X-Null: a\0b', 'Authorization: Bearer fl_guess', 'Authorization: Basic AAAA',
  'Transfer-Encoding: chunked', 'Content-Length: -1', 'Content-Length: 5', 'Content-Length: 99999999999999999999', ': empty', 'no colon',
  'Connection: close', 'If-Modified-Since: Thu, 99 Foo 2026'];
const PREFACES = ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'GET /\r\n', '\r\n\r\n\r\n', '\0\0\0\0', 'GET / HTTP/9.9\r\n\r\n'];

// One request as bytes; `token` goes into some, so that they get past the gate.
export function hostileRequest(random, token) {
  const pick = (list) => list[Math.floor(random() * list.length)];
  if (random() < 0.02)
    return Buffer.from(pick(PREFACES), 'latin1');
  const body = pick(BODIES), lines = [`${pick(METHODS)} ${pick(PATHS)}${pick(QUERIES)} HTTP/1.1`, 'Host: 127.0.0.1'];
  if (random() < 0.7)
    lines.push(`Authorization: Bearer ${token}`);
  lines.push(`Content-Type: ${pick(TYPES)}`, `Content-Length: ${Buffer.byteLength(body, 'latin1')}`);
  while (random() < 0.4)
    lines.push(pick(HEADERS));
  const bytes = Buffer.from(lines.join('\r\n') + '\r\n\r\n' + body, 'latin1');
  if (random() < 0.5)
    return bytes;
  for (let n = 1 + Math.floor(random() * 4); n; n--)
    bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
  return random() < 0.2 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes;
}

// Sends `count` of them over some connections at a time. Resolves to { statuses, unanswered, leaks, faults }: faults are
// the first requests answered with 5xx, leaks the answers that hold `secret` though no good token was sent.
export async function sendHostile({ port, count, seed, token, secret, connections = 16, waitMs = 250, told }) {
  const random = randomOf(seed), result = { statuses: {}, unanswered: 0, leaks: 0, faults: [] };
  let left = count;
  const one = (request) => new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    const end = () => { clearTimeout(timer); socket.destroy(); resolve(answer); };
    const timer = setTimeout(end, waitMs);
    socket.on('data', (part) => {
      answer += part.toString('latin1');
      const head = answer.indexOf('\r\n\r\n'), length = /\r\nContent-Length: (\d+)/i.exec(answer.slice(0, head));
      if (head >= 0 && length && answer.length >= head + 4 + Number(length[1]))
        end();
    });
    socket.on('close', end);
    socket.on('error', () => {});
    socket.write(request);
  });
  const work = async () => {
    while (left-- > 0) {
      const request = hostileRequest(random, token), answer = await one(request);
      const status = /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1];
      if (!status)
        result.unanswered++;
      else
        result.statuses[status] = (result.statuses[status] ?? 0) + 1;
      if (status >= '500' && status !== '505' && result.faults.length < 10) // 505: what HTTP says to another version
        result.faults.push({ request: request.toString('latin1').slice(0, 600), answer: answer.slice(0, 600) });
      if (answer.includes(secret) && !request.includes(token))
        result.leaks++;
      if (told && left % 10000 === 0)
        told(count - left, result);
    }
  };
  await Promise.all(Array.from({ length: connections }, work));
  return result;
}
