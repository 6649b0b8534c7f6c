import {
  NOT_QUEUED,
  NetloomError,
  StateMachine,
  chunkPool,
  formatSocketAddress,
  type Connection,
  type ConnectionHandler,
  type IpAddress,
  type SocketAddress,
} from '../../core/index.ts';
import type { TcpHeader } from '../../wire/index.ts';
import { TCP_STATE } from '../diagnostics.ts';
import type { Packet } from '../packet.ts';
import type { Path } from '../route/path.ts';
import type { Flow } from './flow-table.ts';
import type { TcpLayer } from './layer.ts';
import { Receiver, windowScaleFor } from './receiver.ts';
import { segmentArrives } from './segment-arrival.ts';
import { Sender } from './sender.ts';
import { TCP_TRANSITIONS, type TcpEvent, type TcpState } from './states.ts';
import { advanceTimers, newTimers, type ConnectionTimers } from './timers.ts';
import { sendData, sendReset } from './transmit.ts';

/** What a connection is made with. */
export interface TcpConnectionOptions {
  readonly layer: TcpLayer;
  readonly path: Path;
  readonly localPort: number;
  readonly remotePort: number;
  /** ISS */
  readonly initialSequence: number;
  /** Added to our clock's milliseconds to make timestamps. */
  readonly timestampOffset: number;
  readonly opened: TcpOpened;
}

/** Called once: the handshake is done, or it failed. */
export type TcpOpened = (connection: TcpConnection, error: NetloomError | undefined) => void;

/**
 * A TCP connection: the transmission control block of RFC 9293, and the {@link Connection} its user holds.
 *
 * What happens to it is elsewhere, a file for each: segments that arrive (`segment-arrival.ts`), segments it sends (`transmit.ts`), its
 * timers (`timers.ts`); what it knows of its two directions is in its {@link Sender} and {@link Receiver}. Here are the user's calls and
 * the events the user is told. State changes first, events follow (`deliver`), so a handler may call anything.
 */
export class TcpConnection implements Connection, Flow {
  readonly layer: TcpLayer;
  path: Path;
  readonly localPort: number;
  readonly remotePort: number;
  readonly initialSequence: number;
  readonly machine: StateMachine<TcpState, TcpEvent> = new StateMachine(
    'tcp',
    TCP_TRANSITIONS,
    'closed',
    TCP_STATE,
    this,
  );
  readonly sender: Sender;
  readonly receiver: Receiver;
  nextInBucket: Flow | undefined;

  /** Negotiated in the handshake. */
  sackPermitted = false;
  timestamps = false;
  /** Both sides scale their windows. */
  windowScaling = false;
  /** The largest segment the peer takes: its MSS option. */
  peerSegmentSize = 536;
  /** Shift of the windows the peer advertises. */
  peerWindowScale = 0;
  /** Added to our clock's milliseconds to make timestamps (RFC 7323, section 5.4: it tells nobody our uptime). */
  readonly timestampOffset: number;
  /** TS.Recent, and when it was taken (RFC 7323, section 4.3). */
  recentTimestamp = 0;
  recentTimestampAt = 0;
  /** Last.ACK.sent: RCV.NXT as the peer knows it. */
  lastAcknowledgmentSent = 0;
  /** When an empty segment that was not acceptable was last answered. */
  answeredAt: number = -Infinity;

  /** An acknowledgment is owed: at once, or by the timer. */
  acknowledgeNow = false;
  /** Bytes received since the last acknowledgment. */
  unacknowledgedBytes = 0;
  readonly timers: ConnectionTimers = newTimers();
  /** Stands in the layer's list of connections with something to do. */
  isScheduled = false;
  /** When anything was last received. */
  heardAt = 0;
  /** Since when the peer has not acknowledged anything new, though there was something. */
  progressAt = 0;
  /** When the peer was last sent something again, or asked for its window. */
  askedAt = 0;
  keepAliveIdle: number | undefined;
  keepAliveProbes = 0;
  /** A listener made it. */
  isPassive = false;
  /** SYNs sent by ourselves, and when the first was. */
  synAttempts = 0;
  synSentAt = 0;
  /** One was sent besides, since the peer's came again: what an acknowledgment answers is then not known. */
  synRepeated = false;
  /** Where half-open connections of a listener are counted; see `listener.ts`. */
  opened: TcpOpened | undefined;

  deadline: number = NOT_QUEUED.deadline;
  position: number = NOT_QUEUED.position;
  order: number = NOT_QUEUED.order;

  #handler: ConnectionHandler | undefined;
  #paused = false;
  #wantsDrain = false;
  /** The user may write no more. */
  #writeClosed = false;
  #endDelivered = false;
  #delivering = false;
  /** It is over; `undefined` inside says it ended in good order. */
  #over: { readonly error: NetloomError | undefined } | undefined;
  #closedDelivered = false;
  #closing: PromiseWithResolvers<void> | undefined;

