import { EMPTY, concatBytes, copyBytes } from '../../core/index.ts';
import {
  FLUSH_TAIL,
  decompressionLimit,
  type DecompressFault,
  type MessageCompressor,
} from './compressor.ts';
import type { WebSocketLimits } from './limits.ts';
import { MessageBuffer } from './message-buffer.ts';
import {
  FrameReader,
  Opcode,
  Utf8Validator,
  isControl,
  type WebSocketFault,
} from './wire/index.ts';

/** What a receiver has found: `more` (nothing: the input is used up), `message`, `control` (a control frame), or `fault`. */
export type ReceiverEvent = 'more' | 'message' | 'control' | 'fault';

/** What messages an application takes. */
export type AcceptedMessages = 'any' | 'text' | 'binary';

/** What a {@link MessageReceiver} is made from. */
export interface MessageReceiverOptions {
  /** Frames come masked: the peer is the client. */
  readonly masked: boolean;
  readonly accepts: AcceptedMessages;
  readonly compressor: MessageCompressor | undefined;
  readonly limits: WebSocketLimits;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const DECOMPRESS_FAULTS: { readonly [Fault in DecompressFault]: WebSocketFault } = {
  invalid: 'compression-invalid',
  'too-large': 'decompressed-too-large',
};

/**
 * Reads messages and control frames out of bytes that come in any cut: puts fragments together (RFC 6455, section 5.4), decompresses
 * (RFC 7692, section 7.2.2) and checks text. {@link feed} input, then call {@link next} until it answers `more`.
 */
export class MessageReceiver {
  /** After `message`: text, or bytes in an array of their own, the caller's to keep. */
  message: string | Uint8Array = EMPTY;
  /** After `control`. */
  opcode: Opcode = Opcode.PING;
  /** After `control`, in an array of its own. */
  payload: Uint8Array = EMPTY;
  /** After `fault`. */
  fault: WebSocketFault | undefined;
  /** After the fault `compressor-failed`: what the compressor threw. */
  cause: unknown;
  readonly #frames: FrameReader;
  readonly #accepts: AcceptedMessages;
  readonly #compressor: MessageCompressor | undefined;
  readonly #limits: WebSocketLimits;
  readonly #buffer = new MessageBuffer();
  /** Of text that comes in pieces. A good message leaves it complete; one that ends within a character is refused when it is decoded. */
  #validator: Utf8Validator | undefined;
  #isWithinMessage = false;
  #isText = false;
  #isCompressed = false;
  #fragments = 0;
  /** The message has come in one piece: as text it is checked when it is decoded. */
  #isAtHand = false;
  /** Bytes the message has when the frame at hand has ended. */
  #announced = 0;
  #controlLength = 0;

  constructor({ masked, accepts, compressor, limits }: MessageReceiverOptions) {
    const { frameBytes } = limits;
    this.#frames = new FrameReader({ masked, compression: compressor !== undefined, frameBytes });
    this.#accepts = accepts;
    this.#compressor = compressor;
    this.#limits = limits;
  }

  /** Gives bytes to read after those that are left: borrowed until {@link next} answers `more`, or {@link keepUnread} is called. */
  feed(input: Uint8Array): void {
    const isEmpty = this.#frames.unreadLength === 0;
    this.#frames.feed(isEmpty ? input : concatBytes([this.#frames.unread(), input]));
  }

