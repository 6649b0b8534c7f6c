/** WebSocket engines on connections of a Host: as much of a server and a client as their tests with other programs need. */
import {
  EngineTimer,
  type Clock,
  type Connection,
  type Host,
  type IpAddress,
  type Listener,
} from '../../src/core/index.ts';
import {
  RequestParser,
  ResponseParser,
  serialiseRequestHead,
  serialiseResponseHead,
  Fields,
} from '../../src/http/index.ts';
import {
  WebSocketEngine,
  answerUpgrade,
  beginHandshake,
  finishHandshake,
  type AcceptOptions,
  type OfferOptions,
  type WebSocketAgreement,
  type WebSocketClosure,
} from '../../src/http/websocket/index.ts';
import { createMessageCompressor } from './message-compressor.ts';
import { sha1 } from './sha1.ts';

/** A WebSocket on a connection: what tests do with it. */
export interface CarriedWebSocket {
  readonly agreement: WebSocketAgreement;
  readonly engine: WebSocketEngine;
  /** False: wait for {@link onDrain}. */
  send(message: string | Uint8Array): boolean;
  close(code: number, reason: string): void;
  /** Called when there is room again. */
  onDrain: (() => void) | undefined;
  readonly closed: Promise<WebSocketClosure>;
}

/** What is done with the messages of one. */
export type OnMessage = (socket: CarriedWebSocket, data: string | Uint8Array) => void;

/** Binds an engine to a connection after the handshake; `first`: what came behind it. */
function carry(
  connection: Connection,
  host: Host,
  agreement: WebSocketAgreement,
  isClient: boolean,
  first: Uint8Array,
  onMessage: OnMessage,
): CarriedWebSocket {
  const clock: Clock = host.clock;
  const { promise, resolve } = Promise.withResolvers<WebSocketClosure>();
  const { compression } = agreement;
  const engine: WebSocketEngine = new WebSocketEngine({
    sink: {
      write: (bytes) => connection.write(bytes),
      pause: () => connection.pause(),
      resume: () => connection.resume(),
      close: () => void connection.close(),
      abort: (error) => connection.abort(error),
    },
    handler: {
      message: (data) => onMessage(socket, data),
      drain: () => socket.onDrain?.(),
      closed: resolve,
    },
    now: clock.now(),
    ...(isClient ? { random: host.random } : {}),
    compression: compression && {
      agreement: compression,
      compressor: createMessageCompressor(compression),
      from: 16,
    },
  });
  const timer = new EngineTimer(clock, engine);
  const socket: CarriedWebSocket = {
    agreement,
    engine,
    send: (message) => engine.send(message, clock.now()),
    onDrain: undefined,
    close: (code, reason) => engine.close(code, reason, clock.now()),
    closed: promise,
  };
  const update = (act: () => void): void => {
    act();
    timer.update();
  };
  connection.start({
    data: (chunk) => update(() => engine.receive(chunk, clock.now())),
    end: () => update(() => engine.receiveEnd(clock.now())),
    drain: () => update(() => engine.drained(clock.now())),
    closed: (error) => update(() => engine.gone(error, clock.now())),
  });
  update(() => engine.receive(first, clock.now()));
  return socket;
}

/** Serves WebSockets at a port of its own. */
export function serveWebSockets(
  host: Host,
  address: IpAddress,
  options: AcceptOptions,
  onMessage: OnMessage,
  accepted: (socket: CarriedWebSocket) => void = () => undefined,
): Promise<Listener> {
  const accept = (connection: Connection): void => {
    const parser = new RequestParser();
    const data = (chunk: Uint8Array): void => {
      parser.feed(chunk);
      if (parser.next() !== 'head') return;
      const answer = answerUpgrade(parser.head, options, sha1);
      connection.write(serialiseResponseHead(answer.status, answer.fields));
      if ('fault' in answer) void connection.close();
      else {
        const { agreement } = answer;
        accepted(carry(connection, host, agreement, false, parser.unread(), onMessage));
      }
    };
    connection.start({ data });
  };
  return host.listen({ port: 0, address, accept });
}

/** Opens a WebSocket to a port of the loopback. Rejects with the fault of the handshake. */
export async function openWebSocket(
  host: Host,
  port: number,
  path: string,
  options: OfferOptions,
  onMessage: OnMessage,
): Promise<CarriedWebSocket> {
  const connection = await host.connect({ host: '127.0.0.1', port });
  const handshake = beginHandshake(options, host.random);
  const { promise, resolve, reject } = Promise.withResolvers<CarriedWebSocket>();
  const parser = new ResponseParser();
  connection.start({
    data: (chunk) => {
      parser.feed(chunk);
      if (parser.next() !== 'head') return;
      const agreement = finishHandshake(handshake, parser.head, sha1);
      if (typeof agreement === 'string') {
        connection.abort();
        reject(new Error(agreement));
      } else {
        resolve(carry(connection, host, agreement, true, parser.unread(), onMessage));
      }
    },
    closed: () => reject(new Error('closed before the handshake')),
  });
  const fields = Fields.from([['host', `127.0.0.1:${port}`], ...handshake.fields]);
  connection.write(serialiseRequestHead('GET', path, fields));
  return promise;
}
