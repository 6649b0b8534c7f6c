/** Ending a connection, segment by segment: both orders, TIME-WAIT, keep-alive, and the times after which a side gives up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SegmentBench, type HandshakeOptions } from '../../../test/ip/segment-bench.ts';
import type { PatternUser } from '../../../test/ip/stack-bench.ts';
import type { TcpLimits } from './limits.ts';

function accepted(
  limits: Partial<TcpLimits> = {},
  handshake: HandshakeOptions = {},
): { bench: SegmentBench; user: PatternUser } {
  const bench = new SegmentBench({ limits: { tcp: limits } });
  return { bench, user: bench.accept(handshake) };
}

/** A connection that this side has ended first and is now in TIME-WAIT. */
function inTimeWait(handshake: HandshakeOptions = {}): { bench: SegmentBench; user: PatternUser } {
  const { bench, user } = accepted({}, handshake);
  user.connection.end();
  bench.settle();
  bench.expect('F. 1 ack 1');
  bench.peer('F. 1 ack 2');
  bench.expect('. 2 ack 2');
  assert.equal(user.connection.state, 'time-wait');
  return { bench, user };
}

test('this side ends first: FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT (RFC 9293, section 3.6, figure 12)', () => {
  const { bench, user } = accepted();
  user.connection.end();
  bench.settle();
  bench.expect('F. 1 ack 1');
  assert.equal(user.connection.state, 'fin-wait-1');
  bench.peer('. 1 ack 2');
  assert.equal(user.connection.state, 'fin-wait-2');
  bench.peer('F. 1 ack 2');
  bench.expect('. 2 ack 2');
  assert.equal(user.connection.state, 'time-wait');
  assert.deepEqual(user.events, ['end', 'closed']);
});

test('the peer ends first: CLOSE-WAIT, LAST-ACK, gone (RFC 9293, section 3.6, figure 12)', () => {
  const { bench, user } = accepted();
  bench.peer('F. 1 ack 1');
  bench.expect('. 1 ack 2');
  assert.equal(user.connection.state, 'close-wait');
  assert.deepEqual(user.events, ['end']);
  user.connection.end();
  bench.settle();
  bench.expect('F. 1 ack 2');
  assert.equal(user.connection.state, 'last-ack');
  bench.peer('. 2 ack 2');
  assert.equal(user.connection.state, 'closed');
  assert.deepEqual(user.events, ['end', 'closed']);
  assert.equal(bench.stack.tcp.flows.size, 0);
});

test('both end at once: CLOSING, TIME-WAIT (RFC 9293, section 3.6, figure 13)', () => {
  const { bench, user } = accepted();
  user.connection.end();
  bench.settle();
  bench.expect('F. 1 ack 1');
  bench.peer('F. 1 ack 1');
  bench.expect('. 2 ack 2');
  assert.equal(user.connection.state, 'closing');
  bench.peer('. 2 ack 2');
  assert.equal(user.connection.state, 'time-wait');
  assert.deepEqual(user.events, ['end', 'closed']);
});

test('a FIN that acknowledges ours leads from FIN-WAIT-1 to TIME-WAIT at once (RFC 9293, section 3.10.7.4, eighth step)', () => {
  const { user } = inTimeWait();
  assert.deepEqual(user.events, ['end', 'closed']);
});

test('after the peer’s end this side may go on writing (half-close: RFC 9293, section 3.6)', () => {
  const { bench, user } = accepted();
  bench.peer('FP. 1:11 ack 1');
  bench.expect('. 1 ack 12');
  assert.deepEqual([user.received, user.events], [10, ['end']]);
  user.write(2000);
  bench.settle();
  bench.expect('. 1:1461 ack 12', 'P. 1461:2001 ack 12');
  bench.peer('. 12 ack 2001');
  user.connection.end();
  bench.settle();
  bench.expect('F. 2001 ack 12');
});

