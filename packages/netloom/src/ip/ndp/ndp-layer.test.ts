/** Neighbour discovery on the wire: answers, what is believed, and the questions of whoever wants to send. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress, MacAddress } from '../../core/index.ts';
import { describeFrame, solicitedNodeGroup, type NdpMessage } from '../../wire/index.ts';
import { ndpFrame, type Ends } from '../../../test/ip/frames.ts';
import {
  PEER_MAC,
  STACK_MAC,
  StackBench,
  type StackBenchOptions,
} from '../../../test/ip/stack-bench.ts';

const OWN = IpAddress.parse('2001:db8::1');
const PEER = IpAddress.parse('2001:db8::2');
const OWN_GROUP = solicitedNodeGroup(OWN);
const ALL_NODES = IpAddress.parse('ff02::1');
const OTHER_MAC = MacAddress.parse('02:00:00:00:00:99');

function ends(change: Partial<Ends> = {}): Ends {
  const destination = change.destination ?? OWN;
  const destinationMac = destination.isMulticast
    ? MacAddress.ofMulticast(6, destination.word3)
    : STACK_MAC;
  return { source: PEER, destination, sourceMac: PEER_MAC, destinationMac, ...change };
}

function solicitation(mac: MacAddress | undefined = PEER_MAC, target: IpAddress = OWN): NdpMessage {
  const options = mac === undefined ? [] : [{ kind: 'source-link-address', mac } as const];
  return { kind: 'neighbour-solicitation', target, options };
}

function advertisement(
  change: { mac?: MacAddress; solicited?: boolean; override?: boolean; target?: IpAddress } = {},
): NdpMessage {
  const { mac = PEER_MAC, solicited = true, override = true, target = PEER } = change;
  return {
    kind: 'neighbour-advertisement',
    target,
    router: false,
    solicited,
    override,
    options: [{ kind: 'target-link-address', mac }],
  };
}

/** Sends a datagram to the peer, as a user would. */
function send(bench: StackBench, address: IpAddress = PEER): void {
  const socket = bench.stack.udp.bind(IpAddress.ANY6, 0, false);
  socket.send([{ data: new Uint8Array(10), remote: { address, port: 9 } }]);
  bench.settle();
}

function neighbourOf(bench: StackBench, address: IpAddress = PEER) {
  return bench.interface.neighbours.find(address);
}

/** A bench that has asked for the peer and waits. */
function asking(options: StackBenchOptions = {}): StackBench {
  const bench = new StackBench(options);
  send(bench);
  bench.take();
  return bench;
}

test('a question for our address is answered to who asked, who is then known (RFC 4861, section 7.2.4)', () => {
  const bench = new StackBench();
  bench.inject(ndpFrame(ends({ destination: OWN_GROUP }), solicitation()));
  const [answer] = bench.take();
  assert.equal(
    describeFrame(answer!.bytes),
    `2001:db8::1 > 2001:db8::2 NDP 2001:db8::1 is at ${STACK_MAC} solicited override`,
  );
  assert.deepEqual(MacAddress.read(answer!.bytes, 0), PEER_MAC);
  assert.equal(neighbourOf(bench)!.state, 'delay');
});

test('a check whether our address is free is answered to all (RFC 4861, section 7.2.4; RFC 4862, section 5.4.3)', () => {
  const bench = new StackBench();
  const probe = ends({ source: IpAddress.ANY6, destination: OWN_GROUP });
  bench.inject(ndpFrame(probe, { kind: 'neighbour-solicitation', target: OWN, options: [] }));
  assert.deepEqual(bench.lines(), [
    `2001:db8::1 > ff02::1 NDP 2001:db8::1 is at ${STACK_MAC} override`,
  ]);
});

test('checks without end are answered to all now and then', () => {
  const bench = new StackBench();
  const probe = ends({ source: IpAddress.ANY6, destination: OWN_GROUP });
  const free: NdpMessage = { kind: 'neighbour-solicitation', target: OWN, options: [] };
  for (let left = 1000; left > 0; left--) bench.inject(ndpFrame(probe, free));
  assert.equal(bench.lines().length, 50);
  assert.equal(bench.interface.drops.get('neighbour-answer-limit'), 950);
});

test('a router says that it is one (RFC 4861, section 7.2.4)', () => {
  const bench = new StackBench({ forwarding: true });
  bench.inject(ndpFrame(ends(), solicitation()));
  assert.match(bench.lines().join(), / router /);
});

test('a question for another’s address, or from beyond the link, is not answered (RFC 4861, section 7.1.1)', () => {
  const bench = new StackBench();
  const target = IpAddress.parse('2001:db8::3');
  bench.inject(ndpFrame(ends(), { ...solicitation(), target } as NdpMessage));
  assert.equal(bench.stack.drops.get('ndp-not-ours'), 1);
  bench.inject(ndpFrame(ends({ hopLimit: 254 }), solicitation()));
  assert.deepEqual(bench.lines(), []);
  assert.equal(bench.interface.neighbours.size, 0);
});

