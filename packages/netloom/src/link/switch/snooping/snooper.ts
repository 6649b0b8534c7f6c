import {
  Counters,
  EngineTimer,
  type Clock,
  type IpAddress,
  type Random,
} from '../../../core/index.ts';
import type { Passage } from '../passage.ts';
import { GroupTable, type Group, type GroupTableLimits } from './group-table.ts';
import { isLinkGroup, MulticastPacket, type GroupMessage } from './multicast-packet.ts';
import { completeSnooping, type MulticastPortSettings, type SnoopingSettings } from './settings.ts';

/** A port, as far as groups are concerned. */
export interface SnoopedPort {
  readonly settings: { readonly multicast: MulticastPortSettings };
}

/** A querier waits twice for an answer before it believes that there is none (RFC 3376, sections 8.1 and 8.9). */
const ROBUSTNESS = 2;

/** What is known of one family's groups in one VLAN. */
class SnoopedVlan<Port> {
  /** While a querier is heard, members make themselves known; from then on, so that those have had the time to, until then. */
  restrictsFrom = Infinity;
  restrictsUntil = -Infinity;
  /** Where the last query came from: whether or not a router sent it, whoever did is to hear the answers. */
  querier: Port | undefined;
  /** Ports behind which routers have been heard, until when that counts. */
  readonly routers = new Map<Port, number>();

  /** Whether a frame goes only where it is wanted. */
  isRestricting(now: number): boolean {
    return now >= this.restrictsFrom && now < this.restrictsUntil;
  }

  hasRouter(port: Port, now: number): boolean {
    const until = this.routers.get(port);
    return until !== undefined && now < until;
  }
}

/** Where a frame to a group goes, among the ports of its VLAN. Valid until the next is asked for. */
export interface MulticastTargets<Port> {
  includes(port: Port): boolean;
}

/**
 * Listens to what members and routers say (IGMP for IPv4, MLD for IPv6), so that frames to a group go only where somebody wants them (RFC 4541).
 *
 * As long as no querier is heard in a VLAN, members have no occasion to make themselves known: then all goes everywhere there.
 */
export class Snooper<Port extends SnoopedPort> implements MulticastTargets<Port> {
  /** Messages that were not understood (`invalid`), and memberships there was no room for (`group-limit`). */
  readonly refusals: Counters = new Counters();
  readonly #settings: Required<SnoopingSettings>;
  readonly #groups: GroupTable<Port>;
  readonly #timer: EngineTimer;
  readonly #packet = new MulticastPacket();
  /** By VLAN, and in each IPv4 and IPv6. */
  readonly #vlans = new Map<number, SnoopedVlan<Port>>();
  /** What {@link includes} is asked about. */
  #vlan!: SnoopedVlan<Port>;
  #group: Group<Port> | undefined;
  #querier: Port | undefined;
  #now = 0;

  /** Throws `SWITCH_SETTING_INVALID`. */
  constructor(clock: Clock, random: Random, settings: SnoopingSettings, limits: GroupTableLimits) {
    this.#settings = completeSnooping(settings);
    this.#groups = new GroupTable(random.fill(new Uint8Array(8)), limits);
    this.#timer = new EngineTimer(clock, this.#groups);
  }

