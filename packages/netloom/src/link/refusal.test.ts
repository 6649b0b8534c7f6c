import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_OFFLOAD } from './link.ts';
import { refusalOf } from './refusal.ts';

const ALL = { checksum: true, segmentation: 65_535 };
const UNFINISHED = { checksumStart: 34, checksumOffset: 16, segmentSize: 0 };
const TO_BE_CUT = { ...UNFINISHED, segmentSize: 1448 };

test('a frame is refused that is none, that is longer than the MTU with a tag, or that a link cannot finish', () => {
  for (const [length, left, able, refusal] of [
    [13, undefined, ALL, 'too-short'],
    [14, undefined, ALL, undefined],
    [1518, undefined, NO_OFFLOAD, undefined],
    [1519, undefined, ALL, 'too-long'],
    [1518, UNFINISHED, ALL, undefined],
    [1518, UNFINISHED, NO_OFFLOAD, 'checksum-unfinished'],
    [65_535, TO_BE_CUT, ALL, undefined],
    [65_536, TO_BE_CUT, ALL, 'too-long'],
    [100, TO_BE_CUT, NO_OFFLOAD, 'too-long'],
    [100, TO_BE_CUT, { checksum: false, segmentation: 1000 }, 'checksum-unfinished'],
  ] as const) {
    const what = `${length} bytes, ${JSON.stringify(left)}, ${JSON.stringify(able)}`;
    assert.equal(refusalOf(new Uint8Array(length), left, 1500, able), refusal, what);
  }
});
