import type { Clock, Counters, FairShares, Host } from '../../core/index.ts';
import type { StackHost } from '../stack/stack-host.ts';
import type { Flow } from './flow.ts';
import type { FlowStarts } from './flow-starts.ts';
import type { FlowTable } from './flow-table.ts';
import type { UplinkLimits } from './limits.ts';
import type { Mapping, MappingHolder } from './mapping.ts';
import type { Policy } from './policy.ts';
import type { RefusingShares } from './shares.ts';

/** What clients outside have of all published ports together. */
export interface ClientShares {
  readonly connections: RefusingShares<string, Flow>;
  readonly mappings: FairShares<MappingHolder, Mapping>;
}

/** What the parts of an uplink share. */
export interface UplinkEnvironment {
  readonly clock: Clock;
  readonly inside: StackHost;
  readonly outside: Host;
  readonly policy: Policy;
  readonly flows: FlowTable;
  /** Whoever begins a flow that needs a socket waits for its turn. */
  readonly starts: FlowStarts;
  readonly clients: ClientShares;
  readonly limits: UplinkLimits;
  /** What was dropped or refused, by reason. */
  readonly drops: Counters;
}
