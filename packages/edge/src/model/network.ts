import type { AttachmentModel } from './port.ts';

/** How far a network reaches. */
export type NetworkKind =
  /** Its switch, in this process, and nothing else. */
  | { readonly kind: 'isolated' }
  /** Its switch is joined to a bridge of this machine by a TAP, or to one of its interfaces by a packet socket. */
  | { readonly kind: 'bridged'; readonly bridge: string }
  | { readonly kind: 'bridged'; readonly interface: string }
  /** Its switch is joined to those of other nodes by VXLAN (RFC 7348). */
  | {
      readonly kind: 'overlay';
      /** The VXLAN network identifier, 0 to 16,777,215. */
      readonly identifier: number;
      /** Where we listen, as `0.0.0.0:4789`. */
      readonly local: string;
      /** The other nodes, as `192.0.2.7:4789`. */
      readonly peers: readonly string[];
    }
  /** No switch: its one machine is straight on an interface of this machine. */
  | { readonly kind: 'direct'; readonly interface: string };

/** What the switch does beside switching. */
export interface SwitchModel {
  /** Milliseconds after which a silent station is forgotten. */
  readonly ageing: number;
  readonly spanningTree: {
    readonly protocol: 'rstp' | 'stp';
    /** 0 to 61,440 in steps of 4,096. */
    readonly priority: number;
  } | null;
  /** Whether groups are kept to where they are wanted. */
  readonly snooping: boolean;
  /** Stations known at all ports. */
  readonly stations: number;
}

/** Addresses that a server gives out: both ends are given too. */
export interface RangeModel {
  readonly first: string;
  readonly last: string;
}

/** What is kept for a client. */
export interface ReservationModel {
  readonly mac: string;
  readonly name: string | null;
  readonly addresses: readonly string[];
}

/** A verdict over a network, an address or a name and what is below it; the most exact rule decides. */
export interface RuleModel {
  readonly verdict: 'allow' | 'deny';
  /** As `10.0.0.0/8` or `example.org`. */
  readonly subject: string;
}

/** The network's router, on a stack of its own. */
export interface GatewayModel {
  /** As `10.0.0.1/24`: the first of each family names the network that is served. */
  readonly addresses: readonly string[];
  readonly dhcp: {
    /** Null: the upper half of the network. */
    readonly range: RangeModel | null;
    /** Milliseconds. */
    readonly lease: number;
  } | null;
  readonly dhcpv6: { readonly range: RangeModel | null; readonly lease: number } | null;
  readonly advertisements: boolean;
  readonly dns: {
    readonly zone: string;
    /** By name: the addresses. */
    readonly names: Readonly<Record<string, readonly string[]>>;
  } | null;
  readonly reservations: readonly ReservationModel[];
  /** The ways to networks behind routers, by destination as `10.0.2.0/24`: the router's address in this one. */
  readonly routes: Readonly<Record<string, string>>;
  /** The way to the world, over this machine's sockets; null: none. */
  readonly uplink: {
    /** Whether this machine's loopback is reached at the gateway's addresses. */
    readonly hostAccess: boolean;
    readonly rules: readonly RuleModel[];
  } | null;
}

/** A port of this machine that leads to one of a station. */
export interface PublicationModel {
  readonly protocol: 'tcp' | 'udp';
  /** Where clients come in, as `127.0.0.1:8080`; port 0 takes any that is free. */
  readonly listen: string;
  /** An attachment's name, or an address. */
  readonly station: string;
  readonly port: number;
}

/** A network as the file wants it: complete, with every default in its place. Plain data: two are the same if they are written the same. */
export interface NetworkModel {
  readonly name: string;
  readonly kind: NetworkKind;
  readonly mtu: number;
  /** As `10.0.0.0/24`: what the prefix of a station's address follows from. Those of the gateway, where there is one. */
  readonly subnets: readonly string[];
  /** Where the default routes of its stations lead: one address of each family at most. The gateway's, or a router's. */
  readonly routers: readonly string[];
  readonly switch: SwitchModel;
  readonly gateway: GatewayModel | null;
  readonly attachments: readonly AttachmentModel[];
  readonly publications: readonly PublicationModel[];
}
