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
// with the server's reason. Only a person discards one. Items of another user stay, unshown.
const QUEUE = 'outbox';
const RETRY_MS = 15_000;
const AUTOSAVE_MS = 8_000;
const DRAFT_DAYS = 2;
const user = document.querySelector('.app-header__user')?.textContent ?? '';

interface Item {
  id: string; user: string; url: string; body: string; label: string; at: number;
  state: 'waiting' | 'sent' | 'refused'; why?: string; href?: string;
}

const read = (): Item[] => {
  try { return JSON.parse(localStorage.getItem(QUEUE) ?? '[]'); } catch { return []; }
};
const write = (items: Item[]) => localStorage.setItem(QUEUE, JSON.stringify(items));
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
  if (item.href) {
    const link = element('a', 'Open it');
    link.href = item.href;
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

// The server's own page answers a refused item: its form comes again with what was typed.
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
  write(read().filter((i) => i.id !== item.id));
  form.submit();
}

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

async function send(item: Item): Promise<boolean> {
  let answer: Response;
  try { answer = await post(item.url, item.body); } catch { return false; }
  if (answer.status === 401 || answer.status >= 500) return false;
  if (answer.ok) change(item.id, { state: 'sent', href: answer.url, why: '' });
  else change(item.id, { state: 'refused', why: reason(await answer.text()) || `The server said ${answer.status}.` });
  return true;
}

let busy = false;
async function drain() {
  if (busy) return;
  busy = true;
  // In the order they were written; one that cannot be sent holds up those after it.
  for (const item of read().filter((i) => i.user === user && i.state === 'waiting'))
    if (!await send(item)) break;
  busy = false;
  show();
}

async function submit(event: SubmitEvent) {
  const form = event.currentTarget as HTMLFormElement;
  const button = event.submitter;
  if (button?.getAttribute('name') || form.dataset.sending) return; // looking something up: as without scripts
  event.preventDefault();
  form.dataset.sending = 'yes';
  const item: Item = {
    id: crypto.randomUUID?.() ?? String(Date.now()), user, url: form.action, body: fields(form, button),
    label: `${form.dataset.outbox} (${document.querySelector('.app-banner__name a')?.textContent?.trim() ?? ''})`,
    at: Date.now(), state: 'waiting',
  };
  try {
    const answer = await post(item.url, item.body);
    if (answer.ok) {
      forget(form);
      location.assign(answer.url);
    } else {
      form.submit(); // refused: nothing was written; the server's page says why
    }
  } catch {
    write([...read(), item]);
    forget(form);
    delete form.dataset.sending;
    say(form, 'The server cannot be reached. This is kept here and sent later: see the list at the top.');
    show();
    document.getElementById('app-outbox')?.scrollIntoView();
  }
}

// ---- drafts ----

const key = (form: HTMLFormElement) => `draft:${user}:${new URL(form.action).pathname}`;
const forget = (form: HTMLFormElement) => localStorage.removeItem(key(form));
const say = (form: HTMLFormElement, text: string) => {
  const state = form.querySelector('[data-draft-state]');
  if (state) state.textContent = text;
};
const inputs = (form: HTMLFormElement) => [...form.querySelectorAll<HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement>(
  'input:not([type=hidden]):not([type=radio]):not([type=checkbox]), textarea, select')];

function keep(form: HTMLFormElement) {
  const values = Object.fromEntries(inputs(form).map((i) => [i.name, i.value]));
  localStorage.setItem(key(form), JSON.stringify({ at: Date.now(), values }));
}

function restore(form: HTMLFormElement) {
  const text = localStorage.getItem(key(form));
  if (!text) return;
  const { at, values } = JSON.parse(text) as { at: number; values: Record<string, string> };
  const old = Date.now() - at > DRAFT_DAYS * 86_400_000;
  const differs = inputs(form).some((i) => values[i.name] !== undefined && values[i.name] !== i.value);
  if (old || !differs) { forget(form); return; }
  const before = inputs(form).map((i) => i.value);
  inputs(form).forEach((i) => { if (values[i.name] !== undefined) i.value = values[i.name]; });
  say(form, `What you typed at ${clock(at)} and did not send was put back. `);
  const drop = element('button', 'Take it out again', 'app-link');
  drop.type = 'button';
  drop.addEventListener('click', () => {
    inputs(form).forEach((i, n) => { i.value = before[n]; });
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
    if (!answer.ok) { say(form, answer.status === 409 ? 'Somebody else changed this: save to compare.' : ''); return; }
    const { version, href } = await answer.json();
    const input = form.querySelector<HTMLInputElement>('input[name=version]');
    if (input) input.value = version;
    localStorage.removeItem(key(form));
    form.action = href;
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
window.addEventListener('online', drain);
setInterval(() => { if (read().some((i) => i.state === 'waiting')) drain(); }, RETRY_MS);
drain();
export {};
