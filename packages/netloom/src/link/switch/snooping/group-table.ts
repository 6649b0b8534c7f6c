import {
  BucketChains,
  HalfSipHash,
  NOT_QUEUED,
  TimerQueue,
  type Chained,
  type Engine,
  type IpAddress,
  type TimerEntry,
} from '../../../core/index.ts';

/** A group in a VLAN, and the ports that want to hear it. */
export class Group<Port> implements Chained<Group<Port>> {
  readonly vlan: number;
  readonly address: IpAddress;
  readonly members: Map<Port, Membership<Port>> = new Map();
  nextInBucket: Group<Port> | undefined;

  constructor(vlan: number, address: IpAddress) {
    this.vlan = vlan;
    this.address = address;
  }
}

/** That a port wants to hear a group, until the deadline. */
export class Membership<Port> implements TimerEntry {
  readonly group: Group<Port>;
  readonly port: Port;
  deadline: number = NOT_QUEUED.deadline;
  position: number = NOT_QUEUED.position;
  order: number = NOT_QUEUED.order;

  constructor(group: Group<Port>, port: Port) {
    this.group = group;
    this.port = port;
  }
}

/** What a {@link GroupTable} is held to. */
export interface GroupTableLimits {
  readonly groups: number;
  /** Groups that one port is a member of, in all VLANs. */
  readonly groupsPerPort: number;
}

/** Which ports want to hear which groups: by VLAN and IP address, since several groups share one MAC address. */
export class GroupTable<Port> implements Engine {
  readonly #limits: GroupTableLimits;
  readonly #hash: HalfSipHash;
  readonly #words = new Int32Array(5);
  readonly #groups = new BucketChains<Group<Port>>();
  readonly #deadlines = new TimerQueue<Membership<Port>>();
  readonly #counts = new Map<Port, number>();

  /** `key`: 8 random bytes, so that nobody can choose groups that collide. */
  constructor(key: Uint8Array, limits: GroupTableLimits) {
    this.#hash = new HalfSipHash(key);
    this.#limits = limits;
  }

  /** All groups; the one that was given last may be removed meanwhile. */
  values(): Iterable<Group<Port>> {
    return this.#groups.values();
  }

  /** The group of an address in words, as an `IpAddress` has them. */
  find(
    vlan: number,
    word0: number,
    word1: number,
    word2: number,
    word3: number,
  ): Group<Port> | undefined {
    let group = this.#groups.first(this.#hashOf(vlan, word0, word1, word2, word3));
    while (
      group !== undefined &&
      !(
        group.vlan === vlan &&
        group.address.word3 === word3 &&
        group.address.word2 === word2 &&
        group.address.word1 === word1 &&
        group.address.word0 === word0
      )
    ) {
      group = group.nextInBucket;
    }
    return group;
  }

  get(vlan: number, { word0, word1, word2, word3 }: IpAddress): Group<Port> | undefined {
    return this.find(vlan, word0, word1, word2, word3);
  }

  /** A port wants to hear a group until `deadline`. False: there is no room for another. */
  join(vlan: number, address: IpAddress, port: Port, deadline: number): boolean {
    const group = this.get(vlan, address) ?? new Group<Port>(vlan, address);
    let member = group.members.get(port);
    if (member === undefined) {
      const count = this.#counts.get(port) ?? 0;
      const isNew = group.members.size === 0;
      if (count >= this.#limits.groupsPerPort) return false;
      if (isNew && this.#groups.size >= this.#limits.groups) return false;
      if (isNew) this.#groups.add(this.#hashOfGroup(group), group);
      member = new Membership(group, port);
      group.members.set(port, member);
      this.#counts.set(port, count + 1);
    }
    this.#deadlines.set(member, deadline);
    return true;
  }

  /** Takes a port out of a group. */
  leave(member: Membership<Port>): void {
    const { group, port } = member;
    this.#deadlines.clear(member);
    group.members.delete(port);
    if (group.members.size === 0) this.#groups.remove(this.#hashOfGroup(group), group);
    const count = this.#counts.get(port)! - 1;
    if (count === 0) this.#counts.delete(port);
    else this.#counts.set(port, count);
  }

  /** Has all members of a group leave at `deadline`, unless they are heard of before. */
  shorten(group: Group<Port>, deadline: number): void {
    for (const member of group.members.values()) {
      if (member.deadline > deadline) this.#deadlines.set(member, deadline);
    }
  }

  /** Takes a port out of all groups. */
  leaveAll(port: Port): void {
    for (const group of this.#groups.values()) {
      const member = group.members.get(port);
      if (member !== undefined) this.leave(member);
    }
  }

  deadline(): number {
    return this.#deadlines.deadline();
  }

  advance(now: number): void {
    for (;;) {
      const member = this.#deadlines.takeDue(now);
      if (member === undefined) return;
      this.leave(member);
    }
  }

  #hashOfGroup({ vlan, address }: Group<Port>): number {
    return this.#hashOf(vlan, address.word0, address.word1, address.word2, address.word3);
  }

  #hashOf(vlan: number, word0: number, word1: number, word2: number, word3: number): number {
    const words = this.#words;
    words[0] = vlan;
    words[1] = word0;
    words[2] = word1;
    words[3] = word2;
    words[4] = word3;
    return this.#hash.hash(words);
  }
}
