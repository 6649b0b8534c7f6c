/** UDP: who receives what, and what goes out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress, MacAddress, writeUint16, type Datagram } from '../../core/index.ts';
import {
  Icmpv6Type,
  IpProtocol,
  describeFrame,
  finishChecksum,
  sumWords,
} from '../../wire/index.ts';
import { icmpFrame, ipFrame, udpDatagram, udpFrame, type Ends } from '../../../test/ip/frames.ts';
import {
  PEER_MAC,
  SECOND_PEER_MAC,
  SECOND_STACK_MAC,
  STACK_MAC,
  StackBench,
  type StackBenchOptions,
} from '../../../test/ip/stack-bench.ts';
import type { UdpSocket } from './udp-socket.ts';

const OWN = { 4: IpAddress.parse('10.0.0.1'), 6: IpAddress.parse('2001:db8::1') } as const;
const PEER = { 4: IpAddress.parse('10.0.0.2'), 6: IpAddress.parse('2001:db8::2') } as const;
const GROUP = IpAddress.parse('239.1.2.3');

function bench(options: StackBenchOptions = {}): StackBench {
  const made = new StackBench(options);
  made.learn(PEER[4]);
  made.learn(PEER[6]);
  return made;
}

function ends(family: 4 | 6, change: Partial<Ends> = {}): Ends {
  return {
    source: PEER[family],
    destination: OWN[family],
    sourceMac: PEER_MAC,
    destinationMac: STACK_MAC,
    ...change,
  };
}

function toGroup(destination: IpAddress): Ends {
  const mac = destination.isMulticast
    ? MacAddress.ofMulticast(destination.family, destination.word3)
    : MacAddress.BROADCAST;
  return ends(destination.family, { destination, destinationMac: mac });
}

/** What a socket receives, as `from > to: bytes`, and its errors. */
function record(socket: UdpSocket): string[] {
  const seen: string[] = [];
  socket.start({
    receive: (batch) => {
      for (const { data, remote, local } of batch) {
        seen.push(`${remote.address}:${remote.port} > ${local}: ${data.length}`);
      }
    },
    error: ({ code }) => seen.push(code),
    closed: (error) => seen.push(error === undefined ? 'closed' : `closed ${error.code}`),
  });
  return seen;
}

function datagram(length: number, address: IpAddress, port = 9): Datagram {
  return { data: new Uint8Array(length), remote: { address, port } };
}

test('a datagram comes with both its ends and its ECN bits', () => {
  const made = bench();
  const socket = made.stack.udp.bind(IpAddress.ANY6, 53, false);
  const received: Datagram[] = [];
  socket.start({
    receive: ([one]) => received.push({ ...one!, data: one!.data.slice() }),
  });
  for (const family of [4, 6] as const) {
    const bytes = udpFrame(
      ends(family, { v4: { trafficClass: 3 } }),
      5000,
      53,
      Uint8Array.of(1, 2),
    );
    made.inject(bytes);
    const { data, remote, local, ecn } = received.pop()!;
    assert.deepEqual([...data], [1, 2]);
    assert.equal(
      `${remote.address} ${remote.port} ${local}`,
      `${PEER[family]} 5000 ${OWN[family]}`,
    );
    assert.equal(ecn, family === 4 ? 3 : 0);
  }
});

test('a checksum left unfinished inside a datagram, as a tunnel’s is, is finished for whoever receives it', () => {
  for (const family of [4, 6] as const) {
    const made = bench({ offload: { checksum: true, segmentation: 65_535 } });
    const socket = made.stack.udp.bind(IpAddress.ANY6, 4789, false);
    const received: Uint8Array[] = [];
    socket.start({ receive: ([one]) => received.push(one!.data.slice()) });
    const unfinished = Uint8Array.from({ length: 61 }, (_, index) => index);
    const finished = unfinished.slice();
    writeUint16(finished, 36, finishChecksum(sumWords(unfinished, 20, unfinished.length)));
    // The outer checksum is right as soon as the inner one is, as the kernel makes it.
    const frame = udpFrame(ends(family), 5000, 4789, finished);
    const payload = frame.length - unfinished.length;
    frame.set(unfinished, payload);
    const offload = { checksumStart: payload + 20, checksumOffset: 16, segmentSize: 0 };
    made.inject(frame, offload);
    assert.deepEqual(received, [finished]);
    frame[payload]! ^= 1;
    made.inject(frame, offload);
    assert.equal(made.stack.udp.drops.get('udp-bad-checksum'), 1);
  }
});

