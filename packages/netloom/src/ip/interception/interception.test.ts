/** What comes for others, taken up in their name. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Cidr,
  IpAddress,
  MacAddress,
  copyBytes,
  readInt32,
  type NetloomError,
} from '../../core/index.ts';
import { IpProtocol, describeFrame } from '../../wire/index.ts';
import type { TcpConnection } from '../tcp/connection.ts';
import { icmpFrame, ipFrame, udpDatagram, udpFrame, type Ends } from '../../../test/ip/frames.ts';
import {
  PEER_ISN,
  SegmentBench,
  type SegmentBenchOptions,
} from '../../../test/ip/segment-bench.ts';
import { PatternUser, pattern } from '../../../test/ip/stack-bench.ts';
import type {
  AttemptEnd,
  InterceptedConnection,
  InterceptedDatagram,
  InterceptedEcho,
  Interceptor,
} from './interceptor.ts';
import type { Interception, InterceptionOptions } from './interception.ts';

const FAR = { 4: IpAddress.parse('198.51.100.7'), 6: IpAddress.parse('2001:db8:f::7') } as const;
const FAMILIES = [4, 6] as const;

/** Keeps what it was given. */
class Keeper implements Interceptor {
  readonly attempts: InterceptedConnection[] = [];
  readonly ends: AttemptEnd[] = [];
  readonly datagrams: InterceptedDatagram[] = [];
  readonly echoes: InterceptedEcho[] = [];

  connection(attempt: InterceptedConnection): void {
    this.attempts.push(attempt);
    attempt.cancelled = (why) => this.ends.push(why);
  }

  datagram(datagram: InterceptedDatagram): void {
    this.datagrams.push({ ...datagram, data: copyBytes(datagram.data) });
  }

  echo(request: InterceptedEcho): void {
    this.echoes.push(request);
  }
}

/** A stack whose peer, the guest, speaks to a host that is somewhere else. */
class InterceptionBench extends SegmentBench {
  readonly keeper: Keeper = new Keeper();
  readonly interception: Interception;
  /** From the guest to the far host. */
  override readonly ends: Ends;
  readonly opened: (TcpConnection | NetloomError)[] = [];

  constructor(
    options: SegmentBenchOptions = {},
    interception: Partial<InterceptionOptions> = {},
    destination: IpAddress = FAR[options.family ?? 4],
  ) {
    super({ forwarding: true, ...options });
    const base = this.benchEnds();
    this.ends = { ...base, destination };
    const all = { interfaces: [this.interface], ...interception };
    this.interception = this.stack.intercept(all, this.keeper);
  }

  benchEnds(): Ends {
    const sourceMac = MacAddress.parse('02:00:00:00:00:02');
    const destinationMac = MacAddress.parse('02:00:00:00:00:01');
    return { source: this.peerAddress, destination: this.stackAddress, sourceMac, destinationMac };
  }

  get attempt(): InterceptedConnection {
    return this.keeper.attempts.at(-1)!;
  }

  /** Accepts the last attempt. */
  answer(): void {
    this.attempt.accept((made, error) => this.opened.push(error ?? made));
    this.settle();
  }

  /** The addresses of what the stack has sent last, and in words. */
  said(): string[] {
    return this.lines();
  }
}

