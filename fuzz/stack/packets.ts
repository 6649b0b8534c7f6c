/** Attacks below the transport: noise, what others have sent with changes, fragments, extension headers, offload that lies. */
import { concatBytes, copyBytes, writeUint16, type Random } from 'netloom/core';
import type { FrameOffload } from 'netloom/link';
import {
  ETHERNET_HEADER_LENGTH,
  EtherType,
  IPV4_HEADER_LENGTH,
  IPV6_HEADER_LENGTH,
  IpProtocol,
  emitIpv6Fragment,
} from 'netloom/wire';
import {
  ethernetFrame,
  ipFrame,
  udpDatagram,
  udpFrame,
} from '../../packages/netloom/test/ip/frames.ts';
import { makeInput } from '../mutate.ts';
import { oneOf, once, randomBytes, randomEnds, randomLan, type HostileFrame } from './hostile.ts';
import { mendFrame } from './mend.ts';
import { ATTACKERS, GROUP_MACS, TARGETS } from './stations.ts';
import { ECHO_PORT, QUIET_PORT, type World } from './world.ts';

const LONGEST = 1600;
/** A link carries no more in one piece. */
const LARGEST_FRAME = 65_549;

const PROTOCOLS: readonly number[] = [...Object.values(IpProtocol), 255];

/** A frame without any work left to the link. */
function plain(lan: 0 | 1, bytes: Uint8Array): HostileFrame {
  return { lan, bytes, offload: undefined };
}

/** Random bytes, behind a good Ethernet header or an IP header as well, or behind none. */
export function noise(_world: World, random: Random): HostileFrame[] {
  const lan = randomLan(random);
  const body = randomBytes(random, once(random, 2) ? 100 : LONGEST);
  const depth = random.below(3);
  if (depth === 0) return [plain(lan, body)];
  const ends = randomEnds(random, lan);
  if (depth === 1) {
    const type = oneOf(random, [...Object.values(EtherType), random.below(0x10000)]);
    return [plain(lan, ethernetFrame(ends.sourceMac, ends.destinationMac, type, body))];
  }
  const bytes = ipFrame(ends, oneOf(random, PROTOCOLS), body);
  if (once(random, 2)) mendFrame(bytes);
  return [plain(lan, bytes)];
}

/** Something that was on the wire, changed here and there, and often with its checksums mended. */
export function mutate({ seen }: World, random: Random): HostileFrame[] {
  const original = oneOf(random, seen);
  const others = [original.bytes, oneOf(random, seen).bytes];
  // The original more often than the other, and not without its Ethernet header where that can be had.
  const bytes = makeInput(others, LONGEST, random);
  if (!once(random, 4)) bytes.set(original.bytes.subarray(0, Math.min(14, bytes.length)));
  if (!once(random, 3)) mendFrame(bytes);
  const { lan, offload } = original;
  return [{ lan, bytes, offload: once(random, 2) ? offload : undefined, isForgery: true }];
}

/** The same again, on either LAN. */
export function replay({ seen }: World, random: Random): HostileFrame[] {
  return [{ ...oneOf(random, seen), lan: randomLan(random), isForgery: true }];
}

/** Work left to the link that cannot be done, or should not. */
export function lieAboutOffload({ seen }: World, random: Random): HostileFrame[] {
  const edges = [0, 1, 13, 14, 34, 54, 0xfffe, 0xffff, random.below(0x10000)];
  const offload: FrameOffload = {
    checksumStart: oneOf(random, edges),
    checksumOffset: oneOf(random, [0, 6, 16, 0xffff, random.below(0x10000)]),
    segmentSize: once(random, 2) ? 0 : oneOf(random, [1, 8, 536, 1460, 0xffff]),
  };
  const { lan, bytes } = oneOf(random, seen);
  if (!once(random, 4)) return [{ lan, bytes, offload, isForgery: true }];
  // More than the link's MTU, as it is allowed where the link is to cut it.
  const room = LARGEST_FRAME - bytes.length;
  const large = concatBytes([bytes, random.fill(new Uint8Array(random.below(room)))]);
  const header = large[12] === 0x86 ? 4 : 2;
  const length = large.length - ETHERNET_HEADER_LENGTH - (header === 4 ? IPV6_HEADER_LENGTH : 0);
  writeUint16(large, ETHERNET_HEADER_LENGTH + header, length);
  if (once(random, 2)) mendFrame(large);
  return [{ lan, bytes: large, offload, isForgery: true }];
}

