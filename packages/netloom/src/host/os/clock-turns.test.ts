/** In which turn of the loop the platform's clock makes deferred calls. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  FileDescriptor,
  NativeMemory,
  ReadinessWatcher,
  nativeAvailable,
} from '../../native/index.ts';
import { requires } from '../../../test/requires.ts';
import { SystemClock } from './clock.ts';

/** Defers a call that defers the next, and so on for ever; answers how many have been made. */
function chain(clock: SystemClock): { calls: number } {
  const made = { calls: 0 };
  const next = (): void => {
    made.calls++;
    if (made.calls < 1000) clock.defer(next);
  };
  clock.defer(next);
  return made;
}

/** Waits for so many turns of the loop. */
function turns(count: number): Promise<void> {
  return new Promise((resolve) => {
    const wait = (left: number): void => {
      setImmediate(() => (left > 1 ? wait(left - 1) : resolve()));
    };
    wait(count);
  });
}

test('calls that are deferred by deferred calls are made in one turn, a few times over; then the loop has its own', async () => {
  const made = chain(new SystemClock());
  assert.equal(made.calls, 0);
  await turns(1);
  assert.equal(made.calls, 5);
  await turns(1);
  assert.equal(made.calls, 10);
});

test(
  'what is deferred while a descriptor is read comes in the same turn',
  { skip: requires(nativeAvailable() ?? false) },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'netloom-clock-'));
    const clock = new SystemClock();
    const memory = NativeMemory.allocate(10);
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    using pipe = FileDescriptor.open(join(folder, 'pipe'));
    const order: string[] = [];
    const done = Promise.withResolvers<void>();
    const watcher = new ReadinessWatcher(pipe, () => {
      watcher.close();
      assert.equal(ReadinessWatcher.isCalling, true);
      setImmediate(() => {
        order.push('next turn');
        done.resolve();
      });
      clock.defer(() => {
        order.push('deferred');
        clock.defer(() => order.push('deferred by that'));
      });
    });
    watcher.start();
    pipe.write(memory, 1);
    await done.promise;
    rmSync(folder, { recursive: true });
    assert.deepEqual(order, ['deferred', 'deferred by that', 'next turn']);
    assert.equal(ReadinessWatcher.isCalling, false);
  },
);
