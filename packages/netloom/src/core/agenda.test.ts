import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Agenda } from './agenda.ts';

/** Calls all that is due at this instant; answers how many that were. */
function run(agenda: Agenda, now: number): number {
  let calls = 0;
  for (let callback = agenda.take(now); callback !== undefined; callback = agenda.take(now)) {
    callback();
    calls++;
  }
  return calls;
}

test('at one instant: timers by deadline, then what was deferred, then what these have made due', () => {
  const agenda = new Agenda();
  const told: string[] = [];
  const tell = (name: string) => () => void told.push(name);
  agenda.defer(() => {
    told.push('deferred 1');
    agenda.timer(tell('timer of deferred 1')).set(0);
    agenda.defer(tell('deferred by deferred 1'));
  });
  agenda.defer(tell('deferred 2'));
  agenda.timer(tell('timer at 5')).set(5);
  agenda.timer(tell('timer at 3')).set(3);
  agenda.timer(tell('later')).set(6);
  assert.equal(run(agenda, 5), 6);
  assert.deepEqual(told, [
    'timer at 3',
    'timer at 5',
    'deferred 1',
    'deferred 2',
    'timer of deferred 1',
    'deferred by deferred 1',
  ]);
  assert.equal(agenda.deadline(5), 6);
  assert.equal(agenda.timersDeadline, 6);
});

test('deferred callbacks can be had before timers that are due', () => {
  const agenda = new Agenda();
  const told: string[] = [];
  agenda.timer(() => told.push('timer')).set(0);
  agenda.defer(() => told.push('deferred'));
  agenda.takeDeferred()?.();
  assert.equal(agenda.takeDeferred(), undefined);
  run(agenda, 0);
  assert.deepEqual(told, ['deferred', 'timer']);
});

test('a chain of callbacks that defer each other is called to its end, timers in between', () => {
  const agenda = new Agenda();
  let links = 0;
  let ticks = 0;
  const link = (): void => {
    links++;
    if (links % 1_000 === 0) agenda.timer(() => ticks++).set(0);
    // Two are in line at any time, so that the list never empties.
    if (links < 20_000) agenda.defer(link);
  };
  agenda.defer(link);
  agenda.defer(link);
  run(agenda, 0);
  assert.equal(links, 20_001);
  assert.equal(ticks, 20);
});

test('the order is that of a plain list searched anew each time', () => {
  const step = fc.record({ timer: fc.boolean(), at: fc.nat(3), children: fc.nat(2) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const agenda = new Agenda();
      const told: number[] = [];
      const expected: number[] = [];
      const timers: { id: number; at: number }[] = [];
      let round: number[] = [];
      let later: number[] = [];
      const add = (from: number, count: number, put: (id: number) => void): void => {
        for (let id = from; id < Math.min(from + count, steps.length); id++) put(id);
      };
      // Step `id` makes those from 1 + 2 * id on, as in a heap: each is made once.
      const put = (id: number): void => {
        const { timer, at, children } = steps[id]!;
        const callback = (): void => {
          told.push(id);
          add(1 + 2 * id, children, put);
        };
        if (timer) agenda.timer(callback).set(at);
        else agenda.defer(callback);
      };
      const note = (id: number): void => {
        const { timer, at } = steps[id]!;
        if (timer) timers.push({ id, at });
        else later.push(id);
      };
      add(0, 1, put);
      add(0, 1, note);
      run(agenda, 3);
      for (;;) {
        let id = round.shift();
        if (id === undefined) {
          const first = timers.toSorted((a, b) => a.at - b.at)[0];
          if (first === undefined) {
            if (later.length === 0) break;
            [round, later] = [later, []];
            continue;
          }
          timers.splice(timers.indexOf(first), 1);
          id = first.id;
        }
        expected.push(id);
        add(1 + 2 * id, steps[id]!.children, note);
      }
      assert.deepEqual(told, expected);
    }),
  );
});
