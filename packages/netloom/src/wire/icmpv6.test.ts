import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { int32, record, uint16, uint8 } from '../../test/arbitraries.ts';
import { FRAMES } from '../../test/frames.ts';
import { emitted, parseGood, parseGuarded } from '../../test/guarded.ts';
import { fromHex } from '../core/index.ts';
import { isTransportChecksumValid, sumWords } from './checksum.ts';
import {
  Icmpv6Header,
  Icmpv6Type,
  Icmpv6Unreachable,
  emitIcmpv6,
  finishIcmpv6,
  parseIcmpv6,
} from './icmpv6.ts';
import { IpProtocol } from './ip-protocol.ts';

const parse = (bytes: Uint8Array, start: number, end: number) => parseIcmpv6(bytes, start, end);
const { ping6Request, ping6Reply, portUnreachable6 } = FRAMES;

/** Where ICMPv6 begins in a frame without extension headers. */
const AT = 54;

/** The pseudo-header's sum of a frame without extension headers. */
function pseudoSum(frame: Uint8Array): number {
  return sumWords(frame, 22, AT) + IpProtocol.ICMPV6 + frame.length - AT;
}

test('an echo of the kernel becomes the answer that it got', () => {
  const header = parseGood(ping6Request.subarray(AT), parse);
  assert.equal(header.type, Icmpv6Type.ECHO_REQUEST);
  assert.deepEqual([header.identifier, header.sequence], [0x3b0f, 1]);
  assert.equal(header.isError, false);
  const sum = pseudoSum(ping6Request);
  assert.ok(isTransportChecksumValid(ping6Request, AT, ping6Request.length, sum));
  header.type = Icmpv6Type.ECHO_REPLY;
  const answer = ping6Request.slice();
  assert.equal(emitIcmpv6(header, answer, AT), AT + 8);
  finishIcmpv6(answer, AT, answer.length, sum);
  assert.deepEqual(answer.subarray(AT), ping6Reply.subarray(AT));
});

test('"port unreachable" of the kernel', () => {
  const header = parseGood(portUnreachable6.subarray(AT), parse);
  assert.equal(header.type, Icmpv6Type.DESTINATION_UNREACHABLE);
  assert.equal(header.code, Icmpv6Unreachable.PORT);
  assert.equal(header.isError, true);
  const again = portUnreachable6.slice();
  finishIcmpv6(again, AT, again.length, pseudoSum(again));
  assert.deepEqual(again, portUnreachable6);
});

test('the second word is what the type makes of it', () => {
  const header = new Icmpv6Header();
  const rest = () => emitted(8, (buffer, at) => emitIcmpv6(header, buffer, at)).slice(4);
  header.mtu = 0xffff_ffff;
  assert.deepEqual(rest(), fromHex('ffffffff'));
  assert.equal(header.mtu, 0xffff_ffff);
  header.pointer = 42;
  assert.deepEqual(rest(), fromHex('0000002a'));
  assert.equal(header.pointer, 42);
  header.setEcho(0xfffe, 3);
  assert.deepEqual(rest(), fromHex('fffe0003'));
});

test('what is emitted is parsed as it was', () => {
  const fields = record({ type: uint8, code: uint8, checksum: uint16, rest: int32 });
  fc.assert(
    fc.property(fields, (values) => {
      const header = Object.assign(new Icmpv6Header(), values);
      const bytes = emitted(8, (buffer, at) => emitIcmpv6(header, buffer, at));
      assert.deepEqual(parseGood(bytes, parse), header);
    }),
  );
});

test('a cut header is refused', () => {
  assert.equal(parseGuarded(ping6Request.subarray(AT, AT + 7), parse), 'truncated');
});
