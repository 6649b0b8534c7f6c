import { NetloomError } from '../../core/index.ts';

/** Sees that a body is as long as its head has announced. */
export class BodyLength {
  readonly #announced: number | undefined;
  #written = 0;

  /** Undefined: nothing was announced. */
  constructor(announced: number | undefined) {
    this.#announced = announced;
  }

  /** All that was announced is written. */
  get isComplete(): boolean {
    return this.#announced === this.#written;
  }

  /** Counts a part. Throws `HTTP_BODY_TOO_LONG` for more than was announced. */
  add(length: number): void {
    if (this.#announced !== undefined && this.#written + length > this.#announced) {
      const left = this.#announced - this.#written;
      throw new NetloomError(
        'HTTP_BODY_TOO_LONG',
        `${length} bytes of body were written where ${left} are left of the announced length`,
        { remedy: 'Announce the right Content-Length, or none.' },
      );
    }
    this.#written += length;
  }

  /** The body ends. Throws `HTTP_BODY_TOO_SHORT` if less was written than was announced. */
  end(): void {
    if (this.#announced === undefined || this.isComplete) return;
    throw new NetloomError(
      'HTTP_BODY_TOO_SHORT',
      `the body ended ${this.#announced - this.#written} bytes before the announced length`,
      { remedy: 'Announce the right Content-Length, or none.' },
    );
  }
}
