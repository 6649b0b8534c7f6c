import { createHash, timingSafeEqual } from 'node:crypto';
import { toHex, type Random } from 'netloom/core';

/** Bytes of a token: more than anybody can guess. */
const TOKEN_BYTES = 16;

/** Letters of a token. */
export const TOKEN_LENGTH: number = 2 * TOKEN_BYTES;

/** A token that nobody knows yet. */
export function makeToken(random: Random): string {
  return toHex(random.fill(new Uint8Array(TOKEN_BYTES)));
}

/** Whether a token is the right one. The time it takes says nothing of how near it was, nor of its length. */
export function isToken(given: string, right: string): boolean {
  return timingSafeEqual(digest(given), digest(right));
}

function digest(text: string): Uint8Array {
  return createHash('sha256').update(text).digest();
}
