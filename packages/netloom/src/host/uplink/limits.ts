/**
 * The limits of an uplink. Milliseconds, or numbers of things. A guest counts by its station, whatever addresses it uses; and it has no more connections or echo requests than are
 * free, so that there is always something for the next. Clients outside are held to the same
 * numbers, for themselves: a client of published ports counts by its address, of IPv6 by its /64.
 */
export interface UplinkLimits {
  /** TCP connections carried at once. Those that wait for an answer have limits of the stack (`attempts`). */
  readonly connections: number;
  readonly connectionsPerGuest: number;
  /** Connections and mappings that one guest begins in a millisecond; what is more waits, so that the packets of others are not kept from being read. */
  readonly startsPerMillisecond: number;
  /** How long a guest's connection waits for the outside to answer. Then the guest hears nothing, as from a host that is not there. */
  readonly connectTimeout: number;
  /** How long a connection may be idle before either end is asked whether it lives (RFC 5382, section 5: not below 2 hours and 4 minutes). */
  readonly keepAlive: number;
  /** UDP mappings: a guest's address and port, with a socket outside. Past it the guest who has most loses the one used least recently. */
  readonly mappings: number;
  readonly mappingsPerGuest: number;
  /** How long a mapping lasts after its last datagram (RFC 4787, section 4.3: not below 2 minutes, 5 recommended). */
  readonly mappingTimeout: number;
  /** The same for a mapping that has asked name servers only: each question has a port of its own. */
  readonly nameServerTimeout: number;
  /** Destinations of one mapping that are remembered, for accounts and for letting their answers in. */
  readonly destinationsPerMapping: number;
  /** Destinations of all mappings of guests; past it the guest who has most forgets its oldest. */
  readonly destinations: number;
  /** Datagrams that wait for the socket of their mapping. */
  readonly waitingDatagrams: number;
  /** Echo requests that wait for their reply. */
  readonly echoRequests: number;
  readonly echoRequestsPerGuest: number;
  readonly echoTimeout: number;
  /** Flows that have ended and are remembered. */
  readonly endedFlows: number;
  /** Destinations with accounts of their own; what went to more of them is one account. */
  readonly accounts: number;
}

/** The defaults. */
export const UPLINK_LIMITS: UplinkLimits = {
  connections: 16_384,
  connectionsPerGuest: 8192,
  startsPerMillisecond: 5,
  connectTimeout: 60_000,
  keepAlive: 7_440_000,
  mappings: 8192,
  mappingsPerGuest: 2048,
  mappingTimeout: 300_000,
  nameServerTimeout: 10_000,
  destinationsPerMapping: 256,
  destinations: 32_768,
  waitingDatagrams: 64,
  echoRequests: 256,
  echoRequestsPerGuest: 64,
  echoTimeout: 10_000,
  endedFlows: 1000,
  accounts: 4096,
};
