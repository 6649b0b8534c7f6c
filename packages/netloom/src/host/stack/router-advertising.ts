import { Cidr, hostError, type Counters, type IpAddress, type Timer } from '../../core/index.ts';
import {
  RouterAdvertiser,
  type AdvertisedNetwork,
  type Interface,
  type RouterAdvertiserOptions,
} from '../../ip/index.ts';
import { IPV6_ALL_ROUTERS, type RouterAdvertisement } from '../../wire/index.ts';
import type { StackHost } from './stack-host.ts';

/** What {@link RouterAdvertising} takes. */
export interface RouterAdvertisingOptions extends Omit<
  RouterAdvertiserOptions,
  'network' | 'mac' | 'random'
> {
  /** Default: every IPv6 network of the interface that is not link-local, and its MTU. */
  readonly network?: AdvertisedNetwork;
}

/**
 * Has an interface of a {@link StackHost} that forwards packets tell its link of itself as a router, and of the link's prefixes and parameters. It begins at once, and
 * ends with {@link close}, which tells the link, or with the host.
 */
export class RouterAdvertising implements AsyncDisposable {
  readonly #host: StackHost;
  readonly #via: Interface;
  readonly #engine: RouterAdvertiser;
  readonly #timer: Timer;
  readonly #forget: () => void;
  #isOpen = true;

  /** Throws `ADDRESS_NOT_AVAILABLE` if the interface has no link-local address, `ROUTER_ADVERTISEMENT_INVALID` for what cannot be said. */
  constructor(host: StackHost, via: Interface, options: RouterAdvertisingOptions = {}) {
    if (via.linkLocal === undefined) {
      throw hostError('ADDRESS_NOT_AVAILABLE', `${via.name} has no link-local IPv6 address`, {
        remedy: 'Give the interface an address of fe80::/64: routers speak from that.',
      });
    }
    this.#host = host;
    this.#via = via;
    const network = options.network ?? networkOf(via);
    this.#engine = new RouterAdvertiser(
      { ...options, network, mac: via.mac, random: host.random },
      { send: (message, destination) => this.#send(message, destination) },
    );
    this.#timer = host.clock.timer(() => {
      this.#engine.advance(host.clock.now());
      this.#schedule();
    });
    const { multicast, ndp } = host.stack;
    // As every router does (RFC 4861, section 6.2.2).
    multicast.joinOn(via, IPV6_ALL_ROUTERS);
    this.#forget = ndp.listenForSolicitations(via, (source) => {
      this.#engine.solicited(source, host.clock.now());
      this.#schedule();
    });
    this.#engine.start(host.clock.now());
    this.#schedule();
  }

  /** What is advertised. */
  get network(): AdvertisedNetwork {
    return this.#engine.network;
  }

  /** Answers that were put off or joined with others, by reason. */
  get counters(): Counters {
    return this.#engine.counters;
  }

  /** Tells of other things from now on. Throws `ROUTER_ADVERTISEMENT_INVALID`. */
  change(network: AdvertisedNetwork): void {
    this.#engine.change(network, this.#host.clock.now());
    this.#schedule();
  }

  /** Tells the link that this is a router no longer, and says no more. Idempotent. */
  close(): Promise<void> {
    if (this.#isOpen) {
      this.#engine.stop(this.#host.clock.now());
      this.#end();
    }
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #end(): void {
    this.#isOpen = false;
    this.#timer.clear();
    this.#forget();
    this.#host.stack.multicast.leaveOn(this.#via, IPV6_ALL_ROUTERS);
  }

  #schedule(): void {
    if (!this.#isOpen) return;
    // With its interface, or its host, it is gone without a word: there is nothing left to say it by.
    if (this.#via.isGone) this.#end();
    else this.#timer.set(this.#engine.deadline());
  }

  /** An interface that is down, or has lost its address, says nothing; what it has to say is said again later. */
  #send(message: RouterAdvertisement, destination: IpAddress): void {
    const { linkLocal, isUp } = this.#via;
    if (linkLocal === undefined || !isUp) this.counters.add('not-sent');
    else this.#host.stack.ndp.send(this.#via, linkLocal, destination, message);
  }
}

function networkOf(via: Interface): AdvertisedNetwork {
  const prefixes = via
    .usable(6)
    .filter(({ cidr }) => !cidr.address.isLinkLocal)
    .map(({ cidr }) => ({
      prefix: new Cidr(cidr.network, cidr.prefixLength),
      autonomous: cidr.prefixLength === 64,
    }));
  return { prefixes, mtu: via.mtu };
}
