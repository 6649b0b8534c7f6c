import { NetloomError, type MacAddress, type Random } from '../../../core/index.ts';

/** The limits of a spanning tree. */
export interface SpanningTreeLimits {
  readonly ports: number;
  /** BPDUs that one port takes in a second. A neighbour sends a handful; what a flooder sends more is dropped and counted. */
  readonly receivedPerSecond: number;
}

/** The defaults of {@link SpanningTreeLimits}. */
export const SPANNING_TREE_LIMITS: SpanningTreeLimits = { ports: 4095, receivedPerSecond: 50 };

/** The protocol a bridge speaks: `rstp` (IEEE 802.1D-2004), with `stp` on ports where a neighbour knows that only; or `stp` (IEEE 802.1D-1998) everywhere. */
export type SpanningTreeMode = 'rstp' | 'stp';

/** How to make a spanning tree: the bridge's part of it. Times are milliseconds. */
export interface SpanningTreeOptions {
  /** The bridge's address: the lower half of its identifier, and the source of its BPDUs. */
  readonly mac: MacAddress;
  /** The upper half of the identifier: the bridge with the least becomes the root. A multiple of 4096, 0 to 61,440. Default 32,768. */
  readonly priority?: number;
  /** Default `rstp`. */
  readonly mode?: SpanningTreeMode;
  /** Between two hellos, if this bridge is the root: 1000 to 10,000. Default 2000. */
  readonly helloTime?: number;
  /** How long a root's word is good for: 6000 to 40,000. Default 20,000. */
  readonly maxAge?: number;
  /** Spent listening, and again learning, where no neighbour says that it is safe: 4000 to 30,000. Default 15,000. */
  readonly forwardDelay?: number;
  /** BPDUs a port sends at once, and then one a second: 1 to 10. Default 6. */
  readonly transmitHoldCount?: number;
  /** Sends hellos up to a tenth of their time early, so that bridges that began together do not speak together. */
  readonly random: Random;
  readonly limits?: Partial<SpanningTreeLimits>;
}

/** What a port is to the spanning tree. */
export interface SpanningTreePortOptions {
  /** What going to the root through this port costs: 1 to 200,000,000. 20,000 is recommended for 1 Gbit/s, 2000 for 10 Gbit/s (table 17-3). */
  readonly cost: number;
  /** Decides between ports of the same cost: the less, the better. A multiple of 16, 0 to 240. Default 128. */
  readonly priority?: number;
  /** Whether no bridge is behind it, so that it may forward at once: `true` takes it for granted until one is heard, `auto` finds out by listening for three seconds. Default `auto`. */
  readonly edge?: 'auto' | boolean;
  /** Whether there is at most one other bridge on the link, which then can be asked for its agreement. Default true. */
  readonly pointToPoint?: boolean;
  /** Takes the port out of use with the first BPDU that comes, until it goes down and up again. Default false. */
  readonly bpduGuard?: boolean;
  /** Never goes to the root through this port: a bridge behind it that claims to be a better root is shut out as long as it does. Default false. */
  readonly rootGuard?: boolean;
}

/** A bridge's options with the defaults in. */
export type BridgeSettings = Required<Omit<SpanningTreeOptions, 'mac' | 'random' | 'limits'>>;

/** A port's options with the defaults in. */
export type PortSettings = Required<SpanningTreePortOptions>;

/** How long it is waited for a neighbour to show by its BPDUs what it speaks (17.13.9). */
export const MIGRATE_TIME = 3000;

/** So many milliseconds after something new was told, agreements are not taken: longer than a frame takes there and back on links that are not slow. */
export const AGREEMENT_GUARD = 200;

const DEFAULT_BRIDGE: BridgeSettings = {
  priority: 0x8000,
  mode: 'rstp',
  helloTime: 2000,
  maxAge: 20_000,
  forwardDelay: 15_000,
  transmitHoldCount: 6,
};

const DEFAULT_PORT: Omit<PortSettings, 'cost'> = {
  priority: 128,
  edge: 'auto',
  pointToPoint: true,
  bpduGuard: false,
  rootGuard: false,
};

