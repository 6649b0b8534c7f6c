/**
 * Stateless address autoconfiguration of IPv6, the host's side.
 *
 * Read first: RFC 4862 (addresses), RFC 4861, section 6.3 (routers), RFC 7217 (stable identifiers), RFC 8981 (temporary addresses),
 * RFC 7559 (asking for routers), RFC 4191 (preferences; of its kinds of host this is type B: it heeds preferences, not routes), RFC 8106 (DNS).
 */
import {
  Cidr,
  Counters,
  TimerQueue,
  withLimits,
  type Engine,
  type IpAddress,
  type MacAddress,
  type Random,
} from '../../core/index.ts';
import type {
  NdpOption,
  NdpPrefix,
  NeighbourAdvertisement,
  NeighbourSolicitation,
  RouterAdvertisement,
  RouterSolicitation,
} from '../../wire/index.ts';
import { DUPLICATE_DETECTION_LIMITS, DuplicateDetection } from '../address/duplicate-address-v6.ts';
import { Outbox } from '../outbox.ts';
import type { AutoAddress } from './address.ts';
import { AutoAddresses } from './addresses.ts';
import type { StableIdentifierOptions } from './identifier.ts';
import { SLAAC_LIMITS, type SlaacLimits } from './limits.ts';
import {
  NO_PARAMETERS,
  areSameParameters,
  mergeParameters,
  type LinkParameters,
} from './parameters.ts';
import { RouterData, type DefaultRouter } from './routers.ts';
import { SolicitationTimer } from './solicitation.ts';
import type { SlaacTimer } from './timer.ts';

/** What {@link Slaac} calls. A handler may call anything of the engine's. */
export interface SlaacSink {
  /** Send to all routers (`ff02::2`) with hop limit 255. */
  sendRouterSolicitation(message: RouterSolicitation, source: IpAddress): void;
  /** Send from `::` with hop limit 255. */
  sendNeighbourSolicitation(message: NeighbourSolicitation, destination: IpAddress): void;
  /** The interface is to have this address, tentative as yet, and be in its solicited-node group (RFC 4862, section 5.4.2). */
  addressTentative(address: AutoAddress): void;
  /** The address is free: it may be used. */
  addressReady(address: AutoAddress): void;
  /** The address in use has become deprecated, or preferred again. */
  addressChanged(address: AutoAddress): void;
  /** The tentative address is another node's: the interface must not have it. */
  addressFailed(address: AutoAddress): void;
  /** The address, tentative or in use, is valid no more. */
  addressRemoved(address: AutoAddress): void;
  routerAdded(router: DefaultRouter): void;
  /** Its preference is another. */
  routerChanged(router: DefaultRouter): void;
  routerRemoved(router: DefaultRouter): void;
  /** Addresses of the prefix are on the link. */
  prefixAdded(prefix: Cidr): void;
  prefixRemoved(prefix: Cidr): void;
  /** All recursive DNS servers that routers name now. */
  dnsServers(addresses: readonly IpAddress[]): void;
  /** What routers say of the link has changed. */
  parameters(parameters: LinkParameters): void;
  /** No link-local address could be had: IPv6 should not be used on the interface (RFC 4862, section 5.4.5). The engine has stopped. */
  failed(): void;
}

/** How to make a {@link Slaac}. */
export interface SlaacOptions {
  readonly mac: MacAddress;
  /** The link's MTU: no router can raise it. */
  readonly mtu: number;
  readonly random: Random;
  /** What stable addresses are made of. */
  readonly identity: StableIdentifierOptions;
  /** Make temporary addresses too (RFC 8981). Default false. */
  readonly temporaryAddresses?: boolean;
  /** Tell duplicate detection's own messages from others' (RFC 7527). Default true. */
  readonly nonce?: boolean;
  readonly limits?: Partial<SlaacLimits> | undefined;
}

