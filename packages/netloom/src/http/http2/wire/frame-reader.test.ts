import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concatBytes, copyBytes, toHex } from '../../../core/index.ts';
import { frame, words } from '../../../../test/http/http2/raw-peer.ts';
import { latin1 } from '../../../../test/http/messages.ts';
import {
  CLIENT_PREFACE,
  ErrorCode,
  FrameFlag,
  FrameReader,
  FrameType,
  FrameWriter,
  HTTP2_FAULTS,
  errorCodeName,
  frameTypeName,
  http2FaultError,
  type Http2Fault,
} from './index.ts';

const { DATA, HEADERS, CONTINUATION, PING } = FrameType;

/** What a reader makes of pieces, each overwritten when it has been read; parts of one payload are joined. */
function read(pieces: Iterable<Uint8Array>, reader = new FrameReader(false)): string[] {
  const lines: string[] = [];
  let parts: Uint8Array[] = [];
  for (const piece of pieces) {
    const borrowed = copyBytes(piece);
    reader.feed(borrowed);
    for (;;) {
      const event = reader.next();
      if (event === 'more') break;
      if (event === 'piece') {
        parts.push(copyBytes(reader.payload));
        continue;
      }
      const { type, flags, streamId, length, padding, dependency, fault } = reader;
      const head = `${frameTypeName(type)} ${flags} ${streamId} ${length}`;
      if (event === 'frame') lines.push(`${head} ${toHex(reader.payload)}`);
      else if (event === 'end') {
        lines.push(`${head} ${padding} ${dependency} ${toHex(concatBytes(parts))}`);
        parts = [];
      } else if (event === 'fault') {
        lines.push(`fault ${fault}`);
        if (HTTP2_FAULTS[fault].scope === 'connection') return lines;
      }
    }
    borrowed.fill(0xee);
  }
  return lines;
}

function* byteByByte(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at++) yield bytes.subarray(at, at + 1);
}

/** Frames that are in order, of all types. */
const anyFrame = fc.oneof(
  fc
    .record({
      payload: fc.uint8Array({ maxLength: 300 }),
      end: fc.boolean(),
      id: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    })
    .map(({ payload, end, id }) => frame(DATA, end ? 1 : 0, id, payload)),
  fc
    .record({ payload: fc.uint8Array({ maxLength: 300 }), padding: fc.nat(255) })
    .map(({ payload, padding }) =>
      frame(DATA, FrameFlag.PADDED, 1, [padding, ...payload, ...new Uint8Array(padding)]),
    ),
  fc
    .record({
      block: fc.uint8Array({ maxLength: 100 }),
      rest: fc.uint8Array({ maxLength: 100 }),
      padding: fc.nat(20),
    })
    .map(({ block, rest, padding }) =>
      concatBytes([
        frame(HEADERS, FrameFlag.PADDED | FrameFlag.PRIORITY, 5, [
          padding,
          ...words(2 ** 31 + 3),
          9,
          ...block,
          ...new Uint8Array(padding),
        ]),
        frame(CONTINUATION, FrameFlag.END_HEADERS, 5, rest),
      ]),
    ),
  fc.uint8Array({ minLength: 8, maxLength: 8 }).map((payload) => frame(PING, 0, 0, payload)),
  fc
    .uint8Array({ minLength: 8, maxLength: 200 })
    .map((payload) => frame(FrameType.GOAWAY, 0, 0, payload)),
  fc.nat(20).map((count) => frame(FrameType.SETTINGS, 0, 0, new Uint8Array(6 * count))),
  fc.nat().map((value) => frame(FrameType.WINDOW_UPDATE, 0, 3, words(value))),
  fc.nat().map((value) => frame(FrameType.RST_STREAM, 0, 3, words(value))),
  fc.uint8Array({ maxLength: 60 }).map((payload) => frame(0x7f, 0xff, 9, payload)),
  // One with a fault of its stream, behind which reading goes on.
  fc.nat(20).map((length) => frame(FrameType.PRIORITY, 0, 1, new Uint8Array(length))),
);

test('frames are the same however their bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(anyFrame, { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(), { maxLength: 5 }),
      (frames, cuts) => {
        const bytes = concatBytes(frames);
        const whole = read([bytes]);
        assert.ok(whole.length >= frames.length);
        assert.deepEqual(read(byteByByte(bytes)), whole);
        const ends = [...cuts.map((cut) => cut % bytes.length), bytes.length].sort((a, b) => a - b);
        const pieces = ends.map((end, at) => bytes.subarray(ends[at - 1] ?? 0, end));
        assert.deepEqual(read(pieces), whole);
      },
    ),
    { seed: 1, numRuns: 150 },
  );
});

