import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { fromHex } from '../../../core/index.ts';
import {
  RFC_EXAMPLES,
  cutAt,
  frame,
  readFrames,
  singly,
} from '../../../../test/websocket/frames.ts';
import { Opcode, frameHeaderLength, isOpcode, type FrameReaderOptions } from './index.ts';

for (const { name, masked, bytes, frames } of RFC_EXAMPLES) {
  test(`RFC 6455, section 5.7: ${name} is read`, () => {
    const expected = frames.map((one) => ({ ...one, isCompressed: false, isComplete: true }));
    assert.deepEqual(readFrames({ masked }, [bytes]), { frames: expected, fault: undefined });
  });

  test(`RFC 6455, section 5.7: ${name} is written`, () => {
    const key = masked ? 0x37fa213d : undefined;
    const written = frames.map(({ opcode, isFinal, payload }) => {
      assert.ok(isOpcode(opcode));
      const options = key === undefined ? { isFinal } : { isFinal, key };
      return frame(opcode, Uint8Array.from(payload), options);
    });
    assert.deepEqual(Buffer.concat(written), Buffer.from(bytes));
  });
}

/** Payloads about every boundary of the length's encodings, and of the ways of masking. */
const LENGTHS = [0, 1, 3, 4, 124, 125, 126, 127, 128, 129, 130, 131, 1000, 65_535, 65_536, 65_537];

test('a frame is read as it was written, whatever its length and key, cut once at every byte of its header and beginning', () => {
  for (const length of LENGTHS) {
    const payload = Uint8Array.from({ length }, (_, index) => (index * 7 + 3) & 255);
    for (const key of [undefined, 0, 0x01020304, -1]) {
      const masked = key !== undefined;
      const bytes = frame(Opcode.BINARY, payload, key === undefined ? {} : { key });
      assert.equal(bytes.length, frameHeaderLength(length, masked) + length);
      const whole = readFrames({ masked }, [bytes]);
      assert.equal(whole.fault, undefined);
      assert.deepEqual(whole.frames.length, 1);
      assert.ok(Buffer.from(whole.frames[0]!.payload).equals(payload), `${length} bytes`);
      if (length > 1000) continue;
      for (let cut = 0; cut <= Math.min(bytes.length, 40); cut++) {
        assert.deepEqual(readFrames({ masked }, cutAt(bytes, [cut])), whole);
      }
      assert.deepEqual(readFrames({ masked }, singly(bytes)), whole);
    }
  }
});

/** Frames of any kind, one after the other, and their bytes. */
const manyFrames = fc
  .array(
    fc.record({
      opcode: fc.constantFrom(...Object.values(Opcode)),
      payload: fc.uint8Array({ maxLength: 300 }),
      isFinal: fc.boolean(),
      isCompressed: fc.boolean(),
    }),
    { maxLength: 6 },
  )
  .map((frames) =>
    frames.map((one) =>
      one.opcode >= Opcode.CLOSE
        ? { ...one, isFinal: true, isCompressed: false, payload: one.payload.subarray(0, 125) }
        : { ...one, isCompressed: one.isCompressed && one.opcode !== Opcode.CONTINUATION },
    ),
  );

test('frames in a row are read as they were written, however they are cut', () => {
  const cuts = fc.array(fc.nat(600), { maxLength: 12 });
  fc.assert(
    fc.property(manyFrames, fc.option(fc.integer(), { nil: undefined }), cuts, (all, key, at) => {
      const parts = all.map(({ opcode, payload, ...flags }) =>
        frame(opcode, payload, key === undefined ? flags : { ...flags, key }),
      );
      const options = { masked: key !== undefined, compression: true };
      const { frames, fault } = readFrames(options, cutAt(Buffer.concat(parts), at));
      assert.equal(fault, undefined);
      assert.deepEqual(
        frames,
        all.map((one) => ({ ...one, payload: [...one.payload], isComplete: true })),
      );
    }),
  );
});

/** [what is wrong, the bytes up to the one that tells it, the fault, the reader]. */
const REFUSALS: readonly [string, string, string, Partial<FrameReaderOptions>?][] = [
  ['the first reserved bit without compression', 'c1', 'reserved-bits'],
  ['the second reserved bit', 'a1', 'reserved-bits', { compression: true }],
  ['the third reserved bit', '91', 'reserved-bits', { compression: true }],
  ['a compressed Ping', 'c9', 'reserved-bits', { compression: true }],
  ['a compressed continuation', 'c0', 'reserved-bits', { compression: true }],
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map(
    (opcode) =>
      [`opcode ${opcode}`, (0x80 | opcode).toString(16), 'opcode-reserved'] as [
        string,
        string,
        string,
      ],
  ),
  ['a Close that is not final', '08', 'control-fragmented'],
  ['a Ping that is not final', '09', 'control-fragmented'],
  ['a Pong that is not final', '0a', 'control-fragmented'],
  ['a Ping of more than 125 bytes', '89 7e', 'control-too-long'],
  ['a Close of more than 65,535 bytes', '88 7f', 'control-too-long'],
  ['a mask from a server', '81 80', 'mask-unexpected'],
  ['no mask from a client', '81 00', 'mask-missing', { masked: true }],
  ['125 bytes by a length of 16 bits', '82 7e 00 7d', 'length-not-minimal'],
  ['65,535 bytes by a length of 64 bits', '82 7f 00 00 00 00 00 00 ff ff', 'length-not-minimal'],
  ['a length of 2^63', '82 7f 80 00 00 00 00 00 00 00', 'length-invalid'],
  ['a length of 2^63 - 1', '82 7f 7f ff ff ff ff ff ff ff', 'frame-too-large', { frameBytes: 1e6 }],
  ['a frame over the limit', '82 65', 'frame-too-large', { frameBytes: 100 }],
];

test('a frame that breaks a rule is refused with the byte that tells it, and not before', () => {
  for (const [what, hex, fault, options] of REFUSALS) {
    const bytes = fromHex(hex);
    const before = readFrames(options ?? {}, singly(bytes.subarray(0, -1)));
    assert.deepEqual(before, { frames: [], fault: undefined }, what);
    assert.deepEqual(readFrames(options ?? {}, singly(bytes)), { frames: [], fault }, what);
    assert.deepEqual(readFrames(options ?? {}, [bytes]), { frames: [], fault }, what);
  }
});

test('a reader that has found a fault finds nothing any more', () => {
  const { frames, fault } = readFrames({}, [
    fromHex('81 01 61 83'),
    frame(Opcode.TEXT, 'more'),
    fromHex('89'),
  ]);
  assert.equal(frames.length, 1);
  assert.equal(fault, 'opcode-reserved');
});

test('the limit of a frame is not that of control frames', () => {
  const { fault } = readFrames({ frameBytes: 3 }, [frame(Opcode.PING, 'longer than 3')]);
  assert.equal(fault, undefined);
});

test('any bytes give frames or a fault, the same however they are cut', () => {
  const cuts = fc.array(fc.nat(200), { maxLength: 12 });
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      cuts,
      fc.boolean(),
      fc.boolean(),
      (bytes, at, masked, compression) => {
        const options = { masked, compression, frameBytes: 100 };
        assert.deepEqual(readFrames(options, cutAt(bytes, at)), readFrames(options, [bytes]));
      },
    ),
    { numRuns: 1000 },
  );
});
