import { Dhcpv4MessageType, type Dhcpv4Message, Dhcpv4Operation, parseDhcpv4 } from '../dhcpv4.ts';
import { Dhcpv4OptionCode } from '../dhcpv4-options.ts';
import { Dhcpv6MessageType, type Dhcpv6Message, unwrapDhcpv6 } from '../dhcpv6.ts';
import { readDhcpv6Associations, readDhcpv6Status } from '../dhcpv6-values.ts';
import { isFault } from '../fault.ts';
import { hex, nameOr, words } from './names.ts';

/** The names RFC 2131 has. */
const MESSAGES_V4: Readonly<Record<number, string>> = {
  [Dhcpv4MessageType.DISCOVER]: 'discover',
  [Dhcpv4MessageType.OFFER]: 'offer',
  [Dhcpv4MessageType.REQUEST]: 'request',
  [Dhcpv4MessageType.DECLINE]: 'decline',
  [Dhcpv4MessageType.ACKNOWLEDGE]: 'ack',
  [Dhcpv4MessageType.REFUSE]: 'nak',
  [Dhcpv4MessageType.RELEASE]: 'release',
  [Dhcpv4MessageType.INFORM]: 'inform',
};

/** The names RFC 8415 has. */
const MESSAGES_V6: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(Dhcpv6MessageType).map(([name, type]) => [
    type,
    name.toLowerCase().replaceAll('_', '-'),
  ]),
);

/** A DHCPv4 or BOOTP message. */
export function describeDhcpv4(bytes: Uint8Array, start: number, end: number): string {
  const message = parseDhcpv4(bytes, start, end);
  if (isFault(message)) return `DHCP (${message})`;
  const { type } = message;
  const bootp = message.operation === Dhcpv4Operation.REQUEST ? 'BOOTP request' : 'BOOTP reply';
  const requested = message.address(Dhcpv4OptionCode.REQUESTED_ADDRESS);
  const server = message.address(Dhcpv4OptionCode.SERVER_IDENTIFIER);
  const lease = message.uint32(Dhcpv4OptionCode.LEASE_TIME);
  const text = message.text(Dhcpv4OptionCode.MESSAGE);
  return words(
    type === undefined ? bootp : `DHCP ${nameOr(MESSAGES_V4, type, 'message')}`,
    `xid=${hex(message.transactionId, 8)}`,
    message.mac && `client=${message.mac}`,
    requested && `requested=${requested}`,
    dhcpv4Addresses(message),
    server && `server=${server}`,
    lease !== undefined && `lease=${lease}s`,
    text !== undefined && `message="${text}"`,
  );
}

function dhcpv4Addresses(message: Dhcpv4Message): string {
  return words(
    !message.clientAddress.isUnspecified && `has=${message.clientAddress}`,
    !message.yourAddress.isUnspecified && `given=${message.yourAddress}`,
    !message.relayAddress.isUnspecified && `relay=${message.relayAddress}`,
  );
}

/** A DHCPv6 message, relayed or not. */
export function describeDhcpv6(bytes: Uint8Array, start: number, end: number): string {
  const unwrapped = unwrapDhcpv6(bytes, start, end);
  if (isFault(unwrapped)) return `DHCPv6 (${unwrapped})`;
  const { message, relays } = unwrapped;
  const status = readDhcpv6Status(message.options);
  return words(
    'DHCPv6',
    relays.length > 0 && `${nameOr(MESSAGES_V6, relays[0]!.type, 'message')} of`,
    nameOr(MESSAGES_V6, message.type, 'message'),
    `xid=${hex(message.transactionId, 6)}`,
    given(message),
    status !== 0 && `status=${status}`,
  );
}

function given({ options }: Dhcpv6Message): string {
  const associations = readDhcpv6Associations(options);
  if (isFault(associations)) return `(${associations})`;
  return words(
    ...associations.flatMap(({ addresses, prefixes, status }) => [
      ...addresses.map(({ address, valid }) => `address=${address} valid=${valid}s`),
      ...prefixes.map(({ prefix, valid }) => `prefix=${prefix} valid=${valid}s`),
      status !== 0 ? `status=${status}` : '',
    ]),
  );
}
