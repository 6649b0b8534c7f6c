import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Cidr, EMPTY, IpAddress, MacAddress, concatBytes, fromHex, toHex } from '../core/index.ts';
import {
  Dhcpv4OptionCode,
  dhcpv4Addresses,
  dhcpv4DomainSearch,
  dhcpv4Number,
  dhcpv4Routes,
  dhcpv4Text,
  maskOfPrefixLength,
  prefixLengthOfMask,
  type Dhcpv4Option,
} from './index.ts';
import {
  DHCPV4_HEADER_LENGTH,
  DHCPV4_SAFE_MESSAGE,
  Dhcpv4Message,
  Dhcpv4MessageType,
  Dhcpv4Operation,
  clientIdentifierOfDuid,
  clientIdentifierOfMac,
  dhcpv4Length,
  emitDhcpv4,
  encodeDhcpv4,
  parseDhcpv4,
} from './dhcpv4.ts';

const MAC = MacAddress.parse('52:54:00:12:34:56');

function parsed(bytes: Uint8Array): Dhcpv4Message {
  const message = parseDhcpv4(bytes, 0, bytes.length);
  if (typeof message === 'string') assert.fail(message);
  return message;
}

/** A message whose options field is exactly these bytes. */
function withOptionBytes(options: Uint8Array): Uint8Array {
  const message = new Dhcpv4Message();
  return concatBytes([encodeDhcpv4(message, 0), options]);
}

test('a message laid out by hand is read, and written as it was', () => {
  const bytes = concatBytes([
    fromHex('02 01 06 01 3903f326 0005 8000 00000000 c0a80032 c0a80001 00000000'),
    fromHex('525400123456 00000000000000000000'),
    new Uint8Array(192),
    fromHex(
      '63825363 350102 3604c0a80001 33040000003c 0104ffffff00 0304c0a80001 0608 08080808 08080404',
    ),
    fromHex('00 00 00 e0 03 010203 ff 00000000'),
  ]);
  const message = parsed(bytes);
  assert.equal(message.operation, Dhcpv4Operation.REPLY);
  assert.equal(message.hops, 1);
  assert.equal(message.transactionId, 0x3903f326);
  assert.equal(message.seconds, 5);
  assert.equal(message.broadcast, true);
  assert.equal(message.yourAddress.toString(), '192.168.0.50');
  assert.equal(message.nextServerAddress.toString(), '192.168.0.1');
  assert.equal(message.mac?.toString(), MAC.toString());
  assert.equal(message.type, Dhcpv4MessageType.OFFER);
  assert.equal(message.address(Dhcpv4OptionCode.SERVER_IDENTIFIER)?.toString(), '192.168.0.1');
  assert.equal(message.uint32(Dhcpv4OptionCode.LEASE_TIME), 60);
  assert.deepEqual(message.addresses(Dhcpv4OptionCode.DNS_SERVERS)?.map(String), [
    '8.8.8.8',
    '8.8.4.4',
  ]);
  assert.equal(message.uint32(Dhcpv4OptionCode.INTERFACE_MTU), undefined, 'absent');
  assert.equal(message.uint16(Dhcpv4OptionCode.LEASE_TIME), undefined, 'of another width');
  assert.deepEqual(message.option(224), fromHex('010203'), 'an unknown option is kept');
  assert.equal(toHex(encodeDhcpv4(message, 0)), toHex(bytes));
});

test('any message the parser takes is written as it was', () => {
  const option = fc.oneof(
    fc.constant(Uint8Array.of(0)),
    fc
      .tuple(fc.integer({ min: 1, max: 254 }), fc.uint8Array({ maxLength: 40 }))
      .map(([code, data]) => concatBytes([Uint8Array.of(code, data.length), data])),
    fc.constant(fromHex('340101')),
    fc.constant(fromHex('ff')),
    fc.uint8Array({ maxLength: 4 }),
  );
  let taken = 0;
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 236, maxLength: 236 }),
      fc.array(option, { maxLength: 12 }),
      (header, options) => {
        header[0] = 1 + (header[0]! & 1);
        header[2]! &= 0x0f;
        const bytes = concatBytes([header, fromHex('63825363'), ...options]);
        const message = parseDhcpv4(bytes, 0, bytes.length);
        if (typeof message === 'string') return;
        taken++;
        assert.equal(dhcpv4Length(message), bytes.length);
        assert.equal(toHex(encodeDhcpv4(message, 0)), toHex(bytes));
      },
    ),
    { numRuns: 1000 },
  );
  assert.ok(taken > 200, `${taken} were taken`);
});

