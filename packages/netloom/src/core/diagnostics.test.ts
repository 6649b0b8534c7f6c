import assert from 'node:assert/strict';
import platform from 'node:diagnostics_channel';
import { test } from 'node:test';
import { channel, type Channel } from './diagnostics.ts';

/** Runs `body` where the platform has no channels, as in a browser. */
function withoutPlatform(body: () => void): void {
  const own = Object.getOwnPropertyDescriptor(globalThis, 'process')!;
  Object.defineProperty(globalThis, 'process', { value: undefined, configurable: true });
  try {
    body();
  } finally {
    Object.defineProperty(globalThis, 'process', own);
  }
}

/** What holds for a channel wherever it comes from. */
function behaves(make: () => Channel<number>): void {
  const here = make();
  // Whoever uses the name later has the same channel.
  const there = make();
  const heard: number[] = [];
  assert.equal(here.hasSubscribers, false);
  here.publish(1);
  const listener = (event: number): void => void heard.push(event);
  const stopFirst = there.subscribe(listener);
  const stopSecond = there.subscribe(listener);
  assert.equal(here.hasSubscribers, true);
  here.publish(2);
  assert.deepEqual(heard, [2, 2]);
  stopFirst();
  stopFirst();
  here.publish(3);
  assert.deepEqual(heard, [2, 2, 3]);
  stopSecond();
  assert.equal(here.hasSubscribers, false);
  here.publish(4);
  assert.deepEqual(heard, [2, 2, 3]);
}

test("on Node a channel is the platform's own", () => {
  behaves(() => channel('netloom:test:node'));
  const ours = channel<string>('netloom:test:both');
  assert.equal(ours.name, 'netloom:test:both');
  const heard: unknown[] = [];
  const listener = (event: unknown): void => void heard.push(event);
  platform.subscribe('netloom:test:both', listener);
  ours.publish('to the platform');
  platform.unsubscribe('netloom:test:both', listener);
  ours.publish('to nobody');
  assert.deepEqual(heard, ['to the platform']);
});

test('elsewhere channels of one name meet in this process', () => {
  withoutPlatform(() => {
    behaves(() => channel('netloom:test:local'));
    assert.notEqual(channel('netloom:test:local'), channel('netloom:test:other'));
  });
});

test('elsewhere, a listener that fails keeps neither the publisher nor the others from going on', () => {
  const reported: unknown[] = [];
  const own = Object.getOwnPropertyDescriptor(globalThis, 'reportError');
  Object.defineProperty(globalThis, 'reportError', {
    value: (error: unknown) => reported.push(error),
    configurable: true,
  });
  try {
    withoutPlatform(() => {
      const failing = channel<number>('netloom:test:failing');
      const heard: number[] = [];
      const failure = new Error('a listener failed');
      failing.subscribe(() => {
        throw failure;
      });
      failing.subscribe((event) => heard.push(event));
      failing.publish(1);
      assert.deepEqual(heard, [1]);
      assert.deepEqual(reported, [failure]);
    });
  } finally {
    if (own === undefined) Reflect.deleteProperty(globalThis, 'reportError');
    else Object.defineProperty(globalThis, 'reportError', own);
  }
});

test('elsewhere, a listener may come and go while an event is published', () => {
  withoutPlatform(() => {
    const busy = channel<number>('netloom:test:busy');
    const heard: string[] = [];
    const stop = busy.subscribe(() => {
      heard.push('first');
      stop();
      busy.subscribe(() => heard.push('late'));
    });
    busy.subscribe(() => heard.push('second'));
    busy.publish(1);
    assert.deepEqual(heard, ['first', 'second']);
    busy.publish(2);
    assert.deepEqual(heard, ['first', 'second', 'second', 'late']);
  });
});
