import type { Clock } from 'netloom/core';
import type { CaptureDirection } from 'netloom/wire';
import { WrappedLink, type FrameOffload, type Link, type LinkHandler } from 'netloom/link';
import type { FrameRecorder } from '../environment.ts';

/** Whether frames of a network go on: shared by all its ports. */
export interface Gate {
  isOpen: boolean;
}

/** Who is shown the frames of a network's ports. */
export class Recorders {
  /** Shown what comes in at every port, so that each frame is seen once; where there is one port only, both ways. */
  readonly #ofAll = new Set<FrameRecorder>();
  /** By port: shown what comes in and what goes out there. */
  readonly #ofPort = new Map<string, Set<FrameRecorder>>();
  readonly #hasOnePort: boolean;

  /** @param hasOnePort whether all that passes the network does so at one port, since it has no switch */
  constructor(hasOnePort: boolean) {
    this.#hasOnePort = hasOnePort;
  }

  /** Adds one for all ports, or for one; the answer ends that. */
  add(recorder: FrameRecorder, port: string | undefined): () => void {
    const recorders = port === undefined ? this.#ofAll : (this.#ofPort.get(port) ?? new Set());
    if (port !== undefined) this.#ofPort.set(port, recorders);
    // Of its own, so that one may be added twice.
    const own: FrameRecorder = { frame: (...seen) => recorder.frame(...seen) };
    recorders.add(own);
    return () => {
      recorders.delete(own);
      if (port !== undefined && recorders.size === 0) this.#ofPort.delete(port);
    };
  }

  /** Shows a frame that passes a port. */
  show(
    link: Link,
    direction: CaptureDirection,
    frame: Uint8Array,
    offload: FrameOffload | undefined,
    clock: Clock,
  ): void {
    const ofAll = direction === 'in' || this.#hasOnePort ? this.#ofAll : NOBODY;
    const ofPort = this.#ofPort.size === 0 ? NOBODY : (this.#ofPort.get(link.name) ?? NOBODY);
    if (ofAll.size + ofPort.size === 0) return;
    const time = clock.wallTime();
    for (const recorder of ofAll) recorder.frame(link, direction, frame, offload, time);
    for (const recorder of ofPort) recorder.frame(link, direction, frame, offload, time);
  }
}

const NOBODY: ReadonlySet<FrameRecorder> = new Set();

/**
 * A link as a network sees it: frames pass while the network's gate is open, and are shown to whoever records them, as they are beyond the line's
 * impairments. They are told apart by the way they go: `in` is from the station to the network.
 */
export class PortLink extends WrappedLink {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #gate: Gate;
  readonly #recorders: Recorders;
  /** The way of what is sent here, and of what is received. */
  readonly #sent: CaptureDirection;
  readonly #received: CaptureDirection;

  /** @param sent the way of what is sent by this link: `out` at the network's end of the cable, `in` at the station's */
  constructor(
    name: string,
    inner: Link,
    clock: Clock,
    gate: Gate,
    recorders: Recorders,
    sent: CaptureDirection = 'out',
  ) {
    super(inner);
    this.#name = name;
    this.#clock = clock;
    this.#gate = gate;
    this.#recorders = recorders;
    this.#sent = sent;
    this.#received = sent === 'out' ? 'in' : 'out';
  }

  override get name(): string {
    return this.#name;
  }

  override attach(handler: LinkHandler): void {
    this.inner.attach({
      receive: (frame, offload) => {
        if (!this.#passes()) return;
        this.#recorders.show(this, this.#received, frame, offload, this.#clock);
        handler.receive(frame, offload);
      },
      batchEnd: () => handler.batchEnd(),
      closed: (error) => handler.closed?.(error),
    });
  }

  override transmit(frame: Uint8Array, offload?: FrameOffload): boolean {
    if (!this.#passes()) return false;
    this.#recorders.show(this, this.#sent, frame, offload, this.#clock);
    return this.inner.transmit(frame, offload);
  }

  #passes(): boolean {
    if (!this.#gate.isOpen) this.statistics.drops.add('suspended');
    return this.#gate.isOpen;
  }
}
