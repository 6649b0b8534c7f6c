import { readInt32, writeUint32 } from '../../core/index.ts';

/** PINGs of ours that are under way at once. */
const MOST_UNDER_WAY = 16;

/** The PINGs that were sent and not answered yet (RFC 9113, section 6.7). */
export class Pings {
  readonly #underWay = new Map<number, (now: number) => void>();
  #last = 0;

  get underWay(): number {
    return this.#underWay.size;
  }

  /** The payload of a new PING, whose answer `answered` is told of; undefined: too many are under way. */
  begin(answered: (now: number) => void): Uint8Array | undefined {
    if (this.#underWay.size >= MOST_UNDER_WAY) return undefined;
    this.#last = (this.#last + 1) & 0x7fff_ffff;
    this.#underWay.set(this.#last, answered);
    const payload = new Uint8Array(8);
    writeUint32(payload, 4, this.#last);
    return payload;
  }

  /** An answer has come. One to nothing that was asked is passed over. */
  answer(payload: Uint8Array, now: number): void {
    const number = readInt32(payload, 4);
    const answered = readInt32(payload, 0) === 0 ? this.#underWay.get(number) : undefined;
    if (answered === undefined) return;
    this.#underWay.delete(number);
    answered(now);
  }
}
