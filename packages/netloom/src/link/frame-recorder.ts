import { copyBytes, type NetloomError } from '../core/index.ts';
import type { FrameOffload, LinkHandler } from './link.ts';

/** A frame as a {@link Recorder} saw it. */
export interface Recorded {
  readonly frame: Uint8Array;
  readonly offload: FrameOffload | undefined;
  /** Milliseconds of the clock it was given. */
  readonly at: number;
}

/** A link handler for tests, which keeps copies of all it is handed. */
export class Recorder implements LinkHandler {
  readonly received: Recorded[] = [];
  /** How many frames had been received at each `batchEnd`. */
  readonly batches: number[] = [];
  /** The error of each `closed`. */
  readonly ends: (NetloomError | undefined)[] = [];
  readonly #now: () => number;

  constructor(now: () => number = () => 0) {
    this.#now = now;
  }

  receive(frame: Uint8Array, offload: FrameOffload | undefined): void {
    this.received.push({
      frame: copyBytes(frame),
      offload: offload && copyOf(offload),
      at: this.#now(),
    });
  }

  batchEnd(): void {
    this.batches.push(this.received.length);
  }

  closed(error: NetloomError | undefined): void {
    this.ends.push(error);
  }

  /** The number in the first two bytes of each frame's payload, as {@link numberedFrame} put it. */
  numbers(): number[] {
    return this.received.map(({ frame }) => (frame[14]! << 8) | frame[15]!);
  }
}

/** What is not verified need not be said: so an offload is the same whether it passed through a queue or not. */
function copyOf({ checksumVerified, ...left }: FrameOffload): FrameOffload {
  return checksumVerified === true ? { ...left, checksumVerified } : left;
}

/** An Ethernet frame of a local experimental type (IEEE 802, 88b5) whose payload begins with `number` in two bytes. */
export function numberedFrame(number: number, length = 60): Uint8Array {
  const frame = new Uint8Array(length);
  frame.fill(number & 0xff, 16);
  frame.set([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5, number >>> 8, number]);
  return frame;
}
