import { NetloomError, abortError, type Abortable, type Clock } from '../../core/index.ts';
import { parseDate, strongValidators, type Validators } from '../semantics/index.ts';
import type { Client } from './client.ts';
import { RateMeter } from './rate-meter.ts';
import {
  isResumable,
  lengthMismatch,
  nextStep,
  resumptionFields,
  type PartialFile,
} from './resumption.ts';
import { StallWatch } from './stall-watch.ts';

/** Where a download's bytes go. A promise is waited for: meanwhile the server is held up. */
export interface DownloadSink {
  /**
   * A server has answered, and the bytes that follow begin at `position`; if that is 0, `truncate(0)` comes next. What the server
   * said of the version is to be kept with a partial file, so that it can be added to later.
   */
  begin?(info: DownloadInfo, position: number): void | Promise<void>;
  /** Bytes for this position, which is where the last ended; they are given away. */
  write(chunk: Uint8Array, position: number): void | Promise<void>;
  /** Throws away all but the first so many bytes. */
  truncate(length: number): void | Promise<void>;
  /** All is there, of the right length and checksum. */
  finish(length: number): void | Promise<void>;
}

/** What a server has said of a file: the last of them to answer, after redirects. */
export interface DownloadInfo {
  readonly url: string;
  /** 200 or 203; 206 when a part is added to; 416 when nothing was missing any more. */
  readonly status: number;
  readonly headers: Headers;
  /** The media type with its parameters, as it was sent; undefined if the server does not say. */
  readonly contentType: string | undefined;
  /** When the file was last changed, in milliseconds since 1970; undefined if the server does not say. */
  readonly lastModified: number | undefined;
  readonly total: number | undefined;
  readonly validators: Validators;
}

/** Computes a checksum as bytes come. */
export interface DownloadChecksum {
  /** Begins anew with what the sink has up to this position, which may be 0. */
  restart(position: number): void | Promise<void>;
  update(chunk: Uint8Array): void;
  /** Whether it is the right one. */
  verify(): boolean | Promise<boolean>;
}

/** How far a download is. */
export interface DownloadProgress {
  /** Bytes that are there. */
  readonly position: number;
  /** Bytes there will be; undefined when the server does not say. */
  readonly total: number | undefined;
  /** Bytes a second over the last five seconds. */
  readonly rate: number;
}

/** What {@link download} takes beside the URL. */
export interface DownloadOptions extends Abortable {
  readonly client: Client;
  /** The host's. */
  readonly clock: Clock;
  readonly sink: DownloadSink;
  /** What the sink has from before. */
  readonly partial?: PartialFile;
  readonly checksum?: DownloadChecksum;
  readonly headers?: HeadersInit;
  /** Called after each write. */
  readonly progress?: (progress: DownloadProgress) => void;
  /** Milliseconds without a byte after which a server is given up. Default 30,000. */
  readonly stallTimeout?: number;
  /** How often in a row it is tried again without getting further than before. Default 4. */
  readonly retries?: number;
}

/** What {@link download} has done. */
export interface DownloadResult extends DownloadInfo {
  readonly length: number;
  /** Bytes of {@link DownloadOptions.partial} that were used. */
  readonly resumedFrom: number;
}

/** The rate is that of so many milliseconds. */
const RATE_WINDOW = 5_000;

/** Milliseconds before it is tried again: the first time, and at most. Doubled each time. */
const FIRST_DELAY = 500;
const LONGEST_DELAY = 10_000;

/** Errors of a connection that may go better the next time. */
const PASSING: ReadonlySet<string> = new Set([
  'CONNECTION_RESET',
  'HTTP_NO_RESPONSE',
  'HTTP_STALLED',
  'HTTP_TRUNCATED',
  'TIMEOUT',
]);

/**
 * Downloads a file, going on from a partial one where the server agrees that it is of the same version (`If-Range`), and
 * again after a connection that broke. The length is checked, and the checksum if there is one, before the sink is told to finish.
 */
export function download(url: string | URL, options: DownloadOptions): Promise<DownloadResult> {
  return new Download(url, options).run();
}

class Download {
  readonly #url: string | URL;
  readonly #options: DownloadOptions;
  readonly #stallTimeout: number;
  #part: PartialFile;
  /** Undefined until a server has answered. */
  #info: DownloadInfo | undefined;
  #resumedFrom: number;
  /** The furthest it ever got: only beyond that there is progress. */
  #furthest = 0;
  /** Up to where the checksum has been computed; -1 before it has begun. */
  #summed = -1;
  #meter: RateMeter;

  constructor(url: string | URL, options: DownloadOptions) {
    this.#url = url;
    this.#options = options;
    this.#stallTimeout = options.stallTimeout ?? 30_000;
    this.#part = options.partial ?? { position: 0, validators: {} };
    this.#resumedFrom = this.#part.position;
    this.#meter = new RateMeter(RATE_WINDOW, options.clock.now(), this.#part.position);
  }

  async run(): Promise<DownloadResult> {
    const retries = this.#options.retries ?? 4;
    let delay = FIRST_DELAY;
    for (let failures = 0; ;) {
      const before = this.#furthest;
      try {
        let info: DownloadInfo | undefined;
        while (info === undefined) info = await this.#ask();
        return await this.#finish(info);
      } catch (error) {
        if (!isPassing(error)) throw error;
        if (this.#furthest > before) {
          failures = 0;
          delay = FIRST_DELAY;
        }
        if (++failures > retries) throw error;
      }
      await this.#wait(delay);
      delay = Math.min(2 * delay, LONGEST_DELAY);
    }
  }

