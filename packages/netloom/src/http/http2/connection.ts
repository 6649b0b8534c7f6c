import { StateMachine, hostError, type Engine, type NetloomError } from '../../core/index.ts';
import { HeaderCompression, type FieldPairs } from './compression.ts';
import {
  HTTP2_CONNECTION_TRANSITIONS,
  type Http2ConnectionEvent,
  type Http2ConnectionState,
} from './connection-state.ts';
import { ConnectionTimers, type ConnectionTimes, type TimersOwner } from './connection-timers.ts';
import { resetError } from './errors.ts';
import type { FieldSection } from './field-section.ts';
import { FloodGuard } from './flood-guard.ts';
import { SendWindow } from './flow-control.ts';
import type { Http2Limits } from './limits.ts';
import { Pings } from './pings.ts';
import { Receiver, type ReceiverOwner } from './receiver.ts';
import type { ConnectionRole } from './role.ts';
import { UNSIGNALLED_PRIORITY } from './scheduler.ts';
import { Sender, type Http2Sink, type SenderOwner } from './sender.ts';
import { SettingsExchange } from './settings-exchange.ts';
import { StreamTable, type StreamEnding } from './stream-table.ts';
import { Http2Stream } from './stream.ts';
import { Windows } from './windows.ts';
import {
  ErrorCode,
  FRAME_HEADER_LENGTH,
  HTTP2_FAULTS,
  MAX_STREAM_ID,
  http2FaultError,
  type Http2ErrorCode,
  type Http2Fault,
} from './wire/index.ts';

/** Bytes of the answers to control frames, for counting what the peer does not read. */
const SETTINGS_ACK_LENGTH = FRAME_HEADER_LENGTH;
const PING_LENGTH = FRAME_HEADER_LENGTH + 8;
const RESET_LENGTH = FRAME_HEADER_LENGTH + 4;

/** What a {@link Http2Connection} is made from. */
export interface Http2ConnectionOptions extends ConnectionTimes {
  readonly role: ConnectionRole;
  readonly sink: Http2Sink;
  readonly limits: Http2Limits;
  /** Settings beyond those that follow from the limits. */
  readonly settings: readonly (readonly [id: number, value: number])[];
}

/**
 * One HTTP/2 connection (RFC 9113), the part that is the same on either side: streams and their windows, settings, PING, GOAWAY,
 * and what ends for which fault. No I/O, no clock.
 *
 * Whatever is called from outside is wrapped in {@link perform}, so that what it writes goes out together.
 */
export class Http2Connection implements Engine, SenderOwner, ReceiverOwner, TimersOwner {
  readonly #role: ConnectionRole;
  readonly #sink: Http2Sink;
  readonly #limits: Http2Limits;
  readonly #machine: StateMachine<Http2ConnectionState, Http2ConnectionEvent>;
  readonly #guard: FloodGuard;
  readonly #pings = new Pings();
  readonly #receiver: Receiver;
  readonly #settings: SettingsExchange;
  readonly #windows: Windows;
  readonly #timers: ConnectionTimers;
  readonly sender: Sender;
  readonly streams: StreamTable;
  /** Calls under way: output is handed on after the outermost. */
  #depth = 0;
  /** Our last GOAWAY has gone out. */
  #refusesStreams = false;
  #peerEnded = false;

