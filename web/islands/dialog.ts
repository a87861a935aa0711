// SPDX-License-Identifier: Apache-2.0
// dialog: a page as a window over the page one is on.
//
//   <a href="/beds/do/transfer?..." data-dialog>      the page has a [data-dialog-body]
//
// Without this script the link leads to that page, which works alone. Here its body is fetched into
// a <dialog>; its form is sent from there. A refusal comes back into the dialog; when it was done,
// what the next page says (#app-done) is shown on this one, which stays as it is: a live board has
// the change already.
const box = document.createElement('dialog');
box.className = 'app-dialog';
document.body.append(box);
let opened = '';

function show(page: Document, address: string): boolean {
  const body = page.querySelector('[data-dialog-body]');
  if (!body) return false;
  const title = page.querySelector('h1')!;
  const heading = document.createElement('h2');
  heading.className = 'nhsuk-heading-m';
  heading.id = 'app-dialog-title';
  heading.textContent = title.textContent;
  box.setAttribute('aria-labelledby', heading.id);
  box.replaceChildren(heading, ...body.childNodes);
  opened = address;
  if (!box.open) box.showModal();
  (box.querySelector<HTMLElement>('.nhsuk-error-summary') ??
   box.querySelector<HTMLElement>('input:not([type=hidden]), select, textarea, button'))?.focus();
  return true;
}

const read = async (answer: Response) => new DOMParser().parseFromString(await answer.text(), 'text/html');

async function open(link: HTMLAnchorElement) {
  try {
    const answer = await fetch(link.href, { headers: { Accept: 'text/html' } });
    if (show(await read(answer), link.href)) return;
  } catch { /* no answer: the link itself says so */ }
  location.href = link.href;
}

// What was done is said here; a page that does not follow the record by itself is fetched anew.
function finish(page: Document, address: string) {
  const said = page.querySelector('#app-done');
  const here = document.querySelector('#app-done');
  box.close();
  if (!said || !here || !document.body.dataset.live) {
    location.href = address;
    return;
  }
  here.className = said.className;
  here.replaceChildren(...said.childNodes);
  here.scrollIntoView({ block: 'nearest' });
}

async function send(form: HTMLFormElement, button: HTMLElement | null) {
  const data = new URLSearchParams(new FormData(form) as unknown as Record<string, string>);
  const named = button as HTMLButtonElement | null;
  if (named?.name) data.append(named.name, named.value);
  const buttons = [...form.querySelectorAll('button')];
  buttons.forEach((one) => { one.disabled = true; });
  try {
    const answer = await fetch(form.action, { method: 'POST', body: data, headers: { Accept: 'text/html' } });
    const page = await read(answer);
    if (answer.ok && answer.redirected) finish(page, answer.url);
    else if (!show(page, opened)) form.submit();
  } catch {
    const said = box.querySelector('.app-unsent') ?? document.createElement('p');
    said.className = 'app-unsent';
    said.setAttribute('role', 'alert');
    said.textContent = 'Not sent: the server cannot be reached. Nothing was changed. Try again.';
    form.before(said);
  } finally {
    buttons.forEach((one) => { one.disabled = false; });
  }
}

document.addEventListener('click', (event) => {
  const target = event.target as Element;
  const link = target.closest<HTMLAnchorElement>('a[data-dialog]');
  if (target.closest('[data-dialog-close]') && box.open) {
    event.preventDefault();
    box.close();
  } else if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    void open(link);
  }
});
box.addEventListener('submit', (event) => {
  event.preventDefault();
  void send(event.target as HTMLFormElement, (event as SubmitEvent).submitter);
});
box.addEventListener('click', (event) => { if (event.target === box) box.close(); });
export {};
