import { copyBytes, type NetloomError } from '../core/index.ts';

/** Bytes kept for a reader that lags, before the sender is held up. */
const HIGH_WATER_MARK = 64 * 1024;

/** What a {@link BodyStream} does to where its bytes come from. */
export interface BodySourceControl {
  /** Lets bytes come. */
  read(): void;
  /** Holds them up. */
  pause(): void;
  /** The reader wants no more. */
  cancel(reason: unknown): void;
}

/**
 * A message's body as a stream of the web's kind, with back-pressure: nothing is asked for before somebody reads, and no
 * more than a bounded amount is kept for one who lags.
 */
export class BodyStream {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly #control: BodySourceControl;
  #controller!: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
  #open = true;
  /** What the reader is to be told after all that is in the queue. */
  #failure: NetloomError | undefined;

  constructor(control: BodySourceControl) {
    this.#control = control;
    this.stream = new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#pull(),
        cancel: (reason: unknown) => {
          this.#open = false;
          control.cancel(reason);
        },
      },
      // 0, so that `pull` is called for a reader who waits and for nothing else; `data` has the mark for the rest.
      { highWaterMark: 0, size: (chunk) => chunk.length },
    );
  }

  /** Bytes have come, borrowed. */
  data(chunk: Uint8Array): void {
    if (!this.#open) return;
    this.#controller.enqueue(copyBytes(chunk));
    if (this.#controller.desiredSize! <= -HIGH_WATER_MARK) this.#control.pause();
  }

  /** The body is whole. */
  end(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#controller.close();
  }

  /** The body ends before its time. What has come is read first: a download can go on from there. */
  fail(error: NetloomError): void {
    if (!this.#open) return;
    // Only a stream whose queue is empty has a desired size of 0 here; an error would throw the queue away.
    if (this.#controller.desiredSize === 0) this.abort(error);
    else this.#failure ??= error;
  }

  /** The body is given up: what has come is thrown away. */
  abort(error: NetloomError): void {
    if (!this.#open) return;
    this.#open = false;
    this.#controller.error(error);
  }

  /** Somebody reads, and there is nothing in the queue. */
  #pull(): void {
    if (this.#failure === undefined) this.#control.read();
    else this.abort(this.#failure);
  }
}
