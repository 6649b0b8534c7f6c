/** How packets leave: source addresses, interfaces, next hops. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Cidr, IpAddress } from '../../core/index.ts';
import { linkPair } from '../../link/index.ts';
import { StackBench } from '../../../test/ip/stack-bench.ts';

function address(text: string): IpAddress {
  return IpAddress.parse(text);
}

/** What a packet to `destination` would leave from. */
function sourceFor({ stack }: StackBench, destination: string): string {
  return stack.paths.find(address(destination), undefined).source.toString();
}

test('the source is of the destination’s network (RFC 1122, section 3.3.4.3)', () => {
  const bench = new StackBench({ addresses: ['10.0.0.1/24', '10.9.0.1/16', '192.0.2.1/24'] });
  assert.equal(sourceFor(bench, '10.9.3.4'), '10.9.0.1');
  assert.equal(sourceFor(bench, '10.0.0.7'), '10.0.0.1');
});

test('through a router the source is of the router’s network', () => {
  const bench = new StackBench({ addresses: ['10.0.0.1/24', '192.0.2.1/24'] });
  bench.stack.addRoute(Cidr.parse('0.0.0.0/0'), bench.interface, address('192.0.2.254'));
  assert.equal(sourceFor(bench, '8.8.8.8'), '192.0.2.1');
});

test('the source has the destination’s scope (RFC 6724, section 5, rule 2)', () => {
  const bench = new StackBench();
  assert.equal(sourceFor(bench, 'fe80::9%eth0'), 'fe80::1%eth0');
  assert.equal(sourceFor(bench, '2001:db8::9'), '2001:db8::1');
  assert.equal(sourceFor(bench, 'ff02::1'), 'fe80::1%eth0');
  assert.equal(sourceFor(bench, 'ff0e::1'), '2001:db8::1');
});

test('a deprecated address is used only where there is no other (RFC 6724, section 5, rule 3)', () => {
  const bench = new StackBench({ addresses: ['2001:db8::1/64', '2001:db8::2/64'] });
  const [first, second] = bench.interface.addresses;
  first!.deprecated = true;
  assert.equal(sourceFor(bench, '2001:db8::9'), '2001:db8::2');
  second!.deprecated = true;
  assert.equal(sourceFor(bench, '2001:db8::9'), '2001:db8::1');
});

test('a tentative address is not used at all (RFC 4862, section 5.4)', () => {
  const bench = new StackBench({ addresses: ['2001:db8::1/64'] });
  bench.interface.addresses[0]!.tentative = true;
  assert.throws(() => sourceFor(bench, '2001:db8::9'), { code: 'ADDRESS_NOT_AVAILABLE' });
});

test('of several sources the longest common prefix wins (RFC 6724, section 5, rule 8)', () => {
  const bench = new StackBench({ addresses: ['2001:db8:1::1/64', '2001:db8:2::1/64'] });
  bench.stack.addRoute(Cidr.parse('::/0'), bench.interface, address('fe80::254%eth0'));
  assert.equal(sourceFor(bench, '2001:db8:2:9::1'), '2001:db8:2::1');
  assert.equal(sourceFor(bench, '2001:db8:1:9::1'), '2001:db8:1::1');
});

test('our own addresses are reached through the loopback, from themselves', () => {
  const { stack } = new StackBench();
  for (const own of ['10.0.0.1', '2001:db8::1', '127.0.0.1', '127.9.9.9', '::1']) {
    const path = stack.paths.find(address(own), undefined);
    assert.equal(path.interface, stack.loopback);
    assert.equal(path.source.toString(), own);
    assert.equal(path.neighbour, undefined);
  }
});

test('a source that is not ours, and a destination that is nobody, are refused by name', () => {
  const { stack } = new StackBench();
  assert.throws(() => stack.paths.find(address('10.0.0.2'), address('10.0.0.3')), {
    code: 'ADDRESS_NOT_AVAILABLE',
  });
  for (const nobody of ['0.0.0.0', '::', '192.0.2.1', 'fe80::1%eth7']) {
    assert.throws(() => stack.paths.find(address(nobody), undefined), {
      code: 'NETWORK_UNREACHABLE',
    });
  }
});

