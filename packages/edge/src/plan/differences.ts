import { isDeepStrictEqual } from 'node:util';
import type { PlanChange, PlanValue } from './plan.ts';

/** Whether two pieces of a model say the same. */
export function isSame(from: unknown, to: unknown): boolean {
  return isDeepStrictEqual(from, to);
}

/**
 * What is different between two pieces of a model, leaf by leaf. Of lists of objects the elements that are gone and those that are new are told, of other lists
 * the whole list. Undefined stands for nothing: then all of the other is told.
 */
export function differences(from: unknown, to: unknown, path = ''): PlanChange[] {
  if (isSame(from, to)) return [];
  const either = from ?? to;
  if (isRecord(either) && [from, to].every((one) => one === undefined || isRecord(one))) {
    return ofRecords(from, to, path);
  }
  if (isListOfObjects(from) && isListOfObjects(to)) return ofLists(from, to, path);
  return [
    {
      path,
      ...(from !== undefined && { from: from as PlanValue }),
      ...(to !== undefined && { to: to as PlanValue }),
    },
  ];
}

function ofRecords(from: unknown, to: unknown, path: string): PlanChange[] {
  const before = (from ?? {}) as Readonly<Record<string, unknown>>;
  const after = (to ?? {}) as Readonly<Record<string, unknown>>;
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  const below = path === '' ? '' : `${path}.`;
  return [...keys].flatMap((key) => differences(before[key], after[key], `${below}${key}`));
}

/** Elements are told apart by what they say. Where only their order is different, that is the difference. */
function ofLists(from: readonly unknown[], to: readonly unknown[], path: string): PlanChange[] {
  const gone = without(from, to).map((one) => ({ path, from: one as PlanValue }));
  const made = without(to, from).map((one) => ({ path, to: one as PlanValue }));
  const changes = [...gone, ...made];
  return changes.length > 0
    ? changes
    : [{ path, from: from as readonly PlanValue[], to: to as readonly PlanValue[] }];
}

/** What of a list is not in another, by what it says. */
export function without<T>(list: readonly T[], other: readonly T[]): T[] {
  return list.filter((one) => !other.some((same) => isSame(one, same)));
}

function isListOfObjects(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.every((one) => isRecord(one));
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
