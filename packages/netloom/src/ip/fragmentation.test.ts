import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress, seededRandom } from '../core/index.ts';
import {
  ETHERNET_HEADER_LENGTH,
  IpProtocol,
  Ipv4Header,
  Ipv6Header,
  emitIpv4,
  emitIpv6,
  isFault,
  parseIpv4,
  parseIpv6,
  walkIpv6,
} from '../wire/index.ts';
import { fragmentPacket } from './fragmentation.ts';

interface Cut {
  readonly answer: boolean;
  readonly packets: Uint8Array[];
}

/** Cuts a packet; the fragment of index `refused` is dropped. */
function cut(packet: Uint8Array, mtu: number, refused = -1): Cut {
  const frame = new Uint8Array(ETHERNET_HEADER_LENGTH + packet.length);
  frame.set(packet, ETHERNET_HEADER_LENGTH);
  const packets: Uint8Array[] = [];
  const answer = fragmentPacket(
    frame,
    mtu,
    seededRandom(5),
    // What a link gives has whatever bytes were there before.
    (length) => new Uint8Array(length).fill(0xee),
    (fragment) => packets.push(fragment.subarray(ETHERNET_HEADER_LENGTH)) - 1 !== refused,
  );
  return { answer, packets };
}

function packetV4(
  length: number,
  change: Partial<Ipv4Header> = {},
  options: number[] = [],
): Uint8Array {
  const header = Object.assign(new Ipv4Header(), change);
  header.headerLength = 20 + options.length;
  header.totalLength = header.headerLength + length;
  header.protocol = IpProtocol.UDP;
  header.source = IpAddress.parse('192.0.2.1').word3;
  header.destination = IpAddress.parse('192.0.2.2').word3;
  const packet = Uint8Array.from({ length: header.totalLength }, (_, i) => i);
  packet.set(options, 20);
  emitIpv4(header, packet, 0);
  return packet;
}

function headersV4(packets: readonly Uint8Array[]): Ipv4Header[] {
  return packets.map((packet) => {
    const header = parseIpv4(packet, 0, packet.length);
    assert.ok(!isFault(header), String(header));
    assert.equal(header.totalLength, packet.length);
    return header;
  });
}

test('IPv4: offsets follow each other, each but the last a multiple of eight', () => {
  const { answer, packets } = cut(packetV4(1000, { identification: 9, timeToLive: 7 }), 420);
  assert.equal(answer, true);
  const headers = headersV4(packets);
  assert.deepEqual(
    headers.map(({ fragmentOffset, moreFragments, totalLength }) => [
      fragmentOffset,
      moreFragments,
      totalLength,
    ]),
    [
      [0, true, 420],
      [400, true, 420],
      [800, false, 220],
    ],
  );
  assert.ok(
    headers.every(({ identification, timeToLive }) => identification === 9 && timeToLive === 7),
  );
});

test('IPv4: only options with the copied flag are in later fragments (RFC 791, section 3.1)', () => {
  // No operation, record route (7, not copied), router alert (148, copied), the end.
  const options = [1, 7, 7, 4, 0, 0, 0, 0, 148, 4, 0, 0, 0, 0, 0, 0];
  const { packets } = cut(packetV4(200, {}, options), 132);
  const [first, ...later] = headersV4(packets);
  assert.equal(first!.headerLength, 36);
  assert.deepEqual([...packets[0]!.subarray(20, 36)], options);
  assert.ok(later.length > 0);
  for (const [index, header] of later.entries()) {
    assert.equal(header.headerLength, 24);
    assert.deepEqual([...packets[index + 1]!.subarray(20, 24)], [148, 4, 0, 0]);
  }
});

test('IPv4: a malformed option ends the list', () => {
  for (const options of [
    [148, 4, 0, 0, 148, 0, 0, 0],
    [148, 4, 0, 0, 148, 9, 0, 0],
  ]) {
    const { packets } = cut(packetV4(200, {}, options), 132);
    assert.deepEqual([...packets[1]!.subarray(20, 24)], [148, 4, 0, 0]);
    assert.equal(headersV4(packets)[1]!.headerLength, 24);
  }
});

