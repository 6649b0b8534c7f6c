/** Who wants to hear which group: IGMP and MLD snooping. */
export type { MulticastPortSettings, SnoopingSettings } from './settings.ts';
export { Snooper, type MulticastTargets } from './snooper.ts';
