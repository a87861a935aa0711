// SPDX-License-Identifier: Apache-2.0
// lookup: makes a coded field a list that fills while somebody types. Without it the button looks
// the code up and the page comes again.
//
//   <div class="record-coded" data-codes="problem"> <input> <button name="look"> ... </div>
//
// The list is a combobox: arrows move, Enter takes, Escape closes. Typing on after a code was taken
// drops the code: words and code never disagree.
interface Hit { code: string; text: string }
let number = 0;

function attach(box: HTMLElement) {
  const input = box.querySelector<HTMLInputElement>('input.nhsuk-input')!;
  const list = document.createElement('ul');
  const state = document.createElement('p');
  let hits: Hit[] = [];
  let at = -1;
  let asked = '';
  list.className = 'record-hits';
  list.id = `hits-${number += 1}`;
  list.setAttribute('role', 'listbox');
  list.setAttribute('aria-label', 'Codes found');
  list.hidden = true;
  state.className = 'app-quiet record-coded__state';
  state.setAttribute('role', 'status');
  input.setAttribute('role', 'combobox');
  input.setAttribute('aria-autocomplete', 'list');
  input.setAttribute('aria-expanded', 'false');
  input.setAttribute('aria-controls', list.id);
  input.after(list, state);

  const code = (value: string) => {
    box.querySelector('.record-coded__found')?.remove();
    let hidden = box.querySelector<HTMLInputElement>('input[type=hidden]');
    if (!hidden) {
      hidden = document.createElement('input');
      hidden.type = 'hidden';
      hidden.name = `${input.name}_code`;
      box.append(hidden);
    }
    hidden.value = value;
    state.textContent = value ? `Coded: ${value.split('|').slice(0, 2).join(' ')}` : 'Not coded';
  };
  const close = () => {
    list.hidden = true;
    at = -1;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  };
  const take = (hit: Hit) => {
    input.value = hit.text;
    asked = hit.text;
    code(hit.code);
    close();
    input.dispatchEvent(new Event('input', { bubbles: true }));
  };
  const draw = () => {
    list.replaceChildren(...hits.map((hit, n) => {
      const item = document.createElement('li');
      item.id = `${list.id}-${n}`;
      item.textContent = hit.text;
      item.setAttribute('role', 'option');
      item.setAttribute('aria-selected', String(n === at));
      item.addEventListener('mousedown', (event) => { event.preventDefault(); take(hit); });
      return item;
    }));
    list.hidden = !hits.length;
    input.setAttribute('aria-expanded', String(!list.hidden));
    if (at >= 0) input.setAttribute('aria-activedescendant', `${list.id}-${at}`);
    else input.removeAttribute('aria-activedescendant');
  };
  const ask = async () => {
    const typed = input.value.trim();
    if (typed === asked) return;
    asked = typed;
    code('');
    if (typed.length < 2) { close(); return; }
    const url = `/record/codes?list=${box.dataset.codes}&q=${encodeURIComponent(typed)}`;
    const answer = await fetch(url, { headers: { Accept: 'application/json' } }).catch(() => undefined);
    if (!answer?.ok || asked !== typed) return;
    const found = await answer.json();
    hits = found.hits;
    at = -1;
    draw();
    if (found.near) state.textContent = 'Nothing begins so. These are one letter away.';
    else if (!hits.length) state.textContent = 'No code found. The words can stand without one.';
    else if (found.starter) state.textContent = 'From a short list: no terminology is loaded.';
  };
  input.addEventListener('focus', () => { // what the list holds is made ready before the first letter
    fetch(`/record/codes?list=${box.dataset.codes}&q=`).catch(() => undefined);
  }, { once: true });
  input.addEventListener('input', ask);
  input.addEventListener('blur', close);
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') close();
    if (list.hidden) return;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      at = (at + (event.key === 'ArrowDown' ? 1 : hits.length - 1) + (at < 0 && event.key === 'ArrowUp' ? 1 : 0)) % hits.length;
      event.preventDefault();
      draw();
    } else if (event.key === 'Enter' && at >= 0) {
      event.preventDefault();
      take(hits[at]);
    }
  });
  box.querySelector<HTMLElement>('.record-coded__look')!.hidden = true;
  asked = input.value.trim();
}

for (const box of document.querySelectorAll<HTMLElement>('[data-codes]')) attach(box);
export {};
