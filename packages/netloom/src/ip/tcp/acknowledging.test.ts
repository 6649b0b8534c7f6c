/** What the receiving side answers, segment by segment: acknowledgments, SACK, windows, timestamps. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SegmentBench } from '../../../test/ip/segment-bench.ts';

/** Segments of the peer's that follow each other, `size` bytes each. */
function text(bench: SegmentBench, from: number, count: number, size = 1460): void {
  for (let i = 0; i < count; i++) {
    bench.peer(`. ${from + i * size}:${from + (i + 1) * size} ack 1`);
  }
}

test('a segment on its own is acknowledged after 40 ms (RFC 9293, section 3.8.6.3, MUST-40)', () => {
  const bench = new SegmentBench();
  const user = bench.accept();
  const begun = bench.clock.now();
  bench.peer('P. 1:101 ack 1');
  bench.expect();
  bench.pass(500);
  const [answer] = bench.expect('. 1 ack 101');
  assert.equal(answer!.at - begun, 40);
  assert.equal(user.received, 100);
});

test('every second full segment is acknowledged at once (RFC 9293, section 3.8.6.3, SHLD-19)', () => {
  const bench = new SegmentBench();
  bench.accept();
  text(bench, 1, 1);
  bench.expect();
  text(bench, 1461, 1);
  bench.expect('. 1 ack 2921');
  text(bench, 2921, 4);
  bench.expect('. 1 ack 5841', '. 1 ack 8761');
});

test('segments at hand together are acknowledged together (RFC 9293, section 3.8.6.3)', () => {
  const bench = new SegmentBench();
  bench.accept();
  bench.injectBatch(
    [0, 1, 2, 3].map((i) => bench.peerFrame(`. ${1 + i * 1460}:${1 + (i + 1) * 1460} ack 1`)),
  );
  bench.expect('. 1 ack 5841');
});

test('a buffer larger than what a SYN can tell is no reason to answer a short text at once', () => {
  const bench = new SegmentBench({ limits: { tcp: { receiveBuffer: 131_072 } } });
  const user = bench.accept({ options: 'mss 1460,sackOK,wscale 7' });
  bench.peer('P. 1:65 ack 1');
  bench.expect();
  user.write(64);
  bench.expect('P. 1:65 ack 65 win 1024');
});

test('an acknowledgment rides on text that goes out anyway', () => {
  const bench = new SegmentBench();
  const user = bench.accept();
  bench.peer('P. 1:101 ack 1');
  user.write(50);
  bench.pass(60);
  bench.expect('P. 1:51 ack 101');
  bench.pass(100);
  assert.ok(bench.segments().every(({ length }) => length > 0));
});

test('a segment beyond a gap is acknowledged at once, and so is what fills it (RFC 5681, section 4.2)', () => {
  const bench = new SegmentBench();
  const user = bench.accept();
  bench.peer('. 1461:2921 ack 1');
  bench.expect('. 1 ack 1 sack 1461:2921');
  bench.peer('. 2921:4381 ack 1');
  bench.expect('. 1 ack 1 sack 1461:4381');
  bench.peer('. 1:1001 ack 1');
  bench.expect('. 1 ack 1001 sack 1461:4381');
  bench.peer('. 1001:1461 ack 1');
  bench.expect('. 1 ack 4381');
  assert.deepEqual([user.received, user.wrongAt], [4380, undefined]);
});

test('without SACK a gap is told by duplicate acknowledgments alone (RFC 5681, section 4.2)', () => {
  const bench = new SegmentBench();
  bench.accept({ options: 'mss 1460' });
  text(bench, 1461, 3);
  bench.expect('. 1 ack 1', '. 1 ack 1', '. 1 ack 1');
});

