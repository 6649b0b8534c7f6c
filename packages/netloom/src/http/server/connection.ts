import {
  EngineTimer,
  NetloomError,
  toNetloomError,
  type Clock,
  type Connection,
  type Counters,
  type SocketAddress,
} from '../../core/index.ts';
import { BodyStream } from '../body-stream.ts';
import { httpErrors } from '../errors.ts';
import { Http1Server, type Http1ServerLimits, type ServerExchange } from '../http1/index.ts';
import { Fields } from '../semantics/index.ts';
import { isMethodSupported, requestUrl, toRequest } from './request.ts';
import { sendResponse, type ResponseTarget } from './responder.ts';

/** What a handler is told beside the request. */
export interface ServeInfo {
  /** This side of the connection, and the client's. */
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
}

/** What answers requests, as Hono's apps and other fetch-style frameworks do. */
export interface FetchHandler {
  fetch(request: Request, info: ServeInfo): Response | Promise<Response>;
}

/** What a server's connections share. */
export interface ServerContext {
  readonly clock: Clock;
  readonly limits: Http1ServerLimits;
  readonly handler: FetchHandler;
  /** Requests taken (`requests`), and refused by reason. */
  readonly statistics: Counters;
  /** The value of the Date field. */
  date(): string;
  closed(connection: ServerConnection): void;
}

/** Binds one connection of a Host to a server's engine, and the engine's exchanges to the handler. */
export class ServerConnection {
  readonly #context: ServerContext;
  readonly #connection: Connection;
  readonly #engine: Http1Server;
  readonly #timer: EngineTimer;

  constructor(connection: Connection, context: ServerContext) {
    this.#connection = connection;
    this.#context = context;
    const { clock } = context;
    this.#engine = new Http1Server({
      sink: {
        write: (bytes) => connection.write(bytes),
        pause: () => connection.pause(),
        resume: () => connection.resume(),
        close: () => void connection.close(),
        abort: (error) => connection.abort(error),
      },
      handler: {
        request: (exchange) => this.#serve(exchange),
        refused: (reason) => context.statistics.add(`refused:${reason}`),
      },
      limits: context.limits,
      date: () => context.date(),
      now: clock.now(),
    });
    this.#timer = new EngineTimer(clock, this.#engine);
    connection.start({
      data: (chunk) => this.#input(() => this.#engine.receive(chunk, clock.now())),
      end: () => this.#input(() => this.#engine.receiveEnd(clock.now())),
      drain: () => this.#input(() => this.#engine.drained()),
      closed: (error) => {
        this.#input(() => this.#engine.gone(error, clock.now()));
        context.closed(this);
      },
    });
    this.#timer.update();
  }

  /** Closes as soon as what is being served is answered. */
  shutdown(): void {
    this.#input(() => this.#engine.shutdown(this.#context.clock.now()));
  }

  abort(error: NetloomError): void {
    this.#connection.abort(error);
  }

  /** Calls the engine, and keeps its deadline. */
  #input<T>(call: () => T): T {
    const answer = call();
    this.#timer.update();
    return answer;
  }

  #serve(exchange: ServerExchange): void {
    this.#context.statistics.add('requests');
    const { local, remote } = this.#connection;
    const url = requestUrl(exchange.request, local);
    const task = new ServerTask(exchange, this.#context, (call) => this.#input(call));
    if (url === undefined) task.refuse(400);
    else if (!isMethodSupported(exchange.request.method)) task.refuse(501);
    else void task.run(url, { local, remote });
  }
}

/** One request on its way through the handler, and its response on the way back. */
class ServerTask implements ResponseTarget {
  readonly #exchange: ServerExchange;
  readonly #context: ServerContext;
  readonly #call: <T>(call: () => T) => T;
  readonly #aborted = new AbortController();
  #body: BodyStream | undefined;
  #room: PromiseWithResolvers<void> | undefined;
  #cut: (() => void) | undefined;

  constructor(exchange: ServerExchange, context: ServerContext, call: <T>(call: () => T) => T) {
    this.#exchange = exchange;
    this.#context = context;
    this.#call = call;
    const { clock } = context;
    if (exchange.framing !== 0) {
      this.#body = new BodyStream({
        read: () => call(() => exchange.read(clock.now())),
        pause: () => call(() => exchange.pause(clock.now())),
        cancel: () => call(() => exchange.pause(clock.now())),
      });
    }
    exchange.start({
      data: (chunk) => this.#body?.data(chunk),
      end: () => this.#body?.end(),
      drain: () => this.#room?.resolve(),
      closed: (error) => this.#closed(error),
    });
  }

  get method(): string {
    return this.#exchange.request.method;
  }

  get closed(): boolean {
    return this.#exchange.closed;
  }

  /** Answers without asking the handler. */
  refuse(status: number): void {
    this.respond(status, new Fields(), 0, '');
    this.end();
  }

  async run(url: string, info: ServeInfo): Promise<void> {
    try {
      const { request: head } = this.#exchange;
      const request = toRequest(head, url, this.#body?.stream, this.#aborted.signal);
      const response = await this.#context.handler.fetch(request, info);
      if (!(response instanceof Response)) {
        throw new NetloomError('HTTP_RESPONSE_INVALID', 'the handler gave no Response');
      }
      await sendResponse(response, this, this.#context.clock);
    } catch (thrown) {
      this.#failed(toNetloomError(thrown, 'HTTP_HANDLER_FAILED', 'the handler failed'));
    }
  }

  respond(status: number, fields: Fields, length: number | undefined, reason: string): void {
    this.#call(() =>
      this.#exchange.respond(status, fields, length, this.#now(), reason || undefined),
    );
  }

  write(chunk: Uint8Array): boolean {
    return this.#call(() => this.#exchange.write(chunk, this.#now()));
  }

  room(): Promise<void> {
    if (this.closed) return Promise.resolve();
    this.#room = Promise.withResolvers();
    return this.#room.promise;
  }

  whenCut(listener: () => void): void {
    if (this.closed) listener();
    else this.#cut = listener;
  }

  end(): void {
    this.#call(() => this.#exchange.end(this.#now()));
  }

  #closed(error: NetloomError | undefined): void {
    this.#room?.resolve();
    if (error === undefined) {
      this.#body?.fail(
        new NetloomError('HTTP_ANSWERED', 'the request was answered before its body was read'),
      );
      return;
    }
    this.#body?.fail(error);
    this.#cut?.();
    this.#aborted.abort(error);
  }

  #failed(error: NetloomError): void {
    // A client that has gone makes handlers fail in their turn: no news, and nobody to tell.
    if (this.closed) return;
    const { method, target } = this.#exchange.request;
    httpErrors.publish({ error, method, target });
    this.#context.statistics.add('failed');
    if (this.#exchange.responded) this.#call(() => this.#exchange.abort(error, this.#now()));
    else this.refuse(500);
  }

  #now(): number {
    return this.#context.clock.now();
  }
}
