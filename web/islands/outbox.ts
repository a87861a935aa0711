// SPDX-License-Identifier: Apache-2.0
// outbox: what a person wrote is never lost: drafts by the keystroke, sending again after a lost
// connection, an outcome for each item.
//
//   <form method="post" data-outbox="Clinical note">   kept and sent later when the server cannot be
//         reached. The server must take the same form twice as once (a hidden field of its choosing)
//   data-draft=""      what is typed is kept in this browser until it is sent, for this user
//   data-autosave=""   the server keeps a draft too: POST with auto=1, answered {version, href}
//   <p data-draft-state="">   where the form says what is kept
//
// A queued item keeps its fields, where they go, and what became of it: waiting, sent, or refused
// with the server's reason. Only a person discards one. Items of another user stay, unshown; their
// address names that user (keys.ts), so that the server never takes them for the next one's.
// A draft keeps the version its form was drawn from: what somebody changed since is compared.
const QUEUE = 'outbox';
const RETRY_MS = 15_000;
const AUTOSAVE_MS = 8_000;
const DRAFT_DAYS = 2;
// Not a refusal: to sign in again (401), as this person (412); try later.
const LATER = [401, 408, 412, 429];
const user = document.querySelector<HTMLElement>('.app-header__user')?.dataset.user ?? '';

interface Item {
  id: string; user: string; url: string; body: string; label: string; at: number;
  state: 'waiting' | 'sent' | 'refused'; why?: string; href?: string;
}

const read = (): Item[] => {
  try { return JSON.parse(localStorage.getItem(QUEUE) ?? '[]'); } catch { return []; }
};
// False: this browser's storage is full or closed. What it held stays as it was.
const store = (name: string, value: object) => {
  try { localStorage.setItem(name, JSON.stringify(value)); return true; } catch { return false; }
};
const write = (items: Item[]) => store(QUEUE, items);
const change = (id: string, part: Partial<Item>) => write(read().map((i) => (i.id === id ? { ...i, ...part } : i)));
const clock = (at: number) => new Date(at).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
const fields = (form: HTMLFormElement, button?: HTMLElement | null) => {
  const data = new FormData(form);
  if (button instanceof HTMLButtonElement && button.name) data.append(button.name, button.value);
  return new URLSearchParams([...data].map(([name, value]) => [name, String(value)])).toString();
};
const post = (url: string, body: string) => fetch(url, {
  method: 'POST', body, headers: { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'text/html' },
});

// ---- the list of what is not sent yet ----

function element<K extends keyof HTMLElementTagNameMap>(name: K, text = '', kind = ''): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = kind;
  return made;
}

function line(item: Item) {
  const row = element('li');
  const words = { waiting: 'Not sent yet', sent: 'Sent', refused: 'Refused' };
  row.append(element('strong', words[item.state]), ` ${item.label}, written ${clock(item.at)}. `);
  if (item.why) row.append(element('span', `${item.why} `));
  const href = item.state === 'waiting' && item.why ? `/sign-in?next=${encodeURIComponent(location.pathname)}` : item.href;
  if (href) {
    const link = element('a', item.state === 'waiting' ? 'Sign in' : 'Open it');
    link.href = href;
    row.append(link, ' ');
  }
  const drop = element('button', item.state === 'sent' ? 'Hide' : 'Discard', 'app-link');
  drop.type = 'button';
  drop.addEventListener('click', () => {
    const sure = item.state === 'sent' || confirm(`Discard "${item.label}"? It was not sent.`);
    if (sure) { write(read().filter((i) => i.id !== item.id)); show(); }
  });
  row.append(drop);
  if (item.state === 'refused') {
    const again = element('button', 'Open the form to mend it', 'app-link');
    again.type = 'button';
    again.addEventListener('click', () => resend(item));
    row.append(' ', again);
  }
  return row;
}

// The server's own page answers a refused item: its form comes again with what was typed. The item
// goes once that form was taken.
function resend(item: Item) {
  const form = element('form');
  form.method = 'post';
  form.action = item.url;
  for (const [name, value] of new URLSearchParams(item.body)) {
    const input = element('input');
    input.type = 'hidden';
    input.name = name;
    input.value = value;
    form.append(input);
  }
  document.body.append(form);
  form.submit();
}

