/** Attacks by what networks tell each other: ICMP errors, ARP and neighbour discovery, routers, groups. */
import { Cidr, IpAddress, MacAddress, copyBytes, type Random } from 'netloom/core';
import {
  ETHERNET_HEADER_LENGTH,
  IpProtocol,
  TcpFlag,
  TcpHeader,
  emitIgmp,
  emitMld,
  igmpLength,
  mldLength,
  type IgmpMessage,
  type MldMessage,
  type NdpMessage,
  type NdpOption,
} from 'netloom/wire';
import {
  arpFrame,
  icmpFrame,
  ipFrame,
  ndpFrame,
  tcpFrame,
  udpDatagram,
  type Ends,
} from '../../packages/netloom/test/ip/frames.ts';
import {
  addressOf,
  anyAddress,
  oneOf,
  once,
  randomBytes,
  randomEnds,
  randomFamily,
  randomLan,
  type HostileFrame,
} from './hostile.ts';
import { mendFrame } from './mend.ts';
import { aimAt } from './segments.ts';
import { ATTACKERS, GROUP_MACS, STATIONS, TARGETS } from './stations.ts';
import { ECHO_PORT, type World } from './world.ts';

const MTUS: readonly number[] = [0, 1, 67, 68, 552, 576, 1279, 1280, 1281, 1399, 1500, 0xffff, -1];

/** Types and codes of errors; that the packet was too big comes most often, since it has the most effect. */
const V4_ERRORS: readonly (readonly [number, number])[] = [
  [3, 4],
  [3, 4],
  [3, 0],
  [3, 1],
  [3, 2],
  [3, 3],
  [3, 13],
  [11, 0],
  [12, 0],
];
const V6_ERRORS: readonly (readonly [number, number])[] = [
  [2, 0],
  [2, 0],
  [1, 0],
  [1, 1],
  [1, 3],
  [1, 4],
  [3, 0],
  [4, 0],
  [4, 1],
];

/** Errors about packets that were sent, and about others that nobody has sent. */
export function icmpErrors({ seen }: World, random: Random): HostileFrame[] {
  const lan = randomLan(random);
  const family = randomFamily(random);
  const ends = randomEnds(random, lan, family);
  const type = family === 4 ? oneOf(random, [3, 3, 3, 4, 5, 11, 12]) : 1 + random.below(4);
  const code = once(random, 2) ? random.below(16) : oneOf(random, [0, 3, 4]);
  const rest = once(random, 2) ? oneOf(random, MTUS) : random.uint32() | 0;
  return [{ lan, bytes: icmpFrame(ends, type, code, rest, quote()), offload: undefined }];

  /** The start of a packet of this family; of one that has been seen if there is one, which whoever sent it should recognize. */
  function quote(): Uint8Array {
    const { bytes } = oneOf(random, seen);
    const isFamily = bytes[ETHERNET_HEADER_LENGTH]! >>> 4 === family;
    if (isFamily && !once(random, 8)) {
      const packet = copyBytes(bytes, ETHERNET_HEADER_LENGTH);
      if (once(random, 8)) random.fill(packet.subarray(0, random.below(packet.length)));
      const kept = once(random, 2) ? packet.length : random.below(60);
      return packet.subarray(0, Math.min(kept, 1200));
    }
    // A datagram from a port that is in use, to anywhere.
    const far = once(random, 2) ? anyAddress(random, family) : randomAddress(random, family);
    const made = { ...ends, source: ends.destination, destination: far };
    const datagram = udpDatagram(made, 41_000, ECHO_PORT, new Uint8Array(1300));
    return ipFrame(made, IpProtocol.UDP, datagram).subarray(ETHERNET_HEADER_LENGTH, 300);
  }
}

/** Errors about segments that a connection has sent or might have: none of them may end it (RFC 9293, section 3.9.2.2). */
export function blame({ quiet, victims }: World, random: Random): HostileFrame[] {
  const aim = aimAt(oneOf(random, [...quiet, ...victims]), random);
  if (aim === undefined) return [];
  const { connection, ends, lan } = aim;
  const { localAddress: source, remoteAddress: destination, sender } = connection;
  const inFlight = (sender.next - sender.unacknowledged) | 0;
  const header = new TcpHeader();
  header.sourcePort = connection.localPort;
  header.destinationPort = connection.remotePort;
  header.sequence = (sender.unacknowledged + random.below(inFlight + 3) - 1) | 0;
  header.flags = TcpFlag.ACK;
  const text = new Uint8Array(random.below(1300));
  const quoted = tcpFrame({ ...ends, source, destination }, header, text);
  const family = source.family;
  const kinds = family === 4 ? V4_ERRORS : V6_ERRORS;
  const [type, code] = oneOf(random, kinds);
  const from = once(random, 2) ? ends : { ...ends, source: anyAddress(random, family) };
  const packet = quoted.subarray(ETHERNET_HEADER_LENGTH, ETHERNET_HEADER_LENGTH + 500);
  const bytes = icmpFrame(from, type, code, oneOf(random, MTUS), packet);
  return [{ lan, bytes, offload: undefined }];
}

