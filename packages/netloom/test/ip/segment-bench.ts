/**
 * TCP, segment by segment: a stack, and a peer whose segments the test writes and whose peer's segments it expects, each as one line,
 * after the manner of packetdrill (Cardwell et al., USENIX ATC 2013).
 *
 * A line is `FLAGS START[:END] [ack N] [win N] [sack A:B ...] [<options>]`, as `S. 0 ack 1 win 65535 <mss 1460,wscale 7>` or
 * `P. 1:11 ack 1`. Flags are S F R P U and `.` for ACK. Numbers count from the initial ones, so that the first byte is 1;
 * windows are as on the wire, not scaled. Text is the pattern of `stack-bench.ts`. In what is expected, window and
 * options are compared where they are named.
 */
import assert from 'node:assert/strict';
import { IpAddress, type NetloomError } from 'netloom/core';
import type { TcpConnection, TcpListener } from 'netloom/ip';
import {
  ETHERNET_HEADER_LENGTH,
  EtherType,
  IpProtocol,
  TcpFlag,
  TcpHeader,
  isFault,
  isTransportChecksumValid,
  parseIpv4,
  parseIpv6,
  parseTcp,
} from 'netloom/wire';
import { pseudoHeaderSum, tcpFrame, type Ends } from './frames.ts';
import {
  PEER_MAC,
  PatternUser,
  STACK_MAC,
  StackBench,
  patternByte,
  pattern,
  type SentFrame,
  type StackBenchOptions,
} from './stack-bench.ts';

/** What a {@link SegmentBench} is made with. */
export interface SegmentBenchOptions extends StackBenchOptions {
  readonly family?: 4 | 6;
}

/** A segment the stack has sent. Numbers are relative. */
export interface Segment {
  readonly at: number;
  readonly header: TcpHeader;
  readonly sequence: number;
  readonly length: number;
  readonly acknowledgment: number;
  readonly frame: SentFrame;
}

/** What a handshake is to be like. */
export interface HandshakeOptions {
  /** The peer's options. Default `mss 1460,sackOK`. */
  readonly options?: string;
  /** The peer's window, as on the wire, in its SYN and afterwards. Default 65535. */
  readonly window?: number;
  /** Round-trip time of the handshake. Default 100 ms. */
  readonly roundTrip?: number;
}

/** The peer's initial sequence number: its stream wraps around soon. */
export const PEER_ISN: number = 0xffff_f000 | 0;

/** Where the stack listens, and the peer's port. */
export const STACK_PORT = 80;
export const PEER_PORT = 5000;

const ADDRESSES = {
  4: { stack: IpAddress.parse('10.0.0.1'), peer: IpAddress.parse('10.0.0.2') },
  6: { stack: IpAddress.parse('2001:db8::1'), peer: IpAddress.parse('2001:db8::2') },
} as const;

const FLAG_LETTERS: readonly (readonly [string, number])[] = [
  ['S', TcpFlag.SYN],
  ['F', TcpFlag.FIN],
  ['R', TcpFlag.RST],
  ['P', TcpFlag.PSH],
  ['U', TcpFlag.URG],
  ['.', TcpFlag.ACK],
];

const LINE =
  /^([SFRPU.]+) (-?\d+)(?::(-?\d+))?(?: ack (-?\d+))?(?: win (\d+))?(?: sack ((?:-?\d+:-?\d+ ?)+))?(?: ?<([^>]*)>)?$/;

/** See the file's head. */
export class SegmentBench extends StackBench {
  readonly stackAddress: IpAddress;
  readonly peerAddress: IpAddress;
  /** From the peer to the stack. */
  readonly ends: Ends;
  stackPort = STACK_PORT;
  peerPort = PEER_PORT;
  /** The stack's initial sequence number, learned from its SYN. */
  stackIsn = 0;
  /** Used for the peer's segments that do not name a window. */
  peerWindow = 65_535;
  /** Both sides send timestamps: the peer's segments carry them unless they name options. */
  timestamps = false;
  /** The stack's latest timestamp. */
  lastTimestamp = 0;
  /** What the peer's clock is ahead of the bench's. */
  timestampBase = 1000;
  /** How the last attempt of {@link open} or {@link accept} ended. */
  error: NetloomError | undefined;
  listener: TcpListener | undefined;
  readonly accepted: TcpConnection[] = [];
  #peerOffersTimestamps = false;
  #stackOffersTimestamps = false;