test('any bytes give frames or a fault, and nothing is thrown', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const lines = read([bytes]);
      assert.deepEqual(read(byteByByte(bytes)), lines);
    }),
    { seed: 2, numRuns: 300 },
  );
});

test('data is handed on as it comes, not gathered', () => {
  const reader = new FrameReader(false);
  reader.feed(frame(DATA, 0, 1, new Uint8Array(10_000)).subarray(0, 9 + 100));
  assert.equal(reader.next(), 'begin');
  assert.equal(reader.next(), 'piece');
  assert.equal(reader.payload.length, 100);
  assert.equal(reader.next(), 'more');
});

test('the preface is compared as it comes', () => {
  const preface = latin1(CLIENT_PREFACE);
  const ping = frame(PING, 0, 0, new Uint8Array(8));
  const reader = new FrameReader(true);
  assert.equal(read(byteByByte(concatBytes([preface, ping])), reader).length, 1);
  for (let at = 0; at < preface.length; at++) {
    const wrong = copyBytes(preface);
    wrong[at]! ^= 1;
    assert.deepEqual(read([wrong.subarray(0, at)], new FrameReader(true)), []);
    assert.deepEqual(read([wrong.subarray(0, at + 1)], new FrameReader(true)), [
      'fault preface-invalid',
    ]);
  }
});

test('what a writer writes, a reader reads', () => {
  const written: Uint8Array[] = [];
  const writer = new FrameWriter((bytes) => written.push(bytes));
  const large = new Uint8Array(9000).fill(7);
  writer.settings([
    [3, 100],
    [4, 2 ** 31 - 1],
  ]);
  writer.settingsAck();
  writer.headers(1, new Uint8Array(25), true, 10);
  writer.data(1, Uint8Array.of(1, 2), false);
  writer.data(1, large, true);
  writer.rstStream(1, ErrorCode.CANCEL);
  writer.ping(new Uint8Array(8), true);
  writer.windowUpdate(0, 5);
  writer.goaway(7, ErrorCode.ENHANCE_YOUR_CALM, 'calm');
  assert.ok(writer.pending > 0);
  writer.flush();
  assert.equal(writer.pending, 0);
  assert.deepEqual(read([concatBytes(written)]), [
    'SETTINGS 0 0 12 00030000006400047fffffff',
    'SETTINGS 1 0 0 ',
    `HEADERS 1 1 10 0 0 ${'00'.repeat(10)}`,
    `CONTINUATION 0 1 10 0 0 ${'00'.repeat(10)}`,
    `CONTINUATION 4 1 5 0 0 ${'00'.repeat(5)}`,
    'DATA 0 1 2 0 0 0102',
    `DATA 1 1 9000 0 0 ${toHex(large)}`,
    'RST_STREAM 0 1 4 00000008',
    'PING 1 0 8 0000000000000000',
    'WINDOW_UPDATE 0 0 4 00000005',
    'GOAWAY 0 0 12 000000070000000b63616c6d',
  ]);
  // A long chunk is handed on as it is.
  assert.ok(written.includes(large));
});

test('bytes that were handed on are not touched again', () => {
  const written: { bytes: Uint8Array; copy: string }[] = [];
  const writer = new FrameWriter((bytes) => written.push({ bytes, copy: toHex(bytes) }));
  for (let i = 0; i < 5000; i++) {
    writer.windowUpdate(i, i + 1);
    if (i % 7 === 0) writer.flush();
  }
  writer.headers(1, new Uint8Array(100_000), false, 16_384);
  writer.flush();
  for (const { bytes, copy } of written) assert.equal(toHex(bytes), copy);
});

test('every fault is an error with a code, a reason and a remedy', () => {
  for (const fault of Object.keys(HTTP2_FAULTS) as Http2Fault[]) {
    const error = http2FaultError(fault, 'the connection');
    assert.ok(['HTTP_LIMIT_EXCEEDED', 'HTTP_MALFORMED', 'TIMEOUT'].includes(error.code), fault);
    assert.match(
      error.message,
      new RegExp(`\\(${fault}, ${errorCodeName(HTTP2_FAULTS[fault].code)}\\)$`),
    );
    assert.ok(error.remedy);
  }
});
