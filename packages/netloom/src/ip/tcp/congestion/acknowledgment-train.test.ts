import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcknowledgmentTrain } from './acknowledgment-train.ts';

/** Acknowledgments from `from` on, one each `pause` milliseconds, for so long; answers when one first said that the path is full. */
function fullAt(
  train: AcknowledgmentTrain,
  from: number,
  pause: number,
  duration: number,
  minRtt: number,
): number | undefined {
  for (let now = from; now <= from + duration; now += pause) {
    if (train.acknowledged(now, minRtt)) return now - from;
  }
  return undefined;
}

test('acknowledgments that follow each other for half of the round-trip time fill the path', () => {
  assert.equal(fullAt(new AcknowledgmentTrain(), 1000, 1, 49, 100), undefined);
  assert.equal(fullAt(new AcknowledgmentTrain(), 1000, 1, 100, 100), 50);
});

test('a pause ends a train: 2 ms, or a sixteenth of the round-trip time where that is less', () => {
  const train = new AcknowledgmentTrain();
  assert.equal(fullAt(train, 1000, 1, 40, 100), undefined);
  assert.equal(fullAt(train, 1042.5, 1, 40, 100), undefined, 'it begins anew');
  assert.equal(fullAt(new AcknowledgmentTrain(), 1000, 2, 100, 100), 50);
  assert.equal(fullAt(new AcknowledgmentTrain(), 1000, 2.5, 100, 100), undefined);
  assert.equal(fullAt(new AcknowledgmentTrain(), 1000, 1, 100, 16), 8);
  assert.equal(fullAt(new AcknowledgmentTrain(), 1000, 1.25, 100, 16), undefined);
});

test('on a short path trains tell nothing', () => {
  assert.equal(fullAt(new AcknowledgmentTrain(), 1000, 0.25, 100, 7.75), undefined);
  assert.equal(fullAt(new AcknowledgmentTrain(), 1000, 0.25, 100, 8), 4);
});
