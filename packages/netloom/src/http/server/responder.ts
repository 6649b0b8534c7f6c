import { NetloomError, type Clock } from '../../core/index.ts';
import { Fields } from '../semantics/index.ts';

/** Where a {@link Response} is sent: an exchange of an engine, with the time filled in. */
export interface ResponseTarget {
  readonly method: string;
  /** The exchange is over, with an error or not. */
  readonly closed: boolean;
  /** Calls back if the exchange ends before its response does; at once if it has. */
  whenCut(listener: () => void): void;
  /** `reason` is empty for the usual one. */
  respond(status: number, fields: Fields, length: number | undefined, reason: string): void;
  /** False: wait for {@link room}. */
  write(chunk: Uint8Array): boolean;
  /** Settled when there is room, or when the exchange is over. */
  room(): Promise<void>;
  end(): void;
}

/** Sends the response, its length announced if it is known. Rejects if the response is at fault. */
export async function sendResponse(
  response: Response,
  target: ResponseTarget,
  clock: Clock,
): Promise<void> {
  const fields = Fields.from(response.headers);
  const declared = declaredLength(fields);
  const send = (length: number | undefined): void =>
    target.respond(response.status, fields, length, response.statusText);
  if (response.body === null || target.method === 'HEAD') {
    send(declared ?? (response.body === null && target.method !== 'HEAD' ? 0 : undefined));
    target.end();
    await response.body?.cancel();
    return;
  }
  const reader = response.body.getReader();
  const cancel = (reason?: unknown): void => void reader.cancel(reason).catch(() => undefined);
  // Not only found out by the next write: a source may wait for long before it has something to send.
  target.whenCut(() => cancel());
  try {
    await sendBody(new Lookahead(reader, clock), declared, send, target);
  } catch (error) {
    cancel(error);
    throw error;
  }
}

async function sendBody(
  body: Lookahead,
  declared: number | undefined,
  send: (length: number | undefined) => void,
  target: ResponseTarget,
): Promise<void> {
  send(declared ?? (await body.knownLength()));
  for (;;) {
    const chunk = await body.next();
    if (chunk === undefined || target.closed) break;
    if (!target.write(chunk)) await target.room();
  }
  if (!target.closed) target.end();
}

function declaredLength(fields: Fields): number | undefined {
  const value = fields.get('content-length');
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

/** Reads a body, looking ahead one chunk at its beginning: most bodies are one chunk, whose length can then be announced. */
class Lookahead {
  readonly #reader: ReadableStreamDefaultReader<unknown>;
  readonly #clock: Clock;
  readonly #ahead: Promise<ReadableStreamReadResult<unknown>>[] = [];

  constructor(reader: ReadableStreamDefaultReader<unknown>, clock: Clock) {
    this.#reader = reader;
    this.#clock = clock;
  }

  /** The body's length if it has one chunk at most, and that is known in this turn of the loop; otherwise undefined. */
  async knownLength(): Promise<number | undefined> {
    const first = await this.#lookAhead();
    if (first.done) return 0;
    const later = new Promise<undefined>((resolve) => {
      this.#clock.defer(() => resolve(undefined));
    });
    const second = await Promise.race([this.#lookAhead(), later]);
    return second?.done ? asBytes(first.value).length : undefined;
  }

  /** The next chunk; undefined at the end. */
  async next(): Promise<Uint8Array | undefined> {
    const { done, value } = await (this.#ahead.shift() ?? this.#reader.read());
    return done ? undefined : asBytes(value);
  }

  #lookAhead(): Promise<ReadableStreamReadResult<unknown>> {
    const read = this.#reader.read();
    this.#ahead.push(read);
    return read;
  }
}

function asBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  throw new NetloomError(
    'HTTP_RESPONSE_INVALID',
    'the body of the response gave a chunk that is no Uint8Array',
    {
      remedy: 'Encode text first, as with TextEncoderStream.',
    },
  );
}
