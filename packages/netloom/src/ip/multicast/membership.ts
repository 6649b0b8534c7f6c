/**
 * The host's side of multicast group membership: IGMP and MLD, which differ in little but their messages (see {@link MembershipProtocol}).
 *
 * Read first: RFC 3376, sections 5 and 7.2 (IGMPv3), RFC 2236, sections 3, 4 and 6 (IGMPv2); RFC 3810, sections 6 and 8.2 (MLDv2), RFC 2710 (MLDv1).
 */
import {
  Counters,
  IpAddress,
  NOT_QUEUED,
  NetloomError,
  StateMachine,
  TimerQueue,
  withLimits,
  type Engine,
  type Random,
} from '../../core/index.ts';
import { GroupRecordType, type GroupRecord } from '../../wire/index.ts';
import {
  COMPATIBILITY_TRANSITIONS,
  type CompatibilityEvent,
  type CompatibilityMode,
} from './compatibility.ts';
import { Group, type GroupTimer } from './group.ts';
import type { MembershipProtocol, MembershipQuery, Outgoing } from './protocol.ts';

/** Limits and constants of a {@link GroupMembership}. */
export interface MembershipLimits {
  /** Groups on one interface. */
  readonly groups: number;
  /** Sources asked for that are remembered until they are answered for; past it the answer is for the whole group. */
  readonly sources: number;
  /** How often a change is reported, until a querier says otherwise (RFC 3376, section 8.1). */
  readonly robustness: number;
  /** Milliseconds between general queries, until a querier says otherwise (RFC 3376, section 8.2). */
  readonly queryInterval: number;
}

/** The defaults. */
export const MEMBERSHIP_LIMITS: MembershipLimits = {
  groups: 1024,
  sources: 64,
  robustness: 2,
  queryInterval: 125_000,
};

/** What a {@link GroupMembership} calls. */
export interface MembershipSink<Message> {
  send(message: Message, destination: IpAddress): void;
}

/**
 * The groups of one interface. Join and leave; hand it queries, and the reports of others. Every group is joined for any source: in
 * the words of RFC 3376 its filter is EXCLUDE with an empty list, or it is not there.
 */
export class GroupMembership<Message> implements Engine {
  /** Messages dropped, by reason. */
  readonly drops: Counters = new Counters();
  readonly #protocol: MembershipProtocol<Message>;
  readonly #random: Random;
  readonly #limits: MembershipLimits;
  readonly #sink: MembershipSink<Message>;
  /** By the address's last word, which hardly two groups share. */
  readonly #groups = new Map<number, Group[]>();
  #size = 0;
  readonly #timers = new TimerQueue<GroupTimer>();
  readonly #compatibility: StateMachine<CompatibilityMode, CompatibilityEvent>;
  /** Runs while queriers of an old version count as present (RFC 3376, section 8.12). */
  readonly #olderPresent: GroupTimer = { ...NOT_QUEUED, elapsed: (now) => this.#olderGone(now) };
  readonly #oldestPresent: GroupTimer = { ...NOT_QUEUED, elapsed: (now) => this.#oldestGone(now) };
  /** Answers a general query, for all groups at once. */
  readonly #generalResponse: GroupTimer = { ...NOT_QUEUED, elapsed: () => this.#reportAll() };
  #robustness: number;
  #queryInterval: number;
  /** What is to be sent when the state is settled. */
  readonly #records: GroupRecord[] = [];
  readonly #outgoing: Outgoing<Message>[] = [];

  constructor(
    protocol: MembershipProtocol<Message>,
    options: { readonly random: Random; readonly limits?: Partial<MembershipLimits> | undefined },
    sink: MembershipSink<Message>,
  ) {
    this.#protocol = protocol;
    this.#random = options.random;
    this.#limits = withLimits(MEMBERSHIP_LIMITS, options.limits);
    this.#robustness = this.#limits.robustness;
    this.#queryInterval = this.#limits.queryInterval;
    this.#sink = sink;
    this.#compatibility = new StateMachine(protocol.name, COMPATIBILITY_TRANSITIONS, 'newest');
  }

