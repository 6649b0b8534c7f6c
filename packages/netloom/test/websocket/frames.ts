/** What the tests of the WebSocket engine share. */
import { fromHex } from '../../src/core/index.ts';
import {
  FrameReader,
  encodeFrame,
  type FrameFlags,
  type FrameReaderOptions,
  type Opcode,
} from '../../src/http/websocket/index.ts';

/** A frame as a reader has seen it. */
export interface ReadFrame {
  readonly opcode: number;
  readonly isFinal: boolean;
  readonly isCompressed: boolean;
  readonly payload: readonly number[];
  /** All of it was there. */
  readonly isComplete: boolean;
}

/** What a reader makes of some input. */
export interface ReadFrames {
  readonly frames: ReadFrame[];
  readonly fault: string | undefined;
}

/** Feeds the pieces to a reader, each from an array of its own that is overwritten afterwards, as a borrowed one may be. */
export function readFrames(
  options: Partial<FrameReaderOptions>,
  pieces: Iterable<Uint8Array>,
): ReadFrames {
  const reader = new FrameReader({
    masked: false,
    compression: false,
    frameBytes: Infinity,
    ...options,
  });
  const frames: ReadFrame[] = [];
  for (const piece of pieces) {
    const borrowed = Uint8Array.from(piece);
    reader.feed(borrowed);
    for (let event = reader.next(); event !== 'more'; event = reader.next()) {
      if (event === 'fault') return { frames, fault: reader.fault };
      takeEvent(event, reader, frames);
    }
    borrowed.fill(0xee);
  }
  return { frames, fault: undefined };
}

function takeEvent(event: 'head' | 'data' | 'end', reader: FrameReader, frames: ReadFrame[]): void {
  const { opcode, isFinal, isCompressed } = reader;
  if (event === 'head') {
    frames.push({ opcode, isFinal, isCompressed, payload: [], isComplete: false });
    return;
  }
  const frame = frames.pop()!;
  if (event === 'end') {
    frames.push({ ...frame, isComplete: true });
    return;
  }
  const data = new Uint8Array(reader.dataLength);
  reader.copyData(data, 0);
  frames.push({ ...frame, payload: [...frame.payload, ...data] });
}

/** Each byte for itself. */
export function singly(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte) => Uint8Array.of(byte));
}

/** Cuts at the positions given. */
export function* cutAt(bytes: Uint8Array, cuts: readonly number[]): Generator<Uint8Array> {
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    const to = Math.min(cut, bytes.length);
    yield bytes.subarray(from, to);
    from = to;
  }
  yield bytes.subarray(from);
}

/** A frame; a text is its payload in UTF-8. Final and not compressed unless it says otherwise. */
export function frame(
  opcode: Opcode,
  payload: string | Uint8Array,
  { key, ...flags }: Partial<FrameFlags> & { key?: number } = {},
): Uint8Array {
  const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload;
  return encodeFrame({ opcode, isFinal: true, isCompressed: false, ...flags }, bytes, key);
}

/** The examples of RFC 6455, section 5.7, and what they say. */
export const RFC_EXAMPLES: readonly {
  readonly name: string;
  readonly masked: boolean;
  readonly bytes: Uint8Array;
  readonly frames: readonly Omit<ReadFrame, 'isCompressed' | 'isComplete'>[];
}[] = [
  {
    name: 'a text message that is not masked',
    masked: false,
    bytes: fromHex('81 05 48 65 6c 6c 6f'),
    frames: [{ opcode: 1, isFinal: true, payload: text('Hello') }],
  },
  {
    name: 'a text message that is masked',
    masked: true,
    bytes: fromHex('81 85 37 fa 21 3d 7f 9f 4d 51 58'),
    frames: [{ opcode: 1, isFinal: true, payload: text('Hello') }],
  },
  {
    name: 'a text message in fragments',
    masked: false,
    bytes: fromHex('01 03 48 65 6c 80 02 6c 6f'),
    frames: [
      { opcode: 1, isFinal: false, payload: text('Hel') },
      { opcode: 0, isFinal: true, payload: text('lo') },
    ],
  },
  {
    name: 'a Ping',
    masked: false,
    bytes: fromHex('89 05 48 65 6c 6c 6f'),
    frames: [{ opcode: 9, isFinal: true, payload: text('Hello') }],
  },
  {
    name: 'a masked Pong',
    masked: true,
    bytes: fromHex('8a 85 37 fa 21 3d 7f 9f 4d 51 58'),
    frames: [{ opcode: 10, isFinal: true, payload: text('Hello') }],
  },
  {
    name: '256 bytes of binary data',
    masked: false,
    bytes: Uint8Array.of(0x82, 0x7e, 0x01, 0x00, ...counting(256)),
    frames: [{ opcode: 2, isFinal: true, payload: counting(256) }],
  },
  {
    name: '64 KiB of binary data',
    masked: false,
    bytes: Uint8Array.of(0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0, ...counting(65_536)),
    frames: [{ opcode: 2, isFinal: true, payload: counting(65_536) }],
  },
];

function text(value: string): number[] {
  return [...new TextEncoder().encode(value)];
}

function counting(length: number): number[] {
  return Array.from({ length }, (_, index) => index & 255);
}
