import assert from 'node:assert/strict';
import type {
  ConnectOptions,
  Connection,
  Host,
  ListenOptions,
  Listener,
  NetloomError,
} from '../../core/index.ts';
import type { HostPair, Settings } from './contract.ts';
import { Recorder } from './recorder.ts';

/** Bytes: more than a connection takes off one's hands at once. */
export const PLENTY: number = 8 * 1024 * 1024;

/** Both ends of one connection; nothing is started on them yet. */
export interface Connected {
  readonly client: Connection;
  readonly server: Connection;
  readonly listener: Listener;
}

/** What one test has: the hosts, the settings, and ways to set things up. */
export class Scene {
  readonly pair: HostPair;
  readonly settings: Settings;
  /** What the hosts did against the contract, beside what the test itself looks at. */
  readonly violations: string[] = [];

  constructor(pair: HostPair, settings: Settings) {
    this.pair = pair;
    this.settings = settings;
  }

  get client(): Host {
    return this.pair.client;
  }

  get server(): Host {
    return this.pair.server;
  }

  /** Listens at the server's IPv4 address, on a port the host chooses. */
  listen(
    accept: (connection: Connection) => void,
    options: Partial<ListenOptions> = {},
  ): Promise<Listener> {
    return this.server.listen({ address: this.pair.serverAddress4, port: 0, accept, ...options });
  }

  /** Connects the client to a listener. */
  connect(listener: Listener, options: Partial<ConnectOptions> = {}): Promise<Connection> {
    return this.client.connect({
      host: this.pair.serverAddress4,
      port: listener.local.port,
      ...options,
    });
  }

  /** A connection, both ends of it. */
  async connected(): Promise<Connected> {
    const accepted = Promise.withResolvers<Connection>();
    const listener = await this.listen(accepted.resolve);
    const [client, server] = await Promise.all([this.connect(listener), accepted.promise]);
    return { client, server, listener };
  }

  /** A connection with a {@link Recorder} on each end. */
  async recorded(): Promise<{ client: Recorder; server: Recorder; listener: Listener }> {
    const { client, server, listener } = await this.connected();
    return { client: this.record(client), server: this.record(server), listener };
  }

  /** Starts a {@link Recorder} on the connection. */
  record(connection: Connection): Recorder {
    return new Recorder(connection, this.violations);
  }

  /** Settles after so long on the client's clock. */
  pass(milliseconds: number): Promise<void> {
    const { clock } = this.client;
    return new Promise((resolve) => clock.timer(resolve).set(clock.now() + milliseconds));
  }

  /**
   * A round trip over a connection of its own: what was sent before it from the client has most likely arrived. Tests must
   * pass whether it has or not.
   */
  async roundTrip(): Promise<void> {
    const { client, server } = await this.recorded();
    client.write(new Uint8Array(1));
    await server.until(() => server.length === 1);
    server.write(new Uint8Array(1));
    await client.until(() => client.length === 1);
    client.connection.abort();
    server.connection.abort();
  }
}

/**
 * Writes a byte now and then until the connection is gone: a side that has read the peer's end may learn only so that the
 * peer has reset the connection since.
 */
export async function goneWhenWritten(
  scene: Scene,
  recorder: Recorder,
): Promise<NetloomError | undefined> {
  while (recorder.closings === 0) {
    recorder.write(new Uint8Array(1));
    await scene.pass(1);
  }
  return recorder.error;
}

/** Asserts that the promise rejects with this code, and answers the error. */
export async function rejectsWith(code: string, promise: Promise<unknown>): Promise<NetloomError> {
  let error: unknown;
  try {
    await promise;
  } catch (thrown) {
    error = thrown;
  }
  assert.ok(error !== undefined, `nothing was rejected: ${code} was expected`);
  assert.equal((error as NetloomError).code, code, String(error));
  return error as NetloomError;
}

/** Asserts that the call throws `WRITE_AFTER_END`. */
export function throwsWriteAfterEnd(write: () => void): void {
  assert.throws(write, (error: NetloomError) => error.code === 'WRITE_AFTER_END');
}
