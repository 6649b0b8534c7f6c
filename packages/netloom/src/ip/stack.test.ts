/** The stack as a whole: its interfaces, its own addresses, two of them on a cable, and its end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cidr, IpAddress, ManualClock, seededRandom } from '../core/index.ts';
import { NO_OFFLOAD, linkPair, type LinkOffload } from '../link/index.ts';
import { describeFrame } from '../wire/index.ts';
import { PatternUser, StackBench, pattern } from '../../test/ip/stack-bench.ts';
import { IpStack, type AllStackLimits } from './index.ts';
import type { TcpConnection } from './tcp/connection.ts';

function address(text: string): IpAddress {
  return IpAddress.parse(text);
}

/** Two stacks on a cable: 10.0.0.1 and 10.0.0.2, 2001:db8::1 and 2001:db8::2. */
function pair(options: { mtu?: number; offload?: LinkOffload } = {}) {
  const clock = new ManualClock();
  const [left, right] = linkPair(clock, { strict: true, ...options });
  const a = new IpStack({ clock, random: seededRandom(1) });
  const b = new IpStack({ clock, random: seededRandom(2) });
  a.addInterface(left, { addresses: ['10.0.0.1/24', '2001:db8::1/64', 'fe80::1/64'] });
  b.addInterface(right, { addresses: ['10.0.0.2/24', '2001:db8::2/64', 'fe80::2/64'] });
  return { clock, a, b, left, right };
}

/** Connects `from` to a listener of `to`; answers both users once that is done. */
function connected(
  clock: ManualClock,
  from: IpStack,
  to: IpStack,
  destination: IpAddress,
): { client: PatternUser; server: PatternUser } {
  let accepted: TcpConnection | undefined;
  const listener = to.tcp.listen(0, undefined, undefined, (connection) => {
    accepted = connection;
  });
  const path = from.paths.find(destination, undefined);
  const connection = from.tcp.connect(path, 0, listener.port, () => undefined);
  clock.advance(clock.now() + 100);
  assert.ok(accepted !== undefined, `${destination} did not accept`);
  return { client: new PatternUser(connection), server: new PatternUser(accepted) };
}

test('a stack talks to itself, by any of its addresses (RFC 1122, section 3.2.1.3, case g)', () => {
  for (const own of ['127.0.0.1', '127.1.2.3', '::1', '10.0.0.1', '2001:db8::1', 'fe80::1%eth0']) {
    const { clock, stack } = new StackBench();
    const { client, server } = connected(clock, stack, stack, address(own));
    client.write(200_000);
    server.write(300_000);
    client.connection.end();
    server.connection.end();
    clock.advance(clock.now() + 1000);
    assert.deepEqual([server.received, client.received], [200_000, 300_000], own);
    assert.deepEqual([client.wrongAt, server.wrongAt], [undefined, undefined]);
    assert.deepEqual(client.events.at(-1), 'closed');
  }
});

test('what a stack tells itself is on no wire', () => {
  const bench = new StackBench();
  const { client } = connected(bench.clock, bench.stack, bench.stack, address('10.0.0.1'));
  client.write(1000);
  bench.pass(100);
  assert.deepEqual(bench.lines(), []);
});

test('a refused connection to itself is told at once', () => {
  const bench = new StackBench();
  const path = bench.stack.paths.find(address('127.0.0.1'), undefined);
  let code: string | undefined;
  bench.stack.tcp.connect(path, 0, 81, (_made, error) => {
    code = error?.code;
  });
  bench.settle();
  assert.equal(code, 'CONNECTION_REFUSED');
});

test('two stacks find each other and transfer both ways, IPv4, IPv6 and link-local', () => {
  for (const destination of ['10.0.0.2', '2001:db8::2', 'fe80::2%pair0']) {
    for (const offload of [undefined, NO_OFFLOAD]) {
      const { clock, a, b } = pair(offload && { offload });
      const { client, server } = connected(clock, a, b, address(destination));
      client.write(100_000);
      server.write(150_000);
      client.connection.end();
      server.connection.end();
      clock.advance(clock.now() + 2000);
      assert.deepEqual([server.received, client.received], [100_000, 150_000], destination);
      assert.deepEqual([client.wrongAt, server.wrongAt], [undefined, undefined]);
    }
  }
});

test('datagrams of 9,000 bytes and of the largest size arrive whole, IPv4 and IPv6', () => {
  for (const [destination, largest] of [
    ['10.0.0.2', 65_507],
    ['2001:db8::2', 65_527],
  ] as const) {
    for (const length of [1, 1472, 1473, 9000, largest]) {
      const { clock, a, b } = pair();
      const received: Uint8Array[] = [];
      b.udp.bind(IpAddress.ANY6, 53, false).start({
        receive: (batch) => {
          for (const { data } of batch) received.push(data.slice());
        },
      });
      const socket = a.udp.bind(IpAddress.ANY6, 0, false);
      const remote = { address: address(destination), port: 53 };
      socket.send([{ data: pattern(0, length), remote }]);
      clock.advance(clock.now() + 100);
      assert.deepEqual(received, [pattern(0, length)], `${length} bytes to ${destination}`);
    }
  }
});

