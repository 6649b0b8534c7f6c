/** Pieces of models with the usual values, for tests that speak of a few of them. */
import type {
  AttachmentModel,
  GatewayModel,
  LinkModel,
  NetworkModel,
  NodeModel,
  PortModel,
  RouterModel,
  StationModel,
} from '../src/model/index.ts';

/** A node without anything. */
export const NOTHING: NodeModel = { networks: [], routers: [] };

/** An isolated network without gateway. */
export function isolated(name: string, more: Partial<NetworkModel> = {}): NetworkModel {
  return {
    name,
    kind: { kind: 'isolated' },
    mtu: 1500,
    subnets: [],
    routers: [],
    switch: { ageing: 300_000, spanningTree: null, snooping: true, stations: 4096 },
    gateway: null,
    attachments: [],
    publications: [],
    ...more,
  };
}

/** A gateway with DHCP, advertisements and names, but no way out. */
export function gateway(
  addresses: readonly string[],
  more: Partial<GatewayModel> = {},
): GatewayModel {
  return {
    addresses,
    dhcp: { range: null, lease: 3_600_000 },
    dhcpv6: null,
    advertisements: true,
    dns: { zone: 'lan', names: {} },
    reservations: [],
    routes: {},
    uplink: null,
    ...more,
  };
}

/** A station at a port. */
export function attachment(
  name: string,
  station: StationModel,
  at: PortModel = port(),
): AttachmentModel {
  return { name, station, port: at };
}

/** A machine that does nothing. */
export function machine(
  more: Partial<StationModel & { kind: 'machine' }> = {},
): StationModel & { kind: 'machine' } {
  return { kind: 'machine', services: [], addresses: [], mac: null, ...more };
}

/** A port in VLAN 1, with nothing wrong with its line. */
export function port(more: Partial<PortModel> = {}): PortModel {
  return {
    vlan: { mode: 'access', vlan: 1 },
    priority: 0,
    isolated: false,
    stations: 1024,
    whenFull: 'forward',
    storm: {},
    shaping: null,
    link: {},
    ...more,
  };
}

/** A router with addresses on networks. */
export function router(
  name: string,
  addresses: Readonly<Record<string, readonly string[]>>,
  more: Partial<RouterModel> = {},
  link: LinkModel = {},
): RouterModel {
  const interfaces = Object.entries(addresses).map(([network, own]) => ({
    network,
    addresses: own,
    link,
  }));
  return { name, interfaces, routes: {}, translation: null, ...more };
}
