/** ARP on the wire: answers, what is learned, and the questions of whoever wants to send. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress, MacAddress } from '../core/index.ts';
import { ArpOperation, describeFrame } from '../wire/index.ts';
import { arpFrame, udpFrame, type ArpFields } from '../../test/ip/frames.ts';
import { PEER_MAC, STACK_MAC, StackBench } from '../../test/ip/stack-bench.ts';

const OWN = IpAddress.parse('10.0.0.1');
const PEER = IpAddress.parse('10.0.0.2');
const OTHER_MAC = MacAddress.parse('02:00:00:00:00:99');

const REQUEST: ArpFields = {
  operation: ArpOperation.REQUEST,
  senderMac: PEER_MAC,
  sender: PEER,
  target: OWN,
};
const REPLY: ArpFields = { ...REQUEST, operation: ArpOperation.REPLY, targetMac: STACK_MAC };

/** Sends a datagram to an address, as a user would. */
function send(bench: StackBench, address: IpAddress, length = 10): void {
  const socket = bench.stack.udp.bind(IpAddress.ANY4, 0, false);
  socket.send([{ data: new Uint8Array(length), remote: { address, port: 9 } }]);
  bench.settle();
}

test('a question for our address is answered, to who asked (RFC 826)', () => {
  const bench = new StackBench();
  bench.inject(arpFrame(MacAddress.BROADCAST, REQUEST));
  const [answer] = bench.take();
  assert.equal(describeFrame(answer!.bytes), `ARP 10.0.0.1 is at ${STACK_MAC}`);
  assert.deepEqual(MacAddress.read(answer!.bytes, 0), PEER_MAC);
});

test('a question for another address is not answered, nor is its sender learned (RFC 826)', () => {
  const bench = new StackBench();
  bench.inject(arpFrame(MacAddress.BROADCAST, { ...REQUEST, target: IpAddress.parse('10.0.0.3') }));
  assert.deepEqual(bench.lines(), []);
  assert.equal(bench.interface.neighbours.size, 0);
});

test('a probe for our address is answered, and nobody learned from it (RFC 5227, section 2.1.1)', () => {
  const bench = new StackBench();
  bench.inject(arpFrame(MacAddress.BROADCAST, { ...REQUEST, sender: IpAddress.ANY4 }));
  assert.deepEqual(bench.lines(), [`ARP 10.0.0.1 is at ${STACK_MAC}`]);
  assert.equal(bench.interface.neighbours.size, 0);
});

test('whoever asks for us is known, so that the answer needs no question', () => {
  const bench = new StackBench();
  bench.inject(arpFrame(MacAddress.BROADCAST, REQUEST));
  bench.take();
  send(bench, PEER);
  assert.match(bench.lines().join(), /^10\.0\.0\.1:\d+ > 10\.0\.0\.2:9 UDP len=10$/);
});

test('to send, the address is asked for; what waits follows the answer in order (RFC 1122, section 2.3.2.2)', () => {
  const bench = new StackBench();
  for (const length of [1, 2, 3]) send(bench, PEER, length);
  assert.deepEqual(bench.lines(), [`ARP who has 10.0.0.2? tell 10.0.0.1 at ${STACK_MAC}`]);
  bench.inject(arpFrame(STACK_MAC, REPLY));
  assert.deepEqual(
    bench.lines().map((line) => line.replace(/^.*UDP /, '')),
    ['len=1', 'len=2', 'len=3'],
  );
});

test('no more than so many frames wait for one address; the oldest gives way (RFC 1122, section 2.3.2.2)', () => {
  const bench = new StackBench({ limits: { neighbour: { waitingFrames: 2 } } });
  for (const length of [1, 2, 3]) send(bench, PEER, length);
  bench.take();
  bench.inject(arpFrame(STACK_MAC, REPLY));
  assert.deepEqual(
    bench.lines().map((line) => line.replace(/^.*UDP /, '')),
    ['len=2', 'len=3'],
  );
  assert.equal(bench.interface.drops.get('neighbour-queue-full'), 1);
});

