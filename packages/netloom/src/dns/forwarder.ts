/**
 * A DNS forwarder: it answers for its own network, and passes all other questions on.
 *
 * Read first: RFC 1035 (messages), RFC 5625 (what a forwarder should do and leave alone), RFC 5452 (how answers are told from
 * forgeries), RFC 6891 (EDNS), RFC 7766 (TCP), RFC 8914 (extended errors).
 */
import {
  Counters,
  copyBytes,
  readUint16,
  withLimits,
  writeUint16,
  type Engine,
  type IpAddress,
  type Random,
  type SocketAddress,
} from '../core/index.ts';
import { believeDnsAnswer } from './answers.ts';
import { DNS_DROP } from './diagnostics.ts';
import type { DnsClient, DnsExchange, DnsTransport } from './exchange.ts';
import { DNS_FORWARDER_LIMITS, type DnsForwarderLimits } from './limits.ts';
import { LocalNames, type LocalNamesOptions } from './local-names.ts';
import { NameMemory } from './name-memory.ts';
import { OutstandingQuestions, type OutstandingQuestion } from './outstanding-questions.ts';
import {
  encodeFailure,
  encodeFormatError,
  encodeLocalAnswer,
  encodeTruncated,
  longestByUdp,
  type DnsQuery,
} from './responses.ts';
import {
  DNS_HEADER_LENGTH,
  DnsClass,
  DnsExtendedError,
  DnsFlag,
  DnsOperation,
  DnsResponseCode,
  parseDnsMessage,
  readEdns,
  type DnsMessage,
  type DnsQuestion,
} from './wire/index.ts';

/** What a {@link DnsForwarder} calls. A handler may call anything of the forwarder's. */
export interface DnsForwarderSink {
  /** Ask the server, from a port of the exchange's own that nobody can guess (RFC 5452, section 9.2), and call `answered` or `failed`. */
  ask(exchange: DnsExchange): void;
  /** Nothing more of the exchange is wanted. */
  end(exchange: DnsExchange): void;
}

/** How to make a {@link DnsForwarder}. */
export interface DnsForwarderOptions extends LocalNamesOptions {
  readonly random: Random;
  /** The servers that are asked for what is not known here, best first. */
  readonly servers?: readonly SocketAddress[];
  /** Questions for such names are refused: lower case, without the final dot. */
  readonly denies?: (name: string) => boolean;
  readonly limits?: Partial<DnsForwarderLimits>;
}

/** A forwarder with the names of its network: the state machine alone, without sockets and clock. */
export class DnsForwarder implements Engine {
  /** Questions and answers dropped or refused, by reason. */
  readonly drops: Counters = new Counters(DNS_DROP, this);
  /** What was done: `local`, `forwarded`, `failed`. */
  readonly counters: Counters = new Counters();
  readonly names: LocalNames;
  readonly memory: NameMemory;
  readonly #limits: DnsForwarderLimits;
  readonly #random: Random;
  readonly #denies: (name: string) => boolean;
  readonly #sink: DnsForwarderSink;
  readonly #outstanding: OutstandingQuestions;
  #servers: readonly SocketAddress[];
  /** The server that has answered last is asked first. */
  #best = 0;

