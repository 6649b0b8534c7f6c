/** Random models as a file can say them: whole, in the one form that each thing has. */
import fc from 'fast-check';
import type {
  AttachmentModel,
  GatewayModel,
  LinkModel,
  NetworkKind,
  NetworkModel,
  NodeModel,
  PortModel,
  PublicationModel,
  RouterModel,
  StationModel,
  SwitchModel,
  VlanModel,
} from '../../src/index.ts';
import { record } from '../../../netloom/test/arbitraries.ts';

const share = fc.integer({ min: 1, max: 100 }).map((percent) => percent / 100);
const milliseconds = fc.integer({ min: 1, max: 100_000 });
const rate = fc.integer({ min: 1, max: 10_000_000_000 });

const link: fc.Arbitrary<LinkModel> = fc
  .record(
    {
      line: milliseconds.chain((delay) =>
        record({ delay: fc.constant(delay), jitter: fc.nat(delay) }),
      ),
      rate,
      queueBytes: fc.nat(10_000_000),
      loss: share,
      reorder: share,
      duplicate: share,
      corrupt: share,
      partition: fc.constant(true),
      seed: fc.nat(),
    },
    { requiredKeys: [] },
  )
  .map(({ line, ...rest }) => {
    if (line === undefined) return { ...rest };
    const { delay, jitter } = line;
    return { delay, ...(jitter > 0 && { jitter }), ...rest };
  });

const vlan: fc.Arbitrary<VlanModel> = fc.oneof(
  record({ mode: fc.constant('access' as const), vlan: fc.integer({ min: 1, max: 4094 }) }),
  record({
    mode: fc.constant('trunk' as const),
    allowed: fc.constantFrom('all' as const, [1, [10, 20] as const, 4094], [[2, 4094] as const]),
  }),
  record({
    mode: fc.constant('trunk' as const),
    allowed: fc.constantFrom('all' as const, [7]),
    native: fc.integer({ min: 1, max: 4094 }),
  }),
);

const storm = fc
  .record(
    { broadcast: fc.nat(1000), multicast: fc.nat(1000), unknownUnicast: fc.nat(1000) },
    { requiredKeys: ['broadcast', 'unknownUnicast'] },
  )
  .map((made) => ({ ...made }));

const port: fc.Arbitrary<PortModel> = record<PortModel>({
  vlan,
  priority: fc.oneof(fc.nat(7), fc.constant('dscp' as const)),
  isolated: fc.boolean(),
  stations: fc.nat(5000),
  whenFull: fc.constantFrom('forward', 'drop'),
  storm,
  shaping: fc.option(record({ rate })),
  link,
});

/** Station `index` of network `net`, whose subnet is 10.NET.0.0/24. */
function station(net: number, index: number, hasGateway: boolean): fc.Arbitrary<StationModel> {
  const addresses = fc.constantFrom([], [`10.${net}.0.${10 + index}`]);
  const machine = record<StationModel>({
    kind: fc.constant('machine'),
    services: fc.subarray([
      { kind: 'web' },
      { kind: 'echo' },
      { kind: 'sink' },
      { kind: 'module', path: '/srv/app.ts', port: 8080 },
    ] as const),
    addresses,
    mac: fc.constantFrom(null, `02:00:00:00:0${net}:0${index}`),
  });
  const tap = record<StationModel>({
    kind: fc.constant('tap'),
    interface: fc.constant(`t${net}-${index}`),
    namespace: fc.constantFrom(null, 'blue', '/run/netns/x y'),
    addresses: addresses.map((all) => all.map((one) => `${one}/24`)),
    defaultRoute: hasGateway ? fc.boolean() : fc.constant(false),
  });
  const place = 7000 + 100 * net + 2 * index;
  const qemu = fc.constantFrom<StationModel>(
    { kind: 'qemu-stream', listen: `127.0.0.1:${place}` },
    { kind: 'qemu-stream', connect: `[::1]:${place}` },
    { kind: 'qemu-datagram', local: `127.0.0.1:${place}`, remote: `127.0.0.1:${place + 1}` },
  );
  return fc.oneof(machine, machine, tap, qemu);
}

/** In the order of the file: machines, TAPs, QEMUs. */
function attachments(net: number, hasGateway: boolean): fc.Arbitrary<AttachmentModel[]> {
  const order = ['machine', 'tap', 'qemu-stream', 'qemu-datagram'];
  const rank = ({ station: { kind } }: AttachmentModel): number => Math.min(2, order.indexOf(kind));
  return fc
    .subarray([0, 1, 2, 3, 4])
    .chain((indices) =>
      fc.tuple(
        ...indices.map((index) =>
          record<AttachmentModel>({
            name: fc.constant(`s${index}`),
            station: station(net, index, hasGateway),
            port,
          }),
        ),
      ),
    )
    .map((all) => all.toSorted((a, b) => rank(a) - rank(b)));
}

function dhcp(first: string, last: string): fc.Arbitrary<GatewayModel['dhcp']> {
  return fc.option(record({ range: fc.constantFrom(null, { first, last }), lease: milliseconds }));
}

