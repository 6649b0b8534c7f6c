import { hostError, type NetloomError } from '../../core/index.ts';
import type { Http2ConnectionState } from './connection-state.ts';
import { answeredError } from './errors.ts';
import type { Http2Limits } from './limits.ts';
import type { Sender } from './sender.ts';
import type { StreamTable } from './stream-table.ts';
import type { Http2Stream } from './stream.ts';
import { ErrorCode, type Http2ErrorCode, type Http2Fault } from './wire/index.ts';

/** What a connection's timers ask of it. */
export interface TimersOwner {
  readonly state: Http2ConnectionState;
  readonly isReading: boolean;
  readonly streams: StreamTable;
  readonly sender: Sender;
  /** PINGs that were not answered yet. */
  readonly pingsUnderWay: number;
  sendPing(answered: (now: number) => void, now: number): boolean;
  /** The second step of a shutdown. */
  refuseStreams(now: number): void;
  fault(fault: Http2Fault, streamId: number, now: number): void;
  reset(stream: Http2Stream, code: Http2ErrorCode, error: NetloomError, now: number): void;
  close(code: Http2ErrorCode, now: number): void;
  abort(error: NetloomError, now: number): void;
}

/** The times of a connection that are not the same for all. Milliseconds. */
export interface ConnectionTimes {
  /** For the peer's first bytes, up to its settings. */
  readonly prefaceTimeout: number;
  /** From the first part of a header block to the last. */
  readonly headTimeout: number;
  /** Without a stream; Infinity: the owner decides. */
  readonly idleTimeout: number;
  readonly now: number;
}

/** What a connection waits for, each with the time until which; Infinity: for nothing. */
export class ConnectionTimers {
  readonly #owner: TimersOwner;
  readonly #limits: Http2Limits;
  readonly #times: ConnectionTimes;
  /** The peer's first settings, or the rest of a header block. */
  #head: number;
  /** The acknowledgement of our settings. */
  #settings = Infinity;
  /** A stream. */
  #idle = Infinity;
  /** The next PING, or its answer. */
  #ping = Infinity;
  /** The moment from which new streams are refused. */
  #goaway = Infinity;
  /** The peer's going on with a stream; it may be too early. */
  #streams = Infinity;

  constructor(owner: TimersOwner, limits: Http2Limits, times: ConnectionTimes) {
    this.#owner = owner;
    this.#limits = limits;
    this.#times = times;
    this.#head = times.now + times.prefaceTimeout;
  }

  /** A shutdown has begun, and has not got to its second step. */
  get isSayingGoodbye(): boolean {
    return this.#goaway !== Infinity;
  }

  /** When {@link advance} is next wanted. */
  deadline(): number {
    const { sender, isReading } = this.#owner;
    if (!isReading) return Infinity;
    const soonest = Math.min(this.#head, this.#settings, this.#idle, this.#ping, this.#goaway);
    return Math.min(soonest, this.#streams, sender.writeDeadline, sender.stallDeadline);
  }

  /** Nothing is waited for any more. */
  clear(): void {
    this.#head = this.#settings = this.#idle = Infinity;
    this.#ping = this.#goaway = this.#streams = Infinity;
  }

  /** The peer's first settings have come; it is to acknowledge ours. */
  begun(now: number): void {
    this.#head = Infinity;
    this.#settings = now + this.#limits.settingsTimeout;
    this.streamClosed(now);
  }

  /** Our settings are acknowledged. */
  settingsAcknowledged(): void {
    this.#settings = Infinity;
  }

  /** Input was read: within a header block or not; one that has begun has to end in time. */
  received(isWithinBlock: boolean, now: number): void {
    if (this.#owner.state !== 'preface') {
      if (!isWithinBlock) this.#head = Infinity;
      else if (this.#head === Infinity) this.#head = now + this.#times.headTimeout;
    }
    this.#watchPing(now);
  }

  streamOpened(now: number): void {
    this.#idle = Infinity;
    this.#watchPing(now);
  }

  streamClosed(now: number): void {
    if (this.#owner.streams.size > 0 || this.#owner.state === 'preface') return;
    this.#idle = now + this.#times.idleTimeout;
  }

  /** Sets when the peer must have gone on with a stream. */
  watch(stream: Http2Stream, deadline: number): void {
    stream.readDeadline = deadline;
    this.#streams = Math.min(this.#streams, deadline);
  }

  /** A shutdown has begun: its second step follows after `grace` at the latest. */
  sayGoodbye(now: number, grace: number): void {
    this.#goaway = now + grace;
  }

  /** Its second step was taken. */
  saidGoodbye(): void {
    this.#goaway = Infinity;
  }

  /** Does what is due. */
  advance(now: number): void {
    const owner = this.#owner;
    if (!owner.isReading) return;
    if (now >= owner.sender.writeDeadline) {
      owner.abort(hostError('TIMEOUT', 'the peer took nothing of what it was sent'), now);
    } else if (now >= this.#settings) {
      owner.fault('settings-timeout', 0, now);
    } else if (now >= this.#head) {
      owner.fault(owner.state === 'preface' ? 'preface-timeout' : 'head-timeout', 0, now);
    } else if (now >= this.#idle) {
      owner.close(ErrorCode.NO_ERROR, now);
    } else {
      if (now >= this.#ping) this.#pingDue(now);
      if (now >= this.#goaway) owner.refuseStreams(now);
      if (now >= this.#streams) this.#streamsDue(now);
      if (now >= owner.sender.stallDeadline) this.#stallsDue(now);
    }
  }

  #watchPing(now: number): void {
    if (this.#owner.pingsUnderWay > 0) return;
    const isUsed = this.#owner.streams.size > 0;
    this.#ping = isUsed ? now + this.#limits.pingInterval : Infinity;
  }

  #pingDue(now: number): void {
    if (this.#owner.pingsUnderWay > 0) {
      this.#owner.fault('ping-unanswered', 0, now);
      return;
    }
    this.#owner.sendPing((then) => this.#watchPing(then), now);
    this.#ping = now + this.#limits.pingTimeout;
  }

  #streamsDue(now: number): void {
    this.#streams = Infinity;
    for (const stream of this.#owner.streams.list()) {
      if (stream.state !== 'closed' && now >= stream.readDeadline) this.#streamDue(stream, now);
      else this.#streams = Math.min(this.#streams, stream.readDeadline);
    }
  }

  #streamDue(stream: Http2Stream, now: number): void {
    if (stream.lingers) {
      const error = answeredError('the request was answered before its body had come');
      this.#owner.reset(stream, ErrorCode.NO_ERROR, error, now);
    } else {
      this.#owner.fault('timeout', stream.id, now);
    }
  }

  /** A stream that the peer holds up costs what is kept for it. */
  #stallsDue(now: number): void {
    const { sender, streams } = this.#owner;
    for (const stream of sender.overdue(streams.list(), now)) {
      if (stream.state !== 'closed') this.#owner.fault('slow-read', stream.id, now);
    }
  }
}
