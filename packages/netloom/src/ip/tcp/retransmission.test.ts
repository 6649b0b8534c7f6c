/** Loss, found and repaired, segment by segment: timeouts, SACK, RACK, tail loss probes, recovery without SACK. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  SegmentBench,
  type HandshakeOptions,
  type Segment,
} from '../../../test/ip/segment-bench.ts';
import type { PatternUser } from '../../../test/ip/stack-bench.ts';
import { NewReno } from './congestion/index.ts';

/** A handshake of 100 ms: the first timeout is 100 + max(4 x 50, 200) = 300 ms (RFC 6298, section 2.2). */
function accepted(handshake: HandshakeOptions = {}): { bench: SegmentBench; user: PatternUser } {
  const bench = new SegmentBench({ congestion: (options) => new NewReno(options) });
  return { bench, user: bench.accept({ options: 'mss 1000,sackOK', ...handshake }) };
}

/** What was sent and when, counted from `begun`. */
function timed(segments: readonly Segment[], begun: number): string[] {
  return segments.map(
    ({ at, sequence, length }) => `${at - begun}: ${sequence}:${sequence + length}`,
  );
}

/** Writes so many segments of 1,000 bytes, which go out. Answers when. */
function send(bench: SegmentBench, user: PatternUser, count: number): number {
  user.write(1000 * count);
  bench.settle();
  assert.equal(bench.segments().length, count);
  return bench.clock.now();
}

test('a lone segment is sent again after the timeout, and each time after twice as long (RFC 6298, sections 2.2, 5.4 and 5.5)', () => {
  const { bench, user } = accepted();
  const begun = send(bench, user, 1);
  bench.pass(10_000);
  assert.deepEqual(timed(bench.segments(), begun), [
    '300: 1:1001',
    '900: 1:1001',
    '2100: 1:1001',
    '4500: 1:1001',
    '9300: 1:1001',
  ]);
});

test('the timeout doubles up to a minute, and after two minutes the peer is given up (RFC 6298, section 2.5; RFC 9293, section 3.8.3, MUST-20)', () => {
  const { bench, user } = accepted();
  const begun = send(bench, user, 1);
  bench.pass(1_000_000);
  const sent = bench.segments();
  const times = sent.map(({ at }) => at - begun);
  assert.deepEqual(times, [300, 900, 2100, 4500, 9300, 18_900, 38_100, 76_500, 136_500]);
  assert.equal(sent.at(-1)!.header.flags & 4, 4, 'the last is a reset');
  assert.deepEqual(user.events, ['closed TIMEOUT']);
  assert.equal(bench.stack.tcp.connections, 0);
});

test('the wait for the peer counts from when there was something to wait for, not from its last word', () => {
  const { bench, user } = accepted();
  bench.pass(3_600_000);
  const begun = send(bench, user, 1);
  bench.pass(1000);
  assert.deepEqual(timed(bench.segments(), begun), ['300: 1:1001', '900: 1:1001']);
  bench.peer('. 1 ack 1001');
  assert.equal(user.connection.state, 'established');
});

test('an acknowledgment starts the timer anew (RFC 6298, section 5.3)', () => {
  const { bench, user } = accepted({ options: 'mss 1000' });
  const begun = send(bench, user, 2);
  bench.pass(150);
  bench.peer('. 1 ack 1001');
  bench.pass(1000);
  const [again] = bench.segments();
  // 150 + the timeout, which the sample of 150 ms has changed: 106.25 + 4 x 50.
  assert.deepEqual(timed([again!], begun), ['456.25: 1001:2001']);
});

test('the timeout follows the round-trip times measured (RFC 6298, section 2.3)', () => {
  const { bench, user } = accepted({ options: 'mss 1000' });
  for (let i = 0; i < 50; i++) {
    send(bench, user, 1);
    bench.pass(400);
    bench.segments();
    bench.peer(`. 1 ack ${1 + 1000 * (i + 1)}`);
    bench.pass(1000);
  }
  const { rtt } = user.connection.sender.recovery;
  assert.ok(Math.abs(rtt.smoothed - 400) < 1);
  assert.ok(rtt.timeout() >= 599 && rtt.timeout() < 610, `${rtt.timeout()}`);
});

test('what was sent twice is not measured, and the doubled timeout stays until something is (Karn: RFC 6298, section 3)', () => {
  const { bench, user } = accepted({ options: 'mss 1000' });
  const first = send(bench, user, 1);
  // The path has become slow: 500 ms.
  bench.pass(500);
  assert.deepEqual(timed(bench.segments(), first), ['300: 1:1001']);
  bench.peer('. 1 ack 1001');
  const { rtt } = user.connection.sender.recovery;
  assert.equal(rtt.smoothed, 100);
  // Were the timeout 300 ms again, no segment on this path would ever be measured.
  send(bench, user, 1);
  bench.pass(500);
  bench.expect();
  bench.peer('. 1 ack 2001');
  assert.equal(rtt.latest, 500);
});

