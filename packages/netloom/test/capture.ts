/** Captures for other programs to read. */
import { concatBytes } from 'netloom/core';
import { LinkType, PcapngWriter } from 'netloom/wire';

/** A frame as a capture has it. */
export interface CapturedFrame {
  /** What was kept. */
  readonly bytes: Uint8Array;
  /** Bytes the frame had. */
  readonly length: number;
}

/** A capture in which each frame's time is its index in seconds. */
export function captureOf(
  frames: readonly CapturedFrame[],
  linkType: number = LinkType.ETHERNET,
): Uint8Array {
  const blocks: Uint8Array[] = [];
  const writer = new PcapngWriter((block) => blocks.push(block));
  writer.addInterface({ linkType });
  for (const [index, { bytes, length }] of frames.entries()) {
    const time = BigInt(index) * 1_000_000_000n;
    writer.packet({ interfaceId: 0, time, data: bytes, originalLength: length });
  }
  return concatBytes(blocks);
}
