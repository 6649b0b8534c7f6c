import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { seededRandom } from './random.ts';
import { NOT_QUEUED, TimerQueue, type TimerEntry } from './timer-queue.ts';

interface Entry extends TimerEntry {
  readonly name: number;
}

function entries(count: number): Entry[] {
  return Array.from({ length: count }, (_, name) => ({ ...NOT_QUEUED, name }));
}

/** The same queue as a list that is sorted whenever it is asked. */
class Model {
  #list: { name: number; deadline: number; order: number }[] = [];
  #order = 0;

  set(name: number, deadline: number): void {
    this.clear(name);
    this.#list.push({ name, deadline, order: this.#order++ });
    this.#list.sort((a, b) =>
      a.deadline === b.deadline ? a.order - b.order : a.deadline - b.deadline,
    );
  }

  clear(name: number): void {
    this.#list = this.#list.filter((entry) => entry.name !== name);
  }

  takeDue(now: number): number | undefined {
    const first = this.#list[0];
    return first !== undefined && first.deadline <= now ? this.#list.shift()!.name : undefined;
  }

  deadline(): number {
    return this.#list[0]?.deadline ?? Infinity;
  }

  get size(): number {
    return this.#list.length;
  }
}

test('the queue does what a sorted list does, whatever is asked of it', () => {
  const ENTRIES = 20;
  // Few deadlines, so that equal ones are common; Infinity is one like any other.
  const deadline = fc.oneof(fc.nat(10), fc.constant(Infinity));
  const operation = fc.oneof(
    fc.record({ kind: fc.constant('set' as const), name: fc.nat(ENTRIES - 1), at: deadline }),
    fc.record({ kind: fc.constant('clear' as const), name: fc.nat(ENTRIES - 1), at: deadline }),
    fc.record({ kind: fc.constant('take' as const), name: fc.constant(0), at: deadline }),
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200, size: 'max' }), (operations) => {
      const all = entries(ENTRIES);
      const queue = new TimerQueue<Entry>();
      const model = new Model();
      for (const { kind, name, at } of operations) {
        if (kind === 'set') {
          queue.set(all[name]!, at);
          model.set(name, at);
        } else if (kind === 'clear') {
          queue.clear(all[name]!);
          model.clear(name);
        } else {
          assert.equal(queue.takeDue(at)?.name, model.takeDue(at));
        }
        assert.equal(queue.size, model.size);
        assert.equal(queue.deadline(), model.deadline());
      }
      for (;;) {
        const taken = queue.takeDue(Infinity);
        assert.equal(taken?.name, model.takeDue(Infinity));
        if (taken === undefined) break;
        assert.equal(taken.position, -1);
        assert.equal(taken.deadline, Infinity);
      }
    }),
  );
});

test('entries of one deadline leave in the order they were set; setting again goes to the end', () => {
  const queue = new TimerQueue<Entry>();
  const all = entries(50);
  for (const entry of all) queue.set(entry, 5);
  queue.set(all[10]!, 5);
  queue.set(all[0]!, 4);
  queue.set(all[0]!, 5);
  const order: number[] = [];
  for (let entry = queue.takeDue(5); entry; entry = queue.takeDue(5)) order.push(entry.name);
  const expected = all.map(({ name }) => name).filter((name) => name !== 10 && name !== 0);
  assert.deepEqual(order, [...expected, 10, 0]);
});

test('what is not due stays; an empty queue has nothing', () => {
  const queue = new TimerQueue<Entry>();
  assert.equal(queue.takeDue(Infinity), undefined);
  assert.equal(queue.deadline(), Infinity);
  const [entry] = entries(1);
  queue.clear(entry!);
  queue.set(entry!, 10);
  assert.equal(queue.takeDue(9.999), undefined);
  assert.equal(queue.takeDue(10), entry);
  assert.equal(queue.size, 0);
});

test('an entry taken out may be set again at once', () => {
  const queue = new TimerQueue<Entry>();
  const [entry] = entries(1);
  for (let now = 0; now < 5; now++) {
    queue.set(entry!, now);
    assert.equal(queue.takeDue(now), entry);
  }
});

test('100,000 entries, moved and cleared at random, leave in order', () => {
  const queue = new TimerQueue<Entry>();
  const random = seededRandom(1);
  const all = entries(100_000);
  for (const entry of all) queue.set(entry, random.below(1_000_000));
  for (const entry of all) {
    const choice = random.below(3);
    if (choice === 0) queue.set(entry, random.below(1_000_000));
    else if (choice === 1) queue.clear(entry);
  }
  const left = all.filter((entry) => entry.position >= 0).length;
  assert.equal(queue.size, left);
  let count = 0;
  let last = -Infinity;
  for (;;) {
    const deadline = queue.deadline();
    if (queue.takeDue(Infinity) === undefined) break;
    assert.ok(deadline >= last);
    last = deadline;
    count++;
  }
  assert.equal(count, left);
});
