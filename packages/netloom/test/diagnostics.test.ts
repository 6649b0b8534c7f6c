/** What happens in the layers is published, and by whom. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, type Channel } from 'netloom/core';
import { simWorld } from 'netloom/host';
import {
  IP_DROP,
  NEIGHBOUR_STATE,
  TCP_DROP,
  TCP_STATE,
  UDP_DROP,
  type TcpConnection,
} from 'netloom/ip';
import { LINK_DROP, linkPair } from 'netloom/link';

/** Collects what is published until it is disposed of. */
function listen<Event>(channel: Channel<Event>): Disposable & { readonly events: Event[] } {
  const events: Event[] = [];
  const stop = channel.subscribe((event) => events.push(event));
  return { events, [Symbol.dispose]: stop };
}

function isClient(connection: TcpConnection): boolean {
  return connection.remotePort === 80;
}

/** Two machines on a line. */
function machines() {
  const world = simWorld({ seed: 1 });
  const line = world.network('line', { delay: 1 });
  const client = world.machine('client', { on: line });
  const server = world.machine('server', { on: line });
  return { world, client, server, interface: client.cable(line).interface };
}

test('the steps of connections and of neighbours are published, with whose they are', async () => {
  using tcp = listen(TCP_STATE);
  using neighbours = listen(NEIGHBOUR_STATE);
  const { world, client, server } = machines();
  const work = async (): Promise<void> => {
    await server.listen({ port: 80, accept: (connection) => void connection.close() });
    const connection = await client.connect({ host: server.address, port: 80 });
    await connection.close();
  };
  await world.run(work());
  const told = tcp.events
    .filter(({ subject }) => isClient(subject))
    .map(({ step: { from, event, to } }) => `${from} ${event} ${to}`);
  assert.deepEqual(told.slice(0, 2), [
    'closed connect syn-sent',
    'syn-sent synchronized established',
  ]);
  assert.ok(tcp.events.some(({ subject, step }) => !isClient(subject) && step.event === 'accept'));
  const [asked] = neighbours.events;
  assert.equal(String(asked!.subject.address), String(server.address));
  assert.deepEqual([asked!.step.from, asked!.step.to], ['new', 'incomplete']);
});

test('what is dropped is published, by reason', async () => {
  using datagrams = listen(UDP_DROP);
  using packets = listen(IP_DROP);
  using segments = listen(TCP_DROP);
  const { world, client, server, interface: via } = machines();
  const work = async (): Promise<void> => {
    const socket = await client.bind();
    socket.send([{ data: new Uint8Array(1), remote: { address: server.address, port: 9 } }]);
    await world.sleep(100);
  };
  await world.run(work());
  // Compared by identity: to print a stack for a difference would take minutes.
  assert.deepEqual(
    datagrams.events.map(({ name, amount }) => [name, amount]),
    [['udp-no-socket', 1]],
  );
  assert.ok(datagrams.events[0]!.subject === server.stack.udp);
  via.receive(new Uint8Array(3), undefined);
  const last = packets.events.at(-1)!;
  assert.ok(last.subject === via);
  assert.equal(last.name, 'ethernet-truncated');
  client.stack.tcp.statistics.drops.add('tcp-test');
  assert.ok(segments.events[0]!.subject === client.stack.tcp);
});

test('a link that drops a frame publishes that', () => {
  using frames = listen(LINK_DROP);
  const clock = new ManualClock();
  const [one, other] = linkPair(clock);
  void other.close();
  clock.runDeferred();
  one.transmit(one.allocate(60));
  assert.equal(frames.events.length, 1);
  assert.ok(frames.events[0]!.subject === one);
  assert.deepEqual(one.statistics.drops.snapshot(), { [frames.events[0]!.name]: 1 });
});
