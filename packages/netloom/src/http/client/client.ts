import { NetloomError, toNetloomError, withLimits, type Host } from '../../core/index.ts';
import { HTTP1_CLIENT_LIMITS, type ResponseHead } from '../http1/index.ts';
import { Fields, isIdempotent } from '../semantics/index.ts';
import { Attempt, type OutgoingRequest } from './attempt.ts';
import type { ClientConnection } from './connection.ts';
import { ConnectionPool, type ClientLimits } from './pool.ts';
import { isRedirect, redirectedRequest, type RedirectableRequest } from './redirect.ts';
import { requestBody, type RequestBody } from './request-body.ts';

/** The defaults. */
export const CLIENT_LIMITS: ClientLimits = {
  ...HTTP1_CLIENT_LIMITS,
  connectionsPerOrigin: 16,
  waiting: 1024,
  idleTimeout: 4_000,
  origins: 1024,
};

/** Redirects followed in a row (Fetch Standard, "HTTP-redirect fetch"). */
const MOST_REDIRECTS = 20;

/** The body of a redirect is read past if it is announced to be no longer; otherwise its connection is given up. */
const REDIRECT_BODY = 16 * 1024;

/** How long a request waits, in milliseconds. */
export interface RequestTimeouts {
  /** For the connection. */
  readonly connect?: number;
  /** From the end of the request to the response's head. */
  readonly response?: number;
  /** Without a byte of a body that is being read. */
  readonly body?: number;
}

/** What a client's `fetch` takes beside the URL; as the web's `RequestInit`, of which it has the part that is not about browsers. */
export interface ClientFetchOptions {
  readonly method?: string;
  readonly headers?: HeadersInit;
  readonly body?: BodyInit | null;
  readonly signal?: AbortSignal;
  /** Default `follow`. With `manual` the redirect itself is the answer. */
  readonly redirect?: RequestRedirect;
  readonly timeouts?: RequestTimeouts;
  /** Called with each interim response (1xx). */
  readonly informational?: (head: ResponseHead) => void;
}

/** What {@link createClient} takes. */
export interface ClientOptions {
  readonly host: Host;
  readonly limits?: Partial<ClientLimits>;
  /** The User-Agent of requests that have none. Default `netloom`. */
  readonly userAgent?: string;
}

/** An HTTP client: connections of one host, kept to be used again. */
export interface Client extends AsyncDisposable {
  /** As the web's `fetch`, on the client's host. Errors are named ones. A body that is not wanted is to be cancelled. */
  fetch(input: string | URL | Request, options?: ClientFetchOptions): Promise<Response>;
  /** Closes its connections, cutting off what is under way. Idempotent. */
  close(): Promise<void>;
}

/** A client on a host. */
export function createClient(options: ClientOptions): Client {
  return new HttpClient(options);
}

class HttpClient implements Client {
  readonly #host: Host;
  readonly #pool: ConnectionPool;
  readonly #userAgent: string;

  constructor({ host, limits, userAgent }: ClientOptions) {
    this.#host = host;
    this.#pool = new ConnectionPool(host, withLimits(CLIENT_LIMITS, limits));
    this.#userAgent = userAgent ?? 'netloom';
  }

  async fetch(input: string | URL | Request, options: ClientFetchOptions = {}): Promise<Response> {
    const request = platformRequest(input, options);
    const body = await requestBody(request, options.body);
    let current: RedirectableRequest = {
      method: request.method,
      url: new URL(request.url),
      headers: request.headers,
      hasBody: body !== undefined,
      isReplayable: body?.isReplayable ?? true,
    };
    const signal = options.signal ?? (input instanceof Request ? input.signal : undefined);
    for (let redirects = 0; ; redirects++) {
      checkScheme(current.url);
      const response = await this.#send(current, body, signal, options);
      const location = response.headers.get('location');
      if (request.redirect === 'manual' || !isRedirect(response.status, location)) {
        if (redirects > 0) Object.defineProperty(response, 'redirected', { value: true });
        return response;
      }
      await dispose(response);
      checkRedirect(request, redirects);
      current = redirectedRequest(current, response.status, location);
    }
  }

