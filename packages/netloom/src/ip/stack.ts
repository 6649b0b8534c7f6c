import {
  Cidr,
  Counters,
  IpAddress,
  NetloomError,
  withLimits,
  type Clock,
  type EchoReply,
  type Random,
} from '../core/index.ts';
import { loopbackLink, type Link } from '../link/index.ts';
import { AddressClaims } from './address/address-claims.ts';
import { Addresses, type AddAddressOptions } from './address/addresses.ts';
import { ArpLayer } from './arp.ts';
import { Autoconfiguration, type AutoconfigureOptions } from './autoconfiguration.ts';
import { StackDriver } from './driver.ts';
import { forwardPacket } from './forward.ts';
import {
  Interceptions,
  type Interception,
  type InterceptionOptions,
  type Interceptor,
} from './interception/index.ts';
import { IcmpLayer } from './icmp/icmp-layer.ts';
import { IpInput, type FragmentOrigin } from './input.ts';
import {
  interfaceDown,
  interfaceGone,
  interfaceUp,
  withdrawInterface,
} from './interface/interface-changes.ts';
import type { Interface } from './interface/interface.ts';
import { Interfaces, type AddInterfaceOptions } from './interface/interfaces.ts';
import { STACK_LIMITS, type AllStackLimits, type StackLimits } from './limits.ts';
import { MulticastLayer } from './multicast-layer.ts';
import { Translators } from './nat/index.ts';
import { NdpLayer } from './ndp/ndp-layer.ts';
import { NEIGHBOUR_LIMITS, type NeighbourLimits } from './neighbour/neighbour-cache.ts';
import type { Neighbour } from './neighbour/neighbour.ts';
import { NetworkErrors } from './network-errors.ts';
import { IpOutput } from './output.ts';
import type { Packet } from './packet.ts';
import { PathMtuCache } from './route/path-mtu.ts';
import type { Path } from './route/path.ts';
import { Paths } from './route/paths.ts';
import { Reassembler } from './reassembly/index.ts';
import { RouteTable } from './route/routes.ts';
import { TcpLayer, type CongestionFactory } from './tcp/layer.ts';
import { TCP_LIMITS } from './tcp/limits.ts';
import { addressGone, neighbourUnreachable, resetConnectionsOf } from './tcp/network-events.ts';
import { UdpLayer } from './udp/udp-layer.ts';

/** What a stack is made with. */
export interface IpStackOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Packets for others are passed on: the stack is a router. Default false. */
  readonly forwarding?: boolean;
  readonly congestion?: CongestionFactory;
  readonly limits?: AllStackLimits;
}

/**
 * A TCP/IP stack over any links: interfaces and their neighbours, routes, IPv4 and IPv6, ICMP, UDP, TCP.
 *
 * It is put together here and does its work elsewhere. Going up: `input.ts`, then `tcp/layer.ts`, `udp/` or `icmp/`; going down:
 * `paths.ts`, `output.ts`. Frames come by the links' calls; all it needs besides is a {@link Clock} and a {@link Random}.
 */
export class IpStack {
  readonly clock: Clock;
  readonly random: Random;
  readonly interfaces: readonly Interface[];
  readonly routes: RouteTable<Interface> = new RouteTable<Interface>();
  readonly paths: Paths;
  readonly output: IpOutput;
  readonly arp: ArpLayer = new ArpLayer();
  readonly ndp: NdpLayer;
  readonly icmp: IcmpLayer;
  readonly udp: UdpLayer;
  readonly tcp: TcpLayer;
  readonly multicast: MulticastLayer;
  readonly autoconfiguration: Autoconfiguration;
  readonly claims: AddressClaims;
  /** What changes addresses of packets that are passed on: see `openNat`. */
  readonly translators: Translators = new Translators();
  readonly addresses: Addresses;
  /** Drops that belong to no interface and no transport. */
  readonly drops: Counters = new Counters();
  readonly loopback: Interface;
  readonly #input: IpInput;
  /** Datagrams that have come in part. */
  readonly fragments: Reassembler<FragmentOrigin>;
  readonly pathMtus: PathMtuCache;
  readonly #errors: NetworkErrors;
  readonly #limits: StackLimits;
  readonly #interfaces: Interfaces;
  readonly #interceptions: Interceptions;
  readonly #driver: StackDriver;
  #closed = false;

