/** RFC 7692: the examples of its section 7.2.3, and what the limits are for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constants, deflateRawSync } from 'node:zlib';
import { fromHex } from '../../core/index.ts';
import { End, PLAIN_DEFLATE, converse, type EndOptions } from '../../../test/websocket/pair.ts';
import { frame, readFrames } from '../../../test/websocket/frames.ts';
import { createMessageCompressor } from '../../../test/websocket/message-compressor.ts';
import { decompressionLimit } from './compressor.ts';
import { Opcode, WebSocketEngine, type DeflateAgreement } from './index.ts';

const TAKEN_OVER: DeflateAgreement = {
  ...PLAIN_DEFLATE,
  contextTakeover: true,
  peerContextTakeover: true,
};

const client = (options: EndOptions = {}) =>
  new End({ isClient: true, agreement: PLAIN_DEFLATE, ...options });

/** A compressed text message. */
const compressed = (payload: Uint8Array, opcode: Opcode = Opcode.TEXT) =>
  frame(opcode, payload, { isCompressed: true });

/** DEFLATE as a sender puts it into a frame. */
function deflate(message: string | Uint8Array): Uint8Array {
  const flushed = deflateRawSync(message, { finishFlush: constants.Z_SYNC_FLUSH });
  return Uint8Array.from(flushed.subarray(0, -4));
}

/** [what, the payload of a compressed message that is `Hello`]. */
const HELLO: readonly [string, string][] = [
  ['7.2.3.1: one block', 'f2 48 cd c9 c9 07 00'],
  ['7.2.3.3: a block without compression', '00 05 00 fa ff 48 65 6c 6c 6f 00'],
  ['7.2.3.4: a final block', 'f3 48 cd c9 c9 07 00 00'],
  ['7.2.3.5: two blocks', 'f2 48 05 00 00 00 ff ff ca c9 c9 07 00'],
  ['a final block, and blocks after it', '01 02 00 fd ff 48 65 00 03 00 fc ff 6c 6c 6f 00'],
];

for (const [what, hex] of HELLO) {
  test(`RFC 7692, section ${what} is read`, () => {
    const end = client();
    end.receive(compressed(fromHex(hex)));
    assert.deepEqual(end.handler.messages, ['Hello']);
  });
}

test('RFC 7692, section 7.2.3.1: the message is compressed as there, in one frame and in fragments', () => {
  const end = new End({ agreement: PLAIN_DEFLATE });
  end.engine.send('Hello', 0, { compress: true });
  // The RFC's message is as long as the text: without a context there is nothing to gain.
  assert.deepEqual(end.sink.take(), frame(Opcode.TEXT, 'Hello'));
  const keeping = new End({ agreement: TAKEN_OVER });
  keeping.engine.send('Hello', 0);
  assert.deepEqual(keeping.sink.take(), fromHex('c1 07 f2 48 cd c9 c9 07 00'));
  // Section 7.2.3.2: the second message refers to the first.
  keeping.engine.send('Hello', 0);
  assert.deepEqual(keeping.sink.take(), fromHex('c1 05 f2 00 11 00 00'));
  const split = new End({ agreement: TAKEN_OVER });
  split.engine.send('Hello', 0, { fragmentSize: 3 });
  assert.deepEqual(split.sink.take(), fromHex('41 03 f2 48 cd 00 03 c9 c9 07 80 01 00'));
});

test('RFC 7692, section 7.2.3.2: a context that is taken over is there for the next message, and one that is not is not', () => {
  const first = fromHex('c1 07 f2 48 cd c9 c9 07 00');
  const second = fromHex('c1 05 f2 00 11 00 00');
  const keeping = client({ agreement: TAKEN_OVER });
  keeping.receive(first);
  keeping.receive(second);
  assert.deepEqual(keeping.handler.messages, ['Hello', 'Hello']);
  const forgetting = client();
  forgetting.receive(first);
  forgetting.receive(second);
  assert.deepEqual(forgetting.engine.statistics.snapshot(), { 'compression-invalid': 1 });
});

