/** The header codecs. */
import { IpAddress, MacAddress, Cidr, fromHex } from 'netloom/core';
import {
  ARP_LENGTH,
  ETHERNET_HEADER_LENGTH,
  ICMPV6_HEADER_LENGTH,
  Ipv6Header,
  TCP_HEADER_LENGTH,
  UDP_HEADER_LENGTH,
  VLAN_TAG_LENGTH,
  VXLAN_HEADER_LENGTH,
  bpduLength,
  emitArp,
  emitBpdu,
  emitEthernet,
  emitIcmpv6,
  emitIgmp,
  emitIpv4Options,
  emitMld,
  emitNdp,
  emitTcp,
  emitUdp,
  emitVlan,
  emitVxlan,
  finishChecksum,
  igmpLength,
  ipv4OptionsLength,
  mldLength,
  ndpLength,
  parseArp,
  parseBpdu,
  parseEthernet,
  parseIcmpv4,
  parseIcmpv6,
  parseIgmp,
  parseIpv4,
  parseIpv4Options,
  parseIpv6,
  parseMld,
  parseNdp,
  parseQuotedIpv4,
  parseQuotedIpv6,
  parseTcp,
  parseUdp,
  parseVlan,
  parseVxlan,
  sumWords,
  tcpOptionsLength,
  walkIpv6,
  type IgmpMessage,
  type MldMessage,
  type NdpEnvelope,
  type NdpMessage,
  type TcpHeader,
} from 'netloom/wire';
import { FRAMES } from '../../packages/netloom/test/frames.ts';
import { parserEntry, type FuzzEntry } from '../entry.ts';

const ALL_FRAMES: readonly Uint8Array[] = Object.values(FRAMES);

/** What an emitter writes into a buffer of this length. */
function written(
  length: number,
  emit: (bytes: Uint8Array, at: number) => unknown,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  emit(bytes, 0);
  return bytes;
}

/** The frames from `start` on. */
function from(start: number, ...frames: readonly Uint8Array[]): Uint8Array[] {
  return frames.map((frame) => frame.subarray(start));
}

/** Puts a checksum over the first `length` bytes into the field at `at`. */
function repairChecksum(bytes: Uint8Array, at: number, length: number): void {
  const end = Math.min(length, bytes.length);
  if (end < at + 2) return;
  bytes[at] = 0;
  bytes[at + 1] = 0;
  const checksum = finishChecksum(sumWords(bytes, 0, end));
  bytes[at] = checksum >>> 8;
  bytes[at + 1] = checksum;
}

const group4 = IpAddress.parse('232.1.2.3');
const group6 = IpAddress.parse('ff32::1');
const source4 = IpAddress.parse('192.0.2.1');
const source6 = IpAddress.parse('2001:db8::1');
const local = IpAddress.parse('fe80::1');
const mac = MacAddress.parse('02:00:00:00:00:01');

/** What the queries of both families have in common. */
const QUERY = {
  kind: 'query',
  maximumResponseTime: 10_000,
  suppressRouterProcessing: true,
  robustness: 2,
  queryInterval: 125,
} as const;

const IGMP_MESSAGES: readonly IgmpMessage[] = [
  { ...QUERY, version: 3, group: group4, sources: [source4, source4] },
  {
    kind: 'report-v3',
    records: [
      { type: 1, group: group4, sources: [source4] },
      { type: 4, group: group4, sources: [] },
    ],
  },
];

const MLD_MESSAGES: readonly MldMessage[] = [
  { ...QUERY, version: 1, group: group6, sources: [] },
  { ...QUERY, version: 2, group: group6, sources: [source6, source6] },
  {
    kind: 'report-v2',
    records: [
      { type: 1, group: group6, sources: [source6] },
      { type: 4, group: group6, sources: [] },
    ],
  },
];

