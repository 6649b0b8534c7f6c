import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Cidr, IpAddress, MacAddress, concatBytes, fromHex, toHex } from '../core/index.ts';
import {
  DHCPV6_WIRE_LIMITS,
  Dhcpv6OptionCode,
  Dhcpv6Status,
  dhcpv6Association,
  dhcpv6DnsServers,
  dhcpv6DomainList,
  dhcpv6Number,
  dhcpv6ClientName,
  dhcpv6Option,
  readDhcpv6ClientName,
  dhcpv6OptionRequest,
  dhcpv6Status,
  readDhcpv6Associations,
  readDhcpv6DnsServers,
  readDhcpv6DomainList,
  readDhcpv6Number,
  readDhcpv6OptionRequest,
  readDhcpv6Status,
  type Dhcpv6Association,
  type Dhcpv6Option,
} from './index.ts';
import {
  DHCPV6_ALL_SERVERS,
  Dhcpv6Message,
  Dhcpv6MessageType,
  Dhcpv6RelayMessage,
  dhcpv6Length,
  dhcpv6RelayedMessage,
  emitDhcpv6,
  encodeDhcpv6,
  parseDhcpv6,
  unwrapDhcpv6,
} from './dhcpv6.ts';
import { duidOfMac, duidOfMacAndTime, duidOfUuid, formatDuid, parseDuid } from './duid.ts';

const MAC = MacAddress.parse('52:54:00:12:34:56');

function parsed(bytes: Uint8Array): Dhcpv6Message {
  const message = parseDhcpv6(bytes, 0, bytes.length);
  assert.ok(message instanceof Dhcpv6Message, String(message));
  return message;
}

test('an Advertise laid out by hand is read, and written as it was', () => {
  const bytes = fromHex(
    `02 10c8a4
     0001 000a 00030001525400123456
     0002 000a 00030001020000000001
     0003 0028 00123456 00000708 00000c4e
       0005 0018 20010db8000000000000000000001234 00000e10 00001c20
     0007 0001 ff
     0017 0010 20010db8000000000000000000000053
     0018 0008 036c616e026c6f00
     fde8 0002 abcd`,
  );
  const message = parsed(bytes);
  assert.equal(message.type, Dhcpv6MessageType.ADVERTISE);
  assert.equal(message.transactionId, 0x10c8a4);
  assert.equal(toHex(message.option(0xfde8)!), 'abcd', 'an unknown option is kept');
  assert.equal(readDhcpv6Number(message.options, Dhcpv6OptionCode.PREFERENCE, 1), 255);
  assert.deepEqual(readDhcpv6DnsServers(message.options)?.map(String), ['2001:db8::53']);
  assert.deepEqual(readDhcpv6DomainList(message.options), ['lan.lo']);
  const associations = readDhcpv6Associations(message.options);
  assert.ok(typeof associations !== 'string');
  assert.equal(associations.length, 1);
  const [association] = associations;
  assert.equal(association!.id, 0x123456);
  assert.equal(association!.renew, 1800);
  assert.equal(association!.rebind, 3150);
  assert.equal(association!.addresses[0]!.address.toString(), '2001:db8::1234');
  assert.equal(association!.addresses[0]!.preferred, 3600);
  assert.equal(association!.addresses[0]!.valid, 7200);
  assert.equal(toHex(encodeDhcpv6(message)), toHex(bytes));
});

/** Options that contain options. */
function container(inner: fc.Arbitrary<Dhcpv6Option>): fc.Arbitrary<Dhcpv6Option> {
  return fc
    .tuple(
      fc.constantFrom<[number, number][]>([3, 12], [4, 4], [5, 24], [25, 12], [26, 25]),
      fc.uint8Array({ minLength: 25, maxLength: 25 }),
      fc.array(inner, { maxLength: 3 }),
    )
    .map(([[code, length], bytes, options]) => dhcpv6Option(code, bytes.slice(0, length), options));
}

