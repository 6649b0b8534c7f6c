/** The HTTP/2 engines bound to a Host, as thinly as tests need it. */
import {
  EngineTimer,
  IpAddress,
  withLimits,
  type Connection,
  type Host,
} from '../../../src/core/index.ts';
import {
  HTTP2_CLIENT_LIMITS,
  HTTP2_SERVER_LIMITS,
  Http2Client,
  Http2Server,
  type Http2ClientLimits,
  type Http2ServerExchange,
  type Http2ServerLimits,
} from '../../../src/http/http2/index.ts';
import { formatDate } from '../../../src/http/semantics/index.ts';

/** A server on the loopback. */
export interface TestServer extends AsyncDisposable {
  readonly port: number;
  /** What was refused, by name. */
  readonly refused: string[];
  /** Its connections' engines, those that are gone too. */
  readonly engines: Http2Server[];
}

/** Serves on the loopback. `serve` has to start each exchange. */
export async function serveHttp2(
  host: Host,
  serve: (exchange: Http2ServerExchange) => void,
  limits: Partial<Http2ServerLimits> = {},
): Promise<TestServer> {
  const refused: string[] = [];
  const engines: Http2Server[] = [];
  const accept = (connection: Connection): void => {
    const engine = new Http2Server({
      sink: connection as Connection & { close(): void },
      limits: withLimits(HTTP2_SERVER_LIMITS, limits),
      connectProtocol: true,
      date: () => formatDate(Date.now()),
      now: host.clock.now(),
      handler: { request: serve, refused: (fault) => refused.push(fault) },
    });
    engines.push(engine);
    drive(connection, engine, host);
  };
  const listener = await host.listen({ address: IpAddress.LOOPBACK4, port: 0, accept });
  return {
    port: listener.local.port,
    refused,
    engines,
    [Symbol.asyncDispose]: () => listener.close(),
  };
}

/** Connects to a server on the loopback. */
export async function connectHttp2(
  host: Host,
  port: number,
  limits: Partial<Http2ClientLimits> = {},
): Promise<Http2Client> {
  const connection = await host.connect({ host: '127.0.0.1', port });
  const engine = new Http2Client({
    sink: connection as Connection & { close(): void },
    limits: withLimits(HTTP2_CLIENT_LIMITS, limits),
    now: host.clock.now(),
    handler: { available: () => undefined, draining: () => undefined, closed: () => undefined },
  });
  drive(connection, engine, host);
  return engine;
}

function drive(connection: Connection, engine: Http2Server | Http2Client, { clock }: Host): void {
  const timer = new EngineTimer(clock, engine);
  const input = (call: () => void): void => {
    call();
    timer.update();
  };
  connection.start({
    data: (chunk) => input(() => engine.receive(chunk, clock.now())),
    end: () => input(() => engine.receiveEnd(clock.now())),
    drain: () => input(() => engine.drained(clock.now())),
    closed: (error) => input(() => engine.gone(error, clock.now())),
  });
  timer.update();
}
