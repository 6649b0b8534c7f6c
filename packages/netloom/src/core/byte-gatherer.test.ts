import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ByteGatherer } from './byte-gatherer.ts';

test('what was seen but not taken stays, also where it was gathered', () => {
  const gatherer = new ByteGatherer();
  for (const bytes of [[1, 2], [3], [4, 5]]) {
    gatherer.feed(Uint8Array.from(bytes));
    gatherer.peek(5);
  }
  assert.deepEqual(gatherer.peek(4), Uint8Array.of(1, 2, 3, 4));
  gatherer.consume(2);
  assert.deepEqual(gatherer.peek(3), Uint8Array.of(3, 4, 5));
  assert.equal(gatherer.peek(4), undefined);
  gatherer.consume(3);
  assert.ok(gatherer.isEmpty);
});

test('a Buffer of the platform is seen as plain bytes, whose slice is a copy', () => {
  const gatherer = new ByteGatherer();
  const chunk = Buffer.from([1, 2, 3]);
  gatherer.feed(chunk);
  const copy = gatherer.peek(3)!.slice();
  chunk.fill(9);
  assert.deepEqual(copy, Uint8Array.of(1, 2, 3));
});

test('records of one length byte and that many bytes are the same however they are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(300)),
      fc.array(fc.integer({ min: 0, max: 200 })),
      (lengths, cuts) => {
        const stream: number[] = [];
        for (const [i, length] of lengths.entries()) {
          stream.push(length & 0xff, ...Array.from({ length: length & 0xff }, () => i & 0xff));
        }
        const gatherer = new ByteGatherer();
        const seen: number[] = [];
        const readAll = (): void => {
          for (;;) {
            const size = gatherer.peek(1)?.[0];
            const record = size === undefined ? undefined : gatherer.peek(1 + size);
            if (record === undefined) return;
            assert.ok(record.subarray(1).every((byte) => byte === (seen.length & 0xff)));
            seen.push(size!);
            gatherer.consume(1 + size!);
          }
        };
        let at = 0;
        for (const cut of [...cuts, stream.length]) {
          const chunk = Uint8Array.from(stream.slice(at, at + cut));
          gatherer.feed(chunk);
          readAll();
          chunk.fill(0xdb);
          at += cut;
        }
        assert.deepEqual(
          seen,
          lengths.map((length) => length & 0xff),
        );
        assert.ok(gatherer.isEmpty);
      },
    ),
  );
});
