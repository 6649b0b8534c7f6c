import { isDeepStrictEqual } from 'node:util';
import { Cidr, IpAddress, NetloomError, type Clock, type Random } from 'netloom/core';
import { StackHost } from 'netloom/host';
import { openNat, type Interface, type Nat } from 'netloom/ip';
import type { Link } from 'netloom/link';
import type { RouterInterfaceModel, RouterModel, TranslationModel } from '../model/index.ts';

/** What a {@link Router} is made with. */
export interface RouterOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** A machine between networks: a stack of its own that passes on what is for others. */
export class Router implements AsyncDisposable {
  readonly name: string;
  /** Its stack, and all that it can be asked for. */
  readonly host: StackHost;
  readonly #places = new Map<string, { model: RouterInterfaceModel; via: Interface }>();
  readonly #routes = new Map<string, { nextHop: string; via: Interface }>();
  #translation: TranslationModel | null = null;
  #nat: Nat | undefined;

  /** It begins without interfaces. */
  constructor(options: RouterOptions) {
    this.name = options.name;
    this.host = new StackHost({ ...options, forwarding: true });
  }

  /** As it is now; of its lines, which are its networks', as they were when it was connected. */
  get model(): RouterModel {
    return {
      name: this.name,
      interfaces: [...this.#places.values()].map(({ model }) => model),
      routes: Object.fromEntries(
        [...this.#routes].map(([network, { nextHop }]) => [network, nextHop]),
      ),
      translation: this.#translation,
    };
  }

  /** What translates for it, if anything does: its flows can be seen there. */
  get nat(): Nat | undefined {
    return this.#nat;
  }

  /** Gives it an interface on a network, at the router's end of the cable. Throws as `StackHost.addInterface`. */
  connect(model: RouterInterfaceModel, link: Link): void {
    const { network, addresses } = model;
    const via = this.host.addInterface(link, { name: network, addresses });
    this.#places.set(network, { model, via });
  }

  /** Takes its interface on a network away, with the routes that lead there and the translation it has a part in. */
  async disconnect(network: string): Promise<void> {
    const place = this.#places.get(network);
    if (place === undefined) return;
    this.#places.delete(network);
    const { outside, inside = [] } = this.#translation ?? {};
    if (outside === network || inside.includes(network)) this.#translate(null);
    for (const [destination, { via }] of this.#routes) {
      if (via === place.via) this.#routes.delete(destination);
    }
    await this.host.removeInterface(place.via);
  }

  /**
   * Follows what a model says of routes and translation. Its interfaces are there already. Throws `ROUTER_NEXT_HOP_FOREIGN`, `ROUTER_INTERFACE_UNKNOWN`, or what
   * the stack has against a route.
   */
  configure({ routes, translation }: Pick<RouterModel, 'routes' | 'translation'>): void {
    this.#removeRoutes();
    for (const [network, nextHop] of Object.entries(routes)) this.#addRoute(network, nextHop);
    this.#translate(translation);
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#translate(null);
    await this.host.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #addRoute(network: string, nextHop: string): void {
    const address = IpAddress.parse(nextHop);
    const via = this.#interfaceTowards(address);
    if (via === undefined) {
      throw new NetloomError(
        'ROUTER_NEXT_HOP_FOREIGN',
        `the router ${this.name} has no interface in the network of ${nextHop}, the next hop to ${network}`,
        { remedy: "Name a next hop that is in the network of one of the router's addresses." },
      );
    }
    this.host.stack.addRoute(Cidr.parse(network), via, address);
    this.#routes.set(network, { nextHop, via });
  }

  #interfaceTowards(nextHop: IpAddress): Interface | undefined {
    const places = [...this.#places.values()];
    return places.find(({ via }) => via.addresses.some(({ cidr }) => cidr.contains(nextHop)))?.via;
  }

  /** Those over an interface that has been taken away went with it. */
  #removeRoutes(): void {
    for (const [network, { nextHop, via }] of this.#routes) {
      this.host.stack.removeRoute(Cidr.parse(network), via, IpAddress.parse(nextHop));
    }
    this.#routes.clear();
  }

  /** A translation as it is stays, and so do its flows. */
  #translate(translation: TranslationModel | null): void {
    if (isDeepStrictEqual(translation, this.#translation)) return;
    this.#nat?.close();
    this.#nat = undefined;
    this.#translation = null;
    if (translation === null) return;
    const { inside, outside, ...behaviour } = translation;
    this.#nat = openNat(this.host.stack, {
      inside: inside.map((network) => this.#interfaceOn(network)),
      outside: this.#interfaceOn(outside),
      behaviour,
    });
    this.#translation = translation;
  }

  #interfaceOn(network: string): Interface {
    const place = this.#places.get(network);
    if (place !== undefined) return place.via;
    throw new NetloomError(
      'ROUTER_INTERFACE_UNKNOWN',
      `the router ${this.name} has no interface on the network ${network}`,
      { remedy: 'Give it one, or leave that network out of its translation.' },
    );
  }
}
