import { IpAddress, ManualClock, seededRandom } from 'netloom/core';
import { IpStack, type CongestionFactory, type TcpConnection } from 'netloom/ip';
import { ImpairedLink, linkPair, type Impairment } from 'netloom/link';

/** A line between two machines. Every setting befalls the data; their acknowledgments are only delayed. */
export interface Line {
  /** As `100 Mbit/s, 100 ms, queue 1 MB`. */
  readonly name: string;
  /** The round-trip time without queue, in milliseconds. */
  readonly roundTrip: number;
  /** Beside the delay. */
  readonly impairment: Partial<Omit<Impairment, 'delay'>>;
}

/** What became of a transfer. */
export interface LineOutcome {
  /** Megabits of payload that arrived in a second, in order. */
  readonly goodput: number;
  /** Segments sent again, and of these how many more than the line had dropped. */
  readonly retransmissions: number;
  readonly spurious: number;
  readonly timeouts: number;
  /** The most that waited at the bottleneck, in bytes. */
  readonly peakQueue: number;
}

/** How a transfer is run. */
export interface TransferOptions {
  /** Virtual time, in milliseconds. */
  readonly duration: number;
  readonly seed: number;
  readonly congestion?: CongestionFactory;
}

const ADDRESSES = ['10.0.0.1', '10.0.0.2'] as const;
const PORT = 9;

/** The settings of a line's two directions, as its sender's end has them. */
export function directionsOf(line: Line): {
  outbound: Partial<Impairment>;
  inbound: Partial<Impairment>;
} {
  const delay = line.roundTrip / 2;
  return { outbound: { ...line.impairment, delay }, inbound: { delay } };
}

/** Sends as much as two stacks get over a line in a virtual time: a pure function of its arguments. */
export function transferOnLine(line: Line, options: TransferOptions): LineOutcome {
  const clock = new ManualClock();
  const [near, far] = linkPair(clock);
  const random = seededRandom(options.seed);
  const link = new ImpairedLink(near, { clock, random, ...directionsOf(line) });
  const { congestion } = options;
  const [sender, receiver] = [link, far].map((end, i) => {
    const stack = new IpStack({ clock, random, ...(congestion && { congestion }) });
    stack.addInterface(end, { addresses: [`${ADDRESSES[i]}/24`] });
    return stack;
  }) as [IpStack, IpStack];
  let received = 0;
  receiver.tcp.listen(PORT, undefined, undefined, (connection) =>
    connection.start({
      data(bytes) {
        received += bytes.length;
      },
    }),
  );
  const path = sender.paths.find(IpAddress.parse(ADDRESSES[1]), undefined);
  const connection = sender.tcp.connect(path, 0, PORT, () => undefined);
  pour(connection);
  const queue = new QueueWatch(line, link);
  for (;;) {
    const next = clock.deadline();
    if (next > options.duration) break;
    clock.advance(next);
    queue.look();
  }
  const { retransmissions, timeouts } = connection.sender.recovery;
  return {
    goodput: (received * 8) / options.duration / 1000,
    retransmissions,
    spurious: Math.max(0, retransmissions - link.statistics.drops.total()),
    timeouts,
    peakQueue: queue.peak,
  };
}

function pour(connection: TcpConnection): void {
  const chunk = new Uint8Array(65_536);
  const go = (): void => {
    while (connection.write(chunk)) {
      // Until the connection has enough.
    }
  };
  connection.start({ drain: go });
  go();
}

/** The longest a full frame can be. */
const FRAME = 1514;

/** Looks how much waits before the bottleneck: what is under way beyond what the delay holds. */
class QueueWatch {
  peak = 0;
  readonly #link: ImpairedLink;
  readonly #delayed: number;

  constructor(line: Line, link: ImpairedLink) {
    this.#link = link;
    this.#delayed = ((line.impairment.rate ?? Infinity) * line.roundTrip) / 2 / 8000;
  }

  look(): void {
    const waiting = this.#link.outbound.framesUnderWay * FRAME - this.#delayed;
    if (waiting > this.peak) this.peak = waiting;
  }
}
