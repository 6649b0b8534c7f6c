/** The steps of routers, and of their places in networks. */
import type { RouterInterfaceModel, RouterModel } from '../model/index.ts';
import { differences } from './differences.ts';
import { reasonToReplace } from './in-place.ts';
import { pairs } from './pairs.ts';
import type { PlanChange, PlanStep } from './plan.ts';

/** Plans a router. @param remade networks that are there before and after, but not the same ones */
export function planRouter(
  steps: PlanStep[],
  before: RouterModel | undefined,
  after: RouterModel | undefined,
  remade: ReadonlySet<string>,
): void {
  const { name } = (after ?? before)!;
  if (after === undefined) {
    steps.push({ action: 'remove', object: 'router', name, changes: [] });
    return;
  }
  const changes = differences(ofRouterItself(before), ofRouterItself(after));
  if (before === undefined) steps.push(create(after, changes));
  const known = before?.interfaces ?? [];
  const interfaces = pairs(known, after.interfaces, ({ network }) => network).flatMap(
    ([old, made]) => planInterface(name, old, made, remade),
  );
  // A new router is one thing to its reader.
  const again = before === undefined ? { again: true as const } : {};
  steps.push(...interfaces.map((step) => ({ ...step, ...again })));
  // Routes go with the interface they lead to, and translation with its interfaces.
  const hasOtherInterfaces = interfaces.some(({ action }) => action !== 'change');
  if (changes.length === 0 && !hasOtherInterfaces) return;
  const isTold = before === undefined || changes.length === 0;
  const cuts = changes.some(({ path }) => path.startsWith('translation'));
  steps.push({
    action: 'change',
    object: 'router',
    name,
    changes,
    ...(isTold && { again: true }),
    ...(!isTold && cuts && { note: 'connections it translates are cut' }),
  });
}

/** Of all that follows in steps of its own, this one tells. */
function create({ name, interfaces }: RouterModel, changes: readonly PlanChange[]): PlanStep {
  const places = interfaces.map(({ network, addresses }) => ({ network, addresses }));
  const all = [{ path: 'interfaces', to: places }, ...changes];
  return { action: 'create', object: 'router', name, changes: all };
}

function planInterface(
  router: string,
  before: RouterInterfaceModel | undefined,
  after: RouterInterfaceModel | undefined,
  remade: ReadonlySet<string>,
): PlanStep[] {
  const { network } = (after ?? before)!;
  const step = { object: 'interface', network, name: router } as const;
  const remove: PlanStep = { action: 'remove', ...step, changes: [] };
  if (after === undefined) return [remove];
  const create = (): PlanStep => ({
    action: 'create',
    ...step,
    changes: differences(undefined, after),
  });
  if (before === undefined) return [create()];
  const changes = differences(before, after);
  const note = remade.has(network)
    ? 'its network is replaced'
    : reasonToReplace('interface', changes);
  if (note !== undefined) {
    return [
      { action: 'replace', ...step, changes, note },
      { ...create(), again: true },
    ];
  }
  return changes.length === 0 ? [] : [{ action: 'change', ...step, changes }];
}

/** Of a router that is new, nothing is there yet. */
function ofRouterItself(router: RouterModel | undefined): Partial<RouterModel> {
  return { routes: router?.routes ?? {}, translation: router?.translation ?? null };
}
