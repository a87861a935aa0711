// SPDX-License-Identifier: Apache-2.0
// passkey: asks the browser for a passkey and hands what it says to the server, which alone judges.
//
//   <button data-passkey="sign-in|step-up|enrol" data-next="/path">   hidden until a passkey can be used
//   #passkey-fault   where a refusal is told
type Bytes = ArrayBuffer | Uint8Array<ArrayBuffer>;
type Words = Record<string, string>;

const fault = document.getElementById('passkey-fault');

function tell(text: string) {
  if (!fault) return;
  fault.textContent = text;
  fault.hidden = text === '';
}

const fromText = (text: string) => Uint8Array.from(
  atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
const toText = (bytes: Bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
  .replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '');

async function ask(path: string, body: Words) {
  const answer = await fetch(path, {
    method: 'POST', body: JSON.stringify(body),
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
  });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.issue?.[0]?.details?.text ?? 'That did not work. Try again.');
  return said;
}

async function prove(next: string, purpose: string) {
  const options = await ask('/auth/passkey/challenge', { purpose });
  const key = await navigator.credentials.get({ publicKey: {
    ...options, challenge: fromText(options.challenge), allowCredentials: [],
  } }) as PublicKeyCredential;
  const said = key.response as AuthenticatorAssertionResponse;
  return ask(`/auth/passkey/${purpose}`, {
    next, id: toText(key.rawId), clientDataJSON: toText(said.clientDataJSON),
    authenticatorData: toText(said.authenticatorData), signature: toText(said.signature),
    userHandle: said.userHandle ? toText(said.userHandle) : '',
  });
}

async function enrol(next: string) {
  const options = await ask('/auth/passkey/challenge', { purpose: 'enrol' });
  const known = (options.excludeCredentials as { id: string }[]);
  const key = await navigator.credentials.create({ publicKey: {
    ...options, challenge: fromText(options.challenge),
    user: { ...options.user, id: fromText(options.user.id) },
    excludeCredentials: known.map(({ id }) => ({ type: 'public-key' as const, id: fromText(id) })),
  } }) as PublicKeyCredential;
  const said = key.response as AuthenticatorAttestationResponse;
  const name = document.querySelector<HTMLInputElement>('#key-name')?.value ?? '';
  return ask('/auth/passkey/enrol', {
    next, name, clientDataJSON: toText(said.clientDataJSON),
    attestationObject: toText(said.attestationObject),
  });
}

// What the browser itself refuses has names, not sentences.
const REFUSALS: Words = {
  NotAllowedError: 'No passkey was used. Touch the key when it blinks, or use a one-time code.',
  InvalidStateError: 'This key is enrolled already. Use another one.',
  SecurityError: 'Passkeys cannot be used at this address. Tell the administrator.',
};

async function press(button: HTMLButtonElement) {
  const { passkey: purpose = '', next = '/' } = button.dataset;
  tell('');
  button.disabled = true;
  try {
    if (purpose === 'sign-in') sessionStorage.setItem('sign-in-begun', `passkey ${Date.now()}`);
    const done = await (purpose === 'enrol' ? enrol(next) : prove(next, purpose));
    location.assign(done.next);
  } catch (wrong) {
    const { name, message } = wrong as Error;
    tell(REFUSALS[name] ?? message);
    button.disabled = false;
    button.focus();
  }
}

for (const button of document.querySelectorAll<HTMLButtonElement>('[data-passkey]')) {
  if (typeof PublicKeyCredential === 'undefined') continue;
  button.hidden = false;
  button.addEventListener('click', () => press(button));
}
