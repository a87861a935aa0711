// SPDX-License-Identifier: Apache-2.0
// A WebSocket client as small as the tests need (RFC 6455): Node's own arrives with version 22.
//   events: 'open', 'message' (text), 'close' (code)
import { createHash, randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { connect } from 'node:net';

export class WebSocket extends EventEmitter {
  constructor(url) {
    super();
    const { hostname, port, pathname } = new URL(url);
    const key = randomBytes(16).toString('base64');
    this.accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    this.bytes = Buffer.alloc(0);
    this.code = 1006;
    this.parts = [];
    this.socket = connect(Number(port), hostname, () => this.socket.write(
      `GET ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: keep-alive, Upgrade\r\n` +
      `Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`));
    this.socket.on('data', (part) => { this.bytes = Buffer.concat([this.bytes, part]); this.read(); });
    this.socket.on('error', () => {});
    this.socket.on('close', () => this.emit('close', this.code));
  }

  read() {
    if (!this.opened) {
      const end = this.bytes.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = this.bytes.subarray(0, end).toString();
      if (!head.startsWith('HTTP/1.1 101') || !head.includes(this.accept)) return void this.socket.destroy();
      this.bytes = this.bytes.subarray(end + 4);
      this.opened = true;
      this.emit('open');
    }
    while (this.frame());
  }

  frame() {
    if (this.bytes.length < 2) return false;
    const [first, second] = this.bytes;
    let length = second & 127, at = 2;
    if (length === 126) { if (this.bytes.length < 4) return false; length = this.bytes.readUInt16BE(2); at = 4; }
    else if (length === 127) { if (this.bytes.length < 10) return false; length = Number(this.bytes.readBigUInt64BE(2)); at = 10; }
    if (this.bytes.length < at + length) return false;
    const payload = this.bytes.subarray(at, at + length);
    this.bytes = this.bytes.subarray(at + length);
    this.take(first & 15, first >= 128, payload);
    return true;
  }

  take(opcode, whole, payload) {
    if (opcode === 9) return this.write(10, payload);
    if (opcode === 8) {
      this.code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
      this.write(8, payload.subarray(0, 2));
      return this.socket.end();
    }
    if (opcode > 2) return undefined;
    this.parts.push(payload);
    if (!whole) return undefined;
    const text = Buffer.concat(this.parts).toString();
    this.parts = [];
    return this.emit('message', text);
  }

  write(opcode, payload) {
    const mask = randomBytes(4);
    const masked = Buffer.from(payload.map((byte, i) => byte ^ mask[i % 4]));
    const head = payload.length < 126 ? Buffer.from([128 | opcode, 128 | payload.length])
      : Buffer.from([128 | opcode, 254, payload.length >> 8, payload.length & 255]);
    this.socket.write(Buffer.concat([head, mask, masked]));
  }

  send(text) { this.write(1, Buffer.from(text)); }
  close(code = 1000) { this.write(8, Buffer.from([code >> 8, code & 255])); }
}