  /** Copies what is left of the input, which is no longer borrowed. */
  keepUnread(): void {
    if (this.#frames.unreadLength > 0) this.#frames.feed(copyBytes(this.#frames.unread()));
  }

  /** Forgets the input and the message begun. */
  clear(): void {
    this.#frames.feed(EMPTY);
    this.#buffer.clear();
  }

  /** Reads on, and answers what was found. */
  next(): ReceiverEvent {
    for (;;) {
      const event = this.#frames.next();
      if (event === 'more') return 'more';
      if (event === 'fault') return this.#fail(this.#frames.fault!);
      const fault = isControl(this.#frames.opcode)
        ? this.#takeControl(event)
        : this.#takeMessage(event);
      if (fault !== undefined) return this.#fail(fault);
      if (event !== 'end') continue;
      if (isControl(this.#frames.opcode)) return 'control';
      if (!this.#isWithinMessage) return 'message';
    }
  }

  #takeControl(event: 'head' | 'data' | 'end'): undefined {
    const frames = this.#frames;
    if (event === 'head') {
      this.opcode = frames.opcode;
      this.payload = frames.length === 0 ? EMPTY : new Uint8Array(frames.length);
      this.#controlLength = 0;
    } else if (event === 'data') {
      frames.copyData(this.payload, this.#controlLength);
      this.#controlLength += frames.dataLength;
    }
  }

  #takeMessage(event: 'head' | 'data' | 'end'): WebSocketFault | undefined {
    if (event === 'head') return this.#beginFrame();
    if (event === 'data') return this.#takeData();
    return this.#frames.isFinal ? this.#endMessage() : undefined;
  }

  #beginFrame(): WebSocketFault | undefined {
    const { opcode, length } = this.#frames;
    if (opcode === Opcode.CONTINUATION) {
      if (!this.#isWithinMessage) return 'continuation-unexpected';
    } else {
      if (this.#isWithinMessage) return 'message-interrupted';
      this.#isText = opcode === Opcode.TEXT;
      if (this.#isText && this.#accepts === 'binary') return 'text-refused';
      if (!this.#isText && this.#accepts === 'text') return 'binary-refused';
      this.#beginMessage();
    }
    if (++this.#fragments > this.#limits.fragments) return 'too-many-fragments';
    this.#announced = this.#buffer.length + length;
    return this.#announced > this.#limits.messageBytes ? 'message-too-large' : undefined;
  }

  #beginMessage(): void {
    this.#isWithinMessage = true;
    this.#isCompressed = this.#frames.isCompressed;
    this.#isAtHand = false;
    this.#fragments = 0;
  }

  #takeData(): WebSocketFault | undefined {
    const frames = this.#frames;
    const buffer = this.#buffer;
    this.#makeRoom();
    const start = buffer.length;
    frames.copyData(buffer.bytes, start);
    buffer.length += frames.dataLength;
    if (!this.#isText || this.#isCompressed || this.#isAtHand) return undefined;
    this.#validator ??= new Utf8Validator();
    return this.#validator.accepts(buffer.bytes, start, buffer.length)
      ? undefined
      : 'text-not-utf8';
  }

  /** Makes room for the piece at hand, and for the rest of the message as far as that is known. */
  #makeRoom(): void {
    const { dataLength, length, isFinal } = this.#frames;
    const buffer = this.#buffer;
    const tail = this.#isCompressed ? FLUSH_TAIL.length : 0;
    if (buffer.bytes.length > 0) {
      const most = isFinal ? this.#announced : this.#limits.messageBytes;
      buffer.reserve(dataLength + (isFinal ? tail : 0), most + tail);
      return;
    }
    this.#isAtHand = isFinal && dataLength === length;
    const isUsedAtOnce = this.#isAtHand && (this.#isText || this.#isCompressed);
    if (isUsedAtOnce && buffer.beginScratch(length + tail)) return;
    buffer.begin(dataLength, length + (isFinal ? tail : 0));
  }

  #endMessage(): WebSocketFault | undefined {
    this.#isWithinMessage = false;
    if (this.#isCompressed) return this.#endCompressed();
    if (!this.#isText) {
      this.message = this.#buffer.take();
      return undefined;
    }
    const fault = this.#decode(this.#buffer.view());
    this.#buffer.clear();
    return fault;
  }

  #endCompressed(): WebSocketFault | undefined {
    const buffer = this.#buffer;
    const limit = decompressionLimit(buffer.length, this.#limits);
    // RFC 7692, section 7.2.2: the tail that was taken off before sending is put back.
    buffer.reserve(FLUSH_TAIL.length, buffer.length + FLUSH_TAIL.length);
    buffer.bytes.set(FLUSH_TAIL, buffer.length);
    buffer.length += FLUSH_TAIL.length;
    const message = this.#decompress(buffer.view(), limit);
    buffer.clear();
    if (typeof message === 'string') return message;
    if (this.#isText) return this.#decode(message);
    this.message = message;
    return undefined;
  }

  #decompress(compressed: Uint8Array, limit: number): Uint8Array | WebSocketFault {
    try {
      const message = this.#compressor!.decompress(compressed, limit);
      return typeof message === 'string' ? DECOMPRESS_FAULTS[message] : message;
    } catch (error) {
      this.cause = error;
      return 'compressor-failed';
    }
  }

  #decode(bytes: Uint8Array): WebSocketFault | undefined {
    try {
      this.message = decoder.decode(bytes);
      return undefined;
    } catch {
      return 'text-not-utf8';
    }
  }

  #fail(fault: WebSocketFault): 'fault' {
    this.fault = fault;
    this.clear();
    return 'fault';
  }
}
