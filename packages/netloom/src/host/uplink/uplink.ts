import {
  Counters,
  FairShares,
  withLimits,
  type Cidr,
  type Host,
  type IpAddress,
} from '../../core/index.ts';
import type { Interception, Interface } from '../../ip/index.ts';
import type { StackHost } from '../stack/stack-host.ts';
import { ConnectionCarrier } from './connections.ts';
import { DatagramCarrier } from './datagrams.ts';
import { EchoCarrier } from './echoes.ts';
import type { ClientShares, UplinkEnvironment } from './environment.ts';
import type { Flow } from './flow.ts';
import { FlowStarts } from './flow-starts.ts';
import { FlowTable } from './flow-table.ts';
import { UPLINK_LIMITS, type UplinkLimits } from './limits.ts';
import { ownAddresses } from './own-addresses.ts';
import { Policy, type PolicyOptions } from './policy.ts';
import { publish, type Publication, type PublicationOptions } from './publication.ts';
import { RefusingShares } from './shares.ts';

/** What {@link uplink} takes. */
export interface UplinkOptions extends PolicyOptions {
  /** The gateway: guests send to it what is for others. */
  readonly inside: StackHost;
  /** The gateway's interfaces with guests behind them. */
  readonly interfaces: readonly Interface[];
  /** Whose connections and sockets carry what guests send: the operating system's host, most often. */
  readonly outside: Host;
  /** What the uplink leads to. Default: whatever no route of the gateway does. */
  readonly prefixes?: readonly Cidr[];
  /** The addresses of the machine that `outside` is on: guests do not reach them. Default: those it has, of the operating system's and our own hosts. */
  readonly ownAddresses?: () => readonly IpAddress[];
  readonly limits?: Partial<UplinkLimits>;
}

/**
 * Gives guests of a network the world of another host, without a privilege: what they send to anybody is taken up by the gateway's stack and carried over
 * connections, sockets and echo requests of the other host. (What `slirp4netns`, `passt` and gvisor-tap-vsock do.)
 */
export function uplink(options: UplinkOptions): Uplink {
  return new Uplink(options);
}

/** See {@link uplink}. */
export class Uplink implements AsyncDisposable {
  /** What is carried, and what was. */
  readonly flows: FlowTable;
  /** What was dropped or refused, by reason. */
  readonly drops: Counters = new Counters();
  readonly #environment: UplinkEnvironment;
  readonly #connections: ConnectionCarrier;
  readonly #datagrams: DatagramCarrier;
  readonly #echoes: EchoCarrier;
  readonly #interception: Interception;
  readonly #publications = new Set<Publication>();
  #closed: Promise<void> | undefined;

  constructor(options: UplinkOptions) {
    const { inside, outside, interfaces, prefixes } = options;
    const { clock } = inside;
    const limits = withLimits(UPLINK_LIMITS, options.limits);
    const own = options.ownAddresses ?? (() => ownAddresses(outside));
    this.flows = new FlowTable(clock, limits);
    this.#environment = {
      clock,
      inside,
      outside,
      policy: new Policy(options, own, () => clock.now()),
      flows: this.flows,
      starts: new FlowStarts(clock, limits.startsPerMillisecond),
      clients: sharesOfClients(limits, this.drops),
      limits,
      drops: this.drops,
    };
    this.#connections = new ConnectionCarrier(this.#environment);
    this.#datagrams = new DatagramCarrier(this.#environment);
    this.#echoes = new EchoCarrier(this.#environment);
    this.#interception = inside.stack.intercept(
      {
        interfaces,
        ...(prefixes === undefined ? {} : { prefixes }),
        ownAddresses: options.hostAccess === 'gateway',
      },
      {
        connection: (attempt) => this.#connections.open(attempt),
        datagram: (datagram) => this.#datagrams.send(datagram),
        echo: (request) => this.#echoes.ask(request),
      },
    );
  }

  /** Makes a guest's port one of the outside host's. Rejects with the outside host's error, as `ADDRESS_IN_USE`. */
  async publish(options: PublicationOptions): Promise<Publication> {
    const made = await publish(this.#environment, options, () => this.#publications.delete(made));
    this.#publications.add(made);
    return made;
  }

  /** Nothing more is carried: connections are reset on both sides, published ports are closed. The gateway and the outside host stay. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#closeAll();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #closeAll(): Promise<void> {
    // Guests whose connections wait are told, by the interception that is still there.
    this.#connections.close();
    this.#interception.close();
    this.#datagrams.close();
    this.#echoes.close();
    await Promise.all([...this.#publications].map((publication) => publication.close()));
  }
}

/** Clients outside are held to what guests are, for themselves: neither can take what the others have. */
function sharesOfClients(limits: UplinkLimits, drops: Counters): ClientShares {
  const connections = new RefusingShares<string, Flow>({
    all: limits.connections,
    each: limits.connectionsPerGuest,
    drops,
    full: 'tcp-connections-of-clients-limit',
    exhausted: 'tcp-connections-of-client-limit',
  });
  return { connections, mappings: new FairShares() };
}
