/** The keys of machines, TAPs and QEMU's guests. */
import { IpAddress, type Cidr } from 'netloom/core';
import { ADDRESS, ADDRESS_OR_CIDR, INTERFACE, MAC, PORT, WORD, endpoint } from '../scalars.ts';
import {
  as,
  either,
  flag,
  oneOrMany,
  record,
  text,
  type Fields,
  type Listed,
  type Shape,
} from '../shape.ts';
import { PORT_FIELDS, type PortText } from './line.ts';

const BUILT_IN = ['web', 'echo', 'sink'] as const;

/** What a file says of a machine's service. */
export type ServiceText =
  | { readonly kind: (typeof BUILT_IN)[number] }
  | { readonly kind: 'module'; readonly module?: string; readonly port?: number };

interface ModuleText {
  readonly module: string;
  readonly port: number;
}

const SERVICE_NAME: Shape<ServiceText> = text<ServiceText>(
  'web, echo, sink or a module',
  'Write one of these words, or the path of a module, as ./app.ts.',
  parseService,
  { type: 'string', examples: [...BUILT_IN, './app.ts'] },
  BUILT_IN,
);

function parseService(written: string): ServiceText | undefined {
  const kind = BUILT_IN.find((name) => name === written);
  if (kind !== undefined) return { kind };
  return /^\.{0,2}\/.|\.[cm]?[jt]s$/.test(written)
    ? { kind: 'module', module: written }
    : undefined;
}

const MODULE: Shape<ServiceText> = as(
  record<ModuleText>('a service', {
    module: {
      shape: WORD,
      about: 'The module; its default export has `fetch(request)`.',
      otherwise: 'none; it has to be there',
    },
    port: { shape: PORT, about: 'The TCP port it is served on.', otherwise: '80' },
  }),
  (module): ServiceText => ({ kind: 'module', ...module }),
);

const SERVICES: Shape<Listed<ServiceText>> = oneOrMany(
  'services',
  either('a service', SERVICE_NAME.remedy, SERVICE_NAME, MODULE),
);

/** What a file says of a machine. */
export interface MachineText extends PortText {
  readonly run: Listed<ServiceText>;
  readonly address: Listed<IpAddress>;
  readonly mac: string;
}

const MACHINE_FIELDS: Fields<MachineText> = {
  run: {
    shape: SERVICES,
    about:
      'What it does: `web` (a page, TCP port 80), `echo` (TCP and UDP port 7), `sink` (TCP and UDP port 9), a module of yours; or several of them.',
    otherwise: 'nothing; it answers pings',
  },
  address: {
    shape: oneOrMany('addresses', ADDRESS),
    about: 'One address or several.',
    otherwise: 'what the gateway’s DHCP gives it',
  },
  mac: {
    shape: MAC,
    about: 'The address of its network card.',
    otherwise:
      'one that follows from the names of network and machine, and of this node where others are on the network',
  },
  ...PORT_FIELDS,
};

/** A machine on our own stack; what it runs may stand alone. */
export const MACHINE: Shape<Partial<MachineText>> = either<Partial<MachineText>>(
  'a machine',
  'Write what it runs, as web, or a map with keys as run, address, link.',
  as(SERVICE_NAME, (service) => ({ run: [service] })),
  record('a machine', MACHINE_FIELDS),
);

/** What a file says of a TAP. */
export interface TapText extends PortText {
  readonly interface: string;
  readonly namespace: string;
  readonly address: Listed<IpAddress | Cidr>;
  readonly defaultRoute: boolean;
}

/** A TAP of this machine's kernel. */
export const TAP: Shape<Partial<TapText>> = record<TapText>('a TAP', {
  interface: { shape: INTERFACE, about: 'The interface’s name.', otherwise: 'the station’s name' },
  namespace: {
    shape: WORD,
    about: 'The network namespace it is in: a name of `ip netns`, or a path.',
    otherwise: 'that of netloom itself',
  },
  address: {
    shape: oneOrMany('addresses', ADDRESS_OR_CIDR),
    about: 'What the kernel’s end is given: one address or several.',
    otherwise: 'none, so that a DHCP client may ask',
  },
  defaultRoute: {
    shape: flag,
    about: 'Whether the kernel’s end gets a default route to the gateway.',
    otherwise: 'true with a namespace, addresses and a gateway',
  },
  ...PORT_FIELDS,
});

/** What a file says of a QEMU. */
export interface QemuText extends PortText {
  readonly listen: string;
  readonly connect: string;
  readonly local: string;
  readonly remote: string;
}

const LOOPBACK = { address: IpAddress.LOOPBACK4 };

/** The network card of a QEMU, over a socket. */
export const QEMU: Shape<Partial<QemuText>> = record<QemuText>('a QEMU', {
  listen: {
    shape: endpoint('an address and a port', LOOPBACK),
    about: 'Where its `-netdev stream` connects to, as 127.0.0.1:7001 or 7001.',
    otherwise: 'none; `listen`, `connect`, or `local` and `remote` have to be there',
  },
  connect: {
    shape: endpoint('an address and a port', LOOPBACK),
    about: 'Where its `-netdev stream,server=on` listens.',
    otherwise: 'none',
  },
  local: {
    shape: endpoint('an address and a port', LOOPBACK),
    about: 'Where its `-netdev dgram` sends to: our end.',
    otherwise: 'none',
  },
  remote: {
    shape: endpoint('an address and a port', LOOPBACK),
    about: 'Where its `-netdev dgram` is.',
    otherwise: 'none',
  },
  ...PORT_FIELDS,
});
