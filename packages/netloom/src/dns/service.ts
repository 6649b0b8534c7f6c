import {
  Counters,
  FairShares,
  withLimits,
  type Connection,
  type Datagram,
  type DatagramSocket,
  type Host,
  type IpAddress,
  type Listener,
  type SocketAddress,
  type Timer,
} from '../core/index.ts';
import type { DnsExchange } from './exchange.ts';
import { DnsForwarder, type DnsForwarderOptions } from './forwarder.ts';
import { DNS_SERVICE_LIMITS, type DnsServiceLimits } from './limits.ts';
import { TcpClient } from './tcp-client.ts';
import { UpstreamExchange } from './upstream.ts';
import { DNS_PORT } from './wire/index.ts';

/** What {@link serveDns} takes. */
export interface DnsServiceOptions extends Omit<DnsForwarderOptions, 'random'> {
  /** Where the clients are. */
  readonly host: Host;
  /** By whom others are asked for what is not known here: the operating system's host, say. Without it nobody is. */
  readonly via?: Host;
  /** Where clients are served; also the addresses of the zone's name server. Default: every address of the host. */
  readonly addresses?: readonly IpAddress[];
  /** Default 53. */
  readonly port?: number;
  readonly serviceLimits?: Partial<DnsServiceLimits>;
}

/** Serves the names of a network at the UDP and TCP port 53 of a host, and forwards what it does not know. Rejects as `bind` and `listen` do. */
export async function serveDns(options: DnsServiceOptions): Promise<DnsService> {
  const service = new DnsService(options);
  try {
    await service.open();
    return service;
  } catch (error) {
    await service.close();
    throw error;
  }
}

/** See {@link serveDns}. */
export class DnsService implements AsyncDisposable {
  /** Connections refused, by reason. What befalls questions is counted by the {@link forwarder}. */
  readonly drops: Counters = new Counters();
  readonly forwarder: DnsForwarder;
  readonly #options: DnsServiceOptions;
  readonly #limits: DnsServiceLimits;
  readonly #timer: Timer;
  readonly #sockets: DatagramSocket[] = [];
  readonly #listeners: Listener[] = [];
  /** By the client's address. */
  readonly #clients = new FairShares<string, TcpClient>();
  readonly #exchanges = new Map<DnsExchange, UpstreamExchange>();
  #closed: Promise<void> | undefined;

  constructor(options: DnsServiceOptions) {
    const { host, via } = options;
    this.#options = options;
    this.#limits = withLimits(DNS_SERVICE_LIMITS, options.serviceLimits);
    this.forwarder = new DnsForwarder(
      {
        ...options,
        servers: via === undefined ? [] : (options.servers ?? []),
        random: host.random,
      },
      {
        ask: (exchange) => this.#ask(exchange),
        end: (exchange) => {
          this.#exchanges.get(exchange)?.end();
          this.#exchanges.delete(exchange);
        },
      },
    );
    this.#timer = host.clock.timer(() => {
      this.forwarder.advance(host.clock.now());
      this.#schedule();
    });
  }

  /** Takes the ports. Called by {@link serveDns}. */
  async open(): Promise<void> {
    const { host, addresses, port = DNS_PORT } = this.#options;
    const places = addresses?.map((address) => ({ address, port })) ?? [{ port }];
    for (const place of places) {
      const socket = await host.bind(place);
      this.#sockets.push(socket);
      // Where the host was to choose the port, TCP's is the same.
      const accept = (connection: Connection): void => this.#accept(connection);
      this.#listeners.push(await host.listen({ ...place, port: socket.local.port, accept }));
      socket.start({ receive: (batch) => this.#receive(socket, batch) });
    }
  }

  /** Where clients are served by UDP and TCP. */
  get local(): readonly SocketAddress[] {
    return this.#sockets.map(({ local }) => local);
  }

  /** Has the name lead to these addresses from now on; a name of one label is of the network's zone. None: it is forgotten. Throws `DOMAIN_NAME_INVALID`, `DNS_TOO_MANY_NAMES`. */
  setName(name: string, addresses: readonly IpAddress[]): void {
    const { names } = this.forwarder;
    names.set(names.nameOf(name), addresses);
  }

  /** The names that lead to an address: see {@link DnsForwarder.labels}. */
  labels(address: IpAddress): readonly string[] {
    return this.forwarder.labels(address);
  }

  /** Has other servers asked from now on. */
  setServers(servers: readonly SocketAddress[]): void {
    this.forwarder.setServers(servers);
  }

  /** Serves no more: what waits is told that it failed. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.forwarder.close();
    this.#timer.clear();
    for (const client of this.#clients.items()) client.close();
    const open = [...this.#sockets, ...this.#listeners];
    await Promise.all(open.map((one) => one.close()));
  }

  #receive(socket: DatagramSocket, batch: readonly Datagram[]): void {
    const now = this.#options.host.clock.now();
    for (const { data, remote: from, local, station } of batch) {
      const remote = { address: from.address, port: from.port };
      // From the address that was asked, or the client does not believe it (RFC 2181, section 4.1).
      const back = local === undefined ? { remote } : { remote, local };
      const respond = (message: Uint8Array): void => void socket.send([{ ...back, data: message }]);
      this.forwarder.query(data, { remote, transport: 'udp', station, respond }, now);
    }
    this.#schedule();
  }

  #accept(connection: Connection): void {
    const address = connection.remote.address.toString();
    const { connections, connectionsPerClient } = this.#limits;
    if (!this.#clients.hasRoom(address, connections, connectionsPerClient)) {
      const isFull = this.#clients.size >= connections;
      this.drops.add(isFull ? 'connections' : 'connections-of-client');
      connection.abort();
      return;
    }
    const { clock } = this.#options.host;
    const client = new TcpClient(connection, clock, this.#limits, {
      query: (bytes, asking) => {
        this.forwarder.query(bytes, asking, clock.now());
        this.#schedule();
      },
      closed: (gone) => this.#clients.remove(address, gone),
    });
    this.#clients.add(address, client);
  }

  #ask(exchange: DnsExchange): void {
    const { host, via } = this.#options;
    const { clock } = host;
    const upstream = new UpstreamExchange(via!, exchange, {
      answered: (asked, bytes) => {
        this.forwarder.answered(asked, bytes, clock.now());
        this.#schedule();
      },
      failed: (asked) => {
        this.#exchanges.delete(asked);
        this.forwarder.failed(asked, clock.now());
        this.#schedule();
      },
    });
    this.#exchanges.set(exchange, upstream);
  }

  #schedule(): void {
    if (this.#closed === undefined) this.#timer.set(this.forwarder.deadline());
  }
}
