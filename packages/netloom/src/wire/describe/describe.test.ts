import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Cidr, EMPTY, IpAddress, MacAddress, concatBytes, writeUint16 } from '../../core/index.ts';
import {
  ArpPacket,
  Dhcpv4Message,
  Dhcpv4OptionCode,
  Icmpv4Header,
  Icmpv6Header,
  Ipv4Header,
  Ipv6Header,
  TcpFlag,
  TcpHeader,
  describeFrame,
  describePacket,
  dhcpv6Association,
  Dhcpv6Message,
  dhcpv6OptionRequest,
  emitArp,
  emitIcmpv4,
  emitIcmpv6,
  emitIgmp,
  emitIpv4,
  emitIpv6,
  emitIpv6Fragment,
  emitMld,
  emitNdp,
  emitTcp,
  encodeDhcpv4,
  encodeDhcpv6,
  igmpLength,
  mldLength,
  ndpLength,
  type IgmpMessage,
  type MldMessage,
  type NdpMessage,
} from '../index.ts';

const MACS = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
const macA = MacAddress.parse('02:00:00:00:00:01');
const v4 = { source: IpAddress.parse('192.0.2.1'), destination: IpAddress.parse('192.0.2.2') };
const v6 = { source: IpAddress.parse('2001:db8::1'), destination: IpAddress.parse('2001:db8::2') };
const linkLocal = { source: IpAddress.parse('fe80::1'), destination: IpAddress.parse('ff02::1') };

function ethernet(type: number, payload: Uint8Array): Uint8Array {
  return concatBytes([Uint8Array.of(...MACS, type >>> 8, type), payload]);
}

function ipv4(protocol: number, payload: Uint8Array, change: Partial<Ipv4Header> = {}): Uint8Array {
  const header = Object.assign(new Ipv4Header(), change);
  header.protocol = protocol;
  header.source = v4.source.word3;
  header.destination = v4.destination.word3;
  header.totalLength = 20 + payload.length;
  const packet = new Uint8Array(header.totalLength);
  emitIpv4(header, packet, 0);
  packet.set(payload, 20);
  return ethernet(0x0800, packet);
}

function ipv6(
  nextHeader: number,
  payload: Uint8Array,
  { source, destination } = v6,
  hopLimit = 255,
): Uint8Array {
  const header = new Ipv6Header();
  header.setSource(source);
  header.setDestination(destination);
  header.nextHeader = nextHeader;
  header.hopLimit = hopLimit;
  header.payloadLength = payload.length;
  const packet = new Uint8Array(40 + payload.length);
  emitIpv6(header, packet, 0);
  packet.set(payload, 40);
  return ethernet(0x86dd, packet);
}

function tcp(change: Partial<TcpHeader>, length = 0): Uint8Array {
  const header = Object.assign(
    new TcpHeader(),
    { sourcePort: 40_000, destinationPort: 80 },
    change,
  );
  const bytes = new Uint8Array(60 + length);
  return bytes.subarray(0, emitTcp(header, bytes, 0) + length);
}

function udp(sourcePort: number, destinationPort: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8 + payload.length);
  writeUint16(bytes, 0, sourcePort);
  writeUint16(bytes, 2, destinationPort);
  writeUint16(bytes, 4, bytes.length);
  bytes.set(payload, 8);
  return bytes;
}

function icmpv4(type: number, code: number, rest: number, data: Uint8Array = EMPTY): Uint8Array {
  const bytes = concatBytes([new Uint8Array(8), data]);
  emitIcmpv4(Object.assign(new Icmpv4Header(), { type, code, rest }), bytes, 0, bytes.length);
  return bytes;
}

function icmpv6(type: number, code: number, rest: number, data: Uint8Array = EMPTY): Uint8Array {
  const bytes = concatBytes([new Uint8Array(8), data]);
  emitIcmpv6(Object.assign(new Icmpv6Header(), { type, code, rest }), bytes, 0);
  return bytes;
}

