import { createHash } from 'node:crypto';
import {
  copyBytes,
  seededRandom,
  type Connection,
  type ConnectionHandler,
  type NetloomError,
} from '../../core/index.ts';

/** A handler that keeps account of what it is told, watches for calls against the contract, and can be waited for. */
export class Recorder implements ConnectionHandler {
  readonly connection: Connection;
  /** Bytes received. */
  length = 0;
  /** `end` was called. */
  ended = false;
  /** How often `drain` was called. */
  drains = 0;
  /** How often `closed` was called. */
  closings = 0;
  /** What `closed` was given. */
  error: NetloomError | undefined;
  /** Called with each chunk. */
  onData: ((chunk: Uint8Array) => void) | undefined;
  readonly #hash = createHash('sha256');
  readonly #violations: string[];
  #waiting: Waiting[] = [];
  #wroteFull = false;

  constructor(connection: Connection, violations: string[]) {
    this.connection = connection;
    this.#violations = violations;
    connection.start(this);
  }

  data(chunk: Uint8Array): void {
    if (this.ended) this.#violations.push('data() after end()');
    if (chunk.length === 0) this.#violations.push('data() without bytes');
    this.#hash.update(chunk);
    this.length += chunk.length;
    this.#told('data');
    this.onData?.(chunk);
  }

  end(): void {
    if (this.ended) this.#violations.push('end() twice');
    this.ended = true;
    this.#told('end');
  }

  drain(): void {
    if (!this.#wroteFull) this.#violations.push('drain() though write() had not answered false');
    this.#wroteFull = false;
    this.drains++;
    this.#told('drain');
  }

  closed(error: NetloomError | undefined): void {
    this.closings++;
    this.error = error;
    this.#told('closed');
  }

  write(chunk: Uint8Array): boolean {
    const hasRoom = this.connection.write(chunk);
    if (!hasRoom) this.#wroteFull = true;
    return hasRoom;
  }

  /** The hash of all bytes received; asked for once. */
  digest(): string {
    return this.#hash.digest('hex');
  }

  /** Settles when the condition holds, asked at each call of the connection; rejects when the connection is gone before. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ condition, resolve, reject });
      this.#settleWaiting();
    });
  }

  /** Settles when `closed` has been called, with its error. */
  async gone(): Promise<NetloomError | undefined> {
    await this.until(() => this.closings > 0);
    return this.error;
  }

  #told(call: string): void {
    if (this.closings > (call === 'closed' ? 1 : 0)) {
      this.#violations.push(`${call}() after closed()`);
    }
    this.#settleWaiting();
  }

  #settleWaiting(): void {
    this.#waiting = this.#waiting.filter(({ condition, resolve, reject }) => {
      if (condition()) resolve();
      else if (this.closings > 0) {
        reject(new Error('the connection was gone too early', { cause: this.error }));
      } else return true;
      return false;
    });
  }
}

interface Waiting {
  readonly condition: () => boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A prime, so that bytes lost, doubled or in another order do not fall on equal ones. */
const PERIOD = 1_000_003;
const POOL = new Uint8Array(PERIOD);
seededRandom(1).fill(POOL);

/** An endless sequence of bytes, and the hash of what was taken of it. */
export class Pattern {
  readonly #hash = createHash('sha256');
  #position = 0;

  /** The next bytes, in an array of their own: it may be given away. */
  take(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length;) {
      const part = POOL.subarray(this.#position, this.#position + length - at);
      bytes.set(part, at);
      at += part.length;
      this.#position = (this.#position + part.length) % PERIOD;
    }
    this.#hash.update(bytes);
    return bytes;
  }

  /** The hash of all bytes taken; asked for once. */
  digest(): string {
    return this.#hash.digest('hex');
  }
}

/** Writes so many bytes of the pattern, waiting whenever `write` says so. */
export async function send(
  recorder: Recorder,
  pattern: Pattern,
  total: number,
  chunkSize: number = 16 * 1024,
): Promise<void> {
  for (let left = total; left > 0; left -= chunkSize) {
    const drains = recorder.drains;
    if (!recorder.write(pattern.take(Math.min(left, chunkSize)))) {
      await recorder.until(() => recorder.drains > drains);
    }
  }
}

/** Sends back whatever comes, with back-pressure, and ends when the peer has. */
export function echo(connection: Connection): void {
  connection.start({
    data(chunk) {
      if (!connection.write(copyBytes(chunk))) connection.pause();
    },
    drain: () => connection.resume(),
    end: () => connection.end(),
  });
}
