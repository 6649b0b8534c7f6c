/** A node of real networks, in this process, with its dashboard on loopback. */
import {
  ControlApi,
  NetloomNode,
  Network,
  readNodeFile,
  serveDashboard,
  type ControlledNode,
  type DashboardServer,
  type NodeModel,
} from '@netloom/edge';
import { IpAddress, secureRandom, type Connection } from 'netloom/core';
import { SystemClock, osHost, type OsHost } from 'netloom/host';
import { dashboardPage } from '../src/index.ts';

/** See the file's head. */
export class ShownNode implements AsyncDisposable {
  readonly node: NetloomNode<Network> & ControlledNode;
  readonly #api: ControlApi;
  readonly #host: OsHost;
  #dashboard: DashboardServer;

  /** @param file the text of a network file */
  static async start(file: string): Promise<ShownNode> {
    const model = read(file);
    const host = osHost();
    const clock = new SystemClock();
    const node = await NetloomNode.start(model, {
      name: 'default',
      file: '/networks.yaml',
      stateFolder: null,
      environment: { clock, random: secureRandom(), outside: host, resolvers: [] },
      makeNetwork: (wanted, environment) => new Network(wanted, environment),
    });
    const api = new ControlApi(node, { clock });
    return new ShownNode(node, host, api, await show(api, host, 0));
  }

  private constructor(
    node: NetloomNode<Network>,
    host: OsHost,
    api: ControlApi,
    dashboard: DashboardServer,
  ) {
    this.node = node;
    this.#host = host;
    this.#api = api;
    this.#dashboard = dashboard;
  }

  /** What is printed. */
  get url(): string {
    return this.#dashboard.url;
  }

  get origin(): string {
    return new URL(this.url).origin;
  }

  /** Has the node follow another file. */
  async follow(file: string): Promise<void> {
    const { failed } = await this.node.apply(read(file));
    if (failed !== null) throw new Error(failed.error.message);
  }

  /** As if the node were started again: at the same place, with another token. */
  async showAgain(): Promise<void> {
    const { port } = new URL(this.url);
    await this.#dashboard.close();
    this.#dashboard = await show(this.#api, this.#host, Number(port));
  }

  /** Connects to what a network publishes first. */
  async connect(network: string): Promise<Connection> {
    const [published] = this.node.network(network).status().publications;
    const { hostname, port } = new URL(`http://${published!.listen}/`);
    return this.#host.connect({ host: IpAddress.parse(hostname), port: Number(port) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dashboard.close();
    await this.node.close();
    await this.#host.close();
  }
}

function read(file: string): NodeModel {
  const { model, mistakes } = readNodeFile(file, { path: '/networks.yaml' });
  if (model === undefined) throw new Error(JSON.stringify(mistakes));
  return model;
}

function show(api: ControlApi, host: OsHost, port: number): Promise<DashboardServer> {
  return serveDashboard(api, { host, page: dashboardPage(), port });
}

/** Sends bytes to an echo service, and answers after how many milliseconds all have come back. */
export async function echo(connection: Connection, length: number): Promise<number> {
  const begun = performance.now();
  let left = length;
  await new Promise<void>((resolve, reject) => {
    connection.start({
      data: (chunk) => {
        left -= chunk.length;
        if (left <= 0) resolve();
      },
      closed: (error) => reject(error ?? new Error('it has ended')),
    });
    connection.write(new Uint8Array(length));
  });
  return performance.now() - begun;
}
