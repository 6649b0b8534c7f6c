import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bool, int32, uint16, uint8 } from '../../test/arbitraries.ts';
import { FRAMES } from '../../test/frames.ts';
import { emitted, parseGood, parseGuarded } from '../../test/guarded.ts';
import { concatBytes, fromHex } from '../core/index.ts';
import {
  TcpFlag,
  TcpHeader,
  emitTcp,
  emitTcpFixed,
  parseTcp,
  tcpOptionsLength,
  type MAX_SACK_BLOCKS,
} from './tcp.ts';

const parse = (bytes: Uint8Array, start: number, end: number) => parseTcp(bytes, start, end);
const syn = FRAMES.tcpSyn.subarray(34);

/** A segment with these options, padded with zeros. */
function withOptions(hex: string): Uint8Array {
  const options = fromHex(hex);
  const padded = new Uint8Array((options.length + 3) & ~3);
  padded.set(options);
  const fixed = syn.slice(0, 20).with(12, (20 + padded.length) << 2);
  return concatBytes([fixed, padded]);
}

test('the SYN of the kernel with all its options', () => {
  const header = parseGood(syn, parse);
  assert.equal(header.destinationPort, 9);
  assert.equal(header.sequence, 0x12868aa3);
  assert.equal(header.flags, TcpFlag.SYN);
  assert.equal(header.window, 64240);
  assert.equal(header.headerLength, 40);
  assert.equal(header.maximumSegmentSize, 1460);
  assert.equal(header.sackPermitted, true);
  assert.equal(header.hasTimestamps, true);
  assert.equal(header.timestampValue, 0xd26feed0 | 0);
  assert.equal(header.timestampEcho, 0);
  assert.equal(header.windowScale, 10);
  assert.equal(header.sackCount, 0);
  // With its options left where they stand, the segment is re-encoded as it was.
  const again = syn.slice();
  emitTcpFixed(header, again, 0);
  assert.deepEqual(again, syn);
});

test('a reset without options is re-encoded as it was', () => {
  const reset = FRAMES.tcpReset.subarray(34);
  const header = parseGood(reset, parse);
  assert.equal(header.flags, TcpFlag.RST | TcpFlag.ACK);
  assert.deepEqual(
    emitted(20, (buffer, at) => emitTcp(header, buffer, at)),
    reset,
  );
});

test('what is emitted is parsed as it was', () => {
  const most: typeof MAX_SACK_BLOCKS = 4;
  const fields = fc.record({
    sourcePort: uint16,
    destinationPort: uint16,
    sequence: int32,
    acknowledgment: int32,
    reserved: fc.nat(15),
    flags: uint8,
    window: uint16,
    checksum: uint16,
    urgentPointer: uint16,
    maximumSegmentSize: uint16,
    windowScale: fc.integer({ min: -1, max: 14 }),
    sackPermitted: bool,
    timestamps: fc.option(fc.tuple(int32, int32), { nil: undefined }),
    sack: fc.array(int32, { maxLength: 2 * most }),
  });
  fc.assert(
    fc.property(fields, ({ timestamps, sack, ...values }) => {
      const header = Object.assign(new TcpHeader(), values);
      if (timestamps !== undefined) {
        header.hasTimestamps = true;
        [header.timestampValue, header.timestampEcho] = timestamps;
      }
      header.sackCount = sack.length >> 1;
      header.sackEdges.set(sack.slice(0, 2 * header.sackCount));
      const length = 20 + tcpOptionsLength(header);
      // More options than a header holds are the sender's to avoid.
      fc.pre(length <= 60);
      const bytes = emitted(length, (buffer, at) => emitTcp(header, buffer, at));
      assert.deepEqual(parseGood(bytes, parse), header);
    }),
  );
});

test('timestamps alone, as in every segment of a connection, are read by the short way', () => {
  const header = parseGood(withOptions('01 01 08 0a 80000001 00000002'), parse);
  assert.equal(header.hasTimestamps, true);
  assert.deepEqual([header.timestampValue, header.timestampEcho], [0x8000_0001 | 0, 2]);
});

test('the control bits stand in the order of RFC 9293, section 3.1', () => {
  const order = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR'] as const;
  for (const [bit, name] of order.entries()) assert.equal(TcpFlag[name], 1 << bit, name);
});

test('a header that served before keeps nothing of the last segment', () => {
  const header = new TcpHeader();
  parseTcp(withOptions('05 0a 00000001 00000002'), 0, 32, header);
  assert.equal(header.sackCount, 1);
  parseTcp(syn, 0, syn.length, header);
  assert.equal(header.sackCount, 0);
  parseTcp(FRAMES.tcpReset, 34, 54, header);
  assert.deepEqual(
    [header.maximumSegmentSize, header.windowScale, header.sackPermitted, header.hasTimestamps],
    [0, -1, false, false],
  );
});

test('unknown options are passed over, and nothing is read behind the end of the list', () => {
  const header = parseGood(withOptions('fe 06 f989 0102 02 04 05b4 00 03 03 07'), parse);
  assert.equal(header.maximumSegmentSize, 1460);
  assert.equal(header.windowScale, -1);
});

test('malformed headers and options are refused', () => {
  assert.equal(parseGuarded(syn.subarray(0, 19), parse), 'truncated');
  assert.equal(parseGuarded(syn.subarray(0, 39), parse), 'truncated');
  assert.equal(parseGuarded(syn.with(12, 0x40), parse), 'bad-length');
  for (const bad of [
    '01 01 01 02',
    '01 01 01 fe',
    '02 00 0000',
    '02 01 0000',
    '02 05 0000',
    '02 03 0001',
    '03 04 0100',
    '04 03 0001',
    '08 09 00000000 000000',
    '05 09 00000000 000000',
    '05 02 0000',
    '05 2a 0000',
  ]) {
    assert.equal(parseGuarded(withOptions(bad), parse), 'bad-option', bad);
  }
});
