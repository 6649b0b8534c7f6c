import { NetloomError, abortError, toNetloomError, type Clock } from '../../core/index.ts';
import { BodyStream } from '../body-stream.ts';
import type { BodyFraming, ClientExchange, ResponseHead } from '../http1/index.ts';
import type { Fields } from '../semantics/index.ts';
import type { ClientConnection } from './connection.ts';
import type { RequestBody } from './request-body.ts';

/** A request as it goes to one server. */
export interface OutgoingRequest {
  readonly method: string;
  readonly url: URL;
  readonly fields: Fields;
  readonly body: RequestBody | undefined;
  readonly signal: AbortSignal | undefined;
  readonly responseTimeout?: number | undefined;
  readonly bodyTimeout?: number | undefined;
  /** Called with each interim response. */
  readonly informational?: ((head: ResponseHead) => void) | undefined;
}

/** One request on one connection, up to its response or an error. */
export class Attempt {
  readonly #connection: ClientConnection;
  readonly #request: OutgoingRequest;
  readonly #clock: Clock;
  readonly #response = Promise.withResolvers<Response>();
  readonly #exchange: ClientExchange;
  #body: BodyStream | undefined;
  #room: PromiseWithResolvers<void> | undefined;
  /** What reads the request's body, while it is a stream. */
  #source: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #closed = false;

  /** Begins at once. Throws if the request cannot be sent. */
  constructor(connection: ClientConnection, request: OutgoingRequest, clock: Clock) {
    this.#connection = connection;
    this.#request = request;
    this.#clock = clock;
    const { method, url, fields, body, responseTimeout, bodyTimeout } = request;
    const length = body === undefined ? 0 : body.length;
    const target = url.pathname + url.search;
    this.#exchange = connection.request(
      { method, target, fields, length, responseTimeout, bodyTimeout },
      {
        informational: (head) => request.informational?.(head),
        response: (head, framing) => this.#respond(head, framing),
        data: (chunk) => this.#body?.data(chunk),
        end: () => this.#body?.end(),
        drain: () => this.#room?.resolve(),
        closed: (error) => this.#over(error),
      },
    );
    request.signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (request.signal?.aborted) this.#onAbort();
    else void this.#send(body);
  }

  /** Settled with the response's head; its body follows. */
  get response(): Promise<Response> {
    return this.#response.promise;
  }

  /** The server has seen the request: it has answered something. */
  get wasSeen(): boolean {
    return this.#exchange.responseBegun;
  }

  readonly #onAbort = (): void => {
    this.#abort(abortError(this.#request.signal!, `the request of ${this.#request.url.href}`));
  };

  #abort(error: NetloomError): void {
    this.#body?.abort(error);
    this.#connection.input(() => this.#exchange.abort(error, this.#clock.now()));
  }

  #respond(head: ResponseHead, framing: BodyFraming): void {
    this.#connection.noteKeepAlive(head.fields.get('keep-alive'));
    const { url } = this.#request;
    const exchange = this.#exchange;
    // A 205 has no content (RFC 9110, section 15.3.6), and the web's Response takes none with it; what comes is read past.
    if (framing !== 0 && head.status !== 205) {
      this.#body = new BodyStream({
        read: () => this.#connection.input(() => exchange.read(this.#clock.now())),
        pause: () => this.#connection.input(() => exchange.pause(this.#clock.now())),
        cancel: (reason) => this.#abort(cancelled(url, reason)),
      });
    }
    try {
      this.#response.resolve(toResponse(head, this.#body?.stream, url));
    } catch (thrown) {
      this.#abort(toNetloomError(thrown, 'HTTP_UNSUPPORTED', `the response of ${url.href}`));
    }
  }

  #over(error: NetloomError | undefined): void {
    this.#closed = true;
    this.#request.signal?.removeEventListener('abort', this.#onAbort);
    this.#room?.resolve();
    this.#cancelSource();
    if (error === undefined) return;
    this.#response.reject(error);
    this.#body?.fail(error);
  }

  async #send(body: RequestBody | undefined): Promise<void> {
    try {
      const opened = body?.open();
      if (opened instanceof Uint8Array) await this.#write(opened);
      else if (opened !== undefined) await this.#pump(opened.getReader());
      this.#connection.input(() => this.#exchange.end(this.#clock.now()));
    } catch (thrown) {
      const what = `the body of the request of ${this.#request.url.href}`;
      this.#abort(toNetloomError(thrown, 'HTTP_REQUEST_BODY_FAILED', what));
    }
  }

  async #pump(source: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    this.#source = source;
    if (this.#closed) this.#cancelSource();
    try {
      for (;;) {
        const { done, value } = await source.read();
        if (done || this.#closed) break;
        await this.#write(value);
      }
    } finally {
      this.#cancelSource();
    }
  }

  /** Tells the source that nobody wants the rest; after its end that does nothing. A read under way ends with it. */
  #cancelSource(): void {
    void this.#source?.cancel().catch(() => undefined);
  }

  async #write(chunk: Uint8Array): Promise<void> {
    if (!(chunk instanceof Uint8Array)) {
      throw new NetloomError('HTTP_REQUEST_INVALID', 'the body gave a chunk that is no Uint8Array');
    }
    const hasRoom = this.#connection.input(() => this.#exchange.write(chunk, this.#clock.now()));
    if (hasRoom || this.#closed) return;
    this.#room = Promise.withResolvers();
    await this.#room.promise;
  }
}

/** The web's `Response`; its body is a stream that holds the server up when it is not read. */
function toResponse(
  head: ResponseHead,
  body: ReadableStream<Uint8Array<ArrayBuffer>> | undefined,
  url: URL,
): Response {
  const headers = new Headers();
  for (const [name, value] of head.fields) headers.append(name, value);
  const { status, reason } = head;
  const response = new Response(body ?? null, { status, statusText: reason, headers });
  // The platform sets it for its own fetch only.
  const withoutFragment = url.href.split('#', 1)[0];
  Object.defineProperty(response, 'url', { value: withoutFragment, enumerable: true });
  return response;
}

function cancelled(url: URL, reason: unknown): NetloomError {
  return new NetloomError('ABORTED', `the body of ${url.href} was cancelled`, { cause: reason });
}
