import assert from 'node:assert/strict';
import type { Check } from './contract.ts';
import { Pattern } from './recorder.ts';

/** What a connection does while it is paused, and when it is not started yet, which is the same. */
export function checkPaused(check: Check): void {
  check('start() calls nothing before it returns; pause() before it holds', async (scene) => {
    const { client, server } = await scene.connected();
    client.write(new Uint8Array(1_000));
    client.end();
    await scene.roundTrip();
    server.pause();
    const receiver = scene.record(server);
    assert.equal(receiver.length, 0);
    await scene.roundTrip();
    assert.deepEqual([receiver.length, receiver.ended], [0, false]);
    server.resume();
    await receiver.until(() => receiver.ended);
    assert.equal(receiver.length, 1_000);
  });

  check('end() while paused: the end goes out, what came waits for resume()', async (scene) => {
    const { client, server } = await scene.recorded();
    client.connection.pause();
    const pattern = new Pattern();
    server.write(pattern.take(50_000));
    client.write(new Uint8Array(10));
    client.connection.end();
    await server.until(() => server.ended);
    assert.equal(server.length, 10);
    // Both sides have ended now, and still the reader is owed its bytes.
    server.connection.end();
    await scene.roundTrip();
    assert.deepEqual([client.length, client.ended, client.closings], [0, false, 0]);
    client.connection.resume();
    assert.equal(await client.gone(), undefined);
    assert.ok(client.ended);
    assert.equal(client.digest(), pattern.digest());
    assert.equal(await server.gone(), undefined);
  });
}
