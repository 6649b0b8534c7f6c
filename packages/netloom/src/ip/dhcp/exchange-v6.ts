import type { Cidr, IpAddress, Random } from '../../core/index.ts';
import {
  Dhcpv6MessageType,
  Dhcpv6OptionCode,
  readDhcpv6Number,
  type Dhcpv6Message,
  type Dhcpv6Option,
} from '../../wire/index.ts';

/** How one kind of message is sent again; milliseconds (RFC 8415, section 15). */
export interface Dhcpv6Retransmission {
  /** `IRT`: the first wait. */
  readonly initial: number;
  /** `MRT`: the longest wait. */
  readonly longest: number;
  /** `MRC`: how often the message is sent. */
  readonly count: number;
  /** `MRD`: how long the exchange may take. */
  readonly duration: number;
  /** The most the first message waits, at random. */
  readonly delay: number;
}

const ENDLESS = { count: Infinity, duration: Infinity, delay: 0 };

/** The messages a client begins an exchange with. */
export type Dhcpv6ExchangeType =
  | 'SOLICIT'
  | 'REQUEST'
  | 'CONFIRM'
  | 'RENEW'
  | 'REBIND'
  | 'INFORMATION_REQUEST'
  | 'RELEASE'
  | 'DECLINE';

/** The constants of RFC 8415, section 7.6. */
export const DHCPV6_RETRANSMISSION: Readonly<Record<Dhcpv6ExchangeType, Dhcpv6Retransmission>> = {
  SOLICIT: { ...ENDLESS, initial: 1000, longest: 3_600_000, delay: 1000 },
  REQUEST: { ...ENDLESS, initial: 1000, longest: 30_000, count: 10 },
  CONFIRM: { ...ENDLESS, initial: 1000, longest: 4000, duration: 10_000, delay: 1000 },
  RENEW: { ...ENDLESS, initial: 10_000, longest: 600_000 },
  REBIND: { ...ENDLESS, initial: 10_000, longest: 600_000 },
  INFORMATION_REQUEST: { ...ENDLESS, initial: 1000, longest: 3_600_000, delay: 1000 },
  RELEASE: { ...ENDLESS, initial: 1000, longest: Infinity, count: 4 },
  DECLINE: { ...ENDLESS, initial: 1000, longest: Infinity, count: 4 },
};

/** The largest share by which a wait is moved at random: `RAND` (RFC 8415, section 15). */
const RANDOM_SHARE = 0.1;

/** What the elapsed time option can say, in hundredths of a second (RFC 8415, section 21.9). */
const LONGEST_ELAPSED = 0xffff;

/** The addresses and prefixes that an exchange is about. */
export interface Dhcpv6Subject {
  readonly addresses: readonly IpAddress[];
  readonly prefixes: readonly Cidr[];
}

/** About nothing in particular. */
export const NO_SUBJECT: Dhcpv6Subject = { addresses: [], prefixes: [] };

/** One exchange of a client: a message, and when it is sent again. */
export class Dhcpv6Exchange {
  readonly type: number;
  readonly transactionId: number;
  /** The server that must answer; undefined: any may. */
  readonly server: Uint8Array | undefined;
  readonly rule: Dhcpv6Retransmission;
  readonly subject: Dhcpv6Subject;
  /** When the message is sent next, or given up. */
  nextAt: number;
  /** Messages sent. */
  sent = 0;
  #startedAt = 0;
  #wait = 0;

  constructor(
    type: number,
    rule: Dhcpv6Retransmission,
    subject: Dhcpv6Subject,
    server: Uint8Array | undefined,
    startAt: number,
    random: Random,
  ) {
    this.type = type;
    this.rule = rule;
    this.subject = subject;
    this.server = server;
    this.transactionId = random.below(0x100_0000);
    this.nextAt = startAt + rule.delay * random.float();
  }

  /** Whether, the last wait over, the message is not to be sent again. */
  isExhausted(now: number): boolean {
    if (this.sent === 0) return false;
    return this.sent >= this.rule.count || now >= this.#startedAt + this.rule.duration;
  }

  /** Counts a message sent, and decides when it is sent again (RFC 8415, section 15). */
  markSent(now: number, random: Random, longest: number): void {
    if (this.sent === 0) this.#startedAt = now;
    // The first wait for Advertises is never shorter than IRT (RFC 8415, section 18.2.1).
    const lowest = this.sent === 0 && this.type === Dhcpv6MessageType.SOLICIT ? 0 : -RANDOM_SHARE;
    const share = lowest + random.float() * (RANDOM_SHARE - lowest);
    this.#wait = this.sent === 0 ? this.rule.initial * (1 + share) : this.#wait * (2 + share);
    if (this.#wait > longest) this.#wait = longest * (1 + share);
    this.sent++;
    this.nextAt = Math.min(now + this.#wait, this.#startedAt + this.rule.duration);
  }

  /** Since the first message, in hundredths of a second; 0 in the first. */
  elapsed(now: number): number {
    if (this.sent === 0) return 0;
    return Math.min(Math.floor((now - this.#startedAt) / 10), LONGEST_ELAPSED);
  }
}

/** What servers may set SOL_MAX_RT and INF_MAX_RT to, in seconds (RFC 8415, sections 21.24 and 21.25). */
const SHORTEST_MAXIMUM = 60;
const LONGEST_MAXIMUM = 86_400;

/** The longest waits of messages, two of which servers may change: so they slow down clients that they have nothing for. */
export class LongestWaits {
  #solicit: number = DHCPV6_RETRANSMISSION.SOLICIT.longest;
  #inform: number = DHCPV6_RETRANSMISSION.INFORMATION_REQUEST.longest;

  /** Takes over what any Advertise or Reply says (RFC 8415, sections 18.2.9 and 18.2.10). */
  read({ options }: Dhcpv6Message): void {
    this.#solicit = readMaximum(options, Dhcpv6OptionCode.SOLICIT_MAXIMUM_TIME) ?? this.#solicit;
    this.#inform = readMaximum(options, Dhcpv6OptionCode.INFORMATION_MAXIMUM_TIME) ?? this.#inform;
  }

  of({ type, rule }: Dhcpv6Exchange): number {
    if (type === Dhcpv6MessageType.SOLICIT) return this.#solicit;
    return type === Dhcpv6MessageType.INFORMATION_REQUEST ? this.#inform : rule.longest;
  }
}

function readMaximum(options: readonly Dhcpv6Option[], code: number): number | undefined {
  const seconds = readDhcpv6Number(options, code, 4) ?? 0;
  return seconds >= SHORTEST_MAXIMUM && seconds <= LONGEST_MAXIMUM ? seconds * 1000 : undefined;
}

const REFUSAL_WAIT = 1000;
const LONGEST_REFUSAL_WAIT = 120_000;

/** The wait after a server has refused what it advertised, doubled with each of `before` in a row: a client limits its rate (RFC 8415, section 14.1). */
export function refusalWait(before: number): number {
  return Math.min(REFUSAL_WAIT * 2 ** Math.min(before, 30), LONGEST_REFUSAL_WAIT);
}
