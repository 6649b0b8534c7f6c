/** A peer of an HTTP/2 engine that sends whatever frames a test makes, and tells in words what comes back. */
import { concatBytes, withLimits, writeUint32 } from '../../../src/core/index.ts';
import { HpackDecoder, HpackEncoder } from '../../../src/http/hpack/index.ts';
import {
  CLIENT_PREFACE,
  FrameFlag,
  FrameReader,
  FrameType,
  HTTP2_CLIENT_LIMITS,
  HTTP2_SERVER_LIMITS,
  Http2Client,
  Http2Server,
  SettingId,
  errorCodeName,
  frameTypeName,
  type Http2ClientLimits,
  type Http2ServerExchange,
  type Http2ServerLimits,
} from '../../../src/http/http2/index.ts';
import { latin1 } from '../messages.ts';
import { DATE, Pipe } from './pair.ts';

/** A frame, whatever its parts are. */
export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array | readonly number[] = [],
): Uint8Array {
  const bytes = new Uint8Array(9 + payload.length);
  bytes[0] = payload.length >>> 16;
  bytes[1] = payload.length >>> 8;
  bytes[2] = payload.length;
  bytes[3] = type;
  bytes[4] = flags;
  writeUint32(bytes, 5, streamId);
  bytes.set(payload, 9);
  return bytes;
}

/** Numbers of 32 bits, one after the other. */
export function words(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  for (const [index, value] of values.entries()) writeUint32(bytes, 4 * index, value);
  return bytes;
}

/** The payload of a SETTINGS frame. */
export function settings(...pairs: readonly (readonly [number, number])[]): Uint8Array {
  return concatBytes(pairs.map(([id, value]) => Uint8Array.of(id >>> 8, id, ...words(value))));
}

/** The fields of a GET. */
export const GET: readonly (readonly [string, string])[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'h'],
];

/** The fields of a POST. */
export const POST: readonly (readonly [string, string])[] = [[':method', 'POST'], ...GET.slice(1)];

export const END_STREAM: number = FrameFlag.END_STREAM;
export const END_HEADERS: number = FrameFlag.END_HEADERS;
export const WHOLE: number = END_STREAM | END_HEADERS;

/** Makes header blocks and frames of them. */
export class Frames {
  readonly #encoder = new HpackEncoder();

  block(fields: Iterable<readonly [string, string]>): Uint8Array {
    const bytes = new Uint8Array(400_000);
    let at = this.#encoder.begin(bytes, 0);
    for (const [name, value] of fields) at = this.#encoder.field(bytes, at, name, value);
    return bytes.slice(0, at);
  }

  headers(
    streamId: number,
    fields: Iterable<readonly [string, string]> = GET,
    flags: number = WHOLE,
  ): Uint8Array {
    return frame(FrameType.HEADERS, flags, streamId, this.block(fields));
  }

  data(streamId: number, text: string, flags = 0): Uint8Array {
    return frame(FrameType.DATA, flags, streamId, latin1(text));
  }

  /** What begins a connection: the client's preface and settings, and the acknowledgement of the server's. */
  preface(...pairs: readonly (readonly [number, number])[]): Uint8Array {
    return concatBytes([
      latin1(CLIENT_PREFACE),
      frame(FrameType.SETTINGS, 0, 0, settings(...pairs)),
      frame(FrameType.SETTINGS, FrameFlag.ACK, 0),
    ]);
  }
}

/** Tells frames in words, as `HEADERS 1 :status=200` or `RST_STREAM 1 CANCEL`. */
export class FrameTeller {
  readonly #reader: FrameReader;
  readonly #decoder = new HpackDecoder();
  #flags = 0;
  #dataLength = 0;

  constructor(expectsPreface: boolean) {
    this.#reader = new FrameReader(expectsPreface, 2 ** 24 - 1);
  }

  tell(bytes: Uint8Array): string[] {
    const lines: string[] = [];
    this.#reader.feed(bytes);
    for (;;) {
      const event = this.#reader.next();
      if (event === 'more') return lines;
      const line = this.#line(event);
      if (line !== undefined) lines.push(line);
    }
  }

  #line(event: string): string | undefined {
    const { type, flags, streamId, payload, length } = this.#reader;
    if (event === 'fault') throw new Error(`the engine has sent nonsense: ${this.#reader.fault}`);
    if (event === 'frame') return this.#frame();
    const name = `${frameTypeName(type)} ${streamId}`;
    if (event === 'begin') {
      if (type !== FrameType.CONTINUATION) this.#flags = flags;
      this.#dataLength = length;
    } else if (event === 'piece' && type !== FrameType.DATA) {
      this.#decoder.read(payload);
    } else if (event === 'end') {
      const end = (this.#flags & FrameFlag.END_STREAM) === 0 ? '' : ' END';
      if (type === FrameType.DATA) return `${name} ${this.#dataLength}${end}`;
      if ((flags & FrameFlag.END_HEADERS) === 0) return undefined;
      this.#decoder.end();
      const first = this.#decoder.list[0]!;
      return `HEADERS ${streamId} ${first.name}=${first.value}${end}`;
    }
    return undefined;
  }

