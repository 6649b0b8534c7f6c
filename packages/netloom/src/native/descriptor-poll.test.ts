import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress } from '../core/index.ts';
import { requires } from '../../test/requires.ts';
import { StreamSocket } from './stream-socket.ts';
import { DescriptorPoll, Readiness, Failure, nativeAvailable } from './index.ts';

const options = { skip: requires(nativeAvailable() ?? false) };

/** Two ends of a connection over loopback, and what closes both. */
class Pair implements Disposable {
  readonly near: StreamSocket;
  readonly far: StreamSocket;

  constructor() {
    using listener = StreamSocket.open(4);
    listener.listen({ address: IpAddress.LOOPBACK4, port: 0 }, 1);
    this.near = StreamSocket.open(4);
    this.near.connect(listener.local);
    const accepted = listener.accept();
    assert.ok(typeof accepted !== 'number');
    this.far = accepted.socket;
    assert.deepEqual(accepted.remote, this.near.local);
  }

  [Symbol.dispose](): void {
    this.near.close();
    this.far.close();
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Turns of the loop until something is so. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

test(
  'each edge is told of once, and what is there when a descriptor is put in',
  options,
  async () => {
    using pair = new Pair();
    pair.far.send(new Uint8Array(100));
    const told: number[] = [];
    const entry = DescriptorPoll.shared.add(pair.near.descriptor, {
      ready: (events) => told.push(events),
    });
    await until(() => told.some((events) => events & Readiness.READABLE));
    const before = told.length;
    for (let i = 0; i < 10; i++) await turn();
    assert.equal(told.length, before, 'what stays so is not told of again');
    assert.equal(pair.near.receive(new Uint8Array(200)), 100);
    assert.equal(pair.near.receive(new Uint8Array(200)), Failure.WOULD_BLOCK);
    pair.far.sendEnd();
    await until(() => told.some((events) => events & Readiness.READ_HANG_UP));
    assert.equal(pair.near.receive(new Uint8Array(200)), 0);
    DescriptorPoll.shared.remove(entry);
  },
);

test(
  'one that is removed is told nothing, also of what had happened by then',
  options,
  async () => {
    using one = new Pair();
    using two = new Pair();
    const told: string[] = [];
    const poll = DescriptorPoll.shared;
    // Whichever is told first removes the other; both have something to be read at once.
    const entries = [one, two].map((pair, index) =>
      poll.add(pair.near.descriptor, {
        ready(events) {
          if (!(events & Readiness.READABLE)) return;
          told.push(`${index}`);
          poll.remove(entries[1 - index]!);
        },
      }),
    );
    await turn();
    one.far.send(new Uint8Array(100));
    two.far.send(new Uint8Array(100));
    await until(() => told.length > 0);
    for (let i = 0; i < 10; i++) await turn();
    assert.equal(told.length, 1);
    for (const entry of entries) poll.remove(entry);
  },
);

test(
  'a target may be exchanged, and one that throws takes nothing from the others',
  options,
  async () => {
    using one = new Pair();
    using two = new Pair();
    const poll = DescriptorPoll.shared;
    const thrown: unknown[] = [];
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => thrown.push(error));
    try {
      const defect = new Error('a defect');
      let heard = 0;
      const first = poll.add(one.near.descriptor, { ready: () => assert.fail('exchanged') });
      first.target = {
        ready() {
          throw defect;
        },
      };
      const second = poll.add(two.near.descriptor, { ready: () => heard++ });
      await until(() => thrown.length > 0 && heard > 0);
      assert.equal(thrown[0], defect);
      poll.remove(first);
      poll.remove(second);
    } finally {
      process.removeAllListeners('uncaughtException');
      for (const listener of listeners) process.on('uncaughtException', listener);
    }
  },
);

test('a connection that was reset says so once', options, async () => {
  using pair = new Pair();
  pair.far.reset();
  assert.equal(pair.near.takeError(), 104);
  assert.equal(pair.near.takeError(), 0);
  assert.ok(pair.near.send(new Uint8Array(100)) < 0);
});
