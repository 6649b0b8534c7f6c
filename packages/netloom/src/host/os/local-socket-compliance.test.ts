/** A host on local sockets keeps the contract of streams; it has no datagrams, no addresses of its own, and no resets. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  IpAddress,
  type ConnectOptions,
  type Connection,
  type Host,
  type ListenOptions,
  type Listener,
} from '../../core/index.ts';
import { hostCompliance } from '../compliance/index.ts';
import { LocalSocketHost, localSocketHost } from './local-socket-host.ts';

const LIMITS = { closeTimeout: 500 };

/** Many sockets of a folder, told from each other by their port, as the suite needs. */
class SocketFolder extends LocalSocketHost implements Host {
  readonly #folder: string;
  readonly #hosts = new Map<number, LocalSocketHost>();
  #ports = 0;

  constructor(folder: string) {
    super(join(folder, 'socket'), { limits: LIMITS });
    this.#folder = folder;
  }

  override connect(options: ConnectOptions): Promise<Connection> {
    return this.#host(options.port).connect(options);
  }

  override async listen(options: ListenOptions): Promise<Listener> {
    const port = ++this.#ports;
    const listener = await this.#host(port).listen(options);
    return {
      local: { address: IpAddress.LOOPBACK4, port },
      close: () => listener.close(),
      [Symbol.asyncDispose]: () => listener.close(),
    };
  }

  override async close(): Promise<void> {
    await Promise.all([...this.#hosts.values()].map((host) => host.close()));
    await super.close();
  }

  #host(port: number): LocalSocketHost {
    let host = this.#hosts.get(port);
    if (host === undefined) {
      host = localSocketHost(join(this.#folder, String(port)), { limits: LIMITS });
      this.#hosts.set(port, host);
    }
    return host;
  }
}

hostCompliance(
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'netloom-sockets-'));
    const [client, server] = [new SocketFolder(folder), new SocketFolder(folder)];
    return {
      client,
      server,
      serverAddress4: IpAddress.LOOPBACK4,
      async close() {
        await Promise.all([client.close(), server.close()]);
        rmSync(folder, { recursive: true });
      },
    };
  },
  {
    name: 'local sockets',
    parts: ['streams', 'closing', 'pausing', 'back-pressure'],
  },
);
