import net from 'node:net';
import type { Connection, Host } from 'netloom/core';
import { stackHost, SystemClock, type StackHost } from 'netloom/host';
import { linkPair, NO_OFFLOAD } from 'netloom/link';

/** Two hosts on our stack at both ends of a cable in memory. */
export interface StackPair {
  readonly client: StackHost;
  readonly server: StackHost;
  /** Where the client reaches the server. */
  readonly serverAddress: string;
  close(): Promise<void>;
}

/** Two stack machines. Without `offload`, every segment is cut and every checksum computed and verified. */
export function stackPair(mtu: number, offload: boolean): StackPair {
  const clock = new SystemClock();
  const [near, far] = linkPair(clock, {
    mtu,
    ...(offload ? {} : { offload: NO_OFFLOAD }),
  });
  const client = stackHost({ name: 'client', clock });
  const server = stackHost({ name: 'server', clock });
  client.addInterface(near, { addresses: ['10.0.0.1/24'] });
  server.addInterface(far, { addresses: ['10.0.0.2/24'] });
  return {
    client,
    server,
    serverAddress: '10.0.0.2',
    close: async () => {
      await client.close();
      await server.close();
    },
  };
}

/** Writes `total` bytes in chunks as long as the connection takes them, then ends. */
export function pour(connection: Connection, chunk: Uint8Array, total: number): void {
  let sent = 0;
  const go = (): void => {
    while (sent < total) {
      sent += chunk.length;
      if (!connection.write(chunk)) return;
    }
    connection.end();
  };
  connection.start({ drain: go });
  go();
}

/** Milliseconds in which `total` bytes get from one host to the other and are counted there. */
export async function transferOn(
  client: Host,
  server: Host,
  serverAddress: string,
  chunk: Uint8Array,
  total: number,
): Promise<number> {
  const arrived = Promise.withResolvers<void>();
  const listener = await server.listen({
    port: 0,
    accept(connection) {
      let received = 0;
      connection.start({
        data(bytes) {
          received += bytes.length;
        },
        end() {
          connection.end();
          if (received >= total) arrived.resolve();
          else arrived.reject(new Error(`${received} bytes of ${total} arrived`));
        },
      });
    },
  });
  const start = performance.now();
  const connection = await client.connect({ host: serverAddress, port: listener.local.port });
  pour(connection, chunk, total);
  await arrived.promise;
  const elapsed = performance.now() - start;
  await listener.close();
  return elapsed;
}

/** The same over `node:net` and the kernel's loopback. */
export async function transferOnNodeNet(chunk: Uint8Array, total: number): Promise<number> {
  const arrived = Promise.withResolvers<void>();
  const server = net.createServer((socket) => {
    let received = 0;
    socket.on('data', (bytes) => {
      received += bytes.length;
    });
    socket.on('end', () => {
      socket.end();
      if (received >= total) arrived.resolve();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  const start = performance.now();
  const socket = net.connect(port, '127.0.0.1');
  let sent = 0;
  const go = (): void => {
    while (sent < total) {
      sent += chunk.length;
      if (!socket.write(chunk)) {
        socket.once('drain', go);
        return;
      }
    }
    socket.end();
  };
  go();
  await arrived.promise;
  const elapsed = performance.now() - start;
  await new Promise((resolve) => server.close(resolve));
  return elapsed;
}
