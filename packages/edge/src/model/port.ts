import type { LinkModel } from './link.ts';

/** Which VLANs a port is in: one without tags, or several with. Ranges have both ends. */
export type VlanModel =
  | { readonly mode: 'access'; readonly vlan: number }
  | {
      readonly mode: 'trunk';
      readonly allowed: 'all' | readonly (number | readonly [first: number, last: number])[];
      readonly native?: number;
    };

/** How much of a kind of frames a port takes in, per second. */
export interface StormModel {
  readonly broadcast?: number;
  readonly multicast?: number;
  readonly unknownUnicast?: number;
}

/** How a port of the switch behaves, whatever is plugged in. */
export interface PortModel {
  readonly vlan: VlanModel;
  /** Of frames without a tag, 0 to 7; `dscp`: what the packet asks for. */
  readonly priority: number | 'dscp';
  readonly isolated: boolean;
  /** How many stations may be learned. */
  readonly stations: number;
  readonly whenFull: 'forward' | 'drop';
  readonly storm: StormModel;
  /** Bits per second towards the station, fairly shared between flows; null: no limit. */
  readonly shaping: { readonly rate: number } | null;
  readonly link: LinkModel;
}

/** What a port is when nobody says otherwise: what a guest needs, and a guest that floods may have (docs/floods.md). */
export const DEFAULT_PORT: PortModel = {
  vlan: { mode: 'access', vlan: 1 },
  priority: 'dscp',
  isolated: false,
  stations: 64,
  whenFull: 'drop',
  storm: { broadcast: 1000, unknownUnicast: 1000 },
  shaping: null,
  link: {},
};

/** What a built-in machine does. */
export type MachineService =
  /** A page that says which machine it is, and how the request came; TCP port 80. */
  | { readonly kind: 'web' }
  /** Sends back what it is sent; TCP and UDP port 7 (RFC 862). */
  | { readonly kind: 'echo' }
  /** Takes and forgets; TCP and UDP port 9 (RFC 863). */
  | { readonly kind: 'sink' }
  /** A module of the user's whose default export has `fetch(request)`; the path is absolute. */
  | { readonly kind: 'module'; readonly path: string; readonly port: number };

/** Where a TAP's other end is to be: this machine's own namespace, or one of `ip netns`. */
export interface TapModel {
  readonly kind: 'tap';
  /** The interface's name. */
  readonly interface: string;
  /** The name or the path of a network namespace; null: this process's own. */
  readonly namespace: string | null;
  /** Given to the kernel's end, as `10.0.0.7/24`. */
  readonly addresses: readonly string[];
  /** Whether the kernel's end gets a default route to the network's gateway. */
  readonly defaultRoute: boolean;
}

/** What is plugged into a port. */
export type StationModel =
  | {
      readonly kind: 'machine';
      readonly services: readonly MachineService[];
      /** As `10.0.0.80`; empty: whatever the gateway's DHCP would give it, or none without. */
      readonly addresses: readonly string[];
      /** Null: one that follows from the names of network and machine, and of the node where others are on the network, so that it is the same at the next start. */
      readonly mac: string | null;
    }
  | TapModel
  /** A QEMU with `-netdev stream` or `-netdev socket`, which connects to us or listens for us. */
  | { readonly kind: 'qemu-stream'; readonly listen: string }
  | { readonly kind: 'qemu-stream'; readonly connect: string }
  /** A QEMU with `-netdev dgram`, or `socket,udp=`. */
  | { readonly kind: 'qemu-datagram'; readonly local: string; readonly remote: string };

/** A station of a network, and the port and the line it is reached by. */
export interface AttachmentModel {
  /** Unique in its network; its name in the network's zone too. */
  readonly name: string;
  readonly station: StationModel;
  readonly port: PortModel;
}
