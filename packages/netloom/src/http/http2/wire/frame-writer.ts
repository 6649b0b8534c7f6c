import { EMPTY, writeUint16, writeUint32 } from '../../../core/index.ts';
import type { Http2ErrorCode } from './error-code.ts';
import { FRAME_HEADER_LENGTH, FrameFlag, FrameType, SETTING_LENGTH } from './frame.ts';

/** Bytes allocated at once; what is handed out of them is never touched again. */
const SLAB_LENGTH = 32 * 1024;

/** Data from this length on is handed on as it is; what is shorter is cheaper to copy than to write by itself. */
const LEAST_HANDED_ON = 2048;

/**
 * Writes frames (RFC 9113, section 4.1) into one buffer, which {@link flush} hands on: many frames, one write.
 */
export class FrameWriter {
  readonly #write: (bytes: Uint8Array) => void;
  #slab: Uint8Array = EMPTY;
  /** What was handed on of the slab, and what was written. */
  #from = 0;
  #at = 0;

  /** `write` is given the bytes away. */
  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
  }

  /** Bytes written that were not handed on. */
  get pending(): number {
    return this.#at - this.#from;
  }

  /** Hands on what was written. */
  flush(): void {
    if (this.#at === this.#from) return;
    const bytes = this.#slab.subarray(this.#from, this.#at);
    this.#from = this.#at;
    this.#write(bytes);
  }

  /** Bytes that are no frame: the client's preface. */
  raw(bytes: Uint8Array): void {
    this.#claim(bytes.length);
    this.#slab.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** A DATA frame. The chunk is given away. */
  data(streamId: number, chunk: Uint8Array, isEnd: boolean): void {
    const flags = isEnd ? FrameFlag.END_STREAM : 0;
    if (chunk.length < LEAST_HANDED_ON) {
      this.#frame(FrameType.DATA, flags, streamId, chunk);
      return;
    }
    this.#claim(FRAME_HEADER_LENGTH);
    this.#header(FrameType.DATA, flags, streamId, chunk.length);
    this.flush();
    this.#write(chunk);
  }

  /** A header block: a HEADERS frame, and CONTINUATION frames for what does not fit into one. */
  headers(streamId: number, block: Uint8Array, isEnd: boolean, maxFrameSize: number): void {
    let type: number = FrameType.HEADERS;
    let flags: number = isEnd ? FrameFlag.END_STREAM : 0;
    let at = 0;
    do {
      const end = Math.min(at + maxFrameSize, block.length);
      if (end === block.length) flags |= FrameFlag.END_HEADERS;
      this.#frame(type, flags, streamId, block.subarray(at, end));
      type = FrameType.CONTINUATION;
      flags = 0;
      at = end;
    } while (at < block.length);
  }

  rstStream(streamId: number, code: Http2ErrorCode): void {
    this.#claim(FRAME_HEADER_LENGTH + 4);
    this.#header(FrameType.RST_STREAM, 0, streamId, 4);
    this.#uint32(code);
  }

  settings(values: readonly (readonly [id: number, value: number])[]): void {
    const length = values.length * SETTING_LENGTH;
    this.#claim(FRAME_HEADER_LENGTH + length);
    this.#header(FrameType.SETTINGS, 0, 0, length);
    for (const [id, value] of values) {
      writeUint16(this.#slab, this.#at, id);
      this.#at += 2;
      this.#uint32(value);
    }
  }

  settingsAck(): void {
    this.#claim(FRAME_HEADER_LENGTH);
    this.#header(FrameType.SETTINGS, FrameFlag.ACK, 0, 0);
  }

  /** `data` is eight bytes. */
  ping(data: Uint8Array, isAck: boolean): void {
    this.#frame(FrameType.PING, isAck ? FrameFlag.ACK : 0, 0, data);
  }

  /** `reason` is for who reads a capture, in ASCII. */
  goaway(lastStreamId: number, code: Http2ErrorCode, reason: string): void {
    const debugData = new TextEncoder().encode(reason);
    this.#claim(FRAME_HEADER_LENGTH + 8 + debugData.length);
    this.#header(FrameType.GOAWAY, 0, 0, 8 + debugData.length);
    this.#uint32(lastStreamId);
    this.#uint32(code);
    this.raw(debugData);
  }

  windowUpdate(streamId: number, increment: number): void {
    this.#claim(FRAME_HEADER_LENGTH + 4);
    this.#header(FrameType.WINDOW_UPDATE, 0, streamId, 4);
    this.#uint32(increment);
  }

  #frame(type: number, flags: number, streamId: number, payload: Uint8Array): void {
    this.#claim(FRAME_HEADER_LENGTH + payload.length);
    this.#header(type, flags, streamId, payload.length);
    this.#slab.set(payload, this.#at);
    this.#at += payload.length;
  }

  #header(type: number, flags: number, streamId: number, length: number): void {
    const slab = this.#slab;
    const at = this.#at;
    slab[at] = length >>> 16;
    slab[at + 1] = length >>> 8;
    slab[at + 2] = length;
    slab[at + 3] = type;
    slab[at + 4] = flags;
    writeUint32(slab, at + 5, streamId);
    this.#at = at + FRAME_HEADER_LENGTH;
  }

  #uint32(value: number): void {
    writeUint32(this.#slab, this.#at, value);
    this.#at += 4;
  }

  /** Sees that so many bytes fit. */
  #claim(length: number): void {
    if (this.#at + length <= this.#slab.length) return;
    this.flush();
    this.#slab = new Uint8Array(Math.max(SLAB_LENGTH, length));
    this.#from = this.#at = 0;
  }
}
