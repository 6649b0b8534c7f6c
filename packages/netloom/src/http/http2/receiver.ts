import { readInt32 } from '../../core/index.ts';
import type { HeaderCompression } from './compression.ts';
import { FieldSection } from './field-section.ts';
import type { FloodGuard } from './flood-guard.ts';
import type { Http2Limits } from './limits.ts';
import type { ConnectionRole } from './role.ts';
import type { StreamTable } from './stream-table.ts';
import type { Http2Stream } from './stream.ts';
import type { Windows } from './windows.ts';
import {
  FrameFlag,
  FrameReader,
  FrameType,
  HTTP2_FAULTS,
  MAX_STREAM_ID,
  type FrameEvent,
  type Http2ErrorCode,
  type Http2Fault,
} from './wire/index.ts';

/** What a receiver asks of its connection. */
export interface ReceiverOwner {
  readonly isReading: boolean;
  /** No new streams are taken: those that come all the same are passed over. */
  readonly refusesStreams: boolean;
  /** Opens a stream of the peer's. */
  openStream(id: number, now: number): Http2Stream;
  endReceived(stream: Http2Stream, section: FieldSection | undefined, now: number): void;
  progressed(stream: Http2Stream, now: number): void;
  resetReceived(stream: Http2Stream, code: Http2ErrorCode, now: number): void;
  settings(payload: Uint8Array, now: number): void;
  settingsAcknowledged(now: number): void;
  ping(payload: Uint8Array, isAnswer: boolean, now: number): void;
  goaway(lastStreamId: number, code: Http2ErrorCode, now: number): void;
  /** Ends the connection, or the stream of this number. */
  fault(fault: Http2Fault, streamId: number, now: number): void;
}

/** What a receiver is made from. */
export interface ReceiverParts {
  readonly owner: ReceiverOwner;
  readonly role: ConnectionRole;
  readonly limits: Http2Limits;
  readonly streams: StreamTable;
  readonly compression: HeaderCompression;
  readonly guard: FloodGuard;
  readonly windows: Windows;
}

/** The receiving side of a connection: whose frames are these, and may they be there? */
export class Receiver {
  readonly #owner: ReceiverOwner;
  readonly #role: ConnectionRole;
  readonly #limits: Http2Limits;
  readonly #streams: StreamTable;
  readonly #compression: HeaderCompression;
  readonly #guard: FloodGuard;
  readonly #windows: Windows;
  readonly #reader: FrameReader;
  #settingsSeen = false;
  /** What the DATA frame that is being read is for; undefined: it is dropped. */
  #dataStream: Http2Stream | undefined;
  #isEnd = false;
  /** The header block that is being read: on which stream, what it makes, what is wrong with it already. */
  #blockId = 0;
  #section: FieldSection | undefined;
  #blockFault: Http2Fault | undefined;
  #continuations = 0;
  #pieces = 0;

  constructor(parts: ReceiverParts) {
    this.#owner = parts.owner;
    this.#role = parts.role;
    this.#limits = parts.limits;
    this.#streams = parts.streams;
    this.#compression = parts.compression;
    this.#guard = parts.guard;
    this.#windows = parts.windows;
    this.#reader = new FrameReader(parts.role.side === 'server', parts.limits.maxFrameSize);
  }

  /** A header block has begun that has not ended. */
  get isWithinBlock(): boolean {
    return this.#reader.isWithinBlock;
  }

  /** Takes input, borrowed. */
  receive(chunk: Uint8Array, now: number): void {
    this.#reader.feed(chunk);
    while (this.#owner.isReading) {
      const event = this.#reader.next();
      if (event === 'more') return;
      this.#take(event, now);
    }
  }