test('SACK reports the newest block first, and others after it, newest first (RFC 2018, section 4)', () => {
  const bench = new SegmentBench();
  bench.accept();
  bench.peer('. 101:201 ack 1');
  bench.expect('. 1 ack 1 sack 101:201');
  bench.peer('. 501:601 ack 1');
  bench.expect('. 1 ack 1 sack 501:601 101:201');
  bench.peer('. 301:401 ack 1');
  bench.expect('. 1 ack 1 sack 301:401 501:601 101:201');
  bench.peer('. 901:1001 ack 1');
  bench.expect('. 1 ack 1 sack 901:1001 301:401 501:601 101:201');
  // Four blocks fit: the one heard of longest ago is left out.
  bench.peer('. 1101:1201 ack 1');
  bench.expect('. 1 ack 1 sack 1101:1201 901:1001 301:401 501:601');
  // What joins two blocks makes them one, which is the newest.
  bench.peer('. 401:501 ack 1');
  bench.expect('. 1 ack 1 sack 301:601 1101:1201 901:1001 101:201');
  bench.peer('. 1:101 ack 1');
  bench.expect('. 1 ack 201 sack 301:601 1101:1201 901:1001');
});

test('beside timestamps three blocks fit (RFC 2018, section 3)', () => {
  const bench = new SegmentBench();
  bench.accept({ options: 'mss 1460,sackOK,ts' });
  for (const start of [101, 301, 501, 701]) bench.peer(`. ${start}:${start + 100} ack 1`);
  const last = bench.segments().at(-1)!;
  assert.equal(last.header.sackCount, 3);
  assert.equal(last.header.hasTimestamps, true);
});

test('text carries the report too, and makes room for it (RFC 2018, section 4)', () => {
  const bench = new SegmentBench();
  const user = bench.accept();
  bench.peer('. 101:201 ack 1');
  bench.expect('. 1 ack 1 sack 101:201');
  user.write(2000);
  bench.settle();
  bench.expect('. 1:1449 ack 1 sack 101:201', 'P. 1449:2001 ack 1 sack 101:201');
});

test('a duplicate below the window is reported in the first block (RFC 2883, section 4)', () => {
  const bench = new SegmentBench();
  bench.accept();
  text(bench, 1, 2);
  bench.expect('. 1 ack 2921');
  bench.peer('. 1:1461 ack 1');
  bench.expect('. 1 ack 2921 sack 1:1461');
  // It is reported once.
  bench.peer('. 2921:4381 ack 1');
  bench.pass(40);
  bench.expect('. 1 ack 4381');
});

test('a duplicate above the window is reported before the block that holds it (RFC 2883, section 4.2)', () => {
  const bench = new SegmentBench();
  bench.accept();
  bench.peer('. 101:301 ack 1');
  bench.peer('. 501:601 ack 1');
  bench.segments();
  bench.peer('. 201:301 ack 1');
  bench.expect('. 1 ack 1 sack 201:301 101:301 501:601');
});

test('a segment that is a duplicate in part reports that part (RFC 2883, section 4.1)', () => {
  const bench = new SegmentBench();
  const user = bench.accept();
  text(bench, 1, 2, 500);
  bench.pass(40);
  bench.segments();
  bench.peer('. 501:1501 ack 1');
  bench.expect('. 1 ack 1501 sack 501:1001');
  assert.deepEqual([user.received, user.wrongAt], [1500, undefined]);
});

test('overlapping segments give the bytes once, the first that came (RFC 9293, section 3.10.7.4)', () => {
  const bench = new SegmentBench();
  const user = bench.accept();
  bench.peer('. 401:801 ack 1');
  bench.peer('. 201:601 ack 1');
  bench.peer('. 701:1001 ack 1');
  bench.peer('. 1:301 ack 1');
  assert.equal(bench.segments().at(-1)!.acknowledgment, 1001);
  assert.deepEqual([user.received, user.wrongAt], [1000, undefined]);
});

