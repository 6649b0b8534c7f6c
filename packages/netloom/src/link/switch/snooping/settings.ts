import { NetloomError } from '../../../core/index.ts';

/** How a switch learns who wants to hear which group. Times are milliseconds. */
export interface SnoopingSettings {
  /** Where the frames of a group go that nobody has asked for: to routers, or everywhere. Default `routers` (RFC 4541, section 2.1.2, (3)). */
  readonly unknownGroups?: 'routers' | 'flood';
  /** How long a member counts that is not heard of. Default 260,000, the group membership interval (RFC 3376, section 8.4; RFC 3810, section 9.4). */
  readonly membershipTime?: number;
  /** How long a querier, or a router, counts that is not heard of. Default 255,000 (RFC 3376, section 8.5). */
  readonly querierTime?: number;
}

/** What a port is to a switch that snoops. */
export interface MulticastPortSettings {
  /** A multicast router, which has all groups, is behind it, or none is, whether or not one is heard. Default: if one is heard. */
  readonly router?: boolean;
  /** One station at most is behind it: when that leaves a group, the port does so at once, and nobody is asked. Default false. */
  readonly immediateLeave?: boolean;
}

const DEFAULTS: Required<SnoopingSettings> = {
  unknownGroups: 'routers',
  membershipTime: 260_000,
  querierTime: 255_000,
};

/** Fills in the defaults. Throws `SWITCH_SETTING_INVALID`. */
export function completeSnooping(settings: SnoopingSettings): Required<SnoopingSettings> {
  const complete = { ...DEFAULTS, ...settings };
  for (const name of ['membershipTime', 'querierTime'] as const) {
    if (complete[name] > 0) continue;
    throw new NetloomError(
      'SWITCH_SETTING_INVALID',
      `the ${name} of snooping is ${complete[name]}`,
      {
        remedy: 'Give milliseconds, more than 0.',
      },
    );
  }
  return complete;
}
