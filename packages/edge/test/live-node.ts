/** A node with real networks in virtual time, and machines of the outside that reach what it publishes. */
import type { Connection, SocketAddress } from 'netloom/core';
import { simWorld, type SimHost, type SimWorld } from 'netloom/host';
import type { NodeModel } from '../src/model/index.ts';
import { Network } from '../src/network/index.ts';
import { NetloomNode } from '../src/node/index.ts';

/** See the file's head. */
export class LiveNode {
  readonly world: SimWorld = simWorld({ seed: 1 });
  readonly outside: SimHost;
  /** Somebody in the world. */
  readonly client: SimHost;
  readonly notices: string[] = [];

  constructor() {
    const internet = this.world.network('internet', { delay: 1 });
    this.outside = this.world.machine('outside', { on: internet });
    this.client = this.world.machine('client', { on: internet });
  }

  start(model: NodeModel): Promise<NetloomNode<Network>> {
    return NetloomNode.start(model, {
      name: 'test',
      file: null,
      stateFolder: null,
      environment: {
        clock: this.world.clock,
        random: this.world.random('node'),
        outside: this.outside,
        resolvers: [],
        notice: (text) => this.notices.push(text),
      },
      makeNetwork: (wanted, environment) => new Network(wanted, environment),
    });
  }

  /** Does the work and goes on with time until it is done. */
  async run(work: (live: LiveNode) => Promise<void>): Promise<void> {
    await this.world.run(work(this));
  }

  /** Connects to a port of the machine that the node is on, where an echo service is published. */
  async talk(port: number): Promise<Talk> {
    const to = { address: this.outside.address, port };
    return new Talk(await this.client.connect({ host: to.address, port }), to, this.world);
  }
}

/** A connection to an echo service. */
export class Talk {
  readonly remote: SocketAddress;
  /** Undefined: it has not ended. */
  error: Error | null | undefined;
  readonly #connection: Connection;
  readonly #world: SimWorld;
  #bytes = 0;
  #wanted = Infinity;
  #reached: (() => void) | undefined;

  constructor(connection: Connection, remote: SocketAddress, world: SimWorld) {
    this.remote = remote;
    this.#connection = connection;
    this.#world = world;
    connection.start({
      data: (chunk) => {
        this.#bytes += chunk.length;
        if (this.#bytes >= this.#wanted) this.#reached?.();
      },
      closed: (error) => {
        this.error = error ?? null;
        this.#reached?.();
      },
    });
  }

  /** Sends so many bytes, and answers after how many milliseconds all of them have come back. */
  async echo(length: number): Promise<number> {
    const begun = this.#world.now();
    this.#wanted = this.#bytes + length;
    const all = new Promise<void>((resolve) => (this.#reached = resolve));
    this.#connection.write(new Uint8Array(length));
    await this.#world.within(60_000, 'the echo', all);
    if (this.error !== undefined) throw this.error ?? new Error('it has ended');
    return this.#world.now() - begun;
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}
