import {
  parsePercent,
  parsePeriod,
  parseRate,
  parseSpread,
  type Period,
  type Spread,
} from '@netloom/edge/text';
import { usageError } from '../command.ts';

/** Bits per second, from text as `10mbit`. Throws `USAGE`. */
export function readRate(option: string, text: string): number {
  const wanted = 'a rate, as 512kbit, 10mbit or 1gbit';
  return parseRate(text) ?? refuse(option, wanted, text);
}

/** Milliseconds and their spread, from text as `80ms`, `80ms±10ms` or `80ms+-10ms`. Throws `USAGE`. */
export function readDelay(option: string, text: string): Spread {
  const example = '80ms, 80ms±10ms or 1.5s+-100ms';
  const wanted = `a time, and if need be by how much it varies, as ${example}`;
  return parseSpread(text) ?? refuse(option, wanted, text);
}

/** A probability, from text as `2%`. Throws `USAGE`. */
export function readPercent(option: string, text: string): number {
  return parsePercent(text) ?? refuse(option, 'a share from 0% to 100%, as 0.5%', text);
}

/** From text as `10s..15s`. Throws `USAGE`. */
export function readPeriod(option: string, text: string): Period {
  const wanted = 'two times, counted from the start, as 10s..15s';
  return parsePeriod(text) ?? refuse(option, wanted, text);
}

function refuse(option: string, wanted: string, text: string): never {
  throw usageError('run', `${option} wants ${wanted}, not '${text}'`);
}
