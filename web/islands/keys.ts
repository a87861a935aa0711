// SPDX-License-Identifier: Apache-2.0
// keys: what can be done without a pointer, on every page.
//
//   / search   j k row   Enter opens   g then a letter: go to a section   ? help   Esc closes
//
// Each form also says for whom its page was drawn: the server writes nothing under the name of
// somebody who signed in on this browser meanwhile.
//
// Search is the first element with data-search; rows are those of tables and [data-row]; sections
// are links with data-key. Single keys can be switched off in the help, which the footer opens too.
const OFF = 'single-keys-off';
const GO_MS = 1500;

const sections = [...document.querySelectorAll<HTMLAnchorElement>('a[data-key]')];
const help = document.createElement('dialog');
help.className = 'app-dialog';
help.setAttribute('aria-labelledby', 'app-keys-title');
help.innerHTML = `<h2 id="app-keys-title" class="nhsuk-heading-m">Keys</h2>
<ul class="app-keys"><li><kbd>/</kbd> search</li><li><kbd>j</kbd> <kbd>k</kbd> next and previous row</li>
<li><kbd>Enter</kbd> open the row</li><li><kbd>?</kbd> this help</li></ul>
<form method="dialog"><p><label><input type="checkbox" id="app-keys-off"> Switch single keys off</label></p>
<button class="nhsuk-button nhsuk-button--secondary">Close</button></form>`;
const list = help.querySelector('ul')!;
for (const link of sections) {
  const item = document.createElement('li');
  item.innerHTML = '<kbd>g</kbd> <kbd></kbd> <span></span>';
  item.querySelectorAll('kbd')[1].textContent = link.dataset.key!;
  item.querySelector('span')!.textContent = link.textContent;
  list.append(item);
}
document.body.append(help);
const off = help.querySelector<HTMLInputElement>('#app-keys-off')!;
off.checked = localStorage.getItem(OFF) === '1';
off.addEventListener('change', () => localStorage.setItem(OFF, off.checked ? '1' : '0'));

const opener = document.querySelector<HTMLButtonElement>('#app-keys');
if (opener) {
  opener.hidden = false;
  opener.addEventListener('click', () => help.showModal());
}

function step(by: number) {
  const rows = [...document.querySelectorAll<HTMLElement>('.app-table tbody tr, [data-row]')]
    .filter((row) => row.offsetParent);
  if (!rows.length) return;
  const at = rows.findIndex((row) => row.classList.contains('is-current'));
  rows[at]?.classList.remove('is-current');
  const row = rows[Math.min(Math.max(at + by, 0), rows.length - 1)];
  row.classList.add('is-current');
  row.scrollIntoView({ block: 'nearest' });
  row.querySelector<HTMLElement>('a, button')?.focus({ preventScroll: true });
}

const person = document.querySelector<HTMLElement>('.app-header__user')?.dataset.user;
function stamp(form: HTMLFormElement) {
  if (!person || form.method !== 'post') return;
  const url = new URL(form.getAttribute('action') || location.href, location.href);
  url.searchParams.set('signed_in_as', person);
  form.setAttribute('action', url.pathname + url.search);
}
document.querySelectorAll('form').forEach(stamp);
document.addEventListener('submit', (event) => stamp(event.target as HTMLFormElement), true);

let going = 0;
const actions: Record<string, (event: KeyboardEvent) => void> = {
  j: () => step(1),
  k: () => step(-1),
  g: () => { going = Date.now(); },
  '?': () => help.showModal(),
  '/': (event) => {
    const field = document.querySelector<HTMLElement>('[data-search]');
    if (!field) return;
    event.preventDefault();
    field.focus();
  },
};

document.addEventListener('keydown', (event) => {
  const target = event.target as HTMLElement;
  const typing = target.matches('input:not([type=checkbox]):not([type=radio]), select, textarea, [contenteditable]');
  if (event.ctrlKey || event.metaKey || event.altKey || typing || off.checked) return;
  if (document.querySelector('dialog[open]')) return;
  const section = Date.now() - going < GO_MS && sections.find((link) => link.dataset.key === event.key);
  going = 0;
  if (section) section.click();
  else if (Object.hasOwn(actions, event.key)) actions[event.key](event);
});
export {};