  #take(event: FrameEvent, now: number): void {
    const { type, streamId, fault } = this.#reader;
    if (event === 'fault') {
      this.#owner.fault(fault, streamId, now);
    } else if (!this.#settingsSeen && !this.#isSettings()) {
      // RFC 9113, section 3.4: on either side SETTINGS are the first frame.
      this.#owner.fault('settings-missing', 0, now);
    } else if (event === 'frame') {
      this.#takeFrame(now);
    } else if (type === FrameType.DATA) {
      this.#takeData(event, now);
    } else {
      this.#takeBlock(event, now);
    }
  }

  #isSettings(): boolean {
    const { type, flags } = this.#reader;
    this.#settingsSeen = type === FrameType.SETTINGS && (flags & FrameFlag.ACK) === 0;
    return this.#settingsSeen;
  }

  #takeFrame(now: number): void {
    const { type, flags, streamId, payload } = this.#reader;
    const owner = this.#owner;
    const isAck = (flags & FrameFlag.ACK) !== 0;
    switch (type) {
      case FrameType.PRIORITY:
        return this.#takePriority(now);
      case FrameType.RST_STREAM:
        return this.#takeReset(now);
      case FrameType.SETTINGS:
        if (isAck) return owner.settingsAcknowledged(now);
        return this.#unlessFlood('settings-flood', now, () => owner.settings(payload, now));
      case FrameType.PUSH_PROMISE:
        // RFC 9113, section 8.4: only servers push, and we tell them not to.
        return owner.fault('push-refused', streamId, now);
      case FrameType.PING:
        if (isAck) return owner.ping(payload, true, now);
        return this.#unlessFlood('ping-flood', now, () => owner.ping(payload, false, now));
      case FrameType.GOAWAY:
        return owner.goaway(
          readInt32(payload, 0) & MAX_STREAM_ID,
          readInt32(payload, 4) >>> 0,
          now,
        );
      case FrameType.WINDOW_UPDATE:
        return this.#takeWindowUpdate(now);
      case FrameType.PRIORITY_UPDATE:
        return this.#takePriorityUpdate(now);
      default:
        return this.#unlessFlood('unknown-frame-flood', now, () => undefined);
    }
  }

  #unlessFlood(
    kind: 'settings-flood' | 'ping-flood' | 'priority-flood' | 'unknown-frame-flood',
    now: number,
    take: () => void,
  ): void {
    const fault = this.#guard.note(kind, now);
    if (fault === undefined) take();
    else this.#owner.fault(fault, 0, now);
  }

  /** RFC 9113, section 5.3.2: nothing is done with it, but its rules hold. */
  #takePriority(now: number): void {
    const { streamId, payload } = this.#reader;
    this.#unlessFlood('priority-flood', now, () => {
      const dependency = readInt32(payload, 0) & MAX_STREAM_ID;
      if (dependency === streamId) this.#owner.fault('priority-of-itself', streamId, now);
    });
  }

  #takePriorityUpdate(now: number): void {
    const { payload } = this.#reader;
    const streamId = readInt32(payload, 0) & MAX_STREAM_ID;
    // RFC 9218, section 7.1: clients send it, about streams of requests.
    if (this.#role.side === 'client' || streamId === 0) {
      this.#owner.fault('priority-update-unexpected', streamId, now);
      return;
    }
    this.#unlessFlood('priority-flood', now, () => {
      const value = String.fromCharCode(...payload.subarray(4, 4 + LONGEST_PRIORITY));
      this.#role.priorityUpdate(streamId, value);
    });
  }

  #takeReset(now: number): void {
    const { streamId, payload } = this.#reader;
    if (this.#streams.isIdle(streamId)) {
      this.#owner.fault('frame-on-idle-stream', streamId, now);
      return;
    }
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    const fault = this.#role.side === 'server' ? this.#guard.note('reset-flood', now) : undefined;
    if (fault === undefined) this.#owner.resetReceived(stream, readInt32(payload, 0) >>> 0, now);
    else this.#owner.fault(fault, streamId, now);
  }

  #takeWindowUpdate(now: number): void {
    const { streamId, payload } = this.#reader;
    const increment = readInt32(payload, 0) & MAX_STREAM_ID;
    const fault =
      this.#guard.noteWindowUpdate(now) ??
      this.#windowUpdateFault(streamId, increment) ??
      this.#windows.opened(streamId, increment);
    if (fault !== undefined) this.#owner.fault(fault, streamId, now);
  }

  #windowUpdateFault(streamId: number, increment: number): Http2Fault | undefined {
    if (streamId !== 0 && this.#streams.isIdle(streamId)) return 'frame-on-idle-stream';
    if (increment !== 0) return undefined;
    return streamId === 0 ? 'window-increment-zero' : 'window-increment-zero-on-stream';
  }

  #takeData(event: FrameEvent, now: number): void {
    if (event === 'begin') this.#beginData(now);
    else if (event === 'piece') this.#takeDataPiece(now);
    else this.#endData(now);
  }

  #beginData(now: number): void {
    const { streamId, length, padding, flags } = this.#reader;
    this.#dataStream = undefined;
    if (this.#streams.isIdle(streamId)) {
      this.#owner.fault('frame-on-idle-stream', streamId, now);
      return;
    }
    // RFC 9113, section 6.9.1: padding counts, and so does what is for a stream that is closed.
    if (!this.#windows.connection.receive(length)) {
      this.#owner.fault('connection-window-exceeded', streamId, now);
      return;
    }
    const stream = this.#streams.get(streamId);
    const fault = this.#dataFault(stream, now);
    if (fault !== undefined) this.#owner.fault(fault, streamId, now);
    this.#isEnd = (flags & FrameFlag.END_STREAM) !== 0;
    if (fault === undefined) this.#dataStream = stream;
    if (this.#dataStream !== undefined) this.#dataStream.endArriving = this.#isEnd;
    if (this.#dataStream === undefined) this.#windows.credit(padding);
    else if (padding > 0) this.#windows.creditStream(this.#dataStream, padding);
  }

  /** What is wrong with a DATA frame that begins on this stream. */
  #dataFault(stream: Http2Stream | undefined, now: number): Http2Fault | undefined {
    const { streamId, length, padding, flags } = this.#reader;
    if (stream === undefined) return this.#closedFault(streamId);
    if (!stream.isPeerOpen) return 'frame-on-half-closed-stream';
    if (!stream.headReceived) return 'data-before-headers';
    if (!stream.receiveWindow.receive(length)) return 'stream-window-exceeded';
    const isEmpty = length === padding && (flags & FrameFlag.END_STREAM) === 0;
    return isEmpty ? this.#guard.note('empty-frame-flood', now) : undefined;
  }

  #takeDataPiece(now: number): void {
    const { payload, streamId } = this.#reader;
    const stream = this.#dataStream;
    if (!stream?.isPeerOpen || stream.lingers) {
      // It was reset by whoever reads it, or was never there, or nobody wants it any more.
      this.#windows.credit(payload.length);
      return;
    }
    const fault = stream.countReceived(payload.length, this.#limits.body);
    if (fault !== undefined) {
      this.#windows.credit(payload.length);
      this.#owner.fault(fault, streamId, now);
      return;
    }
    this.#owner.progressed(stream, now);
    if (stream.deliver(payload)) this.#windows.creditStream(stream, payload.length);
  }

  #endData(now: number): void {
    const stream = this.#dataStream;
    this.#dataStream = undefined;
    if (stream?.isPeerOpen && this.#isEnd) this.#owner.endReceived(stream, undefined, now);
  }

  #takeBlock(event: FrameEvent, now: number): void {
    const { type, flags, payload } = this.#reader;
    if (event === 'begin') {
      this.#pieces = 0;
      if (type === FrameType.HEADERS) this.#beginBlock();
      else if (++this.#continuations > this.#limits.continuations) {
        this.#owner.fault('continuation-flood', this.#blockId, now);
      }
    } else if (event === 'piece') {
      this.#pieces++;
      const fault = this.#compression.read(payload);
      if (fault !== undefined) this.#owner.fault(fault, this.#blockId, now);
    } else if ((flags & FrameFlag.END_HEADERS) !== 0) {
      this.#endBlock(now);
    } else if (this.#pieces === 0) {
      const fault = this.#guard.note('empty-frame-flood', now);
      if (fault !== undefined) this.#owner.fault(fault, this.#blockId, now);
    }
  }

  #beginBlock(): void {
    const { streamId, flags, dependency } = this.#reader;
    const stream = this.#streams.get(streamId);
    this.#blockId = streamId;
    this.#isEnd = (flags & FrameFlag.END_STREAM) !== 0;
    this.#continuations = 0;
    this.#section = this.#blockFault = undefined;
    if (stream === undefined) this.#blockFault = this.#newStreamFault(streamId);
    else if (!stream.isPeerOpen) this.#blockFault = 'frame-on-half-closed-stream';
    else if (dependency === streamId) this.#blockFault = 'priority-of-itself';
    else this.#section = new FieldSection(this.#role.sectionKind(stream));
  }

  /** What is wrong with a header block on a stream that is not open; undefined also if it is to be passed over. */
  #newStreamFault(streamId: number): Http2Fault | undefined {
    const streams = this.#streams;
    if (!streams.isPeers(streamId) || this.#role.side === 'client') {
      if (!streams.isIdle(streamId)) return this.#closedFault(streamId);
      return this.#role.side === 'client' ? 'frame-on-idle-stream' : 'stream-id-of-wrong-side';
    }
    if (!streams.isIdle(streamId)) {
      return streams.endingOf(streamId) === undefined
        ? 'stream-id-not-greater'
        : this.#closedFault(streamId);
    }
    if (this.#owner.refusesStreams) return undefined;
    streams.lastPeerId = streamId;
    if (this.#reader.dependency === streamId) return 'priority-of-itself';
    if (streams.size >= this.#role.peerStreams) return 'too-many-streams';
    this.#section = new FieldSection('request');
    return undefined;
  }

  /** What is wrong with a frame on a closed stream; undefined: it was under way when we reset it. */
  #closedFault(streamId: number): Http2Fault | undefined {
    switch (this.#streams.endingOf(streamId)) {
      case 'reset-by-us':
        return undefined;
      case 'reset-by-peer':
        return 'frame-on-reset-stream';
      case 'ended':
        return 'frame-on-ended-stream';
      default:
        return 'frame-on-closed-stream';
    }
  }

  #endBlock(now: number): void {
    const section = this.#section;
    const fault = this.#compression.end(section) ?? this.#blockFault;
    this.#section = undefined;
    if (fault !== undefined && (section === undefined || isOfConnection(fault))) {
      this.#owner.fault(fault, this.#blockId, now);
    } else if (section !== undefined) {
      this.#takeSection(section, fault, now);
    }
  }

  #takeSection(section: FieldSection, fault: Http2Fault | undefined, now: number): void {
    const stream =
      this.#streams.get(this.#blockId) ??
      (section.kind === 'request' ? this.#owner.openStream(this.#blockId, now) : undefined);
    // It may have been reset between the parts of its header block.
    if (stream === undefined) return;
    stream.endArriving = this.#isEnd;
    const found = fault ?? section.fault ?? this.#messageFault(stream, section, now);
    if (found !== undefined) this.#owner.fault(found, this.#blockId, now);
    // The end holds also for a message that was answered for its fault.
    if (!this.#isEnd || !stream.isPeerOpen || !this.#owner.isReading) return;
    const hasTrailers = found === undefined && section.kind === 'trailers';
    this.#owner.endReceived(stream, hasTrailers ? section : undefined, now);
  }

  #messageFault(stream: Http2Stream, section: FieldSection, now: number): Http2Fault | undefined {
    if (section.kind !== 'trailers') return this.#role.head(stream, section, this.#isEnd, now);
    // RFC 9113, section 8.1: nothing follows the trailers.
    return this.#isEnd ? undefined : 'trailers-without-end';
  }
}

/** As much of a PRIORITY_UPDATE as may say something. */
const LONGEST_PRIORITY = 64;

function isOfConnection(fault: Http2Fault): boolean {
  return HTTP2_FAULTS[fault].scope === 'connection';
}
