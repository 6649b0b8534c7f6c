/**
 * A protocol of one's own, tested on a line that loses, doubles and reorders: a sender repeats each number until it is
 * acknowledged. A seed decides what the line does: a failure is there again with the same seed.
 *
 *     npm test -- examples/under-loss.test.ts
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copyBytes, type Host, type SocketAddress } from 'netloom/core';
import { simWorld } from 'netloom/host';

/** Sends the numbers, one at a time; settles when the last is acknowledged. */
async function sendAll(host: Host, remote: SocketAddress, numbers: Uint8Array): Promise<void> {
  const socket = await host.bind();
  let at = 0;
  const done = Promise.withResolvers<void>();
  const timer = host.clock.timer(() => send());
  const send = (): void => {
    socket.send([{ data: Uint8Array.of(numbers[at]!), remote }]);
    timer.set(host.clock.now() + 300);
  };
  socket.start({
    receive(batch) {
      for (const { data } of batch) if (data[0] === numbers[at]) at++;
      if (at < numbers.length) send();
      else done.resolve();
    },
  });
  send();
  await done.promise;
  timer.clear();
}

/** Acknowledges every number, and takes each once. */
async function receiveInto(host: Host, taken: number[]): Promise<void> {
  const socket = await host.bind({ port: 7 });
  socket.start({
    receive(batch) {
      for (const { data, remote } of batch) {
        if (taken.at(-1) !== data[0]) taken.push(data[0]!);
        socket.send([{ data: copyBytes(data), remote }]);
      }
    },
  });
}

for (const seed of [1, 2, 3]) {
  test(`all numbers arrive, in order, with seed ${seed}`, async () => {
    const world = simWorld({ seed });
    const line = world.network('line', { delay: 40, jitter: 20, loss: 0.2, duplicate: 0.05 });
    const sender = world.machine('sender', { on: line });
    const receiver = world.machine('receiver', { on: line });
    const numbers = Uint8Array.from({ length: 100 }, (_, i) => i);
    const taken: number[] = [];
    await world.run(receiveInto(receiver, taken));
    await world.run(sendAll(sender, { address: receiver.address, port: 7 }, numbers));
    assert.deepEqual(taken, [...numbers]);
  });
}
