import type { PortStatus } from '@netloom/edge/status';
import { LineHistory, type CountedPort } from './line-history.ts';
import type { NodeView } from './node-api.ts';
import { lineKey } from './topology.ts';

const NOT_SEEN = new LineHistory();

/** The last two minutes of all lines, and of all networks' switches. */
export class Histories {
  readonly #lines = new Map<string, LineHistory>();
  readonly #networks = new Map<string, LineHistory>();

  /** Of a line that was not seen yet it is empty. */
  line(key: string): LineHistory {
    return this.#lines.get(key) ?? NOT_SEEN;
  }

  /** What has passed a network's switch. */
  network(name: string): LineHistory {
    return this.#networks.get(name) ?? NOT_SEEN;
  }

  add({ ports, time }: NodeView): void {
    const lines = ports.map((port) => [lineKey(port.network, port.name), port] as const);
    const networks = Map.groupBy(ports, ({ network }) => network);
    const sums = [...networks].map(([name, its]) => [name, sumOf(its)] as const);
    follow(this.#lines, lines, time);
    follow(this.#networks, sums, time);
  }
}

function follow(
  histories: Map<string, LineHistory>,
  seen: readonly (readonly [string, CountedPort])[],
  time: number,
): void {
  const keys = new Set(seen.map(([key]) => key));
  for (const key of histories.keys()) if (!keys.has(key)) histories.delete(key);
  for (const [key, port] of seen) {
    let history = histories.get(key);
    if (history === undefined) histories.set(key, (history = new LineHistory()));
    history.add(port, time);
  }
}

/** The ports of a switch as if they were one. */
function sumOf(ports: readonly PortStatus[]): CountedPort {
  const [first, ...others] = ports;
  return others.reduce<CountedPort>(
    (sum, { received, sent, drops, link }) => ({
      received: addTraffic(sum.received, received),
      sent: addTraffic(sum.sent, sent),
      drops: addCounts(sum.drops, drops),
      link: { ...sum.link, queuedBytes: sum.link.queuedBytes + link.queuedBytes },
    }),
    first!,
  );
}

function addTraffic(
  one: PortStatus['sent'],
  { frames, bytes }: PortStatus['sent'],
): PortStatus['sent'] {
  return { frames: one.frames + frames, bytes: one.bytes + bytes };
}

function addCounts(
  one: Readonly<Record<string, number>>,
  other: Readonly<Record<string, number>>,
): Record<string, number> {
  const sum = { ...one };
  for (const [why, count] of Object.entries(other)) sum[why] = (sum[why] ?? 0) + count;
  return sum;
}
