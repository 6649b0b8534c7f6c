import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { secureRandom } from 'netloom/core';
import {
  Opcode,
  WebSocketEngine,
  encodeFrame,
} from '../packages/netloom/src/http/websocket/index.ts';
import type { Bench, Report } from './frame/bench.ts';
import { rate } from './frame/measure.ts';

const SIZES = [64, 64 * 1024];
/** Bytes that come in at once: many small frames, or one large. */
const CHUNK = 64 * 1024;

/** `ws`, as it comes with another package. */
const WS = fileURLToPath(
  new URL('../node_modules/playwright-core/lib/utilsBundle.js', import.meta.url),
);

/** What is used of it. */
interface WsModule {
  readonly wsReceiver: new (options: { isServer: boolean }) => {
    on(event: 'message', listener: () => void): void;
    write(chunk: Uint8Array): void;
  };
  readonly wsSender: new (
    socket: object,
    extensions: object,
  ) => {
    send(data: Uint8Array, options: object): void;
  };
}

/** Frames of one size in a row, as a client (masked) or a server sends them. */
function makeChunk(size: number, isMasked: boolean): { chunk: Uint8Array; messages: number } {
  const messages = Math.max(1, Math.floor(CHUNK / size));
  const payload = new Uint8Array(size).fill(0x61);
  const flags = { opcode: Opcode.BINARY, isFinal: true, isCompressed: false };
  const frame = encodeFrame(flags, payload, isMasked ? 0x37fa213d : undefined);
  const chunk = new Uint8Array(messages * frame.length);
  for (let i = 0; i < messages; i++) chunk.set(frame, i * frame.length);
  return { chunk, messages };
}

const nothing = (): void => undefined;

/** An engine whose output goes nowhere. */
function makeEngine(isClient: boolean, message: () => void): WebSocketEngine {
  return new WebSocketEngine({
    sink: { write: () => true, pause: nothing, resume: nothing, close: nothing, abort: nothing },
    handler: { message, closed: nothing },
    now: 0,
    ...(isClient ? { random: secureRandom() } : {}),
  });
}

/** How many messages a second are read by what `make` makes, which calls back for each. */
function reading(
  size: number,
  isMasked: boolean,
  make: (message: () => void) => (chunk: Uint8Array) => void,
): () => number {
  const { chunk, messages } = makeChunk(size, isMasked);
  let seen = 0;
  const read = make(() => seen++);
  return () => {
    const before = seen;
    let given = 0;
    const chunks = rate((count) => {
      for (let i = 0; i < count; i++) read(chunk);
      given += count;
    });
    if (seen - before !== given * messages) throw new Error('messages were lost');
    return chunks * messages;
  };
}

/** How many messages a second are written. */
function writing(size: number, send: (payload: Uint8Array) => void): () => number {
  const payload = new Uint8Array(size).fill(0x61);
  return () =>
    rate((count) => {
      for (let i = 0; i < count; i++) send(payload);
    });
}

async function compareReading(
  report: Report,
  ws: WsModule | undefined,
  size: number,
  isMasked: boolean,
): Promise<void> {
  await report.compare({
    case: `read ${size} bytes, ${isMasked ? 'masked' : 'not masked'}`,
    unit: 'messages/s',
    netloom: reading(size, isMasked, (message) => {
      const engine = makeEngine(!isMasked, message);
      return (chunk) => engine.receive(chunk, 0);
    }),
    peers: {
      // It unmasks in place, so that what it reads the next time is another payload, of the same length.
      ws:
        ws === undefined
          ? null
          : reading(size, isMasked, (message) => {
              const receiver = new ws.wsReceiver({ isServer: isMasked });
              receiver.on('message', message);
              return (chunk) => receiver.write(chunk);
            }),
    },
  });
}

async function compareWriting(
  report: Report,
  ws: WsModule | undefined,
  size: number,
  isMasked: boolean,
): Promise<void> {
  const engine = makeEngine(isMasked, nothing);
  const socket = { cork: nothing, write: () => true, uncork: nothing };
  const sender = ws === undefined ? undefined : new ws.wsSender(socket, {});
  const options = { fin: true, binary: true, compress: false, mask: isMasked };
  await report.compare({
    case: `write ${size} bytes, ${isMasked ? 'masked' : 'not masked'}`,
    unit: 'messages/s',
    netloom: writing(size, (payload) => void engine.send(payload, 0)),
    peers: {
      ws: sender === undefined ? null : writing(size, (payload) => sender.send(payload, options)),
    },
  });
}

/** Frames alone: no socket, no handshake, no compression. */
export const bench: Bench = {
  name: 'websocket-frames',
  description: 'WebSocket messages read and written in memory, masked and not, against ws',
  async run(report) {
    const ws = existsSync(WS) ? ((await import(WS)) as { default: WsModule }).default : undefined;
    if (ws === undefined) report.note('playwright-core, which ws comes with, is not installed');
    for (const size of SIZES) {
      for (const isMasked of [true, false]) {
        await compareReading(report, ws, size, isMasked);
        await compareWriting(report, ws, size, isMasked);
      }
    }
  },
};
