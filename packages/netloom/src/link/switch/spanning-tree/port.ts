import { Counters } from '../../../core/index.ts';
import type { Bpdu } from '../../../wire/index.ts';
import type { SpanningTreeGuard, SpanningTreePortState, TreeBridge } from './bridge.ts';
import { PortTimer } from './port-timer.ts';
import { AGREEMENT_GUARD, MIGRATE_TIME, type PortSettings } from './settings.ts';
import { comparePriority, type PriorityVector, type Times } from './vectors.ts';

/** What a port is for (IEEE 802.1D-2004, 17.3.1). */
export type SpanningTreePortRole = 'disabled' | 'root' | 'designated' | 'alternate' | 'backup';

/** Where a port's word on the root comes from (17.19.10). */
export type InfoIs = 'Disabled' | 'Aged' | 'Mine' | 'Received';

/** What a message means to what the port has (17.21.8). */
export type RcvdInfo =
  | 'SuperiorDesignatedInfo'
  | 'RepeatedDesignatedInfo'
  | 'InferiorDesignatedInfo'
  | 'InferiorRootAlternateInfo'
  | 'OtherInfo';

/** A port's variables and timers (IEEE 802.1D-2004, 17.17 and 17.19), under the standard's names. */
export class TreePort {
  readonly bridge: TreeBridge;
  readonly number: number;
  settings: PortSettings;
  readonly drops: Counters = new Counters();
  readonly received: Record<Bpdu['kind'], number> = noneOfEach();
  readonly sent: Record<Bpdu['kind'], number> = noneOfEach();
  /** The port is in use by its owner; {@link portEnabled} is false nonetheless while a guard has it shut. */
  isUp = false;
  guardedBy: SpanningTreeGuard | undefined;
  /** Something was learned here since the last flush. */
  hasLearned = false;
  /** BPDUs taken in the second that began then. */
  receivedSince: number = -Infinity;
  receivedLately = 0;

  /** What it has told as the designated port. */
  toldPriority: PriorityVector | undefined;

  /** The BPDU that {@link rcvdBPDU} is about. */
  bpdu: Bpdu | undefined;
  agree = false;
  agreed = false;
  designatedPriority: PriorityVector;
  designatedTimes: Times;
  disputed = false;
  forward = false;
  forwarding = false;
  infoIs: InfoIs = 'Disabled';
  learn = false;
  learning = false;
  mcheck = false;
  msgPriority: PriorityVector;
  msgTimes: Times;
  newInfo = false;
  operEdge = false;
  portEnabled = false;
  portPriority: PriorityVector;
  portTimes: Times;
  proposed = false;
  proposing = false;
  rcvdBPDU = false;
  rcvdInfo: RcvdInfo = 'OtherInfo';
  rcvdMsg = false;
  rcvdRSTP = false;
  rcvdSTP = false;
  rcvdTc = false;
  rcvdTcAck = false;
  rcvdTcn = false;
  reRoot = false;
  role: SpanningTreePortRole = 'disabled';
  selected = false;
  selectedRole: SpanningTreePortRole = 'disabled';
  sendRSTP = false;
  sync = false;
  synced = false;
  tcAck = false;
  tcProp = false;
  txCount = 0;
  updtInfo = false;

  /** Runs out where no bridge has been heard: the port is an edge then. */
  readonly edgeDelayWhile: PortTimer = new PortTimer(this);
  /** Delays each step towards forwarding. */
  readonly fdWhile: PortTimer = new PortTimer(this);
  readonly helloWhen: PortTimer = new PortTimer(this);
  /** The time to find out what the neighbour speaks. */
  readonly mdelayWhile: PortTimer = new PortTimer(this);
  /** Runs for as long as the port may lately have been a backup. */
  readonly rbWhile: PortTimer = new PortTimer(this);
  /** What was received is good for so long. */
  readonly rcvdInfoWhile: PortTimer = new PortTimer(this);
  /** Runs for as long as the port may lately have been the root port. */
  readonly rrWhile: PortTimer = new PortTimer(this);
  /** Topology changes are told for so long. */
  readonly tcWhile: PortTimer = new PortTimer(this);
  /** Runs for as long as an agreement may be to something else than what the port has told last. */
  readonly agreementGuard: PortTimer = new PortTimer(this);
  /** Gives back what {@link txCount} has counted, one a second (17.22). */
  readonly txCountTick: PortTimer = new PortTimer(this);

  constructor(bridge: TreeBridge, number: number, settings: PortSettings) {
    this.bridge = bridge;
    this.number = number;
    this.settings = settings;
    this.designatedPriority = bridge.BridgePriority;
    this.portPriority = bridge.BridgePriority;
    this.msgPriority = bridge.BridgePriority;
    this.designatedTimes = bridge.BridgeTimes;
    this.portTimes = bridge.BridgeTimes;
    this.msgTimes = bridge.BridgeTimes;
  }