  constructor(options: IpStackOptions) {
    const { clock, random, limits = {} } = options;
    this.clock = clock;
    this.random = random;
    this.#limits = withLimits(STACK_LIMITS, limits.stack);
    this.#interfaces = this.#makeInterfaces(limits.neighbour);
    this.interfaces = this.#interfaces.list;
    this.#driver = new StackDriver({ clock, interfaces: this.interfaces });
    const now = (): number => this.now();
    const pathBack = (packet: Packet): Path | undefined => this.#pathBack(packet);
    this.output = new IpOutput(random, this.drops, now);
    this.loopback = this.#interfaces.add(loopbackLink(clock), {}, false);
    this.pathMtus = new PathMtuCache(limits.pathMtu, (destination) =>
      this.#errors.pathMtuRaised(destination),
    );
    this.paths = new Paths({
      interfaces: this.interfaces,
      loopback: this.loopback,
      routes: this.routes,
      pathMtus: this.pathMtus,
      now,
    });
    this.#interceptions = new Interceptions({
      paths: this.paths,
      closed: (ended, why) =>
        this.tcp.attempts.cancel(why, ({ interceptor }) => interceptor === ended),
    });
    const interceptorOf = (packet: Packet): Interceptor | undefined =>
      this.#interceptions.interceptorOf(packet);
    this.ndp = new NdpLayer({
      output: this.output,
      drops: this.drops,
      isRouter: options.forwarding ?? false,
      now,
      linkPath: (via, source, destination) =>
        this.paths.onLink(via, source, destination, undefined),
      advertised: (via, router, message) =>
        this.autoconfiguration.routerAdvertisement(via, router, message),
    });
    this.autoconfiguration = new Autoconfiguration({
      ndp: this.ndp,
      random,
      limits: limits.autoconfiguration,
      now,
      timersChanged: () => this.#driver.requestFlush(),
      addAddress: (via, cidr) => void this.addresses.assign(via, cidr, true),
      removeAddress: (via, address) => this.removeAddress(via, address),
      addRoute: (network, via, nextHop, metric) => this.addRoute(network, via, nextHop, metric),
      removeRoute: (network, via, nextHop, metric) =>
        this.removeRoute(network, via, nextHop, metric),
      pathsChanged: () => this.paths.changed(),
    });
    this.icmp = new IcmpLayer({
      output: this.output,
      random,
      errorsPerSecond: this.#limits.icmpErrors,
      pings: this.#limits.pings,
      now,
      pathBack,
      pathTo: (destination, source) => this.#pathTo(destination, source),
      interceptorOf,
      networkError: (quoted, kind, mtu) => this.#errors.receive(quoted, kind, mtu),
      discovery: (packet, type) => this.#discovery(packet, type),
    });
    this.udp = new UdpLayer({
      output: this.output,
      random,
      sockets: this.#limits.udpSockets,
      receiveBuffer: this.#limits.udpReceiveBuffer,
      defer: (callback) => clock.defer(callback),
      path: (destination, source, device) => this.paths.through(device, destination, source),
      pathAs: (destination, source) => this.paths.cached(destination, source, true),
      interceptorOf,
      portUnreachable: (packet) => this.icmp.sendError(packet, 'port-unreachable'),
      sendErrorAbout: (gone, kind) => this.icmp.sendErrorAbout(gone, kind),
      joinGroup: (group, via) => this.multicast.join(group, via),
      leaveGroup: (group, on) => this.multicast.leaveOn(on, group),
    });
    this.tcp = new TcpLayer({
      output: this.output,
      random,
      limits: withLimits(TCP_LIMITS, limits.tcp),
      congestion: options.congestion,
      now,
      requestFlush: () => this.#driver.requestFlush(),
      pathBack,
      path: (destination, source, mayBeForeign) =>
        this.paths.find(destination, source, mayBeForeign),
      interceptorOf,
      sendErrorAbout: (gone, kind) => this.icmp.sendErrorAbout(gone, kind),
      generation: () => this.paths.generation,
    });
    this.#errors = new NetworkErrors({
      drops: this.drops,
      pathMtus: this.pathMtus,
      tcp: this.tcp,
      udp: this.udp,
      now,
      pathsChanged: () => {
        this.paths.changed();
        // A path MTU is forgotten some time.
        this.#driver.requestFlush();
      },
    });
    this.multicast = new MulticastLayer({
      output: this.output,
      random,
      limits: limits.multicast,
      drops: this.drops,
      interfaces: this.interfaces,
      now,
      timersChanged: () => this.#driver.requestFlush(),
      linkPath: (via, source, destination) =>
        this.paths.onLink(via, source, destination, undefined),
    });
    this.claims = new AddressClaims({
      arp: this.arp,
      ndp: this.ndp,
      random,
      claimsPerInterface: this.#limits.claimsPerInterface,
      now,
      timersChanged: () => this.#driver.requestFlush(),
      joinSolicitedNode: (via, address) => this.multicast.joinSolicitedNode(via, address),
      leaveSolicitedNode: (via, address) => this.multicast.leaveSolicitedNode(via, address),
    });
    this.addresses = new Addresses({
      loopback: this.loopback,
      routes: this.routes,
      multicast: this.multicast,
      claims: this.claims,
      addressesPerInterface: this.#limits.addressesPerInterface,
      defer: (callback) => clock.defer(callback),
      pathsChanged: () => this.paths.changed(),
      resetConnections: (address) => resetConnectionsOf(this.tcp, address),
      addressGone: (address) => {
        if (this.paths.ownerOf(address) === undefined) addressGone(this.tcp, address);
      },
    });
    this.fragments = new Reassembler(
      { random, limits: limits.reassembly },
      { timedOut: (first, from) => this.#input.reassemblyTimedOut(first, from) },
    );
    this.#input = new IpInput({
      drops: this.drops,
      loopback: this.loopback,
      forwarding: options.forwarding ?? false,
      fragments: this.fragments,
      translators: this.translators,
      now,
      fragmentTaken: () => this.#driver.requestFlush(),
      isLocalV4: (word) => this.interfaces.some((via) => via.hasV4(word)),
      isLocalV6: (word0, word1, word2, word3) =>
        this.interfaces.some((via) => via.hasV6(word0, word1, word2, word3)),
      intercepts: (packet) => this.#interceptions.takes(packet),
      isMember: (via, packet) => this.multicast.isMember(via, packet),
      arp: (via, frame) => this.arp.receive(via, frame, this.now()),
      tcp: (packet) => this.tcp.receive(packet),
      udp: (packet) => this.udp.receive(packet),
      icmp: (packet) => this.icmp.receive(packet),
      igmp: (packet) => this.multicast.receiveIgmp(packet),
      forward: (packet) => forwardPacket(this, packet),
      sendError: (packet, kind, rest) => this.icmp.sendError(packet, kind, rest),
    });
    this.#driver.drive(
      [
        this.fragments,
        this.pathMtus,
        this.multicast,
        this.autoconfiguration,
        this.claims,
        this.translators,
      ],
      this.tcp,
    );
    this.addAddress(this.loopback, Cidr.parse('127.0.0.1/8'));
    this.addAddress(this.loopback, Cidr.parse('::1/128'));
  }

  /** The time of what is being done: one instant for all frames of a batch. */
  now(): number {
    return this.#driver.now();
  }

  /** The deadline of an engine that the stack drives may have moved. */
  timersChanged(): void {
    this.#driver.requestFlush();
  }

  /** Attaches the stack to a link. The interface is up at once; addresses can be added later. */
  addInterface(link: Link, options: AddInterfaceOptions = {}): Interface {
    const made = this.#interfaces.add(link, options, true);
    this.multicast.addInterface(made);
    const { addresses = [], duplicates } = options;
    for (const address of addresses) {
      const cidr = typeof address === 'string' ? Cidr.parse(address) : address;
      this.addAddress(made, cidr, duplicates === undefined ? {} : { duplicates });
    }
    return made;
  }

  /**
   * Takes an interface out of the stack, with its addresses, routes, neighbours and groups. Connections that have no other path end with `NETWORK_UNREACHABLE`, sockets
   * bound to it close, and so does its link. Idempotent. Throws `INTERFACE_INVALID` for the loopback.
   */
  removeInterface(via: Interface): Promise<void> {
    if (via === this.loopback) {
      throw new NetloomError('INTERFACE_INVALID', 'the loopback cannot be removed', {
        remedy: 'Take it down instead.',
      });
    }
    if (!this.interfaces.includes(via)) return Promise.resolve();
    withdrawInterface(this, via);
    this.#interfaces.remove(via);
    this.paths.changed();
    this.#driver.requestFlush();
    return via.link.close();
  }

  /** Has what comes for others taken up in their name by an interceptor, until the answer is closed. The stack need not be a router for that. */
  intercept(options: InterceptionOptions, interceptor: Interceptor): Interception {
    return this.#interceptions.add(options, interceptor);
  }

  /** Gives an interface an address, with the route to its network. The same address, there already, is replaced. Throws `TOO_MANY_OPEN`. */
  addAddress(via: Interface, cidr: Cidr, options: AddAddressOptions = {}): void {
    this.addresses.add(via, cidr, options);
  }

  /** Takes an address from an interface; connections from it end with `ADDRESS_NOT_AVAILABLE`. */
  removeAddress(via: Interface, address: IpAddress): void {
    this.addresses.remove(via, address);
  }

  /** Lets the interface find IPv6 addresses, routers and the link's parameters for itself (RFC 4862). */
  autoconfigure(via: Interface, options: AutoconfigureOptions = {}): void {
    this.autoconfiguration.start(via, options);
  }

  /** Adds a route: to `network` over `via`, through the router `nextHop` if given. Lower metrics are preferred. */
  addRoute(network: Cidr, via: Interface, nextHop?: IpAddress, metric = 100): void {
    this.routes.add({ network, target: via, nextHop, metric });
    this.paths.changed();
  }

  removeRoute(network: Cidr, via: Interface, nextHop?: IpAddress, metric = 100): void {
    this.routes.remove({ network, target: via, nextHop, metric });
    this.paths.changed();
  }

  /** Sends an echo request; see `IcmpLayer.ping`. */
  ping(
    target: IpAddress,
    options: { size: number; sequence?: number | undefined; hopLimit: number },
    settle: (reply: EchoReply | NetloomError) => void,
  ): () => void {
    return this.icmp.ping(this.paths.find(target, undefined), options, settle);
  }

  /** Closes the links. Connections are aborted first, so that their peers hear of it. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.tcp.abortAll();
    this.#driver.close();
    await Promise.all(this.interfaces.map(({ link }) => link.close()));
  }

  #makeInterfaces(neighbourLimits: Partial<NeighbourLimits> | undefined): Interfaces {
    return new Interfaces({
      random: this.random,
      limit: this.#limits.interfaces,
      neighbourLimits: withLimits(NEIGHBOUR_LIMITS, neighbourLimits),
      receive: (via, frame, offload) => {
        this.#driver.beginBatch();
        this.#input.receive(via, frame, offload);
      },
      batchEnd: () => this.#driver.endBatch(),
      up: (via) => interfaceUp(this, via),
      down: (via) => interfaceDown(this, via),
      gone: (via, error) => {
        interfaceGone(this, via, error);
        this.#driver.requestFlush();
      },
      solicit: (via, neighbour, unicast) => this.#solicit(via, neighbour, unicast),
      release: (via, waiting, neighbour) => this.output.release(via, waiting, neighbour),
      unreachable: (via, neighbour) => this.#neighbourUnreachable(via, neighbour),
      timersChanged: () => this.#driver.requestFlush(),
    });
  }

  /** Whoever sent what has waited for a neighbour hears that it is not there (RFC 4861, section 7.2.2; RFC 1812, section 3.3.2). */
  #neighbourUnreachable(via: Interface, neighbour: Neighbour): void {
    neighbourUnreachable(this.tcp, neighbour);
    for (const { frame } of neighbour.waiting) this.#input.reportUnsent(via, frame);
  }

  #pathBack(packet: Packet): Path | undefined {
    const { destination } = packet;
    // To a group we answer from an address of our own, and so does a router for packets that it passes on.
    const isOurs = !packet.isGroup && this.paths.ownerOf(destination) !== undefined;
    return this.#pathTo(packet.source, isOurs || packet.isForeign ? destination : undefined);
  }

  #pathTo(destination: IpAddress, source: IpAddress | undefined): Path | undefined {
    try {
      return this.paths.cached(destination, source, source !== undefined);
    } catch {
      this.drops.add('no-path-back');
      return undefined;
    }
  }

  #solicit(via: Interface, neighbour: Neighbour, unicast: boolean): void {
    const { address, macHigh, macLow } = neighbour;
    if (address.family === 6) {
      this.ndp.solicit(via, neighbour, unicast);
      return;
    }
    const sender = via.usable(4).find(({ cidr }) => cidr.contains(address)) ?? via.usable(4)[0];
    const from = sender?.cidr.address ?? IpAddress.ANY4;
    if (unicast) this.arp.request(via, from, address, macHigh, macLow);
    else this.arp.request(via, from, address);
  }

  #discovery(packet: Packet, type: number): void {
    if (type >= 133 && type <= 137) this.ndp.receive(packet);
    else this.multicast.receiveMld(packet);
  }
}
