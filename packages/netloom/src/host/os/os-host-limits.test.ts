import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { IpAddress, type Connection, type Datagram, type NetloomError } from '../../core/index.ts';
import { nativeAvailable } from '../../native/index.ts';
import { requires } from '../../../test/requires.ts';
import { hostFaults, type HostFault } from './context.ts';
import { fromSystemError } from './errors.ts';
import { osHost } from './os-host.ts';

const HERE = IpAddress.LOOPBACK4;

/** Our code for an error of the platform with this one. */
function named(code: unknown): string {
  return fromSystemError(Object.assign(new Error('said'), { code }), 'it').code;
}

test('the platform’s error codes have names of ours, and stay as the cause', () => {
  assert.equal(named('ECONNREFUSED'), 'CONNECTION_REFUSED');
  assert.equal(named('EPIPE'), 'CONNECTION_RESET');
  assert.equal(named('EHOSTUNREACH'), 'HOST_UNREACHABLE');
  assert.equal(named('EACCES'), 'PERMISSION_DENIED');
  assert.equal(named('EAI_AGAIN'), 'NAME_RESOLUTION_FAILED');
  assert.equal(named('ESOMETHING'), 'NETWORK_FAILED');
  assert.equal(named(7), 'NETWORK_FAILED');
  assert.equal(fromSystemError('text', 'it').message, 'it: text');
  const cause = Object.assign(new Error('said'), { code: 'EMFILE' });
  const error = fromSystemError(cause, 'it');
  assert.equal(error.code, 'TOO_MANY_OPEN');
  assert.equal(error.cause, cause);
  assert.equal(fromSystemError(error, 'again'), error);
});

test('a limit unknown or not a number is refused', () => {
  assert.throws(() => osHost({ limits: { open: -1 } }), { code: 'LIMIT_INVALID' });
});

test('more open than the limit: TOO_MANY_OPEN, and accepted connections are reset; both are counted', async () => {
  await using server = osHost({ limits: { open: 2, closeTimeout: 100 } });
  await using client = osHost({ limits: { closeTimeout: 100 } });
  const accepted: Connection[] = [];
  const listener = await server.listen({
    address: HERE,
    port: 0,
    accept: (connection) => accepted.push(connection),
  });
  const { port } = listener.local;
  const first = await client.connect({ host: HERE, port });
  const error = await new Promise<NetloomError | undefined>((resolve) => {
    client
      .connect({ host: HERE, port })
      .then((second) => second.start({ closed: resolve }), resolve);
  });
  assert.equal(error?.code, 'CONNECTION_RESET');
  assert.equal(accepted.length, 1);
  await assert.rejects(server.bind(), { code: 'TOO_MANY_OPEN' });
  await assert.rejects(server.connect({ host: HERE, port }), { code: 'TOO_MANY_OPEN' });
  assert.deepEqual(server.drops.snapshot(), { 'open-limit': 3 });
  for (const connection of [first, ...accepted]) connection.abort();
});

for (const sockets of ['native', 'platform'] as const) {
  const obstacle = sockets === 'native' ? (nativeAvailable() ?? false) : false;
  const options = { skip: requires(obstacle) };

  test(
    `${sockets} sockets: datagrams beyond the queue are dropped and counted`,
    options,
    async () => {
      await using host = osHost({ sockets, limits: { receiveQueue: 3 } });
      const receiver = await host.bind({ address: HERE });
      const sender = await host.bind({ address: HERE });
      const batch = (values: number[]): Datagram[] =>
        values.map((value) => ({ data: new Uint8Array([value]), remote: receiver.local }));
      assert.equal(sender.send(batch([1, 2, 3, 4, 5])), 5);
      while (host.drops.get('receive-queue-full') < 2) {
        await new Promise<void>((resolve) => host.clock.defer(resolve));
      }
      const received = await new Promise<number[]>((resolve) => {
        receiver.start({ receive: (all) => resolve(all.map(({ data }) => data[0]!)) });
      });
      assert.deepEqual(received, [1, 2, 3]);
    },
  );

  test(
    `${sockets} sockets: datagrams that do not fit into the send buffer are dropped and counted`,
    options,
    async () => {
      await using host = osHost({ sockets, limits: { datagramSendBuffer: 0 } });
      const socket = await host.bind({ address: HERE });
      assert.equal(socket.send([{ data: new Uint8Array(1), remote: socket.local }]), 0);
      assert.deepEqual(host.drops.snapshot(), { 'send-buffer-full': 1 });
    },
  );

  test(
    `${sockets} sockets: a datagram to the other family is an error of its own`,
    options,
    async () => {
      await using host = osHost({ sockets });
      const socket = await host.bind({ address: HERE });
      const error = await new Promise<NetloomError>((resolve) => {
        socket.start({ error: resolve });
        socket.send([
          { data: new Uint8Array(1), remote: { address: IpAddress.LOOPBACK6, port: 9 } },
        ]);
      });
      assert.equal(error.code, 'NETWORK_UNREACHABLE');
    },
  );
}

test('what throws in accept() and closed() is published as a fault', async () => {
  await using host = osHost();
  const faults: HostFault[] = [];
  const unsubscribe = hostFaults.subscribe((fault) => faults.push(fault));
  const thrown = new Error('a defect');
  const listener = await host.listen({
    address: HERE,
    port: 0,
    accept() {
      throw thrown;
    },
  });
  await new Promise<void>((resolve) => {
    host.connect({ host: HERE, port: listener.local.port }).then((connection) => {
      connection.start({
        closed() {
          resolve();
          throw thrown;
        },
      });
    }, resolve);
  });
  while (faults.length === 0) await new Promise<void>((resolve) => host.clock.defer(resolve));
  unsubscribe();
  for (const { error } of faults) {
    assert.equal(error.code, 'HANDLER_THREW');
    assert.equal(error.cause, thrown);
  }
});

test('closing the host ends what is being asked for with HOST_CLOSED', async () => {
  const host = osHost();
  const listening = host.listen({ address: HERE, port: 0, accept: () => undefined });
  const resolving = host.resolve('localhost');
  const closing = host.close();
  await assert.rejects(listening, { code: 'HOST_CLOSED' });
  await assert.rejects(resolving, { code: 'HOST_CLOSED' });
  await closing;
});

test('a process with a closed host ends by itself', () => {
  const url = new URL('os-host.ts', import.meta.url).href;
  const program = `
    import { osHost } from ${JSON.stringify(url)};
    const host = osHost();
    const listener = await host.listen({ port: 0, accept: (one) => one.start({ end: () => one.end() }) });
    const connection = await host.connect({ host: '127.0.0.1', port: listener.local.port });
    connection.start({});
    await host.bind();
    await host.close();
    console.log('closed');`;
  const done = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.equal(done.stdout, 'closed\n', done.stderr);
  assert.equal(done.status, 0);
});
