import { readUint16, writeUint16 } from '../core/index.ts';
import { EtherType } from './ethernet.ts';
import type { WireFault } from './fault.ts';

/** An 802.1Q tag as it stands after the addresses and the type that announces it: tag control information, then the type of the payload. */
export const VLAN_TAG_LENGTH = 4;

/** The identifier no frame may carry (IEEE 802.1Q, table 9-2). */
const RESERVED_IDENTIFIER = 0xfff;

/** A VLAN tag (IEEE 802.1Q, clause 9.6). */
export class VlanTag {
  /** Priority code point, 0 to 7. */
  priority = 0;
  /** May be dropped before others when a queue fills. */
  dropEligible = false;
  /** 1 to 4094; 0: the tag gives a priority only. */
  identifier = 0;
  /** The `EtherType` of what follows, which may be a further tag. */
  type = 0;
}

/** Whether a tag follows a type: of 802.1Q, or the outer one of 802.1ad. */
export function isVlanType(type: number): boolean {
  return type === EtherType.VLAN || type === EtherType.SERVICE_VLAN;
}

/** Reads the tag at `start`, which is where the payload of the Ethernet header begins; the tagged payload is {@link VLAN_TAG_LENGTH} bytes on. */
export function parseVlan(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: VlanTag = new VlanTag(),
): VlanTag | WireFault {
  if (end - start < VLAN_TAG_LENGTH) return 'truncated';
  const control = readUint16(bytes, start);
  const identifier = control & 0x0fff;
  if (identifier === RESERVED_IDENTIFIER) return 'bad-value';
  into.priority = control >>> 13;
  into.dropEligible = (control & 0x1000) !== 0;
  into.identifier = identifier;
  into.type = readUint16(bytes, start + 2);
  return into;
}

/** Writes the tag at `at`, and answers where the tagged payload begins. */
export function emitVlan(tag: VlanTag, bytes: Uint8Array, at: number): number {
  const control = (tag.priority << 13) | (tag.dropEligible ? 0x1000 : 0) | tag.identifier;
  writeUint16(bytes, at, control);
  writeUint16(bytes, at + 2, tag.type);
  return at + VLAN_TAG_LENGTH;
}
