/** Limits of the forwarder. Milliseconds unless said otherwise. */
export interface DnsForwarderLimits {
  /** Questions that wait for an answer from elsewhere. */
  readonly outstanding: number;
  /** Those of one client, told by its station where that is known, and else by its address. It has no more than are free, either. */
  readonly outstandingPerClient: number;
  /** How long one server is waited for, before the next is asked. */
  readonly patience: number;
  /** How often a question is sent on, to all servers together. */
  readonly attempts: number;
  /** Names of the network's own, static ones included. */
  readonly names: number;
  /** Addresses whose names are remembered; past it the one that was heard of longest ago is forgotten. */
  readonly remembered: number;
  /** Names remembered of one address. */
  readonly namesPerAddress: number;
  /** The most that is sent by UDP, in bytes, to a client that takes more (RFC 9715: so that nothing is cut into fragments). */
  readonly udpSize: number;
}

/** The defaults. */
export const DNS_FORWARDER_LIMITS: DnsForwarderLimits = {
  outstanding: 512,
  outstandingPerClient: 128,
  patience: 2000,
  attempts: 4,
  names: 65_536,
  remembered: 4096,
  namesPerAddress: 8,
  udpSize: 1400,
};

/** Limits of the service: sockets and connections. Milliseconds unless said otherwise. */
export interface DnsServiceLimits {
  /** TCP connections of clients. */
  readonly connections: number;
  /** Those of one client, told by its address. It has no more than are free, either. */
  readonly connectionsPerClient: number;
  /** A connection on which nothing was asked for so long is closed (RFC 7766, section 6.2.3). */
  readonly idle: number;
  /** Questions of one connection that wait for their answer; then it is read no further. */
  readonly questionsPerConnection: number;
}

/** The defaults. */
export const DNS_SERVICE_LIMITS: DnsServiceLimits = {
  connections: 128,
  connectionsPerClient: 16,
  idle: 10_000,
  questionsPerConnection: 32,
};
