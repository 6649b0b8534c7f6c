import type { Counters } from '../../../core/index.ts';
import type { Bpdu, BridgeIdentifier } from '../../../wire/index.ts';
import type { SpanningTreeGuard, SpanningTreePortState, TreeBridge } from './bridge.ts';
import type { SpanningTreePortRole, TreePort } from './port.ts';
import type { SpanningTreeMode } from './settings.ts';

/** How many BPDUs there were of each kind. */
export type BpduCounts = Readonly<Record<Bpdu['kind'], number>>;

/** What a bridge knows of the tree, at one instant. Times are milliseconds. */
export interface SpanningTreeBridgeStatus {
  readonly mode: SpanningTreeMode;
  readonly bridge: BridgeIdentifier;
  readonly root: BridgeIdentifier;
  readonly isRoot: boolean;
  readonly rootPathCost: number;
  /** The port that leads to the root; none on the root itself. */
  readonly rootPort: number | undefined;
  /** Those in use, which are the root's. */
  readonly helloTime: number;
  readonly maxAge: number;
  readonly forwardDelay: number;
  /** Changes seen by this bridge or told to it. */
  readonly topologyChanges: number;
  /** When the last one was. */
  readonly topologyChangedAt: number | undefined;
}

/** What a port is to the tree, at one instant. */
export interface SpanningTreePortStatus {
  readonly port: number;
  readonly up: boolean;
  readonly role: SpanningTreePortRole;
  readonly state: SpanningTreePortState;
  readonly cost: number;
  /** Priority and number, as BPDUs tell them. */
  readonly identifier: number;
  /** No bridge is behind it. */
  readonly edge: boolean;
  readonly pointToPoint: boolean;
  /** What is spoken on it. */
  readonly protocol: SpanningTreeMode;
  /** The bridge that leads from its link to the root, this one included; what that costs there; and the port it does it by. */
  readonly designatedBridge: BridgeIdentifier;
  readonly designatedCost: number;
  readonly designatedPort: number;
  /** The guard that has shut it. */
  readonly guardedBy: SpanningTreeGuard | undefined;
  readonly received: BpduCounts;
  readonly sent: BpduCounts;
  /** Frames not taken, by reason. */
  readonly drops: Counters;
}

/** What the bridge knows now. */
export function bridgeStatus(bridge: TreeBridge): SpanningTreeBridgeStatus {
  const { root, rootPathCost } = bridge.rootPriority;
  const { helloTime, maxAge, forwardDelay } = bridge.rootTimes;
  return {
    mode: bridge.settings.mode,
    bridge: bridge.BridgeIdentifier,
    root,
    isRoot: bridge.rootPort === undefined,
    rootPathCost,
    rootPort: bridge.rootPort?.number,
    helloTime,
    maxAge,
    forwardDelay,
    topologyChanges: bridge.topologyChanges,
    topologyChangedAt: bridge.topologyChangedAt,
  };
}

/** What the port is now. */
export function portStatus(port: TreePort): SpanningTreePortStatus {
  return {
    port: port.number,
    up: port.isUp,
    role: port.role,
    state: port.state,
    cost: port.settings.cost,
    identifier: port.portId,
    edge: port.operEdge,
    pointToPoint: port.settings.pointToPoint,
    protocol: port.sendRSTP ? 'rstp' : 'stp',
    designatedBridge: port.portPriority.designatedBridge,
    designatedCost: port.portPriority.rootPathCost,
    designatedPort: port.portPriority.designatedPort,
    guardedBy: port.guardedBy,
    received: { ...port.received },
    sent: { ...port.sent },
    drops: port.drops,
  };
}
