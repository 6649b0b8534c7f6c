import { EtherType } from '../ethernet.ts';
import { LinkType } from '../capture-file.ts';
import { CUT_OFF, NO, YES, load16, load8, type Test } from './verdict.ts';

/** Where a frame says what it carries, and where that begins: of a plain frame, or of what is in a VLAN tag. */
export interface LinkLayer {
  /** Whether there is an Ethernet header. */
  readonly isEthernet: boolean;
  /** Where the IP header (or another) begins. */
  readonly payload: number;
  /** The type of what is carried, or `CUT_OFF`. */
  readonly type: (frame: Uint8Array) => number;
}

/** Packets without a frame around them: either version of IP, IPv4, IPv6 (the "LINKTYPE_" registry of tcpdump.org). */
const RAW_IP_TYPES: readonly number[] = [101, 228, 229];

/** The service access points that stand in both bytes of IEEE 802.2's header, as libpcap looks for them: IP, OSI, NetBEUI. */
const DOUBLED_ACCESS_POINTS: readonly number[] = [0x06, 0xfe, 0xf0];
/** The largest number that is a length, not a type (IEEE 802.3, clause 3.2.6). */
const LONGEST_PAYLOAD = 1500;
/** An 802.1Q tag of vendors before 802.1ad. */
const OLD_SERVICE_VLAN = 0x9100;

/** The layer of a link type; undefined where filters know none. */
export function linkLayerOf(linkType: number): LinkLayer | undefined {
  if (linkType === LinkType.ETHERNET) return ethernetAt(12);
  return RAW_IP_TYPES.includes(linkType)
    ? { isEthernet: false, payload: 0, type: typeByVersion }
    : undefined;
}

/** What a tag holds that stands where `outer` says what it carries. */
export function taggedLayer(outer: LinkLayer): LinkLayer {
  return ethernetAt(outer.payload + 2);
}

function ethernetAt(at: number): LinkLayer {
  return { isEthernet: true, payload: at + 2, type: (frame) => load16(frame, at) };
}

/** Without a frame the packet tells itself. */
function typeByVersion(frame: Uint8Array): number {
  const first = load8(frame, 0);
  if (first === CUT_OFF) return CUT_OFF;
  return first >>> 4 === 4 ? EtherType.IPV4 : first >>> 4 === 6 ? EtherType.IPV6 : 0;
}

/** The frame carries this type; up to 1,500 it is a service access point (IEEE 802.2). */
export function carries({ isEthernet, payload, type }: LinkLayer, number: number): Test {
  // Without a frame there is only IP, and no need to look.
  if (!isEthernet && number !== EtherType.IPV4 && number !== EtherType.IPV6) return () => NO;
  if (number > LONGEST_PAYLOAD) {
    return (frame) => {
      const actual = type(frame);
      return actual === number ? YES : actual === CUT_OFF ? CUT_OFF : NO;
    };
  }
  const isDoubled = DOUBLED_ACCESS_POINTS.includes(number);
  const wanted = isDoubled ? (number << 8) | number : number;
  return (frame) => {
    const actual = type(frame);
    if (actual === CUT_OFF) return CUT_OFF;
    if (actual > LONGEST_PAYLOAD) return NO;
    const point = isDoubled ? load16(frame, payload) : load8(frame, payload);
    return point === wanted ? YES : point === CUT_OFF ? CUT_OFF : NO;
  };
}

/** The frame carries a VLAN tag, of this identifier if it is given. */
export function isTagged({ payload, type }: LinkLayer, identifier: number | undefined): Test {
  return (frame) => {
    const actual = type(frame);
    if (actual === CUT_OFF) return CUT_OFF;
    const isTag =
      actual === EtherType.VLAN || actual === EtherType.SERVICE_VLAN || actual === OLD_SERVICE_VLAN;
    if (!isTag) return NO;
    if (identifier === undefined) return YES;
    const control = load16(frame, payload);
    return control === CUT_OFF ? CUT_OFF : (control & 0xfff) === identifier ? YES : NO;
  };
}
