import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Cidr, IpAddress } from '../../core/index.ts';
import { RouteTable, type Route } from './routes.ts';

function route(network: string, target: string, nextHop?: string, metric = 0): Route<string> {
  return {
    network: Cidr.parse(network),
    target,
    nextHop: nextHop === undefined ? undefined : IpAddress.parse(nextHop),
    metric,
  };
}

function tableOf(...routes: Route<string>[]): RouteTable<string> {
  const table = new RouteTable<string>();
  for (const one of routes) assert.equal(table.add(one), true);
  return table;
}

function targetOf(table: RouteTable<string>, destination: string): string | undefined {
  return table.lookup(IpAddress.parse(destination))?.target;
}

function isNotDown({ target }: Route<string>): boolean {
  return target !== 'down';
}

test('the longest prefix wins, whatever the metrics', () => {
  const table = tableOf(
    route('0.0.0.0/0', 'default', '10.0.0.1'),
    route('10.0.0.0/8', 'ten', undefined, 5),
    route('10.1.0.0/16', 'ten-one', undefined, 50),
    route('10.1.2.3/32', 'host', undefined, 500),
  );
  assert.equal(targetOf(table, '10.1.2.3'), 'host');
  assert.equal(targetOf(table, '10.1.2.4'), 'ten-one');
  assert.equal(targetOf(table, '10.2.0.1'), 'ten');
  assert.equal(targetOf(table, '192.0.2.1'), 'default');
});

test('the families do not see each other, mapped addresses included', () => {
  const table = tableOf(route('0.0.0.0/0', 'four'), route('::/0', 'six'));
  assert.equal(targetOf(table, '192.0.2.1'), 'four');
  assert.equal(targetOf(table, '::ffff:192.0.2.1'), 'six');
  assert.equal(targetOf(table, '2001:db8::1'), 'six');
  const sixOnly = tableOf(route('::ffff:0:0/96', 'mapped'));
  assert.equal(targetOf(sixOnly, '192.0.2.1'), undefined);
});

test('of routes to one network the lowest metric wins, then the first added', () => {
  const table = tableOf(
    route('10.0.0.0/8', 'b', '192.0.2.2', 10),
    route('10.0.0.0/8', 'c', '192.0.2.3', 10),
    route('10.0.0.0/8', 'a', '192.0.2.1', 20),
  );
  assert.equal(targetOf(table, '10.0.0.1'), 'b');
  table.add(route('10.0.0.0/8', 'd', '192.0.2.4', 5));
  assert.equal(targetOf(table, '10.0.0.1'), 'd');
  table.remove(route('10.0.0.0/8', 'd', '192.0.2.4', 5));
  table.remove(route('10.0.0.0/8', 'b', '192.0.2.2', 10));
  assert.equal(targetOf(table, '10.0.0.1'), 'c');
});

test('a route that cannot be used gives way to the next best, on a shorter prefix if need be', () => {
  const table = tableOf(
    route('0.0.0.0/0', 'up'),
    route('10.0.0.0/8', 'down', undefined, 1),
    route('10.0.0.0/8', 'up-too', undefined, 2),
    route('10.1.0.0/16', 'down', undefined, 1),
  );
  assert.equal(table.lookup(IpAddress.parse('10.1.0.1'), isNotDown)?.target, 'up-too');
  assert.equal(table.lookup(IpAddress.parse('10.1.0.1'))?.target, 'down');
  assert.equal(table.lookup(IpAddress.parse('11.0.0.1'), isNotDown)?.target, 'up');
  assert.equal(
    table.lookup(IpAddress.parse('11.0.0.1'), () => false),
    undefined,
  );
});

test('the same route twice is one; one that differs in a field is another', () => {
  const table = tableOf(route('10.0.0.0/8', 'a', '192.0.2.1', 1));
  assert.equal(table.add(route('10.0.0.0/8', 'a', '192.0.2.1', 1)), false);
  assert.equal(table.size, 1);
  for (const other of [
    route('10.0.0.0/9', 'a', '192.0.2.1', 1),
    route('10.0.0.0/8', 'b', '192.0.2.1', 1),
    route('10.0.0.0/8', 'a', '192.0.2.2', 1),
    route('10.0.0.0/8', 'a', undefined, 1),
    route('10.0.0.0/8', 'a', '192.0.2.1', 2),
  ]) {
    assert.equal(table.remove(other), false);
    assert.equal(table.add(other), true);
  }
  assert.equal(table.size, 6);
});

