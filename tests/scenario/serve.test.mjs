// SPDX-License-Identifier: Apache-2.0
// Starting and stopping the server: what is refused, what is configured, what survives.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { routes } from '../lib/routes.mjs';
import { binary, spawnServer, startServer } from './server.mjs';

function refused(t, ...args) {
  const folder = mkdtempSync(join(tmpdir(), 'frontline-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const ended = spawnSync(binary, ['serve', '--data', folder, ...args],
                          { encoding: 'utf8', timeout: 20000 });
  return { status: ended.status, text: ended.stderr };
}

test('what would serve the record to strangers is refused', (t) => {
  for (const [args, says] of [
    [['--listen', '0.0.0.0:0', '--open'], /127\.0\.0\.1/],
    [['--listen', '[::]:0', '--open'], /127\.0\.0\.1/],
    [['--listen', '0.0.0.0:0'], /TLS/],
    [['--listen', 'nowhere'], /ADDRESS:PORT/],
    [['--listen', '127.0.0.1:99999'], /ADDRESS:PORT/],
    [['--set', 'http.nope=1'], /no key http\.nope/],
    [['--set', 'http.idle_s=0'], /http\.idle_s/],
    [['--config', '/nonexistent/file'], /cannot read/],
  ]) {
    const ended = refused(t, ...args);
    assert.equal(ended.status, 1, `${args}: ${ended.text}`);
    assert.match(ended.text, says);
  }
  assert.equal(refused(t, '--nonsense').status, 2);
});

test('a configuration file is read, --set wins over it, its faults are told by line', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'frontline-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'frontline.ini');
  writeFileSync(file, '; ours\n[search]\npage = 3\n[http]\nbody_bytes = 2K\n');
  const server = await startServer(t, { args: ['--config', file, '--set', 'search.page=2'] });
  for (let i = 0; i < 4; i++)
    await server.post('/fhir/Basic', { resourceType: 'Basic', code: { text: 'x' } });
  assert.equal((await server.get('/fhir/Basic')).body.entry.length, 2);
  assert.equal((await server.post('/fhir/Basic', 'x'.repeat(3000))).status, 413);
  writeFileSync(file, '[search]\npages = 3\n[http]\nidle_s = soon\n');
  const ended = refused(t, '--config', file);
  assert.equal(ended.status, 1);
  assert.match(ended.text, /line 2/);
  assert.match(ended.text, /line 4/);
});

test('a port that is taken is said', async (t) => {
  const server = await startServer(t);
  const ended = refused(t, '--listen', new URL(server.url).host, '--open');
  assert.equal(ended.status, 1);
  assert.match(ended.text, /cannot listen .*in use/);
});

test('SIGTERM amid writes loses nothing that was acknowledged', async (t) => {
  const server = await startServer(t);
  const kept = new Set();
  let n = 0, stopped = false;
  const write = async () => {
    while (!stopped) {
      const id = `w${n++}`;
      try {
        const answer = await server.put(`/fhir/Basic/${id}`,
                                        { resourceType: 'Basic', id, code: { text: 'x' } });
        if (answer.status === 201)
          kept.add(id);
      } catch {
        return; // the server is gone: not acknowledged
      }
    }
  };
  const writers = Array.from({ length: 16 }, write);
  await new Promise((later) => setTimeout(later, 700));
  assert.equal(await server.stop(), 0);
  stopped = true;
  await Promise.all(writers);
  assert.ok(kept.size > 20, `${kept.size} written`);
  const again = await spawnServer({ folder: server.folder });
  t.after(() => again.stop());
  for (const id of kept)
    assert.equal((await again.get(`/fhir/Basic/${id}`)).status, 200, id);
});

test('metrics count what was done, health says it is well, the log has a line a request', async (t) => {
  const server = await startServer(t, { args: ['--set', 'log.requests=yes'] });
  const answer = await server.get('/fhir/Basic/none?name=secret', { 'x-request-id': 'my-id.1' });
  assert.equal(answer.headers.get('x-request-id'), 'my-id.1');
  const { text } = await server.get('/metrics');
  assert.match(text, /frontline_http_requests_total\{method="GET",status="404"\} 1/);
  assert.match(text, /frontline_http_request_seconds_bucket\{method="GET",le="\+Inf"\} [1-9]/);
  assert.equal((await server.get('/health')).body.status, 'ok');
  await server.stop();
  const line = server.log.split('\n').filter((l) => l.startsWith('{')).map((l) => JSON.parse(l))
    .find((l) => l.id === 'my-id.1');
  assert.equal(line.status, 404);
  assert.equal(line.path, '/fhir/Basic/none');
  assert.ok(!server.log.includes('secret'), 'a query may name a patient');
});

test('the server shuts itself in its sandbox, unless it is told not to', async (t) => {
  const mode = async (sets) => {
    const server = await startServer(t, sets);
    return /Seccomp:\s+(\d)/.exec(readFileSync(`/proc/${server.child.pid}/status`, 'utf8'))[1];
  };
  assert.equal(await mode({}), '2');
  assert.notEqual(await mode({ args: ['--set', 'process.sandbox=no'] }), '2');
});

test('without sign-in every address answers, and none with a fault of ours', async (t) => {
  const server = await startServer(t);
  await server.put('/fhir/Patient/ann', { resourceType: 'Patient', id: 'ann' });
  const streams = /\/(live|events|ws|\$export|\$subscription.*)$/;
  for (const { method, path } of routes()) {
    if (streams.test(path) || !['GET', 'POST'].includes(method)) continue;
    const address = path.replace(/\{\w+\*?\}/g, 'ann');
    const { status } = await server.ask(method, address,
      { headers: { Accept: 'text/html' }, ...(method === 'POST' && { body: '' }) });
    assert.ok(status < 500, `${method} ${address} answered ${status}`);
  }
  assert.equal((await server.get('/health')).status, 200);
});
