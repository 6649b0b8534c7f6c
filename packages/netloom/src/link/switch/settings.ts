import { NetloomError } from '../../core/index.ts';
import { completeQueueing, type QueueingSettings } from './queueing/index.ts';
import type { MulticastPortSettings } from './snooping/index.ts';
import type { SpanningTreePortOptions } from './spanning-tree/index.ts';
import type { StormSettings } from './storm-control.ts';
import { DEFAULT_VLAN, type VlanSettings } from './vlan.ts';

/** How a port of a switch behaves; all of it may be changed while it is in use. */
export interface PortSettings {
  readonly vlan: VlanSettings;
  /** The priority (0 to 7, IEEE 802.1Q, clause 6.9.4) of frames that come without a tag; `dscp`: what the packet in them asks for. */
  readonly priority: number | 'dscp';
  /** Does not reach other isolated ports, as in a network of guests that are to see the gateway only. */
  readonly isolated: boolean;
  /** How many stations may be learned at the port. */
  readonly stations: number;
  /** What becomes of frames from further stations: they pass without being learned, or are dropped (port security). */
  readonly whenFull: 'forward' | 'drop';
  readonly storm: StormSettings;
  /** How what goes out waits, and at which rate it goes; undefined: at once. */
  readonly queueing: QueueingSettings | undefined;
  /** What the port is to multicast, if the switch snoops. */
  readonly multicast: MulticastPortSettings;
  /** What the port is to the spanning tree, if the switch has one. */
  readonly spanningTree: Partial<SpanningTreePortOptions>;
}

/** What a port is when nobody says otherwise. */
export const DEFAULT_PORT_SETTINGS: PortSettings = {
  vlan: DEFAULT_VLAN,
  priority: 'dscp',
  isolated: false,
  stations: 4096,
  whenFull: 'forward',
  storm: {},
  queueing: undefined,
  multicast: {},
  spanningTree: {},
};

/** The settings with `change` in their place. Throws `SWITCH_SETTING_INVALID`. */
export function changePortSettings(
  settings: PortSettings,
  change: Partial<PortSettings>,
): PortSettings {
  const changed = { ...settings, ...change };
  const { priority, stations, queueing } = changed;
  if (priority !== 'dscp' && !(Number.isInteger(priority) && priority >= 0 && priority <= 7)) {
    throw invalid('priority', priority, "'dscp', or an integer from 0 to 7");
  }
  if (!(stations >= 0)) throw invalid('stations', stations, 'a number of 0 or more');
  if (queueing !== undefined) completeQueueing(queueing);
  return changed;
}

function invalid(name: string, value: number, wanted: string): NetloomError {
  return new NetloomError('SWITCH_SETTING_INVALID', `the port setting '${name}' is ${value}`, {
    remedy: `It must be ${wanted}.`,
  });
}