test('after this side’s end the peer may go on, and is read (half-close)', () => {
  const { bench, user } = accepted();
  user.connection.end();
  bench.settle();
  bench.expect('F. 1 ack 1');
  bench.peer('. 1 ack 2');
  bench.pass(1_000_000);
  bench.peer('P. 1:101 ack 2');
  bench.pass(40);
  bench.expect('. 2 ack 101');
  bench.peer('FP. 101:201 ack 2');
  bench.expect('. 2 ack 202');
  assert.deepEqual([user.received, user.events], [200, ['end', 'closed']]);
});

test('a FIN beyond a gap counts when the gap is filled (RFC 9293, section 3.10.7.4, eighth step)', () => {
  const { bench, user } = accepted();
  bench.peer('FP. 101:201 ack 1');
  bench.expect('. 1 ack 1 sack 101:201');
  assert.deepEqual(user.events, []);
  bench.peer('. 1:101 ack 1');
  bench.expect('. 1 ack 202');
  assert.deepEqual([user.received, user.events], [200, ['end']]);
});

test('a FIN that comes again is acknowledged again (RFC 9293, section 3.10.7.4)', () => {
  const { bench, user } = accepted();
  bench.peer('F. 1 ack 1');
  bench.expect('. 1 ack 2');
  bench.peer('F. 1 ack 1');
  bench.expect('. 1 ack 2 sack 1:2');
  assert.deepEqual(user.events, ['end']);
});

test('what comes after the peer’s FIN is not taken', () => {
  const { bench, user } = accepted();
  bench.peer('F. 1 ack 1');
  bench.segments();
  bench.peer('P. 2:102 ack 1');
  bench.expect();
  assert.equal(user.received, 0);
});

test('the end is told after the last byte, however late the user reads', () => {
  const { bench, user } = accepted();
  user.connection.pause();
  bench.peer('FP. 1:101 ack 1');
  user.connection.end();
  bench.settle();
  bench.peer('. 102 ack 2');
  assert.equal(user.connection.state, 'closed');
  assert.deepEqual([user.received, user.events], [0, []]);
  user.connection.resume();
  bench.settle();
  assert.deepEqual([user.received, user.wrongAt, user.events], [100, undefined, ['end', 'closed']]);
});

test('in TIME-WAIT the peer’s FIN is acknowledged again, and the wait begins anew (RFC 9293, section 3.10.7.4)', () => {
  const { bench } = inTimeWait();
  bench.pass(50_000);
  bench.peer('F. 1 ack 2');
  bench.expect('. 2 ack 2');
  bench.pass(50_000);
  assert.equal(bench.stack.tcp.timeWaits.size, 1);
  bench.pass(10_000);
  assert.equal(bench.stack.tcp.timeWaits.size, 0);
  assert.equal(bench.stack.tcp.flows.size, 0);
});

test('in TIME-WAIT old text is answered with where we were, an acknowledgment with nothing', () => {
  const { bench } = inTimeWait();
  bench.peer('. 1 ack 1');
  bench.expect();
  bench.peer('P. 1:2 ack 1');
  bench.expect('. 2 ack 2');
});

test('in TIME-WAIT resets are passed over (RFC 1337, section 3)', () => {
  const { bench } = inTimeWait();
  bench.peer('R 2');
  bench.peer('R. 2 ack 2');
  bench.expect();
  assert.equal(bench.stack.tcp.timeWaits.size, 1);
});

test('in TIME-WAIT a SYN of a later time opens a new connection: by its number (RFC 6191, section 2)', () => {
  const { bench } = inTimeWait();
  bench.peer('S 1 <mss 1460>');
  bench.expect('. 2 ack 2');
  bench.peer('S 1000000 <mss 1460>');
  bench.expect('S. 0 ack 1000001');
  bench.peer('. 1000001 ack 1');
  assert.equal(bench.accepted.length, 2);
  assert.equal(bench.stack.tcp.timeWaits.size, 0);
});

