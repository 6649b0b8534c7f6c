import type { PortStatus } from '@netloom/edge/status';

/** Seconds that are kept. */
export const HISTORY_SECONDS = 120;

/** What a line does, in the second that ended then. */
export interface LineRates {
  /** Bits per second. */
  readonly fromStation: number;
  readonly toStation: number;
  /** Frames per second. */
  readonly drops: number;
  /** Bytes, at that moment. */
  readonly queue: number;
}

/** {@link LineRates} at times, as a plot wants them: a row for each. */
export interface LineColumns {
  /** Seconds since 1970. */
  readonly times: readonly number[];
  readonly fromStation: readonly number[];
  readonly toStation: readonly number[];
  readonly drops: readonly number[];
  readonly queue: readonly number[];
}

interface Counts {
  readonly at: number;
  readonly received: number;
  readonly sent: number;
  readonly drops: number;
}

/** What the rates of a port come from. */
export type CountedPort = Pick<PortStatus, 'received' | 'sent' | 'drops' | 'link'>;

const NOTHING: LineRates = { fromStation: 0, toStation: 0, drops: 0, queue: 0 };

/** The last two minutes of a line, from counters that are looked at now and then. */
export class LineHistory {
  readonly #samples: (LineRates & { readonly time: number })[] = [];
  #last: Counts | undefined;

  /** The rates of the last second; before there are two looks: nothing. */
  get latest(): LineRates {
    return this.#samples.at(-1) ?? NOTHING;
  }

  /** @param time milliseconds since 1970 */
  add(port: CountedPort, time: number): void {
    const counts = countsOf(port, time);
    const last = this.#last;
    this.#last = counts;
    // Counters that went down are those of another thing of the same name.
    const goesOn = last !== undefined && counts.at > last.at && !isLess(counts, last);
    if (!goesOn) return;
    const seconds = (counts.at - last.at) / 1000;
    this.#samples.push({
      time: time / 1000,
      fromStation: ((counts.received - last.received) * 8) / seconds,
      toStation: ((counts.sent - last.sent) * 8) / seconds,
      drops: (counts.drops - last.drops) / seconds,
      queue: port.link.queuedBytes,
    });
    while (this.#samples[0]!.time < time / 1000 - HISTORY_SECONDS) this.#samples.shift();
  }

  columns(): LineColumns {
    const samples = this.#samples;
    return {
      times: samples.map(({ time }) => time),
      fromStation: samples.map(({ fromStation }) => fromStation),
      toStation: samples.map(({ toStation }) => toStation),
      drops: samples.map(({ drops }) => drops),
      queue: samples.map(({ queue }) => queue),
    };
  }
}

/** Drops of all reasons. */
export function totalDrops({ drops }: Pick<PortStatus, 'drops'>): number {
  return Object.values(drops).reduce((sum, count) => sum + count, 0);
}

function countsOf(port: CountedPort, at: number): Counts {
  const { received, sent } = port;
  return { at, received: received.bytes, sent: sent.bytes, drops: totalDrops(port) };
}

function isLess(one: Counts, other: Counts): boolean {
  return one.received < other.received || one.sent < other.sent || one.drops < other.drops;
}