test('the socket bound most closely receives: an address before any address', () => {
  const made = bench();
  const any = record(made.stack.udp.bind(IpAddress.ANY4, 53, true));
  const one = record(made.stack.udp.bind(OWN[4], 53, true));
  made.inject(udpFrame(ends(4), 1, 53, new Uint8Array(3)));
  assert.deepEqual([any, one], [[], ['10.0.0.2:1 > 10.0.0.1: 3']]);
});

test('a socket at 0.0.0.0 takes no IPv6, one at :: takes both', () => {
  const made = bench();
  const four = record(made.stack.udp.bind(IpAddress.ANY4, 53, false));
  const both = record(made.stack.udp.bind(IpAddress.ANY6, 54, false));
  for (const family of [4, 6] as const) {
    made.inject(udpFrame(ends(family), 1, 53, new Uint8Array(1)));
    made.inject(udpFrame(ends(family), 1, 54, new Uint8Array(1)));
  }
  assert.equal(four.length, 1);
  assert.equal(both.length, 2);
});

test('a port is had once, unless it is shared or the addresses differ', () => {
  const { stack } = bench();
  stack.udp.bind(OWN[4], 53, false);
  assert.throws(() => stack.udp.bind(IpAddress.ANY4, 53, false), { code: 'ADDRESS_IN_USE' });
  assert.throws(() => stack.udp.bind(OWN[4], 53, true), { code: 'ADDRESS_IN_USE' });
  stack.udp.bind(OWN[6], 53, false);
  stack.udp.bind(IpAddress.ANY4, 54, true);
  stack.udp.bind(IpAddress.ANY4, 54, true);
});

test('a socket is given a free ephemeral port, and sockets are limited', () => {
  const { stack } = bench({ limits: { stack: { udpSockets: 2 } } });
  const ports = [1, 2].map(() => stack.udp.bind(IpAddress.ANY4, 0, false).local.port);
  assert.ok(ports.every((port) => port >= 49_152));
  assert.notEqual(ports[0], ports[1]);
  assert.throws(() => stack.udp.bind(IpAddress.ANY4, 0, false), { code: 'TOO_MANY_OPEN' });
});

test('a broadcast reaches every socket at its port (RFC 1122, section 3.3.6)', () => {
  const made = bench();
  const first = record(made.stack.udp.bind(IpAddress.ANY4, 67, true));
  const second = record(made.stack.udp.bind(IpAddress.ANY6, 67, true));
  for (const to of ['255.255.255.255', '10.0.0.255']) {
    made.inject(udpFrame(toGroup(IpAddress.parse(to)), 68, 67, new Uint8Array(4)));
  }
  const seen = ['10.0.0.2:68 > 255.255.255.255: 4', '10.0.0.2:68 > 10.0.0.255: 4'];
  assert.deepEqual([first, second], [seen, seen]);
  // To a port where nothing listens: no answer (RFC 1122, section 3.2.2).
  made.inject(udpFrame(toGroup(IpAddress.BROADCAST4), 68, 99, new Uint8Array(4)));
  assert.deepEqual(made.lines(), []);
});

test('a broadcast is sent to the station address of all', () => {
  const made = bench();
  const socket = made.stack.udp.bind(IpAddress.ANY4, 68, false);
  socket.send([datagram(1, IpAddress.BROADCAST4), datagram(1, IpAddress.parse('10.0.0.255'))]);
  const sent = made.take();
  assert.deepEqual(
    sent.map(({ bytes }) => describeFrame(bytes)),
    ['10.0.0.1:68 > 255.255.255.255:9 UDP len=1', '10.0.0.1:68 > 10.0.0.255:9 UDP len=1'],
  );
  for (const { bytes } of sent) assert.deepEqual(MacAddress.read(bytes, 0), MacAddress.BROADCAST);
});

