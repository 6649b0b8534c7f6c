/** A client's engine and a server's, joined in memory; time stands still unless it is moved. */
import { withLimits, type NetloomError } from '../../../src/core/index.ts';
import {
  HTTP2_CLIENT_LIMITS,
  HTTP2_SERVER_LIMITS,
  Http2Client,
  Http2Server,
  type Http2ClientLimits,
  type Http2ServerExchange,
  type Http2ServerLimits,
  type Http2Sink,
} from '../../../src/http/http2/index.ts';

/** The value of Date fields in tests. */
export const DATE = 'Sun, 06 Nov 1994 08:49:37 GMT';

/** One direction of a connection: bytes that were written and have not arrived yet. */
export class Pipe implements Http2Sink {
  readonly #chunks: Uint8Array[] = [];
  /** Bytes on their way before `write` asks to wait. */
  capacity = Infinity;
  length = 0;
  closed = false;
  aborted: NetloomError | undefined;

  write(bytes: Uint8Array): boolean {
    if (this.closed) throw new Error('written after close');
    this.#chunks.push(bytes);
    this.length += bytes.length;
    return this.length < this.capacity;
  }

  close(): void {
    this.closed = true;
  }

  abort(error: NetloomError): void {
    this.closed = true;
    this.aborted = error;
  }

  /** Takes at most so many bytes out of it: a copy, the caller's own. */
  take(most = Infinity): Uint8Array {
    const out = new Uint8Array(Math.min(most, this.length));
    let at = 0;
    while (at < out.length) {
      const first = this.#chunks[0]!;
      const part = first.subarray(0, out.length - at);
      out.set(part, at);
      at += part.length;
      if (part.length === first.length) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(part.length);
    }
    this.length -= out.length;
    return out;
  }
}

/** What a {@link Pair} is made from. */
export interface PairOptions {
  readonly server?: Partial<Http2ServerLimits>;
  readonly client?: Partial<Http2ClientLimits>;
  readonly connectProtocol?: boolean;
  request(exchange: Http2ServerExchange): void;
}

/** Two engines and what is on its way between them. */
export class Pair {
  readonly toServer: Pipe = new Pipe();
  readonly toClient: Pipe = new Pipe();
  readonly server: Http2Server;
  readonly client: Http2Client;
  readonly log: string[] = [];
  now = 0;

  constructor(options: PairOptions) {
    this.server = new Http2Server({
      sink: this.toClient,
      limits: withLimits(HTTP2_SERVER_LIMITS, options.server),
      connectProtocol: options.connectProtocol ?? false,
      date: () => DATE,
      now: 0,
      handler: {
        request: (exchange) => options.request(exchange),
        refused: (fault) => this.log.push(`server refused ${fault}`),
      },
    });
    this.client = new Http2Client({
      sink: this.toServer,
      limits: withLimits(HTTP2_CLIENT_LIMITS, options.client),
      now: 0,
      handler: {
        available: () => undefined,
        draining: () => this.log.push('client draining'),
        closed: (error) => this.log.push(`client closed ${error?.code ?? '-'}`),
        refused: (fault) => this.log.push(`client refused ${fault}`),
      },
    });
  }

  /** Lets at most so many bytes arrive at the server; answers whether there were any. */
  carryToServer(most = Infinity): boolean {
    const bytes = this.toServer.take(most);
    if (bytes.length === 0) return false;
    this.server.receive(bytes, this.now);
    bytes.fill(0xee);
    if (this.toServer.length < this.toServer.capacity) this.client.drained(this.now);
    return true;
  }

  /** The same for the client. */
  carryToClient(most = Infinity): boolean {
    const bytes = this.toClient.take(most);
    if (bytes.length === 0) return false;
    this.client.receive(bytes, this.now);
    bytes.fill(0xee);
    if (this.toClient.length < this.toClient.capacity) this.server.drained(this.now);
    return true;
  }

  /** Lets everything arrive, in pieces of at most so many bytes, until nothing is on its way. */
  settle(most = Infinity): void {
    for (let rounds = 0; ; rounds++) {
      const moved = this.carryToServer(most);
      if (!this.carryToClient(most) && !moved) return;
      if (rounds > 1_000_000) throw new Error('they never stop talking');
    }
  }
}
