// SPDX-License-Identifier: Apache-2.0
// Starts the real program for a test: on a free loopback port, with a data folder of its own.
//
//   const server = await startServer(t);            // stops when the test ends
//   const { status, body } = await server.post('/fhir/Patient', { resourceType: 'Patient' });
//
// A new data folder is a copy of one that a server made and left empty: making the tables and the
// keys anew costs a second each time. `fresh: true` leaves the making to the server under test.
// FRONTLINE_BINARY names another binary than build/frontline-under-test.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const binaries = ['build/frontline-under-test', 'build/debug/frontline', 'build/release/frontline'];
export const binary = process.env.FRONTLINE_BINARY ??
  binaries.map((name) => join(root, name)).find(existsSync);
export const shared = process.env.FRONTLINE_SHARED ?? join(root, '../shared');
export const testdata = join(shared, 'testdata');

// What this process made or started goes with it, however it ends.
const folders = new Set(), children = new Set();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export function makeFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'frontline-'));
  folders.add(folder);
  return folder;
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
  // Options: folder or data (a data folder to use and leave alone), fresh, args (more for serve), open
  // (default true: nobody needs to sign in), under (a command that starts it).
  static async start({ data, folder = data, fresh = false, args = [], open = true, under = [] } = {}) {
    const server = new Server();
    server.folder = folder ?? makeFolder();
    if (!folder && !fresh) cpSync(await emptyFolder(), server.folder, { recursive: true });
    const words = [...under, binary, 'serve', '--data', server.folder, '--listen', '127.0.0.1:0', '--set', 'log.requests=no',
                   ...(open ? ['--open'] : []), ...args];
    server.child = spawn(words[0], words.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] });
    children.add(server.child);
    server.exited = new Promise((done) => {
      server.child.once('exit', (code) => { children.delete(server.child); done(code); });
    });
    server.log = '';
    server.url = await new Promise((ready, failed) => {
      server.child.once('error', failed);
      server.child.once('exit', (code) => failed(new Error(`serve ended with ${code}: ${server.log}`)));
      server.child.stderr.setEncoding('utf8').on('data', (text) => {
        server.log += text;
        const found = server.url ? null : /listening on (http:\S+)/.exec(server.log);
        if (found) ready(found[1]);
      });
    });
    return server;
  }

  get data() { return this.folder; } // as the commands call it

  // A body that is no text is sent as JSON. The answer: status, headers, text, and body where it is JSON.
  async ask(method, path, { body, headers = {} } = {}) {
    const sent = body === undefined || typeof body === 'string' || body instanceof Uint8Array
      ? body : JSON.stringify(body);
    const answer = await this.fetch(path, { method, body: sent, redirect: 'manual', headers });
    const text = await answer.text();
    const json = (answer.headers.get('content-type') ?? '').includes('json');
    return { status: answer.status, headers: answer.headers, text,
             body: json && text ? JSON.parse(text) : undefined };
  }

  get(path, headers) { return this.ask('GET', path, { headers }); }
  post(path, body, headers) { return this.ask('POST', path, { body, headers }); }
  put(path, body, headers) { return this.ask('PUT', path, { body, headers }); }
  patch(path, body, headers = {}) {
    return this.ask('PATCH', path, { body, headers: { 'content-type': 'application/json-patch+json',
                                                      ...headers } });
  }
  delete(path, headers) { return this.ask('DELETE', path, { headers }); }

  // The same in one call; body is the text where it is not JSON.
  async send(method, path, body, headers = {}) {
    const answer = await this.ask(method, path, { body, headers });
    return { ...answer, body: answer.body ?? answer.text };
  }

  fetch(path, options = {}) {
    const type = options.body === undefined ? {} : { 'content-type': 'application/fhir+json' };
    const given = Object.entries(options.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
    return fetch(this.url + path, { ...options, headers: { ...type, ...Object.fromEntries(given) } });
  }

  // Resolves to the exit code.
  stop(signal = 'SIGTERM') {
    this.child.kill(signal);
    return this.exited;
  }
}

export const spawnServer = (options) => Server.start(options);

export async function startServer(t, options = {}) {
  const server = await Server.start(options);
  t.after(() => server.stop());
  return server;
}

// The folder that new ones are copied from, made once for a binary.
async function emptyFolder() {
  const made = statSync(binary);
  const all = join(tmpdir(), `frontline-empty-${process.getuid()}`);
  const folder = join(all, `${made.dev}-${made.ino}-${made.mtimeMs}`);
  if (existsSync(folder)) return folder;
  const server = await Server.start({ fresh: true });
  await server.stop();
  mkdirSync(all, { recursive: true, mode: 0o700 });
  try {
    cpSync(server.folder, `${folder}.${process.pid}`, { recursive: true });
    renameSync(`${folder}.${process.pid}`, folder);
  } catch (fault) { // another file's process was sooner
    if (!existsSync(folder)) throw fault;
    rmSync(`${folder}.${process.pid}`, { recursive: true, force: true });
  }
  return folder;
}