for (const family of FAMILIES) {
  test(`IPv${family}: a SYN to anybody waits for its answer, which comes in the name of whom it was for`, () => {
    const bench = new InterceptionBench({ family });
    bench.peer('S 0 <mss 1460,sackOK,ts,wscale 7>');
    bench.expect();
    const { attempt } = bench;
    assert.equal(String(attempt.local.address), String(FAR[family]));
    assert.equal(attempt.local.port, 80);
    assert.equal(String(attempt.remote.address), String(bench.peerAddress));
    assert.equal(attempt.isOwn, false);
    bench.pass(300);
    bench.answer();
    const size = family === 4 ? 1460 : 1440;
    const [synAck] = bench.expect(`S. 0 ack 1 <mss ${size},wscale 7,sackOK,ts>`);
    assert.match(describeFrame(synAck!.frame.bytes), new RegExp(`^\\[?${FAR[family]}`));
    assert.equal(bench.opened.length, 0, 'the guest has not answered yet');
    bench.peer('. 1 ack 1');
    const [connection] = bench.opened as TcpConnection[];
    const user = new PatternUser(connection!);
    bench.peer('P. 1:101 ack 1');
    assert.equal(user.received, 100);
    user.write(50);
    bench.pass(50);
    const sent = bench.segments().at(-1);
    assert.equal(sent!.length, 50);
    assert.match(describeFrame(sent!.frame.bytes), new RegExp(`^\\[?${FAR[family]}`));
    assert.equal(bench.stack.tcp.attempts.size, 0);
  });

  for (const [how, pattern] of [
    ['host-unreachable', family === 4 ? /ICMP host unreachable/ : /ICMPv6 address unreachable/],
    ['network-unreachable', family === 4 ? /ICMP network unreachable/ : /ICMPv6 no route/],
    ['prohibited', /prohibited/],
  ] as const) {
    test(`IPv${family}: refused as ${how} by the gateway itself, and the error names the segment`, () => {
      const bench = new InterceptionBench({ family });
      bench.peer('S 0 <mss 1460>');
      bench.attempt.refuse(how);
      const [error] = bench.take();
      const line = describeFrame(error!.bytes);
      assert.match(line, pattern);
      assert.ok(line.startsWith(`${bench.stackAddress} > ${bench.peerAddress}`), line);
      assert.ok(line.includes(String(FAR[family])) && line.includes('5000'), line);
      // The last four of the eight bytes of TCP that are quoted: by its number a host tells its segment from one somebody made up.
      assert.equal(readInt32(error!.bytes, error!.bytes.length - 4), PEER_ISN);
      assert.equal(bench.stack.tcp.attempts.size, 0);
    });
  }
}

test('refused by a reset, as a closed port does (RFC 9293, section 3.10.7.1)', () => {
  const bench = new InterceptionBench();
  bench.peer('S 0 <mss 1460>');
  bench.attempt.refuse('reset');
  const [segment] = bench.expect('R. 0 ack 1');
  assert.match(describeFrame(segment!.frame.bytes), /^198\.51\.100\.7:80 > 10\.0\.0\.2:5000/);
  bench.attempt.refuse('host-unreachable');
  bench.attempt.accept(() => assert.fail('it was refused'));
  bench.expect();
});

test('refused in silence, the guest’s next SYN is a new attempt', () => {
  const bench = new InterceptionBench();
  bench.peer('S 0 <mss 1460>');
  bench.attempt.refuse('silently');
  bench.expect();
  bench.peer('S 0 <mss 1460>');
  assert.equal(bench.keeper.attempts.length, 2);
});

test('a SYN that comes again makes no second attempt; the last one’s options are taken', () => {
  const bench = new InterceptionBench();
  bench.peer('S 0 <mss 1460>');
  bench.pass(1000);
  bench.peer('S 0 <mss 1000>');
  assert.equal(bench.keeper.attempts.length, 1);
  bench.answer();
  bench.expect('S. 0 ack 1');
  bench.peer('S 0 <mss 1000>');
  bench.expect('S. 0 ack 1');
  bench.peer('. 1 ack 1');
  const user = new PatternUser(bench.opened[0] as TcpConnection);
  user.write(1500);
  bench.pass(10);
  assert.equal(bench.segments()[0]!.length, 1000);
});

test('a guest that starts anew is answered with its new number', () => {
  const bench = new InterceptionBench();
  bench.peer('S 0 <mss 1460>');
  bench.peer('S 5000 <mss 1460>');
  assert.equal(bench.keeper.attempts.length, 1);
  bench.answer();
  bench.expect('S. 0 ack 5001');
});

