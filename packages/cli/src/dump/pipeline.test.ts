import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LinkType, type CapturedPacket } from 'netloom/wire';
import { DumpPipeline } from './pipeline.ts';
import type { FrameView } from './view.ts';

const MEBIBYTE = 1024 * 1024;

/** A view that says a mebibyte of each frame. */
const LOUD: FrameView = {
  frame: () => 'x'.repeat(MEBIBYTE),
  end: () => 'end',
  notices: () => [],
};

function packet(linkType: number = LinkType.ETHERNET): CapturedPacket {
  return {
    interface: { id: 0, name: 'lan', linkType, snapLength: 0 },
    time: 0n,
    data: new Uint8Array(60),
    originalLength: 60,
    direction: undefined,
  };
}

test('while nobody reads the output, frames of a live source are dropped and counted, and memory stays', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let written = 0;
  const pipeline = new DumpPipeline({
    filter: '',
    count: Infinity,
    view: LOUD,
    capture: undefined,
    write: (text) => {
      written += text.length;
      return promise;
    },
  });
  for (let i = 0; i < 20; i++) {
    pipeline.liveFrame(packet());
    void pipeline.settle();
  }
  assert.equal(pipeline.seen + pipeline.dropped, 20);
  assert.equal(pipeline.seen, 6);
  assert.equal(written, MEBIBYTE);
  resolve();
  await pipeline.end();
  assert.equal(written, 6 * MEBIBYTE + 'end'.length);
});

test('a file may hold packets of several kinds; a filter that is not for one of them is a named error', () => {
  const pipeline = new DumpPipeline({
    filter: 'ether host 00:00:00:00:00:00',
    count: Infinity,
    view: LOUD,
    capture: undefined,
    write: () => undefined,
  });
  pipeline.frame(packet());
  assert.equal(pipeline.passed, 1);
  assert.throws(() => pipeline.frame(packet(101)), { code: 'FILTER_UNFIT' });
});
