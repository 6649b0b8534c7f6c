/** A router that translates between two cables, in virtual time; the test is every host at their far ends. */
import assert from 'node:assert/strict';
import { Cidr, IpAddress, readUint16, type MacAddress, type SocketAddress } from 'netloom/core';
import { openNat, type IpStackOptions, type Nat, type NatOptions } from 'netloom/ip';
import {
  ETHERNET_HEADER_LENGTH,
  IpProtocol,
  Ipv6Header,
  TcpFlag,
  TcpHeader,
  describeFrame,
  foldSum,
  isFault,
  parseIpv4,
  parseIpv6,
  sumWords,
  walkIpv6,
} from 'netloom/wire';
import { icmpFrame, ipFrame, tcpFrame, udpFrame, type Ends } from './frames.ts';
import {
  PEER_MAC,
  SECOND_PEER_MAC,
  SECOND_STACK_MAC,
  STACK_MAC,
  StackBench,
  type CableOptions,
  type FarEnd,
} from './stack-bench.ts';

/** How a {@link NatBench} is made. */
export interface NatBenchOptions extends Partial<
  Omit<NatOptions, 'inside' | 'outside' | 'external'>
> {
  /** What is seen outside, as interface addresses. */
  readonly externals?: readonly string[];
  readonly inside?: CableOptions;
  readonly outside?: CableOptions;
  /** The NAT takes whatever IPv4 addresses the outside interface has. Default: it is told. */
  readonly followsInterface?: boolean;
  readonly seed?: number;
  readonly limitsOfStack?: IpStackOptions['limits'];
}

/** `10.0.0.2:80` or `[fd00::2]:80` as a value. */
export function end(text: string): SocketAddress {
  const at = text.lastIndexOf(':');
  const address = IpAddress.parse(text.slice(0, at).replace(/^\[|\]$/g, ''));
  return { address, port: Number(text.slice(at + 1)) };
}

/** Names of TCP's control bits, as `S`, `S.` or `F.`. */
const FLAGS: Readonly<Record<string, number>> = {
  S: TcpFlag.SYN,
  F: TcpFlag.FIN,
  R: TcpFlag.RST,
  P: TcpFlag.PSH,
  '.': TcpFlag.ACK,
};

/** See the file's head. Inside are 10.0.0.0/24 and fd00::/64; outside the router is 203.0.113.1 and 2001:db8::1, and beyond it is everything else. */
export class NatBench {
  readonly bench: StackBench;
  readonly outside: FarEnd;
  readonly nat: Nat;

  constructor(options: NatBenchOptions = {}) {
    const { externals = ['203.0.113.1/24', '2001:db8::1/64'], outside, seed, ...rest } = options;
    this.bench = new StackBench({
      forwarding: true,
      ...rest.inside,
      addresses: ['10.0.0.1/24', 'fd00::1/64', 'fe80::1/64'],
      ...(seed === undefined ? {} : { seed }),
      ...(rest.limitsOfStack === undefined ? {} : { limits: rest.limitsOfStack }),
    });
    const { stack } = this.bench;
    this.outside = this.bench.addCable({ addresses: externals, ...outside });
    const via = this.outside.interface;
    stack.addRoute(Cidr.parse('0.0.0.0/0'), via, IpAddress.parse('203.0.113.254'));
    stack.addRoute(Cidr.parse('::/0'), via, IpAddress.parse('2001:db8::fe'));
    const { behaviour, timeouts, limits } = rest;
    this.nat = openNat(stack, {
      inside: [this.bench.interface],
      outside: via,
      ...(rest.followsInterface === true
        ? {}
        : { external: externals.map((each) => Cidr.parse(each).address) }),
      ...(behaviour === undefined ? {} : { behaviour }),
      ...(timeouts === undefined ? {} : { timeouts }),
      ...(limits === undefined ? {} : { limits }),
    });
    this.lines();
  }

  /** Lets time go by, and forgets what was sent meanwhile. */
  pass(milliseconds: number): string[] {
    this.bench.pass(milliseconds);
    return this.lines();
  }

  /** A datagram from one end to another: what leaves the router for it, as `in <line>` or `out <line>`. */
  udp(from: string, to: string, length = 4): string[] {
    const [source, destination] = [end(from), end(to)];
    const data = new Uint8Array(length).fill(7);
    return this.send(source, destination, (ends) =>
      udpFrame(ends, source.port, destination.port, data),
    );
  }

