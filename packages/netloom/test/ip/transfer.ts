/**
 * A transfer both ways between two stacks over a line on which things go wrong, in virtual time; and what must be true of it, at
 * any moment and at the end. Everything about it is drawn from one seed.
 */
import assert from 'node:assert/strict';
import {
  IpAddress,
  ManualClock,
  seededRandom,
  type Clock,
  type ConnectionHandler,
  type NetloomError,
  type Random,
} from 'netloom/core';
import {
  Cubic,
  IpStack,
  NewReno,
  TCP_LIMITS,
  type CongestionFactory,
  type TcpConnection,
  type TcpLimits,
} from 'netloom/ip';
import {
  ImpairedLink,
  NO_OFFLOAD,
  forwardFrame,
  linkPair,
  type FrameOffload,
  type Impairment,
  type Link,
  type LinkOffload,
} from 'netloom/link';
import {
  ETHERNET_HEADER_LENGTH,
  IPV6_HEADER_LENGTH,
  IpProtocol,
  TCP_HEADER_LENGTH,
  TcpFlag,
  TcpOption,
  foldSum,
  sumWords,
} from 'netloom/wire';
import { patternByte } from './stack-bench.ts';

/** What one side of a transfer is like. */
export interface SidePlan {
  /** Bytes it sends. */
  readonly length: number;
  readonly offload: LinkOffload;
  readonly congestion: CongestionFactory;
  readonly limits: Partial<TcpLimits>;
  /** The largest chunk it writes. */
  readonly chunk: number;
  /** It begins to write only when the peer has ended: a connection half closed. */
  readonly answers: boolean;
  /** Milliseconds it reads nothing now and then, at most; 0: it always reads. */
  readonly pause: number;
  readonly noDelay: boolean;
}

/** What a transfer is like. */
export interface TransferPlan {
  readonly seed: number;
  readonly family: 4 | 6;
  readonly mtu: number;
  /** Options that something on the way takes out of SYNs, by kind. */
  readonly stripped: readonly number[];
  /** From the first side to the second, and back. */
  readonly impairments: readonly [Partial<Impairment>, Partial<Impairment>];
  readonly sides: readonly [SidePlan, SidePlan];
}

/** The line is at its worst: for plans that are to have nothing go wrong, and for those that are. */
export type Weather = 'fair' | 'bad' | 'foul';

const FULL_OFFLOAD: LinkOffload = { checksum: true, segmentation: 65_550 };
const CHECKSUM_OFFLOAD: LinkOffload = { checksum: true, segmentation: 0 };

/**
 * However often packets are lost, nobody gives up: whether they ever arrive is what is asked here. One side may have done with the
 * connection long before the other, whose last bytes were acknowledged in vain.
 */
const PATIENT = { userTimeout: 1e9, synRetries: 30, timeWaitDuration: 3_600_000 };
const PATIENT_NEIGHBOURS = { multicastSolicitations: 100, unicastSolicitations: 10, failedTime: 1 };

/** A day of virtual time: what is not done by then never will be. */
const TIME_LIMIT = 86_400_000;
const PORT = 80;

const { SACK_PERMITTED, TIMESTAMPS, WINDOW_SCALE, NO_OPERATION } = TcpOption;

function pick<T>(random: Random, ...choices: readonly T[]): T {
  return choices[random.below(choices.length)]!;
}

/** The plan that belongs to a seed. */
export function planOf(seed: number, weather: Weather): TransferPlan {
  const random = seededRandom(seed);
  const family = pick(random, 4, 6);
  const mtu = family === 4 ? pick(random, 576, 1280, 1500, 9000) : pick(random, 1280, 1500, 9000);
  const answerer = random.below(6);
  const windows = [receiveWindow(random), receiveWindow(random)] as const;
  return {
    seed,
    family,
    mtu,
    stripped: pick(
      random,
      [],
      [],
      [SACK_PERMITTED],
      [TIMESTAMPS],
      [WINDOW_SCALE],
      [SACK_PERMITTED, TIMESTAMPS, WINDOW_SCALE],
    ),
    impairments: [impairment(random, weather), impairment(random, weather)],
    sides: [
      side(random, windows[0], windows[1], answerer === 0),
      side(random, windows[1], windows[0], answerer === 1),
    ],
  };
}

