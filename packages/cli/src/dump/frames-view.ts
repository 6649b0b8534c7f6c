import type { CapturedPacket } from 'netloom/wire';
import { DumpFormatter, type DumpFormat } from './format.ts';
import type { FrameView } from './view.ts';

/** A line for each frame, and its bytes if they are asked for. */
export class FramesView implements FrameView {
  readonly #formatter: DumpFormatter;

  constructor(format: DumpFormat) {
    this.#formatter = new DumpFormatter(format);
  }

  frame(packet: CapturedPacket): string {
    return this.#formatter.packet(packet);
  }

  end(): string {
    return '';
  }

  notices(): readonly string[] {
    return [];
  }
}
