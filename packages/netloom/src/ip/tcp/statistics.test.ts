import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NetloomError } from '../../core/index.ts';
import { SegmentBench } from '../../../test/ip/segment-bench.ts';
import { planOf, transfer } from '../../../test/ip/transfer.ts';
import type { TcpStatistics } from './statistics.ts';

/** The counts of segments, in the order in, in error, resets in, out, out again, resets out. */
function counts(statistics: TcpStatistics): number[] {
  const { segmentsReceived, segmentsInError, resetsReceived } = statistics;
  const { segmentsSent, segmentsRetransmitted, resetsSent } = statistics;
  return [
    segmentsReceived,
    segmentsInError,
    resetsReceived,
    segmentsSent,
    segmentsRetransmitted,
    resetsSent,
  ];
}

test('segments are counted both ways, those sent again apart (RFC 4022: tcpInSegs, tcpOutSegs, tcpRetransSegs)', () => {
  const bench = new SegmentBench();
  const { statistics } = bench.stack.tcp;
  const user = bench.accept();
  // SYN and ACK; SYN-ACK.
  assert.deepEqual(counts(statistics), [2, 0, 0, 1, 0, 0]);
  user.write(2000);
  bench.settle();
  assert.deepEqual(counts(statistics), [2, 0, 0, 3, 0, 0]);
  // The tail loss probe repeats the last one, the timeout the first.
  bench.pass(2000);
  const sent = bench.segments().length;
  assert.ok(sent > 3);
  assert.deepEqual(counts(statistics), [2, 0, 0, 3, sent - 2, 0]);
  assert.deepEqual([statistics.opened, statistics.accepted, statistics.failed], [0, 1, 0]);
});

test('a SYN sent again is a retransmission', () => {
  const bench = new SegmentBench();
  bench.connect();
  bench.pass(3500);
  bench.expect('S 0', 'S 0', 'S 0');
  assert.deepEqual(counts(bench.stack.tcp.statistics), [0, 0, 0, 1, 2, 0]);
  const passive = new SegmentBench();
  passive.listen();
  for (let i = 0; i < 2; i++) passive.peer('S 0 win 1000 <mss 1460>');
  passive.expect('S. 0 ack 1', 'S. 0 ack 1');
  assert.deepEqual(counts(passive.stack.tcp.statistics), [2, 0, 0, 1, 1, 0]);
});

test('what is malformed or has a wrong checksum came in error (tcpInErrs)', () => {
  const bench = new SegmentBench();
  const frame = bench.peerFrame('. 1 ack 1');
  frame[frame.length - 1]! ^= 1;
  bench.inject(frame);
  const short = bench.peerFrame('. 1 ack 1');
  short[14 + 20 + 12] = 0xf0;
  bench.inject(short);
  assert.deepEqual(counts(bench.stack.tcp.statistics), [2, 2, 0, 0, 0, 0]);
});

test('resets are counted both ways, whoever sends them and whether they are believed (tcpOutRsts)', () => {
  const bench = new SegmentBench();
  const { statistics } = bench.stack.tcp;
  const before = (): [number, number] => [statistics.resetsReceived, statistics.resetsSent];
  bench.peer('. 1 ack 1');
  assert.deepEqual(before(), [0, 1], 'nobody listens');
  bench.peer('R 1');
  assert.deepEqual(before(), [1, 1], 'and it is not answered');
  bench.segments();
  bench.accept();
  bench.peer('R 100');
  assert.deepEqual(before(), [2, 1], 'it is in the window, and asked about');
  bench.segments();
  bench.accepted[0]!.abort(new NetloomError('ABORTED', 'by the test'));
  bench.settle();
  bench.expect('R. 1 ack 1');
  assert.deepEqual(before(), [2, 2]);
  assert.equal(statistics.segmentsSent, 4, 'resets are segments too');
});

function out({ segmentsSent, segmentsRetransmitted }: TcpStatistics): number {
  return segmentsSent + segmentsRetransmitted;
}

test('what one side counts as sent the other counts as received, whoever cuts the segments', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const { stacks } = transfer({ ...planOf(seed, 'fair'), stripped: [] });
    const [client, server] = stacks.map(({ tcp }) => tcp.statistics) as [
      TcpStatistics,
      TcpStatistics,
    ];
    assert.equal(out(client), server.segmentsReceived, `to the server, seed ${seed}`);
    assert.equal(out(server), client.segmentsReceived, `to the client, seed ${seed}`);
    assert.deepEqual([client.opened, server.accepted], [1, 1]);
  }
});
