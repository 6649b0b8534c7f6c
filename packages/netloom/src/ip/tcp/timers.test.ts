/** A connection's deadline; what each timer does is in the tests of what it is for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SegmentBench } from '../../../test/ip/segment-bench.ts';
import { TCP_LIMITS } from './limits.ts';
import { connectionDeadline } from './timers.ts';

test('the deadline is that of the earliest timer, and none where nothing is waited for', () => {
  const bench = new SegmentBench();
  const { connection, ...user } = bench.accept();
  const from = bench.clock.now();
  const left = (): number => connectionDeadline(connection) - from;
  assert.equal(left(), Infinity);
  connection.setKeepAlive(10_000);
  assert.equal(left(), 10_000);
  void connection.close();
  assert.equal(left(), TCP_LIMITS.closeTimeout);
  bench.peer('P. 1:11 ack 1');
  assert.ok(left() < 1000, `the FIN is to be acknowledged: ${left()} ms`);
  assert.equal(user.received, 0);
});

test('a SYN’s timer goes with the handshake, an acknowledgment’s with the acknowledgment', () => {
  const bench = new SegmentBench();
  const connection = bench.connect();
  assert.equal(connectionDeadline(connection), bench.clock.now() + 1000);
  bench.expect('S 0');
  bench.pass(100);
  bench.peer('S. 0 ack 1 win 65535 <mss 1460>');
  assert.equal(connectionDeadline(connection), Infinity);
  bench.peer('P. 1:11 ack 1');
  assert.equal(
    connectionDeadline(connection),
    bench.clock.now() + TCP_LIMITS.delayedAcknowledgment,
  );
  bench.pass(TCP_LIMITS.delayedAcknowledgment);
  bench.expect('. 1 ack 1', '. 1 ack 11');
  assert.equal(connectionDeadline(connection), Infinity);
});

test('no timer outlives its connection', () => {
  const bench = new SegmentBench();
  const user = bench.accept();
  user.connection.setKeepAlive(10_000);
  user.write(3000);
  bench.settle();
  user.connection.abort();
  bench.settle();
  assert.equal(connectionDeadline(user.connection), Infinity);
  assert.equal(bench.stack.tcp.deadline(), Infinity);
});
