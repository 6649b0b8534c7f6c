/** The spanning tree of a bridge: STP and RSTP. */
export type { SpanningTreeGuard, SpanningTreePortState } from './bridge.ts';
export type { SpanningTreePortRole } from './port.ts';
export {
  SPANNING_TREE_LIMITS,
  type SpanningTreeLimits,
  type SpanningTreeMode,
  type SpanningTreeOptions,
  type SpanningTreePortOptions,
} from './settings.ts';
export {
  SPANNING_TREE_DROP,
  SPANNING_TREE_STATE,
  SpanningTree,
  type SpanningTreePortChange,
  type SpanningTreeSink,
} from './spanning-tree.ts';
export type { BpduCounts, SpanningTreeBridgeStatus, SpanningTreePortStatus } from './status.ts';
