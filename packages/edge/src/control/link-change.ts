import type { LinkChange, LinkModel } from '../model/index.ts';
import { requestInvalid } from './errors.ts';

/** What a field of a link may be, and what that is called. */
interface FieldKind {
  readonly wants: string;
  fits(value: unknown): boolean;
}

const isNumber = (value: unknown, least: number, most: number): boolean =>
  typeof value === 'number' && value >= least && value <= most;

const MILLISECONDS: FieldKind = {
  wants: 'milliseconds, 0 to 3,600,000',
  fits: (value) => isNumber(value, 0, 3_600_000),
};
const PROBABILITY: FieldKind = {
  wants: 'a probability, 0 to 1',
  fits: (value) => isNumber(value, 0, 1),
};

const FIELDS: { readonly [Name in keyof Required<LinkModel>]: FieldKind } = {
  delay: MILLISECONDS,
  jitter: MILLISECONDS,
  rate: {
    wants: 'bits per second, more than 0',
    fits: (value) => isNumber(value, Number.MIN_VALUE, 1e12),
  },
  queueBytes: {
    wants: 'a whole number of bytes',
    fits: (value) => Number.isSafeInteger(value) && isNumber(value, 0, 2 ** 32),
  },
  loss: PROBABILITY,
  reorder: PROBABILITY,
  duplicate: PROBABILITY,
  corrupt: PROBABILITY,
  partition: { wants: 'true or false', fits: (value) => typeof value === 'boolean' },
  seed: {
    wants: 'a whole number of 0 or more',
    fits: (value) => Number.isSafeInteger(value) && isNumber(value, 0, Infinity),
  },
};

/** What is to change of a line, from JSON. Throws `CONTROL_REQUEST_INVALID`, which names the field. */
export function readLinkChange(value: Readonly<Record<string, unknown>>): LinkChange {
  for (const [name, given] of Object.entries(value)) {
    if (!Object.hasOwn(FIELDS, name)) {
      const known = `A line has ${Object.keys(FIELDS).join(', ')}.`;
      throw requestInvalid(`a line has no '${name}'`, known);
    }
    const { wants, fits } = FIELDS[name as keyof LinkModel];
    if (given === null || fits(given)) continue;
    throw requestInvalid(
      `'${name}' wants ${wants}, not ${JSON.stringify(given)}`,
      'Send null to take it back.',
    );
  }
  return value as LinkChange;
}
