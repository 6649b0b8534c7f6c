import { ETHERNET_HEADER_LENGTH, VLAN_TAG_LENGTH } from '../wire/index.ts';
import type { FrameOffload, LinkOffload } from './link.ts';

/**
 * Why a link does not send a frame: the name of the counter it is dropped under. `left` is what the frame's sender has left for the link to do, and `able` what the link can
 * do. A VLAN tag may come on top of the MTU (IEEE 802.3, clause 3.2.7).
 */
export function refusalOf(
  frame: Uint8Array,
  left: FrameOffload | undefined,
  mtu: number,
  able: LinkOffload,
): 'too-short' | 'too-long' | 'checksum-unfinished' | undefined {
  if (frame.length < ETHERNET_HEADER_LENGTH) return 'too-short';
  const isToBeCut = left !== undefined && left.segmentSize > 0;
  const longest = isToBeCut ? able.segmentation : mtu + ETHERNET_HEADER_LENGTH + VLAN_TAG_LENGTH;
  if (frame.length > longest) return 'too-long';
  const isUnfinished = left !== undefined && left.checksumStart > 0;
  return isUnfinished && !able.checksum ? 'checksum-unfinished' : undefined;
}
