/** Interfaces that go down, come up and go for good, with all that depends on them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Cidr,
  IpAddress,
  ManualClock,
  seededRandom,
  type Connection,
  type NetloomError,
} from '../../core/index.ts';
import { linkPair, type Link } from '../../link/index.ts';
import { describeFrame } from '../../wire/index.ts';
import { PatternUser, STACK_MAC, StackBench } from '../../../test/ip/stack-bench.ts';
import { IpStack, type Interface } from '../index.ts';

const PEER = IpAddress.parse('10.0.0.2');
const FAR = IpAddress.parse('198.51.100.1');
const EVERYWHERE = Cidr.parse('0.0.0.0/0');

/** Two stacks on a cable. */
interface Pair {
  readonly clock: ManualClock;
  readonly ours: IpStack;
  readonly near: Interface;
  readonly theirs: IpStack;
  readonly far: Interface;
  readonly farLink: Link;
}

function pair(): Pair {
  const clock = new ManualClock();
  const [nearLink, farLink] = linkPair(clock);
  const ours = new IpStack({ clock, random: seededRandom(1) });
  const theirs = new IpStack({ clock, random: seededRandom(2) });
  const near = ours.addInterface(nearLink, { name: 'eth0', addresses: ['10.0.0.1/24'] });
  const far = theirs.addInterface(farLink, { name: 'eth0', addresses: ['10.0.0.2/24'] });
  return { clock, ours, near, theirs, far, farLink };
}

function pass(clock: ManualClock, milliseconds: number): void {
  clock.advance(clock.now() + milliseconds);
}

/** A connection from `ours` to `theirs`, with both users. */
function connect({ clock, ours, theirs }: Pair): { client: PatternUser; server: PatternUser } {
  let server: PatternUser | undefined;
  theirs.tcp.listen(80, undefined, undefined, (connection) => {
    server = new PatternUser(connection);
  });
  const path = ours.paths.find(PEER, undefined);
  const connection = ours.tcp.connect(path, 0, 80, () => undefined);
  pass(clock, 100);
  return { client: new PatternUser(connection), server: server! };
}

test('an interface that is down takes and sends nothing, and up again it does', () => {
  const bench = new StackBench({ addresses: ['10.0.0.1/24'] });
  const { stack, interface: via } = bench;
  bench.learn(PEER);
  via.down();
  via.down();
  assert.equal(via.isUp, false);
  assert.throws(() => stack.paths.find(PEER, undefined), { code: 'NETWORK_UNREACHABLE' });
  assert.throws(() => stack.paths.find(IpAddress.BROADCAST4, via.addresses[0]!.cidr.address), {
    code: 'NETWORK_UNREACHABLE',
  });
  assert.equal(via.neighbours.size, 0, 'its link may be another when it is up again');
  assert.equal(via.addresses.length, 1, 'what it was given stays');
  bench.inject(new Uint8Array(60));
  assert.equal(via.drops.get('interface-down'), 1);
  assert.deepEqual(bench.lines(), []);
  via.up();
  via.up();
  assert.equal(stack.paths.find(PEER, undefined).interface, via);
});

test('up again, an interface says where its addresses are, and reports its groups (RFC 5227, section 3; RFC 4861, section 7.2.6)', () => {
  const bench = new StackBench({ addresses: ['10.0.0.1/24', '2001:db8::1/64'] });
  bench.interface.down();
  bench.interface.up();
  const lines = bench.lines();
  assert.ok(lines.includes(`ARP 10.0.0.1 is at ${STACK_MAC} (announcement)`), lines.join('\n'));
  assert.ok(lines.some((line) => line.startsWith(`2001:db8::1 > ff02::1 NDP 2001:db8::1 is at`)));
  assert.ok(lines.some((line) => line.includes('MLDv2 report ff02::1:ff00:1')));
});

