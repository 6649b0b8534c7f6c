import {
  NOT_QUEUED,
  StateMachine,
  type Chained,
  type IpAddress,
  type TimerEntry,
  type Transitions,
} from '../../core/index.ts';
import type { FrameOffload } from '../../link/index.ts';
import { NEIGHBOUR_STATE } from '../diagnostics.ts';

/** What is known of a neighbour's link address (RFC 4861, section 7.3.2); used for ARP as well. */
export type NeighbourState =
  | 'new'
  | 'incomplete'
  | 'reachable'
  | 'stale'
  | 'delay'
  | 'probe'
  | 'failed';

/** What moves an entry from state to state. */
export type NeighbourEvent =
  /** A packet is to be sent. */
  | 'use'
  /** The neighbour answered our solicitation, or an upper layer saw it take part. */
  | 'confirmed'
  /** Its link address was heard of without being asked for. */
  | 'heard'
  /** The time of the present state is over. */
  | 'elapsed'
  /** It did not answer as often as it was asked. */
  | 'unanswered'
  /** Its entry gave way to another, or its link went down. */
  | 'forgotten';

/** RFC 4861, section 7.3.3 and appendix C. */
export const NEIGHBOUR_TRANSITIONS: Transitions<NeighbourState, NeighbourEvent> = {
  new: { use: 'incomplete', heard: 'stale', confirmed: 'reachable', forgotten: 'new' },
  incomplete: {
    confirmed: 'reachable',
    heard: 'stale',
    unanswered: 'failed',
    forgotten: 'new',
  },
  reachable: { elapsed: 'stale', heard: 'stale', confirmed: 'reachable', forgotten: 'new' },
  stale: { use: 'delay', heard: 'stale', confirmed: 'reachable', forgotten: 'new' },
  delay: { elapsed: 'probe', heard: 'stale', confirmed: 'reachable', forgotten: 'new' },
  probe: { unanswered: 'failed', heard: 'stale', confirmed: 'reachable', forgotten: 'new' },
  failed: { use: 'incomplete', heard: 'stale', confirmed: 'reachable', forgotten: 'new' },
};

/** A frame that waits for a link address: a copy of the cache's own, with what was left to the link. */
export interface WaitingFrame {
  readonly neighbour: Neighbour;
  readonly frame: Uint8Array;
  readonly offload: FrameOffload | undefined;
}

/** One entry of a neighbour cache. */
export class Neighbour implements TimerEntry, Chained<Neighbour> {
  readonly address: IpAddress;
  readonly machine: StateMachine<NeighbourState, NeighbourEvent> = new StateMachine(
    'neighbour',
    NEIGHBOUR_TRANSITIONS,
    'new',
    NEIGHBOUR_STATE,
    this,
  );
  /** The link address as two halves; meaningful when {@link isResolved}. */
  macHigh = 0;
  macLow = 0;
  isResolved = false;
  /** It is not in the cache any more, although paths may still have it. */
  isForgotten = false;
  /** It has answered at this link address; otherwise that is what somebody said. */
  isProven = false;
  isRouter = false;
  /** Whether it is reachable and needs nothing done when it is used. Read for every packet. */
  isFresh = false;
  /** An upper layer has seen it take part since the state was last looked at. */
  confirmedByUse = false;
  /** Solicitations sent without an answer. */
  solicitations = 0;
  /** Frames that wait for the link address. */
  readonly waiting: WaitingFrame[] = [];
  /** When it was last used: the longest unused goes when the cache is full. */
  usedAt = 0;
  /** Its place among those that may make room; -1: none. Kept by `NeighbourRanks`. */
  rank = -1;
  /** It is used again and again: a packet has been sent to it since that was last asked, and not the first. Written for every packet. */
  isUsed = false;
  deadline: number = NOT_QUEUED.deadline;
  position: number = NOT_QUEUED.position;
  order: number = NOT_QUEUED.order;
  nextInBucket: Neighbour | undefined;

  constructor(address: IpAddress) {
    this.address = address;
  }

  get state(): NeighbourState {
    return this.machine.state;
  }

  /** It has been asked and has not answered yet. An answer at another time is one that anyone may have made up: it proves nothing. */
  get isAsked(): boolean {
    return this.state === 'incomplete' || this.state === 'probe';
  }

  /** Forward progress of an upper layer shows that it is reachable (RFC 4861, section 7.3.1). */
  confirm(): void {
    this.confirmedByUse = true;
  }
}