test('fragments of a compressed message are put together before it is decompressed, control frames between', () => {
  const payload = fromHex('f2 48 cd c9 c9 07 00');
  const end = client();
  end.receive(
    Buffer.concat([
      frame(Opcode.TEXT, payload.subarray(0, 3), { isCompressed: true, isFinal: false }),
      frame(Opcode.PING, 'p'),
      frame(Opcode.CONTINUATION, payload.subarray(3), { isFinal: false }),
      frame(Opcode.CONTINUATION, ''),
    ]),
  );
  assert.deepEqual(end.handler.messages, ['Hello']);
});

test('messages that are not compressed may come between those that are', () => {
  const end = client();
  end.receive(Buffer.concat([compressed(deflate('a')), frame(Opcode.TEXT, 'b')]));
  end.receive(compressed(deflate(Uint8Array.of(1, 2)), Opcode.BINARY));
  assert.deepEqual(end.handler.messages, ['a', 'b', Uint8Array.of(1, 2)]);
});

test('an empty message may be compressed, to a block or to nothing', () => {
  const end = client();
  end.receive(Buffer.concat([compressed(fromHex('00')), compressed(fromHex(''))]));
  assert.deepEqual(end.handler.messages, ['', '']);
});

test('a message is compressed from the length on that was asked for, or when it is said so', () => {
  const end = new End({ agreement: PLAIN_DEFLATE, compressedFrom: 100 });
  const isCompressed = (length: number, compress?: boolean) => {
    end.engine.send('a'.repeat(length), 0, compress === undefined ? {} : { compress });
    return readFrames({ compression: true }, [end.sink.take()]).frames[0]!.isCompressed;
  };
  assert.equal(isCompressed(99), false);
  assert.equal(isCompressed(100), true);
  assert.equal(isCompressed(99, true), true);
  assert.equal(isCompressed(100, false), false);
});

test('what does not become shorter is sent as it is', () => {
  const end = new End({ agreement: PLAIN_DEFLATE });
  const noise = Uint8Array.from({ length: 200 }, (_, index) => (index * index * 31 + index) & 255);
  end.engine.send(noise, 0);
  assert.deepEqual(end.sink.take(), frame(Opcode.BINARY, noise));
});

test('a side that is bound to a window that zlib does not have sends its messages as they are', () => {
  const end = new End({ agreement: { ...PLAIN_DEFLATE, windowBits: 8 } });
  end.engine.send('a'.repeat(1000), 0);
  assert.deepEqual(end.sink.take(), frame(Opcode.TEXT, 'a'.repeat(1000)));
});

/** [what, the compressed payload, the code, the fault, options]. */
const REFUSALS: readonly [string, Uint8Array, number, string, EndOptions?][] = [
  ['no DEFLATE', fromHex('ff ff ff'), 1007, 'compression-invalid'],
  ['text that is not UTF-8', deflate(fromHex('61 ff')), 1007, 'text-not-utf8'],
  ['more final blocks than anybody needs', finalBlocks(40), 1007, 'compression-invalid'],
  [
    'more than a message may have',
    deflate(new Uint8Array(10_001)),
    1009,
    'decompressed-too-large',
    { limits: { messageBytes: 10_000 } },
  ],
  [
    'more than it may grow',
    deflate(new Uint8Array(100_000)),
    1009,
    'decompressed-too-large',
    { limits: { decompressionFloor: 50_000 } },
  ],
];

function finalBlocks(count: number): Uint8Array {
  return Uint8Array.from(Array.from({ length: count }, () => [0x03, 0x00]).flat());
}

test('a compressed message that breaks a rule or a limit is refused', () => {
  for (const [what, payload, code, fault, options] of REFUSALS) {
    const end = client(options);
    end.receive(compressed(payload));
    assert.deepEqual(end.engine.statistics.snapshot(), { [fault]: 1 }, what);
    const { payload: told } = readFrames({ masked: true }, [end.sink.take()]).frames[0]!;
    assert.equal((told[0]! << 8) | told[1]!, code, what);
    assert.deepEqual(end.handler.messages, []);
  }
});

