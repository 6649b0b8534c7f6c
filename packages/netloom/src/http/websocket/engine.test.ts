import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY, NetloomError, fromHex, toHex } from '../../core/index.ts';
import { End, converse, type EndOptions } from '../../../test/websocket/pair.ts';
import { RFC_EXAMPLES, frame, readFrames, singly } from '../../../test/websocket/frames.ts';
import { CloseCode, FrameReader, Opcode, parseClose } from './index.ts';

const text = (value: string) => new TextEncoder().encode(value);

/** What a server that was sent frames without mask would refuse: all tests of one side alone are of a client, unless they say otherwise. */
const client = (options: EndOptions = {}) => new End({ isClient: true, ...options });

/** The code and reason of the Close frame among what an end has written, if there is one. */
function closeSent(end: End): { code: number; reason: string } | undefined {
  const bytes = end.sink.take();
  const masked = (bytes[1] ?? 0) >= 0x80;
  const close = readFrames({ masked }, [bytes]).frames.find(
    ({ opcode }) => opcode === Opcode.CLOSE,
  );
  const parsed = close === undefined ? undefined : parseClose(Uint8Array.from(close.payload));
  return typeof parsed === 'object' ? parsed : undefined;
}

test('RFC 6455, section 5.7: the examples are the messages and Pings that it says', () => {
  for (const { name, masked, bytes, frames } of RFC_EXAMPLES) {
    for (const pieces of [[bytes], bytes.length < 300 ? singly(bytes) : [bytes]]) {
      const end = new End({ isClient: !masked });
      for (const piece of pieces) end.receive(piece);
      const payload = Uint8Array.from(frames.flatMap((one) => one.payload));
      const opcode = frames[0]?.opcode;
      if (opcode === Opcode.TEXT) assert.deepEqual(end.handler.messages, ['Hello'], name);
      else if (opcode === Opcode.BINARY) assert.deepEqual(end.handler.messages, [payload], name);
      else assert.match(end.handler.controls.join(), /^p[io]ng 48656c6c6f$/, name);
    }
  }
});

test('a Ping is answered with its payload, masked by the client only', () => {
  const end = client();
  end.receive(frame(Opcode.PING, 'Hello'));
  const { frames } = readFrames({ masked: true }, [end.sink.take()]);
  assert.deepEqual(frames, [
    {
      opcode: Opcode.PONG,
      isFinal: true,
      isCompressed: false,
      payload: [...text('Hello')],
      isComplete: true,
    },
  ]);
  const server = new End();
  server.receive(frame(Opcode.PING, 'Hello', { key: 7 }));
  assert.deepEqual(server.sink.take(), fromHex('8a 05 48 65 6c 6c 6f'));
});

test('each frame of a client has another key', () => {
  const end = client();
  for (let i = 0; i < 4; i++) end.engine.send('same', 0);
  const keys = [];
  const sent = end.sink.take();
  for (let at = 0; at < sent.length; at += 10) keys.push(toHex(sent.subarray(at + 2, at + 6)));
  assert.equal(new Set(keys).size, 4);
});

test('a message goes in fragments of the size that was asked for, and control frames may come between those of the peer', () => {
  const server = new End();
  server.engine.send('Hello, fragments', 0, { fragmentSize: 5 });
  const { frames } = readFrames({}, [server.sink.take()]);
  assert.deepEqual(
    frames.map((one) => [one.opcode, one.isFinal, Buffer.from(one.payload).toString()]),
    [
      [Opcode.TEXT, false, 'Hello'],
      [Opcode.CONTINUATION, false, ', fra'],
      [Opcode.CONTINUATION, false, 'gment'],
      [Opcode.CONTINUATION, true, 's'],
    ],
  );
  const end = client();
  end.receive(
    Buffer.concat([
      frame(Opcode.TEXT, 'frag', { isFinal: false }),
      frame(Opcode.PING, 'a'),
      frame(Opcode.CONTINUATION, '', { isFinal: false }),
      frame(Opcode.PONG, 'b'),
      frame(Opcode.CONTINUATION, 'ment'),
      frame(Opcode.BINARY, Uint8Array.of(1)),
    ]),
  );
  assert.deepEqual(end.handler.messages, ['fragment', Uint8Array.of(1)]);
  assert.deepEqual(end.handler.controls, ['ping 61', 'pong 62']);
});

