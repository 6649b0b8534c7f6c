import {
  Cidr,
  Counters,
  IpAddress,
  NetloomError,
  withLimits,
  type Clock,
  type EchoReply,
  type MacAddress,
  type Random,
  type Timer,
} from '../core/index.ts';
import { loopbackLink, type FrameOffload, type Link } from '../link/index.ts';
import { ArpLayer } from './arp.ts';
import { Autoconfiguration, type AutoconfigureOptions } from './autoconfiguration.ts';
import { forwardPacket } from './forward.ts';
import { IcmpLayer } from './icmp/icmp-layer.ts';
import { IpInput, type FragmentOrigin } from './input.ts';
import { Interface } from './interface.ts';
import { STACK_LIMITS, type AllStackLimits, type StackLimits } from './limits.ts';
import { MulticastLayer } from './multicast-layer.ts';
import { NdpLayer } from './ndp/ndp-layer.ts';
import {
  NEIGHBOUR_LIMITS,
  NeighbourCache,
  type NeighbourLimits,
} from './neighbour/neighbour-cache.ts';
import type { Neighbour } from './neighbour/neighbour.ts';
import { NetworkErrors } from './network-errors.ts';
import { IpOutput } from './output.ts';
import type { Packet } from './packet.ts';
import { PathMtuCache } from './path-mtu.ts';
import type { Path } from './path.ts';
import { Paths } from './paths.ts';
import { Reassembler } from './reassembly/index.ts';
import { RouteTable } from './routes.ts';
import { TcpLayer, type CongestionFactory } from './tcp/layer.ts';
import { TCP_LIMITS } from './tcp/limits.ts';
import { linkGone, neighbourUnreachable } from './tcp/network-events.ts';
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

/** How an interface is added. */
export interface AddInterfaceOptions {
  /** Default: the link's name. */
  readonly name?: string;
  /** Default: the link's. */
  readonly mac?: MacAddress;
  readonly mtu?: number;
  /** Addresses with their networks, as `10.0.0.1/24`. */
  readonly addresses?: readonly (Cidr | string)[];
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
  readonly interfaces: Interface[] = [];
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
  /** Drops that belong to no interface and no transport. */
  readonly drops: Counters = new Counters();
  readonly loopback: Interface;
  readonly #input: IpInput;
  /** Datagrams that have come in part. */
  readonly fragments: Reassembler<FragmentOrigin>;
  readonly pathMtus: PathMtuCache = new PathMtuCache(undefined, (destination) =>
    this.#errors.pathMtuRaised(destination),
  );
  readonly #errors: NetworkErrors;
  readonly #limits: StackLimits;
  readonly #neighbourLimits: NeighbourLimits;
  readonly #timer: Timer;
  #now: number;
  /** Frames of a batch are being taken: the time stands still and output waits for the end of the batch. */
  #inBatch = false;
  #flushRequested = false;
  #closed = false;

