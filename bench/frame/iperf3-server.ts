import type { Connection, Host, Listener } from 'netloom/core';

/** The states of a test, as iperf3 sends them in one byte over its control connection (iperf 3, `src/iperf_api.h`). */
const State = {
  TEST_START: 1,
  TEST_RUNNING: 2,
  TEST_END: 4,
  PARAMETER_EXCHANGE: 9,
  CREATE_STREAMS: 10,
  EXCHANGE_RESULTS: 13,
  DISPLAY_RESULTS: 14,
  IPERF_DONE: 16,
} as const;

/** What every connection of a client begins with: it tells which test it belongs to. */
const COOKIE_LENGTH = 37;

/** What the client asks for; the fields used here. */
interface Parameters {
  readonly parallel?: number;
  /** The server sends. */
  readonly reverse?: boolean;
  readonly len?: number;
}

/**
 * A server for the `iperf3` program on any Host, so that the kernel's TCP can be measured against ours: one test at a time,
 * TCP, either direction. Enough of its protocol to satisfy version 3.12; the figures quoted are the client's own.
 */
export async function iperf3Server(host: Host, port: number): Promise<Listener> {
  let test: Test | undefined;
  return host.listen({
    port,
    accept(connection) {
      const reader = new Incoming(connection);
      reader.want(COOKIE_LENGTH, () => {
        if (test === undefined || test.isOver) test = new Test(connection, reader);
        else test.addStream(connection, reader);
      });
    },
  });
}

/** One run of a client. */
class Test {
  isOver = false;
  readonly #control: Connection;
  readonly #reader: Incoming;
  #parameters: Parameters = {};
  readonly #streams: Stream[] = [];

  constructor(control: Connection, reader: Incoming) {
    this.#control = control;
    this.#reader = reader;
    reader.closed = () => this.#end();
    this.#send(State.PARAMETER_EXCHANGE);
    reader.wantJson((parameters) => {
      this.#parameters = parameters as Parameters;
      this.#send(State.CREATE_STREAMS);
    });
  }

  addStream(connection: Connection, reader: Incoming): void {
    this.#streams.push(new Stream(connection, reader, this.#parameters));
    if (this.#streams.length < (this.#parameters.parallel ?? 1)) return;
    this.#send(State.TEST_START);
    this.#send(State.TEST_RUNNING);
    for (const stream of this.#streams) stream.run();
    this.#reader.want(1, () => this.#exchangeResults());
  }

  #exchangeResults(): void {
    // The client reads its streams to their end before it goes on.
    for (const stream of this.#streams) stream.close();
    this.#send(State.EXCHANGE_RESULTS);
    this.#reader.wantJson(() => {
      this.#sendJson(this.#results());
      this.#send(State.DISPLAY_RESULTS);
      this.#reader.want(1, () => this.#end());
    });
  }

  #results(): unknown {
    return {
      cpu_util_total: 0,
      cpu_util_user: 0,
      cpu_util_system: 0,
      sender_has_retransmits: 0,
      streams: this.#streams.map(({ bytes }, index) => ({
        // iperf3 numbers the first stream 1, and, for reasons of its own, the second 3.
        id: index === 0 ? 1 : index + 2,
        bytes,
        retransmits: -1,
        jitter: 0,
        errors: 0,
        packets: 0,
      })),
    };
  }

  #end(): void {
    if (this.isOver) return;
    this.isOver = true;
    for (const stream of this.#streams) stream.close();
    void this.#control.close();
  }

  #send(state: number): void {
    this.#control.write(Uint8Array.of(state));
  }

  #sendJson(value: unknown): void {
    const text = new TextEncoder().encode(JSON.stringify(value));
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, text.length);
    this.#control.write(length);
    this.#control.write(text);
  }
}

/** A data connection: counts what comes, or sends as fast as it is taken. */
class Stream {
  bytes = 0;
  readonly #connection: Connection;
  readonly #sends: boolean;
  readonly #chunk: Uint8Array;
  #running = false;

  constructor(connection: Connection, reader: Incoming, parameters: Parameters) {
    this.#connection = connection;
    this.#sends = parameters.reverse ?? false;
    this.#chunk = new Uint8Array(Math.max(65_536, parameters.len ?? 131_072));
    reader.stop();
    connection.start({
      data: (bytes) => {
        this.bytes += bytes.length;
      },
      drain: () => this.#pour(),
      closed: () => this.stop(),
    });
  }

  run(): void {
    this.#running = true;
    if (this.#sends) this.#pour();
  }

  stop(): void {
    this.#running = false;
  }

  /** Sends what has been written, then ends. */
  close(): void {
    this.stop();
    void this.#connection.close();
  }

  #pour(): void {
    while (this.#running) {
      this.bytes += this.#chunk.length;
      if (!this.#connection.write(this.#chunk)) return;
    }
  }
}

/** Collects bytes of a connection until as many are there as are waited for. */
class Incoming {
  closed: () => void = () => undefined;
  #held = new Uint8Array(0);
  #wanted = Infinity;
  #then: (bytes: Uint8Array) => void = () => undefined;

  constructor(connection: Connection) {
    connection.start({
      data: (bytes) => {
        const joined = new Uint8Array(this.#held.length + bytes.length);
        joined.set(this.#held);
        joined.set(bytes, this.#held.length);
        this.#held = joined;
        this.#check();
      },
      end: () => this.closed(),
      closed: () => this.closed(),
    });
  }

  want(count: number, then: (bytes: Uint8Array) => void): void {
    this.#wanted = count;
    this.#then = then;
    this.#check();
  }

  /** Four bytes of length, then JSON. */
  wantJson(then: (value: unknown) => void): void {
    this.want(4, (length) => {
      const count = new DataView(length.buffer, length.byteOffset).getUint32(0);
      this.want(count, (text) => then(JSON.parse(new TextDecoder().decode(text))));
    });
  }

  /** Another handler takes over. */
  stop(): void {
    this.#wanted = Infinity;
  }

  #check(): void {
    if (this.#held.length < this.#wanted) return;
    const bytes = this.#held.slice(0, this.#wanted);
    this.#held = this.#held.slice(this.#wanted);
    this.#wanted = Infinity;
    this.#then(bytes);
  }
}