/** Configures one interface by what routers say. Start it when the link is up; hand it the messages that `parseNdp` believed. */
export class Slaac implements Engine {
  /** Messages and options passed over, by reason. */
  readonly drops: Counters = new Counters();
  readonly #options: SlaacOptions;
  readonly #limits: SlaacLimits;
  readonly #sink: SlaacSink;
  readonly #outbox: Outbox = new Outbox();
  readonly #timers: TimerQueue<SlaacTimer> = new TimerQueue();
  readonly #detection: DuplicateDetection;
  readonly #addresses: AutoAddresses;
  readonly #routerData: RouterData;
  readonly #solicitation: SolicitationTimer;
  #parameters: LinkParameters = NO_PARAMETERS;
  #isRunning = false;

  constructor(options: SlaacOptions, sink: SlaacSink) {
    this.#options = options;
    this.#sink = sink;
    this.#limits = withLimits(SLAAC_LIMITS, options.limits);
    this.#detection = this.#makeDetection();
    this.#addresses = this.#makeAddresses();
    this.#routerData = this.#makeRouterData();
    const { random } = options;
    this.#solicitation = new SolicitationTimer(this.#timers, random, this.#limits, () =>
      this.#solicitRouters(),
    );
  }

  /** The addresses of now, tentative ones and duplicates included. */
  addresses(): readonly AutoAddress[] {
    return this.#addresses.list();
  }

  /** The default routers of now. */
  routers(): readonly DefaultRouter[] {
    return this.#routerData.routers();
  }

  get parameters(): LinkParameters {
    return this.#parameters;
  }

  /** The link is up: begins with the link-local address. */
  start(now: number): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#addresses.start(now);
    this.#outbox.deliver();
  }

  /** The link is down: everything is given up, and told so. Idempotent. */
  stop(now: number): void {
    this.#end(now);
    this.#outbox.deliver();
  }

  /** A router has told of itself. `router` is the sender: a link-local address. */
  receiveRouterAdvertisement(router: IpAddress, message: RouterAdvertisement, now: number): void {
    if (!this.#isRunning) {
      this.drops.add('stopped');
      return;
    }
    this.#updateParameters(message);
    this.#routerData.updateRouter(router, message, now);
    // Only a default router's answer is the end of asking (RFC 7559, section 2.1).
    if (message.routerLifetime > 0) this.#solicitation.stop();
    for (const option of message.options) {
      if (option.kind === 'prefix') this.#updatePrefix(option, now);
      else if (option.kind === 'dns-servers') this.#routerData.updateDnsServers(option, now);
    }
    this.#outbox.deliver();
  }

  /** A neighbour solicitation has come. True: its target is tentative, so it is not to be answered. */
  receiveNeighbourSolicitation(
    source: IpAddress,
    message: NeighbourSolicitation,
    now: number,
  ): boolean {
    const wasTentative = this.#detection.receiveSolicitation(source, message, now);
    this.#outbox.deliver();
    return wasTentative;
  }

  /** A neighbour advertisement has come. True: its target was tentative, and is another node's. */
  receiveNeighbourAdvertisement(message: NeighbourAdvertisement, now: number): boolean {
    const wasTentative = this.#detection.receiveAdvertisement(message, now);
    this.#outbox.deliver();
    return wasTentative;
  }

  deadline(): number {
    return Math.min(this.#timers.deadline(), this.#detection.deadline());
  }

  advance(now: number): void {
    this.#detection.advance(now);
    for (;;) {
      const timer = this.#timers.takeDue(now);
      if (timer === undefined) break;
      timer.elapsed(now);
    }
    this.#outbox.deliver();
  }

  #makeDetection(): DuplicateDetection {
    const { random, nonce = true } = this.#options;
    const { addresses, transmits } = this.#limits;
    return new DuplicateDetection(
      { random, nonce, limits: { addresses, transmits } },
      {
        solicit: (message, destination) =>
          this.#tell((sink) => sink.sendNeighbourSolicitation(message, destination)),
        unique: (address, now) => this.#addresses.unique(address, now),
        duplicate: (address, now) => this.#addresses.duplicate(address, now),
      },
    );
  }

  #makeAddresses(): AutoAddresses {
    const { random, identity, temporaryAddresses = false } = this.#options;
    return new AutoAddresses({
      timers: this.#timers,
      random,
      limits: this.#limits,
      identity,
      useTemporary: temporaryAddresses,
      detection: this.#detection,
      drops: this.drops,
      tentative: (address) => this.#tell((sink) => sink.addressTentative(address)),
      ready: (address, now) => {
        this.#tell((sink) => sink.addressReady(address));
        if (address.kind === 'link-local') this.#beginSolicitation(now);
      },
      changed: (address) => this.#tell((sink) => sink.addressChanged(address)),
      failed: (address) => this.#tell((sink) => sink.addressFailed(address)),
      removed: (address) => this.#tell((sink) => sink.addressRemoved(address)),
      linkLocalFailed: (now) => {
        this.#end(now);
        this.#tell((sink) => sink.failed());
      },
    });
  }

  #makeRouterData(): RouterData {
    return new RouterData({
      timers: this.#timers,
      limits: this.#limits,
      drops: this.drops,
      routerAdded: (router) => this.#tell((sink) => sink.routerAdded(router)),
      routerChanged: (router) => this.#tell((sink) => sink.routerChanged(router)),
      routerRemoved: (router) => this.#tell((sink) => sink.routerRemoved(router)),
      prefixAdded: (prefix) => this.#tell((sink) => sink.prefixAdded(prefix)),
      prefixRemoved: (prefix) => this.#tell((sink) => sink.prefixRemoved(prefix)),
      dnsServers: (addresses) => this.#tell((sink) => sink.dnsServers(addresses)),
    });
  }

  /** Owes the sink a call, made when the state is settled. */
  #tell(call: (sink: SlaacSink) => void): void {
    this.#outbox.add(() => call(this.#sink));
  }

  #end(now: number): void {
    this.#isRunning = false;
    this.#solicitation.stop();
    this.#addresses.clear(now);
    this.#routerData.clear();
    this.#setParameters(NO_PARAMETERS);
  }

  /** Now that there is an address to be answered at, routers are asked. Duplicate detection has waited at random already (RFC 4861, section 6.3.7). */
  #beginSolicitation(now: number): void {
    if (this.routers().length > 0) return;
    const { transmits, maximumDelay } = this.#limits;
    const delay = transmits > 0 ? 0 : this.#options.random.float() * maximumDelay;
    this.#solicitation.start(now + delay);
  }

  #solicitRouters(): void {
    const source = this.#addresses.linkLocal;
    if (source === undefined) return;
    const options: NdpOption[] = [{ kind: 'source-link-address', mac: this.#options.mac }];
    this.#tell((sink) =>
      sink.sendRouterSolicitation({ kind: 'router-solicitation', options }, source),
    );
  }

  #updateParameters(message: RouterAdvertisement): void {
    const { mtu } = this.#options;
    this.#setParameters(mergeParameters(this.#parameters, message, mtu, this.drops));
  }

  #setParameters(parameters: LinkParameters): void {
    if (areSameParameters(this.#parameters, parameters)) return;
    this.#parameters = parameters;
    this.#detection.retransmitTime =
      parameters.retransmitTime ?? DUPLICATE_DETECTION_LIMITS.retransmitTime;
    this.#tell((sink) => sink.parameters(parameters));
  }

  /** RFC 4861, section 6.3.4 and RFC 4862, section 5.5.3: the link-local prefix is no router's to give, and a group's is no prefix. */
  #updatePrefix(option: NdpPrefix, now: number): void {
    const { network, prefixLength } = option.prefix;
    if (network.isLinkLocal || network.isMulticast) {
      this.drops.add('prefix-not-unicast');
      return;
    }
    if (option.onLink) {
      this.#routerData.updatePrefix(new Cidr(network, prefixLength), option, now);
    }
    if (option.autonomous) this.#addresses.update(option, now);
  }
}
