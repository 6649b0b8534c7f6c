import { concatBytes, type Clock } from 'netloom/core';
import { PcapngSink, type CaptureSink, type FrameOffload, type Link } from 'netloom/link';
import type { FrameFilter } from 'netloom/wire';

/** What a frame adds to a file beside itself, about: its block's head, a time, the direction. */
const BLOCK_OVERHEAD = 64;

/** What a {@link CaptureStream} is made with. */
export interface CaptureStreamOptions {
  readonly clock: Clock;
  /** Bytes that may wait for the reader. */
  readonly limit: number;
  readonly filter?: FrameFilter;
  /** Called once: nobody reads any more, or it was ended. */
  readonly closed: () => void;
}

/** Frames of a link, and those of them that did not fit. */
interface LinkCounts {
  received: number;
  dropped: number;
  /** Of `dropped`, as the file has it. */
  told: number;
}

/**
 * Frames as a pcapng file that grows while it is read. Never more than so many bytes wait for a reader that lags: frames which do not fit are
 * dropped, and the file says how many, for each link, as soon as there is room again and at its end.
 */
export class CaptureStream implements CaptureSink {
  readonly body: ReadableStream<Uint8Array>;
  readonly #options: CaptureStreamOptions;
  readonly #sink: PcapngSink;
  readonly #counts = new Map<Link, LinkCounts>();
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #blocks: Uint8Array[] = [];
  #bytes = 0;
  /** Somebody reads, and there is nothing yet. */
  #waiting: PromiseWithResolvers<void> | undefined;
  #flushing = false;
  #isOpen = true;

  constructor(options: CaptureStreamOptions) {
    this.#options = options;
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#pull(),
        cancel: () => this.#cancel(),
      },
      { highWaterMark: 0 },
    );
    this.#sink = new PcapngSink((block) => this.#put(block));
  }

  /** Frames that did not fit. */
  get dropped(): number {
    let sum = 0;
    for (const { dropped } of this.#counts.values()) sum += dropped;
    return sum;
  }

  frame(
    link: Link,
    direction: 'in' | 'out',
    frame: Uint8Array,
    offload: FrameOffload | undefined,
    time: number,
  ): void {
    const { filter, limit } = this.#options;
    if (!this.#isOpen || (filter !== undefined && !filter(frame))) return;
    const counts = this.#countsOf(link);
    counts.received++;
    if (this.#bytes + frame.length + BLOCK_OVERHEAD > limit) {
      counts.dropped++;
      return;
    }
    this.#sink.frame(link, direction, frame, offload, time);
  }

  /** The capture is over: what waits is still read, and the counts behind it. Idempotent. */
  end(): void {
    if (!this.#isOpen) return;
    for (const [link, counts] of this.#counts) this.#tell(link, counts);
    this.#close();
    this.#flush();
  }

  #cancel(): void {
    this.#blocks = [];
    this.#waiting?.resolve();
    this.#waiting = undefined;
    this.#close();
  }

  #close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#options.closed();
  }

  #countsOf(link: Link): LinkCounts {
    let counts = this.#counts.get(link);
    if (counts === undefined) {
      this.#counts.set(link, (counts = { received: 0, dropped: 0, told: 0 }));
    }
    return counts;
  }

  #put(block: Uint8Array): void {
    this.#blocks.push(block);
    this.#bytes += block.length;
    if (this.#waiting === undefined || this.#flushing) return;
    // What comes in this turn goes together.
    this.#flushing = true;
    this.#options.clock.defer(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #pull(): Promise<void> | undefined {
    this.#waiting = Promise.withResolvers();
    const { promise } = this.#waiting;
    if (this.#bytes > 0 || !this.#isOpen) this.#flush();
    return promise;
  }

  /** Hands over all there is to the reader who waits; at the end, that. */
  #flush(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    const blocks = this.#blocks;
    this.#waiting = undefined;
    this.#blocks = [];
    this.#bytes = 0;
    if (blocks.length > 0) this.#controller.enqueue(concatBytes(blocks));
    if (this.#isOpen) this.#tellDropped();
    else this.#controller.close();
    waiting.resolve();
  }

  #tellDropped(): void {
    for (const [link, counts] of this.#counts) {
      if (counts.dropped > counts.told) this.#tell(link, counts);
    }
  }

  #tell(link: Link, counts: LinkCounts): void {
    counts.told = counts.dropped;
    const { received, dropped } = counts;
    this.#sink.statistics(link, this.#options.clock.wallTime(), { received, dropped });
  }
}