/** More than anybody's MTU. */
export function oversize(_world: World, random: Random): HostileFrame[] {
  const lan = randomLan(random);
  const ends = randomEnds(random, lan);
  const data = new Uint8Array(LONGEST + random.below(60_000));
  const ends4 = once(random, 2) ? ends : { ...ends, v4: { dontFragment: false } };
  return [plain(lan, udpFrame(ends4, ECHO_PORT, ECHO_PORT, data).subarray(0, LARGEST_FRAME))];
}

/** Datagrams that lie about their length or have no checksum, to users and to nobody. */
export function datagrams(_world: World, random: Random): HostileFrame[] {
  const lan = randomLan(random);
  const ends = randomEnds(random, lan);
  const port = oneOf(random, [ECHO_PORT, QUIET_PORT, 41_000, 53, 547, random.below(0x10000)]);
  const source = once(random, 4) ? port : random.below(0x10000);
  const datagram = udpDatagram(ends, source, port, randomBytes(random, 600));
  if (once(random, 4)) writeUint16(datagram, 4, random.below(0x10000));
  if (once(random, 4)) writeUint16(datagram, 6, once(random, 2) ? 0 : random.below(0x10000));
  return [plain(lan, ipFrame(ends, IpProtocol.UDP, datagram))];
}

/** Ways to cut what should be a datagram. */
const CUTS = ['in order', 'reversed', 'overlapping', 'twice', 'without first', 'endless'] as const;

/** Fragments: overlapping, tiny, out of order, more than once, too many, never the last. */
export function fragments(_world: World, random: Random): HostileFrame[] {
  const lan = randomLan(random);
  const ends = { ...randomEnds(random, lan), hopLimit: 64 };
  const isV4 = ends.source.family === 4;
  const length = once(random, 8) ? 20_000 : 16 + random.below(2000);
  const datagram = udpDatagram(ends, ECHO_PORT, ECHO_PORT, new Uint8Array(length));
  const identification = once(random, 2) ? 7 : random.uint32() | 0;
  const size = 8 * oneOf(random, [1, 2, 3, 16, 170, 1000, 8000]);
  const cut = oneOf(random, CUTS);
  const total = cut === 'endless' ? 65_528 : datagram.length;
  const frames: HostileFrame[] = [];
  const most = cut === 'endless' ? 40 : 140;
  for (let at = 0; at < total && frames.length < most; at += size) {
    const overlap = cut === 'overlapping' && at > 0 && once(random, 3) ? 8 : 0;
    const from = at - overlap;
    const data = new Uint8Array(Math.min(size + overlap, total - from));
    data.set(datagram.subarray(from, from + data.length));
    if (overlap > 0) random.fill(data.subarray(0, overlap));
    const more = cut === 'endless' || at + size < total;
    const bytes = isV4
      ? fragmentV4(ends, from, more, identification & 0xffff, data)
      : fragmentV6(ends, from, more, identification, data);
    frames.push(plain(lan, bytes));
  }
  if (cut === 'reversed') frames.reverse();
  if (cut === 'without first') frames.shift();
  return cut === 'twice' ? frames.flatMap((frame) => [frame, frame]) : frames;
}

/** Many that are begun and never continued. */
export function fragmentFlood(_world: World, random: Random): HostileFrame[] {
  const lan = randomLan(random);
  const ends = { ...randomEnds(random, lan), hopLimit: 64 };
  const isV4 = ends.source.family === 4;
  const data = new Uint8Array(oneOf(random, [8, 8, 1024, 65_000]));
  const count = data.length > 8 ? 24 : 1100;
  return Array.from({ length: count }, (_, i) =>
    plain(lan, isV4 ? fragmentV4(ends, 0, true, i, data) : fragmentV6(ends, 0, true, i, data)),
  );
}

type IpEnds = ReturnType<typeof randomEnds>;

function fragmentV4(
  ends: IpEnds,
  fragmentOffset: number,
  moreFragments: boolean,
  identification: number,
  data: Uint8Array,
): Uint8Array {
  const v4 = { dontFragment: false, fragmentOffset, moreFragments, identification };
  const room = data.subarray(0, 0xffff - IPV4_HEADER_LENGTH);
  return ipFrame({ ...ends, v4 }, IpProtocol.UDP, room);
}

