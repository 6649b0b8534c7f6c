/** Types of resource records (IANA "Resource Record (RR) TYPEs"); those that are read or made here, and those that are spoken of. */
export const DnsType = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  DNAME: 39,
  OPT: 41,
  SVCB: 64,
  HTTPS: 65,
  /** Of questions only: all types (RFC 8482). */
  ANY: 255,
} as const;

/** Classes of resource records (RFC 1035, section 3.2.4). */
export const DnsClass = { IN: 1, CHAOS: 3, ANY: 255 } as const;

/** Response codes (RFC 1035, section 4.1.1; RFC 6891, section 9), those of EDNS included. */
export const DnsResponseCode = {
  NO_ERROR: 0,
  FORMAT_ERROR: 1,
  SERVER_FAILURE: 2,
  NAME_ERROR: 3,
  NOT_IMPLEMENTED: 4,
  REFUSED: 5,
  BAD_VERSION: 16,
} as const;

/** Operation codes (RFC 1035, section 4.1.1). */
export const DnsOperation = { QUERY: 0 } as const;

/** Info codes of extended errors (RFC 8914, section 4). */
export const DnsExtendedError = {
  OTHER: 0,
  BLOCKED: 15,
  NO_REACHABLE_AUTHORITY: 22,
  NETWORK_ERROR: 23,
} as const;

/** Codes of EDNS options (IANA "DNS EDNS0 Option Codes (OPT)"). */
export const DnsOptionCode = { EXTENDED_ERROR: 15 } as const;

/** The UDP and TCP port (RFC 1035, section 4.2). */
export const DNS_PORT = 53;

/** Bytes that a client without EDNS takes by UDP (RFC 1035, section 4.2.1). */
export const DNS_SMALLEST_UDP = 512;