test('in TIME-WAIT a SYN of a later time opens a new connection: by its timestamp, whatever its number (RFC 6191, section 2)', () => {
  const { bench } = inTimeWait({ options: 'mss 1460,ts' });
  const t = bench.peerTimestamp;
  bench.peer(`S -5000 <mss 1460,ts ${t - 1}>`);
  bench.expect('. 2 ack 2');
  // With the same timestamp the number decides.
  bench.peer(`S -5000 <mss 1460,ts ${t}>`);
  bench.expect('. 2 ack 2');
  bench.peer(`S -5000 <mss 1460,ts ${t + 1}>`);
  bench.expect('S. 0 ack -4999');
});

test('in TIME-WAIT a SYN with the timestamp seen last but a later number opens a new connection (RFC 6191, section 2)', () => {
  const { bench } = inTimeWait({ options: 'mss 1460,ts' });
  bench.peer(`S 5000 <mss 1460,ts ${bench.peerTimestamp}>`);
  bench.expect('S. 0 ack 5001');
});

test('the new connection’s numbers begin after those of the old one (RFC 9293, section 3.6.1, MAY-2)', () => {
  const { bench, user } = accepted({}, { roundTrip: 0, options: 'mss 1460,wscale 7' });
  // Faster than the clock that initial numbers follow: 250 bytes a millisecond.
  const total = 2_000_000;
  for (let sent = 0, acknowledged = 0; acknowledged < total;) {
    if (sent < total) {
      user.write(100_000);
      sent += 100_000;
    } else if (!bench.stack.tcp.flows.size) break;
    bench.settle();
    for (const { sequence, length } of bench.segments()) {
      acknowledged = Math.max(acknowledged, sequence + length - 1);
    }
    bench.peer(`. 1 ack ${acknowledged + 1}`);
  }
  user.connection.end();
  bench.settle();
  bench.segments();
  bench.peer(`F. 1 ack ${total + 2}`);
  assert.equal(user.connection.state, 'time-wait');
  bench.segments();
  const before = bench.stackIsn;
  bench.peer('S 1000000 <mss 1460>');
  bench.segments();
  const ahead = (bench.stackIsn - before) | 0;
  assert.ok(ahead > total, `the new connection begins ${ahead} after the start of the old one`);
});

test('connections in TIME-WAIT are bounded; the oldest goes', () => {
  const bench = new SegmentBench({ limits: { tcp: { timeWait: 2 } } });
  for (let i = 0; i < 3; i++) {
    bench.peerPort++;
    const user = bench.accept();
    user.connection.end();
    bench.settle();
    bench.expect('F. 1 ack 1');
    bench.peer('F. 1 ack 2');
    bench.expect('. 2 ack 2');
  }
  assert.equal(bench.stack.tcp.timeWaits.size, 2);
  assert.equal(bench.stack.tcp.statistics.drops.get('tcp-time-wait-limit'), 1);
});

test('close ends this side and throws away what still comes', async () => {
  const { bench, user } = accepted();
  const closed = user.connection.close();
  bench.settle();
  bench.expect('F. 1 ack 1');
  bench.peer('P. 1:101 ack 2');
  bench.peer('F. 101 ack 2');
  bench.settle();
  await closed;
  assert.deepEqual([user.received, user.events], [0, ['closed']]);
  assert.equal(user.connection.close(), closed, 'idempotent');
});

test('close waits five seconds for the peer’s end, then resets', async () => {
  const { bench, user } = accepted();
  const closed = user.connection.close();
  bench.settle();
  bench.expect('F. 1 ack 1');
  bench.pass(50);
  bench.peer('. 1 ack 2');
  const from = bench.clock.now();
  bench.pass(10_000);
  const [reset] = bench.expect('R. 2 ack 1');
  assert.equal(reset!.at - from, 5000);
  await closed;
  assert.deepEqual(user.events, ['closed TIMEOUT']);
});

