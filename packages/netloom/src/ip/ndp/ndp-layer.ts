import { IpAddress, type Counters, type MacAddress } from '../../core/index.ts';
import {
  IPV6_ALL_NODES,
  IpProtocol,
  NDP_HOP_LIMIT,
  emitNdp,
  findNdpOption,
  finishIcmpv6,
  isFault,
  ndpLength,
  parseNdp,
  solicitedNodeGroup,
  type NdpMessage,
  type NdpOption,
  type NeighbourAdvertisement,
  type NeighbourSolicitation,
  type RouterAdvertisement,
  type RouterSolicitation,
} from '../../wire/index.ts';
import type { Interface } from '../interface/interface.ts';
import type { Neighbour } from '../neighbour/neighbour.ts';
import type { IpOutput } from '../output.ts';
import type { Packet } from '../packet.ts';
import type { Path } from '../route/path.ts';

/** What neighbour discovery needs of the stack around it. */
export interface NdpEnvironment {
  readonly output: IpOutput;
  readonly drops: Counters;
  /** The stack passes packets on. */
  readonly isRouter: boolean;
  now(): number;
  /** The path from `source` straight over `via`, without asking the routes. */
  linkPath(via: Interface, source: IpAddress, destination: IpAddress): Path;
  /** A router has told of itself: for autoconfiguration. */
  advertised(via: Interface, router: IpAddress, message: RouterAdvertisement): void;
}

/** Told of each neighbour's message that is believed: whoever has tentative addresses listens. */
export interface NdpListener {
  /** Somebody asks for an address. True: it is one of ours that is tentative, so it is not to be answered (RFC 4862, section 5.4.3). */
  solicitation(via: Interface, source: IpAddress, message: NeighbourSolicitation): boolean;
  /** Somebody tells of an address. True: it is one of ours that was tentative, and is theirs (RFC 4862, section 5.4.4). */
  advertisement(via: Interface, message: NeighbourAdvertisement): boolean;
}

/** Neighbour discovery, host side: link addresses of neighbours and routers' advertisements (RFC 4861). */
export class NdpLayer {
  readonly #environment: NdpEnvironment;
  readonly #listeners: NdpListener[] = [];
  /** By interface: who answers those that ask for routers. */
  readonly #routers = new Map<Interface, (source: IpAddress) => void>();

  constructor(environment: NdpEnvironment) {
    this.#environment = environment;
  }

  /** Tells `listener` of neighbours' messages from now on. */
  listen(listener: NdpListener): void {
    this.#listeners.push(listener);
  }

  /** Has `solicited` told of everybody who asks for routers on the interface's link, until the answer is called. One for each interface. */
  listenForSolicitations(via: Interface, solicited: (source: IpAddress) => void): () => void {
    this.#routers.set(via, solicited);
    return () => this.#routers.delete(via);
  }

  /** A neighbour discovery message has come; its checksum has been checked. */
  receive(packet: Packet): void {
    const { bytes, transport, end, hopLimit, source, destination } = packet;
    const message = parseNdp(bytes, transport, end, { hopLimit, source, destination });
    if (isFault(message)) {
      this.#environment.drops.add(`ndp-${message}`);
      return;
    }
    const via = packet.interface;
    if (message.kind === 'neighbour-solicitation') this.#takeSolicitation(via, packet, message);
    else if (message.kind === 'neighbour-advertisement') this.#takeAdvertisement(via, message);
    else if (message.kind === 'router-advertisement') this.#takeRouter(via, source, message);
    else if (message.kind === 'router-solicitation')
      this.#takeRouterSolicitation(via, source, message);
    // Redirects are passed over: a host that follows them can be led astray by anyone on the link.
    else this.#environment.drops.add('ndp-ignored');
  }