test('a large payload of a server is written as it was given, without a copy', () => {
  const written: Uint8Array[] = [];
  const end = new End();
  end.sink.write = (bytes) => written.push(bytes) > 0;
  const payload = new Uint8Array(100_000);
  end.engine.send(payload, 0);
  assert.equal(written.length, 2);
  assert.equal(written[1], payload);
});

test('what a client sends is masked in a copy: the array that was given may be sent to others', () => {
  const end = client();
  const payload = Uint8Array.from({ length: 50_000 }, (_, index) => index & 255);
  const before = Uint8Array.from(payload);
  end.engine.send(payload, 0);
  assert.deepEqual(payload, before);
});

test('messages are the handler’s own: neither input nor other messages change them', () => {
  const end = client();
  end.receive(Buffer.concat([frame(Opcode.BINARY, 'first'), frame(Opcode.BINARY, 'other')]));
  for (const message of end.handler.messages) {
    assert.ok(message instanceof Uint8Array);
    assert.equal(message.buffer.byteLength, 5);
  }
  assert.deepEqual(end.handler.messages, [text('first'), text('other')]);
});

test('a message of fragments is as long as they are together, and its array no longer', () => {
  const end = client();
  const sizes = [10, 1, 0, 70_000, 1, 1];
  for (const [index, size] of sizes.entries()) {
    const isFinal = index === sizes.length - 1;
    const opcode = index === 0 ? Opcode.BINARY : Opcode.CONTINUATION;
    end.receive(frame(opcode, new Uint8Array(size).fill(index), { isFinal }));
  }
  const [message] = end.handler.messages as [Uint8Array];
  const expected = sizes.flatMap((size, index) => Array.from({ length: size }, () => index));
  assert.deepEqual(message, Uint8Array.from(expected));
  assert.equal(message.buffer.byteLength, expected.length);
});

test('fragments of a text are its own, whatever is sent elsewhere while they are written', () => {
  const other = new End();
  const end = new End();
  const write = end.sink.write.bind(end.sink);
  end.sink.write = (bytes) => {
    other.engine.send('something else', 0);
    return write(bytes);
  };
  end.engine.send('a text in fragments', 0, { fragmentSize: 4 });
  const { frames } = readFrames({}, [end.sink.take()]);
  const payload = frames.flatMap((one) => one.payload);
  assert.equal(Buffer.from(payload).toString(), 'a text in fragments');
});

test('empty messages are messages', () => {
  const end = client();
  end.receive(
    Buffer.concat([
      frame(Opcode.TEXT, ''),
      frame(Opcode.BINARY, ''),
      frame(Opcode.TEXT, '', { isFinal: false }),
      frame(Opcode.CONTINUATION, ''),
    ]),
  );
  assert.deepEqual(end.handler.messages, ['', new Uint8Array(), '']);
});

test('a byte order mark at the beginning of a message belongs to it', () => {
  const end = client();
  end.receive(frame(Opcode.TEXT, '\ufeffa'));
  assert.deepEqual(end.handler.messages, ['\ufeffa']);
});