/** Echo requests, to groups as well, and replies that nobody waits for. */
export function echoes(_world: World, random: Random): HostileFrame[] {
  const lan = randomLan(random);
  const ends = randomEnds(random, lan);
  const type = ends.source.family === 4 ? oneOf(random, [0, 8]) : oneOf(random, [128, 129]);
  const data = randomBytes(random, once(random, 8) ? 9000 : 200);
  return [{ lan, bytes: icmpFrame(ends, type, 0, random.uint32() | 0, data), offload: undefined }];
}

function randomAddress(random: Random, family: 4 | 6): IpAddress {
  if (family === 4) return IpAddress.v4(random.uint32() | 0);
  return IpAddress.v6(0x2001_0db8, random.below(3) << 16, random.uint32() | 0, random.uint32() | 0);
}

function randomMac(random: Random): MacAddress {
  const macs = [...GROUP_MACS, MacAddress.ZERO, STATIONS.client.mac, STATIONS.routerA.mac];
  if (once(random, 3)) return oneOf(random, macs);
  return new MacAddress(0x0200, random.uint32() | 0);
}

/** ARP that lies about who has which address, or asks for everybody. */
export function arpLies(_world: World, random: Random): HostileFrame[] {
  const lan = randomLan(random);
  const station = oneOf(random, TARGETS[lan]);
  const count = once(random, 4) ? 24 : 1;
  return Array.from({ length: count }, (_, i) => {
    const stranger = IpAddress.v4(0x0a00_0064 + ((lan + 1) << 8) + i);
    const fields = {
      operation: once(random, 8) ? random.below(0x10000) : 1 + random.below(2),
      senderMac: once(random, 2) ? randomMac(random) : ATTACKERS[lan].mac,
      sender: count > 1 ? stranger : anyAddress(random, 4),
      targetMac: once(random, 2) ? station.mac : randomMac(random),
      target: once(random, 4) ? anyAddress(random, 4) : station.v4,
    };
    const to = once(random, 2) ? station.mac : GROUP_MACS[0]!;
    return { lan, bytes: arpFrame(to, fields), offload: undefined };
  });
}

/** Neighbour discovery that lies. */
export function ndpLies(_world: World, random: Random): HostileFrame[] {
  const lan = randomLan(random);
  const count = once(random, 6) ? 24 : 1;
  return Array.from({ length: count }, () => {
    const ends = { ...randomEnds(random, lan, 6), hopLimit: once(random, 16) ? 64 : 255 };
    const message = ndpMessage(random, lan);
    const source = count > 1 ? randomAddress(random, 6) : ends.source;
    const bytes = ndpFrame({ ...ends, source }, message);
    return { lan, bytes, offload: undefined };
  });
}

function ndpMessage(random: Random, lan: 0 | 1): NdpMessage {
  const target = once(random, 2)
    ? anyAddress(random, 6)
    : addressOf(oneOf(random, TARGETS[lan]), 6, random);
  const options = ndpOptions(random);
  switch (random.below(4)) {
    case 0:
      return { kind: 'neighbour-solicitation', target, options };
    case 1: {
      const [router, solicited, override] = [once(random, 2), once(random, 2), once(random, 2)];
      return { kind: 'neighbour-advertisement', target, router, solicited, override, options };
    }
    case 2:
      return { kind: 'redirect', target, destination: anyAddress(random, 6), options };
    default:
      return { kind: 'router-solicitation', options };
  }
}

/** Routers that are none, to whoever configures himself by them. */
export function routerLies(_world: World, random: Random): HostileFrame[] {
  const { guest, routerA } = STATIONS;
  const count = once(random, 4) ? 24 : 1;
  return Array.from({ length: count }, (_, i) => {
    const isTheRouter = once(random, 3);
    const ends: Ends = {
      source: isTheRouter ? routerA.linkLocal : IpAddress.v6(0xfe80_0000 | 0, 0, 0, 0x900 + i),
      destination: once(random, 2) ? IpAddress.parse('ff02::1') : routerA.linkLocal,
      sourceMac: ATTACKERS[0].mac,
      destinationMac: once(random, 2) ? guest.mac : GROUP_MACS[2]!,
    };
    const bytes = ndpFrame(ends, {
      kind: 'router-advertisement',
      hopLimit: oneOf(random, [0, 1, 64, 255]),
      managed: once(random, 2),
      otherConfiguration: once(random, 2),
      preference: oneOf(random, ['low', 'medium', 'high']),
      routerLifetime: oneOf(random, [0, 1, 1800, 0xffff]),
      reachableTime: oneOf(random, [0, 1, 0xffff_ffff]),
      retransmitTime: oneOf(random, [0, 1, 1000, 0xffff_ffff]),
      options: ndpOptions(random),
    });
    return { lan: 0, bytes, offload: undefined };
  });
}

