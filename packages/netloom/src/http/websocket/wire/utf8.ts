/**
 * Says of text that comes in pieces whether it is UTF-8 (RFC 3629), and that it is not with the first byte that cannot stand
 * where it does: too long an encoding, a surrogate and a code point beyond U+10FFFF are seen by their second byte.
 */
export class Utf8Validator {
  /** Continuation bytes that the character begun still needs. */
  #needed = 0;
  /** What the next one may be: the first of a character has a narrower range after some leading bytes (Unicode, table 3-7). */
  #lowest = 0x80;
  #highest = 0xbf;

  /** No character is cut short where the text stands now. */
  get isComplete(): boolean {
    return this.#needed === 0;
  }

  /** Whether the text may go on with these bytes. Where it is complete, another may begin; after false, nothing makes sense. */
  accepts(bytes: Uint8Array, start: number, end: number): boolean {
    let at = start;
    while (at < end) {
      if (this.#needed === 0) {
        at = skipAscii(bytes, at, end);
        if (at === end) return true;
        if (!this.#lead(bytes[at++]!)) return false;
      } else if (!this.#continue(bytes[at++]!)) {
        return false;
      }
    }
    return true;
  }

  #lead(byte: number): boolean {
    this.#lowest = 0x80;
    this.#highest = 0xbf;
    if (byte < 0xc2 || byte > 0xf4) return false;
    if (byte < 0xe0) {
      this.#needed = 1;
    } else if (byte < 0xf0) {
      this.#needed = 2;
      // After E0 it would be too long, after ED a surrogate.
      if (byte === 0xe0) this.#lowest = 0xa0;
      else if (byte === 0xed) this.#highest = 0x9f;
    } else {
      this.#needed = 3;
      // After F0 it would be too long, after F4 beyond U+10FFFF.
      if (byte === 0xf0) this.#lowest = 0x90;
      else if (byte === 0xf4) this.#highest = 0x8f;
    }
    return true;
  }

  #continue(byte: number): boolean {
    if (byte < this.#lowest || byte > this.#highest) return false;
    this.#lowest = 0x80;
    this.#highest = 0xbf;
    this.#needed--;
    return true;
  }
}

/** Where the first byte beyond ASCII is, or the end. */
function skipAscii(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  for (; at + 8 <= end; at += 8) {
    const seen =
      bytes[at]! |
      bytes[at + 1]! |
      bytes[at + 2]! |
      bytes[at + 3]! |
      bytes[at + 4]! |
      bytes[at + 5]! |
      bytes[at + 6]! |
      bytes[at + 7]!;
    if (seen >= 0x80) break;
  }
  while (at < end && bytes[at]! < 0x80) at++;
  return at;
}