test('to send, the solicited-node group is asked; what waits follows the answer (RFC 4861, section 7.2.2)', () => {
  const bench = new StackBench();
  send(bench);
  const [question] = bench.take();
  assert.equal(
    describeFrame(question!.bytes),
    `fe80::1 > ff02::1:ff00:2 NDP who has 2001:db8::2? tell ${STACK_MAC}`,
  );
  assert.deepEqual(MacAddress.read(question!.bytes, 0), MacAddress.ofMulticast(6, 0xff00_0002 | 0));
  bench.inject(ndpFrame(ends(), advertisement()));
  assert.match(bench.lines().join(), /^\[2001:db8::1\]:\d+ > \[2001:db8::2\]:9 UDP len=10$/);
  assert.equal(neighbourOf(bench)!.state, 'reachable');
});

test('it asks three times, a second apart, then gives up (RFC 4861, section 7.2.2)', () => {
  const bench = new StackBench();
  const errors: string[] = [];
  const socket = bench.stack.udp.bind(IpAddress.ANY6, 0, false);
  socket.start({ error: ({ code }) => errors.push(code) });
  const begun = bench.clock.now();
  socket.send([{ data: new Uint8Array(1), remote: { address: PEER, port: 9 } }]);
  bench.pass(10_000);
  assert.deepEqual(
    bench.take().map(({ at }) => at - begun),
    [0, 1000, 2000],
  );
  assert.deepEqual(errors, ['HOST_UNREACHABLE']);
});

test('unasked for, an answer makes the neighbour known but not proven (RFC 4861, section 7.2.5)', () => {
  const bench = asking();
  bench.inject(ndpFrame(ends({ destination: ALL_NODES }), advertisement({ solicited: false })));
  assert.equal(bench.lines().length, 1);
  assert.equal(neighbourOf(bench)!.state, 'stale');
});

test('news of a stranger is passed over (RFC 4861, section 7.2.5)', () => {
  const bench = new StackBench();
  bench.inject(ndpFrame(ends({ destination: ALL_NODES }), advertisement({ solicited: false })));
  assert.equal(bench.interface.neighbours.size, 0);
});

test('a known link address gives way to another only by override; otherwise it is doubted (RFC 4861, section 7.2.5)', () => {
  const bench = asking();
  bench.inject(ndpFrame(ends(), advertisement()));
  bench.take();
  bench.inject(ndpFrame(ends(), advertisement({ mac: OTHER_MAC, override: false })));
  assert.equal(neighbourOf(bench)!.state, 'stale');
  send(bench);
  assert.deepEqual(MacAddress.read(bench.take()[0]!.bytes, 0), PEER_MAC);
  bench.inject(ndpFrame(ends(), advertisement({ mac: OTHER_MAC })));
  send(bench);
  assert.deepEqual(MacAddress.read(bench.take()[0]!.bytes, 0), OTHER_MAC);
  // It says that it answers, but nobody has asked: it is yet to be proven.
  assert.equal(neighbourOf(bench)!.state, 'delay');
});

test('a claim to our own address changes nothing', () => {
  const bench = new StackBench();
  bench.inject(
    ndpFrame(ends({ destination: ALL_NODES }), advertisement({ target: OWN, solicited: false })),
  );
  assert.equal(bench.interface.neighbours.size, 0);
  assert.deepEqual(bench.lines(), []);
});

test('a neighbour in use is asked, alone, whether it is still there (RFC 4861, section 7.3.3)', () => {
  const bench = asking();
  bench.inject(ndpFrame(ends(), advertisement()));
  bench.take();
  bench.pass(50_000);
  assert.equal(neighbourOf(bench)!.state, 'stale');
  const begun = bench.clock.now();
  send(bench);
  bench.take();
  bench.pass(5500);
  const [question] = bench.take();
  assert.equal(question!.at - begun, 5000);
  assert.match(describeFrame(question!.bytes), /^fe80::1 > 2001:db8::2 NDP who has 2001:db8::2/);
  bench.inject(ndpFrame(ends(), advertisement()));
  assert.equal(neighbourOf(bench)!.state, 'reachable');
});

test('a neighbour that gave no sign is forgotten after three questions, but one that TCP sees take part is not asked (RFC 4861, section 7.3.1)', () => {
  const bench = asking();
  bench.inject(ndpFrame(ends(), advertisement()));
  bench.pass(50_000);
  send(bench);
  neighbourOf(bench)!.confirm();
  bench.take();
  bench.pass(6000);
  assert.deepEqual(bench.lines(), []);
  assert.equal(neighbourOf(bench)!.state, 'reachable');
  bench.pass(50_000);
  send(bench);
  bench.take();
  bench.pass(20_000);
  assert.equal(bench.take().length, 3);
  assert.equal(neighbourOf(bench)!.state, 'failed');
});

test('link-local neighbours are told apart by their interface (RFC 4007)', () => {
  const bench = new StackBench();
  const other = bench.addCable({ addresses: ['fe80::1/64'] });
  send(bench, IpAddress.parse('fe80::2%eth1'));
  assert.match(other.lines().join(), /who has fe80::2\?/);
  assert.deepEqual(bench.lines(), []);
  const { interface: first } = bench;
  assert.equal(first.neighbours.size, 0);
  assert.equal(other.interface.neighbours.size, 1);
});

test('a redirect is passed over and counted', () => {
  const bench = new StackBench();
  const source = IpAddress.parse('fe80::2');
  const destination = IpAddress.parse('2001:db8:9::1');
  bench.inject(
    ndpFrame(ends({ source }), { kind: 'redirect', target: source, destination, options: [] }),
  );
  assert.equal(bench.stack.drops.get('ndp-ignored'), 1);
});
