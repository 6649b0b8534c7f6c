import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cidr, IpAddress, type Connection, type Host } from '../core/index.ts';
import { simWorld, type SimHost, type SimNetwork, type SimWorld } from '../host/index.ts';
import {
  DnsClass,
  DnsFlag,
  DnsName,
  DnsResponseCode,
  DnsType,
  encodeDnsMessage,
  parseDnsMessage,
  serveDns,
  type DnsMessage,
  type DnsService,
  type DnsServiceOptions,
} from './index.ts';
import { framed } from './upstream.ts';

const at = (text: string): IpAddress => IpAddress.parse(text);

interface Scene {
  readonly world: SimWorld;
  readonly lan: SimNetwork;
  /** On both networks: it has the service. */
  readonly gateway: SimHost;
  readonly client: SimHost;
  /** A resolver in the world, which knows example.com. */
  readonly resolver: DnsService;
  readonly service: DnsService;
}

async function scene(
  options: Partial<DnsServiceOptions> = {},
  conditions: { readonly loss?: number } = {},
): Promise<Scene> {
  const world = simWorld({ seed: 3 });
  const lan = world.network('lan', { subnets: ['10.1.0.0/24', '2001:db8::/64'], delay: 1 });
  const wan = world.network('wan', { subnets: ['192.0.2.0/24'], delay: 10, ...conditions });
  const gateway = world.machine('gateway', { on: [lan, wan] });
  const client = world.machine('client', { on: lan });
  const upstream = world.machine('resolver', { on: wan });
  const resolver = await world.run(serveDns({ host: upstream, zone: 'example.com' }));
  resolver.setName('www', [at('203.0.113.1')]);
  const many = Array.from({ length: 90 }, (_, last) => at(`203.0.113.${last}`));
  resolver.setName('many', many);
  const service = await world.run(
    serveDns({
      host: gateway,
      via: gateway,
      servers: [{ address: upstream.address, port: 53 }],
      ...options,
    }),
  );
  service.setName('box', [at('10.1.0.9')]);
  return { world, lan, gateway, client, resolver, service };
}

function question(name: string, type: number = DnsType.A, id = 5): Uint8Array {
  return encodeDnsMessage({
    id,
    flags: DnsFlag.RECURSION_DESIRED,
    operation: 0,
    responseCode: 0,
    questions: [{ name: DnsName.parse(name), type, class: DnsClass.IN }],
    answers: [],
    authorities: [],
    additionals: [],
  });
}

function read(bytes: Uint8Array): DnsMessage {
  const message = parseDnsMessage(bytes, 0, bytes.length);
  assert.ok(typeof message !== 'string', String(message));
  return { ...message };
}

function addresses({ answers }: DnsMessage): string[] {
  return answers.map(({ data }) => (data.kind === 'address' ? data.address.toString() : '?'));
}

/** One question by UDP. */
async function ask(host: Host, server: IpAddress, bytes: Uint8Array): Promise<DnsMessage> {
  await using socket = await host.bind();
  const { promise, resolve } = Promise.withResolvers<DnsMessage>();
  socket.start({
    receive: ([first]) => {
      assert.equal(first!.remote.address.toString(), server.toString(), 'from where it was asked');
      resolve(read(first!.data));
    },
  });
  socket.send([{ data: bytes, remote: { address: server, port: 53 } }]);
  // Awaited here: the socket is closed behind it.
  return await promise;
}