  constructor(options: Http2ConnectionOptions) {
    const { role, sink, limits, now } = options;
    this.#role = role;
    this.#sink = sink;
    this.#limits = limits;
    this.#machine = new StateMachine('http2', HTTP2_CONNECTION_TRANSITIONS, 'preface');
    const compression = new HeaderCompression(limits);
    this.#guard = new FloodGuard(limits);
    this.streams = new StreamTable(role.side, limits.closedStreams);
    this.sender = new Sender(sink, limits, this.#guard, compression, this);
    this.#settings = new SettingsExchange(role.side, limits, this.sender, compression);
    this.#windows = new Windows(this.sender, this.streams, limits);
    this.#receiver = new Receiver({
      owner: this,
      role,
      limits,
      streams: this.streams,
      compression,
      guard: this.#guard,
      windows: this.#windows,
    });
    this.#timers = new ConnectionTimers(this, limits, options);
    this.perform(now, () => {
      this.#settings.send(options.settings);
      this.#windows.openAtFirst(limits);
    });
  }

  get state(): Http2ConnectionState {
    return this.#machine.state;
  }

  get isReading(): boolean {
    return this.state !== 'closing' && this.state !== 'closed';
  }

  get pingsUnderWay(): number {
    return this.#pings.underWay;
  }

  get refusesStreams(): boolean {
    return this.#refusesStreams;
  }

  deadline(): number {
    return this.#timers.deadline();
  }

  advance(now: number): void {
    this.perform(now, () => this.#timers.advance(now));
  }

  /** Takes input, borrowed. */
  receive(chunk: Uint8Array, now: number): void {
    if (!this.isReading) return;
    this.perform(now, () => {
      this.#receiver.receive(chunk, now);
      if (this.isReading) this.#timers.received(this.#receiver.isWithinBlock, now);
    });
  }

  /** The peer sends no more; of what it was to be sent it may still read. */
  receiveEnd(now: number): void {
    this.perform(now, () => {
      this.#peerEnded = true;
      for (const stream of this.streams.list()) {
        if (stream.isPeerOpen) this.#cut(stream, 'reset-by-peer', this.#role.lost(stream), now);
      }
    });
  }

  /** The sink has room again. */
  drained(now: number): void {
    this.perform(now, () => this.sender.drained());
  }

  /** The connection is gone. */
  gone(error: NetloomError | undefined, now: number): void {
    if (this.state === 'closed') return;
    const wasOpen = this.isReading;
    this.#machine.take('gone', now);
    this.#end();
    if (!wasOpen) return;
    this.#cutAll(error, now);
    this.#role.closed(error);
  }

  /** Calls something, then sends what may be sent, and hands it on. */
  perform<T>(now: number, call: () => T): T {
    this.#depth++;
    try {
      return call();
    } finally {
      if (this.#depth === 1) {
        this.sender.pump(now);
        this.sender.flush(now);
        this.#concludeDraining(now);
      }
      this.#depth--;
    }
  }

  /** Opens a stream, of ours or the peer's. */
  openStream(id: number, now: number): Http2Stream {
    const stream = new Http2Stream({
      id,
      sendWindow: new SendWindow(this.sender.peer.initialWindowSize),
      receiveWindow: this.#settings.newReceiveWindow(),
      priority: UNSIGNALLED_PRIORITY,
      bodyTimeout: this.#limits.bodyTimeout,
    });
    stream.take('headers', now);
    this.streams.add(stream);
    this.#timers.streamOpened(now);
    return stream;
  }

  /** Sends part of a body, given away. False: wait to be told of room. */
  write(stream: Http2Stream, chunk: Uint8Array, now: number): boolean {
    return this.perform(now, () => {
      if (chunk.length > 0) this.sender.enqueue(stream, chunk);
      // What may go at once does not count; while input is being read, others may have their turn first.
      if (this.#depth === 1) this.sender.pump(now);
      return this.sender.hasRoomFor(stream);
    });
  }

  /** Ends our side of a stream, after what was written. */
  end(stream: Http2Stream, trailers: FieldPairs | undefined, now: number): void {
    this.perform(now, () => {
      stream.ending = true;
      stream.trailers = trailers;
      this.sender.wake(stream);
    });
  }

  /** Sends a header block. */
  sendHeaders(
    stream: Http2Stream,
    isEnd: boolean,
    now: number,
    ...fields: readonly FieldPairs[]
  ): void {
    this.perform(now, () => {
      this.sender.headers(stream, isEnd, ...fields);
      if (isEnd) this.sentEnd(stream, now);
    });
  }

  sentEnd(stream: Http2Stream, now: number): void {
    stream.stallDeadline = Infinity;
    stream.take('send-end', now);
    if (stream.state === 'closed') this.#close(stream, 'ended', now);
    stream.user?.sent(now);
  }

  /** The stream's body is wanted now, or no more. */
  readingChanged(stream: Http2Stream, now: number): void {
    this.perform(now, () => {
      stream.deliverWaiting((length) => this.#windows.creditStream(stream, length), now);
      this.progressed(stream, now);
    });
  }

  /** Nobody will read what the stream holds. */
  discard(stream: Http2Stream): void {
    this.#windows.credit(stream.clear());
  }

  /**
   * Drops what still comes of a request that was answered, and resets the stream if its end does not come soon (RFC 9113, section
   * 8.1). Not at once: some clients that are told so while they send do not read the answer any more.
   */
  linger(stream: Http2Stream, now: number): void {
    this.discard(stream);
    stream.lingers = true;
    this.watch(stream, now + this.#limits.lingerTimeout);
  }

  /** Gives a stream up. */
  reset(stream: Http2Stream, code: Http2ErrorCode, error: NetloomError, now: number): void {
    this.perform(now, () => {
      if (stream.state === 'closed') return;
      this.#writeReset(stream.id, code, now);
      this.#cut(stream, 'reset-by-us', error, now);
    });
  }

  /** The peer has said that it does not look at the stream: nothing is sent for it any more. */
  forget(stream: Http2Stream, error: NetloomError, now: number): void {
    this.#cut(stream, 'reset-by-us', error, now);
  }

  endReceived(stream: Http2Stream, section: FieldSection | undefined, now: number): void {
    if (!stream.isLengthRight && !stream.lingers) {
      this.fault('content-length-mismatch', stream.id, now);
      return;
    }
    stream.readDeadline = Infinity;
    stream.take('receive-end', now);
    if (stream.state === 'closed') this.#close(stream, 'ended', now);
    stream.endReceived(section?.fields, now);
  }

  /** The peer has gone on, or is to go on from now: when it must have done so again. */
  progressed(stream: Http2Stream, now: number): void {
    if (!stream.headReceived || stream.lingers) return;
    this.watch(stream, stream.isAwaiting ? now + stream.bodyTimeout : Infinity);
  }

  /** Sets when the peer must have gone on with a stream. */
  watch(stream: Http2Stream, deadline: number): void {
    this.#timers.watch(stream, deadline);
  }

  resetReceived(stream: Http2Stream, code: Http2ErrorCode, now: number): void {
    this.#cut(stream, 'reset-by-peer', resetError(code), now);
  }

  settings(payload: Uint8Array, now: number): void {
    const fault = this.#settings.take(payload, this.streams.list());
    if (fault !== undefined) {
      this.fault(fault, 0, now);
      return;
    }
    this.sender.writer.settingsAck();
    this.#answered(SETTINGS_ACK_LENGTH, now);
    if (this.state === 'preface') {
      this.#machine.take('settings', now);
      this.#timers.begun(now);
    }
    this.#role.settingsChanged(now);
  }

  settingsAcknowledged(): void {
    this.#timers.settingsAcknowledged();
    this.#settings.acknowledged(this.streams.list());
  }

  ping(payload: Uint8Array, isAnswer: boolean, now: number): void {
    if (isAnswer) {
      this.#pings.answer(payload, now);
      return;
    }
    this.sender.writer.ping(payload, true);
    this.#answered(PING_LENGTH, now);
  }

  /** Sends a PING; `answered` is called when its answer has come. False: too many are under way. */
  sendPing(answered: (now: number) => void, now: number): boolean {
    const payload = this.#pings.begin(answered);
    if (payload === undefined || !this.isReading) return false;
    this.perform(now, () => this.sender.writer.ping(payload, false));
    return true;
  }

  goaway(lastStreamId: number, code: Http2ErrorCode, now: number): void {
    if (this.state === 'open') this.#machine.take('goaway', now);
    this.#role.goaway(lastStreamId, code, now);
  }

  /**
   * Takes no new streams any more, and closes when those there are have ended. In two steps (RFC 9113, section 6.8): the peer is told so, and what
   * it has sent until it knew is still taken.
   */
  shutdown(now: number, grace: number): void {
    if (this.state === 'preface') this.close(ErrorCode.NO_ERROR, now);
    if (this.state !== 'open') return;
    this.perform(now, () => {
      this.#machine.take('goaway', now);
      this.sender.writer.goaway(MAX_STREAM_ID, ErrorCode.NO_ERROR, '');
      this.#timers.sayGoodbye(now, grace);
      this.sendPing((then) => this.refuseStreams(then), now);
    });
  }

  /** The second step of {@link shutdown}. */
  refuseStreams(now: number): void {
    this.#timers.saidGoodbye();
    if (this.#refusesStreams || !this.isReading) return;
    this.#refusesStreams = true;
    this.sender.writer.goaway(this.streams.lastPeerId, ErrorCode.NO_ERROR, '');
    this.#concludeDraining(now);
  }

  /** Says goodbye and closes; what is under way is given up. */
  close(code: Http2ErrorCode, now: number, error?: NetloomError, reason = ''): void {
    if (!this.isReading) return;
    this.#machine.take('stop', now);
    const wasTold = this.#refusesStreams && code === ErrorCode.NO_ERROR;
    if (!wasTold) this.sender.writer.goaway(this.streams.lastPeerId, code, reason);
    this.sender.flush(now);
    this.#end();
    this.#sink.close();
    this.#cutAll(error ?? hostError('ABORTED', 'the connection was closed'), now);
    this.#role.closed(error);
  }

  /** Cuts the connection off. */
  abort(error: NetloomError, now: number): void {
    if (!this.isReading) return;
    this.#machine.take('stop', now);
    this.#end();
    this.#sink.abort(error);
    this.#cutAll(error, now);
    this.#role.closed(error);
  }

  fault(fault: Http2Fault, streamId: number, now: number): void {
    if (!this.isReading) return;
    const { scope, code } = HTTP2_FAULTS[fault];
    // RFC 9113, section 5.4.2: a stream that was never opened cannot be reset, so it is the connection's fault.
    const isOfConnection = scope === 'connection' || this.streams.isIdle(streamId);
    this.#role.refused(fault);
    const error = http2FaultError(fault, isOfConnection ? 'the connection' : 'the message');
    if (isOfConnection) {
      this.close(code, now, error, fault);
      return;
    }
    const stream = this.streams.get(streamId);
    if (stream !== undefined) {
      // Whatever the frame would have ended, it is not taken.
      stream.endArriving = false;
      if (this.#role.answerFault(stream, fault, now)) return;
    }
    const flood = this.#guard.note('provoked-reset-flood', now);
    if (flood !== undefined) {
      this.fault(flood, streamId, now);
      return;
    }
    this.#writeReset(streamId, code, now);
    if (stream === undefined) this.streams.close(streamId, 'reset-by-us');
    else this.#cut(stream, 'reset-by-us', error, now);
  }

  /** The stream is over before its time. */
  #cut(stream: Http2Stream, ending: StreamEnding, error: NetloomError, now: number): void {
    // What was told of another stream's end may have ended this one.
    if (stream.state === 'closed') return;
    stream.take('reset', now);
    this.#close(stream, ending, now);
    this.discard(stream);
    stream.user?.cut(error);
  }

  #cutAll(error: NetloomError | undefined, now: number): void {
    for (const stream of this.streams.list()) {
      this.#cut(stream, 'reset-by-peer', error ?? this.#role.lost(stream), now);
    }
  }

  #close(stream: Http2Stream, ending: StreamEnding, now: number): void {
    stream.readDeadline = stream.stallDeadline = Infinity;
    this.streams.close(stream.id, ending);
    this.sender.forget(stream);
    this.#timers.streamClosed(now);
    this.#role.streamClosed(now);
  }

  #writeReset(streamId: number, code: Http2ErrorCode, now: number): void {
    this.sender.writer.rstStream(streamId, code);
    this.#answered(RESET_LENGTH, now);
  }

  #answered(length: number, now: number): void {
    if (!this.sender.answered(length)) this.fault('control-backlog', 0, now);
  }

  /** Closes when nothing is left that could go on. */
  #concludeDraining(now: number): void {
    const mayEnd = this.#peerEnded || (this.state === 'draining' && !this.#timers.isSayingGoodbye);
    if (mayEnd && this.isReading && this.streams.size === 0) this.close(ErrorCode.NO_ERROR, now);
  }

  #end(): void {
    this.#timers.clear();
    this.sender.close();
  }
}
