import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromHex, toHex, type Connection } from '../core/index.ts';
import { simWorld } from '../host/index.ts';
import { UpstreamExchange } from './upstream.ts';

const QUESTION = fromHex('0102');
const ANSWER = fromHex('0a0b0c');

function scene() {
  const world = simWorld({ seed: 1 });
  const lan = world.network('lan', { subnets: ['10.1.0.0/24'], delay: 1 });
  const [own, server, other] = ['own', 'server', 'other'].map((name) =>
    world.machine(name, { on: lan }),
  );
  return { world, own: own!, server: server!, other: other! };
}

test('what comes from another address or port is not the server’s answer (RFC 5452, 9.1)', async () => {
  const { world, own, server, other } = scene();
  const answers: string[] = [];
  const remote = { address: server.address, port: 53 };
  const exchange = new UpstreamExchange(
    own,
    { server: remote, transport: 'udp', message: QUESTION },
    {
      answered: (_exchange, bytes) => answers.push(toHex(bytes)),
      failed: () => answers.push('failed'),
    },
  );
  const socket = await world.run(server.bind({ port: 53 }));
  const asked: number[] = [];
  socket.start({ receive: ([first]) => asked.push(first!.remote.port) });
  await world.run(world.now() + 20);
  const [port] = asked;
  const forge = async (host: typeof other, local: number): Promise<void> => {
    const forged = await world.run(host.bind({ port: local }));
    forged.send([{ data: fromHex('ff'), remote: { address: own.address, port: port! } }]);
    await world.run(world.now() + 20);
  };
  await forge(other, 53);
  await forge(server, 5353);
  assert.deepEqual(answers, []);
  socket.send([{ data: ANSWER, remote: { address: own.address, port: port! } }]);
  await world.run(world.now() + 20);
  assert.deepEqual(answers, ['0a0b0c']);
  exchange.end();
  exchange.end();
  await world.run(world.now() + 20);
  assert.deepEqual(own.stack.udp.sockets(), []);
});

test('by TCP: an answer in pieces; a server that refuses or hangs up is a failure', async () => {
  const { world, own, server } = scene();
  const told: string[] = [];
  const ask = (): UpstreamExchange =>
    new UpstreamExchange(
      own,
      {
        server: { address: server.address, port: 53 },
        transport: 'tcp',
        message: QUESTION,
      },
      {
        answered: (_exchange, bytes) => told.push(toHex(bytes)),
        failed: () => told.push('failed'),
      },
    );
  ask();
  await world.run(world.now() + 100);
  assert.deepEqual(told, ['failed']);
  const accepted: Connection[] = [];
  const received: string[] = [];
  const listener = await world.run(
    server.listen({
      port: 53,
      accept: (connection) => {
        accepted.push(connection);
        connection.start({ data: (chunk) => received.push(toHex(chunk)) });
      },
    }),
  );
  ask();
  await world.run(world.now() + 100);
  assert.deepEqual(received, ['00020102']);
  for (const piece of ['00', '030a', '0b0c']) {
    accepted[0]!.write(fromHex(piece));
    await world.run(world.now() + 10);
  }
  assert.deepEqual(told, ['failed', '0a0b0c']);
  accepted[0]!.end();
  await world.run(world.now() + 100);
  assert.deepEqual(told, ['failed', '0a0b0c', 'failed']);
  await world.run(listener.close());
});

test('given up before it has begun, nothing is left open and nobody is told', async () => {
  const { world, own, server } = scene();
  for (const transport of ['udp', 'tcp'] as const) {
    const exchange = new UpstreamExchange(
      own,
      { server: { address: server.address, port: 53 }, transport, message: QUESTION },
      { answered: () => assert.fail(), failed: () => assert.fail() },
    );
    exchange.end();
    await world.run(world.now() + 10_000);
    assert.deepEqual(own.stack.udp.sockets(), []);
  }
});