/** Seconds; the last stands for ever. */
const LIFETIMES: readonly number[] = [0, 1, 7200, 86_400, 0xffff_fffe, 0xffff_ffff];

function ndpOptions(random: Random): NdpOption[] {
  return Array.from({ length: random.below(once(random, 8) ? 30 : 4) }, () => ndpOption(random));
}

function ndpOption(random: Random): NdpOption {
  const prefixLength = oneOf(random, [64, 64, 64, 0, 1, 63, 65, 128]);
  const address = once(random, 4) ? anyAddress(random, 6) : randomAddress(random, 6);
  const lifetime = oneOf(random, LIFETIMES);
  switch (random.below(8)) {
    case 0:
      return { kind: 'source-link-address', mac: randomMac(random) };
    case 1:
      return { kind: 'target-link-address', mac: randomMac(random) };
    case 2:
      return { kind: 'mtu', mtu: oneOf(random, MTUS) >>> 0 };
    case 3:
      return { kind: 'dns-servers', lifetime, addresses: [address] };
    case 4:
      return { kind: 'other', type: random.below(256), body: random.fill(new Uint8Array(6)) };
    default:
      return {
        kind: 'prefix',
        prefix: new Cidr(new Cidr(address, prefixLength).network, prefixLength),
        onLink: once(random, 2),
        autonomous: !once(random, 4),
        validLifetime: lifetime,
        preferredLifetime: oneOf(random, LIFETIMES),
      };
  }
}

/** Queries and reports of groups, of all versions. */
export function groups(_world: World, random: Random): HostileFrame[] {
  const lan = randomLan(random);
  const family = randomFamily(random);
  const ends = {
    ...randomEnds(random, lan, family),
    hopLimit: once(random, 8) ? 64 : 1,
    destination: IpAddress.parse(family === 4 ? '224.0.0.1' : 'ff02::1'),
    ...(family === 6 && { source: ATTACKERS[lan].linkLocal }),
  };
  const group = oneOf(
    random,
    (family === 4 ? ['0.0.0.0', '239.1.2.3', '224.0.0.1'] : ['::', 'ff05::1234', 'ff02::1']).map(
      (text) => IpAddress.parse(text),
    ),
  );
  const sources = Array.from({ length: random.below(once(random, 4) ? 80 : 3) }, () =>
    randomAddress(random, family),
  );
  const query = {
    kind: 'query',
    group,
    maximumResponseTime: oneOf(random, [0, 100, 1000, 10_000, 3_000_000]),
    suppressRouterProcessing: once(random, 2),
    robustness: random.below(8),
    queryInterval: oneOf(random, [0, 1, 125, 31_744]),
    sources,
  } as const;
  const bytes =
    family === 4
      ? igmpFrame(ends, igmpMessage(query, group, random))
      : mldFrame(ends, mldMessage(query, group, random));
  return [{ lan, bytes, offload: undefined }];
}

type Query = Omit<Extract<IgmpMessage, { kind: 'query' }>, 'version'>;

function igmpMessage(query: Query, group: IpAddress, random: Random): IgmpMessage {
  const version = (1 + random.below(3)) as 1 | 2 | 3;
  if (!once(random, 4)) return { ...query, version };
  return version === 3 ? { kind: 'leave', group } : { kind: 'report', version, group };
}

function mldMessage(query: Query, group: IpAddress, random: Random): MldMessage {
  if (!once(random, 4)) return { ...query, version: (1 + random.below(2)) as 1 | 2 };
  return { kind: once(random, 2) ? 'report' : 'done', group };
}

function igmpFrame(ends: Ends, message: IgmpMessage): Uint8Array {
  const bytes = new Uint8Array(igmpLength(message));
  emitIgmp(message, bytes, 0);
  return ipFrame(ends, IpProtocol.IGMP, bytes);
}

function mldFrame(ends: Ends, message: MldMessage): Uint8Array {
  const bytes = new Uint8Array(mldLength(message));
  emitMld(message, bytes, 0);
  const frame = ipFrame(ends, IpProtocol.ICMPV6, bytes);
  mendFrame(frame);
  return frame;
}
