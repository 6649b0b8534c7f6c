import { Cidr, IpAddress, type Clock, type MacAddress, type Random } from 'netloom/core';
import { StubResolver } from 'netloom/dns';
import { DhcpClient, StackHost } from 'netloom/host';
import type { Interface } from 'netloom/ip';
import type { Link } from 'netloom/link';
import { closeHost } from './close-host.ts';
import type { MachineService } from '../model/index.ts';
import type { MachineView, RunningService, ServiceMaker } from './service.ts';
import { serviceMaker } from './services/index.ts';

/** How a machine is configured. */
export interface MachineSetup {
  readonly addresses: readonly Cidr[];
  /** By whom others are reached, of each family one at most. */
  readonly routers: readonly IpAddress[];
  readonly nameServers: readonly IpAddress[];
  /** The zone of its network. */
  readonly zone: string | undefined;
}

/** What a {@link Machine} is made from. */
export interface MachineOptions {
  readonly name: string;
  readonly network: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Its end of the cable. */
  readonly link: Link;
  readonly services: readonly MachineService[];
  /** `ask`: those on its link are asked for addresses, of which it is not waited for. */
  readonly setup: MachineSetup | 'ask';
}

/** A machine on a stack of its own, with what it serves. */
export class Machine implements MachineView {
  readonly network: string;
  readonly host: StackHost;
  readonly interface: Interface;
  readonly #name: string;
  readonly #makers: readonly ServiceMaker[];
  readonly #names: StubResolver;
  #running: RunningService[] = [];
  #setup: MachineSetup = { addresses: [], routers: [], nameServers: [], zone: undefined };
  #dhcp: DhcpClient | undefined;
  #closed: Promise<void> | undefined;

  /** Starts it. Rejects as its services do; then nothing of it is left, its link is closed. */
  static async open(options: MachineOptions): Promise<Machine> {
    const machine = new Machine(options);
    try {
      if (options.setup === 'ask') machine.#ask();
      else machine.configure(options.setup);
      for (const maker of machine.#makers) machine.#running.push(await maker.start(machine));
      return machine;
    } catch (error) {
      await machine.close();
      throw error;
    }
  }

  private constructor({ name, network, clock, random, link, services }: MachineOptions) {
    this.#name = name;
    this.network = network;
    this.#makers = services.map((service) => serviceMaker(service, clock));
    this.#names = new StubResolver(
      () => this.host,
      () => this.#setup,
    );
    this.host = new StackHost({
      name,
      clock,
      random,
      resolver: (asked, resolving) => this.#names.resolve(asked, resolving),
    });
    const watched = this.#makers.reduce((inner, maker) => maker.watch?.(inner) ?? inner, link);
    this.interface = this.host.addInterface(watched, { name: 'eth0' });
  }

  get fullName(): string {
    const { zone } = this.#setup;
    return zone === undefined ? this.#name : `${this.#name}.${zone}`;
  }

  get mac(): MacAddress {
    return this.interface.mac;
  }

  get addresses(): readonly string[] {
    const own = this.interface.addresses.filter(({ cidr }) => !cidr.address.isLinkLocal);
    return own.map(({ cidr }) => cidr.toString());
  }

  get router(): MachineView['router'] {
    const { routers, zone } = this.#setup;
    const [address] = routers;
    if (address === undefined) return undefined;
    return { name: zone === undefined ? 'gateway' : `gateway.${zone}`, address };
  }

  /** Has it have these addresses and no others; connections from those it had end. */
  configure(setup: MachineSetup): void {
    const { stack } = this.host;
    const stays = (cidr: Cidr): boolean => setup.addresses.some((one) => one.equals(cidr));
    for (const address of this.#setup.routers) this.#route('removeRoute', address);
    for (const cidr of this.#setup.addresses) {
      if (!stays(cidr)) stack.removeAddress(this.interface, cidr.address);
    }
    for (const cidr of setup.addresses) {
      if (!this.#setup.addresses.some((one) => one.equals(cidr))) {
        stack.addAddress(this.interface, cidr);
      }
    }
    for (const address of setup.routers) this.#route('addRoute', address);
    this.#setup = setup;
  }

  /** Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await Promise.all(this.#running.map((service) => service.close()));
    await this.#dhcp?.release();
    await closeHost(this.host);
  }

  /** Without the seconds of probing: whoever gives an address has just found it free. */
  #ask(): void {
    this.#dhcp = new DhcpClient(this.host, this.interface, { hostname: this.#name, probe: false });
    this.host.autoconfigure(this.interface);
  }

  #route(change: 'addRoute' | 'removeRoute', router: IpAddress): void {
    const everything = router.family === 4 ? IpAddress.ANY4 : IpAddress.ANY6;
    this.host.stack[change](new Cidr(everything, 0), this.interface, router);
  }
}
