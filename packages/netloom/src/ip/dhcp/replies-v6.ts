import { EMPTY, type Cidr, type IpAddress } from '../../core/index.ts';
import {
  DHCPV6_INFINITE,
  Dhcpv6Message,
  Dhcpv6MessageType,
  Dhcpv6OptionCode,
  Dhcpv6RelayMessage,
  Dhcpv6Status,
  dhcpv6Association,
  dhcpv6DnsServers,
  dhcpv6DomainList,
  dhcpv6Number,
  dhcpv6Option,
  dhcpv6RelayedMessage,
  encodeDhcpv6,
  findDhcpv6Option,
  readDhcpv6OptionRequest,
  type Dhcpv6Association,
  type Dhcpv6Option,
} from '../../wire/index.ts';
import { REBINDING_SHARE, RENEWAL_SHARE } from './lease-v6.ts';

/** What a server tells its clients beside their addresses. */
export interface Dhcpv6ServerParameters {
  readonly dnsServers?: readonly IpAddress[];
  readonly searchDomains?: readonly string[];
  /** When a client that has parameters alone is to ask again, in milliseconds: ten minutes at least (RFC 8415, section 21.23). */
  readonly refreshTime?: number;
  /** Any other options. */
  readonly options?: readonly Dhcpv6Option[];
}

/** How long leases last, in milliseconds; Infinity: without end. */
export interface Dhcpv6Lifetimes {
  readonly preferred: number;
  readonly valid: number;
}

/** The options of the configuration. */
export function parameterOptionsV6(parameters: Dhcpv6ServerParameters): Dhcpv6Option[] {
  const { dnsServers, searchDomains, refreshTime, options = [] } = parameters;
  const all: Dhcpv6Option[] = [];
  if (dnsServers?.length) all.push(dhcpv6DnsServers(dnsServers));
  if (searchDomains?.length) all.push(dhcpv6DomainList(searchDomains));
  if (refreshTime !== undefined) {
    const code = Dhcpv6OptionCode.INFORMATION_REFRESH_TIME;
    all.push(dhcpv6Number(code, 4, secondsOf(refreshTime)));
  }
  return [...all, ...options];
}

/** Those of the options that the client asks for (RFC 8415, section 21.7); all if it does not say. The refresh time is for those alone that ask for no leases. */
export function requestedOptionsV6(
  request: Dhcpv6Message,
  options: readonly Dhcpv6Option[],
): Dhcpv6Option[] {
  const codes = readDhcpv6OptionRequest(request.options);
  const isStateless = request.type === Dhcpv6MessageType.INFORMATION_REQUEST;
  return options.filter(
    ({ code }) =>
      (codes === undefined || codes.includes(code)) &&
      (isStateless || code !== Dhcpv6OptionCode.INFORMATION_REFRESH_TIME),
  );
}

/** The option of an association that has been granted a lease. `revoked` are those of the client's that it has no longer: their lifetimes are 0. */
export function grantedAssociation(
  { code, id }: Pick<Dhcpv6Association, 'code' | 'id'>,
  lease: Cidr | undefined,
  revoked: readonly Cidr[],
  lifetimes: Dhcpv6Lifetimes,
): Dhcpv6Option {
  const preferred = secondsOf(lifetimes.preferred);
  const valid = secondsOf(lifetimes.valid);
  const items = revoked.map((cidr) => ({ cidr, preferred: 0, valid: 0, status: 0 }));
  if (lease !== undefined) items.unshift({ cidr: lease, preferred, valid, status: 0 });
  const isAddresses = code === Dhcpv6OptionCode.IA_NA;
  return dhcpv6Association({
    code,
    id,
    renew: lease === undefined ? 0 : shareOf(preferred, RENEWAL_SHARE),
    rebind: lease === undefined ? 0 : shareOf(preferred, REBINDING_SHARE),
    addresses: isAddresses
      ? items.map(({ cidr, ...rest }) => ({ address: cidr.address, ...rest }))
      : [],
    prefixes: isAddresses ? [] : items.map(({ cidr, ...rest }) => ({ prefix: cidr, ...rest })),
    status: Dhcpv6Status.SUCCESS,
  });
}

/** The option of an association that gets nothing, and why. */
export function refusedAssociation(
  { code, id }: Pick<Dhcpv6Association, 'code' | 'id'>,
  status: number,
): Dhcpv6Option {
  return dhcpv6Association({
    code,
    id,
    renew: 0,
    rebind: 0,
    addresses: [],
    prefixes: [],
    status,
  });
}

function secondsOf(duration: number): number {
  if (duration === Infinity) return DHCPV6_INFINITE;
  return Math.min(Math.floor(duration / 1000), DHCPV6_INFINITE - 1);
}

function shareOf(seconds: number, share: number): number {
  return seconds === DHCPV6_INFINITE ? DHCPV6_INFINITE : Math.floor(seconds * share);
}

/** The reply to a client's message as bytes, in as many relay messages as that came in (RFC 8415, sections 18.3.10 and 19.3). */
export function encodeDhcpv6Reply(
  request: Dhcpv6Message,
  relays: readonly Dhcpv6RelayMessage[],
  type: number,
  server: Uint8Array,
  options: readonly Dhcpv6Option[],
): Uint8Array {
  const reply = new Dhcpv6Message();
  reply.type = type;
  reply.transactionId = request.transactionId;
  const client = request.option(Dhcpv6OptionCode.CLIENT_IDENTIFIER);
  reply.options = [
    dhcpv6Option(Dhcpv6OptionCode.SERVER_IDENTIFIER, server),
    ...(client === undefined ? [] : [dhcpv6Option(Dhcpv6OptionCode.CLIENT_IDENTIFIER, client)]),
    ...options,
  ];
  let message: Dhcpv6Message | Dhcpv6RelayMessage = reply;
  for (const relay of relays.toReversed()) {
    const around: Dhcpv6RelayMessage = new Dhcpv6RelayMessage();
    around.type = Dhcpv6MessageType.RELAY_REPLY;
    around.hopCount = relay.hopCount;
    around.linkAddress = relay.linkAddress;
    around.peerAddress = relay.peerAddress;
    // What the relay agent knows the client's interface by goes back as it came (RFC 8415, section 21.18).
    const via = findDhcpv6Option(relay.options, Dhcpv6OptionCode.INTERFACE_ID);
    around.options = [...(via === undefined ? [] : [via]), dhcpv6RelayedMessage(message)];
    message = around;
  }
  return encodeDhcpv6(message);
}

/** The option that says that a grant was made at once (RFC 8415, section 21.14). */
export const RAPID_COMMIT: Dhcpv6Option = dhcpv6Option(Dhcpv6OptionCode.RAPID_COMMIT, EMPTY);
