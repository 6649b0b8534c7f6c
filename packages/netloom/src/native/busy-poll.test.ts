import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requires } from '../../test/requires.ts';
import { Alarm } from './alarm.ts';
import { nativeAvailable, setBusyPoll } from './index.ts';

const options = { skip: requires(nativeAvailable() ?? false) };

/** Whether the loop is to go on without waiting. */
const turns = (): boolean => process.getActiveResourcesInfo().includes('Immediate');

/** Settles, with nothing else going on, when something has come from the kernel. */
async function something(): Promise<void> {
  const rung = Promise.withResolvers<void>();
  const alarm = new Alarm(rung.resolve);
  alarm.start();
  alarm.set(0.001);
  await rung.promise;
  alarm.close();
}

test(
  'after work the loop goes on without waiting for as long as was asked for, and no longer',
  options,
  async () => {
    await something();
    assert.equal(turns(), false, 'it is not asked for');
    const aMinute = 60e6;
    setBusyPoll(aMinute);
    await something();
    for (let i = 0; i < 100; i++) {
      assert.ok(turns());
      await new Promise((resolve) => setImmediate(resolve));
    }
    setBusyPoll(0);
    while (turns()) await new Promise((resolve) => setTimeout(resolve, 0));
  },
);