// What makes two sendings one: the id the form chose for what it makes.
const mark = (body: string) => {
  const sent = new URLSearchParams(body), id = sent.get('once') || sent.get('key') || '';
  return id.length < 16 ? '' : id; // a correction's key is its version
};
const settle = (body: string) => {
  const rest = read().filter((i) => i.state !== 'refused' || !mark(body) || mark(i.body) !== mark(body));
  if (rest.length !== read().length) write(rest);
};

function show() {
  const mine = read().filter((i) => i.user === user);
  let box = document.getElementById('app-outbox');
  if (!mine.length) { box?.remove(); return; }
  if (!box) {
    box = element('section', '', 'app-outbox');
    box.id = 'app-outbox';
    box.setAttribute('role', 'status');
    box.setAttribute('aria-label', 'Outbox');
    document.getElementById('main')?.prepend(box);
  }
  const waiting = mine.filter((i) => i.state === 'waiting').length;
  const list = element('ul');
  list.append(...mine.map(line));
  box.replaceChildren(element('p', waiting ? `Not sent yet (${waiting}). It goes by itself once the server can be reached.`
    : 'What was kept while the server could not be reached:'), list);
}

// ---- sending ----

const reason = (html: string) => {
  const page = new DOMParser().parseFromString(html, 'text/html');
  return (page.querySelector('.nhsuk-error-summary li') ?? page.querySelector('main > p'))?.textContent?.trim() ?? '';
};

const away = (status: number) => LATER.includes(status) || status >= 500;

async function send(item: Item): Promise<boolean> {
  let answer: Response;
  try { answer = await post(item.url, item.body); } catch { return false; }
  if (away(answer.status)) {
    const why = answer.status === 401 || answer.status === 412 ? `Sign in as ${item.user} to send it.` : '';
    if (why !== (item.why ?? '')) change(item.id, { why });
    return false;
  }
  if (answer.ok) change(item.id, { state: 'sent', href: answer.url, why: '' });
  else change(item.id, { state: 'refused', why: reason(await answer.text()) || `The server said ${answer.status}.` });
  return true;
}

async function drain() {
  // In the order they were written; one that cannot be sent holds up those after it.
  for (const item of read().filter((i) => i.user === user && i.state === 'waiting'))
    if (!await send(item)) break;
  show();
}
// Of several tabs one sends at a time.
let busy = false;
async function sendAll() {
  if (busy) return;
  busy = true;
  if (navigator.locks) await navigator.locks.request('outbox', drain);
  else await drain();
  busy = false;
}

