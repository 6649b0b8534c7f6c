import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveSpecialName } from './special-names.ts';

function texts(name: string, family?: 4 | 6): string[] | undefined {
  return resolveSpecialName(name, family)?.map(String);
}

test('an address written as text is itself', () => {
  assert.deepEqual(texts('192.0.2.1'), ['192.0.2.1']);
  assert.deepEqual(texts('2001:DB8::1'), ['2001:db8::1']);
  assert.throws(() => texts('192.0.2.1', 6), { code: 'NAME_NOT_FOUND' });
});

test('RFC 6761, section 6.3: localhost and what is under it are loopback', () => {
  for (const name of ['localhost', 'LocalHost.', 'app.localhost']) {
    assert.deepEqual(texts(name), ['::1', '127.0.0.1']);
    assert.deepEqual(texts(name, 4), ['127.0.0.1']);
    assert.deepEqual(texts(name, 6), ['::1']);
  }
});

test('RFC 6761, section 6.4: invalid has no address', () => {
  for (const name of ['invalid', 'a.invalid', 'a.INVALID.', '', '.']) {
    assert.throws(() => texts(name), { code: 'NAME_NOT_FOUND' });
  }
});

test('every other name is for a resolver', () => {
  for (const name of ['example.com', 'localhost.example', 'mylocalhost', 'invalid.org', '1.2.3']) {
    assert.equal(texts(name), undefined);
  }
});
