/** What waits at a port: classes, flows, and a rate. */
export { dscpPriority, FlowHash, rankOf } from './classify.ts';
export { EgressScheduler, type ClassStatistics } from './scheduler.ts';
export { completeQueueing, type QueueingSettings } from './settings.ts';
