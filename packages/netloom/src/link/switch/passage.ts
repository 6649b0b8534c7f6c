import { readInt32, readUint16 } from '../../core/index.ts';
import {
  ETHERNET_HEADER_LENGTH,
  EtherType,
  EthernetHeader,
  parseEthernet,
  parseVlan,
  VLAN_TAG_LENGTH,
  VlanTag,
} from '../../wire/index.ts';
import type { FrameOffload } from '../link.ts';

/** To how many a frame is addressed. */
export const Cast = { UNICAST: 0, MULTICAST: 1, BROADCAST: 2 } as const;
/** One of {@link Cast}. */
export type Cast = (typeof Cast)[keyof typeof Cast];

const NO_FRAME = new Uint8Array(0);

/** One frame on its way through a switch: what it was when it came in, and what the switch has found out since. One serves many frames. */
export class Passage {
  /** As it came in: borrowed. */
  frame: Uint8Array = NO_FRAME;
  offload: FrameOffload | undefined;
  readonly header: EthernetHeader = new EthernetHeader();
  cast: Cast = Cast.UNICAST;
  /** Whether it came with a tag, and that tag. */
  hasTag = false;
  readonly tag: VlanTag = new VlanTag();
  /** The type of the payload behind the tag, and where that begins. */
  type = 0;
  payload = 0;
  /** What the switch has made of it. */
  vlan = 0;
  priority = 0;
  dropEligible = false;

  /** Reads the headers of the next frame. A reason: it is no frame that could be forwarded. */
  read(
    frame: Uint8Array,
    offload: FrameOffload | undefined,
  ): 'too-short' | 'vlan-invalid' | 'tag-stacked' | 'source-invalid' | undefined {
    this.frame = frame;
    this.offload = offload;
    const { header } = this;
    if (parseEthernet(frame, 0, frame.length, header) !== header) return 'too-short';
    this.cast = castOf(frame);
    // A group cannot send, and nobody has the address of zeros (IEEE 802, clause 8.2).
    const { sourceHigh, sourceLow } = header;
    if ((sourceHigh & 0x0100) !== 0 || (sourceHigh | sourceLow) === 0) return 'source-invalid';
    this.hasTag = header.type === EtherType.VLAN;
    this.type = header.type;
    this.payload = ETHERNET_HEADER_LENGTH;
    return this.hasTag ? this.#readTag() : undefined;
  }

  #readTag(): 'too-short' | 'vlan-invalid' | 'tag-stacked' | undefined {
    const { frame, tag } = this;
    const answer = parseVlan(frame, ETHERNET_HEADER_LENGTH, frame.length, tag);
    if (answer === 'bad-value') return 'vlan-invalid';
    if (answer !== tag) return 'too-short';
    // Behind a tag that a port takes away, a second would be read as the first: a way into VLANs that the sender has no part in.
    if (tag.type === EtherType.VLAN) return 'tag-stacked';
    this.type = tag.type;
    this.payload = ETHERNET_HEADER_LENGTH + VLAN_TAG_LENGTH;
    return undefined;
  }

  /** The tag control information it came with (IEEE 802.1Q, clause 9.6). */
  get tagControl(): number {
    return readUint16(this.frame, ETHERNET_HEADER_LENGTH);
  }
}

/** To how many a frame is addressed; it is at least as long as an Ethernet header. */
export function castOf(frame: Uint8Array): Cast {
  if ((frame[0]! & 1) === 0) return Cast.UNICAST;
  const isBroadcast = readInt32(frame, 0) === -1 && readUint16(frame, 4) === 0xffff;
  return isBroadcast ? Cast.BROADCAST : Cast.MULTICAST;
}
