import type { SocketAddress } from '../../core/index.ts';

/** What a flow is of. */
export type FlowProtocol = 'tcp' | 'udp' | 'icmp';

/** Where a flow stands: asked for and not answered, carried, or over. */
export type FlowState = 'connecting' | 'open' | 'ended';

/** Why a flow is over. */
export type FlowEnd =
  /** Both sides have ended in good order. */
  | 'finished'
  /** The policy does not allow it. */
  | 'denied'
  /** Nothing listens there. */
  | 'refused'
  | 'unreachable'
  /** No answer came in time. */
  | 'timeout'
  /** Nothing was carried for so long. */
  | 'idle'
  /** The guest has reset it, or has given up before it was answered. */
  | 'reset-by-guest'
  | 'reset-by-destination'
  /** A limit was reached. */
  | 'limit'
  /** The platform could not. */
  | 'failed'
  /** The uplink, or the publication, was closed. */
  | 'closed';

/** What is known of a flow when it begins. */
export interface FlowEnds {
  readonly protocol: FlowProtocol;
  /** Who began it: the guest, or of a published port somebody outside. */
  readonly direction: 'outbound' | 'inbound';
  readonly guest: SocketAddress;
  /** The other end as the guest sees it; of a published port, who has come. Of an echo the port is 0. */
  readonly destination: SocketAddress;
  /** The names that the destination's address was given for. */
  readonly labels: readonly string[];
}

/** One flow through an uplink, as it is now. It is live while the flow is: look at it, and keep a copy of what you need. */
export interface UplinkFlow extends FlowEnds {
  /** Numbers flows from 1. */
  readonly id: number;
  readonly state: FlowState;
  /** Milliseconds of the uplink's clock. */
  readonly openedAt: number;
  readonly endedAt: number | undefined;
  readonly end: FlowEnd | undefined;
  /** From the guest to the destination: payload. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Datagrams or echo messages; of TCP nobody counts segments here. */
  readonly packetsSent: number;
  readonly packetsReceived: number;
}

/** Counts bytes by itself, both ways: a relay. */
export interface FlowMeter {
  readonly bytesFromFirst: number;
  readonly bytesFromSecond: number;
}

/** See {@link UplinkFlow}. Changed by the table and by what carries it. */
export class Flow implements UplinkFlow {
  readonly id: number;
  readonly protocol: FlowProtocol;
  readonly direction: 'outbound' | 'inbound';
  readonly guest: SocketAddress;
  readonly destination: SocketAddress;
  readonly labels: readonly string[];
  readonly openedAt: number;
  state: FlowState = 'connecting';
  endedAt: number | undefined;
  end: FlowEnd | undefined;
  packetsSent = 0;
  packetsReceived = 0;
  #bytesSent = 0;
  #bytesReceived = 0;
  #meter: FlowMeter | undefined;

  constructor(id: number, ends: FlowEnds, now: number) {
    this.id = id;
    this.protocol = ends.protocol;
    this.direction = ends.direction;
    this.guest = ends.guest;
    this.destination = ends.destination;
    this.labels = ends.labels;
    this.openedAt = now;
  }

  get bytesSent(): number {
    const { bytesFromFirst, bytesFromSecond } = this.#meter ?? NOTHING;
    return this.#bytesSent + (this.direction === 'outbound' ? bytesFromFirst : bytesFromSecond);
  }

  get bytesReceived(): number {
    const { bytesFromFirst, bytesFromSecond } = this.#meter ?? NOTHING;
    return this.#bytesReceived + (this.direction === 'outbound' ? bytesFromSecond : bytesFromFirst);
  }

  /** It is carried now. With a meter, which counts from whoever began it as the first. */
  carried(meter?: FlowMeter): void {
    this.state = 'open';
    this.#meter = meter;
  }

  /** It is over. Ended flows are remembered: what carried this one is not to be, with all that it holds. */
  over(why: FlowEnd, now: number): void {
    const { bytesSent, bytesReceived } = this;
    this.#meter = undefined;
    this.#bytesSent = bytesSent;
    this.#bytesReceived = bytesReceived;
    this.state = 'ended';
    this.end = why;
    this.endedAt = now;
  }

  /** A datagram of the guest's goes out. */
  sent(bytes: number): void {
    this.packetsSent++;
    this.#bytesSent += bytes;
  }

  /** A datagram for the guest has come. */
  received(bytes: number): void {
    this.packetsReceived++;
    this.#bytesReceived += bytes;
  }
}

const NOTHING: FlowMeter = { bytesFromFirst: 0, bytesFromSecond: 0 };