/** Questions by one TCP connection, in pieces if wanted; the answers, and then the connection's end. */
async function askByTcp(
  host: Host,
  server: IpAddress,
  questions: readonly Uint8Array[],
  piece = Infinity,
): Promise<DnsMessage[]> {
  const connection = await host.connect({ host: server, port: 53 });
  const answers: DnsMessage[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  let held: number[] = [];
  connection.start({
    data: (chunk) => {
      held.push(...chunk);
      while (held.length >= 2 && held.length >= 2 + held[0]! * 256 + held[1]!) {
        const length = held[0]! * 256 + held[1]!;
        answers.push(read(Uint8Array.from(held.slice(2, 2 + length))));
        held = held.slice(2 + length);
      }
    },
    closed: () => resolve(),
  });
  for (const bytes of questions) {
    const whole = framed(bytes);
    for (let at = 0; at < whole.length; at += piece) connection.write(whole.slice(at, at + piece));
  }
  connection.end();
  await promise;
  return answers;
}

test('over UDP and both families: the network’s own names, and others by way of the host', async () => {
  const { world, lan, gateway, client, service } = await scene();
  gateway.stack.addAddress(gateway.cable(lan).interface, Cidr.parse('10.1.0.250/24'));
  for (const server of [...gateway.addresses.slice(0, 2), at('10.1.0.250')]) {
    const own = await world.run(ask(client, server, question('box.lan')));
    assert.deepEqual(addresses(own), ['10.1.0.9']);
    const other = await world.run(ask(client, server, question('www.example.com', 1, 77)));
    assert.deepEqual(addresses(other), ['203.0.113.1']);
    assert.equal(other.id, 77);
  }
  assert.deepEqual(service.labels(at('203.0.113.1')), ['www.example.com']);
  assert.equal(service.forwarder.outstanding, 0);
  const missing = await world.run(ask(client, gateway.address, question('no.example.com')));
  assert.equal(missing.responseCode, DnsResponseCode.NAME_ERROR);
});

test('by TCP: many questions in one connection, in any pieces; long answers in full', async () => {
  const { world, gateway, client } = await scene();
  const questions = [
    question('many.example.com', 1, 1),
    question('box.lan', 1, 2),
    question('www.example.com', 1, 3),
  ];
  for (const piece of [Infinity, 1, 7]) {
    const began = world.now();
    const answers = await world.run(askByTcp(client, gateway.address, questions, piece));
    assert.ok(world.now() - began < 1000, 'the connection ends with the client’s end');
    const byId = new Map(answers.map((answer) => [answer.id, answer]));
    assert.equal(answers.length, 3);
    assert.equal(byId.get(1)?.answers.length, 90);
    assert.deepEqual(addresses(byId.get(2)!), ['10.1.0.9']);
    assert.deepEqual(addresses(byId.get(3)!), ['203.0.113.1']);
  }
  const cut = await world.run(ask(client, gateway.address, question('many.example.com')));
  assert.ok((cut.flags & DnsFlag.TRUNCATED) !== 0, 'too long for UDP');
});

test('loss on the way to the resolver: asked again, and answered', async () => {
  const { world, gateway, client, service } = await scene({}, { loss: 0.3 });
  let answered = 0;
  for (let id = 0; id < 40; id++) {
    const bytes = question('www.example.com', 1, id);
    const answer = await world.run(ask(client, gateway.address, bytes));
    if (answer.responseCode === DnsResponseCode.NO_ERROR) answered++;
  }
  assert.ok(answered >= 30, `${answered} of 40`);
  assert.ok(service.forwarder.drops.get('server-silent') > 5);
});

test('a resolver that is not there: SERVFAIL, as soon as the network says so or in eight seconds', async () => {
  const { world, gateway, client, resolver } = await scene();
  await world.run(resolver.close());
  const before = world.now();
  const refused = await world.run(ask(client, gateway.address, question('www.example.com')));
  assert.equal(refused.responseCode, DnsResponseCode.SERVER_FAILURE);
  assert.ok(world.now() - before < 1000, 'port unreachable is heard');
  const none = await scene({ servers: [{ address: at('192.0.2.200'), port: 53 }] });
  const silent = await none.world.run(
    ask(none.client, none.gateway.address, question('www.example.com')),
  );
  assert.equal(silent.responseCode, DnsResponseCode.SERVER_FAILURE);
  assert.ok(none.world.now() < 10_000);
  const without = await scene({ servers: [] });
  const said = await without.world.run(
    ask(without.client, without.gateway.address, question('www.example.com')),
  );
  assert.equal(said.responseCode, DnsResponseCode.SERVER_FAILURE);
});

test('idle connections are closed; too many of one client are refused, and others served', async () => {
  const { world, gateway, client, service } = await scene({
    serviceLimits: { connectionsPerClient: 3, idle: 5000 },
  });
  const closed: number[] = [];
  const connections: Connection[] = [];
  for (let number = 0; number < 5; number++) {
    const connection = await world.run(client.connect({ host: gateway.address, port: 53 }));
    connection.start({
      end: () => connection.end(),
      closed: () => closed.push(number),
    });
    connections.push(connection);
  }
  await world.run(world.now() + 100);
  assert.deepEqual(closed, [3, 4]);
  assert.equal(service.drops.get('connections-of-client'), 2);
  const own = await world.run(ask(client, gateway.address, question('box.lan')));
  assert.equal(own.answers.length, 1);
  await world.run(world.now() + 12_000);
  assert.deepEqual(closed.toSorted(), [0, 1, 2, 3, 4]);
  assert.equal(
    (await world.run(askByTcp(client, gateway.address, [question('box.lan')]))).length,
    1,
    'there is room again',
  );
});

test('a flood of questions: bounded, and a neighbour is answered all the while', async () => {
  const { world, lan, gateway, client, service } = await scene({
    servers: [{ address: at('192.0.2.200'), port: 53 }],
    limits: { outstandingPerClient: 20 },
  });
  const neighbour = world.machine('neighbour', { on: lan });
  const flood = await world.run(client.bind());
  for (let id = 0; id < 1000; id++) {
    const data = question(`x${id}.example.com`, 1, id);
    flood.send([{ data, remote: { address: gateway.address, port: 53 } }]);
    // As much as the link's queues take at once.
    if (id % 20 === 0) await world.run(world.now() + 10);
  }
  await world.run(world.now() + 100);
  assert.equal(service.forwarder.outstanding, 20);
  const own = await world.run(ask(neighbour, gateway.address, question('box.lan')));
  assert.equal(own.answers.length, 1);
  await world.run(world.now() + 10_000);
  assert.equal(service.forwarder.outstanding, 0);
  assert.equal(service.forwarder.drops.get('too-many-of-client'), 980);
  const { udp } = gateway.stack;
  assert.equal(udp.sockets().length, 1, 'no socket of an exchange is left');
});

test('closing gives the port back, and tells who waits', async () => {
  const { world, gateway, client, service } = await scene({
    servers: [{ address: at('192.0.2.200'), port: 53 }],
  });
  const waiting = ask(client, gateway.address, question('www.example.com'));
  await world.run(world.now() + 100);
  await world.run(service.close());
  const told = await world.run(waiting);
  assert.equal(told.responseCode, DnsResponseCode.SERVER_FAILURE);
  assert.deepEqual(gateway.stack.udp.sockets(), []);
  const again = await world.run(serveDns({ host: gateway }));
  await world.run(again.close());
  await world.run(again.close());
});

test('a port that is taken is said so, and nothing is left open', async () => {
  const { world, gateway } = await scene();
  await assert.rejects(world.run(serveDns({ host: gateway })), { code: 'ADDRESS_IN_USE' });
  assert.equal(gateway.stack.udp.sockets().length, 1);
});
