import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { writeUint16 } from '../../core/index.ts';
import type { FrameOffload } from '../index.ts';
import {
  isOfDatagrams,
  readVirtioHeader,
  VIRTIO_HEADER_LENGTH,
  writeVirtioHeader,
} from './virtio-header.ts';

const NOTHING: FrameOffload = { checksumStart: 0, checksumOffset: 0, segmentSize: 0 };

/** A frame whose Ethernet types are these, one after the other, with a TCP header of 32 bytes at `tcp`. */
function frameWith(types: readonly number[], tcp: number, flags = 0x10): Uint8Array {
  const frame = new Uint8Array(3000);
  for (const [i, type] of types.entries()) writeUint16(frame, 12 + 4 * i, type);
  frame[tcp + 12] = 0x80;
  frame[tcp + 13] = flags;
  return frame;
}

function written(frame: Uint8Array, offload: FrameOffload | undefined): number[] | false {
  const bytes = new Uint8Array(VIRTIO_HEADER_LENGTH).fill(0xee);
  return writeVirtioHeader(bytes, frame, offload) && [...bytes];
}

/** A header as the kernel would write it: flags, and the kind of packet to be cut. */
function header(flags: number, kind: number): Uint8Array {
  return Uint8Array.from([flags, kind, 66, 0, 100, 0, 34, 0, 16, 0]);
}

test('a frame with nothing left to do has a header of zeros', () => {
  const zeros = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  assert.deepEqual(written(new Uint8Array(60), undefined), zeros);
  assert.deepEqual(written(new Uint8Array(60), NOTHING), zeros);
});

test('an unfinished checksum is NEEDS_CSUM with its place, little-endian', () => {
  const offload = { checksumStart: 34, checksumOffset: 6, segmentSize: 0 };
  assert.deepEqual(written(new Uint8Array(60), offload), [1, 0, 0, 0, 0, 0, 34, 0, 6, 0]);
});

test('a frame to be cut says its kind, the length of its headers and the size of its segments', () => {
  const v4 = { checksumStart: 34, checksumOffset: 16, segmentSize: 1460 };
  const v6 = { checksumStart: 54, checksumOffset: 16, segmentSize: 1440 };
  assert.deepEqual(written(frameWith([0x0800], 34), v4), [1, 1, 66, 0, 0xb4, 0x05, 34, 0, 16, 0]);
  assert.deepEqual(written(frameWith([0x86dd], 54), v6), [1, 4, 86, 0, 0xa0, 0x05, 54, 0, 16, 0]);
});

test('the kind is found behind one tag and two, and CWR is said', () => {
  const offload = { checksumStart: 42, checksumOffset: 16, segmentSize: 1000 };
  const typeOf = (frame: Uint8Array): number => (written(frame, offload) as number[])[1]!;
  assert.equal(typeOf(frameWith([0x8100, 0x0800], 42)), 1);
  assert.equal(typeOf(frameWith([0x88a8, 0x8100, 0x86dd], 42)), 4);
  assert.equal(typeOf(frameWith([0x0800], 42, 0x90)), 0x81);
});

test('an offload that does not fit its frame is refused', () => {
  const frame = frameWith([0x0800], 34);
  const refused = (change: Partial<FrameOffload>, of: Uint8Array = frame): void => {
    const offload = { checksumStart: 34, checksumOffset: 16, segmentSize: 1460, ...change };
    assert.equal(written(of, offload), false);
  };
  refused({ checksumStart: 0 });
  refused({ checksumOffset: 6 });
  refused({ segmentSize: 0x10000 });
  refused({ checksumStart: 2990 });
  refused({}, frame.subarray(0, 53));
  refused({}, frame.subarray(0, 65));
  refused({}, frameWith([0x0806], 34));
  refused({}, frameWith([0x8100, 0x8100, 0x8100, 0x0800], 34));
  refused({ segmentSize: 0 }, frame.subarray(0, 51));
});

test('what is written is read again', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(0x0800, 0x86dd),
      fc.integer({ min: 34, max: 100 }),
      fc.integer({ min: 0, max: 0xffff }),
      (type, checksumStart, segmentSize) => {
        const offload = { checksumStart, checksumOffset: 16, segmentSize };
        const bytes = new Uint8Array(VIRTIO_HEADER_LENGTH);
        const frame = frameWith([type], checksumStart);
        assert.ok(writeVirtioHeader(bytes, frame, offload));
        assert.deepEqual(readVirtioHeader(bytes, frame.length, { ...NOTHING }), {
          ...offload,
          checksumVerified: false,
        });
      },
    ),
  );
});

test('any header is read as an offload within the frame, as none, or as bad', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: VIRTIO_HEADER_LENGTH, maxLength: VIRTIO_HEADER_LENGTH }),
      fc.nat(70_000),
      (bytes, frameLength) => {
        const offload = readVirtioHeader(bytes, frameLength, { ...NOTHING });
        if (offload === undefined || offload === 'bad-offload') return;
        assert.ok(offload.checksumStart + offload.checksumOffset + 2 <= frameLength);
      },
    ),
    { numRuns: 1000 },
  );
});

test('DATA_VALID says that the checksum has been verified; it is said of frames received only', () => {
  const verified = { ...NOTHING, checksumVerified: true };
  assert.deepEqual(readVirtioHeader(header(2, 0), 60, { ...NOTHING }), verified);
  assert.deepEqual(written(new Uint8Array(60), verified), Array(VIRTIO_HEADER_LENGTH).fill(0));
  assert.equal(readVirtioHeader(header(0, 0), 60, { ...verified }), undefined);
});

test('kinds that were not agreed upon are bad', () => {
  assert.equal(readVirtioHeader(header(1, 3), 60, { ...NOTHING }), 'bad-offload');
  // Datagrams, and a checksum that is not where UDP has it; then the other way about.
  assert.equal(readVirtioHeader(header(1, 5), 60, { ...NOTHING }), 'bad-offload');
  assert.equal(readVirtioHeader(header(1, 1).with(8, 6), 60, { ...NOTHING }), 'bad-offload');
  const datagrams = readVirtioHeader(header(1, 5).with(8, 6), 60, { ...NOTHING }) as FrameOffload;
  assert.ok(isOfDatagrams(datagrams));
  assert.deepEqual(readVirtioHeader(header(1, 0x81), 60, { ...NOTHING }), {
    checksumStart: 34,
    checksumOffset: 16,
    segmentSize: 100,
    checksumVerified: false,
  });
});
