import { IpAddress, NetloomError, type Cidr, type Counters } from '../../core/index.ts';
import {
  Dhcpv4Server,
  type Dhcpv4Destination,
  type Dhcpv4LeaseRecord,
  type Dhcpv4ReservedClient,
  type Dhcpv4ServerOptions,
  type Dhcpv4ServerSink,
  type Interface,
} from '../../ip/index.ts';
import { DHCPV4_SERVER_PORT } from '../../wire/index.ts';
import { DhcpDriver } from './dhcp-driver.ts';
import { LeaseKeeper, type LeaseKeeping } from './lease-keeper.ts';
import type { StackHost } from './stack-host.ts';

/** What {@link DhcpServer} takes. */
export interface DhcpServerOptions
  extends Omit<Dhcpv4ServerOptions, 'interface'>, Omit<Dhcpv4ServerSink, 'send'> {
  /** The server's address on the interface, and the subnet it serves. Default: the interface's first IPv4 address. */
  readonly interface?: Cidr;
  /** Where leases are kept over restarts. What is kept is taken in by {@link importLeases}. */
  readonly keeping?: LeaseKeeping<Dhcpv4LeaseRecord>;
}

/**
 * Serves the network of an interface of a {@link StackHost} with addresses by DHCPv4: binds the engine to UDP port 67 of that
 * interface. It begins at once, and ends with {@link close} or with the host.
 */
export class DhcpServer implements AsyncDisposable {
  readonly #host: StackHost;
  readonly #via: Interface;
  readonly #address: IpAddress;
  readonly #engine: Dhcpv4Server;
  readonly #driver: DhcpDriver;
  readonly #keeper: LeaseKeeper<Dhcpv4LeaseRecord> | undefined;

  /** Throws `ADDRESS_NOT_AVAILABLE` if the interface has no IPv4 address. */
  constructor(host: StackHost, via: Interface, options: DhcpServerOptions) {
    this.#host = host;
    this.#via = via;
    const cidr = options.interface ?? via.usable(4)[0]?.cidr;
    if (cidr === undefined) {
      throw new NetloomError('ADDRESS_NOT_AVAILABLE', `${via.name} has no IPv4 address`, {
        remedy: 'Give the interface an address of the network that is to be served.',
      });
    }
    this.#address = cidr.address;
    this.#engine = new Dhcpv4Server(
      { ...options, interface: cidr },
      {
        send: (message, destination) => {
          const send = (): void => this.#send(message, destination);
          if (this.#keeper === undefined) send();
          else this.#keeper.whenKept(send);
        },
        leased: (address, client, hostname) => {
          this.#keeper?.changed();
          options.leased?.(address, client, hostname);
        },
        freed: (address, client, reason) => {
          this.#keeper?.changed();
          options.freed?.(address, client, reason);
        },
        displaced: (lease, heir) => options.displaced?.(lease, heir),
      },
    );
    const { keeping } = options;
    this.#keeper =
      keeping && new LeaseKeeper(host.clock, keeping, () => this.leases(), this.#engine.drops);
    const where = { via, address: IpAddress.ANY4, port: DHCPV4_SERVER_PORT };
    this.#driver = new DhcpDriver(host, this.#engine, { ...where, closed: () => undefined });
  }

  /** Messages dropped, by reason. */
  get drops(): Counters {
    return this.#engine.drops;
  }

  /** The leases as plain data. */
  leases(): Dhcpv4LeaseRecord[] {
    return this.#engine.leases(this.#host.clock.now());
  }

  /** Takes in leases of an earlier run; answers how many made sense. */
  importLeases(records: readonly Dhcpv4LeaseRecord[]): number {
    const taken = this.#engine.importLeases(records, this.#host.clock.now());
    this.#driver.schedule();
    return taken;
  }

  /** See {@link Dhcpv4Server.reserve}. */
  reserve(client: Dhcpv4ReservedClient): IpAddress {
    return this.#engine.reserve(client, this.#host.clock.now());
  }

  /** See {@link Dhcpv4Server.unreserve}. */
  unreserve(client: Dhcpv4ReservedClient): void {
    this.#engine.unreserve(client, this.#host.clock.now());
  }

  /** See {@link Dhcpv4Server.setName}. */
  setName(client: Dhcpv4ReservedClient, name: string | undefined): void {
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

  #send(message: Uint8Array, { address, port, mac }: Dhcpv4Destination): void {
    // The client cannot answer ARP yet, so its link address is entered by hand (RFC 2131, section 4.1).
    if (mac !== undefined) {
      const now = this.#host.clock.now();
      const { neighbours } = this.#via;
      neighbours.learn(neighbours.get(address, now), mac.high, mac.low, false, now);
    }
    this.#driver.send(message, address, port, this.#address);
  }
}