  constructor(options: DnsForwarderOptions, sink: DnsForwarderSink) {
    this.#limits = withLimits(DNS_FORWARDER_LIMITS, options.limits);
    this.#outstanding = new OutstandingQuestions(this.#limits);
    this.#random = options.random;
    this.#servers = options.servers ?? [];
    this.#denies = options.denies ?? ((): boolean => false);
    this.#sink = sink;
    this.names = new LocalNames(options, this.#limits.names);
    const { remembered, namesPerAddress } = this.#limits;
    this.memory = new NameMemory(remembered, namesPerAddress);
  }

  /** How many questions wait for an answer from elsewhere. */
  get outstanding(): number {
    return this.#outstanding.size;
  }

  /** The servers that are asked. */
  get servers(): readonly SocketAddress[] {
    return this.#servers;
  }

  /** Has other servers asked from now on; what is on its way goes on. */
  setServers(servers: readonly SocketAddress[]): void {
    this.#servers = servers;
    this.#best = 0;
  }

  /** The names that lead to an address: those of this network first, then those that answers have had (see {@link NameMemory}). */
  labels(address: IpAddress): readonly string[] {
    const own = this.names.namesOf(address).map((name) => name.toString().toLowerCase());
    return [...own, ...this.memory.labels(address)];
  }

  deadline(): number {
    return this.#outstanding.deadline();
  }

  advance(now: number): void {
    for (let late = this.#outstanding.takeDue(now); late !== undefined;) {
      this.drops.add('server-silent');
      this.#askNext(late, now);
      late = this.#outstanding.takeDue(now);
    }
  }

  /** A client asks. The bytes are borrowed until this returns. */
  query(bytes: Uint8Array, client: DnsClient, now: number): void {
    this.advance(now);
    const reason = this.#handle(bytes, client, now);
    if (reason === undefined) return;
    this.drops.add(reason);
    client.dropped?.();
  }

  /** A server's answer to an exchange that was begun with `ask`. Borrowed until this returns. */
  answered(exchange: DnsExchange, bytes: Uint8Array, now: number): void {
    const pending = this.#outstanding.ofExchange(exchange);
    if (pending === undefined) return;
    const response = believeDnsAnswer(bytes, exchange.message, pending.question);
    if (typeof response === 'string') {
      this.drops.add(response);
      return;
    }
    const { SERVER_FAILURE, REFUSED, NOT_IMPLEMENTED } = DnsResponseCode;
    const isPoor = [SERVER_FAILURE, REFUSED, NOT_IMPLEMENTED].some(
      (code) => code === response.responseCode,
    );
    if (isPoor) {
      // Another server may do better; if none does, this is what the client is told.
      pending.poor = copyBytes(bytes);
      this.#askNext(pending, now);
      return;
    }
    const isTruncated = (response.flags & DnsFlag.TRUNCATED) !== 0;
    if (isTruncated && exchange.transport === 'udp' && pending.client.transport === 'tcp') {
      this.#ask(pending, exchange.server, 'tcp', now);
      return;
    }
    this.#best = Math.max(this.#servers.indexOf(exchange.server), 0);
    this.memory.learn(response);
    this.#respond(pending, copyBytes(bytes), response);
  }

  /** The server of an exchange could not be asked: there is nothing to wait for. */
  failed(exchange: DnsExchange, now: number): void {
    const pending = this.#outstanding.ofExchange(exchange);
    if (pending === undefined) return;
    this.drops.add('server-failed');
    this.#askNext(pending, now);
  }

  /** Gives up everything that waits: the clients are told that it failed. */
  close(): void {
    for (const pending of this.#outstanding.values()) {
      this.#fail(pending, 'the server is closing');
    }
  }

  /** Answers or passes on a question, or says why not. */
  #handle(bytes: Uint8Array, client: DnsClient, now: number): string | undefined {
    if (bytes.length < DNS_HEADER_LENGTH) return 'truncated';
    if ((readUint16(bytes, 2) & DnsFlag.RESPONSE) !== 0) return 'not-a-question';
    const message = parseDnsMessage(bytes, 0, bytes.length);
    const edns = typeof message === 'string' ? message : readEdns(message);
    if (typeof message === 'string' || typeof edns === 'string') {
      this.drops.add('format-error');
      client.respond(encodeFormatError(bytes));
      return undefined;
    }
    const query: DnsQuery = { message, edns };
    const refusal = this.#refusal(query);
    if (refusal !== undefined) {
      client.respond(refusal);
      return undefined;
    }
    const [question] = message.questions;
    const local = this.names.answer(question!);
    if (local === undefined) return this.#forward(bytes, query, question!, client, now);
    this.counters.add('local');
    const response = encodeLocalAnswer(query, local);
    client.respond(this.#fitting(query, client, response, { ...message, responseCode: 0 }));
    return undefined;
  }

  /** The response to a question that is not answered here, nor passed on. */
  #refusal(query: DnsQuery): Uint8Array | undefined {
    const { message, edns } = query;
    const refuse = (reason: string, code: number): Uint8Array => {
      this.drops.add(reason);
      return encodeFailure(query, code);
    };
    const { NOT_IMPLEMENTED, FORMAT_ERROR, REFUSED, BAD_VERSION } = DnsResponseCode;
    if (message.operation !== DnsOperation.QUERY) return refuse('not-a-query', NOT_IMPLEMENTED);
    const [question] = message.questions;
    if (question === undefined || message.questions.length > 1) {
      return refuse('format-error', FORMAT_ERROR);
    }
    if (edns !== undefined && edns.version > 0) return refuse('edns-version', BAD_VERSION);
    if (question.class !== DnsClass.IN) return refuse('other-class', REFUSED);
    if (!this.#denies(question.name.toString().toLowerCase())) return undefined;
    this.drops.add('denied');
    const text = `${question.name} is denied on this network`;
    return encodeFailure(query, REFUSED, { code: DnsExtendedError.BLOCKED, text });
  }

  #forward(
    bytes: Uint8Array,
    query: DnsQuery,
    question: DnsQuestion,
    client: DnsClient,
    now: number,
  ): string | undefined {
    if (this.#servers.length === 0) {
      this.counters.add('failed');
      client.respond(encodeFailure(query, DnsResponseCode.SERVER_FAILURE, NO_SERVERS));
      return undefined;
    }
    const pending = this.#outstanding.add(bytes, query, question, client, this.#best);
    if (typeof pending === 'string') return pending;
    this.counters.add('forwarded');
    this.#askNext(pending, now);
    return undefined;
  }

