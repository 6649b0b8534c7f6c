import { IpAddress, formatSocketAddress, type Host } from 'netloom/core';
import { serve, type FetchHandler, type Server } from 'netloom/http';
import type { ControlApi } from './api.ts';
import { guarded } from './guard.ts';
import { makeToken } from './token.ts';

/** How a {@link DashboardServer} is reached, and what it shows. */
export interface DashboardOptions {
  /** Where it listens: this machine's host. */
  readonly host: Host;
  /** Serves the page under `/`. */
  readonly page: FetchHandler;
  /** What lets its owner in; `keptToken` has one for a node. Default: one that nobody knows yet. */
  readonly token?: string;
  /** 0 takes any that is free. */
  readonly port: number;
  /** Default 127.0.0.1. */
  readonly address?: IpAddress;
}

/** Connections at once: a browser takes some. */
const MOST_CONNECTIONS = 128;

/** Serves a node's page, and its control API under `/v1/` for that, to who has the token. Rejects as `Host.listen` does. */
export async function serveDashboard(
  api: ControlApi,
  options: DashboardOptions,
): Promise<DashboardServer> {
  const { host, page, port, address = IpAddress.LOOPBACK4 } = options;
  const { token = makeToken(host.random) } = options;
  const handler: FetchHandler = {
    fetch(request, info) {
      const isApi = new URL(request.url).pathname.startsWith('/v1/');
      return isApi ? api.fetch(request) : page.fetch(request, info);
    },
  };
  const server = await serve(
    guarded(handler, { token, clock: host.clock, beyondLoopback: !address.isLoopback }),
    { host, port, address, limits: { connections: MOST_CONNECTIONS } },
  );
  return new DashboardServer(api, server, token);
}

/** A node's page that is served. */
export class DashboardServer implements AsyncDisposable {
  readonly #api: ControlApi;
  readonly #server: Server;
  readonly #token: string;
  #closed: Promise<void> | undefined;

  /** Of a server that listens. */
  constructor(api: ControlApi, server: Server, token: string) {
    this.#api = api;
    this.#server = server;
    this.#token = token;
  }

  /** What its owner is to open: it has the token. */
  get url(): string {
    return `http://${formatSocketAddress(this.#server.local)}/?token=${this.#token}`;
  }

  /** Ends captures, answers what is under way, then is gone. Idempotent. */
  close(): Promise<void> {
    this.#api.end();
    this.#closed ??= this.#server.close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