  constructor(options: TcpConnectionOptions) {
    const { layer, path, initialSequence } = options;
    const { limits } = layer;
    this.layer = layer;
    this.path = path;
    this.localPort = options.localPort;
    this.remotePort = options.remotePort;
    this.initialSequence = initialSequence;
    this.opened = options.opened;
    this.timestampOffset = options.timestampOffset;
    this.sender = new Sender(initialSequence, 536, (sequence, offset, length, fin, push, resent) =>
      sendData(this, sequence, offset, length, fin, push, resent),
    );
    // A window below the unit that scaled windows are told in could not be told.
    const leastBuffer = 2 ** windowScaleFor(limits.maximumReceiveBuffer);
    this.receiver = new Receiver(
      0,
      Math.max(leastBuffer, limits.receiveBuffer),
      limits.maximumReceiveBuffer,
      limits.outOfOrderRanges,
    );
  }

  get localAddress(): IpAddress {
    return this.path.source;
  }

  get remoteAddress(): IpAddress {
    return this.path.destination;
  }

  get local(): SocketAddress {
    return { address: this.localAddress, port: this.localPort };
  }

  get remote(): SocketAddress {
    return { address: this.remoteAddress, port: this.remotePort };
  }

  get state(): TcpState {
    return this.machine.state;
  }

  /** The state is one in which both sides have synchronized. */
  get isSynchronized(): boolean {
    const { state } = this;
    return state !== 'closed' && state !== 'syn-sent' && state !== 'syn-received';
  }

  /** Bytes written and not yet sent. What is sent and not acknowledged counts for what `write` answers, but is on its way. */
  get bufferedAmount(): number {
    return this.#over === undefined ? this.sender.unsent : 0;
  }

  segmentArrives(header: TcpHeader, packet: Packet, now: number): void {
    segmentArrives(this, header, packet, now);
  }

  /** Does what is due; the layer then asks for {@link connectionDeadline} anew. */
  advance(now: number): void {
    advanceTimers(this, now);
  }

  start(handler: ConnectionHandler): void {
    this.#handler = handler;
    this.receiver.flowing = !this.#paused;
    this.layer.schedule(this);
  }

