import {
  ByteGatherer,
  IpAddress,
  concatBytes,
  isSameSocketAddress,
  readUint16,
  writeUint16,
  type Connection,
  type DatagramSocket,
  type Host,
} from '../core/index.ts';
import type { DnsExchange } from './exchange.ts';

/** Told what becomes of an exchange. */
export interface UpstreamSink {
  /** Something has come from the server: borrowed. */
  answered(exchange: DnsExchange, bytes: Uint8Array): void;
  /** The server cannot be reached. */
  failed(exchange: DnsExchange): void;
}

/**
 * One question on its way to one server, over any host: by UDP from a socket of its own, whose port the host has chosen, so that who is to
 * forge an answer has to guess that too (RFC 5452, section 9.2); or by a TCP connection.
 */
export class UpstreamExchange {
  readonly #exchange: DnsExchange;
  readonly #sink: UpstreamSink;
  readonly #aborter = new AbortController();
  #socket: DatagramSocket | undefined;
  #connection: Connection | undefined;
  #isEnded = false;

  constructor(via: Host, exchange: DnsExchange, sink: UpstreamSink) {
    this.#exchange = exchange;
    this.#sink = sink;
    const asking = exchange.transport === 'udp' ? this.#askByUdp(via) : this.#askByTcp(via);
    asking.catch(() => this.#fail());
  }

  /** Gives it up. Idempotent. */
  end(): void {
    this.#isEnded = true;
    this.#aborter.abort();
    void this.#socket?.close();
    this.#connection?.abort();
  }

  async #askByUdp(via: Host): Promise<void> {
    const { server, message } = this.#exchange;
    const { signal } = this.#aborter;
    const address = server.address.family === 4 ? IpAddress.ANY4 : IpAddress.ANY6;
    const socket = await via.bind({ address, signal });
    this.#socket = socket;
    if (this.#isEnded) {
      void socket.close();
      return;
    }
    socket.start({
      receive: (batch) => {
        for (const { data, remote } of batch) {
          if (this.#isEnded || !isSameSocketAddress(remote, server)) continue;
          this.#sink.answered(this.#exchange, data);
        }
      },
      error: () => this.#fail(),
      closed: () => this.#fail(),
    });
    socket.send([{ data: message, remote: server }]);
  }

  async #askByTcp(via: Host): Promise<void> {
    const { server, message } = this.#exchange;
    const { address: host, port } = server;
    const connection = await via.connect({ host, port, signal: this.#aborter.signal });
    this.#connection = connection;
    if (this.#isEnded) {
      connection.abort();
      return;
    }
    const gatherer = new ByteGatherer();
    connection.start({
      data: (chunk) => {
        gatherer.feed(chunk);
        takeMessages(gatherer, (bytes) => this.#sink.answered(this.#exchange, bytes));
      },
      end: () => this.#fail(),
      closed: () => this.#fail(),
    });
    connection.write(framed(message));
  }

  #fail(): void {
    if (this.#isEnded) return;
    this.end();
    this.#sink.failed(this.#exchange);
  }
}

/** The message with its length before it, as TCP carries it (RFC 1035, section 4.2.2): in one piece (RFC 7766, section 8). */
export function framed(message: Uint8Array): Uint8Array {
  const length = new Uint8Array(2);
  writeUint16(length, 0, message.length);
  return concatBytes([length, message]);
}

/** Hands on each message that is whole, borrowed, until `take` answers false. What is left waits for more bytes. */
export function takeMessages(
  gatherer: ByteGatherer,
  take: (message: Uint8Array) => boolean | void,
): void {
  for (;;) {
    const header = gatherer.peek(2);
    if (header === undefined) return;
    const length = 2 + readUint16(header, 0);
    const whole = gatherer.peek(length);
    if (whole === undefined) return;
    const goesOn = take(whole.subarray(2));
    gatherer.consume(length);
    if (goesOn === false) return;
  }
}
