/** The keys of a network. */
import { IpAddress, formatSocketAddress, type Cidr, type SocketAddress } from 'netloom/core';
import { LARGEST_VXLAN_IDENTIFIER, VXLAN_PORT } from 'netloom/wire';
import type { PublicationModel } from '../../model/index.ts';
import { PUBLICATION } from '../publication-text.ts';
import {
  ADDRESS,
  CIDR,
  DOMAIN,
  DURATION,
  INTERFACE,
  MAC,
  NAME,
  RANGE,
  RULE_SUBJECT,
  endpoint,
  type AddressRange,
} from '../scalars.ts';
import {
  either,
  flag,
  integer,
  list,
  mapOf,
  oneOf,
  oneOrMany,
  record,
  written,
  type Keyed,
  type Listed,
  type Shape,
} from '../shape.ts';
import { LINK, type LinkText } from './line.ts';
import { MACHINE, QEMU, TAP, type MachineText, type QemuText, type TapText } from './station.ts';

/** What a file says of a DHCP server. */
export interface DhcpText {
  readonly range: AddressRange;
  readonly lease: number;
}

/** What a file says of a name server. */
export interface DnsText {
  readonly zone: string;
  readonly names: Keyed<Listed<IpAddress>>;
}

/** What a file says of what is kept for a client. */
export interface ReservationText {
  readonly mac: string;
  readonly name: string;
  readonly address: Listed<IpAddress>;
}

/** What a file says of the way to the world. */
export interface UplinkText {
  readonly hostAccess: boolean;
  readonly allow: Listed<string>;
  readonly deny: Listed<string>;
}

/** What a file says of a spanning tree. */
export interface SpanningTreeText {
  readonly protocol: 'rstp' | 'stp';
  readonly priority: number;
}

/** What a file says of a switch. */
export interface SwitchText {
  readonly ageing: number;
  readonly spanningTree: boolean | Partial<SpanningTreeText>;
  readonly snooping: boolean;
  readonly stations: number;
}

/** What a file says of a network. */
export interface NetworkText {
  readonly kind: 'isolated' | 'bridged' | 'overlay' | 'direct';
  readonly bridge: string;
  readonly interface: string;
  readonly identifier: number;
  readonly local: string;
  readonly peers: Listed<string>;
  readonly mtu: number;
  readonly subnets: Listed<Cidr>;
  readonly gateway: boolean | Listed<IpAddress>;
  readonly router: Listed<IpAddress>;
  readonly dhcp: boolean | Partial<DhcpText>;
  readonly dhcpv6: boolean | Partial<DhcpText>;
  readonly advertisements: boolean;
  readonly dns: boolean | Partial<DnsText>;
  readonly reservations: Listed<Partial<ReservationText>>;
  readonly uplink: boolean | Partial<UplinkText>;
  readonly switch: Partial<SwitchText>;
  readonly link: Partial<LinkText>;
  readonly machines: Keyed<Partial<MachineText>>;
  readonly taps: Keyed<Partial<TapText>>;
  readonly qemu: Keyed<Partial<QemuText>>;
  readonly publish: Listed<PublicationModel>;
}

/** Where an overlay listens unless the file says otherwise. */
export const ANY_VXLAN: SocketAddress = { address: IpAddress.ANY4, port: VXLAN_PORT };
/** Least: what every IPv4 machine takes (RFC 791, section 3.1); most: what the kernel takes on a TAP. */
const MTU = integer('an MTU', 576, 65_521);

const SPANNING_TREE = record<SpanningTreeText>('spanningTree', {
  protocol: {
    shape: oneOf(['rstp', 'stp']),
    about: 'The protocol; `rstp` speaks `stp` with those that know no other.',
    otherwise: 'rstp',
  },
  priority: {
    shape: integer('a priority', 0, 61_440),
    about: 'The lowest is the root: 0 to 61440 in steps of 4096.',
    otherwise: '32768',
  },
});

