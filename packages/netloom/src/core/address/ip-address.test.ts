import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { IpAddress, formatSocketAddress } from './ip-address.ts';

const word = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
/** Words in which runs of zeros are common. */
const sparseWord = fc.oneof(fc.constant(0), fc.nat(0xffff), word);
const v4 = word.map((bits) => IpAddress.v4(bits));
const v6 = fc
  .tuple(sparseWord, sparseWord, sparseWord, sparseWord)
  .map((words) => IpAddress.v6(...words));
const anyAddress = fc.oneof(v4, v6);

/** Text that is nearly an address: made of the pieces addresses are made of. */
const nearlyAddress = fc
  .array(
    fc.constantFrom(
      '0',
      '1',
      '00',
      '01',
      '255',
      '256',
      'f',
      'ffff',
      '12345',
      'g',
      '.',
      ':',
      '::',
      '-',
      ' ',
      '1.2.3.4',
      '%',
      '%eth0',
      '%a.b-c:d',
    ),
    { maxLength: 17 },
  )
  .map((pieces) => pieces.join(''));

test('the text forms of RFC 4291, section 2.2, and their canonical form', () => {
  const table: [string, string][] = [
    ['ABCD:EF01:2345:6789:ABCD:EF01:2345:6789', 'abcd:ef01:2345:6789:abcd:ef01:2345:6789'],
    ['2001:DB8:0:0:8:800:200C:417A', '2001:db8::8:800:200c:417a'],
    ['2001:DB8::8:800:200C:417A', '2001:db8::8:800:200c:417a'],
    ['FF01:0:0:0:0:0:0:101', 'ff01::101'],
    ['FF01::101', 'ff01::101'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['::', '::'],
    ['0:0:0:0:0:0:13.1.68.3', '::d01:4403'],
    ['::13.1.68.3', '::d01:4403'],
    ['0:0:0:0:0:FFFF:129.144.52.38', '::ffff:129.144.52.38'],
    ['::FFFF:129.144.52.38', '::ffff:129.144.52.38'],
    ['::ffff:8190:3426', '::ffff:129.144.52.38'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ];
  for (const [text, canonical] of table) {
    const address = IpAddress.parse(text);
    assert.equal(address.family, 6);
    assert.equal(address.toString(), canonical, text);
  }
});

test('the canonical form of RFC 5952: its own examples', () => {
  const table: [string, string, string][] = [
    // Section 4.1: leading zeros.
    ['2001:0db8::0001', '2001:db8::1', '4.1'],
    // Section 4.2.1: as short as possible.
    ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1', '4.2.1'],
    ['2001:db8::0:1', '2001:db8::1', '4.2.1'],
    // Section 4.2.2: a single group is not shortened.
    ['2001:db8::1:1:1:1:1', '2001:db8:0:1:1:1:1:1', '4.2.2'],
    // Section 4.2.3: the longest run, and the first of several as long.
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1', '4.2.3'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1', '4.2.3'],
    // Section 4.3: lower case.
    ['2001:DB8::AAAA', '2001:db8::aaaa', '4.3'],
    // Section 5: dotted decimal where the prefix tells that it is one.
    ['::ffff:c000:201', '::ffff:192.0.2.1', '5'],
  ];
  for (const [text, canonical, section] of table) {
    assert.equal(IpAddress.parse(text).toString(), canonical, `section ${section}`);
  }
});

test('IPv4 is four decimal numbers and nothing else (RFC 6943, section 3.1.1)', () => {
  const accepted: [string, number][] = [
    ['0.0.0.0', 0],
    ['255.255.255.255', -1],
    ['192.0.2.1', 0xc000_0201 | 0],
    ['127.0.0.1', 0x7f00_0001],
    ['1.20.200.255', 0x0114_c8ff],
  ];
  for (const [text, bits] of accepted) {
    const address = IpAddress.parse(text);
    assert.equal(address.family, 4);
    assert.equal(address.word3, bits);
    assert.equal(address.toString(), text);
  }
  // What inet_aton takes and what the RFC's "strict" form does not: short, octal, hexadecimal, one number.
  const refused = [
    '',
    '.',
    '...',
    '1',
    '1.2',
    '1.2.3',
    '1.2.3.',
    '.1.2.3.4',
    '1..2.3',
    '1.2.3.4.',
    '1.2.3.4.5',
    '01.2.3.4',
    '1.2.3.04',
    '00.0.0.0',
    '0x7f.0.0.1',
    '0x7f000001',
    '2130706433',
    '017700000001',
    '256.0.0.0',
    '1.2.3.1000',
    '1.2.3.4294967297',
    '-1.2.3.4',
    '+1.2.3.4',
    '1.2.3.4 ',
    ' 1.2.3.4',
    '1.2.3.a',
    '1.2.3.4%eth0',
    '１.2.3.4',
    '1,2,3,4',
  ];
  for (const text of refused) assert.equal(IpAddress.tryParse(text), undefined, `'${text}'`);
});

test('text that is not an IPv6 address', () => {
  const refused = [
    ':',
    ':::',
    '1',
    '1:',
    ':1',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8:',
    ':1:2:3:4:5:6:7:8',
    '1::2::3',
    '::1::',
    '1:::2',
    '12345::',
    '::g',
    '::-1',
    '::+1',
    ':: 1',
    ' ::1',
    '1:2:3:4:5:6:7::8',
    '::1:2:3:4:5:6:7:8',
    '1.2.3.4::',
    '::1.2.3',
    '::1.2.3.256',
    '::01.2.3.4',
    '1:2:3:4:5:6:7:1.2.3.4',
    '::1.2.3.4:5',
    '[::1]',
    '::1/64',
    'fe80::1%',
    'fe80::1%a b',
    'fe80::1%a/b',
    'fe80::1%a%b',
    '%eth0',
    'fe80::%1%2',
    '1:2:3:4:5:6:1.2.3.4.5',
  ];
  for (const text of refused) assert.equal(IpAddress.tryParse(text), undefined, `'${text}'`);
  assert.throws(() => IpAddress.parse('::g'), { code: 'ADDRESS_INVALID', message: /'::g'/ });
});

test('printing and parsing again gives the same address', () => {
  fc.assert(
    fc.property(anyAddress, (address) => {
      const again = IpAddress.parse(address.toString());
      // The mapped form is IPv6 in print as in words.
      assert.equal(again.family, address.family);
      assert.ok(again.equals(address));
      assert.equal(again.toString(), address.toString());
    }),
    { numRuns: 1000 },
  );
});

test('what is printed is what the URL standard prints, but for the mapped form', () => {
  fc.assert(
    fc.property(v6, (address) => {
      const text = address.toString();
      // WHATWG URL serialises ::ffff:a.b.c.d in hexadecimal; RFC 5952, section 5 recommends the dotted form.
      if (text.startsWith('::ffff:') && text.includes('.')) return;
      assert.equal(`[${text}]`, new URL(`http://[${text}]/`).hostname);
    }),
    { numRuns: 1000 },
  );
});

test('bytes there and back', () => {
  fc.assert(
    fc.property(anyAddress, (address) => {
      const bytes = address.toBytes();
      assert.equal(bytes.length, address.family === 4 ? 4 : 16);
      assert.ok(IpAddress.fromBytes(bytes).equals(address));
      const frame = new Uint8Array(40);
      address.copyTo(frame, 3);
      const read = address.family === 4 ? IpAddress.readV4(frame, 3) : IpAddress.readV6(frame, 3);
      assert.ok(read.equals(address));
    }),
  );
  assert.throws(() => IpAddress.fromBytes(new Uint8Array(5)), { code: 'ADDRESS_INVALID' });
});

/**
 * Whether the platform and we mean the same by a zone in the text. The difference kept: the platform takes letters, digits, '-', '.'
 * and ':' only; we take what an interface may be called, as wg_0.
 */
function hasCommonZone(text: string): boolean {
  return !text.includes('%') || /^[^%]*%[a-zA-Z0-9.:-]*$/.test(text);
}

test('text is an address exactly when the platform says so, but for zones', () => {
  fc.assert(
    fc.property(fc.oneof(nearlyAddress, fc.string(), anyAddress.map(String)), (text) => {
      if (!hasCommonZone(text)) return;
      assert.equal(IpAddress.tryParse(text)?.family ?? 0, isIP(text), `'${text}'`);
    }),
    { numRuns: 5000 },
  );
  assert.equal(IpAddress.parse('fe80::1%wg_0').zone, 'wg_0');
  assert.equal(isIP('fe80::1%wg_0'), 0);
});

test('a zone is part of the address (RFC 4007, section 11)', () => {
  const address = IpAddress.parse('FE80::1%eth0.100');
  assert.equal(address.zone, 'eth0.100');
  assert.equal(address.toString(), 'fe80::1%eth0.100');
  assert.equal(address.equals(IpAddress.parse('fe80::1')), false);
  assert.equal(address.equals(IpAddress.parse('fe80::1%eth0.100')), true);
});

test('an IPv4 address is not its IPv4-mapped IPv6 address, though its words are the same', () => {
  const four = IpAddress.parse('192.0.2.1');
  const mapped = IpAddress.parse('::ffff:192.0.2.1');
  assert.equal(four.equals(mapped), false);
  assert.deepEqual(
    [four.word0, four.word1, four.word2, four.word3],
    [mapped.word0, mapped.word1, mapped.word2, mapped.word3],
  );
});

test('kinds of addresses, at the edges of their ranges', () => {
  type Kind = 'isUnspecified' | 'isLoopback' | 'isMulticast' | 'isLinkLocal';
  const table: Record<Kind, { inside: string[]; outside: string[] }> = {
    isUnspecified: {
      inside: ['0.0.0.0', '::'],
      outside: ['0.0.0.1', '::1', '::ffff:0.0.0.0', '1::', '0:1::', '0:0:0:1::'],
    },
    isLoopback: {
      inside: ['127.0.0.0', '127.255.255.255', '::1'],
      outside: ['126.255.255.255', '128.0.0.0', '::', '::2', '::ffff:127.0.0.1'],
    },
    isMulticast: {
      inside: ['224.0.0.0', '239.255.255.255', 'ff00::', 'ff02::1'],
      outside: ['223.255.255.255', '240.0.0.0', 'fe80::1', '::ff00'],
    },
    isLinkLocal: {
      inside: ['169.254.0.0', '169.254.255.255', 'fe80::', 'febf:ffff::'],
      outside: ['169.253.255.255', '169.255.0.0', 'fec0::', 'fe7f:ffff::'],
    },
  };
  for (const [kind, { inside, outside }] of Object.entries(table) as [
    Kind,
    (typeof table)[Kind],
  ][]) {
    for (const text of inside) assert.equal(IpAddress.parse(text)[kind], true, `${kind} ${text}`);
    for (const text of outside) assert.equal(IpAddress.parse(text)[kind], false, `${kind} ${text}`);
  }
});

test('constants, JSON and socket addresses', () => {
  assert.equal(String(IpAddress.ANY4), '0.0.0.0');
  assert.equal(String(IpAddress.ANY6), '::');
  assert.equal(String(IpAddress.LOOPBACK4), '127.0.0.1');
  assert.equal(String(IpAddress.LOOPBACK6), '::1');
  assert.equal(String(IpAddress.BROADCAST4), '255.255.255.255');
  const address = IpAddress.parse('2001:db8::1');
  assert.equal(JSON.stringify({ address }), '{"address":"2001:db8::1"}');
  assert.equal(formatSocketAddress({ address, port: 80 }), '[2001:db8::1]:80');
  assert.equal(formatSocketAddress({ address: IpAddress.LOOPBACK4, port: 80 }), '127.0.0.1:80');
});
