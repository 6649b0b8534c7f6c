import { copyBytes, type Clock } from '../core/index.ts';
import { PcapngWriter, type CaptureDirection, type PcapngWriterOptions } from '../wire/index.ts';
import type { FrameOffload, Link, LinkHandler } from './link.ts';
import { finishFrameChecksum, segmentFrame } from './segmentation.ts';
import { WrappedLink } from './wrapped-link.ts';

/** What a {@link CapturedLink} calls with every frame. */
export interface CaptureSink {
  /**
   * A frame that `link` sends or has received, at `time` in milliseconds since 1970. Frame and offload are borrowed. It must not
   * throw: it stands in the way of the frame.
   */
  frame(
    link: Link,
    direction: CaptureDirection,
    frame: Uint8Array,
    offload: FrameOffload | undefined,
    time: number,
  ): void;
}

/**
 * A link whose every frame is shown to a sink on its way, in both directions. Frames sent are seen before the link takes or
 * refuses them, as a packet socket sees them. Everything else is the link's own, its statistics included.
 */
export class CapturedLink extends WrappedLink {
  readonly #clock: Clock;
  readonly #sink: CaptureSink;

  constructor(inner: Link, clock: Clock, sink: CaptureSink) {
    super(inner);
    this.#clock = clock;
    this.#sink = sink;
  }

  override attach(handler: LinkHandler): void {
    this.inner.attach({
      receive: (frame, offload) => {
        this.#sink.frame(this, 'in', frame, offload, this.#clock.wallTime());
        handler.receive(frame, offload);
      },
      batchEnd: () => handler.batchEnd(),
      closed: (error) => handler.closed?.(error),
    });
  }

  override transmit(frame: Uint8Array, offload?: FrameOffload): boolean {
    this.#sink.frame(this, 'out', frame, offload, this.#clock.wallTime());
    return this.inner.transmit(frame, offload);
  }
}

/** How a {@link PcapngSink} writes. */
export interface PcapngSinkOptions extends PcapngWriterOptions {
  /**
   * Writes frames as a wire would show them: segments cut, checksums complete, so that a reader which verifies finds
   * nothing amiss. False writes what passed, up to 64 KiB in one frame. Default true.
   */
  readonly asOnWire?: boolean;
}

/** Writes what captured links show it as one pcapng file, with an interface for each link. */
export class PcapngSink implements CaptureSink {
  readonly #writer: PcapngWriter;
  readonly #asOnWire: boolean;
  readonly #interfaces = new Map<Link, number>();

  /** @param write takes the file block by block; each is given away */
  constructor(write: (block: Uint8Array) => void, options: PcapngSinkOptions = {}) {
    this.#writer = new PcapngWriter(write, options);
    this.#asOnWire = options.asOnWire ?? true;
  }

  /** As {@link CaptureSink.frame}. A `comment` is shown with the frame: where it was lost, say, as an impaired link's `observe` tells. */
  frame(
    link: Link,
    direction: CaptureDirection,
    frame: Uint8Array,
    offload: FrameOffload | undefined,
    time: number,
    comment?: string,
  ): void {
    const interfaceId = this.#interfaceOf(link);
    const put = (data: Uint8Array): void =>
      this.#writer.packet({
        interfaceId,
        direction,
        data,
        time: nanosecondsOf(time),
        ...(comment !== undefined && { comment }),
      });
    if (offload === undefined || !this.#asOnWire) {
      put(frame);
    } else if (
      offload.segmentSize === 0 ||
      segmentFrame(frame, offload, (length) => new Uint8Array(length), put) !== undefined
    ) {
      const copy = copyBytes(frame);
      finishFrameChecksum(copy, offload);
      put(copy);
    }
  }

  /** Writes counts of a link at `time`: frames that were seen, and of these the ones that are not in the file. */
  statistics(link: Link, time: number, counts: { received: number; dropped: number }): void {
    this.#writer.statistics({
      interfaceId: this.#interfaceOf(link),
      time: nanosecondsOf(time),
      received: BigInt(counts.received),
      dropped: BigInt(counts.dropped),
    });
  }

  #interfaceOf(link: Link): number {
    let id = this.#interfaces.get(link);
    if (id === undefined) {
      id = this.#writer.addInterface({ name: link.name });
      this.#interfaces.set(link, id);
    }
    return id;
  }
}

/** Milliseconds as nanoseconds. By parts, so that nothing is lost of what a number can say: of a time in this century, a quarter of a microsecond. */
function nanosecondsOf(milliseconds: number): bigint {
  const whole = Math.floor(milliseconds);
  return BigInt(whole) * 1_000_000n + BigInt(Math.round((milliseconds - whole) * 1e6));
}
