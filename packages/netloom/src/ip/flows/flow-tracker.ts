import { Counters, withLimits, type IpAddress } from '../../core/index.ts';
import { TcpFlag } from '../../wire/index.ts';
import type { Flow, FlowDirection, FlowEnd } from './flow.ts';
import { FlowPacket } from './flow-packet.ts';
import { FLOW_TRACKER_LIMITS, type FlowTrackerLimits } from './limits.ts';
import { StreamAssembler, type HeldBytes } from './stream-assembler.ts';

/** What a {@link FlowTracker} calls. */
export interface FlowSink {
  /** A flow has begun. True: its bytes are wanted, and given to {@link data}. Without this all are. */
  begins?(flow: Flow): boolean;
  /** The next bytes of a stream, or a datagram: borrowed. */
  data?(flow: Flow, direction: FlowDirection, bytes: Uint8Array): void;
  /** So many bytes of a stream were not seen. */
  gap?(flow: Flow, direction: FlowDirection, length: number): void;
  ends?(flow: Flow, end: FlowEnd): void;
}

/** A frame that a tracker is shown. */
export interface FlowFrame {
  /** Borrowed. */
  readonly data: Uint8Array;
  /** A `LinkType`, or the number of packets without a frame. */
  readonly linkType: number;
  /** Nanoseconds, of any origin. */
  readonly time: bigint | undefined;
}

type Assemblers = Readonly<Record<FlowDirection, StreamAssembler>>;

/** A {@link Flow}, as the tracker writes it. */
class TrackedFlow implements Flow {
  readonly id: number;
  readonly protocol: 'tcp' | 'udp';
  readonly from: Flow['from'];
  readonly to: Flow['to'];
  readonly forward = { frames: 0, bytes: 0 };
  readonly backward = { frames: 0, bytes: 0 };
  readonly first: bigint | undefined;
  last: bigint | undefined;
  end: FlowEnd | undefined;
  readonly isWhole: boolean;
  /** The sequence number of the SYN. */
  readonly initial: number | undefined;
  /** Undefined: its bytes are not wanted, or it is UDP's. */
  assemblers: Assemblers | undefined;
  isWanted = true;
  readonly hasFinished = { forward: false, backward: false };

  constructor(id: number, packet: FlowPacket, time: bigint | undefined) {
    const { flags, sequence } = packet.tcp;
    const isTcp = packet.protocol === 'tcp';
    const hasSyn = isTcp && (flags & TcpFlag.SYN) !== 0;
    const source = { address: packet.source, port: packet.sourcePort };
    const destination = { address: packet.destination, port: packet.destinationPort };
    // An answer to a SYN that was not seen still says who asked.
    const isAnswer = hasSyn && (flags & TcpFlag.ACK) !== 0;
    this.id = id;
    this.protocol = packet.protocol;
    this.from = isAnswer ? destination : source;
    this.to = isAnswer ? source : destination;
    this.first = time;
    this.isWhole = !isTcp || (hasSyn && !isAnswer);
    this.initial = hasSyn && !isAnswer ? sequence : undefined;
  }

  directionOf({ source, sourcePort }: FlowPacket): FlowDirection {
    const isForward = sourcePort === this.from.port && source.equals(this.from.address);
    return isForward ? 'forward' : 'backward';
  }
}

/**
 * Sorts the frames of a capture into flows, counts them, and puts the bytes of those that are wanted in order. An onlooker: it answers
 * nothing, and has no clock.
 */
export class FlowTracker {
  /** Frames of no flow, by reason; `too-many-flows`: of flows that were not followed; `out-of-window`: too far from the rest of their stream to be of it. */
  readonly passedOver: Counters = new Counters();
  readonly #sink: FlowSink;
  readonly #limits: FlowTrackerLimits;
  readonly #packet = new FlowPacket();
  readonly #flows: TrackedFlow[] = [];
  /** The latest flow between two ports. */
  readonly #current = new Map<string, TrackedFlow>();
  readonly #held: HeldBytes = { total: 0 };

  constructor(sink: FlowSink, limits?: Partial<FlowTrackerLimits>) {
    this.#sink = sink;
    this.#limits = withLimits(FLOW_TRACKER_LIMITS, limits);
  }

  /** All flows, in the order in which they began. */
  get flows(): readonly Flow[] {
    return this.#flows;
  }

