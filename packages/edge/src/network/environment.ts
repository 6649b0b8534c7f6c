import type { Clock, Host, Random, SocketAddress } from 'netloom/core';
import type { LeaseStore } from 'netloom/host';
import type { Dhcpv4LeaseRecord, Dhcpv6LeaseRecord } from 'netloom/ip';
import type { CaptureSink } from 'netloom/link';

/** Where the leases of a network are kept, of each family; undefined: nowhere. */
export interface LeaseStores {
  readonly v4?: LeaseStore<Dhcpv4LeaseRecord>;
  readonly v6?: LeaseStore<Dhcpv6LeaseRecord>;
}

/** What networks need of the place they are in. */
export interface NetworkEnvironment {
  readonly clock: Clock;
  readonly random: Random;
  /** Tells this machine and this node from others that may be on a network too, the same at every start. */
  readonly place?: string;
  /** Carries what the uplink takes out, and published ports: the operating system's host; in tests a simulated machine. */
  readonly outside: Host;
  /** Whom networks with an uplink ask for names that are not their own. */
  readonly resolvers: readonly SocketAddress[];
  /** Where a network's leases are kept; undefined: nowhere. */
  readonly leases?: (network: string) => LeaseStores;
  /** Told of what people should know and is no failure. */
  readonly notice?: (text: string) => void;
}

/** Is shown frames: a `PcapngSink`, say. */
export type FrameRecorder = CaptureSink;

/** Which frames are recorded, and who is told that there will be no more. */
export interface RecordingOptions {
  /** Both ways at this port; of all ports, each frame once. */
  readonly port?: string;
  /** Called when the network is destroyed, unless the capture was closed before. */
  readonly ended?: () => void;
}
