/** The innocent: users of TCP connections who know what they should hear. */
import { seededRandom, type ConnectionHandler, type NetloomError } from 'netloom/core';
import type { TcpConnection } from 'netloom/ip';

/** Bytes one {@link Voice.say} says at most. */
export const LONGEST_SAYING = 8192;

const STREAM_LENGTH = 0x10000;

/** What everybody says, over and over, each beginning at another place; the start is there once more, so that no saying has to wrap. */
const STREAM: Uint8Array = (() => {
  const stream = new Uint8Array(STREAM_LENGTH + LONGEST_SAYING);
  seededRandom(1).fill(stream.subarray(0, STREAM_LENGTH));
  stream.copyWithin(STREAM_LENGTH, 0, LONGEST_SAYING);
  return stream;
})();

/** Where in the stream the two sides of a conversation begin. */
const CLIENT_PHASE = 0;
const SERVER_PHASE = 12_345;

/** One side of a conversation: says bytes whose place anyone can tell, and checks those it hears. */
export class Voice implements ConnectionHandler {
  readonly connection: TcpConnection;
  said = 0;
  heard = 0;
  /** The first byte that was not what the other side had said; undefined: all were. */
  wrongAt: number | undefined;
  hasHeardEnd = false;
  isOver = false;
  error: NetloomError | undefined;
  readonly #says: number;
  readonly #hears: number;
  #isPaused = false;
  #hasFinished = false;

  constructor(connection: TcpConnection, isClient: boolean) {
    this.connection = connection;
    this.#says = isClient ? CLIENT_PHASE : SERVER_PHASE;
    this.#hears = isClient ? SERVER_PHASE : CLIENT_PHASE;
    connection.start(this);
  }

  /** Says that many bytes more, unless enough of them wait already. */
  say(length: number): void {
    if (this.isOver || this.#hasFinished) return;
    if (this.connection.bufferedAmount > LONGEST_SAYING) return;
    const at = (this.#says + this.said) % STREAM_LENGTH;
    // The connection only reads what it is given, so a view of the stream will do.
    this.connection.write(STREAM.subarray(at, at + length));
    this.said += length;
  }

  /** Says no more. */
  finish(): void {
    this.#hasFinished = true;
    this.connection.end();
  }

  /** Stops listening for a while, so that the peer sees its window close; or goes on. */
  listen(on: boolean): void {
    if (on !== this.#isPaused) return;
    this.#isPaused = !on;
    if (on) this.connection.resume();
    else this.connection.pause();
  }

  data(chunk: Uint8Array): void {
    const from = this.#hears + this.heard;
    for (let i = 0; i < chunk.length && this.wrongAt === undefined; i++) {
      if (chunk[i] !== STREAM[(from + i) % STREAM_LENGTH]) this.wrongAt = this.heard + i;
    }
    this.heard += chunk.length;
  }

  end(): void {
    this.hasHeardEnd = true;
  }

  closed(error: NetloomError | undefined): void {
    this.isOver = true;
    this.error = error;
  }
}

/** A connection of the client's to the server, with a user at each end. */
export class Conversation {
  readonly family: 4 | 6;
  readonly clientPort: number;
  readonly serverPort: number;
  client: Voice | undefined;
  server: Voice | undefined;
  /** Why it did not come about. */
  error: NetloomError | undefined;
  /** A hostile segment may have brought bytes that are taken for the peer's. */
  isForged = false;

  constructor(family: 4 | 6, clientPort: number, serverPort: number) {
    this.family = family;
    this.clientPort = clientPort;
    this.serverPort = serverPort;
  }

  get voices(): Voice[] {
    return [this.client, this.server].filter((voice) => voice !== undefined);
  }

  /** Both sides are there and have heard all that the other has said. */
  get isCaughtUp(): boolean {
    const { client, server } = this;
    if (client === undefined || server === undefined) return false;
    return client.heard === server.said && server.heard === client.said;
  }

  toString(): string {
    return `IPv${this.family} ${this.clientPort} to ${this.serverPort}`;
  }
}
