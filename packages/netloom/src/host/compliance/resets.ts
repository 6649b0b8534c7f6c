import assert from 'node:assert/strict';
import type { Check } from './contract.ts';
import { PLENTY, goneWhenWritten, throwsWriteAfterEnd } from './scene.ts';

/** What the peer of an `abort` sees: a reset. */
export function checkResets(check: Check): void {
  checkAborts(check);
  checkPausedResets(check);
}

function checkAborts(check: Check): void {
  for (const first of ['client', 'server'] as const) {
    check(`the ${first} aborts: the other side sees a reset`, async (scene) => {
      const both = await scene.recorded();
      const [aborter, other] =
        first === 'client' ? [both.client, both.server] : [both.server, both.client];
      aborter.connection.abort();
      aborter.connection.abort();
      assert.equal((await aborter.gone())?.code, 'ABORTED');
      assert.equal((await other.gone())?.code, 'CONNECTION_RESET');
      assert.equal(other.ended, false);
    });
  }

  check('abort() before start: the handler is told when there is one', async (scene) => {
    const { client, server } = await scene.connected();
    client.abort();
    const recorder = scene.record(client);
    assert.equal((await recorder.gone())?.code, 'ABORTED');
    assert.equal((await scene.record(server).gone())?.code, 'CONNECTION_RESET');
  });

  for (const before of ['nothing', 'end', 'close'] as const) {
    check(`abort() after ${before} drops what a paused peer has not taken`, async (scene) => {
      const { client, server } = await scene.recorded();
      server.connection.pause();
      for (let i = 0; i < 4 * PLENTY; i += 65_536) client.write(new Uint8Array(65_536));
      if (before === 'end') client.connection.end();
      const closing = before === 'close' ? client.connection.close() : undefined;
      await scene.roundTrip();
      client.connection.abort();
      assert.equal((await client.gone())?.code, 'ABORTED');
      await closing;
      assert.equal(client.connection.bufferedAmount, 0);
      server.connection.resume();
      assert.equal((await server.gone())?.code, 'CONNECTION_RESET');
      assert.equal(server.ended, false);
    });
  }

  check('abort() right after end() still resets', async (scene) => {
    const { client, server } = await scene.recorded();
    client.connection.end();
    client.connection.abort();
    assert.equal((await client.gone())?.code, 'ABORTED');
    assert.equal((await goneWhenWritten(scene, server))?.code, 'CONNECTION_RESET');
  });

  check('a write when the peer has reset the connection answers false', async (scene) => {
    const { client, server } = await scene.recorded();
    client.connection.abort();
    await server.gone();
    assert.equal(server.write(new Uint8Array(1)), false);
    await server.connection.close();
    throwsWriteAfterEnd(() => server.write(new Uint8Array(1)));
  });
}

function checkPausedResets(check: Check): void {
  check('paused, and the peer resets: told by resume() at the latest', async (scene) => {
    const { client, server } = await scene.recorded();
    client.connection.pause();
    server.write(new Uint8Array(50_000));
    await scene.roundTrip();
    server.connection.abort();
    await scene.roundTrip();
    assert.deepEqual([client.length, client.ended], [0, false], 'paused is paused');
    client.connection.resume();
    assert.equal((await client.gone())?.code, 'CONNECTION_RESET');
    assert.equal(client.ended, false);
  });

  check('close() while paused settles when the peer has reset', async (scene) => {
    const { client, server } = await scene.recorded();
    client.connection.pause();
    server.connection.abort();
    await scene.roundTrip();
    await client.connection.close();
    assert.equal((await client.gone())?.code, 'CONNECTION_RESET');
  });
}
