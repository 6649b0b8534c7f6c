import assert from 'node:assert/strict';
import type { Check, Settings } from './contract.ts';
import { rejectsWith } from './scene.ts';

/** Clock, randomness, names, ping, and the end of the host itself. */
export function checkBasics(check: Check, settings: Settings): void {
  checkClock(check);
  checkNames(check, settings);
  checkPing(check, settings);
  checkHostClose(check);
}

function checkClock(check: Check): void {
  check('timers are called in the order of their deadlines, and never early', async (scene) => {
    const { clock } = scene.client;
    const called: string[] = [];
    const start = clock.now();
    const early: string[] = [];
    const timer = (name: string, after: number): void => {
      const deadline = start + after;
      clock
        .timer(() => {
          called.push(name);
          if (clock.now() < deadline) early.push(name);
        })
        .set(deadline);
    };
    timer('third', 7.25);
    timer('first', 1);
    timer('second', 2.5);
    const cleared = clock.timer(() => called.push('cleared'));
    cleared.set(start + 2);
    cleared.clear();
    await scene.pass(9);
    assert.deepEqual(called, ['first', 'second', 'third']);
    assert.deepEqual(early, []);
  });

  check('deferred calls come after the code that runs, in order', async (scene) => {
    const called: number[] = [];
    await new Promise<void>((resolve) => {
      scene.client.clock.defer(() => called.push(1));
      scene.client.clock.defer(() => called.push(2));
      scene.client.clock.defer(resolve);
      called.push(0);
    });
    assert.deepEqual(called, [0, 1, 2]);
  });

  check('randomness keeps to its bounds', async (scene) => {
    for (let i = 0; i < 100; i++) {
      const value = scene.client.random.below(7);
      assert.ok(Number.isInteger(value) && value >= 0 && value < 7);
    }
  });
}

function checkNames(check: Check, settings: Settings): void {
  check('an address as text resolves to itself', async (scene) => {
    for (const text of ['192.0.2.7', '2001:db8::7']) {
      assert.deepEqual((await scene.client.resolve(text)).map(String), [text]);
    }
  });

  check('an unknown name is NAME_NOT_FOUND, for resolve and for connect', async (scene) => {
    const name = 'no-such-name.invalid';
    await rejectsWith('NAME_NOT_FOUND', scene.client.resolve(name));
    await rejectsWith('NAME_NOT_FOUND', scene.client.connect({ host: name, port: 80 }));
  });

  check('resolving with a signal that is aborted is ABORTED', async (scene) => {
    const signal = AbortSignal.abort();
    await rejectsWith('ABORTED', scene.client.resolve('no-such-name.invalid', { signal }));
  });

  const unnamed = settings.serverName === undefined ? 'the pair names no server' : undefined;
  check(
    'a name resolves to addresses of the family asked for',
    async (scene) => {
      const name = scene.settings.serverName!;
      const all = await scene.client.resolve(name);
      assert.ok(all.length > 0);
      for (const family of new Set(all.map((address) => address.family))) {
        const found = await scene.client.resolve(name, { family });
        assert.ok(found.length > 0 && found.every((address) => address.family === family));
      }
    },
    unnamed,
  );
}

function checkPing(check: Check, settings: Settings): void {
  check(
    'ping is answered',
    async (scene) => {
      const target = scene.pair.serverAddress4;
      const reply = await scene.client.ping(target, { sequence: 7, size: 100, timeout: 5_000 });
      assert.ok(reply.from.equals(target));
      assert.equal(reply.sequence, 7);
      assert.equal(reply.size, 100);
      assert.ok(reply.roundTrip >= 0);
    },
    settings.skip?.ping,
  );

  check(
    'ping with a signal that is aborted is ABORTED',
    async (scene) => {
      const signal = AbortSignal.abort();
      await rejectsWith('ABORTED', scene.client.ping(scene.pair.serverAddress4, { signal }));
    },
    settings.skip?.ping,
  );
}

function checkHostClose(check: Check): void {
  check(
    'closing the host closes what it has open; then everything is HOST_CLOSED',
    async (scene) => {
      const { client, server } = await scene.recorded();
      const socket = await scene.client.bind();
      let socketClosed = 0;
      socket.start({ closed: () => socketClosed++ });
      void server.until(() => server.ended).then(() => server.connection.end());
      await scene.client.close();
      await scene.client.close();
      await client.gone();
      await server.gone();
      assert.equal(socketClosed, 1);
      const host = scene.pair.serverAddress4;
      await rejectsWith('HOST_CLOSED', scene.client.connect({ host, port: 80 }));
      await rejectsWith('HOST_CLOSED', scene.client.bind());
      await rejectsWith('HOST_CLOSED', scene.client.listen({ port: 0, accept: () => undefined }));
      await rejectsWith('HOST_CLOSED', scene.client.resolve('localhost'));
    },
  );
}
