import { IpAddress, NetloomError, type Counters, type Random } from '../core/index.ts';
import {
  IPV6_ALL_NODES,
  IpProtocol,
  emitIgmp,
  emitMld,
  finishIcmpv6,
  igmpLength,
  isFault,
  mldLength,
  parseIgmp,
  parseMld,
  solicitedNodeGroup,
  type IgmpMessage,
  type MldMessage,
} from '../wire/index.ts';
import type { Interface } from './interface/interface.ts';
import { GroupMembership, IGMP, MLD, type MembershipLimits } from './multicast/index.ts';
import type { IpOutput, PacketOptions } from './output.ts';
import type { Packet } from './packet.ts';
import type { Path } from './route/path.ts';

/** What multicast needs of the stack around it. */
export interface MulticastEnvironment {
  readonly output: IpOutput;
  readonly random: Random;
  readonly limits: Partial<MembershipLimits> | undefined;
  readonly drops: Counters;
  readonly interfaces: readonly Interface[];
  now(): number;
  /** A membership's timer may have moved. */
  timersChanged(): void;
  linkPath(via: Interface, source: IpAddress, destination: IpAddress): Path;
}

/** The groups of one interface, of both families. */
interface Memberships {
  readonly v4: GroupMembership<IgmpMessage>;
  readonly v6: GroupMembership<MldMessage>;
}

/** All nodes of a link, which every host is a member of (RFC 1112, section 7.2; RFC 4291, section 2.8). */
const ALL_HOSTS_V4 = IpAddress.parse('224.0.0.1');

/** Reports stay on the link and ask every router to look at them (RFC 3376, section 4; RFC 3810, section 5). */
const REPORT: PacketOptions = { hopLimit: 1, routerAlert: true };

/** Multicast: the groups joined on each interface, and IGMP and MLD to tell routers of them. */
export class MulticastLayer {
  readonly #environment: MulticastEnvironment;
  readonly #memberships = new Map<Interface, Memberships>();

  constructor(environment: MulticastEnvironment) {
    this.#environment = environment;
  }

  /** Makes the interface a member of what every node is a member of. */
  addInterface(via: Interface): void {
    const { random, limits, now } = this.#environment;
    const memberships: Memberships = {
      v4: new GroupMembership(
        IGMP,
        { random, limits },
        {
          send: (message, destination) => this.#sendIgmp(via, message, destination),
        },
      ),
      v6: new GroupMembership(
        MLD,
        { random, limits },
        {
          send: (message, destination) => this.#sendMld(via, message, destination),
        },
      ),
    };
    this.#memberships.set(via, memberships);
    memberships.v4.join(ALL_HOSTS_V4, now());
    memberships.v6.join(IPV6_ALL_NODES, now());
  }

  /** Leaves all groups of the interface, which is about to go. */
  removeInterface(via: Interface): void {
    const memberships = this.#memberships.get(via);
    if (memberships === undefined) return;
    const now = this.#environment.now();
    for (const family of [memberships.v4, memberships.v6]) {
      // Each join has a leave of its own.
      for (const group of family.groups()) while (family.leave(group, now));
    }
    this.#memberships.delete(via);
  }

  /** The interface is up again: routers are told of its groups. */
  announce(via: Interface): void {
    const now = this.#environment.now();
    this.#memberships.get(via)?.v4.announce(now);
    this.#memberships.get(via)?.v6.announce(now);
    this.#environment.timersChanged();
  }

  /** Joins a group on the interface that has the address `on`, or on the first that is up. Answers which that is: it is where the group is left. */
  join(group: IpAddress, on: IpAddress | undefined): Interface {
    const via = this.#interfaceFor(group, on);
    this.joinOn(via, group);
    return via;
  }

  joinOn(via: Interface, group: IpAddress): void {
    this.#of(via, group)?.join(group, this.#environment.now());
    this.#environment.timersChanged();
  }

  leaveOn(via: Interface, group: IpAddress): void {
    this.#of(via, group)?.leave(group, this.#environment.now());
    this.#environment.timersChanged();
  }

  /** Every IPv6 address is asked for by its solicited-node group (RFC 4291, section 2.7.1). */
  joinSolicitedNode(via: Interface, address: IpAddress): void {
    this.joinOn(via, withoutZone(solicitedNodeGroup(address)));
    // Reports sent before there was a link-local address had no valid source (RFC 3590, section 4).
    if (address.isLinkLocal) this.#memberships.get(via)?.v6.announce(this.#environment.now());
  }

