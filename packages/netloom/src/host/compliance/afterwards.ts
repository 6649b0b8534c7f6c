import assert from 'node:assert/strict';
import type { Check } from './contract.ts';
import { echo, type Recorder } from './recorder.ts';
import { rejectsWith, type Scene } from './scene.ts';

/** What is called too late: a signal when its promise has settled, and anything of what is closed. */
export function checkAfterwards(check: Check): void {
  checkSignals(check);
  checkConnections(check);
  checkListeners(check);
  checkSockets(check);
}

async function answers(client: Recorder): Promise<void> {
  const before = client.length;
  client.write(new Uint8Array(5));
  await client.until(() => client.length === before + 5);
}

function checkSignals(check: Check): void {
  check('a signal aborted when its promise has settled does nothing', async (scene) => {
    const controller = new AbortController();
    const { signal } = controller;
    const listener = await scene.listen(echo, { signal });
    const client = scene.record(await scene.connect(listener, { signal }));
    const address = scene.pair.serverAddress4;
    const socket = await scene.server.bind({ address, signal });
    await answers(client);
    controller.abort();
    await answers(client);
    await answers(scene.record(await scene.connect(listener)));
    const { port } = socket.local;
    await rejectsWith('ADDRESS_IN_USE', scene.server.bind({ address, port }));
  });

  check('a signal that stands for a time that has passed: TIMEOUT', async (scene, test) => {
    const { blackhole } = scene.pair;
    if (blackhole === undefined) return test.skip('the pair has no blackhole');
    const { address, port } = blackhole;
    const controller = new AbortController();
    const { signal } = controller;
    const connecting = scene.client.connect({ host: address, port, signal });
    // As AbortSignal.timeout aborts, which would go by the platform's clock.
    const reason = new DOMException('too late', 'TimeoutError');
    scene.client.clock.defer(() => controller.abort(reason));
    const error = await rejectsWith('TIMEOUT', connecting);
    assert.equal(error.cause, reason);
  });

  check('closing the host settles what it was asked for with HOST_CLOSED', async (scene, test) => {
    const { blackhole } = scene.pair;
    if (blackhole === undefined) return test.skip('the pair has no blackhole');
    const { address, port } = blackhole;
    const connecting = rejectsWith(
      'HOST_CLOSED',
      scene.client.connect({ host: address, port, timeout: 60_000 }),
    );
    await scene.client.close();
    await connecting;
  });
}

function checkConnections(check: Check): void {
  check('after closed() every call does nothing, and close() settles', async (scene) => {
    for (const ending of ['in good order', 'by a reset'] as const) {
      const { client, server } = await scene.recorded();
      if (ending === 'by a reset') server.connection.abort();
      client.connection.end();
      server.connection.end();
      await Promise.all([client.gone(), server.gone()]);
      const { connection, error } = client;
      assert.equal(error?.code, ending === 'by a reset' ? 'CONNECTION_RESET' : undefined);
      connection.cork();
      connection.uncork();
      connection.pause();
      connection.resume();
      connection.setNoDelay(false);
      connection.setKeepAlive(1);
      connection.end();
      connection.abort();
      await scene.pass(5);
      await connection.close();
      assert.equal(connection.bufferedAmount, 0);
      assert.ok(connection.local.port > 0 && connection.remote.port > 0);
      assert.equal(client.closings, 1);
    }
  });

  check('no call ends in a call of the handler before it returns', async (scene) => {
    for (const verb of ['abort', 'close', 'end'] as const) {
      const { client, server } = await scene.recorded();
      server.connection.end();
      await client.until(() => client.ended);
      void client.connection[verb]();
      assert.equal(client.closings, 0, verb);
      await client.gone();
    }
    const socket = await scene.client.bind();
    let closings = 0;
    socket.start({ closed: () => closings++ });
    const closing = socket.close();
    assert.equal(closings, 0);
    await closing;
    assert.equal(closings, 1);
  });

  check('close() settles after closed(), and never rejects', async (scene) => {
    for (const ending of ['end', 'abort'] as const) {
      const { client, server } = await scene.recorded();
      const closing = client.connection.close();
      server.connection[ending]();
      await closing;
      assert.equal(client.closings, 1, 'closed() comes first');
    }
  });
}

