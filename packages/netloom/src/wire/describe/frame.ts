import { ArpOperation, type ArpPacket, parseArp } from '../arp.ts';
import {
  EtherType,
  ETHERNET_HEADER_LENGTH,
  LOWEST_ETHER_TYPE,
  parseEthernet,
} from '../ethernet.ts';
import { isBpduFrame } from '../bpdu.ts';
import { isFault } from '../fault.ts';
import { isVlanType, parseVlan, VLAN_TAG_LENGTH } from '../vlan.ts';
import { describeBpdu } from './bpdu.ts';
import { describeIpv4, describeIpv6 } from './ip.ts';
import { hex, words } from './names.ts';

/** How a frame is described. */
export interface DescribeOptions {
  /** Begins the line with the Ethernet addresses. Default: only where nothing above them is known. */
  readonly addresses?: boolean;
}

/** Tags in tags beyond this are not followed. */
const MAX_VLAN_TAGS = 4;

/** Names of what is seen but not read (IANA "IEEE 802 Numbers"). */
const ETHER_TYPES: Readonly<Record<number, string>> = {
  0x0842: 'Wake-on-LAN',
  0x8035: 'RARP',
  0x8137: 'IPX',
  0x8847: 'MPLS',
  0x8863: 'PPPoE discovery',
  0x8864: 'PPPoE session',
  0x888e: 'EAPOL',
  0x88cc: 'LLDP',
  0x88e5: 'MACsec',
  0x88f7: 'PTP',
};

/**
 * One line on an Ethernet frame, for a reader, in the manner of tcpdump. Total: any bytes have a description, and what
 * is wrong with them is said in parentheses under its `WireFault`.
 */
export function describeFrame(frame: Uint8Array, options: DescribeOptions = {}): string {
  const ethernet = parseEthernet(frame, 0, frame.length);
  if (isFault(ethernet)) return `frame of ${frame.length} bytes (${ethernet})`;
  let at = ETHERNET_HEADER_LENGTH;
  let { type } = ethernet;
  const tags: string[] = [];
  while (isVlanType(type) && tags.length < MAX_VLAN_TAGS) {
    const tag = parseVlan(frame, at, frame.length);
    if (isFault(tag)) return words(...tags, `VLAN tag (${tag})`);
    tags.push(
      words(
        `vlan ${tag.identifier}`,
        tag.priority > 0 && `priority ${tag.priority}`,
        tag.dropEligible && 'drop-eligible',
      ),
    );
    type = tag.type;
    at += VLAN_TAG_LENGTH;
  }
  const known = describeKnown(frame, type, at);
  const addresses = `${ethernet.source} > ${ethernet.destination}`;
  const showAddresses = options.addresses ?? known === undefined;
  return words(
    showAddresses && addresses,
    ...tags,
    known ?? describeUnknown(type, frame.length - at),
  );
}

/** One line on an IPv4 or IPv6 packet without a frame around it. Total. */
export function describePacket(packet: Uint8Array): string {
  const version = packet.length > 0 ? packet[0]! >>> 4 : 0;
  if (version === 4) return describeIpv4(packet, 0, packet.length);
  if (version === 6) return describeIpv6(packet, 0, packet.length);
  return `packet of ${packet.length} bytes (bad-version)`;
}

function describeKnown(frame: Uint8Array, type: number, at: number): string | undefined {
  switch (type) {
    case EtherType.IPV4:
      return describeIpv4(frame, at, frame.length);
    case EtherType.IPV6:
      return describeIpv6(frame, at, frame.length);
    case EtherType.ARP:
      return describeArp(frame, at);
    default:
      return at === ETHERNET_HEADER_LENGTH && isBpduFrame(frame) ? describeBpdu(frame) : undefined;
  }
}

function describeUnknown(type: number, length: number): string {
  const name =
    type < LOWEST_ETHER_TYPE ? '802.3' : (ETHER_TYPES[type] ?? `EtherType ${hex(type, 4)}`);
  return `${name} len=${length}`;
}

function describeArp(frame: Uint8Array, at: number): string {
  const arp = parseArp(frame, at, frame.length);
  if (isFault(arp)) return `ARP (${arp})`;
  if (arp.operation === ArpOperation.REQUEST) return describeArpRequest(arp);
  if (arp.operation === ArpOperation.REPLY) {
    const told = `ARP ${arp.sender} is at ${arp.senderMac}`;
    return arp.senderAddress === arp.targetAddress ? `${told} (announcement)` : told;
  }
  return `ARP operation ${arp.operation}`;
}

/** RFC 5227, section 1.1: no sender is a probe, the sender itself an announcement. */
function describeArpRequest(arp: ArpPacket): string {
  if (arp.senderAddress === 0) return `ARP who has ${arp.target}? (probe by ${arp.senderMac})`;
  if (arp.senderAddress === arp.targetAddress) {
    return `ARP ${arp.sender} is at ${arp.senderMac} (announcement)`;
  }
  return `ARP who has ${arp.target}? tell ${arp.sender} at ${arp.senderMac}`;
}
