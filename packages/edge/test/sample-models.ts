/** Pieces of models with the usual values, for tests that speak of a few of them. */
import {
  DEFAULT_PORT,
  type AttachmentModel,
  type GatewayModel,
  type LinkModel,
  type MachineService,
  type NetworkModel,
  type NodeModel,
  type PortModel,
  type RouterModel,
  type StationModel,
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
    switch: { ageing: 300_000, spanningTree: null, snooping: false, stations: 16_384 },
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

/** A gateway with all services and a way out. */
export const GATEWAY: GatewayModel = gateway(['10.0.0.1/24', 'fd00::1/64'], {
  dhcpv6: { range: null, lease: 3_600_000 },
  uplink: { hostAccess: false, rules: [] },
});

/** An isolated network with that gateway; `change` says what is different. */
export function networkModel(change: Partial<NetworkModel> = {}): NetworkModel {
  return isolated('lan', {
    subnets: ['10.0.0.0/24', 'fd00::/64'],
    routers: ['10.0.0.1', 'fd00::1'],
    gateway: GATEWAY,
    ...change,
  });
}

/** A station at a port. */
export function attachment(
  name: string,
  station: StationModel,
  at: Partial<PortModel> = {},
): AttachmentModel {
  return { name, station, port: port(at) };
}

/** A built-in machine at a port. */
export function attachedMachine(
  name: string,
  services: readonly MachineService[] = [],
  change: { readonly addresses?: readonly string[]; readonly port?: Partial<PortModel> } = {},
): AttachmentModel {
  const { addresses = [], port: at } = change;
  return attachment(name, machine({ services, addresses }), at);
}

/** A machine that does nothing. */
export function machine(
  more: Partial<StationModel & { kind: 'machine' }> = {},
): StationModel & { kind: 'machine' } {
  return { kind: 'machine', services: [], addresses: [], mac: null, ...more };
}

/** A port as it is where nothing is said of it. */
export function port(more: Partial<PortModel> = {}): PortModel {
  return { ...DEFAULT_PORT, ...more };
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
