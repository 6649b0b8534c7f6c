import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { IpAddress, fromHex, toHex } from '../../core/index.ts';
import { parseGuarded } from '../../../test/guarded.ts';
import {
  DnsClass,
  DnsFlag,
  DnsName,
  DnsOptionCode,
  DnsType,
  addressRecord,
  ednsRecord,
  encodeDnsMessage,
  extendedErrorOption,
  nameRecord,
  parseDnsMessage,
  readDnsName,
  readEdns,
  type DnsMessage,
  type DnsRecord,
} from './index.ts';

const EMPTY_MESSAGE: DnsMessage = {
  id: 1,
  flags: 0,
  operation: 0,
  responseCode: 0,
  questions: [],
  answers: [],
  authorities: [],
  additionals: [],
};

function parsed(bytes: Uint8Array): DnsMessage {
  const message = parseDnsMessage(bytes, 0, bytes.length);
  assert.ok(typeof message !== 'string', String(message));
  return message;
}

test('names: text, escapes, case, zones', () => {
  const name = DnsName.parse('WWW.Example.com.');
  assert.equal(name.toString(), 'WWW.Example.com');
  assert.ok(name.equals(DnsName.parse('www.example.COM')));
  assert.ok(name.isWithin(DnsName.parse('example.com')));
  assert.ok(name.isWithin(name) && name.isWithin(DnsName.ROOT));
  assert.ok(!DnsName.parse('notexample.com').isWithin(DnsName.parse('example.com')));
  assert.equal(name.parent.toString(), 'Example.com');
  assert.equal(DnsName.ROOT.toString(), '.');
  assert.ok(DnsName.parse('.').isRoot);
  const odd = DnsName.parse('a\\.b.\\007c\\\\.d');
  assert.deepEqual(odd.labels, ['a.b', '\u0007c\\', 'd']);
  assert.equal(odd.toString(), 'a\\.b.\\007c\\\\.d');
  assert.ok(
    !DnsName.of(['a.b']).equals(DnsName.of(['a', 'b'])),
    'a dot in a label is none between',
  );
  for (const text of ['a..b', '.a', `${'a'.repeat(64)}.b`, 'a\\', 'a\\999', 'a\\12', '€']) {
    assert.throws(() => DnsName.parse(text), { code: 'DOMAIN_NAME_INVALID' }, text);
  }
  const longest = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`;
  assert.equal(DnsName.parse(longest).length, 255);
  assert.throws(() => DnsName.parse(`${longest}d`), { code: 'DOMAIN_NAME_INVALID' });
});

function reverseOf(text: string): string {
  return DnsName.ofAddress(IpAddress.parse(text)).toString();
}

test('names of addresses (RFC 1035, 3.5; RFC 3596, 2.5)', () => {
  assert.equal(reverseOf('10.2.0.52'), '52.0.2.10.in-addr.arpa');
  assert.equal(
    reverseOf('4321:0:1:2:3:4:567:89ab'),
    'b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa',
  );
});

test('the compressed names of RFC 1035, section 4.1.4', () => {
  const bytes = new Uint8Array(93);
  bytes.set(fromHex('0146 03495349 0441525041 00'), 20);
  bytes.set(fromHex('03464f4f c014'), 40);
  bytes.set(fromHex('c01a'), 64);
  const read = (at: number): string => {
    const name = readDnsName(bytes, 0, at, bytes.length);
    assert.ok(typeof name !== 'string');
    return `${name.name} ${name.next}`;
  };
  assert.equal(read(20), 'F.ISI.ARPA 32');
  assert.equal(read(40), 'FOO.F.ISI.ARPA 46');
  assert.equal(read(64), 'ARPA 66');
  assert.equal(read(92), '. 93');
});

/** What is wrong with the name at the start of these bytes. */
function fault(hex: string): unknown {
  const bytes = fromHex(hex);
  return readDnsName(bytes, 0, 0, bytes.length);
}

test('pointers that lead nowhere, forward or round are faults, and cost little', () => {
  assert.equal(fault('c000'), 'bad-value');
  assert.equal(fault('0161c000'), 'bad-value');
  assert.equal(fault('c004 0000 00'), 'bad-value');
  assert.equal(fault('c0'), 'truncated');
  assert.equal(fault('0361'), 'truncated');
  assert.equal(fault('40'), 'bad-value');
  const chain = new Uint8Array(1000);
  for (let at = 2; at < 1000; at += 2) chain.set([0xc0 | ((at - 2) >> 8), (at - 2) & 255], at);
  assert.equal(readDnsName(chain, 0, 998, 1000), 'too-many');
  const long = new Uint8Array(300).fill(1);
  assert.equal(readDnsName(long, 0, 0, 300), 'bad-length');
});

/** What `dig` asked for `www.example.com A`, with EDNS and a cookie. */
const DIG = fromHex(
  '1a2b 0120 0001 0000 0000 0001 03777777076578616d706c6503636f6d00 0001 0001' +
    '00 0029 04d0 0000 0000 000c 000a 0008 0102030405060708',
);

test('a question as a resolver sends it', () => {
  const message = parsed(DIG);
  assert.equal(message.id, 0x1a2b);
  assert.equal(message.flags, DnsFlag.RECURSION_DESIRED | DnsFlag.AUTHENTIC_DATA);
  const [question] = message.questions;
  assert.deepEqual([String(question!.name), question!.type], ['www.example.com', DnsType.A]);
  const edns = readEdns(message);
  assert.ok(typeof edns === 'object');
  assert.deepEqual([edns.udpSize, edns.version, edns.dnssecOk], [1232, 0, false]);
  assert.deepEqual(
    edns.options.map(({ code, data }) => [code, toHex(data)]),
    [[10, '0102030405060708']],
  );
  assert.deepEqual(encodeDnsMessage(message), DIG, 're-encoded as it was');
});

test('a response is compressed, and read back', () => {
  const name = DnsName.parse('www.example.com');
  const target = DnsName.parse('host.example.com');
  const message: DnsMessage = {
    ...EMPTY_MESSAGE,
    flags: DnsFlag.RESPONSE,
    questions: [{ name, type: DnsType.A, class: DnsClass.IN }],
    answers: [
      nameRecord(name, DnsType.CNAME, target, 60),
      addressRecord(target, IpAddress.parse('192.0.2.1'), 0xffff_ffff),
      addressRecord(target, IpAddress.parse('2001:db8::1'), 60),
    ],
    authorities: [
      {
        name: DnsName.parse('example.com'),
        type: DnsType.SOA,
        class: DnsClass.IN,
        timeToLive: 5,
        data: {
          kind: 'authority',
          server: target,
          mailbox: DnsName.parse('root.example.com'),
          serial: 0xffff_fffe,
          refresh: 1,
          retry: 2,
          expire: 3,
          minimum: 4,
        },
      },
    ],
  };
  const bytes = encodeDnsMessage(message);
  assert.deepEqual(parsed(bytes), message);
  const text = String.fromCharCode(...bytes);
  assert.equal(text.split('example').length, 2, 'written once');
});

test('EDNS: the sizes, the flags, extended errors; two of it are a fault', () => {
  const edns = {
    udpSize: 1232,
    extendedCode: 1,
    version: 0,
    dnssecOk: true,
    options: [extendedErrorOption(22, 'nobody')],
  };
  const record = ednsRecord(edns);
  assert.deepEqual(readEdns({ ...EMPTY_MESSAGE, additionals: [record] }), edns);
  assert.equal(edns.options[0]!.code, DnsOptionCode.EXTENDED_ERROR);
  assert.equal(toHex(edns.options[0]!.data), '00166e6f626f6479');
  assert.equal(readEdns({ ...EMPTY_MESSAGE, additionals: [record, record] }), 'bad-value');
  assert.equal(readEdns(EMPTY_MESSAGE), undefined);
  const small = ednsRecord({ ...edns, udpSize: 100 });
  const read = readEdns({ ...EMPTY_MESSAGE, additionals: [small] });
  assert.ok(typeof read === 'object' && read.udpSize === 512, 'less than 512 counts as that');
  const data = { kind: 'other' as const, bytes: fromHex('000a0009 01') };
  assert.equal(readEdns({ ...EMPTY_MESSAGE, additionals: [{ ...record, data }] }), 'bad-option');
});

test('limits, and data that is not of its type’s length', () => {
  assert.equal(parseDnsMessage(headerOf(5, 0), 0, 12), 'too-many');
  assert.equal(parseDnsMessage(headerOf(0, 1025), 0, 12), 'too-many');
  assert.equal(parseDnsMessage(headerOf(1, 0), 0, 12), 'truncated');
  assert.equal(parseDnsMessage(headerOf(0, 1), 0, 11), 'truncated');
  assert.equal(parsedRecord('0001', '010203'), 'bad-length');
  assert.equal(parsedRecord('001c', '01020304'), 'bad-length');
  assert.equal(parsedRecord('0005', '0000'), 'bad-length', 'a name and something behind it');
  assert.equal(parsedRecord('0006', '0000'), 'bad-length');
  assert.equal(typeof parsedRecord('0010', '0000'), 'object');
});

/** A header that counts so many questions and answers. */
function headerOf(questions: number, records: number): Uint8Array {
  return fromHex(`0001 0000 ${hex16(questions)} ${hex16(records)} 0000 0000`);
}

/** A response with one record, read. */
function parsedRecord(type: string, data: string): unknown {
  const length = hex16(data.length / 2);
  const bytes = fromHex(`0001 8000 0000 0001 0000 0000 00 ${type} 0001 00000000 ${length} ${data}`);
  return parseDnsMessage(bytes, 0, bytes.length);
}

function hex16(value: number): string {
  return value.toString(16).padStart(4, '0');
}

const label = fc.string({ minLength: 1, maxLength: 20, unit: 'binary-ascii' });
const name = fc.array(label, { maxLength: 6 }).map((labels) => DnsName.of(labels));
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const record: fc.Arbitrary<DnsRecord> = fc.oneof(
  fc.tuple(name, uint32).map(([owner, word]) => addressRecord(owner, IpAddress.v4(word), word)),
  fc.tuple(name, name, uint32).map(([a, b, ttl]) => nameRecord(a, DnsType.PTR, b, ttl)),
  fc.tuple(name, fc.uint8Array({ maxLength: 30 })).map(([owner, bytes]) => ({
    name: owner,
    type: DnsType.TXT,
    class: DnsClass.IN,
    timeToLive: 1,
    data: { kind: 'other', bytes } as const,
  })),
);

test('whatever is written is read back', () => {
  const records = fc.array(record, { maxLength: 5 });
  fc.assert(
    fc.property(name, records, records, fc.nat(0xffff), (owner, answers, additionals, id) => {
      const questions = [{ name: owner, type: 1, class: 1 }];
      const message = { ...EMPTY_MESSAGE, id, questions, answers, additionals };
      const bytes = encodeDnsMessage(message);
      const again = parseDnsMessage(bytes, 0, bytes.length);
      assert.deepEqual(again, message);
    }),
  );
});

test('names survive their text', () => {
  fc.assert(fc.property(name, (one) => assert.deepEqual(DnsName.parse(one.toString()), one)));
});

test('any bytes: a value or a fault, and nothing is read outside', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(3), (tail, records) => {
      const bytes = new Uint8Array(12 + tail.length);
      bytes.set(fromHex(`0001 0000 0001 000${records}`));
      bytes.set(tail, 12);
      const message = parseGuarded(bytes, parseDnsMessage);
      if (typeof message !== 'string') readEdns(message);
    }),
    { numRuns: 2000 },
  );
});

test('names beyond the reach of pointers are written in full', () => {
  const late = DnsName.parse('late.example.com');
  const filling = { kind: 'other' as const, bytes: new Uint8Array(0x4000) };
  const message: DnsMessage = {
    ...EMPTY_MESSAGE,
    answers: [
      { name: DnsName.ROOT, type: DnsType.TXT, class: DnsClass.IN, timeToLive: 1, data: filling },
      addressRecord(late, IpAddress.parse('192.0.2.1'), 1),
      addressRecord(late, IpAddress.parse('192.0.2.2'), 1),
    ],
  };
  assert.deepEqual(parsed(encodeDnsMessage(message)), message);
});