  constructor(options: IpStackOptions) {
    const { clock, random } = options;
    this.clock = clock;
    this.random = random;
    this.#now = clock.now();
    this.#limits = withLimits(STACK_LIMITS, options.limits?.stack);
    this.#neighbourLimits = withLimits(NEIGHBOUR_LIMITS, options.limits?.neighbour);
    this.#timer = clock.timer(() => this.#advance());
    const now = (): number => this.now();
    const pathBack = (packet: Packet): Path | undefined => this.#pathBack(packet);
    this.output = new IpOutput(random, this.drops, now);
    this.loopback = this.#makeInterface(loopbackLink(clock), {}, false);
    this.paths = new Paths({
      interfaces: this.interfaces,
      loopback: this.loopback,
      routes: this.routes,
      pathMtus: this.pathMtus,
      now,
    });
    this.addAddress(this.loopback, Cidr.parse('127.0.0.1/8'));
    this.addAddress(this.loopback, Cidr.parse('::1/128'));
    this.ndp = new NdpLayer({
      output: this.output,
      drops: this.drops,
      isRouter: options.forwarding ?? false,
      now,
      linkPath: (via, source, destination) =>
        this.paths.onLink(via, source, destination, undefined),
      advertised: (via, router, message) =>
        this.autoconfiguration.routerAdvertisement(via, router, message),
      solicited: (via, source, message) =>
        this.autoconfiguration.solicitation(via, source, message),
      claimed: (via, message) => this.autoconfiguration.advertisement(via, message),
    });
    this.autoconfiguration = new Autoconfiguration({
      ndp: this.ndp,
      random,
      now,
      timersChanged: () => this.#requestFlush(),
      addAddress: (via, cidr, tentative) => this.addAddress(via, cidr, tentative),
      removeAddress: (via, address) => this.removeAddress(via, address),
      addRoute: (network, via, nextHop, metric) => this.addRoute(network, via, nextHop, metric),
      removeRoute: (network, via, nextHop, metric) =>
        this.removeRoute(network, via, nextHop, metric),
      pathsChanged: () => this.#pathsChanged(),
    });
    this.icmp = new IcmpLayer({
      output: this.output,
      random,
      errorsPerSecond: this.#limits.icmpErrors,
      pings: this.#limits.pings,
      now,
      pathBack,
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
      portUnreachable: (packet) => this.icmp.sendError(packet, 'port-unreachable'),
      joinGroup: (group, via) => this.multicast.join(group, via),
      leaveGroup: (group, via) => this.multicast.leave(group, via),
    });
    this.tcp = new TcpLayer({
      output: this.output,
      random,
      limits: withLimits(TCP_LIMITS, options.limits?.tcp),
      congestion: options.congestion,
      now,
      requestFlush: () => this.#requestFlush(),
      pathBack,
      path: (destination, source) => this.paths.find(destination, source),
      generation: () => this.paths.generation,
    });
    this.#errors = new NetworkErrors({
      drops: this.drops,
      pathMtus: this.pathMtus,
      tcp: this.tcp,
      udp: this.udp,
      now,
      pathsChanged: () => this.#pathsChanged(),
    });
    this.multicast = new MulticastLayer({
      output: this.output,
      random,
      drops: this.drops,
      interfaces: this.interfaces,
      now,
      timersChanged: () => this.#requestFlush(),
      linkPath: (via, source, destination) =>
        this.paths.onLink(via, source, destination, undefined),
    });
    this.fragments = new Reassembler(
      { random },
      { timedOut: (first, from) => this.#input.reassemblyTimedOut(first, from) },
    );
    this.#input = new IpInput({
      drops: this.drops,
      loopback: this.loopback,
      forwarding: options.forwarding ?? false,
      fragments: this.fragments,
      now,
      fragmentTaken: () => this.#requestFlush(),
      isLocalV4: (word) => this.interfaces.some((via) => via.hasV4(word)),
      isLocalV6: (word0, word1, word2, word3) =>
        this.interfaces.some((via) => via.hasV6(word0, word1, word2, word3)),
      isMember: (via, packet) => this.multicast.isMember(via, packet),
      arp: (via, frame) => this.arp.receive(via, frame, this.now()),
      tcp: (packet) => this.tcp.receive(packet),
      udp: (packet) => this.udp.receive(packet),
      icmp: (packet) => this.icmp.receive(packet),
      igmp: (packet) => this.multicast.receiveIgmp(packet),
      forward: (packet) => forwardPacket(this, packet),
      sendError: (packet, kind, rest) => this.icmp.sendError(packet, kind, rest),
    });
  }

  /** The time of what is being done: one instant for all frames of a batch. */
  now(): number {
    if (!this.#inBatch) this.#now = this.clock.now();
    return this.#now;
  }

  /** Attaches the stack to a link. The interface is up at once; addresses can be added later. */
  addInterface(link: Link, options: AddInterfaceOptions = {}): Interface {
    const name = options.name ?? link.name;
    if (this.interfaces.length >= this.#limits.interfaces) {
      throw new NetloomError(
        'TOO_MANY_OPEN',
        `the stack has ${this.interfaces.length} interfaces already`,
        {
          remedy: 'Remove some, or raise the limit `interfaces`.',
        },
      );
    }
    if (this.interfaces.some((other) => other.name === name)) {
      throw new NetloomError('INTERFACE_EXISTS', `there is an interface '${name}' already`, {
        remedy: 'Give this one another name.',
      });
    }
    const made = this.#makeInterface(link, { ...options, name }, true);
    this.multicast.addInterface(made);
    for (const address of options.addresses ?? []) {
      this.addAddress(made, typeof address === 'string' ? Cidr.parse(address) : address);
    }
    return made;
  }

  /** Gives an interface an address, with the route to its network. A tentative one is not used yet. */
  addAddress(via: Interface, cidr: Cidr, tentative = false): void {
    const isNew = via.find(cidr.address) === undefined;
    if (isNew && via.addresses.length >= this.#limits.addressesPerInterface) {
      throw new NetloomError(
        'TOO_MANY_OPEN',
        `interface ${via.name} has ${via.addresses.length} addresses already`,
      );
    }
    this.removeAddress(via, cidr.address);
    via.addresses.push({ cidr, tentative, deprecated: false });
    const network = new Cidr(cidr.network, cidr.prefixLength);
    // Every link has fe80::/64; such destinations are told apart by their zone, not by routes.
    if (via !== this.loopback && !cidr.address.isLinkLocal) {
      this.routes.add({ network, target: via, nextHop: undefined, metric: 0 });
    }
    if (cidr.address.family === 6 && via !== this.loopback)
      this.multicast.joinSolicitedNode(via, cidr.address);
    this.#pathsChanged();
  }

  removeAddress(via: Interface, address: IpAddress): void {
    const at = via.addresses.findIndex(({ cidr }) => cidr.address.equals(address));
    if (at < 0) return;
    const [gone] = via.addresses.splice(at, 1);
    const { cidr } = gone!;
    const network = new Cidr(cidr.network, cidr.prefixLength);
    const shared = via.addresses.some(
      (other) =>
        other.cidr.prefixLength === cidr.prefixLength && network.contains(other.cidr.address),
    );
    if (!shared) this.routes.remove({ network, target: via, nextHop: undefined, metric: 0 });
    if (address.family === 6 && via !== this.loopback)
      this.multicast.leaveSolicitedNode(via, address);
    this.#pathsChanged();
  }

  /** Lets the interface find IPv6 addresses, routers and the link's parameters for itself (RFC 4862). */
  autoconfigure(via: Interface, options: AutoconfigureOptions = {}): void {
    this.autoconfiguration.start(via, options);
  }

  /** Adds a route: to `network` over `via`, through the router `nextHop` if given. Lower metrics are preferred. */
  addRoute(network: Cidr, via: Interface, nextHop?: IpAddress, metric = 100): void {
    this.routes.add({ network, target: via, nextHop, metric });
    this.#pathsChanged();
  }

  removeRoute(network: Cidr, via: Interface, nextHop?: IpAddress, metric = 100): void {
    this.routes.remove({ network, target: via, nextHop, metric });
    this.#pathsChanged();
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
    this.#timer.clear();
    await Promise.all(this.interfaces.map(({ link }) => link.close()));
    this.#timer.clear();
  }

  #makeInterface(link: Link, options: AddInterfaceOptions, needsNeighbours: boolean): Interface {
    const made = new Interface(
      {
        name: options.name ?? link.name,
        index: this.interfaces.length + 1,
        link,
        needsNeighbours,
        ...(options.mac && { mac: options.mac }),
        ...(options.mtu && { mtu: options.mtu }),
      },
      {
        receive: (via, frame, offload) => this.#receive(via, frame, offload),
        batchEnd: () => this.#batchEnd(),
        down: (via, error) => this.#interfaceDown(via, error),
      },
    );
    made.neighbours = new NeighbourCache(
      this.#neighbourLimits,
      {
        solicit: (neighbour, unicast) => this.#solicit(made, neighbour, unicast),
        release: (waiting, neighbour) => this.output.release(made, waiting, neighbour),
        unreachable: (neighbour) => this.#neighbourUnreachable(made, neighbour),
        timersChanged: () => this.#requestFlush(),
      },
      this.random,
      made.drops,
    );
    this.interfaces.push(made);
    link.attach(made);
    return made;
  }

  #receive(via: Interface, frame: Uint8Array, offload: FrameOffload | undefined): void {
    if (!this.#inBatch) {
      this.#now = this.clock.now();
      this.#inBatch = true;
    }
    this.#input.receive(via, frame, offload);
  }

  #batchEnd(): void {
    this.#inBatch = false;
    this.#flush();
  }

  /** Output is asked for: at the end of the batch if one is being taken, else once the caller's turn is over. */
  #requestFlush(): void {
    if (this.#inBatch || this.#flushRequested) return;
    this.#flushRequested = true;
    this.clock.defer(() => {
      this.#flushRequested = false;
      if (!this.#inBatch) this.#flush();
    });
  }

  #flush(): void {
    this.tcp.flush(this.now());
    this.#setTimer();
  }

  #advance(): void {
    const now = this.now();
    for (const via of this.interfaces) via.neighbours.advance(now);
    this.fragments.advance(now);
    this.pathMtus.advance(now);
    this.multicast.advance(now);
    this.autoconfiguration.advance(now);
    this.tcp.advance(now);
    this.#flush();
  }

  /** One timer for all: the earliest deadline. */
  #setTimer(): void {
    if (this.#closed) return;
    let deadline = Math.min(
      this.tcp.deadline(),
      this.fragments.deadline(),
      this.pathMtus.deadline(),
      this.multicast.deadline(),
      this.autoconfiguration.deadline(),
    );
    for (const via of this.interfaces) deadline = Math.min(deadline, via.neighbours.deadline());
    if (deadline === Infinity) this.#timer.clear();
    else if (deadline !== this.#timer.deadline) this.#timer.set(deadline);
  }

  /** Whoever sent what has waited for a neighbour hears that it is not there (RFC 4861, section 7.2.2; RFC 1812, section 3.3.2). */
  #neighbourUnreachable(via: Interface, neighbour: Neighbour): void {
    neighbourUnreachable(this.tcp, neighbour);
    for (const { frame } of neighbour.waiting) this.#input.reportUnsent(via, frame);
  }

  #interfaceDown(via: Interface, error: NetloomError | undefined): void {
    via.neighbours.clear();
    this.#pathsChanged();
    linkGone(this.tcp, via, error);
    this.#requestFlush();
  }

  #pathsChanged(): void {
    this.paths?.changed();
  }

  #pathBack(packet: Packet): Path | undefined {
    const { destination } = packet;
    // To a group we answer from an address of our own, and so does a router for packets that it passes on.
    const isOurs = !packet.isGroup && this.paths.ownerOf(destination) !== undefined;
    try {
      return this.paths.cached(packet.source, isOurs ? destination : undefined);
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
