/**
 * What every protocol engine has in common: it does no I/O and keeps no time. It is handed input and `now`, gives its
 * output to a sink it was handed when made, and says when it next wants to be called.
 *
 * The driver's duty, after any input: read {@link Engine.deadline} and see that {@link Engine.advance} is called then.
 * The engine's duty: state first, then events. A handler it calls may call anything of the engine's, closing it included.
 */
export interface Engine {
  /** When {@link advance} is next wanted, in milliseconds of the driver's clock; Infinity: never. */
  deadline(): number;
  /** Does what is due at `now`. Calling early or twice does no harm. */
  advance(now: number): void;
}
