import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress, chunkPool, type Connection, type Host } from '../core/index.ts';
import { linkPair } from '../link/index.ts';
import { Pattern, Recorder, send } from './compliance/recorder.ts';
import { SystemClock } from './os/clock.ts';
import { osHost } from './os/os-host.ts';
import { relay, type Relay } from './relay.ts';
import { simWorld } from './sim/index.ts';
import { stackHost } from './stack/stack-host.ts';

const SIZE = 8 * 1024 * 1024;
/** More than all buffers on the way hold together. */
const ENDLESS = 64 * 1024 * 1024;

/** A client on the operating system's sockets, a server on our stack, and a relay between them. */
interface Scene {
  readonly client: Recorder;
  readonly server: Recorder;
  readonly middle: Relay;
}

/** Both ends of a connection: the one that asked for it first. */
async function connected(
  from: Host,
  to: Host,
  address: IpAddress,
): Promise<[Connection, Connection]> {
  const accepted = Promise.withResolvers<Connection>();
  const listener = await to.listen({ address, port: 0, accept: accepted.resolve });
  const { port } = listener.local;
  return Promise.all([from.connect({ host: address, port }), accepted.promise]);
}

async function withRelay(body: (scene: Scene) => Promise<void>): Promise<void> {
  const clock = new SystemClock();
  const [near, far] = linkPair(clock, { strict: true });
  await using os = osHost({ clock, limits: { closeTimeout: 200 } });
  const limits = { tcp: { closeTimeout: 200 } };
  await using gateway = stackHost({ name: 'gateway', clock, limits });
  await using server = stackHost({ name: 'server', clock, limits });
  gateway.addInterface(near, { addresses: ['10.0.0.1/24'] });
  server.addInterface(far, { addresses: ['10.0.0.2/24'] });
  const [clientSide, outer] = await connected(os, os, IpAddress.LOOPBACK4);
  const [inner, serverSide] = await connected(gateway, server, IpAddress.parse('10.0.0.2'));
  const violations: string[] = [];
  await body({
    client: new Recorder(clientSide, violations),
    server: new Recorder(serverSide, violations),
    middle: relay(outer, inner),
  });
  assert.deepEqual(violations, []);
}

test('bytes are carried both ways at once, whole and counted', async () => {
  await withRelay(async ({ client, server, middle }) => {
    const [up, down] = [new Pattern(), new Pattern()];
    await Promise.all([send(client, up, SIZE), send(server, down, SIZE / 2)]);
    client.connection.end();
    server.connection.end();
    assert.deepEqual([await client.gone(), await server.gone()], [undefined, undefined]);
    assert.equal(server.digest(), up.digest());
    assert.equal(client.digest(), down.digest());
    assert.equal(await middle.closed, undefined);
    assert.deepEqual([middle.bytesFromFirst, middle.bytesFromSecond], [SIZE, SIZE / 2]);
  });
});

test('one direction ends and the other goes on', async () => {
  await withRelay(async ({ client, server, middle }) => {
    client.write(new Uint8Array(1));
    client.connection.end();
    await server.until(() => server.ended);
    const answer = new Pattern();
    await send(server, answer, SIZE / 4);
    server.connection.end();
    await client.gone();
    assert.equal(client.digest(), answer.digest());
    assert.equal(await middle.closed, undefined);
  });
});

for (const [from, to] of [
  ['client', 'server'],
  ['server', 'client'],
] as const) {
  test(`a ${to} that does not read holds the ${from} up`, async () => {
    await withRelay(async (scene) => {
      const [sender, receiver] = [scene[from], scene[to]];
      receiver.connection.pause();
      const pattern = new Pattern();
      const sending = send(sender, pattern, ENDLESS);
      const { middle } = scene;
      const carried = (): number => middle.bytesFromFirst + middle.bytesFromSecond;
      await standstill(carried);
      assert.equal(receiver.length, 0);
      assert.ok(carried() < ENDLESS / 2, `${carried()} bytes went to a reader that does not read`);
      receiver.connection.resume();
      await sending;
      sender.connection.end();
      await receiver.until(() => receiver.ended);
      assert.equal(receiver.digest(), pattern.digest());
    });
  });

  test(`a reset by the ${from} resets the ${to}`, async () => {
    await withRelay(async (scene) => {
      scene[from].connection.abort();
      const error = await scene[to].gone();
      assert.equal(error?.code, 'CONNECTION_RESET');
      assert.equal((await scene.middle.closed)?.code, 'CONNECTION_RESET');
    });
  });
}

test('abort() resets both, close() finishes both', async () => {
  await withRelay(async ({ client, server, middle }) => {
    middle.abort();
    assert.equal((await client.gone())?.code, 'CONNECTION_RESET');
    assert.equal((await server.gone())?.code, 'CONNECTION_RESET');
    assert.equal((await middle.closed)?.code, 'ABORTED');
  });
  await withRelay(async ({ client, server, middle }) => {
    const closed = middle.close();
    await Promise.all([client.until(() => client.ended), server.until(() => server.ended)]);
    client.connection.end();
    server.connection.end();
    await closed;
    assert.equal(await middle.closed, undefined);
  });
});

test('a connection closed beside the relay closes the other', async () => {
  const accepted = Promise.withResolvers<Connection>();
  await using os = osHost({ limits: { closeTimeout: 200 } });
  const address = IpAddress.LOOPBACK4;
  const listener = await os.listen({ address, port: 0, accept: accepted.resolve });
  const first = await os.connect({ host: address, port: listener.local.port });
  const firstPeer = new Recorder(await accepted.promise, []);
  const [second, secondSide] = await connected(os, os, address);
  const secondPeer = new Recorder(secondSide, []);
  const middle = relay(first, second);
  void first.close();
  await firstPeer.until(() => firstPeer.ended);
  firstPeer.connection.end();
  await secondPeer.until(() => secondPeer.ended);
  secondPeer.connection.end();
  assert.equal(await middle.closed, undefined);
});

test('borrowed bytes are copied: the array may change at once, and what is lost on its way goes out again as it was', async () => {
  const world = simWorld({ seed: 1 });
  const line = world.network('line', { delay: 2, loss: 0.03 });
  const [a, b] = [world.machine('a', { on: line }), world.machine('b', { on: line })];
  const work = async (): Promise<void> => {
    const [near, far] = await connected(a, b, b.address);
    const [writer, reader] = [new Recorder(near, []), new Recorder(far, [])];
    const pattern = new Pattern();
    const array = new Uint8Array(50_000);
    for (let left = 200; left > 0; left--) {
      array.set(pattern.take(array.length));
      const drains = writer.drains;
      const hasRoom = near.writeBorrowed!(array);
      array.fill(0);
      if (!hasRoom) await writer.until(() => writer.drains > drains);
    }
    near.end();
    await reader.until(() => reader.ended);
    assert.equal(reader.digest(), pattern.digest());
    assert.ok(chunkPool.free > 0, 'memory was used again');
  };
  await world.run(work());
});

/** Settles when the value has not changed over a while. */
async function standstill(value: () => number): Promise<void> {
  const clock = new SystemClock();
  for (let before = -1; before !== value();) {
    before = value();
    await new Promise<void>((resolve) => clock.timer(resolve).set(clock.now() + 150));
  }
}
