/** A simulated network behind a NAT: inside hosts, a router, and the world outside, on their own stacks in virtual time. */
import { createHash } from 'node:crypto';
import type { Connection, IpAddress, SocketAddress } from 'netloom/core';
import {
  simWorld,
  type SimHost,
  type SimNetwork,
  type SimNetworkOptions,
  type SimWorld,
} from 'netloom/host';
import { openNat, type Nat, type NatOptions } from 'netloom/ip';
import { pattern } from '../ip/stack-bench.ts';

/** How a {@link NatLan} is made. */
export interface NatLanOptions extends Partial<Omit<NatOptions, 'inside' | 'outside'>> {
  readonly seed?: number;
  readonly insideNetwork?: SimNetworkOptions;
  readonly outsideNetwork?: SimNetworkOptions;
}

/** Two inside hosts, the router, and a server outside that knows nothing of the inside. */
export class NatLan {
  readonly world: SimWorld;
  readonly inside: SimNetwork;
  readonly outside: SimNetwork;
  readonly router: SimHost;
  readonly server: SimHost;
  readonly a: SimHost;
  readonly b: SimHost;
  readonly nat: Nat;

  constructor(options: NatLanOptions = {}) {
    const { seed = 1, insideNetwork, outsideNetwork, ...rest } = options;
    this.world = simWorld({ seed });
    this.inside = this.world.network('inside', {
      subnets: ['10.0.0.0/24', 'fd00::/64'],
      delay: 1,
      ...insideNetwork,
    });
    this.outside = this.world.network('outside', {
      subnets: ['203.0.113.0/24', '2001:db8::/64'],
      delay: 5,
      ...outsideNetwork,
    });
    this.router = this.world.machine('router', {
      on: [this.inside, this.outside],
      forwarding: true,
    });
    this.server = this.world.machine('server', { on: this.outside });
    this.a = this.machine('a');
    this.b = this.machine('b');
    const via = this.router.cable(this.outside).interface;
    this.nat = openNat(this.router.stack, {
      inside: [this.router.cable(this.inside).interface],
      outside: via,
      external: this.externals,
      ...rest,
    });
  }

  /** Another host behind the NAT. */
  machine(name: string): SimHost {
    const made = this.world.machine(name, { on: this.inside });
    made.routeVia(this.router, this.inside);
    return made;
  }

  /** The router's addresses outside. */
  get externals(): readonly IpAddress[] {
    return this.router
      .cable(this.outside)
      .interface.addresses.map(({ cidr }) => cidr.address)
      .filter((address) => !address.isLinkLocal);
  }

  external(family: 4 | 6): IpAddress {
    return this.externals.find((each) => each.family === family)!;
  }
}

/** The address of a family that a machine has. */
export function addressOf(host: SimHost, family: 4 | 6): IpAddress {
  return host.addresses.find((each) => each.family === family && !each.isLinkLocal)!;
}

/** The sum of the pattern's first bytes. */
export function sumOf(length: number): string {
  return createHash('sha256').update(pattern(0, length)).digest('hex');
}

/** Sends the pattern and ends. */
export function sendPattern(connection: Connection, length: number): void {
  connection.start({});
  connection.write(pattern(0, length));
  connection.end();
}

/** Reads to the end: the sum of all that came. */
export function sumReceived(connection: Connection): Promise<string> {
  const hash = createHash('sha256');
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  connection.start({
    data: (chunk) => void hash.update(chunk),
    end: () => {
      connection.end();
      resolve(hash.digest('hex'));
    },
    closed: (error) => {
      if (error !== undefined) reject(error);
    },
  });
  return promise;
}

/** A UDP socket that keeps what came, and whom it came from. */
export class UdpPeer {
  readonly received: { from: SocketAddress; text: string }[] = [];
  readonly #send: (remote: SocketAddress, text: string) => void;
  /** Called with each datagram. */
  onReceive: ((from: SocketAddress, text: string) => void) | undefined;

  private constructor(send: (remote: SocketAddress, text: string) => void) {
    this.#send = send;
  }

  static async open(host: SimHost, port: number, address: IpAddress): Promise<UdpPeer> {
    const socket = await host.bind({ port, address });
    const peer = new UdpPeer((remote, text) => {
      socket.send([{ data: new TextEncoder().encode(text), remote }]);
    });
    socket.start({
      receive: (batch) => {
        for (const { data, remote } of batch) {
          const text = new TextDecoder().decode(data);
          peer.received.push({ from: remote, text });
          peer.onReceive?.(remote, text);
        }
      },
    });
    return peer;
  }

  send(remote: SocketAddress, text: string): void {
    this.#send(remote, text);
  }
}
