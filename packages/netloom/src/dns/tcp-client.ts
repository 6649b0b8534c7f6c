import {
  ByteGatherer,
  type Clock,
  type Connection,
  type SocketAddress,
  type Timer,
} from '../core/index.ts';
import type { DnsClient } from './exchange.ts';
import type { DnsServiceLimits } from './limits.ts';
import { framed, takeMessages } from './upstream.ts';

/** What a {@link TcpClient} calls. */
export interface TcpClientSink {
  /** The client asks: borrowed. */
  query(bytes: Uint8Array, client: DnsClient): void;
  closed(client: TcpClient): void;
}

/**
 * A client's TCP connection, by which it may ask many questions before the first is answered (RFC 7766, section 6.2.1). It is read no further
 * while too many wait, or while the client does not take its answers.
 */
export class TcpClient {
  readonly remote: SocketAddress;
  readonly #connection: Connection;
  readonly #limits: DnsServiceLimits;
  readonly #sink: TcpClientSink;
  readonly #clock: Clock;
  readonly #gatherer = new ByteGatherer();
  readonly #idle: Timer;
  /** Questions without an answer. */
  #waiting = 0;
  #isFull = false;
  #hasEnded = false;
  #isPaused = false;

  constructor(connection: Connection, clock: Clock, limits: DnsServiceLimits, sink: TcpClientSink) {
    this.remote = connection.remote;
    this.#connection = connection;
    this.#limits = limits;
    this.#sink = sink;
    this.#clock = clock;
    this.#idle = clock.timer(() => this.close());
    this.#watch();
    connection.start({
      data: (chunk) => this.#receive(chunk),
      end: () => {
        this.#hasEnded = true;
        this.#settle();
      },
      drain: () => {
        this.#isFull = false;
        this.#settle();
      },
      closed: () => {
        this.#idle.clear();
        sink.closed(this);
      },
    });
  }

  /** Finishes and ends. */
  close(): void {
    this.#idle.clear();
    void this.#connection.close();
  }

  #receive(chunk: Uint8Array): void {
    this.#watch();
    this.#gatherer.feed(chunk);
    // What one chunk holds is taken whole; a limit on it is that of the transport's buffers.
    takeMessages(this.#gatherer, (bytes) => this.#query(bytes));
    this.#settle();
  }

  #query(bytes: Uint8Array): void {
    this.#waiting++;
    this.#sink.query(bytes, {
      remote: this.remote,
      transport: 'tcp',
      respond: (message) => {
        if (!this.#connection.write(framed(message))) this.#isFull = true;
        this.#done();
      },
      dropped: () => this.#done(),
    });
  }

  #done(): void {
    this.#waiting--;
    this.#watch();
    this.#settle();
  }

  /** Reads on or waits; ends, when the client has ended and has all its answers. */
  #settle(): void {
    if (this.#hasEnded && this.#waiting === 0) {
      this.#connection.end();
      return;
    }
    const waits = this.#isFull || this.#waiting >= this.#limits.questionsPerConnection;
    if (waits === this.#isPaused) return;
    this.#isPaused = waits;
    if (waits) this.#connection.pause();
    else this.#connection.resume();
  }

  #watch(): void {
    this.#idle.set(this.#clock.now() + this.#limits.idle);
  }
}
