import { NetloomError, type Clock } from 'netloom/core';
import type { FrameFilter } from 'netloom/wire';
import { CaptureStream } from './capture-stream.ts';
import type { ControlledNetwork } from './controlled-node.ts';
import type { ControlLimits } from './limits.ts';

/** Which frames of a network are wanted. */
export interface CaptureRequest {
  /** Both ways at this port; of all ports, each frame once. */
  readonly port?: string;
  readonly filter?: FrameFilter;
}

/** The captures of a node that are watched now. */
export class Captures {
  readonly #clock: Clock;
  readonly #limits: ControlLimits;
  readonly #open = new Set<CaptureStream>();

  constructor(clock: Clock, limits: ControlLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /**
   * A pcapng file of what passes, until its reader cancels it, {@link end} ends it, or the network is
   * destroyed. Throws `CONTROL_TOO_MANY_CAPTURES`.
   */
  open(network: ControlledNetwork, { port, filter }: CaptureRequest): ReadableStream<Uint8Array> {
    if (this.#open.size >= this.#limits.captures) {
      const message = `${this.#open.size} captures are watched already`;
      throw new NetloomError('CONTROL_TOO_MANY_CAPTURES', message, { remedy: 'End one of them.' });
    }
    const stream = new CaptureStream({
      clock: this.#clock,
      limit: this.#limits.captureBytes,
      ...(filter === undefined ? {} : { filter }),
      closed: () => {
        this.#open.delete(stream);
        recording.close();
      },
    });
    const recording = network.capture(stream, {
      ended: () => stream.end(),
      ...(port !== undefined && { port }),
    });
    this.#open.add(stream);
    return stream.body;
  }

  /** Ends all that are watched: what waits is still read. */
  end(): void {
    for (const stream of this.#open) stream.end();
  }
}