test('an address that was checked is checked anew when the interface is up, and not used before (RFC 5227, section 2.1)', () => {
  const bench = new StackBench({ addresses: [] });
  const { stack, interface: via } = bench;
  const told: string[] = [];
  for (const text of ['10.0.0.1/24', '2001:db8::1/64']) {
    stack.addAddress(via, Cidr.parse(text), {
      duplicates: 'detect',
      ready: () => told.push(`ready ${text}`),
    });
  }
  const usable = (): string[] =>
    via
      .usable(4)
      .concat(via.usable(6))
      .map(({ cidr }) => `${cidr}`);
  bench.pass(500);
  via.down();
  bench.pass(20_000);
  assert.deepEqual(usable(), [], 'a check that was cut off is not passed');
  bench.take();
  via.up();
  bench.pass(20_000);
  assert.deepEqual(usable(), ['10.0.0.1/24', '2001:db8::1/64']);
  via.down();
  via.up();
  assert.deepEqual(usable(), []);
  bench.pass(20_000);
  assert.deepEqual(told.toSorted(), [
    'ready 10.0.0.1/24',
    'ready 10.0.0.1/24',
    'ready 2001:db8::1/64',
    'ready 2001:db8::1/64',
  ]);
});

test('a connection outlives an interface that is down for a while', () => {
  const scene = pair();
  const { client, server } = connect(scene);
  scene.near.down();
  client.write(50_000);
  pass(scene.clock, 3000);
  assert.equal(server.received, 0);
  assert.deepEqual(client.events, []);
  scene.near.up();
  pass(scene.clock, 10_000);
  assert.deepEqual([server.received, server.wrongAt], [50_000, undefined]);
});

test('what an interface has configured for itself is given up when it goes down, and found anew', () => {
  const scene = pair();
  const { clock, ours, near } = scene;
  ours.autoconfigure(near);
  pass(clock, 3000);
  const ownAddress = (): string => String(near.linkLocal);
  const first = ownAddress();
  assert.ok(IpAddress.parse(first).isLinkLocal);
  near.down();
  assert.equal(ownAddress(), 'undefined');
  assert.deepEqual(
    near.addresses.map(({ cidr }) => `${cidr}`),
    ['10.0.0.1/24'],
  );
  near.up();
  pass(clock, 3000);
  assert.equal(ownAddress(), first);
});

test('a route over an interface that is down does not hide the next best, and counts again when that is up', () => {
  const bench = new StackBench({ addresses: ['10.0.0.1/24'] });
  const other = bench.addCable({ addresses: ['10.1.0.1/24'] });
  const { stack, interface: first } = bench;
  stack.addRoute(EVERYWHERE, other.interface, IpAddress.parse('10.1.0.254'), 200);
  stack.addRoute(EVERYWHERE, first, IpAddress.parse('10.0.0.254'), 100);
  stack.addRoute(Cidr.parse('198.51.100.0/24'), first, IpAddress.parse('10.0.0.253'));
  const hop = (): string => `${stack.paths.cached(FAR, undefined).neighbour?.address}`;
  assert.equal(hop(), '10.0.0.253');
  first.down();
  assert.equal(hop(), '10.1.0.254');
  other.interface.down();
  assert.throws(hop, { code: 'NETWORK_UNREACHABLE' });
  first.up();
  assert.equal(hop(), '10.0.0.253');
});

test('an interface whose link is closed cannot be taken up', () => {
  const scene = pair();
  void scene.farLink.close();
  pass(scene.clock, 1);
  assert.equal(scene.near.isUp, false);
  assert.throws(() => scene.near.up(), { code: 'INTERFACE_GONE' });
});

