/**
 * Who may say whose address is whose. ARP and neighbour discovery are believed by whoever hears them (RFC 826; RFC 4861, section 11.1), so that one station can
 * take another's traffic, the gateway's first. A switch that has been told where an address is lets nobody else claim it; what is sold as dynamic ARP
 * inspection and ND inspection (RFC 6620, section 1, and RFC 7513 have the same aim).
 */
import { IpAddress } from '../../core/index.ts';
import {
  ArpPacket,
  EtherType,
  IPV6_HEADER_LENGTH,
  Icmpv6Type,
  IpProtocol,
  Ipv6Chain,
  Ipv6Header,
  isNdpType,
  parseArp,
  parseIpv6,
  walkIpv6,
} from '../../wire/index.ts';
import type { Passage } from './passage.ts';

/** Where the target's address begins in a neighbour advertisement (RFC 4861, section 4.4), and its length. */
const TARGET = 8;
const ADDRESS_LENGTH = 16;

/** The addresses that a switch knows the ports of. */
export class AddressGuard<Port> {
  readonly #limit: number;
  readonly #ports = new Map<string, Port>();
  readonly #arp = new ArpPacket();
  readonly #ipv6 = new Ipv6Header();
  readonly #chain = new Ipv6Chain();

  /** @param limit how many addresses */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Says where an address is, in place of what was said before. False: there is no room. */
  add(vlan: number, address: IpAddress, port: Port): boolean {
    const key = keyOf(vlan, address);
    if (!this.#ports.has(key) && this.#ports.size >= this.#limit) return false;
    this.#ports.set(key, port);
    return true;
  }

  /** Anybody may have the address. False: it was not known. */
  remove(vlan: number, address: IpAddress): boolean {
    return this.#ports.delete(keyOf(vlan, address));
  }

  /** Forgets what was said of a port, which is gone. */
  forget(port: Port): void {
    for (const [key, other] of this.#ports) if (other === port) this.#ports.delete(key);
  }

  /** Whether a frame that came by a port claims an address that is behind another. */
  isClaimedElsewhere(passage: Passage, port: Port): boolean {
    if (this.#ports.size === 0) return false;
    if (passage.type === EtherType.ARP) return this.#isArpClaim(passage, port);
    return passage.type === EtherType.IPV6 && this.#isNdpClaim(passage, port);
  }

  #isArpClaim({ frame, payload, vlan }: Passage, port: Port): boolean {
    const packet = this.#arp;
    if (parseArp(frame, payload, frame.length, packet) !== packet) return false;
    return this.#isElsewhere(vlan, packet.sender, port);
  }

  /** Hosts learn from the source of a solicitation and an advertisement of routers, and from the target of a neighbour advertisement. */
  #isNdpClaim({ frame, payload, vlan }: Passage, port: Port): boolean {
    const header = this.#ipv6;
    const chain = this.#chain;
    if (parseIpv6(frame, payload, frame.length, header) !== header) return false;
    // Most of what passes, and not worth a walk.
    if (header.nextHeader === IpProtocol.TCP || header.nextHeader === IpProtocol.UDP) return false;
    const end = payload + IPV6_HEADER_LENGTH + header.payloadLength;
    if (walkIpv6(frame, payload, end, header, chain) !== chain) return false;
    // No host believes neighbour discovery that comes in fragments (RFC 6980, section 5).
    if (chain.protocol !== IpProtocol.ICMPV6 || chain.fragment >= 0) return false;
    const type = frame[chain.transport] ?? 0;
    if (!isNdpType(type)) return false;
    if (this.#isElsewhere(vlan, IpAddress.readV6(frame, payload + TARGET), port)) return true;
    const target = chain.transport + TARGET;
    if (type !== Icmpv6Type.NEIGHBOUR_ADVERTISEMENT || target + ADDRESS_LENGTH > end) return false;
    return this.#isElsewhere(vlan, IpAddress.readV6(frame, target), port);
  }

  #isElsewhere(vlan: number, address: IpAddress, port: Port): boolean {
    const known = this.#ports.get(keyOf(vlan, address));
    return known !== undefined && known !== port;
  }
}

/** Zones do not count: all is of one link. */
function keyOf(vlan: number, { family, word0, word1, word2, word3 }: IpAddress): string {
  return `${vlan} ${family} ${word0} ${word1} ${word2} ${word3}`;
}
