import type { IpAddress, MacAddress } from 'netloom/core';
import type { StackHost } from 'netloom/host';
import type { Link } from 'netloom/link';

/** A machine as its services see it. */
export interface MachineView {
  /** Under which it is found in its network, as `web.lan`. */
  readonly fullName: string;
  /** The network's name. */
  readonly network: string;
  readonly host: StackHost;
  readonly mac: MacAddress;
  /** Its addresses with the lengths of their networks' prefixes, as `10.0.0.80/24`. */
  readonly addresses: readonly string[];
  /** By whom it reaches others, as `gateway.lan`. */
  readonly router: { readonly name: string; readonly address: IpAddress } | undefined;
}

/** A service of a machine while it runs. */
export interface RunningService {
  /** Serves no more; what is being served may finish within a moment. Idempotent. */
  close(): Promise<void>;
}

/** What makes a service of a machine. */
export interface ServiceMaker {
  /** A link on which the service is shown each frame of the machine. */
  watch?(link: Link): Link;
  /** Begins to serve. Rejects as the host's `listen` and `bind` do. */
  start(machine: MachineView): Promise<RunningService>;
}
