import { lstat, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { NetloomError } from 'netloom/core';
import { FileLock, localSocketHost, type LocalSocketHost } from 'netloom/host';
import { serve, type Server } from 'netloom/http';
import type { StateFolder } from '../node/index.ts';
import type { ControlApi } from './api.ts';
import { controlClient } from './client.ts';

/** A node's folder, claimed by this process: no other node of that name can run. */
export class NodeClaim implements AsyncDisposable {
  readonly folder: StateFolder;
  readonly #lock: FileLock;

  /** Of a lock that was taken; see {@link claimNode}. */
  constructor(folder: StateFolder, lock: FileLock) {
    this.folder = folder;
    this.#lock = lock;
  }

  /** Lets another node have it. Idempotent. */
  close(): Promise<void> {
    return this.#lock.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Claims a node's folder, made if it is not there, before anything of the node is begun. Of two that do so at once one gets it; that of a
 * node which was killed is free. Rejects with `NODE_RUNNING`, or as `StateFolder.prepare` does.
 */
export async function claimNode(folder: StateFolder): Promise<NodeClaim> {
  await folder.prepare();
  const lock = await FileLock.take(join(folder.path, 'control.lock'));
  if (lock === undefined) throw await runningError(folder);
  return new NodeClaim(folder, lock);
}

async function runningError(folder: StateFolder): Promise<NetloomError> {
  const { nodeName } = folder;
  // It may not serve yet, or not any more: then its number is not known.
  const number = await processNumber(folder).catch(() => undefined);
  const which = number === undefined ? '' : `, as process ${number}`;
  return new NetloomError('NODE_RUNNING', `a node '${nodeName}' is running already${which}`, {
    remedy: "End it, make it follow another file by 'netloom apply', or choose another --name.",
  });
}

async function processNumber(folder: StateFolder): Promise<number> {
  await using client = controlClient(folder);
  return (await client.status({ signal: AbortSignal.timeout(1000) })).process;
}

/** Connections at once: commands of one user, and who watches captures. */
const MOST_CONNECTIONS = 64;

/** Serves the control API at the socket of a node's folder, to its owner alone. */
export async function serveControl(api: ControlApi, claim: NodeClaim): Promise<ControlServer> {
  const path = claim.folder.controlSocket;
  await removeStale(path);
  const host = localSocketHost(path);
  const limits = { connections: MOST_CONNECTIONS };
  const server = await serve(api, { host, port: 0, limits });
  return new ControlServer(api, server, host);
}

/** A control API that is served. */
export class ControlServer implements AsyncDisposable {
  readonly #api: ControlApi;
  readonly #server: Server;
  readonly #host: LocalSocketHost;
  #closed: Promise<void> | undefined;

  /** Of a server that listens. */
  constructor(api: ControlApi, server: Server, host: LocalSocketHost) {
    this.#api = api;
    this.#server = server;
    this.#host = host;
  }

  /** Ends captures, answers what is under way, then is gone, and its socket with it. Idempotent. */
  close(): Promise<void> {
    this.#api.end();
    this.#closed ??= this.#server.close().then(() => this.#host.close());
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** A node that was killed leaves its socket. That it is nobody's is known by the claim. */
async function removeStale(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSocket()) await rm(path, { force: true });
}
