import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bytes as anyBytes, int32, record, uint16, uint8 } from '../../test/arbitraries.ts';
import { FRAMES } from '../../test/frames.ts';
import { emitted, parseGood, parseGuarded } from '../../test/guarded.ts';
import { IpAddress, concatBytes, fromHex } from '../core/index.ts';
import {
  ICMPV4_HEADER_LENGTH,
  Icmpv4Header,
  Icmpv4Type,
  Icmpv4Unreachable,
  emitIcmpv4,
  isIcmpv4Error,
  parseIcmpv4,
} from './icmpv4.ts';

const parse = (bytes: Uint8Array, start: number, end: number) => parseIcmpv4(bytes, start, end);
const request = FRAMES.pingRequest.subarray(34);

/** The message: header, then data. */
function emit(header: Icmpv4Header, data: Uint8Array): Uint8Array {
  const bytes = concatBytes([new Uint8Array(ICMPV4_HEADER_LENGTH).fill(0xa5), data]);
  assert.equal(emitIcmpv4(header, bytes, 0, bytes.length), ICMPV4_HEADER_LENGTH);
  return bytes;
}

test('an echo of the kernel, and the answer that it got', () => {
  const header = parseGood(request, parse);
  assert.equal(header.type, Icmpv4Type.ECHO_REQUEST);
  assert.deepEqual([header.identifier, header.sequence], [0x3b0d, 1]);
  assert.equal(header.isError, false);
  assert.deepEqual(emit(header, request.subarray(8)), request);
  header.type = Icmpv4Type.ECHO_REPLY;
  assert.deepEqual(emit(header, request.subarray(8)), FRAMES.pingReply.slice(34));
});

test('"port unreachable" of the kernel', () => {
  const message = FRAMES.portUnreachable.subarray(34);
  const header = parseGood(message, parse);
  assert.equal(header.type, Icmpv4Type.DESTINATION_UNREACHABLE);
  assert.equal(header.code, Icmpv4Unreachable.PORT);
  assert.equal(header.isError, true);
  assert.deepEqual(emit(header, message.subarray(8)), message);
});

test('the second word is what the type makes of it', () => {
  const header = new Icmpv4Header();
  const rest = () => emitted(8, (buffer, at) => emitIcmpv4(header, buffer, at, at + 8)).slice(4);
  header.setEcho(0x8001, 0xffff);
  assert.deepEqual(rest(), fromHex('8001ffff'));
  assert.deepEqual([header.identifier, header.sequence], [0x8001, 0xffff]);
  // RFC 1191, section 4: the MTU is in the lower half.
  header.mtu = 1401;
  assert.deepEqual(rest(), fromHex('00000579'));
  assert.equal(header.mtu, 1401);
  header.pointer = 200;
  assert.deepEqual(rest(), fromHex('c8000000'));
  assert.equal(header.pointer, 200);
  header.gateway = IpAddress.parse('203.0.113.1').word3;
  assert.deepEqual(rest(), fromHex('cb007101'));
  assert.equal(IpAddress.v4(header.gateway).toString(), '203.0.113.1');
});

test('what is emitted is parsed as it was', () => {
  const fields = record({ type: uint8, code: uint8, checksum: uint16, rest: int32 });
  fc.assert(
    fc.property(fields, anyBytes(64), (values, data) => {
      const header = Object.assign(new Icmpv4Header(), values);
      const bytes = emit(header, data);
      // Nothing but zeros cannot be told from a message without checksum.
      fc.pre(bytes.some((byte, index) => byte !== 0 && index !== 2 && index !== 3));
      assert.deepEqual(parseGood(bytes, parse), header);
    }),
  );
});

test('the types that report errors', () => {
  const errors = Array.from({ length: 256 }, (_, type) => type).filter(isIcmpv4Error);
  assert.deepEqual(errors, [3, 4, 5, 11, 12]);
});

test('a wrong checksum and a cut header are refused', () => {
  assert.equal(parseGuarded(request.with(20, 1), parse), 'bad-checksum');
  assert.equal(parseGuarded(new Uint8Array(8), parse), 'bad-checksum');
  assert.equal(parseGuarded(request.subarray(0, 7), parse), 'truncated');
});
