// SPDX-License-Identifier: Apache-2.0
// live: keeps a page in step with the log. The server sends HTML elements with ids; each replaces
// its namesake, once an animation frame, and leaves alone what a person is typing in.
//
//   <body data-live="/beds/live?ward=a" data-live-seq="1042">   elements below carry data-live
//
// Events:  (none)  elements to put in place      reload  something was missed: fetch the page again
//          more    elements came or went: say so, move nothing under the pointer
//          beat    nothing new, all is well
// A beat comes every ten seconds; the banner stands within twenty of losing the server, and after
// five minutes the age of the data is red.
//
// On a page that shows a choice of what there is (data-live-part, how ids begin), an element that has
// no namesake is counted and offered: nothing appears or moves under the pointer.
// <time data-until="MS"> counts down to an instant and data-since up from one, in minutes.
const STALE_MS = 18_500;
const OLD_MS = 300_000;
const body = document.body;
const stale = document.getElementById('app-stale')!;
const pending = document.getElementById('app-pending')!;
const state = document.getElementById('app-live')!;

let source: EventSource | undefined;
let seq = body.dataset.liveSeq ?? '0';
let heard = Date.now();
let waiting = new Map<string, Element>();
let frame = 0;
const unseen = new Set<string>(); // ids, and a number for each change that has none

const age = document.getElementById('app-age-text');
const apart = Date.now() - Number(body.dataset.now ?? Date.now()); // this machine's clock, less the server's
const clock = (at: number) => new Date(at).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
const typing = (element: Element) => {
  const focus = document.activeElement;
  return !!focus && element.contains(focus) && focus.matches('input, select, textarea, [contenteditable]');
};

// The server names every row of a list: one that is on the page and not among them has left. It
// stays where it is, so that nothing moves under the pointer, and says so.
function keep(part: string, ids: string) {
  const listed = new Set(ids.split(' '));
  for (const row of document.querySelectorAll<HTMLElement>(`[data-live][id^="${part}"]:not(.is-gone)`)) {
    if (listed.has(row.id)) continue;
    const focused = row.contains(document.activeElement);
    row.classList.add('is-gone');
    (row.querySelector('.app-do') ?? row).textContent = 'No longer on this list';
    row.tabIndex = -1;
    if (focused) row.focus({ preventScroll: true });
  }
  for (const id of unseen) if (id.startsWith(part) && !listed.has(id)) unseen.delete(id);
  offer();
}

function put(id: string, next: Element) {
  const { livePart, liveKeep } = (next as HTMLElement).dataset;
  if (livePart && liveKeep !== undefined) return keep(livePart, liveKeep);
  const old = document.getElementById(id);
  if (!old && body.dataset.livePart && id.startsWith(body.dataset.livePart)) more(id);
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
  tick();
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

const span = (ms: number) => {
  const minutes = Math.floor(ms / 60_000);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};

// How long until a reservation or a clean ends, or since it was due.
function tick() {
  for (const time of document.querySelectorAll<HTMLElement>('time[data-until], time[data-since]')) {
    const at = Number(time.dataset.until ?? time.dataset.since) + apart;
    const left = time.dataset.until ? at - Date.now() : Date.now() - at;
    const text = left >= 0 ? `${span(left)}${time.dataset.until ? ' left' : ''}` : `${span(-left)} over`;
    time.classList.toggle('is-over', left < 0);
    if (time.textContent !== text) time.textContent = text;
  }
  const silent = Date.now() - heard;
  body.classList.toggle('is-old', silent > OLD_MS);
  if (age) age.textContent = silent < 15_000 ? 'now' : silent < 60_000 ? 'less than a minute ago' : `${span(silent)} ago`;
}

function check() {
  if (Date.now() - heard < STALE_MS || body.classList.contains('is-stale')) return;
  body.classList.add('is-stale');
  state.textContent = 'Reconnecting';
  stale.textContent = `Not live since ${clock(heard)}. What you see may be out of date.`;
  stale.hidden = false;
}

function more(what = String(unseen.size)) {
  unseen.add(what);
  offer();
}

function offer() {
  const button = pending.querySelector('button')!;
  button.textContent = unseen.size === 1 ? '1 update, show' : `${unseen.size} updates, show`;
  pending.hidden = unseen.size === 0;
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
setInterval(tick, 5000);
tick();
body.classList.add('js');
state.textContent = 'Live';
open();
export {};