test('a group’s datagrams come while it is joined, and the routers are told of both (RFC 3376; RFC 3810)', () => {
  for (const [group, any, report] of [
    [GROUP, IpAddress.ANY4, /IGMPv3 report 239\.1\.2\.3/],
    [IpAddress.parse('ff0e::7'), IpAddress.ANY6, /MLDv2 report ff0e::7/],
  ] as const) {
    const made = bench();
    const socket = made.stack.udp.bind(any, 5353, false);
    const seen = record(socket);
    const frame = udpFrame(toGroup(group), 1, 5353, new Uint8Array(2));
    made.inject(frame);
    assert.deepEqual(seen, []);
    socket.joinGroup(group);
    assert.match(made.lines().join('\n'), report);
    made.inject(frame);
    assert.equal(seen.length, 1);
    socket.leaveGroup(group);
    assert.match(made.lines().join('\n'), report);
    made.inject(frame);
    assert.equal(seen.length, 1);
  }
});

test('closing a socket leaves its groups; those joined by another stay', () => {
  const made = bench();
  const [first, second] = [1, 2].map(() => made.stack.udp.bind(IpAddress.ANY4, 5353, true));
  const seen = record(second!);
  first!.joinGroup(GROUP);
  second!.joinGroup(GROUP);
  void first!.close();
  made.inject(udpFrame(toGroup(GROUP), 1, 5353, new Uint8Array(2)));
  assert.equal(seen.length, 1);
  void second!.close();
  made.settle();
  made.inject(udpFrame(toGroup(GROUP), 1, 5353, new Uint8Array(2)));
  assert.deepEqual(seen, ['10.0.0.2:1 > 239.1.2.3: 2', 'closed']);
});

test('a group is joined where it is asked for, and an address of nobody’s is refused', () => {
  const made = bench();
  const other = made.addCable({ addresses: ['10.1.0.1/24'] });
  const socket = made.stack.udp.bind(IpAddress.ANY4, 5353, false);
  socket.joinGroup(GROUP, IpAddress.parse('10.1.0.1'));
  assert.match(other.lines().join(), /IGMPv3 report 239\.1\.2\.3/);
  assert.deepEqual(made.lines(), []);
  assert.throws(() => socket.joinGroup(GROUP, IpAddress.parse('192.0.2.1')), {
    code: 'ADDRESS_NOT_AVAILABLE',
  });
});

test('a socket of one interface hears that one only, and sends groups and broadcasts there', () => {
  const made = bench();
  const other = made.addCable({ addresses: [] });
  const socket = made.stack.udp.bind(IpAddress.ANY4, 68, false, other.interface);
  const seen = record(socket);
  made.inject(udpFrame(toGroup(IpAddress.BROADCAST4), 67, 68, new Uint8Array(1)));
  assert.deepEqual(seen, []);
  const far = { ...toGroup(IpAddress.BROADCAST4), sourceMac: SECOND_PEER_MAC };
  other.inject(udpFrame(far, 67, 68, new Uint8Array(1)));
  assert.equal(seen.length, 1);
  socket.send([datagram(5, IpAddress.BROADCAST4)]);
  const [sent] = other.take();
  assert.equal(describeFrame(sent!.bytes), '0.0.0.0:68 > 255.255.255.255:9 UDP len=5');
  assert.deepEqual(MacAddress.read(sent!.bytes, 6), SECOND_STACK_MAC);
});

test('datagrams that come before the user starts are kept, so many bytes of them; empty ones are not free', () => {
  const made = bench({ limits: { stack: { udpReceiveBuffer: 10_000 } } });
  const socket = made.stack.udp.bind(IpAddress.ANY4, 53, false);
  for (let i = 0; i < 1000; i++) made.inject(udpFrame(ends(4), 1, 53, new Uint8Array()));
  const dropped = made.stack.udp.drops.get('udp-receive-buffer-full');
  assert.ok(dropped > 900, `${dropped} of 1,000 dropped`);
  const seen = record(socket);
  made.settle();
  assert.equal(seen.length, 1000 - dropped);
});

test('a datagram larger than the MTU is cut, DF being off (RFC 1122, section 3.3.3; RFC 8200, section 4.5)', () => {
  for (const family of [4, 6] as const) {
    const made = bench();
    const socket = made.stack.udp.bind(IpAddress.ANY6, 0, false);
    assert.equal(socket.send([datagram(4000, PEER[family])]), 1);
    const lines = made.lines();
    assert.equal(lines.length, 3);
    assert.ok(lines.every((line) => line.includes('fragment')));
  }
});

