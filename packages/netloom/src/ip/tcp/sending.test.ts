/** What the sending side lets out, segment by segment: windows, probes, Nagle, small segments. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SegmentBench } from '../../../test/ip/segment-bench.ts';

test('text goes out in full segments, PSH on the last (RFC 9293, section 3.9.1.2)', () => {
  const bench = new SegmentBench();
  const user = bench.accept();
  user.write(3000);
  bench.settle();
  bench.expect('. 1:1461 ack 1', '. 1461:2921 ack 1', 'P. 2921:3001 ack 1');
});

test('writes of one turn leave together', () => {
  const bench = new SegmentBench();
  const user = bench.accept();
  for (let i = 0; i < 10; i++) user.write(100);
  bench.settle();
  bench.expect('P. 1:1001 ack 1');
});

test('a corked connection holds small writes back, full segments not', () => {
  const bench = new SegmentBench();
  const user = bench.accept();
  user.connection.cork();
  user.write(1000);
  bench.settle();
  bench.expect();
  user.write(1000);
  bench.settle();
  bench.expect('. 1:1461 ack 1');
  bench.peer('. 1 ack 1461');
  bench.pass(10_000);
  bench.expect();
  user.connection.uncork();
  bench.settle();
  bench.expect('P. 1461:2001 ack 1');
});

test('with Nagle’s algorithm a small segment waits for what is outstanding (RFC 9293, section 3.7.4, SHLD-7)', () => {
  const bench = new SegmentBench();
  const user = bench.accept();
  user.connection.setNoDelay(false);
  user.write(100);
  bench.settle();
  bench.expect('P. 1:101 ack 1');
  user.write(100);
  bench.settle();
  user.write(100);
  bench.settle();
  bench.expect();
  bench.pass(100);
  bench.peer('. 1 ack 101');
  bench.expect('P. 101:301 ack 1');
  // Full segments do not wait.
  user.write(1500);
  bench.settle();
  bench.expect('. 301:1761 ack 1');
  // Switched off, it lets the rest go (MUST-17).
  user.connection.setNoDelay(true);
  bench.settle();
  bench.expect('P. 1761:1801 ack 1');
});

test('without Nagle’s algorithm small segments go out at once, which is the default here', () => {
  const bench = new SegmentBench();
  const user = bench.accept();
  for (const line of ['P. 1:101 ack 1', 'P. 101:201 ack 1', 'P. 201:301 ack 1']) {
    user.write(100);
    bench.settle();
    bench.expect(line);
  }
});

test('the first flight is ten segments (RFC 6928, section 2)', () => {
  const bench = new SegmentBench();
  const user = bench.accept();
  user.write(100_000);
  bench.settle();
  assert.equal(bench.segments().length, 10);
  // In slow start each acknowledgment of two segments lets four out.
  bench.peer('. 1 ack 2921');
  assert.equal(bench.segments().length, 4);
});

test('no more goes out than the peer’s window takes (RFC 9293, section 3.8.6)', () => {
  const bench = new SegmentBench();
  const user = bench.accept({ window: 4000 });
  bench.peer('. 1 ack 1 win 4000');
  user.write(10_000);
  bench.settle();
  bench.expect('. 1:1461 ack 1', '. 1461:2921 ack 1');
  // The window's right edge has not moved.
  bench.peer('. 1 ack 1461 win 2540');
  bench.expect();
  bench.peer('. 1 ack 2921 win 4000');
  bench.expect('. 2921:4381 ack 1', '. 4381:5841 ack 1');
});

test('the window is taken from the newest segment only (RFC 9293, section 3.10.7.4, SND.WL1 and SND.WL2)', () => {
  const bench = new SegmentBench();
  const user = bench.accept();
  bench.peer('P. 1:11 ack 1 win 60000');
  // An older segment comes late: its window is of the past.
  bench.peer('. 1 ack 1 win 1000');
  assert.equal(user.connection.sender.window, 60_000);
  bench.peer('. 11 ack 1 win 2000');
  assert.equal(user.connection.sender.window, 2000);
});

test('a window that shrinks holds new text back; what is outstanding is repeated all the same (RFC 9293, section 3.8.6, MUST-34)', () => {
  const bench = new SegmentBench();
  const user = bench.accept();
  user.write(2920);
  bench.settle();
  bench.expect('. 1:1461 ack 1', 'P. 1461:2921 ack 1');
  bench.pass(100);
  bench.peer('. 1 ack 1461 win 100');
  user.write(1000);
  bench.settle();
  bench.expect();
  bench.pass(400);
  assert.equal(bench.segments().at(0)!.sequence, 1461);
  bench.peer('. 1 ack 2921 win 10000');
  bench.expect('P. 2921:3921 ack 1');
});

test('a closed window is probed, ever less often, and may stay closed for ever (RFC 9293, section 3.8.6.1, MUST-36 and MUST-37)', () => {
  const bench = new SegmentBench();
  const user = bench.accept();
  bench.peer('. 1 ack 1 win 0');
  user.write(500);
  const begun = bench.clock.now();
  const times: number[] = [];
  for (let waited = 0; waited < 600_000; waited += 10) {
    bench.pass(10);
    for (const probe of bench.segments()) {
      times.push(probe.at - begun);
      assert.deepEqual([probe.sequence, probe.length], [0, 0]);
      bench.peer('. 1 ack 1 win 0');
    }
  }
  // The handshake's round trip of 100 ms and 200 ms more; then twice as long each time, to a minute.
  assert.deepEqual(times.slice(0, 4), [300, 900, 2100, 4500]);
  assert.equal(times.at(-1)! - times.at(-2)!, 60_000);
  assert.equal(user.connection.state, 'established');
  bench.peer('. 1 ack 1 win 1000');
  bench.expect('P. 1:501 ack 1');
});

test('a probe pays no acknowledgment that is owed: the peer does not look at that of a segment before its window', () => {
  const bench = new SegmentBench();
  const user = bench.accept({ window: 0 });
  user.write(100);
  bench.settle();
  const due = bench.stack.tcp.deadline() - bench.clock.now();
  bench.pass(due - 10);
  bench.peer('P. 1:11 ack 1 win 0');
  bench.expect();
  bench.pass(10);
  bench.expect('. 1 ack 11', '. 0 ack 11');
});

test('a peer that does not answer probes of its window is given up', () => {
  const bench = new SegmentBench({ limits: { tcp: { userTimeout: 20_000 } } });
  const user = bench.accept();
  bench.peer('. 1 ack 1 win 0');
  user.write(500);
  bench.pass(100_000);
  assert.equal(bench.segments().at(-1)!.header.flags & 4, 4);
  assert.deepEqual(user.events, ['closed TIMEOUT']);
});

test('after a long silence a closed window is probed before anybody is given up', () => {
  const bench = new SegmentBench();
  const user = bench.accept();
  bench.peer('. 1 ack 1 win 0');
  bench.pass(3_600_000);
  user.write(500);
  bench.pass(1000);
  assert.equal(user.connection.state, 'established');
  assert.deepEqual(
    bench.segments().map(({ sequence, length }) => [sequence, length]),
    [
      [0, 0],
      [0, 0],
    ],
  );
});

test('a window closed over outstanding text is waited for as long as the peer answers (RFC 9293, section 3.8.6.1, MUST-37)', () => {
  const bench = new SegmentBench({ limits: { tcp: { userTimeout: 20_000 } } });
  const user = bench.accept();
  user.write(500);
  bench.settle();
  bench.expect('P. 1:501 ack 1');
  // The peer has no room for it after all: it drops the text and says so each time.
  for (let waited = 0; waited < 200_000; waited += 100) {
    bench.pass(100);
    if (bench.segments().length > 0) bench.peer('. 1 ack 1 win 0');
  }
  assert.equal(user.connection.state, 'established');
  bench.peer('. 1 ack 501 win 1000');
  assert.equal(user.connection.sender.hasOutstanding, false);
});

test('a small opening is not worth a segment (RFC 9293, section 3.8.6.2.1, MUST-38)', () => {
  const bench = new SegmentBench();
  const user = bench.accept({ window: 8000 });
  bench.peer('. 1 ack 1 win 0');
  user.write(5000);
  bench.settle();
  bench.peer('. 1 ack 1 win 600');
  bench.expect();
  bench.peer('. 1 ack 1 win 3000');
  bench.expect('. 1:1461 ack 1', '. 1461:2921 ack 1');
});

test('half of the largest window is worth one, though it is less than a segment (RFC 9293, section 3.8.6.2.1)', () => {
  const bench = new SegmentBench();
  const user = bench.accept({ window: 1000 });
  bench.peer('. 1 ack 1 win 0');
  user.write(5000);
  bench.settle();
  bench.peer('. 1 ack 1 win 499');
  bench.expect();
  bench.peer('. 1 ack 1 win 500');
  bench.expect('. 1:501 ack 1');
});

test('a window that stays small is used in the end (RFC 9293, section 3.8.6.2.1, the override timeout)', () => {
  const bench = new SegmentBench();
  const user = bench.accept();
  bench.peer('. 1 ack 1 win 0');
  user.write(2000);
  bench.settle();
  bench.peer('. 1 ack 1 win 600');
  bench.expect();
  const begun = bench.clock.now();
  bench.pass(1000);
  const [first] = bench.segments();
  assert.deepEqual([first!.sequence, first!.length], [1, 600]);
  assert.ok(first!.at - begun <= 1000);
  bench.peer('. 1 ack 601 win 600');
  bench.pass(1000);
  assert.deepEqual(
    bench.segments().map(({ sequence, length }) => [sequence, length])[0],
    [601, 600],
  );
});

test('a FIN follows the last byte, in the same segment where it fits (RFC 9293, section 3.10.4)', () => {
  const bench = new SegmentBench();
  const user = bench.accept();
  user.write(2000);
  user.connection.end();
  bench.settle();
  bench.expect('. 1:1461 ack 1', 'FP. 1461:2001 ack 1');
});

test('a FIN waits behind text that the window holds back', () => {
  const bench = new SegmentBench();
  const user = bench.accept({ window: 1460 });
  user.write(2000);
  user.connection.end();
  bench.settle();
  bench.expect('. 1:1461 ack 1');
  bench.peer('. 1 ack 1461 win 1460');
  bench.expect('FP. 1461:2001 ack 1');
});

test('write answers false when enough waits, and drain follows when half of it has gone', () => {
  const bench = new SegmentBench({ limits: { tcp: { sendBuffer: 20_000 } } });
  const user = bench.accept();
  assert.equal(user.write(19_999), true);
  assert.equal(user.write(10_001), false);
  bench.settle();
  assert.equal(user.connection.bufferedAmount, 30_000 - 14_600);
  // The peer takes all; the window has grown meanwhile.
  for (let acknowledged = 0; acknowledged < 30_000;) {
    const last = bench.segments().at(-1);
    acknowledged = last === undefined ? 30_000 : last.sequence + last.length - 1;
    assert.ok(acknowledged >= 10_000 || user.events.length === 0);
    bench.peer(`. 1 ack ${acknowledged + 1}`);
  }
  assert.deepEqual(user.events, ['drain']);
  assert.equal(user.connection.bufferedAmount, 0);
});

test('writing after end throws, and after a failure answers false', () => {
  const bench = new SegmentBench();
  const user = bench.accept();
  user.connection.end();
  assert.throws(() => user.write(1), { code: 'WRITE_AFTER_END' });
  const other = new SegmentBench();
  const failed = other.accept();
  other.peer('R 1');
  assert.equal(failed.write(1), false);
});

test('a link that cuts is given large segments, each of whole pieces', () => {
  const bench = new SegmentBench({ offload: { checksum: true, segmentation: 65_550 } });
  const user = bench.accept({ options: 'mss 1000' });
  user.write(9500);
  bench.settle();
  const [sent] = bench.expect('P. 1:9501 ack 1');
  assert.equal(sent!.frame.offload?.segmentSize, 1000);
  // One lost in the middle is repeated alone.
  bench.pass(100);
  bench.peer('. 1 ack 3001');
  bench.pass(2000);
  assert.ok(bench.segments().every(({ sequence }) => sequence >= 3001));
});