function checkListeners(check: Check): void {
  check('a listener closed within accept() accepts nobody else', async (scene) => {
    let calls = 0;
    const closed = Promise.withResolvers<void>();
    const listener = await scene.listen((connection) => {
      calls++;
      echo(connection);
      void listener.close().then(closed.resolve);
    });
    // Some are on their way when it closes: those are refused, or reset when they had been made.
    const outcomes = await Promise.all(
      Array.from({ length: 5 }, async () => {
        try {
          const client = scene.record(await scene.connect(listener));
          client.write(new Uint8Array(1));
          await client.until(() => client.length === 1 || client.closings > 0);
          return client.closings === 0 ? 'answered' : client.error?.code;
        } catch (error) {
          return (error as { code?: string }).code;
        }
      }),
    );
    await closed.promise;
    assert.equal(calls, 1);
    assert.equal(outcomes.filter((outcome) => outcome === 'answered').length, 1, String(outcomes));
    const others = outcomes.filter((outcome) => outcome !== 'answered');
    for (const code of others) assert.match(code ?? '', /^CONNECTION_(REFUSED|RESET)$/);
  });

  check('a listener’s close() does not wait for what it accepted', async (scene) => {
    const { listener, client, server } = await scene.recorded();
    await listener.close();
    assert.deepEqual([client.closings, server.closings], [0, 0]);
    const again = await scene.listen(echo, { port: listener.local.port });
    assert.equal(again.local.port, listener.local.port, 'its port is free');
    client.write(new Uint8Array(1));
    await server.until(() => server.length === 1);
  });
}

/** Sends the socket a datagram, and settles when the server has surely had it. */
async function sendTo(scene: Scene, port: number): Promise<void> {
  const sender = await scene.client.bind();
  const remote = { address: scene.pair.serverAddress4, port };
  assert.equal(sender.send([{ data: new Uint8Array([1]), remote }]), 1);
  await scene.roundTrip();
  await sender.close();
}

function checkSockets(check: Check): void {
  check('a closed socket sends nothing and is told nothing', async (scene) => {
    const address = scene.pair.serverAddress4;
    const told: string[] = [];
    const socket = await scene.server.bind({ address });
    socket.start({
      receive: () => told.push('receive'),
      error: () => told.push('error'),
      closed: () => told.push('closed'),
    });
    await socket.close();
    const receiver = await scene.server.bind({ address });
    receiver.start({ receive: () => told.push('sent') });
    assert.equal(socket.send([{ data: new Uint8Array([1]), remote: receiver.local }]), 0);
    assert.equal(socket.send([{ data: new Uint8Array(70_000), remote: receiver.local }]), 0);
    await sendTo(scene, socket.local.port);
    assert.deepEqual(told, ['closed']);
  });

  check('what came before start() is not told when the socket is closed by then', async (scene) => {
    const told: string[] = [];
    const socket = await scene.server.bind({ address: scene.pair.serverAddress4 });
    await sendTo(scene, socket.local.port);
    socket.start({
      receive: () => told.push('receive'),
      closed: () => told.push('closed'),
    });
    await socket.close();
    await scene.pass(1);
    assert.deepEqual(told, ['closed']);
  });

  check('a socket’s handler that throws in closed() is not called again', async (scene) => {
    let calls = 0;
    const socket = await scene.server.bind({ address: scene.pair.serverAddress4 });
    socket.start({
      closed() {
        calls++;
        throw new Error('a defect of the handler');
      },
    });
    await socket.close();
    await scene.pass(1);
    assert.equal(calls, 1);
  });

  check('a socket’s handler that throws in error() ends its socket', async (scene) => {
    const gone = Promise.withResolvers<unknown>();
    const socket = await scene.client.bind();
    const thrown = new Error('a defect of the handler');
    socket.start({
      error() {
        throw thrown;
      },
      closed: gone.resolve,
    });
    const remote = { address: scene.pair.serverAddress4, port: 9 };
    socket.send([{ data: new Uint8Array(65_508), remote }]);
    const error = (await gone.promise) as { code?: string; cause?: unknown } | undefined;
    assert.equal(error?.code, 'HANDLER_THREW');
    assert.equal(error.cause, thrown);
    await socket.close();
  });
}