test('a guest that resets, or is heard no more, has given up; afterwards nothing answers', () => {
  const bench = new InterceptionBench();
  bench.peer('S 0 <mss 1460>');
  bench.peer('R 7');
  assert.deepEqual(bench.keeper.ends, [], 'a number that cannot be meant');
  bench.peer('R 1');
  assert.deepEqual(bench.keeper.ends, ['reset']);
  bench.answer();
  bench.expect();
  bench.peer('S 0 <mss 1460>');
  bench.pass(60_000);
  bench.peer('S 0 <mss 1460>');
  bench.pass(60_000);
  assert.deepEqual(bench.keeper.ends, ['reset']);
  bench.pass(20_000);
  assert.deepEqual(bench.keeper.ends, ['reset', 'timeout']);
  assert.equal(bench.stack.tcp.attempts.size, 0);
  assert.equal(bench.stack.tcp.connections, 0);
});

test('an acknowledgment of what was never sent is reset, and the attempt lives on', () => {
  const bench = new InterceptionBench();
  bench.peer('S 0 <mss 1460>');
  bench.peer('. 1 ack 77');
  bench.expect('R 77');
  assert.deepEqual(bench.keeper.ends, []);
});

test('a segment of no connection to anybody is reset in that host’s name', () => {
  const bench = new InterceptionBench();
  bench.peer('. 1 ack 77');
  const [segment] = bench.expect('R 77');
  assert.match(describeFrame(segment!.frame.bytes), /^198\.51\.100\.7:80 >/);
  assert.equal(bench.keeper.attempts.length, 0);
});

test('a guest that does not finish the handshake: the acceptor is told', () => {
  const bench = new InterceptionBench({ limits: { tcp: { synRetries: 1 } } });
  bench.peer('S 0 <mss 1460>');
  bench.answer();
  bench.expect('S. 0 ack 1');
  bench.pass(10_000);
  assert.equal((bench.opened[0] as NetloomError).code, 'TIMEOUT');
  assert.equal(bench.stack.tcp.attempts.size, 0);
  bench.segments();
  bench.peer('S 0 <mss 1460>');
  bench.answer();
  bench.segments();
  bench.peer('R. 1 ack 1');
  assert.equal((bench.opened[1] as NetloomError).code, 'CONNECTION_REFUSED');
});

test('attempts are bounded: of one guest, by whatever addresses, the newest is passed over; of all the oldest gives way of who has most', () => {
  const limits = { tcp: { attempts: 4, attemptsPerGuest: 3 } };
  const bench = new InterceptionBench({ limits, addresses: ['10.0.0.1/16'] });
  for (let port = 1; port <= 5; port++) {
    bench.peerPort = port;
    Object.assign(bench.ends, { source: IpAddress.parse(`10.0.2.${port}`) });
    bench.learn(bench.ends.source);
    bench.peer('S 0 <mss 1460>');
  }
  assert.equal(bench.keeper.attempts.length, 3);
  assert.equal(bench.stack.tcp.statistics.drops.get('tcp-attempts-of-guest-limit'), 2);
  // One of them has been accepted, and counts until its handshake is done.
  bench.keeper.attempts[0]!.accept((made, error) => bench.opened.push(error ?? made));
  bench.segments();
  for (let guest = 10; guest < 13; guest++) {
    const sourceMac = new MacAddress(0x0200, guest);
    Object.assign(bench.ends, { source: IpAddress.parse(`10.0.1.${guest}`), sourceMac });
    bench.learn(bench.ends.source);
    bench.peer('S 0 <mss 1460>');
  }
  assert.equal(bench.stack.tcp.attempts.size, 4);
  assert.equal((bench.opened[0] as NetloomError).code, 'TOO_MANY_OPEN');
  assert.deepEqual(bench.keeper.ends, ['displaced']);
  assert.ok(bench.keeper.attempts.slice(3).every(({ cancelled }) => cancelled !== undefined));
  assert.equal(bench.stack.tcp.connections, 4);
});

