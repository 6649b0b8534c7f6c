/**
 * The path of a frame through a switch, a method for each step (IEEE 802.1Q, clause 8.6, has them in much this order):
 *
 * reading -> reserved addresses -> VLAN -> port state -> storms -> claims -> learning -> lookup -> egress -> tag and link
 *
 * A step answers why the frame goes no further, or undefined.
 */
import type { FrameOffload } from '../link.ts';
import type { AddressGuard } from './address-guard.ts';
import { Cast, Passage } from './passage.ts';
import type { Port } from './port.ts';
import { dscpPriority } from './queueing/index.ts';
import type { MulticastTargets, Snooper } from './snooping/index.ts';
import type { StationTable } from '../station/index.ts';
import type { SwitchDrop } from './statistics.ts';

/** 01:80:c2:00:00:00 to :0f are not forwarded (IEEE 802.1Q, table 8-1): what is sent there is for the neighbour. */
const RESERVED_HIGH = 0x0180;
const RESERVED_LOW = 0xc200_0000 | 0;
/** The first of them: the spanning tree's. */
const BPDU_LOW = RESERVED_LOW;

/** What a {@link ForwardingPath} asks of its switch. */
export interface ForwardingContext {
  readonly guard: AddressGuard<Port>;
  readonly stations: StationTable<Port>;
  /** Who wants to hear which group; undefined: nobody is asked. */
  readonly snooper: Snooper<Port> | undefined;
  /** The ports there are; another array when that has changed. */
  ports(): readonly Port[];
  /** The port of this number, which there is. */
  port(number: number): Port;
  /** Takes a frame to the spanning tree's address. False: there is none. */
  takeBpdu(port: Port, frame: Uint8Array, now: number): boolean;
  /** A station has become known: the deadline of the table may have come nearer. */
  stationLearned(): void;
}

/** Forwards frames between the ports of a switch. */
export class ForwardingPath {
  readonly #context: ForwardingContext;
  /** Set aside while a frame is on its way, so that a link which answers at once finds its own. */
  #idle: Passage | undefined;

  constructor(context: ForwardingContext) {
    this.#context = context;
  }

  /** A frame has come in by a port. */
  receive(port: Port, frame: Uint8Array, offload: FrameOffload | undefined, now: number): void {
    const passage = this.#idle ?? new Passage();
    this.#idle = undefined;
    port.inputObserver?.(frame, offload);
    const drop = passage.read(frame, offload) ?? this.#pass(passage, port, now);
    if (drop !== undefined) port.statistics.drops.add(drop);
    this.#idle = passage;
  }

  #pass(passage: Passage, port: Port, now: number): SwitchDrop | undefined {
    port.statistics.received.count(passage.cast, passage.frame.length);
    if (port.isMirror) return 'mirror-port';
    const { destinationHigh, destinationLow } = passage.header;
    if (destinationHigh === RESERVED_HIGH && (destinationLow & ~0xf) === RESERVED_LOW) {
      if (destinationLow !== BPDU_LOW) return 'reserved-address';
      // Without a spanning tree of our own, those around us are to see each other through us.
      if (this.#context.takeBpdu(port, passage.frame, now)) return undefined;
    }
    return (
      classify(passage, port) ??
      (port.state === 'discarding' ? 'blocked' : undefined) ??
      limitStorm(passage, port, now) ??
      (this.#context.guard.isClaimedElsewhere(passage, port) ? 'address-elsewhere' : undefined) ??
      this.#learn(passage, port, now) ??
      (port.state === 'learning' ? 'blocked' : undefined) ??
      this.#forward(passage, port, now)
    );
  }

  #learn({ vlan, header }: Passage, port: Port, now: number): SwitchDrop | undefined {
    const { sourceHigh, sourceLow } = header;
    switch (this.#context.stations.learn(vlan, sourceHigh, sourceLow, port, now)) {
      case 'known':
        return undefined;
      case 'learned':
        this.#context.stationLearned();
        return undefined;
      case 'moved':
        port.statistics.stationMoves++;
        return undefined;
      case 'static':
        return 'station-elsewhere';
      case 'port-full':
      case 'table-full':
        port.statistics.stationsRefused++;
        return port.settings.whenFull === 'drop' ? 'station-limit' : undefined;
    }
  }

