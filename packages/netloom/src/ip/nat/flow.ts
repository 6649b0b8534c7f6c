import {
  BucketChains,
  HalfSipHash,
  NOT_QUEUED,
  StateMachine,
  type Chained,
  type IpAddress,
  type SocketAddress,
  type TimerEntry,
} from '../../core/index.ts';
import { IpProtocol } from '../../wire/index.ts';
import { isSameAddress } from '../interface/interface.ts';
import type { Packet } from '../packet.ts';
import type { NatMapping } from './mapping.ts';
import {
  NAT_TCP_TRANSITIONS,
  isLasting,
  type NatTcpEvent,
  type NatTcpState,
} from './tcp-session.ts';
import type { TransportEnds } from './transport-ends.ts';

/** What has gone one way. */
export interface NatCount {
  packets: number;
  /** Of whole IP packets. */
  bytes: number;
}

/** How far a flow is: what TCP says of it, or whether an answer has come. */
export type NatFlowState = NatTcpState | 'unanswered' | 'answered';

/** What goes between an inside end and one remote end. Live: look, and keep what you need. */
export class NatFlow implements Chained<NatFlow>, TimerEntry {
  readonly mapping: NatMapping;
  readonly remote: SocketAddress;
  readonly openedAt: number;
  /** When something last went, either way. */
  usedAt: number;
  readonly outbound: NatCount = { packets: 0, bytes: 0 };
  readonly inbound: NatCount = { packets: 0, bytes: 0 };
  /** When it is over, unless something comes before. The timer may be set to earlier, so that it is not moved with each packet. */
  expiresAt = 0;
  /** It is in the table. */
  isOpen = true;
  /** It is counted among those that give way. */
  isWeak = false;
  deadline: number = NOT_QUEUED.deadline;
  position: number = NOT_QUEUED.position;
  order: number = NOT_QUEUED.order;
  nextInBucket: NatFlow | undefined;
  readonly #tcp: StateMachine<NatTcpState, NatTcpEvent> | undefined;

  constructor(mapping: NatMapping, remote: SocketAddress, now: number) {
    this.mapping = mapping;
    this.remote = remote;
    this.openedAt = this.usedAt = now;
    if (mapping.protocol === IpProtocol.TCP) {
      this.#tcp = new StateMachine('nat', NAT_TCP_TRANSITIONS, 'new');
    }
  }

  /** An `IpProtocol`. */
  get protocol(): number {
    return this.mapping.protocol;
  }

  get inside(): SocketAddress {
    return this.mapping.inside;
  }

  get external(): SocketAddress {
    return this.mapping.external;
  }

  get state(): NatFlowState {
    if (this.#tcp !== undefined) return this.#tcp.state;
    return this.outbound.packets > 0 && this.inbound.packets > 0 ? 'answered' : 'unanswered';
  }

  /** Both ends want it: it does not give way to another. */
  get isEstablished(): boolean {
    return this.#tcp === undefined ? this.state === 'answered' : isLasting(this.#tcp.state);
  }

  /** A segment has come. Answers whether the flow lives on by it: what is left of a connection that is over lives its time and no longer. */
  segment(event: NatTcpEvent, now: number): boolean {
    const tcp = this.#tcp!;
    const before = tcp.state;
    if (tcp.can(event)) tcp.take(event, now);
    if (tcp.state !== before) return true;
    if (before === 'inside-opening') return event === 'inside-syn';
    if (before === 'outside-opening') return event === 'outside-syn';
    return isLasting(before);
  }

  /** A packet of so many bytes has gone. */
  count(isOutbound: boolean, bytes: number, now: number): void {
    const way = isOutbound ? this.outbound : this.inbound;
    way.packets++;
    way.bytes += bytes;
    this.usedAt = now;
  }

  toString(): string {
    return `${this.inside.address} ${this.inside.port} as ${this.external.address} ${this.external.port} to ${this.remote.address} ${this.remote.port}`;
  }
}

/** Whether a packet with these ports goes from the flow's inside end to its remote one. */
export function isOutboundOf(flow: NatFlow, packet: Packet, ends: TransportEnds): boolean {
  const { inside, remote } = flow;
  return (
    ends.sourcePort === inside.port &&
    ends.destinationPort === remote.port &&
    packet.protocol === flow.protocol &&
    isSourceOf(packet, inside.address) &&
    isDestinationOf(packet, remote.address)
  );
}

/** Whether a packet with these ports goes from the flow's remote end to its external one. */
export function isInboundOf(flow: NatFlow, packet: Packet, ends: TransportEnds): boolean {
  const { external, remote } = flow;
  return (
    ends.sourcePort === remote.port &&
    ends.destinationPort === external.port &&
    packet.protocol === flow.protocol &&
    isSourceOf(packet, remote.address) &&
    isDestinationOf(packet, external.address)
  );
}

function isSourceOf(packet: Packet, address: IpAddress): boolean {
  return (
    packet.source3 === address.word3 &&
    packet.source2 === address.word2 &&
    packet.source1 === address.word1 &&
    packet.source0 === address.word0
  );
}

function isDestinationOf(packet: Packet, address: IpAddress): boolean {
  return (
    packet.destination3 === address.word3 &&
    packet.destination2 === address.word2 &&
    packet.destination1 === address.word1 &&
    packet.destination0 === address.word0
  );
}

/** The flows of a NAT, by mapping and remote end. */
export class NatFlows {
  readonly #hash: HalfSipHash;
  readonly #words = new Int32Array(6);
  readonly #chains = new BucketChains<NatFlow>();

  /** `key`: 8 random bytes. */
  constructor(key: Uint8Array) {
    this.#hash = new HalfSipHash(key);
  }

  get size(): number {
    return this.#chains.size;
  }

  find({ id }: NatMapping, { address, port }: SocketAddress): NatFlow | undefined {
    let flow = this.#chains.first(this.#hashOf(id, address, port));
    while (
      flow !== undefined &&
      !(
        flow.mapping.id === id &&
        flow.remote.port === port &&
        isSameAddress(flow.remote.address, address)
      )
    ) {
      flow = flow.nextInBucket;
    }
    return flow;
  }

  add(flow: NatFlow): void {
    this.#chains.add(this.#hashOf(flow.mapping.id, flow.remote.address, flow.remote.port), flow);
  }

  remove(flow: NatFlow): void {
    this.#chains.remove(this.#hashOf(flow.mapping.id, flow.remote.address, flow.remote.port), flow);
  }

  /** All flows; the one that was given last may be removed meanwhile. */
  values(): Iterable<NatFlow> {
    return this.#chains.values();
  }

  #hashOf(id: number, address: IpAddress, port: number): number {
    const words = this.#words;
    words[0] = id;
    words[1] = address.word0;
    words[2] = address.word1;
    words[3] = address.word2;
    words[4] = address.word3;
    words[5] = port;
    return this.#hash.hash(words);
  }
}
