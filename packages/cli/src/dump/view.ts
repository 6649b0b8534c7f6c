import type { CapturedPacket } from 'netloom/wire';

/** Turns frames into text. */
export interface FrameView {
  /** The text of a frame that has passed the filter, if it has any. It is borrowed. */
  frame(packet: CapturedPacket): string;
  /** What is left to be said when there are no more frames. */
  end(): string;
  /** What people should know beside the output, as sentences. */
  notices(): readonly string[];
}