/** What a reader offers at first, and at most. */
type ReceiveWindow = Pick<TcpLimits, 'receiveBuffer' | 'maximumReceiveBuffer'>;

function receiveWindow(random: Random): ReceiveWindow {
  const receiveBuffer = pick(random, 1, 700, 3000, 20_000, 131_072);
  const most = pick(random, receiveBuffer, 65_535, 1_000_000);
  return { receiveBuffer, maximumReceiveBuffer: Math.max(receiveBuffer, most) };
}

function side(
  random: Random,
  window: ReceiveWindow,
  peers: ReceiveWindow,
  answers: boolean,
): SidePlan {
  // Into a window of one byte goes one byte in a round trip.
  const most = peers.maximumReceiveBuffer < 100 ? 500 : 150_000;
  return {
    length: Math.min(most, pick(random, 0, 1, 5000, 30_000, 150_000)),
    offload: pick(random, NO_OFFLOAD, CHECKSUM_OFFLOAD, FULL_OFFLOAD),
    congestion: pick<CongestionFactory>(
      random,
      (options) => new Cubic(options),
      (options) => new NewReno(options),
    ),
    limits: {
      ...PATIENT,
      ...window,
      outOfOrderRanges: pick(random, 1, 4, 512),
      sendBuffer: pick(random, 1, 5000, 262_144),
      maximumSendBuffer: pick(random, 6000, 4_194_304),
    },
    chunk: pick(random, 10, 1000, 20_000, 200_000),
    answers,
    pause: pick(random, 0, 0, 50, 3000),
    noDelay: random.below(3) > 0,
  };
}

function impairment(random: Random, weather: Weather): Partial<Impairment> {
  if (weather === 'fair') return { delay: pick(random, 0, 20) };
  const worst = weather === 'bad' ? 0.05 : 0.2;
  const some = (most: number): number => (random.below(2) === 0 ? 0 : random.float() * most);
  return {
    delay: pick(random, 0, 2, 40, 150),
    jitter: some(20),
    loss: some(worst),
    burstLoss: random.below(3) === 0 ? { enter: worst / 10, leave: 0.3 } : undefined,
    reorder: some(worst),
    reorderDelay: pick(random, 1, 10, 100),
    duplicate: some(worst / 2),
    corrupt: some(worst / 4),
    rate: pick(random, Infinity, Infinity, 1e6, 1e7),
    queueBytes: pick(random, 6000, 60_000),
  };
}

/** The user at one side: writes its stream and checks the peer's. */
class Side implements ConnectionHandler {
  readonly plan: SidePlan;
  readonly #random: Random;
  /** Where this side's stream begins in the pattern, and the peer's. */
  readonly #own: number;
  readonly #peers: number;
  readonly #resume: { set(deadline: number): void };
  readonly #clock: Clock;
  #connection: TcpConnection | undefined;
  written = 0;
  received = 0;
  ended = false;
  closes = 0;
  error: NetloomError | undefined;
  largestHeld = 0;

  constructor(plan: SidePlan, index: number, clock: Clock, random: Random) {
    this.plan = plan;
    this.#clock = clock;
    this.#random = random;
    this.#own = 100_000 * index;
    this.#peers = 100_000 * (1 - index);
    this.#resume = clock.timer(() => this.#connection!.resume());
  }

