/** Text that is not UTF-8 is refused with the byte that shows it, wherever frames and pieces end (RFC 6455, section 8.1). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromHex } from '../../core/index.ts';
import { End } from '../../../test/websocket/pair.ts';
import { cutAt, frame } from '../../../test/websocket/frames.ts';
import { Opcode } from './index.ts';

/** Good text, then what is wrong, then good text again: and how many bytes may stand. */
const SPOILT: readonly [string, Uint8Array, number][] = [
  ['a surrogate', fromHex('ce ba e1 bd b9 cf 83 ce bc ce b5 ed a0 80 65 64 69 74'), 12],
  ['beyond U+10FFFF', fromHex('ce ba e1 bd b9 f4 90 80 80 65 64 69 74 65 64'), 6],
  ['too long', fromHex('61 62 c0 af 63'), 2],
  ['a leading byte and no more', fromHex('61 e2 82 63'), 3],
];

/** Whether the engine has failed by now. */
const hasFailed = (end: End) => end.engine.statistics.get('text-not-utf8') === 1;

test('within a frame: the byte that cannot stand fails the connection, the rest of the frame still to come', () => {
  for (const [what, bytes, good] of SPOILT) {
    const sent = frame(Opcode.TEXT, bytes);
    const end = new End({ isClient: true });
    const headerLength = sent.length - bytes.length;
    for (let at = 0; at < headerLength + good; at++) end.receive(sent.subarray(at, at + 1));
    assert.ok(!hasFailed(end), what);
    end.receive(sent.subarray(headerLength + good, headerLength + good + 1));
    assert.ok(hasFailed(end), what);
  }
});

test('between fragments: the fragment that has the byte fails the connection, the next still to come', () => {
  for (const [what, bytes, good] of SPOILT) {
    const [before, wrong] = cutAt(bytes, [good, good + 1]);
    const end = new End({ isClient: true });
    end.receive(frame(Opcode.TEXT, before!, { isFinal: false }));
    assert.ok(!hasFailed(end), what);
    end.receive(frame(Opcode.CONTINUATION, wrong!, { isFinal: false }));
    assert.ok(hasFailed(end), what);
  }
});

test('one frame in one piece: it is refused as well', () => {
  for (const [what, bytes] of SPOILT) {
    for (const prefix of [0, 70_000]) {
      const end = new End({ isClient: true, limits: { frameBytes: 1e6 } });
      end.receive(frame(Opcode.TEXT, Buffer.concat([Buffer.alloc(prefix, 0x61), bytes])));
      assert.ok(hasFailed(end), `${what} after ${prefix}`);
    }
  }
});

test('a text of several bytes a character may be cut anywhere, into fragments and pieces', () => {
  const text = 'Hello-µ@ßöäüàá-UTF-8!! κόσμε \ud7ff\ue000\uffff\u{10000}\u{10ffff}';
  const bytes = new TextEncoder().encode(text);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const [first, second] = cutAt(bytes, [cut]);
    const end = new End({ isClient: true });
    end.receive(frame(Opcode.TEXT, first!, { isFinal: false }));
    end.receive(frame(Opcode.CONTINUATION, second!));
    assert.deepEqual(end.handler.messages, [text], `cut at ${cut}`);
  }
});

test('a text that ends within a character is refused when it ends, not before', () => {
  for (const hex of ['ce', 'e1 bd', 'f0 9f 98', '61 c3']) {
    const whole = new End({ isClient: true });
    whole.receive(frame(Opcode.TEXT, fromHex(hex)));
    assert.ok(hasFailed(whole), hex);
    const fragments = new End({ isClient: true });
    fragments.receive(frame(Opcode.TEXT, fromHex(hex), { isFinal: false }));
    assert.ok(!hasFailed(fragments), hex);
    fragments.receive(frame(Opcode.CONTINUATION, ''));
    assert.ok(hasFailed(fragments), hex);
  }
});

test('binary messages may hold any bytes, and leave nothing behind for the text after them', () => {
  const end = new End({ isClient: true });
  end.receive(frame(Opcode.TEXT, fromHex('ce'), { isFinal: false }));
  end.receive(frame(Opcode.CONTINUATION, fromHex('ba')));
  end.receive(frame(Opcode.BINARY, fromHex('ff'), { isFinal: false }));
  end.receive(frame(Opcode.CONTINUATION, fromHex('ed a0')));
  end.receive(frame(Opcode.TEXT, 'a', { isFinal: false }));
  end.receive(frame(Opcode.CONTINUATION, 'b'));
  assert.deepEqual(end.handler.messages, ['κ', fromHex('ff ed a0'), 'ab']);
});
