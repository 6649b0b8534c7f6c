import { MAX_WINDOW } from './wire/index.ts';

/** How much may be sent (RFC 9113, section 6.9.1). It may be negative: the peer can take back what it has granted (section 6.9.2). */
export class SendWindow {
  #available: number;

  constructor(size: number) {
    this.#available = size;
  }

  get available(): number {
    return this.#available;
  }

  /** So much was sent. */
  take(length: number): void {
    this.#available -= length;
  }

  /** Makes it larger, or with a negative number smaller. False: it would be larger than any may be, and is as it was. */
  grow(increment: number): boolean {
    if (this.#available + increment > MAX_WINDOW) return false;
    this.#available += increment;
    return true;
  }
}

/**
 * How much the peer may send: what has come and was not taken by its reader is held against it, so a reader that is slow
 * makes, in the end, the peer wait.
 */
export class ReceiveWindow {
  readonly #size: number;
  /** What the peer may send, for all that it has been told. */
  #granted: number;
  /** What was taken, and is not granted anew yet. */
  #taken = 0;

  /** `size` is what it is to be; `granted`, what the peer believes it is at first. */
  constructor(size: number, granted: number = size) {
    this.#size = size;
    this.#granted = granted;
  }

  /** So much has come. False: that is more than was granted. */
  receive(length: number): boolean {
    this.#granted -= length;
    return this.#granted >= 0;
  }

  /** The peer has been told that it is smaller by so much. What it may send may be less than nothing then. */
  shrink(amount: number): void {
    this.#granted -= amount;
  }

  /**
   * So much of it was taken. Answers by how much the window is to be opened, 0 for not now: not before half of it can be
   * opened at once, so that the updates do not cost more than they are worth.
   */
  take(length: number): number {
    this.#taken += length;
    return this.#taken * 2 >= this.#size ? this.update() : 0;
  }

  /** By how much the window can be opened; counts as done. */
  update(): number {
    const increment = this.#taken;
    this.#taken = 0;
    this.#granted += increment;
    return increment;
  }
}