test('a connection survives a change of route, and takes the new one', () => {
  const bench = new StackBench({ addresses: ['10.0.0.1/24'] });
  const { stack } = bench;
  const gateway = address('10.0.0.254');
  const other = address('10.0.0.253');
  bench.learn(gateway);
  bench.learn(other);
  stack.addRoute(Cidr.parse('0.0.0.0/0'), bench.interface, gateway);
  const path = stack.paths.find(address('192.0.2.1'), undefined);
  const connection = stack.tcp.connect(path, 0, 80, () => undefined);
  bench.take();
  stack.addRoute(Cidr.parse('0.0.0.0/0'), bench.interface, other, 1);
  // Found anew when it has something to do.
  bench.pass(1000);
  bench.pass(2000);
  bench.take();
  assert.equal(connection.path.neighbour!.address.toString(), '10.0.0.253');
});

test('interfaces have names of their own, and are limited; so are their addresses', () => {
  const clock = new ManualClock();
  const limits = { stack: { interfaces: 3, addressesPerInterface: 2 } };
  const stack = new IpStack({ clock, random: seededRandom(1), limits });
  const [one, two] = linkPair(clock, { strict: true });
  const via = stack.addInterface(one, { name: 'eth0', addresses: ['10.0.0.1/24', '10.0.1.1/24'] });
  assert.throws(() => stack.addInterface(two, { name: 'eth0' }), { code: 'INTERFACE_EXISTS' });
  assert.throws(() => stack.addAddress(via, Cidr.parse('10.0.2.1/24')), { code: 'TOO_MANY_OPEN' });
  // The same address again, with another prefix, takes the place of the first.
  stack.addAddress(via, Cidr.parse('10.0.0.1/16'));
  assert.equal(via.addresses.length, 2);
  stack.addInterface(two, { name: 'eth1' });
  assert.throws(() => stack.addInterface(linkPair(clock)[0], { name: 'eth2' }), {
    code: 'TOO_MANY_OPEN',
  });
});

test('an interface reports the groups that every station is in, and those of its addresses (RFC 3376; RFC 3810; RFC 4291, section 2.8)', () => {
  const clock = new ManualClock();
  const [own, far] = linkPair(clock, { offload: NO_OFFLOAD, strict: true });
  const lines: string[] = [];
  far.attach({ receive: (frame) => lines.push(describeFrame(frame)), batchEnd() {} });
  const stack = new IpStack({ clock, random: seededRandom(1) });
  stack.addInterface(own, { addresses: ['fe80::1:2/64'] });
  clock.advance(10_000);
  assert.match(lines.join('\n'), /MLDv2 report .*ff02::1:ff01:2/);
  assert.ok(
    !lines.join().includes('224.0.0.1 '),
    'of 224.0.0.1 nothing is reported (RFC 3376, section 5)',
  );
});

test('closing resets connections, ends sockets’ links, and leaves no timer', async () => {
  const { clock, a, b, right } = pair();
  const { client, server } = connected(clock, a, b, address('10.0.0.2'));
  client.write(100);
  clock.advance(clock.now() + 100);
  const closed = a.close();
  clock.advance(clock.now() + 1000);
  await closed;
  assert.deepEqual(client.events, ['closed HOST_CLOSED']);
  assert.deepEqual(server.events, ['closed CONNECTION_RESET']);
  await a.close();
  await right.close();
  await b.close();
  clock.advance(clock.now() + 1e9);
  assert.equal(clock.deadline(), Infinity);
});

test('the limits of every part are set in one place', () => {
  const clock = new ManualClock();
  const [link] = linkPair(clock);
  const made = (limits: AllStackLimits): IpStack =>
    new IpStack({ clock, random: seededRandom(1), limits });
  const stack = made({ stack: { addressesPerInterface: 2 }, multicast: { groups: 2 } });
  const via = stack.addInterface(link, { addresses: ['10.0.0.1/24', '10.0.0.2/24'] });
  const third = Cidr.parse('10.0.0.3/24');
  assert.throws(() => stack.addAddress(via, third), { code: 'TOO_MANY_OPEN' });
  // One is that of all nodes.
  stack.multicast.joinOn(via, address('239.0.0.1'));
  assert.throws(() => stack.multicast.joinOn(via, address('239.0.0.2')), {
    code: 'MULTICAST_GROUPS_FULL',
  });
  const refused = { code: 'LIMIT_INVALID' };
  assert.throws(() => made({ reassembly: { datagrams: -1 } }), refused);
  assert.throws(() => made({ pathMtu: { destinations: -1 } }), refused);
  assert.throws(() => made({ neighbour: { neighbours: -1 } }), refused);
  assert.throws(() => made({ tcp: { connections: -1 } }), refused);
});
