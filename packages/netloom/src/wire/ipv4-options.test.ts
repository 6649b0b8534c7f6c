import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bytes as anyBytes, ipv4, record, uint16 } from '../../test/arbitraries.ts';
import { FRAMES } from '../../test/frames.ts';
import { emitted, parseGood, parseGuarded } from '../../test/guarded.ts';
import { fromHex } from '../core/index.ts';
import {
  emitIpv4Options,
  ipv4OptionsLength,
  parseIpv4Options,
  type Ipv4Option,
} from './ipv4-options.ts';

function emit(options: readonly Ipv4Option[]): Uint8Array {
  return emitted(ipv4OptionsLength(options), (buffer, at) => emitIpv4Options(options, buffer, at));
}

test('the router alert of an IGMP query (RFC 2113)', () => {
  const bytes = FRAMES.igmpV3Query.subarray(34, 38);
  const options = parseGood(bytes, parseIpv4Options);
  assert.deepEqual(options, [{ kind: 'router-alert', value: 0 }]);
  assert.deepEqual(emit(options), bytes);
});

test('the route that a ping recorded', () => {
  const bytes = FRAMES.pingRecordRoute.subarray(34, 74);
  const options = parseGood(bytes, parseIpv4Options);
  const [route] = options;
  assert.ok(route?.kind === 'record-route');
  assert.equal(route.addresses.length, 9);
  assert.equal(route.next, 3);
  assert.deepEqual(route.addresses.slice(0, route.next).map(String), [
    '192.0.2.1',
    '192.0.2.2',
    '192.0.2.2',
  ]);
  assert.deepEqual(emit(options), bytes);
});

test('what is emitted is parsed as it was', () => {
  const route = fc
    .tuple(
      fc.constantFrom('record-route', 'loose-source-route', 'strict-source-route'),
      fc.array(ipv4, { maxLength: 4 }),
    )
    .chain(([kind, addresses]) =>
      record({
        kind: fc.constant(kind),
        next: fc.nat(addresses.length),
        addresses: fc.constant(addresses),
      }),
    );
  const option: fc.Arbitrary<Ipv4Option> = fc.oneof(
    record({ kind: fc.constant('router-alert'), value: uint16 }),
    route,
    record({
      kind: fc.constant('other'),
      type: fc.constantFrom(68, 130, 136, 205),
      body: anyBytes(12),
    }),
  );
  fc.assert(
    fc.property(fc.array(option, { maxLength: 4 }), (options) => {
      assert.deepEqual(parseGood(emit(options), parseIpv4Options), options);
    }),
  );
});

test('the end of the list ends it, whatever stands behind', () => {
  assert.deepEqual(parseGuarded(fromHex('01 00 07 00'), parseIpv4Options), []);
});

test('an option may be nothing but type and length, up to the last byte', () => {
  const [option] = parseGood(fromHex('01 01 82 02'), parseIpv4Options);
  assert.deepEqual(option, { kind: 'other', type: 0x82, body: new Uint8Array(0) });
});

test('lengths that do not fit are refused', () => {
  for (const bad of [
    '44',
    '44 00',
    '44 01',
    '44 05 00 00',
    '94 03 00',
    '94 05 0000 00',
    '07 02',
    '07 04 04 00',
    '07 07 03 00000000',
    '07 07 05 00000000',
  ]) {
    assert.equal(parseGuarded(fromHex(bad), parseIpv4Options), 'bad-option', bad);
  }
});