  close(): Promise<void> {
    this.#pool.close();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Sends the request, a second time if a connection that was kept turns out to have been closed by the server. */
  async #send(
    request: RedirectableRequest,
    body: RequestBody | undefined,
    signal: AbortSignal | undefined,
    { timeouts, informational }: ClientFetchOptions,
  ): Promise<Response> {
    const { method, url } = request;
    const outgoing: OutgoingRequest = {
      method,
      url,
      fields: this.#fields(request),
      body: request.hasBody ? body : undefined,
      signal,
      responseTimeout: timeouts?.response,
      bodyTimeout: timeouts?.body,
      informational,
    };
    const connect = {
      ...(signal === undefined ? {} : { signal }),
      ...(timeouts?.connect === undefined ? {} : { connectTimeout: timeouts.connect }),
    };
    const kept = await this.#pool.acquire(url, connect);
    const wasUsed = kept.uses > 0;
    let attempt: Attempt | undefined;
    try {
      attempt = this.#begin(kept, outgoing);
      return await attempt.response;
    } catch (error) {
      // RFC 9112, section 9.3.1: the server may have closed while the request was on its way; then it has not seen it.
      const mayRepeat = isIdempotent(method) && (!request.hasBody || request.isReplayable);
      if (!wasUsed || attempt?.wasSeen || !mayRepeat || !isClosedConnection(error)) throw error;
    }
    const fresh = await this.#pool.acquire(url, { ...connect, fresh: true });
    return this.#begin(fresh, outgoing).response;
  }

  #begin(connection: ClientConnection, request: OutgoingRequest): Attempt {
    if (!connection.isIdle) {
      throw new NetloomError('HTTP_NO_RESPONSE', `${request.url.origin} closed the connection`);
    }
    try {
      return new Attempt(connection, request, this.#host.clock);
    } catch (error) {
      // The request cannot be sent at all; the connection has seen nothing of it, but belongs to nobody any more.
      connection.close();
      throw error;
    }
  }

  #fields({ headers, url }: RedirectableRequest): Fields {
    const fields = new Fields();
    // RFC 9112, section 3.2: Host comes first.
    fields.append('host', headers.get('host') ?? url.host);
    for (const [name, value] of headers) if (name !== 'host') fields.append(name, value);
    if (!fields.has('accept')) fields.append('accept', '*/*');
    if (!fields.has('user-agent')) fields.append('user-agent', this.#userAgent);
    return fields;
  }
}

/** The platform's `Request`, which checks and completes what was given as the Fetch Standard says. */
function platformRequest(
  input: string | URL | Request,
  { method, headers, body, redirect }: ClientFetchOptions,
): Request {
  // `duplex` is the Fetch Standard's, and not yet in the platform's types.
  const init: RequestInit & { duplex?: 'half' } = {
    ...(method === undefined ? {} : { method }),
    ...(headers === undefined ? {} : { headers }),
    ...(body === undefined ? {} : { body, duplex: 'half' }),
    ...(redirect === undefined ? {} : { redirect }),
  };
  try {
    return new Request(input, init);
  } catch (thrown) {
    const what = `the request of ${input instanceof Request ? input.url : input}`;
    throw toNetloomError(thrown, 'HTTP_REQUEST_INVALID', what);
  }
}

function checkScheme(url: URL): void {
  if (url.protocol === 'http:') return;
  if (url.protocol === 'https:') {
    throw new NetloomError('TLS_UNAVAILABLE', `${url.href} needs TLS, which is not there yet`, {
      remedy: 'Use an http: URL.',
    });
  }
  throw new NetloomError('HTTP_URL_INVALID', `${url.href} is no http URL`);
}

function checkRedirect(request: Request, redirects: number): void {
  if (request.redirect === 'error') {
    throw new NetloomError('HTTP_REDIRECT_REFUSED', `${request.url} redirects`, {
      remedy: "Ask for redirect: 'follow', or use the URL redirected to.",
    });
  }
  if (redirects >= MOST_REDIRECTS) {
    throw new NetloomError(
      'HTTP_REDIRECT_LIMIT',
      `${request.url} leads to more than ${MOST_REDIRECTS} redirects`,
      { remedy: 'The server sends its clients in circles; tell its owner.' },
    );
  }
}

/** Gets rid of a response so that its connection can be used again, if that is cheap. */
async function dispose(response: Response): Promise<void> {
  if (response.body === null) return;
  const length = Number(response.headers.get('content-length') ?? Infinity);
  try {
    if (length <= REDIRECT_BODY) await response.arrayBuffer();
    else await response.body.cancel();
  } catch {
    // Its connection is gone with it, which is all that was to be known.
  }
}

function isClosedConnection(error: unknown): boolean {
  return (
    error instanceof NetloomError &&
    (error.code === 'HTTP_NO_RESPONSE' || error.code === 'CONNECTION_RESET')
  );
}