const NDP_MESSAGES: readonly NdpMessage[] = [
  {
    kind: 'redirect',
    target: local,
    destination: source6,
    options: [
      { kind: 'target-link-address', mac },
      { kind: 'redirected-header', packet: FRAMES.udp6.subarray(14, 62) },
    ],
  },
  {
    kind: 'router-advertisement',
    hopLimit: 64,
    managed: true,
    otherConfiguration: false,
    preference: 'low',
    routerLifetime: 1800,
    reachableTime: 30_000,
    retransmitTime: 1000,
    options: [
      { kind: 'route', prefix: Cidr.parse('2001:db8:1::/48'), preference: 'high', lifetime: 60 },
      { kind: 'dns-servers', lifetime: 60, addresses: [source6, local] },
    ],
  },
];

/** One in which messages are believed, so that every part of the parser is reached. */
const NDP_ENVELOPE: NdpEnvelope = { hopLimit: 255, source: local, destination: local };

/** A header as it can be sent: the options of some do not fit once they are aligned. */
function emitParsedTcp(header: TcpHeader): Uint8Array | undefined {
  const length = TCP_HEADER_LENGTH + tcpOptionsLength(header);
  if (length > 60) return undefined;
  // Blocks of an option that a later one has replaced do not count.
  header.sackEdges.fill(0, 2 * header.sackCount);
  return written(length, (bytes, at) => emitTcp(header, bytes, at));
}

