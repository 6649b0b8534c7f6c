import type { ErrorStatus } from '../status/index.ts';

/** What a step is about. A `port` is that of an attachment; an `interface` is a router's place in a network. */
export type PlanObject =
  | 'network'
  | 'gateway'
  | 'attachment'
  | 'port'
  | 'publication'
  | 'router'
  | 'interface';

/**
 * What a step does. `replace` takes a thing away that a later `create` of the same plan makes anew, because it cannot be changed in place; of a gateway it is
 * both at once.
 */
export type PlanAction = 'create' | 'remove' | 'change' | 'replace';

/** Plain data of a model. */
export type PlanValue =
  | string
  | number
  | boolean
  | null
  | readonly PlanValue[]
  | { readonly [key: string]: PlanValue };

/** One thing that is different. Of lists of objects: one that is gone (no `to`) or new (no `from`). */
export interface PlanChange {
  /** As `link.rate`; of a thing that is made, its kind alone may be told, as `station.kind`. */
  readonly path: string;
  readonly from?: PlanValue;
  readonly to?: PlanValue;
}

/** One step from the model that is there to the one that is wanted. Plain data. */
export interface PlanStep {
  readonly action: PlanAction;
  readonly object: PlanObject;
  /** The network it is in; of networks and routers, none. */
  readonly network?: string;
  /** Of a gateway, its network's; of an interface, its router's; of a publication, as {@link publicationName} has it. */
  readonly name: string;
  readonly changes: readonly PlanChange[];
  /** Why it is so, or what it does to others. */
  readonly note?: string;
  /** The thing itself is as before, or is told of already: it has to go, or come again, with another. */
  readonly again?: true;
}

/** What is to be done, in this order. */
export interface Plan {
  readonly steps: readonly PlanStep[];
}

/** What has become of a {@link Plan}. */
export interface PlanReport {
  readonly plan: Plan;
  readonly done: readonly PlanStep[];
  /** The step at which it ended; null: all is done. */
  readonly failed: { readonly step: PlanStep; readonly error: ErrorStatus } | null;
  /** What was not begun. */
  readonly left: readonly PlanStep[];
}

/** What a plan heeds beside the models. */
export interface PlanOptions {
  /** Networks that are there but work no more, and why: they are replaced, whatever their model. */
  readonly failed?: ReadonlyMap<string, string>;
  /** The addresses that a station was given which has not chosen any: it has to move if another is to have one of them. */
  readonly given?: (network: string, station: string) => readonly string[];
  /** Why a station that is there works no more; undefined: it does. It is made anew. */
  readonly lost?: (network: string, station: string) => string | undefined;
}
