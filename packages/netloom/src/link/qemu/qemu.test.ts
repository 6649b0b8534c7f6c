import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  concatBytes,
  IpAddress,
  MacAddress,
  ManualClock,
  NetloomError,
  type Connection,
  type ConnectionHandler,
  type Datagram,
  type DatagramHandler,
  type DatagramSocket,
} from '../../core/index.ts';
import { numberedFrame, Recorder } from '../frame-recorder.ts';
import type { Link } from '../link.ts';
import { QemuDatagramLink, QemuStreamLink, type QemuLinkOptions } from './index.ts';

const nowhere = { address: IpAddress.LOOPBACK4, port: 1 };
const options: QemuLinkOptions = { name: 'vm0', mac: MacAddress.parse('02:00:00:00:00:01') };

/** A connection in memory whose other side is the test. */
class FakeConnection implements Connection {
  readonly local = nowhere;
  readonly remote = nowhere;
  bufferedAmount = 0;
  readonly written: Uint8Array[] = [];
  handler: ConnectionHandler = {};
  isClosed = false;

  start(handler: ConnectionHandler): void {
    this.handler = handler;
  }

  write(chunk: Uint8Array): boolean {
    if (this.isClosed) throw new NetloomError('WRITE_AFTER_END', 'closed');
    this.written.push(chunk);
    return true;
  }

  /** Gives a chunk as a reader of real sockets does: the memory is used again afterwards. */
  give(chunk: Uint8Array): void {
    const own = chunk.slice();
    this.handler.data?.(own);
    own.fill(0xdb);
  }

  close(): Promise<void> {
    if (!this.isClosed) {
      this.isClosed = true;
      this.handler.closed?.(undefined);
    }
    return Promise.resolve();
  }

  abort(error?: NetloomError): void {
    this.isClosed = true;
    this.handler.closed?.(error);
  }

  cork(): void {}
  uncork(): void {}
  pause(): void {}
  resume(): void {}
  end(): void {}
  setNoDelay(): void {}
  setKeepAlive(): void {}
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function stream(limits?: QemuLinkOptions['limits']) {
  const connection = new FakeConnection();
  const link = new QemuStreamLink(connection, limits ? { ...options, limits } : options);
  const recorder = new Recorder();
  link.attach(recorder);
  return { connection, link, recorder };
}

function send(link: Link, frame: Uint8Array): boolean {
  const own = link.allocate(frame.length);
  own.set(frame);
  return link.transmit(own);
}

/** A frame as it stands in the stream. */
function framed(frame: Uint8Array): Uint8Array {
  return concatBytes([Uint8Array.of(0, 0, frame.length >>> 8, frame.length), frame]);
}

test('a frame sent is one write: its length in four bytes, then the frame', () => {
  const { connection, link } = stream();
  assert.equal(send(link, numberedFrame(1, 300)), true);
  assert.deepEqual(connection.written, [framed(numberedFrame(1, 300))]);
  assert.equal(link.statistics.sentFrames, 1);
  assert.equal(link.statistics.sentBytes, 300);
});

test('a frame waits until its last byte has left the connection', () => {
  const { connection, link } = stream();
  const depthAt = (bufferedAmount: number): number => {
    connection.bufferedAmount = bufferedAmount;
    return link.statistics.queueDepth;
  };
  for (const length of [60, 100, 300]) {
    send(link, numberedFrame(1, length));
    connection.bufferedAmount += 4 + length;
  }
  assert.equal(depthAt(64 + 104 + 304), 3);
  assert.equal(depthAt(64 + 104 + 303), 3);
  assert.equal(depthAt(104 + 304), 2);
  assert.equal(depthAt(1), 1);
  assert.equal(depthAt(0), 0);
  assert.equal(link.statistics.sentFrames, 3);
});

test('frames received are the same, cut at every byte', () => {
  const bytes = concatBytes(
    [60, 14, 300].map((length, i) => framed(numberedFrame(i, Math.max(16, length)))),
  );
  for (let cut = 0; cut <= bytes.length; cut++) {
    const { connection, recorder } = stream();
    connection.give(bytes.subarray(0, cut));
    connection.give(bytes.subarray(cut));
    assert.deepEqual(
      recorder.received.map(({ frame }) => frame),
      [numberedFrame(0, 60), numberedFrame(1, 16), numberedFrame(2, 300)],
    );
  }
});

test('what one link sends another receives, in chunks of any size, one batch a chunk', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 16, max: 1514 }), { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1 }),
      (lengths, sizes) => {
        const sender = stream();
        lengths.forEach((length, i) => assert.ok(send(sender.link, numberedFrame(i, length))));
        const bytes = concatBytes(sender.connection.written);
        const { connection, recorder, link } = stream();
        let chunks = 0;
        for (let at = 0; at < bytes.length; at += sizes[(chunks - 1) % sizes.length]!) {
          connection.give(bytes.subarray(at, at + sizes[chunks++ % sizes.length]!));
        }
        assert.deepEqual(
          recorder.received.map(({ frame }) => frame),
          lengths.map((length, i) => numberedFrame(i, length)),
        );
        assert.equal(recorder.batches.length, chunks);
        assert.equal(link.statistics.receivedFrames, lengths.length);
      },
    ),
  );
});

