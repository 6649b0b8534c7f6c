import { EMPTY, readInt32, readUint16 } from '../../../core/index.ts';
import type { Http2Fault } from './fault.ts';
import {
  CLIENT_PREFACE,
  FRAME_HEADER_LENGTH,
  FrameFlag,
  FrameType,
  LEAST_MAX_FRAME_SIZE,
  MAX_STREAM_ID,
} from './frame.ts';
import { frameHeaderFault, isKnownFrame, prefixLength } from './frame-rules.ts';

/**
 * What a {@link FrameReader} has found. A DATA, HEADERS or CONTINUATION frame is a `begin`, any number of `piece`s and an `end`,
 * so that nothing is gathered; any other is a `frame`, whole. `more`: the input is used up.
 */
export type FrameEvent = 'more' | 'begin' | 'piece' | 'end' | 'frame' | 'fault';

type Place = 'preface' | 'header' | 'prefix' | 'pieces' | 'padding' | 'payload' | 'skipped';

/** A prefix is at most the padding's length and five bytes of priority. */
const PREFIX_LENGTH = 6;

/**
 * Takes a stream of bytes apart into frames (RFC 9113, section 4), cut anywhere, and checks what section 6 says of each for itself: its stream,
 * its length, its padding, and that nothing comes between the parts of a header block.
 *
 * After a fault of a stream reading goes on behind the frame; after one of the connection it is over.
 */
export class FrameReader {
  /** The frame that {@link next} has last spoken of. */
  type = 0;
  flags = 0;
  streamId = 0;
  /** Of the payload, with padding and all. */
  length = 0;
  /** The stream that this one depends on (RFC 7540, section 5.3.1), of a HEADERS frame that says so; otherwise 0. */
  dependency = 0;
  /** Of a `piece` or a `frame`: borrowed. Of a type not known here it is empty. */
  payload: Uint8Array = EMPTY;
  /** Bytes of padding, with the one that says how many, of the frame begun. */
  padding = 0;
  fault: Http2Fault = 'frame-too-large';
  /** The greatest payload we take: SETTINGS_MAX_FRAME_SIZE. */
  readonly #maxFrameSize: number;
  #place: Place;
  #bytes: Uint8Array = EMPTY;
  #at = 0;
  /** What is gathered of a header, a prefix or a small payload that came in parts. */
  #held: Uint8Array = new Uint8Array(64);
  #heldLength = 0;
  /** Bytes left of the data, the padding, or what is skipped. */
  #left = 0;
  #paddingLeft = 0;
  /** The stream whose header block goes on in the next frame; 0: none. */
  #continued = 0;

  /** A server's reader begins with the client's preface. */
  constructor(expectsPreface: boolean, maxFrameSize: number = LEAST_MAX_FRAME_SIZE) {
    this.#place = expectsPreface ? 'preface' : 'header';
    this.#maxFrameSize = maxFrameSize;
  }

  /** The preface has come, if one was expected. */
  get begun(): boolean {
    return this.#place !== 'preface';
  }

  /** The bytes end within a header block. */
  get isWithinBlock(): boolean {
    return this.#continued !== 0;
  }

  /** Goes on with more bytes, borrowed until {@link next} answers `more`. */
  feed(bytes: Uint8Array): void {
    // A plain view of it: parts of Node's Buffer would be Buffers.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#at = 0;
  }

  /** What comes next. */
  next(): FrameEvent {
    for (;;) {
      const event = this.#step();
      if (event !== undefined) {
        if (event === 'more') this.#bytes = EMPTY;
        return event;
      }
    }
  }