/** [what the peer sends, the code and the fault that it is told and that are counted, the options of the client]. */
const FAILURES: readonly [Uint8Array, number, string, EndOptions?][] = [
  [fromHex('c1 01 61'), 1002, 'reserved-bits'],
  [fromHex('83 00'), 1002, 'opcode-reserved'],
  [fromHex('8b 00'), 1002, 'opcode-reserved'],
  [fromHex('81 81 00 00 00 00 61'), 1002, 'mask-unexpected'],
  [fromHex('09 00'), 1002, 'control-fragmented'],
  [fromHex('89 7e 00 7e'), 1002, 'control-too-long'],
  [fromHex('82 7e 00 01 61'), 1002, 'length-not-minimal'],
  [fromHex('82 ff 80 00 00 00 00 00 00 00'), 1002, 'mask-unexpected'],
  [fromHex('82 7f 80 00 00 00 00 00 00 00'), 1002, 'length-invalid'],
  [frame(Opcode.CONTINUATION, 'a'), 1002, 'continuation-unexpected'],
  [
    Buffer.concat([frame(Opcode.TEXT, 'a', { isFinal: false }), frame(Opcode.TEXT, 'b')]),
    1002,
    'message-interrupted',
  ],
  [fromHex('88 01 03'), 1002, 'close-payload-short'],
  [fromHex('88 02 03 ed'), 1002, 'close-code-invalid'],
  [fromHex('88 03 03 e8 ff'), 1007, 'close-reason-not-utf8'],
  [fromHex('81 01 ff'), 1007, 'text-not-utf8'],
  [fromHex('81 01 c3'), 1007, 'text-not-utf8'],
  [frame(Opcode.TEXT, 'a'), 1003, 'text-refused', { accepts: 'binary' }],
  [frame(Opcode.BINARY, 'a'), 1003, 'binary-refused', { accepts: 'text' }],
  [frame(Opcode.BINARY, '12345'), 1009, 'frame-too-large', { limits: { frameBytes: 4 } }],
  [frame(Opcode.BINARY, '12345'), 1009, 'message-too-large', { limits: { messageBytes: 4 } }],
  [
    Buffer.concat([
      frame(Opcode.BINARY, '123', { isFinal: false }),
      frame(Opcode.CONTINUATION, '45', { isFinal: false }),
    ]),
    1009,
    'message-too-large',
    { limits: { messageBytes: 4 } },
  ],
  [
    Buffer.concat([
      frame(Opcode.BINARY, '', { isFinal: false }),
      frame(Opcode.CONTINUATION, '', { isFinal: false }),
      frame(Opcode.CONTINUATION, '', { isFinal: false }),
    ]),
    1009,
    'too-many-fragments',
    { limits: { fragments: 2 } },
  ],
  [
    Buffer.concat([frame(Opcode.PING, ''), frame(Opcode.PONG, ''), frame(Opcode.PING, '')]),
    1008,
    'control-flood',
    { limits: { controlBurst: 2 } },
  ],
];

test('a peer that breaks a rule is told which, once, and nothing it says afterwards is read', () => {
  for (const [bytes, code, fault, options] of FAILURES) {
    for (const pieces of [[bytes], singly(bytes)]) {
      const end = client(options);
      for (const piece of pieces) end.receive(piece);
      end.receive(frame(Opcode.TEXT, 'unheard'));
      assert.deepEqual(closeSent(end), { code, reason: fault }, fault);
      assert.equal(end.engine.state, 'ending');
      assert.ok(end.sink.isClosed);
      assert.deepEqual(end.handler.messages, []);
      assert.deepEqual(end.engine.statistics.snapshot(), { [fault]: 1 });
      end.engine.gone(undefined, 0);
      const { error, ...closure } = end.handler.closure!;
      assert.deepEqual(closure, { code: 1006, reason: '', wasClean: false });
      assert.match(error?.code ?? '', /^WEBSOCKET_(MALFORMED|LIMIT_EXCEEDED)$/);
      assert.ok(error?.message.includes(fault));
    }
  }
});

test('a server refuses frames without mask', () => {
  const end = new End();
  end.receive(frame(Opcode.TEXT, 'a'));
  assert.deepEqual(closeSent(end), { code: 1002, reason: 'mask-missing' });
});

test('messages before a fault are told', () => {
  const end = client();
  end.receive(Buffer.concat([frame(Opcode.TEXT, 'good'), fromHex('83 00')]));
  assert.deepEqual(end.handler.messages, ['good']);
  assert.equal(end.engine.state, 'ending');
});

test('control frames at the rate that is allowed are no flood', () => {
  const end = client({ limits: { controlBurst: 2, controlRate: 10 } });
  for (let now = 0; now < 2_000; now += 100) end.receive(frame(Opcode.PING, ''), now);
  assert.equal(end.engine.state, 'open');
});

