import { html } from './dom.ts';
import { openCapture } from './node-api.ts';
import { PcapngBlocks } from './pcapng-blocks.ts';

/** How a capture is. */
export type CaptureState = 'running' | 'finished' | 'refused';

/** Bytes that a page keeps before it has enough: it holds them in memory. */
const MOST_BYTES = 256 * 1024 * 1024;

/** A capture that this page takes, kept here until its end, when the browser saves it as a file. */
export class PageCapture {
  readonly network: string;
  readonly port: string | null;
  readonly #changed: () => void;
  readonly #blocks = new PcapngBlocks();
  readonly #chunks: Uint8Array<ArrayBuffer>[] = [];
  readonly #enough = new AbortController();
  #state: CaptureState = 'running';
  #problem = '';

  /** Begins at once. @param changed called when there is more to tell of it */
  constructor(
    { network, port, filter }: { network: string; port: string | null; filter: string },
    changed: () => void,
  ) {
    this.network = network;
    this.port = port;
    this.#changed = changed;
    void this.#run(filter);
  }

  get state(): CaptureState {
    return this.#state;
  }

  /** Why it was refused, or ended before it was told to; empty: it was not. */
  get problem(): string {
    return this.#problem;
  }

  get frames(): number {
    return this.#blocks.frames;
  }

  get bytes(): number {
    return this.#blocks.bytes;
  }

  /** That is enough: what has come is saved. */
  stop(): void {
    this.#enough.abort();
  }

  async #run(filter: string): Promise<void> {
    const { signal } = this.#enough;
    try {
      const body = await openCapture(this.network, { port: this.port, filter, signal });
      const reader = body.getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) {
          this.#problem = 'The node has ended it.';
          break;
        }
        this.#chunks.push(value);
        this.#blocks.add(value);
        if (this.#blocks.bytes > MOST_BYTES) {
          this.#problem = 'It has become so large that it was ended.';
          this.#enough.abort();
          break;
        }
        this.#changed();
      }
    } catch (error) {
      if (!signal.aborted) this.#problem = error instanceof Error ? error.message : String(error);
    }
    this.#state = this.#blocks.bytes === 0 && this.#problem !== '' ? 'refused' : 'finished';
    if (this.#state === 'finished') this.#save();
    this.#changed();
  }

  /** Up to the last block that is whole. */
  #save(): void {
    const file = new Blob(this.#chunks, { type: 'application/x-pcapng' });
    const whole = file.slice(0, this.#blocks.wholeBytes, file.type);
    const url = URL.createObjectURL(whole);
    const name = [this.network, ...(this.port === null ? [] : [this.port])].join('-');
    html('a', { href: url, download: `${name}.pcapng` }).click();
    this.#chunks.length = 0;
    // The browser has what it needs when this turn is over, or soon after.
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }
}
