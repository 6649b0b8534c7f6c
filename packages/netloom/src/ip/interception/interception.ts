import type { Cidr } from '../../core/index.ts';
import type { Interface } from '../interface/interface.ts';
import type { Packet } from '../packet.ts';
import type { AttemptEnd, Interceptor } from './interceptor.ts';

/** Which packets are intercepted. */
export interface InterceptionOptions {
  /** Those that come in here. */
  readonly interfaces: readonly Interface[];
  /** Those to these networks, whatever the routes say. Default: those to where no route of the stack leads. */
  readonly prefixes?: readonly Cidr[];
  /** Also those to the stack's own addresses that no listener and no socket of the stack takes. Default false. */
  readonly ownAddresses?: boolean;
}

/** What an interception needs of the stack around it. */
export interface InterceptionEnvironment {
  /** Changes whenever routes or addresses do. */
  generation(): number;
  /** Whether a route leads to the packet's destination. */
  hasRoute(packet: Packet): boolean;
  /** The interface by which the packet's source is reached. */
  interfaceOfSource(packet: Packet): Interface | undefined;
  /** The interception is over: what it has not answered yet is given up. */
  closed(interceptor: Interceptor, why: AttemptEnd): void;
}

/**
 * Decides which packets for others a stack takes up in their name instead of passing them on (RFC 3022 calls such a gateway traditional NAT; here its
 * far side are sockets).
 *
 * Never taken: groups and broadcasts, link-local addresses, and packets from a source that is reached over another interface, which would have
 * the answers go astray (RFC 2827).
 */
export class Interception {
  readonly interceptor: Interceptor;
  readonly #options: InterceptionOptions;
  readonly #environment: InterceptionEnvironment;
  readonly #interfaces: Set<Interface>;
  #isClosed = false;
  /** The ends of the packet decided last, for packets come in trains: eight words of addresses. */
  readonly #last = new Int32Array(8);
  #lastInterface: Interface | undefined;
  #lastGeneration = -1;
  #lastDecision = false;

  constructor(
    options: InterceptionOptions,
    interceptor: Interceptor,
    environment: InterceptionEnvironment,
  ) {
    this.interceptor = interceptor;
    this.#options = options;
    this.#environment = environment;
    this.#interfaces = new Set(options.interfaces);
  }

  /** Whether a packet that is not for this stack is taken up all the same. */
  takes(packet: Packet): boolean {
    if (!this.#interfaces.has(packet.interface)) return false;
    if (!this.#isSameAsLast(packet)) this.#lastDecision = this.#decide(packet);
    return this.#lastDecision;
  }

  /** Whether a packet for the stack itself, which nothing of the stack takes, is taken. */
  takesOwn(packet: Packet): boolean {
    return this.#options.ownAddresses === true && this.#interfaces.has(packet.interface);
  }

  /** Packets go the way they went without it, and attempts that wait are given up. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#environment.closed(this.interceptor, 'closed');
  }

  #decide(packet: Packet): boolean {
    const { source, destination } = packet;
    if (source.isUnspecified || source.isLinkLocal || destination.isLinkLocal) return false;
    const { prefixes } = this.#options;
    const isMeant =
      prefixes === undefined
        ? !this.#environment.hasRoute(packet)
        : prefixes.some((prefix) => prefix.contains(destination));
    if (!isMeant) return false;
    if (this.#environment.interfaceOfSource(packet) === packet.interface) return true;
    packet.interface.drops.add('intercept-source-elsewhere');
    return false;
  }

  #isSameAsLast(packet: Packet): boolean {
    const last = this.#last;
    const generation = this.#environment.generation();
    if (
      last[7] === packet.destination3 &&
      last[3] === packet.source3 &&
      last[6] === packet.destination2 &&
      last[2] === packet.source2 &&
      last[5] === packet.destination1 &&
      last[1] === packet.source1 &&
      last[4] === packet.destination0 &&
      last[0] === packet.source0 &&
      this.#lastInterface === packet.interface &&
      this.#lastGeneration === generation
    ) {
      return true;
    }
    last[0] = packet.source0;
    last[1] = packet.source1;
    last[2] = packet.source2;
    last[3] = packet.source3;
    last[4] = packet.destination0;
    last[5] = packet.destination1;
    last[6] = packet.destination2;
    last[7] = packet.destination3;
    this.#lastInterface = packet.interface;
    this.#lastGeneration = generation;
    return false;
  }
}
