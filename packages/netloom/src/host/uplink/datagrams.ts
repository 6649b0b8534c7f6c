import {
  FairShares,
  copyBytes,
  type IpAddress,
  type Datagram,
  type NetloomError,
  type SocketAddress,
} from '../../core/index.ts';
import type { InterceptedDatagram, Refusal } from '../../ip/index.ts';
import type { UplinkEnvironment } from './environment.ts';
import type { FlowEnd } from './flow.ts';
import type { MappedDestination, Mapping, MappingHolder } from './mapping.ts';
import { Mappings } from './mappings.ts';
import { answersFromThere, bindOutside, type OutsideSocket } from './outside-socket.ts';

/** How a guest hears of an error outside. */
const REPORTS: Readonly<Record<string, Exclude<Refusal, 'reset' | 'silently'>>> = {
  CONNECTION_REFUSED: 'port-unreachable',
  HOST_UNREACHABLE: 'host-unreachable',
  NETWORK_UNREACHABLE: 'network-unreachable',
  // What Linux says of IPv6 where that is turned off.
  ADDRESS_NOT_AVAILABLE: 'network-unreachable',
  PERMISSION_DENIED: 'prohibited',
};

/**
 * Carries guests' datagrams over sockets of the outside host, one for each address and port of a guest.
 *
 * An error outside is reported to the guest as one about a datagram to the same destination, or about the one it sent last by that mapping where the outside host does
 * not say; see {@link OutsideSocket} for when there is word of one.
 */
export class DatagramCarrier {
  readonly #environment: UplinkEnvironment;
  readonly #mappings: Mappings;
  /** Of all mappings, by the guest's station. */
  readonly #destinations = new FairShares<MappingHolder, MappedDestination>();
  /** Have datagrams for their sockets. */
  #dirty: Mapping[] = [];

