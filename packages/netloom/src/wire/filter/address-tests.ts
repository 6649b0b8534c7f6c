import type { IpAddress, MacAddress } from '../../core/index.ts';
import { EtherType } from '../ethernet.ts';
import { carries, type LinkLayer } from './link-layer.ts';
import { REVERSE_ARP } from './protocols.ts';
import type { Direction } from './syntax.ts';
import { CUT_OFF, NO, YES, both, either, load16, load32, load8, type Test } from './verdict.ts';

/** Where the addresses are in the headers of IPv4 (RFC 791), of ARP over Ethernet (RFC 826) and of IPv6 (RFC 8200), from their beginning. */
const IPV4_AT = { src: 12, dst: 16 } as const;
const ARP_AT = { src: 14, dst: 24 } as const;
const IPV6_AT = { src: 8, dst: 24 } as const;

interface Place {
  readonly src: number;
  readonly dst: number;
}

/** The protocols with addresses: the type of their frames, and where the addresses are. */
const WITH_ADDRESSES: Readonly<
  Record<AddressProtocol, { readonly type: number; readonly place: Place }>
> = {
  ip: { type: EtherType.IPV4, place: IPV4_AT },
  ip6: { type: EtherType.IPV6, place: IPV6_AT },
  arp: { type: EtherType.ARP, place: ARP_AT },
  rarp: { type: REVERSE_ARP, place: ARP_AT },
};

/** A protocol with IP addresses in its header. */
export type AddressProtocol = 'ip' | 'ip6' | 'arp' | 'rarp';

/** The source, the destination, or whichever of them the direction asks for. */
function directed(direction: Direction, at: (end: 'src' | 'dst') => Test): Test {
  switch (direction) {
    case 'either':
      return either(at('src'), at('dst'));
    case 'both':
      return both(at('src'), at('dst'));
    default:
      return at(direction);
  }
}

/** An IP address in the header of `protocol`; undefined: of whichever has such addresses. */
export function hasAddress(
  layer: LinkLayer,
  protocol: AddressProtocol | undefined,
  direction: Direction,
  address: IpAddress,
  mask: IpAddress,
): Test {
  const at = (place: Place): Test =>
    directed(direction, (end) =>
      address.family === 4
        ? hasWord(layer.payload + place[end], address.word3, mask.word3)
        : hasWords(layer.payload + place[end], address, mask),
    );
  if (protocol !== undefined) {
    const { type, place } = WITH_ADDRESSES[protocol];
    return both(carries(layer, type), at(place));
  }
  if (address.family === 6) return both(carries(layer, EtherType.IPV6), at(IPV6_AT));
  return inIpv4OrArp(layer, at(IPV4_AT), at(ARP_AT));
}

/** The frame's type is looked at once. */
function inIpv4OrArp({ type }: LinkLayer, inIpv4: Test, inArp: Test): Test {
  return (frame, length) => {
    switch (type(frame)) {
      case CUT_OFF:
        return CUT_OFF;
      case EtherType.IPV4:
        return inIpv4(frame, length);
      case EtherType.ARP:
      case REVERSE_ARP:
        return inArp(frame, length);
      default:
        return NO;
    }
  };
}

function hasWord(at: number, word: number, mask: number): Test {
  const wanted = word & mask;
  return (frame) => {
    const actual = load32(frame, at);
    return actual === CUT_OFF ? CUT_OFF : (actual & mask) === wanted ? YES : NO;
  };
}

function hasWords(at: number, address: IpAddress, mask: IpAddress): Test {
  return [
    hasWord(at, address.word0, mask.word0),
    hasWord(at + 4, address.word1, mask.word1),
    hasWord(at + 8, address.word2, mask.word2),
    hasWord(at + 12, address.word3, mask.word3),
  ].reduce(both);
}

/** An Ethernet address. The end that differs most between stations is looked at first. */
export function hasStation(direction: Direction, { high, low }: MacAddress): Test {
  return directed(direction, (end) => {
    const at = end === 'src' ? 6 : 0;
    return both(hasWord(at + 2, low, -1), (frame) => {
      const actual = load16(frame, at);
      return actual === CUT_OFF ? CUT_OFF : actual === high ? YES : NO;
    });
  });
}

/** A group as the destination: by the group bit of Ethernet, in 224.0.0.0/4 and above, or in ff00::/8. */
export function isToGroup(layer: LinkLayer, of: 'ether' | 'ip' | 'ip6'): Test {
  if (of === 'ether') return byteOf(0, (byte) => (byte & 1) !== 0);
  const isIpv4 = of === 'ip';
  const at = layer.payload + (isIpv4 ? IPV4_AT : IPV6_AT).dst;
  const isGroup = byteOf(at, isIpv4 ? (byte) => byte >= 224 : (byte) => byte === 255);
  return both(carries(layer, isIpv4 ? EtherType.IPV4 : EtherType.IPV6), isGroup);
}

function byteOf(at: number, check: (byte: number) => boolean): Test {
  return (frame) => {
    const byte = load8(frame, at);
    return byte === CUT_OFF ? CUT_OFF : check(byte) ? YES : NO;
  };
}
