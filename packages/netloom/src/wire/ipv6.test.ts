import assert from 'node:assert/strict';
import { test } from 'node:test';
import { int32, record, uint16, uint8 } from '../../test/arbitraries.ts';
import fc from 'fast-check';
import { FRAMES } from '../../test/frames.ts';
import { emitted, parseGood, parseGuarded } from '../../test/guarded.ts';
import { IpAddress, concatBytes } from '../core/index.ts';
import { IpProtocol } from './ip-protocol.ts';
import { Ipv6Header, emitIpv6, parseIpv6, parseQuotedIpv6 } from './ipv6.ts';

const parse = (bytes: Uint8Array, start: number, end: number) => parseIpv6(bytes, start, end);
const parseQuoted = (bytes: Uint8Array, start: number, end: number) =>
  parseQuotedIpv6(bytes, start, end);
const syn = FRAMES.tcp6Syn.subarray(14);

test('the header of a packet of the kernel', () => {
  const header = parseGood(syn, parse);
  assert.equal(header.trafficClass, 0);
  assert.equal(header.flowLabel, 0xa975a);
  assert.equal(header.payloadLength, 40);
  assert.equal(header.nextHeader, IpProtocol.TCP);
  assert.equal(header.hopLimit, 64);
  assert.equal(header.sourceAddress.toString(), '2001:db8::1');
  assert.equal(header.destinationAddress.toString(), '2001:db8::2');
  assert.deepEqual(
    emitted(40, (buffer, at) => emitIpv6(header, buffer, at)),
    syn.slice(0, 40),
  );
});

test('what is emitted is parsed as it was', () => {
  const fields = record({
    trafficClass: uint8,
    flowLabel: fc.nat(0xfffff),
    payloadLength: uint16,
    nextHeader: uint8,
    hopLimit: uint8,
    source0: int32,
    source1: int32,
    source2: int32,
    source3: int32,
    destination0: int32,
    destination1: int32,
    destination2: int32,
    destination3: int32,
  });
  fc.assert(
    fc.property(fields, (values) => {
      const header = Object.assign(new Ipv6Header(), values);
      const bytes = emitted(40, (buffer, at) => emitIpv6(header, buffer, at));
      assert.deepEqual(parseGood(bytes, parseQuoted), header);
      const whole = concatBytes([bytes, new Uint8Array(header.payloadLength)]);
      assert.deepEqual(parseIpv6(whole, 0, whole.length), header);
    }),
  );
});

test('addresses are taken over', () => {
  const header = new Ipv6Header();
  header.setSource(IpAddress.parse('2001:db8:1:2:3:4:5:6'));
  header.setDestination(IpAddress.parse('ff02::fb'));
  assert.equal(header.sourceAddress.toString(), '2001:db8:1:2:3:4:5:6');
  assert.equal(header.destinationAddress.toString(), 'ff02::fb');
});

test('each check refuses by its own name; a quote may be cut off', () => {
  assert.equal(parseGuarded(syn.subarray(0, 39), parse), 'truncated');
  assert.equal(parseGuarded(syn.subarray(0, 79), parse), 'truncated');
  assert.equal(parseGuarded(syn.with(0, 0x45), parse), 'bad-version');
  assert.equal(parseGood(syn.subarray(0, 48), parseQuoted).payloadLength, 40);
  assert.equal(parseGuarded(syn.subarray(0, 39), parseQuoted), 'truncated');
});
