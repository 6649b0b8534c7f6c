import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress } from './address/ip-address.ts';
import { forEachSegment } from './datagram-segments.ts';

const remote = { address: IpAddress.LOOPBACK4, port: 9 };

/** What a datagram of so many bytes is taken apart into. */
function lengths(length: number, segmentSize?: number): number[] {
  const found: number[] = [];
  const data = new Uint8Array(length);
  const datagram = segmentSize === undefined ? { data, remote } : { data, remote, segmentSize };
  forEachSegment(datagram, (segment) => found.push(segment.length));
  return found;
}

test('a datagram with a segment size is several, of which the last may be shorter', () => {
  assert.deepEqual(lengths(10, 4), [4, 4, 2]);
  assert.deepEqual(lengths(8, 4), [4, 4]);
});

test('a datagram without segments is one, an empty one too', () => {
  assert.deepEqual(lengths(10), [10]);
  assert.deepEqual(lengths(10, 10), [10]);
  assert.deepEqual(lengths(10, 0), [10]);
  assert.deepEqual(lengths(0), [0]);
  assert.deepEqual(lengths(0, 4), [0]);
});