test('the server closes the connection first, after both have said Close', () => {
  const [a, b] = [client(), new End()];
  a.engine.close(CloseCode.NORMAL, 'done', 0);
  assert.equal(a.engine.state, 'closing');
  converse(a, b);
  assert.equal(a.engine.state, 'ending');
  assert.equal(b.engine.state, 'ending');
  assert.ok(!a.sink.isClosed);
  assert.ok(b.sink.isClosed);
  a.engine.receiveEnd(0);
  assert.ok(a.sink.isClosed);
  a.engine.gone(undefined, 0);
  b.engine.gone(undefined, 0);
  assert.deepEqual(a.handler.closure, { code: 1000, reason: '', wasClean: true, error: undefined });
  assert.deepEqual(b.handler.closure, {
    code: 1000,
    reason: 'done',
    wasClean: true,
    error: undefined,
  });
});

test('a server that closes waits for the client’s answer, then closes the connection', () => {
  const [a, b] = [client(), new End()];
  b.engine.close(4001, 'go', 0);
  assert.ok(!b.sink.isClosed);
  converse(a, b);
  assert.ok(b.sink.isClosed);
  b.engine.gone(undefined, 0);
  assert.deepEqual(b.handler.closure, { code: 4001, reason: '', wasClean: true, error: undefined });
});

test('both may close at once', () => {
  const [a, b] = [client(), new End()];
  a.engine.close(4001, '', 0);
  b.engine.close(4002, '', 0);
  converse(a, b);
  for (const end of [a, b]) end.engine.gone(undefined, 0);
  assert.deepEqual([a.handler.closure?.code, b.handler.closure?.code], [4002, 4001]);
  assert.ok(a.handler.closure?.wasClean === true && b.handler.closure?.wasClean === true);
});

test('a Close without a code is told as 1005 and answered by one without', () => {
  const [a, b] = [client(), new End()];
  a.engine.close(CloseCode.NO_STATUS, '', 0);
  const sent = a.sink.take();
  assert.equal(sent.length, 6);
  b.receive(sent);
  assert.deepEqual(b.sink.take(), fromHex('88 00'));
  b.engine.gone(undefined, 0);
  assert.deepEqual(b.handler.closure, { code: 1005, reason: '', wasClean: true, error: undefined });
});

test('messages and Pings that come before the peer’s Close are told and answered, those behind it are not', () => {
  const end = client();
  end.engine.close(1000, '', 0);
  end.sink.take();
  end.receive(
    Buffer.concat([
      frame(Opcode.TEXT, 'last'),
      frame(Opcode.PING, 'x'),
      frame(Opcode.CLOSE, ''),
      frame(Opcode.TEXT, 'too late'),
    ]),
  );
  assert.deepEqual(end.handler.messages, ['last']);
  const { frames } = readFrames({ masked: true }, [end.sink.take()]);
  assert.deepEqual(
    frames.map(({ opcode }) => opcode),
    [Opcode.PONG],
  );
});

test('closing may be asked for more than once, and nothing can be sent after it', () => {
  const end = client();
  end.engine.close(1000, '', 0);
  end.engine.close(4000, 'again', 0);
  end.engine.ping(EMPTY, 0);
  assert.deepEqual(closeSent(end), { code: 1000, reason: '' });
  assert.throws(() => end.engine.send('a', 0), { code: 'WRITE_AFTER_END' });
});

test('a close that cannot be sent changes nothing, nor does a Ping that is too long', () => {
  const end = client();
  assert.throws(() => end.engine.close(1006, '', 0), { code: 'WEBSOCKET_CLOSE_INVALID' });
  assert.throws(() => end.engine.ping(new Uint8Array(126), 0), { code: 'WEBSOCKET_PING_TOO_LONG' });
  assert.equal(end.engine.state, 'open');
  assert.equal(end.engine.send('a', 0), true);
});

test('what is sent after the peer has closed is dropped and counted', () => {
  const end = client();
  end.receive(frame(Opcode.CLOSE, ''));
  assert.equal(end.engine.send('a', 0), false);
  assert.deepEqual(end.engine.statistics.snapshot(), { 'message-unsent': 1 });
});

test('a connection that ends without Close is told so', () => {
  const end = client();
  end.engine.receiveEnd(0);
  assert.ok(end.sink.isClosed);
  end.engine.gone(undefined, 0);
  assert.equal(end.handler.closure?.code, 1006);
  assert.equal(end.handler.closure?.error?.code, 'WEBSOCKET_TRUNCATED');
  const reset = client();
  reset.engine.gone(new NetloomError('CONNECTION_RESET', 'reset'), 0);
  assert.equal(reset.handler.closure?.error?.code, 'CONNECTION_RESET');
});

