/** A network's gateway, with every default in its place. */
import { Cidr, IpAddress } from 'netloom/core';
import type { GatewayModel, RangeModel, ReservationModel, RuleModel } from '../../model/index.ts';
import { formatNetwork } from '../../text/index.ts';
import type { DhcpText, NetworkText } from '../form/network.ts';
import type { AddressRange } from '../scalars.ts';
import type { Listed } from '../shape.ts';
import { known, type NetworkScope } from './scope.ts';

/** Milliseconds. */
const LEASE = 3_600_000;

/** Keys of a network that its gateway does. */
const GATEWAY_KEYS = ['dhcp', 'dhcpv6', 'advertisements', 'dns', 'reservations', 'uplink'] as const;

/** The gateway; null: there is none. */
export function completeGateway(
  text: Partial<NetworkText>,
  name: string,
  scope: NetworkScope,
): GatewayModel | null {
  if (!wantsGateway(text)) {
    refuseGatewayKeys(text, scope);
    return null;
  }
  const addresses = gatewayAddresses(text.gateway, scope);
  const v4 = addresses.find(({ address }) => address.family === 4);
  const v6 = addresses.find(({ address }) => address.family === 6);
  return {
    addresses: addresses.map(String),
    dhcp: dhcp('dhcp', text.dhcp, v4, scope),
    dhcpv6: dhcp('dhcpv6', text.dhcpv6, v6, scope),
    advertisements: advertisements(text.advertisements, v6, scope),
    dns: completeDns(text.dns, name, scope),
    reservations: completeReservations(text, scope),
    // They follow from the routers, which are read later.
    routes: {},
    uplink: completeUplink(text.uplink),
  };
}

/** Whether there is to be a gateway. Where others are on the network too, one of them may have it: so it has to be asked for. */
export function wantsGateway({
  gateway,
  kind = 'isolated',
  subnets = [],
}: Partial<NetworkText>): boolean {
  if (kind === 'direct' || subnets.length === 0) return false;
  return gateway === undefined ? kind === 'isolated' : gateway !== false;
}

function refuseGatewayKeys(text: Partial<NetworkText>, scope: NetworkScope): void {
  const { gateway, subnets = [], kind } = text;
  const remedy =
    kind === 'direct'
      ? 'Leave it out: a direct network has no gateway here.'
      : subnets.length === 0
        ? 'Give the network subnets, as subnets: [10.0.0.0/24].'
        : gateway === false
          ? 'Leave it out, or gateway: false.'
          : 'Write gateway: true, if no other node has it.';
  const given = [...GATEWAY_KEYS, 'publish' as const].filter(
    (key) => text[key] !== undefined && text[key] !== false,
  );
  if (gateway !== undefined && gateway !== false) {
    scope.mistake(['gateway'], 'there can be no gateway', remedy, 'key');
  }
  for (const key of given) {
    scope.mistake([key], `${key} is the gateway’s, and there is none`, remedy, 'key');
  }
}

function gatewayAddresses(wanted: NetworkText['gateway'] | undefined, scope: NetworkScope): Cidr[] {
  const given = known(typeof wanted === 'boolean' || wanted === undefined ? [] : wanted);
  const own = new Map<Cidr, IpAddress>();
  for (const [address, index] of given) {
    const path = [...scope.path, 'gateway', index];
    const subnet = scope.subnetOf(address, path);
    if (subnet === undefined) continue;
    if (own.has(subnet)) {
      const message = `the gateway has an address in ${subnet} already: ${own.get(subnet)}`;
      scope.reading.mistake(path, message, 'Leave one of the two out.');
    } else own.set(subnet, address);
  }
  return scope.subnets.map(({ cidr, index }) => {
    const address = own.get(cidr) ?? firstAddress(cidr);
    const path = [...scope.path, own.has(cidr) ? 'gateway' : 'subnets'];
    scope.takeAddress(address, own.has(cidr) ? path : [...path, index], 'the gateway');
    return new Cidr(address, cidr.prefixLength);
  });
}

/** The first that a station can have (of a link between two: RFC 3021). */
function firstAddress({ network, prefixLength }: Cidr): IpAddress {
  const longest = network.family === 4 ? 32 : 128;
  if (prefixLength >= longest - 1) return network;
  const { word0, word1, word2, word3 } = network;
  return network.family === 4
    ? IpAddress.v4(word3 + 1)
    : IpAddress.v6(word0, word1, word2, word3 + 1);
}

/** Prefixes up to this length have room for a pool that is not given: half of the network; 61,440 addresses. */
const LONGEST_POOLED = { dhcp: 30, dhcpv6: 112 } as const;

