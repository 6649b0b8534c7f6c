/** Limits and constants of the router's side. Milliseconds unless said otherwise; the defaults are those of RFC 4861, section 10. */
export interface RouterAdvertiserLimits {
  /** Advertisements sent at short intervals in the beginning and after a change: `MAX_INITIAL_RTR_ADVERTISEMENTS`. */
  readonly initialAdvertisements: number;
  /** The longest interval between those: `MAX_INITIAL_RTR_ADVERT_INTERVAL`. */
  readonly initialInterval: number;
  /** The least time between advertisements to all: `MIN_DELAY_BETWEEN_RAS`. */
  readonly interval: number;
  /** The most that an answer waits, at random: `MAX_RA_DELAY_TIME`. */
  readonly answerDelay: number;
  /** Stations that wait for an answer of their own; those past it are answered along with all. */
  readonly answers: number;
  /** Answers to single stations in a second, in the long run; those past it are answered along with all. */
  readonly answersPerSecond: number;
}

/** The defaults. */
export const ROUTER_ADVERTISER_LIMITS: RouterAdvertiserLimits = {
  initialAdvertisements: 3,
  initialInterval: 16_000,
  interval: 3000,
  answerDelay: 500,
  answers: 32,
  answersPerSecond: 10,
};