function ndp(message: NdpMessage, envelope = v6): Uint8Array {
  const bytes = new Uint8Array(ndpLength(message));
  emitNdp(message, bytes, 0);
  return ipv6(58, bytes, envelope);
}

function igmp(message: IgmpMessage): Uint8Array {
  const bytes = new Uint8Array(igmpLength(message));
  emitIgmp(message, bytes, 0);
  return ipv4(2, bytes);
}

function mld(message: MldMessage): Uint8Array {
  const bytes = new Uint8Array(mldLength(message));
  emitMld(message, bytes, 0);
  return ipv6(58, bytes, linkLocal, 1);
}

function arp(change: Partial<ArpPacket>): Uint8Array {
  const packet = Object.assign(new ArpPacket(), {
    operation: 1,
    senderMacHigh: macA.high,
    senderMacLow: macA.low,
    senderAddress: v4.source.word3,
    targetAddress: v4.destination.word3,
    ...change,
  });
  const bytes = new Uint8Array(28);
  emitArp(packet, bytes, 0);
  return ethernet(0x0806, bytes);
}

function dhcpOffer(): Uint8Array {
  const message = new Dhcpv4Message();
  message.operation = 2;
  message.transactionId = 0xabcd;
  message.mac = macA;
  message.yourAddress = IpAddress.parse('192.0.2.77');
  message.setOptions([
    { code: Dhcpv4OptionCode.MESSAGE_TYPE, data: Uint8Array.of(2) },
    { code: Dhcpv4OptionCode.SERVER_IDENTIFIER, data: v4.source.toBytes() },
    { code: Dhcpv4OptionCode.LEASE_TIME, data: Uint8Array.of(0, 0, 14, 16) },
  ]);
  return encodeDhcpv4(message);
}

function dhcpv6Reply(): Uint8Array {
  const message = new Dhcpv6Message();
  message.type = 7;
  message.transactionId = 0x12345;
  const addresses = [{ address: v6.destination, preferred: 60, valid: 120, status: 0 }];
  message.options = [
    dhcpv6OptionRequest([23]),
    dhcpv6Association({ code: 3, id: 1, renew: 0, rebind: 0, addresses, prefixes: [], status: 0 }),
  ];
  return encodeDhcpv6(message);
}

const echoData = new Uint8Array(56);
const group4 = IpAddress.parse('224.0.0.251');
const group6 = IpAddress.parse('ff02::fb');
const sourceLinkAddress = { kind: 'source-link-address', mac: macA } as const;
const quoted4 = ipv4(17, udp(5000, 53, new Uint8Array(20))).subarray(14);
const quoted6 = ipv6(6, tcp({ flags: TcpFlag.SYN })).subarray(14);
const unread = 'EtherType 0x1234 len=2';

