import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  bool,
  bytes as anyBytes,
  ipv6,
  ipv6Prefix,
  mac,
  record,
  uint16,
  uint32,
  uint8,
} from '../../test/arbitraries.ts';
import { FRAMES } from '../../test/frames.ts';
import { emitted, parseGood, parseGuarded } from '../../test/guarded.ts';
import { Cidr, EMPTY, IpAddress, MacAddress, concatBytes, fromHex } from '../core/index.ts';
import { sumWords } from './checksum.ts';
import { finishIcmpv6 } from './icmpv6.ts';
import { IpProtocol } from './ip-protocol.ts';
import {
  emitNdpOptions,
  findNdpOption,
  ndpOptionsLength,
  parseNdpOptions,
  type NdpOption,
} from './ndp-options.ts';
import {
  NDP_LIMITS,
  emitNdp,
  ndpLength,
  parseNdp,
  solicitedNodeGroup,
  type NdpEnvelope,
  type NdpMessage,
} from './ndp.ts';

/** Where ICMPv6 begins in a frame without extension headers. */
const AT = 54;
const router = IpAddress.parse('fe80::1');
const host = IpAddress.parse('fe80::2');
const global = IpAddress.parse('2001:db8::2');
const allNodes = IpAddress.parse('ff02::1');

/** An envelope in which every message is believed. */
const trusted: NdpEnvelope = { hopLimit: 255, source: router, destination: host };

/** Parses with an envelope. */
const inside = (envelope: NdpEnvelope) => (bytes: Uint8Array, start: number, end: number) =>
  parseNdp(bytes, start, end, envelope);

/** The envelope that a frame has. */
const envelopeOf = (frame: Uint8Array): NdpEnvelope => ({
  hopLimit: frame[21]!,
  source: IpAddress.readV6(frame, 22),
  destination: IpAddress.readV6(frame, 38),
});

function emit(message: NdpMessage): Uint8Array {
  return emitted(ndpLength(message), (buffer, at) => emitNdp(message, buffer, at));
}

/** What is answered for a message in an envelope that differs from the trusted one. */
function judge(message: NdpMessage, envelope: Partial<NdpEnvelope>) {
  return parseGuarded(emit(message), inside({ ...trusted, ...envelope }));
}

test('messages of the kernel and of dnsmasq are read, and re-encoded as they were', () => {
  for (const frame of [
    FRAMES.routerSolicitation,
    FRAMES.routerAdvertisement,
    FRAMES.duplicateAddressProbe,
    FRAMES.neighbourSolicitation,
    FRAMES.neighbourAdvertisement,
  ]) {
    const message = parseGood(frame.subarray(AT), inside(envelopeOf(frame)));
    const again = concatBytes([frame.subarray(0, AT), emit(message)]);
    const pseudoSum = sumWords(again, 22, AT) + IpProtocol.ICMPV6 + again.length - AT;
    finishIcmpv6(again, AT, again.length, pseudoSum);
    assert.deepEqual(again, frame);
  }
});

test('the router advertisement of dnsmasq', () => {
  const frame = FRAMES.routerAdvertisement;
  assert.deepEqual(parseGood(frame.subarray(AT), inside(envelopeOf(frame))), {
    kind: 'router-advertisement',
    hopLimit: 64,
    managed: false,
    otherConfiguration: true,
    preference: 'high',
    routerLifetime: 600,
    reachableTime: 0,
    retransmitTime: 0,
    options: [
      {
        kind: 'prefix',
        prefix: Cidr.parse('2001:db8::/64'),
        onLink: true,
        autonomous: true,
        validLifetime: 0xffff_ffff,
        preferredLifetime: 0xffff_ffff,
      },
      { kind: 'mtu', mtu: 1480 },
      { kind: 'source-link-address', mac: MacAddress.parse('02:00:00:00:00:02') },
      {
        kind: 'dns-servers',
        lifetime: 0xffff_ffff,
        addresses: [IpAddress.parse('2001:db8::53')],
      },
    ],
  });
});

test('a probe for a duplicate address carries an option unknown here (a nonce, RFC 3971)', () => {
  const frame = FRAMES.duplicateAddressProbe;
  const message = parseGood(frame.subarray(AT), inside(envelopeOf(frame)));
  assert.equal(message.kind, 'neighbour-solicitation');
  const other = findNdpOption(message.options, 'other');
  assert.equal(other?.type, 14);
  assert.equal(other?.body.length, 6);
  assert.equal(findNdpOption(message.options, 'source-link-address'), undefined);
});

const preference = fc.constantFrom('low' as const, 'medium' as const, 'high' as const);