test('what fits into no datagram is refused by name', () => {
  const made = bench();
  const seen = record(made.stack.udp.bind(IpAddress.ANY6, 700, false));
  const [socket] = made.stack.udp.sockets();
  assert.equal(socket!.send([datagram(65_508, PEER[4]), datagram(65_528, PEER[6])]), 0);
  made.settle();
  assert.deepEqual(seen, ['DATAGRAM_TOO_LARGE', 'DATAGRAM_TOO_LARGE']);
  assert.equal(socket!.send([datagram(65_507, PEER[4]), datagram(65_527, PEER[6])]), 2);
});

test('several datagrams in one are sent one by one, by their segment size', () => {
  const made = bench();
  const socket = made.stack.udp.bind(IpAddress.ANY4, 700, false);
  socket.send([{ ...datagram(2500, PEER[4]), segmentSize: 1000 }]);
  assert.deepEqual(
    made.lines().map((line) => line.replace(/^.* /, '')),
    ['len=1000', 'len=1000', 'len=500'],
  );
});

test('an error of the network reaches the socket that sent, and no other (RFC 1122, section 4.1.3.3)', () => {
  const made = bench();
  const socket = made.stack.udp.bind(IpAddress.ANY4, 700, false);
  const seen = record(socket);
  const other = record(made.stack.udp.bind(OWN[6], 700, false));
  socket.send([datagram(10, PEER[4])]);
  const [sent] = made.take();
  made.inject(icmpFrame(ends(4), 3, 3, 0, sent!.bytes.subarray(14)));
  assert.deepEqual([seen, other], [['CONNECTION_REFUSED'], []]);
  // Another port of ours, another port of theirs, another host: none of these was sent.
  for (const at of [21, 23, 19]) {
    const strange = sent!.bytes.slice(14);
    strange[at]! ^= 1;
    made.inject(icmpFrame(ends(4), 3, 3, 0, strange));
  }
  assert.equal(seen.length, 1);
  assert.equal(made.stack.drops.get('icmp-error-unmatched'), 3);
});

test('an error of the network is for the socket that sent, of several on one port', () => {
  const made = bench();
  const sockets = [0, 1].map(() => made.stack.udp.bind(IpAddress.ANY4, 700, true));
  const [one, two] = sockets.map(record);
  sockets[1]!.send([datagram(10, PEER[4])]);
  const [sent] = made.take();
  made.inject(icmpFrame(ends(4), 3, 3, 0, sent!.bytes.subarray(14)));
  assert.deepEqual([one, two], [[], ['CONNECTION_REFUSED']]);
});

test('a path too narrow for a datagram is learned, and the next is cut to it (RFC 8201)', () => {
  const made = bench();
  const socket = made.stack.udp.bind(IpAddress.ANY6, 700, false);
  const seen = record(socket);
  socket.send([datagram(1400, PEER[6])]);
  const [sent] = made.take();
  // A quote of a datagram that no socket of ours can have sent teaches nothing.
  const forged = sent!.bytes.slice(14, 1014);
  forged[41]! ^= 1;
  made.inject(icmpFrame(ends(6), Icmpv6Type.PACKET_TOO_BIG, 0, 1280, forged));
  socket.send([datagram(1400, PEER[6])]);
  assert.equal(made.take().length, 1);
  made.inject(icmpFrame(ends(6), Icmpv6Type.PACKET_TOO_BIG, 0, 1300, sent!.bytes.slice(14, 1014)));
  assert.deepEqual(seen, ['DATAGRAM_TOO_LARGE']);
  socket.send([datagram(1400, PEER[6])]);
  const lines = made.lines();
  assert.equal(lines.length, 2);
  assert.ok(lines.every((line) => line.includes('fragment')));
});

test('without a path a send fails by name', () => {
  const made = bench();
  const seen = record(made.stack.udp.bind(IpAddress.ANY4, 700, false));
  const [socket] = made.stack.udp.sockets();
  assert.equal(socket!.send([datagram(1, IpAddress.parse('192.0.2.1'))]), 0);
  made.settle();
  assert.deepEqual(seen, ['NETWORK_UNREACHABLE']);
});

test('a checksum of 0 is none, for IPv4 only (RFC 768; RFC 8200, section 8.1)', () => {
  const made = bench();
  const seen = record(made.stack.udp.bind(IpAddress.ANY6, 53, false));
  for (const family of [4, 6] as const) {
    const bytes = udpDatagram(ends(family), 1, 53, new Uint8Array(3));
    bytes.fill(0, 6, 8);
    made.inject(ipFrame(ends(family), IpProtocol.UDP, bytes));
  }
  assert.deepEqual(seen, ['10.0.0.2:1 > 10.0.0.1: 3']);
  assert.equal(made.stack.udp.drops.get('udp-bad-checksum'), 1);
});