const TABLE: readonly (readonly [frame: Uint8Array, line: string])[] = [
  [arp({}), 'ARP who has 192.0.2.2? tell 192.0.2.1 at 02:00:00:00:00:01'],
  [arp({ senderAddress: 0 }), 'ARP who has 192.0.2.2? (probe by 02:00:00:00:00:01)'],
  [arp({ operation: 2 }), 'ARP 192.0.2.1 is at 02:00:00:00:00:01'],
  [arp({ targetAddress: v4.source.word3 }), 'ARP 192.0.2.1 is at 02:00:00:00:00:01 (announcement)'],
  [arp({}).subarray(0, 20), 'ARP (truncated)'],
  [
    ipv4(
      6,
      tcp({
        flags: TcpFlag.SYN,
        sequence: -1,
        window: 64_240,
        maximumSegmentSize: 1460,
        windowScale: 7,
        sackPermitted: true,
        hasTimestamps: true,
        timestampValue: 9,
      }),
    ),
    '192.0.2.1:40000 > 192.0.2.2:80 TCP SYN seq=4294967295 win=64240 len=0 mss=1460 wscale=7 sackOK ts=9/0',
  ],
  [
    ipv6(
      6,
      tcp({ flags: TcpFlag.PSH | TcpFlag.ACK, sequence: 5, acknowledgment: 6, window: 1 }, 100),
    ),
    '[2001:db8::1]:40000 > [2001:db8::2]:80 TCP PSH,ACK seq=5 ack=6 win=1 len=100',
  ],
  [
    ipv4(
      6,
      tcp({
        flags: TcpFlag.ACK,
        sackCount: 2,
        sackEdges: Int32Array.of(10, 20, 30, -1, 0, 0, 0, 0),
      }),
    ),
    '192.0.2.1:40000 > 192.0.2.2:80 TCP ACK seq=0 ack=0 win=0 len=0 sack=10..20,30..4294967295',
  ],
  [ipv4(6, tcp({}).subarray(0, 10)), '192.0.2.1:40000 > 192.0.2.2:80 TCP (truncated)'],
  [ipv4(6, tcp({})), '192.0.2.1:40000 > 192.0.2.2:80 TCP no-flags seq=0 win=0 len=0'],
  [ipv4(17, udp(1, 2, new Uint8Array(30))), '192.0.2.1:1 > 192.0.2.2:2 UDP len=30'],
  [
    ipv4(17, udp(1, 2, echoData).subarray(0, 30)),
    '192.0.2.1:1 > 192.0.2.2:2 UDP len=56 (truncated)',
  ],
  [ipv4(17, new Uint8Array(8)), '192.0.2.1:0 > 192.0.2.2:0 UDP (bad-length)'],
  [ipv4(132, echoData, { trafficClass: 3 }), '192.0.2.1 > 192.0.2.2 SCTP len=56 CE'],
  [ipv4(8, icmpv4(8, 0, 0)).with(23, 99), '192.0.2.1 > 192.0.2.2 protocol 99 len=8 (bad-checksum)'],
  [
    ipv4(17, udp(1, 2, new Uint8Array(100)).subarray(0, 48), {
      moreFragments: true,
      identification: 7,
    }),
    '192.0.2.1:1 > 192.0.2.2:2 UDP len=100 fragment id=0x0007 offset=0 bytes=48 more',
  ],
  [
    ipv4(17, new Uint8Array(60), { fragmentOffset: 48, identification: 7 }),
    '192.0.2.1 > 192.0.2.2 UDP fragment id=0x0007 offset=48 bytes=60 last',
  ],
  [
    ipv4(1, icmpv4(8, 0, 0x10002, echoData)),
    '192.0.2.1 > 192.0.2.2 ICMP echo request id=1 seq=2 len=56',
  ],
  [
    ipv4(1, icmpv4(0, 0, 0x10002, echoData)),
    '192.0.2.1 > 192.0.2.2 ICMP echo reply id=1 seq=2 len=56',
  ],
  [
    ipv4(1, icmpv4(8, 0, 0x10002, echoData)).with(60, 1),
    '192.0.2.1 > 192.0.2.2 ICMP echo request id=1 seq=2 len=56 (bad-checksum)',
  ],
  [
    ipv4(1, icmpv4(3, 3, 0, quoted4.subarray(0, 28))),
    '192.0.2.1 > 192.0.2.2 ICMP port unreachable for 192.0.2.1:5000 > 192.0.2.2:53 UDP',
  ],
  [
    ipv4(1, icmpv4(3, 4, 1400, quoted4.subarray(0, 22))),
    '192.0.2.1 > 192.0.2.2 ICMP fragmentation needed mtu=1400 for 192.0.2.1 > 192.0.2.2 UDP',
  ],
  [
    ipv4(1, icmpv4(11, 0, 0, quoted4)),
    '192.0.2.1 > 192.0.2.2 ICMP time to live exceeded for 192.0.2.1:5000 > 192.0.2.2:53 UDP',
  ],
  [
    ipv4(1, icmpv4(5, 1, 0x0a000001)),
    '192.0.2.1 > 192.0.2.2 ICMP redirect to 10.0.0.1 for IPv4 (truncated)',
  ],
  [
    ipv6(58, icmpv6(2, 0, 1280, quoted6)),
    '2001:db8::1 > 2001:db8::2 ICMPv6 packet too big mtu=1280 for [2001:db8::1]:40000 > [2001:db8::2]:80 TCP',
  ],
  [
    ipv6(58, icmpv6(128, 0, 3, echoData)),
    '2001:db8::1 > 2001:db8::2 ICMPv6 echo request id=0 seq=3 len=56',
  ],
  [
    ndp({ kind: 'neighbour-solicitation', target: v6.destination, options: [sourceLinkAddress] }),
    '2001:db8::1 > 2001:db8::2 NDP who has 2001:db8::2? tell 02:00:00:00:00:01',
  ],
  [
    ndp({
      kind: 'neighbour-advertisement',
      target: v6.source,
      router: true,
      solicited: true,
      override: false,
      options: [{ kind: 'target-link-address', mac: macA }],
    }),
    '2001:db8::1 > 2001:db8::2 NDP 2001:db8::1 is at 02:00:00:00:00:01 router solicited',
  ],
  [
    ndp(
      {
        kind: 'router-advertisement',
        hopLimit: 64,
        managed: false,
        otherConfiguration: true,
        preference: 'high',
        routerLifetime: 1800,
        reachableTime: 0,
        retransmitTime: 0,
        options: [
          {
            kind: 'prefix',
            prefix: Cidr.parse('2001:db8::/64'),
            onLink: true,
            autonomous: true,
            validLifetime: 60,
            preferredLifetime: 30,
          },
          { kind: 'mtu', mtu: 1400 },
          { kind: 'dns-servers', lifetime: 9, addresses: [v6.source] },
        ],
      },
      linkLocal,
    ),
    'fe80::1 > ff02::1 NDP router lifetime=1800s preference=high hop-limit=64 other-configuration ' +
      'prefix=2001:db8::/64 on-link autonomous valid=60s mtu=1400 dns=2001:db8::1',
  ],
  [ipv6(58, icmpv6(133, 0, 0), v6, 64), '2001:db8::1 > 2001:db8::2 NDP type 133 (bad-value)'],
  [ndp({ kind: 'router-solicitation', options: [] }), '2001:db8::1 > 2001:db8::2 NDP who routes?'],
  [
    igmp({ kind: 'report', version: 2, group: group4 }),
    '192.0.2.1 > 192.0.2.2 IGMPv2 report 224.0.0.251',
  ],
  [
    igmp({ kind: 'report-v3', records: [{ type: 4, group: group4, sources: [] }] }),
    '192.0.2.1 > 192.0.2.2 IGMPv3 report 224.0.0.251 to-exclude{}',
  ],
  [
    mld({ kind: 'report-v2', records: [{ type: 1, group: group6, sources: [v6.source] }] }),
    'fe80::1 > ff02::1 MLDv2 report ff02::fb is-include{2001:db8::1}',
  ],
  [mld({ kind: 'done', group: group6 }), 'fe80::1 > ff02::1 MLDv1 done ff02::fb'],
  [
    ipv4(17, udp(67, 68, dhcpOffer())),
    '192.0.2.1:67 > 192.0.2.2:68 DHCP offer xid=0x0000abcd client=02:00:00:00:00:01 ' +
      'given=192.0.2.77 server=192.0.2.1 lease=3600s',
  ],
  [ipv4(17, udp(67, 68, new Uint8Array(9))), '192.0.2.1:67 > 192.0.2.2:68 DHCP (truncated)'],
  [
    ipv6(17, udp(547, 546, dhcpv6Reply())),
    '[2001:db8::1]:547 > [2001:db8::2]:546 DHCPv6 reply xid=0x012345 address=2001:db8::2 valid=120s',
  ],
  [ethernet(0x88cc, echoData), '02:00:00:00:00:01 > 02:00:00:00:00:02 LLDP len=56'],
  [ethernet(0x1234, new Uint8Array(2)), `02:00:00:00:00:01 > 02:00:00:00:00:02 ${unread}`],
  [ethernet(0x0026, echoData), '02:00:00:00:00:01 > 02:00:00:00:00:02 802.3 len=56'],
  [
    ethernet(
      0x88a8,
      Uint8Array.of(0, 9, 0x81, 0, 0x70, 5, ...ipv4(17, udp(1, 2, echoData)).subarray(12)),
    ),
    'vlan 9 vlan 5 priority 3 drop-eligible 192.0.2.1:1 > 192.0.2.2:2 UDP len=56',
  ],
  [new Uint8Array(5), 'frame of 5 bytes (truncated)'],
  [ethernet(0x0800, new Uint8Array(3)), 'IPv4 (truncated)'],
  [ethernet(0x86dd, new Uint8Array(60)), 'IPv6 (bad-version)'],
];

