/**
 * The calls an engine owes its sink, kept until its state is settled. A handler may then call anything of the engine's: what
 * that leads to is queued behind, and delivered by the call that is delivering already.
 */
export class Outbox {
  readonly #calls: (() => void)[] = [];
  #isDelivering = false;

  add(call: () => void): void {
    this.#calls.push(call);
  }

  deliver(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      for (let call = this.#calls.shift(); call !== undefined; call = this.#calls.shift()) call();
    } finally {
      // After a handler that threw, the rest waits for the next delivery.
      this.#isDelivering = false;
    }
  }
}