test('listeners of the stack do not hear what is for others; own addresses are intercepted where that is asked for', () => {
  const bench = new InterceptionBench();
  bench.listen();
  bench.peer('S 0 <mss 1460>');
  assert.equal(bench.keeper.attempts.length, 1);
  const socket = bench.stack.udp.bind(IpAddress.ANY6, 53, false);
  socket.start({ receive: () => assert.fail('a datagram for another') });
  bench.inject(udpFrame(bench.ends, 4000, 53, pattern(0, 20)));
  assert.equal(bench.keeper.datagrams.length, 1);
  const own = new InterceptionBench({}, { ownAddresses: true }, IpAddress.parse('10.0.0.1'));
  own.peer('S 0 <mss 1460>');
  assert.equal(own.attempt.isOwn, true);
  own.attempt.refuse('reset');
  own.expect('R. 0 ack 1');
  own.listen();
  own.peer('S 0 <mss 1460>');
  own.expect('S. 0 ack 1');
  assert.equal(own.keeper.attempts.length, 1);
  const without = new InterceptionBench({}, {}, IpAddress.parse('10.0.0.1'));
  without.peer('S 0 <mss 1460>');
  without.expect('R. 0 ack 1');
});

test('attempts count among the stack’s connections, which are limited', () => {
  const bench = new InterceptionBench({ limits: { tcp: { connections: 2 } } });
  for (const port of [1, 2, 3]) {
    bench.peerPort = port;
    bench.peer('S 0 <mss 1460>');
  }
  bench.expect();
  assert.equal(bench.keeper.attempts.length, 2);
  assert.equal(bench.stack.tcp.statistics.drops.get('tcp-connection-limit'), 1);
});

test('other protocols for others are not known here; IGMP for another is not for our groups', () => {
  const bench = new InterceptionBench();
  bench.inject(ipFrame(bench.ends, IpProtocol.IGMP, new Uint8Array(8)));
  bench.inject(ipFrame(bench.ends, 47, new Uint8Array(8)));
  assert.equal(bench.interface.drops.get('ip-unknown-protocol'), 2);
  assert.match(bench.lines().join(), /^198\.51\.100\.7 > .*protocol unreachable/);
});

test('a closed interception gives up what waits; packets then go the way they went before', () => {
  const bench = new InterceptionBench();
  bench.peer('S 0 <mss 1460>');
  bench.interception.close();
  bench.interception.close();
  assert.deepEqual(bench.keeper.ends, ['closed']);
  bench.peer('S 0 <mss 1460>');
  assert.match(bench.said().join(), /network unreachable/);
});

test('an interface that goes takes the attempts of its guests along', async () => {
  const bench = new InterceptionBench();
  bench.peer('S 0 <mss 1460>');
  const removed = bench.stack.removeInterface(bench.interface);
  assert.deepEqual(bench.keeper.ends, ['closed']);
  bench.pass(1);
  await removed;
});

test('the stack’s end takes attempts along', async () => {
  const bench = new InterceptionBench();
  bench.peer('S 0 <mss 1460>');
  const closed = bench.stack.close();
  bench.pass(1000);
  await closed;
  assert.deepEqual(bench.keeper.ends, ['closed']);
});

test('the path MTU found with an intercepted connection is heeded', () => {
  const bench = new InterceptionBench();
  bench.peer('S 0 <mss 1460>');
  bench.answer();
  bench.expect('S. 0 ack 1');
  bench.peer('. 1 ack 1');
  const user = new PatternUser(bench.opened[0] as TcpConnection);
  user.write(1460);
  bench.pass(1);
  const [large] = bench.expect('P. 1:1461 ack 1');
  const quoted = large!.frame.bytes.subarray(14, 14 + 28);
  bench.inject(icmpFrame(bench.ends, 3, 4, 1000, quoted));
  bench.pass(1);
  assert.equal(bench.segments()[0]!.length, 960);
});

