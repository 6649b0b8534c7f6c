/** A node that does nothing but answer, for tests of what talks to one. */
import { NetloomError } from 'netloom/core';
import type { CaptureSink } from 'netloom/link';
import type { ControlledNetwork, ControlledNode } from '../src/control/index.ts';
import type { LinkChange, NetworkModel, NodeModel } from '../src/model/index.ts';
import type { RecordingOptions } from '../src/network/index.ts';
import type { Plan, PlanReport } from '../src/plan/index.ts';
import type {
  FlowStatus,
  LeaseStatus,
  NetworkStatus,
  NodeStatus,
  PortStatus,
} from '../src/status/index.ts';

/** A port with a line in order that nothing has passed. */
export function portStatus(
  network: string,
  name: string,
  more: Partial<PortStatus> = {},
): PortStatus {
  return {
    network,
    name,
    number: 1,
    kind: 'machine',
    vlan: 'access 1',
    state: 'forwarding',
    connected: true,
    mac: '02:00:00:00:00:50',
    addresses: ['10.0.0.80'],
    received: { frames: 0, bytes: 0 },
    sent: { frames: 0, bytes: 0 },
    drops: {},
    link: {
      delay: 0,
      jitter: 0,
      rate: null,
      loss: 0,
      reorder: 0,
      duplicate: 0,
      corrupt: 0,
      partition: false,
      queuedBytes: 0,
    },
    ...more,
  };
}

/** A network that is up, with nothing in it. */
export function networkStatus(name: string, more: Partial<NetworkStatus> = {}): NetworkStatus {
  return {
    name,
    kind: 'isolated',
    state: 'active',
    error: null,
    history: [],
    mtu: 1500,
    subnets: ['10.0.0.0/24'],
    ports: 0,
    stations: 0,
    leases: 0,
    flows: 0,
    publications: [],
    drops: {},
    ...more,
  };
}

/** A network whose lists are what a test puts there. */
export class FakeNetwork implements ControlledNetwork {
  readonly name: string;
  readonly portList: PortStatus[] = [];
  readonly leaseList: LeaseStatus[] = [];
  readonly flowList: FlowStatus[] = [];
  /** What it was told, as text. */
  readonly told: string[] = [];
  /** Who is shown its frames, and of which port. */
  readonly recorders: Map<CaptureSink, string | undefined> = new Map();
  readonly #ended = new Map<CaptureSink, RecordingOptions['ended']>();
  statusNow: NetworkStatus;

  constructor(name: string, more: Partial<NetworkStatus> = {}) {
    this.name = name;
    this.statusNow = networkStatus(name, more);
  }

  get model(): NetworkModel {
    return { name: this.name } as NetworkModel;
  }

  ports(): readonly PortStatus[] {
    return this.portList;
  }

  leases(): readonly LeaseStatus[] {
    return this.leaseList;
  }

  flows(): readonly FlowStatus[] {
    return this.flowList;
  }

  impair(port: string, change: LinkChange): void {
    const at = this.portList.findIndex(({ name }) => name === port);
    const found = this.portList[at];
    if (found === undefined) {
      throw new NetloomError('NETWORK_PORT_UNKNOWN', `there is no port '${port}'`);
    }
    this.told.push(`impair ${port} ${JSON.stringify(change)}`);
    this.portList[at] = { ...found, link: { ...found.link, ...(change as object) } };
  }

  async suspend(): Promise<void> {
    if (this.statusNow.state !== 'active') {
      throw new NetloomError('STATE_ILLEGAL', `${this.name} cannot be suspended`);
    }
    this.statusNow = { ...this.statusNow, state: 'suspended' };
  }

  async resume(): Promise<void> {
    this.statusNow = { ...this.statusNow, state: 'active' };
  }

  capture(recorder: CaptureSink, { port, ended }: RecordingOptions = {}): { close(): void } {
    if (port !== undefined && !this.portList.some(({ name }) => name === port)) {
      throw new NetloomError('NETWORK_PORT_UNKNOWN', `there is no port '${port}'`);
    }
    this.recorders.set(recorder, port);
    this.#ended.set(recorder, ended);
    return {
      close: () => {
        this.recorders.delete(recorder);
        this.#ended.delete(recorder);
      },
    };
  }

  /** Tells whoever records that it is destroyed. */
  end(): void {
    for (const ended of this.#ended.values()) ended?.();
  }
}

/** A node with networks of that kind. */
export class FakeNode implements ControlledNode {
  readonly networks: FakeNetwork[];
  /** The models it was told to follow, and of which file. */
  readonly applied: { model: NodeModel; file?: string }[] = [];
  wanted: NodeModel = { networks: [], routers: [] };
  more: Partial<NodeStatus> = {};

  constructor(...networks: FakeNetwork[]) {
    this.networks = networks;
  }

  get model(): NodeModel {
    return { networks: this.networks.map(({ model }) => model), routers: [] };
  }

  network(name: string): FakeNetwork {
    const found = this.networks.find((network) => network.name === name);
    if (found !== undefined) return found;
    throw new NetloomError('NODE_NETWORK_UNKNOWN', `there is no network '${name}'`);
  }

  status(): NodeStatus {
    return {
      name: 'default',
      version: '0.1.0',
      process: 4711,
      startedAt: '2026-11-21T12:00:00.000Z',
      uptime: 3_725_000,
      memory: 88_080_384,
      file: null,
      networks: this.networks.map(({ statusNow }) => statusNow),
      routers: [],
      ...this.more,
    };
  }

  plan(model: NodeModel): Plan {
    return {
      steps: model.networks.map(({ name }) => ({
        action: 'create',
        object: 'network',
        name,
        changes: [],
      })),
    };
  }

  async apply(model: NodeModel, options: { readonly file?: string } = {}): Promise<PlanReport> {
    this.applied.push({ model, ...options });
    const plan = this.plan(model);
    return { plan, done: plan.steps, failed: null, left: [] };
  }
}
