import assert from 'node:assert/strict';
import { IpAddress, copyBytes, type Connection, type NetloomError } from '../../core/index.ts';
import type { Check, Settings } from './contract.ts';
import { Pattern, echo, send } from './recorder.ts';
import { rejectsWith, type Scene } from './scene.ts';

/** Listening, connecting, and all the ways in which that fails. */
export function checkOpening(check: Check, settings: Settings): void {
  checkAddresses(check, settings);
  checkFailures(check);
  checkGivingUp(check);
  checkListeners(check);
  checkMany(check, settings);
}

function checkAddresses(check: Check, settings: Settings): void {
  check('both ends know both addresses', async (scene) => {
    const { client, server, listener } = await scene.connected();
    assert.ok(listener.local.port > 0, 'a port was chosen');
    assert.ok(listener.local.address.equals(scene.pair.serverAddress4));
    assert.deepEqual(String(client.remote.address), String(scene.pair.serverAddress4));
    assert.equal(client.remote.port, listener.local.port);
    assert.deepEqual(String(server.local.address), String(client.remote.address));
    assert.equal(server.local.port, client.remote.port);
    assert.deepEqual(String(server.remote.address), String(client.local.address));
    assert.equal(server.remote.port, client.local.port);
  });

  check(
    'without an address a listener takes IPv4 and IPv6, and shows each as it is',
    async (scene) => {
      const { serverAddress4, serverAddress6 } = scene.pair;
      const accepted: Connection[] = [];
      const listener = await scene.server.listen({
        port: 0,
        accept(connection) {
          accepted.push(connection);
          echo(connection);
        },
      });
      for (const address of [serverAddress4, serverAddress6]) {
        if (address === undefined) continue;
        const client = scene.record(await scene.connect(listener, { host: address }));
        client.write(new Uint8Array(1));
        await client.until(() => client.length === 1);
        const server = accepted.pop()!;
        assert.equal(String(server.local.address), String(address));
        assert.equal(String(server.remote.address), String(client.connection.local.address));
      }
    },
  );

  check('IPv6 carries data', async (scene, test) => {
    const address = scene.pair.serverAddress6;
    if (address === undefined) return test.skip('the pair has no IPv6');
    const listener = await scene.listen(echo, { address });
    const client = scene.record(await scene.connect(listener, { host: address }));
    assert.ok(client.connection.remote.address.equals(address));
    const pattern = new Pattern();
    await send(client, pattern, 300_000);
    client.connection.end();
    assert.equal(await client.gone(), undefined);
    assert.equal(client.digest(), pattern.digest());
  });

  check('an address given as text is connected to', async (scene) => {
    const listener = await scene.listen(echo);
    const connection = await scene.connect(listener, { host: String(scene.pair.serverAddress4) });
    assert.ok(connection.remote.address.equals(scene.pair.serverAddress4));
  });

  const unnamed = settings.serverName === undefined ? 'the pair names no server' : undefined;
  check(
    'a name is connected to',
    async (scene) => {
      const listener = await scene.server.listen({ port: 0, accept: echo });
      const client = scene.record(await scene.connect(listener, { host: settings.serverName! }));
      client.write(new Uint8Array(3));
      await client.until(() => client.length === 3);
    },
    unnamed,
  );

  check('the local address can be chosen', async (scene) => {
    const listener = await scene.listen(echo);
    const { local } = await scene.connect(listener);
    const chosen = await scene.connect(listener, { local: { address: local.address } });
    assert.ok(chosen.local.address.equals(local.address));
    assert.notEqual(chosen.local.port, local.port);
  });
}

/** A port of the server's on which nobody listens. */
async function freePort(scene: Scene): Promise<number> {
  const listener = await scene.listen(echo);
  await listener.close();
  return listener.local.port;
}

