import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { int32, uint16 } from '../../test/arbitraries.ts';
import { FRAMES } from '../../test/frames.ts';
import { emitted, parseGood, parseGuarded } from '../../test/guarded.ts';
import { EthernetHeader, EtherType, emitEthernet, parseEthernet } from './ethernet.ts';

const parse = (bytes: Uint8Array, start: number, end: number) => parseEthernet(bytes, start, end);

test('the header of a frame of the kernel', () => {
  const header = parseGood(FRAMES.arpRequest, parse);
  assert.ok(header.destination.isBroadcast);
  assert.equal(header.source.toString(), '02:00:00:00:00:01');
  assert.equal(header.type, EtherType.ARP);
  assert.equal(parseGood(FRAMES.udp, parse).type, EtherType.IPV4);
  assert.equal(parseGood(FRAMES.udp6, parse).type, EtherType.IPV6);
});

test('what is emitted is parsed as it was', () => {
  const fields = fc.record({
    destinationHigh: uint16,
    destinationLow: int32,
    sourceHigh: uint16,
    sourceLow: int32,
    type: uint16,
  });
  fc.assert(
    fc.property(fields, (values) => {
      const header = Object.assign(new EthernetHeader(), values);
      const bytes = emitted(14, (buffer, at) => emitEthernet(header, buffer, at));
      assert.deepEqual(parseGood(bytes, parse), header);
    }),
  );
});

test('13 bytes are too few', () => {
  assert.equal(parseGuarded(FRAMES.arpRequest.subarray(0, 13), parse), 'truncated');
});
