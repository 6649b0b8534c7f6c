import { readInt32 } from '../../core/index.ts';

/**
 * The running hash of what happens in a world: two runs with the same hash were, for all that anyone will see, the same
 * run. Two lanes of 32 bits with the steps of MurmurHash3 (Austin Appleby, public domain), one with its constants and one with
 * others. It tells runs apart; against somebody who wants two to look alike it is worth nothing.
 */
export class RunHash {
  #first = 0x2545_f491;
  #second = 0x4f6c_dd1d;
  readonly #view = new DataView(new ArrayBuffer(8));

  word(value: number): void {
    let mixed = Math.imul(value, 0xcc9e_2d51);
    mixed = Math.imul((mixed << 15) | (mixed >>> 17), 0x1b87_3593);
    const first = this.#first ^ mixed;
    this.#first = (Math.imul((first << 13) | (first >>> 19), 5) + 0xe654_6b64) | 0;
    mixed = Math.imul(value, 0x239b_961b);
    mixed = Math.imul((mixed << 16) | (mixed >>> 16), 0x38b3_4ae5);
    const second = this.#second ^ mixed;
    this.#second = (Math.imul((second << 17) | (second >>> 15), 5) + 0x561c_cd1b) | 0;
  }

  /** A number with all its bits, as a time. */
  number(value: number): void {
    this.#view.setFloat64(0, value);
    this.word(this.#view.getInt32(0));
    this.word(this.#view.getInt32(4));
  }

  bytes(bytes: Uint8Array): void {
    const { length } = bytes;
    const whole = length & ~3;
    for (let at = 0; at < whole; at += 4) this.word(readInt32(bytes, at));
    let rest = 0;
    for (let at = whole; at < length; at++) rest = (rest << 8) | bytes[at]!;
    // The length comes last, or trailing zeros would not count.
    this.word(rest);
    this.word(length);
  }

  text(text: string): void {
    for (let at = 0; at < text.length; at++) this.word(text.charCodeAt(at));
    this.word(text.length);
  }

  /** The hash so far, as 16 hexadecimal digits. */
  digest(): string {
    return hex(finish(this.#first ^ this.#second)) + hex(finish((this.#first + this.#second) | 0));
  }
}

/** MurmurHash3's last step: every bit has to do with every other. */
function finish(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return mixed ^ (mixed >>> 16);
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