test('with timestamps what was sent twice is measured as well (RFC 7323, section 4)', () => {
  const { bench, user } = accepted({ options: 'mss 1012,sackOK,ts' });
  send(bench, user, 1);
  bench.pass(300);
  assert.equal(bench.segments().length, 1);
  bench.pass(100);
  // The echo is that of the second transmission.
  bench.peer('. 1 ack 1001');
  assert.equal(user.connection.sender.recovery.rtt.latest, 100);
});

test('after a timeout one segment goes out, and then more with each acknowledgment (RFC 5681, section 3.1)', () => {
  const { bench, user } = accepted({ options: 'mss 1000' });
  const begun = send(bench, user, 5);
  bench.pass(300);
  assert.deepEqual(timed(bench.segments(), begun), ['300: 1:1001']);
  bench.pass(100);
  bench.peer('. 1 ack 1001');
  assert.deepEqual(timed(bench.segments(), begun), ['400: 1001:2001', '400: 2001:3001']);
  bench.pass(100);
  bench.peer('. 1 ack 3001');
  assert.deepEqual(timed(bench.segments(), begun), ['500: 3001:4001', '500: 4001:5001']);
});

test('what SACK has reported is not sent again after a timeout (RFC 6675, section 5.1)', () => {
  const { bench, user } = accepted();
  const begun = send(bench, user, 3);
  bench.pass(100);
  bench.peer('. 1 ack 1 sack 1001:2001');
  bench.pass(1000);
  assert.ok(user.connection.sender.recovery.timeouts > 0);
  assert.ok(bench.segments().every(({ sequence }) => sequence === 1));
  bench.peer('. 1 ack 2001');
  assert.deepEqual(timed(bench.segments(), begun), ['1100: 2001:3001']);
});

test('a peer that has dropped what it reported gets it again after a timeout (RFC 2018, section 8)', () => {
  const { bench, user } = accepted();
  send(bench, user, 3);
  bench.pass(100);
  bench.peer('. 1 ack 1 sack 1001:2001');
  bench.pass(100);
  // Acknowledged up to what was reported, and no further: it is not there any more.
  bench.peer('. 1 ack 1001');
  bench.segments();
  bench.pass(3000);
  assert.ok(bench.segments().some(({ sequence }) => sequence === 1001));
});

test('three segments reported beyond a gap show the loss at once (RFC 8985, section 6.2, step 4; RFC 6675, section 5)', () => {
  const { bench, user } = accepted();
  const begun = send(bench, user, 5);
  bench.pass(100);
  bench.peer('. 1 ack 1 sack 1001:2001');
  bench.peer('. 1 ack 1 sack 1001:3001');
  bench.expect();
  bench.peer('. 1 ack 1 sack 1001:4001');
  assert.deepEqual(timed(bench.segments(), begun), ['100: 1:1001']);
});

test('one reported beyond a gap shows the loss when the reordering window has passed: a quarter of the round trip (RFC 8985, section 6.2, step 5)', () => {
  const { bench, user } = accepted();
  const begun = send(bench, user, 5);
  bench.pass(100);
  bench.peer('. 1 ack 1 sack 1001:2001');
  bench.pass(60);
  assert.deepEqual(timed(bench.segments(), begun), ['125: 1:1001']);
});

test('what comes late within the reordering window is not sent again (RFC 8985, section 6.2)', () => {
  const { bench, user } = accepted();
  const begun = send(bench, user, 8);
  bench.pass(100);
  bench.peer('. 1 ack 1 sack 1001:2001');
  bench.pass(20);
  bench.peer('. 1 ack 2001');
  bench.expect();
  // Once reordering has been seen, segments reported beyond a gap no longer show the loss at once, however many.
  bench.peer('. 1 ack 2001 sack 3001:7001');
  bench.expect();
  bench.pass(30);
  assert.deepEqual(timed(bench.segments(), begun), ['145: 2001:3001']);
});

test('a retransmission that is lost is found by what was sent after it (RFC 8985, section 1)', () => {
  const { bench, user } = accepted();
  const begun = send(bench, user, 6);
  bench.pass(100);
  bench.peer('. 1 ack 1 sack 1001:5001');
  assert.deepEqual(timed(bench.segments(), begun), ['100: 1:1001']);
  // New text goes out behind the retransmission and arrives; the retransmission does not.
  user.write(1000);
  bench.pass(1);
  bench.peer('. 1 ack 1 sack 1001:6001');
  assert.deepEqual(timed(bench.segments(), begun), ['100: 6001:7001']);
  bench.pass(99);
  bench.peer('. 1 ack 1 sack 1001:7001');
  assert.deepEqual(timed(bench.segments(), begun), ['200: 1:1001']);
});

