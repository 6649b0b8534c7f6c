/** Counts by guest: how many of something each has. */
export class GuestCounts {
  readonly #counts = new Map<string, number>();
  #total = 0;

  /** Over all guests. */
  get total(): number {
    return this.#total;
  }

  of(guest: string): number {
    return this.#counts.get(guest) ?? 0;
  }

  add(guest: string): void {
    this.#counts.set(guest, this.of(guest) + 1);
    this.#total++;
  }

  remove(guest: string): void {
    const left = this.of(guest) - 1;
    if (left > 0) this.#counts.set(guest, left);
    else this.#counts.delete(guest);
    this.#total--;
  }
}