test('every accessor is total, whatever an option holds', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 254 }),
      fc.uint8Array({ maxLength: 60 }),
      (code, data) => {
        const message = new Dhcpv4Message();
        message.options = [
          { code, data },
          { code: Dhcpv4OptionCode.CLASSLESS_ROUTES, data },
          { code: Dhcpv4OptionCode.DOMAIN_SEARCH, data },
        ];
        message.uint8(code);
        message.uint16(code);
        message.uint32(code);
        message.address(code);
        message.addresses(code);
        message.text(code);
        message.routes();
        message.domainSearch();
      },
    ),
    { numRuns: 1000 },
  );
});

test('faults of the fixed part', () => {
  const good = encodeDhcpv4(new Dhcpv4Message(), 0);
  assert.equal(parseDhcpv4(good, 0, DHCPV4_HEADER_LENGTH - 1), 'truncated');
  const changed = (at: number, value: number): Uint8Array => {
    const bytes = good.slice();
    bytes[at] = value;
    return bytes;
  };
  for (const [at, value, fault] of [
    [0, 3, 'bad-value'],
    [2, 17, 'bad-length'],
    [236, 0, 'bad-version'],
  ] as const) {
    const bytes = changed(at, value);
    assert.equal(parseDhcpv4(bytes, 0, bytes.length), fault);
  }
});

/** The fault the parser answers for a message with these options, if it does. */
function faultOfOptions(hex: string, limits?: { options: number }): string | undefined {
  const bytes = withOptionBytes(fromHex(hex));
  const answer = parseDhcpv4(bytes, 0, bytes.length, limits);
  return typeof answer === 'string' ? answer : undefined;
}

test('faults of options', () => {
  assert.equal(faultOfOptions('35'), 'bad-option', 'no length');
  assert.equal(faultOfOptions('350201'), 'bad-option', 'data past the end');
  assert.equal(faultOfOptions('340104ff'), 'bad-option', 'an overload of 4');
  assert.equal(faultOfOptions('34020101ff'), 'bad-option', 'an overload of two bytes');
  assert.equal(faultOfOptions('350101350101ff', { options: 2 }), 'too-many');
  assert.equal(faultOfOptions('350101'), undefined, 'a missing END is let pass');
  assert.equal(
    faultOfOptions('000000000000350101ff', { options: 3 }),
    undefined,
    'a run of padding is one',
  );
});

test('options in the boot file and server name fields are read in the order of RFC 3396', () => {
  const message = new Dhcpv4Message();
  message.bootFile.set(fromHex('0c0262 63 ff'));
  message.serverName.set(fromHex('0c0264 65 ff'));
  message.options = [
    { code: Dhcpv4OptionCode.HOST_NAME, data: fromHex('61') },
    dhcpv4Number(Dhcpv4OptionCode.OVERLOAD, 1, 3),
    { code: Dhcpv4OptionCode.END, data: EMPTY },
  ];
  assert.equal(parsed(encodeDhcpv4(message)).text(Dhcpv4OptionCode.HOST_NAME), 'abcde');
});

test('options of any lengths come back whole, over the old fields where needed', () => {
  const options = fc.uniqueArray(
    fc.record({
      code: fc.integer({ min: 1, max: 254 }).filter((code) => code !== Dhcpv4OptionCode.OVERLOAD),
      data: fc.uint8Array({ maxLength: 300, size: 'max' }),
    }),
    { selector: (option: Dhcpv4Option) => option.code, maxLength: 8, size: 'max' },
  );
  let overloaded = 0;
  fc.assert(
    fc.property(options, (wanted) => {
      const message = new Dhcpv4Message();
      const left = message.setOptions(wanted, DHCPV4_SAFE_MESSAGE);
      const bytes = encodeDhcpv4(message);
      assert.ok(bytes.length <= DHCPV4_SAFE_MESSAGE);
      const back = parsed(bytes);
      if (back.overloadedOptions.length > 0) overloaded++;
      for (const { code, data } of wanted) {
        if (!left.includes(code)) assert.deepEqual(back.option(code), data, `option ${code}`);
        else assert.equal(back.option(code), undefined);
      }
    }),
  );
  assert.ok(overloaded > 5, `${overloaded} were overloaded`);
});

test('what fits nowhere is named', () => {
  const message = new Dhcpv4Message();
  const data = new Uint8Array(400);
  assert.deepEqual(message.setOptions([{ code: 43, data }], 548), [43]);
  assert.deepEqual(message.setOptions([{ code: 43, data }], 1500), []);
});

