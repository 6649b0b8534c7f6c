/**
 * What a running node says of itself: plain data, as its control API sends it. Counts go up and never down while the thing they are of
 * is there; rates are for whoever asks twice. Times are ISO 8601 in UTC where a person would read them, and milliseconds elsewhere.
 */

/** The states of a network; see `network/states.ts`. */
export type NetworkState =
  | 'created'
  | 'configuring'
  | 'active'
  | 'suspended'
  | 'failed'
  | 'deactivating'
  | 'destroyed';

/** A step of a network from state to state. */
export interface NetworkStepStatus {
  readonly from: NetworkState;
  readonly event: string;
  readonly to: NetworkState;
  readonly at: string;
}

/** An error, as people and programs read it. */
export interface ErrorStatus {
  readonly code: string;
  readonly message: string;
  readonly remedy: string | null;
}

/** What has gone one way. Bytes are whole frames. */
export interface TrafficStatus {
  readonly frames: number;
  readonly bytes: number;
}

/** The line of a station: what is wrong with it on purpose, as `LinkModel` has it. */
export interface LinkStatus {
  readonly delay: number;
  readonly jitter: number;
  /** Bits per second; null: no limit. */
  readonly rate: number | null;
  readonly loss: number;
  readonly reorder: number;
  readonly duplicate: number;
  readonly corrupt: number;
  readonly partition: boolean;
  /** Bytes that wait on the line or for its rate, and in the port's queue, now. */
  readonly queuedBytes: number;
}

/** A port of a network's switch and the station there. Of a direct network: its machine, with port 0. */
export interface PortStatus {
  readonly network: string;
  readonly name: string;
  readonly number: number;
  /** `gateway`, `router`, `uplink` (to a bridge, interface or overlay), or the kind of the station. */
  readonly kind: string;
  /** As `access 10` or `trunk 1,10-20 native 1`. */
  readonly vlan: string;
  /** What becomes of frames: `suspended` with the network, `unconnected` with nobody at the other end, else what the spanning tree lets it do, as `forwarding`. */
  readonly state: string;
  /** Whether there is somebody at the other end: false of a QEMU that has not connected yet. */
  readonly connected: boolean;
  readonly mac: string | null;
  readonly addresses: readonly string[];
  /** From the station to the switch. */
  readonly received: TrafficStatus;
  /** From the switch to the station. */
  readonly sent: TrafficStatus;
  /** Frames that were dropped, by reason. */
  readonly drops: Readonly<Record<string, number>>;
  readonly link: LinkStatus;
}

/** A lease of a DHCP server. */
export interface LeaseStatus {
  readonly network: string;
  readonly address: string;
  readonly client: string;
  readonly name: string | null;
  /** Milliseconds; null: for ever. */
  readonly remaining: number | null;
  /** Given by the file, not asked for. */
  readonly reserved: boolean;
}

/** A flow through a network's uplink or a publication. */
export interface FlowStatus {
  readonly network: string;
  readonly id: number;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly direction: 'outbound' | 'inbound';
  readonly guest: string;
  readonly destination: string;
  readonly labels: readonly string[];
  readonly state: string;
  /** Why it has ended; null: it has not. */
  readonly end: string | null;
  /** Milliseconds that it is, or was, there. */
  readonly age: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

/** A port of this machine that leads into a network. */
export interface PublicationStatus {
  readonly network: string;
  readonly protocol: 'tcp' | 'udp';
  /** Where clients come in: the port that was taken, where any was asked for. */
  readonly listen: string;
  readonly target: string;
}

/** A network. */
export interface NetworkStatus {
  readonly name: string;
  readonly kind: 'isolated' | 'bridged' | 'overlay' | 'direct';
  readonly state: NetworkState;
  /** Why it failed; null: it has not. */
  readonly error: ErrorStatus | null;
  /** The last steps, oldest first. */
  readonly history: readonly NetworkStepStatus[];
  readonly mtu: number;
  /** As `10.0.0.0/24`. */
  readonly subnets: readonly string[];
  readonly ports: number;
  /** Stations that the switch knows. */
  readonly stations: number;
  readonly leases: number;
  readonly flows: number;
  readonly publications: readonly PublicationStatus[];
  /** Counters of everything that was dropped or refused by gateway, services and uplink, by where and why, as `uplink.denied`. */
  readonly drops: Readonly<Record<string, number>>;
}

/** A node. */
export interface NodeStatus {
  readonly name: string;
  readonly version: string;
  readonly process: number;
  readonly startedAt: string;
  /** Milliseconds. */
  readonly uptime: number;
  /** Bytes resident. */
  readonly memory: number;
  /** The file it was last told to follow; null: none. */
  readonly file: string | null;
  readonly networks: readonly NetworkStatus[];
  readonly routers: readonly { readonly name: string; readonly networks: readonly string[] }[];
}