test('a longer prefix, then a lower metric decide', () => {
  const bench = new StackBench({ addresses: ['10.0.0.1/24'] });
  const other = bench.addCable({ addresses: ['10.1.0.1/24'] });
  const { stack } = bench;
  stack.addRoute(Cidr.parse('0.0.0.0/0'), bench.interface, address('10.0.0.254'), 200);
  stack.addRoute(Cidr.parse('0.0.0.0/0'), other.interface, address('10.1.0.254'), 100);
  const via = (): string => stack.paths.find(address('192.0.2.1'), undefined).interface.name;
  assert.equal(via(), 'eth1');
  stack.addRoute(Cidr.parse('192.0.2.0/24'), bench.interface, address('10.0.0.253'), 900);
  assert.equal(via(), 'eth0');
});

test('an address brings its network’s route along, and takes it away with the last of that network', () => {
  const bench = new StackBench({ addresses: ['10.0.0.1/24', '10.0.0.7/24'] });
  const { stack } = bench;
  const isReachable = (): boolean => {
    try {
      stack.paths.find(address('10.0.0.9'), undefined);
      return true;
    } catch {
      return false;
    }
  };
  stack.removeAddress(bench.interface, address('10.0.0.1'));
  assert.equal(isReachable(), true);
  assert.equal(sourceFor(bench, '10.0.0.9'), '10.0.0.7');
  stack.removeAddress(bench.interface, address('10.0.0.7'));
  assert.equal(isReachable(), false);
});

test('paths found before are found anew when anything they depend on changes', () => {
  const bench = new StackBench({ addresses: ['10.0.0.1/24'] });
  const { stack } = bench;
  const far = address('192.0.2.1');
  assert.throws(() => stack.paths.cached(far, undefined));
  stack.addRoute(Cidr.parse('0.0.0.0/0'), bench.interface, address('10.0.0.254'));
  const first = stack.paths.cached(far, undefined);
  assert.equal(stack.paths.cached(far, undefined), first);
  stack.addRoute(Cidr.parse('192.0.2.0/24'), bench.interface, address('10.0.0.253'));
  const second = stack.paths.cached(far, undefined);
  assert.equal(second.neighbour!.address.toString(), '10.0.0.253');
  assert.ok(second.generation > first.generation);
});

test('a link that is gone is no path any more', () => {
  const bench = new StackBench({ addresses: ['10.0.0.1/24'] });
  const far = address('10.0.0.9');
  bench.stack.paths.cached(far, undefined);
  void bench.far.link.close();
  bench.settle();
  assert.throws(() => bench.stack.paths.cached(far, undefined), { code: 'NETWORK_UNREACHABLE' });
});

/** One of three cables, by number, and whether it is up. */
const CABLES = [0, 1, 2] as const;
const anyRoute = fc.record({
  /** Of an address with few bits set, so that networks lie in one another. */
  bits: fc.nat(7),
  length: fc.constantFrom(0, 2, 3, 4, 32),
  cable: fc.constantFrom(...CABLES),
  metric: fc.nat(3),
});

test('whatever is up and down, the best of the routes that can be used is taken', () => {
  fc.assert(
    fc.property(
      fc.array(anyRoute, { maxLength: 12 }),
      fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
      fc.nat(7),
      (routes, areUp, target) => {
        const bench = new StackBench({ addresses: [] });
        const { stack, clock } = bench;
        const interfaces = CABLES.map((cable) =>
          stack.addInterface(linkPair(clock)[0], {
            name: `cable${cable}`,
            addresses: [`100.64.${cable}.1/32`],
          }),
        );
        const destination = wordAddress(target);
        const usable: { length: number; metric: number; at: number; cable: number }[] = [];
        for (const [at, { bits, length, cable, metric }] of routes.entries()) {
          const { network } = new Cidr(wordAddress(bits), length);
          stack.addRoute(new Cidr(network, length), interfaces[cable]!, undefined, metric);
          const matches = new Cidr(network, length).contains(destination);
          if (matches && areUp[cable]) usable.push({ length, metric, at, cable });
        }
        for (const cable of CABLES) if (!areUp[cable]) interfaces[cable]!.down();
        const [best] = usable.sort(
          (a, b) => b.length - a.length || a.metric - b.metric || a.at - b.at,
        );
        const find = (): string => stack.paths.find(destination, undefined).interface.name;
        if (best === undefined) assert.throws(find, { code: 'NETWORK_UNREACHABLE' });
        else assert.equal(find(), `cable${best.cable}`);
      },
    ),
    { numRuns: 300 },
  );
});

/** An address that begins with these four bits, is of no group, and is no interface’s. */
function wordAddress(bits: number): IpAddress {
  return IpAddress.v4((bits << 28) | 0x0101_0109);
}