test('any message the parser takes is written as it was', () => {
  const leaf = fc
    .tuple(fc.constantFrom(1, 2, 6, 9, 13, 14, 23, 24, 0x1234), fc.uint8Array({ maxLength: 20 }))
    .map(([code, data]) => dhcpv6Option(code, data));
  const nested = container(container(leaf));
  const relay = fc.boolean();
  fc.assert(
    fc.property(fc.array(fc.oneof(leaf, nested), { maxLength: 6 }), relay, (options, relayed) => {
      const message = relayed ? new Dhcpv6RelayMessage() : new Dhcpv6Message();
      message.options = options;
      const bytes = encodeDhcpv6(message);
      const back = parseDhcpv6(bytes, 0, bytes.length);
      assert.ok(typeof back !== 'string', String(back));
      assert.deepEqual(back.options, options);
      assert.equal(toHex(encodeDhcpv6(back)), toHex(bytes));
    }),
  );
});

test('any bytes give a message that is written as it was, or a fault', () => {
  const byte = fc.oneof(fc.constantFrom(0, 0, 0, 1, 3, 4, 5, 12, 13, 25, 26), fc.nat(255));
  let taken = 0;
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 90 }), (values) => {
      const bytes = Uint8Array.from(values);
      const message = parseDhcpv6(bytes, 0, bytes.length);
      if (typeof message !== 'string') {
        taken++;
        readDhcpv6Associations(message.options);
        assert.equal(toHex(encodeDhcpv6(message)), toHex(bytes));
      }
      unwrapDhcpv6(bytes, 0, bytes.length);
    }),
    { numRuns: 5000 },
  );
  assert.ok(taken > 50, `${taken} were taken`);
});

/** The fault the parser answers for these bytes, if it does. */
function faultOf(hex: string, limits = DHCPV6_WIRE_LIMITS): string | undefined {
  const bytes = fromHex(hex);
  const answer = parseDhcpv6(bytes, 0, bytes.length, limits);
  return typeof answer === 'string' ? answer : undefined;
}

test('faults', () => {
  assert.equal(faultOf('010000'), 'truncated');
  assert.equal(faultOf('0c00'), 'truncated');
  assert.equal(faultOf(`0c00${'00'.repeat(31)}`), 'truncated', 'a relay message cut short');
  assert.equal(faultOf('01000000 000100'), 'bad-option', 'an option header cut short');
  assert.equal(faultOf('01000000 00010002ff'), 'bad-option', 'option data cut short');
  assert.equal(
    faultOf('01000000 0003000b 0000000000000000000000'),
    'bad-option',
    'IA_NA too short',
  );
  assert.equal(faultOf('01000000 00030010 000000000000000000000000 00010001'), 'bad-option');
  assert.equal(
    faultOf('01000000 000e0000 000e0000 000e0000', { options: 2, depth: 4, relays: 8 }),
    'too-many',
  );
});

/** A message of options in options, `depth` deep. */
function nest(depth: number): Uint8Array {
  let option = dhcpv6Option(Dhcpv6OptionCode.RAPID_COMMIT);
  for (let i = 1; i < depth; i++) {
    option = dhcpv6Option(Dhcpv6OptionCode.IA_TA, new Uint8Array(4), [option]);
  }
  const message = new Dhcpv6Message();
  message.options = [option];
  return encodeDhcpv6(message);
}

test('options may lie only so deep in options', () => {
  const { depth } = DHCPV6_WIRE_LIMITS;
  assert.ok(typeof parseDhcpv6(nest(depth), 0, nest(depth).length) !== 'string');
  assert.equal(parseDhcpv6(nest(depth + 1), 0, nest(depth + 1).length), 'too-many');
  assert.equal(parseDhcpv6(nest(200), 0, nest(200).length), 'too-many');
});

test('identity associations come back as they were written', () => {
  const number = fc.nat(0xffff_ffff);
  const status = fc.constantFrom(...Object.values(Dhcpv6Status));
  const words = fc.tuple(fc.integer(), fc.integer(), fc.integer(), fc.integer());
  const address = words.map((four) => IpAddress.v6(...four));
  const lifetimes = { preferred: number, valid: number, status };
  const association = fc.oneof(
    fc.record<Dhcpv6Association>({
      code: fc.constant(Dhcpv6OptionCode.IA_NA),
      id: number,
      renew: number,
      rebind: number,
      addresses: fc.array(fc.record({ address, ...lifetimes }), { maxLength: 3 }),
      prefixes: fc.constant([]),
      status,
    }),
    fc.record<Dhcpv6Association>({
      code: fc.constant(Dhcpv6OptionCode.IA_PD),
      id: number,
      renew: number,
      rebind: number,
      addresses: fc.constant([]),
      prefixes: fc.array(
        fc.record({
          prefix: fc.tuple(address, fc.nat(128)).map(([base, length]) => new Cidr(base, length)),
          ...lifetimes,
        }),
        { maxLength: 3 },
      ),
      status,
    }),
  );
  fc.assert(
    fc.property(fc.array(association, { maxLength: 3 }), (associations) => {
      const message = new Dhcpv6Message();
      message.options = associations.map(dhcpv6Association);
      const back = readDhcpv6Associations(parsed(encodeDhcpv6(message)).options);
      assert.deepEqual(JSON.parse(JSON.stringify(back)), JSON.parse(JSON.stringify(associations)));
    }),
  );
});

