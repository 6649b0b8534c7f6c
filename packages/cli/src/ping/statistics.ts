/** What a series of echo requests has come to, as ping(8) sums it up. */
export class PingStatistics {
  sent = 0;
  readonly #roundTrips: number[] = [];

  get received(): number {
    return this.#roundTrips.length;
  }

  /** A reply has come after so many milliseconds. */
  add(roundTrip: number): void {
    this.#roundTrips.push(roundTrip);
  }

  /** The last lines, over so many milliseconds. */
  summary(target: string, elapsed: number): string {
    const { sent, received } = this;
    const loss = sent === 0 ? 0 : ((sent - received) / sent) * 100;
    const counts = `${sent} packets transmitted, ${received} received, ${round(loss)}% packet loss, time ${Math.round(elapsed)}ms`;
    return `\n--- ${target} ping statistics ---\n${counts}\n${this.#times()}`;
  }

  #times(): string {
    const times = this.#roundTrips;
    if (times.length === 0) return '';
    let [least, most, sum, squares] = [Infinity, 0, 0, 0];
    for (const time of times) {
      least = Math.min(least, time);
      most = Math.max(most, time);
      sum += time;
      squares += time * time;
    }
    const mean = sum / times.length;
    // The standard deviation of all, which ping(8) calls mdev. Rounding may make the difference negative.
    const deviation = Math.sqrt(Math.max(0, squares / times.length - mean * mean));
    const values = [least, mean, most, deviation].map((value) => value.toFixed(3)).join('/');
    return `rtt min/avg/max/mdev = ${values} ms\n`;
  }
}

/** With one digit after the point where there is something to say. */
function round(percent: number): string {
  return Number.isInteger(percent) ? String(percent) : percent.toFixed(1);
}