  /** Asks once for what is missing. Answers what the server said if nothing is missing any more. */
  async #ask(): Promise<DownloadInfo | undefined> {
    if (!isResumable(this.#part)) this.#part = { position: 0, validators: {} };
    const { client, signal } = this.#options;
    const watch = new StallWatch(this.#options.clock, this.#stallTimeout, signal);
    try {
      const headers = new Headers(this.#options.headers);
      for (const [name, value] of resumptionFields(this.#part)) headers.set(name, value);
      const response = await watch.during(
        client.fetch(this.#url, { headers, signal: watch.signal }),
      );
      return await this.#take(response, watch);
    } catch (error) {
      throw watch.reason(error);
    } finally {
      watch.end();
    }
  }

  async #take(response: Response, watch: StallWatch): Promise<DownloadInfo | undefined> {
    const { body } = response;
    try {
      const step = nextStep(response, this.#part);
      if (step.kind === 'body') {
        const info = await this.#begin(response, step.position, step.total);
        await this.#readBody(body, step.end, watch);
        return this.#isWhole(info) ? info : undefined;
      }
      const { position, validators } = this.#part;
      if (step.kind === 'complete') return describeFile(response, position, validators);
      this.#part = { position: 0, validators: {} };
      return undefined;
    } finally {
      // Read to its end it is not touched by this.
      await body?.cancel().catch(() => undefined);
    }
  }

  /** A range may be shorter than what was asked for; then the rest is asked for. */
  #isWhole({ total }: DownloadInfo): boolean {
    return total === undefined || this.#part.position >= total;
  }

  async #begin(
    response: Response,
    position: number,
    total: number | undefined,
  ): Promise<DownloadInfo> {
    const { sink, clock } = this.#options;
    const isResumed = position > 0;
    const known = this.#info?.total;
    if (isResumed && known !== undefined && known !== total) {
      throw lengthMismatch(`the same version had ${known} bytes before and has ${total} now`);
    }
    const validators = isResumed ? this.#part.validators : strongValidators(response.headers);
    const info = describeFile(response, total, validators);
    this.#info = info;
    this.#part = { position, validators };
    await sink.begin?.(info, position);
    if (!isResumed) {
      this.#resumedFrom = 0;
      await sink.truncate(0);
      this.#meter = new RateMeter(RATE_WINDOW, clock.now(), 0);
    }
    await this.#sum(position);
    return info;
  }

  async #readBody(
    body: ReadableStream<Uint8Array> | null,
    end: number | undefined,
    watch: StallWatch,
  ): Promise<void> {
    if (body !== null) await this.#readAll(body.getReader(), end, watch);
    const { position } = this.#part;
    if (end !== undefined && position < end) {
      throw new NetloomError('HTTP_TRUNCATED', `${end - position} bytes of the body are missing`, {
        remedy: 'Try again; what is there is kept.',
      });
    }
  }

  async #readAll(
    reader: ReadableStreamDefaultReader<Uint8Array>,
    end: number | undefined,
    watch: StallWatch,
  ): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await watch.during(reader.read());
        if (done) return;
        await this.#write(value, end);
      }
    } finally {
      reader.releaseLock();
    }
  }

  async #write(chunk: Uint8Array, end: number | undefined): Promise<void> {
    const { checksum, clock, progress, sink } = this.#options;
    const { position, validators } = this.#part;
    const after = position + chunk.length;
    if (end !== undefined && after > end) {
      throw lengthMismatch(`the body goes on after byte ${end}, where it was to end`);
    }
    checksum?.update(chunk);
    this.#summed = after;
    await sink.write(chunk, position);
    this.#part = { position: after, validators };
    this.#furthest = Math.max(this.#furthest, after);
    const now = clock.now();
    this.#meter.note(now, after);
    progress?.({ position: after, total: this.#info?.total, rate: this.#meter.rate(now, after) });
  }

  async #sum(position: number): Promise<void> {
    if (this.#summed !== position) await this.#options.checksum?.restart(position);
    this.#summed = position;
  }

  async #finish(info: DownloadInfo): Promise<DownloadResult> {
    const { checksum, sink } = this.#options;
    const { position } = this.#part;
    await this.#sum(position);
    if (checksum !== undefined && !(await checksum.verify())) {
      throw new NetloomError('HTTP_CHECKSUM_MISMATCH', `the checksum of ${info.url} is wrong`, {
        remedy: 'Check the checksum; if it is right, the file was changed: do not use it.',
      });
    }
    await sink.finish(position);
    return { ...info, length: position, resumedFrom: this.#resumedFrom };
  }

  #wait(delay: number): Promise<void> {
    const { clock, signal } = this.#options;
    return new Promise((resolve, reject) => {
      const timer = clock.timer(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      const onAbort = (): void => {
        timer.clear();
        reject(abortError(signal!, `the download of ${this.#url}`));
      };
      if (signal?.aborted) {
        onAbort();
      } else {
        signal?.addEventListener('abort', onAbort, { once: true });
        timer.set(clock.now() + delay);
      }
    });
  }
}

function describeFile(
  { url, status, headers }: Response,
  total: number | undefined,
  validators: Validators,
): DownloadInfo {
  // A part that is whole already is answered without the file's own fields; its date may be known from before.
  const changed = headers.get('last-modified') ?? validators.lastModified;
  return {
    url,
    status,
    headers,
    total,
    validators,
    contentType: headers.get('content-type') ?? undefined,
    lastModified: changed === undefined ? undefined : parseDate(changed),
  };
}

function isPassing(error: unknown): boolean {
  return error instanceof NetloomError && PASSING.has(error.code);
}
