// SPDX-License-Identifier: Apache-2.0
// table: sorts a table by its headings. The server's order is kept until asked.
//
//   <table data-sortable>   a cell may carry data-sort where its text is not what sorts

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
export {};
