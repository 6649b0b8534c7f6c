/** The switch: learning, VLANs, storms, and what else a bridge does. */
export type { Mirror, MirrorOptions } from './mirrors.ts';
export type { QueueStatus, SwitchPort } from './port.ts';
export type { ClassStatistics, QueueingSettings } from './queueing/index.ts';
export { DEFAULT_PORT_SETTINGS, type PortSettings } from './settings.ts';
export {
  SWITCH_DROP,
  type FrameCounts,
  type PortStatistics,
  type SwitchDrop,
} from './statistics.ts';
export type { StormRate, StormSettings } from './storm-control.ts';
export type { MulticastPortSettings, SnoopingSettings } from './snooping/index.ts';
export * from './spanning-tree/index.ts';
export {
  Switch,
  type KnownGroup,
  type KnownMulticastRouter,
  type KnownStation,
  type SwitchCableOptions,
  type SwitchLimits,
  type SwitchOptions,
} from './switch.ts';
export type { VlanSet, VlanSettings } from './vlan.ts';