test('a message may grow as much as the limits let it, to the byte', () => {
  const end = client({ limits: { messageBytes: 10_000 } });
  end.receive(compressed(deflate('a'.repeat(10_000))));
  assert.equal((end.handler.messages[0] as string).length, 10_000);
  const ratio = client({ limits: { decompressionFloor: 0, decompressionRatio: 5 } });
  const payload = deflate('abcdefgh'.repeat(5));
  assert.ok(payload.length * 5 >= 40);
  ratio.receive(compressed(payload));
  assert.equal(ratio.handler.messages.length, 1);
});

test('limits that are turned off limit nothing', () => {
  const limits = {
    frameBytes: Infinity,
    messageBytes: Infinity,
    fragments: Infinity,
    decompressionRatio: Infinity,
    controlRate: Infinity,
    controlBurst: Infinity,
    pingInterval: Infinity,
  };
  assert.equal(decompressionLimit(0, { ...limits, decompressionFloor: 0 }), Infinity);
  const end = client({ limits });
  assert.equal(end.engine.deadline(), Infinity);
  end.receive(compressed(fromHex('')));
  end.receive(compressed(deflate('a'.repeat(3_000_000))));
  end.receive(frame(Opcode.TEXT, 'b', { isFinal: false }));
  end.receive(frame(Opcode.CONTINUATION, 'c'));
  for (let i = 0; i < 300; i++) end.receive(frame(Opcode.PING, ''));
  assert.deepEqual(end.handler.messages, ['', 'a'.repeat(3_000_000), 'bc']);
  assert.equal(end.engine.state, 'open');
});

test('a compressor that throws fails the connection with 1011, and what it threw is the cause', () => {
  const end = new End();
  const thrown = new Error('broken');
  const engine = new WebSocketEngine({
    sink: end.sink,
    handler: end.handler,
    now: 0,
    compression: {
      agreement: PLAIN_DEFLATE,
      compressor: {
        compress: () => new Uint8Array(),
        decompress: () => {
          throw thrown;
        },
      },
    },
  });
  engine.receive(frame(Opcode.TEXT, 'x', { isCompressed: true, key: 1 }), 0);
  const { payload } = readFrames({}, [end.sink.take()]).frames[0]!;
  assert.equal((payload[0]! << 8) | payload[1]!, 1011);
  engine.gone(undefined, 0);
  assert.equal(end.handler.closure?.error?.code, 'WEBSOCKET_COMPRESSOR_FAILED');
  assert.equal(end.handler.closure?.error?.cause, thrown);
});

test('every window and context that can be agreed on carries messages that refer far back', () => {
  const messages = Array.from({ length: 6 }, (_, index) =>
    Array.from({ length: 3000 }, (_, at) => `${(at * 7919 + (index % 2) * 13) % 5003}`).join(' '),
  );
  for (const windowBits of [9, 10, 12, 15]) {
    for (const contextTakeover of [false, true]) {
      const mine = { windowBits, contextTakeover };
      const theirs = { peerWindowBits: windowBits, peerContextTakeover: contextTakeover };
      const a = new End({ isClient: true, agreement: { ...PLAIN_DEFLATE, ...mine } });
      const b = new End({ agreement: { ...PLAIN_DEFLATE, ...theirs } });
      for (const message of messages) a.engine.send(message, 0);
      converse(a, b, () => 1000);
      assert.deepEqual(b.handler.messages, messages, `${windowBits} ${contextTakeover}`);
    }
  }
});

test('a taken-over context makes messages that are alike small', () => {
  const compressor = createMessageCompressor(TAKEN_OVER);
  const message = new TextEncoder().encode(
    Array.from({ length: 300 }, (_, at) => `${(at * 7919) % 5003}`).join(' '),
  );
  const first = compressor.compress(message).length;
  assert.ok(compressor.compress(message).length * 10 < first);
});
