/** Which messages a DHCPv6 server takes: what RFC 8415, section 16 has servers discard is discarded here. */
import { equalBytes, type Cidr, type IpAddress } from '../../core/index.ts';
import {
  DUID_LONGEST,
  Dhcpv6MessageType,
  Dhcpv6OptionCode,
  isFault,
  unwrapDhcpv6,
  type Dhcpv6Message,
  type Dhcpv6RelayMessage,
} from '../../wire/index.ts';

/** A message to be served. */
export interface AcceptedDhcpv6 {
  readonly message: Dhcpv6Message;
  /** The relay messages it came in, the outermost first. */
  readonly relays: readonly Dhcpv6RelayMessage[];
  /** The client's DUID; only a question for parameters may come without. */
  readonly duid: Uint8Array | undefined;
  /** It came to an address of the server, which this server allows to nobody (RFC 8415, section 18.4). */
  readonly isUnicast: boolean;
}

/** What a message must say of the server (RFC 8415, sections 16.2 to 16.12). */
type ServerRule = 'none' | 'this' | 'none-or-this';

const SERVER_RULES: ReadonlyMap<number, ServerRule> = new Map([
  [Dhcpv6MessageType.SOLICIT, 'none'],
  [Dhcpv6MessageType.REQUEST, 'this'],
  [Dhcpv6MessageType.CONFIRM, 'none'],
  [Dhcpv6MessageType.RENEW, 'this'],
  [Dhcpv6MessageType.REBIND, 'none'],
  [Dhcpv6MessageType.RELEASE, 'this'],
  [Dhcpv6MessageType.DECLINE, 'this'],
  [Dhcpv6MessageType.INFORMATION_REQUEST, 'none-or-this'],
]);

/** The shortest DUID: its type and one byte (RFC 8415, section 11.1). */
const DUID_SHORTEST = 3;

/** Reads a message that came to the address `to`, or says why it is to be dropped. */
export function acceptDhcpv6(
  bytes: Uint8Array,
  to: IpAddress | undefined,
  server: Uint8Array,
  subnet: Cidr,
): AcceptedDhcpv6 | string {
  const unwrapped = unwrapDhcpv6(bytes, 0, bytes.length);
  if (isFault(unwrapped)) return unwrapped;
  const { message, relays } = unwrapped;
  const rule = SERVER_RULES.get(message.type);
  if (rule === undefined) return 'wrong-type';
  const relayFault = faultOfRelays(relays, subnet);
  if (relayFault !== undefined) return relayFault;
  const named = message.option(Dhcpv6OptionCode.SERVER_IDENTIFIER);
  if (named === undefined && rule === 'this') return 'no-server';
  if (named !== undefined && rule === 'none') return 'server-named';
  if (named !== undefined && !equalBytes(named, server)) return 'other-server';
  const duid = message.option(Dhcpv6OptionCode.CLIENT_IDENTIFIER);
  if (duid === undefined && message.type !== Dhcpv6MessageType.INFORMATION_REQUEST) {
    return 'no-client';
  }
  if (duid !== undefined && (duid.length < DUID_SHORTEST || duid.length > DUID_LONGEST)) {
    return 'bad-client';
  }
  const isUnicast = relays.length === 0 && to !== undefined && !to.isMulticast;
  // "Servers MUST discard" these "with a Layer 3 unicast destination address" (RFC 8415, section 18.3); others are told.
  if (isUnicast && rule !== 'this') return 'unicast';
  return { message, relays, duid, isUnicast };
}

function faultOfRelays(relays: readonly Dhcpv6RelayMessage[], subnet: Cidr): string | undefined {
  if (relays.some(({ type }) => type !== Dhcpv6MessageType.RELAY_FORWARD)) return 'wrong-type';
  // The link is that of the relay agent nearest to the client which names one (RFC 8415, section 13.1).
  const link = relays.findLast(({ linkAddress }) => !linkAddress.isUnspecified)?.linkAddress;
  return link === undefined || subnet.contains(link) ? undefined : 'other-subnet';
}