test('a removed interface takes along its addresses, routes, neighbours, groups and claims, and closes its link', async () => {
  const scene = pair();
  const { clock, ours, near } = scene;
  ours.autoconfigure(near);
  pass(clock, 3000);
  ours.addRoute(EVERYWHERE, near, PEER);
  ours.addAddress(near, Cidr.parse('10.0.0.9/24'), { duplicates: 'detect' });
  const answers: boolean[] = [];
  ours.claims.probe(near, IpAddress.parse('10.0.0.8'), (taken) => answers.push(taken));
  const socket = ours.udp.bind(IpAddress.ANY4, 5000, false);
  socket.joinGroup(IpAddress.parse('239.1.1.1'), IpAddress.parse('10.0.0.1'));
  // Waits for a neighbour that is not there.
  socket.send([
    { data: new Uint8Array(9), remote: { address: IpAddress.parse('10.0.0.77'), port: 9 } },
  ]);
  const removed = ours.removeInterface(near);
  assert.deepEqual(
    ours.interfaces.map(({ name }) => name),
    ['lo'],
  );
  assert.deepEqual(near.addresses, []);
  assert.deepEqual(
    [...ours.routes].filter(({ target }) => target === near),
    [],
  );
  assert.equal(near.neighbours.size, 0);
  assert.equal(near.drops.get('neighbour-forgotten'), 1, 'the frame that waited is counted');
  assert.equal(ours.paths.ownerOf(IpAddress.parse('10.0.0.1')), undefined);
  assert.deepEqual([ours.claims.size, ours.claims.deadline()], [0, Infinity]);
  pass(clock, 20_000);
  await removed;
  assert.deepEqual(answers, []);
  assert.equal(scene.far.isUp, false, 'the link is closed');
  await ours.removeInterface(near);
  socket.leaveGroup(IpAddress.parse('239.1.1.1'), IpAddress.parse('10.0.0.1'));
  await Promise.all([socket.close(), pass(clock, 1)]);
  const [link] = linkPair(clock);
  const again = ours.addInterface(link, { name: 'eth0', addresses: ['10.0.0.1/24'] });
  assert.ok(again.index > near.index, 'an index is not given twice');
});

test('connections over a removed interface end by name, and sockets bound to it close', async () => {
  const scene = pair();
  const { clock, ours, near } = scene;
  const { client, server } = connect(scene);
  const ends: string[] = [];
  const remember = (name: string) => ({
    error: (error: NetloomError) => ends.push(`${name} ${error.code}`),
    closed: () => ends.push(`${name} closed`),
  });
  ours.udp.bind(IpAddress.ANY4, 68, false, near).start(remember('bound'));
  ours.udp.bind(IpAddress.ANY4, 53, false).start(remember('free'));
  let local: NetloomError | undefined | 'open' = 'open';
  ours.tcp.listen(81, undefined, undefined, () => undefined);
  const own = ours.paths.find(IpAddress.parse('127.0.0.1'), undefined);
  ours.tcp.connect(own, 0, 81, (connection: Connection) =>
    connection.start({ closed: (error) => (local = error) }),
  );
  pass(clock, 100);
  const removed = ours.removeInterface(near);
  pass(clock, 100);
  await removed;
  assert.deepEqual(client.events, ['closed NETWORK_UNREACHABLE']);
  assert.equal((client.error!.cause as NetloomError).code, 'INTERFACE_REMOVED');
  assert.deepEqual(server.events, ['closed NETWORK_UNREACHABLE'], 'its own link is gone');
  assert.deepEqual(ends, ['bound INTERFACE_REMOVED', 'bound closed']);
  assert.equal(local, 'open', 'what goes through the loopback goes on');
});

test('routers hear that the groups of a removed interface are left', async () => {
  const clock = new ManualClock();
  const [own, far] = linkPair(clock);
  const lines: string[] = [];
  far.attach({ receive: (frame) => lines.push(describeFrame(frame)), batchEnd() {} });
  const stack = new IpStack({ clock, random: seededRandom(1) });
  const via = stack.addInterface(own, { addresses: ['2001:db8::1/64'] });
  pass(clock, 10_000);
  lines.length = 0;
  const removed = stack.removeInterface(via);
  pass(clock, 100);
  await removed;
  assert.match(lines.join('\n'), /MLDv2 report ff02::1:ff00:1 to-include/);
});

test('the loopback stays', () => {
  const { ours } = pair();
  assert.throws(() => ours.removeInterface(ours.loopback), { code: 'INTERFACE_INVALID' });
});

test('connections from an address that is taken away end by name, unless another interface has it', () => {
  const scene = pair();
  const { client } = connect(scene);
  const { clock, ours, near } = scene;
  const own = IpAddress.parse('10.0.0.1');
  const [link] = linkPair(clock);
  const second = ours.addInterface(link, { name: 'eth1', addresses: ['10.0.0.1/24'] });
  ours.addAddress(near, Cidr.parse('10.0.0.1/16'));
  ours.removeAddress(second, own);
  pass(clock, 100);
  assert.deepEqual(client.events, [], 'replaced, and the other one removed');
  ours.removeAddress(near, own);
  pass(clock, 100);
  assert.deepEqual(client.events, ['closed ADDRESS_NOT_AVAILABLE']);
});
