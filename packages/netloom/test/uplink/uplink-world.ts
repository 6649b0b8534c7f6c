/** Guests behind a gateway without a route, whose uplink is a machine on another network: all simulated. */
import { Cidr, IpAddress, type Connection } from 'netloom/core';
import {
  simWorld,
  uplink,
  type SimHost,
  type SimNetwork,
  type SimWorld,
  type Uplink,
  type UplinkFlow,
  type UplinkOptions,
} from 'netloom/host';
import type { StackHostOptions } from 'netloom/host';

/** How an {@link UplinkWorld} is made. */
export interface UplinkWorldOptions extends Partial<
  Omit<UplinkOptions, 'inside' | 'interfaces' | 'outside'>
> {
  readonly seed?: number;
  /** Of the gateway's stack. */
  readonly gateway?: Pick<StackHostOptions, 'limits'>;
}

/** Networks that nobody is in: to the one the outside machine has no route, to the other a router that says nothing. */
export const UNKNOWN: IpAddress = IpAddress.parse('203.0.113.1');
export const NOWHERE: IpAddress = IpAddress.parse('192.0.2.1');

export const FAMILIES = [4, 6] as const;

/** See the file's head. */
export class UplinkWorld {
  readonly world: SimWorld;
  readonly lan: SimNetwork;
  readonly internet: SimNetwork;
  readonly gateway: SimHost;
  readonly guest: SimHost;
  readonly neighbour: SimHost;
  /** On whose sockets the uplink stands. */
  readonly outside: SimHost;
  readonly server: SimHost;
  readonly uplink: Uplink;

  constructor({ seed = 1, gateway, ...options }: UplinkWorldOptions = {}) {
    this.world = simWorld({ seed });
    this.lan = this.world.network('lan', { delay: 0.2 });
    this.internet = this.world.network('internet', { delay: 5 });
    this.gateway = this.world.machine('gateway', { on: this.lan, ...gateway });
    this.guest = this.world.machine('guest', { on: this.lan });
    this.neighbour = this.world.machine('neighbour', { on: this.lan });
    this.guest.routeVia(this.gateway);
    this.neighbour.routeVia(this.gateway);
    this.outside = this.world.machine('outside', { on: this.internet });
    this.server = this.world.machine('server', { on: this.internet });
    const hole = this.world.machine('hole', { on: this.internet });
    const nowhere = Cidr.parse('192.0.2.0/24');
    const via = this.outside.cable(this.internet).interface;
    this.outside.stack.addRoute(nowhere, via, hole.address);
    this.uplink = uplink({
      inside: this.gateway,
      interfaces: [this.gateway.cable(this.lan).interface],
      outside: this.outside,
      ...options,
    });
  }

  /** The server's address of a family. */
  serverAddress(family: 4 | 6): IpAddress {
    return addressOf(this.server, family);
  }

  /** Runs the work in virtual time. */
  run<T>(work: () => Promise<T>): Promise<T> {
    return this.world.run(work());
  }

  /** A guest's connection to the server, and the server's end of it. */
  async connected(family: 4 | 6 = 4, port = 80): Promise<[Connection, Connection]> {
    const accepted = Promise.withResolvers<Connection>();
    await this.server.listen({ port, accept: accepted.resolve });
    return Promise.all([
      this.guest.connect({ host: this.serverAddress(family), port }),
      accepted.promise,
    ]);
  }

  /** The flows that have ended, in words. */
  ended(): string[] {
    return this.uplink.flows.ended().map(inWords);
  }
}

/** An address of a machine. */
export function addressOf(machine: SimHost, family: 4 | 6): IpAddress {
  return machine.addresses.find((address) => address.family === family)!;
}

/** What is the same in every run, of a flow. */
export function inWords({ protocol, direction, destination, end, state }: UplinkFlow): string {
  const { address, port } = destination;
  return `${protocol} ${direction} ${address}${port === 0 ? '' : ` ${port}`} ${end ?? state}`;
}
