import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { fromHex } from '../core/index.ts';
import { emitDomainNames, isDomainName, parseDomainNames } from './domain-name.ts';

const COMPRESSED = { compression: true, limit: 8 };
const PLAIN = { compression: false, limit: 8 };

test('names that were written are read', () => {
  const label = fc.stringMatching(/^[a-z0-9_-]{1,20}$/);
  const name = fc.array(label, { minLength: 1, maxLength: 6 }).map((labels) => labels.join('.'));
  fc.assert(
    fc.property(fc.array(name, { maxLength: 8 }), (names) => {
      assert.deepEqual(parseDomainNames(emitDomainNames(names), PLAIN), names);
    }),
  );
});

test('any bytes give names that can be written again, or a fault', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (bytes, compression) => {
      const names = parseDomainNames(bytes, { compression, limit: 8 });
      if (typeof names === 'string') return;
      for (const name of names) assert.ok(isDomainName(name), name);
    }),
    { numRuns: 2000 },
  );
});

test('pointers lead backwards only, so no name loops', () => {
  assert.equal(parseDomainNames(fromHex('c000'), COMPRESSED), 'bad-value');
  assert.equal(parseDomainNames(fromHex('0161c000'), COMPRESSED), 'bad-value', 'to its own start');
  assert.equal(parseDomainNames(fromHex('016100 0162c004'), COMPRESSED), 'bad-value');
  assert.equal(parseDomainNames(fromHex('016100 c0'), COMPRESSED), 'truncated');
  assert.deepEqual(parseDomainNames(fromHex('016100 0162c000'), COMPRESSED), ['a', 'b.a']);
  assert.equal(parseDomainNames(fromHex('016100 0162c000'), PLAIN), 'bad-value');
});

test('faults of labels, lengths and numbers', () => {
  assert.equal(parseDomainNames(fromHex('0261'), PLAIN), 'truncated');
  assert.equal(parseDomainNames(fromHex('0161'), PLAIN), 'truncated');
  assert.equal(parseDomainNames(fromHex('00'), PLAIN), 'bad-value', 'the root');
  assert.equal(parseDomainNames(fromHex('010a00'), PLAIN), 'bad-value', 'a line feed');
  assert.equal(parseDomainNames(fromHex('4161'), PLAIN), 'bad-value', 'an upper bit pair of 01');
  const label = `3f${'61'.repeat(63)}`;
  assert.equal(parseDomainNames(fromHex(`${label.repeat(4)}00`), PLAIN), 'bad-length');
  assert.equal(parseDomainNames(fromHex('016100'.repeat(9)), PLAIN), 'too-many');
});

test('what is no domain name is not written', () => {
  for (const name of ['', '.', 'a..b', 'a b', 'x'.repeat(64), `${'a.'.repeat(127)}a`]) {
    assert.throws(() => emitDomainNames([name]), { code: 'DOMAIN_NAME_INVALID' }, name);
  }
});
