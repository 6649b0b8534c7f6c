/** `--watch`: what a command tells, told again each second. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandIo } from './command.ts';

/** What is watched, as an option of a command. */
export const watchOption = { watch: { type: 'boolean' } } as const;

/** What help says of {@link watchOption}. */
export const watchHelp = '  --watch        tell it again each second, until Ctrl-C\n';

/** Milliseconds between two looks. */
const PERIOD = 1000;

/** What is to be told, and how. */
export interface Telling {
  readonly isWatched: boolean;
  /** For programs: each look is a line of its own. */
  readonly isJson: boolean;
  /** The text of now. */
  look(): Promise<string>;
}

/**
 * Tells it once; or each second, until the command is asked to end: on a terminal in place of what was there, else behind it. Rejects as `look` does. `pause`
 * waits for the next second.
 */
export async function tell(
  io: CommandIo,
  { isWatched, isJson, look }: Telling,
  pause: (signal: AbortSignal) => Promise<void> = untilNextSecond,
): Promise<void> {
  if (!isWatched) {
    await io.write(await look());
    return;
  }
  const draw = isJson || io.outputWidth === undefined ? (text: string) => text : screen(io);
  const between = isJson || io.outputWidth !== undefined ? '' : '\n';
  try {
    for (let isFirst = true; !io.signal.aborted; isFirst = false) {
      const text = draw(await look());
      await io.write(isFirst ? text : between + text);
      await pause(io.signal);
    }
  } catch (error) {
    if (!io.signal.aborted) throw error;
  }
}

/** Puts a text where the one before it was (ECMA-48: CUP, EL and ED), as much of it as there is room for. */
function screen(io: CommandIo): (text: string) => string {
  let before = '\u{1b}[2J';
  return (text) => {
    const height = io.outputHeight ?? Infinity;
    const lines = text.split('\n').slice(0, height - 1);
    const drawn = `${before}\u{1b}[H${lines.join('\u{1b}[K\n')}\u{1b}[J`;
    before = '';
    return drawn;
  };
}

async function untilNextSecond(signal: AbortSignal): Promise<void> {
  await sleep(PERIOD, undefined, { signal });
}
