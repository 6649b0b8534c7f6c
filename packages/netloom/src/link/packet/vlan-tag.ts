import { writeUint16 } from '../../core/index.ts';
import { VLAN_TAG_LENGTH } from '../../wire/index.ts';
import { moveChecksumStart, VIRTIO_HEADER_LENGTH } from '../descriptor/index.ts';

/** Where a frame behind its virtio header has its tag, if it has one: after the two addresses. */
const TAG = VIRTIO_HEADER_LENGTH + 12;

/**
 * Puts a VLAN tag back into the frame in `bytes`, behind its virtio header, where it was on the wire: the kernel has taken it out, and says
 * beside the frame what it was. Answers the new length, of which as much is there as has room.
 */
export function putTagBack(
  bytes: Uint8Array,
  length: number,
  type: number,
  control: number,
): number {
  if (length < TAG) return length;
  bytes.copyWithin(TAG + VLAN_TAG_LENGTH, TAG, length);
  writeUint16(bytes, TAG, type);
  writeUint16(bytes, TAG + 2, control);
  moveChecksumStart(bytes, VLAN_TAG_LENGTH);
  return length + VLAN_TAG_LENGTH;
}
