import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askByMessage, runTurns } from './turns.ts';

/** Counts turns, and what of a long chain of promises and ticks had run when each began. */
function drainedBetween(ask: ((turn: () => void) => void) | undefined): Promise<boolean[]> {
  const { promise, resolve } = Promise.withResolvers<boolean[]>();
  const drained: boolean[] = [];
  let reached = 0;
  let wanted = 0;
  const chain = async (links: number): Promise<void> => {
    for (let i = 0; i < links; i++) await Promise.resolve();
    // What a tick leads to must have run too.
    process.nextTick(() => void Promise.resolve().then(() => reached++));
  };
  runTurns(() => {
    drained.push(reached === wanted);
    if (drained.length === 1000) {
      resolve(drained);
      return false;
    }
    wanted++;
    void chain(drained.length % 7);
    return true;
  }, ask);
  return promise;
}

test('every reaction has run before the next turn, and there are no turns after the last', async () => {
  const drained = await drainedBetween(undefined);
  assert.deepEqual(
    drained.filter((each) => !each),
    [],
  );
  // Turns that were asked for and are not needed do nothing.
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(drained.length, 1000);
});

test('without setImmediate, messages do the same', async () => {
  const channel = new MessageChannel();
  const drained = await drainedBetween(askByMessage(channel));
  channel.port1.close();
  assert.deepEqual(
    drained.filter((each) => !each),
    [],
  );
});
