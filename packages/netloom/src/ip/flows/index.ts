/** Flows as an onlooker sees them: frames sorted into connections, and their bytes put in order. */
export type { Flow, FlowDirection, FlowEnd, FlowTraffic } from './flow.ts';
export { FlowTracker, type FlowFrame, type FlowSink } from './flow-tracker.ts';
export { FLOW_TRACKER_LIMITS, type FlowTrackerLimits } from './limits.ts';
