/** Segments that cannot be right, and what they must not bring about. Found by fuzzing the whole stack. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SegmentBench } from '../../../test/ip/segment-bench.ts';

const WITH_TIMESTAMPS = { options: 'mss 1460,sackOK,ts' };

test('the timestamp of a segment whose acknowledgment cannot be right is not believed (RFC 5961, section 5.2)', () => {
  const bench = new SegmentBench();
  const user = bench.accept(WITH_TIMESTAMPS);
  const ahead = bench.peerTimestamp + 1_000_000;
  bench.peer(`. 1 ack 5000 <ts ${ahead}>`);
  bench.expect('. 1 ack 1');
  bench.peer('P. 1:101 ack 1');
  assert.equal(user.received, 100);
});

test('the timestamp of a segment without an acknowledgment is not believed (RFC 9293, section 3.10.7.4, fifth step)', () => {
  const bench = new SegmentBench();
  const user = bench.accept(WITH_TIMESTAMPS);
  const ahead = bench.peerTimestamp + 1_000_000;
  bench.peer(`P 1:11 <ts ${ahead}>`);
  bench.peer('P. 1:101 ack 1');
  assert.equal(user.received, 100);
});

test('empty segments outside the window are answered twice a second, so that two who disagree do not go on for ever', () => {
  const bench = new SegmentBench();
  bench.accept();
  bench.peer('. -100 ack 1');
  bench.expect('. 1 ack 1');
  bench.peer('. -100 ack 1');
  bench.peer('. -200 ack 1');
  bench.expect();
  assert.equal(bench.stack.tcp.statistics.drops.get('tcp-outside-window'), 3);
  bench.pass(500);
  bench.peer('. -100 ack 1');
  bench.expect('. 1 ack 1');
});

test('empty segments with an old timestamp are answered twice a second', () => {
  const bench = new SegmentBench();
  bench.accept(WITH_TIMESTAMPS);
  const old = bench.peerTimestamp - 500;
  for (let i = 0; i < 3; i++) bench.peer(`. 1 ack 1 <ts ${old}>`);
  bench.expect('. 1 ack 1');
  assert.equal(bench.stack.tcp.statistics.drops.get('tcp-old-timestamp'), 3);
});

test('segments with text outside the window are all answered: their sender is in want of it', () => {
  const bench = new SegmentBench();
  bench.accept();
  bench.peer('P. -100:-50 ack 1');
  bench.expect('. 1 ack 1 sack -100:-50');
  bench.peer('P. -100:-50 ack 1');
  bench.expect('. 1 ack 1 sack -100:-50');
});

test('a reset outside the window is counted', () => {
  const bench = new SegmentBench();
  bench.accept();
  bench.peer('R 100000');
  bench.expect();
  assert.equal(bench.stack.tcp.statistics.drops.get('tcp-outside-window'), 1);
});

test('segments without an acknowledgment are counted', () => {
  const bench = new SegmentBench();
  bench.accept();
  bench.peer('P 1:11');
  bench.expect();
  assert.equal(bench.stack.tcp.statistics.drops.get('tcp-no-acknowledgment'), 1);
});

test('a reset of no connection is counted, and not answered', () => {
  const bench = new SegmentBench();
  bench.listen();
  bench.peer('R 1');
  bench.expect();
  assert.equal(bench.stack.tcp.statistics.drops.get('tcp-stray-reset'), 1);
});

test('text after the peer’s end is passed over and counted (RFC 9293, section 3.10.7.4, seventh step)', () => {
  const bench = new SegmentBench();
  const user = bench.accept();
  bench.peer('F. 1 ack 1');
  bench.expect('. 1 ack 2');
  bench.peer('P. 2:12 ack 1');
  bench.peer('F. 2 ack 1');
  bench.expect();
  assert.deepEqual([user.received, user.events], [0, ['end']]);
  assert.equal(bench.stack.tcp.statistics.drops.get('tcp-text-after-end'), 2);
});

test('on a path without delay a segment is sent again once at one instant, however often its loss is reported', () => {
  const bench = new SegmentBench();
  const user = bench.accept({ roundTrip: 0 });
  user.write(5840);
  bench.segments();
  bench.peer('. 1 ack 1 sack 1461:5841');
  const again = bench.segments().map(({ sequence }) => sequence);
  assert.deepEqual(again, [1]);
  for (let i = 0; i < 3; i++) bench.peer('. 1 ack 1 sack 1461:5841');
  assert.deepEqual(bench.segments(), []);
});
