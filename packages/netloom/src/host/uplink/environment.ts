import type { Clock, Counters, Host } from '../../core/index.ts';
import type { StackHost } from '../stack/stack-host.ts';
import type { FlowStarts } from './flow-starts.ts';
import type { FlowTable } from './flow-table.ts';
import type { UplinkLimits } from './limits.ts';
import type { Policy } from './policy.ts';

/** What the parts of an uplink share. */
export interface UplinkEnvironment {
  readonly clock: Clock;
  readonly inside: StackHost;
  readonly outside: Host;
  readonly policy: Policy;
  readonly flows: FlowTable;
  /** Whoever begins a flow that needs a socket waits for its turn. */
  readonly starts: FlowStarts;
  readonly limits: UplinkLimits;
  /** What was dropped or refused, by reason. */
  readonly drops: Counters;
}
