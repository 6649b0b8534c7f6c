import type { FrameOffload, Link } from './link.ts';
import { finishFrameChecksum, segmentFrame } from './segmentation.ts';

/**
 * Sends a borrowed frame out of a link, copied once into the link's own memory. What its sender left undone and this link cannot do
 * either is done here: segments are cut and checksums completed. False: nothing of it was taken; the link has counted why.
 */
export function forwardFrame(link: Link, frame: Uint8Array, offload?: FrameOffload): boolean {
  if (offload === undefined) return link.transmit(copyFor(link, frame));
  if (offload.segmentSize > 0 && !carriesWhole(link, frame)) {
    return forwardSegments(link, frame, offload);
  }
  const copy = copyFor(link, frame);
  if (link.offload.checksum) return link.transmit(copy, offload);
  if (finishFrameChecksum(copy, offload) === undefined) return link.transmit(copy);
  link.statistics.drops.add('bad-offload');
  return false;
}

function carriesWhole(link: Link, frame: Uint8Array): boolean {
  return link.offload.checksum && frame.length <= link.offload.segmentation;
}

function forwardSegments(link: Link, frame: Uint8Array, offload: FrameOffload): boolean {
  let taken = false;
  const fault = segmentFrame(
    frame,
    offload,
    (length) => link.allocate(length),
    (segment) => {
      taken = link.transmit(segment) || taken;
    },
  );
  if (fault !== undefined) link.statistics.drops.add('bad-offload');
  return taken;
}

function copyFor(link: Link, frame: Uint8Array): Uint8Array {
  const copy = link.allocate(frame.length);
  copy.set(frame);
  return copy;
}
