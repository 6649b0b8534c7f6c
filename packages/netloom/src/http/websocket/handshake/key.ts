import type { Random } from '../../../core/index.ts';

/** SHA-1 of the platform (node:crypto has one), which the handshake of RFC 6455 needs. It guards no secret here. */
export type Sha1 = (bytes: Uint8Array) => Uint8Array;

/** What keys are joined with (RFC 6455, section 1.3). */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** A key for Sec-WebSocket-Key: 16 random bytes in base64. */
export function createKey(random: Random): string {
  return toBase64(random.fill(new Uint8Array(16)));
}

/** Whether it is 16 bytes in base64 (RFC 6455, section 4.2.1). */
export function isKey(text: string): boolean {
  return /^[A-Za-z0-9+/]{22}==$/.test(text);
}

/** Sec-WebSocket-Accept for a key: that the server knows what it speaks. */
export function acceptFor(key: string, sha1: Sha1): string {
  return toBase64(sha1(new TextEncoder().encode(key + GUID)));
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
