/** The well-formed and ill-formed sequences of the Unicode Standard, section 3.9 (tables 3-7 to 3-11), and of RFC 3629, section 4. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { fromHex } from '../../../core/index.ts';
import { cutAt } from '../../../../test/websocket/frames.ts';
import { Utf8Validator } from './index.ts';

/** How many bytes are taken before the first that cannot stand where it does; all of them if there is none. */
function acceptedBytes(bytes: Uint8Array): number {
  const validator = new Utf8Validator();
  for (let at = 0; at < bytes.length; at++) {
    if (!validator.accepts(bytes, at, at + 1)) return at;
  }
  return bytes.length;
}

function isWhole(pieces: Iterable<Uint8Array>): boolean {
  const validator = new Utf8Validator();
  for (const piece of pieces) {
    if (!validator.accepts(piece, 0, piece.length)) return false;
  }
  return validator.isComplete;
}

/** What the platform's decoder says. */
function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

test('text of all planes is taken, to the first and last code point of each length', () => {
  const text =
    'Hello \u007f\u0080\u07ff\u0800\ud7ff\ue000\ufffd\ufffe\uffff\u{10000}\u{10ffff} κόσμε';
  const bytes = new TextEncoder().encode(text);
  assert.equal(acceptedBytes(bytes), bytes.length);
  assert.ok(isWhole([bytes]));
});

/** [what is wrong, the sequence, how many of its bytes may stand]. */
const ILL_FORMED: readonly [string, string, number][] = [
  ['a continuation byte alone', '80', 0],
  ['the last continuation byte alone', 'bf', 0],
  ['a continuation byte after a character', 'ce ba 80', 2],
  ['C0, which only begins what is too long', 'c0 af', 0],
  ['C1, which only begins what is too long', 'c1 bf', 0],
  ['NUL in two bytes', 'c0 80', 0],
  ['two bytes, the second missing', 'c2 41', 1],
  ['two bytes, the second a leading one', 'df c2', 1],
  ['too long in three bytes', 'e0 9f bf', 1],
  ['NUL in three bytes', 'e0 80 80', 1],
  ['three bytes, the third missing', 'e1 80 e2', 2],
  ['the first high surrogate', 'ed a0 80', 1],
  ['the last high surrogate', 'ed af bf', 1],
  ['the first low surrogate', 'ed b0 80', 1],
  ['the last low surrogate', 'ed bf bf', 1],
  ['a pair of surrogates (CESU-8)', 'ed a0 81 ed b0 80', 1],
  ['three bytes, the second too high', 'ee c0 80', 1],
  ['too long in four bytes', 'f0 8f bf bf', 1],
  ['NUL in four bytes', 'f0 80 80 80', 1],
  ['four bytes, the third missing', 'f1 91 92 41', 3],
  ['beyond U+10FFFF', 'f4 90 80 80', 1],
  ['far beyond U+10FFFF', 'f4 91 92 93 ff', 1],
  ['F5, which begins what is beyond U+10FFFF', 'f5 80 80 80', 0],
  ['five bytes, as UTF-8 once had', 'f8 88 80 80 80', 0],
  ['six bytes, as UTF-8 once had', 'fc 84 80 80 80 80', 0],
  ['FE', 'fe', 0],
  ['FF', 'ff', 0],
  ['a byte order mark of UTF-16', 'fe ff', 0],
];

test('what is ill-formed is refused with its first wrong byte', () => {
  for (const [what, hex, taken] of ILL_FORMED) {
    const bytes = fromHex(hex);
    assert.equal(acceptedBytes(bytes), taken, what);
    // After other text, which is passed over in strides.
    const prefix = new TextEncoder().encode('κόσμε and sixteen more bytes');
    assert.equal(
      acceptedBytes(Uint8Array.from([...prefix, ...bytes])),
      prefix.length + taken,
      what,
    );
    assert.ok(!isUtf8(bytes));
  }
});

test('every leading byte takes the second bytes that the platform takes', () => {
  for (let lead = 0; lead < 256; lead++) {
    for (let second = 0; second < 256; second++) {
      const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
      const bytes = Uint8Array.from([lead, second, 0x80, 0x80].slice(0, length));
      assert.equal(isWhole([bytes]), isUtf8(bytes), `${lead} ${second}`);
    }
  }
});

test('a text that ends within a character is not complete, and is until then no fault', () => {
  const bytes = new TextEncoder().encode('aé€\u{1f600}');
  const characterEnds = [0, 1, 3, 6, 10];
  for (let end = 0; end <= bytes.length; end++) {
    const validator = new Utf8Validator();
    assert.ok(validator.accepts(bytes, 0, end));
    assert.equal(validator.isComplete, characterEnds.includes(end), `${end} bytes`);
  }
});

test('any bytes are judged as the platform judges them, however they are cut', () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 6 }),
    fc.string({ unit: 'binary', maxLength: 20 }).map((text) => new TextEncoder().encode(text)),
  );
  const bytes = fc
    .array(piece, { maxLength: 6 })
    .map((parts) => Uint8Array.from(Buffer.concat(parts)));
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(100), { maxLength: 6 }), (all, cuts) => {
      assert.equal(isWhole(cutAt(all, cuts)), isUtf8(all));
    }),
    { numRuns: 1000 },
  );
});