test('it asks three times, a second apart, then the sender hears that the host is not there (RFC 1122, section 2.3.2.1)', () => {
  const bench = new StackBench();
  const errors: string[] = [];
  const socket = bench.stack.udp.bind(IpAddress.ANY4, 0, false);
  socket.start({ error: ({ code }) => errors.push(code) });
  const begun = bench.clock.now();
  socket.send([{ data: new Uint8Array(1), remote: { address: PEER, port: 9 } }]);
  bench.pass(10_000);
  assert.deepEqual(
    bench.take().map(({ at, bytes }) => [at - begun, describeFrame(bytes).slice(0, 21)]),
    [0, 1000, 2000].map((at) => [at, 'ARP who has 10.0.0.2?']),
  );
  assert.deepEqual(errors, ['HOST_UNREACHABLE']);
  assert.equal(bench.interface.drops.get('neighbour-unreachable'), 1);
});

test('after a failure it is not asked again for a second: no more than one question a second (RFC 1122, section 2.3.2.1)', () => {
  const bench = new StackBench();
  send(bench, PEER);
  bench.pass(3000);
  bench.take();
  send(bench, PEER);
  assert.deepEqual(bench.lines(), []);
  assert.equal(bench.interface.drops.get('neighbour-failed'), 1);
  bench.pass(1000);
  send(bench, PEER);
  assert.equal(bench.lines().length, 1);
});

test('what is heard of a known neighbour is believed: it has moved (RFC 826)', () => {
  const bench = new StackBench();
  bench.learn(PEER);
  bench.inject(
    arpFrame(MacAddress.BROADCAST, {
      ...REQUEST,
      senderMac: OTHER_MAC,
      sender: PEER,
      target: PEER,
    }),
  );
  send(bench, PEER);
  assert.deepEqual(MacAddress.read(bench.take()[0]!.bytes, 0), OTHER_MAC);
});

test('an announcement of a stranger is passed over', () => {
  const bench = new StackBench();
  bench.inject(arpFrame(MacAddress.BROADCAST, { ...REQUEST, target: PEER }));
  bench.inject(arpFrame(MacAddress.BROADCAST, { ...REPLY, target: PEER }));
  assert.equal(bench.interface.neighbours.size, 0);
});

test('nobody else is believed to have our address, a broadcast address or a group’s station address', () => {
  const bench = new StackBench();
  bench.inject(arpFrame(STACK_MAC, { ...REPLY, sender: OWN }));
  bench.inject(arpFrame(STACK_MAC, { ...REPLY, sender: IpAddress.parse('10.0.0.255') }));
  bench.inject(arpFrame(STACK_MAC, { ...REPLY, sender: IpAddress.parse('224.0.0.1') }));
  bench.inject(arpFrame(STACK_MAC, { ...REPLY, senderMac: MacAddress.BROADCAST }));
  assert.equal(bench.interface.neighbours.size, 0);
  assert.equal(bench.interface.drops.get('arp-bad-value'), 1);
});

test('a malformed packet is dropped and counted', () => {
  const bench = new StackBench();
  const frame = arpFrame(MacAddress.BROADCAST, REQUEST);
  bench.inject(frame.subarray(0, 40));
  frame[15] = 6;
  bench.inject(frame);
  assert.deepEqual(bench.lines(), []);
  assert.deepEqual(bench.interface.drops.snapshot(), { 'arp-bad-version': 1, 'arp-truncated': 1 });
});

test('a neighbour in use is asked, alone, whether it is still there, and its answer keeps it (RFC 4861, section 7.3; RFC 1122, section 2.3.2.1)', () => {
  const bench = new StackBench();
  bench.learn(PEER);
  bench.pass(50_000);
  send(bench, PEER);
  bench.take();
  bench.pass(5000);
  const [question] = bench.take();
  assert.match(describeFrame(question!.bytes), /who has 10\.0\.0\.2/);
  assert.deepEqual(MacAddress.read(question!.bytes, 0), PEER_MAC, 'asked alone');
  bench.inject(arpFrame(STACK_MAC, REPLY));
  bench.pass(10_000);
  assert.deepEqual(bench.lines(), []);
  assert.equal(bench.interface.neighbours.find(PEER)!.state, 'reachable');
});

