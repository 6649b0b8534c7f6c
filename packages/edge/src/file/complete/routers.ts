/** The routers, with every default in their place. */
import { Cidr, type IpAddress } from 'netloom/core';
import type { RouterInterfaceModel, RouterModel, TranslationModel } from '../../model/index.ts';
import { hostNetwork } from '../../text/index.ts';
import type { NatText, RouterInterfaceText, RouterText } from '../form/node.ts';
import type { Path } from '../mistake.ts';
import type { Reading } from '../reading.ts';
import { completeLink } from './line.ts';
import type { CompletedNetwork } from './network.ts';
import { nearest } from './nearest.ts';
import { known, overlap } from './scope.ts';

/** What routers are held against. */
export interface RouterContext {
  readonly reading: Reading;
  readonly networks: ReadonlyMap<string, CompletedNetwork>;
}

/** Completes the router `name`; mistakes are told to the reading. */
export function completeRouter(
  name: string,
  text: Partial<RouterText>,
  context: RouterContext,
): RouterModel {
  const path = ['routers', name];
  const { interfaces: written = new Map<string, RouterInterfaceText>(), nat } = text;
  const interfaces = [...written].map(([network, one]) =>
    completeInterface(name, network, one, context),
  );
  if (interfaces.length < 2) {
    context.reading.mistake(
      path,
      `the router is in ${interfaces.length === 0 ? 'no network' : 'one network only'}`,
      'Write under interfaces at least two networks, each with the router’s address there.',
      'key',
    );
  }
  return {
    name,
    interfaces,
    routes: completeRoutes(text, interfaces, path, context),
    translation: nat === undefined ? null : completeNat(nat, interfaces, path, context),
  };
}

function completeInterface(
  router: string,
  network: string,
  text: Partial<RouterInterfaceText> | undefined,
  { reading, networks }: RouterContext,
): RouterInterfaceModel {
  const { address = [], link } = text ?? {};
  const path = ['routers', router, 'interfaces', network];
  const found = networks.get(network);
  if (found === undefined) {
    const remedy = nearest(network, [...networks.keys()], 'Networks');
    reading.mistake(path, `there is no network '${network}'`, remedy, 'key');
  } else if (found.model.kind.kind === 'direct') {
    const message = `the network ${network} is direct: it has no switch for a router’s cable`;
    reading.mistake(path, message, 'Write kind: bridged there.', 'key');
  } else if (
    text !== undefined &&
    !reading.isWritten([...path, 'address']) &&
    address.length === 0
  ) {
    const remedy = `Write it as ${network}: 10.0.0.254.`;
    reading.mistake(path, 'the router has no address there', remedy, 'key');
  }
  found?.scope.takeName(router, path, 'a router');
  const addresses = known(address).map(([one, index]) => {
    const place = [...path, 'address', index];
    const cidr = found?.scope.place(one, place) ?? toCidr(one);
    found?.scope.takeAddress(cidr.address, place, `the router ${router}`);
    return String(cidr);
  });
  return { network, addresses, link: completeLink(link) };
}

/** Of a network that there is not: told elsewhere. */
function toCidr(address: IpAddress | Cidr): Cidr {
  return address instanceof Cidr ? address : hostNetwork(address);
}

function completeRoutes(
  { routes = new Map<string, IpAddress>() }: Partial<RouterText>,
  interfaces: readonly RouterInterfaceModel[],
  path: Path,
  { reading }: RouterContext,
): Record<string, string> {
  const connected = interfaces.flatMap(({ addresses }) => addresses.map((one) => Cidr.parse(one)));
  const found: [string, string][] = [];
  for (const [destination, hop] of routes) {
    if (hop === undefined) continue;
    const place = [...path, 'routes', destination];
    if (hop.family !== Cidr.parse(destination).address.family) {
      const message = `${hop} is no way to ${destination}: they are of two families`;
      reading.mistake(place, message, 'Give an address of the destination’s family.');
    } else if (!connected.some((cidr) => cidr.contains(hop))) {
      const message = `${hop} is in none of the router’s networks`;
      reading.mistake(place, message, 'Give the address of a router that is a neighbour.');
    } else if (connected.some(({ address }) => address.equals(hop))) {
      const message = `${hop} is the router’s own address`;
      reading.mistake(place, message, 'Give the address of the next router.');
    }
    found.push([destination, String(hop)]);
  }
  return Object.fromEntries(found);
}

function completeNat(
  text: Partial<NatText>,
  interfaces: readonly RouterInterfaceModel[],
  path: Path,
  { reading }: RouterContext,
): TranslationModel {
  const names = interfaces.map(({ network }) => network);
  const { outside, inside } = text;
  const place = [...path, 'nat'];
  const check = (network: string, at: Path): void => {
    if (names.includes(network)) return;
    const message = `the router has no interface in '${network}'`;
    reading.mistake(at, message, nearest(network, names, 'Its networks'));
  };
  if (outside === undefined) {
    const message = 'nat does not say what is outside';
    const isMissing = !reading.isWritten([...place, 'outside']);
    if (isMissing) reading.mistake(place, message, 'Write it as outside: NETWORK.', 'key');
  } else check(outside, [...place, 'outside']);
  for (const [network, index] of known(inside ?? [])) {
    const at = [...place, 'inside', index];
    check(network, at);
    if (network !== outside) continue;
    reading.mistake(at, `${network} is outside already`, 'Leave it out of one of the two.');
  }
  const external = interfaces.find(({ network }) => network === outside);
  if (external !== undefined && !external.addresses.some((one) => !one.includes(':'))) {
    const message = `nat wants an IPv4 address of the router in ${outside}`;
    reading.mistake(place, message, 'Give it one under interfaces.', 'key');
  }
  return {
    outside: outside ?? '',
    inside: inside?.filter((one) => one !== undefined) ?? names.filter((one) => one !== outside),
    mapping: text.mapping ?? 'endpoint-independent',
    filtering: text.filtering ?? 'endpoint-independent',
    hairpinning: text.hairpinning ?? true,
  };
}

/** Tells of subnets that overlap though routers join their networks, be it by way of others. */
export function checkJoinedSubnets(routers: readonly RouterModel[], context: RouterContext): void {
  for (const { name, interfaces } of routers) {
    const joined = joinedNetworks(interfaces, routers);
    for (const { network } of interfaces) {
      const path = ['routers', name, 'interfaces', network];
      for (const other of joined) if (other < network) compare(network, other, path, context);
    }
  }
}

/** The names of all networks that can be reached from a router. */
function joinedNetworks(
  interfaces: readonly RouterInterfaceModel[],
  routers: readonly RouterModel[],
): Set<string> {
  const joined = new Set(interfaces.map(({ network }) => network));
  for (let before = 0; before < joined.size;) {
    before = joined.size;
    for (const router of routers) {
      const names = router.interfaces.map(({ network }) => network);
      if (names.some((one) => joined.has(one))) for (const one of names) joined.add(one);
    }
  }
  return joined;
}

function compare(a: string, b: string, path: Path, { reading, networks }: RouterContext): void {
  for (const one of networks.get(a)?.scope.subnets ?? []) {
    for (const other of networks.get(b)?.scope.subnets ?? []) {
      if (!overlap(one.cidr, other.cidr)) continue;
      const message = `${one.cidr} of ${a} and ${other.cidr} of ${b} overlap, and routers join the two`;
      reading.mistake(path, message, `Give one of the two networks another subnet.`, 'key');
    }
  }
}
