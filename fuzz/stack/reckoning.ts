/** What is known of a stack at one moment, as a number: two that differ tell that something has left a trace. */
import { readUint16 } from 'netloom/core';
import type { IpStack } from 'netloom/ip';
import { EtherType, IpProtocol } from 'netloom/wire';

/** Takes in one value after the other. */
class Digest {
  value = 0;

  add(...numbers: readonly number[]): void {
    for (const number of numbers) {
      this.value = Math.imul(this.value ^ (number | 0) ^ (number / 0x1_0000_0000), 0x9e37_79b1);
      this.value ^= this.value >>> 15;
    }
  }
}

/** Frames that the stack's links have handed to it. */
export function framesReceived({ interfaces }: IpStack): number {
  return interfaces.reduce((sum, { link }) => sum + link.statistics.receivedFrames, 0);
}

/** Everything that is counted, and what the tables hold. */
export function reckon(stack: IpStack): number {
  const digest = new Digest();
  for (const { link, drops, neighbours, addresses, mtu, hopLimit } of stack.interfaces) {
    const { sentFrames } = link.statistics;
    digest.add(sentFrames, link.statistics.drops.total(), drops.total());
    digest.add(addresses.length, mtu, hopLimit);
    for (const neighbour of neighbours.entries()) {
      const { macHigh, macLow, deadline, state, isResolved, isRouter, waiting } = neighbour;
      digest.add(macHigh, macLow, deadline, state.length, waiting.length);
      digest.add(isResolved ? 1 : 0, isRouter ? 1 : 0);
    }
  }
  const { fragments, pathMtus, routes, multicast, autoconfiguration, icmp, udp, drops } = stack;
  digest.add(fragments.bytes, fragments.size, fragments.reassembled, fragments.drops.total());
  digest.add(pathMtus.size, pathMtus.deadline(), pathMtus.drops.total(), routes.size);
  digest.add(multicast.deadline(), autoconfiguration.deadline());
  digest.add(icmp.drops.total(), udp.drops.total(), drops.total());
  addTcp(digest, stack);
  return digest.value;
}

function addTcp(digest: Digest, { tcp }: IpStack): void {
  const { drops, opened, accepted, failed, resetsSent } = tcp.statistics;
  digest.add(drops.total(), opened, accepted, failed, resetsSent);
  digest.add(tcp.flows.size, tcp.timeWaits.size, tcp.deadline());
  for (const { sender, receiver, heardAt, deadline, state } of tcp.openConnections()) {
    digest.add(sender.unacknowledged, sender.next, sender.window, heardAt, deadline);
    digest.add(receiver.next, receiver.queued, receiver.reassembly.length, state.length);
  }
}

/** Protocols whose packets may be in order and have nothing new to say: what has been acknowledged, advertised or reported before. */
const MAY_SAY_NOTHING_NEW: readonly number[] = [IpProtocol.TCP, IpProtocol.ICMPV6, IpProtocol.IGMP];

/** Whether a frame can be taken without leaving a trace. ARP can, since every station overhears it; and so can fragments of what may. */
export function mayLeaveNoTrace(frame: Uint8Array): boolean {
  const type = readUint16(frame, 12);
  if (type === EtherType.ARP) return true;
  const protocol = type === EtherType.IPV4 ? frame[23]! : frame[20]!;
  return MAY_SAY_NOTHING_NEW.includes(protocol) || isExtension(type, protocol);
}

function isExtension(type: number, protocol: number): boolean {
  return type === EtherType.IPV6 && protocol === IpProtocol.HOP_BY_HOP;
}
