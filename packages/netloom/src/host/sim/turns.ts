/** Turns asked of the platform at once; from there on more saves nothing. */
const LARGEST_BATCH = 256;

/**
 * Calls `turn` until it answers false, each call in a turn of the platform's event loop, so that before the next one every
 * promise reaction (and on Node every `process.nextTick`) has run, those that others have led to included.
 *
 * On Node: `setImmediate`, many at once, since the loop drains microtasks after each but polls the kernel only after all. That
 * costs about 90 ns a turn (in batches of 256; one at a time 1,200; one machine, Node 26). Considered and left: a chain of
 * `nextTick` and `queueMicrotask` (160 ns), because ticks that others ask for come after ours; the undocumented
 * `process._tickCallback` (40 ns). An `await` alone drains nothing: it lets one reaction pass, not what that leads to.
 *
 * Elsewhere: messages to ourselves, or timers where there are not even those; both drain alike, at 1,500 ns and more.
 */
export function runTurns(turn: () => boolean, ask: (turn: () => void) => void = askTurn): void {
  // Small at first: a run of few turns should leave few that do nothing.
  let batch = 8;
  let left = 0;
  let finished = false;
  const request = (): void => {
    batch = Math.min(2 * batch, LARGEST_BATCH);
    left = batch;
    for (let i = 0; i < batch; i++) ask(take);
  };
  const take = (): void => {
    left--;
    if (finished) return;
    finished = !turn();
    if (!finished && left === 0) request();
  };
  request();
}

/** Asks the platform for one call in a turn of its own. */
export const askTurn: (turn: () => void) => void =
  typeof setImmediate === 'function'
    ? (turn) => void setImmediate(turn)
    : typeof MessageChannel === 'function'
      ? askByMessage(new MessageChannel())
      : (turn) => void setTimeout(turn, 0);

/** Turns by way of messages to ourselves, for platforms without `setImmediate`. */
export function askByMessage({ port1, port2 }: MessageChannel): (turn: () => void) => void {
  const turns: (() => void)[] = [];
  port2.addEventListener('message', () => turns.shift()?.());
  port2.start();
  return (turn) => {
    turns.push(turn);
    port1.postMessage(undefined);
  };
}
