import { equalBytes, type IpAddress } from '../../core/index.ts';
import {
  Dhcpv6Message,
  Dhcpv6MessageType,
  Dhcpv6OptionCode,
  Dhcpv6Status,
  parseDhcpv6,
  readDhcpv6Number,
  readDhcpv6Status,
} from '../../wire/index.ts';
import type { Dhcpv6Exchange } from './exchange-v6.ts';
import { readDhcpv6Grant, remainingLease, type Dhcpv6Lease } from './lease-v6.ts';
import type { Dhcpv6ClientLimits } from './limits.ts';

/** An Advertise or a Reply that belongs to an exchange. */
export interface Dhcpv6Answer {
  readonly message: Dhcpv6Message;
  /** The DUID of the server: a copy, to be kept. */
  readonly server: Uint8Array;
}

/** Reads bytes as an answer to the exchange, or says why they are not (RFC 8415, sections 16.3 and 16.10). */
export function readDhcpv6Answer(
  bytes: Uint8Array,
  exchange: Dhcpv6Exchange | undefined,
  duid: Uint8Array,
): Dhcpv6Answer | string {
  const message = parseDhcpv6(bytes, 0, bytes.length);
  if (typeof message === 'string') return message;
  if (!(message instanceof Dhcpv6Message)) return 'wrong-type';
  const { ADVERTISE, REPLY } = Dhcpv6MessageType;
  if (message.type !== ADVERTISE && message.type !== REPLY) return 'wrong-type';
  if (exchange === undefined || exchange.sent === 0) return 'unexpected';
  if (message.transactionId !== exchange.transactionId) return 'wrong-transaction';
  const client = message.option(Dhcpv6OptionCode.CLIENT_IDENTIFIER);
  if (client === undefined || !equalBytes(client, duid)) return 'wrong-client';
  const server = message.option(Dhcpv6OptionCode.SERVER_IDENTIFIER);
  if (server === undefined || server.length === 0) return 'no-server';
  if (exchange.server !== undefined && !equalBytes(server, exchange.server)) return 'wrong-server';
  // Not slice(), which is a view where the bytes are a Buffer of Node's.
  return { message, server: new Uint8Array(server) };
}

/** Whether the answer grants at once what a Solicit asks for (RFC 8415, section 21.14). */
export function isRapidCommit({ message }: Dhcpv6Answer): boolean {
  return message.option(Dhcpv6OptionCode.RAPID_COMMIT) !== undefined;
}

/** The preference at which no other Advertise is waited for (RFC 8415, section 18.2.1). */
const HIGHEST_PREFERENCE = 255;

/** The best Advertise so far: of the highest preference, then of the most grants, then the first (RFC 8415, section 18.2.9). */
export class BestAdvertisement {
  /** What it would grant; undefined if there is none. */
  lease: Dhcpv6Lease | undefined;
  /** It is so good that no other need be waited for. */
  isEnough = false;
  #granted = 0;
  #preference = -1;

  /** Takes an Advertise into account, or answers why not. */
  offer(
    { message, server }: Dhcpv6Answer,
    associationId: number,
    limits: Dhcpv6ClientLimits,
    now: number,
  ): string | undefined {
    if (readDhcpv6Status(message.options) !== Dhcpv6Status.SUCCESS) return 'server-failure';
    const grant = readDhcpv6Grant(message, server, associationId, undefined, limits, now);
    if (typeof grant === 'string') return grant;
    if (grant.granted === 0) return 'no-lease';
    const preference = readDhcpv6Number(message.options, Dhcpv6OptionCode.PREFERENCE, 1) ?? 0;
    if (
      preference > this.#preference ||
      (preference === this.#preference && grant.granted > this.#granted)
    ) {
      this.lease = grant.lease;
      this.#granted = grant.granted;
      this.#preference = preference;
    }
    this.isEnough ||= preference === HIGHEST_PREFERENCE;
    return undefined;
  }
}

/** What a Reply to a Solicit, Request, Renew or Rebind comes to. */
export type Verdict =
  | { readonly kind: 'lease'; readonly lease: Dhcpv6Lease }
  /** The server says no. */
  | { readonly kind: 'refused' }
  /** The server does not know what is to be extended. */
  | { readonly kind: 'no-binding' }
  /** The Reply is no use: the message is to be sent again. */
  | { readonly kind: 'useless'; readonly reason: string };

/** Judges a Reply (RFC 8415, section 18.2.10.1). `before` is what is held, or was; `extending`: that is what was asked for. */
export function judgeReply(
  { message, server }: Dhcpv6Answer,
  associationId: number,
  before: Dhcpv6Lease | undefined,
  extending: boolean,
  limits: Dhcpv6ClientLimits,
  now: number,
): Verdict {
  const status = readDhcpv6Status(message.options);
  if (status === Dhcpv6Status.NOT_ON_LINK) return { kind: 'refused' };
  if (status !== Dhcpv6Status.SUCCESS) return { kind: 'useless', reason: 'server-failure' };
  const grant = readDhcpv6Grant(message, server, associationId, before, limits, now);
  if (typeof grant === 'string') return { kind: 'useless', reason: grant };
  if (grant.noBinding && extending) return { kind: 'no-binding' };
  const lease = remainingLease(grant.lease, now);
  if (lease !== undefined && grant.granted + grant.revoked > 0) return { kind: 'lease', lease };
  // Nothing is left, or nothing was given to a Request. A Renew or Rebind goes on to be sent while something is left.
  const refused = lease === undefined || !extending;
  return refused ? { kind: 'refused' } : { kind: 'useless', reason: 'no-lease' };
}

/** A lease whose new addresses are being checked. */
export class LeaseCheck {
  readonly lease: Dhcpv6Lease;
  /** The addresses that were found in use. */
  readonly inUse: IpAddress[] = [];
  /** The addresses that nothing was found out of yet. */
  open: readonly IpAddress[];

  /** The addresses to be checked are those that are not `held` already. */
  constructor(lease: Dhcpv6Lease, held: Dhcpv6Lease | undefined) {
    this.lease = lease;
    this.open = lease.addresses
      .map(({ address }) => address)
      .filter((address) => !held?.addresses.some((own) => own.address.equals(address)));
  }

  /** All addresses have been answered for. */
  get isDone(): boolean {
    return this.open.length === 0;
  }

  /** What was found out of one address; of another than asked for, it is passed over. */
  answer(address: IpAddress, inUse: boolean): void {
    const open = this.open.filter((other) => !other.equals(address));
    if (inUse && open.length < this.open.length) this.inUse.push(address);
    this.open = open;
  }
}