  /** Takes note of what a frame to a group says, and answers where it goes; undefined: everywhere. */
  targetsOf(passage: Passage, from: Port, now: number): MulticastTargets<Port> | undefined {
    const packet = this.#packet;
    if (!packet.read(passage)) return undefined;
    const vlan = this.#vlanOf(passage.vlan, packet.family);
    const message = packet.message(passage);
    if (message === 'invalid') {
      this.refusals.add('invalid');
    } else if (message !== undefined) {
      this.#note(message, vlan, passage.vlan, from, now);
      // A member that heard another's report might keep its own to itself (RFC 4541, section 2.1.1, (1)).
      if (message.kind !== 'report' || !vlan.isRestricting(now)) return undefined;
      return this.#targets(vlan, undefined, vlan.querier, now);
    }
    if (packet.isLinkGroup || !vlan.isRestricting(now)) return undefined;
    const { word0, word1, word2, word3 } = packet;
    const group = this.#groups.find(passage.vlan, word0, word1, word2, word3);
    if (group === undefined && this.#settings.unknownGroups === 'flood') return undefined;
    return this.#targets(vlan, group, undefined, now);
  }

  includes(port: Port): boolean {
    if (port === this.#querier || this.#group?.members.has(port) === true) return true;
    return port.settings.multicast.router ?? this.#vlan.hasRouter(port, this.#now);
  }

  #targets(
    vlan: SnoopedVlan<Port>,
    group: Group<Port> | undefined,
    querier: Port | undefined,
    now: number,
  ): this {
    this.#vlan = vlan;
    this.#group = group;
    this.#querier = querier;
    this.#now = now;
    return this;
  }

  #note(
    message: GroupMessage,
    vlan: SnoopedVlan<Port>,
    vlanNumber: number,
    from: Port,
    now: number,
  ): void {
    switch (message.kind) {
      case 'router':
        vlan.routers.set(from, now + this.#settings.querierTime);
        return;
      case 'query':
        vlan.querier = from;
        if (message.fromRouter) vlan.routers.set(from, now + this.#settings.querierTime);
        if (message.group === undefined) this.#noteQuerier(vlan, message.maximumResponseTime, now);
        else if (!message.leavesTimers) {
          this.#noteLastCall(
            vlanNumber,
            message.group,
            now + ROBUSTNESS * message.maximumResponseTime,
          );
        }
        return;
      case 'report':
        for (const { group, joins } of message.changes) {
          if (isLinkGroup(group.family, group.word0, group.word3)) continue;
          if (joins) this.#join(vlanNumber, group, from, now);
          else this.#leave(vlanNumber, group, from);
        }
        this.#timer.update();
    }
  }

  #noteQuerier(vlan: SnoopedVlan<Port>, responseTime: number, now: number): void {
    if (now >= vlan.restrictsUntil) vlan.restrictsFrom = now + responseTime;
    vlan.restrictsUntil = now + this.#settings.querierTime;
  }

  /** Whoever wants to stay in the group has to say so by then (RFC 3376, section 6.6.1). */
  #noteLastCall(vlan: number, address: IpAddress, deadline: number): void {
    const group = this.#groups.get(vlan, address);
    if (group === undefined) return;
    this.#groups.shorten(group, deadline);
    this.#timer.update();
  }

  #join(vlan: number, group: IpAddress, port: Port, now: number): void {
    const deadline = now + this.#settings.membershipTime;
    if (!this.#groups.join(vlan, group, port, deadline)) this.refusals.add('group-limit');
  }

  /** Where more than one may be behind the port, nothing comes of it yet: the querier asks whether somebody stays, and is heard doing so. */
  #leave(vlan: number, address: IpAddress, port: Port): void {
    if (port.settings.multicast.immediateLeave !== true) return;
    const member = this.#groups.get(vlan, address)?.members.get(port);
    if (member !== undefined) this.#groups.leave(member);
  }

  /** The topology has changed, or the port: what was heard there may not be true. All goes everywhere until members have been asked again. */
  forget(port: Port): void {
    this.#groups.leaveAll(port);
    this.#timer.update();
    for (const vlan of this.#vlans.values()) {
      vlan.routers.delete(port);
      vlan.restrictsUntil = -Infinity;
    }
  }

  /** Takes a port out that is gone; all others stay as they are. */
  remove(port: Port): void {
    this.#groups.leaveAll(port);
    this.#timer.update();
    for (const vlan of this.#vlans.values()) {
      vlan.routers.delete(port);
      if (vlan.querier === port) vlan.querier = undefined;
    }
  }

  /** The groups that somebody wants to hear, and the ports that do. */
  groups(): { vlan: number; group: IpAddress; ports: Port[] }[] {
    return [...this.#groups.values()].map(({ vlan, address, members }) => ({
      vlan,
      group: address,
      ports: [...members.keys()],
    }));
  }

  /** The ports behind which multicast routers are heard. */
  routers(now: number): { vlan: number; family: 4 | 6; port: Port }[] {
    return [...this.#vlans].flatMap(([key, state]) =>
      [...state.routers.keys()]
        .filter((port) => state.hasRouter(port, now))
        .map((port) => ({
          vlan: key >>> 1,
          family: (key & 1) === 0 ? (4 as const) : (6 as const),
          port,
        })),
    );
  }

  #vlanOf(vlan: number, family: 4 | 6): SnoopedVlan<Port> {
    const key = (vlan << 1) | (family === 4 ? 0 : 1);
    let state = this.#vlans.get(key);
    if (state === undefined) this.#vlans.set(key, (state = new SnoopedVlan()));
    return state;
  }
}
