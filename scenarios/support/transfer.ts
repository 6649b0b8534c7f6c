import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { Connection, ConnectionHandler, NetloomError, Random } from 'netloom/core';
import type { SimHost, SimWorld } from 'netloom/host';

const CHUNK = 16 * 1024;

/** One end of a connection that sends random bytes, keeps what write() asks it to, and takes the digest of what comes. */
class End implements ConnectionHandler {
  /** Settles when both directions have ended in good order; rejects with the connection's error. */
  readonly done: Promise<void>;
  readonly #settle = Promise.withResolvers<void>();
  readonly #connection: Connection;
  readonly #random: Random;
  readonly #sentHash = createHash('sha256');
  readonly #receivedHash = createHash('sha256');
  #left: number;
  received = 0;

  constructor(connection: Connection, random: Random, bytes: number) {
    this.#connection = connection;
    this.#random = random;
    this.#left = bytes;
    this.done = this.#settle.promise;
    // Whoever waits for the other end first is not to be told of this one as unhandled.
    this.done.catch(() => {});
    connection.start(this);
    this.drain();
  }

  /** Digests of what was sent and of what has come; asked for once. */
  digests(): { sent: string; received: string } {
    return { sent: this.#sentHash.digest('hex'), received: this.#receivedHash.digest('hex') };
  }

  data(chunk: Uint8Array): void {
    this.received += chunk.length;
    this.#receivedHash.update(chunk);
  }

  drain(): void {
    while (this.#left > 0) {
      const chunk = this.#random.fill(new Uint8Array(Math.min(CHUNK, this.#left)));
      this.#left -= chunk.length;
      this.#sentHash.update(chunk);
      const goOn = this.#connection.write(chunk);
      if (this.#left === 0) this.#connection.end();
      else if (!goOn) return;
    }
  }

  closed(error: NetloomError | undefined): void {
    if (error === undefined) this.#settle.resolve();
    else this.#settle.reject(error);
  }
}

/**
 * Sends so many bytes both ways over one connection and compares what came with what was sent. Answers the digest of what the client
 * sent; rejects with the connection's error.
 */
export async function transferBothWays(
  world: SimWorld,
  client: SimHost,
  server: SimHost,
  { port, bytes }: { port: number; bytes: number },
): Promise<string> {
  const random = (end: string): Random => world.random(`transfer:${client.name}:${port}:${end}`);
  const accepted = Promise.withResolvers<End>();
  await using _listener = await server.listen({
    port,
    accept: (connection) => accepted.resolve(new End(connection, random('server'), bytes)),
  });
  const connection = await client.connect({ host: `${server.name}.sim`, port });
  const near = new End(connection, random('client'), bytes);
  const far = await accepted.promise;
  await Promise.all([near.done, far.done]);
  const [atClient, atServer] = [near.digests(), far.digests()];
  assert.equal(far.received, bytes, 'bytes that came to the server');
  assert.equal(near.received, bytes, 'bytes that came to the client');
  assert.equal(atServer.received, atClient.sent, 'what came to the server is what was sent');
  assert.equal(atClient.received, atServer.sent, 'what came to the client is what was sent');
  return atClient.sent;
}
