import type { GatewayModel } from '../model/index.ts';
import { differences } from './differences.ts';
import type { PlanChange, PlanObject } from './plan.ts';

/** How a thing follows a change at a path, and below it. */
interface ChangeRule {
  readonly object: PlanObject;
  readonly path: string;
  /** Why the thing is replaced; without it, it follows in place. */
  readonly replacedBecause?: string;
}

/** Of the rules that fit a change, the one with the longest path decides. */
const RULES: readonly ChangeRule[] = [
  {
    object: 'network',
    path: 'kind',
    replacedBecause: 'what its switch is joined to is part of what it is',
  },
  {
    object: 'network',
    path: 'mtu',
    replacedBecause: 'every station has learned how large its frames may be',
  },
  {
    object: 'network',
    path: 'switch',
    replacedBecause: 'a switch is made with its tables and its spanning tree',
  },
  {
    object: 'network',
    path: 'subnets',
    replacedBecause: 'its stations have addresses of its subnets',
  },
  {
    object: 'network',
    path: 'routers',
    replacedBecause: 'the routes of its stations lead there',
  },
  { object: 'attachment', path: 'station', replacedBecause: 'it is another station' },
  { object: 'attachment', path: 'port' },
  { object: 'gateway', path: '', replacedBecause: 'its services are made for that' },
  { object: 'gateway', path: 'dns.names' },
  { object: 'gateway', path: 'reservations' },
  { object: 'gateway', path: 'routes' },
  { object: 'gateway', path: 'uplink.rules' },
  {
    object: 'interface',
    path: 'addresses',
    replacedBecause: 'connections from an address end with it',
  },
  { object: 'interface', path: 'link' },
  { object: 'router', path: 'routes' },
  { object: 'router', path: 'translation' },
];

/** Why a thing with these changes has to be replaced; undefined: it can follow them in place. */
export function reasonToReplace(
  object: PlanObject,
  changes: readonly PlanChange[],
): string | undefined {
  for (const { path } of changes) {
    const reason = ruleFor(object, path).replacedBecause;
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** Whether a gateway can become another without being made anew. */
export function isFollowedInPlace(before: GatewayModel, after: GatewayModel): boolean {
  return reasonToReplace('gateway', differences(before, after)) === undefined;
}

function ruleFor(object: PlanObject, path: string): ChangeRule {
  const [best] = RULES.filter((rule) => rule.object === object && isWithin(path, rule.path)).sort(
    (one, other) => other.path.length - one.path.length,
  );
  return best ?? { object, path, replacedBecause: 'it cannot be changed' };
}

function isWithin(path: string, outer: string): boolean {
  return outer === '' || path === outer || path.startsWith(`${outer}.`);
}
