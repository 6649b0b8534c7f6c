import {
  TimerQueue,
  type Counters,
  type Engine,
  type IpAddress,
  type Random,
  type SocketAddress,
} from '../../core/index.ts';
import { IpProtocol } from '../../wire/index.ts';
import { isSameAddress } from '../interface/interface.ts';
import { NatFlow, NatFlows } from './flow.ts';
import { InsideHosts, type InsideHost } from './inside-hosts.ts';
import { NatMappings, type NatMapping } from './mapping.ts';
import type { NatBehaviour, NatLimits, NatTimeouts } from './options.ts';
import { assignPort } from './port-assignment.ts';

/** What a {@link NatTable} is made with. */
export interface NatTableEnvironment {
  readonly random: Random;
  readonly behaviour: NatBehaviour;
  readonly timeouts: NatTimeouts;
  readonly limits: NatLimits;
  readonly drops: Counters;
  /** What inside hosts of this family are seen as. */
  externals(family: 4 | 6): readonly IpAddress[];
  /** The stack itself uses the port. */
  isPortTaken(protocol: number, port: number): boolean;
  /** The deadline may have become earlier. */
  timersChanged(): void;
}

/** The mappings and flows of a NAT: opens them within the limits, and forgets them when their time is over. */
export class NatTable implements Engine {
  readonly mappings: NatMappings;
  readonly flows: NatFlows;
  readonly hosts: InsideHosts = new InsideHosts();
  readonly #environment: NatTableEnvironment;
  readonly #timers = new TimerQueue<NatFlow>();
  /** Of all hosts: the flows that are not established, oldest first. */
  readonly #weak = new Set<NatFlow>();

  constructor(environment: NatTableEnvironment) {
    const { random, behaviour } = environment;
    this.#environment = environment;
    this.mappings = new NatMappings(random.fill(new Uint8Array(8)), behaviour.mapping);
    this.flows = new NatFlows(random.fill(new Uint8Array(8)));
  }

  /** The flow between an inside end and a remote one. */
  find(protocol: number, inside: SocketAddress, remote: SocketAddress): NatFlow | undefined {
    const mapping = this.mappings.findInside(protocol, inside.address, inside.port, remote);
    return mapping && this.flows.find(mapping, remote);
  }