  #step(): FrameEvent | undefined {
    switch (this.#place) {
      case 'preface':
        return this.#readPreface();
      case 'header':
        return this.#readHeader();
      case 'prefix':
        return this.#readPrefix();
      case 'pieces':
        return this.#readPiece();
      case 'padding':
        return this.#readPadding();
      case 'payload':
        return this.#readPayload();
      case 'skipped':
        return this.#skip();
    }
  }

  /** Compared as it comes: what is no HTTP/2 is to be known at its first wrong byte. */
  #readPreface(): FrameEvent | undefined {
    while (this.#at < this.#bytes.length) {
      if (this.#bytes[this.#at++] !== CLIENT_PREFACE.charCodeAt(this.#heldLength++)) {
        return this.#fail('preface-invalid');
      }
      if (this.#heldLength === CLIENT_PREFACE.length) {
        this.#heldLength = 0;
        this.#place = 'header';
        return undefined;
      }
    }
    return 'more';
  }

  #readHeader(): FrameEvent | undefined {
    const at = this.#gather(FRAME_HEADER_LENGTH);
    if (at < 0) return 'more';
    const bytes = this.#gathered;
    this.length = (bytes[at]! << 16) | readUint16(bytes, at + 1);
    this.type = bytes[at + 3]!;
    this.flags = bytes[at + 4]!;
    // The bit above is reserved, and ignored (RFC 9113, section 4.1).
    this.streamId = readInt32(bytes, at + 5) & MAX_STREAM_ID;
    if (this.length > this.#maxFrameSize) return this.#fail('frame-too-large');
    const fault =
      this.#sequenceFault() ?? frameHeaderFault(this.type, this.flags, this.streamId, this.length);
    if (fault === 'priority-length-invalid') {
      this.#place = 'skipped';
      this.#left = this.length;
    }
    if (fault !== undefined) return this.#fail(fault);
    return this.#beginPayload();
  }

  /** RFC 9113, section 6.10: between the parts of a header block there is nothing, of whatever type and stream. */
  #sequenceFault(): Http2Fault | undefined {
    const isContinuation = this.type === FrameType.CONTINUATION;
    if (this.#continued === 0) return isContinuation ? 'continuation-unexpected' : undefined;
    return isContinuation && this.streamId === this.#continued
      ? undefined
      : 'continuation-expected';
  }

  #beginPayload(): FrameEvent | undefined {
    const { type, flags, length } = this;
    if (!isKnownFrame(type)) {
      this.payload = EMPTY;
      this.#place = 'skipped';
      this.#left = length;
      return 'frame';
    }
    if (!isStreamed(type)) {
      this.#place = 'payload';
      return undefined;
    }
    if (type !== FrameType.DATA) {
      this.#continued = (flags & FrameFlag.END_HEADERS) === 0 ? this.streamId : 0;
    }
    this.dependency = this.padding = this.#paddingLeft = 0;
    this.#left = length;
    if (prefixLength(type, flags) > 0) {
      this.#place = 'prefix';
      return undefined;
    }
    this.#place = 'pieces';
    return 'begin';
  }

  #readPrefix(): FrameEvent {
    const length = prefixLength(this.type, this.flags);
    let at = this.#gather(length);
    if (at < 0) return 'more';
    const bytes = this.#gathered;
    this.#left -= length;
    if ((this.flags & FrameFlag.PADDED) !== 0) {
      this.#paddingLeft = bytes[at++]!;
      this.padding = this.#paddingLeft + 1;
    }
    // RFC 9113, sections 6.1 and 6.2: padding may be all that is left of the frame, and no more.
    if (this.#paddingLeft > this.#left) return this.#fail('padding-too-long');
    this.#left -= this.#paddingLeft;
    if (length >= PREFIX_LENGTH - 1) this.dependency = readInt32(bytes, at) & MAX_STREAM_ID;
    this.#place = 'pieces';
    return 'begin';
  }

  #readPiece(): FrameEvent | undefined {
    if (this.#left === 0) {
      this.#place = 'padding';
      return undefined;
    }
    const length = Math.min(this.#left, this.#bytes.length - this.#at);
    if (length === 0) return 'more';
    this.payload = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    this.#left -= length;
    return 'piece';
  }

  /** Its bytes ought to be zero; whoever checks that does the peer's work (RFC 9113, section 6.1: "not obligated"). */
  #readPadding(): FrameEvent {
    const length = Math.min(this.#paddingLeft, this.#bytes.length - this.#at);
    this.#at += length;
    this.#paddingLeft -= length;
    if (this.#paddingLeft > 0) return 'more';
    this.#place = 'header';
    return 'end';
  }

  #readPayload(): FrameEvent {
    const at = this.#gather(this.length);
    if (at < 0) return 'more';
    this.payload = this.#gathered.subarray(at, at + this.length);
    this.#place = 'header';
    return 'frame';
  }

  #skip(): FrameEvent | undefined {
    const length = Math.min(this.#left, this.#bytes.length - this.#at);
    this.#at += length;
    this.#left -= length;
    if (this.#left > 0) return 'more';
    this.#place = 'header';
    return undefined;
  }

  /** Where {@link #gather} has found what was asked for. */
  #gathered: Uint8Array = EMPTY;

  /** Takes so many bytes; answers where they begin in {@link #gathered}, or -1 if they are not there yet. */
  #gather(length: number): number {
    const available = this.#bytes.length - this.#at;
    if (this.#heldLength === 0 && available >= length) {
      this.#gathered = this.#bytes;
      const at = this.#at;
      this.#at += length;
      return at;
    }
    const missing = Math.min(length - this.#heldLength, available);
    if (this.#held.length < length) this.#enlargeHeld(length);
    this.#held.set(this.#bytes.subarray(this.#at, this.#at + missing), this.#heldLength);
    this.#heldLength += missing;
    this.#at += missing;
    if (this.#heldLength < length) return -1;
    this.#heldLength = 0;
    this.#gathered = this.#held;
    return 0;
  }

  #enlargeHeld(length: number): void {
    const larger = new Uint8Array(length);
    larger.set(this.#held.subarray(0, this.#heldLength));
    this.#held = larger;
  }

  #fail(fault: Http2Fault): 'fault' {
    this.fault = fault;
    return 'fault';
  }
}

/** Whether the payload is handed on as it comes. */
function isStreamed(type: number): boolean {
  return type === FrameType.DATA || type === FrameType.HEADERS || type === FrameType.CONTINUATION;
}
