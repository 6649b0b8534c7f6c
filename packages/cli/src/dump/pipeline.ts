import { compileFilter, type CapturedPacket, type FrameFilter } from 'netloom/wire';
import type { CaptureOutput } from './capture-output.ts';
import type { FrameView } from './view.ts';

/** Characters that may wait for whoever reads the output of a live dump. */
const MOST_WAITING = 4 * 1024 * 1024;

/** What a {@link DumpPipeline} is made of. */
export interface DumpPipelineParts {
  readonly filter: string;
  /** Frames to be passed on at most. */
  readonly count: number;
  readonly view: FrameView;
  readonly capture: CaptureOutput | undefined;
  /** Writes text to standard output; settles when there is room for more. */
  readonly write: (text: string) => Promise<void> | void;
}

/** The way of a frame from its source through the filter to what is shown and written of it. */
export class DumpPipeline {
  readonly #parts: DumpPipelineParts;
  /** By link type: a file may have several. */
  readonly #filters = new Map<number, FrameFilter>();
  #text = '';
  #writing: Promise<void> | undefined;
  seen = 0;
  passed = 0;
  /** Frames of a live source that nobody had the time to look at. */
  dropped = 0;

  constructor(parts: DumpPipelineParts) {
    this.#parts = parts;
  }

  /** As many have passed as were wanted. */
  get isDone(): boolean {
    return this.passed >= this.#parts.count;
  }

  /** Takes a frame, which is borrowed. Throws `FILTER_UNFIT` if the filter is not for such. */
  frame(packet: CapturedPacket): void {
    if (this.isDone) return;
    this.seen++;
    const { linkType } = packet.interface;
    if (!this.#filterFor(linkType)(packet.data, packet.originalLength)) return;
    this.passed++;
    this.#parts.capture?.frame(packet);
    this.#text += this.#parts.view.frame(packet);
  }

  /** As {@link frame}, from a source that does not wait: with too much output waiting already, the frame is dropped. */
  liveFrame(packet: CapturedPacket): void {
    if (this.#text.length > MOST_WAITING) this.dropped++;
    else this.frame(packet);
  }

  /** Writes what there is; settles when there is room for more. */
  settle(): Promise<void> {
    this.#parts.capture?.flush();
    this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
    return this.#writing;
  }

  /** Writes what the view has left to say. */
  async end(): Promise<void> {
    this.#text += this.#parts.view.end();
    await this.settle();
  }

  async #write(): Promise<void> {
    while (this.#text !== '') {
      const text = this.#text;
      this.#text = '';
      await this.#parts.write(text);
    }
  }

  #filterFor(linkType: number): FrameFilter {
    let filter = this.#filters.get(linkType);
    if (filter === undefined) {
      filter = compileFilter(this.#parts.filter, { linkType });
      this.#filters.set(linkType, filter);
    }
    return filter;
  }
}