  constructor(environment: UplinkEnvironment) {
    this.#environment = environment;
    const { clock, limits, drops } = environment;
    this.#mappings = new Mappings({
      clock,
      limits,
      drops,
      shares: new FairShares(),
      gone: (mapping, why) => this.#remove(mapping, why),
    });
  }

  /** Mappings there are. */
  get mappings(): number {
    return this.#mappings.size;
  }

  /** A guest sends a datagram. */
  send(datagram: InterceptedDatagram): void {
    const { data, remote: guest, destination } = datagram;
    let mapping = this.#mappings.find(guest);
    let to = mapping?.find(destination);
    if (to === undefined) {
      const { starts, drops } = this.#environment;
      if (mapping === undefined && starts.isFull(datagram.station)) {
        drops.add('udp-starts-limit');
        return;
      }
      const target = this.#targetOf(datagram);
      if (target === undefined) return;
      mapping ??= this.#open(guest, datagram.station);
      to = this.#addDestination(mapping, destination, target.address, target.labels);
    }
    this.#mappings.use(mapping!);
    const { limits, drops } = this.#environment;
    if (mapping!.socket === undefined && mapping!.waiting.length >= limits.waitingDatagrams) {
      drops.add('udp-waiting-limit');
      return;
    }
    to.flow.sent(data.length);
    const { ecn = 0 } = datagram;
    mapping!.waiting.push({ data: copyBytes(data), remote: to.target, ecn });
    this.#schedule(mapping!);
  }

  /** Ends all mappings. */
  close(): void {
    for (const mapping of this.#mappings.list()) this.#remove(mapping, 'closed');
  }

  /** Where a datagram goes outside; undefined: it may not, and its sender was told. */
  #targetOf({
    data,
    remote: guest,
    destination,
    isOwn,
  }: InterceptedDatagram): { address: IpAddress; labels: readonly string[] } | undefined {
    const { policy, flows, drops, inside } = this.#environment;
    const ends = { protocol: 'udp', guest, destination } as const;
    const verdict = policy.decide(ends, isOwn);
    const { labels } = verdict;
    if (!('denied' in verdict)) return { address: verdict.target, labels };
    drops.add(`udp-${verdict.denied}`);
    const flow = flows.begin({ ...ends, direction: 'outbound', labels });
    flow.sent(data.length);
    flows.end(flow, 'denied');
    inside.stack.udp.report(guest, destination, 'prohibited', data.length);
    return undefined;
  }

  #addDestination(
    mapping: Mapping,
    destination: SocketAddress,
    address: IpAddress,
    labels: readonly string[],
  ): MappedDestination {
    const { flows, limits, drops } = this.#environment;
    if (this.#destinations.size >= limits.destinations) {
      drops.add('udp-destination-limit');
      this.#forget(this.#destinations.oldestOfLargest()!);
    }
    const flow = flows.begin({
      protocol: 'udp',
      direction: 'outbound',
      guest: mapping.guest,
      destination,
      labels,
    });
    if (mapping.socket !== undefined) flow.carried();
    const target = { address, port: destination.port };
    const added: MappedDestination = { destination, target, flow, mapping };
    const displaced = mapping.add(added, limits.destinationsPerMapping);
    this.#destinations.add(mapping.holder, added);
    mapping.socket?.widen?.();
    if (displaced !== undefined) this.#forget(displaced);
    return added;
  }

  #forget(destination: MappedDestination): void {
    const { mapping, flow } = destination;
    mapping.remove(destination);
    this.#destinations.remove(mapping.holder, destination);
    this.#environment.flows.end(flow, 'limit');
  }

  #open(guest: SocketAddress, station: number): Mapping {
    const mapping = this.#mappings.add(guest, station);
    this.#environment.starts.run(station, () => {
      if (mapping.isGone) return false;
      void this.#bind(mapping);
      return true;
    });
    return mapping;
  }

  async #bind(mapping: Mapping): Promise<void> {
    const { outside, drops } = this.#environment;
    try {
      const socket = await bindOutside(outside, mapping.guest.address.family);
      if (mapping.isGone) void socket.close();
      else this.#bound(mapping, socket);
    } catch (error) {
      const { code } = error as NetloomError;
      drops.add('udp-no-socket', mapping.waiting.length);
      this.#reportError(mapping, error as NetloomError);
      this.#remove(mapping, code === 'TOO_MANY_OPEN' ? 'limit' : 'failed');
    }
  }

  #bound(mapping: Mapping, socket: OutsideSocket): void {
    mapping.socket = socket;
    const { only } = mapping;
    if (only !== undefined && answersFromThere(only.target)) socket.narrow?.(only.target);
    for (const { flow } of mapping.destinations) flow.carried();
    socket.start({
      receive: (batch) => {
        for (const datagram of batch) this.#receive(mapping, datagram);
      },
      error: (error, remote) => this.#reportError(mapping, error, remote),
      closed: () => this.#remove(mapping, 'failed'),
    });
    this.#schedule(mapping);
  }

  /** What a guest sends in one turn goes out together. */
  #schedule(mapping: Mapping): void {
    const hasWork = mapping.socket !== undefined && mapping.waiting.length > 0;
    if (mapping.isFlushScheduled || !hasWork) return;
    mapping.isFlushScheduled = true;
    if (this.#dirty.push(mapping) === 1) this.#environment.clock.defer(() => this.#flush());
  }

  #flush(): void {
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const mapping of dirty) {
      mapping.isFlushScheduled = false;
      const { waiting, socket } = mapping;
      if (mapping.isGone || socket === undefined) continue;
      mapping.waiting = [];
      const taken = socket.send(waiting);
      if (taken < waiting.length) {
        this.#environment.drops.add('udp-send-buffer-full', waiting.length - taken);
      }
    }
  }

  /** A datagram has come for a guest: it is sent in the name of whom it is from. */
  #receive(mapping: Mapping, { data, remote, ecn, segmentSize }: Datagram): void {
    if (mapping.isGone) return;
    const from = mapping.from(remote);
    if (from === undefined) {
      this.#environment.drops.add('udp-unasked');
      return;
    }
    this.#mappings.use(mapping);
    from.flow.received(data.length);
    const source = { address: from.destination.address, port: remote.port };
    const datagram: Datagram = { data, remote: mapping.guest };
    if (ecn !== undefined) datagram.ecn = ecn;
    if (segmentSize !== undefined) datagram.segmentSize = segmentSize;
    if (!this.#environment.inside.stack.udp.sendAs(source, datagram)) {
      this.#environment.drops.add('udp-not-sent');
    }
  }

  #reportError(mapping: Mapping, { code }: NetloomError, remote?: SocketAddress): void {
    const kind = REPORTS[code];
    const about = remote === undefined ? mapping.last : mapping.from(remote);
    if (kind === undefined || about === undefined) return;
    this.#environment.inside.stack.udp.report(mapping.guest, about.destination, kind);
  }

  #remove(mapping: Mapping, why: FlowEnd): void {
    if (mapping.isGone) return;
    this.#mappings.remove(mapping);
    for (const destination of mapping.destinations) {
      this.#destinations.remove(mapping.holder, destination);
      this.#environment.flows.end(destination.flow, why);
    }
    mapping.waiting = [];
    void mapping.socket?.close();
  }
}
