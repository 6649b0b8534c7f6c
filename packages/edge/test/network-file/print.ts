/** A model as the text of a file that says the same: for tests that read it again. */
import { stringify } from 'yaml';
import type {
  AttachmentModel,
  GatewayModel,
  LinkModel,
  NetworkModel,
  NodeModel,
  PortModel,
  PublicationModel,
  RouterModel,
  StationModel,
} from '../../src/index.ts';

/** The text of a file. */
export function printNodeFile({ networks, routers }: NodeModel): string {
  return stringify({
    networks: byName(networks, network),
    routers: byName(routers, router),
  });
}

function byName<T extends { readonly name: string }>(
  all: readonly T[],
  print: (one: T) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(all.map((one) => [one.name, print(one)]));
}

function network(model: NetworkModel): unknown {
  const { kind, gateway, attachments, publications, ...rest } = model;
  const ofKind = (wanted: string): AttachmentModel[] =>
    attachments.filter(({ station }) => keyOf(station) === wanted);
  const isDirect = kind.kind === 'direct';
  return {
    ...kind,
    mtu: rest.mtu,
    subnets: rest.subnets,
    router: rest.routers,
    ...(gateway === null ? !isDirect && { gateway: false } : printGateway(gateway)),
    ...(!isDirect && {
      switch: {
        ageing: `${rest.switch.ageing}ms`,
        snooping: rest.switch.snooping,
        stations: rest.switch.stations,
        spanningTree: rest.switch.spanningTree ?? false,
      },
      taps: byName(ofKind('taps'), attachment),
      qemu: byName(ofKind('qemu'), attachment),
    }),
    machines: byName(ofKind('machines'), attachment),
    ...(publications.length > 0 && { publish: publications.map(publication) }),
  };
}

function server(one: GatewayModel['dhcp']): unknown {
  return (
    one !== null && {
      ...(one.range !== null && { range: `${one.range.first}-${one.range.last}` }),
      lease: `${one.lease}ms`,
    }
  );
}

function printGateway(model: GatewayModel): object {
  const { dhcp, dhcpv6, dns, reservations, uplink, advertisements } = model;
  const rules = (verdict: string): string[] =>
    uplink!.rules.filter((rule) => rule.verdict === verdict).map(({ subject }) => subject);
  return {
    gateway: model.addresses.map((address) => address.replace(/\/\d+$/, '')),
    dhcp: server(dhcp),
    dhcpv6: server(dhcpv6),
    advertisements,
    dns: dns ?? false,
    reservations: reservations.map(({ mac, name, addresses }) => ({
      mac,
      ...(name !== null && { name }),
      address: addresses,
    })),
    uplink: uplink !== null && {
      hostAccess: uplink.hostAccess,
      deny: rules('deny'),
      allow: rules('allow'),
    },
  };
}

function keyOf({ kind }: StationModel): 'machines' | 'taps' | 'qemu' {
  return kind === 'machine' ? 'machines' : kind === 'tap' ? 'taps' : 'qemu';
}

function attachment({ station, port }: AttachmentModel): unknown {
  return { ...printStation(station), ...printPort(port) };
}

function printStation(station: StationModel): object {
  switch (station.kind) {
    case 'machine':
      return {
        run: station.services.map((one) =>
          one.kind === 'module' ? { module: one.path, port: one.port } : one.kind,
        ),
        address: station.addresses,
        ...(station.mac !== null && { mac: station.mac }),
      };
    case 'tap': {
      const { interface: name, namespace, addresses, defaultRoute } = station;
      const place = namespace === null ? {} : { namespace };
      return { interface: name, ...place, address: addresses, defaultRoute };
    }
    case 'qemu-stream':
      return 'listen' in station ? { listen: station.listen } : { connect: station.connect };
    case 'qemu-datagram':
      return { local: station.local, remote: station.remote };
  }
}

function printPort({ vlan, link, shaping, ...rest }: PortModel): object {
  return {
    ...rest,
    vlan: vlan.mode === 'access' ? vlan.vlan : printTrunk(vlan),
    ...(shaping !== null && { shaping: `${shaping.rate}bit` }),
    link: printLink(link),
  };
}

function printTrunk({ allowed, native }: Extract<PortModel['vlan'], { mode: 'trunk' }>): object {
  const trunk =
    allowed === 'all'
      ? allowed
      : allowed.map((range) => (typeof range === 'number' ? range : range.join('-')));
  return { trunk, ...(native !== undefined && { native }) };
}

function printLink({ delay, jitter = 0, rate, queueBytes, ...rest }: LinkModel): object {
  const { loss, reorder, duplicate, corrupt, ...plain } = rest;
  const shares = Object.entries({ loss, reorder, duplicate, corrupt }).flatMap(([key, share]) =>
    share === undefined ? [] : [[key, `${share * 100}%`]],
  );
  return {
    ...(delay !== undefined && { delay: `${delay}ms±${jitter}ms` }),
    ...(rate !== undefined && { rate: `${rate}bit` }),
    ...(queueBytes !== undefined && { queue: `${queueBytes}B` }),
    ...Object.fromEntries(shares),
    ...plain,
  };
}

function publication({ listen, station, port, protocol }: PublicationModel): string {
  return `${listen}:${station.includes(':') ? `[${station}]` : station}:${port}/${protocol}`;
}

function router({ interfaces, routes, translation }: RouterModel): unknown {
  return {
    interfaces: Object.fromEntries(
      interfaces.map(({ network: name, addresses, link }) => [
        name,
        { address: addresses, link: printLink(link) },
      ]),
    ),
    routes,
    ...(translation !== null && { nat: translation }),
  };
}
