/** A network, with every default in its place. */
import { IpAddress, formatSocketAddress } from 'netloom/core';
import type {
  AttachmentModel,
  NetworkKind,
  NetworkModel,
  PublicationModel,
  SwitchModel,
} from '../../model/index.ts';
import { formatNetwork } from '../../text/index.ts';
import { ANY_VXLAN, type NetworkText, type SwitchText } from '../form/network.ts';
import type { ModuleFiles } from '../module-files.ts';
import type { Reading } from '../reading.ts';
import { completeGateway, wantsGateway } from './gateway.ts';
import { nearest } from './nearest.ts';
import { NetworkScope, known, overlap, type MachineClaims } from './scope.ts';
import type { Listed } from '../shape.ts';
import { completeStations } from './stations.ts';

/** A network that is complete, and what further mistakes in it are found by. */
export interface CompletedNetwork {
  readonly model: NetworkModel;
  readonly scope: NetworkScope;
  /** Whether the file says where default routes lead. */
  readonly saysRouter: boolean;
}

/** Completes the network `name`; mistakes are told to the reading. */
export function completeNetwork(
  name: string,
  text: Partial<NetworkText>,
  reading: Reading,
  machine: MachineClaims,
  modules: ModuleFiles,
): CompletedNetwork {
  const scope = new NetworkScope(reading, ['networks', name], machine, text.subnets ?? []);
  checkSubnets(scope);
  const kind = completeKind(text, name, scope);
  const gateway = completeGateway(text, name, scope);
  const attachments = completeStations(text, {
    scope,
    network: name,
    modules,
    hasGateway: wantsGateway(text),
  });
  if (kind.kind === 'direct') checkDirect(text, attachments, scope);
  const model: NetworkModel = {
    name,
    kind,
    mtu: completeMtu(text, kind, scope),
    subnets: scope.subnets.map(({ cidr }) => formatNetwork(cidr)),
    routers: completeDefaultRouters(text.router ?? [], scope),
    switch: completeSwitch(text.switch, scope),
    gateway,
    attachments,
    publications: completePublications(text, name, scope),
  };
  return { model, scope, saysRouter: text.router !== undefined };
}

function checkSubnets(scope: NetworkScope): void {
  for (const { cidr, index } of scope.subnets) {
    const subnet = formatNetwork(cidr);
    if (!cidr.address.equals(cidr.network)) {
      const message = `${cidr} is an address in the network ${subnet}`;
      const remedy = `Write ${subnet}; the gateway’s address has a key of its own: gateway.`;
      scope.mistake(['subnets', index], message, remedy);
    }
    const other = scope.subnets.find((one) => one.index < index && overlap(one.cidr, cidr));
    if (other !== undefined) {
      const message = `${subnet} and ${other.cidr} overlap`;
      scope.mistake(['subnets', index], message, 'Leave one of the two out, or make them smaller.');
    }
  }
}

function completeDefaultRouters(routers: Listed<IpAddress>, scope: NetworkScope): string[] {
  const families = new Set<number>();
  return known(routers).map(([address, index]) => {
    const path = [...scope.path, 'router', index];
    if (scope.subnetOf(address, path) && families.has(address.family)) {
      const message = `there is another default router of IPv${address.family} already`;
      scope.reading.mistake(path, message, 'Leave one of the two out.');
    }
    families.add(address.family);
    return String(address);
  });
}

/** The keys that only some kinds have. */
const KIND_KEYS = {
  isolated: [],
  bridged: ['bridge', 'interface'],
  overlay: ['identifier', 'local', 'peers'],
  direct: ['interface'],
} as const satisfies Record<NetworkKind['kind'], readonly (keyof NetworkText)[]>;

function completeKind(text: Partial<NetworkText>, name: string, scope: NetworkScope): NetworkKind {
  const { kind = 'isolated' } = text;
  refuseForeignKeys(kind, text, scope);
  switch (kind) {
    case 'isolated':
      return { kind };
    case 'bridged':
      return completeBridged(text, scope);
    case 'overlay':
      return completeOverlay(text, name, scope);
    case 'direct':
      if (scope.isMissing('interface')) {
        const remedy = 'Write which interface its machine is on, as interface: eth1.';
        scope.mistake(['kind'], 'the direct network names no interface', remedy);
      }
      return { kind, interface: text.interface ?? '' };
  }
}

function refuseForeignKeys(
  kind: NetworkKind['kind'],
  text: Partial<NetworkText>,
  scope: NetworkScope,
): void {
  const own: readonly string[] = KIND_KEYS[kind];
  const all = new Set(Object.values(KIND_KEYS).flat());
  for (const key of all) {
    if (text[key] === undefined || own.includes(key)) continue;
    const kinds = (Object.keys(KIND_KEYS) as NetworkKind['kind'][]).filter((one) =>
      (KIND_KEYS[one] as readonly string[]).includes(key),
    );
    const message = `${key} is for networks that are ${kinds.join(' or ')}; this one is ${kind}`;
    scope.mistake(
      [key],
      message,
      `Write kind: ${kinds.join(' or kind: ')}, or leave it out.`,
      'key',
    );
  }
}

function completeBridged(
  { bridge, interface: via }: Partial<NetworkText>,
  scope: NetworkScope,
): NetworkKind {
  const hasNoBridge = scope.isMissing('bridge');
  if (hasNoBridge === scope.isMissing('interface')) {
    const message = `the bridged network names ${hasNoBridge ? 'no bridge' : 'a bridge and an interface'}`;
    const remedy = 'Write one of the two, as bridge: br0 or interface: eth1.';
    scope.mistake(['kind'], message, remedy);
  }
  return bridge === undefined
    ? { kind: 'bridged', interface: via ?? '' }
    : { kind: 'bridged', bridge };
}

