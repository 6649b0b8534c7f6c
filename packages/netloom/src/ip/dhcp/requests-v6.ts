import { Cidr, NetloomError } from '../../core/index.ts';
import {
  DUID_LONGEST,
  Dhcpv6Message,
  Dhcpv6MessageType,
  Dhcpv6OptionCode,
  dhcpv6Association,
  dhcpv6Number,
  dhcpv6Option,
  dhcpv6OptionRequest,
  encodeDhcpv6,
  type Dhcpv6Association,
  type Dhcpv6Option,
} from '../../wire/index.ts';
import { NO_SUBJECT, type Dhcpv6Exchange, type Dhcpv6Subject } from './exchange-v6.ts';
import type { Dhcpv6ClientOptions } from './sink-v6.ts';

/** Who a client is, and what it wants, in all its messages. */
export interface Dhcpv6Identity {
  readonly duid: Uint8Array;
  /** `IAID`, of its association for addresses and of that for prefixes. */
  readonly associationId: number;
  readonly wantsAddresses: boolean;
  readonly wantsPrefixes: boolean;
  readonly rapidCommit: boolean;
}

/** Messages with an option request option (RFC 8415, section 24, table 3); SOL_MAX_RT must be in it (section 21.24). */
const LEASE_PARAMETERS = [
  Dhcpv6OptionCode.DNS_SERVERS,
  Dhcpv6OptionCode.DOMAIN_LIST,
  Dhcpv6OptionCode.SOLICIT_MAXIMUM_TIME,
];
const STATELESS_PARAMETERS = [
  Dhcpv6OptionCode.DNS_SERVERS,
  Dhcpv6OptionCode.DOMAIN_LIST,
  Dhcpv6OptionCode.INFORMATION_REFRESH_TIME,
  Dhcpv6OptionCode.INFORMATION_MAXIMUM_TIME,
];

/** Messages by which a client asks for leases: they hold an association even when it is empty. */
const ASKING: ReadonlySet<number> = new Set([
  Dhcpv6MessageType.SOLICIT,
  Dhcpv6MessageType.REQUEST,
  Dhcpv6MessageType.RENEW,
  Dhcpv6MessageType.REBIND,
]);

/** The exchange's message, to be sent at `now`, as bytes (RFC 8415, section 18.2.1 to 18.2.8). */
export function encodeDhcpv6Request(
  identity: Dhcpv6Identity,
  exchange: Dhcpv6Exchange,
  now: number,
): Uint8Array {
  const { type, server } = exchange;
  const options = [dhcpv6Option(Dhcpv6OptionCode.CLIENT_IDENTIFIER, identity.duid)];
  if (server !== undefined) options.push(dhcpv6Option(Dhcpv6OptionCode.SERVER_IDENTIFIER, server));
  options.push(dhcpv6Number(Dhcpv6OptionCode.ELAPSED_TIME, 2, exchange.elapsed(now)));
  if (type === Dhcpv6MessageType.SOLICIT && identity.rapidCommit) {
    options.push(dhcpv6Option(Dhcpv6OptionCode.RAPID_COMMIT));
  }
  if (ASKING.has(type)) options.push(dhcpv6OptionRequest(LEASE_PARAMETERS));
  if (type === Dhcpv6MessageType.INFORMATION_REQUEST) {
    options.push(dhcpv6OptionRequest(STATELESS_PARAMETERS));
  } else {
    options.push(...associations(identity, exchange));
  }
  const message = new Dhcpv6Message();
  message.type = type;
  message.transactionId = exchange.transactionId;
  message.options = options;
  return encodeDhcpv6(message);
}

/** Times and lifetimes are 0 in what a client sends (RFC 8415, sections 21.4 and 21.6). */
function associations(
  { associationId, wantsAddresses, wantsPrefixes }: Dhcpv6Identity,
  { type, subject: { addresses, prefixes } }: Dhcpv6Exchange,
): Dhcpv6Option[] {
  const asks = ASKING.has(type);
  const none = { id: associationId, renew: 0, rebind: 0, status: 0 };
  const lifetimes = { preferred: 0, valid: 0, status: 0 };
  const all: Dhcpv6Association[] = [];
  if (addresses.length > 0 || (asks && wantsAddresses)) {
    const items = addresses.map((address) => ({ address, ...lifetimes }));
    all.push({ ...none, code: Dhcpv6OptionCode.IA_NA, addresses: items, prefixes: [] });
  }
  if (prefixes.length > 0 || (asks && wantsPrefixes)) {
    const items = prefixes.map((prefix) => ({ prefix, ...lifetimes }));
    all.push({ ...none, code: Dhcpv6OptionCode.IA_PD, addresses: [], prefixes: items });
  }
  return all.map(dhcpv6Association);
}

/** The identity these options give. Throws `DHCP_OPTION_INVALID` for a DUID that no server would take, or a client that wants nothing. */
export function dhcpv6Identity(options: Dhcpv6ClientOptions): Dhcpv6Identity {
  const { duid, associationId, mode, addresses = true, prefixes = false, rapidCommit } = options;
  if (duid.length < 3 || duid.length > DUID_LONGEST) {
    throw new NetloomError(
      'DHCP_OPTION_INVALID',
      `a DUID has 3 to ${DUID_LONGEST} bytes, not ${duid.length}`,
      { remedy: 'Make one of the MAC address with duidOfMac.' },
    );
  }
  const wantsPrefixes = prefixes !== false;
  if (mode !== 'stateless' && !addresses && !wantsPrefixes) {
    throw new NetloomError(
      'DHCP_OPTION_INVALID',
      'the client is to ask for neither addresses nor prefixes',
      { remedy: "For parameters alone, set mode to 'stateless'." },
    );
  }
  return {
    duid,
    associationId: associationId >>> 0,
    wantsAddresses: addresses,
    wantsPrefixes,
    rapidCommit: rapidCommit ?? false,
  };
}

/** What these options say would be welcome: named in the Solicit (RFC 8415, section 18.2.1). */
export function dhcpv6Hint({ prefixes }: Dhcpv6ClientOptions): Dhcpv6Subject {
  return prefixes instanceof Cidr ? { addresses: [], prefixes: [prefixes] } : NO_SUBJECT;
}