test('text beyond the window is not taken, and what lies within is (RFC 9293, section 3.10.7.4)', () => {
  const bench = new SegmentBench({ limits: { tcp: { receiveBuffer: 4000 } } });
  const user = bench.accept();
  user.connection.pause();
  text(bench, 1, 3);
  bench.pass(40);
  const last = bench.segments().at(-1)!;
  assert.deepEqual([last.acknowledgment, last.header.window], [4001, 0]);
  bench.peer('. 4001:5461 ack 1');
  bench.expect('. 1 ack 4001 win 0');
  user.connection.resume();
  bench.settle();
  assert.equal(user.received, 4000);
});

test('a user who does not read closes the window, and opens it by reading (RFC 9293, section 3.8.6)', () => {
  const bench = new SegmentBench({ limits: { tcp: { receiveBuffer: 10_000 } } });
  const user = bench.accept();
  user.connection.pause();
  text(bench, 1, 2, 1000);
  bench.expect();
  text(bench, 2001, 8, 1000);
  const windows = bench.segments().map(({ header }) => header.window);
  assert.deepEqual(windows, [7000, 4000, 1000]);
  bench.pass(40);
  bench.expect('. 1 ack 10001 win 0');
  user.connection.resume();
  bench.settle();
  bench.expect('. 1 ack 10001 win 10000');
  assert.equal(user.received, 10_000);
});

test('the window opens by a segment or half the buffer, not byte by byte (RFC 9293, section 3.8.6.2.2, MUST-39)', () => {
  const bench = new SegmentBench({ limits: { tcp: { receiveBuffer: 10_000 } } });
  const user = bench.accept();
  user.connection.pause();
  text(bench, 1, 10, 1000);
  bench.pass(40);
  bench.segments();
  // The user takes one chunk of 1,000 bytes at a time.
  const take = (): void => {
    user.connection.resume();
    bench.settle();
  };
  user.data = (chunk) => {
    user.received += chunk.length;
    user.connection.pause();
  };
  take();
  bench.expect();
  take();
  bench.expect();
  take();
  bench.expect('. 1 ack 10001 win 3000');
});

test('the right edge of the window never moves left, but for rounding (RFC 9293, section 3.8.6, SHLD-14; RFC 7323, section 2.4)', () => {
  const bench = new SegmentBench();
  const user = bench.accept({ options: 'mss 1460,sackOK,wscale 7' });
  user.connection.pause();
  let edge = 0;
  for (let at = 1, i = 0; i < 120; i++) {
    const size = 1 + ((i * 377) % 1460);
    bench.peer(`. ${at}:${at + size} ack 1`);
    at += size;
    if (i % 40 === 39) user.connection.resume();
    else user.connection.pause();
    bench.pass(40);
    for (const { acknowledgment, header } of bench.segments()) {
      const told = acknowledgment + header.window * 128;
      assert.ok(told > edge - 128, `the edge moved from ${edge} to ${told}`);
      edge = Math.max(edge, told);
    }
  }
  // What a rounded window seems to exclude is taken all the same.
  assert.equal(user.connection.receiver.isAcceptable(user.connection.receiver.next, 1), true);
});

test('the receive buffer grows with what is taken in a round trip, up to its limit', () => {
  const limits = { tcp: { receiveBuffer: 20_000, maximumReceiveBuffer: 100_000 } };
  const bench = new SegmentBench({ limits });
  const user = bench.accept({ options: 'mss 1460,wscale 7' });
  assert.equal(user.connection.receiver.capacity, 20_000);
  let at = 1;
  for (let round = 0; round < 12; round++) {
    const window = user.connection.receiver.window;
    for (const end = at + window; at < end;) {
      const size = Math.min(1460, end - at);
      bench.peer(`. ${at}:${at + size} ack 1`);
      at += size;
    }
    bench.pass(100);
  }
  assert.equal(user.connection.receiver.capacity, 100_000);
  assert.ok(bench.segments().at(-1)!.header.window * 4 > 60_000);
  assert.deepEqual([user.received, user.wrongAt], [at - 1, undefined]);
});

