/** How often a loss reduces the window, when a reduction is taken back, and that there is something to send while a loss is repaired. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SegmentBench } from '../../../test/ip/segment-bench.ts';
import type { PatternUser } from '../../../test/ip/stack-bench.ts';
import { NewReno } from './congestion/index.ts';

/** Ten segments of 1,000 bytes on a path of 100 ms; the peer's acknowledgments are at hand as the last of them arrives. */
function tenSent(
  options: string,
  sendBuffer = 262_144,
): { bench: SegmentBench; user: PatternUser } {
  const bench = new SegmentBench({
    congestion: (given) => new NewReno(given),
    limits: { tcp: { sendBuffer } },
  });
  const user = bench.accept({ options });
  user.write(10_000);
  bench.settle();
  assert.equal(bench.segments().length, 10);
  bench.pass(100);
  return { bench, user };
}

/** The peer's acknowledgment, with what it echoes: a timestamp of the stack's. */
function echoing(bench: SegmentBench, line: string, echo: number): void {
  bench.peer(`${line} <ts ${bench.peerTimestamp} ${echo}>`);
}

/** The sequence numbers of what the stack has sent since the last look. */
function sent(bench: SegmentBench): number[] {
  return bench.segments().map(({ sequence }) => sequence);
}

const WITH_TIMESTAMPS = 'mss 1012,sackOK,ts';
const WITHOUT = 'mss 1000,sackOK';

test('only the first acknowledgment of a recovery is asked whether that was needless: later ones answer earlier retransmissions (RFC 3522, section 3.2)', () => {
  const { bench, user } = tenSent(WITH_TIMESTAMPS);
  const { recovery } = user.connection.sender;
  const original = bench.lastTimestamp;
  // The first, the third and the fifth are lost, and go out again one by one.
  echoing(bench, '. 1 ack 1 sack 5001:6001 3001:4001 1001:2001', original);
  assert.deepEqual(sent(bench), [1]);
  const first = bench.lastTimestamp;
  bench.pass(10);
  echoing(bench, '. 1 ack 1 sack 5001:7001 3001:4001 1001:2001', original);
  assert.deepEqual(sent(bench), [2001]);
  const second = bench.lastTimestamp;
  bench.pass(90);
  echoing(bench, '. 1 ack 2001 sack 5001:10001 3001:4001', first);
  assert.deepEqual(sent(bench), [4001]);
  bench.pass(10);
  // An echo older than the third retransmission, for it is that of the second.
  echoing(bench, '. 1 ack 4001 sack 5001:10001', second);
  assert.equal(recovery.phase, 'recovery');
  assert.equal(recovery.congestion.slowStartThreshold, 5000);
});

test('a recovery that was needless shows that segments come out of order (RFC 8985, section 6.2, step 3)', () => {
  const { bench, user } = tenSent(WITH_TIMESTAMPS);
  const original = bench.lastTimestamp;
  for (const end of [2001, 3001, 4001]) echoing(bench, `. 1 ack 1 sack 1001:${end}`, original);
  assert.deepEqual(sent(bench), [1]);
  bench.pass(4);
  // The original was late, not lost.
  echoing(bench, '. 1 ack 4001', original);
  assert.equal(user.connection.sender.recovery.phase, 'open');
  // So the next gap is given the time that reordering takes, however much is reported beyond it.
  echoing(bench, '. 1 ack 4001 sack 5001:10001', original);
  bench.expect();
  bench.pass(30);
  assert.deepEqual(sent(bench), [4001]);
});

test('a retransmission that is lost is a second loss: the window is halved again (RFC 5681, section 4.3)', () => {
  const { bench, user } = tenSent(WITHOUT);
  const { congestion } = user.connection.sender.recovery;
  bench.peer('. 1 ack 1 sack 1001:10001');
  assert.deepEqual(sent(bench), [1]);
  assert.equal(congestion.slowStartThreshold, 5000);
  user.write(4000);
  bench.settle();
  assert.deepEqual(sent(bench), [10_001, 11_001, 12_001, 13_001]);
  bench.pass(100);
  // What followed the retransmission has arrived, and it has not.
  bench.peer('. 1 ack 1 sack 1001:14001');
  assert.deepEqual(sent(bench), [1]);
  assert.equal(congestion.slowStartThreshold, 2500);
});

test('what was sent before the window was halved and is found lost afterwards is no second loss (RFC 5681, section 3.2)', () => {
  const { bench, user } = tenSent(WITHOUT);
  const { congestion } = user.connection.sender.recovery;
  bench.peer('. 1 ack 1 sack 1001:4001');
  bench.pass(1);
  bench.peer('. 1 ack 1 sack 5001:10001 1001:4001');
  assert.deepEqual(sent(bench), [1, 4001]);
  assert.equal(congestion.slowStartThreshold, 5000);
});

test('while a loss is repaired there is room to write for what goes out in its stead, beside all that is kept (RFC 6675, section 5)', () => {
  const { bench, user } = tenSent(WITHOUT, 5000);
  bench.peer('. 1 ack 1 sack 1001:10001');
  assert.deepEqual(sent(bench), [1]);
  // 10,000 bytes are kept, which is twice the window now.
  assert.equal(user.write(4000), true);
  bench.settle();
  assert.deepEqual(sent(bench), [10_001, 11_001, 12_001, 13_001]);
  assert.equal(user.write(5000), false);
});

test('several blocks in one acknowledgment are no segments out of order, though the newest stands first (RFC 2018, section 4)', () => {
  const { bench } = tenSent(WITHOUT);
  bench.peer('. 1 ack 1 sack 5001:6001 3001:4001 1001:2001');
  assert.deepEqual(sent(bench), [1], 'or it would be waited for');
});