  /** Which version is spoken. */
  get mode(): CompatibilityMode {
    return this.#compatibility.state;
  }

  /** The groups the host is a member of. */
  groups(): IpAddress[] {
    return [...this.#all()].filter(({ isMember }) => isMember).map(({ address }) => address);
  }

  /** Whether the host is a member of the group of these words (see {@link IpAddress}). Asked for every packet to a group. */
  isMember(word0: number, word1: number, word2: number, word3: number): boolean {
    const bucket = this.#groups.get(word3);
    if (bucket === undefined) return false;
    for (const group of bucket) {
      const { address } = group;
      if (address.word0 === word0 && address.word1 === word1 && address.word2 === word2) {
        return group.isMember;
      }
    }
    return false;
  }

  /** Joins a group; each join wants its own {@link leave}. Throws `MULTICAST_GROUP_INVALID` or `MULTICAST_GROUPS_FULL`. */
  join(address: IpAddress, now: number): void {
    if (!address.isMulticast || address.family !== this.#protocol.family) {
      throw new NetloomError(
        'MULTICAST_GROUP_INVALID',
        `${address} is not an IPv${this.#protocol.family} multicast address`,
        { remedy: 'Join a group of 224.0.0.0/4 or ff00::/8.' },
      );
    }
    const group = this.#find(address) ?? this.#make(address);
    if (++group.users > 1) return;
    group.machine.take('join', now);
    if (group.isReported) this.#beginChange(group, now);
    this.#deliver();
  }

  /** Takes one join back. False: the host is no member. */
  leave(address: IpAddress, now: number): boolean {
    const group = this.#find(address);
    if (group === undefined || group.users === 0) return false;
    if (--group.users > 0) return true;
    group.machine.take('leave', now);
    this.#timers.clear(group.response);
    group.askedSources.length = 0;
    if (group.isReported && this.mode === 'newest') {
      this.#beginChange(group, now);
    } else {
      // Routers ask after a leave, so only a host that may have been the last to report need send one (RFC 2236, section 3). Version 1 has none.
      if (group.isReported && group.wasLastReporter && this.mode === 'older') {
        this.#outgoing.push(this.#protocol.leave(group.address));
      }
      this.#forget(group, now);
    }
    this.#deliver();
    return true;
  }

  /** Reports all groups anew: the link is up again, or a link-local address has become available (RFC 3590, section 4). */
  announce(now: number): void {
    for (const group of this.#all()) {
      if (group.isMember && group.isReported) this.#beginChange(group, now);
    }
    this.#deliver();
  }

  /** A query has come, and is believed: see the wire's parser for what to check. */
  receiveQuery(query: MembershipQuery, now: number): void {
    const age = this.#protocol.newestVersion - query.version;
    if (age <= 0) this.#adopt(query);
    else if (query.group.isUnspecified) this.#heardOldQuerier(age, query, now);
    if (this.mode === 'newest') this.#askedNewest(query, now);
    else this.#askedOld(query, now);
  }

  /** Another host's report of an old version has come: in an old mode it makes ours superfluous (RFC 2236, section 3). */
  receiveReport(address: IpAddress): void {
    const group = this.#find(address);
    if (this.mode === 'newest' || group === undefined) return;
    this.#timers.clear(group.response);
    this.#timers.clear(group.change);
    group.wasLastReporter = false;
  }

  deadline(): number {
    return this.#timers.deadline();
  }

  advance(now: number): void {
    for (;;) {
      const timer = this.#timers.takeDue(now);
      if (timer === undefined) break;
      timer.elapsed(now);
    }
    this.#deliver();
  }

  *#all(): Generator<Group, void, undefined> {
    for (const bucket of this.#groups.values()) yield* bucket;
  }

  #find({ word0, word1, word2, word3 }: IpAddress): Group | undefined {
    return this.#groups
      .get(word3)
      ?.find(
        ({ address }) =>
          address.word0 === word0 && address.word1 === word1 && address.word2 === word2,
      );
  }