  #forward(passage: Passage, from: Port, now: number): SwitchDrop | undefined {
    if (passage.cast === Cast.MULTICAST) return this.#multicast(passage, from, now);
    if (passage.cast === Cast.BROADCAST) return this.#flood(passage, from, now);
    const { vlan, header } = passage;
    const { destinationHigh, destinationLow } = header;
    const number = this.#context.stations.portOf(vlan, destinationHigh, destinationLow);
    if (number === 0) {
      const { unknownStorm } = from;
      if (unknownStorm !== undefined && !unknownStorm.take(passage.frame.length, now)) {
        return 'storm-unknown-unicast';
      }
      return this.#flood(passage, from, now);
    }
    if (number === from.number) return 'same-port';
    const to = this.#context.port(number);
    if (!reaches(from, to, vlan)) return 'unreachable';
    to.output.forward(passage, to.vlans.untagged !== vlan, now);
    return undefined;
  }

  #multicast(passage: Passage, from: Port, now: number): SwitchDrop | undefined {
    const targets = this.#context.snooper?.targetsOf(passage, from, now);
    return this.#flood(passage, from, now, targets);
  }

  #flood(
    passage: Passage,
    from: Port,
    now: number,
    targets?: MulticastTargets<Port>,
  ): SwitchDrop | undefined {
    const { vlan } = passage;
    let reached = false;
    for (const to of this.#context.ports()) {
      if (to === from || !reaches(from, to, vlan)) continue;
      if (targets !== undefined && !targets.includes(to)) continue;
      reached = true;
      to.output.forward(passage, to.vlans.untagged !== vlan, now);
    }
    return reached ? undefined : 'no-port';
  }
}

/** Finds out the VLAN and the priority (IEEE 802.1Q, clauses 6.9.1 and 8.6.2). */
function classify(passage: Passage, port: Port): SwitchDrop | undefined {
  const { tag, hasTag } = passage;
  const { vlans } = port;
  passage.priority = hasTag ? tag.priority : priorityAt(port, passage);
  passage.dropEligible = hasTag && tag.dropEligible;
  if (!hasTag || tag.identifier === 0) {
    passage.vlan = vlans.untagged;
    return vlans.untagged === 0 ? 'untagged' : undefined;
  }
  passage.vlan = tag.identifier;
  if (!vlans.admitsTagged) return 'tagged';
  return vlans.has(tag.identifier) ? undefined : 'vlan-not-allowed';
}

function priorityAt(port: Port, passage: Passage): number {
  const { priority } = port.settings;
  return priority === 'dscp' ? dscpPriority(passage) : priority;
}

function limitStorm({ cast, frame }: Passage, port: Port, now: number): SwitchDrop | undefined {
  if (cast === Cast.BROADCAST) {
    const { broadcastStorm } = port;
    const passes = broadcastStorm === undefined || broadcastStorm.take(frame.length, now);
    return passes ? undefined : 'storm-broadcast';
  }
  if (cast === Cast.MULTICAST) {
    const { multicastStorm } = port;
    const passes = multicastStorm === undefined || multicastStorm.take(frame.length, now);
    return passes ? undefined : 'storm-multicast';
  }
  return undefined;
}

/** Whether what comes in by `from` may go out by `to`. */
function reaches(from: Port, to: Port, vlan: number): boolean {
  if (to.state !== 'forwarding' || !to.vlans.has(vlan) || to.isMirror) return false;
  return !(from.settings.isolated && to.settings.isolated);
}