test('a window is halved once for all the losses of a round trip (RFC 5681, section 3.2; RFC 6937)', () => {
  const { bench, user } = accepted();
  user.write(30_000);
  bench.settle();
  assert.equal(bench.segments().length, 10);
  const { congestion } = user.connection.sender.recovery;
  bench.pass(100);
  // Segments 1, 4 and 7 are lost.
  bench.peer('. 1 ack 1 sack 1001:3001');
  bench.peer('. 1 ack 1 sack 4001:6001 1001:3001');
  bench.peer('. 1 ack 1 sack 7001:10001 4001:6001 1001:3001');
  bench.pass(100);
  // Two segments more were in flight when the loss became known, by slow start.
  assert.equal(congestion.slowStartThreshold, 6000);
  // The third follows when the first two have arrived: what goes out keeps to half of what arrives.
  bench.peer('. 1 ack 6001 sack 7001:10001');
  const sent = bench.segments().map(({ sequence }) => sequence);
  const resent = sent.filter((sequence) => sequence < 10_001);
  assert.deepEqual(resent, [1, 3001, 6001]);
  const last = Math.max(...sent) + 1000;
  bench.peer(`. 1 ack ${last}`);
  assert.equal(user.connection.sender.recovery.phase, 'open');
  assert.equal(congestion.slowStartThreshold, 6000);
});

test('the last of a flight is probed for after two round trips (RFC 8985, section 7.2)', () => {
  const { bench, user } = accepted();
  const begun = send(bench, user, 3);
  bench.pass(250);
  assert.deepEqual(timed(bench.segments(), begun), ['200: 2001:3001']);
  // The probe's answer tells what is missing, and that is repaired without a timeout.
  bench.pass(50);
  bench.peer('. 1 ack 1 sack 2001:3001');
  bench.pass(30);
  const resent = timed(bench.segments(), begun).map((line) => line.split(': ')[1]);
  assert.deepEqual(resent, ['1:1001', '1001:2001']);
  assert.equal(user.connection.sender.recovery.timeouts, 0);
});

test('on a path without delay what has just been sent is not probed for at once', () => {
  const bench = new SegmentBench();
  const user = bench.accept({ roundTrip: 0 });
  user.write(2000);
  bench.settle();
  bench.expect('. 1:1461 ack 1', 'P. 1461:2001 ack 1');
  bench.pass(9);
  bench.expect();
  bench.pass(1);
  bench.expect('P. 1461:2001 ack 1');
});

test('the probe is new text where there is some (RFC 8985, section 7.3)', () => {
  const { bench, user } = accepted({ window: 3000 });
  const begun = send(bench, user, 3);
  user.write(1000);
  bench.settle();
  bench.peer('. 1 ack 1 win 4000');
  // The window has opened, and what waits goes out at once: no probe is needed for that.
  assert.deepEqual(timed(bench.segments(), begun), ['0: 3001:4001']);
  bench.pass(210);
  assert.deepEqual(timed(bench.segments(), begun), ['200: 3001:4001']);
});

test('there is one probe; after it comes the timeout (RFC 8985, section 7.3)', () => {
  const { bench, user } = accepted();
  const begun = send(bench, user, 2);
  bench.pass(1200);
  assert.deepEqual(timed(bench.segments(), begun), [
    '200: 1001:2001',
    '500: 1:1001',
    '1100: 1:1001',
  ]);
});

test('without SACK nothing is probed for (RFC 8985, section 3.3)', () => {
  const { bench, user } = accepted({ options: 'mss 1000' });
  const begun = send(bench, user, 2);
  bench.pass(400);
  assert.deepEqual(timed(bench.segments(), begun), ['300: 1:1001']);
});

test('a loss that only the probe has repaired is congestion all the same (RFC 8985, section 7.4.2)', () => {
  const { bench, user } = accepted();
  send(bench, user, 4);
  const { congestion } = user.connection.sender.recovery;
  const before = congestion.window;
  bench.pass(200);
  bench.expect('P. 3001:4001 ack 1');
  bench.pass(100);
  bench.peer('. 1 ack 4001');
  // It is not known yet whether the original has come as well. What is acknowledged next without a DSACK says it has not.
  send(bench, user, 1);
  bench.pass(100);
  bench.peer('. 1 ack 5001');
  assert.ok(congestion.slowStartThreshold < Infinity);
  assert.ok(congestion.window < before + 5000);
});

