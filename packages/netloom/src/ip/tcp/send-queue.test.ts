import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { SendQueue } from './send-queue.ts';

/** A step of a writer's or of the sender's; places are shares of what is there. */
type Step =
  | { readonly kind: 'append'; readonly length: number }
  | { readonly kind: 'release'; readonly share: number }
  | { readonly kind: 'copy'; readonly from: number; readonly share: number };

const share = fc.double({ min: 0, max: 1, noNaN: true });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), length: fc.nat(9) }),
  fc.record({ kind: fc.constant('release' as const), share }),
  fc.record({ kind: fc.constant('copy' as const), from: share, share }),
);

/** The queue, and a plain array of the same bytes. */
class Comparison {
  readonly #queue = new SendQueue();
  readonly #bytes: number[] = [];
  #written = 0;

  append(length: number): void {
    const chunk = Uint8Array.from({ length }, () => this.#written++);
    this.#queue.append(chunk);
    this.#bytes.push(...chunk);
  }

  release(count: number): void {
    this.#queue.release(count);
    this.#bytes.splice(0, count);
  }

  /** Copies and compares, and sees that nothing is written beside the place. */
  copy(from: number, length: number): void {
    const target = new Uint8Array(length + 4).fill(0xaa);
    this.#queue.copy(from, length, target, 2);
    const expected = [0xaa, 0xaa, ...this.#bytes.slice(from, from + length), 0xaa, 0xaa];
    assert.deepEqual([...target], expected);
  }

  take(next: Step): void {
    const { length } = this.#bytes;
    if (next.kind === 'append') this.append(next.length);
    else if (next.kind === 'release') this.release(Math.round(next.share * length));
    else {
      const from = Math.round(next.from * length);
      this.copy(from, Math.round(next.share * (length - from)));
    }
    assert.equal(this.#queue.length, this.#bytes.length);
  }
}

test('any part can be copied at any time, whatever has been written and acknowledged', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
      const comparison = new Comparison();
      for (const next of steps) comparison.take(next);
    }),
    { numRuns: 500 },
  );
});

test('a sender that goes on and looks back now and then finds its bytes, over thousands of chunks', () => {
  const comparison = new Comparison();
  for (let i = 0; i < 200; i++) comparison.append(1 + (i % 5));
  for (let i = 0; i < 3000; i++) {
    comparison.append(1 + (i % 5));
    comparison.copy(300 + (i % 40), 5);
    // Retransmissions, at the front and a little behind it.
    if (i % 7 === 0) comparison.copy(i % 3, 20);
    comparison.release(1 + (i % 5));
  }
});

test('chunks are kept as they were given, and let go of when they have been acknowledged', () => {
  const queue = new SendQueue();
  const chunk = new Uint8Array(10).fill(1);
  queue.append(chunk);
  chunk.fill(2);
  const target = new Uint8Array(10);
  queue.copy(0, 10, target, 0);
  assert.deepEqual(target, chunk, 'there is no copy but the one into the frame');
  queue.release(10);
  assert.equal(queue.length, 0);
});

test('after clear it is empty and serves again', () => {
  const queue = new SendQueue();
  queue.append(Uint8Array.of(1, 2, 3));
  queue.release(1);
  queue.clear();
  assert.equal(queue.length, 0);
  queue.append(Uint8Array.of(7, 8, 9));
  const target = new Uint8Array(3);
  queue.copy(0, 3, target, 0);
  assert.deepEqual(target, Uint8Array.of(7, 8, 9));
});