test('every kind of frame has its line', () => {
  for (const [frame, line] of TABLE) assert.equal(describeFrame(frame), line);
});

test('a fragment of IPv6', () => {
  const fragment = new Uint8Array(8 + 16);
  emitIpv6Fragment(17, 1448, true, 0xbeef, fragment, 0);
  assert.equal(
    describeFrame(ipv6(44, fragment)),
    '2001:db8::1 > 2001:db8::2 UDP fragment id=0x0000beef offset=1448 bytes=16 more',
  );
});

test('a frame cut off by its capture is described as far as it goes', () => {
  const frame = ipv4(6, tcp({ flags: TcpFlag.ACK }, 1000));
  assert.equal(
    describeFrame(frame.subarray(0, 60)),
    '192.0.2.1:40000 > 192.0.2.2:80 TCP ACK seq=0 ack=0 win=0 len=1000 (truncated)',
  );
});

test('what its capture cut off counts in lengths, and no checksum is asked of it', () => {
  const frame = ipv4(1, icmpv4(8, 0, 1, new Uint8Array(1000)));
  assert.equal(
    describeFrame(frame.subarray(0, 60)),
    '192.0.2.1 > 192.0.2.2 ICMP echo request id=0 seq=1 len=1000 (truncated)',
  );
  assert.equal(
    describeFrame(ipv4(17, udp(1, 2, new Uint8Array(1000))).subarray(0, 60)),
    '192.0.2.1:1 > 192.0.2.2:2 UDP len=1000 (truncated)',
  );
  assert.equal(
    describeFrame(ipv6(6, tcp({}, 1000)).subarray(0, 80)),
    '[2001:db8::1]:40000 > [2001:db8::2]:80 TCP no-flags seq=0 win=0 len=1000 (truncated)',
  );
});

