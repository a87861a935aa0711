// SPDX-License-Identifier: Apache-2.0
// The entries of the audit chain as they stand in the record's file, oldest first.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const READ = `import sqlite3, subprocess, sys
for (texts,) in sqlite3.connect(sys.argv[1]).execute("SELECT texts FROM audit_block ORDER BY n"):
    raw = texts if isinstance(texts, bytes) else texts.encode()
    if not raw.startswith(b"["):
        raw = subprocess.run(["zstd", "-dcq"], input=raw, stdout=subprocess.PIPE, check=True).stdout
    sys.stdout.buffer.write(raw)
`;

export function auditEntries(folder) {
  const text = execFileSync('python3', ['-c', READ, join(folder, 'record.db')], { encoding: 'utf8' });
  return text.trim().split('\n').filter(Boolean).map((line) => {
    const [at, who, person, role, act, what, outcome, request, address, client, behalf, purpose, reason, pids] = JSON.parse(line);
    return { at, who, person, role, act, what, outcome, request, address, client, behalf, purpose, reason, pids };
  });
}

// The entries `wanted` says yes to, once there are `count`: the chain takes them a moment after the answer.
export async function auditUntil(folder, wanted, count = 1, ms = 8000) {
  for (const until = Date.now() + ms; ;) {
    const found = auditEntries(folder).filter(wanted);
    if (found.length >= count || Date.now() > until) return found;
    await new Promise((done) => setTimeout(done, 50));
  }
}
