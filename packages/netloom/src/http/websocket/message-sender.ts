import type { Random } from '../../core/index.ts';
import { withoutFlushTail, type MessageCompressor } from './compressor.ts';
import {
  Opcode,
  encodeFrame,
  frameHeaderLength,
  writeFrameHeader,
  type FrameFlags,
} from './wire/index.ts';

/** How a message is to be sent. */
export interface SendOptions {
  /** Whether to compress it, where that was agreed on. Default: if it is long enough for that to pay. */
  readonly compress?: boolean;
  /** Sends it in fragments of so many bytes at most. Default: in one frame. */
  readonly fragmentSize?: number;
}

/** A compressor for what is sent, and when it is used. */
export interface SenderCompression {
  readonly compressor: MessageCompressor;
  /** Messages shorter than so many bytes (a text: characters) are not compressed unless it is asked for. */
  readonly from: number;
  /** The compressor goes on from message to message: what it has compressed must be sent so. */
  readonly hasContext: boolean;
}

/** What a {@link MessageSender} is made from. */
export interface MessageSenderOptions {
  readonly write: (bytes: Uint8Array) => void;
  /** Where masking keys come from; undefined: frames are not masked, this is the server. */
  readonly random: Random | undefined;
  readonly compression: SenderCompression | undefined;
}

/** From this many bytes on a payload goes as it is, after a header of its own: copying it would cost more than a second write. */
const WRITTEN_APART_FROM = 16 * 1024;

const encoder = new TextEncoder();
/** Where text is encoded, of all connections. It is shorter than what is written apart, so it is never given away. */
const scratch = new Uint8Array(WRITTEN_APART_FROM - 1);
/** UTF-16 units that surely fit: each takes three bytes at most. */
const SCRATCH_CHARACTERS = Math.floor(scratch.length / 3);

/** Writes messages and control frames as bytes. */
export class MessageSender {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #random: Random | undefined;
  readonly #compression: SenderCompression | undefined;

  constructor({ write, random, compression }: MessageSenderOptions) {
    this.#write = write;
    this.#random = random;
    this.#compression = compression;
  }

  /** Sends a message. Bytes are given away. */
  send(message: string | Uint8Array, options: SendOptions): void {
    const isText = typeof message === 'string';
    const isWhole = options.fragmentSize === undefined;
    const plain = isText ? encodeText(message, isWhole) : message;
    const compressed = this.#compress(plain, message.length, options.compress);
    const payload = compressed ?? plain;
    const opcode = isText ? Opcode.TEXT : Opcode.BINARY;
    const size = Math.max(options.fragmentSize ?? Infinity, 1);
    if (payload.length <= size) {
      this.#frame({ opcode, isFinal: true, isCompressed: compressed !== undefined }, payload);
    } else {
      this.#fragments(opcode, compressed !== undefined, payload, Math.floor(size));
    }
  }

  /** Sends a control frame. */
  control(opcode: Opcode, payload: Uint8Array): void {
    const flags = { opcode, isFinal: true, isCompressed: false };
    this.#write(encodeFrame(flags, payload, this.#key()));
  }

  #fragments(first: Opcode, isCompressed: boolean, payload: Uint8Array, size: number): void {
    for (let start = 0; start < payload.length; start += size) {
      const end = Math.min(start + size, payload.length);
      const flags = {
        opcode: start === 0 ? first : Opcode.CONTINUATION,
        isFinal: end === payload.length,
        // RFC 7692, section 6.1: only the first frame says so.
        isCompressed: isCompressed && start === 0,
      };
      this.#frame(flags, payload.subarray(start, end));
    }
  }

  #frame(flags: FrameFlags, payload: Uint8Array): void {
    const { length } = payload;
    // To mask is to copy: the array may have been given to many.
    if (this.#random !== undefined || length < WRITTEN_APART_FROM) {
      this.#write(encodeFrame(flags, payload, this.#key()));
      return;
    }
    const header = new Uint8Array(frameHeaderLength(length, false));
    writeFrameHeader(header, flags, length, undefined);
    this.#write(header);
    this.#write(payload);
  }

  /** The message compressed, without the tail of the flush (RFC 7692, section 7.2.1); undefined: it is sent as it is. */
  #compress(message: Uint8Array, length: number, asked?: boolean): Uint8Array | undefined {
    const compression = this.#compression;
    if (compression === undefined || !(asked ?? length >= compression.from)) return undefined;
    const compressed = withoutFlushTail(compression.compressor.compress(message));
    const isWorthwhile = compression.hasContext || compressed.length < message.length;
    return isWorthwhile ? compressed : undefined;
  }

  /** RFC 6455, section 5.3: a key for each frame, which nobody can foresee. */
  #key(): number | undefined {
    return this.#random?.uint32();
  }
}

/** The text in UTF-8: in the scratch if it goes in one frame, for which it is copied before anybody else is called. */
function encodeText(text: string, isWhole: boolean): Uint8Array {
  if (!isWhole || text.length > SCRATCH_CHARACTERS) return encoder.encode(text);
  return scratch.subarray(0, encoder.encodeInto(text, scratch).written);
}
