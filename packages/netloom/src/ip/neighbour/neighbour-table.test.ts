import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { IpAddress } from '../../core/index.ts';
import { NeighbourTable } from './neighbour-table.ts';
import { Neighbour } from './neighbour.ts';

const KEY = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

/** Addresses of both families whose words are often the same. */
const addresses = fc
  .tuple(fc.boolean(), fc.constantFrom(0, 0x2001_0db8), fc.constantFrom(0xffff, 1), fc.nat(20))
  .map(([isV4, word0, word2, word3]) =>
    isV4 ? IpAddress.v4(word3) : IpAddress.v6(word0, 0, word2, word3),
  );

test('a neighbour is found by its address, as a table by the text would', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(addresses, fc.boolean())), (steps) => {
      const table = new NeighbourTable(KEY);
      const model = new Map<string, Neighbour>();
      for (const [address, isAdded] of steps) {
        const key = address.toString();
        const known = model.get(key);
        assert.equal(table.get(address), known);
        if (isAdded && known === undefined) {
          const made = new Neighbour(address);
          table.add(made);
          model.set(key, made);
        } else if (!isAdded && known !== undefined) {
          table.remove(known);
          model.delete(key);
        }
        assert.equal(table.size, model.size);
      }
      assert.deepEqual(new Set(table.values()), new Set(model.values()));
    }),
  );
});

test('an IPv4 address and the IPv6 address it is mapped to are two neighbours', () => {
  const table = new NeighbourTable(KEY);
  const four = new Neighbour(IpAddress.parse('10.0.0.1'));
  table.add(four);
  assert.equal(table.get(IpAddress.parse('::ffff:10.0.0.1')), undefined);
  const six = new Neighbour(IpAddress.parse('::ffff:10.0.0.1'));
  table.add(six);
  assert.equal(table.get(four.address), four);
  assert.equal(table.get(six.address), six);
});

test('a zone is no part of the key: all are of one link', () => {
  const table = new NeighbourTable(KEY);
  const neighbour = new Neighbour(IpAddress.parse('fe80::1%eth0'));
  table.add(neighbour);
  assert.equal(table.get(IpAddress.parse('fe80::1')), neighbour);
});
