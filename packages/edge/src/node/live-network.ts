import type { Network, NetworkEnvironment } from '../network/index.ts';

/** What all networks of a node have of the outside. */
export type NodeEnvironment = Omit<NetworkEnvironment, 'leases' | 'place'>;

/** What a node needs of a network: {@link Network} is one. */
export type LiveNetwork = Pick<
  Network,
  | 'model'
  | 'state'
  | 'error'
  | 'start'
  | 'attach'
  | 'detach'
  | 'configurePort'
  | 'changeGateway'
  | 'publish'
  | 'unpublish'
  | 'connectRouter'
  | 'disconnectRouter'
  | 'routerLine'
  | 'impair'
  | 'ports'
  | 'status'
  | 'close'
>;