test('classless routes as in the examples of RFC 3442', () => {
  const encoded: [string, string][] = [
    ['0.0.0.0/0', '00'],
    ['10.0.0.0/8', '080a'],
    ['10.0.0.0/24', '180a0000'],
    ['10.17.0.0/16', '100a11'],
    ['10.27.129.0/24', '180a1b81'],
    ['10.229.0.128/25', '190ae50080'],
    ['10.198.122.47/32', '200ac67a2f'],
  ];
  const gateway = IpAddress.parse('192.0.2.1');
  for (const [text, hex] of encoded) {
    const option = dhcpv4Routes([{ destination: Cidr.parse(text), gateway }]);
    assert.equal(toHex(option.data), `${hex}c0000201`);
    const message = new Dhcpv4Message();
    message.options = [option];
    assert.deepEqual(
      message.routes()?.map(({ destination }) => String(destination)),
      [text],
    );
  }
});

/** The routes of an option with this value, as text. */
function routesIn(hex: string): string[] | undefined {
  const message = new Dhcpv4Message();
  message.options = [{ code: Dhcpv4OptionCode.CLASSLESS_ROUTES, data: fromHex(hex) }];
  return message.routes()?.map((route) => `${route.destination} ${route.gateway ?? 'link'}`);
}

test('classless routes: on the link, masked, and malformed', () => {
  assert.deepEqual(routesIn('180a000000000000'), ['10.0.0.0/24 link']);
  assert.deepEqual(routesIn('090affc0000201'), ['10.128.0.0/9 192.0.2.1']);
  assert.equal(routesIn('210a00000000c0000201'), undefined, 'a prefix of 33');
  assert.equal(routesIn('180a0000c00002'), undefined, 'cut short');
});

test('the domain search list of the example of RFC 3397, section 2, in three parts', () => {
  const message = parsed(
    withOptionBytes(
      fromHex('77 09 03656e67056170706c 77 09 6503636f6d00096d61 77 09 726b6574696e67c004 ff'),
    ),
  );
  assert.deepEqual(message.domainSearch(), ['eng.apple.com', 'marketing.apple.com']);
  message.options = [dhcpv4DomainSearch(['eng.apple.com', 'lan'])];
  assert.deepEqual(message.domainSearch(), ['eng.apple.com', 'lan']);
});

test('masks and prefix lengths', () => {
  for (let length = 0; length <= 32; length++) {
    assert.equal(prefixLengthOfMask(maskOfPrefixLength(length)), length);
  }
  assert.equal(maskOfPrefixLength(22).toString(), '255.255.252.0');
  assert.equal(prefixLengthOfMask(IpAddress.parse('255.0.255.0')), undefined);
});

test('text has no control characters and no zeros at its end', () => {
  const message = new Dhcpv4Message();
  const text = (hex: string): string | undefined => {
    message.options = [{ code: Dhcpv4OptionCode.DOMAIN_NAME, data: fromHex(hex) }];
    return message.text(Dhcpv4OptionCode.DOMAIN_NAME);
  };
  assert.equal(text('6c616e0000'), 'lan');
  assert.equal(text('6c0a6e'), undefined);
  assert.equal(text('0000'), undefined);
  message.options = [dhcpv4Text(Dhcpv4OptionCode.HOST_NAME, 'box')];
  assert.equal(message.text(Dhcpv4OptionCode.HOST_NAME), 'box');
});

test('client identifiers of a MAC and of a DUID', () => {
  assert.equal(toHex(clientIdentifierOfMac(MAC)), '01525400123456');
  assert.equal(
    toHex(clientIdentifierOfDuid(0x01020304, fromHex('00030001525400123456'))),
    'ff0102030400030001525400123456',
  );
});

test('a message is written at an offset, and answers where it ends', () => {
  const message = new Dhcpv4Message();
  message.mac = MAC;
  message.broadcast = true;
  message.options = [
    dhcpv4Addresses(Dhcpv4OptionCode.ROUTERS, [IpAddress.parse('10.0.0.1')]),
    { code: Dhcpv4OptionCode.END, data: EMPTY },
  ];
  const bytes = new Uint8Array(7 + dhcpv4Length(message));
  assert.equal(emitDhcpv4(message, bytes, 7), bytes.length);
  const back = parseDhcpv4(bytes, 7, bytes.length);
  assert.ok(typeof back !== 'string');
  assert.equal(back.broadcast, true);
  back.broadcast = false;
  assert.equal(back.flags, 0);
});
