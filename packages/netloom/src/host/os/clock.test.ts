import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SystemClock } from './clock.ts';

/** Settles when the clock calls a timer set for `deadline`. */
function at(clock: SystemClock, deadline: number): Promise<void> {
  return new Promise((resolve) => clock.timer(resolve).set(deadline));
}

/** Runs a program that has `SystemClock`, and answers what it printed. */
function run(program: string): { output: string; status: number | null } {
  const url = new URL('clock.ts', import.meta.url).href;
  const script = `import { SystemClock } from ${JSON.stringify(url)};\n${program}`;
  const done = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script],
    { encoding: 'utf8', cwd: fileURLToPath(new URL('.', import.meta.url)), timeout: 30_000 },
  );
  return { output: done.stdout, status: done.status };
}

for (const [kind, options] of [
  ['of the platform’s timers', {}],
  ['precise', { precise: true }],
] as const) {
  test(`${kind}: timers are called in the order of their deadlines, equal ones as they were set`, async () => {
    const clock = new SystemClock(options);
    const called: string[] = [];
    const start = clock.now();
    const timer = (name: string): void => clock.timer(() => called.push(name)).set(times[name]!);
    const times: Record<string, number> = {
      d: start + 9,
      a: start + 1,
      b: start + 4,
      c: start + 4,
    };
    for (const name of ['d', 'a', 'b', 'c']) timer(name);
    await at(clock, start + 12);
    assert.deepEqual(called, ['a', 'b', 'c', 'd']);
  });

  test(`${kind}: a timer is never early, whatever the fraction of a millisecond`, async () => {
    const clock = new SystemClock(options);
    for (let step = 0; step < 40; step++) {
      const deadline = clock.now() + step * 0.13;
      await at(clock, deadline);
      assert.ok(clock.now() >= deadline);
    }
  });

  test(`${kind}: a timer that was cleared or moved is not called at its old deadline`, async () => {
    const clock = new SystemClock(options);
    const called: string[] = [];
    const start = clock.now();
    const cleared = clock.timer(() => called.push('cleared'));
    const moved = clock.timer(() => called.push('moved'));
    cleared.set(start + 1);
    moved.set(start + 1);
    assert.equal(moved.deadline, start + 1);
    cleared.clear();
    moved.set(start + 6);
    clock.timer(() => called.push('between')).set(start + 3);
    assert.equal(cleared.deadline, Infinity);
    await at(clock, start + 8);
    assert.deepEqual(called, ['between', 'moved']);
  });

  test(`${kind}: a timer can clear or move another that is due at the same time`, async () => {
    const clock = new SystemClock(options);
    const called: string[] = [];
    const start = clock.now();
    clock
      .timer(() => {
        called.push('first');
        second.clear();
        third.set(start + 4);
      })
      .set(start + 1);
    const second = clock.timer(() => called.push('second'));
    second.set(start + 1);
    const third = clock.timer(() => called.push('third'));
    third.set(start + 1);
    clock.timer(() => called.push('fourth')).set(start + 2);
    await at(clock, start + 6);
    // On a busy machine all of them were due in one turn: the one moved then comes in the next.
    await at(clock, clock.now());
    assert.deepEqual(called, ['first', 'fourth', 'third']);
  });

  test(`${kind}: a timer that sets itself for a time gone by lets the loop do its other work`, async () => {
    const clock = new SystemClock(options);
    let calls = 0;
    const greedy = clock.timer(() => {
      calls++;
      greedy.set(0);
    });
    greedy.set(0);
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    greedy.clear();
    assert.ok(calls >= 1);
  });

  test(`${kind}: a wait longer than the platform’s timers take is not cut short`, async () => {
    const clock = new SystemClock(options);
    let called = false;
    const far = clock.timer(() => (called = true));
    far.set(clock.now() + 2 ** 40);
    await at(clock, clock.now() + 5);
    far.clear();
    assert.equal(called, false);
  });

  test(`${kind}: deferred calls come in order, those deferred meanwhile in the next turn`, async () => {
    const clock = new SystemClock(options);
    const called: string[] = [];
    await new Promise<void>((resolve) => {
      clock.defer(() => {
        called.push('1');
        clock.defer(() => {
          called.push('3');
          resolve();
        });
      });
      clock.defer(() => called.push('2'));
      called.push('0');
    });
    assert.deepEqual(called, ['0', '1', '2', '3']);
  });

  test(`${kind}: a callback that throws does not lose the others`, () => {
    const { output, status } = run(`
    process.on('uncaughtException', (error) => console.log(error.message));
    const clock = new SystemClock(${JSON.stringify(options)});
    const now = clock.now();
    clock.timer(() => { throw new Error('timer threw'); }).set(now);
    clock.timer(() => console.log('second timer')).set(now);
    clock.defer(() => { throw new Error('deferred threw'); });
    clock.defer(() => console.log('second deferred'));
  `);
    assert.equal(status, 0);
    assert.deepEqual(output.trim().split('\n').sort(), [
      'deferred threw',
      'second deferred',
      'second timer',
      'timer threw',
    ]);
  });

  test(`${kind}: a timer that is set keeps the process alive; one cleared, or of a background clock, does not`, () => {
    assert.equal(
      run(
        `const clock = new SystemClock(${JSON.stringify(options)}); clock.timer(() => console.log('done')).set(clock.now() + 20);`,
      ).output,
      'done\n',
    );
    const ended = run(`
    const clock = new SystemClock(${JSON.stringify(options)});
    const timer = clock.timer(() => console.log('never'));
    timer.set(clock.now() + 1e9);
    timer.clear();
    const background = new SystemClock({ keepsProcessAlive: false });
    background.timer(() => console.log('never')).set(background.now() + 1e9);
  `);
    assert.deepEqual(ended, { output: '', status: 0 });
  });

  test(`${kind}: a cleared clock that is set again keeps the process alive again`, () => {
    const { output } = run(`
    const clock = new SystemClock(${JSON.stringify(options)});
    const timer = clock.timer(() => console.log('done'));
    timer.set(clock.now() + 30);
    timer.clear();
    timer.set(clock.now() + 60);
  `);
    assert.equal(output, 'done\n');
  });
}

test('wall time is the platform’s', () => {
  const before = Date.now();
  const wall = new SystemClock().wallTime();
  assert.ok(wall >= before && wall <= Date.now());
});