/** All parsers of netloom/wire but those of DHCP. */
export const WIRE_ENTRIES: readonly FuzzEntry[] = [
  parserEntry({
    name: 'ethernet',
    seeds: ALL_FRAMES,
    parse: (bytes, start, end) => parseEthernet(bytes, start, end),
    emit: (header) =>
      written(ETHERNET_HEADER_LENGTH, (bytes, at) => emitEthernet(header, bytes, at)),
  }),
  parserEntry({
    name: 'vlan',
    seeds: [Uint8Array.of(0x60, 0x64, 0x08, 0x00, 0x45)],
    parse: (bytes, start, end) => parseVlan(bytes, start, end),
    emit: (tag) => written(VLAN_TAG_LENGTH, (bytes, at) => emitVlan(tag, bytes, at)),
  }),
  parserEntry({
    name: 'vxlan',
    seeds: [fromHex('0800000000002a00'), fromHex('ffffffffffffffff')],
    parse: (bytes, start, end) => parseVxlan(bytes, start, end),
    emit: (header) => written(VXLAN_HEADER_LENGTH, (bytes, at) => emitVxlan(header, bytes, at)),
  }),
  parserEntry({
    name: 'arp',
    seeds: from(14, FRAMES.arpRequest, FRAMES.arpReply),
    parse: (bytes, start, end) => parseArp(bytes, start, end),
    emit: (packet) => written(ARP_LENGTH, (bytes, at) => emitArp(packet, bytes, at)),
  }),
  parserEntry({
    name: 'bpdu',
    seeds: [
      fromHex('00000202 7e 8000020000000001 00004e20 9000020000000002 8003 0100 1400 0200 0f00 00'),
      fromHex('00000000 81 100002000000000a 00000000 100002000000000a 8001 0000 1400 0200 0400'),
      fromHex('00000080'),
    ],
    parse: parseBpdu,
    emit: (bpdu) => written(bpduLength(bpdu), (bytes, at) => emitBpdu(bpdu, bytes, at)),
  }),
  parserEntry({
    name: 'ipv4',
    seeds: from(14, FRAMES.udp, FRAMES.tcpSyn, FRAMES.igmpV3Query, FRAMES.pingRecordRoute),
    repair: (input) => repairChecksum(input, 10, 4 * ((input[0] ?? 0) & 15)),
    parse: (bytes, start, end) => parseIpv4(bytes, start, end),
  }),
  parserEntry({
    name: 'ipv4-quoted',
    seeds: from(42, FRAMES.portUnreachable),
    parse: (bytes, start, end) => parseQuotedIpv4(bytes, start, end),
  }),
  parserEntry({
    name: 'ipv4-options',
    seeds: [FRAMES.igmpV3Query.subarray(34, 38), FRAMES.pingRecordRoute.subarray(34, 74)],
    maximumLength: 40,
    parse: parseIpv4Options,
    emit: (options) =>
      written(ipv4OptionsLength(options), (bytes, at) => emitIpv4Options(options, bytes, at)),
  }),
  parserEntry({
    name: 'ipv6',
    seeds: from(14, FRAMES.udp6, FRAMES.fragment6Last, FRAMES.mldV2Report),
    parse: (bytes, start, end) => parseIpv6(bytes, start, end),
  }),
  parserEntry({
    name: 'ipv6-extensions',
    seeds: from(14, FRAMES.fragment6First, FRAMES.fragment6Last, FRAMES.mldV2Report),
    parse: (bytes, start, end) => {
      const header = parseQuotedIpv6(bytes, start, end);
      return header instanceof Ipv6Header ? walkIpv6(bytes, start, end, header) : header;
    },
  }),
  parserEntry({
    name: 'icmpv4',
    seeds: from(34, FRAMES.pingRequest, FRAMES.portUnreachable),
    repair: (input) => repairChecksum(input, 2, input.length),
    parse: (bytes, start, end) => parseIcmpv4(bytes, start, end),
  }),
  parserEntry({
    name: 'icmpv6',
    seeds: from(54, FRAMES.ping6Request, FRAMES.portUnreachable6),
    parse: (bytes, start, end) => parseIcmpv6(bytes, start, end),
    emit: (header) => written(ICMPV6_HEADER_LENGTH, (bytes, at) => emitIcmpv6(header, bytes, at)),
  }),
  parserEntry({
    name: 'ndp',
    seeds: [
      ...NDP_MESSAGES.map((message) =>
        written(ndpLength(message), (bytes, at) => emitNdp(message, bytes, at)),
      ),
      ...from(
        54,
        FRAMES.routerSolicitation,
        FRAMES.routerAdvertisement,
        FRAMES.neighbourSolicitation,
        FRAMES.neighbourAdvertisement,
      ),
    ],
    parse: (bytes, start, end) => parseNdp(bytes, start, end, NDP_ENVELOPE),
    emit: (message) => written(ndpLength(message), (bytes, at) => emitNdp(message, bytes, at)),
  }),
  parserEntry({
    name: 'mld',
    seeds: [
      ...MLD_MESSAGES.map((message) =>
        written(mldLength(message), (bytes, at) => emitMld(message, bytes, at)),
      ),
      ...from(62, FRAMES.mldV1Report, FRAMES.mldV1Done, FRAMES.mldV2Report),
    ],
    parse: (bytes, start, end) => parseMld(bytes, start, end),
    emit: (message) => written(mldLength(message), (bytes, at) => emitMld(message, bytes, at)),
  }),
  parserEntry({
    name: 'igmp',
    seeds: [
      ...IGMP_MESSAGES.map((message) =>
        written(igmpLength(message), (bytes, at) => emitIgmp(message, bytes, at)),
      ),
      ...from(38, FRAMES.igmpV3Query, FRAMES.igmpV3Report, FRAMES.igmpV2Report, FRAMES.igmpV2Leave),
    ],
    repair: (input) => repairChecksum(input, 2, input.length),
    parse: (bytes, start, end) => parseIgmp(bytes, start, end),
    emit: (message) => written(igmpLength(message), (bytes, at) => emitIgmp(message, bytes, at)),
  }),
  parserEntry({
    name: 'udp',
    seeds: from(34, FRAMES.udp),
    parse: (bytes, start, end) => parseUdp(bytes, start, end),
    // The payload is not the header's to emit, so room for it stays zero.
    emit: (header) =>
      written(Math.max(header.length, UDP_HEADER_LENGTH), (bytes, at) =>
        emitUdp(header, bytes, at),
      ),
  }),
  parserEntry({
    name: 'tcp',
    seeds: from(34, FRAMES.tcpSyn, FRAMES.tcpReset),
    parse: (bytes, start, end) => parseTcp(bytes, start, end),
    emit: emitParsedTcp,
  }),
];