  constructor(options: SegmentBenchOptions = {}) {
    super({
      ...options,
      limits: { neighbour: { reachableTime: 1e9 }, ...options.limits },
    });
    const { stack, peer } = ADDRESSES[options.family ?? 4];
    this.stackAddress = stack;
    this.peerAddress = peer;
    this.ends = {
      source: peer,
      destination: stack,
      sourceMac: PEER_MAC,
      destinationMac: STACK_MAC,
    };
    this.learn(peer);
  }

  /** The stack listens; connections it accepts are in {@link accepted}. */
  listen(backlog?: number): TcpListener {
    this.listener = this.stack.tcp.listen(STACK_PORT, undefined, backlog, (connection) => {
      this.accepted.push(connection);
    });
    return this.listener;
  }

  /** The stack connects to the peer; its SYN is left to be expected. */
  connect(): TcpConnection {
    const path = this.stack.paths.find(this.peerAddress, undefined);
    const connection = this.stack.tcp.connect(path, 0, PEER_PORT, (_made, error) => {
      this.error = error;
    });
    this.stackPort = connection.localPort;
    this.settle();
    return connection;
  }

  /** The peer opens a connection to the stack, which is handed to a user. */
  accept(handshake: HandshakeOptions = {}): PatternUser {
    if (this.listener === undefined) this.listen();
    const { options = 'mss 1460,sackOK', window = 65_535, roundTrip = 100 } = handshake;
    this.peerWindow = window;
    this.peer(`S 0 win ${window} <${options}>`);
    this.expect('S. 0 ack 1');
    this.pass(roundTrip);
    this.peer('. 1 ack 1');
    this.expect();
    return new PatternUser(this.accepted.at(-1)!);
  }

  /** The stack opens a connection to the peer, which answers. */
  open(handshake: HandshakeOptions = {}): PatternUser {
    const { options = 'mss 1460,sackOK', window = 65_535, roundTrip = 100 } = handshake;
    this.peerWindow = window;
    const connection = this.connect();
    this.expect('S 0');
    this.pass(roundTrip);
    this.peer(`S. 0 ack 1 win ${window} <${options}>`);
    this.expect('. 1 ack 1');
    return new PatternUser(connection);
  }

  /** The peer sends a segment. `change` may spoil its header before the checksum is computed. */
  peer(line: string, change: (header: TcpHeader) => void = () => undefined): void {
    this.inject(this.peerFrame(line, change));
  }

  /** The frame of a segment of the peer's. */
  peerFrame(line: string, change: (header: TcpHeader) => void = () => undefined): Uint8Array {
    const { header, data } = this.#parse(line);
    change(header);
    return tcpFrame(this.ends, header, data);
  }

  /** The segments the stack has sent since the last look, which are exactly these. */
  expect(...lines: readonly string[]): Segment[] {
    const segments = this.segments();
    const seen = segments.map((segment, i) => render(segment, lines[i] ?? ''));
    assert.deepEqual(seen, lines);
    return segments;
  }

  /** The segments the stack has sent since the last look. */
  segments(): Segment[] {
    return this.take().flatMap((frame) => this.#read(frame) ?? []);
  }

  #read(frame: SentFrame): Segment | undefined {
    const { bytes } = frame;
    const at = ETHERNET_HEADER_LENGTH;
    const type = (bytes[12]! << 8) | bytes[13]!;
    const v4 = type === EtherType.IPV4 ? parseIpv4(bytes, at, bytes.length) : 'bad-version';
    const v6 = type === EtherType.IPV6 ? parseIpv6(bytes, at, bytes.length) : 'bad-version';
    const ip = isFault(v4) ? v6 : v4;
    if (isFault(ip)) return undefined;
    const protocol = 'protocol' in ip ? ip.protocol : ip.nextHeader;
    if (protocol !== IpProtocol.TCP) return undefined;
    const start = at + ('headerLength' in ip ? ip.headerLength : 40);
    const end = at + ('totalLength' in ip ? ip.totalLength : 40 + ip.payloadLength);
    const header = parseTcp(bytes, start, end);
    assert.ok(!isFault(header), `the stack has sent a bad TCP header: ${String(header)}`);
    if (frame.offload === undefined) {
      const ends = { source: ip.sourceAddress, destination: ip.destinationAddress };
      const sum = pseudoHeaderSum(ends, IpProtocol.TCP, end - start);
      assert.ok(isTransportChecksumValid(bytes, start, end, sum), 'the checksum is wrong');
    }
    if (header.flags & TcpFlag.SYN) this.#takeSyn(header);
    if (header.hasTimestamps) this.lastTimestamp = header.timestampValue;
    const sequence = (header.sequence - this.stackIsn) | 0;
    const text = bytes.subarray(start + header.headerLength, end);
    const wrong = text.findIndex((byte, i) => byte !== patternByte(sequence - 1 + i));
    assert.equal(wrong, -1, `byte ${sequence + wrong} of the stream is not what was written`);
    const acknowledgment = (header.acknowledgment - PEER_ISN) | 0;
    return { at: frame.at, header, sequence, length: text.length, acknowledgment, frame };
  }