test('while what is taken doubles the receive buffer is four times as large, for slow start will have doubled again (RFC 5681, section 3.1)', () => {
  const bench = new SegmentBench({ limits: { tcp: { receiveBuffer: 20_000 } } });
  const user = bench.accept({ options: 'mss 1000,wscale 7' });
  let at = 1;
  for (const segments of [5, 5, 10, 20, 20]) {
    for (let i = 0; i < segments; i++, at += 1000) bench.peer(`. ${at}:${at + 1000} ack 1`);
    bench.pass(100);
  }
  // The first segment of a round trip ends the measurement of the one before; so 20,000 bytes followed 10,000 here.
  assert.equal(user.connection.receiver.capacity, 80_000);
});

test('text that finds no room beyond gaps is not reported: it is not there (RFC 2018, section 8)', () => {
  const bench = new SegmentBench({ limits: { tcp: { outOfOrderRanges: 2 } } });
  bench.accept();
  bench.peer('. 1001:2001 ack 1');
  bench.peer('. 3001:4001 ack 1');
  bench.expect('. 1 ack 1 sack 1001:2001', '. 1 ack 1 sack 3001:4001 1001:2001');
  bench.peer('. 5001:6001 ack 1');
  bench.expect('. 1 ack 1 sack 3001:4001 1001:2001');
  assert.equal(bench.stack.tcp.statistics.drops.get('tcp-out-of-order-limit'), 1);
  // What is there and comes again is (RFC 2883, section 4.2).
  bench.peer('. 1001:2001 ack 1');
  bench.expect('. 1 ack 1 sack 1001:2001 1001:2001 3001:4001');
});

test('the receive buffer of a user who takes little stays as it is', () => {
  const bench = new SegmentBench();
  const user = bench.accept();
  for (let i = 0; i < 20; i++) {
    text(bench, 1 + i * 1000, 1, 1000);
    bench.pass(100);
  }
  assert.equal(user.connection.receiver.capacity, 131_072);
});

test('the timestamp echoed is that of the segment the acknowledgment answers (RFC 7323, section 4.3)', () => {
  const bench = new SegmentBench();
  bench.accept({ options: 'mss 1460,sackOK,ts' });
  const t = bench.peerTimestamp;
  const echoes = (): number[] => bench.segments().map(({ header }) => header.timestampEcho);
  // Of two segments that one acknowledgment answers, the earlier.
  bench.peer(`. 1:1449 ack 1 <ts ${t}>`);
  bench.peer(`. 1449:2897 ack 1 <ts ${t + 1}>`);
  assert.deepEqual(echoes(), [t]);
  // Beyond a gap: the last that moved the edge.
  bench.peer(`. 4345:5793 ack 1 <ts ${t + 3}>`);
  assert.deepEqual(echoes(), [t]);
  // What fills the gap.
  bench.peer(`. 2897:4345 ack 1 <ts ${t + 4}>`);
  assert.deepEqual(echoes(), [t + 4]);
});

test('every segment carries timestamps once both sides have agreed (RFC 7323, section 3.2)', () => {
  const bench = new SegmentBench();
  const user = bench.accept({ options: 'mss 1460,sackOK,ts' });
  const start = bench.lastTimestamp;
  bench.pass(1000);
  user.write(10);
  bench.settle();
  bench.expect('P. 1:11 ack 1 <ts>');
  // Its clock ticks once a millisecond: a round trip of 100 ms and the second since.
  assert.equal((bench.lastTimestamp - start) | 0, 1100);
});

test('an old timestamp shows a segment of a time gone by (PAWS: RFC 7323, section 5.3, R1)', () => {
  const bench = new SegmentBench();
  const user = bench.accept({ options: 'mss 1460,sackOK,ts' });
  const t = bench.peerTimestamp + 1000;
  bench.peer(`. 1:101 ack 1 <ts ${t}>`);
  bench.pass(40);
  bench.expect('. 1 ack 101');
  bench.peer(`. 101:201 ack 1 <ts ${t - 1}>`);
  bench.expect('. 1 ack 101');
  assert.equal(user.received, 100);
  assert.equal(bench.stack.tcp.statistics.drops.get('tcp-old-timestamp'), 1);
  // A reset is not held against its timestamp.
  bench.peer(`R 101 <ts ${t - 1}>`);
  assert.deepEqual(user.events, ['closed CONNECTION_RESET']);
});

