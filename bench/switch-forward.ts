import { MacAddress, ManualClock, seededRandom, writeUint16, writeUint32 } from 'netloom/core';
import {
  LinkStatistics,
  Switch,
  type Link,
  type LinkHandler,
  type LinkOffload,
} from 'netloom/link';
import type { Bench } from './frame/bench.ts';
import { rate, slope } from './frame/measure.ts';

const SIZES = [64, 1514];
const PORTS = [2, 64];
const FEW = 10;
/** What is to be reached against as few stations as there can be at that many ports. */
const TARGET = 0.8;
const MANY = [1000, 10_000];
/** Frames that a device has at hand at once. */
const BATCH = 64;
/** Pairs of stations that talk, drawn beforehand; more than any table could have in mind by chance. */
const PAIRS = 1 << 15;

/** A device with one slot of memory, as a TAP has, and nothing behind it: what is measured is the switch. */
class NowhereLink implements Link {
  readonly name: string;
  readonly mac: MacAddress = MacAddress.ZERO;
  readonly mtu = 1500;
  readonly offload: LinkOffload = { checksum: true, segmentation: 65_535 };
  readonly statistics: LinkStatistics = new LinkStatistics(this);
  handler!: LinkHandler;
  sent = 0;
  #slot = new Uint8Array(1518);

  constructor(name: string) {
    this.name = name;
  }

  attach(handler: LinkHandler): void {
    this.handler = handler;
  }

  allocate(length: number): Uint8Array {
    if (this.#slot.length !== length) this.#slot = new Uint8Array(this.#slot.buffer, 0, length);
    return this.#slot;
  }

  transmit(): boolean {
    this.sent++;
    return true;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The address of a station. Stations are dealt out to the ports in turns. */
function lowHalf(station: number): number {
  return Math.imul(station + 1, 0x9e37_79b1);
}

/** A switch that knows so many stations, and a round of frames between them: frames per second. */
function forwarding(size: number, ports: number, stations: number): () => number {
  const links = Array.from({ length: ports }, (_, index) => new NowhereLink(`port${index}`));
  const bridge = new Switch(new ManualClock(), { random: seededRandom(1) });
  for (const link of links) bridge.connect(link, { stations: 16_384 });
  const frame = new Uint8Array(size);
  const address = (station: number, at: number): void => {
    writeUint16(frame, at, 0x0200);
    writeUint32(frame, at + 2, lowHalf(station));
  };
  const inject = (from: number, to: number): LinkHandler => {
    address(to, 0);
    address(from, 6);
    const { handler } = links[from % ports]!;
    handler.receive(frame, undefined);
    return handler;
  };
  for (let station = 0; station < stations; station++) inject(station, station).batchEnd();
  if (bridge.stations().length !== stations) throw new Error('not all stations were learned');
  const { from, to } = drawPairs(ports, stations);
  const sent = (): number => links.reduce((sum, link) => sum + link.sent, 0);
  return () => {
    let frames = 0;
    const before = sent();
    const perSecond = rate((count) => {
      for (let i = 0; i < count; i++) {
        const handler = inject(from[i & (PAIRS - 1)]!, to[i & (PAIRS - 1)]!);
        if (i % BATCH === 0) handler.batchEnd();
      }
      frames += count;
    });
    if (sent() - before !== frames) throw new Error('a frame went elsewhere than to its station');
    return perSecond;
  };
}

/** Stations at different ports. */
function drawPairs(ports: number, stations: number): { from: Uint16Array; to: Uint16Array } {
  const random = seededRandom(2);
  const from = new Uint16Array(PAIRS);
  const to = new Uint16Array(PAIRS);
  for (let i = 0; i < PAIRS; i++) {
    do {
      from[i] = random.below(stations);
      to[i] = random.below(stations);
    } while (from[i]! % ports === to[i]! % ports);
  }
  return { from, to };
}

/** The switch, from handler to link, over ports, sizes and stations. */
export const bench: Bench = {
  name: 'switch-forward',
  description: 'frames between known stations of a switch, over sizes, ports and stations',
  async run(report) {
    for (const ports of PORTS) {
      for (const size of SIZES) {
        // Ten stations leave most of many ports idle, and those cost something too: so one a port is what stations are held against.
        const few = Math.max(FEW, ports);
        const name = `${few} MACs`;
        const peers = { [name]: forwarding(size, ports, few) };
        if (few !== FEW) peers[`${FEW} MACs`] = forwarding(size, ports, FEW);
        const points: [number, number][] = [];
        for (const stations of MANY) {
          const result = await report.compare({
            case: `${size} bytes, ${ports} ports, ${stations.toLocaleString('en-US')} MACs`,
            unit: 'frames/s',
            netloom: forwarding(size, ports, stations),
            peers,
            target: { [name]: TARGET },
          });
          points.push([few, 1e9 / result.peers[name]!], [stations, 1e9 / result.netloom]);
        }
        report.record({
          case: `${size} bytes, ${ports} ports: slope`,
          unit: 'ns per 1,000 MACs',
          netloom: 1000 * slope(points),
          peers: {},
        });
      }
    }
  },
};
