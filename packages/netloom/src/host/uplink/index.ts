/** A network's way out over another host: the user-mode uplink. */
export { FLOW_CLOSED, FLOW_OPENED, type DestinationAccount, type FlowTable } from './flow-table.ts';
export type { FlowEnd, FlowEnds, FlowProtocol, FlowState, UplinkFlow } from './flow.ts';
export { UPLINK_LIMITS, type UplinkLimits } from './limits.ts';
export type { FlowRequest, HostAccess, PolicyOptions } from './policy.ts';
export type { Publication, PublicationOptions } from './publication.ts';
export { Uplink, uplink, type UplinkOptions } from './uplink.ts';
