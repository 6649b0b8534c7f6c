import type { CaptureSink } from 'netloom/link';
import type { LinkChange, NetworkModel, NodeModel } from '../model/index.ts';
import type { RecordingOptions } from '../network/index.ts';
import type { Plan, PlanReport } from '../plan/index.ts';
import type { FlowStatus, LeaseStatus, NodeStatus, PortStatus } from '../status/index.ts';

/** What the control API needs of a network; `Network` is one. */
export interface ControlledNetwork {
  readonly model: NetworkModel;
  ports(): readonly PortStatus[];
  leases(): readonly LeaseStatus[];
  flows(): readonly FlowStatus[];
  impair(port: string, change: LinkChange): void;
  suspend(): Promise<void>;
  resume(): Promise<void>;
  /** Shows every frame of the network once, or of one port both ways, until closed, or until the network is destroyed. */
  capture(recorder: CaptureSink, options?: RecordingOptions): { close(): void };
}

/** What the control API needs of a node; `NetloomNode` is one. */
export interface ControlledNode {
  readonly model: NodeModel;
  /** What it was last told to be. */
  readonly wanted: NodeModel;
  readonly networks: readonly ControlledNetwork[];
  /** Throws `NODE_NETWORK_UNKNOWN`. */
  network(name: string): ControlledNetwork;
  status(): NodeStatus;
  plan(model: NodeModel): Plan;
  apply(model: NodeModel, options?: { readonly file?: string }): Promise<PlanReport>;
}
