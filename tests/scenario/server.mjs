// SPDX-License-Identifier: Apache-2.0
// Starts the program on a free loopback port with a data folder of its own, for one test file.
//
//   const server = await startServer(t);            // stops and cleans up when the test ends
//   const { status, body } = await server.post('/fhir/Patient', { resourceType: 'Patient' });
//
// FRONTLINE_BINARY names another binary than build/debug/frontline.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const shared = process.env.FRONTLINE_SHARED ?? resolve(root, '../shared');
export const testdata = join(shared, 'testdata');

const binaries = ['build/frontline-under-test', 'build/debug/frontline', 'build/release/frontline'];
export const binary = process.env.FRONTLINE_BINARY ??
  binaries.map((name) => join(root, name)).find(existsSync);

const FHIR = 'application/fhir+json';

async function answerOf(response) {
  const text = await response.text();
  const json = (response.headers.get('content-type') ?? '').includes('json');
  return { status: response.status, headers: response.headers, text,
           body: json && text ? JSON.parse(text) : undefined };
}

export class Server {
  constructor(child, url, folder) {
    Object.assign(this, { child, url, folder, log: '' });
  }

  async ask(method, path, { body, headers = {} } = {}) {
    const sent = body === undefined || typeof body === 'string' || body instanceof Uint8Array
      ? body : JSON.stringify(body);
    const type = sent === undefined ? {} : { 'content-type': FHIR };
    return answerOf(await fetch(this.url + path, { method, body: sent, redirect: 'manual',
                                                   headers: { ...type, ...headers } }));
  }

  get(path, headers) { return this.ask('GET', path, { headers }); }
  post(path, body, headers) { return this.ask('POST', path, { body, headers }); }
  put(path, body, headers) { return this.ask('PUT', path, { body, headers }); }
  patch(path, body, headers = {}) {
    return this.ask('PATCH', path, { body, headers: { 'content-type': 'application/json-patch+json',
                                                      ...headers } });
  }
  delete(path, headers) { return this.ask('DELETE', path, { headers }); }

  // Resolves to the exit code.
  stop(signal = 'SIGTERM') {
    if (this.child.exitCode !== null || this.child.signalCode !== null)
      return Promise.resolve(this.child.exitCode);
    return new Promise((done) => {
      this.child.once('exit', (code) => done(code));
      this.child.kill(signal);
    });
  }
}

// Options: folder (kept when given), args (more for serve), open (default true).
export async function spawnServer({ folder, args = [], open = true } = {}) {
  const data = folder ?? mkdtempSync(join(tmpdir(), 'frontline-'));
  const words = ['serve', '--data', data, '--listen', '127.0.0.1:0', '--set', 'log.requests=no',
                 ...(open ? ['--open'] : []), ...args];
  const child = spawn(binary, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  const server = new Server(child, '', data);
  await new Promise((ready, failed) => {
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (text) => {
      server.log += text;
      const found = server.url ? null : /listening on (http:\S+)/.exec(server.log);
      if (found) {
        server.url = found[1];
        ready();
      }
    });
    child.once('error', failed);
    child.once('exit', (code) => failed(new Error(`serve ended with ${code}: ${server.log}`)));
  });
  return server;
}

export async function startServer(t, options = {}) {
  const server = await spawnServer(options);
  t.after(async () => {
    await server.stop();
    if (!options.folder)
      rmSync(server.folder, { recursive: true, force: true });
  });
  return server;
}