const option: fc.Arbitrary<NdpOption> = fc.oneof(
  record({ kind: fc.constant('source-link-address' as const), mac }),
  record({ kind: fc.constant('target-link-address' as const), mac }),
  record({
    kind: fc.constant('prefix' as const),
    prefix: ipv6Prefix,
    onLink: bool,
    autonomous: bool,
    validLifetime: uint32,
    preferredLifetime: uint32,
  }),
  record({
    kind: fc.constant('redirected-header' as const),
    // A packet whose length is no multiple of eight is padded, and cannot be told from one with zeros at its end.
    packet: fc.nat(6).chain((units) => anyBytes(8 * units, 8 * units)),
  }),
  record({ kind: fc.constant('mtu' as const), mtu: uint32 }),
  record({
    kind: fc.constant('route' as const),
    prefix: fc.oneof(
      ipv6Prefix,
      ipv6.map(({ word0, word1 }) => new Cidr(IpAddress.v6(word0, word1, 0, 0), 56)),
      fc.constant(new Cidr(IpAddress.ANY6, 0)),
    ),
    preference,
    lifetime: uint32,
  }),
  record({
    kind: fc.constant('dns-servers' as const),
    lifetime: uint32,
    addresses: fc.array(ipv6, { minLength: 1, maxLength: 3 }),
  }),
  record({
    kind: fc.constant('other' as const),
    type: fc.constantFrom(0, 14, 31, 253),
    body: fc.constantFrom(6, 14, 22).chain((length) => anyBytes(length, length)),
  }),
);

test('what is emitted is parsed as it was', () => {
  const options = fc.array(option, { maxLength: 5 });
  const unicast = ipv6.map(({ word1, word2, word3 }) =>
    IpAddress.v6(0x2001_0db8, word1, word2, word3),
  );
  const linkLocal = ipv6.map(({ word2, word3 }) => IpAddress.v6(0xfe80_0000, 0, word2, word3));
  const message: fc.Arbitrary<NdpMessage> = fc.oneof(
    record({ kind: fc.constant('router-solicitation' as const), options }),
    record({
      kind: fc.constant('router-advertisement' as const),
      hopLimit: uint8,
      managed: bool,
      otherConfiguration: bool,
      preference,
      routerLifetime: uint16,
      reachableTime: uint32,
      retransmitTime: uint32,
      options,
    }),
    record({ kind: fc.constant('neighbour-solicitation' as const), target: unicast, options }),
    record({
      kind: fc.constant('neighbour-advertisement' as const),
      target: unicast,
      router: bool,
      solicited: bool,
      override: bool,
      options,
    }),
    record({
      kind: fc.constant('redirect' as const),
      target: linkLocal,
      destination: unicast,
      options,
    }),
  );
  fc.assert(
    fc.property(message, (value) => {
      assert.deepEqual(parseGood(emit(value), inside(trusted)), value);
    }),
    { numRuns: 500 },
  );
});

const withSource: NdpOption[] = [
  { kind: 'source-link-address', mac: MacAddress.parse('02:00:00:00:00:01') },
];

test('only what was sent on the link, with hop limit 255 and code 0, is believed', () => {
  const message: NdpMessage = { kind: 'router-solicitation', options: [] };
  assert.equal(judge(message, { hopLimit: 254 }), 'bad-value');
  assert.equal(parseGuarded(emit(message).with(1, 1), inside(trusted)), 'bad-value');
  assert.notEqual(judge(message, {}), 'bad-value');
});

test('router solicitations: no link address from nobody (RFC 4861, section 6.1.1)', () => {
  const nobody = { source: IpAddress.ANY6 };
  assert.equal(judge({ kind: 'router-solicitation', options: withSource }, nobody), 'bad-value');
  assert.notEqual(judge({ kind: 'router-solicitation', options: [] }, nobody), 'bad-value');
});

test('router advertisements: from a link-local address only (section 6.1.2)', () => {
  const frame = FRAMES.routerAdvertisement;
  const elsewhere = inside({ ...envelopeOf(frame), source: global });
  assert.equal(parseGuarded(frame.subarray(AT), elsewhere), 'bad-value');
});

function ask(target: IpAddress, options: readonly NdpOption[] = []): NdpMessage {
  return {
    kind: 'neighbour-solicitation',
    target,
    options,
  };
}

test('neighbour solicitations: a unicast target; from nobody only to its group (section 7.1.1)', () => {
  assert.equal(judge(ask(allNodes), {}), 'bad-value');
  const probe = { source: IpAddress.ANY6, destination: solicitedNodeGroup(global) };
  assert.notEqual(judge(ask(global), probe), 'bad-value');
  assert.equal(judge(ask(global), { ...probe, destination: allNodes }), 'bad-value');
  const almostGroup = IpAddress.parse('2001:db8::1:ff00:2');
  assert.equal(judge(ask(global), { ...probe, destination: almostGroup }), 'bad-value');
  assert.equal(judge(ask(global, withSource), probe), 'bad-value');
});

