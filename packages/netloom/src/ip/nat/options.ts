import type { IpAddress, SocketAddress } from '../../core/index.ts';
import type { Interface } from '../interface/interface.ts';

/**
 * Which of the other end's address and port count: for mappings, whether another remote end gets another external port; for filtering, whether what comes from
 * a remote end is passed in that nothing was sent to (RFC 4787, sections 4.1 and 5).
 */
export type NatDependence =
  | 'endpoint-independent'
  | 'address-dependent'
  | 'address-and-port-dependent';

/**
 * How an external port is chosen (RFC 4787, section 4.2): the inside port where it is free; one of the same parity, next to that of the port's neighbour where that
 * can be; or any. Each falls back to a random port of the same range (1 to 1023, or above), and none ever gives one port to two.
 */
export type NatPortAssignment = 'preserve' | 'parity' | 'random';

/** How a {@link Nat} behaves where the RFCs leave a choice, or where NATs in the field do. */
export interface NatBehaviour {
  /** Default `endpoint-independent` (RFC 4787, REQ-1). `address-and-port-dependent` is what is called a symmetric NAT. */
  readonly mapping: NatDependence;
  /** Default `endpoint-independent`, which lets most applications work; `address-dependent` is the stricter choice (RFC 4787, REQ-8). */
  readonly filtering: NatDependence;
  /** Default `preserve`. */
  readonly ports: NatPortAssignment;
  /** With several external addresses: one for each inside host, or any for each mapping. Default `paired` (RFC 4787, REQ-2). */
  readonly pooling: 'paired' | 'arbitrary';
  /** Whether inside hosts reach each other by their external addresses and ports. Default true (RFC 4787, REQ-9). */
  readonly hairpinning: boolean;
  /** Which UDP and ICMP packets keep a flow alive. Default `outbound`: nobody outside can keep it (RFC 4787, REQ-6). */
  readonly refresh: 'outbound' | 'both';
}

/** The defaults. */
export const NAT_BEHAVIOUR: NatBehaviour = {
  mapping: 'endpoint-independent',
  filtering: 'endpoint-independent',
  ports: 'preserve',
  pooling: 'paired',
  hairpinning: true,
  refresh: 'outbound',
};

/** Milliseconds without traffic after which a flow is forgotten. */
export interface NatTimeouts {
  /** RFC 4787, REQ-5: at least 2 minutes, 5 recommended. */
  readonly udp: number;
  /** RFC 5382, REQ-5: at least 2 hours and 4 minutes. */
  readonly tcpEstablished: number;
  /** Connections that are being opened, have been closed, or have been reset (RFC 5382, REQ-5: at least 4 minutes). */
  readonly tcpTransitory: number;
  /** RFC 5508, REQ-2: at least 60 seconds. */
  readonly icmp: number;
  /** How long an unsolicited SYN waits for one from inside (RFC 5382, REQ-4: at least 6 seconds). */
  readonly unsolicitedSyn: number;
}

/** The defaults. */
export const NAT_TIMEOUTS: NatTimeouts = {
  udp: 300_000,
  tcpEstablished: 7_440_000,
  tcpTransitory: 240_000,
  icmp: 60_000,
  unsolicitedSyn: 6000,
};

/** Limits of a {@link Nat}. */
export interface NatLimits {
  /** Flows of all inside hosts. At the limit the oldest that is not established gives way. */
  readonly flows: number;
  /** Flows of one inside host, be they opened by it or to it. At the limit its own oldest that is not established gives way. */
  readonly flowsPerHost: number;
  /** Ports that are published. */
  readonly publications: number;
  /** Unsolicited SYNs that are held. */
  readonly heldSyns: number;
}

/** The defaults. */
export const NAT_LIMITS: NatLimits = {
  flows: 65_536,
  flowsPerHost: 8192,
  publications: 4096,
  heldSyns: 256,
};

/** What a {@link Nat} is made with. */
export interface NatOptions {
  /** Whose hosts are hidden. */
  readonly inside: readonly Interface[];
  readonly outside: Interface;
  /**
   * What inside hosts are seen as: addresses of this stack, so that it answers for them. A family without one is not translated. Default: the IPv4 addresses that
   * the outside interface has at the time.
   */
  readonly external?: readonly IpAddress[];
  readonly behaviour?: Partial<NatBehaviour>;
  readonly timeouts?: Partial<NatTimeouts>;
  readonly limits?: Partial<NatLimits>;
}

/** A port outside that leads to a port inside. */
export interface NatPublicationOptions {
  readonly protocol: 'tcp' | 'udp';
  /** Where it is seen. Without an address: at the first external one of the inside address's family, whichever that is at the time. */
  readonly external: { readonly address?: IpAddress; readonly port: number };
  readonly inside: SocketAddress;
}