function checkFailures(check: Check): void {
  check('nobody listens: CONNECTION_REFUSED', async (scene) => {
    const port = await freePort(scene);
    const host = scene.pair.serverAddress4;
    const error = await rejectsWith('CONNECTION_REFUSED', scene.client.connect({ host, port }));
    assert.match(error.message, new RegExp(`${String(host)}:${port}`), 'it says where');
    assert.ok(error.remedy);
  });

  check('a port that is none: PORT_INVALID', async (scene) => {
    const host = scene.pair.serverAddress4;
    for (const port of [0, -1, 65_536, 1.5, NaN]) {
      await rejectsWith('PORT_INVALID', scene.client.connect({ host, port }));
    }
    await rejectsWith('PORT_INVALID', scene.server.listen({ port: 65_536, accept: echo }));
    await rejectsWith('PORT_INVALID', scene.server.bind({ port: 65_536 }));
  });

  check('an address that is not the host’s: ADDRESS_NOT_AVAILABLE', async (scene) => {
    // 203.0.113.0/24 is for documentation (RFC 5737): no host has it.
    const address = IpAddress.parse('203.0.113.77');
    await rejectsWith('ADDRESS_NOT_AVAILABLE', scene.listen(echo, { address }));
    await rejectsWith('ADDRESS_NOT_AVAILABLE', scene.server.bind({ address }));
    const listener = await scene.listen(echo);
    await rejectsWith('ADDRESS_NOT_AVAILABLE', scene.connect(listener, { local: { address } }));
  });

  check('a port that is taken: ADDRESS_IN_USE', async (scene) => {
    const listener = await scene.listen(echo);
    const { port } = listener.local;
    await rejectsWith('ADDRESS_IN_USE', scene.listen(echo, { port }));
    await listener.close();
    const again = await scene.listen(echo, { port });
    assert.equal(again.local.port, port, 'after close it is free');
  });
}

function checkGivingUp(check: Check): void {
  check('nobody answers: TIMEOUT', async (scene, test) => {
    const { blackhole } = scene.pair;
    if (blackhole === undefined) return test.skip('the pair has no blackhole');
    const { address, port } = blackhole;
    await rejectsWith('TIMEOUT', scene.client.connect({ host: address, port, timeout: 300 }));
  });

  check('aborted while connecting: ABORTED, with the signal’s reason', async (scene, test) => {
    const { blackhole } = scene.pair;
    if (blackhole === undefined) return test.skip('the pair has no blackhole');
    const { address, port } = blackhole;
    const controller = new AbortController();
    const reason = new Error('changed my mind');
    const { signal } = controller;
    const connecting = scene.client.connect({ host: address, port, signal });
    scene.client.clock.defer(() => controller.abort(reason));
    const error = await rejectsWith('ABORTED', connecting);
    assert.equal(error.cause, reason);
  });

  check('a signal aborted before: ABORTED, and nothing is opened', async (scene) => {
    let accepted = 0;
    const signal = AbortSignal.abort();
    const listener = await scene.listen(() => accepted++);
    await rejectsWith('ABORTED', scene.connect(listener, { signal }));
    await rejectsWith('ABORTED', scene.listen(echo, { signal }));
    await rejectsWith('ABORTED', scene.client.bind({ signal }));
    assert.equal(accepted, 0);
  });
}

function checkListeners(check: Check): void {
  check('a closed listener accepts no more; what it accepted lives on', async (scene) => {
    const accepted = Promise.withResolvers<void>();
    const listener = await scene.listen((connection) => {
      echo(connection);
      accepted.resolve();
    });
    const client = scene.record(await scene.connect(listener));
    await accepted.promise;
    await listener.close();
    await listener.close();
    await listener[Symbol.asyncDispose]();
    await rejectsWith('CONNECTION_REFUSED', scene.connect(listener));
    client.write(new Uint8Array(5));
    await client.until(() => client.length === 5);
    client.connection.end();
    assert.equal(await client.gone(), undefined);
  });

  check('an accept() that throws ends its connection; the listener goes on', async (scene) => {
    let calls = 0;
    const listener = await scene.listen((connection) => {
      if (++calls === 1) throw new Error('not this one');
      echo(connection);
    });
    // The reset may come before connect() has settled, or after.
    const error = await scene.connect(listener).then(
      (connection) => scene.record(connection).gone(),
      (refused: NetloomError) => refused,
    );
    assert.equal(error?.code, 'CONNECTION_RESET');
    const second = scene.record(await scene.connect(listener));
    second.write(new Uint8Array(5));
    await second.until(() => second.length === 5);
  });
}

function checkMany(check: Check, settings: Settings): void {
  check(`${settings.connections} connections at once, each with its own data`, async (scene) => {
    const listener = await scene.listen(echo, { backlog: settings.connections });
    const talk = async (index: number): Promise<void> => {
      const client = scene.record(await scene.connect(listener));
      const text = new TextEncoder().encode(`connection ${index}`);
      const received: number[] = [];
      client.onData = (chunk) => received.push(...chunk);
      client.write(copyBytes(text));
      await client.until(() => client.length === text.length);
      open++;
      most = Math.max(most, open);
      // All stay open until the last has answered.
      if (open === settings.connections) allOpen.resolve();
      await allOpen.promise;
      assert.deepEqual(Uint8Array.from(received), text);
      client.connection.end();
      assert.equal(await client.gone(), undefined);
    };
    let open = 0;
    let most = 0;
    const allOpen = Promise.withResolvers<void>();
    await Promise.all(Array.from({ length: settings.connections }, (_, index) => talk(index)));
    assert.equal(most, settings.connections);
  });
}