  begin(connection: TcpConnection): void {
    assert.equal(this.#connection, undefined, 'there is one connection');
    this.#connection = connection;
    connection.setNoDelay(this.plan.noDelay);
    connection.start(this);
    if (!this.plan.answers) this.#write();
  }

  data(chunk: Uint8Array): void {
    assert.equal(this.ended, false, 'no bytes come after the end');
    for (const [i, byte] of chunk.entries()) {
      const at = this.received + i;
      if (byte !== patternByte(this.#peers + at)) assert.fail(`byte ${at} is not what was sent`);
    }
    this.received += chunk.length;
    if (this.plan.pause > 0 && this.#random.below(10) === 0) {
      this.#connection!.pause();
      this.#resume.set(this.#clock.now() + this.#random.float() * this.plan.pause);
    }
  }

  drain(): void {
    this.#write();
  }

  end(): void {
    assert.equal(this.ended, false, 'there is one end');
    this.ended = true;
    if (this.plan.answers) this.#write();
  }

  closed(error: NetloomError | undefined): void {
    this.closes++;
    this.error = error;
  }

  #write(): void {
    const { length, chunk } = this.plan;
    const connection = this.#connection!;
    while (this.written < length) {
      const size = Math.min(length - this.written, 1 + this.#random.below(chunk));
      const from = this.#own + this.written;
      this.written += size;
      if (!connection.write(Uint8Array.from({ length: size }, (_, i) => patternByte(from + i)))) {
        return;
      }
    }
    connection.end();
  }

  /** What is held for it, both ways, is within the limits. */
  check(): void {
    if (this.#connection === undefined) return;
    const { sender, receiver } = this.#connection;
    const limits = { ...TCP_LIMITS, ...this.plan.limits };
    const held = receiver.queued + receiver.reassembly.length;
    this.largestHeld = Math.max(this.largestHeld, held);
    assert.ok(held <= limits.maximumReceiveBuffer, `${held} bytes received are held`);
    assert.ok(receiver.reassembly.size <= limits.outOfOrderRanges, 'ranges are held');
    const buffer = Math.max(limits.sendBuffer, limits.maximumSendBuffer);
    const queued = sender.queue.length;
    assert.ok(queued < buffer + this.plan.chunk, `${queued} bytes are held to be sent`);
  }
}

/**
 * Puts padding in the place of options of a SYN, as some routers do. Its checksum stays right, or as far from it as it was: what is
 * taken from the options is given to it (RFC 1624, section 3).
 */
function strip(
  frame: Uint8Array,
  offload: FrameOffload | undefined,
  kinds: readonly number[],
): void {
  const ip = ETHERNET_HEADER_LENGTH;
  const isV4 = frame[ip]! >>> 4 === 4;
  const tcp = ip + (isV4 ? (frame[ip]! & 15) * 4 : IPV6_HEADER_LENGTH);
  if (frame[ip + (isV4 ? 9 : 6)] !== IpProtocol.TCP || !(frame[tcp + 13]! & TcpFlag.SYN)) return;
  const end = Math.min(frame.length, tcp + (frame[tcp + 12]! >>> 4) * 4);
  const before = foldSum(sumWords(frame, tcp, end, 0));
  for (let at = tcp + TCP_HEADER_LENGTH; at < end;) {
    const kind = frame[at]!;
    const length = kind <= NO_OPERATION ? 1 : Math.max(2, frame[at + 1]!);
    if (kinds.includes(kind)) frame.fill(NO_OPERATION, at, Math.min(end, at + length));
    at += length;
  }
  // One that the link is to complete covers the options only then.
  if (offload !== undefined && offload.checksumStart > 0) return;
  const after = foldSum(sumWords(frame, tcp, end, 0));
  const checksum = (frame[tcp + 16]! << 8) | frame[tcp + 17]!;
  const right = ~foldSum((~checksum & 0xffff) + (~before & 0xffff) + after);
  frame[tcp + 16] = right >>> 8;
  frame[tcp + 17] = right;
}

/** The ends of a line of two cables, so that each side has the offload of its own. */
function line(clock: Clock, { mtu, sides, stripped }: TransferPlan): [Link, Link] {
  const [near, nearMiddle] = linkPair(clock, { mtu, offload: sides[0].offload, strict: true });
  const [farMiddle, far] = linkPair(clock, { mtu, offload: sides[1].offload, strict: true });
  for (const [from, to] of [
    [nearMiddle, farMiddle],
    [farMiddle, nearMiddle],
  ] as const) {
    from.attach({
      receive(frame, offload) {
        if (stripped.length > 0) strip(frame, offload, stripped);
        forwardFrame(to, frame, offload);
      },
      batchEnd() {},
    });
  }
  return [near, far];
}

/** What a transfer came to, beyond that it was right. */
export interface TransferResult {
  /** Virtual milliseconds from the beginning to the last of the two ends. */
  readonly time: number;
  readonly stacks: readonly [IpStack, IpStack];
  /** The most bytes that were held for either reader. */
  readonly largestHeld: number;
}

/** ARP has no checksum, so damage to it would be believed, for longer than a connection lives. */
function isArpSpared({ family, impairments }: TransferPlan): boolean {
  return family === 4 && impairments.some(({ corrupt }) => corrupt !== undefined && corrupt > 0);
}

/** Runs a plan; throws where anything is not as it should be. */
export function transfer(plan: TransferPlan): TransferResult {
  const clock = new ManualClock();
  const random = seededRandom(plan.seed + 0.5);
  const [near, far] = line(clock, plan);
  const [outbound, inbound] = plan.impairments;
  const impaired = new ImpairedLink(near, { clock, random, outbound, inbound });
  const addresses = plan.family === 4 ? ['10.0.0.1', '10.0.0.2'] : ['fd00::1', 'fd00::2'];
  const [client, server] = [impaired, far].map((link, i) => {
    const { congestion, limits } = plan.sides[i]!;
    const stack = new IpStack({
      clock,
      random,
      congestion,
      limits: {
        tcp: limits,
        neighbour: { ...PATIENT_NEIGHBOURS, reachableTime: isArpSpared(plan) ? 1e9 : 30_000 },
      },
    });
    const network = `${addresses[i]}/${plan.family === 4 ? 24 : 64}`;
    const { neighbours } = stack.addInterface(link, { addresses: [network] });
    if (isArpSpared(plan)) {
      const { high, low } = i === 0 ? far.mac : near.mac;
      const peer = neighbours.get(IpAddress.parse(addresses[1 - i]!), 0);
      neighbours.learn(peer, high, low, true, 0);
    }
    return stack;
  }) as [IpStack, IpStack];
  const sides = plan.sides.map((it, i) => new Side(it, i, clock, random)) as [Side, Side];
  const listener = server.tcp.listen(PORT, undefined, undefined, (it) => sides[1].begin(it));
  const path = client.paths.find(IpAddress.parse(addresses[1]!), undefined);
  client.tcp.connect(path, 0, PORT, (connection, error) => {
    assert.equal(error, undefined);
    sides[0].begin(connection);
  });
  const isDone = (): boolean => sides.every(({ closes }) => closes > 0);
  while (!isDone()) {
    const next = clock.deadline();
    assert.ok(next < TIME_LIMIT, `it stands still at ${clock.now()} ms: ${describe(sides)}`);
    clock.advance(next);
    for (const side of sides) side.check();
  }
  const time = clock.now();
  // Twice the maximum segment lifetime, and what comes late in it.
  clock.advance(time + 4 * PATIENT.timeWaitDuration);
  checkEnd([client, server], sides);
  server.tcp.unlisten(listener);
  return {
    time,
    stacks: [client, server],
    largestHeld: Math.max(...sides.map(({ largestHeld }) => largestHeld)),
  };
}

function checkEnd(stacks: readonly IpStack[], sides: readonly [Side, Side]): void {
  for (const [i, side] of sides.entries()) {
    assert.equal(side.error, undefined, `side ${i} ended well`);
    assert.equal(side.received, sides[1 - i]!.plan.length, `side ${i} has received all`);
    assert.ok(side.ended, `side ${i} was told the peer’s end`);
    assert.equal(side.closes, 1, `side ${i} was told once that it is closed`);
  }
  for (const { tcp } of stacks) {
    assert.equal(tcp.flows.size, 0, 'no flow is left');
    assert.equal(tcp.timeWaits.size, 0, 'nothing is left in TIME-WAIT');
    assert.deepEqual([...tcp.flows.values()], []);
    assert.equal(tcp.deadline(), Infinity, 'no timer is left');
    assert.equal(tcp.statistics.failed, 0);
  }
}

function describe(sides: readonly [Side, Side]): string {
  return sides.map(({ written, received }) => `${written} written, ${received} read`).join('; ');
}
