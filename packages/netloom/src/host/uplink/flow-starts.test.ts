import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../core/index.ts';
import { FlowStarts } from './flow-starts.ts';

/** Two a turn: sixteen after a quiet time. */
function bench(): {
  starts: FlowStarts;
  begun: string[];
  run(station: number, ...names: string[]): void;
  pass(milliseconds: number): void;
} {
  const clock = new ManualClock();
  const starts = new FlowStarts(clock, 2);
  const begun: string[] = [];
  const run = (station: number, ...names: string[]): void => {
    for (const name of names) starts.run(station, () => begun.push(name) > 0);
  };
  const pass = (milliseconds: number): void => clock.advance(clock.now() + milliseconds);
  return { starts, begun, run, pass };
}

function names(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => `a${first + index}`);
}

test('after a quiet time many begin at once; then so many of each station in a turn, in order', () => {
  const { starts, begun, run, pass } = bench();
  run(1, ...names(1, 20));
  run(2, 'b1');
  assert.deepEqual(begun.splice(0), [...names(1, 16), 'b1'], 'another waits for nobody');
  assert.equal(starts.waiting, 4);
  run(1, 'a21');
  run(2, 'b2');
  assert.deepEqual(begun.splice(0), ['b2']);
  pass(1);
  assert.deepEqual(begun.splice(0), names(17, 18));
  pass(1);
  pass(1);
  assert.deepEqual(begun.splice(0), names(19, 21));
  assert.equal(starts.waiting, 0);
  pass(1);
  run(1, ...names(22, 24));
  assert.deepEqual(begun, names(22, 23), 'what it has not used of one turn');
});

test('whoever is steady at that rate never waits, and who was quiet may hurry again', () => {
  const { starts, begun, run, pass } = bench();
  run(1, ...names(1, 16));
  for (let turn = 0; turn < 50; turn++) {
    pass(1);
    run(1, 'x', 'y');
  }
  assert.equal(begun.length, 116);
  assert.equal(starts.waiting, 0);
  pass(100);
  run(1, ...names(1, 20));
  assert.equal(starts.waiting, 4);
});

test('it says when too much of a station waits', () => {
  const { starts, run } = bench();
  run(1, ...names(1, 16 + 255));
  assert.equal(starts.isFull(1), false);
  run(1, 'z');
  assert.equal(starts.isFull(1), true);
  assert.equal(starts.isFull(2), false);
});

test('what is not wanted any more takes nobody’s turn', () => {
  const { starts, begun, run, pass } = bench();
  run(1, ...names(1, 16));
  for (let number = 0; number < 10; number++) {
    starts.run(1, () => number % 5 === 4 && begun.push(`${number}`) > 0);
  }
  pass(1);
  assert.deepEqual(begun.slice(16), ['4', '9']);
  assert.equal(starts.waiting, 0);
});

test('made-up stations give no credit back, and are one when they are too many', () => {
  const { starts, begun, run, pass } = bench();
  run(1, ...names(1, 16));
  for (let station = 2; station <= 5000; station++) run(station, 'x');
  assert.equal(begun.length, 16 + 1023 + 16, 'those that are told apart, and what one more may');
  run(1, 'greedy');
  assert.equal(begun.includes('greedy'), false);
  run(3, 'modest');
  assert.equal(begun.includes('modest'), true);
  assert.equal(starts.isFull(6000), true);
  assert.equal(starts.isFull(3), false);
  pass(9);
  run(6000, ...names(1, 17));
  assert.equal(begun.filter((name) => name === 'a16').length, 2, 'room for one after a while');
  assert.equal(begun.includes('greedy'), true);
});