  /** Opens the flow that a packet from inside begins. Undefined: there is no room, or no port. */
  open(
    protocol: number,
    inside: SocketAddress,
    remote: SocketAddress,
    now: number,
  ): NatFlow | undefined {
    if (!this.#admit(this.hosts.obtain(inside.address))) return undefined;
    const known = this.mappings.findInside(protocol, inside.address, inside.port, remote);
    const mapping = known ?? this.#map(protocol, inside, remote);
    return mapping && this.#open(mapping, remote, true, now);
  }

  /** Opens the flow that a packet from outside begins, if the filter lets it. Undefined: it does not, or there is no room. */
  openInbound(mapping: NatMapping, remote: SocketAddress, now: number): NatFlow | undefined {
    if (!this.#mayEnter(mapping, remote)) {
      this.#environment.drops.add('nat-filtered');
      return undefined;
    }
    if (!this.#admit(mapping.host)) return undefined;
    // It may just have made room by its last flow.
    const { protocol, external } = mapping;
    const isThere = this.mappings.findExternal(protocol, external.address, external.port);
    return isThere === mapping ? this.#open(mapping, remote, false, now) : undefined;
  }

  /** A mapping that stays until it is {@link drop}ped, in the place of what is there. */
  publish(protocol: number, inside: SocketAddress, external: SocketAddress): NatMapping {
    const others = [
      this.mappings.findExternal(protocol, external.address, external.port),
      this.mappings.findInside(protocol, inside.address, inside.port, inside),
    ];
    for (const other of others) if (other?.isPublished === false) this.drop(other);
    return this.#add({ protocol, inside, external, remote: undefined, isPublished: true });
  }

  /** Forgets a mapping and its flows. */
  drop(mapping: NatMapping): void {
    for (const flow of this.flows.values()) if (flow.mapping === mapping) this.remove(flow);
    if (mapping.isPublished) this.#forget(mapping);
  }

  /** Forgets what is seen as an address that is not ours any more; what is published is left to who published it. */
  dropOthers(externals: readonly IpAddress[]): void {
    for (const flow of this.flows.values()) {
      const { address } = flow.external;
      if (!externals.some((each) => isSameAddress(each, address))) this.remove(flow);
    }
  }

  /** A packet of a flow goes through. `refreshes`: the flow's time begins anew. */
  use(flow: NatFlow, isOutbound: boolean, bytes: number, refreshes: boolean, now: number): void {
    flow.count(isOutbound, bytes, now);
    if (flow.isWeak === flow.isEstablished) this.#grade(flow);
    if (!refreshes) return;
    const { mapping } = flow;
    flow.expiresAt = now + this.#timeoutOf(flow);
    mapping.expiresAt = Math.max(mapping.expiresAt, flow.expiresAt);
    if (flow.expiresAt < flow.deadline) this.#setTimer(flow);
  }

  remove(flow: NatFlow): void {
    const { mapping } = flow;
    flow.isOpen = false;
    this.#timers.clear(flow);
    this.flows.remove(flow);
    this.#weak.delete(flow);
    mapping.host.weak.delete(flow);
    mapping.host.flows--;
    mapping.flows--;
    this.#countRemote(flow, -1);
    if (mapping.flows === 0 && !mapping.isPublished) this.#forget(mapping);
  }

  deadline(): number {
    return this.#timers.deadline();
  }

  advance(now: number): void {
    for (;;) {
      const flow = this.#timers.takeDue(now);
      if (flow === undefined) return;
      if (flow.expiresAt > now) this.#setTimer(flow);
      else this.remove(flow);
    }
  }

  /** Sees that there is room for one more flow of a host. */
  #admit(host: InsideHost): boolean {
    const { limits, drops } = this.#environment;
    const isHostFull = host.flows >= limits.flowsPerHost;
    if (!isHostFull && this.flows.size < limits.flows) return true;
    const weak = isHostFull ? host.weak : this.#weak;
    const [oldest] = weak;
    if (oldest !== undefined) {
      drops.add('nat-flow-displaced');
      this.remove(oldest);
      return true;
    }
    drops.add(isHostFull ? 'nat-host-limit' : 'nat-flow-limit');
    this.hosts.release(host);
    return false;
  }

  #mayEnter(mapping: NatMapping, remote: SocketAddress): boolean {
    if (mapping.isPublished) return true;
    const { filtering } = this.#environment.behaviour;
    if (filtering === 'endpoint-independent') return true;
    return filtering === 'address-dependent' && mapping.remotes.has(remote.address.toString());
  }

