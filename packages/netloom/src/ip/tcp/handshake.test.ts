/** Opening a connection, segment by segment. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress } from '../../core/index.ts';
import { SegmentBench, STACK_PORT } from '../../../test/ip/segment-bench.ts';
import { PatternUser } from '../../../test/ip/stack-bench.ts';

test('a listener answers a SYN, and the ACK establishes (RFC 9293, section 3.5, figure 6)', () => {
  const bench = new SegmentBench();
  bench.listen();
  bench.peer('S 0 <mss 1460>');
  bench.expect('S. 0 ack 1 win 65535 <mss 1460>');
  assert.equal(bench.accepted.length, 0);
  bench.peer('. 1 ack 1');
  bench.expect();
  assert.equal(bench.accepted.length, 1);
  assert.equal(bench.accepted[0]!.state, 'established');
});

test('connecting sends a SYN, and the SYN-ACK establishes (RFC 9293, section 3.5)', () => {
  const bench = new SegmentBench();
  const connection = bench.connect();
  assert.equal(connection.state, 'syn-sent');
  bench.expect('S 0 win 65535 <mss 1460,wscale 7,sackOK,ts>');
  bench.peer('S. 0 ack 1 <mss 1460>');
  bench.expect('. 1 ack 1 <>');
  assert.equal(connection.state, 'established');
  assert.equal(bench.error, undefined);
});

test('both of it over IPv6, where 20 bytes less fit (RFC 9293, section 3.7.1)', () => {
  const active = new SegmentBench({ family: 6 });
  active.connect();
  active.expect('S 0 <mss 1440,wscale 7,sackOK,ts>');
  const passive = new SegmentBench({ family: 6 });
  const user = passive.accept({ options: 'mss 1440' });
  user.write(3000);
  passive.settle();
  passive.expect('. 1:1441 ack 1', '. 1441:2881 ack 1', 'P. 2881:3001 ack 1');
});

test('text may come with the ACK of the handshake (RFC 9293, section 3.10.7.4)', () => {
  const bench = new SegmentBench();
  bench.listen();
  bench.peer('S 0 <mss 1460>');
  bench.expect('S. 0 ack 1');
  bench.peer('P. 1:101 ack 1');
  const user = new PatternUser(bench.accepted[0]!);
  bench.pass(40);
  bench.expect('. 1 ack 101');
  assert.equal(user.received, 100);
});

test('both sides open at once (RFC 9293, section 3.5, figure 7)', () => {
  const bench = new SegmentBench();
  const connection = bench.connect();
  bench.expect('S 0');
  bench.peer('S 0 <mss 1460>');
  bench.expect('S. 0 ack 1 <mss 1460>');
  assert.equal(connection.state, 'syn-received');
  bench.peer('S. 0 ack 1 <mss 1460>');
  assert.equal(connection.state, 'established');
  bench.expect('. 1 ack 1');
  const user = new PatternUser(connection);
  user.write(10);
  bench.settle();
  bench.expect('P. 1:11 ack 1');
});

test('both sides open at once, and the peer says so with an ACK alone', () => {
  const bench = new SegmentBench();
  const connection = bench.connect();
  bench.expect('S 0');
  bench.peer('S 0 <mss 1460>');
  bench.expect('S. 0 ack 1');
  bench.peer('. 1 ack 1');
  bench.expect();
  assert.equal(connection.state, 'established');
});

test('a connection to itself is a simultaneous open (RFC 9293, section 3.5)', () => {
  const bench = new SegmentBench();
  const own = IpAddress.parse('10.0.0.1');
  const path = bench.stack.paths.find(own, undefined);
  const connection = bench.stack.tcp.connect(path, 7000, 7000, () => undefined);
  const user = new PatternUser(connection);
  bench.pass(10);
  assert.equal(connection.state, 'established');
  user.write(5000);
  bench.pass(100);
  assert.deepEqual([user.received, user.wrongAt], [5000, undefined]);
});

test('options are answered only where they were offered (RFC 7323, sections 2.2 and 3.2; RFC 2018, section 2)', () => {
  for (const [offered, answered] of [
    ['', 'mss 1460'],
    ['wscale 3', 'mss 1460,wscale 7'],
    ['sackOK', 'mss 1460,sackOK'],
    ['ts', 'mss 1460,ts'],
    ['mss 1000,sackOK,ts,wscale 2', 'mss 1460,wscale 7,sackOK,ts'],
  ] as const) {
    const bench = new SegmentBench();
    bench.listen();
    bench.peer(`S 0 <${offered}>`);
    bench.expect(`S. 0 ack 1 <${answered}>`);
  }
});

test('without an MSS option the peer takes 536 bytes, over IPv6 1,220 (RFC 9293, section 3.7.1, MUST-15)', () => {
  for (const [family, size] of [
    [4, 536],
    [6, 1220],
  ] as const) {
    const bench = new SegmentBench({ family });
    const user = bench.accept({ options: '' });
    user.write(size + 1);
    bench.settle();
    bench.expect(`. 1:${size + 1} ack 1`, `P. ${size + 1}:${size + 2} ack 1`);
  }
});

test('segments keep to the peer’s MSS, options counted in (RFC 9293, section 3.7.1, MUST-16; RFC 6691)', () => {
  const bench = new SegmentBench();
  const user = bench.accept({ options: 'mss 1000,ts' });
  user.write(1000);
  bench.settle();
  bench.expect('. 1:989 ack 1 <ts>', 'P. 989:1001 ack 1 <ts>');
});

test('segments keep to our MTU where the peer takes more', () => {
  const bench = new SegmentBench({ mtu: 1000 });
  const user = bench.accept({ options: 'mss 8960' });
  user.write(961);
  bench.settle();
  bench.expect('. 1:961 ack 1', 'P. 961:962 ack 1');
});

test('an MSS of next to nothing is not believed: every host takes 576 bytes (RFC 1122, section 3.3.2)', () => {
  for (const options of ['mss 1', 'mss 12,ts,sackOK', 'mss 40,ts,sackOK', 'mss 41,ts,sackOK']) {
    const bench = new SegmentBench();
    const user = bench.accept({ options });
    // Something to report takes its share of each segment.
    bench.peer('. 101:201 ack 1');
    bench.peer('. 301:401 ack 1');
    bench.peer('. 501:601 ack 1');
    bench.segments();
    user.write(200);
    bench.settle();
    const sent = bench.segments();
    assert.ok(sent.length > 0 && sent.length < 10, `${options}: ${sent.length} segments`);
    bench.peer('. 601 ack 201');
    bench.pass(5000);
    assert.equal(user.connection.state, 'established', options);
  }
});

test('windows are scaled but for the SYN’s, by both sides (RFC 7323, section 2.2)', () => {
  const bench = new SegmentBench();
  const user = bench.open({ options: 'mss 1460,wscale 3', window: 2000 });
  // The SYN's 2,000 bytes stand as they are.
  user.write(20_000);
  bench.settle();
  bench.expect('. 1:1461 ack 1 win 1024');
  bench.peer('. 1 ack 1461 win 500');
  // 500 x 8 = 4,000 bytes from there on.
  bench.expect('. 1461:2921 ack 1', '. 2921:4381 ack 1');
});

test('windows are not scaled where the peer does not offer it (RFC 7323, section 2.2)', () => {
  const bench = new SegmentBench();
  const user = bench.open({ options: 'mss 1460', window: 2000 });
  user.write(20_000);
  bench.settle();
  bench.expect('. 1:1461 ack 1 win 65535');
});

test('a window scale above 14 counts as 14 (RFC 7323, section 2.3)', () => {
  const bench = new SegmentBench();
  const user = bench.open({ options: 'mss 1460,wscale 60', window: 1 });
  user.write(100_000);
  bench.settle();
  bench.segments();
  bench.peer('. 1 ack 2 win 1');
  assert.equal(user.connection.sender.window, 16_384);
});

test('a SYN that is not answered is sent again after 1, 2, 4 ... seconds, then the attempt fails (RFC 6298, sections 2.1 and 5.5)', () => {
  const bench = new SegmentBench({ limits: { tcp: { synRetries: 3 } } });
  const connection = bench.connect();
  const begun = bench.clock.now();
  bench.pass(100_000);
  const sent = bench.expect('S 0', 'S 0', 'S 0', 'S 0');
  assert.deepEqual(
    sent.map(({ at }) => at - begun),
    [0, 1000, 3000, 7000],
  );
  assert.equal(bench.error?.code, 'TIMEOUT');
  assert.equal(connection.state, 'closed');
});

test('a SYN-ACK that is not answered is sent again, and the half-open connection forgotten', () => {
  const bench = new SegmentBench({ limits: { tcp: { synRetries: 2 } } });
  const listener = bench.listen();
  const begun = bench.clock.now();
  bench.peer('S 0 <mss 1460>');
  bench.pass(100_000);
  const sent = bench.expect('S. 0 ack 1', 'S. 0 ack 1', 'S. 0 ack 1');
  assert.deepEqual(
    sent.map(({ at }) => at - begun),
    [0, 1000, 3000],
  );
  assert.equal(listener.halfOpen, 0);
  assert.equal(bench.stack.tcp.connections, 0);
});

test('a SYN that comes again is answered again, and our own clock for it goes on as before', () => {
  const bench = new SegmentBench();
  bench.listen();
  const begun = bench.clock.now();
  bench.peer('S 0 <mss 1460>');
  for (let i = 0; i < 20; i++) {
    bench.pass(10);
    bench.peer('S 0 <mss 1460>');
  }
  const sent = bench.segments();
  assert.equal(sent.length, 21);
  bench.pass(1000);
  const [again] = bench.expect('S. 0 ack 1');
  assert.equal(again!.at - begun, 1000);
  bench.peer('. 1 ack 1');
  assert.equal(bench.accepted.length, 1);
});

test('a handshake whose SYN was repeated starts with a timeout of 3 s, without timestamps to measure by (RFC 6298, section 5.7)', () => {
  const bench = new SegmentBench();
  const connection = bench.connect();
  bench.pass(1100);
  bench.expect('S 0', 'S 0');
  bench.peer('S. 0 ack 1 <mss 1460>');
  bench.expect('. 1 ack 1');
  const user = new PatternUser(connection);
  const begun = bench.clock.now();
  user.write(100);
  bench.pass(3500);
  const [, again] = bench.expect('P. 1:101 ack 1', 'P. 1:101 ack 1');
  assert.equal(again!.at - begun, 3000);
});

test('in SYN-SENT an ACK of something else is reset, and the attempt goes on (RFC 9293, section 3.10.7.3)', () => {
  const bench = new SegmentBench();
  const connection = bench.connect();
  bench.expect('S 0');
  bench.peer('. 500 ack 77');
  bench.expect('R 77');
  bench.peer('S. 0 ack 77 <mss 1460>');
  bench.expect('R 77');
  // A reset for something else says nothing either.
  bench.peer('R. 0 ack 77');
  bench.expect();
  assert.equal(connection.state, 'syn-sent');
  bench.peer('S. 0 ack 1 <mss 1460>');
  bench.expect('. 1 ack 1');
});

test('in SYN-SENT a reset counts only with an ACK of our SYN (RFC 9293, section 3.10.7.3)', () => {
  const bench = new SegmentBench();
  const connection = bench.connect();
  bench.expect('S 0');
  bench.peer('R 0');
  assert.equal(connection.state, 'syn-sent');
  bench.peer('R. 0 ack 1');
  assert.equal(connection.state, 'closed');
  assert.equal(bench.error?.code, 'CONNECTION_REFUSED');
  bench.expect();
});

test('in SYN-RECEIVED an ACK of something else is reset (RFC 9293, section 3.10.7.4, fifth step)', () => {
  const bench = new SegmentBench();
  bench.listen();
  bench.peer('S 0 <mss 1460>');
  bench.expect('S. 0 ack 1');
  bench.peer('. 1 ack 2');
  bench.expect('R 2');
  bench.peer('. 1 ack 0');
  bench.expect('R 0');
  bench.peer('. 1 ack 1');
  assert.equal(bench.accepted.length, 1);
});

test('in SYN-RECEIVED a reset returns to listening (RFC 9293, section 3.10.7.4, second step)', () => {
  const bench = new SegmentBench();
  const listener = bench.listen();
  bench.peer('S 0 <mss 1460>');
  bench.expect('S. 0 ack 1');
  bench.peer('R 1');
  assert.equal(listener.halfOpen, 0);
  assert.deepEqual(bench.accepted, []);
  bench.peer('S 100 <mss 1460>');
  bench.expect('S. 0 ack 101');
});

test('in SYN-RECEIVED another SYN in the window returns to listening (RFC 9293, section 3.10.7.4, fourth step)', () => {
  const bench = new SegmentBench();
  const listener = bench.listen();
  bench.peer('S 0 <mss 1460>');
  bench.expect('S. 0 ack 1');
  // The peer has started anew with a number that happens to lie in the window.
  bench.peer('S 500 <mss 1460>');
  assert.equal(listener.halfOpen, 0);
  bench.segments();
  bench.peer('S 500 <mss 1460>');
  bench.expect('S. 0 ack 501');
  bench.peer('. 501 ack 1');
  assert.equal(bench.accepted.length, 1);
});

test('in SYN-RECEIVED a segment outside the window is answered with where we are (RFC 9293, section 3.10.7.4, first step)', () => {
  const bench = new SegmentBench();
  bench.listen();
  bench.peer('S 0 <mss 1460>');
  bench.expect('S. 0 ack 1');
  bench.peer('. 100001:100002 ack 1');
  bench.expect('. 1 ack 1');
  assert.deepEqual(bench.accepted, []);
});

test('a listener resets an ACK, and lets a reset pass in silence (RFC 9293, section 3.10.7.2)', () => {
  const bench = new SegmentBench();
  bench.listen();
  bench.peer('. 5 ack 700');
  bench.expect('R 700');
  bench.peer('R 5');
  bench.peer('R. 5 ack 700');
  bench.expect();
});

test('a SYN to a port where nothing listens is reset, with an ACK of it (RFC 9293, section 3.10.7.1)', () => {
  const bench = new SegmentBench();
  bench.peer('S 0 <mss 1460>');
  bench.expect('R. 0 ack 1 win 0 <>');
  bench.peer('S 0:10');
  bench.expect('R. 0 ack 11');
  bench.peer('. 7:17 ack 99');
  bench.expect('R 99');
  bench.peer('F 7:17');
  bench.expect('R. 0 ack 18');
  assert.equal(bench.stack.tcp.statistics.resetsSent, 4);
});

test('SYN and FIN in one open nothing', () => {
  const bench = new SegmentBench();
  const listener = bench.listen();
  bench.peer('SF 0');
  bench.expect('R. 0 ack 2');
  assert.equal(listener.halfOpen, 0);
});

test('closing the listener resets what is half-open; what was accepted lives on', () => {
  const bench = new SegmentBench();
  const listener = bench.listen();
  const user = bench.accept();
  bench.peerPort++;
  bench.peer('S 0 <mss 1460>');
  bench.expect('S. 0 ack 1');
  bench.stack.tcp.unlisten(listener);
  bench.expect('R. 1 ack 1');
  assert.equal(user.connection.state, 'established');
  bench.stackIsn = 0;
  bench.peer('S 0 <mss 1460>');
  bench.expect('R. 0 ack 1');
});

test('ending before the handshake is done sends text and FIN once it is', () => {
  const bench = new SegmentBench();
  const connection = bench.connect();
  const user = new PatternUser(connection);
  user.write(10);
  connection.end();
  bench.settle();
  bench.expect('S 0');
  bench.peer('S. 0 ack 1 <mss 1460>');
  bench.expect('FP. 1:11 ack 1');
  assert.equal(connection.state, 'fin-wait-1');
});

test('aborting in SYN-SENT says nothing to the peer; in SYN-RECEIVED it resets (RFC 9293, section 3.10.5)', () => {
  const bench = new SegmentBench();
  const first = bench.connect();
  bench.expect('S 0');
  first.abort();
  bench.expect();
  assert.equal(bench.error?.code, 'ABORTED');
  const second = bench.connect();
  bench.expect('S 0');
  bench.peer('S 0 <mss 1460>');
  bench.expect('S. 0 ack 1');
  second.abort();
  bench.expect('R. 1 ack 1');
});

test('a listener at one address takes connections to that one only', () => {
  const bench = new SegmentBench({ addresses: ['10.0.0.1/24', '10.0.0.9/24'] });
  bench.stack.tcp.listen(STACK_PORT, IpAddress.parse('10.0.0.9'), undefined, () => undefined);
  bench.peer('S 0 <mss 1460>');
  bench.expect('R. 0 ack 1');
});

test('initial numbers rise with time for the same ends, by 250,000 a second (RFC 6528, section 3)', () => {
  const bench = new SegmentBench();
  bench.listen();
  bench.peer('S 0 <mss 1460>');
  bench.expect('S. 0 ack 1');
  const first = bench.stackIsn;
  bench.peer('R 1');
  bench.pass(2000);
  bench.peer('S 0 <mss 1460>');
  bench.expect('S. 0 ack 1');
  assert.equal((bench.stackIsn - first) | 0, 500_000);
});
