import { readUint16, writeUint16, type IpAddress } from '../core/index.ts';
import { finishFrameChecksum } from '../link/index.ts';
import { ETHERNET_HEADER_LENGTH, updateChecksum } from '../wire/index.ts';
import { fragmentPacket } from './fragmentation.ts';
import type { Packet } from './packet.ts';
import type { Path } from './route/path.ts';
import type { IpStack } from './stack.ts';
import type { Translation } from './nat/index.ts';

/** Where the IPv4 header has its fields. */
const V4_FRAGMENT = 6;
const V4_TTL = 8;
const V4_CHECKSUM = 10;
/** Where the IPv6 header has its hop limit. */
const V6_HOP_LIMIT = 7;

/**
 * Passes a packet on towards its destination (RFC 1812, section 5.2.1; RFC 8200): one hop less, at most as large as the next link takes, and its
 * sender is told if it cannot go on. A packet that is translated on its way is judged by where it goes, and quoted in errors as it came.
 */
export function forwardPacket(stack: IpStack, packet: Packet, translation?: Translation): void {
  const { drops } = packet.interface;
  if (packet.source.isLinkLocal || packet.destination.isLinkLocal || packet.source.isUnspecified) {
    drops.add('forward-link-local');
    return;
  }
  if (packet.hopLimit <= 1) {
    drops.add('forward-hop-limit');
    stack.icmp.sendError(packet, 'hop-limit-exceeded');
    return;
  }
  const path = pathOf(stack, translation?.destinationAddress ?? packet.destination);
  if (path === undefined) {
    drops.add('forward-no-route');
    stack.icmp.sendError(packet, 'network-unreachable');
    return;
  }
  // A broadcast into another network would have all of its hosts answer one packet (RFC 2644).
  if (path.neighbour === undefined && path.interface.needsNeighbours) {
    drops.add('forward-directed-broadcast');
    return;
  }
  const size = packetSize(packet);
  if (size <= path.mtu) stack.output.relay(path, copied(packet, translation), packet.offload);
  else if (mayFragment(packet)) sendFragments(stack, path, packet, translation);
  else {
    drops.add('forward-too-big');
    stack.icmp.sendError(packet, 'too-big', path.mtu);
  }
}

function pathOf(stack: IpStack, destination: IpAddress): Path | undefined {
  try {
    return stack.paths.cached(destination, undefined);
  } catch {
    return undefined;
  }
}

/** What has to fit through the next link: one segment, where the packet is yet to be cut into several. */
function packetSize(packet: Packet): number {
  const { offload, transport, start, end, bytes } = packet;
  if (offload === undefined || offload.segmentSize === 0) return end - start;
  const tcpHeader = (bytes[transport + 12]! >>> 4) * 4;
  return transport - start + tcpHeader + offload.segmentSize;
}

/** IPv4 packets without DF may be cut on their way; IPv6 packets never (RFC 8200, section 4.5). What has come in fragments goes so. */
function mayFragment(packet: Packet): boolean {
  const { family, bytes, start, offload } = packet;
  if (packet.isReassembled) return true;
  if (family === 6 || (offload !== undefined && offload.segmentSize > 0)) return false;
  return (readUint16(bytes, start + V4_FRAGMENT) & 0x4000) === 0;
}

/** The packet as it leaves, behind an empty Ethernet header. */
function copied(packet: Packet, translation: Translation | undefined): Uint8Array {
  const frame = lowered(packet);
  translation?.apply(frame, packet);
  return frame;
}

/** A copy of the packet behind an empty Ethernet header, its hop limit lowered. */
function lowered({ family, bytes, start, end }: Packet): Uint8Array {
  const frame = new Uint8Array(ETHERNET_HEADER_LENGTH + end - start);
  frame.set(bytes.subarray(start, end), ETHERNET_HEADER_LENGTH);
  const at = ETHERNET_HEADER_LENGTH;
  if (family === 6) {
    frame[at + V6_HOP_LIMIT]!--;
    return frame;
  }
  const before = readUint16(frame, at + V4_TTL);
  frame[at + V4_TTL]!--;
  const checksum = readUint16(frame, at + V4_CHECKSUM);
  writeUint16(
    frame,
    at + V4_CHECKSUM,
    updateChecksum(checksum, before, readUint16(frame, at + V4_TTL)),
  );
  return frame;
}

function sendFragments(
  stack: IpStack,
  path: Path,
  packet: Packet,
  translation: Translation | undefined,
): void {
  const { output, random } = stack;
  const { link } = path.interface;
  const frame = copied(packet, translation);
  // What the sender left to its link must be whole before it is cut.
  if (!completeChecksum(frame, packet)) {
    packet.interface.drops.add('forward-bad-offload');
    return;
  }
  fragmentPacket(
    frame,
    path.mtu,
    random,
    (length) => link.allocate(length),
    (fragment) => output.transmit(path, fragment, undefined),
  );
}

/** Makes the transport checksum whole that was left to the link. False: what was said of it cannot be, as a place inside the IP header. */
function completeChecksum(frame: Uint8Array, { offload, transport, start }: Packet): boolean {
  if (offload === undefined || offload.checksumStart === 0) return true;
  const isBehindHeader = offload.checksumStart >= ETHERNET_HEADER_LENGTH + transport - start;
  return isBehindHeader && finishFrameChecksum(frame, offload) === undefined;
}