test('aborting says nothing to the peer, and why to the handler', () => {
  const end = client();
  end.engine.abort(new NetloomError('ABORTED', 'enough'), 0);
  assert.equal(end.sink.take().length, 0);
  assert.equal(end.sink.aborted?.code, 'ABORTED');
  end.engine.gone(undefined, 0);
  assert.equal(end.handler.closure?.error?.code, 'ABORTED');
  assert.throws(() => end.engine.send('a', 0), { code: 'WRITE_AFTER_END' });
});

const TIMES = { pingInterval: 100, pongTimeout: 30, closeTimeout: 50, writeTimeout: 70 };

test('a peer that says nothing is sent a Ping, and given up when it says nothing then', () => {
  const end = client({ limits: TIMES });
  assert.equal(end.engine.deadline(), 100);
  end.receive(frame(Opcode.TEXT, 'a'), 40);
  assert.equal(end.engine.deadline(), 140);
  end.engine.advance(100);
  assert.equal(end.sink.take().length, 0);
  end.engine.advance(140);
  assert.equal(readFrames({ masked: true }, [end.sink.take()]).frames[0]?.opcode, Opcode.PING);
  assert.equal(end.engine.deadline(), 170);
  // Whatever it says will do.
  end.receive(frame(Opcode.TEXT, 'a'), 165);
  assert.equal(end.engine.deadline(), 265);
  end.engine.advance(265);
  end.engine.advance(295);
  assert.equal(end.sink.aborted?.code, 'TIMEOUT');
  end.engine.gone(undefined, 295);
  assert.equal(end.handler.closure?.error?.code, 'TIMEOUT');
  assert.equal(end.engine.deadline(), Infinity);
});

test('a peer that is not listened to is not given up', () => {
  const end = client({ limits: TIMES });
  end.engine.pause();
  assert.equal(end.engine.deadline(), Infinity);
  end.engine.resume(1_000);
  assert.equal(end.engine.deadline(), 1_100);
});

test('a peer that does not answer Close is given up', () => {
  const end = client({ limits: TIMES });
  end.engine.close(1000, '', 10);
  assert.equal(end.engine.deadline(), 60);
  end.engine.advance(60);
  assert.equal(end.sink.aborted?.code, 'TIMEOUT');
});

test('the time for the answer to Close begins when what was written before it has been taken', () => {
  const end = client({ limits: { ...TIMES, writeTimeout: Infinity } });
  end.sink.hasRoom = false;
  end.engine.send('much', 0);
  end.engine.close(1000, '', 10);
  assert.equal(end.engine.deadline(), Infinity);
  end.sink.hasRoom = true;
  end.engine.drained(500);
  assert.equal(end.engine.deadline(), 550);
});

test('a client closes the connection itself if the server does not', () => {
  const end = client({ limits: TIMES });
  end.receive(frame(Opcode.CLOSE, ''), 10);
  assert.equal(end.engine.deadline(), 60);
  end.engine.advance(60);
  assert.ok(end.sink.isClosed);
  assert.equal(end.engine.deadline(), Infinity);
});

test('a peer that takes nothing is given up, and is not sent Pings meanwhile', () => {
  const end = client({ limits: { ...TIMES, writeTimeout: 500 } });
  end.sink.hasRoom = false;
  assert.equal(end.engine.send('a', 0), false);
  end.sink.take();
  for (let now = 100; now < 500; now += 100) end.engine.advance(now);
  assert.equal(end.sink.take().length, 0);
  end.engine.advance(500);
  assert.equal(end.sink.aborted?.code, 'TIMEOUT');
});

test('a peer that sends Pings and takes no Pongs is owed the last one only', () => {
  const end = client();
  end.sink.hasRoom = false;
  end.engine.send('a', 0);
  end.sink.take();
  for (const payload of ['1', '2', '3']) end.receive(frame(Opcode.PING, payload));
  assert.equal(end.sink.take().length, 0);
  assert.deepEqual(end.engine.statistics.snapshot(), { 'ping-unanswered': 2 });
  end.sink.hasRoom = true;
  end.engine.drained(0);
  assert.equal(end.handler.drains, 1);
  const { frames } = readFrames({ masked: true }, [end.sink.take()]);
  assert.deepEqual(
    frames.map(({ opcode, payload }) => [opcode, ...payload]),
    [[Opcode.PONG, 0x33]],
  );
});

