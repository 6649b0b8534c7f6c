/** The names of a server's clients: those that its owner has given go before what clients call themselves. */
export class DhcpClientNames {
  readonly #byKey = new Map<string, string>();

  /** The client of these keys has this name from now on, and nobody else; undefined: what it calls itself. */
  set(keys: readonly string[], name: string | undefined): void {
    for (const key of keys) {
      if (name === undefined) this.#byKey.delete(key);
      else this.#byKey.set(key, name);
    }
  }

  /** The name of a client that calls itself `own`; undefined: it has none, or one that is another's. */
  of(keys: readonly string[], own: string | undefined): string | undefined {
    for (const key of keys) {
      const name = this.#byKey.get(key);
      if (name !== undefined) return name;
    }
    return own === undefined || this.#isGiven(own) ? undefined : own;
  }

  /** Owners name few: so all are looked through. */
  #isGiven(own: string): boolean {
    const label = labelOf(own);
    for (const name of this.#byKey.values()) if (labelOf(name) === label) return true;
    return false;
  }
}

/** By which clients are told apart: the domain is not theirs to say. */
function labelOf(name: string): string {
  return name.split('.', 1)[0]!.toLowerCase();
}
