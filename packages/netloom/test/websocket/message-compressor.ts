import { kMaxLength } from 'node:buffer';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { EMPTY, concatBytes, copyBytes } from '../../src/core/index.ts';
import type {
  DecompressFault,
  DeflateAgreement,
  MessageCompressor,
} from '../../src/http/websocket/index.ts';

/** How hard to try; see zlib's manual. */
export interface ZlibOptions {
  /** 1 (fastest) to 9 (smallest). Default zlib's, 6. */
  readonly level?: number;
}

/** Final blocks in one message that are followed by another. Each costs a new start, so that many of them are an attack. */
const FINAL_BLOCKS = 16;

/**
 * DEFLATE by Node's zlib for the messages of one WebSocket.
 *
 * Nothing of zlib's state is kept between messages. Where the context is taken over, that is the window of bytes before: they are kept,
 * 32 KiB at most each way, and given to zlib as a dictionary, which is the same to both sides (zlib's own state is 300 KiB).
 */
export function createMessageCompressor(
  agreement: DeflateAgreement,
  options: ZlibOptions = {},
): MessageCompressor {
  return new ZlibCompressor(agreement, options);
}

class ZlibCompressor implements MessageCompressor {
  readonly #agreement: DeflateAgreement;
  readonly #level: number;
  /** What messages to come may refer back to; nothing where the context is not taken over. */
  #sent: Uint8Array = EMPTY;
  #received: Uint8Array = EMPTY;

  constructor(
    agreement: DeflateAgreement,
    { level = constants.Z_DEFAULT_COMPRESSION }: ZlibOptions,
  ) {
    this.#agreement = agreement;
    this.#level = level;
  }

  compress(message: Uint8Array): Uint8Array {
    const { windowBits, contextTakeover } = this.#agreement;
    const compressed = deflateRawSync(message, {
      finishFlush: constants.Z_SYNC_FLUSH,
      level: this.#level,
      windowBits,
      ...dictionary(this.#sent),
    });
    if (contextTakeover) this.#sent = lastBytes(1 << windowBits, this.#sent, message);
    return new Uint8Array(compressed.buffer, compressed.byteOffset, compressed.length);
  }

  decompress(compressed: Uint8Array, limit: number): Uint8Array | DecompressFault {
    const { peerWindowBits, peerContextTakeover } = this.#agreement;
    const window = 1 << peerWindowBits;
    let before = this.#received;
    let message: Uint8Array = EMPTY;
    let rest = compressed;
    for (let finalBlocks = 0; finalBlocks <= FINAL_BLOCKS; finalBlocks++) {
      const part = this.#inflate(rest, limit - message.length, before);
      if (typeof part === 'string') return part;
      message = message.length === 0 ? part.bytes : concatBytes([message, part.bytes]);
      rest = rest.subarray(part.consumed);
      if (rest.length === 0) {
        if (peerContextTakeover) this.#received = lastBytes(window, before, part.bytes);
        return message;
      }
      // zlib stops at a final block. RFC 7692, section 7.2.1 lets a compressor write one, and others after it.
      before = lastBytes(window, before, part.bytes);
    }
    return 'invalid';
  }

  #inflate(
    compressed: Uint8Array,
    limit: number,
    before: Uint8Array,
  ): { readonly bytes: Uint8Array; readonly consumed: number } | DecompressFault {
    try {
      // With `info` it answers the engine too, which its types do not tell.
      const { buffer, engine } = inflateRawSync(compressed, {
        finishFlush: constants.Z_SYNC_FLUSH,
        windowBits: this.#agreement.peerWindowBits,
        maxOutputLength: Math.min(Math.max(limit, 1), kMaxLength),
        info: true,
        ...dictionary(before),
      }) as unknown as { buffer: Uint8Array; engine: { bytesWritten: number } };
      // zlib's output is a part of a larger buffer, which would be kept with it.
      const bytes = copyBytes(buffer);
      return bytes.length > limit ? 'too-large' : { bytes, consumed: engine.bytesWritten };
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      if (code === 'ERR_BUFFER_TOO_LARGE') return 'too-large';
      if (code.startsWith('Z_')) return 'invalid';
      throw error;
    }
  }
}

/** The last bytes of both, `size` at most. */
function lastBytes(size: number, before: Uint8Array, more: Uint8Array): Uint8Array {
  const fromMore = Math.min(more.length, size);
  const fromBefore = Math.min(before.length, size - fromMore);
  return concatBytes([
    before.subarray(before.length - fromBefore),
    more.subarray(more.length - fromMore),
  ]);
}

function dictionary(bytes: Uint8Array): { dictionary?: Uint8Array } {
  return bytes.length === 0 ? {} : { dictionary: bytes };
}
