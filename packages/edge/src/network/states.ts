import { channel, type Channel, type PublishedStep, type Transitions } from 'netloom/core';
import type { NetworkState } from '../status/index.ts';
import type { Network } from './network.ts';

/** What happens to a network. */
export type NetworkEvent =
  | 'configure'
  | 'activate'
  | 'suspend'
  | 'resume'
  | 'fail'
  | 'deactivate'
  | 'destroy';

/** The steps of a network: configuring makes what the model asks for; a network that has failed holds nothing, and may be configured again. */
export const NETWORK_TRANSITIONS: Transitions<NetworkState, NetworkEvent> = {
  created: { configure: 'configuring', deactivate: 'deactivating' },
  configuring: { activate: 'active', fail: 'failed' },
  active: { suspend: 'suspended', fail: 'failed', deactivate: 'deactivating' },
  suspended: { resume: 'active', fail: 'failed', deactivate: 'deactivating' },
  failed: { configure: 'configuring', deactivate: 'deactivating' },
  deactivating: { destroy: 'destroyed' },
  destroyed: {},
};

/** Steps of networks. */
export const NETWORK_STATE: Channel<PublishedStep<Network, NetworkState, NetworkEvent>> =
  channel('netloom:network:state');
