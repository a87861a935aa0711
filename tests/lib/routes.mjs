// SPDX-License-Identifier: Apache-2.0
// Every address the program answers, as the program itself lists them: [{ method, path, permission }].
import { execFileSync } from 'node:child_process';
import { binary } from './server.mjs';

export function routes() {
  const text = execFileSync(binary, ['docs', 'routes'], { encoding: 'utf8' });
  const rows = [...text.matchAll(/^\| ([A-Z]+) \| `(\S+)` \| (\S+) \|/gm)];
  return rows.map(([, method, path, permission]) => ({ method, path, permission }));
}