function tell(target: IpAddress, solicited: boolean): NdpMessage {
  return {
    kind: 'neighbour-advertisement',
    target,
    router: false,
    solicited,
    override: true,
    options: [],
  };
}

test('neighbour advertisements: a unicast target; one to a group was not solicited (section 7.1.2)', () => {
  assert.equal(judge(tell(allNodes, false), {}), 'bad-value');
  assert.equal(judge(tell(global, true), { destination: allNodes }), 'bad-value');
  assert.notEqual(judge(tell(global, false), { destination: allNodes }), 'bad-value');
});

function redirect(target: IpAddress, destination: IpAddress): NdpMessage {
  return {
    kind: 'redirect',
    target,
    destination,
    options: [],
  };
}

test('redirects: from a router to a router, or to the destination itself (section 8.1)', () => {
  assert.notEqual(judge(redirect(host, global), {}), 'bad-value');
  assert.notEqual(judge(redirect(global, global), {}), 'bad-value');
  assert.equal(judge(redirect(global, IpAddress.parse('2001:db8::3')), {}), 'bad-value');
  assert.equal(judge(redirect(host, allNodes), {}), 'bad-value');
  assert.equal(judge(redirect(host, global), { source: global }), 'bad-value');
});

function fault(hex: string) {
  return parseGuarded(fromHex(hex), inside(trusted));
}

test('an option of length zero, one cut off, and too many spoil the message', () => {
  const solicitation = '8500 0000 00000000';
  assert.equal(fault(solicitation + '01 00 020000000001'), 'bad-option');
  assert.equal(fault(solicitation + '01 02 020000000001'), 'bad-option');
  assert.equal(fault(solicitation + '01'), 'bad-option');
  const { options } = NDP_LIMITS;
  assert.equal(typeof fault(solicitation + 'fd01000000000000'.repeat(options)), 'object');
  assert.equal(fault(solicitation + 'fd01000000000000'.repeat(options + 1)), 'too-many');
});

test('cut messages and other types are refused', () => {
  const frame = FRAMES.routerAdvertisement.subarray(AT);
  assert.equal(parseGuarded(frame.subarray(0, 7), inside(trusted)), 'truncated');
  assert.equal(parseGuarded(frame.subarray(0, 15), inside(trusted)), 'truncated');
  assert.equal(parseGuarded(frame.with(0, 138), inside(trusted)), 'bad-version');
});

/** The kinds of the options of a router solicitation. */
function kinds(hex: string): string[] {
  const message = parseGood(fromHex(`8500 0000 00000000 ${hex}`), inside(trusted));
  return message.options.map(({ kind }) => kind);
}

function zeros(count: number): string {
  return '00'.repeat(count);
}

test('a known option that breaks its own rules is passed over, not the message', () => {
  assert.deepEqual(kinds('01 02' + zeros(14)), ['other']);
  assert.deepEqual(kinds('02 02' + zeros(14)), ['other']);
  assert.deepEqual(kinds('05 02' + zeros(14)), ['other']);
  assert.deepEqual(kinds('03 03' + zeros(22)), ['other']);
  assert.deepEqual(kinds('03 04 81' + zeros(29)), ['other'], 'a prefix of 129 bits');
  assert.deepEqual(kinds('18 01 01 00' + zeros(4)), ['other'], 'a route without its prefix');
  assert.deepEqual(kinds('18 02 41 00' + zeros(12)), ['other'], '65 bits in 8 bytes');
  assert.deepEqual(kinds('18 02 40 10' + zeros(12)), ['other'], 'the reserved preference');
  assert.deepEqual(kinds('18 04 40 00' + zeros(28)), ['other']);
  assert.deepEqual(kinds('18 03 81 00' + zeros(20)), ['other']);
  assert.deepEqual(kinds('19 01' + zeros(6)), ['other'], 'no DNS server');
  assert.deepEqual(kinds('19 04' + zeros(30)), ['other'], 'half a DNS server');
});

test('the reserved router preference counts as medium (RFC 4191, section 2.2)', () => {
  const bytes = FRAMES.routerAdvertisement.slice(AT).with(5, 0x10);
  const message = parseGood(bytes, inside(trusted));
  assert.ok(message.kind === 'router-advertisement');
  assert.equal(message.preference, 'medium');
});