  /** Shows it the next frame. */
  frame({ data, linkType, time }: FlowFrame): void {
    const packet = this.#packet;
    const noFlow = packet.read(data, linkType);
    if (noFlow !== undefined) {
      this.passedOver.add(noFlow);
      return;
    }
    const flow = this.#flowOf(packet, time);
    if (flow === undefined) return;
    const direction = flow.directionOf(packet);
    flow[direction].frames++;
    flow[direction].bytes += packet.payload.length;
    flow.last = time ?? flow.last;
    if (flow.protocol === 'tcp') this.#segment(flow, direction, packet);
    else if (flow.isWanted) this.#sink.data?.(flow, direction, packet.payload);
  }

  /** There are no more frames: what is held beyond gaps is given. */
  end(): void {
    for (const flow of this.#flows) flush(flow);
  }

  #flowOf(packet: FlowPacket, time: bigint | undefined): TrackedFlow | undefined {
    const key = keyOf(packet);
    const known = this.#current.get(key);
    if (known !== undefined && !beginsAnew(known, packet)) return known;
    if (this.#flows.length >= this.#limits.flows) {
      this.passedOver.add('too-many-flows');
      return undefined;
    }
    if (known !== undefined) flush(known);
    const flow = new TrackedFlow(this.#flows.length + 1, packet, time);
    this.#flows.push(flow);
    this.#current.set(key, flow);
    flow.isWanted = this.#sink.begins?.(flow) ?? true;
    if (flow.isWanted && flow.protocol === 'tcp') flow.assemblers = this.#assemblersOf(flow);
    return flow;
  }

  #assemblersOf(flow: TrackedFlow): Assemblers {
    const assembler = (direction: FlowDirection): StreamAssembler =>
      new StreamAssembler(
        {
          data: (bytes) => this.#sink.data?.(flow, direction, bytes),
          gap: (length) => this.#sink.gap?.(flow, direction, length),
          stray: () => this.passedOver.add('out-of-window'),
        },
        this.#limits,
        this.#held,
      );
    return { forward: assembler('forward'), backward: assembler('backward') };
  }

  #segment(flow: TrackedFlow, direction: FlowDirection, { tcp, payload }: FlowPacket): void {
    const { flags, sequence } = tcp;
    const { assemblers } = flow;
    if (assemblers !== undefined) {
      const hasSyn = (flags & TcpFlag.SYN) !== 0;
      // The SYN has a number of its own, before that of the first byte (RFC 9293, section 3.4).
      const start = hasSyn ? (sequence + 1) | 0 : sequence;
      if (hasSyn) assemblers[direction].begin(start);
      assemblers[direction].segment(start, payload);
      if ((flags & TcpFlag.ACK) !== 0) {
        assemblers[opposite(direction)].acknowledged(tcp.acknowledgment);
      }
    }
    if ((flags & TcpFlag.FIN) !== 0) flow.hasFinished[direction] = true;
    if ((flags & TcpFlag.RST) !== 0) this.#end(flow, 'reset');
    else if (flow.hasFinished.forward && flow.hasFinished.backward) this.#end(flow, 'finished');
  }

  #end(flow: TrackedFlow, end: FlowEnd): void {
    if (flow.end !== undefined) return;
    flow.end = end;
    this.#sink.ends?.(flow, end);
  }
}

function opposite(direction: FlowDirection): FlowDirection {
  return direction === 'forward' ? 'backward' : 'forward';
}

function flush({ assemblers }: TrackedFlow): void {
  assemblers?.forward.flush();
  assemblers?.backward.flush();
}

/** Whether a packet between the ports of a flow is the first of another: a SYN that is not the flow's own, sent again. */
function beginsAnew(flow: TrackedFlow, { tcp, protocol }: FlowPacket): boolean {
  if (protocol !== 'tcp') return false;
  const isFirst = (tcp.flags & (TcpFlag.SYN | TcpFlag.ACK)) === TcpFlag.SYN;
  return isFirst && flow.initial !== tcp.sequence;
}

/** The same for both directions. */
function keyOf({ protocol, source, sourcePort, destination, destinationPort }: FlowPacket): string {
  const a = end(source, sourcePort);
  const b = end(destination, destinationPort);
  return a < b ? `${protocol} ${a} ${b}` : `${protocol} ${b} ${a}`;
}

function end({ word0, word1, word2, word3 }: IpAddress, port: number): string {
  return `${word0},${word1},${word2},${word3},${port}`;
}
