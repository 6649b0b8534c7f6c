/** A stack on one end of a cable, in virtual time; the test itself is whoever is at the other end. */
import assert from 'node:assert/strict';
import type { IpAddress } from 'netloom/core';
import {
  ManualClock,
  MacAddress,
  seededRandom,
  type ConnectionHandler,
  type NetloomError,
} from 'netloom/core';
import { IpStack, type Interface, type IpStackOptions, type TcpConnection } from 'netloom/ip';
import { NO_OFFLOAD, linkPair, type FrameOffload, type Link, type LinkOffload } from 'netloom/link';
import { describeFrame } from 'netloom/wire';

/** What a {@link StackBench} is made with. */
export interface StackBenchOptions
  extends Partial<Omit<IpStackOptions, 'clock' | 'random'>>, CableOptions {
  readonly seed?: number;
}

/** A cable to a stack. */
export interface CableOptions {
  /** Of the stack's interface. */
  readonly addresses?: readonly string[];
  readonly mtu?: number;
  /** Default none, so that what is seen is what a wire would carry. */
  readonly offload?: LinkOffload;
}

/** A frame the stack has sent. */
export interface SentFrame {
  /** When, in milliseconds of the bench's clock. */
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly offload: FrameOffload | undefined;
}

/** The station addresses at the two ends of the first cable, and of the second. */
export const STACK_MAC: MacAddress = MacAddress.parse('02:00:00:00:00:01');
export const PEER_MAC: MacAddress = MacAddress.parse('02:00:00:00:00:02');
export const SECOND_STACK_MAC: MacAddress = MacAddress.parse('02:00:00:00:00:03');
export const SECOND_PEER_MAC: MacAddress = MacAddress.parse('02:00:00:00:00:04');

/** How long a new interface goes on reporting the groups it has joined. */
const SETTLING_TIME = 10_000;

/** The other end of a cable of the stack's. */
export class FarEnd {
  readonly clock: ManualClock;
  readonly interface: Interface;
  readonly link: Link;
  /** What the stack has sent and nobody has looked at yet. */
  frames: SentFrame[] = [];

  constructor(
    stack: IpStack,
    clock: ManualClock,
    name: string,
    macs: readonly [MacAddress, MacAddress],
    options: CableOptions,
  ) {
    this.clock = clock;
    const { mtu = 1500, offload = NO_OFFLOAD, addresses = [] } = options;
    const names = [name, `far-${name}`] as const;
    const [own, far] = linkPair(clock, { names, macs, mtu, offload, strict: true });
    this.link = far;
    far.attach({
      receive: (frame, left) => {
        this.frames.push({ at: clock.now(), bytes: frame.slice(), offload: left && { ...left } });
      },
      batchEnd() {},
    });
    this.interface = stack.addInterface(own, { addresses });
    this.clock.advance(clock.now() + SETTLING_TIME);
    this.frames = [];
  }

  /** Lets what is due at this instant happen. */
  settle(): void {
    this.clock.advance(this.clock.now());
  }

  /** Sends a frame to the stack, which deals with it at once. */
  inject(frame: Uint8Array, offload?: FrameOffload): void {
    assert.ok(this.#send(frame, offload), 'the cable does not take the frame');
    this.settle();
  }

  /** Sends frames that the stack finds at hand together. */
  injectBatch(frames: readonly Uint8Array[]): void {
    for (const frame of frames) assert.ok(this.#send(frame, undefined));
    this.settle();
  }

  #send(frame: Uint8Array, offload: FrameOffload | undefined): boolean {
    const copy = this.link.allocate(frame.length);
    copy.set(frame);
    return this.link.transmit(copy, offload);
  }

  /** The frames sent since the last call. */
  take(): SentFrame[] {
    this.settle();
    return this.frames.splice(0);
  }

  /** As {@link take}, in words. */
  lines(): string[] {
    return this.take().map(({ bytes }) => describeFrame(bytes));
  }

  /** Makes a neighbour's link address known, until it is heard otherwise. */
  learn(address: IpAddress, mac: MacAddress): void {
    const { neighbours } = this.interface;
    const neighbour = neighbours.get(address, this.clock.now());
    neighbours.learn(neighbour, mac.high, mac.low, true, this.clock.now());
  }
}

/** See the file's head. */
export class StackBench {
  readonly clock: ManualClock = new ManualClock();
  readonly stack: IpStack;
  readonly far: FarEnd;

  constructor(options: StackBenchOptions = {}) {
    const { addresses = ['10.0.0.1/24', '2001:db8::1/64', 'fe80::1/64'] } = options;
    this.stack = new IpStack({
      ...options,
      clock: this.clock,
      random: seededRandom(options.seed ?? 1),
    });
    const macs = [STACK_MAC, PEER_MAC] as const;
    this.far = new FarEnd(this.stack, this.clock, 'eth0', macs, { ...options, addresses });
  }

  /** Another cable, to the interface eth1. */
  addCable(options: CableOptions): FarEnd {
    const macs = [SECOND_STACK_MAC, SECOND_PEER_MAC] as const;
    return new FarEnd(this.stack, this.clock, 'eth1', macs, options);
  }

  get interface(): Interface {
    return this.far.interface;
  }

  settle(): void {
    this.far.settle();
  }

  /** Lets time go by. */
  pass(milliseconds: number): void {
    this.clock.advance(this.clock.now() + milliseconds);
  }

  /** As those of {@link FarEnd}. */
  inject(frame: Uint8Array, offload?: FrameOffload): void {
    this.far.inject(frame, offload);
  }

  injectBatch(frames: readonly Uint8Array[]): void {
    this.far.injectBatch(frames);
  }

  take(): SentFrame[] {
    return this.far.take();
  }

  lines(): string[] {
    return this.far.lines();
  }

  learn(address: IpAddress, mac: MacAddress = PEER_MAC): void {
    this.far.learn(address, mac);
  }
}

/** Byte number `at` of a stream whose place anyone can tell, and that does not repeat soon. */
export function patternByte(at: number): number {
  return (at * 7 + (at >>> 8) * 13 + (at >>> 16)) & 0xff;
}

/** Bytes `start` up to `end` of that stream. */
export function pattern(start: number, end: number): Uint8Array {
  return Uint8Array.from({ length: Math.max(0, end - start) }, (_, i) => patternByte(start + i));
}

/** The user of a connection: writes the pattern, checks that the pattern comes, and keeps what happened. */
export class PatternUser implements ConnectionHandler {
  readonly connection: TcpConnection;
  received = 0;
  written = 0;
  /** The first byte that is not the pattern's; undefined: all are. */
  wrongAt: number | undefined;
  readonly events: string[] = [];
  error: NetloomError | undefined;

  constructor(connection: TcpConnection) {
    this.connection = connection;
    connection.start(this);
  }

  write(length: number): boolean {
    const chunk = pattern(this.written, this.written + length);
    this.written += length;
    return this.connection.write(chunk);
  }

  data(chunk: Uint8Array): void {
    for (let i = 0; i < chunk.length; i++) {
      if (chunk[i] !== patternByte(this.received + i)) this.wrongAt ??= this.received + i;
    }
    this.received += chunk.length;
  }

  end(): void {
    this.events.push('end');
  }

  drain(): void {
    this.events.push('drain');
  }

  closed(error: NetloomError | undefined): void {
    this.error = error;
    this.events.push(error === undefined ? 'closed' : `closed ${error.code}`);
  }
}
