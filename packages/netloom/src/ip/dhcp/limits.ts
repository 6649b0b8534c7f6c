/** Limits and constants of the DHCPv4 client. Milliseconds unless said otherwise. */
export interface Dhcpv4ClientLimits {
  /**
   * The most a client waits before its first message, at random. RFC 2131, section 4.4.1 would have 1 to 10 s, so that machines
   * switched on together do not speak together; the default is none, as the retransmissions spread them too.
   */
  readonly startDelay: number;
  /** The first retransmission (RFC 2131, section 4.1: 4 s), and the longest (64 s); each is twice the one before. */
  readonly firstRetransmission: number;
  readonly longestRetransmission: number;
  /** How far a retransmission is moved at random, to either side (RFC 2131, section 4.1: 1 s). */
  readonly retransmissionJitter: number;
  /** How long further offers are waited for; 0: the first is taken. */
  readonly offerWait: number;
  /** Offers kept while waiting. */
  readonly offers: number;
  /** REQUESTs sent for one offer before the client begins anew (RFC 2131, section 3.1, step 5: four, over about a minute). */
  readonly requests: number;
  /** REQUESTs sent to have an address of before confirmed. */
  readonly verifications: number;
  /** The least time between REQUESTs in RENEWING and REBINDING (RFC 2131, section 4.4.5: 60 s). */
  readonly renewalInterval: number;
  /** How long the owner may take to find out whether an address is in use; then it counts as free. */
  readonly probeTimeout: number;
  /** The wait after a DECLINE (RFC 2131, section 3.1, step 5: at least 10 s). */
  readonly declineDelay: number;
  /** The wait after a NAK to a REQUEST for an offer; it doubles with each in a row, up to {@link longestRetransmission}. */
  readonly refusalDelay: number;
  /** Leases shorter than this are not taken: they would have the client ask without end. */
  readonly shortestLease: number;
  /** The largest message the client takes, in bytes of the datagram with IP and UDP headers (RFC 2132, section 9.10). */
  readonly messageSize: number;
}

/** The defaults. */
export const DHCPV4_CLIENT_LIMITS: Dhcpv4ClientLimits = {
  startDelay: 0,
  firstRetransmission: 4000,
  longestRetransmission: 64_000,
  retransmissionJitter: 1000,
  offerWait: 0,
  offers: 8,
  requests: 4,
  verifications: 2,
  renewalInterval: 60_000,
  probeTimeout: 12_000,
  declineDelay: 10_000,
  refusalDelay: 1000,
  shortestLease: 10_000,
  messageSize: 1500,
};

/** Limits and constants of the DHCPv4 server. Milliseconds unless said otherwise. */
export interface Dhcpv4ServerLimits {
  /** Addresses offered, leased and in quarantine. */
  readonly bindings: number;
  /** How long an address stays promised to the client it was offered to. */
  readonly offerTime: number;
  /** How long a declined address is not given out. */
  readonly quarantine: number;
  /** Clients whose last address is remembered after their lease; past it the oldest is forgotten. */
  readonly remembered: number;
  /** Messages of one station that are looked at in a second; twice as many at once. */
  readonly messagesPerStation: number;
  /** The shortest lease given to a client that asks for a short one. */
  readonly shortestLease: number;
  /** The largest message sent, in bytes of UDP payload. */
  readonly messageSize: number;
}

/** The defaults. */
export const DHCPV4_SERVER_LIMITS: Dhcpv4ServerLimits = {
  bindings: 65_536,
  offerTime: 60_000,
  quarantine: 600_000,
  remembered: 65_536,
  messagesPerStation: 20,
  shortestLease: 60_000,
  messageSize: 1472,
};

/** Limits and constants of the DHCPv6 client. Milliseconds unless said otherwise; those of RFC 8415, section 7.6 are not to be set. */
export interface Dhcpv6ClientLimits {
  /** Addresses of one lease. */
  readonly addresses: number;
  /** Delegated prefixes of one lease. */
  readonly prefixes: number;
  /** How long the owner may take to find out whether an address is in use; then it counts as free. */
  readonly probeTimeout: number;
  /** The least time between renewals, and the least a T1 counts: shorter ones would have the client ask without end. */
  readonly renewalInterval: number;
}

/** The defaults. */
export const DHCPV6_CLIENT_LIMITS: Dhcpv6ClientLimits = {
  addresses: 16,
  prefixes: 8,
  probeTimeout: 12_000,
  renewalInterval: 10_000,
};

/** Limits and constants of the DHCPv6 server. Milliseconds unless said otherwise. */
export interface Dhcpv6ServerLimits {
  /** Addresses and prefixes offered, leased and in quarantine. */
  readonly bindings: number;
  /** Those of one client: it may have several interfaces, each with associations of its own. */
  readonly clientBindings: number;
  /** Identity associations of one message that are looked at. */
  readonly associations: number;
  /** How long an address stays promised to the client it was advertised to. */
  readonly offerTime: number;
  /** How long a declined address is not given out. */
  readonly quarantine: number;
  /** Associations whose last address or prefix is remembered after their lease; past it the oldest is forgotten. */
  readonly remembered: number;
  /** Messages of one station that are looked at in a second; twice as many at once. */
  readonly messagesPerStation: number;
}

/** The defaults. */
export const DHCPV6_SERVER_LIMITS: Dhcpv6ServerLimits = {
  bindings: 65_536,
  clientBindings: 16,
  associations: 16,
  offerTime: 60_000,
  quarantine: 600_000,
  remembered: 65_536,
  messagesPerStation: 20,
};