/** `true`, `false`, or a map that says more. */
function flagOr<T extends object>(shape: Shape<Partial<T>>): Shape<boolean | Partial<T>> {
  const keys = Object.keys(shape.schema['properties'] ?? {}).join(', ');
  const remedy = `Write true, false, or a map with keys as ${keys}.`;
  return either<boolean | Partial<T>>('true, false or a map', remedy, flag, written(shape));
}

const SWITCH: Shape<Partial<SwitchText>> = record<SwitchText>('switch', {
  spanningTree: {
    shape: flagOr(SPANNING_TREE),
    about: 'Whether it takes part in a spanning tree.',
    otherwise: 'false',
  },
  snooping: {
    shape: flag,
    about: 'Whether the frames of groups go only where they are wanted (IGMP and MLD snooping).',
    otherwise: 'false',
  },
  ageing: {
    shape: DURATION,
    about: 'After which time a silent station is forgotten.',
    otherwise: '5m',
  },
  stations: {
    shape: integer('a number of stations', 1, 1_000_000),
    about: 'How many stations are known at all ports.',
    otherwise: '16384',
  },
});

function dhcp(noun: string, range: string): Shape<boolean | Partial<DhcpText>> {
  return flagOr(
    record<DhcpText>(noun, {
      range: {
        shape: RANGE,
        about: 'The addresses that are given out: the first and the last.',
        otherwise: range,
      },
      lease: { shape: DURATION, about: 'How long a lease is good for.', otherwise: '1h' },
    }),
  );
}

const DNS = flagOr(
  record<DnsText>('dns', {
    zone: {
      shape: DOMAIN,
      about: 'Where the names of its stations are.',
      otherwise: 'the network’s name',
    },
    names: {
      shape: mapOf('names', DOMAIN, oneOrMany('addresses', ADDRESS)),
      about: 'Further names: for each an address or several. A name without dots is of the zone.',
      otherwise: 'none',
    },
  }),
);

const RESERVATION = record<ReservationText>('a reservation', {
  mac: { shape: MAC, about: 'The client’s network card.', otherwise: 'none; it has to be there' },
  name: { shape: NAME, about: 'Its name.', otherwise: 'the one that it tells itself' },
  address: {
    shape: oneOrMany('addresses', ADDRESS),
    about: 'What it gets: one address of each family at most.',
    otherwise: 'any that are free',
  },
});

const UPLINK = flagOr(
  record<UplinkText>('uplink', {
    hostAccess: {
      shape: flag,
      about: 'Whether the loopback of this machine is reached at the gateway’s addresses.',
      otherwise: 'false',
    },
    allow: {
      shape: oneOrMany('networks, addresses and names', RULE_SUBJECT),
      about: 'What may be reached; where there is no `deny`, nothing else may.',
      otherwise: 'everything',
    },
    deny: {
      shape: oneOrMany('networks, addresses and names', RULE_SUBJECT),
      about: 'What may not be reached; the most exact rule decides.',
      otherwise: 'nothing',
    },
  }),
);

