import { equalBytes, type IpAddress, type Random } from '../../core/index.ts';
import {
  Dhcpv4MessageType,
  Dhcpv4OptionCode,
  Dhcpv4Operation,
  parseDhcpv4,
  type Dhcpv4Message,
} from '../../wire/index.ts';
import { readDhcpv4Lease, type Dhcpv4Lease } from './lease-v4.ts';
import type { Dhcpv4ClientLimits } from './limits.ts';
import type { Dhcpv4Identity } from './requests-v4.ts';

/** What an answer must name, where only one will do. */
export interface ExpectedAnswer {
  readonly address?: IpAddress | undefined;
  readonly server?: IpAddress | undefined;
}

/** No wait is shorter, whatever the limits say: a client never sends without end at one instant. */
const SHORTEST_WAIT = 100;

/** One exchange of a client: a request, its retransmissions, and which answers are answers to it. */
export class Dhcpv4Exchange {
  readonly transactionId: number;
  /** When its first message was sent. */
  readonly startedAt: number;
  readonly expected: ExpectedAnswer;
  /** Messages sent. */
  sent = 0;

  constructor(transactionId: number, startedAt: number, expected: ExpectedAnswer = {}) {
    this.transactionId = transactionId;
    this.startedAt = startedAt;
    this.expected = expected;
  }

  /** The wait after the last message: doubled each time, moved at random (RFC 2131, section 4.1). */
  retransmission(limits: Dhcpv4ClientLimits, random: Random): number {
    const doubled = limits.firstRetransmission * 2 ** Math.min(this.sent - 1, 30);
    const jitter = limits.retransmissionJitter * (2 * random.float() - 1);
    return Math.max(Math.min(doubled, limits.longestRetransmission) + jitter, SHORTEST_WAIT);
  }

  /** The lease of an OFFER. Its times are not to be used: they count from the REQUEST that is still to be sent. */
  readOffer(message: Dhcpv4Message, limits: Dhcpv4ClientLimits): Dhcpv4Lease | string {
    const offer = readDhcpv4Lease(message, 0, 0);
    if (typeof offer === 'string') return offer;
    return offer.expiresAt < limits.shortestLease ? 'bad-lease-time' : offer;
  }

  /** The lease of an ACK, or why it is not to be taken. */
  readAcknowledgment(
    message: Dhcpv4Message,
    limits: Dhcpv4ClientLimits,
    random: Random,
    now: number,
  ): Dhcpv4Lease | string {
    const lease = readDhcpv4Lease(message, this.startedAt, random.float());
    if (typeof lease === 'string') return lease;
    if (this.expected.server?.equals(lease.server) === false) return 'wrong-server';
    if (this.expected.address?.equals(lease.address) === false) return 'wrong-address';
    const tooShort = lease.expiresAt - this.startedAt < limits.shortestLease;
    return tooShort || lease.expiresAt <= now ? 'bad-lease-time' : lease;
  }

  /** Why a NAK is not to be taken, if so. One without server identifier breaks RFC 2131, table 3. */
  refusalFault(message: Dhcpv4Message): string | undefined {
    const server = message.address(Dhcpv4OptionCode.SERVER_IDENTIFIER);
    if (server === undefined) return 'no-server';
    return this.expected.server?.equals(server) === false ? 'wrong-server' : undefined;
  }
}

/** Reads bytes as an answer to the exchange, or says why they are not. */
export function readDhcpv4Answer(
  bytes: Uint8Array,
  exchange: Dhcpv4Exchange | undefined,
  identity: Dhcpv4Identity,
): Dhcpv4Message | string {
  const message = parseDhcpv4(bytes, 0, bytes.length);
  if (typeof message === 'string') return message;
  if (message.operation !== Dhcpv4Operation.REPLY) return 'not-a-reply';
  if (exchange === undefined) return 'unexpected';
  if (message.transactionId !== exchange.transactionId) return 'wrong-transaction';
  if (message.mac?.equals(identity.mac) !== true) return 'wrong-client';
  // A server may repeat the identifier (RFC 6842), and must not change it.
  const identifier = message.option(Dhcpv4OptionCode.CLIENT_IDENTIFIER);
  if (identifier !== undefined && !equalBytes(identifier, identity.clientIdentifier)) {
    return 'wrong-client';
  }
  return isAnswerType(message.type) ? message : 'wrong-type';
}

function isAnswerType(type: number | undefined): boolean {
  return (
    type === Dhcpv4MessageType.OFFER ||
    type === Dhcpv4MessageType.ACKNOWLEDGE ||
    type === Dhcpv4MessageType.REFUSE
  );
}