test('flags are where RFC 4861, sections 4.2 and 4.4 have them, and reserved bits are not read', () => {
  const advertisement = {
    kind: 'router-advertisement',
    hopLimit: 64,
    managed: false,
    otherConfiguration: false,
    preference: 'medium',
    routerLifetime: 0,
    reachableTime: 0,
    retransmitTime: 0,
    options: [],
  } as const;
  assert.equal(emit({ ...advertisement, managed: true })[5], 0x80);
  assert.equal(emit({ ...advertisement, otherConfiguration: true })[5], 0x40);
  assert.equal(emit({ ...advertisement, preference: 'high' })[5], 0x08);
  assert.equal(emit({ ...advertisement, preference: 'low' })[5], 0x18);
  const reserved = emit(advertisement).with(5, 0x27);
  assert.deepEqual(parseGood(reserved, inside(trusted)), advertisement);

  const answer = tell(global, false);
  assert.equal(answer.kind, 'neighbour-advertisement');
  const silent = { ...answer, override: false };
  assert.equal(emit({ ...silent, router: true })[4], 0x80);
  assert.equal(emit({ ...silent, solicited: true })[4], 0x40);
  assert.equal(emit({ ...silent, override: true })[4], 0x20);
  assert.deepEqual(parseGood(emit(silent).with(4, 0x1f), inside(trusted)), silent);
});

test('reserved flags of a prefix are not read', () => {
  const hex = `8500 0000 00000000 03 04 40 3f ${zeros(28)}`;
  const [option] = parseGood(fromHex(hex), inside(trusted)).options;
  assert.ok(option?.kind === 'prefix');
  assert.deepEqual([option.onLink, option.autonomous], [false, false]);
});

/** Bytes of a route option. */
function lengthOf(prefix: string): number {
  const route = { prefix: Cidr.parse(prefix), preference: 'low', lifetime: 1 } as const;
  return ndpOptionsLength([{ kind: 'route', ...route }]);
}

test('a route takes as many bytes as its prefix needs (RFC 4191, section 2.3)', () => {
  assert.equal(lengthOf('::/0'), 8);
  assert.equal(lengthOf('2001:db8::/1'), 16);
  assert.equal(lengthOf('::/64'), 16);
  assert.equal(lengthOf('::/65'), 24);
  assert.equal(lengthOf('::/128'), 24);
  // Bits behind the prefix are carried where they are set.
  assert.equal(lengthOf('8000::/0'), 16);
  assert.equal(lengthOf('0:0:1::/0'), 16);
  assert.equal(lengthOf('::1:0:0:0/64'), 24);
  assert.equal(lengthOf('::1/64'), 24);
  assert.deepEqual(kinds(`18 03 80 00 ${zeros(20)}`), ['route'], '128 bits');
  assert.deepEqual(kinds(`03 04 80 00 ${zeros(28)}`), ['prefix'], '128 bits');
});

test('the group of a solicited node (the example of RFC 4291, section 2.7.1)', () => {
  const address = IpAddress.parse('4037::01:800:200e:8c6c');
  assert.equal(solicitedNodeGroup(address).toString(), 'ff02::1:ff0e:8c6c');
});

test('a redirected packet is padded to eight bytes', () => {
  const message: NdpMessage = {
    kind: 'redirect',
    target: host,
    destination: global,
    options: [{ kind: 'redirected-header', packet: new Uint8Array(13).fill(7) }],
  };
  assert.equal(ndpLength(message), 40 + 8 + 16);
  const [option] = parseGood(emit(message), inside(trusted)).options;
  const body = option?.kind === 'redirected-header' ? option.packet : EMPTY;
  assert.deepEqual(body, concatBytes([new Uint8Array(13).fill(7), new Uint8Array(3)]));
});

function optionsOf(hex: string): NdpOption[] | string {
  const bytes = fromHex(hex);
  return parseNdpOptions(bytes, 0, bytes.length, 8);
}

test('the search list of an advertisement, padded with zeros (RFC 8106, section 5.2)', () => {
  const option: NdpOption = {
    kind: 'search-domains',
    lifetime: 1800,
    domains: ['lan', 'example.com'],
  };
  const hex = '1f04 0000 00000708 036c616e00 076578616d706c6503636f6d00 000000000000';
  assert.deepEqual(optionsOf(hex), [option]);
  assert.equal(ndpOptionsLength([option]), 32);
  const bytes = new Uint8Array(32).fill(0xaa);
  emitNdpOptions([option], bytes, 0);
  assert.deepEqual(bytes, fromHex(hex));
  for (const bad of [
    '1f02 0000 00000708 0000000000000000',
    '1f02 0000 00000708 0761626364656667',
    '1f02 0000 00000708 09616200000000 00',
    '1f01 0000 00000708',
  ]) {
    const [other] = optionsOf(bad) as NdpOption[];
    assert.equal(other?.kind, 'other', bad);
  }
});
