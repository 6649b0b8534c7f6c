/** IPv4 address conflict detection (RFC 5227): probe, announce, defend. */
import {
  Counters,
  StateMachine,
  withLimits,
  type Engine,
  type IpAddress,
  type MacAddress,
  type Random,
  type Transitions,
} from '../../core/index.ts';
import type { ArpPacket } from '../../wire/index.ts';

/** Constants of RFC 5227, section 1.1. Milliseconds unless said otherwise. */
export interface ConflictLimits {
  /** The most that is waited before the first probe. */
  readonly probeWait: number;
  /** Probes sent. */
  readonly probes: number;
  readonly probeMinimum: number;
  readonly probeMaximum: number;
  /** The wait after the last probe. */
  readonly announceWait: number;
  /** Announcements sent. */
  readonly announcements: number;
  readonly announceInterval: number;
  /** Conflicts after which new tries are made at the rate of {@link rateLimitInterval} only. */
  readonly conflicts: number;
  readonly rateLimitInterval: number;
  /** A second conflict within this time is not answered by another defence. */
  readonly defendInterval: number;
}

/** The RFC's values. */
export const CONFLICT_LIMITS: ConflictLimits = {
  probeWait: 1000,
  probes: 3,
  probeMinimum: 1000,
  probeMaximum: 2000,
  announceWait: 2000,
  announcements: 2,
  announceInterval: 2000,
  conflicts: 10,
  rateLimitInterval: 60_000,
  defendInterval: 10_000,
};

/** What is done when another station claims the address in use (RFC 5227, section 2.4): give way at once (a), defend once in a while and give way to whoever insists (b), or never give way (c). */
export type ConflictDefence = 'give-way' | 'defend-once' | 'defend-always';

/** Where a {@link ConflictDetector} is with its address. */
export type ConflictState =
  | 'stopped'
  /** Waiting to send the first probe. */
  | 'waiting'
  | 'probing'
  /** No answer came; the last wait. */
  | 'listening'
  /** In use; announcements are still to be sent. */
  | 'announcing'
  /** In use, and watched over. */
  | 'in-use'
  /** Another station has it. */
  | 'conflict';

/** What moves a {@link ConflictDetector} on. */
export type ConflictEvent =
  | 'start'
  /** Use the address without asking. */
  | 'claim'
  | 'probe'
  | 'probed'
  | 'free'
  | 'announced'
  | 'conflict'
  | 'stop';

/** RFC 5227, section 2. */
export const CONFLICT_TRANSITIONS: Transitions<ConflictState, ConflictEvent> = {
  stopped: { start: 'waiting', claim: 'announcing' },
  waiting: { probe: 'probing', conflict: 'conflict', stop: 'stopped' },
  probing: { probe: 'probing', probed: 'listening', conflict: 'conflict', stop: 'stopped' },
  listening: { free: 'announcing', conflict: 'conflict', stop: 'stopped' },
  announcing: { announced: 'in-use', conflict: 'conflict', stop: 'stopped' },
  'in-use': { conflict: 'conflict', stop: 'stopped' },
  conflict: { stop: 'stopped' },
};

/** What a {@link ConflictDetector} calls. */
export interface ConflictSink {
  /** Broadcast an ARP request for `address` with sender address 0.0.0.0 (RFC 5227, section 2.1.1). */
  sendProbe(address: IpAddress): void;
  /** Broadcast an ARP request for `address` with `address` as sender too (section 2.3). */
  sendAnnouncement(address: IpAddress): void;
  /** No other station has the address: it may be used from now on. The first announcement follows. */
  free(address: IpAddress): void;
  /** Another station claims the address in use, which stays ours: it has been defended, or so lately that nothing is said. */
  contested(address: IpAddress, other: MacAddress, outcome: 'defended' | 'ignored'): void;
  /** Another station has the address. `wasInUse`: it must not be used any more; otherwise it never was. */
  conflict(address: IpAddress, other: MacAddress, wasInUse: boolean): void;
}

/** How tries to find a free address have gone on one interface, for all of its detectors: many conflicts make further tries slow (RFC 5227, section 2.1.1). */
export class ConflictHistory {
  /** Conflicts in a row before an address was free. */
  failures = 0;
  /** When the last try began. */
  triedAt: number = -Infinity;
}

/** How to make a {@link ConflictDetector}. */
export interface ConflictOptions {
  /** The interface's own address: what it sends is no conflict. */
  readonly mac: MacAddress;
  readonly random: Random;
  /** Default: `defend-once`. */
  readonly defence?: ConflictDefence;
  /** Shared with the interface's other detectors. Default: the detector's own. */
  readonly history?: ConflictHistory;
  readonly limits?: Partial<ConflictLimits>;
}

/**
 * Finds out whether an IPv4 address is free before it is used, and watches over it while it is. One detector for each address
 * that an interface has or wants; those of one interface share a {@link ConflictHistory}.
 */