/** A network. */
export const NETWORK: Shape<Partial<NetworkText>> = record<NetworkText>('a network', {
  kind: {
    shape: oneOf(['isolated', 'bridged', 'overlay', 'direct']),
    about:
      '`isolated`: a switch in this process. `bridged`: joined to a bridge or an interface of this machine. `overlay`: joined to other nodes by VXLAN. `direct`: no switch, one machine straight on an interface.',
    otherwise: 'isolated',
  },
  bridge: {
    shape: INTERFACE,
    about: 'Of a bridged network: the bridge of this machine.',
    otherwise: 'none',
  },
  interface: {
    shape: INTERFACE,
    about: 'Of a bridged or direct network: the interface of this machine.',
    otherwise: 'none',
  },
  identifier: {
    shape: integer('a VXLAN identifier', 0, LARGEST_VXLAN_IDENTIFIER),
    about: 'Of an overlay: the VXLAN network identifier, the same on all nodes.',
    otherwise: 'none; it has to be there',
  },
  local: {
    shape: endpoint('an address and a port', ANY_VXLAN),
    about: 'Of an overlay: where this node listens.',
    otherwise: formatSocketAddress(ANY_VXLAN),
  },
  peers: {
    shape: oneOrMany(
      'the addresses of nodes',
      endpoint('the address of a node', { port: VXLAN_PORT }),
    ),
    about: 'Of an overlay: the other nodes; port 4789 unless another is given.',
    otherwise: 'none',
  },
  subnets: {
    shape: oneOrMany('networks', CIDR),
    about: 'Its networks of IP addresses, of either family.',
    otherwise: 'none; then there is no gateway',
  },
  gateway: {
    shape: either<boolean | Listed<IpAddress>>(
      'true, false or addresses',
      'Write true, false, or an address in each of the subnets.',
      flag,
      oneOrMany('addresses', ADDRESS),
    ),
    about:
      'Whether it has a gateway here, or the gateway’s addresses: the first of each subnet unless another is given.',
    otherwise: 'true if it is isolated and has subnets, else false',
  },
  router: {
    shape: oneOrMany('addresses', ADDRESS),
    about: 'Where the default routes of its stations lead: an address of each family at most.',
    otherwise: 'the gateway; if that has no uplink, or there is none, a router of this file',
  },
  dhcp: {
    shape: dhcp('dhcp', 'the upper half of the first IPv4 subnet'),
    about: 'Whether the gateway gives out IPv4 addresses.',
    otherwise: 'true with an IPv4 subnet of /30 or larger',
  },
  dhcpv6: {
    shape: dhcp('dhcpv6', 'those that end in 1000 to ffff, of the first IPv6 subnet'),
    about: 'Whether the gateway gives out IPv6 addresses.',
    otherwise: 'true with an IPv6 subnet',
  },
  advertisements: {
    shape: flag,
    about: 'Whether the gateway advertises itself as an IPv6 router.',
    otherwise: 'true with an IPv6 subnet',
  },
  dns: {
    shape: DNS,
    about:
      'Whether the gateway serves names: those of stations and clients, and what the resolvers of this machine know.',
    otherwise: 'true',
  },
  reservations: {
    shape: list('reservations', RESERVATION),
    about: 'What the gateway keeps for clients.',
    otherwise: 'none',
  },
  uplink: {
    shape: UPLINK,
    about: 'Whether its stations reach the world, over the sockets of this machine.',
    otherwise: 'false',
  },
  mtu: {
    shape: MTU,
    about: 'The longest packet.',
    otherwise: '1500; of an overlay 1450, or 1430 if it is carried over IPv6',
  },
  link: {
    shape: LINK,
    about: 'What is wrong with every line, unless its station says otherwise.',
    otherwise: 'nothing',
  },
  switch: { shape: SWITCH, about: 'What the switch does beside switching.', otherwise: 'nothing' },
  machines: {
    shape: mapOf('machines', NAME, MACHINE),
    about: 'Machines on our own TCP/IP stack, in this process.',
    otherwise: 'none',
  },
  taps: {
    shape: mapOf('TAPs', NAME, TAP),
    about: 'Interfaces of the kernel, in this network namespace or in others.',
    otherwise: 'none',
  },
  qemu: {
    shape: mapOf('QEMUs', NAME, QEMU),
    about: 'Guests of QEMU, by its sockets.',
    otherwise: 'none',
  },
  publish: {
    shape: oneOrMany('publications', PUBLICATION),
    about:
      'Ports of this machine that lead to a station’s, as `8080:web:80`, `0.0.0.0:53:dns:53/udp` or `[::1]:8080:10.0.0.9:80`.',
    otherwise: 'none',
  },
});
