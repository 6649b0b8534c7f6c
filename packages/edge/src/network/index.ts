/** Networks, live. */
export type {
  RecordingOptions,
  FrameRecorder,
  LeaseStores,
  NetworkEnvironment,
} from './environment.ts';
export { Network, type GatewayChange } from './network.ts';
export type { Station, StationContext, StationOpener } from './station/index.ts';
export { NETWORK_STATE, NETWORK_TRANSITIONS, type NetworkEvent } from './states.ts';