  /** Asks the next server, or gives up. */
  #askNext(pending: OutstandingQuestion, now: number): void {
    const server = this.#servers[pending.next % Math.max(this.#servers.length, 1)];
    if (server === undefined || pending.attempts >= this.#limits.attempts) {
      this.#fail(pending, 'no resolver of the host has answered');
      return;
    }
    pending.next++;
    this.#ask(pending, server, 'udp', now);
  }

  #ask(
    pending: OutstandingQuestion,
    server: SocketAddress,
    transport: DnsTransport,
    now: number,
  ): void {
    this.#endExchange(pending);
    pending.attempts++;
    const message = copyBytes(pending.bytes);
    writeUint16(message, 0, this.#random.below(0x10000));
    const exchange: DnsExchange = { server, transport, message };
    this.#outstanding.begin(pending, exchange, now);
    this.#sink.ask(exchange);
  }

  #respond(pending: OutstandingQuestion, bytes: Uint8Array, response: DnsMessage): void {
    this.#remove(pending);
    writeUint16(bytes, 0, pending.message.id);
    pending.client.respond(this.#fitting(pending, pending.client, bytes, response));
  }

  /** The response if the client takes as much, or else one that says that it is too long. */
  #fitting(
    query: DnsQuery,
    { transport }: DnsClient,
    bytes: Uint8Array,
    response: DnsMessage,
  ): Uint8Array {
    if (transport === 'tcp' || bytes.length <= longestByUdp(query, this.#limits.udpSize)) {
      return bytes;
    }
    this.counters.add('truncated');
    return encodeTruncated(query, response);
  }

  #fail(pending: OutstandingQuestion, text: string): void {
    this.counters.add('failed');
    const { poor } = pending;
    const parsed = poor && parseDnsMessage(poor, 0, poor.length);
    if (poor !== undefined && parsed !== undefined && typeof parsed !== 'string') {
      this.#respond(pending, poor, parsed);
      return;
    }
    this.#remove(pending);
    const trouble = { code: DnsExtendedError.NO_REACHABLE_AUTHORITY, text };
    pending.client.respond(encodeFailure(pending, DnsResponseCode.SERVER_FAILURE, trouble));
  }

  #remove(pending: OutstandingQuestion): void {
    this.#endExchange(pending);
    this.#outstanding.remove(pending);
  }

  #endExchange(pending: OutstandingQuestion): void {
    const exchange = this.#outstanding.end(pending);
    if (exchange !== undefined) this.#sink.end(exchange);
  }
}

const NO_SERVERS = {
  code: DnsExtendedError.NETWORK_ERROR,
  text: 'no resolver is known to pass the question on to: the host has none configured',
};
