import { Cidr, IpAddress } from '../../core/index.ts';
import {
  Dhcpv4OptionCode,
  isDomainName,
  prefixLengthOfMask,
  type Dhcpv4Message,
  type Dhcpv4Route,
} from '../../wire/index.ts';

/** What a DHCPv4 server has granted. Times are milliseconds of the engine's clock; Infinity: never. */
export interface Dhcpv4Lease {
  readonly address: IpAddress;
  readonly prefixLength: number;
  /** The server identifier. */
  readonly server: IpAddress;
  /** Routes in order of preference: the classless ones if there are any, else a default route for each router. */
  readonly routes: readonly Dhcpv4Route[];
  readonly dnsServers: readonly IpAddress[];
  readonly domain: string | undefined;
  readonly searchDomains: readonly string[];
  readonly mtu: number | undefined;
  /** T1: when the client asks its server for more time. */
  readonly renewAt: number;
  /** T2: when it asks any server. */
  readonly rebindAt: number;
  readonly expiresAt: number;
}

/** Why an OFFER or ACK is no lease. */
export type Dhcpv4LeaseFault = 'no-server' | 'bad-address' | 'bad-mask' | 'bad-lease-time';

/** A lease time without end (RFC 2131, section 3.3). */
export const INFINITE_LEASE = 0xffff_ffff;

/** The least MTU a server may set (RFC 2132, section 5.1). */
const SMALLEST_MTU = 68;

const DEFAULT_ROUTE = new Cidr(IpAddress.ANY4, 0);

/** When to ask for more time, as servers say and clients take it if theirs does not: shares of the lease (RFC 2131, section 4.4.5). */
export const RENEWAL_SHARE = 0.5;
export const REBINDING_SHARE = 0.875;

/** T1 and T2 come early by up to this share, so that clients switched on together do not renew together (RFC 2131, section 4.4.5). */
const FUZZ_SHARE = 0.02;

/**
 * The lease of an OFFER or ACK. It counts from `requestedAt`, when the request for it was sent first (RFC 2131, section 4.4.1):
 * so it never ends later here than at the server. `fuzz` is a random number from 0 to 1.
 */
export function readDhcpv4Lease(
  message: Dhcpv4Message,
  requestedAt: number,
  fuzz: number,
): Dhcpv4Lease | Dhcpv4LeaseFault {
  const server = message.address(Dhcpv4OptionCode.SERVER_IDENTIFIER);
  if (server === undefined || !isStation(server)) return 'no-server';
  const address = message.yourAddress;
  if (!isStation(address) || address.equals(server)) return 'bad-address';
  const prefixLength = readPrefixLength(message, address);
  if (prefixLength === undefined) return 'bad-mask';
  if (!isHost(new Cidr(address, prefixLength))) return 'bad-address';
  const seconds = message.uint32(Dhcpv4OptionCode.LEASE_TIME) ?? 0;
  if (seconds === 0) return 'bad-lease-time';
  return {
    address,
    prefixLength,
    server,
    routes: readRoutes(message, address),
    dnsServers: (message.addresses(Dhcpv4OptionCode.DNS_SERVERS) ?? []).filter(isUsable),
    domain: readDomain(message),
    searchDomains: message.domainSearch() ?? [],
    mtu: readMtu(message),
    ...readTimes(message, seconds, requestedAt, fuzz),
  };
}

/** T1, T2 and the end of the lease. Times that are not in this order are replaced by the usual ones. */
function readTimes(
  message: Dhcpv4Message,
  seconds: number,
  requestedAt: number,
  fuzz: number,
): Pick<Dhcpv4Lease, 'renewAt' | 'rebindAt' | 'expiresAt'> {
  if (seconds === INFINITE_LEASE) {
    return { renewAt: Infinity, rebindAt: Infinity, expiresAt: Infinity };
  }
  let rebinding = message.uint32(Dhcpv4OptionCode.REBINDING_TIME) ?? 0;
  if (rebinding === 0 || rebinding >= seconds) rebinding = seconds * REBINDING_SHARE;
  let renewal = message.uint32(Dhcpv4OptionCode.RENEWAL_TIME) ?? 0;
  if (renewal === 0 || renewal >= rebinding) {
    renewal = Math.min(seconds * RENEWAL_SHARE, (rebinding * RENEWAL_SHARE) / REBINDING_SHARE);
  }
  const early = 1000 * (1 - FUZZ_SHARE * fuzz);
  return {
    renewAt: requestedAt + renewal * early,
    rebindAt: requestedAt + rebinding * early,
    expiresAt: requestedAt + seconds * 1000,
  };
}

/** The mask's, or the address class's where there is no mask (RFC 950, section 2.1). Undefined: the mask has gaps. */
function readPrefixLength(message: Dhcpv4Message, address: IpAddress): number | undefined {
  const mask = message.address(Dhcpv4OptionCode.SUBNET_MASK);
  if (mask !== undefined) return prefixLengthOfMask(mask);
  const first = address.word3 >>> 24;
  return first < 128 ? 8 : first < 192 ? 16 : 24;
}

/**
 * Classless routes take the place of routers (RFC 3442: "MUST ignore the Router option"). A gateway outside
 * the subnet is kept: networks that give /32 addresses have it so.
 */
function readRoutes(message: Dhcpv4Message, own: IpAddress): Dhcpv4Route[] {
  const classless = message.routes();
  const routes =
    classless ??
    (message.addresses(Dhcpv4OptionCode.ROUTERS) ?? []).map((gateway) => ({
      destination: DEFAULT_ROUTE,
      gateway,
    }));
  return routes.filter(
    ({ gateway }) => gateway === undefined || (isStation(gateway) && !gateway.equals(own)),
  );
}

function readDomain(message: Dhcpv4Message): string | undefined {
  // Some servers close it with a dot.
  const text = message.text(Dhcpv4OptionCode.DOMAIN_NAME)?.replace(/\.$/, '');
  return text !== undefined && isDomainName(text) ? text.toLowerCase() : undefined;
}

function readMtu(message: Dhcpv4Message): number | undefined {
  const mtu = message.uint16(Dhcpv4OptionCode.INTERFACE_MTU);
  return mtu !== undefined && mtu >= SMALLEST_MTU ? mtu : undefined;
}

/** Whether one station can have this address: not 0/8, loopback, a group, or the reserved upper part (RFC 1122, section 3.2.1.3). */
function isStation(address: IpAddress): boolean {
  const first = address.word3 >>> 24;
  return first !== 0 && first !== 127 && first < 224;
}

/** A DNS server may be on this machine. */
function isUsable(address: IpAddress): boolean {
  return isStation(address) || address.isLoopback;
}

/** Whether the address is neither the network's own nor its broadcast address; networks of one or two addresses have neither (RFC 3021). */
function isHost(subnet: Cidr): boolean {
  return (
    subnet.prefixLength >= 31 ||
    (!subnet.address.equals(subnet.network) && !subnet.address.equals(subnet.broadcast))
  );
}
