import { writeUint16 } from '../../core/index.ts';
import { ETHERNET_HEADER_LENGTH, EtherType, VLAN_TAG_LENGTH } from '../../wire/index.ts';
import type { FrameOffload } from '../link.ts';
import type { Passage } from './passage.ts';

/** What happens to the tag of a frame that goes out: it stays as it is (or is not there before and after), comes, goes, or is another. */
export const TagChange = { KEEP: 0, PUSH: 1, POP: 2, REWRITE: 3 } as const;
/** One of {@link TagChange}. */
export type TagChange = (typeof TagChange)[keyof typeof TagChange];

/** Where a tag is: behind both addresses. */
const TAG_AT = 12;

/** What has to be done for a port where the frame's VLAN has a tag, or has none. */
export function tagChangeOf(passage: Passage, isTaggedThere: boolean): TagChange {
  if (!isTaggedThere) return passage.hasTag ? TagChange.POP : TagChange.KEEP;
  if (!passage.hasTag) return TagChange.PUSH;
  return passage.tagControl === controlOf(passage) ? TagChange.KEEP : TagChange.REWRITE;
}

/** Bytes by which a change makes a frame longer. */
export function growthOf(change: TagChange): number {
  if (change === TagChange.PUSH) return VLAN_TAG_LENGTH;
  return change === TagChange.POP ? -VLAN_TAG_LENGTH : 0;
}

/** Writes the frame, changed, into memory of the right length. */
export function writeChanged(into: Uint8Array, passage: Passage, change: TagChange): void {
  const { frame } = passage;
  switch (change) {
    case TagChange.KEEP:
      into.set(frame);
      return;
    case TagChange.REWRITE:
      into.set(frame);
      writeUint16(into, ETHERNET_HEADER_LENGTH, controlOf(passage));
      return;
    case TagChange.PUSH:
      into.set(frame.subarray(TAG_AT), TAG_AT + VLAN_TAG_LENGTH);
      copyAddresses(into, frame);
      writeUint16(into, TAG_AT, EtherType.VLAN);
      writeUint16(into, ETHERNET_HEADER_LENGTH, controlOf(passage));
      return;
    case TagChange.POP:
      into.set(frame.subarray(TAG_AT + VLAN_TAG_LENGTH), TAG_AT);
      copyAddresses(into, frame);
  }
}

/** The tag control information for the VLAN and priority the frame has now (IEEE 802.1Q, clause 9.6). */
function controlOf({ priority, dropEligible, vlan }: Passage): number {
  return (priority << 13) | (dropEligible ? 0x1000 : 0) | vlan;
}

function copyAddresses(into: Uint8Array, frame: Uint8Array): void {
  for (let at = 0; at < TAG_AT; at++) into[at] = frame[at]!;
}

/** What is left to do on a frame that has become longer by `growth` before its transport header, written into `into`. */
export function shiftOffload(
  offload: FrameOffload | undefined,
  growth: number,
  into: FrameOffload,
): FrameOffload | undefined {
  if (offload === undefined || growth === 0) return offload;
  into.checksumStart = offload.checksumStart === 0 ? 0 : offload.checksumStart + growth;
  into.checksumOffset = offload.checksumOffset;
  into.segmentSize = offload.segmentSize;
  into.checksumVerified = offload.checksumVerified ?? false;
  return into;
}
