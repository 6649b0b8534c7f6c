/** What leads from one model to another: as steps, and in words. */
export { describePlan, describeReport, stepName } from './describe.ts';
export { without } from './differences.ts';
export { isFollowedInPlace } from './in-place.ts';
export { planChanges } from './plan-changes.ts';
export { publicationName } from './publication-name.ts';
export type {
  Plan,
  PlanAction,
  PlanChange,
  PlanObject,
  PlanOptions,
  PlanReport,
  PlanStep,
  PlanValue,
} from './plan.ts';