function fragmentV6(
  ends: IpEnds,
  offset: number,
  more: boolean,
  identification: number,
  data: Uint8Array,
): Uint8Array {
  const payload = new Uint8Array(8 + data.length);
  payload.set(data, emitIpv6Fragment(IpProtocol.UDP, offset, more, identification, payload, 0));
  return ipFrame(ends, IpProtocol.FRAGMENT, payload);
}

/** Kinds of extension headers, in any order, and what no extension header is. */
const CHAIN: readonly number[] = [
  IpProtocol.HOP_BY_HOP,
  IpProtocol.DESTINATION_OPTIONS,
  IpProtocol.ROUTING,
  IpProtocol.FRAGMENT,
  IpProtocol.AUTHENTICATION,
  IpProtocol.ESP,
  IpProtocol.ICMPV6,
  IpProtocol.NO_NEXT_HEADER,
];

/** Chains of extension headers: long, looping, cut short, and with options nobody knows. */
export function extensionHeaders(_world: World, random: Random): HostileFrame[] {
  const lan = randomLan(random);
  const ends = randomEnds(random, lan, 6);
  const kinds = Array.from({ length: 1 + random.below(once(random, 4) ? 160 : 9) }, () =>
    oneOf(random, CHAIN.slice(0, once(random, 4) ? CHAIN.length : 4)),
  );
  const headers = kinds.map((_, i) => extensionHeader(kinds[i + 1] ?? IpProtocol.UDP, random));
  const datagram = udpDatagram(ends, ECHO_PORT, ECHO_PORT, randomBytes(random, 64));
  const payload = concatBytes([...headers, datagram]);
  const cut = once(random, 4) ? random.below(payload.length + 1) : payload.length;
  return [plain(lan, ipFrame(ends, kinds[0]!, payload.subarray(0, cut)))];
}

/** One that any kind can be read in: next header, length, and options or whatever they are taken for. */
function extensionHeader(next: number, random: Random): Uint8Array {
  const words = once(random, 4) ? random.below(4) : 0;
  const header = new Uint8Array(8 * (words + 1));
  // Padding, as far as it goes.
  header[2] = 1;
  header[3] = header.length - 4;
  if (once(random, 3)) random.fill(header.subarray(2));
  header[0] = next;
  header[1] = once(random, 8) ? random.below(256) : words;
  return header;
}

/** IPv4 with options, good ones and bad ones. */
export function options(_world: World, random: Random): HostileFrame[] {
  const lan = randomLan(random);
  const ends = randomEnds(random, lan, 4);
  const headerLength = 20 + 4 * random.below(11);
  const body = new Uint8Array(40 + 8 + random.below(64));
  const optionBytes = randomBytes(random, headerLength - 20);
  // Types and lengths that mean something: record route, source routes, time stamps, security.
  if (once(random, 2) && optionBytes.length > 2) {
    optionBytes[0] = oneOf(random, [0, 1, 7, 68, 130, 131, 137, 148]);
    optionBytes[1] = random.below(optionBytes.length + 2);
  }
  body.set(optionBytes);
  const v4 = { headerLength, dontFragment: once(random, 2) };
  const bytes = ipFrame({ ...ends, v4 }, oneOf(random, PROTOCOLS), body);
  if (!once(random, 4)) mendFrame(bytes);
  return [plain(lan, bytes)];
}

/** Frames with tags, and others that Ethernet has a say in. */
export function ethernet({ seen }: World, random: Random): HostileFrame[] {
  const { lan, bytes } = oneOf(random, seen);
  const frame = copyBytes(bytes);
  const station = oneOf(random, TARGETS[lan]);
  const to = once(random, 2) ? station.mac : oneOf(random, GROUP_MACS);
  writeUint16(frame, 0, to.high);
  writeUint16(frame, 2, to.low >>> 16);
  writeUint16(frame, 4, to.low & 0xffff);
  if (once(random, 2)) writeUint16(frame, 6, ATTACKERS[lan].mac.high);
  if (once(random, 4)) writeUint16(frame, 12, oneOf(random, [0x8100, 0x88a8, 64, 0x88cc]));
  const cut = once(random, 4) ? random.below(frame.length) : frame.length;
  return [{ lan, bytes: frame.subarray(0, cut), offload: undefined, isForgery: true }];
}
