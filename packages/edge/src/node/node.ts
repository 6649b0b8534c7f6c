import { hostname } from 'node:os';
import { NetloomError } from 'netloom/core';
import { leaseFileV4, leaseFileV6, type LeaseFileOptions } from 'netloom/host';
import type { NodeModel } from '../model/index.ts';
import type { LeaseStores } from '../network/index.ts';
import { planChanges, type Plan, type PlanReport } from '../plan/index.ts';
import { errorStatus, type NodeStatus, type PortStatus } from '../status/index.ts';
import type { LiveNetwork, NodeEnvironment } from './live-network.ts';
import type { StateFolder } from './state-folder.ts';
import { StepExecutor, type NetworkFactory } from './step-executor.ts';
import { NETLOOM_VERSION } from './version.ts';

/** What a {@link NetloomNode} is made with. */
export interface NetloomNodeOptions<Network extends LiveNetwork> {
  readonly name: string;
  /** The file its model is from; null: none. */
  readonly file: string | null;
  /** Where leases are kept; null: nowhere. */
  readonly stateFolder: StateFolder | null;
  readonly environment: NodeEnvironment;
  readonly makeNetwork: NetworkFactory<Network>;
}

/** What has nothing in it. */
const NOTHING: NodeModel = { networks: [], routers: [] };

/** Everything of a node, live: its networks, its routers, and how they follow a model. */
export class NetloomNode<Network extends LiveNetwork = LiveNetwork> implements AsyncDisposable {
  readonly name: string;
  readonly environment: NodeEnvironment;
  readonly #executor: StepExecutor<Network>;
  readonly #startedAt: number;
  readonly #startedAtWall: number;
  #file: string | null;
  #wanted: NodeModel = NOTHING;
  /** Models are applied one after the other. */
  #last: Promise<unknown> = Promise.resolve();
  #isClosing = false;
  #closed: Promise<void> | undefined;

  /** Makes the whole model real. Rejects with the error of what failed, which says what that was; then nothing is left. */
  static async start<Network extends LiveNetwork>(
    model: NodeModel,
    options: NetloomNodeOptions<Network>,
  ): Promise<NetloomNode<Network>> {
    await options.stateFolder?.prepare();
    const node = new NetloomNode(options);
    node.#wanted = model;
    try {
      for (const step of planChanges(NOTHING, model).steps) await node.#executor.take(step, model);
      return node;
    } catch (error) {
      await node.close();
      throw error;
    }
  }

  private constructor(options: NetloomNodeOptions<Network>) {
    const { name, file, stateFolder, environment, makeNetwork } = options;
    this.name = name;
    this.environment = environment;
    this.#file = file;
    this.#startedAt = environment.clock.now();
    this.#startedAtWall = environment.clock.wallTime();
    const leases =
      stateFolder === null
        ? {}
        : { leases: (network: string) => leaseStores(stateFolder, network, environment) };
    const place = `${hostname()}/${name}`;
    this.#executor = new StepExecutor({ ...environment, place, ...leases }, makeNetwork);
  }

  /** What there is now. */
  get model(): NodeModel {
    return this.#executor.model;
  }

  /** What it was last told to be: applied again, what has failed is started again, and what was left undone is done. */
  get wanted(): NodeModel {
    return this.#wanted;
  }

  get networks(): readonly Network[] {
    return [...this.#executor.networks.values()];
  }

  /** Throws `NODE_NETWORK_UNKNOWN`. */
  network(name: string): Network {
    const found = this.#executor.networks.get(name);
    if (found !== undefined) return found;
    const names = [...this.#executor.networks.keys()].join(', ');
    throw new NetloomError('NODE_NETWORK_UNKNOWN', `there is no network '${name}'`, {
      remedy: names === '' ? 'This node has none.' : `This node has: ${names}.`,
    });
  }

  /** What would be done to make the model real. */
  plan(model: NodeModel): Plan {
    const failed = this.networks
      .filter(({ state }) => state === 'failed')
      .map(({ model: { name }, error }) => [name, `it had failed: ${error?.message}`] as const);
    const ports = this.networks.flatMap((network) => network.ports());
    const portOf = (network: string, station: string): PortStatus | undefined =>
      ports.find((port) => port.network === network && port.name === station);
    return planChanges(this.model, model, {
      failed: new Map(failed),
      given: (network, station) => portOf(network, station)?.addresses ?? [],
      lost: (network, station) => reasonLost(portOf(network, station)),
    });
  }

  /**
   * Makes the model real, step by step, without touching what stays the same. A step that fails is where it ends: what was done before stays, and the report
   * tells the rest. Called again meanwhile, it waits. The file is where the model is from.
   */
  apply(model: NodeModel, { file }: { readonly file?: string } = {}): Promise<PlanReport> {
    const report = this.#last.then(() => this.#apply(model, file));
    this.#last = report.catch(() => undefined);
    return report;
  }

  /** What the node says of itself. */
  status(): NodeStatus {
    const { clock } = this.environment;
    return {
      name: this.name,
      version: NETLOOM_VERSION,
      process: process.pid,
      startedAt: new Date(this.#startedAtWall).toISOString(),
      uptime: clock.now() - this.#startedAt,
      memory: process.memoryUsage.rss(),
      file: this.#file,
      networks: this.networks.map((network) => network.status()),
      routers: this.model.routers.map(({ name, interfaces }) => ({
        name,
        networks: interfaces.map(({ network }) => network),
      })),
    };
  }

  /** Ends what is being applied at its next step, and takes everything down. Idempotent. */
  close(): Promise<void> {
    this.#isClosing = true;
    this.#closed ??= this.#last.then(() => this.#executor.close());
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #apply(model: NodeModel, file: string | undefined): Promise<PlanReport> {
    this.#wanted = model;
    const plan = this.plan(model);
    const { steps } = plan;
    for (const [index, step] of steps.entries()) {
      try {
        if (this.#isClosing) throw closing(this.name);
        await this.#executor.take(step, model);
      } catch (error) {
        const done = steps.slice(0, index);
        const failed = { step, error: errorStatus(error as NetloomError) };
        return { plan, done, failed, left: steps.slice(index + 1) };
      }
    }
    if (file !== undefined) this.#file = file;
    return { plan, done: steps, failed: null, left: [] };
  }
}

/** Damaged files are set aside: a network without its old leases is better than none. */
function leaseStores(
  folder: StateFolder,
  network: string,
  { notice }: NodeEnvironment,
): LeaseStores {
  const paths = folder.leaseFiles(network);
  const options: LeaseFileOptions = {
    damaged: 'set-aside',
    setAside: ({ message }, path) => notice?.(`${message}; it is kept as ${path}`),
  };
  return { v4: leaseFileV4(paths.v4, options), v6: leaseFileV6(paths.v6, options) };
}

/** A QEMU may come back by itself; an interface of the kernel that has gone does not. */
function reasonLost(port: PortStatus | undefined): string | undefined {
  return port?.kind === 'tap' && !port.connected ? 'its interface is gone' : undefined;
}

function closing(name: string): NetloomError {
  return new NetloomError('NODE_CLOSED', `the node ${name} is being closed`, {
    remedy: 'Start it again with the new file.',
  });
}