  /** A segment, of flags as `S` or `.`. */
  tcp(from: string, to: string, flags: string, length = 0): string[] {
    const [source, destination] = [end(from), end(to)];
    const header = Object.assign(new TcpHeader(), {
      sourcePort: source.port,
      destinationPort: destination.port,
      sequence: 1000,
      flags: [...flags].reduce((all, each) => all | FLAGS[each]!, 0),
    });
    return this.send(source, destination, (ends) => tcpFrame(ends, header, new Uint8Array(length)));
  }

  /** An echo request, or with `isReply` a reply. */
  echo(from: string, to: string, identifier: number, isReply = false): string[] {
    const [source, destination] = [IpAddress.parse(from), IpAddress.parse(to)];
    const [request, reply] = source.family === 4 ? [8, 0] : [128, 129];
    const rest = (identifier << 16) | 1;
    return this.send({ address: source, port: 0 }, { address: destination, port: 0 }, (ends) =>
      icmpFrame(ends, isReply ? reply! : request!, 0, rest, new Uint8Array(8)),
    );
  }

  /** An ICMP message about a packet, as it left or reached its receiver. */
  error(
    from: string,
    to: string,
    type: number,
    code: number,
    rest: number,
    about: Uint8Array,
  ): string[] {
    const [source, destination] = [IpAddress.parse(from), IpAddress.parse(to)];
    const quote = about.subarray(ETHERNET_HEADER_LENGTH);
    return this.send({ address: source, port: 0 }, { address: destination, port: 0 }, (ends) =>
      icmpFrame(ends, type, code, rest, quote),
    );
  }

  /** A packet of any protocol. */
  raw(from: string, to: string, protocol: number, payload: Uint8Array): string[] {
    const [source, destination] = [IpAddress.parse(from), IpAddress.parse(to)];
    return this.send({ address: source, port: 0 }, { address: destination, port: 0 }, (ends) =>
      ipFrame(ends, protocol, payload),
    );
  }

  /** Sends a frame from whichever side its source is on. */
  send(
    source: SocketAddress,
    destination: SocketAddress,
    make: (ends: Ends) => Uint8Array,
  ): string[] {
    this.learn();
    const isInside = isInsideAddress(source.address);
    const [sourceMac, destinationMac] = isInside
      ? [PEER_MAC, STACK_MAC]
      : [SECOND_PEER_MAC, SECOND_STACK_MAC];
    const ends = {
      source: source.address,
      destination: destination.address,
      sourceMac,
      destinationMac,
    };
    const side = isInside ? this.bench.far : this.outside;
    const frame = make(ends);
    this.sees?.(frame, isInside);
    side.inject(frame);
    return this.lines();
  }

  /** The last frames that left, by side; checked. */
  frames(): { inside: Uint8Array[]; outside: Uint8Array[] } {
    const inside = this.bench.take().map(({ bytes }) => bytes);
    const outside = this.outside.take().map(({ bytes }) => bytes);
    for (const frame of [...inside, ...outside]) assertIntact(frame);
    this.sent = [...inside, ...outside].filter(isOfInterest);
    this.last = this.sent.at(-1) ?? this.last;
    return { inside: inside.filter(isOfInterest), outside: outside.filter(isOfInterest) };
  }

  /** Called with each frame that is sent to the router. */
  sees: ((frame: Uint8Array, isInside: boolean) => void) | undefined;
  /** The frames that left last. */
  sent: Uint8Array[] = [];
  /** The last frame that left. */
  last: Uint8Array = new Uint8Array(0);

  /** Checks that all of a frame's checksums are right. */
  check(frame: Uint8Array): void {
    assertIntact(frame);
  }

  lines(): string[] {
    const { inside, outside } = this.frames();
    return [
      ...inside.map((frame) => `in ${describeFrame(frame)}`),
      ...outside.map((frame) => `out ${describeFrame(frame)}`),
    ];
  }

  /** Makes the stations known whose addresses tests use. */
  learn(): void {
    const hosts = Array.from({ length: 8 }, (_, i) => [`10.0.0.${i + 2}`, `fd00::${i + 2}`]).flat();
    learnAll(this.bench.far, PEER_MAC, hosts);
    learnAll(this.outside, SECOND_PEER_MAC, ['203.0.113.254', '2001:db8::fe', '203.0.113.77']);
  }
}

