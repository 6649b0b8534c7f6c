import net from 'node:net';
import { copyBytes, type Connection, type Host } from 'netloom/core';

const REQUEST = 'ping';

/** Does `one` `count` times, `atOnce` at a time; answers how many a second. */
export async function perSecond(
  count: number,
  atOnce: number,
  one: () => Promise<void>,
): Promise<number> {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await one();
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: atOnce }, worker));
  return (1000 * count) / (performance.now() - start);
}

/** Short connections a second between two hosts: opened, asked, answered, closed. */
export async function exchangesOn(
  client: Host,
  server: Host,
  address: string,
  count: number,
  atOnce: number,
): Promise<number> {
  const listener = await server.listen({
    port: 0,
    accept(connection) {
      connection.start({
        data(bytes) {
          connection.write(copyBytes(bytes));
          connection.end();
        },
      });
    },
  });
  const rate = await perSecond(count, atOnce, async () => {
    const connection = await client.connect({ host: address, port: listener.local.port });
    const done = Promise.withResolvers<void>();
    connection.start({
      end: () => connection.end(),
      closed: (error) => (error === undefined ? done.resolve() : done.reject(error)),
    });
    connection.write(new TextEncoder().encode(REQUEST));
    await done.promise;
  });
  await listener.close();
  return rate;
}

/** The same over `node:net` and the kernel's loopback. */
export async function exchangesOnNodeNet(count: number, atOnce: number): Promise<number> {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('data', (bytes) => socket.end(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  const rate = await perSecond(
    count,
    atOnce,
    () =>
      new Promise((resolve, reject) => {
        const socket = net.connect(port, '127.0.0.1');
        socket.on('error', reject);
        socket.on('data', () => undefined);
        socket.on('close', () => resolve());
        socket.write(REQUEST);
      }),
  );
  await new Promise((resolve) => server.close(resolve));
  return rate;
}

/** A connection to somebody who echoes. */
class Echoed {
  readonly #connection: Connection;
  #answered: (() => void) | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.start({ data: () => this.#answered?.() });
  }

  /** Settles when there is an answer to so many bytes. */
  ask(bytes: number): Promise<void> {
    return new Promise((resolve) => {
      this.#answered = resolve;
      this.#connection.write(new Uint8Array(bytes));
    });
  }

  close(): void {
    this.#connection.abort();
  }
}

/** Round trips of so many bytes a second, one at a time on each of `connections` connections. */
export async function roundTripsOn(
  client: Host,
  server: Host,
  address: string,
  { bytes, count, connections }: { bytes: number; count: number; connections: number },
): Promise<number> {
  const listener = await server.listen({
    port: 0,
    accept: (connection) =>
      connection.start({ data: (chunk) => void connection.write(copyBytes(chunk)) }),
  });
  const { port } = listener.local;
  const free = await Promise.all(
    Array.from({ length: connections }, async () => {
      return new Echoed(await client.connect({ host: address, port }));
    }),
  );
  const rate = await perSecond(count, connections, async () => {
    const one = free.pop()!;
    await one.ask(bytes);
    free.push(one);
  });
  for (const one of free) one.close();
  await listener.close();
  return rate;
}

/** The same as {@link Echoed}, of `node:net`. */
class EchoedSocket {
  readonly #socket: net.Socket;
  #answered: (() => void) | undefined;

  constructor(port: number) {
    this.#socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', () => this.#answered?.());
  }

  ask(bytes: number): Promise<void> {
    return new Promise((resolve) => {
      this.#answered = resolve;
      this.#socket.write(new Uint8Array(bytes));
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** The same over `node:net`. */
export async function roundTripsOnNodeNet({
  bytes,
  count,
  connections,
}: {
  bytes: number;
  count: number;
  connections: number;
}): Promise<number> {
  const server = net.createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => socket.write(chunk));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  const free = Array.from({ length: connections }, () => new EchoedSocket(port));
  const rate = await perSecond(count, connections, async () => {
    const one = free.pop()!;
    await one.ask(bytes);
    free.push(one);
  });
  for (const one of free) one.close();
  await new Promise((resolve) => server.close(resolve));
  return rate;
}