  #make(address: IpAddress): Group {
    if (this.#size >= this.#limits.groups) {
      throw new NetloomError('MULTICAST_GROUPS_FULL', `${this.#size} groups are joined already`, {
        remedy: 'Leave some, or raise the limit `groups`.',
      });
    }
    const { word0, word1, word2, word3, family } = address;
    // A membership is of one interface, so the zone says nothing; and it must not stand in the way of comparisons.
    const plain = family === 4 ? address : IpAddress.v6(word0, word1, word2, word3);
    const group = new Group(
      plain,
      this.#protocol.isReported(plain),
      (due, now) => this.#sendChange(due, now),
      (due) => this.#respond(due),
    );
    const bucket = this.#groups.get(word3);
    if (bucket === undefined) this.#groups.set(word3, [group]);
    else bucket.push(group);
    this.#size++;
    return group;
  }

  #forget(group: Group, now: number): void {
    group.machine.take('told', now);
    this.#timers.clear(group.change);
    this.#timers.clear(group.response);
    const { word3 } = group.address;
    const left = this.#groups.get(word3)?.filter((other) => other !== group) ?? [];
    if (left.length === 0) this.#groups.delete(word3);
    else this.#groups.set(word3, left);
    this.#size--;
  }

  /** Tells routers of joining or leaving: at once, and again at random times as often as robustness asks for (RFC 3376, section 5.1; RFC 2236, section 3). */
  #beginChange(group: Group, now: number): void {
    group.changeReportsLeft = this.#robustness;
    this.#sendChange(group, now);
  }

  #sendChange(group: Group, now: number): void {
    const { unsolicitedReportInterval } = this.#protocol;
    const isNewest = this.mode === 'newest';
    if (isNewest) this.#record(group, changeType(group));
    else this.#reportOld(group);
    if (--group.changeReportsLeft > 0) {
      const interval = isNewest
        ? unsolicitedReportInterval.newest
        : unsolicitedReportInterval.older;
      this.#timers.set(group.change, now + this.#random.float() * interval);
    } else if (!group.isMember) {
      this.#forget(group, now);
    }
  }

  /** Takes over what the querier says of robustness and interval; 0: it says nothing (RFC 3376, sections 4.1.6 and 4.1.7). */
  #adopt({ robustness, queryInterval }: MembershipQuery): void {
    this.#robustness = robustness || this.#limits.robustness;
    this.#queryInterval = queryInterval * 1000 || this.#limits.queryInterval;
  }

  #heardOldQuerier(age: number, { maximumResponseTime }: MembershipQuery, now: number): void {
    const until = now + this.#robustness * this.#queryInterval + maximumResponseTime;
    this.#timers.set(age === 1 ? this.#olderPresent : this.#oldestPresent, until);
    this.#changeMode(age === 1 ? 'older-query' : 'oldest-query', now);
  }

  #olderGone(now: number): void {
    if (this.mode === 'older') this.#changeMode('none-left', now);
  }

  #oldestGone(now: number): void {
    const isOlderPresent = this.#olderPresent.position >= 0;
    this.#changeMode(isOlderPresent ? 'only-older-left' : 'none-left', now);
  }

  /** With another version, what was about to be said is not (RFC 3376, section 7.2.1). */
  #changeMode(event: CompatibilityEvent, now: number): void {
    const before = this.mode;
    if (this.#compatibility.take(event, now) === before) return;
    this.#timers.clear(this.#generalResponse);
    for (const group of this.#all()) {
      this.#timers.clear(group.change);
      this.#timers.clear(group.response);
      group.askedSources.length = 0;
      if (!group.isMember) this.#forget(group, now);
    }
  }

  /** RFC 3376, section 5.2, and RFC 3810, section 6.2: their five rules, in order. */
  #askedNewest(query: MembershipQuery, now: number): void {
    const at = now + this.#random.float() * query.maximumResponseTime;
    if (this.#generalResponse.deadline <= at) return;
    if (query.group.isUnspecified) {
      this.#timers.set(this.#generalResponse, at);
      return;
    }
    const group = this.#find(query.group);
    if (group === undefined || !group.isMember || !group.isReported) return;
    const { response, askedSources } = group;
    const isPending = response.position >= 0;
    if (query.sources.length === 0 || (isPending && askedSources.length === 0)) {
      askedSources.length = 0;
    } else {
      this.#remember(askedSources, query.sources);
    }
    this.#timers.set(response, Math.min(response.deadline, at));
  }

  /** Adds to the sources asked for; with too many, the answer is for the group as such. */
  #remember(asked: IpAddress[], sources: readonly IpAddress[]): void {
    for (const source of sources) {
      if (asked.some((known) => known.equals(source))) continue;
      if (asked.length >= this.#limits.sources) {
        asked.length = 0;
        this.drops.add('too-many-sources');
        return;
      }
      asked.push(source);
    }
  }

  /** RFC 2236, section 3: each group has its own timer, which a query only ever shortens. */
  #askedOld(query: MembershipQuery, now: number): void {
    for (const group of this.#all()) {
      if (!group.isMember || !group.isReported) continue;
      if (!query.group.isUnspecified && !query.group.equals(group.address)) continue;
      const latest = now + query.maximumResponseTime;
      if (group.response.deadline <= latest) continue;
      this.#timers.set(group.response, now + this.#random.float() * query.maximumResponseTime);
    }
  }

  #respond(group: Group): void {
    if (this.mode !== 'newest') {
      this.#reportOld(group);
      return;
    }
    // Of the sources asked for the host wants those that its filter does not exclude: all.
    const sources = group.askedSources.splice(0);
    const isWhole = sources.length === 0;
    const { MODE_IS_EXCLUDE, MODE_IS_INCLUDE } = GroupRecordType;
    this.#record(group, isWhole ? MODE_IS_EXCLUDE : MODE_IS_INCLUDE, sources);
  }

  #reportAll(): void {
    for (const group of this.#all()) {
      if (group.isMember && group.isReported) this.#record(group, GroupRecordType.MODE_IS_EXCLUDE);
    }
  }

  #record(group: Group, type: number, sources: readonly IpAddress[] = []): void {
    this.#records.push({ type, group: group.address, sources });
  }

  #reportOld(group: Group): void {
    group.wasLastReporter = true;
    this.#outgoing.push(this.#protocol.olderReport(group.address, this.mode));
  }

  /** Sends what has gathered: records that fall together share reports. */
  #deliver(): void {
    const { recordsPerReport } = this.#protocol;
    const records = this.#records.splice(0);
    for (const batch of batches(records, recordsPerReport)) {
      this.#outgoing.push(this.#protocol.report(batch));
    }
    for (const { message, destination } of this.#outgoing.splice(0)) {
      this.#sink.send(message, destination);
    }
  }
}

/** What tells of the host's last change. */
function changeType(group: Group): number {
  return group.isMember ? GroupRecordType.CHANGE_TO_EXCLUDE : GroupRecordType.CHANGE_TO_INCLUDE;
}

/** The records in order, at most `size` of them together; one with sources goes alone, as it may fill a report. */
function batches(records: readonly GroupRecord[], size: number): GroupRecord[][] {
  const answer: GroupRecord[][] = [];
  let last: GroupRecord[] | undefined;
  for (const record of records) {
    if (record.sources.length > 0) {
      answer.push([record]);
    } else if (last === undefined || last.length >= size) {
      last = [record];
      answer.push(last);
    } else {
      last.push(record);
    }
  }
  return answer;
}
