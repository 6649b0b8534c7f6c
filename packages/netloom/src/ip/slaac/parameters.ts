import type { Counters } from '../../core/index.ts';
import { IPV6_MINIMUM_MTU, findNdpOption, type RouterAdvertisement } from '../../wire/index.ts';

/** What routers say of the link (RFC 4861, section 6.3.4). */
export interface LinkParameters {
  /** Undefined: that of the link itself. */
  readonly mtu: number | undefined;
  /** Of what is sent; undefined: the node's own. */
  readonly hopLimit: number | undefined;
  /** Milliseconds; undefined: the neighbour cache's own. */
  readonly reachableTime: number | undefined;
  readonly retransmitTime: number | undefined;
  /** Addresses are to be had by DHCPv6. */
  readonly managed: boolean;
  /** Other configuration is to be had by DHCPv6. */
  readonly otherConfiguration: boolean;
}

/** Before any router has spoken. */
export const NO_PARAMETERS: LinkParameters = {
  mtu: undefined,
  hopLimit: undefined,
  reachableTime: undefined,
  retransmitTime: undefined,
  managed: false,
  otherConfiguration: false,
};

/** RFC 4861, section 6.2.1: MAX_REACHABLE_TIME. */
const MAX_REACHABLE_TIME = 3_600_000;

/** RFC 4861 has no bound; beyond this a router would keep addresses from ever being checked. */
const MAX_RETRANSMIT_TIME = 60_000;

/** The parameters after a router's message: what it does not say stays, and what cannot be is not believed. */
export function mergeParameters(
  before: LinkParameters,
  message: RouterAdvertisement,
  linkMtu: number,
  drops: Counters,
): LinkParameters {
  /** The value if it is said and within bounds. */
  const within = (said: number, least: number, most: number): number | undefined => {
    if (said === 0) return undefined;
    if (said >= least && said <= most) return said;
    drops.add('bad-parameter');
    return undefined;
  };
  const mtu = findNdpOption(message.options, 'mtu')?.mtu ?? 0;
  return {
    mtu: within(mtu, IPV6_MINIMUM_MTU, linkMtu) ?? before.mtu,
    hopLimit: within(message.hopLimit, 1, 255) ?? before.hopLimit,
    reachableTime: within(message.reachableTime, 1, MAX_REACHABLE_TIME) ?? before.reachableTime,
    retransmitTime: within(message.retransmitTime, 1, MAX_RETRANSMIT_TIME) ?? before.retransmitTime,
    managed: message.managed,
    otherConfiguration: message.otherConfiguration,
  };
}

/** Whether both say the same. */
export function areSameParameters(a: LinkParameters, b: LinkParameters): boolean {
  return (
    a.mtu === b.mtu &&
    a.hopLimit === b.hopLimit &&
    a.reachableTime === b.reachableTime &&
    a.retransmitTime === b.retransmitTime &&
    a.managed === b.managed &&
    a.otherConfiguration === b.otherConfiguration
  );
}