test('a checksum that a device has verified, or that was left to memory, is not verified again', () => {
  for (const family of [4, 6] as const) {
    const made = bench({ offload: { checksum: true, segmentation: 0 } });
    const seen = record(made.stack.udp.bind(OWN[family], 53, false));
    const frame = udpFrame(ends(family), 1, 53, new Uint8Array(8));
    // That it passes although it is wrong shows that nobody looked.
    frame[frame.length - 1]! ^= 1;
    const nothing = { checksumStart: 0, checksumOffset: 0, segmentSize: 0 };
    made.inject(frame, { ...nothing, checksumVerified: true });
    made.inject(frame, { ...nothing, checksumStart: family === 4 ? 34 : 54, checksumOffset: 6 });
    assert.equal(seen.length, 2);
    made.inject(frame, { ...nothing, checksumVerified: false });
    assert.equal(made.stack.udp.drops.get('udp-bad-checksum'), 1);
    // A device that knows TCP and UDP says nothing of ICMPv6.
    const echo = icmpFrame(ends(family), family === 4 ? 8 : 128, 0, 0, new Uint8Array(8));
    echo[echo.length - 1]! ^= 1;
    made.inject(echo, { ...nothing, checksumVerified: true });
    assert.equal(made.stack.icmp.drops.get('icmp-bad-checksum'), 1);
  }
});

test('wrong checksums and lengths are dropped and counted', () => {
  const made = bench();
  const seen = record(made.stack.udp.bind(IpAddress.ANY6, 53, false));
  const frame = udpFrame(ends(4), 1, 53, new Uint8Array(3));
  frame[frame.length - 1] = 1;
  made.inject(frame);
  const long = udpDatagram(ends(4), 1, 53, new Uint8Array(3));
  long[5] = 200;
  made.inject(ipFrame(ends(4), IpProtocol.UDP, long));
  made.inject(ipFrame(ends(4), IpProtocol.UDP, long.subarray(0, 7)));
  assert.deepEqual(seen, []);
  assert.deepEqual(made.stack.udp.drops.snapshot(), { 'udp-bad-checksum': 1, 'udp-truncated': 2 });
});

test('bytes behind the datagram’s own length are not delivered', () => {
  const made = bench();
  const seen = record(made.stack.udp.bind(IpAddress.ANY6, 53, false));
  const bytes = udpDatagram(ends(4), 1, 53, new Uint8Array(3));
  const padded = new Uint8Array(bytes.length + 10);
  padded.set(bytes);
  made.inject(ipFrame(ends(4), IpProtocol.UDP, padded));
  assert.deepEqual(seen, ['10.0.0.2:1 > 10.0.0.1: 3']);
});

test('a handler that throws closes its socket; others go on', () => {
  const made = bench();
  const ends4 = ends(4);
  const bad = made.stack.udp.bind(IpAddress.ANY4, 53, false);
  let closed: string | undefined;
  bad.start({
    receive: () => {
      throw new Error('mine');
    },
    closed: (error) => {
      closed = error?.code;
    },
  });
  const good = record(made.stack.udp.bind(IpAddress.ANY4, 54, false));
  made.inject(udpFrame(ends4, 1, 53, new Uint8Array(3)));
  made.inject(udpFrame(ends4, 1, 54, new Uint8Array(3)));
  assert.equal(closed, 'HANDLER_THREW');
  assert.equal(good.length, 1);
  const remote = { address: PEER[4], port: 54 };
  assert.equal(bad.send([{ data: new Uint8Array(1), remote }]), 0);
  assert.equal(made.stack.udp.sockets().length, 1);
});

test('close is told once, and again does nothing', async () => {
  const made = bench();
  const socket = made.stack.udp.bind(IpAddress.ANY4, 53, false);
  const seen = record(socket);
  const first = socket.close();
  assert.equal(socket.close(), first);
  made.settle();
  await first;
  assert.deepEqual(seen, ['closed']);
  made.inject(udpFrame(ends(4), 1, 53, new Uint8Array(3)));
  assert.deepEqual(seen, ['closed']);
});
