// SPDX-License-Identifier: Apache-2.0
// live: keeps a page in step with the log. The server sends HTML elements with ids; each replaces
// its namesake, once an animation frame, and leaves alone what a person is typing in.
//
//   <body data-live="/beds/live?ward=a" data-live-seq="1042">   elements below carry data-live
//
// Events:  (none)  elements to put in place      reload  something was missed: fetch the page again
//          more    elements came or went: say so, move nothing under the pointer
//          beat    nothing new, all is well
// A beat comes every ten seconds; the banner stands within twenty of losing the server.
const STALE_MS = 18_500;
const body = document.body;
const stale = document.getElementById('app-stale')!;
const pending = document.getElementById('app-pending')!;
const state = document.getElementById('app-live')!;

let source: EventSource | undefined;
let seq = body.dataset.liveSeq ?? '0';
let heard = Date.now();
let waiting = new Map<string, Element>();
let frame = 0;
let changes = 0;

const clock = (at: number) => new Date(at).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
const typing = (element: Element) => {
  const focus = document.activeElement;
  return !!focus && element.contains(focus) && focus.matches('input, select, textarea, [contenteditable]');
};

function put(id: string, next: Element) {
  const old = document.getElementById(id);
  if (!old || old.outerHTML === next.outerHTML) return;
  const focus = old.contains(document.activeElement) ? document.activeElement!.id : '';
  old.replaceWith(next);
  if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
}

function apply() {
  frame = 0;
  const later = new Map<string, Element>();
  for (const [id, next] of waiting) {
    const old = document.getElementById(id);
    if (old && typing(old)) later.set(id, next);
    else put(id, next);
  }
  waiting = later;
}

function take(html: string) {
  const holder = document.createElement('template');
  holder.innerHTML = html;
  for (const element of [...holder.content.children]) waiting.set(element.id, element);
  frame ||= requestAnimationFrame(apply);
}

function alive(event: MessageEvent) {
  heard = Date.now();
  if (event.lastEventId) seq = event.lastEventId;
  if (!body.classList.contains('is-stale')) return;
  body.classList.remove('is-stale');
  stale.hidden = true;
  state.textContent = 'Live';
}

function check() {
  if (Date.now() - heard < STALE_MS || body.classList.contains('is-stale')) return;
  body.classList.add('is-stale');
  state.textContent = 'Reconnecting';
  stale.textContent = `Not live since ${clock(heard)}. What you see may be out of date.`;
  stale.hidden = false;
}

function more() {
  changes += 1;
  const button = pending.querySelector('button')!;
  button.textContent = changes === 1 ? '1 update, show' : `${changes} updates, show`;
  pending.hidden = false;
}

function open() {
  const url = new URL(body.dataset.live!, location.href);
  url.searchParams.set('after', seq);
  source = new EventSource(url);
  source.onmessage = (event) => { alive(event); take(event.data); };
  source.addEventListener('beat', alive as EventListener);
  source.addEventListener('more', ((event: MessageEvent) => { alive(event); more(); }) as EventListener);
  source.addEventListener('reload', () => { source!.close(); location.reload(); });
  // The browser tries again by itself, but gives up where the answer is not a stream.
  source.onerror = () => {
    if (source!.readyState === EventSource.CLOSED) setTimeout(() => { if (!document.hidden) open(); }, 3000);
  };
}

document.addEventListener('visibilitychange', () => {
  source?.close();
  if (!document.hidden) open();
});
document.addEventListener('focusout', () => { if (waiting.size) frame ||= requestAnimationFrame(apply); });
pending.querySelector('button')!.addEventListener('click', () => location.reload());
setInterval(check, 500);
body.classList.add('js');
state.textContent = 'Live';
open();
export {};