test('timestamps compare as numbers that wrap (RFC 7323, section 5.3)', () => {
  const bench = new SegmentBench();
  // The peer's clock passes 2^32 two milliseconds after the handshake.
  bench.timestampBase = 2 ** 32 - bench.clock.now() - 102;
  const user = bench.accept({ options: 'mss 1460,ts' });
  assert.equal(bench.peerTimestamp, 2 ** 32 - 2);
  bench.pass(5);
  bench.peer('. 1:101 ack 1');
  bench.peer('. 101:201 ack 1');
  assert.equal(user.received, 200);
});

test('after 24 days a timestamp says nothing any more (RFC 7323, section 5.5)', () => {
  const bench = new SegmentBench();
  const user = bench.accept({ options: 'mss 1460,ts' });
  bench.pass(25 * 86_400_000);
  bench.peer('. 1:101 ack 1 <ts 10>');
  assert.equal(user.received, 100);
});

test('urgent text is text like any other (RFC 6093, section 3.2)', () => {
  const bench = new SegmentBench();
  const user = bench.accept();
  bench.peer('PU. 1:101 ack 1', (header) => {
    header.urgentPointer = 50;
  });
  assert.deepEqual([user.received, user.wrongAt], [100, undefined]);
});

test('a segment without ACK is dropped once the handshake is done (RFC 9293, section 3.10.7.4, fifth step)', () => {
  const bench = new SegmentBench();
  const user = bench.accept();
  bench.peer('P 1:101');
  bench.pass(1000);
  bench.expect();
  assert.equal(user.received, 0);
});

test('a segment with a wrong checksum is dropped and counted (RFC 9293, section 3.1, MUST-3)', () => {
  const bench = new SegmentBench();
  const user = bench.accept();
  const frame = bench.peerFrame('P. 1:101 ack 1');
  frame[frame.length - 1]! ^= 1;
  bench.inject(frame);
  bench.pass(100);
  bench.expect();
  assert.equal(user.received, 0);
  assert.equal(bench.stack.tcp.statistics.drops.get('tcp-bad-checksum'), 1);
  // One that a device has found right is not looked at again.
  const nothing = { checksumStart: 0, checksumOffset: 0, segmentSize: 0 };
  bench.inject(frame, { ...nothing, checksumVerified: true });
  assert.equal(user.received, 100);
});

test('options that are not known are passed over, malformed ones dropped with their segment (RFC 9293, section 3.1, MUST-6 and MUST-7)', () => {
  const bench = new SegmentBench();
  const user = bench.accept();
  // 14 bytes Ethernet, 20 IPv4, 20 TCP: the first option. The checksum is made good by its complement behind.
  const spoil = (option: number, length: number): Uint8Array => {
    const frame = bench.peerFrame('P. 1:101 ack 1 <ts>');
    const before = [frame[56]!, frame[57]!] as const;
    frame.set([option, length], 56);
    const sum = (before[0] << 8) + before[1] - ((option << 8) + length);
    const at = 50;
    const checksum = ((frame[at]! << 8) | frame[at + 1]!) + sum;
    const folded = (checksum + (checksum < 0 ? 0xffff : 0)) % 0xffff;
    frame[at] = folded >>> 8;
    frame[at + 1] = folded;
    return frame;
  };
  bench.inject(spoil(253, 10));
  assert.equal(user.received, 100);
  bench.inject(spoil(253, 40));
  bench.inject(spoil(253, 0));
  assert.equal(bench.stack.tcp.statistics.drops.get('tcp-bad-option'), 2);
});