test('Ethernet addresses stand in front where they are asked for', () => {
  assert.match(
    describeFrame(arp({}), { addresses: true }),
    /^02:00:00:00:00:01 > 02:00:00:00:00:02 ARP who has/,
  );
  assert.equal(describeFrame(ethernet(0x1234, new Uint8Array(2)), { addresses: false }), unread);
});

test('a packet without a frame', () => {
  assert.equal(describePacket(TABLE[5]![0].subarray(14)), TABLE[5]![1]);
  assert.equal(describePacket(TABLE[6]![0].subarray(14)), TABLE[6]![1]);
  assert.equal(describePacket(new Uint8Array(0)), 'packet of 0 bytes (bad-version)');
});

test('any bytes have one line of description, and nothing outside the frame is read', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...TABLE.map(([frame]) => frame)),
      fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { maxLength: 5 }),
      fc.option(fc.nat(100)),
      fc.nat(255),
      (frame, changes, cut, guard) => {
        const changed = frame.slice();
        for (const [at, value] of changes) if (at < changed.length) changed[at] = value;
        const length = Math.min(cut ?? changed.length, changed.length);
        const guarded = new Uint8Array(length + 64).fill(guard);
        guarded.set(changed.subarray(0, length), 32);
        const line = describeFrame(guarded.subarray(32, 32 + length));
        assert.equal(line, describeFrame(changed.subarray(0, length)));
        assert.match(line, /^[\x20-\x7e]+$/);
      },
    ),
    { numRuns: 5000 },
  );
});
