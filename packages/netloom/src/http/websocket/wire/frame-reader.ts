import { EMPTY, readInt32, readUint16 } from '../../../core/index.ts';
import type { WebSocketFault } from './fault.ts';
import { copyMasked } from './mask.ts';
import { CONTROL_PAYLOAD_LIMIT, Opcode, isControl, isOpcode } from './opcode.ts';

/**
 * What a reader has found: `more` (nothing: the input is used up), `head` (of a frame), `data` (of its payload), `end` (of the frame), or
 * `fault` (and it finds nothing any more).
 */
export type FrameEvent = 'more' | 'head' | 'data' | 'end' | 'fault';

/** What frames must be like. */
export interface FrameReaderOptions {
  /** Frames from clients are masked, frames from servers are not (RFC 6455, section 5.1). */
  readonly masked: boolean;
  /** Messages may be compressed: their first frame may have the first reserved bit set (RFC 7692, section 6). */
  readonly compression: boolean;
  /** Bytes of a payload at most. */
  readonly frameBytes: number;
}

type Stage = 'header' | 'payload' | 'failed';

/** Flag, length, 64 bits of it, key. */
const LONGEST_HEADER = 14;
const FIN = 0x80;
const RSV1 = 0x40;
const RSV2_AND_RSV3 = 0x30;
const MASK = 0x80;

/**
 * Reads frames (RFC 6455, section 5.2) out of bytes that come in any cut: {@link feed} input, then call {@link next} until it answers
 * `more`. The input is borrowed until then. What is wrong is found with the first byte that tells it.
 *
 * The payload is not gathered here: after `data`, {@link copyData} puts a piece of it, unmasked, where the caller wants it.
 */
export class FrameReader {
  /** After `head`: the last frame of its message. */
  isFinal = false;
  /** After `head`: the message that begins is compressed. */
  isCompressed = false;
  /** After `head`. */
  opcode: Opcode = Opcode.CONTINUATION;
  /** After `head`: bytes of the payload. */
  length = 0;
  /** After `data`: bytes of this piece, at least one. */
  dataLength = 0;
  /** After `fault`. */
  fault: WebSocketFault | undefined;
  readonly #masked: boolean;
  readonly #compression: boolean;
  readonly #frameBytes: number;
  #input = EMPTY;
  #at = 0;
  #stage: Stage = 'header';
  readonly #header = new Uint8Array(LONGEST_HEADER);
  #headerHeld = 0;
  #headerLength = 2;
  #key = 0;
  /** Bytes of the payload that have been handed on. */
  #taken = 0;

  constructor(options: FrameReaderOptions) {
    this.#masked = options.masked;
    this.#compression = options.compression;
    this.#frameBytes = options.frameBytes;
  }

  /** Bytes of the input that have not been read. */
  get unreadLength(): number {
    return this.#input.length - this.#at;
  }

  /** Gives bytes to read, borrowed until {@link next} answers `more`. The input before must be used up. */
  feed(input: Uint8Array): void {
    this.#input = input;
    this.#at = 0;
  }

  /** The part of the input that has not been read, a view; the reader lets go of it. */
  unread(): Uint8Array {
    const rest = this.#input.subarray(this.#at);
    this.feed(EMPTY);
    return rest;
  }

  /** Reads on, and answers what was found. */
  next(): FrameEvent {
    if (this.#stage === 'header') return this.#readHeader();
    return this.#stage === 'payload' ? this.#readPayload() : 'fault';
  }

  /** After `data`: copies the piece, unmasked. It can be had until {@link next} is called. */
  copyData(target: Uint8Array, at: number): void {
    const start = this.#at - this.dataLength;
    if (this.#masked) {
      const phase = this.#taken - this.dataLength;
      copyMasked(this.#input, start, this.#at, target, at, this.#key, phase);
    } else {
      target.set(this.#input.subarray(start, this.#at), at);
    }
  }

  #readHeader(): FrameEvent {
    const input = this.#input;
    while (this.#at < input.length) {
      const byte = input[this.#at++]!;
      this.#header[this.#headerHeld++] = byte;
      if (this.#headerHeld === 1) this.fault = this.#takeFlags(byte);
      else if (this.#headerHeld === 2) this.fault = this.#takeShortLength(byte);
      if (this.#headerHeld === this.#headerLength) this.fault ??= this.#takeRest();
      if (this.fault !== undefined) return this.#fail();
      if (this.#stage === 'payload') return 'head';
    }
    return 'more';
  }

  #takeFlags(byte: number): WebSocketFault | undefined {
    const opcode = byte & 0x0f;
    const beginsMessage = opcode === Opcode.TEXT || opcode === Opcode.BINARY;
    this.isFinal = (byte & FIN) !== 0;
    this.isCompressed = (byte & RSV1) !== 0;
    if ((byte & RSV2_AND_RSV3) !== 0) return 'reserved-bits';
    // RFC 7692, section 6.1: of a compressed message, only the first frame says so.
    if (this.isCompressed && !(this.#compression && beginsMessage)) return 'reserved-bits';
    if (!isOpcode(opcode)) return 'opcode-reserved';
    if (isControl(opcode) && !this.isFinal) return 'control-fragmented';
    this.opcode = opcode;
    return undefined;
  }

  #takeShortLength(byte: number): WebSocketFault | undefined {
    const isMasked = (byte & MASK) !== 0;
    if (isMasked !== this.#masked) return isMasked ? 'mask-unexpected' : 'mask-missing';
    this.length = byte & 0x7f;
    if (isControl(this.opcode) && this.length > CONTROL_PAYLOAD_LIMIT) return 'control-too-long';
    this.#headerLength = 2 + (isMasked ? 4 : 0);
    if (this.length === 126) this.#headerLength += 2;
    else if (this.length === 127) this.#headerLength += 8;
    return undefined;
  }

  #takeRest(): WebSocketFault | undefined {
    const header = this.#header;
    if (this.length === 126) {
      this.length = readUint16(header, 2);
      if (this.length < 126) return 'length-not-minimal';
    } else if (this.length === 127) {
      const high = readInt32(header, 2);
      if (high < 0) return 'length-invalid';
      // Beyond 2^53 it is not exact, and too large all the same.
      this.length = high * 0x1_0000_0000 + (readInt32(header, 6) >>> 0);
      if (this.length <= 0xffff) return 'length-not-minimal';
    }
    if (this.length > this.#frameBytes && !isControl(this.opcode)) return 'frame-too-large';
    if (this.#masked) this.#key = readInt32(header, this.#headerLength - 4);
    this.#taken = 0;
    this.#stage = 'payload';
    return undefined;
  }

  #readPayload(): FrameEvent {
    const missing = this.length - this.#taken;
    if (missing === 0) {
      this.#stage = 'header';
      this.#headerHeld = 0;
      this.#headerLength = 2;
      return 'end';
    }
    const available = this.unreadLength;
    if (available === 0) return 'more';
    this.dataLength = Math.min(available, missing);
    this.#at += this.dataLength;
    this.#taken += this.dataLength;
    return 'data';
  }

  #fail(): 'fault' {
    this.#stage = 'failed';
    return 'fault';
  }
}
