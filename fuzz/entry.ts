import { isDeepStrictEqual } from 'node:util';
import assert from 'node:assert/strict';
import type { Random } from 'netloom/core';
import { parseGuarded, type Parse } from '../packages/netloom/test/guarded.ts';

/**
 * Something that is fed with random and mutated input. To add one: write it in a file of entries/, and name it in
 * entries/index.ts. `npm run fuzz` and the tests take it from there.
 */
export interface FuzzEntry {
  /** What the command line calls it: short, unique, lower case with hyphens. */
  readonly name: string;
  /** Good input, which mutations start from. */
  readonly seeds: readonly Uint8Array[];
  /** Bytes an input has at most. */
  readonly maximumLength?: number;
  /**
   * Makes good in place what nearly every mutation breaks, as a checksum, so that the code behind that check is reached as well. It is
   * called for every second input, which can be of any length.
   */
  readonly repair?: (input: Uint8Array) => void;
  /** One case. A throw is a failure; so is not to return. `random` is the case's own: a function of seed, name and number. */
  readonly run: (input: Uint8Array, random: Random) => void;
}

/** What {@link parserEntry} needs to know of a parser. */
export interface ParserEntry<T> extends Omit<FuzzEntry, 'run'> {
  readonly parse: Parse<T | string>;
  /** Bytes from a value that the parser gave; undefined where that value is not one to be sent. */
  readonly emit?: (value: T) => Uint8Array | undefined;
}

/**
 * An entry for a parser that answers a value, or a fault as a string: it must not throw, nor read outside of what it is
 * given; and where there is an emitter, the value must survive emitting and parsing.
 */
export function parserEntry<T>({ parse, emit, ...entry }: ParserEntry<T>): FuzzEntry {
  return {
    ...entry,
    run(input) {
      const value = parseGuarded(input, parse);
      if (typeof value === 'string' || emit === undefined) return;
      const bytes = emit(value);
      if (bytes === undefined) return;
      const again = parse(bytes, 0, bytes.length);
      // Comparing by assert at once would make a message for each equal pair as well.
      if (!isDeepStrictEqual(again, value)) {
        assert.deepEqual(again, value, 'emitting and parsing has changed the value');
      }
    },
  };
}
