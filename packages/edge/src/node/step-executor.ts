import { NetloomError, toNetloomError } from 'netloom/core';
import type {
  AttachmentModel,
  NetworkModel,
  NodeModel,
  PublicationModel,
  RouterInterfaceModel,
  RouterModel,
} from '../model/index.ts';
import { publicationName, stepName, type PlanStep } from '../plan/index.ts';
import { Router } from '../router/index.ts';
import type { NetworkEnvironment } from '../network/index.ts';
import type { LiveNetwork } from './live-network.ts';

/** Makes a network live; a test may hand in another. */
export type NetworkFactory<Network extends LiveNetwork> = (
  model: NetworkModel,
  environment: NetworkEnvironment,
) => Network;

/** Takes the steps of plans: holds the networks and routers that there are, and makes each step real. */
export class StepExecutor<Network extends LiveNetwork> {
  readonly networks: Map<string, Network> = new Map();
  readonly routers: Map<string, Router> = new Map();
  readonly #environment: NetworkEnvironment;
  readonly #makeNetwork: NetworkFactory<Network>;

  constructor(environment: NetworkEnvironment, makeNetwork: NetworkFactory<Network>) {
    this.#environment = environment;
    this.#makeNetwork = makeNetwork;
  }

  /** The model of what there is. */
  get model(): NodeModel {
    return {
      networks: [...this.networks.values()].map(({ model }) => model),
      routers: [...this.routers.values()].map((router) => this.#routerModel(router)),
    };
  }

  /** Takes one step on the way to `target`. Rejects with the error of what failed, with the name of the thing before its message. */
  async take(step: PlanStep, target: NodeModel): Promise<void> {
    try {
      await this.#take(step, target);
    } catch (thrown) {
      const { code, message, remedy } = toNetloomError(thrown, 'UNEXPECTED', 'a defect of netloom');
      throw new NetloomError(code, `${stepName(step)}: ${message}`, {
        cause: thrown,
        ...(remedy !== undefined && { remedy }),
      });
    }
  }

  /** Takes everything away: routers last, so that what is being answered beyond them may be finished. */
  async close(): Promise<void> {
    await Promise.all([...this.networks.values()].map((network) => network.close()));
    await Promise.all([...this.routers.values()].map((router) => router.close()));
    this.networks.clear();
    this.routers.clear();
  }

  #take(step: PlanStep, target: NodeModel): Promise<void> {
    switch (step.object) {
      case 'network':
        return this.#takeNetworkStep(step, target);
      case 'gateway':
        return this.#changeGateway(step, target);
      case 'attachment':
        return this.#takeAttachmentStep(step, target);
      case 'port':
        return this.#configurePort(step, target);
      case 'publication':
        return this.#takePublicationStep(step, target);
      case 'router':
        return this.#takeRouterStep(step, target);
      case 'interface':
        return this.#takeInterfaceStep(step, target);
    }
  }

  async #takeNetworkStep({ action, name }: PlanStep, target: NodeModel): Promise<void> {
    if (action !== 'create') {
      const network = this.#network(name);
      this.networks.delete(name);
      await network.close();
      return;
    }
    const wanted = networkModel(target, name);
    const bare = { ...wanted, attachments: [], publications: [] };
    const network = this.#makeNetwork(bare, this.#environment);
    // Should it fail, it is there as one that has failed: its status says why, and the next plan makes it anew.
    this.networks.set(name, network);
    await network.start();
  }

  async #changeGateway({ name }: PlanStep, target: NodeModel): Promise<void> {
    await this.#network(name).changeGateway(networkModel(target, name).gateway);
  }

  async #takeAttachmentStep(step: PlanStep, target: NodeModel): Promise<void> {
    const network = this.#network(step.network!);
    if (step.action === 'create') await network.attach(attachmentModel(target, step));
    else await network.detach(step.name);
  }

  async #configurePort(step: PlanStep, target: NodeModel): Promise<void> {
    this.#network(step.network!).configurePort(step.name, attachmentModel(target, step).port);
  }

  async #takePublicationStep(step: PlanStep, target: NodeModel): Promise<void> {
    const network = this.#network(step.network!);
    const named = ({ publications }: NetworkModel): PublicationModel =>
      publications.find((one) => publicationName(one) === step.name)!;
    if (step.action === 'create')
      await network.publish(named(networkModel(target, network.model.name)));
    else await network.unpublish(named(network.model));
  }

  async #takeRouterStep({ action, name }: PlanStep, target: NodeModel): Promise<void> {
    const { clock, random } = this.#environment;
    if (action === 'create') {
      this.routers.set(name, new Router({ name, clock, random }));
    } else if (action === 'change') {
      this.#router(name).configure(routerModel(target, name));
    } else {
      const router = this.#router(name);
      const { interfaces } = router.model;
      this.routers.delete(name);
      await router.close();
      await Promise.all(
        interfaces.map(({ network }) => this.#network(network).disconnectRouter(name)),
      );
    }
  }

  async #takeInterfaceStep(step: PlanStep, target: NodeModel): Promise<void> {
    const { action, name } = step;
    const network = this.#network(step.network!);
    const router = this.#router(name);
    if (action === 'remove' || action === 'replace') {
      await router.disconnect(step.network!);
      await network.disconnectRouter(name);
      return;
    }
    const wanted = interfaceModel(target, step);
    if (action === 'create') {
      const { link, addresses } = wanted;
      router.connect(wanted, network.connectRouter(name, link, addresses));
      return;
    }
    // What the file says no more is taken back.
    const now = Object.keys(network.routerLine(name) ?? {});
    const nothing = Object.fromEntries(now.map((key) => [key, null]));
    network.impair(name, { ...nothing, ...wanted.link });
  }

  /** Its lines may have been changed by other means than a step. */
  #routerModel({ name, model }: Router): RouterModel {
    const interfaces = model.interfaces.map((one) => {
      const link = this.networks.get(one.network)?.routerLine(name) ?? one.link;
      return { ...one, link };
    });
    return { ...model, interfaces };
  }

  #network(name: string): Network {
    return this.networks.get(name)!;
  }

  #router(name: string): Router {
    return this.routers.get(name)!;
  }
}

function networkModel({ networks }: NodeModel, name: string): NetworkModel {
  return networks.find((one) => one.name === name)!;
}

function attachmentModel(target: NodeModel, { network, name }: PlanStep): AttachmentModel {
  return networkModel(target, network!).attachments.find((one) => one.name === name)!;
}

function routerModel({ routers }: NodeModel, name: string): RouterModel {
  return routers.find((one) => one.name === name)!;
}

function interfaceModel(target: NodeModel, { network, name }: PlanStep): RouterInterfaceModel {
  return routerModel(target, name).interfaces.find((one) => one.network === network)!;
}
