import { NetloomError, type IpAddress, type MacAddress } from '../../core/index.ts';
import {
  Dhcpv4Message,
  Dhcpv4MessageType,
  Dhcpv4OptionCode,
  dhcpv4Addresses,
  dhcpv4Number,
  dhcpv4Text,
  encodeDhcpv4,
  isDomainName,
  type Dhcpv4Option,
} from '../../wire/index.ts';

/** Who a client is in all its messages. */
export interface Dhcpv4Identity {
  readonly mac: MacAddress;
  readonly clientIdentifier: Uint8Array;
  readonly hostname: string | undefined;
  /** The client cannot take a unicast before it has its address (RFC 2131, section 4.1). */
  readonly broadcast: boolean;
  /** The largest datagram the client takes. */
  readonly messageSize: number;
}

/** What differs from one message of a client to the next. The table of RFC 2131, section 4.4.1 says which has what. */
export interface Dhcpv4Request {
  readonly type: number;
  readonly transactionId: number;
  readonly seconds: number;
  /** `ciaddr`. */
  readonly clientAddress?: IpAddress | undefined;
  readonly requestedAddress?: IpAddress | undefined;
  readonly server?: IpAddress | undefined;
}

/** What the client wants to be told. Classless routes stand before routers, as RFC 3442 ("DHCP Client Behavior") asks. */
const PARAMETERS: Uint8Array = Uint8Array.of(
  Dhcpv4OptionCode.SUBNET_MASK,
  Dhcpv4OptionCode.CLASSLESS_ROUTES,
  Dhcpv4OptionCode.ROUTERS,
  Dhcpv4OptionCode.DNS_SERVERS,
  Dhcpv4OptionCode.DOMAIN_NAME,
  Dhcpv4OptionCode.DOMAIN_SEARCH,
  Dhcpv4OptionCode.INTERFACE_MTU,
  Dhcpv4OptionCode.LEASE_TIME,
  Dhcpv4OptionCode.RENEWAL_TIME,
  Dhcpv4OptionCode.REBINDING_TIME,
);

/** The message as bytes. */
export function encodeDhcpv4Request(identity: Dhcpv4Identity, request: Dhcpv4Request): Uint8Array {
  const message = new Dhcpv4Message();
  message.mac = identity.mac;
  message.transactionId = request.transactionId;
  message.seconds = Math.min(request.seconds, 0xffff);
  if (request.clientAddress !== undefined) message.clientAddress = request.clientAddress;
  const options: Dhcpv4Option[] = [
    dhcpv4Number(Dhcpv4OptionCode.MESSAGE_TYPE, 1, request.type),
    { code: Dhcpv4OptionCode.CLIENT_IDENTIFIER, data: identity.clientIdentifier },
  ];
  if (request.requestedAddress !== undefined) {
    options.push(dhcpv4Addresses(Dhcpv4OptionCode.REQUESTED_ADDRESS, [request.requestedAddress]));
  }
  if (request.server !== undefined) {
    options.push(dhcpv4Addresses(Dhcpv4OptionCode.SERVER_IDENTIFIER, [request.server]));
  }
  if (request.type === Dhcpv4MessageType.DISCOVER || request.type === Dhcpv4MessageType.REQUEST) {
    // A client with an address is reached by unicast anyway.
    message.broadcast = identity.broadcast && request.clientAddress === undefined;
    options.push(...wishes(identity));
  }
  message.setOptions(options);
  return encodeDhcpv4(message);
}

/** What a client asks for; DECLINE and RELEASE must not have these. */
function wishes({ hostname, messageSize }: Dhcpv4Identity): Dhcpv4Option[] {
  const options = [
    { code: Dhcpv4OptionCode.PARAMETER_REQUEST_LIST, data: PARAMETERS },
    dhcpv4Number(Dhcpv4OptionCode.MAXIMUM_MESSAGE_SIZE, 2, messageSize),
  ];
  return hostname === undefined
    ? options
    : [...options, dhcpv4Text(Dhcpv4OptionCode.HOST_NAME, hostname)];
}

/** Throws `DHCP_OPTION_INVALID` for a host name or client identifier that no server would take. */
export function checkDhcpv4Identity({ hostname, clientIdentifier }: Dhcpv4Identity): void {
  if (hostname !== undefined && !isDomainName(hostname)) {
    throw new NetloomError('DHCP_OPTION_INVALID', `'${hostname}' is not a host name`, {
      remedy: 'Use letters, digits, hyphens, and dots between.',
    });
  }
  // RFC 2132, section 9.14: at least a type and one byte.
  if (clientIdentifier.length < 2 || clientIdentifier.length > 255) {
    throw new NetloomError(
      'DHCP_OPTION_INVALID',
      `a client identifier has 2 to 255 bytes, not ${clientIdentifier.length}`,
    );
  }
}
