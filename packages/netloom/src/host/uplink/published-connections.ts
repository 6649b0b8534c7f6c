import {
  hostError,
  type Connection,
  type Listener,
  type NetloomError,
  type SocketAddress,
} from '../../core/index.ts';
import { relay, type Relay } from '../relay.ts';
import type { UplinkEnvironment } from './environment.ts';
import type { Flow, FlowEnd } from './flow.ts';
import type { Publication, PublicationOptions } from './publication.ts';
import { holderOf } from './shares.ts';

/** What is open for one client, to be cut off. */
interface Carried {
  /** As whom the client is counted. */
  readonly holder: string;
  abort(error: NetloomError): void;
}

/** Why a guest is not reached. */
const ENDS: Readonly<Record<string, FlowEnd>> = {
  CONNECTION_REFUSED: 'refused',
  HOST_UNREACHABLE: 'unreachable',
  NETWORK_UNREACHABLE: 'unreachable',
  TIMEOUT: 'timeout',
  TOO_MANY_OPEN: 'limit',
  HOST_CLOSED: 'closed',
};

/** A guest's TCP port, published: each connection that comes outside is one to the guest. */
export class PublishedConnections implements Publication {
  readonly protocol = 'tcp';
  readonly to: SocketAddress;
  readonly #environment: UplinkEnvironment;
  readonly #onClosed: () => void;
  readonly #carried = new Map<Flow, Carried>();
  #listener!: Listener;
  #closed: Promise<void> | undefined;

  private constructor(environment: UplinkEnvironment, to: SocketAddress, onClosed: () => void) {
    this.#environment = environment;
    this.to = to;
    this.#onClosed = onClosed;
  }

  /** Begins to listen. Rejects with the outside host's error. */
  static async open(
    environment: UplinkEnvironment,
    { address, port, to }: PublicationOptions,
    onClosed: () => void,
  ): Promise<PublishedConnections> {
    const made = new PublishedConnections(environment, to, onClosed);
    made.#listener = await environment.outside.listen({
      port,
      ...(address === undefined ? {} : { address }),
      accept: (connection) => void made.#accept(connection),
    });
    return made;
  }

  get local(): SocketAddress {
    return this.#listener.local;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#onClosed();
    const stopped = this.#listener.close();
    const error = hostError('HOST_CLOSED', 'the port is not published any more');
    for (const [flow, carried] of this.#carried) {
      this.#end(flow, 'closed');
      carried.abort(error);
    }
    await stopped;
  }

  async #accept(outer: Connection): Promise<void> {
    const { flows, inside, limits, clients } = this.#environment;
    const flow = flows.begin({
      protocol: 'tcp',
      direction: 'inbound',
      guest: this.to,
      destination: outer.remote,
      labels: [],
    });
    const holder = holderOf(outer.remote.address);
    if (!clients.connections.hasRoom(holder)) {
      outer.abort(hostError('TOO_MANY_OPEN', 'too many connections are carried already'));
      flows.end(flow, 'limit');
      return;
    }
    const giveUp = new AbortController();
    clients.connections.add(holder, flow);
    this.#carried.set(flow, {
      holder,
      abort: (error) => {
        outer.abort(error);
        giveUp.abort();
      },
    });
    try {
      const { address: host, port } = this.to;
      const timeout = limits.connectTimeout;
      const inner = await inside.connect({ host, port, timeout, signal: giveUp.signal });
      if (flow.state === 'ended') inner.abort();
      else this.#carry(flow, holder, relay(outer, inner));
    } catch (error) {
      outer.abort(error as NetloomError);
      this.#end(flow, ENDS[(error as NetloomError).code] ?? 'failed');
    }
  }

  #carry(flow: Flow, holder: string, carried: Relay): void {
    flow.carried(carried);
    this.#carried.set(flow, { holder, abort: (error) => carried.abort(error) });
    void carried.closed.then((error) => this.#end(flow, endOf(carried, error)));
  }

  #end(flow: Flow, why: FlowEnd): void {
    const carried = this.#carried.get(flow);
    if (carried === undefined) return;
    this.#carried.delete(flow);
    const { clients, flows } = this.#environment;
    clients.connections.remove(carried.holder, flow);
    flows.end(flow, why);
  }
}

/** Why a relay to a guest is over. */
function endOf({ failed }: Relay, error: NetloomError | undefined): FlowEnd {
  if (error === undefined) return 'finished';
  if (error.code === 'TIMEOUT') return 'timeout';
  return failed === 'first' ? 'reset-by-destination' : 'reset-by-guest';
}
