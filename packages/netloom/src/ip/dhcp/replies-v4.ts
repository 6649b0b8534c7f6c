import { IpAddress, type Cidr, type MacAddress } from '../../core/index.ts';
import {
  DHCPV4_CLIENT_PORT,
  DHCPV4_SAFE_MESSAGE,
  DHCPV4_SERVER_PORT,
  Dhcpv4Message,
  Dhcpv4OptionCode,
  Dhcpv4Operation,
  dhcpv4Addresses,
  dhcpv4DomainSearch,
  dhcpv4Number,
  dhcpv4Routes,
  dhcpv4Text,
  encodeDhcpv4,
  maskOfPrefixLength,
  type Dhcpv4Option,
  type Dhcpv4Route,
} from '../../wire/index.ts';
import { INFINITE_LEASE, REBINDING_SHARE, RENEWAL_SHARE } from './lease-v4.ts';

/** What a server tells its clients beside their address. */
export interface Dhcpv4Parameters {
  readonly routers?: readonly IpAddress[];
  readonly routes?: readonly Dhcpv4Route[];
  readonly dnsServers?: readonly IpAddress[];
  readonly domain?: string;
  readonly searchDomains?: readonly string[];
  readonly mtu?: number;
  /** Any other options. */
  readonly options?: readonly Dhcpv4Option[];
}

/** Where a reply goes. */
export interface Dhcpv4Destination {
  readonly address: IpAddress;
  readonly port: number;
  /** The station to send to without asking by ARP, which the client cannot answer yet; undefined: as usual. */
  readonly mac: MacAddress | undefined;
}

/** IP and UDP headers, which the maximum message size counts (RFC 2132, section 9.10). */
const DATAGRAM_HEADERS = 28;

/** The options of the configuration, in the order a client gets them that does not ask for any. */
export function parameterOptions(parameters: Dhcpv4Parameters, subnet: Cidr): Dhcpv4Option[] {
  const { routers, routes, dnsServers, domain, searchDomains, mtu } = parameters;
  const options = [
    dhcpv4Addresses(Dhcpv4OptionCode.SUBNET_MASK, [maskOfPrefixLength(subnet.prefixLength)]),
  ];
  if (routes?.length) options.push(dhcpv4Routes(routes));
  if (routers?.length) options.push(dhcpv4Addresses(Dhcpv4OptionCode.ROUTERS, routers));
  if (dnsServers?.length) options.push(dhcpv4Addresses(Dhcpv4OptionCode.DNS_SERVERS, dnsServers));
  if (domain !== undefined) options.push(dhcpv4Text(Dhcpv4OptionCode.DOMAIN_NAME, domain));
  if (searchDomains?.length) options.push(dhcpv4DomainSearch(searchDomains));
  if (mtu !== undefined) options.push(dhcpv4Number(Dhcpv4OptionCode.INTERFACE_MTU, 2, mtu));
  return [...options, ...(parameters.options ?? [])];
}

/** Those of the options the client asks for, in its order, the mask always; all if it does not say (RFC 2131, section 4.3.1). */
export function requestedOptions(
  request: Dhcpv4Message,
  options: readonly Dhcpv4Option[],
): Dhcpv4Option[] {
  const list = request.option(Dhcpv4OptionCode.PARAMETER_REQUEST_LIST);
  if (list === undefined) return [...options];
  const rank = (code: number): number =>
    code === Dhcpv4OptionCode.SUBNET_MASK ? 0 : 1 + list.indexOf(code);
  return options
    .filter(({ code }) => code === Dhcpv4OptionCode.SUBNET_MASK || list.includes(code))
    .sort((a, b) => rank(a.code) - rank(b.code));
}

/** The options that say how long the lease lasts, in milliseconds. */
export function leaseTimeOptions(duration: number): Dhcpv4Option[] {
  if (duration === Infinity) {
    return [dhcpv4Number(Dhcpv4OptionCode.LEASE_TIME, 4, INFINITE_LEASE)];
  }
  const seconds = Math.min(Math.floor(duration / 1000), INFINITE_LEASE - 1);
  return [
    dhcpv4Number(Dhcpv4OptionCode.LEASE_TIME, 4, seconds),
    dhcpv4Number(Dhcpv4OptionCode.RENEWAL_TIME, 4, Math.floor(seconds * RENEWAL_SHARE)),
    dhcpv4Number(Dhcpv4OptionCode.REBINDING_TIME, 4, Math.floor(seconds * REBINDING_SHARE)),
  ];
}