for (const family of FAMILIES) {
  test(`IPv${family}: a datagram to anybody, and one back from anybody`, () => {
    const bench = new InterceptionBench({ family });
    bench.inject(udpFrame(bench.ends, 4000, 53, pattern(0, 20)));
    const [datagram] = bench.keeper.datagrams;
    assert.deepEqual(datagram!.data, pattern(0, 20));
    assert.equal(String(datagram!.remote.address), String(bench.peerAddress));
    assert.deepEqual(
      [datagram!.remote.port, String(datagram!.destination.address), datagram!.destination.port],
      [4000, String(FAR[family]), 53],
    );
    const back = { data: pattern(0, 5), remote: datagram!.remote };
    assert.ok(bench.stack.udp.sendAs(datagram!.destination, back));
    const from = family === 4 ? FAR[4] : `[${FAR[6]}]`;
    const to = family === 4 ? bench.peerAddress : `[${bench.peerAddress}]`;
    assert.deepEqual(bench.lines(), [`${from}:53 > ${to}:4000 UDP len=5`]);
    assert.equal(bench.stack.udp.drops.total(), 0);
  });

  test(`IPv${family}: what is too large for the link comes and goes in fragments`, () => {
    const bench = new InterceptionBench({ family, mtu: 1500 });
    const whole = udpDatagram(bench.ends, 4000, 4001, pattern(0, 3000));
    if (family === 4) {
      const cut = (from: number, to: number, more: boolean): Uint8Array =>
        ipFrame(
          {
            ...bench.ends,
            v4: {
              dontFragment: false,
              identification: 7,
              fragmentOffset: from,
              moreFragments: more,
            },
          },
          IpProtocol.UDP,
          whole.subarray(from, to),
        );
      bench.inject(cut(0, 1480, true));
      assert.equal(bench.keeper.datagrams.length, 0);
      bench.inject(cut(1480, 2960, true));
      bench.inject(cut(2960, 3008, false));
      assert.deepEqual(bench.keeper.datagrams[0]!.data, pattern(0, 3000));
    }
    const remote = { address: bench.peerAddress, port: 4000 };
    bench.stack.udp.sendAs(
      { address: FAR[family], port: 4001 },
      { data: pattern(0, 3000), remote },
    );
    assert.equal(bench.take().length, 3);
  });

  test(`IPv${family}: what became of a datagram is told, a closed port by the host that has it`, () => {
    const bench = new InterceptionBench({ family });
    bench.inject(udpFrame(bench.ends, 4000, 53, pattern(0, 20)));
    const { remote, destination } = bench.keeper.datagrams[0]!;
    bench.stack.udp.report(remote, destination, 'port-unreachable');
    bench.stack.udp.report(remote, destination, 'host-unreachable');
    const [port, host] = bench.lines();
    assert.match(port!, /port unreachable/);
    assert.ok(port!.startsWith(`${FAR[family]} > `), port!);
    assert.ok(host!.startsWith(`${bench.stackAddress} > `), host!);
    for (const line of [port!, host!]) assert.match(line, /:4000 > .*:53/);
  });

  test(`IPv${family}: echo requests to anybody are answered when it is known how`, () => {
    const bench = new InterceptionBench({ family });
    const type = family === 4 ? 8 : 128;
    bench.inject(icmpFrame(bench.ends, type, 0, 0x1234_0007, pattern(0, 30)));
    bench.inject(icmpFrame(bench.ends, type, 0, 0x1234_0008, pattern(0, 30)));
    assert.deepEqual(bench.lines(), []);
    const [first, second] = bench.keeper.echoes;
    assert.deepEqual([first!.sequence, first!.size], [7, 30]);
    assert.equal(String(first!.target), String(FAR[family]));
    first!.reply();
    const [reply] = bench.take();
    assert.deepEqual(reply!.bytes.subarray(-30), pattern(0, 30));
    assert.match(describeFrame(reply!.bytes), new RegExp(`^${FAR[family]} > .*echo reply`));
    second!.unreachable('host-unreachable');
    assert.match(bench.lines().join(), family === 4 ? /host unreachable/ : /address unreachable/);
  });

  test(`IPv${family}: on its last hop a packet is told so by the gateway, and goes nowhere`, () => {
    const bench = new InterceptionBench({ family });
    bench.inject(udpFrame({ ...bench.ends, hopLimit: 1 }, 4000, 33434, pattern(0, 20)));
    const [line] = bench.lines();
    assert.match(line!, /time to live exceeded|hop limit exceeded/);
    assert.ok(line!.startsWith(`${bench.stackAddress} > `), line!);
    assert.equal(bench.keeper.datagrams.length, 0);
    assert.equal(bench.interface.drops.get('intercept-hop-limit'), 1);
  });
}

