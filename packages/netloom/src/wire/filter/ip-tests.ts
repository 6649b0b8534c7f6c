import { EtherType } from '../ethernet.ts';
import { IpProtocol } from '../ip-protocol.ts';
import { IPV6_HEADER_LENGTH } from '../ipv6.ts';
import type { LinkLayer } from './link-layer.ts';
import { SCTP } from './protocols.ts';
import type { Direction } from './syntax.ts';
import { CUT_OFF, NO, YES, load16, load8, type Test } from './verdict.ts';

/** Fields of IPv4's header (RFC 791, section 3.1), from its beginning. */
const IPV4_FRAGMENT = 6;
const IPV4_PROTOCOL = 9;

/** Where IPv6's fixed header says what comes next (RFC 8200, section 3). */
export const IPV6_NEXT_HEADER = 6;
/** The bits of IPv4's fragment field that are the offset. */
const FRAGMENT_OFFSET = 0x1fff;

/** IP of one of these versions that carries a protocol. */
export function carriesOverIp(
  { payload, type }: LinkLayer,
  number: number,
  versions: readonly (4 | 6)[],
): Test {
  const has4 = versions.includes(4);
  const has6 = versions.includes(6);
  return (frame) => {
    switch (type(frame)) {
      case CUT_OFF:
        return CUT_OFF;
      case EtherType.IPV4:
        return has4 ? isNumber(load8(frame, payload + IPV4_PROTOCOL), number) : NO;
      case EtherType.IPV6:
        return has6 ? isNextHeader(frame, payload, number) : NO;
      default:
        return NO;
    }
  };
}

function isNumber(actual: number, number: number): number {
  return actual === number ? YES : actual === CUT_OFF ? CUT_OFF : NO;
}

/** In the fixed header, or in that of a fragment right behind it; other extension headers are not followed. */
function isNextHeader(frame: Uint8Array, payload: number, number: number): number {
  const next = load8(frame, payload + IPV6_NEXT_HEADER);
  if (next === number) return YES;
  if (next !== IpProtocol.FRAGMENT) return next === CUT_OFF ? CUT_OFF : NO;
  return isNumber(load8(frame, payload + IPV6_HEADER_LENGTH), number);
}

/** Where the header above IPv4 begins, by the length the packet gives; `CUT_OFF` if that was not captured. */
export function transportAt(frame: Uint8Array, payload: number): number {
  const first = load8(frame, payload);
  return first === CUT_OFF ? CUT_OFF : payload + 4 * (first & 0x0f);
}

/** Whether an IPv4 packet is one of a protocol, and not a later fragment: only there is the header above. */
export function beginsOverIpv4({ payload, type }: LinkLayer, number: number): Test {
  return (frame) => {
    const actual = type(frame);
    if (actual !== EtherType.IPV4) return actual === CUT_OFF ? CUT_OFF : NO;
    return beginsProtocol(frame, payload, number, number, number);
  };
}

/** Whether the packet at `payload` is of one of three protocols, and not a later fragment. */
function beginsProtocol(
  frame: Uint8Array,
  payload: number,
  first: number,
  second: number,
  third: number,
): number {
  const protocol = load8(frame, payload + IPV4_PROTOCOL);
  if (protocol !== first && protocol !== second && protocol !== third) {
    return protocol === CUT_OFF ? CUT_OFF : NO;
  }
  const fragment = load16(frame, payload + IPV4_FRAGMENT);
  return fragment === CUT_OFF ? CUT_OFF : (fragment & FRAGMENT_OFFSET) === 0 ? YES : NO;
}

/** The protocols that begin with two ports. */
const WITH_PORTS: Readonly<Record<'tcp' | 'udp' | 'sctp', number>> = {
  tcp: IpProtocol.TCP,
  udp: IpProtocol.UDP,
  sctp: SCTP,
};

/** Ports from one to another, both counted. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/**
 * A port of one of these ranges, of `protocol` or of any. One function that looks at each field once, however many ranges there are. It
 * answers as the ranges would one after the other; with more than one, the direction is not `both`.
 */
export function hasPort(
  { payload, type }: LinkLayer,
  protocol: 'tcp' | 'udp' | 'sctp' | undefined,
  direction: Direction,
  ranges: readonly PortRange[],
): Test {
  const one = WITH_PORTS[protocol ?? 'tcp'];
  const two = WITH_PORTS[protocol ?? 'udp'];
  const three = WITH_PORTS[protocol ?? 'sctp'];
  const compare =
    ranges.length === 1
      ? compareRange(direction, ranges[0]!)
      : compareRanges(direction === 'both' ? 'either' : direction, ranges);
  return (frame) => {
    const actual = type(frame);
    if (actual === EtherType.IPV6) {
      const next = load8(frame, payload + IPV6_NEXT_HEADER);
      return next === one || next === two || next === three
        ? compare(frame, payload + IPV6_HEADER_LENGTH)
        : next === CUT_OFF
          ? CUT_OFF
          : NO;
    }
    if (actual !== EtherType.IPV4) return actual === CUT_OFF ? CUT_OFF : NO;
    const begins = beginsProtocol(frame, payload, one, two, three);
    if (begins !== YES) return begins;
    const at = transportAt(frame, payload);
    return at === CUT_OFF ? CUT_OFF : compare(frame, at);
  };
}

/** Compares the ports of a header that begins at a place. */
type PortComparison = (frame: Uint8Array, at: number) => number;

function compareRange(direction: Direction, { first, last }: PortRange): PortComparison {
  const isPort = (frame: Uint8Array, at: number): number => {
    const port = load16(frame, at);
    return port >= first && port <= last ? YES : port === CUT_OFF ? CUT_OFF : NO;
  };
  switch (direction) {
    case 'src':
      return isPort;
    case 'dst':
      return (frame, at) => isPort(frame, at + 2);
    default: {
      // One port decides: that it is there, where either will do; that it is not, where both are wanted.
      const decisive = direction === 'either' ? NO : YES;
      return (frame, at) => {
        const source = isPort(frame, at);
        return source === decisive ? isPort(frame, at + 2) : source;
      };
    }
  }
}

/** The same for many ranges, by a bit for each port. */
function compareRanges(
  direction: 'src' | 'dst' | 'either',
  ranges: readonly PortRange[],
): PortComparison {
  const bits = bitsOf(ranges);
  const isIn = (port: number): number => (bits[port >> 3]! >> (port & 7)) & 1;
  if (direction !== 'either') {
    const distance = direction === 'src' ? 0 : 2;
    return (frame, at) => {
      const port = load16(frame, at + distance);
      return port === CUT_OFF ? CUT_OFF : isIn(port);
    };
  }
  const { first, last } = ranges[0]!;
  return (frame, at) => {
    const source = load16(frame, at);
    const destination = load16(frame, at + 2);
    // Without the destination all but the first range would have been too late for the source.
    if (destination === CUT_OFF) return source >= first && source <= last ? YES : CUT_OFF;
    return isIn(source) | isIn(destination);
  };
}

function bitsOf(ranges: readonly PortRange[]): Uint8Array {
  const bits = new Uint8Array(0x10000 / 8);
  for (const { first, last } of ranges) {
    for (let port = first; port <= last; port++) bits[port >> 3]! |= 1 << (port & 7);
  }
  return bits;
}