test('a probe that was needless is no congestion: a DSACK says so (RFC 8985, section 7.4.2)', () => {
  const { bench, user } = accepted();
  send(bench, user, 4);
  bench.pass(200);
  bench.expect('P. 3001:4001 ack 1');
  bench.pass(10);
  bench.peer('. 1 ack 4001');
  bench.pass(90);
  bench.peer('. 1 ack 4001 sack 3001:4001');
  send(bench, user, 1);
  bench.pass(100);
  bench.peer('. 1 ack 5001');
  assert.equal(user.connection.sender.recovery.congestion.slowStartThreshold, Infinity);
});

test('without SACK the third duplicate acknowledgment brings the segment again (RFC 5681, section 3.2)', () => {
  const { bench, user } = accepted({ options: 'mss 1000' });
  const begun = send(bench, user, 5);
  bench.pass(100);
  bench.peer('. 1 ack 1');
  bench.peer('. 1 ack 1');
  bench.expect();
  bench.peer('. 1 ack 1');
  assert.deepEqual(timed(bench.segments(), begun), ['100: 1:1001']);
});

test('the first duplicates let new text out (limited transmit: RFC 3042)', () => {
  const { bench, user } = accepted({ options: 'mss 1000' });
  user.write(20_000);
  bench.settle();
  assert.equal(bench.segments().length, 10);
  bench.pass(100);
  bench.peer('. 1 ack 1');
  bench.expect('. 10001:11001 ack 1');
  bench.peer('. 1 ack 1');
  bench.expect('. 11001:12001 ack 1');
  bench.peer('. 1 ack 1');
  assert.equal(bench.segments()[0]!.sequence, 1);
});

test('in recovery without SACK a partial acknowledgment brings the next one missing (NewReno: RFC 6582, section 3.2)', () => {
  const { bench, user } = accepted({ options: 'mss 1000' });
  const begun = send(bench, user, 8);
  bench.pass(100);
  for (let i = 0; i < 5; i++) bench.peer('. 1 ack 1');
  assert.deepEqual(timed(bench.segments(), begun), ['100: 1:1001']);
  bench.pass(100);
  // Segment 4 is missing too.
  bench.peer('. 1 ack 3001');
  assert.deepEqual(timed(bench.segments(), begun), ['200: 3001:4001']);
  bench.pass(100);
  bench.peer('. 1 ack 8001');
  bench.expect();
  const { recovery } = user.connection.sender;
  assert.deepEqual([recovery.phase, recovery.timeouts], ['open', 0]);
});

test('only an acknowledgment without text, FIN or change of window is a duplicate (RFC 5681, section 2)', () => {
  const { bench, user } = accepted({ options: 'mss 1000' });
  send(bench, user, 5);
  bench.pass(50);
  bench.peer('P. 1:11 ack 1');
  bench.peer('P. 11:21 ack 1');
  bench.peer('P. 21:31 ack 1');
  for (const window of [60_000, 50_000, 40_000, 30_000]) bench.peer(`. 31 ack 1 win ${window}`);
  bench.peer('. 31 ack 1 win 30000');
  bench.peer('. 31 ack 1 win 30000');
  bench.peer('F. 31 ack 1 win 30000');
  assert.deepEqual(
    bench.segments().filter(({ length }) => length > 0),
    [],
  );
});

test('a timeout that was needless is undone: the echo is older than the retransmission (Eifel: RFC 3522, RFC 4015)', () => {
  const { bench, user } = accepted({ options: 'mss 1012,sackOK,ts' });
  send(bench, user, 5);
  const { recovery } = user.connection.sender;
  const before = recovery.congestion.window;
  const echo = bench.lastTimestamp;
  bench.pass(600);
  assert.ok(recovery.timeouts > 0);
  const again = bench.segments().length;
  bench.peer(`. 1 ack 2001 <ts ${bench.peerTimestamp} ${echo}>`);
  assert.equal(recovery.phase, 'open');
  assert.ok(recovery.congestion.window >= before);
  // The rest is not sent again for it.
  assert.ok(again <= 2);
  bench.expect();
});

test('a lost FIN is sent again (RFC 9293, section 3.10.4)', () => {
  const { bench, user } = accepted();
  user.connection.end();
  const begun = bench.clock.now();
  bench.settle();
  bench.expect('F. 1 ack 1');
  bench.pass(1000);
  const sent = bench.expect('F. 1 ack 1', 'F. 1 ack 1');
  assert.deepEqual(
    sent.map(({ at }) => at - begun),
    [300, 900],
  );
  bench.peer('. 1 ack 2');
  assert.equal(user.connection.state, 'fin-wait-2');
});

test('the FIN is sent again with the text it came with', () => {
  const { bench, user } = accepted();
  user.write(1500);
  user.connection.end();
  bench.settle();
  bench.expect('. 1:1001 ack 1', 'FP. 1001:1501 ack 1');
  bench.pass(100);
  bench.peer('. 1 ack 1001');
  bench.pass(500);
  bench.expect('FP. 1001:1501 ack 1');
});