  /** Section 7.2.3 and 7.2.4. */
  #takeSolicitation(via: Interface, packet: Packet, message: NeighbourSolicitation): void {
    const { target } = message;
    const { source } = packet;
    if (this.#isTentative((listener) => listener.solicitation(via, source, message))) return;
    const own = via.find(target);
    if (own === undefined || own.tentative) {
      this.#environment.drops.add('ndp-not-ours');
      return;
    }
    const option = findNdpOption(message.options, 'source-link-address');
    if (source.isUnspecified) {
      // Somebody checks whether the address is free: everybody is told that it is not.
      if (via.neighbours.mayAnswerAll(this.#environment.now())) {
        this.#advertise(via, target, IPV6_ALL_NODES, false);
      }
      return;
    }
    if (option !== undefined) this.#learn(via, source, option.mac, false);
    this.#advertise(via, target, source, true);
  }

  /** Section 7.2.5. */
  #takeAdvertisement(via: Interface, message: NeighbourAdvertisement): void {
    const { target } = message;
    const wasTentative = this.#isTentative((listener) => listener.advertisement(via, message));
    if (wasTentative) return;
    const { drops } = this.#environment;
    if (via.find(target) !== undefined) {
      drops.add('ndp-claims-ours');
      return;
    }
    const neighbour = via.neighbours.find(target);
    // Unasked-for news of a stranger is not wanted.
    if (neighbour === undefined) {
      drops.add('ndp-unasked');
      return;
    }
    const option = findNdpOption(message.options, 'target-link-address');
    neighbour.isRouter = message.router;
    if (option === undefined && !neighbour.isResolved) {
      drops.add('ndp-no-link-address');
      return;
    }
    const high = option?.mac.high ?? neighbour.macHigh;
    const low = option?.mac.low ?? neighbour.macLow;
    const differs =
      neighbour.isResolved && (high !== neighbour.macHigh || low !== neighbour.macLow);
    if (differs && !message.override) {
      via.neighbours.doubt(neighbour, this.#environment.now());
      return;
    }
    const isAnswer = message.solicited && neighbour.isAsked;
    via.neighbours.learn(neighbour, high, low, isAnswer, this.#environment.now());
  }

  /** Every listener is told, since two may want one address. */
  #isTentative(tell: (listener: NdpListener) => boolean): boolean {
    let isTentative = false;
    for (const listener of this.#listeners) isTentative = tell(listener) || isTentative;
    return isTentative;
  }

  #takeRouter(via: Interface, router: IpAddress, message: RouterAdvertisement): void {
    const option = findNdpOption(message.options, 'source-link-address');
    if (option !== undefined) this.#learn(via, router, option.mac, true);
    this.#environment.advertised(via, router, message);
  }

  /** RFC 4861, section 6.2.6. */
  #takeRouterSolicitation(via: Interface, source: IpAddress, message: RouterSolicitation): void {
    const solicited = this.#routers.get(via);
    if (solicited === undefined) {
      this.#environment.drops.add('ndp-ignored');
      return;
    }
    const option = findNdpOption(message.options, 'source-link-address');
    if (option !== undefined) this.#learn(via, source, option.mac, false);
    solicited(source);
  }

  #learn(via: Interface, address: IpAddress, mac: MacAddress, isRouter: boolean): void {
    const now = this.#environment.now();
    const neighbour = via.neighbours.get(withZone(address, via), now);
    if (isRouter) neighbour.isRouter = true;
    via.neighbours.learn(neighbour, mac.high, mac.low, false, now);
  }

  /** Asks for a neighbour's link address: its solicited-node group, or itself where it is to confirm. */
  solicit(via: Interface, neighbour: Neighbour, unicast: boolean): void {
    const source = via.linkLocal ?? via.usable(6)[0]?.cidr.address;
    if (source === undefined) {
      this.#environment.drops.add('ndp-no-source');
      return;
    }
    const destination = unicast ? neighbour.address : solicitedNodeGroup(neighbour.address);
    this.send(via, source, destination, {
      kind: 'neighbour-solicitation',
      target: neighbour.address,
      options: [{ kind: 'source-link-address', mac: via.mac }],
    });
  }

  /** Tells the whole link where an address is, unasked (RFC 4861, section 7.2.6). */
  announce(via: Interface, target: IpAddress): void {
    this.#advertise(via, target, IPV6_ALL_NODES, false);
  }

  #advertise(via: Interface, target: IpAddress, destination: IpAddress, solicited: boolean): void {
    const options: NdpOption[] = [{ kind: 'target-link-address', mac: via.mac }];
    this.send(via, target, destination, {
      kind: 'neighbour-advertisement',
      target,
      router: this.#environment.isRouter,
      solicited,
      override: true,
      options,
    });
  }

  /** Sends a message with the hop limit that shows it came from the link itself. */
  send(via: Interface, source: IpAddress, destination: IpAddress, message: NdpMessage): void {
    const { output } = this.#environment;
    const path = this.#environment.linkPath(via, source, withZone(destination, via));
    const length = ndpLength(message);
    if (!output.open(path, IpProtocol.ICMPV6, length, false, { hopLimit: NDP_HOP_LIMIT })) return;
    const { bytes, at } = output;
    emitNdp(message, bytes, at);
    finishIcmpv6(bytes, at, at + length, output.pseudoHeaderSum(IpProtocol.ICMPV6, length));
    output.send(undefined);
  }
}

/** A link-local address with the interface as its zone, as neighbours and paths have it; others as they are. */
export function withZone(address: IpAddress, via: Interface): IpAddress {
  if (address.family === 4 || !address.isLinkLocal || address.zone === via.name) return address;
  return IpAddress.v6(address.word0, address.word1, address.word2, address.word3, via.name);
}
