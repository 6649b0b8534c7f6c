import { EMPTY, copyBytes } from '../../core/index.ts';
import type { ParserEvent } from './wire/index.ts';

/** The part of a parser that {@link MessageInput} uses. */
interface Parser {
  readonly unreadLength: number;
  feed(input: Uint8Array): void;
  unread(): Uint8Array;
  next(): ParserEvent;
}

/**
 * A parser's input, some of which may have to wait: what is read at once is read where it stands, what is not is copied.
 */
export class MessageInput {
  readonly #parser: Parser;
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  /** The parser's input is borrowed: it must not be there when `receive` returns. */
  #borrowed = false;

  constructor(parser: Parser) {
    this.#parser = parser;
  }

  /** Bytes that have come and have not been read. */
  get unreadBytes(): number {
    return this.#waitingBytes + this.#parser.unreadLength;
  }

  /** Takes borrowed bytes, calls `read`, which reads what is wanted by {@link next}, and keeps a copy of the rest. */
  receive(borrowed: Uint8Array, read: () => void): void {
    if (this.unreadBytes > 0) {
      this.#waiting.push(copyBytes(borrowed));
      this.#waitingBytes += borrowed.length;
      read();
      return;
    }
    this.#parser.feed(borrowed);
    this.#borrowed = true;
    try {
      read();
    } finally {
      if (this.#borrowed) this.#parser.feed(copyBytes(this.#parser.unread()));
      this.#borrowed = false;
    }
  }

  /** What the parser finds next; `more` only when nothing is left. */
  next(): ParserEvent {
    for (;;) {
      const event = this.#parser.next();
      if (event !== 'more' || this.#waiting.length === 0) return event;
      const chunk = this.#waiting.shift()!;
      this.#waitingBytes -= chunk.length;
      this.#borrowed = false;
      this.#parser.feed(chunk);
    }
  }

  /** Takes out all that has not been read: a copy, the caller's own. */
  takeRest(): Uint8Array {
    const parts = [this.#parser.unread(), ...this.#waiting];
    const rest = new Uint8Array(this.unreadBytes + parts[0]!.length);
    let at = 0;
    for (const part of parts) {
      rest.set(part, at);
      at += part.length;
    }
    this.clear();
    return rest;
  }

  /** Forgets all that has not been read. */
  clear(): void {
    this.#parser.feed(EMPTY);
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
  }
}
