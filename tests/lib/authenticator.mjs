// SPDX-License-Identifier: Apache-2.0
// A security key in software, written from the WebAuthn text, that can also misbehave:
//
//   const key = new Authenticator('EdDSA');
//   key.create(options, { origin })   the browser's answer to navigator.credentials.create
//   key.get(options, { origin, flags, count, rpId, tamper, ... })
import { createHash, createSign, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

const sha256 = (bytes) => createHash('sha256').update(bytes).digest();
const text = (bytes) => Buffer.from(bytes).toString('base64url');

function head(major, value) {
  if (value < 24) return Buffer.from([major << 5 | value]);
  if (value < 256) return Buffer.from([major << 5 | 24, value]);
  return Buffer.from([major << 5 | 25, value >> 8, value & 255]);
}

export function cbor(value) {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value]);
  if (Array.isArray(value)) return Buffer.concat([head(4, value.length), ...value.map(cbor)]);
  return Buffer.concat([head(5, value.size), ...[...value].flatMap(([k, v]) => [cbor(k), cbor(v)])]);
}

// Each kind: how to make a key, its COSE form, and its number.
const KINDS = {
  ES256: { alg: -7, make: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    cose: (jwk) => [[1, 2], [3, -7], [-1, 1], [-2, Buffer.from(jwk.x, 'base64url')], [-3, Buffer.from(jwk.y, 'base64url')]] },
  EdDSA: { alg: -8, make: () => generateKeyPairSync('ed25519'),
    cose: (jwk) => [[1, 1], [3, -8], [-1, 6], [-2, Buffer.from(jwk.x, 'base64url')]] },
  RS256: { alg: -257, make: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
    cose: (jwk) => [[1, 3], [3, -257], [-1, Buffer.from(jwk.n, 'base64url')], [-2, Buffer.from(jwk.e, 'base64url')]] },
};
export const UP = 1, UV = 4, BE = 8, BS = 16, AT = 64;

export class Authenticator {
  constructor(kind = 'ES256') {
    this.kind = KINDS[kind];
    Object.assign(this, this.kind.make(), { id: randomBytes(32), count: 0, handle: '' });
  }

  sign(bytes) {
    return this.kind.alg === -8 ? sign(null, bytes, this.privateKey)
      : createSign('sha256').update(bytes).sign(this.privateKey);
  }

  client(type, challenge, { origin, type: other, crossOrigin }) {
    return Buffer.from(JSON.stringify({ type: other ?? type, challenge, origin, crossOrigin: crossOrigin ?? false }));
  }

  data(rpId, flags, count, more = Buffer.alloc(0)) {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(count);
    return Buffer.concat([sha256(rpId), Buffer.from([flags]), counter, more]);
  }

  create(options, how) {
    this.handle = options.user.id;
    const client = this.client('webauthn.create', how.challenge ?? options.challenge, how);
    const cose = cbor(new Map(this.kind.cose(this.publicKey.export({ format: 'jwk' }))));
    const size = Buffer.from([this.id.length >> 8, this.id.length & 255]);
    const data = this.data(how.rpId ?? options.rp.id, how.flags ?? UP | UV | AT, this.count,
      Buffer.concat([Buffer.alloc(16), size, this.id, cose]));
    const statement = how.packed
      ? new Map([['alg', this.kind.alg], ['sig', this.sign(Buffer.concat([data, sha256(how.tamper ? 'x' : client)]))]])
      : new Map();
    const object = how.object ?? cbor(new Map([['fmt', how.format ?? (how.packed ? 'packed' : 'none')],
      ['attStmt', statement], ['authData', data]]));
    return { clientDataJSON: text(client), attestationObject: text(object) };
  }

  get(options, how) {
    this.count = how.count ?? this.count;
    const client = this.client('webauthn.get', how.challenge ?? options.challenge, how);
    const data = this.data(how.rpId ?? options.rpId, how.flags ?? UP | UV, this.count);
    const signature = this.sign(Buffer.concat([data, sha256(client)]));
    if (how.tamper) signature[signature.length - 1] ^= 1;
    return { id: text(how.id ?? this.id), clientDataJSON: text(client), authenticatorData: text(data),
      signature: text(signature), userHandle: how.handle ?? this.handle };
  }
}