/** What differs from one reply of a server to the next. */
export interface Dhcpv4Reply {
  readonly type: number;
  readonly server: IpAddress;
  /** `yiaddr`. */
  readonly yourAddress?: IpAddress;
  /** `ciaddr`. */
  readonly clientAddress?: IpAddress;
  readonly broadcast: boolean;
  readonly options: readonly Dhcpv4Option[];
}

/** The reply to a request as bytes, no longer than the client takes and `longest`, with the codes of options left out for that (RFC 2131, table 3). */
export function encodeDhcpv4Reply(
  request: Dhcpv4Message,
  reply: Dhcpv4Reply,
  longest: number,
): { bytes: Uint8Array; left: readonly number[] } {
  const message = new Dhcpv4Message();
  message.operation = Dhcpv4Operation.REPLY;
  message.hardwareType = request.hardwareType;
  message.hardwareLength = request.hardwareLength;
  message.hardwareAddress = request.hardwareAddress;
  message.transactionId = request.transactionId;
  message.flags = request.flags;
  message.broadcast = reply.broadcast;
  message.relayAddress = request.relayAddress;
  if (reply.yourAddress !== undefined) message.yourAddress = reply.yourAddress;
  if (reply.clientAddress !== undefined) message.clientAddress = reply.clientAddress;
  const options = [
    dhcpv4Number(Dhcpv4OptionCode.MESSAGE_TYPE, 1, reply.type),
    dhcpv4Addresses(Dhcpv4OptionCode.SERVER_IDENTIFIER, [reply.server]),
    ...reply.options,
    // The client identifier (RFC 6842, section 3) and what the relay agent added (RFC 3046, section 2.2) go back as they came.
    ...repeated(request, Dhcpv4OptionCode.CLIENT_IDENTIFIER),
    ...repeated(request, Dhcpv4OptionCode.RELAY_AGENT_INFORMATION),
  ];
  const taken = request.uint16(Dhcpv4OptionCode.MAXIMUM_MESSAGE_SIZE) ?? 0;
  const room = Math.max(taken - DATAGRAM_HEADERS, DHCPV4_SAFE_MESSAGE);
  const left = message.setOptions(options, Math.min(room, longest));
  return { bytes: encodeDhcpv4(message), left };
}

function repeated(request: Dhcpv4Message, code: number): Dhcpv4Option[] {
  const data = request.option(code);
  return data === undefined ? [] : [{ code, data }];
}

/** The lease of a client, in milliseconds: it may ask for less than it would get. */
export function durationFor(request: Dhcpv4Message, usual: number, shortest: number): number {
  const wanted = request.uint32(Dhcpv4OptionCode.LEASE_TIME);
  return wanted === undefined ? usual : Math.min(usual, Math.max(wanted * 1000, shortest));
}

/** Where a reply goes (RFC 2131, section 4.1, paragraph 4). */
export function destinationOf(
  request: Dhcpv4Message,
  yourAddress: IpAddress | undefined,
  refuses: boolean,
): Dhcpv4Destination {
  if (!request.relayAddress.isUnspecified) {
    return { address: request.relayAddress, port: DHCPV4_SERVER_PORT, mac: undefined };
  }
  if (refuses) return toClient(IpAddress.BROADCAST4);
  if (!request.clientAddress.isUnspecified) return toClient(request.clientAddress);
  if (request.broadcast || yourAddress === undefined || request.mac === undefined) {
    return toClient(IpAddress.BROADCAST4);
  }
  return toClient(yourAddress, request.mac);
}

function toClient(address: IpAddress, mac?: MacAddress): Dhcpv4Destination {
  return { address, port: DHCPV4_CLIENT_PORT, mac };
}