  leaveSolicitedNode(via: Interface, address: IpAddress): void {
    this.leaveOn(via, withoutZone(solicitedNodeGroup(address)));
  }

  /** Whether the packet's destination is a group joined on the interface. */
  isMember(via: Interface, packet: Packet): boolean {
    const { destination0, destination1, destination2, destination3 } = packet;
    const memberships = this.#memberships.get(via);
    const own = packet.family === 4 ? memberships?.v4 : memberships?.v6;
    return own?.isMember(destination0, destination1, destination2, destination3) ?? false;
  }

  /** An IGMP packet has come. */
  receiveIgmp(packet: Packet): void {
    const { drops, now } = this.#environment;
    const message = parseIgmp(packet.bytes, packet.transport, packet.end);
    const membership = this.#memberships.get(packet.interface)?.v4;
    if (isFault(message)) drops.add(`igmp-${message}`);
    else if (packet.hopLimit !== 1) drops.add('igmp-not-from-link');
    else if (message.kind === 'query') membership?.receiveQuery(message, now());
    else if (message.kind === 'report') membership?.receiveReport(message.group);
    this.#environment.timersChanged();
  }

  /** An MLD packet has come; its checksum has been checked. */
  receiveMld(packet: Packet): void {
    const { drops, now } = this.#environment;
    const message = parseMld(packet.bytes, packet.transport, packet.end);
    const membership = this.#memberships.get(packet.interface)?.v6;
    if (isFault(message)) drops.add(`mld-${message}`);
    else if (packet.hopLimit !== 1 || !packet.source.isLinkLocal) drops.add('mld-not-from-link');
    else if (message.kind === 'query') membership?.receiveQuery(message, now());
    else if (message.kind === 'report') membership?.receiveReport(message.group);
    this.#environment.timersChanged();
  }

  deadline(): number {
    let deadline = Infinity;
    for (const { v4, v6 } of this.#memberships.values()) {
      deadline = Math.min(deadline, v4.deadline(), v6.deadline());
    }
    return deadline;
  }

  advance(now: number): void {
    for (const { v4, v6 } of this.#memberships.values()) {
      v4.advance(now);
      v6.advance(now);
    }
  }

  #of(
    via: Interface,
    group: IpAddress,
  ): GroupMembership<IgmpMessage> | GroupMembership<MldMessage> | undefined {
    const memberships = this.#memberships.get(via);
    return group.family === 4 ? memberships?.v4 : memberships?.v6;
  }

  #interfaceFor(group: IpAddress, on: IpAddress | undefined): Interface {
    const { interfaces } = this.#environment;
    const found =
      on === undefined
        ? interfaces.find(({ isUp, needsNeighbours }) => isUp && needsNeighbours)
        : interfaces.find((via) => via.find(on) !== undefined);
    if (found !== undefined) return found;
    throw new NetloomError(
      'ADDRESS_NOT_AVAILABLE',
      `no interface to join ${group} on${on === undefined ? '' : ` has the address ${on}`}`,
      { remedy: 'Name an address of one of the interfaces.' },
    );
  }

  #sendIgmp(via: Interface, message: IgmpMessage, destination: IpAddress): void {
    const { output, linkPath } = this.#environment;
    const source = via.usable(4)[0]?.cidr.address ?? IpAddress.ANY4;
    const length = igmpLength(message);
    const path = linkPath(via, source, destination);
    if (!output.open(path, IpProtocol.IGMP, length, false, REPORT)) return;
    emitIgmp(message, output.bytes, output.at);
    output.send(undefined);
  }

  #sendMld(via: Interface, message: MldMessage, destination: IpAddress): void {
    const { output, linkPath } = this.#environment;
    // Without a link-local address a report comes from :: (RFC 3810, section 5.2.13).
    const source = via.linkLocal ?? IpAddress.ANY6;
    const length = mldLength(message);
    const path = linkPath(via, source, destination);
    if (!output.open(path, IpProtocol.ICMPV6, length, false, REPORT)) return;
    const { bytes, at } = output;
    emitMld(message, bytes, at);
    finishIcmpv6(bytes, at, at + length, output.pseudoHeaderSum(IpProtocol.ICMPV6, length));
    output.send(undefined);
  }
}

function withoutZone({ word0, word1, word2, word3 }: IpAddress): IpAddress {
  return IpAddress.v6(word0, word1, word2, word3);
}
