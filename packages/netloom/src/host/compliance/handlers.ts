import assert from 'node:assert/strict';
import type { Connection, ConnectionHandler, NetloomError } from '../../core/index.ts';
import type { Check } from './contract.ts';
import { Pattern, echo, type Recorder } from './recorder.ts';
import type { Scene } from './scene.ts';

/** What a handler may do while it is called: anything. */
export function checkHandlers(check: Check): void {
  checkEndingFromWithin(check);
  checkThrowing(check);
  checkReplacing(check);
  checkPausing(check);
}

/** The calls of a handler besides `closed`. */
const CALLS = ['data', 'end', 'drain'] as const;

/**
 * Makes the server's handler be called with `call`, and does `act` in it. Answers what its `closed` was given, and the
 * client's recorder.
 */
async function actWithin(
  scene: Scene,
  call: (typeof CALLS)[number],
  act: (connection: Connection) => void,
): Promise<{ error: NetloomError | undefined; after: string[]; client: Recorder }> {
  const { client, server } = await scene.connected();
  const gone = Promise.withResolvers<NetloomError | undefined>();
  const after: string[] = [];
  let hasActed = false;
  const called = (name: string): void => {
    if (hasActed) after.push(name);
    if (name !== call || hasActed) return;
    hasActed = true;
    act(server);
  };
  server.start({
    data: () => called('data'),
    end: () => called('end'),
    drain: () => called('drain'),
    closed(error) {
      called('closed');
      gone.resolve(error);
    },
  });
  const recorder = scene.record(client);
  if (call === 'drain') fill(server);
  if (call === 'data') recorder.write(new Uint8Array(100));
  if (call === 'end') client.end();
  // Whoever closes waits for the other's end.
  void recorder
    .until(() => recorder.ended)
    .then(
      () => client.end(),
      () => undefined,
    );
  return { error: await gone.promise, after, client: recorder };
}

/** Writes until there is no more room. */
function fill(connection: Connection): void {
  while (connection.write(new Uint8Array(65_536)));
}

function checkEndingFromWithin(check: Check): void {
  for (const call of CALLS) {
    check(`close() within ${call}()`, async (scene) => {
      const { error, after } = await actWithin(scene, call, (connection) => {
        void connection.close();
      });
      assert.equal(error, undefined);
      assert.deepEqual(after, ['closed']);
    });

    check(`abort() within ${call}()`, async (scene) => {
      const { error, after, client } = await actWithin(scene, call, (connection) => {
        connection.abort();
      });
      assert.equal(error?.code, 'ABORTED');
      assert.deepEqual(after, ['closed']);
      assert.equal((await client.gone())?.code, 'CONNECTION_RESET');
    });
  }

  check('close(), end() and abort() within closed()', async (scene) => {
    const { client, server } = await scene.connected();
    let closings = 0;
    const gone = Promise.withResolvers<void>();
    client.start({
      closed() {
        closings++;
        client.end();
        client.abort();
        client.pause();
        client.resume();
        void client.close().then(gone.resolve);
      },
    });
    server.start({ end: () => server.end() });
    client.end();
    await gone.promise;
    assert.equal(closings, 1);
  });
}

function checkThrowing(check: Check): void {
  for (const call of CALLS) {
    check(`a handler that throws in ${call}() ends its connection only`, async (scene) => {
      const other = scene.record(await scene.connect(await scene.listen(echo)));
      const thrown = new Error('a defect of the handler');
      const { error, after, client } = await actWithin(scene, call, () => {
        throw thrown;
      });
      assert.equal(error?.code, 'HANDLER_THREW');
      assert.equal(error.cause, thrown);
      assert.deepEqual(after, ['closed']);
      assert.equal((await client.gone())?.code, 'CONNECTION_RESET');
      other.write(new Uint8Array(100));
      await other.until(() => other.length === 100);
    });
  }

  check('a handler that throws in closed() harms nobody', async (scene) => {
    const { client, server } = await scene.connected();
    client.start({
      closed() {
        throw new Error('a defect of the handler');
      },
    });
    const receiver = scene.record(server);
    const closing = client.close();
    await receiver.until(() => receiver.ended);
    server.end();
    await closing;
    await scene.roundTrip();
  });
}

function checkReplacing(check: Check): void {
  check('a second start() puts another handler in place', async (scene) => {
    const { client, server } = await scene.connected();
    const told: string[] = [];
    const gone = Promise.withResolvers<void>();
    const handler = (name: string, more: ConnectionHandler = {}): ConnectionHandler => ({
      end: () => told.push(`${name} end`),
      closed: () => told.push(`${name} closed`),
      ...more,
    });
    const second = handler('second', {
      data: (chunk) => {
        told.push(`second data ${chunk[0]}`);
        server.end();
      },
      closed: () => {
        told.push('second closed');
        gone.resolve();
      },
    });
    server.start(
      handler('first', {
        data: (chunk) => {
          told.push(`first data ${chunk[0]}`);
          server.start(second);
          server.write(new Uint8Array(1));
        },
      }),
    );
    const sender = scene.record(client);
    sender.write(new Uint8Array([1]));
    await sender.until(() => sender.length === 1);
    sender.write(new Uint8Array([2]));
    client.end();
    await gone.promise;
    assert.deepEqual(told, ['first data 1', 'second data 2', 'second end', 'second closed']);
  });

  check('start() after the peer has sent all and ended tells all of it', async (scene) => {
    const { client, server } = await scene.connected();
    client.write(new Uint8Array(1_000));
    client.end();
    await scene.roundTrip();
    const receiver = scene.record(server);
    await receiver.until(() => receiver.ended);
    assert.equal(receiver.length, 1_000);
    server.end();
    assert.equal(await receiver.gone(), undefined);
  });

  check('methods without a handler’s method do no harm', async (scene) => {
    const { client, server } = await scene.connected();
    server.start({});
    const sender = scene.record(client);
    sender.write(new Uint8Array(100));
    const closing = client.close();
    await scene.roundTrip();
    await server.close();
    await closing;
    assert.equal(await sender.gone(), undefined);
  });
}

function checkPausing(check: Check): void {
  check('pause() within data(): no data until resume(), and then the same', async (scene) => {
    const { client, server } = await scene.recorded();
    const total = 1_000_000;
    const pattern = new Pattern();
    let isPaused = false;
    let whilePaused = 0;
    server.onData = () => {
      if (isPaused) whilePaused++;
      if (server.length === total) return;
      isPaused = true;
      server.connection.pause();
      scene.server.clock.defer(() => {
        // Resumed, paused and resumed: the last call decides.
        server.connection.resume();
        server.connection.pause();
        scene.server.clock.defer(() => {
          isPaused = false;
          server.connection.resume();
        });
      });
    };
    for (let i = 0; i < total; i += 10_000) client.write(pattern.take(10_000));
    await server.until(() => server.length === total);
    assert.equal(whilePaused, 0);
    assert.equal(server.digest(), pattern.digest());
  });

  check(
    'resume() does not call the handler before it returns; what was kept is unharmed',
    async (scene) => {
      const { client, server } = await scene.recorded();
      server.connection.pause();
      const pattern = new Pattern();
      client.write(pattern.take(100_000));
      // Others receive meanwhile: what is kept for this one must not be what is borrowed by them.
      await scene.roundTrip();
      server.connection.resume();
      assert.equal(server.length, 0);
      server.connection.pause();
      server.connection.resume();
      assert.equal(server.length, 0);
      await server.until(() => server.length === 100_000);
      assert.equal(server.digest(), pattern.digest());
    },
  );
}
