// SPDX-License-Identifier: Apache-2.0
// drag: a patient's row dragged onto a bed that nobody lies in opens the form of the move, with that
// bed chosen. An addition for a mouse: the same form is behind the row's own Move, and it alone
// decides: it asks for two identifiers and says which rule a bed would break.
//
//   <tr data-stay="ENCOUNTER">  can be dragged       <tr data-bed="BED">  can be dropped on
//
// Rows are replaced as the board follows the record, so nothing is kept of them but their ids.
const row = (event: Event, kind: string) =>
  (event.target as Element).closest?.<HTMLElement>(`tr[data-${kind}]`) ?? null;
let stay = '';
let name = '';

function mark(over: Element | null) {
  for (const old of document.querySelectorAll('tr.is-drop')) if (old !== over) old.classList.remove('is-drop');
  over?.classList.add('is-drop');
}

function end() {
  stay = '';
  mark(null);
  document.body.classList.remove('is-dragging');
}

// A row can be dragged by its patient's name, once a mouse is over it: text stays selectable elsewhere.
document.addEventListener('pointerover', (event) => {
  const handle = (event.target as Element).closest?.<HTMLElement>('tr[data-stay] .app-name');
  if (event.pointerType === 'mouse' && handle) handle.draggable = true;
});
document.addEventListener('dragstart', (event) => {
  const from = row(event, 'stay');
  if (!from || !(event.target as Element).closest?.('.app-name')) return;
  stay = from.dataset.stay!;
  name = from.querySelector('.app-name')?.textContent ?? '';
  event.dataTransfer!.effectAllowed = 'move';
  event.dataTransfer!.setData('text/plain', name);
  document.body.classList.add('is-dragging');
});
document.addEventListener('dragover', (event) => {
  const over = stay ? row(event, 'bed') : null;
  if (over) event.preventDefault(); // it may be dropped here
  mark(over);
});
document.addEventListener('dragend', end);
document.addEventListener('drop', (event) => {
  const over = stay ? row(event, 'bed') : null;
  if (!over) return;
  event.preventDefault();
  const link = document.createElement('a');
  link.href = `/beds/do/transfer?encounter=${encodeURIComponent(stay)}&bed=${encodeURIComponent(over.dataset.bed!)}`;
  link.dataset.dialog = '';
  link.hidden = true;
  end();
  document.body.append(link);
  link.click(); // the dialog's script opens it as a window; without it the page itself
  link.remove();
});
export {};