test('not intercepted: groups, broadcasts, link-local addresses, and sources that are reached elsewhere', () => {
  const bench = new InterceptionBench({}, { prefixes: [Cidr.parse('0.0.0.0/0')] });
  bench.addCable({ addresses: ['203.0.113.9/24'] });
  const change: readonly Partial<Ends>[] = [
    { destination: IpAddress.parse('224.0.0.251') },
    { destination: IpAddress.parse('10.0.0.255') },
    { destination: IpAddress.BROADCAST4 },
    { destination: IpAddress.parse('169.254.169.254') },
    { destination: IpAddress.parse('127.0.0.1') },
    { source: IpAddress.parse('169.254.1.1') },
    { source: IpAddress.ANY4 },
    { source: IpAddress.parse('203.0.113.1') },
    { destinationMac: MacAddress.BROADCAST },
  ];
  for (const each of change) {
    const ends = { ...bench.ends, ...each };
    bench.inject(udpFrame(ends, 4000, 53, pattern(0, 20)));
    bench.inject(icmpFrame(ends, 8, 0, 7, pattern(0, 20)));
  }
  assert.equal(bench.keeper.datagrams.length, 0);
  assert.equal(bench.keeper.echoes.length, 0);
  // Counted once for the two that came together.
  assert.equal(bench.interface.drops.get('intercept-source-elsewhere'), 1);
});

test('what a route leads to is passed on; prefixes count before routes', () => {
  const bench = new InterceptionBench();
  bench.inject(udpFrame(bench.ends, 4000, 53, pattern(0, 20)));
  assert.equal(bench.keeper.datagrams.splice(0).length, 1);
  const far = bench.addCable({ addresses: ['198.51.100.1/24'] });
  far.learn(FAR[4], MacAddress.parse('02:00:00:00:00:04'));
  bench.inject(udpFrame(bench.ends, 4000, 53, pattern(0, 20)));
  assert.equal(far.take().length, 1);
  assert.equal(bench.keeper.datagrams.length, 0);
  const second = new Keeper();
  bench.stack.intercept(
    { interfaces: [bench.interface], prefixes: [Cidr.parse('198.51.100.0/28')] },
    second,
  );
  bench.inject(udpFrame(bench.ends, 4000, 53, pattern(0, 20)));
  assert.equal(second.datagrams.length, 1);
  bench.inject(
    udpFrame(
      { ...bench.ends, destination: IpAddress.parse('198.51.100.77') },
      4000,
      53,
      pattern(0, 1),
    ),
  );
  assert.equal(second.datagrams.length, 1);
});

test('another interface’s packets are not intercepted', () => {
  const bench = new InterceptionBench();
  const other = bench.addCable({ addresses: ['10.9.0.1/24'] });
  const source = IpAddress.parse('10.9.0.2');
  other.learn(source, MacAddress.parse('02:00:00:00:00:04'));
  const ends = {
    source,
    destination: FAR[4],
    sourceMac: MacAddress.parse('02:00:00:00:00:04'),
    destinationMac: MacAddress.parse('02:00:00:00:00:03'),
  };
  other.inject(udpFrame(ends, 4000, 53, pattern(0, 20)));
  assert.equal(bench.keeper.datagrams.length, 0);
  assert.match(other.lines().join(), /network unreachable/);
});

test('neighbour discovery for another host is nothing to us', () => {
  const bench = new InterceptionBench({ family: 6 });
  bench.inject(icmpFrame({ ...bench.ends, hopLimit: 255 }, 135, 0, 0, new Uint8Array(16)));
  assert.equal(bench.stack.icmp.drops.get('icmp-unknown-type'), 1);
});
