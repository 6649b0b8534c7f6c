import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { int32, uint16 } from '../../test/arbitraries.ts';
import { FRAMES } from '../../test/frames.ts';
import { emitted, parseGood, parseGuarded } from '../../test/guarded.ts';
import { ARP_LENGTH, ArpOperation, ArpPacket, emitArp, parseArp } from './arp.ts';

const parse = (bytes: Uint8Array, start: number, end: number) => parseArp(bytes, start, end);
const request = FRAMES.arpRequest.subarray(14);
const reply = FRAMES.arpReply.subarray(14);

test('a request and its reply, as the kernel sends them', () => {
  const question = parseGood(request, parse);
  assert.equal(question.operation, ArpOperation.REQUEST);
  assert.equal(question.sender.toString(), '192.0.2.1');
  assert.equal(question.target.toString(), '192.0.2.2');
  assert.equal(question.targetMac.toString(), '00:00:00:00:00:00');
  const answer = parseGood(reply, parse);
  assert.equal(answer.operation, ArpOperation.REPLY);
  assert.equal(answer.senderMac.toString(), '02:00:00:00:00:02');
  assert.equal(answer.targetMac.toString(), '02:00:00:00:00:01');
  assert.deepEqual(
    emitted(ARP_LENGTH, (buffer, at) => emitArp(answer, buffer, at)),
    reply,
  );
});

test('what is emitted is parsed as it was', () => {
  const fields = fc.record({
    operation: uint16,
    senderMacHigh: uint16,
    senderMacLow: int32,
    senderAddress: int32,
    targetMacHigh: uint16,
    targetMacLow: int32,
    targetAddress: int32,
  });
  fc.assert(
    fc.property(fields, (values) => {
      const packet = Object.assign(new ArpPacket(), values);
      const bytes = emitted(ARP_LENGTH, (buffer, at) => emitArp(packet, buffer, at));
      assert.deepEqual(parseGood(bytes, parse), packet);
    }),
  );
});

test('other hardware, other protocols, other lengths and cut packets are refused', () => {
  const changed = (index: number, value: number) => request.with(index, value);
  assert.equal(parseGuarded(changed(1, 6), parse), 'bad-version');
  assert.equal(parseGuarded(changed(2, 0x86), parse), 'bad-version');
  assert.equal(parseGuarded(changed(4, 8), parse), 'bad-length');
  assert.equal(parseGuarded(changed(5, 16), parse), 'bad-length');
  assert.equal(parseGuarded(request.subarray(0, 27), parse), 'truncated');
});
