import assert from 'node:assert/strict';
import { seededRandom } from '../../core/index.ts';
import type { Check, Settings } from './contract.ts';
import { Pattern, echo, send } from './recorder.ts';

/** Bytes on their way: all of them, in order, whatever the sizes of the writes. */
export function checkStreams(check: Check, settings: Settings): void {
  const size = settings.transferSize;

  check('what is sent comes back', async (scene) => {
    const listener = await scene.listen(echo);
    const client = scene.record(await scene.connect(listener));
    const pattern = new Pattern();
    await send(client, pattern, 1_000_000, 7_001);
    client.connection.end();
    assert.equal(await client.gone(), undefined);
    assert.ok(client.ended);
    assert.equal(client.digest(), pattern.digest());
  });

  check(`${size} bytes from client to server, compared by hash`, async (scene) => {
    const { client, server } = await scene.recorded();
    const pattern = new Pattern();
    await send(client, pattern, size, 64 * 1024);
    client.connection.end();
    await server.until(() => server.ended);
    assert.equal(server.length, size);
    assert.equal(server.digest(), pattern.digest());
  });

  check(`${size} bytes from server to client, compared by hash`, async (scene) => {
    const { client, server } = await scene.recorded();
    const pattern = new Pattern();
    await send(server, pattern, size, 64 * 1024);
    server.connection.end();
    await client.until(() => client.ended);
    assert.equal(client.length, size);
    assert.equal(client.digest(), pattern.digest());
  });

  check('both ways at once', async (scene) => {
    const { client, server } = await scene.recorded();
    const [there, back] = [new Pattern(), new Pattern()];
    back.take(12_345);
    const skipped = new Pattern();
    skipped.take(12_345);
    await Promise.all([send(client, there, 4_000_000), send(server, skipped, 4_000_000)]);
    client.connection.end();
    server.connection.end();
    assert.deepEqual(await Promise.all([client.gone(), server.gone()]), [undefined, undefined]);
    assert.equal(server.digest(), there.digest());
    assert.equal(client.length, 4_000_000);
  });

  check('10,000 tiny writes, 1 to 7 bytes each, arrive in order', async (scene) => {
    const { client, server } = await scene.recorded();
    const pattern = new Pattern();
    const random = seededRandom(7);
    for (let i = 0; i < 10_000; i++) client.write(pattern.take(1 + random.below(7)));
    client.connection.end();
    await server.until(() => server.ended);
    assert.equal(server.digest(), pattern.digest());
  });

  check('writes of all sizes, corked and not, arrive in order', async (scene) => {
    const { client, server } = await scene.recorded();
    const pattern = new Pattern();
    const random = seededRandom(8);
    for (let i = 0; i < 300; i++) {
      const isCorked = random.below(3) === 0;
      if (isCorked) client.connection.cork();
      const sizes = [1, 100, 5_000, 70_000, 0];
      await send(client, pattern, sizes[random.below(5)]!, 70_000);
      client.write(pattern.take(random.below(50)));
      if (isCorked) client.connection.uncork();
    }
    client.connection.end();
    await server.until(() => server.ended);
    assert.equal(server.digest(), pattern.digest());
  });

  check('what was corked leaves with uncork, with end and with close', async (scene) => {
    for (const release of ['uncork', 'end', 'close'] as const) {
      const { client, server } = await scene.recorded();
      client.connection.cork();
      client.write(new Uint8Array(10));
      client.write(new Uint8Array(20));
      void client.connection[release]();
      await server.until(() => server.length === 30);
      server.connection.end();
      client.connection.end();
      await server.gone();
    }
  });

  check('a write of no bytes does nothing', async (scene) => {
    const { client, server } = await scene.recorded();
    assert.equal(client.write(new Uint8Array(0)), true);
    assert.equal(client.connection.bufferedAmount, 0);
    client.write(new Uint8Array([1]));
    client.write(new Uint8Array(0));
    client.connection.end();
    await server.until(() => server.ended);
    assert.equal(server.length, 1);
  });

  check('what comes before start is kept and delivered', async (scene) => {
    const { client, server } = await scene.connected();
    const sender = scene.record(client);
    const pattern = new Pattern();
    const sending = send(sender, pattern, 2_000_000);
    await scene.roundTrip();
    const receiver = scene.record(server);
    await sending;
    client.end();
    await receiver.until(() => receiver.ended);
    assert.equal(receiver.digest(), pattern.digest());
  });

  check('what is written before start is sent', async (scene) => {
    const { client, server } = await scene.connected();
    client.write(new Uint8Array(100));
    const receiver = scene.record(server);
    await receiver.until(() => receiver.length === 100);
  });

  check('delay and keep-alive can be set at any time', async (scene) => {
    const { client, server } = await scene.recorded();
    for (const idle of [undefined, 500, 60_000, undefined]) {
      client.connection.setKeepAlive(idle);
      client.connection.setNoDelay(idle === undefined);
      client.write(new Uint8Array(1));
    }
    await server.until(() => server.length === 4);
    client.connection.abort();
    await client.gone();
    client.connection.setKeepAlive(1_000);
    client.connection.setNoDelay(true);
  });
}
