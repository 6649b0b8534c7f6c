import assert from 'node:assert/strict';
import type { Check, Settings } from './contract.ts';
import { Pattern, type Recorder } from './recorder.ts';
import type { Scene } from './scene.ts';

const CHUNK = 16 * 1024;

/** What a sender may have waiting on its hands, when it minds what `write` answers. */
const MOST_BUFFERED = 4 * 1024 * 1024;

/** A reader that does not read makes, in the end, the peer's writer wait. */
export function checkBackPressure(check: Check, settings: Settings): void {
  for (const [from, to] of [
    ['client', 'server'],
    ['server', 'client'],
  ] as const) {
    check(`a paused ${to} holds the ${from} up; resumed, it gets everything`, async (scene) => {
      const both = await scene.recorded();
      const [sender, receiver] = [both[from], both[to]];
      receiver.connection.pause();
      const sending = new Sending(sender, settings.stallSize);
      await standstill(scene, sending);
      assert.ok(sending.waits, 'write() answered false, and drain() did not come');
      assert.ok(sending.sent < settings.stallSize, `all ${sending.sent} bytes were taken`);
      assert.equal(receiver.length, 0);
      receiver.connection.resume();
      await sending.done;
      sender.connection.end();
      await receiver.until(() => receiver.ended);
      assert.equal(receiver.length, settings.stallSize);
      assert.equal(receiver.digest(), sending.pattern.digest());
      assert.ok(sender.drains > 0);
      assert.ok(sending.mostBuffered <= MOST_BUFFERED, `${sending.mostBuffered} were buffered`);
    });
  }

  check('a reader that pauses on the way holds the sender up as well', async (scene) => {
    const { client, server } = await scene.recorded();
    const mark = Math.min(1_000_000, Math.floor(settings.stallSize / 8));
    server.onData = () => {
      if (server.length >= mark) server.connection.pause();
    };
    const sending = new Sending(client, settings.stallSize);
    await server.until(() => server.length >= mark);
    await standstill(scene, sending);
    assert.ok(sending.waits);
    assert.ok(sending.sent < settings.stallSize, `all ${sending.sent} bytes were taken`);
    const before = server.length;
    await scene.roundTrip();
    assert.equal(server.length, before, 'paused is paused');
    server.onData = undefined;
    server.connection.resume();
    await sending.done;
    client.connection.end();
    await server.until(() => server.ended);
    assert.equal(server.digest(), sending.pattern.digest());
  });

  check('drain() comes once there is room again, and not within write()', async (scene) => {
    const { client, server } = await scene.recorded();
    server.connection.pause();
    while (client.write(new Uint8Array(CHUNK)));
    assert.equal(client.drains, 0);
    assert.ok(client.connection.bufferedAmount > 0);
    server.connection.resume();
    await client.until(() => client.drains === 1);
    assert.ok(client.connection.bufferedAmount < MOST_BUFFERED);
    assert.equal(client.write(new Uint8Array(1)), true);
  });
}

/** Settles when the sender has not come forward for a while of the hosts' clock. */
async function standstill(scene: Scene, sending: Sending): Promise<void> {
  let before = -1;
  while (before !== sending.sent) {
    before = sending.sent;
    await scene.pass(scene.settings.quiet);
  }
}

/** Sends as fast as it may, and tells how it gets on. */
class Sending {
  readonly pattern = new Pattern();
  readonly done: Promise<void>;
  sent = 0;
  mostBuffered = 0;
  /** `write` answered false, and `drain` has not been called since. */
  waits = false;
  readonly #recorder: Recorder;
  readonly #total: number;

  constructor(recorder: Recorder, total: number) {
    this.#recorder = recorder;
    this.#total = total;
    this.done = this.#run();
  }

  async #run(): Promise<void> {
    const recorder = this.#recorder;
    while (this.sent < this.#total) {
      const size = Math.min(CHUNK, this.#total - this.sent);
      const drains = recorder.drains;
      this.waits = !recorder.write(this.pattern.take(size));
      this.sent += size;
      this.mostBuffered = Math.max(this.mostBuffered, recorder.connection.bufferedAmount);
      if (this.waits) await recorder.until(() => recorder.drains > drains);
    }
  }
}