function dhcp(
  key: 'dhcp' | 'dhcpv6',
  text: boolean | Partial<DhcpText> | undefined,
  served: Cidr | undefined,
  scope: NetworkScope,
): { range: RangeModel | null; lease: number } | null {
  if (text === false) return null;
  const isAsked = text !== undefined;
  const { range, lease = LEASE } = typeof text === 'object' ? text : {};
  if (served === undefined) {
    const family = key === 'dhcp' ? 4 : 6;
    const message = `${key} gives out IPv${family} addresses, and the network has no such subnet`;
    if (isAsked)
      scope.mistake([key], message, 'Add a subnet of that family, or leave it out.', 'key');
    return null;
  }
  if (range === undefined && served.prefixLength > LONGEST_POOLED[key]) {
    const message = `${formatNetwork(served)} is too small to give addresses out of it`;
    const remedy = `Write the addresses as range, take a subnet of /${LONGEST_POOLED[key]} or larger, or leave it out.`;
    if (isAsked) scope.mistake([key], message, remedy, 'key');
    return null;
  }
  if (range !== undefined) checkRange(range, served, [key, 'range'], scope);
  return { range: range === undefined ? null : rangeModel(range), lease };
}

function rangeModel({ first, last }: AddressRange): RangeModel {
  return { first: String(first), last: String(last) };
}

function checkRange(
  { first, last }: AddressRange,
  served: Cidr,
  path: readonly string[],
  scope: NetworkScope,
): void {
  if (served.contains(first) && served.contains(last)) return;
  const subnet = formatNetwork(served);
  scope.mistake(
    path,
    `${first}-${last} is not within ${subnet}, which is the subnet that is served`,
    `Write two addresses of ${subnet}.`,
  );
}

function advertisements(
  asked: boolean | undefined,
  served: Cidr | undefined,
  scope: NetworkScope,
): boolean {
  if (asked === true && served === undefined) {
    const message = 'there is no IPv6 subnet that could be advertised';
    scope.mistake(['advertisements'], message, 'Add one, as fd00:a::/64, or leave it out.', 'key');
  }
  return asked !== false && served !== undefined;
}

function completeDns(
  text: NetworkText['dns'] | undefined,
  network: string,
  scope: NetworkScope,
): GatewayModel['dns'] {
  if (text === false) return null;
  const { zone = network, names = new Map<string, Listed<IpAddress>>() } =
    typeof text === 'object' ? text : {};
  const entries = [...names].map(([name, addresses = []]) => {
    scope.takeName(name, [...scope.path, 'dns', 'names', name], 'what dns names');
    return [name, known(addresses).map(([address]) => String(address))] as const;
  });
  return { zone, names: Object.fromEntries(entries) };
}

function completeReservations(
  { reservations = [], taps, qemu }: Partial<NetworkText>,
  scope: NetworkScope,
): ReservationModel[] {
  const isStation = (name: string): boolean => taps?.has(name) === true || qemu?.has(name) === true;
  const macs = new Set<string>();
  return known(reservations).map(([{ mac, name = null, address = [] }, index]) => {
    const path = [...scope.path, 'reservations', index];
    if (mac === undefined) {
      const isMissing = !scope.reading.isWritten([...path, 'mac']);
      const message = 'the reservation says not for whom';
      if (isMissing) scope.reading.mistake(path, message, 'Add the mac of the client.');
    } else if (macs.has(mac)) {
      const message = `there is a reservation for ${mac} already`;
      scope.reading.mistake([...path, 'mac'], message, 'Make one of the two.');
    } else macs.add(mac);
    // It may be for what is behind a TAP or a QEMU of that name.
    if (name !== null && !isStation(name)) scope.takeName(name, [...path, 'name'], 'a client');
    return { mac: mac ?? '', name, addresses: reservedAddresses(address, path, scope) };
  });
}

function reservedAddresses(
  addresses: Listed<IpAddress>,
  path: readonly (string | number)[],
  scope: NetworkScope,
): string[] {
  const families = new Set<number>();
  return known(addresses).map(([address, index]) => {
    const place = [...path, 'address', index];
    if (families.has(address.family)) {
      const message = `the reservation has another IPv${address.family} address already`;
      scope.reading.mistake(place, message, 'Leave one of the two out.');
    }
    families.add(address.family);
    if (scope.subnetOf(address, place)) scope.takeAddress(address, place, 'another client');
    return String(address);
  });
}

function completeUplink(text: NetworkText['uplink'] | undefined): GatewayModel['uplink'] {
  if (text === undefined || text === false) return null;
  const { hostAccess = false, deny = [], allow = [] } = text === true ? {} : text;
  return { hostAccess, rules: [...rules('deny', deny), ...rules('allow', allow)] };
}

function rules(verdict: RuleModel['verdict'], subjects: Listed<string>): RuleModel[] {
  return known(subjects).map(([subject]) => ({ verdict, subject }));
}
