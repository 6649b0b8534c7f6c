import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ManualClock, concatBytes } from 'netloom/core';
import { PcapngSink, loopbackLink } from 'netloom/link';
import { captureReader } from 'netloom/wire';
import { PcapngBlocks } from './pcapng-blocks.ts';

/** A file with so many frames, as a node writes it. */
function file(lengths: readonly number[]): Uint8Array {
  const blocks: Uint8Array[] = [];
  const sink = new PcapngSink((block) => blocks.push(block));
  const link = loopbackLink(new ManualClock(), 'web');
  for (const length of lengths) sink.frame(link, 'in', new Uint8Array(length), undefined, 1000);
  sink.statistics(link, 1000, { received: lengths.length, dropped: 0 });
  return concatBytes(blocks);
}

const lengths = fc.array(fc.integer({ min: 14, max: 1514 }), { maxLength: 8, minLength: 1 });

test('frames are counted in whatever pieces the file comes', () => {
  fc.assert(
    fc.property(lengths, fc.integer({ min: 1, max: 700 }), (frames, piece) => {
      const bytes = file(frames);
      const blocks = new PcapngBlocks();
      for (let at = 0; at < bytes.length; at += piece) blocks.add(bytes.subarray(at, at + piece));
      assert.deepEqual(
        [blocks.frames, blocks.bytes, blocks.wholeBytes],
        [frames.length, bytes.length, bytes.length],
      );
    }),
  );
});

test('of a file that was cut, what is whole can be read and has the frames that were counted', () => {
  fc.assert(
    fc.property(lengths, fc.double({ min: 0, max: 1, noNaN: true }), (frames, share) => {
      const bytes = file(frames);
      const blocks = new PcapngBlocks();
      blocks.add(bytes.subarray(0, Math.floor(bytes.length * share)));
      let seen = 0;
      const reader = captureReader({ packet: () => void seen++ });
      const whole = bytes.subarray(0, blocks.wholeBytes);
      if (whole.length > 0) {
        assert.equal(reader.push(whole), undefined);
        assert.equal(reader.end(), undefined);
      }
      assert.equal(seen, blocks.frames);
    }),
  );
});
