/** Limits and constants of {@link Slaac}. Milliseconds unless said otherwise. */
export interface SlaacLimits {
  /** Addresses of the interface, the link-local one included. */
  readonly addresses: number;
  /** Default routers. */
  readonly routers: number;
  /** Prefixes that are on the link. */
  readonly prefixes: number;
  /** Recursive DNS servers. */
  readonly dnsServers: number;
  /** Solicitations for each address; 0: no duplicate detection (RFC 4862, section 5.1). */
  readonly transmits: number;
  /** The most that is waited at random before the first message, as others may begin at the same instant (RFC 4861, section 10: MAX_RTR_SOLICITATION_DELAY). */
  readonly maximumDelay: number;
  /** How often another identifier is tried after a duplicate (RFC 7217, section 6: IDGEN_RETRIES; RFC 8981, section 3.8: TEMP_IDGEN_RETRIES). */
  readonly identifierRetries: number;
  /** The wait before another is tried (RFC 7217, section 6: IDGEN_DELAY). */
  readonly identifierDelay: number;
  /** The first router solicitation is repeated after this, each further one after twice the time before, up to the longest (RFC 7559, section 2). */
  readonly firstSolicitationInterval: number;
  readonly longestSolicitationInterval: number;
  /** Temporary addresses (RFC 8981, section 3.8): the longest they are preferred and valid, and by what part of the former they are moved out of step. */
  readonly temporaryPreferred: number;
  readonly temporaryValid: number;
  readonly temporaryDesynchronization: number;
}

/** The RFCs' values. */
export const SLAAC_LIMITS: SlaacLimits = {
  addresses: 16,
  routers: 8,
  prefixes: 16,
  dnsServers: 8,
  transmits: 1,
  maximumDelay: 1000,
  identifierRetries: 3,
  identifierDelay: 1000,
  firstSolicitationInterval: 4000,
  longestSolicitationInterval: 3_600_000,
  temporaryPreferred: 86_400_000,
  temporaryValid: 172_800_000,
  temporaryDesynchronization: 0.4,
};

/** How far a router solicitation is moved at random, as a part of the interval (RFC 8415, section 15: RAND). */
export const SOLICITATION_JITTER = 0.1;

/** Below this a router cannot cut an address's valid lifetime (RFC 4862, section 5.5.3 e). */
export const TWO_HOURS = 7_200_000;
