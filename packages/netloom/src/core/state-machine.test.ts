import assert from 'node:assert/strict';
import { test } from 'node:test';
import { channel } from './diagnostics.ts';
import {
  StateMachine,
  mermaid,
  type PublishedStep,
  type Transition,
  type Transitions,
} from './state-machine.ts';

type State = 'closed' | 'open' | 'half-open';
type Event = 'trip' | 'wait' | 'succeed' | 'fail';

const BREAKER: Transitions<State, Event> = {
  closed: { trip: 'open' },
  open: { wait: 'half-open' },
  'half-open': { succeed: 'closed', fail: 'open' },
};

test('follows its table', () => {
  const machine = new StateMachine<State, Event>('breaker', BREAKER, 'closed');
  assert.equal(machine.state, 'closed');
  assert.equal(machine.can('trip'), true);
  assert.equal(machine.can('wait'), false);
  assert.equal(machine.take('trip', 1), 'open');
  assert.equal(machine.take('wait', 2), 'half-open');
  assert.equal(machine.take('succeed', 3), 'closed');
  assert.deepEqual(machine.history(), [
    { from: 'closed', event: 'trip', to: 'open', at: 1 },
    { from: 'open', event: 'wait', to: 'half-open', at: 2 },
    { from: 'half-open', event: 'succeed', to: 'closed', at: 3 },
  ]);
});

test('a step that is not in the table throws, says what there is, and changes nothing', () => {
  const machine = new StateMachine<State, Event>('breaker', BREAKER, 'half-open');
  const steps: Transition<State, Event>[] = [];
  machine.subscribe((step) => steps.push(step));
  assert.throws(() => machine.take('trip', 1), {
    code: 'STATE_ILLEGAL',
    message: "breaker: no 'trip' in state 'half-open'",
    remedy: "From 'half-open' it takes: succeed, fail.",
  });
  assert.equal(machine.state, 'half-open');
  assert.deepEqual(machine.history(), []);
  assert.deepEqual(steps, []);
});

test('remembers the last sixteen steps, oldest first', () => {
  const machine = new StateMachine<State, Event>('breaker', BREAKER, 'open');
  for (let steps = 1; steps <= 40; steps++) {
    machine.take(steps % 2 === 1 ? 'wait' : 'fail', steps);
    const times = machine.history().map((step) => step.at);
    const first = Math.max(1, steps - 15);
    assert.deepEqual(
      times,
      Array.from({ length: steps - first + 1 }, (_, i) => first + i),
    );
  }
});

test('tells its subscribers each step, until they have had enough', () => {
  const machine = new StateMachine<State, Event>('breaker', BREAKER, 'closed');
  const seen: string[] = [];
  const stop = machine.subscribe(({ from, to }) => {
    seen.push(`${from} > ${to}`);
    // The state has changed by then.
    assert.equal(machine.state, to);
  });
  machine.take('trip', 0);
  machine.take('wait', 0);
  stop();
  stop();
  machine.take('fail', 0);
  assert.deepEqual(seen, ['closed > open', 'open > half-open']);
});

test('its steps are published where it was told to, while anybody listens', () => {
  const steps = channel<PublishedStep<string, State, Event>>('netloom:test:state');
  const machine = new StateMachine<State, Event>('breaker', BREAKER, 'closed', steps, 'mine');
  machine.take('trip', 1);
  const seen: PublishedStep<string, State, Event>[] = [];
  const stop = steps.subscribe((event) => seen.push(event));
  machine.take('wait', 2);
  assert.throws(() => machine.take('trip', 3), { code: 'STATE_ILLEGAL' });
  stop();
  machine.take('succeed', 4);
  const step = { from: 'open', event: 'wait', to: 'half-open', at: 2 };
  assert.deepEqual(seen, [{ subject: 'mine', step }]);
});

test('draws its table', () => {
  assert.equal(
    mermaid(BREAKER, 'closed'),
    [
      'stateDiagram-v2',
      '  [*] --> closed',
      '  closed --> open: trip',
      '  open --> half_open: wait',
      '  half_open --> closed: succeed',
      '  half_open --> open: fail',
      '',
    ].join('\n'),
  );
});