  write(chunk: Uint8Array): boolean {
    if (this.#writeClosed) throw this.#writeAfterEnd();
    if (this.#over !== undefined) return false;
    this.sender.queue.append(chunk);
    const { corked, unsent, payloadSize } = this.sender;
    if (!corked || unsent >= payloadSize) this.layer.schedule(this);
    if (this.sender.queue.length < this.#sendBuffer) return true;
    this.#wantsDrain = true;
    // A corked connection must not wait for room that only sending makes.
    this.layer.schedule(this);
    return false;
  }

  writeBorrowed(chunk: Uint8Array): boolean {
    return this.write(chunkPool.copy(chunk));
  }

  cork(): void {
    this.sender.corked = true;
  }

  uncork(): void {
    this.sender.corked = false;
    this.layer.schedule(this);
  }

  pause(): void {
    this.#paused = true;
    this.receiver.flowing = false;
  }

  resume(): void {
    this.#paused = false;
    this.receiver.flowing = this.#handler !== undefined;
    this.layer.schedule(this);
  }

  end(): void {
    if (this.#writeClosed) return;
    this.#writeClosed = true;
    if (this.#over !== undefined) return;
    this.sender.ended = true;
    if (this.machine.can('end')) this.machine.take('end', this.layer.now());
    this.layer.schedule(this);
  }

  close(): Promise<void> {
    if (this.#closing !== undefined) return this.#closing.promise;
    this.#closing = Promise.withResolvers();
    this.end();
    this.receiver.discarding = true;
    this.receiver.clear();
    this.layer.schedule(this);
    if (this.#over !== undefined) return this.#closing.promise;
    this.timers.closeAt = this.layer.now() + this.layer.limits.closeTimeout;
    return this.#closing.promise;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  abort(error?: NetloomError): void {
    this.#writeClosed = true;
    if (this.#over !== undefined) return;
    // What the peer has not been told about needs no reset (RFC 9293, section 3.10.5).
    if (this.state !== 'closed' && this.state !== 'syn-sent' && this.state !== 'time-wait') {
      sendReset(this);
    }
    this.fail(error ?? new NetloomError('ABORTED', `${this} was aborted from this side`));
  }

  setNoDelay(on: boolean): void {
    this.sender.noDelay = on;
    if (on) this.layer.schedule(this);
  }

  setKeepAlive(idle: number | undefined): void {
    if (this.#over !== undefined) return;
    this.keepAliveIdle = idle;
    this.keepAliveProbes = 0;
    this.timers.keepAliveAt = idle === undefined ? Infinity : this.layer.now() + idle;
    this.layer.schedule(this);
  }

  /** The handshake is done. */
  established(now: number): void {
    this.machine.take('synchronized', now);
    this.heardAt = now;
    this.progressAt = now;
    const { opened } = this;
    this.opened = undefined;
    // The user may have ended before the handshake was done.
    if (this.sender.ended) this.machine.take('end', now);
    opened?.(this, undefined);
  }

  /** It is over, by an error: the user is told, nothing more is sent or received. */
  fail(error: NetloomError): void {
    if (this.#over !== undefined) return;
    const { opened } = this;
    this.opened = undefined;
    this.receiver.clear();
    this.receiver.finished = false;
    this.#finish({ error });
    this.layer.forget(this);
    this.layer.statistics.failed++;
    opened?.(this, error);
  }

  /** Both sides have ended and everything is acknowledged, or only TIME-WAIT is left. */
  finished(): void {
    if (this.#over === undefined) this.#finish({ error: undefined });
  }

  /** Tells the user what has happened. Called when state is settled; a handler may call anything. */
  deliver(now: number): void {
    if (this.#over !== undefined) this.#settleClosing();
    if (this.#delivering || this.#handler === undefined) return;
    this.#delivering = true;
    try {
      this.#deliverData(now);
      this.#deliverEvents();
    } catch (thrown) {
      this.handlerThrew(thrown);
    } finally {
      this.#delivering = false;
    }
    // The frame's bytes are borrowed: what the user did not take is copied now.
    this.receiver.keepDirect();
  }

  /** The connection is over or its user will take nothing more from it. */
  get isOver(): boolean {
    return this.#over !== undefined;
  }

  toString(): string {
    return `TCP ${formatSocketAddress(this.local)} to ${formatSocketAddress(this.remote)}`;
  }

  get #sendBuffer(): number {
    const { sendBuffer, maximumSendBuffer } = this.layer.limits;
    const { recovery } = this.sender;
    if (recovery === undefined) return sendBuffer;
    // What is in flight, and as much again to follow it. While a loss is repaired all that was sent after it is kept as well, and new
    // data goes out in place of what arrives (RFC 6675): twice a reduced window would leave nothing to send.
    const { window } = recovery.congestion;
    const wanted = Math.max(2 * window, this.sender.outstandingBytes + window);
    return Math.min(maximumSendBuffer, Math.max(sendBuffer, wanted));
  }

  /** Half of the buffer is free; or there is room in it, and little left to follow what is in flight, however much of that is kept. */
  get #isDrained(): boolean {
    const { queue, recovery, unsent } = this.sender;
    const room = this.#sendBuffer - queue.length;
    if (room >= queue.length) return true;
    return recovery !== undefined && room > 0 && unsent <= recovery.congestion.window / 2;
  }

  #finish(over: { readonly error: NetloomError | undefined }): void {
    this.#over = over;
    this.sender.queue.clear();
    this.sender.recovery?.stop();
    Object.assign(this.timers, newTimers());
    this.layer.schedule(this);
  }

  #deliverData(now: number): void {
    const { receiver } = this;
    const handler = (): ConnectionHandler => this.#handler!;
    const roundTrip = this.sender.recovery?.rtt.smoothed ?? 0;
    while (receiver.flowing) {
      let chunk = receiver.direct;
      if (chunk === undefined) chunk = receiver.shift();
      else receiver.direct = undefined;
      if (chunk === undefined) break;
      receiver.taken(chunk.length, roundTrip, now);
      handler().data?.(chunk);
    }
    const isEnd = receiver.flowing && receiver.finished && !receiver.discarding;
    if (isEnd && !this.#endDelivered && this.#over?.error === undefined) {
      this.#endDelivered = true;
      handler().end?.();
    }
  }

  #deliverEvents(): void {
    if (this.#wantsDrain && this.#over === undefined && this.#isDrained) {
      this.#wantsDrain = false;
      this.#handler!.drain?.();
    }
    if (this.#over === undefined || this.#closedDelivered) return;
    // What came in good order is the user's before the end is.
    const unread = this.#over.error === undefined && this.receiver.finished && !this.#endDelivered;
    if (unread && !this.receiver.discarding) return;
    this.#closedDelivered = true;
    this.#handler!.closed?.(this.#over.error);
  }

  /** `close` is done, unless a handler is still to be told so first. */
  #settleClosing(): void {
    // The promise's reactions run after this turn, and so after the handler's `closed`.
    this.#closing?.resolve();
  }

  /** A call of the user's has thrown: the connection is aborted, the others go on. */
  handlerThrew(thrown: unknown): void {
    const error = new NetloomError('HANDLER_THREW', `the handler of ${this} threw`, {
      cause: thrown,
      remedy: 'Catch the error inside the handler; the cause says where it came from.',
    });
    if (this.#closedDelivered) this.layer.handlerThrew(error);
    else this.abort(error);
  }

  #writeAfterEnd(): NetloomError {
    return new NetloomError('WRITE_AFTER_END', `${this} has been ended from this side`, {
      remedy: 'Write before calling end, close or abort.',
    });
  }
}