test('a prefix length past 128 is a fault', () => {
  const data = new Uint8Array(25);
  data[8] = 129;
  const inner = dhcpv6Option(Dhcpv6OptionCode.IA_PREFIX, data);
  const option = dhcpv6Option(Dhcpv6OptionCode.IA_PD, new Uint8Array(12), [inner]);
  assert.equal(readDhcpv6Associations([option]), 'bad-option');
});

/** An option whose data is one byte. */
function bad(code: number): Dhcpv6Option[] {
  return [dhcpv6Option(code, Uint8Array.of(1))];
}

test('the values of other options, and what is absent or malformed', () => {
  const servers = [IpAddress.parse('2001:db8::1'), IpAddress.parse('2001:db8::2')];
  assert.deepEqual(
    readDhcpv6DnsServers([dhcpv6DnsServers(servers)])?.map(String),
    servers.map(String),
  );
  assert.deepEqual(readDhcpv6DomainList([dhcpv6DomainList(['a.b', 'c'])]), ['a.b', 'c']);
  assert.deepEqual(readDhcpv6OptionRequest([dhcpv6OptionRequest([23, 24, 82])]), [23, 24, 82]);
  assert.equal(readDhcpv6Status([dhcpv6Status(Dhcpv6Status.NOT_ON_LINK, 'moved')]), 4);
  assert.equal(readDhcpv6Status([]), Dhcpv6Status.SUCCESS);
  for (const width of [1, 2, 4] as const) {
    assert.equal(readDhcpv6Number([dhcpv6Number(7, width, 200)], 7, width), 200);
  }
  assert.equal(readDhcpv6DnsServers(bad(Dhcpv6OptionCode.DNS_SERVERS)), undefined);
  assert.equal(readDhcpv6DomainList(bad(Dhcpv6OptionCode.DOMAIN_LIST)), undefined);
  assert.equal(readDhcpv6OptionRequest(bad(Dhcpv6OptionCode.OPTION_REQUEST)), undefined);
  assert.equal(readDhcpv6Number(bad(82), 82, 4), undefined);
  assert.equal(readDhcpv6Status(bad(13)), Dhcpv6Status.UNSPECIFIED_FAILURE);
  assert.equal(readDhcpv6DnsServers([]), undefined);
  assert.equal(readDhcpv6DomainList([]), undefined);
  assert.equal(readDhcpv6OptionRequest([]), undefined);
});

/** A Solicit within `count` Relay-forward messages. */
function relayedSolicit(count: number): Uint8Array {
  const solicit = new Dhcpv6Message();
  solicit.type = Dhcpv6MessageType.SOLICIT;
  let message: Dhcpv6Message | Dhcpv6RelayMessage = solicit;
  for (let hop = 0; hop < count; hop++) {
    const relay = new Dhcpv6RelayMessage();
    relay.hopCount = hop;
    relay.linkAddress = IpAddress.parse('2001:db8::1');
    relay.peerAddress = IpAddress.parse('fe80::1');
    relay.options = [
      dhcpv6Option(Dhcpv6OptionCode.INTERFACE_ID, Uint8Array.of(hop)),
      dhcpv6RelayedMessage(message),
    ];
    message = relay;
  }
  return encodeDhcpv6(message);
}