function isInsideAddress(address: IpAddress): boolean {
  return address.family === 4 ? address.word3 >>> 24 === 10 : address.word0 >>> 16 === 0xfd00;
}

function learnAll(on: FarEnd, mac: MacAddress, addresses: readonly string[]): void {
  for (const address of addresses) on.learn(IpAddress.parse(address), mac);
}

/** The first line; there must be one. */
export function first(lines: readonly string[]): string {
  assert.ok(lines[0] !== undefined, 'nothing was sent');
  return lines[0];
}

/** Not one of the router's own questions for neighbours and groups. */
function isOfInterest(frame: Uint8Array): boolean {
  const line = describeFrame(frame);
  return !/^ARP|NDP|MLD|IGMP/.test(line);
}

/** The port or identifier that a line shows first: of `out 203.0.113.1:5000 > ...` 5000. */
export function portOf(lines: readonly string[]): number {
  const found = /^(?:in|out) \S*:(\d+) >/.exec(lines[0] ?? '');
  assert.ok(found !== null, `no port in: ${lines.join()}`);
  return Number(found[1]);
}

/** Checks all checksums of a frame, those of a packet that an ICMP error quotes included. */
export function assertIntact(frame: Uint8Array): void {
  const type = readUint16(frame, 12);
  const start = ETHERNET_HEADER_LENGTH;
  if (type === 0x0800) {
    const header = parseIpv4(frame, start, frame.length);
    assert.ok(!isFault(header), `IPv4 header: ${String(header)}`);
    if (header.isFragment) return;
    const transport = start + header.headerLength;
    assertTransport(frame, start, transport, start + header.totalLength, header.protocol);
  } else if (type === 0x86dd) {
    const header = parseIpv6(frame, start, frame.length);
    assert.ok(!isFault(header), `IPv6 header: ${String(header)}`);
    const chain = walkIpv6(frame, start, frame.length, header);
    assert.ok(!isFault(chain));
    if (chain.isFragment) return;
    const end = start + 40 + header.payloadLength;
    assertTransport(frame, start, chain.transport, end, chain.protocol);
  }
}

function assertTransport(
  bytes: Uint8Array,
  ip: number,
  transport: number,
  end: number,
  protocol: number,
): void {
  const isV4 = bytes[ip]! >>> 4 === 4;
  // Of a packet that is gone an error quotes the first eight bytes only.
  if (protocol === IpProtocol.TCP && end - transport < 20) return;
  if (protocol === IpProtocol.UDP && readUint16(bytes, transport + 6) === 0) return;
  const known: readonly number[] = [
    IpProtocol.TCP,
    IpProtocol.UDP,
    IpProtocol.ICMP,
    IpProtocol.ICMPV6,
  ];
  if (!known.includes(protocol)) return;
  const addresses = isV4 ? sumWords(bytes, ip + 12, ip + 20) : sumWords(bytes, ip + 8, ip + 40);
  const pseudo = protocol === IpProtocol.ICMP ? 0 : addresses + protocol + end - transport;
  const sum = foldSum(sumWords(bytes, transport, end, pseudo));
  assert.equal(sum, 0xffff, `checksum of protocol ${protocol} in ${describeFrame(bytes)}`);
  const errorType = bytes[transport]!;
  const isError = protocol === IpProtocol.ICMP ? [3, 11, 12].includes(errorType) : errorType < 128;
  if ((protocol === IpProtocol.ICMP || protocol === IpProtocol.ICMPV6) && isError) {
    assertQuoted(bytes, transport + 8, end);
  }
}

/** What an error quotes is whole in these tests, but for what the smallest MTU cuts off. */
function assertQuoted(bytes: Uint8Array, ip: number, end: number): void {
  if (bytes[ip]! >>> 4 === 4) {
    const length = (bytes[ip]! & 15) * 4;
    assert.equal(foldSum(sumWords(bytes, ip, ip + length)), 0xffff, 'quoted IPv4 header');
    const total = readUint16(bytes, ip + 2);
    if (ip + total === end) assertTransport(bytes, ip, ip + length, end, bytes[ip + 9]!);
  } else {
    const header = Object.assign(new Ipv6Header(), { nextHeader: bytes[ip + 6]! });
    const total = 40 + readUint16(bytes, ip + 4);
    if (ip + total === end) assertTransport(bytes, ip, ip + 40, end, header.nextHeader);
  }
}
