/** Random models of nodes, as a good file makes them: what is named is there, and nothing is given twice. */
import fc from 'fast-check';
import type {
  AttachmentModel,
  GatewayModel,
  LinkModel,
  MachineService,
  NetworkKind,
  NetworkModel,
  NodeModel,
  PortModel,
  PublicationModel,
  RouterModel,
  StationModel,
  VlanModel,
} from '../src/model/index.ts';

/** Few names, so that two models often speak of the same thing. */
const NETWORKS = ['blue', 'green', 'red'];
const STATIONS = ['app', 'db', 'web'];
const ROUTERS = ['edge', 'core'];

/** What the models may have. */
export interface ModelBounds {
  /** What needs the kernel or another program: TAPs, bridges, QEMU. */
  readonly outside: boolean;
}

/** What is wrong with a line. */
export function linkModel(): fc.Arbitrary<LinkModel> {
  const model = fc.record(
    {
      delay: fc.integer({ min: 1, max: 200 }),
      rate: fc.integer({ min: 1, max: 100 }).map((megabits) => megabits * 1e6),
      loss: fc.constantFrom(0.01, 0.5),
      partition: fc.constant(true),
      seed: fc.integer({ min: 0, max: 9 }),
    },
    { requiredKeys: [] },
  );
  return fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: model });
}

/** A port and its line. */
export function portModel(): fc.Arbitrary<PortModel> {
  return fc.record({
    vlan: vlanModel(),
    priority: fc.constantFrom(0, 5, 'dscp' as const),
    isolated: fc.boolean(),
    stations: fc.constantFrom(16, 1024),
    whenFull: fc.constantFrom('forward', 'drop'),
    storm: fc.record({ broadcast: fc.constantFrom(10, 1000) }, { requiredKeys: [] }),
    shaping: fc.option(fc.record({ rate: fc.constantFrom(1e6, 1e9) })),
    link: linkModel(),
  });
}

function vlanModel(): fc.Arbitrary<VlanModel> {
  const access = fc.record({
    mode: fc.constant('access' as const),
    vlan: fc.constantFrom(1, 10, 20),
  });
  const trunk = fc.record({
    mode: fc.constant('trunk' as const),
    allowed: fc.constantFrom('all' as const, [1, [10, 20] as const]),
    native: fc.constantFrom(1, 10),
  });
  return fc.oneof(access, trunk);
}

/** A node with up to three networks and two routers. */
export function nodeModel(bounds: ModelBounds): fc.Arbitrary<NodeModel> {
  const model = fc.subarray(NETWORKS).chain((names) =>
    fc.record({
      networks: fc.tuple(...names.map((name) => networkModel(name, bounds))),
      routers: routerModels(names),
    }),
  );
  // Some objects of fast-check's have no prototype, which those of a file have.
  return model.map((made) => structuredClone(made));
}

function networkModel(name: string, bounds: ModelBounds): fc.Arbitrary<NetworkModel> {
  const subnet = 1 + NETWORKS.indexOf(name);
  return fc.subarray(STATIONS).chain((stations) =>
    fc.option(gatewayModel(subnet, bounds)).chain((gateway) =>
      fc.record({
        name: fc.constant(name),
        kind: networkKind(subnet, bounds),
        mtu: fc.constantFrom(1500, 9000),
        subnets: fc.constant([`10.0.${subnet}.0/24`]),
        routers: fc.constantFrom([], [`10.0.${subnet}.1`]),
        switch: fc.record({
          ageing: fc.constantFrom(10_000, 300_000),
          spanningTree: fc.constant(null),
          snooping: fc.boolean(),
          stations: fc.constant(4096),
        }),
        gateway: fc.constant(gateway),
        attachments: fc.tuple(
          ...stations.map((station) => attachmentModel(station, subnet, bounds)),
        ),
        publications: gateway === null ? fc.constant([]) : publicationModels(subnet, stations),
      }),
    ),
  );
}

function networkKind(subnet: number, { outside }: ModelBounds): fc.Arbitrary<NetworkKind> {
  const isolated = fc.constant({ kind: 'isolated' } as const);
  if (!outside) return isolated;
  const bridged = fc
    .constantFrom('br0', 'br1')
    .map((bridge) => ({ kind: 'bridged', bridge }) as const);
  const overlay = fc.record({
    kind: fc.constant('overlay' as const),
    identifier: fc.constantFrom(7, 8),
    local: fc.constant(`127.0.0.1:${4789 + subnet}`),
    peers: fc.subarray(['127.0.0.2:4789', '127.0.0.3:4789']),
  });
  return fc.oneof({ weight: 3, arbitrary: isolated }, bridged, overlay);
}

