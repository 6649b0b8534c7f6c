import type { LinkModel } from './link.ts';
import type { NetworkModel } from './network.ts';

/** How a router translates from its inside networks to its outside one (RFC 4787, sections 4 and 5). */
export interface TranslationModel {
  readonly outside: string;
  readonly inside: readonly string[];
  readonly mapping: 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent';
  readonly filtering: 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent';
  readonly hairpinning: boolean;
}

/** A router's place in a network. */
export interface RouterInterfaceModel {
  readonly network: string;
  /** As `10.0.0.254/24`. */
  readonly addresses: readonly string[];
  readonly link: LinkModel;
}

/** A machine between networks. */
export interface RouterModel {
  readonly name: string;
  readonly interfaces: readonly RouterInterfaceModel[];
  /** By destination network, as `0.0.0.0/0`: the next hop's address. */
  readonly routes: Readonly<Record<string, string>>;
  readonly translation: TranslationModel | null;
}

/** A node as its file wants it. Plain data, complete. */
export interface NodeModel {
  readonly networks: readonly NetworkModel[];
  readonly routers: readonly RouterModel[];
}
