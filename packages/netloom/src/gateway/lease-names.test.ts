import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { IpAddress } from '../core/index.ts';
import { LeaseNames } from './index.ts';

const at = (text: string): IpAddress => IpAddress.parse(text);

/** Names as they are published. */
function table(): { names: LeaseNames; published: Map<string, string[]> } {
  const published = new Map<string, string[]>();
  const names = new LeaseNames(
    (name, addresses) => {
      if (name === 'full') throw new Error('no room');
      if (addresses.length === 0) published.delete(name);
      else published.set(name, addresses.map(String));
    },
    (name) => name === 'gateway',
  );
  return { names, published };
}

test('a machine’s two addresses have one name; it goes with the last of them', () => {
  const { names, published } = table();
  names.leased(at('10.0.0.9'), 'Box.example.com');
  names.leased(at('2001:db8::9'), 'box');
  assert.deepEqual(published.get('box'), ['10.0.0.9', '2001:db8::9']);
  names.leased(at('10.0.0.9'), 'box');
  names.freed(at('10.0.0.9'));
  assert.deepEqual(published.get('box'), ['2001:db8::9']);
  names.freed(at('2001:db8::9'));
  names.freed(at('2001:db8::9'));
  assert.equal(published.size, 0);
});

test('the first has the name; a renewal under another name changes it', () => {
  const { names, published } = table();
  names.leased(at('10.0.0.1'), 'box');
  names.leased(at('10.0.0.2'), 'box');
  assert.deepEqual(published.get('box'), ['10.0.0.1']);
  assert.equal(names.drops.get('name-taken'), 1);
  names.leased(at('10.0.0.1'), 'other');
  assert.deepEqual([...published], [['other', ['10.0.0.1']]]);
  names.leased(at('10.0.0.2'), 'box');
  assert.deepEqual(published.get('box'), ['10.0.0.2'], 'it is free by now');
  names.leased(at('10.0.0.2'), undefined);
  assert.equal(published.has('box'), false);
});

test('what is no name, is not for clients, or has no room, is no name', () => {
  const { names, published } = table();
  for (const name of ['', '.', 'a b', 'ü', 'gateway', 'GATEWAY.lan', 'full', 'x'.repeat(64)]) {
    names.leased(at('10.0.0.1'), name);
    names.freed(at('10.0.0.1'));
  }
  assert.equal(published.size, 0);
  assert.equal(names.drops.get('name-reserved'), 2);
  assert.ok(names.drops.get('too-many-names') > 0);
});

test('whatever comes and goes: a name has one address of a family at most, and all go in the end', () => {
  const step = fc.record({
    address: fc.constantFrom('10.0.0.1', '10.0.0.2', 'fd00::1', 'fd00::2').map(at),
    name: fc.constantFrom('a', 'b', 'A.lan', undefined),
    frees: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { names, published } = table();
      for (const { address, name, frees } of steps) {
        if (frees) names.freed(address);
        else names.leased(address, name);
        const all = [...published.values()].flat();
        assert.equal(new Set(all).size, all.length, 'an address has one name');
        for (const addresses of published.values()) {
          const families = addresses.map((text) => at(text).family);
          assert.equal(new Set(families).size, families.length);
        }
      }
      for (const { address } of steps) names.freed(address);
      assert.equal(published.size, 0);
    }),
  );
});