  #map(protocol: number, inside: SocketAddress, remote: SocketAddress): NatMapping | undefined {
    const host = this.hosts.obtain(inside.address);
    const external = this.#chooseExternal(protocol, inside, host);
    if (external === undefined) {
      this.#environment.drops.add('nat-ports-exhausted');
      this.hosts.release(host);
      return undefined;
    }
    const counted = this.mappings.countedRemote(remote);
    return this.#add({ protocol, inside, external, remote: counted, isPublished: false });
  }

  #chooseExternal(
    protocol: number,
    inside: SocketAddress,
    host: InsideHost,
  ): SocketAddress | undefined {
    const { random, behaviour } = this.#environment;
    const all = this.#environment.externals(inside.address.family);
    if (all.length === 0) return undefined;
    const first = all.length === 1 ? 0 : random.below(all.length);
    if (behaviour.pooling === 'paired') {
      if (!all.some((each) => each === host.external)) host.external = all[first];
      return this.#chooseAt(protocol, inside, host.external!);
    }
    for (let i = 0; i < all.length; i++) {
      const found = this.#chooseAt(protocol, inside, all[(first + i) % all.length]!);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #chooseAt(
    protocol: number,
    inside: SocketAddress,
    address: IpAddress,
  ): SocketAddress | undefined {
    const { random, behaviour } = this.#environment;
    const isIdentifier = protocol === IpProtocol.ICMP || protocol === IpProtocol.ICMPV6;
    const port = assignPort(behaviour.ports, random, {
      inside: inside.port,
      contiguous: this.#contiguous(protocol, inside, address),
      isIdentifier,
      isFree: (candidate) =>
        (isIdentifier || candidate !== 0) &&
        this.mappings.findExternal(protocol, address, candidate) === undefined &&
        !this.#environment.isPortTaken(protocol, candidate),
    });
    return port === undefined ? undefined : { address, port };
  }

  /** The port that stands to the external port of the even or odd neighbour as the inside port does to its own. */
  #contiguous(protocol: number, inside: SocketAddress, address: IpAddress): number | undefined {
    const { behaviour } = this.#environment;
    if (behaviour.ports !== 'parity' || behaviour.mapping !== 'endpoint-independent') {
      return undefined;
    }
    const port = inside.port ^ 1;
    const neighbour = this.mappings.findInside(protocol, inside.address, port, inside);
    if (neighbour === undefined || !isSameAddress(neighbour.external.address, address)) {
      return undefined;
    }
    return neighbour.external.port + inside.port - port;
  }

  #add(fields: {
    readonly protocol: number;
    readonly inside: SocketAddress;
    readonly external: SocketAddress;
    readonly remote: SocketAddress | undefined;
    readonly isPublished: boolean;
  }): NatMapping {
    const host = this.hosts.obtain(fields.inside.address);
    host.mappings++;
    return this.mappings.add({ ...fields, host });
  }

  #forget(mapping: NatMapping): void {
    this.mappings.remove(mapping);
    mapping.host.mappings--;
    this.hosts.release(mapping.host);
  }

  #open(mapping: NatMapping, remote: SocketAddress, isOutbound: boolean, now: number): NatFlow {
    const flow = new NatFlow(mapping, remote, now);
    this.flows.add(flow);
    mapping.flows++;
    mapping.host.flows++;
    this.#countRemote(flow, 1);
    this.#grade(flow);
    // What has been opened from outside lives as long as what is sent from inside keeps the mapping.
    const isKept = isOutbound || mapping.isPublished || flow.protocol === IpProtocol.TCP;
    flow.expiresAt = isKept ? now + this.#timeoutOf(flow) : mapping.expiresAt;
    this.#setTimer(flow);
    this.#environment.timersChanged();
    return flow;
  }

  /** Has a flow stand among those that give way, or not. */
  #grade(flow: NatFlow): void {
    const { weak } = flow.mapping.host;
    flow.isWeak = !flow.isEstablished;
    if (flow.isWeak) {
      weak.add(flow);
      this.#weak.add(flow);
    } else {
      weak.delete(flow);
      this.#weak.delete(flow);
    }
  }

  #countRemote({ mapping, remote }: NatFlow, change: number): void {
    if (this.#environment.behaviour.filtering !== 'address-dependent') return;
    const key = remote.address.toString();
    const count = (mapping.remotes.get(key) ?? 0) + change;
    if (count > 0) mapping.remotes.set(key, count);
    else mapping.remotes.delete(key);
  }

  #setTimer(flow: NatFlow): void {
    this.#timers.set(flow, flow.expiresAt);
  }

  #timeoutOf(flow: NatFlow): number {
    const { timeouts } = this.#environment;
    switch (flow.protocol) {
      case IpProtocol.TCP:
        return flow.isEstablished ? timeouts.tcpEstablished : timeouts.tcpTransitory;
      case IpProtocol.UDP:
        return timeouts.udp;
      default:
        return timeouts.icmp;
    }
  }
}
