/** What plans mean, on plain data: the oracle for what a live node does. */
import type {
  NetworkModel,
  NodeModel,
  RouterInterfaceModel,
  RouterModel,
} from '../src/model/index.ts';
import { publicationName, type PlanStep } from '../src/plan/index.ts';

/** The model with one step taken on the way to `target`. Throws where the step is not possible: what it makes is there, or what it is about is not. */
export function takeStep(model: NodeModel, step: PlanStep, target: NodeModel): NodeModel {
  const { object, name } = step;
  switch (object) {
    case 'network':
      return {
        ...model,
        networks: takeOne(model.networks, step, name, byName, () => bare(target, name)),
      };
    case 'router':
      return { ...model, routers: takeRouter(model.routers, step, target) };
    case 'interface':
      return {
        ...model,
        routers: changeOne(model.routers, name, (router) =>
          takeInterface(router, step, target, model),
        ),
      };
    default: {
      const network = step.network!;
      const wanted = target.networks.find((one) => one.name === network)!;
      return {
        ...model,
        networks: changeOne(model.networks, network, (one) => takeContent(one, step, wanted)),
      };
    }
  }
}

/** Things in the order of their names: the order in a model says nothing. */
export function sorted({ networks, routers }: NodeModel): NodeModel {
  return {
    networks: networks.toSorted(byKey(byName)).map((network) => ({
      ...network,
      attachments: network.attachments.toSorted(byKey(byName)),
      publications: network.publications.toSorted(byKey(publicationName)),
    })),
    routers: routers.toSorted(byKey(byName)).map((router) => ({
      ...router,
      interfaces: router.interfaces.toSorted(byKey(networkOf)),
    })),
  };
}

function takeContent(network: NetworkModel, step: PlanStep, wanted: NetworkModel): NetworkModel {
  const { object, name, action } = step;
  if (object === 'gateway') {
    const isThere = network.gateway !== null;
    if (isThere === (action === 'create')) throw new Error(`no ${action} of this gateway`);
    return { ...network, gateway: wanted.gateway };
  }
  if (object === 'publication') {
    const { publications } = network;
    const make = (): NetworkModel['publications'][number] =>
      wanted.publications.find((one) => publicationName(one) === name)!;
    return { ...network, publications: takeOne(publications, step, name, publicationName, make) };
  }
  const attachment = wanted?.attachments.find((one) => one.name === name);
  if (object === 'port') {
    const change = (one: NetworkModel['attachments'][number]): typeof one => ({
      ...one,
      port: attachment!.port,
    });
    return { ...network, attachments: changeOne(network.attachments, name, change) };
  }
  const { attachments } = network;
  return { ...network, attachments: takeOne(attachments, step, name, byName, () => attachment!) };
}

function takeRouter(
  routers: readonly RouterModel[],
  step: PlanStep,
  target: NodeModel,
): RouterModel[] {
  const { name } = step;
  const wanted = target.routers.find((one) => one.name === name)!;
  if (step.action === 'change') {
    const { routes, translation } = wanted;
    return changeOne(routers, name, (router) => ({ ...router, routes, translation }));
  }
  const make = (): RouterModel => ({ ...wanted, interfaces: [], routes: {}, translation: null });
  return takeOne(routers, step, name, byName, make);
}

function takeInterface(
  router: RouterModel,
  step: PlanStep,
  target: NodeModel,
  { networks }: NodeModel,
): RouterModel {
  if (!networks.some(({ name }) => name === step.network)) throw new Error('no such network');
  const wanted = target.routers.find(({ name }) => name === step.name);
  const make = (): RouterInterfaceModel =>
    wanted!.interfaces.find(({ network }) => network === step.network)!;
  if (step.action === 'change') {
    const before = router.interfaces.filter((one) => one.network !== step.network);
    return { ...router, interfaces: [...before, make()] };
  }
  return {
    ...router,
    interfaces: takeOne(router.interfaces, step, step.network!, networkOf, make),
  };
}

function bare(target: NodeModel, name: string): NetworkModel {
  const wanted = target.networks.find((one) => one.name === name)!;
  return { ...wanted, attachments: [], publications: [] };
}

/** Makes or takes away one of a list. */
function takeOne<Thing>(
  list: readonly Thing[],
  { action }: PlanStep,
  key: string,
  keyOf: (thing: Thing) => string,
  make: () => Thing,
): Thing[] {
  const isThere = list.some((thing) => keyOf(thing) === key);
  if (isThere === (action === 'create')) throw new Error(`no ${action} of '${key}'`);
  return isThere ? list.filter((thing) => keyOf(thing) !== key) : [...list, make()];
}

function changeOne<Thing extends { readonly name: string }>(
  list: readonly Thing[],
  name: string,
  change: (thing: Thing) => Thing,
): Thing[] {
  if (!list.some((thing) => thing.name === name)) throw new Error(`there is no '${name}'`);
  return list.map((thing) => (thing.name === name ? change(thing) : thing));
}

function byName({ name }: { readonly name: string }): string {
  return name;
}

function networkOf({ network }: RouterInterfaceModel): string {
  return network;
}

function byKey<Thing>(keyOf: (thing: Thing) => string): (one: Thing, other: Thing) => number {
  return (one, other) => (keyOf(one) < keyOf(other) ? -1 : 1);
}
