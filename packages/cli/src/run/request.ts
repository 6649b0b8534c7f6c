/** What a command line of `netloom run` asks for. */
import { parseArgs } from 'node:util';
import type { Rule } from '@netloom/edge/policy';
import type { Period, Spread } from '@netloom/edge/text';
import { IpAddress } from 'netloom/core';
import type { Impairment } from 'netloom/link';
import { readNumber, readOptions, usageError } from '../command.ts';
import { readDelay, readPercent, readPeriod, readRate } from './quantities.ts';
import { readNetworkChoice, type NetworkChoice } from './network-choice.ts';
import { readPublication, type PublicationRequest } from './publication-request.ts';
import { readRule } from './rules.ts';

/** See `netloom help run`. */
export interface RunRequest {
  readonly command: string;
  readonly args: readonly string[];
  readonly mtu: number;
  /** Of which the program is to be a station; undefined: it has a network of its own. */
  readonly network: NetworkChoice | undefined;
  /** What befalls frames, in each direction; undefined: nothing. */
  readonly impairment: Partial<Impairment> | undefined;
  readonly partitions: readonly Period[];
  readonly seed: number | undefined;
  readonly pcap: string | undefined;
  readonly publications: readonly PublicationRequest[];
  readonly rules: readonly Rule[];
  /** Names the name server knows by itself. */
  readonly names: ReadonlyMap<string, readonly IpAddress[]>;
  readonly hostAccess: boolean;
  /** Microseconds for which the process looks for more before it sleeps; see `setBusyPoll`. */
  readonly busyPoll: number;
  readonly stats: boolean;
  readonly verbose: boolean;
}

/** The options, for `readOptions`. */
const OPTIONS = {
  rate: { type: 'string' },
  delay: { type: 'string' },
  loss: { type: 'string' },
  reorder: { type: 'string' },
  duplicate: { type: 'string' },
  corrupt: { type: 'string' },
  partition: { type: 'string', multiple: true },
  seed: { type: 'string' },
  mtu: { type: 'string' },
  pcap: { type: 'string' },
  network: { type: 'string' },
  publish: { type: 'string', short: 'p', multiple: true },
  deny: { type: 'string', multiple: true },
  allow: { type: 'string', multiple: true },
  dns: { type: 'string', multiple: true },
  'host-access': { type: 'boolean' },
  'busy-poll': { type: 'string' },
  stats: { type: 'boolean' },
  verbose: { type: 'boolean' },
} as const;

/** What a network of a file has from its file. */
const OF_FILE = ['mtu', 'deny', 'allow', 'dns', 'host-access'] as const;

/** The kernel takes no less where there is IPv6 (RFC 8200, section 5), and no more on a TAP. */
const MTU_RANGE = { least: 1280, most: 65_521, whole: true };
const DEFAULT_MTU = 1500;

/** Beyond a hundredth of a second nothing is won by not sleeping. */
const BUSY_POLL_RANGE = { least: 0, most: 10_000, whole: true };

/** Reads it. Throws `USAGE`. */
export function readRequest(args: readonly string[]): RunRequest {
  const { options, words } = splitCommand(args);
  const { values } = readOptions('run', options, OPTIONS);
  const [command, ...rest] = words;
  if (!command) throw usageError('run', 'run wants a program: netloom run [options] -- COMMAND');
  const network = values.network === undefined ? undefined : readNetworkChoice(values.network);
  const refused = network && OF_FILE.find((name) => values[name] !== undefined);
  if (refused !== undefined) {
    throw usageError('run', `--${refused} is for the file to say, where there is a --network`);
  }
  return {
    command,
    network,
    args: rest,
    mtu: readNumber('run', '--mtu', values.mtu, MTU_RANGE) ?? DEFAULT_MTU,
    impairment: readImpairment(values),
    partitions: (values.partition ?? []).map((text) => readPeriod('--partition', text)),
    seed: readNumber('run', '--seed', values.seed, {
      least: 0,
      most: Number.MAX_SAFE_INTEGER,
      whole: true,
    }),
    pcap: values.pcap,
    publications: (values.publish ?? []).map(readPublication),
    rules: [
      ...(values.deny ?? []).map((text) => readRule('deny', text)),
      ...(values.allow ?? []).map((text) => readRule('allow', text)),
    ],
    names: readNames(values.dns ?? []),
    hostAccess: values['host-access'] ?? false,
    busyPoll: readNumber('run', '--busy-poll', values['busy-poll'], BUSY_POLL_RANGE) ?? 0,
    stats: values.stats ?? false,
    verbose: values.verbose ?? false,
  };
}

/** The program's words begin after `--`, or with the first that is neither an option nor an option's value. */
function splitCommand(args: readonly string[]): { options: string[]; words: string[] } {
  const { tokens } = parseArgs({
    args: [...args],
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const first = tokens.find(({ kind }) => kind !== 'option');
  if (first === undefined) return { options: [...args], words: [] };
  const start = first.kind === 'positional' ? first.index : first.index + 1;
  return { options: args.slice(0, first.index), words: args.slice(start) };
}

function readImpairment(values: {
  readonly [name in 'rate' | 'delay' | 'loss' | 'reorder' | 'duplicate' | 'corrupt']?:
    | string
    | undefined;
}): Partial<Impairment> | undefined {
  const { rate, delay } = values;
  const found: { -readonly [name in keyof Impairment]?: Impairment[name] } = {};
  if (rate !== undefined) found.rate = readRate('--rate', rate);
  if (delay !== undefined) Object.assign(found, eachWay(readDelay('--delay', delay)));
  for (const name of ['loss', 'reorder', 'duplicate', 'corrupt'] as const) {
    const text = values[name];
    if (text !== undefined) found[name] = readPercent(`--${name}`, text);
  }
  return Object.keys(found).length === 0 ? undefined : found;
}

/** What is asked for is the whole way, there and back: that is what `ping` shows. */
function eachWay({ value, spread }: Spread): Pick<Impairment, 'delay' | 'jitter'> {
  return { delay: value / 2, jitter: spread / 2 };
}

function readNames(texts: readonly string[]): Map<string, IpAddress[]> {
  const names = new Map<string, IpAddress[]>();
  for (const text of texts) {
    const [, name, addressText] = /^([^=]+)=(.+)$/.exec(text) ?? [];
    const address = IpAddress.tryParse(addressText ?? '');
    if (name === undefined || address === undefined) {
      throw usageError('run', `--dns wants NAME=ADDRESS, as db.test=192.0.2.7, not '${text}'`);
    }
    const key = name.toLowerCase().replace(/\.$/, '');
    names.set(key, [...(names.get(key) ?? []), address]);
  }
  return names;
}
