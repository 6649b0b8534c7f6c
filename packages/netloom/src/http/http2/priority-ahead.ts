/** Priorities of streams that are yet to be opened (RFC 9218, section 7.1), bounded: of too many the oldest is forgotten. */
export class PriorityAhead {
  readonly #limit: number;
  readonly #values = new Map<number, string>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  set(streamId: number, value: string): void {
    this.#values.set(streamId, value);
    if (this.#values.size <= this.#limit) return;
    const [oldest] = this.#values.keys();
    this.#values.delete(oldest!);
  }

  /** Takes out what was said of the stream, if anything. */
  take(streamId: number): string | undefined {
    const value = this.#values.get(streamId);
    if (value !== undefined) this.#values.delete(streamId);
    return value;
  }
}
