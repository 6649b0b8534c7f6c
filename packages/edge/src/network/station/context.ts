import type { IpAddress, MacAddress } from 'netloom/core';
import type { MachineSetup } from '../../machine/index.ts';
import type { NetworkEnvironment } from '../environment.ts';
import type { GatewayGuest } from '../gateway/gateway.ts';

/** What stations need of the network they are in. */
export interface StationContext {
  /** Its name. */
  readonly network: string;
  readonly mtu: number;
  readonly environment: NetworkEnvironment;
  /** Where default routes lead. */
  readonly routers: readonly IpAddress[];
  /** The address of a station of that name which says none. */
  macOf(name: string): MacAddress;
  /** Has the network know a station, and answers how one of ours is to be configured. */
  admit(guest: GatewayGuest): MachineSetup | 'ask';
  /** Knows the station no longer. */
  dismiss(guest: Pick<GatewayGuest, 'mac' | 'name'>): void;
}
