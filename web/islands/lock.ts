// SPDX-License-Identifier: Apache-2.0
// lock: covers a shared workstation's screen when its session is locked or left, and tells the
// server which patient is on it. The server decides; this only makes the screen follow at once.
//
//   #app-lock[data-idle="300000"][data-cover]   idle limit; cover: the display alone
//   #app-lock-wait                              the sign-in page of a workstation
//   #patient-banner[data-patient]               who is on the screen
const { idle: lockIdle, cover: lockCover } = document.getElementById('app-lock')?.dataset ?? {};
const waits = document.getElementById('app-lock-wait') !== null;
const SIGN_IN = 'sign-in-begun';

const post = (path: string, body: object) => fetch(path, {
  method: 'POST', body: JSON.stringify(body), keepalive: true, headers: { 'Content-Type': 'application/json' },
}).catch(() => undefined);

// From the gesture on the sign-in page to this page: the whole time as the person had it.
function report() {
  const [method, begun] = (sessionStorage.getItem(SIGN_IN) ?? '').split(' ');
  sessionStorage.removeItem(SIGN_IN);
  if (begun) post('/auth/timing', { method, ms: Math.max(0, Date.now() - Number(begun)) });
}

function cover(text: string) {
  const sheet = document.createElement('div');
  sheet.className = 'app-cover';
  sheet.setAttribute('role', 'dialog');
  sheet.setAttribute('aria-label', text);
  sheet.textContent = text;
  if (lockCover) document.body.append(sheet);
  else document.body.replaceChildren(sheet);
  return sheet;
}

function leave() {
  cover('Locked');
  location.replace(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
}

async function look() {
  const answer = await fetch('/workstation/state', { headers: { Accept: 'application/json' } }).catch(() => undefined);
  if (answer?.status === 401) leave();
}

function heard() {
  if (!waits) { look(); return; }
  sessionStorage.setItem(SIGN_IN, `badge ${Date.now()}`);
  location.reload();
}

// One stream for all pages of the browser: whoever holds the lock listens and tells the others.
function listen() {
  const others = new BroadcastChannel('frontline-lock');
  others.onmessage = heard;
  const open = () => new Promise(() => {
    const source = new EventSource('/workstation/events');
    source.addEventListener('reload', () => { others.postMessage(0); heard(); });
    source.addEventListener('open', () => { if (!waits) look(); });
  });
  if (navigator.locks) navigator.locks.request('frontline-lock', open);
  else open();
}

function watch(limit: number) {
  let timer = 0;
  let sheet: HTMLElement | undefined;
  const over = async () => {
    if (lockCover) { sheet = cover('Covered. Press any key to see the screen again.'); return; }
    await fetch('/workstation/lock', { method: 'POST' }).catch(() => undefined);
    leave();
  };
  const again = () => {
    sheet?.remove();
    sheet = undefined;
    clearTimeout(timer);
    timer = window.setTimeout(over, limit);
  };
  for (const event of ['pointerdown', 'keydown', 'wheel', 'touchstart']) {
    document.addEventListener(event, again, { passive: true, capture: true });
  }
  again();
}

if (lockIdle !== undefined || waits) listen();
if (lockIdle !== undefined) {
  watch(Number(lockIdle));
  const patient = document.querySelector<HTMLElement>('#patient-banner')?.dataset.patient ?? '';
  post('/workstation/held', { patient });
  document.addEventListener('visibilitychange', () => { if (!document.hidden) look(); });
}
if (!waits) report();