test('IPv4: a fragment can be cut again, and only the end of the last is the end', () => {
  const middle = packetV4(800, { fragmentOffset: 1600, moreFragments: true });
  const headers = headersV4(cut(middle, 420).packets);
  assert.deepEqual(
    headers.map(({ fragmentOffset, moreFragments }) => [fragmentOffset, moreFragments]),
    [
      [1600, true],
      [2000, true],
    ],
  );
});

test('IPv4: what may not be cut, or not that small, is not', () => {
  assert.deepEqual(cut(packetV4(1000, { dontFragment: true }), 420), {
    answer: false,
    packets: [],
  });
  assert.deepEqual(cut(packetV4(1000), 27), { answer: false, packets: [] });
  assert.equal(cut(packetV4(1000), 28).packets.length, 125);
});

test('when a fragment is dropped the rest is not sent', () => {
  const { answer, packets } = cut(packetV4(1000), 420, 1);
  assert.equal(answer, false);
  assert.equal(packets.length, 2);
});

/** A packet with the extension headers given, whose lengths are right in themselves. */
function packetV6(nextHeader: number, extensions: number[], length: number): Uint8Array {
  const header = new Ipv6Header();
  header.payloadLength = extensions.length + length;
  header.nextHeader = nextHeader;
  header.flowLabel = 0x12345;
  header.setSource(IpAddress.parse('2001:db8::1'));
  header.setDestination(IpAddress.parse('2001:db8::2'));
  const packet = Uint8Array.from({ length: 40 + header.payloadLength }, (_, i) => i);
  packet.set(extensions, 40);
  emitIpv6(header, packet, 0);
  return packet;
}

const { HOP_BY_HOP, DESTINATION_OPTIONS, ROUTING, UDP, FRAGMENT } = IpProtocol;
const PAD = [1, 4, 0, 0, 0, 0];
const NO_SEGMENTS_LEFT = [253, 0, 0, 0, 0, 0];

test('IPv6: a Fragment header in each, of one identification', () => {
  const { answer, packets } = cut(packetV6(UDP, [], 3000), 1280);
  assert.equal(answer, true);
  const chains = packets.map((packet) => {
    const header = parseIpv6(packet, 0, packet.length);
    assert.ok(!isFault(header));
    assert.equal(header.payloadLength, packet.length - 40);
    assert.equal(header.nextHeader, FRAGMENT);
    assert.equal(header.flowLabel, 0x12345);
    const chain = walkIpv6(packet, 0, packet.length, header);
    assert.ok(!isFault(chain));
    return chain;
  });
  assert.deepEqual(
    chains.map(({ fragmentOffset, moreFragments, protocol }) => [
      fragmentOffset,
      moreFragments,
      protocol,
    ]),
    [
      [0, true, UDP],
      [1232, true, UDP],
      [2464, false, UDP],
    ],
  );
  assert.equal(new Set(chains.map(({ identification }) => identification)).size, 1);
});

test('IPv6: the headers read on the way stand before the Fragment header (RFC 8200, section 4.5)', () => {
  const cases: [string, number, number[], number][] = [
    ['hop-by-hop alone', HOP_BY_HOP, [UDP, 0, ...PAD], 48],
    ['destination options are for the destination', DESTINATION_OPTIONS, [UDP, 0, ...PAD], 40],
    [
      'destination options before a routing header are not',
      DESTINATION_OPTIONS,
      [ROUTING, 0, ...PAD, UDP, 0, ...NO_SEGMENTS_LEFT],
      56,
    ],
    [
      'hop-by-hop, then destination options',
      HOP_BY_HOP,
      [DESTINATION_OPTIONS, 0, ...PAD, UDP, 0, ...PAD],
      48,
    ],
  ];
  for (const [name, nextHeader, extensions, fragmentAt] of cases) {
    const { packets } = cut(packetV6(nextHeader, extensions, 3000), 1280);
    for (const packet of packets) {
      const header = parseIpv6(packet, 0, packet.length);
      assert.ok(!isFault(header));
      const chain = walkIpv6(packet, 0, packet.length, header);
      assert.ok(!isFault(chain), `${name}: ${chain}`);
      assert.equal(chain.fragment, fragmentAt, name);
    }
  }
});

test('IPv6: an MTU without room for eight bytes is refused', () => {
  assert.deepEqual(cut(packetV6(UDP, [], 3000), 55), { answer: false, packets: [] });
});
