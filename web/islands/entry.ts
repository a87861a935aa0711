// SPDX-License-Identifier: Apache-2.0
// entry: the form of a set of observations. It asks the server what the typed values come to, notes
// when the set was taken for a form that is sent later, and lets Enter go to the next field. It holds
// no limit and no score: those are the server's.
//
//   <form data-entry="/obs/patient/1/preview" data-opened="1795..." >  with #obs-preview inside
const PAUSE_MS = 250;
const form = document.querySelector<HTMLFormElement>('form[data-entry]');

if (form) {
  const preview = document.getElementById('obs-preview')!;
  const started = performance.now();
  let timer = 0;
  let asked = 0;

  const body = () => new URLSearchParams(new FormData(form) as unknown as Record<string, string>);

  async function ask() {
    asked += 1;
    const mine = asked;
    try {
      const answer = await fetch(form!.dataset.entry!, { method: 'POST', body: body() });
      if (!answer.ok || mine !== asked) return;
      const holder = document.createElement('template');
      holder.innerHTML = await answer.text();
      preview.replaceChildren(holder.content);
    } catch {
      preview.dataset.away = 'yes'; // the server is away: the score comes with the answer
    }
  }

  // The server's clock when the form was drawn, plus what has passed here since: whatever this
  // device's own clock says.
  function note() {
    const field = form!.elements.namedItem('taken_ms') as HTMLInputElement;
    field.value = String(Math.round(Number(form!.dataset.opened) + performance.now() - started));
  }

  function gas() {
    const on = form!.querySelector<HTMLInputElement>('input[name="oxygen"][value="oxygen"]')!.checked;
    form!.classList.toggle('is-air', !on);
  }

  form.addEventListener('input', () => {
    gas();
    note();
    clearTimeout(timer);
    timer = window.setTimeout(ask, PAUSE_MS);
  });
  form.addEventListener('submit', note);
  form.addEventListener('reset', () => { // kept to be sent later: the next set starts from nothing
    clearTimeout(timer);
    asked += 1;
    preview.replaceChildren();
    setTimeout(gas);
  });
  form.addEventListener('keydown', (event) => {
    const target = event.target as HTMLElement;
    if (event.key !== 'Enter' || !target.matches('input[type="text"], input[type="radio"], select')) return;
    const fields = [...form!.querySelectorAll<HTMLElement>('input[type="text"], input[type="radio"]:checked, fieldset:not(:has(input:checked)) input[type="radio"], select, .obs-save')]
      .filter((field) => field.offsetParent !== null && !field.closest('details:not([open])'));
    const next = fields.slice(fields.indexOf(target) + 1).find((field) => (field as HTMLInputElement).name !== (target as HTMLInputElement).name);
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
  gas();
  form.classList.add('js');
  // Straight to work: the name stays in sight at the foot. A form that came back shows its faults first.
  if (!document.querySelector('[role="alert"]')) form.querySelector<HTMLElement>('input[type="text"]')?.focus();
}
export {};