  #frame(): string {
    const { type, flags, streamId, payload } = this.#reader;
    const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
    const name = frameTypeName(type);
    switch (type) {
      case FrameType.SETTINGS:
        return (flags & FrameFlag.ACK) === 0 ? name : `${name} ACK`;
      case FrameType.PING:
        return (flags & FrameFlag.ACK) === 0 ? name : `${name} ACK`;
      case FrameType.RST_STREAM:
        return `${name} ${streamId} ${errorCodeName(view.getUint32(0))}`;
      case FrameType.GOAWAY:
        return `${name} ${view.getUint32(0)} ${errorCodeName(view.getUint32(4))}`;
      case FrameType.WINDOW_UPDATE:
        return `${name} ${streamId} ${view.getUint32(0)}`;
      default:
        return `${name} ${streamId}`;
    }
  }
}

/** A server's engine and a raw client. */
export class RawClient {
  readonly frames: Frames = new Frames();
  readonly pipe: Pipe = new Pipe();
  readonly server: Http2Server;
  readonly exchanges: Http2ServerExchange[] = [];
  readonly refused: string[] = [];
  /** What the handlers of exchanges were told: `1 data 4`, `1 end`, `1 closed -`. */
  readonly log: string[] = [];
  readonly #teller = new FrameTeller(false);
  now = 0;

  constructor(
    limits: Partial<Http2ServerLimits> = {},
    serve: (exchange: Http2ServerExchange) => void = () => undefined,
    connectProtocol = false,
  ) {
    this.server = new Http2Server({
      sink: this.pipe,
      limits: withLimits(HTTP2_SERVER_LIMITS, limits),
      date: () => DATE,
      connectProtocol,
      now: 0,
      handler: {
        request: (exchange) => {
          this.#start(exchange);
          serve(exchange);
        },
        refused: (fault) => this.refused.push(fault),
      },
    });
  }

  #start(exchange: Http2ServerExchange): void {
    const { id } = exchange.stream;
    this.exchanges.push(exchange);
    exchange.start({
      data: (chunk) => this.log.push(`${id} data ${chunk.length}`),
      end: (trailers) => this.log.push(`${id} end${[...(trailers ?? [])].map((t) => ` ${t}`)}`),
      drain: () => this.log.push(`${id} drain`),
      closed: (error) => this.log.push(`${id} closed ${error?.code ?? '-'}`),
    });
  }

  /** Begins the connection, and forgets what the server says to that. */
  begin(...pairs: readonly (readonly [number, number])[]): this {
    this.send(this.frames.preface(...pairs));
    return this;
  }

  /** Sends bytes, borrowed as those of a connection are; answers what the server says to them. */
  send(...parts: readonly Uint8Array[]): string[] {
    const borrowed = concatBytes(parts);
    this.server.receive(borrowed, this.now);
    borrowed.fill(0xee);
    return this.heard();
  }

  /** Lets time pass. */
  wait(milliseconds: number): string[] {
    const until = this.now + milliseconds;
    while (this.server.deadline() <= until) {
      this.now = Math.max(this.now, this.server.deadline());
      this.server.advance(this.now);
    }
    this.now = until;
    return this.heard();
  }

  /** What the server has said since this was last asked. */
  heard(): string[] {
    return this.#teller.tell(this.pipe.take());
  }
}

/** A client's engine and a raw server. */
export class RawServer {
  readonly frames: Frames = new Frames();
  readonly pipe: Pipe = new Pipe();
  readonly client: Http2Client;
  readonly log: string[] = [];
  readonly #teller = new FrameTeller(true);
  now = 0;

  constructor(limits: Partial<Http2ClientLimits> = {}) {
    this.client = new Http2Client({
      sink: this.pipe,
      limits: withLimits(HTTP2_CLIENT_LIMITS, limits),
      now: 0,
      handler: {
        available: () => undefined,
        draining: () => this.log.push('draining'),
        closed: (error) => this.log.push(`closed ${error?.code ?? '-'}`),
        refused: (fault) => this.log.push(`refused ${fault}`),
      },
    });
  }

  /** The server's settings, and the acknowledgement of the client's. */
  begin(...pairs: readonly (readonly [number, number])[]): this {
    this.send(
      frame(FrameType.SETTINGS, 0, 0, settings(...pairs)),
      frame(FrameType.SETTINGS, FrameFlag.ACK, 0),
    );
    return this;
  }

  send(...parts: readonly Uint8Array[]): string[] {
    const borrowed = concatBytes(parts);
    this.client.receive(borrowed, this.now);
    borrowed.fill(0xee);
    return this.heard();
  }

  wait(milliseconds: number): string[] {
    const until = this.now + milliseconds;
    while (this.client.deadline() <= until) {
      this.now = Math.max(this.now, this.client.deadline());
      this.client.advance(this.now);
    }
    this.now = until;
    return this.heard();
  }

  heard(): string[] {
    return this.#teller.tell(this.pipe.take());
  }
}

/** A setting that limits the client's streams' windows: for tests of flow control. */
export const initialWindow = (size: number): readonly [number, number] => [
  SettingId.INITIAL_WINDOW_SIZE,
  size,
];