test('while it is paused no message is told, and what has come waits in order', () => {
  const end = client();
  end.handler.message = (data) => {
    end.handler.messages.push(data);
    end.engine.pause();
  };
  const all = Buffer.concat(['1', '2', '3'].map((one) => frame(Opcode.TEXT, one)));
  end.receive(all.subarray(0, 8));
  assert.ok(end.sink.isPaused);
  assert.deepEqual(end.handler.messages, ['1']);
  // A sink may give what it had begun to give.
  end.receive(all.subarray(8));
  end.engine.receiveEnd(0);
  assert.deepEqual(end.handler.messages, ['1']);
  end.engine.resume(0);
  assert.ok(end.sink.isPaused);
  end.engine.resume(0);
  assert.deepEqual(end.handler.messages, ['1', '2', '3']);
  assert.equal(end.engine.state, 'open');
  end.engine.resume(0);
  assert.equal(end.engine.state, 'ending');
});

test('resuming lets the sink go on', () => {
  const end = client();
  end.engine.pause();
  end.engine.pause();
  assert.ok(end.sink.isPaused);
  end.engine.resume(0);
  assert.ok(!end.sink.isPaused);
});

test('closing ends a pause, so that the peer’s Close can come', () => {
  const end = client();
  end.engine.pause();
  end.engine.close(1000, '', 0);
  assert.ok(!end.sink.isPaused);
  end.engine.pause();
  assert.ok(!end.sink.isPaused);
});

test('a handler may close, abort or send from within a message', () => {
  const closing = client();
  closing.handler.message = () => closing.engine.close(1000, '', 0);
  closing.receive(Buffer.concat([frame(Opcode.TEXT, 'a'), frame(Opcode.CLOSE, '')]));
  assert.equal(closing.engine.state, 'ending');
  const aborting = client();
  aborting.handler.message = (data) => {
    aborting.handler.messages.push(data);
    aborting.engine.abort(new NetloomError('ABORTED', 'enough'), 0);
  };
  aborting.receive(Buffer.concat([frame(Opcode.TEXT, 'a'), frame(Opcode.TEXT, 'b')]));
  assert.deepEqual(aborting.handler.messages, ['a']);
});

test('input that comes while a message is told is read behind what came before', () => {
  const end = client();
  end.handler.message = (data) => {
    end.handler.messages.push(data);
    if (data === '1') end.receive(frame(Opcode.TEXT, '3'));
  };
  end.receive(frame(Opcode.TEXT, '1'));
  end.receive(Buffer.concat([frame(Opcode.TEXT, '1'), frame(Opcode.TEXT, '2')]));
  assert.deepEqual(end.handler.messages, ['1', '3', '1', '2', '3']);
});

test('a handler that throws loses its message only: the next are told', () => {
  const end = client();
  end.handler.message = (data) => {
    end.handler.messages.push(data);
    if (data === 'bad') throw new Error('thrown by the handler');
  };
  const bytes = Buffer.concat(['bad', 'good'].map((one) => frame(Opcode.TEXT, one)));
  assert.throws(() => end.receive(bytes), /thrown by the handler/);
  end.receive(frame(Opcode.TEXT, 'more'));
  assert.deepEqual(end.handler.messages, ['bad', 'good', 'more']);
});

test('room is made for what has come, not for what was announced', () => {
  const end = client({ limits: { frameBytes: 2 ** 40, messageBytes: 2 ** 40 } });
  end.receive(fromHex('82 7f 00 00 00 ff 00 00 00 00'));
  end.receive(new Uint8Array(100_000));
  assert.equal(end.engine.state, 'open');
  const reader = new FrameReader({ masked: false, compression: false, frameBytes: 2 ** 60 });
  reader.feed(fromHex('82 7f 00 00 00 ff 00 00 00 00'));
  assert.equal(reader.next(), 'head');
  assert.equal(reader.length, 0xff_0000_0000);
});
