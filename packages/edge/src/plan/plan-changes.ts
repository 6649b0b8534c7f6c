import type { NodeModel } from '../model/index.ts';
import { pairs } from './pairs.ts';
import { planNetwork } from './plan-network.ts';
import { planRouter } from './plan-router.ts';
import type { Plan, PlanOptions, PlanStep } from './plan.ts';

/**
 * The order of the steps. What gives something up (a port, an address, a name, an interface of the kernel) comes before what may take it; what needs something
 * comes after what makes it; clients are let in last.
 */
const ORDER: readonly string[] = [
  'remove publication',
  'remove interface',
  'replace interface',
  'remove router',
  'remove attachment',
  'replace attachment',
  'remove gateway',
  'remove network',
  'replace network',
  'create network',
  'create gateway',
  'change gateway',
  'replace gateway',
  'change port',
  'create attachment',
  'create router',
  'create interface',
  'change interface',
  'change router',
  'create publication',
];

/** What leads from one model to another. The order of things in a model says nothing; a model to itself is no step at all. */
export function planChanges(from: NodeModel, to: NodeModel, options: PlanOptions = {}): Plan {
  const steps: PlanStep[] = [];
  const remade = new Set<string>();
  for (const [before, after] of pairs(from.networks, to.networks, ({ name }) => name)) {
    const isRemade = planNetwork(steps, before, after, options);
    if (isRemade) remade.add(after!.name);
  }
  for (const [before, after] of pairs(from.routers, to.routers, ({ name }) => name)) {
    planRouter(steps, before, after, remade);
  }
  return { steps: steps.sort((one, other) => rank(one) - rank(other)) };
}

function rank({ action, object }: PlanStep): number {
  return ORDER.indexOf(`${action} ${object}`);
}
