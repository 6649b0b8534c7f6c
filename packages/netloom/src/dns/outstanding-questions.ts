import { FairShares, NOT_QUEUED, TimerQueue, copyBytes, type TimerEntry } from '../core/index.ts';
import type { DnsClient, DnsExchange } from './exchange.ts';
import type { DnsForwarderLimits } from './limits.ts';
import type { DnsQuery } from './responses.ts';
import type { DnsQuestion } from './wire/index.ts';

/** A question that waits for an answer from elsewhere. */
export interface OutstandingQuestion extends TimerEntry, DnsQuery {
  readonly client: DnsClient;
  readonly key: string;
  /** As the client has sent it: copied. */
  readonly bytes: Uint8Array;
  readonly question: DnsQuestion;
  exchange: DnsExchange | undefined;
  attempts: number;
  /** Where in the list of servers the next is. */
  next: number;
  /** What a server has said that could not help. */
  poor: Uint8Array | undefined;
}

/** The questions that wait for an answer from elsewhere: bounded, shared out among those who ask, and found by what was asked of which server. */
export class OutstandingQuestions {
  readonly #limits: DnsForwarderLimits;
  readonly #all = new Map<string, OutstandingQuestion>();
  readonly #byExchange = new Map<DnsExchange, OutstandingQuestion>();
  /** By who asks: a station, or an address. */
  readonly #shares = new FairShares<number | string, OutstandingQuestion>();
  readonly #timers = new TimerQueue<OutstandingQuestion>();

  constructor(limits: DnsForwarderLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#all.size;
  }

  values(): Iterable<OutstandingQuestion> {
    return this.#all.values();
  }

  /** When the first server has been waited for long enough. */
  deadline(): number {
    return this.#timers.deadline();
  }

  /** The next question whose server has been waited for long enough. */
  takeDue(now: number): OutstandingQuestion | undefined {
    return this.#timers.takeDue(now);
  }

  /** Takes a question in, or answers why not. `bytes`: as the client has sent it, borrowed; `next`: the server to be asked first. */
  add(
    bytes: Uint8Array,
    query: DnsQuery,
    question: DnsQuestion,
    client: DnsClient,
    next: number,
  ): OutstandingQuestion | 'asked-again' | 'too-many' | 'too-many-of-client' {
    const { remote, transport } = client;
    const { name, type } = question;
    const { id } = query.message;
    const key = `${transport} ${remote.address} ${remote.port} ${id} ${type} ${name.key}`;
    // The client has not waited: it is answered when the first is.
    if (this.#all.has(key)) return 'asked-again';
    const { outstanding, outstandingPerClient } = this.#limits;
    const holder = holderOf(client);
    if (this.size >= outstanding) return 'too-many';
    if (!this.#shares.hasRoom(holder, outstanding, outstandingPerClient)) {
      return 'too-many-of-client';
    }
    const added: OutstandingQuestion = {
      ...NOT_QUEUED,
      ...query,
      client,
      key,
      bytes: copyBytes(bytes),
      question,
      exchange: undefined,
      attempts: 0,
      next,
      poor: undefined,
    };
    this.#all.set(key, added);
    this.#shares.add(holder, added);
    return added;
  }

  /** The question that a server was asked in this exchange; undefined: nothing more of the exchange is wanted. */
  ofExchange(exchange: DnsExchange): OutstandingQuestion | undefined {
    return this.#byExchange.get(exchange);
  }

  /** A server is asked, and waited for. There is no exchange of the question's under way. */
  begin(question: OutstandingQuestion, exchange: DnsExchange, now: number): void {
    question.exchange = exchange;
    this.#byExchange.set(exchange, question);
    this.#timers.set(question, now + this.#limits.patience);
  }

  /** Nothing more of the question's exchange is wanted: answers that, if one is under way. */
  end(question: OutstandingQuestion): DnsExchange | undefined {
    const { exchange } = question;
    if (exchange === undefined) return undefined;
    question.exchange = undefined;
    this.#byExchange.delete(exchange);
    return exchange;
  }

  /** The question waits no longer, and has no exchange under way. */
  remove(question: OutstandingQuestion): void {
    this.#timers.clear(question);
    this.#all.delete(question.key);
    this.#shares.remove(holderOf(question.client), question);
  }
}

function holderOf({ station, remote }: DnsClient): number | string {
  return station ?? remote.address.toString();
}