/** Lowest, highest and step of a number that is set: those of IEEE 802.1D-2004, tables 17-1 to 17-3 (and 802.1D-1998 for the hello time). */
type Range = readonly [lowest: number, highest: number, step: number];

const PRIORITY_RANGE: Range = [0, 61_440, 4096];
const BRIDGE_RANGES = {
  priority: PRIORITY_RANGE,
  helloTime: [1000, 10_000, 1],
  maxAge: [6000, 40_000, 1],
  forwardDelay: [4000, 30_000, 1],
  transmitHoldCount: [1, 10, 1],
} as const satisfies Partial<Record<keyof BridgeSettings, Range>>;
const PORT_RANGES = {
  cost: [1, 200_000_000, 1],
  priority: [0, 240, 16],
} as const satisfies Partial<Record<keyof PortSettings, Range>>;
const PORT_NUMBER_RANGE: Range = [1, 4095, 1];

/** The settings, complete. Throws `SPANNING_TREE_INVALID`. */
export function bridgeSettings(options: SpanningTreeOptions): BridgeSettings {
  const settings = {
    priority: options.priority ?? DEFAULT_BRIDGE.priority,
    mode: options.mode ?? DEFAULT_BRIDGE.mode,
    helloTime: options.helloTime ?? DEFAULT_BRIDGE.helloTime,
    maxAge: options.maxAge ?? DEFAULT_BRIDGE.maxAge,
    forwardDelay: options.forwardDelay ?? DEFAULT_BRIDGE.forwardDelay,
    transmitHoldCount: options.transmitHoldCount ?? DEFAULT_BRIDGE.transmitHoldCount,
  };
  checkRanges(settings, BRIDGE_RANGES);
  checkTimes(settings);
  return settings;
}

/** A port's settings, complete: those given, then those before, then the defaults. Throws `SPANNING_TREE_INVALID`. */
export function portSettings(
  options: SpanningTreePortOptions | Partial<SpanningTreePortOptions>,
  before: Partial<PortSettings>,
): PortSettings {
  const settings = { cost: 0, ...DEFAULT_PORT, ...before, ...options };
  checkRanges(settings, PORT_RANGES);
  return settings;
}

/** Throws `SPANNING_TREE_INVALID`. */
export function checkBridgePriority(priority: number): void {
  checkRange('priority', priority, PRIORITY_RANGE);
}

/** Throws `SPANNING_TREE_INVALID`. */
export function checkPortNumber(port: number): void {
  checkRange('port number', port, PORT_NUMBER_RANGE);
}

function checkRanges(
  settings: Readonly<Record<string, unknown>>,
  ranges: Readonly<Record<string, Range>>,
): void {
  for (const [name, range] of Object.entries(ranges)) checkRange(name, settings[name], range);
}

function checkRange(name: string, value: unknown, [lowest, highest, step]: Range): void {
  const isGood =
    typeof value === 'number' && value >= lowest && value <= highest && value % step === 0;
  if (isGood) return;
  const steps = step > 1 ? `, in steps of ${step}` : '';
  throw new NetloomError(
    'SPANNING_TREE_INVALID',
    `the ${name} of a spanning tree is not ${String(value)}`,
    { remedy: `Give a whole number from ${lowest} to ${highest}${steps}.` },
  );
}

/** Otherwise old words could be believed while new ones are being forwarded on (17.14). */
function checkTimes({ helloTime, maxAge, forwardDelay }: BridgeSettings): void {
  if (2 * (forwardDelay - 1000) >= maxAge && maxAge >= 2 * (helloTime + 1000)) return;
  throw new NetloomError(
    'SPANNING_TREE_INVALID',
    `hello time ${helloTime}, maximum age ${maxAge} and forward delay ${forwardDelay} do not go together`,
    {
      remedy:
        'Let the maximum age be at least 2 x (hello time + 1000) and at most 2 x (forward delay - 1000).',
    },
  );
}
