import { IpAddress, hostError, type Cidr, type Counters } from '../../core/index.ts';
import {
  Dhcpv6Server,
  type Dhcpv6LeaseRecord,
  type Dhcpv6ReservedClient,
  type Dhcpv6ServerOptions,
  type Dhcpv6ServerSink,
  type Interface,
} from '../../ip/index.ts';
import { DHCPV6_ALL_SERVERS, DHCPV6_SERVER_PORT, duidOfMac } from '../../wire/index.ts';
import { DhcpDriver } from './dhcp-driver.ts';
import { LeaseKeeper, type LeaseKeeping } from './lease-keeper.ts';
import type { StackHost } from './stack-host.ts';

/** What {@link DhcpServerV6} takes. */
export interface DhcpServerV6Options
  extends
    Omit<Dhcpv6ServerOptions, 'interface' | 'duid'>,
    Partial<Pick<Dhcpv6ServerOptions, 'duid'>>,
    Omit<Dhcpv6ServerSink, 'send'> {
  /** The server's address on the interface, and the subnet it serves. Default: the interface's first IPv6 address that is not link-local. */
  readonly interface?: Cidr;
  /** Where leases are kept over restarts. What is kept is taken in by {@link importLeases}. */
  readonly keeping?: LeaseKeeping<Dhcpv6LeaseRecord>;
}

/**
 * Serves the network of an interface of a {@link StackHost} with addresses and prefixes by DHCPv6: binds the engine to UDP port 547 of that
 * interface. By default the interface's MAC address says who the server is. It begins at once, and ends with {@link close} or with the host.
 */
export class DhcpServerV6 implements AsyncDisposable {
  readonly #host: StackHost;
  readonly #via: Interface;
  readonly #engine: Dhcpv6Server;
  readonly #driver: DhcpDriver;
  readonly #keeper: LeaseKeeper<Dhcpv6LeaseRecord> | undefined;

  /** Throws `ADDRESS_NOT_AVAILABLE` if the interface has no IPv6 address of a network to be served, or no link-local one to speak from. */
  constructor(host: StackHost, via: Interface, options: DhcpServerV6Options) {
    this.#host = host;
    this.#via = via;
    const global = via.usable(6).find(({ cidr }) => !cidr.address.isLinkLocal);
    const cidr = options.interface ?? global?.cidr;
    if (cidr === undefined || via.linkLocal === undefined) {
      const what = cidr === undefined ? 'IPv6 address of a network' : 'link-local IPv6 address';
      throw hostError('ADDRESS_NOT_AVAILABLE', `${via.name} has no ${what}`, {
        remedy: 'Give the interface an address of the network to be served, and one of fe80::/64.',
      });
    }
    this.#engine = new Dhcpv6Server(
      { duid: duidOfMac(via.mac), ...options, interface: cidr },
      {
        send: (message, destination, port) => {
          const send = (): void => this.#send(message, destination, port);
          if (this.#keeper === undefined) send();
          else this.#keeper.whenKept(send);
        },
        leased: (lease, client, hostname) => {
          this.#keeper?.changed();
          options.leased?.(lease, client, hostname);
        },
        freed: (lease, client, reason) => {
          this.#keeper?.changed();
          options.freed?.(lease, client, reason);
        },
        displaced: (lease, heir) => options.displaced?.(lease, heir),
      },
    );
    const { keeping } = options;
    this.#keeper =
      keeping && new LeaseKeeper(host.clock, keeping, () => this.leases(), this.#engine.drops);
    const { multicast } = host.stack;
    this.#driver = new DhcpDriver(host, this.#engine, {
      via,
      address: IpAddress.ANY6,
      port: DHCPV6_SERVER_PORT,
      closed: () => multicast.leaveOn(via, DHCPV6_ALL_SERVERS),
    });
    multicast.joinOn(via, DHCPV6_ALL_SERVERS);
  }

  /** Messages dropped, by reason. */
  get drops(): Counters {
    return this.#engine.drops;
  }

  /** The leases as plain data. */
  leases(): Dhcpv6LeaseRecord[] {
    return this.#engine.leases(this.#host.clock.now());
  }

  /** Takes in leases of an earlier run; answers how many made sense. */
  importLeases(records: readonly Dhcpv6LeaseRecord[]): number {
    const taken = this.#engine.importLeases(records, this.#host.clock.now());
    this.#driver.schedule();
    return taken;
  }

  /** See {@link Dhcpv6Server.reserve}. */
  reserve(client: Dhcpv6ReservedClient): IpAddress {
    return this.#engine.reserve(client, this.#host.clock.now());
  }

  /** See {@link Dhcpv6Server.unreserve}. */
  unreserve(client: Dhcpv6ReservedClient): void {
    this.#engine.unreserve(client, this.#host.clock.now());
  }

  /** See {@link Dhcpv6Server.setName}. */
  setName(client: Dhcpv6ReservedClient, name: string | undefined): void {
    this.#engine.setName(client, name);
  }

  /** Serves no more; settles when the leases are kept. Idempotent. */
  async close(): Promise<void> {
    await this.#driver.close();
    await this.#keeper?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #send(message: Uint8Array, destination: IpAddress, port: number): void {
    // A relay agent may be beyond the link: then from an address that reaches it.
    const source = destination.isLinkLocal ? this.#via.linkLocal : undefined;
    this.#driver.send(message, destination, port, source);
  }
}