export class ConflictDetector implements Engine {
  /** Conflicts seen, by what came of them. */
  readonly conflicts: Counters = new Counters();
  readonly #mac: MacAddress;
  readonly #random: Random;
  readonly #defence: ConflictDefence;
  readonly #limits: ConflictLimits;
  readonly #sink: ConflictSink;
  readonly #machine: StateMachine<ConflictState, ConflictEvent> = new StateMachine(
    'ipv4-conflict',
    CONFLICT_TRANSITIONS,
    'stopped',
  );
  #address: IpAddress | undefined;
  #wakeAt = Infinity;
  /** Probes or announcements sent so far. */
  #sent = 0;
  #defendedAt = -Infinity;
  readonly #history: ConflictHistory;

  constructor(options: ConflictOptions, sink: ConflictSink) {
    this.#mac = options.mac;
    this.#random = options.random;
    this.#defence = options.defence ?? 'defend-once';
    this.#history = options.history ?? new ConflictHistory();
    this.#limits = withLimits(CONFLICT_LIMITS, options.limits);
    this.#sink = sink;
  }

  get state(): ConflictState {
    return this.#machine.state;
  }

  /** The address that is probed or watched over. */
  get address(): IpAddress | undefined {
    return this.#address;
  }

  /** Begins to probe an address, whatever was done before. After many conflicts it waits (section 2.1.1). */
  start(address: IpAddress, now: number): void {
    this.stop(now);
    this.#begin('start', address, now);
    const { probeWait, conflicts, rateLimitInterval } = this.#limits;
    const history = this.#history;
    const allowedAt = history.failures >= conflicts ? history.triedAt + rateLimitInterval : now;
    history.triedAt = Math.max(now, allowedAt);
    this.#wakeAt = history.triedAt + this.#random.float() * probeWait;
  }

  /** Announces an address and watches over it without probing: it was probed before, or somebody insists. */
  claim(address: IpAddress, now: number): void {
    this.stop(now);
    this.#begin('claim', address, now);
    this.#announce(address, now);
  }

  /** Ends. Idempotent. */
  stop(now: number): void {
    if (this.state !== 'stopped') this.#machine.take('stop', now);
    this.#address = undefined;
    this.#wakeAt = Infinity;
  }

  /** An ARP packet has come over the interface, whatever it is about; it is borrowed. */
  receive(packet: ArpPacket, now: number): void {
    const address = this.#address;
    if (address === undefined || this.#machine.state === 'conflict') return;
    if (packet.senderMacHigh === this.#mac.high && packet.senderMacLow === this.#mac.low) return;
    const claims = packet.senderAddress === address.word3;
    const { state } = this.#machine;
    if (state === 'announcing' || state === 'in-use') {
      if (claims) this.#claimedByOther(address, packet.senderMac, now);
      return;
    }
    // Another station that probes for the same address at the same time is a conflict too (section 2.1.1).
    const probes = packet.senderAddress === 0 && packet.targetAddress === address.word3;
    if (!claims && !probes) return;
    this.#history.failures++;
    this.conflicts.add('before-use');
    this.#giveWay(address, packet.senderMac, false, now);
  }

  deadline(): number {
    return this.#wakeAt;
  }

  advance(now: number): void {
    const address = this.#address;
    if (address === undefined || now < this.#wakeAt) return;
    switch (this.#machine.state) {
      case 'waiting':
      case 'probing':
        this.#probe(address, now);
        return;
      case 'listening':
        this.#machine.take('free', now);
        this.#history.failures = 0;
        this.#sent = 0;
        this.#announce(address, now);
        return;
      default:
        this.#announce(address, now);
    }
  }

  #begin(event: ConflictEvent, address: IpAddress, now: number): void {
    this.#machine.take(event, now);
    this.#address = address;
    this.#sent = 0;
    this.#defendedAt = -Infinity;
  }

  #probe(address: IpAddress, now: number): void {
    const { probes, probeMinimum, probeMaximum, announceWait } = this.#limits;
    this.#machine.take('probe', now);
    if (++this.#sent >= probes) {
      this.#machine.take('probed', now);
      this.#wakeAt = now + announceWait;
    } else {
      this.#wakeAt = now + probeMinimum + this.#random.float() * (probeMaximum - probeMinimum);
    }
    this.#sink.sendProbe(address);
  }

  #announce(address: IpAddress, now: number): void {
    const isFirst = this.#sent++ === 0;
    if (this.#sent >= this.#limits.announcements) {
      this.#machine.take('announced', now);
      this.#wakeAt = Infinity;
    } else {
      this.#wakeAt = now + this.#limits.announceInterval;
    }
    if (isFirst) this.#sink.free(address);
    // The handler may have ended it.
    if (this.#address === address) this.#sink.sendAnnouncement(address);
  }

  /** Section 2.4. */
  #claimedByOther(address: IpAddress, other: MacAddress, now: number): void {
    const isRepeated = now - this.#defendedAt < this.#limits.defendInterval;
    if (this.#defence === 'give-way' || (this.#defence === 'defend-once' && isRepeated)) {
      this.conflicts.add('gave-way');
      this.#giveWay(address, other, true, now);
    } else if (isRepeated) {
      // Two stations that both never give way must not flood the link.
      this.conflicts.add('ignored');
      this.#sink.contested(address, other, 'ignored');
    } else {
      this.conflicts.add('defended');
      this.#defendedAt = now;
      this.#sink.sendAnnouncement(address);
      this.#sink.contested(address, other, 'defended');
    }
  }

  #giveWay(address: IpAddress, other: MacAddress, wasInUse: boolean, now: number): void {
    this.#machine.take('conflict', now);
    this.#wakeAt = Infinity;
    this.#sink.conflict(address, other, wasInUse);
  }
}
