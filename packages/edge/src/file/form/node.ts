/** The keys of a router, and of the whole file. */
import type { Cidr, IpAddress } from 'netloom/core';
import { formatNetwork } from '../../text/index.ts';
import { ADDRESS, ADDRESS_OR_CIDR, CIDR, NAME } from '../scalars.ts';
import {
  as,
  either,
  flag,
  mapOf,
  oneOf,
  oneOrMany,
  record,
  text,
  written,
  type Keyed,
  type Listed,
  type Shape,
} from '../shape.ts';
import { LINK, type LinkText } from './line.ts';
import { NETWORK, type NetworkText } from './network.ts';

/** What a file says of a router's place in a network. */
export interface RouterInterfaceText {
  readonly address: Listed<IpAddress | Cidr>;
  readonly link: Partial<LinkText>;
}

/** What a NAT looks at. */
export type DependenceText =
  | 'endpoint-independent'
  | 'address-dependent'
  | 'address-and-port-dependent';

/** What a file says of a NAT. */
export interface NatText {
  readonly outside: string;
  readonly inside: Listed<string>;
  readonly mapping: DependenceText;
  readonly filtering: DependenceText;
  readonly hairpinning: boolean;
}

/** What a file says of a router. */
export interface RouterText {
  readonly interfaces: Keyed<Partial<RouterInterfaceText>>;
  readonly routes: Keyed<IpAddress>;
  readonly nat: Partial<NatText>;
}

/** What a file says. */
export interface NodeText {
  readonly networks: Keyed<Partial<NetworkText>>;
  readonly routers: Keyed<Partial<RouterText>>;
}

const ADDRESSES = oneOrMany('addresses', ADDRESS_OR_CIDR);

const ROUTER_INTERFACE: Shape<Partial<RouterInterfaceText>> = either<Partial<RouterInterfaceText>>(
  'an address, or a map',
  'Write the router’s address in the network, as 10.0.0.254, or a map with keys as address, link.',
  as({ ...ADDRESSES, takes: ['text', 'list'] }, (address) => ({ address })),
  written(
    record<RouterInterfaceText>('an interface', {
      address: {
        shape: ADDRESSES,
        about: 'Its addresses there: one or several.',
        otherwise: 'none; it has to be there',
      },
      link: {
        shape: LINK,
        about: 'What is wrong with its line, on purpose.',
        otherwise: 'nothing',
      },
    }),
  ),
);

const DEPENDENCE = oneOf([
  'endpoint-independent',
  'address-dependent',
  'address-and-port-dependent',
]);

/** Whether there is one is found out when all are known. */
const NETWORK_NAME: Shape<string> = text(
  'the name of a network',
  'Write the name of a network of this file.',
  (written) => written,
);

const NAT: Shape<Partial<NatText>> = either<Partial<NatText>>(
  'the name of a network, or a map',
  'Write the network outside, or a map with keys as outside, inside, mapping.',
  as(NETWORK_NAME, (outside) => ({ outside })),
  written(
    record<NatText>('nat', {
      outside: {
        shape: NETWORK_NAME,
        about: 'The network outside, in which others are seen with the router’s address.',
        otherwise: 'none; it has to be there',
      },
      inside: {
        shape: oneOrMany('networks', NETWORK_NAME),
        about: 'The networks inside.',
        otherwise: 'all others of the router',
      },
      mapping: {
        shape: DEPENDENCE,
        about:
          'Whether the port outside is another for another remote address, or port (RFC 4787, section 4.1).',
        otherwise: 'endpoint-independent',
      },
      filtering: {
        shape: DEPENDENCE,
        about: 'From whom answers are let in (RFC 4787, section 5).',
        otherwise: 'endpoint-independent',
      },
      hairpinning: {
        shape: flag,
        about: 'Whether those inside reach each other by their addresses outside.',
        otherwise: 'true',
      },
    }),
  ),
);

/** A destination, as it is written again. */
const DESTINATION: Shape<string> = {
  ...as(CIDR, formatNetwork),
  noun: 'a network',
};

const ROUTER: Shape<Partial<RouterText>> = record<RouterText>('a router', {
  interfaces: {
    shape: mapOf('interfaces', NETWORK_NAME, ROUTER_INTERFACE),
    about: 'By network: the router’s addresses there.',
    otherwise: 'none; there has to be one',
  },
  routes: {
    shape: mapOf('routes', DESTINATION, ADDRESS),
    about: 'By destination, as `0.0.0.0/0`: the address of the next router.',
    otherwise: 'none but to its own networks',
  },
  nat: {
    shape: NAT,
    about: 'Translates the addresses of networks inside to its own in the network outside.',
    otherwise: 'no translation',
  },
});

/** The whole file. */
export const NODE: Shape<Partial<NodeText>> = record<NodeText>('the file', {
  networks: {
    shape: mapOf('networks', NAME, NETWORK),
    about: 'The networks, by name.',
    otherwise: 'none',
  },
  routers: {
    shape: mapOf('routers', NAME, ROUTER),
    about: 'The machines between networks, by name.',
    otherwise: 'none',
  },
});
