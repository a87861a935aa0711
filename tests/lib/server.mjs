// SPDX-License-Identifier: Apache-2.0
// Starts the real program for a test: on a free port, with a data folder of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const binary = process.env.FRONTLINE_BINARY ?? join(root, 'build/frontline-under-test');
export const shared = process.env.FRONTLINE_SHARED ?? join(root, '../shared');

// A path of ../shared/testdata, or undefined with the line ./test counts as a skip.
export function testdata(path) {
  const full = join(shared, 'testdata', path);
  if (existsSync(full)) return full;
  console.log('skipped: no ../shared/testdata');
  return undefined;
}

// Runs a command to its end: { code, stdout, stderr }.
export async function frontline(args, input) {
  const child = spawn(binary, args);
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => { texts[name] += text; });
  }
  child.stdin.end(input ?? '');
  const [code] = await once(child, 'close');
  return { code, ...texts };
}

export class Server {
  // options: { data, args, open } - data: a folder to use and leave alone.
  static async start(options = {}) {
    const server = new Server();
    server.own = !options.data;
    server.data = options.data ?? mkdtempSync(join(tmpdir(), 'frontline-'));
    const args = ['serve', '--data', server.data, '--listen', '127.0.0.1:0'];
    if (options.open !== false) args.push('--open');
    server.child = spawn(binary, [...args, ...(options.args ?? [])], { stdio: ['ignore', 'ignore', 'pipe'] });
    server.log = '';
    server.exited = once(server.child, 'exit');
    server.url = await new Promise((resolve, reject) => {
      server.child.stderr.setEncoding('utf8').on('data', (text) => {
        server.log += text;
        const found = /listening on (http:\S+)/.exec(server.log);
        if (found) resolve(found[1]);
      });
      server.child.on('exit', (code) => reject(new Error(`serve ended with ${code}: ${server.log}`)));
    });
    return server;
  }

  async fetch(path, options = {}) {
    const headers = options.body ? { 'Content-Type': 'application/fhir+json' } : {};
    return fetch(this.url + path, { ...options, headers: { ...headers, ...options.headers } });
  }

  // Sends JSON (or nothing) and gives { status, headers, body } with the body parsed where it is JSON.
  async send(method, path, resource, headers = {}) {
    const answer = await this.fetch(path, {
      method, headers, body: resource === undefined ? undefined : JSON.stringify(resource),
    });
    const text = await answer.text();
    let body = text;
    try { body = JSON.parse(text); } catch { /* not JSON: as it is */ }
    return { status: answer.status, headers: answer.headers, body };
  }

  async stop(signal = 'SIGTERM') {
    this.child.kill(signal);
    const [code] = await this.exited;
    if (this.own) rmSync(this.data, { recursive: true, force: true });
    return code;
  }
}
