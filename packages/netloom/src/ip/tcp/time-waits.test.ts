/** The table of connections in TIME-WAIT; what one answers is in `closing.test.ts`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TCP_LIMITS } from './limits.ts';
import { SegmentBench } from '../../../test/ip/segment-bench.ts';

/** A connection from the peer's port that this side ends first, so that it stays in TIME-WAIT here. */
function pass(bench: SegmentBench, port: number): void {
  bench.peerPort = port;
  const user = bench.accept({ roundTrip: 1 });
  user.connection.end();
  bench.settle();
  bench.expect('F. 1 ack 1');
  bench.peer('F. 1 ack 2');
  bench.expect('. 2 ack 2');
  assert.equal(user.connection.state, 'time-wait');
}

/** Whether the connection of a port still waits: its FIN is then acknowledged, not reset. */
function waits(bench: SegmentBench, port: number): boolean {
  bench.peerPort = port;
  bench.peer('. 2 ack 2');
  return bench.segments().length === 0;
}

test('each waits for its own minute, and leaves nothing behind', () => {
  const bench = new SegmentBench();
  const { tcp } = bench.stack;
  for (let port = 5000; port < 5005; port++) {
    pass(bench, port);
    bench.pass(999);
  }
  assert.deepEqual([tcp.timeWaits.size, tcp.connections, tcp.flows.size], [5, 0, 5]);
  bench.pass(TCP_LIMITS.timeWaitDuration - 5000);
  for (let left = 4; left >= 0; left--) {
    bench.pass(1000);
    assert.equal(tcp.timeWaits.size, left);
  }
  assert.equal(tcp.flows.size, 0);
  assert.equal(tcp.deadline(), Infinity);
});

test('past the limit the one goes that entered first, however often others have begun anew', () => {
  const bench = new SegmentBench({ limits: { tcp: { timeWait: 3 } } });
  const { tcp } = bench.stack;
  for (let port = 5000; port < 5010; port++) {
    pass(bench, port);
    assert.equal(tcp.timeWaits.size, Math.min(3, port - 4999));
  }
  assert.equal(tcp.statistics.drops.get('tcp-time-wait-limit'), 7);
  assert.deepEqual(
    [5006, 5007, 5008, 5009].map((port) => waits(bench, port)),
    [false, true, true, true],
  );
});

test('cleared, there is none, and no timer', () => {
  const bench = new SegmentBench();
  const { tcp } = bench.stack;
  for (const port of [5000, 5001]) pass(bench, port);
  tcp.timeWaits.clear();
  assert.deepEqual([tcp.timeWaits.size, tcp.flows.size], [0, 0]);
  assert.equal(tcp.deadline(), Infinity);
});
