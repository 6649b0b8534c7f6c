/** How a running node is told and asked: its API, the local socket it is served at, and the client. */
export { ControlApi, type ControlApiOptions } from './api.ts';
export {
  controlClient,
  type CaptureOptions,
  type ControlClient,
  type ControlClientOptions,
  type FileRefused,
  type NodeFileText,
  type OfNetwork,
} from './client.ts';
export type { ControlledNetwork, ControlledNode } from './controlled-node.ts';
export { guarded, type GuardOptions } from './guard.ts';
export { keptToken } from './kept-token.ts';
export { CONTROL_LIMITS, type ControlLimits } from './limits.ts';
export { claimNode, serveControl, type ControlServer, type NodeClaim } from './serve-control.ts';
export { serveDashboard, type DashboardOptions, type DashboardServer } from './serve-dashboard.ts';
export { NETLOOM_VERSION } from '../node/version.ts';