test('a network with host bits, a next hop of the other family and a full table are refused by name', () => {
  const table = new RouteTable<string>({ routes: 1 });
  assert.throws(() => table.add(route('10.0.0.1/8', 'a')), { code: 'ROUTE_INVALID' });
  assert.throws(() => table.add(route('10.0.0.0/8', 'a', '::1')), { code: 'ROUTE_INVALID' });
  table.add(route('10.0.0.0/8', 'a'));
  assert.throws(() => table.add(route('11.0.0.0/8', 'a')), { code: 'ROUTES_FULL' });
  assert.equal(table.add(route('10.0.0.0/8', 'a')), false, 'what is there needs no room');
  assert.deepEqual([...table].length, 1);
});

test('routes are listed by family, network, prefix length and metric', () => {
  const table = tableOf(
    route('2001:db8::/32', 'g'),
    route('10.1.0.0/16', 'd'),
    route('10.0.0.0/8', 'c', undefined, 2),
    route('::/0', 'f'),
    route('192.168.0.0/16', 'e'),
    route('10.0.0.0/8', 'b', undefined, 1),
    route('0.0.0.0/0', 'a'),
  );
  assert.equal([...table].map(({ target }) => target).join(''), 'abcdefg');
});

test('a table with everything removed is as new: no nodes are left behind', () => {
  const table = tableOf(
    route('10.0.0.0/8', 'a'),
    route('10.128.0.0/9', 'b'),
    route('10.64.0.0/16', 'c'),
  );
  const all = [...table];
  for (const one of all) assert.equal(table.remove(one), true);
  assert.equal(table.size, 0);
  assert.deepEqual([...table], []);
  assert.equal(targetOf(table, '10.64.0.1'), undefined);
});

// Few bits in few places, so that prefixes nest and part often.
const word = fc.constantFrom(0, 1, -1, 1 << 31, 0x0a00_0000, 0x0a80_0000, 0x0a80_0001, 0x2001_0db8);
const address = fc
  .tuple(fc.boolean(), word, word, word, word)
  .map(([isFour, a, b, c, d]) => (isFour ? IpAddress.v4(d) : IpAddress.v6(a, b, c, d)));
const network = fc.tuple(address, fc.nat(128)).map(([from, length]) => {
  const prefixLength = from.family === 4 ? length % 33 : length;
  return new Cidr(new Cidr(from, prefixLength).network, prefixLength);
});
const anyRoute: fc.Arbitrary<Route<string>> = fc.record({
  network,
  target: fc.constantFrom('up', 'down'),
  nextHop: fc.constant(undefined),
  metric: fc.nat(2),
});

/** The same table as a list that is searched from end to end. */
class Model {
  #list: Route<string>[] = [];

  #at(wanted: Route<string>): number {
    return this.#list.findIndex(
      ({ network, target, metric }) =>
        network.equals(wanted.network) && target === wanted.target && metric === wanted.metric,
    );
  }

  add(one: Route<string>): boolean {
    if (this.#at(one) >= 0) return false;
    this.#list.push(one);
    return true;
  }

  remove(one: Route<string>): boolean {
    const at = this.#at(one);
    if (at >= 0) this.#list.splice(at, 1);
    return at >= 0;
  }

  lookup(
    destination: IpAddress,
    isUsable: (route: Route<string>) => boolean,
  ): Route<string> | undefined {
    return this.#list
      .filter((one) => one.network.contains(destination) && isUsable(one))
      .toSorted(
        (a, b) => b.network.prefixLength - a.network.prefixLength || a.metric - b.metric,
      )[0];
  }

  get size(): number {
    return this.#list.length;
  }
}

test('the table answers as a list does that is searched from end to end', () => {
  const operation = fc.record({ isAdd: fc.boolean(), one: anyRoute, destination: address });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60, size: 'max' }), (operations) => {
      const table = new RouteTable<string>();
      const model = new Model();
      for (const { isAdd, one, destination } of operations) {
        if (isAdd) assert.equal(table.add(one), model.add(one));
        else assert.equal(table.remove(one), model.remove(one));
        for (const sought of [destination, one.network.address]) {
          assert.equal(
            table.lookup(sought),
            model.lookup(sought, () => true),
          );
          assert.equal(table.lookup(sought, isNotDown), model.lookup(sought, isNotDown));
        }
        assert.equal(table.size, model.size);
        assert.equal([...table].length, model.size);
      }
    }),
  );
});
