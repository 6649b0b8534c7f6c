import { writeUint16, writeUint32, type IpAddress } from '../core/index.ts';
import {
  ARP_LENGTH,
  ArpOperation,
  ArpPacket,
  ETHERNET_HEADER_LENGTH,
  EtherType,
  emitArp,
  isFault,
  parseArp,
} from '../wire/index.ts';
import type { Interface } from './interface/interface.ts';

/** Told of each well-formed ARP packet: conflict detection listens (RFC 5227). */
export type ArpListener = (via: Interface, packet: ArpPacket) => void;

/** ARP: answers requests for our addresses, learns from what it hears, and asks (RFC 826; RFC 1122, section 2.3.2). */
export class ArpLayer {
  readonly #received = new ArpPacket();
  readonly #sending = new ArpPacket();
  readonly #listeners = new Set<ArpListener>();

  /** Calls `listener` with each packet; the packet is borrowed. The answer ends that. */
  listen(listener: ArpListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** An ARP packet stands in the frame behind the Ethernet header. */
  receive(via: Interface, frame: Uint8Array, now: number): void {
    const packet = this.#received;
    const fault = parseArp(frame, ETHERNET_HEADER_LENGTH, frame.length, packet);
    if (isFault(fault)) {
      via.drops.add(`arp-${fault}`);
      return;
    }
    // A group address is nobody's own: believing it would send a station's traffic to all.
    if (packet.senderMacHigh & 0x0100) {
      via.drops.add('arp-bad-value');
      return;
    }
    for (const listener of this.#listeners) listener(via, packet);
    const forUs = via.hasV4(packet.targetAddress);
    this.#learn(via, packet, forUs, now);
    // An announcement asks for nothing: who claims our address hears of that from conflict detection (RFC 5227, sections 2.4 and 3).
    const isAnnouncement = packet.senderAddress === packet.targetAddress;
    if (forUs && !isAnnouncement && packet.operation === ArpOperation.REQUEST)
      this.#reply(via, packet);
  }

  /** RFC 826's merge: a known sender is updated; an unknown one is added only if the packet is for us. */
  #learn(via: Interface, packet: ArpPacket, forUs: boolean, now: number): void {
    const { senderAddress } = packet;
    // A probe has no sender; and nobody else has our address.
    if (senderAddress === 0 || via.hasV4(senderAddress)) return;
    const known = via.neighbours.findV4(senderAddress);
    // Most of what is overheard ends here: no object has been made for it.
    if (known === undefined && !forUs) return;
    if (senderAddress >>> 28 === 0xe || via.isBroadcastV4(senderAddress)) return;
    // What is sent to an address of no network of ours goes to a router, so who has it is nothing to keep.
    if (known === undefined && !via.isOnLinkV4(senderAddress)) return;
    const neighbour = known ?? via.neighbours.get(packet.sender, now);
    const isAnswer = packet.operation === ArpOperation.REPLY && forUs && neighbour.isAsked;
    via.neighbours.learn(neighbour, packet.senderMacHigh, packet.senderMacLow, isAnswer, now);
  }

  #reply(via: Interface, request: ArpPacket): void {
    this.#send(
      via,
      ArpOperation.REPLY,
      request.targetAddress,
      request.senderAddress,
      request.senderMacHigh,
      request.senderMacLow,
    );
  }

  /** Asks who has `target`: everybody, or one station that is to confirm what it said before. */
  request(
    via: Interface,
    sender: IpAddress,
    target: IpAddress,
    macHigh = 0xffff,
    macLow = -1,
  ): void {
    this.#send(via, ArpOperation.REQUEST, sender.word3, target.word3, macHigh, macLow);
  }

  #send(
    via: Interface,
    operation: number,
    sender: number,
    target: number,
    macHigh: number,
    macLow: number,
  ): void {
    const packet = this.#sending;
    const toAll = macHigh === 0xffff;
    packet.operation = operation;
    packet.senderMacHigh = via.mac.high;
    packet.senderMacLow = via.mac.low;
    packet.senderAddress = sender;
    packet.targetMacHigh = toAll ? 0 : macHigh;
    packet.targetMacLow = toAll ? 0 : macLow;
    packet.targetAddress = target;
    const frame = via.link.allocate(ETHERNET_HEADER_LENGTH + ARP_LENGTH);
    writeUint16(frame, 0, macHigh);
    writeUint32(frame, 2, macLow);
    writeUint16(frame, 6, via.mac.high);
    writeUint32(frame, 8, via.mac.low);
    writeUint16(frame, 12, EtherType.ARP);
    emitArp(packet, frame, ETHERNET_HEADER_LENGTH);
    via.link.transmit(frame);
  }
}
