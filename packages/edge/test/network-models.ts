/** Models of networks for tests, with everything in its usual place. */
import {
  DEFAULT_PORT,
  type AttachmentModel,
  type GatewayModel,
  type MachineService,
  type NetworkModel,
  type PortModel,
  type StationModel,
} from '../src/index.ts';

/** A gateway with all services and a way out. */
export const GATEWAY: GatewayModel = {
  addresses: ['10.0.0.1/24', 'fd00::1/64'],
  dhcp: { range: null, lease: 3_600_000 },
  dhcpv6: { range: null, lease: 3_600_000 },
  advertisements: true,
  dns: { zone: 'lan', names: {} },
  reservations: [],
  routes: {},
  uplink: { hostAccess: false, rules: [] },
};

/** An isolated network with that gateway; `change` says what is different. */
export function networkModel(change: Partial<NetworkModel> = {}): NetworkModel {
  return {
    name: 'lan',
    kind: { kind: 'isolated' },
    mtu: 1500,
    subnets: ['10.0.0.0/24', 'fd00::/64'],
    routers: ['10.0.0.1', 'fd00::1'],
    switch: { ageing: 300_000, spanningTree: null, snooping: false, stations: 16_384 },
    gateway: GATEWAY,
    attachments: [],
    publications: [],
    ...change,
  };
}

/** A built-in machine. */
export function machine(
  name: string,
  services: readonly MachineService[] = [],
  change: { readonly addresses?: readonly string[]; readonly port?: Partial<PortModel> } = {},
): AttachmentModel {
  return attachment(
    name,
    { kind: 'machine', services, addresses: change.addresses ?? [], mac: null },
    change.port,
  );
}

/** A station at a usual port. */
export function attachment(
  name: string,
  station: StationModel,
  port: Partial<PortModel> = {},
): AttachmentModel {
  return { name, station, port: { ...DEFAULT_PORT, ...port } };
}
