// SPDX-License-Identifier: Apache-2.0
// table: sorts a table by its headings and walks it by keys. The server's order is kept until asked.
//
//   <table data-sortable>   a cell may carry data-sort where its text is not what sorts
//   / search   j k row   Enter opens   ? help   Single keys can be switched off in the help.
const OFF = 'single-keys-off';

function key(row: HTMLTableRowElement, column: number): string | number {
  const cell = row.cells[column];
  const text = cell?.dataset.sort ?? cell?.textContent?.trim() ?? '';
  const number = Number(text.replace(/,/g, ''));
  return text !== '' && !Number.isNaN(number) ? number : text.toLowerCase();
}

function compare(a: string | number, b: string | number): number {
  if (typeof a === typeof b) return a < b ? -1 : Number(a > b);
  return typeof a === 'number' ? -1 : 1;
}

function sort(table: HTMLTableElement, heading: HTMLTableCellElement) {
  const up = heading.getAttribute('aria-sort') !== 'ascending';
  for (const other of table.tHead!.rows[0].cells) other.removeAttribute('aria-sort');
  heading.setAttribute('aria-sort', up ? 'ascending' : 'descending');
  const body = table.tBodies[0];
  const rows = [...body.rows].sort((a, b) => compare(key(a, heading.cellIndex), key(b, heading.cellIndex)));
  body.append(...(up ? rows : rows.reverse()));
}

for (const table of document.querySelectorAll<HTMLTableElement>('table[data-sortable]')) {
  for (const heading of table.tHead?.rows[0]?.cells ?? []) {
    if (!heading.textContent?.trim()) continue;
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'app-sort';
    button.append(...heading.childNodes);
    button.addEventListener('click', () => sort(table, heading));
    heading.append(button);
  }
}

const help = document.createElement('dialog');
help.className = 'app-keys';
help.setAttribute('aria-labelledby', 'app-keys-title');
help.innerHTML = `<h2 id="app-keys-title" class="nhsuk-heading-m">Keys</h2>
<ul><li><kbd>/</kbd> search</li><li><kbd>j</kbd> <kbd>k</kbd> next and previous row</li>
<li><kbd>Enter</kbd> open the row</li><li><kbd>?</kbd> this help</li></ul>
<form method="dialog"><label><input type="checkbox" id="app-keys-off"> Switch single keys off</label>
<p><button class="nhsuk-button nhsuk-button--secondary">Close</button></p></form>`;
document.body.append(help);
const off = help.querySelector<HTMLInputElement>('#app-keys-off')!;
off.checked = localStorage.getItem(OFF) === '1';
off.addEventListener('change', () => localStorage.setItem(OFF, off.checked ? '1' : '0'));

function step(by: number) {
  const rows = [...document.querySelectorAll<HTMLTableRowElement>('.app-table tbody tr')];
  if (!rows.length) return;
  const at = rows.findIndex((row) => row.classList.contains('is-current'));
  rows[at]?.classList.remove('is-current');
  const row = rows[Math.min(Math.max(at + by, 0), rows.length - 1)];
  row.classList.add('is-current');
  row.scrollIntoView({ block: 'nearest' });
  row.querySelector<HTMLElement>('a, button')?.focus({ preventScroll: true });
}

document.addEventListener('keydown', (event) => {
  const target = event.target as HTMLElement;
  if (event.ctrlKey || event.metaKey || event.altKey || target.matches('input, select, textarea, [contenteditable]')) return;
  if (event.key === '?') help.showModal();
  if (off.checked) return;
  if (event.key === 'j') step(1);
  if (event.key === 'k') step(-1);
  if (event.key === '/') {
    const field = document.querySelector<HTMLElement>('[data-search]');
    if (field) { event.preventDefault(); field.focus(); }
  }
});
export {};
