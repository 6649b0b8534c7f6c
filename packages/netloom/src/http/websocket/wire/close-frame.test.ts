import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromHex } from '../../../core/index.ts';
import { CloseCode, closePayload, isCloseCode, parseClose } from './index.ts';

test('the close codes that may be sent are those of the registry, of libraries and private ones', () => {
  const valid: number[] = [];
  for (let code = 0; code < 0x10000; code++) {
    const payload = Uint8Array.of(code >> 8, code);
    const parsed = parseClose(payload);
    if (typeof parsed === 'string') assert.equal(parsed, 'close-code-invalid');
    else assert.deepEqual(parsed, { code, reason: '' });
    assert.equal(isCloseCode(code), typeof parsed !== 'string');
    if (isCloseCode(code) && code < 3000) valid.push(code);
    if (code >= 3000) assert.equal(isCloseCode(code), code < 5000, `${code}`);
  }
  assert.deepEqual(valid, [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014]);
});

test('a Close frame is read as it was written', () => {
  const reason = 'é'.repeat(61);
  assert.deepEqual(parseClose(closePayload(4000, reason)), { code: 4000, reason });
  assert.deepEqual(parseClose(closePayload(CloseCode.NO_STATUS, '')), { code: 1005, reason: '' });
  assert.deepEqual(closePayload(CloseCode.NO_STATUS, ''), new Uint8Array());
});

test('a Close frame with half a code, or a reason that is not UTF-8, is a fault', () => {
  assert.equal(parseClose(fromHex('03')), 'close-payload-short');
  assert.equal(parseClose(fromHex('03e8 ce ba e1 bd')), 'close-reason-not-utf8');
  assert.equal(parseClose(fromHex('03e8 ed a0 80')), 'close-reason-not-utf8');
});

test('a byte order mark in a reason is kept', () => {
  assert.deepEqual(parseClose(fromHex('03e8 efbbbf 61')), { code: 1000, reason: '\ufeffa' });
});

test('what must not be sent cannot be written', () => {
  const invalid = { code: 'WEBSOCKET_CLOSE_INVALID' };
  for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000]) {
    assert.throws(() => closePayload(code, 'why'), invalid, `${code}`);
  }
  assert.throws(() => closePayload(1006, ''), invalid);
  assert.throws(() => closePayload(1000, 'é'.repeat(62)), invalid);
});