test('a neighbour that does not answer is given up, and asked for by broadcast when it is next wanted', () => {
  const bench = new StackBench();
  bench.learn(PEER);
  bench.pass(50_000);
  send(bench, PEER);
  bench.pass(20_000);
  const lines = bench.lines();
  assert.equal(lines.length, 4, lines.join('\n'));
  send(bench, PEER);
  const [question] = bench.take();
  assert.deepEqual(MacAddress.read(question!.bytes, 0), MacAddress.BROADCAST);
});

test('a scan of the network leaves the table within its limit and those in use alone', () => {
  const bench = new StackBench({
    addresses: ['10.0.0.1/16'],
    limits: { neighbour: { neighbours: 100 } },
  });
  bench.learn(PEER);
  send(bench, PEER);
  bench.take();
  for (let i = 0; i < 1000; i++) {
    // Each of them asks for a port that is not there, and would be told if its address were known.
    const source = IpAddress.v4(0x0a00_1000 + i);
    const ends = { source, destination: OWN, sourceMac: OTHER_MAC, destinationMac: STACK_MAC };
    bench.inject(udpFrame(ends, 1, 2, new Uint8Array(1)));
    if (i % 10 === 0) {
      bench.pass(1);
      bench.take();
      send(bench, PEER);
      assert.match(bench.lines().join(), /^10\.0\.0\.1:\d+ > 10\.0\.0\.2:9 UDP/);
    }
    assert.ok(bench.interface.neighbours.size <= 100);
  }
  assert.equal(bench.interface.neighbours.find(PEER)!.state, 'reachable');
});

test('a neighbour that gave way is found again by those who have its path', () => {
  const bench = new StackBench({
    addresses: ['10.0.0.1/16'],
    limits: { neighbour: { neighbours: 4 } },
  });
  const socket = bench.stack.udp.bind(IpAddress.ANY4, 0, false);
  const sendOn = (): void => {
    socket.send([{ data: new Uint8Array(3), remote: { address: PEER, port: 9 } }]);
    bench.settle();
  };
  // Asked for, not answered yet, and crowded out.
  sendOn();
  for (let i = 0; i < 20; i++) {
    bench.pass(1);
    send(bench, IpAddress.v4(0x0a00_2000 + i));
  }
  bench.take();
  sendOn();
  assert.match(bench.lines().join('\n'), /who has 10\.0\.0\.2/);
  bench.inject(arpFrame(STACK_MAC, REPLY));
  assert.match(bench.lines().join('\n'), /10\.0\.0\.2:9 UDP len=3/);
  // Known, and crowded out by others that are known; then it moves.
  for (let i = 0; i < 20; i++) {
    bench.pass(1);
    bench.learn(IpAddress.v4(0x0a00_3000 + i), OTHER_MAC);
  }
  sendOn();
  bench.take();
  bench.inject(arpFrame(STACK_MAC, { ...REPLY, senderMac: OTHER_MAC }));
  bench.take();
  sendOn();
  assert.deepEqual(MacAddress.read(bench.take()[0]!.bytes, 0), OTHER_MAC);
  assert.ok(bench.interface.neighbours.size <= 4);
});

test('who asks from an address of no network of ours is answered, and not learned: what is sent there goes to a router', () => {
  const bench = new StackBench();
  bench.inject(
    arpFrame(MacAddress.BROADCAST, { ...REQUEST, sender: IpAddress.parse('192.0.2.7') }),
  );
  assert.deepEqual(bench.lines(), [`ARP 10.0.0.1 is at ${STACK_MAC}`]);
  assert.equal(bench.interface.neighbours.size, 0);
});