function completeOverlay(
  { identifier, local = formatSocketAddress(ANY_VXLAN), peers = [] }: Partial<NetworkText>,
  name: string,
  scope: NetworkScope,
): NetworkKind {
  if (scope.isMissing('identifier')) {
    const remedy = 'Write the number that it has on all nodes, as identifier: 42.';
    scope.mistake(['kind'], 'the overlay has no identifier', remedy);
  } else if (identifier !== undefined) {
    scope.machine.take(
      'identifier',
      `the identifier ${identifier} at ${local}`,
      [...scope.path, 'identifier'],
      `the network ${name}`,
    );
  }
  const seen = new Set<string>();
  for (const [peer, index] of known(peers)) {
    const path = ['peers', index];
    if (seen.has(peer))
      scope.mistake(path, `${peer} is a peer already`, 'Leave one of the two out.');
    if (familyOf(peer) !== familyOf(local)) {
      const message = `${peer} is not reached from ${local}: they are of two families`;
      scope.mistake(path, message, 'Give both of one family, as local: "[::]:4789" for IPv6.');
    }
    seen.add(peer);
  }
  return { kind: 'overlay', identifier: identifier ?? 0, local, peers: [...seen] };
}

function familyOf(endpoint: string): 4 | 6 {
  return endpoint.startsWith('[') ? 6 : 4;
}

/** The keys of a switch, and of what is plugged in there. */
const SWITCH_KEYS = ['switch', 'taps', 'qemu'] as const;

function checkDirect(
  text: Partial<NetworkText>,
  attachments: readonly AttachmentModel[],
  scope: NetworkScope,
): void {
  for (const key of SWITCH_KEYS) {
    if (text[key] === undefined) continue;
    const message = `a direct network has one machine and no switch: ${key} is not for it`;
    scope.mistake([key], message, 'Leave it out, or write kind: bridged.', 'key');
  }
  const machines = attachments.filter(({ station }) => station.kind === 'machine').length;
  if (machines === 1) return;
  const message = `a direct network has one machine, this one has ${machines}`;
  const remedy =
    machines === 0 ? 'Write it under machines.' : 'Leave the others out, or write kind: bridged.';
  scope.mistake(machines === 0 ? ['kind'] : ['machines'], message, remedy);
}

const DEFAULT_MTU = 1500;
/** RFC 8200, section 5. */
const LEAST_MTU_OF_IPV6 = 1280;
/** Ethernet, VXLAN and UDP headers around a frame (RFC 7348, section 5), and an IP header. */
const OVERHEAD = { 4: 14 + 8 + 8 + 20, 6: 14 + 8 + 8 + 40 } as const;

function completeMtu(text: Partial<NetworkText>, kind: NetworkKind, scope: NetworkScope): number {
  const hasIpv6 = scope.subnets.some(({ cidr }) => cidr.address.family === 6);
  if (text.mtu !== undefined && text.mtu < LEAST_MTU_OF_IPV6 && hasIpv6) {
    const message = `IPv6 wants an MTU of ${LEAST_MTU_OF_IPV6}, and the network has an IPv6 subnet`;
    scope.mistake(['mtu'], message, `Write ${LEAST_MTU_OF_IPV6} or more, or leave the subnet out.`);
  }
  const overhead = kind.kind === 'overlay' ? OVERHEAD[familyOf(kind.local)] : 0;
  return text.mtu ?? DEFAULT_MTU - overhead;
}

/** Bridge priorities leave room for a number of 12 bits (IEEE 802.1Q, clause 14.2.5). */
const PRIORITY_STEP = 4096;

function completeSwitch(text: Partial<SwitchText> = {}, scope: NetworkScope): SwitchModel {
  const { ageing = 300_000, snooping = false, stations = 16_384, spanningTree = false } = text;
  const tree = spanningTree === true ? {} : spanningTree;
  if (tree !== false && (tree.priority ?? 0) % PRIORITY_STEP !== 0) {
    const message = `a bridge priority is a multiple of ${PRIORITY_STEP}, not ${tree.priority}`;
    const near = Math.round(tree.priority! / PRIORITY_STEP) * PRIORITY_STEP;
    scope.mistake(['switch', 'spanningTree', 'priority'], message, `Write ${near}, say.`);
  }
  return {
    ageing,
    spanningTree:
      tree === false
        ? null
        : { protocol: tree.protocol ?? 'rstp', priority: tree.priority ?? 8 * PRIORITY_STEP },
    snooping,
    stations,
  };
}

function completePublications(
  text: Partial<NetworkText>,
  name: string,
  scope: NetworkScope,
): PublicationModel[] {
  const names = stationNames(text);
  return known(text.publish ?? []).map(([publication, index]) => {
    const path = [...scope.path, 'publish', index];
    const { protocol, listen, station } = publication;
    scope.machine.listen(protocol, listen, path, `a publication of ${name}`);
    const address = IpAddress.tryParse(station);
    if (address !== undefined) scope.subnetOf(address, path);
    else if (!names.includes(station)) {
      const remedy = nearest(station, names, 'Its stations');
      scope.reading.mistake(path, `there is no station '${station}' in the network`, remedy);
    }
    return publication;
  });
}

function stationNames(text: Partial<NetworkText>): string[] {
  return [text.machines, text.taps, text.qemu].flatMap((stations) => [...(stations?.keys() ?? [])]);
}