function gatewayModel(subnet: number, { outside }: ModelBounds): fc.Arbitrary<GatewayModel> {
  const lease = fc.constantFrom(600_000, 3_600_000);
  const pool = fc.record({ range: fc.constant(null), lease });
  return fc.record({
    addresses: fc.constantFrom(
      [`10.0.${subnet}.1/24`],
      [`10.0.${subnet}.2/24`, `fd00:${subnet}::1/64`],
    ),
    // Where all is live, every station has an address: a port of it may be published.
    dhcp: outside ? fc.option(pool) : pool,
    dhcpv6: fc.option(pool),
    advertisements: fc.boolean(),
    dns: fc.option(
      fc.record({
        zone: fc.constantFrom('lan', 'example'),
        names: fc.dictionary(fc.constantFrom('one', 'two'), fc.constant([`10.0.${subnet}.77`])),
      }),
    ),
    routes: fc.dictionary(fc.constantFrom('10.9.0.0/24'), fc.constant(`10.0.${subnet}.250`)),
    reservations: fc.subarray([
      { mac: '02:00:00:00:00:aa', name: 'printer', addresses: [`10.0.${subnet}.90`] },
      { mac: '02:00:00:00:00:bb', name: null, addresses: [`10.0.${subnet}.91`] },
    ]),
    uplink: fc.option(
      fc.record({
        hostAccess: fc.boolean(),
        rules: fc.subarray([
          { verdict: 'deny', subject: '10.0.0.0/8' } as const,
          { verdict: 'allow', subject: 'example.org' } as const,
        ]),
      }),
    ),
  });
}

function attachmentModel(
  name: string,
  subnet: number,
  bounds: ModelBounds,
): fc.Arbitrary<AttachmentModel> {
  return fc.record({
    name: fc.constant(name),
    station: stationModel(name, subnet, bounds),
    port: portModel(),
  });
}

function stationModel(
  name: string,
  subnet: number,
  { outside }: ModelBounds,
): fc.Arbitrary<StationModel> {
  const number = STATIONS.indexOf(name);
  const machine = fc.record({
    kind: fc.constant('machine' as const),
    services: fc.subarray<MachineService>([{ kind: 'echo' }, { kind: 'sink' }]),
    addresses: fc.constantFrom(
      [],
      [`10.0.${subnet}.${80 + number}`],
      [`10.0.${subnet}.${100 + number}`],
    ),
    mac: fc.constantFrom(null, `02:00:00:00:0${subnet}:0${number}`),
  });
  if (!outside) return machine;
  const tap = fc.record({
    kind: fc.constant('tap' as const),
    interface: fc.constant(`tap${subnet}${number}`),
    namespace: fc.constantFrom(null, 'blue'),
    addresses: fc.constantFrom([], [`10.0.${subnet}.${60 + number}/24`]),
    defaultRoute: fc.boolean(),
  });
  const qemu = fc.record({
    kind: fc.constant('qemu-stream' as const),
    listen: fc.constant(`127.0.0.1:${7000 + 10 * subnet + number}`),
  });
  return fc.oneof({ weight: 2, arbitrary: machine }, tap, qemu);
}

function publicationModels(
  subnet: number,
  stations: readonly string[],
): fc.Arbitrary<PublicationModel[]> {
  const target = fc.constantFrom(...stations, `10.0.${subnet}.99`);
  const one = fc.record({
    protocol: fc.constantFrom('tcp', 'udp'),
    listen: fc.constantFrom(1, 2).map((last) => `127.0.0.1:${8000 + 10 * subnet + last}`),
    station: target,
    port: fc.constantFrom(7, 80),
  });
  return fc.uniqueArray(one, {
    maxLength: 3,
    selector: ({ protocol, listen }) => `${protocol} ${listen}`,
  });
}

function routerModels(networks: readonly string[]): fc.Arbitrary<RouterModel[]> {
  if (networks.length === 0) return fc.constant([]);
  return fc
    .subarray(ROUTERS)
    .chain((names) => fc.tuple(...names.map((name) => routerModel(name, networks))));
}

function routerModel(name: string, networks: readonly string[]): fc.Arbitrary<RouterModel> {
  const last = 250 + ROUTERS.indexOf(name);
  return fc.subarray([...networks], { minLength: 1 }).chain((own) => {
    const [outside, ...inside] = own;
    const subnet = 1 + NETWORKS.indexOf(outside!);
    const dependence = fc.constantFrom('endpoint-independent', 'address-dependent');
    const translation = fc.record({
      outside: fc.constant(outside!),
      inside: fc.constant(inside),
      mapping: dependence,
      filtering: dependence,
      hairpinning: fc.boolean(),
    });
    return fc.record({
      name: fc.constant(name),
      interfaces: fc.tuple(
        ...own.map((network) =>
          fc.record({
            network: fc.constant(network),
            addresses: fc.constantFrom(
              [`10.0.${1 + NETWORKS.indexOf(network)}.${last}/24`],
              [`10.0.${1 + NETWORKS.indexOf(network)}.${last - 10}/24`],
            ),
            link: linkModel(),
          }),
        ),
      ),
      routes: fc.dictionary(
        fc.constantFrom('0.0.0.0/0', '192.168.0.0/16'),
        fc.constantFrom(`10.0.${subnet}.1`, `10.0.${subnet}.3`),
      ),
      translation: inside.length === 0 ? fc.constant(null) : fc.option(translation),
    });
  });
}
