import { NetloomError } from '../../core/index.ts';

/** Characters of the expression that are shown on either side of a mistake. */
const SHOWN = 60;

/** A mistake in an expression: where it is, and what was expected there. */
export class FilterMistake extends Error {
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

/** `FILTER_INVALID`: an expression that is no filter. */
export class FilterError extends NetloomError {
  /** The index of the character where it went wrong; the expression's length where something is missing at its end. */
  readonly position: number;
  /** Two lines: the expression, or what of it is near, and a caret below the place. */
  readonly picture: string;

  constructor(text: string, { at, message }: FilterMistake) {
    super('FILTER_INVALID', `the filter is not understood at character ${at + 1}: ${message}`, {
      remedy: 'Write it as tcpdump has it, as in: tcp port 80 and host 10.0.0.1',
    });
    this.position = at;
    const start = Math.max(0, at - SHOWN);
    const before = (start > 0 ? '...' : '') + text.slice(start, at);
    const line = before + text.slice(at, at + SHOWN);
    // White space of any kind, and what a terminal would obey, takes one column, so that the caret stands right.
    this.picture = `${line.replaceAll(/[\s\p{Cc}]/gu, ' ')}\n${' '.repeat(before.length)}^`;
  }
}
