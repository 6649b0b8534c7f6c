/**
 * The calls an engine owes its sink, kept until its state is settled. A handler may then call anything
 * of the engine's: what that leads to is queued behind, and delivered by the call that is already delivering.
 */
export class Outbox {
  readonly #calls: (() => void)[] = [];
  #delivering = false;

  add(call: () => void): void {
    this.#calls.push(call);
  }

  deliver(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      for (let call = this.#calls.shift(); call !== undefined; call = this.#calls.shift()) call();
    } finally {
      // A handler that throws leaves the rest in place, for the next delivery.
      this.#delivering = false;
    }
  }
}
