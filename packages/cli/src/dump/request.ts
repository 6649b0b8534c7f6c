import { compileFilter, FilterError } from 'netloom/wire';
import { readNumber, readOptions, usageError } from '../command.ts';
import type { DumpFormat, DumpTime } from './format.ts';
import { nodeOptions, type NodeChoice } from '../node-options.ts';

/** Where frames come from. */
export type DumpSource =
  | { readonly kind: 'file'; readonly path: string; readonly follow: boolean }
  | { readonly kind: 'stdin' }
  | { readonly kind: 'link'; readonly name: string }
  | {
      readonly kind: 'network';
      readonly network: string;
      readonly port: string | undefined;
      readonly node: NodeChoice;
    };

/** What a dump is to show: frames, all flows, or what one flow carried. */
export type DumpView =
  | { readonly kind: 'frames' }
  | { readonly kind: 'flows' }
  | { readonly kind: 'text'; readonly flow: number };

/** A command line, understood. */
export interface DumpRequest {
  readonly source: DumpSource;
  /** In the language of capture filters; empty: all frames pass. */
  readonly filter: string;
  readonly view: DumpView;
  readonly format: DumpFormat;
  readonly count: number;
  /** Where to write what passes. */
  readonly pcap: string | undefined;
}

/** Reads the arguments after `dump`. Throws `USAGE`, or `FILTER_INVALID` after showing the place by `showMistake`. */
export function readDumpRequest(
  args: readonly string[],
  showMistake: (picture: string) => void,
): DumpRequest {
  const { values, positionals } = readOptions('dump', args, {
    network: { type: 'string' },
    port: { type: 'string' },
    ...nodeOptions,
    follow: { type: 'boolean' },
    flows: { type: 'boolean' },
    flow: { type: 'string' },
    count: { type: 'string' },
    time: { type: 'string' },
    ethernet: { type: 'boolean' },
    hex: { type: 'boolean' },
    pcap: { type: 'string' },
    // About errors, and of the whole command line.
    verbose: { type: 'boolean' },
  });
  const words = [...positionals];
  const source = readSource(values, words);
  const filter = words.join(' ');
  checkFilter(filter, showMistake);
  const { time, ethernet = false, hex = false, pcap } = values;
  return {
    source,
    filter,
    view: readView(values),
    format: { time: readTime(time), ethernet, hex },
    count: readPositive('--count', values.count) ?? Infinity,
    pcap,
  };
}

interface SourceValues extends NodeChoice {
  readonly network?: string | undefined;
  readonly port?: string | undefined;
  readonly follow?: boolean | undefined;
}

/** Takes the source from the words, if it stands there. */
function readSource(values: SourceValues, words: string[]): DumpSource {
  const { network, port, name, state, follow = false } = values;
  if (network !== undefined) {
    return { kind: 'network', network, port, node: { name, state } };
  }
  if (port !== undefined || name !== undefined || state !== undefined) {
    const wrong = '--port, --name and --state are about a network: give --network NAME too';
    throw usageError('dump', wrong);
  }
  const source = words.shift();
  if (source === undefined) {
    throw usageError('dump', 'dump wants a file or link, or --network NAME');
  }
  if (source === '-') return { kind: 'stdin' };
  if (/^[a-z]+:/.test(source)) return { kind: 'link', name: source };
  return { kind: 'file', path: source, follow };
}

function readView(values: { readonly flows?: boolean; readonly flow?: string }): DumpView {
  const flow = readPositive('--flow', values.flow);
  if (flow === undefined) return { kind: values.flows === true ? 'flows' : 'frames' };
  if (values.flows === true) throw usageError('dump', 'give --flows or --flow N, not both');
  return { kind: 'text', flow };
}

function readTime(text = 'relative'): DumpTime {
  if (text === 'relative' || text === 'wall' || text === 'none') return text;
  throw usageError('dump', `--time is relative, wall or none, not '${text}'`);
}

function readPositive(option: string, text: string | undefined): number | undefined {
  return readNumber('dump', option, text, { least: 1, most: Number.MAX_SAFE_INTEGER, whole: true });
}

/** Before anything is opened. */
function checkFilter(filter: string, showMistake: (picture: string) => void): void {
  try {
    compileFilter(filter);
  } catch (error) {
    if (error instanceof FilterError) showMistake(`${error.picture}\n`);
    throw error;
  }
}
