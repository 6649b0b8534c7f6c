import type { Cidr, IpAddress } from '../../core/index.ts';
import { BridgeMembership } from './bridge-membership.ts';
import { addDefaultRoute, addInterfaceAddresses, allowIpv6, hasIpv6 } from './kernel-interface.ts';
import { duringStep } from './tap-errors.ts';

/** What the kernel's side of a TAP is given beside its being there. */
export interface TapPlace {
  readonly addresses?: readonly Cidr[];
  /** Where everything else is sent that the kernel there has no other route for. */
  readonly gateways?: readonly IpAddress[];
  /** The bridge of the kernel's that it becomes a port of. */
  readonly bridge?: string;
}

/** Before the interface is up: then its addresses are good at once, and not tried out for seconds. */
export function prepareTapPlace(name: string, { addresses = [] }: TapPlace = {}): void {
  if (addresses.some(({ address }) => address.family === 6) && hasIpv6()) allowIpv6(name);
}

/** Once the interface is up. Answers what watches over its being in a bridge, if it is to be in one. Throws an error of `tap-errors.ts`. */
export function setUpTapPlace(name: string, place: TapPlace = {}): BridgeMembership | undefined {
  const { addresses = [], gateways = [], bridge } = place;
  duringStep('give addresses to', name, () => addInterfaceAddresses(name, addresses));
  for (const gateway of gateways) {
    duringStep('route through', name, () => addDefaultRoute(name, gateway));
  }
  return bridge === undefined ? undefined : new BridgeMembership(name, bridge);
}
