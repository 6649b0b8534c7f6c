/** Milliseconds after the last work in which the loop does not wait; 0: it always may. */
let window = 0;
let lastWork = 0;
let isTurning = false;

/**
 * For so many microseconds after something was received, the event loop asks again and again whether there is more, instead of having the process sleep: what then
 * comes is answered without anybody having to wake it, which on a virtual processor takes longer than all else that is done for a packet. It costs the
 * processor's time. 0, the default: it sleeps at once.
 *
 * Linux has the same for sockets (`net.core.busy_poll`), and KVM for its guests (`halt_poll_ns`).
 */
export function setBusyPoll(microseconds: number): void {
  window = Math.max(0, microseconds) / 1000;
}

/** Something that came from outside was dealt with. */
export function noteWork(): void {
  if (window === 0) return;
  lastWork = performance.now();
  if (isTurning) return;
  isTurning = true;
  setImmediate(turn);
}

/** While there is an immediate to be called, libuv asks the kernel without waiting. */
function turn(): void {
  if (performance.now() - lastWork < window) setImmediate(turn);
  else isTurning = false;
}