test('a length over the limit ends the connection with a named error, and nothing is gathered', () => {
  const { connection, link, recorder } = stream({ frameLength: 1000 });
  connection.give(concatBytes([framed(numberedFrame(1)), Uint8Array.of(0xff, 0xff, 0xff, 0xff)]));
  assert.equal(connection.isClosed, true);
  assert.deepEqual(recorder.numbers(), [1]);
  assert.deepEqual(
    recorder.ends.map((error) => error?.code),
    ['QEMU_FRAME_TOO_LONG'],
  );
  assert.equal(send(link, numberedFrame(2)), false, 'and it does not throw');
});

test('frames too short to be any are dropped, and the stream goes on', () => {
  const { connection, link, recorder } = stream();
  connection.give(
    concatBytes([framed(new Uint8Array(0)), framed(new Uint8Array(13)), framed(numberedFrame(1))]),
  );
  assert.deepEqual(recorder.numbers(), [1]);
  assert.deepEqual(link.statistics.drops.snapshot(), { 'too-short': 2 });
});

test('frames are dropped while too much waits, or when the link cannot carry them', () => {
  const { connection, link } = stream({ queueBytes: 1000 });
  connection.bufferedAmount = 900;
  assert.equal(send(link, numberedFrame(1, 100)), false);
  assert.equal(send(link, numberedFrame(1, 96)), true);
  assert.equal(send(link, new Uint8Array(1519)), false);
  assert.equal(send(link, new Uint8Array(13)), false);
  assert.deepEqual(link.statistics.drops.snapshot(), {
    'queue-full': 1,
    'too-long': 1,
    'too-short': 1,
  });
});

test('what a guest would have to finish is not sent: neither way of speaking to QEMU can say so', () => {
  for (const { link } of [stream(), datagrams()]) {
    const offload = { checksumStart: 34, checksumOffset: 16, segmentSize: 0 };
    const frame = link.allocate(60);
    assert.equal(link.transmit(frame, offload), false);
    assert.deepEqual(link.statistics.drops.snapshot(), { 'checksum-unfinished': 1 });
  }
});

test('the peer’s end is a named error; a frame cut off by it is counted', () => {
  const { connection, link, recorder } = stream();
  connection.give(Uint8Array.of(0, 0, 0, 60, 1, 2));
  connection.handler.end?.();
  assert.deepEqual(
    recorder.ends.map((error) => error?.code),
    ['LINK_PEER_CLOSED'],
  );
  assert.deepEqual(link.statistics.drops.snapshot(), { truncated: 1 });
});

test('closing here is no error, and ends both directions', async () => {
  const { connection, link, recorder } = stream();
  await link.close();
  await link.close();
  connection.give(framed(numberedFrame(1)));
  assert.deepEqual(recorder.ends, [undefined]);
  assert.deepEqual(recorder.received, []);
  assert.equal(send(link, numberedFrame(1)), false);
});

test('a handler may close the link while frames are at hand', () => {
  const { connection, link } = stream();
  let received = 0;
  link.attach({
    receive() {
      received++;
      void link.close();
    },
    batchEnd: () => assert.fail('the link was closed'),
  });
  connection.give(concatBytes([framed(numberedFrame(1)), framed(numberedFrame(2))]));
  assert.equal(received, 1);
});

