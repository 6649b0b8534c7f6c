import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { fromHex, toHex } from '../../core/index.ts';
import { CODES, CODE_LENGTHS, END_OF_STRING } from './huffman-code.ts';
import {
  HAS_END_OF_STRING,
  HAS_INVALID_PADDING,
  decodeHuffman,
  decodedLengthAtMost,
} from './huffman-decoder.ts';
import { encodeHuffman, huffmanLength } from './huffman-encoder.ts';

/** The text of a code, or what is wrong with it. The code stands among other bytes, as it does in a block. */
function decode(code: Uint8Array): string | number {
  const input = Uint8Array.of(0xff, 0x00, ...code, 0x00, 0xff);
  const output = new Uint8Array(decodedLengthAtMost(code.length));
  const length = decodeHuffman(input, 2, 2 + code.length, output);
  return length < 0 ? length : String.fromCharCode(...output.subarray(0, length));
}

function encode(text: string): Uint8Array {
  const output = new Uint8Array(huffmanLength(text) + 2).fill(0xaa);
  const end = encodeHuffman(text, output, 1);
  assert.deepEqual([output[0], output[end]], [0xaa, 0xaa]);
  return output.subarray(1, end);
}

/** Bits as bytes, filled with 1. */
function fromBits(bits: string): Uint8Array {
  const bytes = bits.match(/.{1,8}/g) ?? [];
  return Uint8Array.from(bytes, (byte) => parseInt(byte.padEnd(8, '1'), 2));
}

function codeOf(symbol: number): string {
  return CODES[symbol]!.toString(2).padStart(CODE_LENGTHS[symbol]!, '0');
}

test('the code is that of appendix B: whole, free of prefixes, with the codes that are written there', () => {
  assert.equal(CODE_LENGTHS.length, 257);
  assert.equal(
    CODE_LENGTHS.reduce((sum, length) => sum + 2 ** -length, 0),
    1,
  );
  const written: readonly [symbol: number, hex: string, bits: number][] = [
    [0, '1ff8', 13],
    [9, 'ffffea', 24],
    [0x20, '14', 6],
    [0x30, '0', 5],
    [0x3c, '7ffc', 15],
    [0x5c, '7fff0', 19],
    [0x7a, '7b', 7],
    [0x7f, 'ffffffc', 28],
    [0x80, 'fffe6', 20],
    [0xbf, '7ffff1', 23],
    [0xd0, '7fff2', 19],
    [0xff, '3ffffee', 26],
    [END_OF_STRING, '3fffffff', 30],
  ];
  for (const [symbol, hex, bits] of written) {
    assert.equal(CODES[symbol]!.toString(16), hex);
    assert.equal(CODE_LENGTHS[symbol], bits);
  }
});

test('each character is read and written, after each count of bits that may wait', () => {
  for (let symbol = 0; symbol < END_OF_STRING; symbol++) {
    for (let before = 0; before < 8; before++) {
      // The code of '0' has five bits, so that eight of them lead through every remainder.
      const text = '0'.repeat(before) + String.fromCharCode(symbol);
      const code = fromBits(codeOf(0x30).repeat(before) + codeOf(symbol));
      assert.equal(toHex(encode(text)), toHex(code));
      assert.equal(decode(code), text);
    }
  }
});

test('any text is read as it was written', () => {
  const text = fc
    .uint8Array({ maxLength: 200, size: 'max' })
    .map((bytes) => String.fromCharCode(...bytes));
  fc.assert(
    fc.property(text, (text) => {
      assert.equal(decode(encode(text)), text);
    }),
  );
});

test('padding is up to seven bits of 1 and nothing else', () => {
  assert.equal(decode(fromHex('')), '');
  // 'a' is 00011.
  assert.equal(decode(fromHex('1f')), 'a');
  for (const padding of ['000', '110', '011']) {
    assert.equal(decode(fromBits(`00011${padding}`)), HAS_INVALID_PADDING, padding);
  }
  assert.equal(decode(fromHex('1fff')), HAS_INVALID_PADDING);
  assert.equal(decode(fromHex('ff')), HAS_INVALID_PADDING);
  // 'X' has eight bits, so nothing is left to fill: a byte of 1 after it is one too many.
  assert.equal(decode(fromHex('fc')), 'X');
  assert.equal(decode(fromHex('fcff')), HAS_INVALID_PADDING);
  // A code that is cut off.
  assert.equal(decode(fromHex('fffe')), HAS_INVALID_PADDING);
});

test('the code of the end of strings is refused wherever it stands', () => {
  for (let before = 0; before < 8; before++) {
    const text = codeOf(0x30).repeat(before);
    assert.equal(decode(fromBits(text + codeOf(END_OF_STRING))), HAS_END_OF_STRING);
    const within = text + codeOf(END_OF_STRING) + codeOf(0x61);
    assert.equal(decode(fromBits(within)), HAS_END_OF_STRING);
  }
});

test('no code gives more than there is room for', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40, size: 'max' }), (code) => {
      const output = new Uint8Array(decodedLengthAtMost(code.length));
      const length = decodeHuffman(code, 0, code.length, output);
      assert.ok(length <= output.length);
    }),
  );
  // The shortest codes there are.
  const text = '0'.repeat(80);
  assert.equal(encode(text).length, 50);
  assert.equal(decode(encode(text)), text);
});