  /** Four bits of priority, twelve of number (9.2.7). */
  get portId(): number {
    return (this.settings.priority << 8) | this.number;
  }

  get AdminEdge(): boolean {
    return this.settings.edge === true;
  }

  get AutoEdge(): boolean {
    return this.settings.edge !== false;
  }

  /** (17.20.4) */
  get EdgeDelay(): number {
    return this.settings.pointToPoint ? MIGRATE_TIME : this.MaxAge;
  }

  /**
   * The time of one step towards forwarding, where no neighbour agrees to it (17.20.5). It is that of the older protocol and of 802.1w, as it was at first. The
   * standard has come to take the hello time where the newer protocol is spoken; but old word of a lost root goes round for longer than that.
   */
  get forwardDelay(): number {
    return this.designatedTimes.forwardDelay;
  }

  /** (17.20.7) */
  get HelloTime(): number {
    return this.designatedTimes.helloTime;
  }

  /** (17.20.8) */
  get MaxAge(): number {
    return this.designatedTimes.maxAge;
  }

  /** No reselection is under way, and what it has found for this port is in place: what most machines wait for (17.16). */
  get isSelected(): boolean {
    return this.selected && !this.updtInfo;
  }

  get state(): SpanningTreePortState {
    if (this.forwarding) return 'forwarding';
    return this.learning ? 'learning' : 'discarding';
  }

  /** Takes the selected role. The timers that the former one has held run from now on. */
  takeRole(): void {
    this.role = this.selectedRole;
    this.fdWhile.release();
    this.rrWhile.release();
    this.rbWhile.release();
  }

  /** Asks for the roles to be computed anew, and waits for it. */
  requestReselect(): void {
    this.bridge.reselect = true;
    this.selected = false;
  }

  /** What was learned here may lead astray by now. */
  flush(): void {
    if (!this.hasLearned) return;
    this.hasLearned = this.learning;
    this.bridge.events.push({ kind: 'flush', port: this });
  }

  /** Whether the port is good to be told of by what the message says of the root (17.21.1). */
  isMessageBetterOrSame(): boolean {
    return this.infoIs === 'Received' && comparePriority(this.msgPriority, this.portPriority) <= 0;
  }

  /** The same for what this bridge would say itself. */
  isDesignatedBetterOrSame(): boolean {
    return (
      this.infoIs === 'Mine' && comparePriority(this.designatedPriority, this.portPriority) <= 0
    );
  }

  /**
   * The neighbour knows what the port says now, so that an agreement is to that.
   *
   * This is beyond the standard, whose agreements do not tell what they agree to. When a root is lost, old word of it can go round in circles for a while,
   * better and worse ones in turn, and an agreement that is under way to one that was taken back since would close a loop (Elmeleegy, Cox and
   * Ng, "On Count-to-Infinity Induced Forwarding Loops in Ethernet Networks", INFOCOM 2006).
   */
  get isTold(): boolean {
    return (
      this.toldPriority !== undefined &&
      comparePriority(this.toldPriority, this.portPriority) === 0 &&
      this.agreementGuard.isZero
    );
  }

  /** Notes what is being sent. */
  tell(): void {
    const told = this.role === 'designated' ? this.designatedPriority : undefined;
    const isNews =
      told !== undefined &&
      (this.toldPriority === undefined || comparePriority(told, this.toldPriority) !== 0);
    this.toldPriority = told;
    if (isNews) this.agreementGuard.set(AGREEMENT_GUARD);
  }

  /** A topology change is told from now on, if it is not already (17.21.7). */
  newTcWhile(): void {
    if (!this.tcWhile.isZero) return;
    if (this.sendRSTP) {
      this.tcWhile.set(this.HelloTime + 1000);
      this.newInfo = true;
    } else {
      const { maxAge, forwardDelay } = this.bridge.rootTimes;
      this.tcWhile.set(maxAge + forwardDelay);
    }
  }

  /** Called when one of its timers has run out. */
  expired(timer: PortTimer): void {
    if (timer === this.txCountTick) {
      this.txCount--;
      if (this.txCount > 0) timer.set(1000);
    }
    if (timer === this.agreementGuard && this.proposing) this.newInfo = true;
    // The new root port waits for it (17.20.10).
    if (timer === this.rrWhile) this.bridge.wakeAll();
    this.bridge.wake(this);
  }

  stopTimers(): void {
    const { edgeDelayWhile, fdWhile, helloWhen, mdelayWhile, rbWhile } = this;
    for (const timer of [edgeDelayWhile, fdWhile, helloWhen, mdelayWhile, rbWhile]) timer.set(0);
    const { rcvdInfoWhile, rrWhile, tcWhile, agreementGuard, txCountTick } = this;
    for (const timer of [rcvdInfoWhile, rrWhile, tcWhile, agreementGuard, txCountTick])
      timer.set(0);
  }
}

function noneOfEach(): Record<Bpdu['kind'], number> {
  return { configuration: 0, rapid: 0, 'topology-change-notification': 0 };
}