function queue(form: HTMLFormElement, item: Item, status: number) {
  delete form.dataset.sending;
  if (!write([...read(), item])) {
    say(form, 'The server cannot be reached, and this browser has no room to keep what you wrote. '
      + 'Leave this page open and save again, or copy it to paper.');
    return;
  }
  forget(form);
  const made = form.querySelector<HTMLInputElement>('input[name=once], input[name=key]');
  if (made && made.value.length >= 16 && !form.querySelector<HTMLInputElement>('input[name=version]')?.value) { // free for the next one
    form.reset();
    made.value = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`.replace('0.', '');
  }
  say(form, status ? 'You are not signed in any more, or somebody else is. This is kept here and sent when you sign in again: see the list at the top.'
    : 'The server cannot be reached. This is kept here and sent later: see the list at the top.');
  show();
  document.getElementById('app-outbox')?.scrollIntoView();
}

async function submit(event: SubmitEvent) {
  const form = event.currentTarget as HTMLFormElement;
  const button = event.submitter;
  if (button?.getAttribute('name')) return; // looking something up: as without scripts
  event.preventDefault();
  if (form.dataset.sending) return;
  form.dataset.sending = 'yes';
  const item: Item = {
    id: crypto.randomUUID?.() ?? String(Date.now()), user, url: form.action, body: fields(form, button),
    label: `${form.dataset.outbox} (${document.querySelector('.app-banner__name a')?.textContent?.trim() ?? ''})`,
    at: Date.now(), state: 'waiting',
  };
  let answer: Response | undefined;
  try { answer = await post(item.url, item.body); } catch { /* kept, below */ }
  if (answer?.ok) {
    forget(form);
    settle(item.body);
    location.assign(answer.url);
  } else if (!answer || answer.status === 401 || answer.status === 412) {
    if (answer) item.why = `Sign in as ${user} to send it.`;
    queue(form, item, answer?.status ?? 0);
  } else {
    form.submit(); // refused: nothing was written; the server's page says why
  }
}

// ---- drafts ----

const key = (form: HTMLFormElement) => `draft:${user}:${new URL(form.action).pathname}`;
const forget = (form: HTMLFormElement) => localStorage.removeItem(key(form));
const say = (form: HTMLFormElement, text: string) => {
  const state = form.querySelector('[data-draft-state]');
  if (state) state.textContent = text;
};
type Values = Record<string, string>;
type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;
const inputs = (form: HTMLFormElement) => [...form.querySelectorAll<Field>(
  'input:not([type=hidden]):not([type=radio]):not([type=checkbox]), textarea, select')];
const choices = (form: HTMLFormElement) => [...form.querySelectorAll<HTMLInputElement>('input[type=radio]')]
  .filter((i) => !i.closest('.record-coded'));
const values = (form: HTMLFormElement) => Object.fromEntries(
  [...new FormData(form)].map(([name, value]) => [name, String(value)])) as Values;

function keep(form: HTMLFormElement) {
  const kept = store(key(form), { at: Date.now(), values: values(form) });
  if (!kept) say(form, 'This browser has no room to keep what you type: save often.');
}

function fill(form: HTMLFormElement, from: Values) {
  inputs(form).forEach((i) => { if (from[i.name] !== undefined) i.value = from[i.name]; });
  choices(form).forEach((i) => { if (from[i.name] !== undefined) i.checked = from[i.name] === i.value; });
  for (const box of form.querySelectorAll('.record-coded')) { // words and code never disagree
    const input = element('input');
    input.type = 'hidden';
    input.name = `${box.querySelector<HTMLInputElement>('input.nhsuk-input')!.name}_code`;
    input.value = from[input.name] ?? '';
    box.querySelectorAll('.record-coded__found, input[type=hidden]').forEach((i) => i.remove());
    box.append(input);
  }
  // The version it was drawn from, not today's: what changed between is compared, not overwritten.
  for (const name of ['version', 'once']) {
    const input = form.querySelector<HTMLInputElement>(`input[name=${name}]`);
    if (input && from[name] !== undefined) input.value = from[name];
  }
}

function restore(form: HTMLFormElement) {
  const text = localStorage.getItem(key(form));
  if (!text) return;
  const { at, values: typed } = JSON.parse(text) as { at: number; values: Values };
  const now = values(form);
  const old = Date.now() - at > DRAFT_DAYS * 86_400_000;
  const differs = [...inputs(form), ...choices(form)].some((i) => (typed[i.name] ?? '') !== (now[i.name] ?? ''));
  if (old || !differs) { forget(form); return; }
  fill(form, typed);
  say(form, `What you typed at ${clock(at)} and did not send was put back. `);
  const drop = element('button', 'Take it out again', 'app-link');
  drop.type = 'button';
  drop.addEventListener('click', () => {
    fill(form, now);
    forget(form);
    say(form, '');
  });
  form.querySelector('[data-draft-state]')?.append(drop);
}

// The server's draft: the version it answers is the one the form was drawn from next time.
async function autosave(form: HTMLFormElement) {
  if (form.dataset.sending) return;
  try {
    const answer = await post(form.action, `${fields(form)}&auto=1`);
    if (!answer.ok) {
      say(form, answer.status === 409 ? 'Somebody else changed this: save to compare.'
        : away(answer.status) ? `Kept in this browser, ${clock(Date.now())}: sign in again to save it.` : '');
      return;
    }
    const { version, href } = await answer.json();
    const input = form.querySelector<HTMLInputElement>('input[name=version]');
    if (input) input.value = version;
    forget(form);
    form.setAttribute('action', href + new URL(form.action).search);
    keep(form);
    say(form, `Draft saved ${clock(Date.now())}`);
  } catch { say(form, `The server cannot be reached. Kept in this browser, ${clock(Date.now())}`); }
}

for (const form of document.querySelectorAll<HTMLFormElement>('form[data-outbox]')) form.addEventListener('submit', submit);
for (const form of document.querySelectorAll<HTMLFormElement>('form[data-draft]')) {
  let timer = 0;
  restore(form);
  form.addEventListener('input', () => {
    keep(form);
    if (form.dataset.autosave === undefined) return;
    window.clearTimeout(timer);
    timer = window.setTimeout(() => autosave(form), AUTOSAVE_MS);
  });
}
window.addEventListener('online', sendAll);
setInterval(() => { if (read().some((i) => i.user === user && i.state === 'waiting')) sendAll(); }, RETRY_MS);
show();
sendAll();
export {};