  #takeSyn(header: TcpHeader): void {
    this.stackIsn = header.sequence;
    this.#stackOffersTimestamps = header.hasTimestamps;
    this.timestamps = this.#stackOffersTimestamps && this.#peerOffersTimestamps;
  }

  #parse(line: string): { header: TcpHeader; data: Uint8Array } {
    const found = LINE.exec(line);
    assert.ok(found !== null, `'${line}' is no segment`);
    const [, flags, from, to, ack, window, sack, options] = found;
    const header = new TcpHeader();
    header.sourcePort = this.peerPort;
    header.destinationPort = this.stackPort;
    for (const [letter, bit] of FLAG_LETTERS) if (flags!.includes(letter)) header.flags |= bit;
    const start = Number(from);
    header.sequence = (PEER_ISN + start) | 0;
    header.acknowledgment = ack === undefined ? 0 : (this.stackIsn + Number(ack)) | 0;
    header.window = window === undefined ? this.peerWindow : Number(window);
    for (const block of sack?.trim().split(' ') ?? []) {
      const [left, right] = block.split(':');
      header.sackEdges[2 * header.sackCount] = (this.stackIsn + Number(left)) | 0;
      header.sackEdges[2 * header.sackCount + 1] = (this.stackIsn + Number(right)) | 0;
      header.sackCount++;
    }
    if (options !== undefined) this.#setOptions(header, options);
    else if (this.timestamps) this.#setTimestamps(header, this.peerTimestamp, this.lastTimestamp);
    if (header.flags & TcpFlag.SYN) {
      this.#peerOffersTimestamps = header.hasTimestamps;
      this.timestamps = this.#stackOffersTimestamps && this.#peerOffersTimestamps;
    }
    return {
      header,
      data: to === undefined ? new Uint8Array() : pattern(start - 1, Number(to) - 1),
    };
  }

  /** The peer's clock: it ticks once a millisecond. */
  get peerTimestamp(): number {
    return Math.floor(this.clock.now()) + this.timestampBase;
  }

  #setOptions(header: TcpHeader, options: string): void {
    for (const option of options.split(',').filter((text) => text !== '')) {
      const [name, first, second] = option.trim().split(' ');
      if (name === 'mss') header.maximumSegmentSize = Number(first);
      else if (name === 'wscale') header.windowScale = Number(first);
      else if (name === 'sackOK') header.sackPermitted = true;
      else if (name === 'ts') {
        const value = first === undefined ? this.peerTimestamp : Number(first);
        this.#setTimestamps(
          header,
          value,
          second === undefined ? this.lastTimestamp : Number(second),
        );
      } else assert.fail(`'${option}' is no option`);
    }
  }

  #setTimestamps(header: TcpHeader, value: number, echo: number): void {
    header.hasTimestamps = true;
    header.timestampValue = value | 0;
    header.timestampEcho = echo | 0;
  }
}

/** A segment as a line, with what `like` names. */
function render({ header, sequence, length, acknowledgment }: Segment, like: string): string {
  const flags = FLAG_LETTERS.filter(([, bit]) => header.flags & bit).map(([letter]) => letter);
  const parts = [flags.join(''), length > 0 ? `${sequence}:${sequence + length}` : `${sequence}`];
  if (header.flags & TcpFlag.ACK) parts.push(`ack ${acknowledgment}`);
  if (/ win /.test(like)) parts.push(`win ${header.window}`);
  if (header.sackCount > 0) {
    const edges = Array.from(header.sackEdges, (edge) => (edge - PEER_ISN) | 0);
    const blocks = Array.from(
      { length: header.sackCount },
      (_, i) => `${edges[2 * i]}:${edges[2 * i + 1]}`,
    );
    parts.push('sack', ...blocks);
  }
  if (like.includes('<')) parts.push(`<${renderOptions(header)}>`);
  return parts.join(' ');
}

/** The options by name, in the order of the kinds; of timestamps only that they are there. */
function renderOptions(header: TcpHeader): string {
  const options: string[] = [];
  if (header.maximumSegmentSize > 0) options.push(`mss ${header.maximumSegmentSize}`);
  if (header.windowScale >= 0) options.push(`wscale ${header.windowScale}`);
  if (header.sackPermitted) options.push('sackOK');
  if (header.hasTimestamps) options.push('ts');
  return options.join(',');
}
