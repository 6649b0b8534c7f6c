import {
  EngineTimer,
  type Clock,
  type Connection,
  type NetloomError,
  type Timer,
} from '../../core/index.ts';
import {
  Http1Client,
  type ClientExchange,
  type ClientExchangeHandler,
  type ClientRequest,
  type Http1ClientLimits,
} from '../http1/index.ts';

/** What a {@link ClientConnection} tells its pool. */
export interface ClientConnectionOwner {
  idle(connection: ClientConnection): void;
  closed(connection: ClientConnection): void;
  idleTooLong(connection: ClientConnection): void;
}

/** Binds one connection of a Host to a client's engine. */
export class ClientConnection {
  readonly #clock: Clock;
  readonly #engine: Http1Client;
  readonly #engineTimer: EngineTimer;
  readonly #idleTimer: Timer;
  /** Requests made on it. */
  uses = 0;
  /** Milliseconds that the server says it keeps an idle connection; Infinity if it says nothing. */
  #serverPatience = Infinity;

  constructor(
    connection: Connection,
    clock: Clock,
    limits: Http1ClientLimits,
    owner: ClientConnectionOwner,
  ) {
    this.#clock = clock;
    this.#engine = new Http1Client({
      sink: {
        write: (bytes) => connection.write(bytes),
        pause: () => connection.pause(),
        resume: () => connection.resume(),
        close: () => void connection.close(),
        abort: (error) => connection.abort(error),
      },
      handler: {
        idle: () => owner.idle(this),
        closed: () => {
          // Also when the peer or the host closed it: a timer that is left would keep the process from its end.
          this.#idleTimer.clear();
          owner.closed(this);
        },
      },
      limits,
    });
    this.#engineTimer = new EngineTimer(clock, this.#engine);
    this.#idleTimer = clock.timer(() => owner.idleTooLong(this));
    connection.start({
      data: (chunk) => this.input(() => this.#engine.receive(chunk, clock.now())),
      end: () => this.input(() => this.#engine.receiveEnd(clock.now())),
      drain: () => this.input(() => this.#engine.drained()),
      closed: (error) => this.input(() => this.#engine.gone(error, clock.now())),
    });
  }

  /** It takes a request. */
  get isIdle(): boolean {
    return this.#engine.state === 'idle';
  }

  /** Begins an exchange; see {@link Http1Client.request}. */
  request(request: ClientRequest, handler: ClientExchangeHandler): ClientExchange {
    this.uses++;
    this.#idleTimer.clear();
    return this.input(() => this.#engine.request(request, handler, this.#clock.now()));
  }

  /** Notes what a `Keep-Alive` field says of the server's patience (RFC 2068, section 19.7.1.1). */
  noteKeepAlive(value: string | undefined): void {
    const seconds = /\btimeout=(\d{1,6})/i.exec(value ?? '')?.[1];
    if (seconds !== undefined) this.#serverPatience = Number(seconds) * 1000;
  }

  /** Lets the owner know when it has been idle for `timeout`, or for as long as the server may be expected to keep it. */
  watchIdle(timeout: number): void {
    // A second less than the server has promised, since it counts from earlier than we do.
    const patience = Math.max(0, this.#serverPatience - 1000);
    this.#idleTimer.set(this.#clock.now() + Math.min(timeout, patience));
  }

  /** Calls the engine or one of its exchanges, and keeps its deadline. */
  input<T>(call: () => T): T {
    const answer = call();
    this.#engineTimer.update();
    return answer;
  }

  close(): void {
    this.#idleTimer.clear();
    this.input(() => this.#engine.close(this.#clock.now()));
  }

  abort(error: NetloomError): void {
    this.#idleTimer.clear();
    this.input(() => this.#engine.gaveUp(error, this.#clock.now()));
  }
}