test('relayed messages are unwrapped, the outermost first, up to the limit', () => {
  const bytes = relayedSolicit(2);
  const unwrapped = unwrapDhcpv6(bytes, 0, bytes.length);
  assert.ok(typeof unwrapped !== 'string');
  assert.deepEqual(
    unwrapped.relays.map(({ hopCount }) => hopCount),
    [1, 0],
  );
  assert.equal(unwrapped.relays[0]!.linkAddress.toString(), '2001:db8::1');
  assert.equal(unwrapped.relays[0]!.peerAddress.toString(), 'fe80::1');
  assert.equal(unwrapped.message.type, Dhcpv6MessageType.SOLICIT);
  const eight = relayedSolicit(8);
  assert.ok(typeof unwrapDhcpv6(eight, 0, eight.length) !== 'string');
  const nine = relayedSolicit(9);
  assert.equal(unwrapDhcpv6(nine, 0, nine.length), 'too-many');
  const empty = encodeDhcpv6(new Dhcpv6RelayMessage());
  assert.equal(unwrapDhcpv6(empty, 0, empty.length), 'bad-value');
});

test('a message is written at an offset', () => {
  const message = new Dhcpv6Message();
  message.type = Dhcpv6MessageType.INFORMATION_REQUEST;
  message.transactionId = 0xabcdef;
  message.options = [dhcpv6Option(Dhcpv6OptionCode.CLIENT_IDENTIFIER, duidOfMac(MAC))];
  const bytes = new Uint8Array(3 + dhcpv6Length(message));
  assert.equal(emitDhcpv6(message, bytes, 3), bytes.length);
  assert.equal(toHex(bytes), '0000000babcdef0001000a00030001525400123456');
  assert.equal(DHCPV6_ALL_SERVERS.toString(), 'ff02::1:2');
});

test('unique identifiers', () => {
  assert.equal(formatDuid(duidOfMac(MAC)), '00:03:00:01:52:54:00:12:34:56');
  assert.equal(
    formatDuid(duidOfMacAndTime(MAC, 0x01020304)),
    '00:01:00:01:01:02:03:04:52:54:00:12:34:56',
  );
  const mac = MAC.toString().replaceAll(':', '');
  const lowLevel = parseDuid(duidOfMac(MAC));
  assert.ok(typeof lowLevel !== 'string' && lowLevel.kind === 'link-layer');
  assert.equal(toHex(lowLevel.address), mac);
  const timed = parseDuid(duidOfMacAndTime(MAC, 0xf1020304));
  assert.ok(typeof timed !== 'string' && timed.kind === 'link-layer-time');
  assert.equal(timed.time, 0xf1020304);
  const uuid = parseDuid(duidOfUuid(new Uint8Array(16).fill(7)));
  assert.ok(typeof uuid !== 'string' && uuid.kind === 'uuid');
  const enterprise = parseDuid(fromHex('0002 00000009 0cc084d303000912'));
  assert.ok(typeof enterprise !== 'string' && enterprise.kind === 'enterprise');
  assert.equal(enterprise.enterprise, 9);
  const other = parseDuid(fromHex('1234 aa'));
  assert.ok(typeof other !== 'string' && other.kind === 'other');
  for (const hex of ['', '0003', '000100010000', '00020000', '0004aa']) {
    assert.equal(typeof parseDuid(fromHex(hex)), 'string', hex);
  }
  assert.equal(parseDuid(concatBytes([fromHex('1234'), new Uint8Array(129)])), 'bad-length');
});

function fqdn(hex: string): Dhcpv6Option[] {
  return [dhcpv6Option(Dhcpv6OptionCode.CLIENT_FQDN, fromHex(hex))];
}

test('a client’s name, whole or its first label (RFC 4704, section 4)', () => {
  assert.equal(readDhcpv6ClientName(fqdn('00 03626f78')), 'box');
  assert.equal(readDhcpv6ClientName(fqdn('04 03626f78 036c616e 00')), 'box.lan');
  assert.equal(readDhcpv6ClientName([dhcpv6ClientName('Box')]), 'box');
  assert.equal(readDhcpv6ClientName([dhcpv6ClientName('box.lan')]), 'box.lan');
  for (const bad of ['', '00', '00 00', '00 0362', '00 03 2e2e2e', '00 c000']) {
    assert.equal(readDhcpv6ClientName(fqdn(bad)), undefined, bad);
  }
  assert.equal(readDhcpv6ClientName([]), undefined);
});
