import assert from 'node:assert/strict';
import { NetloomError } from '../../core/index.ts';
import type { Check } from './contract.ts';
import { Pattern, send } from './recorder.ts';
import { PLENTY, goneWhenWritten, throwsWriteAfterEnd } from './scene.ts';

/** The three ways to end: `end`, `close`, `abort`. */
export function checkClosing(check: Check): void {
  checkEnd(check);
  checkClose(check);
  checkAbort(check);
  checkWriteAfterEnd(check);
}

function checkEnd(check: Check): void {
  for (const first of ['client', 'server'] as const) {
    check(`half-close: the ${first} ends first, the other side answers after it`, async (scene) => {
      const both = await scene.recorded();
      const [ender, answerer] =
        first === 'client' ? [both.client, both.server] : [both.server, both.client];
      ender.write(new Uint8Array(10));
      ender.connection.end();
      await answerer.until(() => answerer.ended);
      assert.equal(answerer.length, 10);
      const pattern = new Pattern();
      await send(answerer, pattern, 1_000_000);
      assert.equal(ender.ended, false);
      answerer.connection.end();
      assert.deepEqual(await Promise.all([ender.gone(), answerer.gone()]), [undefined, undefined]);
      assert.ok(ender.ended);
      assert.equal(ender.digest(), pattern.digest());
    });
  }

  check('end() sends everything that was written', async (scene) => {
    const { client, server } = await scene.recorded();
    const pattern = new Pattern();
    for (let i = 0; i < PLENTY; i += 65_536) client.write(pattern.take(65_536));
    client.connection.end();
    client.connection.end();
    await server.until(() => server.ended);
    assert.equal(server.digest(), pattern.digest());
    assert.equal(client.connection.bufferedAmount, 0);
  });

  check('both ends at the same time', async (scene) => {
    const { client, server } = await scene.recorded();
    client.connection.end();
    server.connection.end();
    assert.deepEqual(await Promise.all([client.gone(), server.gone()]), [undefined, undefined]);
  });
}

function checkClose(check: Check): void {
  check(
    'close() sends everything that was written, and waits for the peer’s end',
    async (scene) => {
      const { client, server } = await scene.recorded();
      const pattern = new Pattern();
      for (let i = 0; i < PLENTY; i += 65_536) client.write(pattern.take(65_536));
      const closing = client.connection.close();
      await server.until(() => server.ended);
      assert.equal(client.closings, 0, 'the peer has not ended');
      server.connection.end();
      await closing;
      assert.equal(await client.gone(), undefined);
      assert.equal(await server.gone(), undefined);
      assert.equal(server.digest(), pattern.digest());
    },
  );

  check('close() is idempotent, also when all is over', async (scene) => {
    const { client, server } = await scene.recorded();
    await Promise.all([
      client.connection.close(),
      client.connection.close(),
      server.connection[Symbol.asyncDispose](),
    ]);
    await client.connection.close();
    client.connection.end();
    client.connection.abort();
    await client.connection[Symbol.asyncDispose]();
    assert.equal(client.closings, 1);
    assert.equal(client.error, undefined);
  });

  check('close() before start settles', async (scene) => {
    const { client, server } = await scene.connected();
    await Promise.all([client.close(), server.close()]);
  });

  check('close() discards what still comes', async (scene) => {
    const { client, server } = await scene.recorded();
    const closing = client.connection.close();
    for (let i = 0; i < 100; i++) server.write(new Uint8Array(10_000));
    server.connection.end();
    await closing;
    assert.equal(await server.gone(), undefined);
    assert.equal(client.length, 0);
  });

  check('close() while paused settles', async (scene) => {
    const { client, server } = await scene.recorded();
    client.connection.pause();
    server.write(new Uint8Array(300_000));
    server.connection.end();
    await client.connection.close();
    assert.deepEqual(await Promise.all([client.gone(), server.gone()]), [undefined, undefined]);
  });

  check('close() gives up on a peer that does not end', async (scene) => {
    const { client, server } = await scene.recorded();
    await client.connection.close();
    assert.equal((await client.gone())?.code, 'TIMEOUT');
    assert.equal((await goneWhenWritten(scene, server))?.code, 'CONNECTION_RESET');
  });
}

function checkAbort(check: Check): void {
  check('abort(error) gives the handler that error', async (scene) => {
    const { client } = await scene.recorded();
    const error = new NetloomError('TEST_REASON', 'as the test likes');
    client.connection.abort(error);
    assert.equal(await client.gone(), error);
  });

  check('abort() settles close()', async (scene) => {
    const { client } = await scene.recorded();
    const closing = client.connection.close();
    client.connection.abort();
    await closing;
    assert.equal((await client.gone())?.code, 'ABORTED');
    await client.connection.close();
  });
}

function checkWriteAfterEnd(check: Check): void {
  for (const verb of ['end', 'close', 'abort'] as const) {
    check(`a write after ${verb}() throws WRITE_AFTER_END`, async (scene) => {
      const { client, server } = await scene.recorded();
      void client.connection[verb]();
      throwsWriteAfterEnd(() => client.write(new Uint8Array(1)));
      server.connection.end();
      await client.gone();
      throwsWriteAfterEnd(() => client.write(new Uint8Array(1)));
    });
  }
}
