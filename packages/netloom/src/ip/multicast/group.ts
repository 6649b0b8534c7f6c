import {
  NOT_QUEUED,
  StateMachine,
  type IpAddress,
  type TimerEntry,
  type Transitions,
} from '../../core/index.ts';

/** What the host is to a group. */
export type MembershipState =
  | 'non-member'
  | 'member'
  /** No member any more, but routers have not been told often enough yet. */
  | 'leaving';

/** What happens to a membership. */
export type MembershipEvent =
  | 'join'
  | 'leave'
  /** The last report of leaving has been sent, or none is needed. */
  | 'told';

/** The life of a group's entry. */
export const MEMBERSHIP_TRANSITIONS: Transitions<MembershipState, MembershipEvent> = {
  'non-member': { join: 'member' },
  member: { leave: 'leaving' },
  leaving: { join: 'member', told: 'non-member' },
};

/** A timer of a {@link Group}, or of all groups. */
export interface GroupTimer extends TimerEntry {
  elapsed(now: number): void;
}

/** A group the host is a member of, or is leaving. */
export class Group {
  readonly address: IpAddress;
  /** Reported to routers; the group of all nodes, and those that do not leave the host, are not. */
  readonly isReported: boolean;
  readonly machine: StateMachine<MembershipState, MembershipEvent> = new StateMachine(
    'multicast-group',
    MEMBERSHIP_TRANSITIONS,
    'non-member',
  );
  /** How often it was joined and not left. */
  users = 0;
  /** Reports of the last change that are still to be sent. */
  changeReportsLeft = 0;
  /** The sources asked for in the queries that the next response answers; empty: the group as such. */
  readonly askedSources: IpAddress[] = [];
  /** This host was the last on the link to report the group, as far as it knows (RFC 2236, section 3). */
  wasLastReporter = false;
  /** Sends the next report of a change. */
  readonly change: GroupTimer;
  /** Answers a query. */
  readonly response: GroupTimer;

  constructor(
    address: IpAddress,
    isReported: boolean,
    changeDue: (group: Group, now: number) => void,
    responseDue: (group: Group, now: number) => void,
  ) {
    this.address = address;
    this.isReported = isReported;
    this.change = { ...NOT_QUEUED, elapsed: (now) => changeDue(this, now) };
    this.response = { ...NOT_QUEUED, elapsed: (now) => responseDue(this, now) };
  }

  get isMember(): boolean {
    return this.machine.state === 'member';
  }
}