test('close waits for as long as the peer takes what was written', () => {
  const { bench, user } = accepted();
  user.write(20_000);
  void user.connection.close();
  bench.settle();
  for (let acknowledged = 1; acknowledged < 20_001; acknowledged += 1000) {
    bench.segments();
    bench.pass(4000);
    bench.peer(`. 1 ack ${acknowledged + 1000}`);
  }
  assert.equal(user.connection.state, 'fin-wait-1');
});

test('abort resets, and the user is told (RFC 9293, section 3.10.5)', () => {
  const { bench, user } = accepted();
  user.write(100);
  user.connection.abort();
  bench.settle();
  bench.expect('R. 1 ack 1');
  assert.deepEqual(user.events, ['closed ABORTED']);
  assert.equal(bench.stack.tcp.flows.size, 0);
});

test('abort behind text in flight resets with the number the peer expects after it', () => {
  const { bench, user } = accepted();
  user.write(100);
  bench.settle();
  bench.expect('P. 1:101 ack 1');
  user.connection.abort();
  bench.expect('R. 101 ack 1');
});

test('an idle peer is probed with a number it has acknowledged, and its answer is taken for a sign of life (RFC 9293, section 3.8.4)', () => {
  const { bench, user } = accepted();
  user.connection.setKeepAlive(10_000);
  const begun = bench.clock.now();
  bench.pass(10_000);
  const [probe] = bench.expect('. 0 ack 1');
  assert.equal(probe!.at - begun, 10_000);
  bench.peer('. 1 ack 1');
  bench.pass(9999);
  bench.expect();
  bench.pass(1);
  bench.expect('. 0 ack 1');
});

test('no peer is probed unless the user wants it (RFC 9293, section 3.8.4, MUST-25)', () => {
  const { bench, user } = accepted();
  bench.pass(100_000_000);
  bench.expect();
  user.connection.setKeepAlive(1000);
  user.connection.setKeepAlive(undefined);
  bench.pass(100_000_000);
  bench.expect();
});

test('a peer that answers no probe is given up after the last (RFC 9293, section 3.8.4)', () => {
  const { bench, user } = accepted({ keepAliveProbes: 3, keepAliveInterval: 1000 });
  user.connection.setKeepAlive(10_000);
  const begun = bench.clock.now();
  bench.pass(100_000);
  const sent = bench.expect('. 0 ack 1', '. 0 ack 1', '. 0 ack 1', 'R. 1 ack 1');
  assert.deepEqual(
    sent.map(({ at }) => at - begun),
    [10_000, 11_000, 12_000, 13_000],
  );
  assert.deepEqual(user.events, ['closed TIMEOUT']);
});

test('a probe of the peer’s is answered, with or without its byte of nothing (RFC 9293, section 3.8.4)', () => {
  const { bench } = accepted();
  bench.peer('. 0 ack 1');
  bench.expect('. 1 ack 1');
  bench.peer('. 0:1 ack 1');
  bench.expect('. 1 ack 1 sack 0:1');
});

test('a handler that throws loses its connection; the others go on', () => {
  const { bench, user } = accepted();
  user.data = () => {
    throw new Error('mine');
  };
  bench.peer('P. 1:11 ack 1');
  bench.expect('R. 1 ack 11');
  assert.deepEqual(user.events, ['closed HANDLER_THREW']);
  bench.peerPort++;
  const other = bench.accept();
  bench.peer('P. 1:11 ack 1');
  assert.equal(other.received, 10);
});

test('a handler may do anything at any point: abort in data, write in end, close in drain', () => {
  const { bench, user } = accepted();
  user.data = () => user.connection.abort();
  bench.peer('P. 1:11 ack 1');
  bench.expect('R. 1 ack 11');
  assert.deepEqual(user.events, ['closed ABORTED']);
  bench.peerPort++;
  const other = bench.accept();
  other.end = () => {
    other.write(10);
    other.connection.end();
  };
  bench.peer('F. 1 ack 1');
  bench.expect('FP. 1:11 ack 2');
});
