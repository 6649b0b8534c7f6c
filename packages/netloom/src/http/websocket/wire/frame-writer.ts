import { writeUint16, writeUint32 } from '../../../core/index.ts';
import { copyMasked } from './mask.ts';
import type { Opcode } from './opcode.ts';

const FIN = 0x80;
const RSV1 = 0x40;
const MASK = 0x80;

/** What the first byte of a frame says (RFC 6455, section 5.2). */
export interface FrameFlags {
  readonly opcode: Opcode;
  /** The last frame of its message. */
  readonly isFinal: boolean;
  /** The message that begins is compressed (RFC 7692, section 6). */
  readonly isCompressed: boolean;
}

/** Bytes of the header of a frame with such a payload: as few as can be. */
export function frameHeaderLength(payloadLength: number, isMasked: boolean): number {
  const key = isMasked ? 4 : 0;
  if (payloadLength < 126) return 2 + key;
  return payloadLength <= 0xffff ? 4 + key : 10 + key;
}

/** Writes a frame's header at the start of `target`. `key`: the masking key, as 32 bits; undefined: the frame is not masked. */
export function writeFrameHeader(
  target: Uint8Array,
  flags: FrameFlags,
  payloadLength: number,
  key: number | undefined,
): void {
  target[0] = (flags.isFinal ? FIN : 0) | (flags.isCompressed ? RSV1 : 0) | flags.opcode;
  const mask = key === undefined ? 0 : MASK;
  let at = 2;
  if (payloadLength < 126) {
    target[1] = mask | payloadLength;
  } else if (payloadLength <= 0xffff) {
    target[1] = mask | 126;
    writeUint16(target, 2, payloadLength);
    at = 4;
  } else {
    target[1] = mask | 127;
    writeUint32(target, 2, Math.floor(payloadLength / 0x1_0000_0000));
    writeUint32(target, 6, payloadLength);
    at = 10;
  }
  if (key !== undefined) writeUint32(target, at, key);
}

/** Where frames of up to {@link CARVED_UP_TO} bytes are carved from: to allocate each for itself takes longer than to write it. */
let slab = new Uint8Array(0);
let slabTaken = 0;
const SLAB_BYTES = 16 * 1024;
const CARVED_UP_TO = 1024;

/** An array for a frame, which nobody has had before and nobody else will have. */
function allocateFrame(length: number): Uint8Array {
  if (length > CARVED_UP_TO) return new Uint8Array(length);
  if (slabTaken + length > slab.length) {
    slab = new Uint8Array(SLAB_BYTES);
    slabTaken = 0;
  }
  const frame = slab.subarray(slabTaken, slabTaken + length);
  slabTaken += length;
  return frame;
}

/** A frame as one array; the payload is copied, masked where there is a key. */
export function encodeFrame(
  flags: FrameFlags,
  payload: Uint8Array,
  key: number | undefined,
): Uint8Array {
  const { length } = payload;
  const headerLength = frameHeaderLength(length, key !== undefined);
  const frame = allocateFrame(headerLength + length);
  writeFrameHeader(frame, flags, length, key);
  if (key === undefined) frame.set(payload, headerLength);
  else copyMasked(payload, 0, length, frame, headerLength, key, 0);
  return frame;
}
