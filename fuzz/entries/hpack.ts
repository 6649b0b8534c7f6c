/** HPACK: the decoder, by itself and after our encoder. */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { fromHex, type Random } from 'netloom/core';
import { HpackDecoder, HpackEncoder } from '../../packages/netloom/src/http/hpack/index.ts';
import {
  decodeBlock,
  decodeFragments,
  encodeBlock,
} from '../../packages/netloom/test/http/hpack/blocks.ts';
import { cut } from '../cut.ts';
import type { FuzzEntry } from '../entry.ts';

/** Blocks of RFC 7541, appendix C, a connection's one after the other, and one that changes the table's size. */
const SEEDS: readonly Uint8Array[] = [
  '828684418cf1e3c2e5f23a6ba0ab90f4ff828684be5886a8eb10649cbf',
  '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf',
  '400a637573746f6d2d6b65790d637573746f6d2d686561646572040c2f73616d706c652f70617468',
  '203fe11f100870617373776f726406736563726574be',
].map(fromHex);

const LIMITS = { listSize: 400, fieldCount: 8, decodedSize: 2000, blockBytes: 4096 };

/** The input is a block, and then the next one: what they are must not depend on how they were cut, and keeps to the limits. */
function decodeInput(input: Uint8Array, random: Random): void {
  const decoder = new HpackDecoder(LIMITS);
  const other = new HpackDecoder(LIMITS);
  for (let blocks = 0; blocks < 2; blocks++) {
    const whole = decodeBlock(decoder, input);
    const pieces = decodeFragments(other, cut(input, random));
    // Comparing by assert at once would make a message for each equal pair as well.
    if (!isDeepStrictEqual(pieces, whole)) assert.deepEqual(pieces, whole);
    const size = decoder.list.reduce((sum, field) => sum + field.size, 0);
    assert.ok(size <= LIMITS.listSize && decoder.list.length <= LIMITS.fieldCount);
    assert.ok(decoder.table.reduce((sum, field) => sum + field.size, 0) <= 4096);
    if (whole.fault === undefined) encodeAgain(decoder);
  }
}

/** What was read is written, and read as it was. */
function encodeAgain(decoder: HpackDecoder): void {
  const fields = decoder.list.map(({ name, value }) => [name, value] as const);
  const encoder = new HpackEncoder();
  const reader = new HpackDecoder();
  for (let times = 0; times < 2; times++) {
    const again = decodeBlock(reader, encodeBlock(encoder, fields));
    if (!isDeepStrictEqual(again.fields, fields)) assert.deepEqual(again.fields, fields);
  }
}

/** The entries. */
export const HPACK_ENTRIES: readonly FuzzEntry[] = [
  { name: 'hpack', seeds: SEEDS, maximumLength: LIMITS.blockBytes, run: decodeInput },
];