function gateway(net: number, hasIpv6: boolean): fc.Arbitrary<GatewayModel> {
  const v4 = fc.constantFrom(`10.${net}.0.1/24`, `10.${net}.0.254/24`);
  const v6 = `fd00:${net}::1/64`;
  return record<GatewayModel>({
    addresses: v4.map((address) => (hasIpv6 ? [address, v6] : [address])),
    dhcp: dhcp(`10.${net}.0.100`, `10.${net}.0.199`),
    dhcpv6: hasIpv6 ? dhcp(`fd00:${net}::100`, `fd00:${net}::1ff`) : fc.constant(null),
    advertisements: hasIpv6 ? fc.boolean() : fc.constant(false),
    dns: fc.option(
      record({
        zone: fc.constantFrom('lan', 'a.example'),
        names: fc.constantFrom({}, { db: ['192.0.2.1', 'fd00::1'], 'x.lan': [] }),
      }),
    ),
    reservations: fc.subarray([
      { mac: '02:00:00:00:aa:01', name: 'printer', addresses: [`10.${net}.0.90`] },
      { mac: '02:00:00:00:aa:02', name: null, addresses: [] },
    ]),
    routes: fc.constant({}),
    uplink: fc.option(
      record({
        hostAccess: fc.boolean(),
        rules: fc.subarray([
          { verdict: 'deny', subject: '10.0.0.0/8' } as const,
          { verdict: 'deny', subject: 'example.org' } as const,
          { verdict: 'allow', subject: '2001:db8::/32' } as const,
        ]),
      }),
    ),
  });
}

const bridging: fc.Arbitrary<SwitchModel> = record<SwitchModel>({
  ageing: milliseconds,
  spanningTree: fc.option(
    record({
      protocol: fc.constantFrom('rstp', 'stp'),
      priority: fc.nat(15).map((step) => step * 4096),
    }),
  ),
  snooping: fc.boolean(),
  stations: fc.integer({ min: 1, max: 20_000 }),
});

function kind(net: number): fc.Arbitrary<NetworkKind> {
  return fc.constantFrom<NetworkKind>(
    { kind: 'isolated' },
    { kind: 'isolated' },
    { kind: 'bridged', bridge: 'br0' },
    { kind: 'bridged', interface: 'eth0.1' },
    {
      kind: 'overlay',
      identifier: net,
      local: '0.0.0.0:4789',
      peers: ['192.0.2.1:4789', '192.0.2.2:1'],
    },
    { kind: 'overlay', identifier: net, local: '[::]:4789', peers: [] },
  );
}

function listener({ protocol, listen }: PublicationModel): string {
  return `${protocol} ${listen}`;
}

function publications(net: number, names: readonly string[]): fc.Arbitrary<PublicationModel[]> {
  const one = record<PublicationModel>({
    protocol: fc.constantFrom('tcp', 'udp'),
    listen: fc.constantFrom(`127.0.0.1:${9000 + net}`, `[::1]:${9100 + net}`, '127.0.0.1:0'),
    station: fc.constantFrom(...names, `10.${net}.0.9`),
    port: fc.integer({ min: 1, max: 65_535 }),
  });
  return fc.uniqueArray(one, { maxLength: 3, selector: listener });
}

function network(net: number): fc.Arbitrary<NetworkModel> {
  return fc.tuple(fc.boolean(), fc.boolean()).chain(([hasIpv6, hasGateway]) =>
    attachments(net, hasGateway).chain((stations) => {
      const names = stations.map(({ name }) => name);
      const v4 = `10.${net}.0.0/24`;
      return record<NetworkModel>({
        name: fc.constant(`n${net}`),
        kind: kind(net),
        mtu: fc.integer({ min: 1280, max: 9000 }),
        subnets: fc.constant(hasIpv6 ? [v4, `fd00:${net}::/64`] : [v4]),
        routers: fc.constantFrom([], [`10.${net}.0.77`]),
        switch: bridging,
        gateway: hasGateway ? gateway(net, hasIpv6) : fc.constant(null),
        attachments: fc.constant(stations),
        publications: hasGateway ? publications(net, names) : fc.constant([]),
      });
    }),
  );
}

function router(index: number): fc.Arbitrary<RouterModel> {
  const dependence = fc.constantFrom(
    'endpoint-independent',
    'address-dependent',
    'address-and-port-dependent',
  );
  return record<RouterModel>({
    name: fc.constant(`r${index}`),
    interfaces: fc.tuple(
      ...[1, 2, 3].map((net) =>
        record({
          network: fc.constant(`n${net}`),
          addresses: fc.constant([`10.${net}.0.${200 + index}/24`]),
          link,
        }),
      ),
    ),
    routes: fc.constantFrom({}, { '0.0.0.0/0': '10.1.0.250', '192.0.2.0/24': '10.2.0.250' }),
    translation: fc.option(
      record({
        outside: fc.constant('n1'),
        inside: fc.constantFrom(['n2'], ['n3', 'n2']),
        mapping: dependence,
        filtering: dependence,
        hairpinning: fc.boolean(),
      }),
    ),
  });
}

/** A node, with three networks or none. */
export const fileModel: fc.Arbitrary<NodeModel> = fc.oneof(
  { weight: 1, arbitrary: fc.constant({ networks: [], routers: [] }) },
  {
    weight: 20,
    arbitrary: record<NodeModel>({
      networks: fc.tuple(network(1), network(2), network(3)),
      routers: fc.subarray([1, 2]).chain((indices) => fc.tuple(...indices.map(router))),
    }),
  },
);
