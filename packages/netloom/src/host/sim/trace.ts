import type { Clock } from '../../core/index.ts';
import type { FrameEffect, FrameOffload } from '../../link/index.ts';
import { describeFrame } from '../../wire/index.ts';
import { RunHash } from './run-hash.ts';

/**
 * What became of a frame: `delivered`, or why it was lost, or what befell it on its way, of which its end is told apart. A frame lost between the
 * network and its receiver was `delivered` before.
 */
export type SimFate =
  | 'delivered'
  /** What the network's impairments did, or a cable's, or a partition. */
  | FrameEffect
  /** No station of the network has the address, or it has left. */
  | 'no-station';

/** A frame of a simulated network and its fate. Borrowed, valid until the call it is handed to returns. */
export interface SimFrame {
  /** Virtual milliseconds at which its fate was sealed. */
  readonly time: number;
  readonly network: string;
  readonly from: string;
  /** The station it was for; `*` if for more than one. */
  readonly to: string;
  readonly fate: SimFate;
  readonly bytes: Uint8Array;
  /** Set where its checksum is left for the link to complete. */
  readonly offload: FrameOffload | undefined;
}

/** A kept frame: the same slot, and the same memory, is used again for later ones. */
interface Slot {
  time: number;
  network: string;
  from: string;
  to: string;
  fate: SimFate;
  length: number;
  memory: Uint8Array;
}

/**
 * What happened to every frame of a world: counted, hashed, the last ones kept, and shown to a sink if there is one.
 */
export class SimTrace {
  frames = 0;
  lost = 0;
  /** Frames remembered so far, those included that a later one has taken the place of. */
  #remembered = 0;
  readonly #clock: Clock;
  readonly #hash = new RunHash();
  readonly #keep: number;
  readonly #ring: Slot[] = [];
  readonly #sink: ((frame: SimFrame) => void) | undefined;

  /** @param keep frames that are remembered */
  constructor(clock: Clock, keep: number, sink: ((frame: SimFrame) => void) | undefined) {
    this.#clock = clock;
    this.#keep = keep;
    this.#sink = sink;
  }

  /** The hash of all frames so far, with their times and fates. */
  get hash(): string {
    return this.#hash.digest();
  }

  /** A frame's fate is sealed, or something has befallen it on its way; it is borrowed. */
  record(
    network: string,
    from: string,
    to: string,
    fate: SimFate,
    bytes: Uint8Array,
    offload: FrameOffload | undefined,
  ): void {
    const time = this.#clock.now();
    if (fate !== 'delivered') this.#hash.text(fate);
    if (!isOnItsWay(fate)) {
      this.frames++;
      if (fate !== 'delivered') this.lost++;
    }
    this.#hash.number(time);
    this.#hash.text(network);
    this.#hash.text(to);
    this.#hash.bytes(bytes);
    const frame = { time, network, from, to, fate, bytes, offload };
    if (this.#keep > 0) this.#remember(frame);
    this.#sink?.(frame);
  }

  /** The last frames as lines, oldest first. */
  lines(): string[] {
    const oldest = this.#remembered > this.#keep ? this.#remembered % this.#keep : 0;
    const inOrder = [...this.#ring.slice(oldest), ...this.#ring.slice(0, oldest)];
    return inOrder.map(({ memory, length, ...frame }) =>
      formatSimFrame({ ...frame, bytes: memory.subarray(0, length), offload: undefined }),
    );
  }

  #remember({ time, network, from, to, fate, bytes }: SimFrame): void {
    const { length } = bytes;
    const at = this.#remembered++ % this.#keep;
    const slot = (this.#ring[at] ??= {
      time,
      network,
      from,
      to,
      fate,
      length,
      memory: new Uint8Array(length),
    });
    if (slot.memory.length < length) slot.memory = new Uint8Array(length);
    slot.memory.set(bytes);
    slot.time = time;
    slot.network = network;
    slot.from = from;
    slot.to = to;
    slot.fate = fate;
    slot.length = length;
  }
}

/** Whether the frame goes on, so that it is counted when it ends. */
function isOnItsWay(fate: SimFate): boolean {
  return fate === 'corrupted' || fate === 'duplicated' || fate === 'reordered';
}

/** A frame and its fate as one line: time in seconds, network, stations, what it was, and what befell it if something did. */
export function formatSimFrame({ time, network, from, to, fate, bytes }: SimFrame): string {
  const line = `${(time / 1000).toFixed(6).padStart(12)}  ${network}  ${from} > ${to}  `;
  const described = describeFrame(bytes);
  if (fate === 'delivered') return line + described;
  return `${line}${isOnItsWay(fate) ? fate.toUpperCase() : `LOST (${fate})`} ${described}`;
}