/** A datagram socket in memory that takes so many datagrams at a time. */
class FakeSocket implements DatagramSocket {
  readonly local = nowhere;
  readonly batches: Datagram[][] = [];
  handler: DatagramHandler = {};
  room = Infinity;
  #isClosed = false;

  start(handler: DatagramHandler): void {
    this.handler = handler;
  }

  send(batch: readonly Datagram[]): number {
    const taken = batch.slice(0, this.room);
    this.batches.push(taken);
    return taken.length;
  }

  joinGroup(): void {}
  leaveGroup(): void {}
  close(): Promise<void> {
    if (!this.#isClosed) this.handler.closed?.(undefined);
    this.#isClosed = true;
    return Promise.resolve();
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const qemu = { address: IpAddress.parse('192.0.2.7'), port: 4444 };

function datagrams(limits?: QemuLinkOptions['limits']) {
  const clock = new ManualClock();
  const socket = new FakeSocket();
  const all = { ...options, clock, remote: qemu };
  const link = new QemuDatagramLink(socket, limits ? { ...all, limits } : all);
  const recorder = new Recorder();
  link.attach(recorder);
  return { clock, socket, link, recorder };
}

test('frames of one turn leave as one batch of datagrams to QEMU', () => {
  const { clock, socket, link } = datagrams();
  send(link, numberedFrame(1));
  send(link, numberedFrame(2));
  assert.equal(link.statistics.queueDepth, 2);
  clock.runDeferred();
  assert.deepEqual(socket.batches, [
    [
      { data: numberedFrame(1), remote: qemu },
      { data: numberedFrame(2), remote: qemu },
    ],
  ]);
  assert.equal(link.statistics.queueDepth, 0);
  assert.equal(link.statistics.sentFrames, 2);
  assert.equal(link.statistics.sentBytes, 120);
});

test('what the socket does not take, and what does not fit to wait, is counted', () => {
  const { clock, socket, link } = datagrams({ queueBytes: 150 });
  socket.room = 1;
  assert.deepEqual(
    [1, 2, 3].map((i) => send(link, numberedFrame(i))),
    [true, true, false],
  );
  clock.runDeferred();
  assert.equal(link.statistics.sentFrames, 1);
  assert.deepEqual(link.statistics.drops.snapshot(), { 'queue-full': 2 });
  assert.equal(send(link, numberedFrame(4)), true, 'there is room again');
});

test('datagrams of QEMU are frames, one batch a batch; those of others are dropped', () => {
  const { socket, link, recorder } = datagrams();
  const two = concatBytes([numberedFrame(2, 60), numberedFrame(3, 60)]);
  socket.handler.receive?.([
    { data: numberedFrame(1), remote: qemu },
    { data: numberedFrame(9), remote: { ...qemu, port: 5 } },
    { data: numberedFrame(9), remote: { ...qemu, address: IpAddress.LOOPBACK4 } },
    { data: two, remote: qemu, segmentSize: 60 },
    { data: new Uint8Array(3), remote: qemu },
  ]);
  assert.deepEqual(recorder.numbers(), [1, 2, 3]);
  assert.deepEqual(recorder.batches, [3]);
  assert.deepEqual(link.statistics.drops.snapshot(), { 'too-short': 1, 'wrong-sender': 2 });
});

test('a datagram is as long as a frame may be, and no longer', () => {
  const { socket, link, recorder } = datagrams({ frameLength: 100 });
  socket.handler.receive?.([
    { data: numberedFrame(1, 101), remote: qemu },
    { data: numberedFrame(2, 100), remote: qemu },
  ]);
  assert.deepEqual(recorder.numbers(), [2]);
  assert.deepEqual(link.statistics.drops.snapshot(), { 'too-long': 1 });
});

test('an error of the socket does not end the link; closing does', async () => {
  const { clock, socket, link, recorder } = datagrams();
  socket.handler.error?.(new NetloomError('CONNECTION_REFUSED', 'nobody there'));
  assert.deepEqual(recorder.ends, []);
  assert.equal(link.statistics.drops.get('CONNECTION_REFUSED'), 1);
  send(link, numberedFrame(1));
  await link.close();
  clock.runDeferred();
  assert.deepEqual(recorder.ends, [undefined]);
  assert.deepEqual(socket.batches, [], 'what had not left is dropped');
  assert.equal(link.statistics.drops.get('link-down'), 1);
  assert.equal(send(link, numberedFrame(2)), false);
});
