/** Mappings on the operating system's sockets, over loopback. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress, copyBytes, type DatagramSocket, type SocketAddress } from '../../core/index.ts';
import { linkPair } from '../../link/index.ts';
import { requires } from '../../../test/requires.ts';
import { nativeAvailable } from '../../native/index.ts';
import { SystemClock } from '../os/clock.ts';
import type { SocketKind } from '../os/context.ts';
import { osHost, type OsHost } from '../os/os-host.ts';
import { stackHost, type StackHost } from '../stack/stack-host.ts';
import { answersFromThere, bindOutside } from './outside-socket.ts';
import { uplink } from './uplink.ts';

const GATEWAY = IpAddress.parse('10.0.0.1');

/** What a socket has been told, and a promise of the next. */
class Told {
  readonly lines: string[] = [];
  #waiting: (() => void)[] = [];

  constructor(socket: DatagramSocket) {
    socket.start({
      receive: (batch) => {
        for (const { data, remote } of batch) {
          this.#tell(`${new TextDecoder().decode(data)} from ${remote.port}`);
        }
      },
      error: ({ code }) => this.#tell(code),
    });
  }

  async until(count: number): Promise<string[]> {
    while (this.lines.length < count) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.lines;
  }

  #tell(line: string): void {
    this.lines.push(line);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

async function scene(
  sockets: SocketKind,
  body: (guest: StackHost, outside: OsHost) => Promise<void>,
): Promise<void> {
  const clock = new SystemClock();
  const [near, far] = linkPair(clock, { strict: true });
  await using outside = osHost({ clock, sockets });
  await using gateway = stackHost({ name: 'gateway', clock });
  await using guest = stackHost({ name: 'guest', clock });
  const inside = gateway.addInterface(near, { addresses: [`${GATEWAY}/24`] });
  guest.addInterface(far, { addresses: ['10.0.0.2/24'] });
  await using _uplink = uplink({
    inside: gateway,
    interfaces: [inside],
    outside,
    hostAccess: 'gateway',
  });
  await body(guest, outside);
}

/** A server that tells where datagrams come from, and sends them back. */
async function server(outside: OsHost): Promise<{ port: number; clients: SocketAddress[] }> {
  const socket = await outside.bind({ address: IpAddress.LOOPBACK4 });
  const clients: SocketAddress[] = [];
  socket.start({
    receive: (batch) => {
      for (const { data, remote } of batch) {
        clients.push(remote);
        socket.send([{ data: copyBytes(data), remote }]);
      }
    },
  });
  return { port: socket.local.port, clients };
}

function say(socket: DatagramSocket, text: string, port: number): void {
  const data = new TextEncoder().encode(text);
  socket.send([{ data, remote: { address: GATEWAY, port } }]);
}

for (const sockets of ['native', 'platform'] as const) {
  const obstacle = sockets === 'native' ? (nativeAvailable() ?? false) : false;
  const options = { skip: requires(obstacle) };

  test(
    `${sockets} sockets: a closed port of the machine is reported to the guest`,
    options,
    async () => {
      await scene(sockets, async (guest, outside) => {
        const closed = await outside.bind({ address: IpAddress.LOOPBACK4 });
        const { port } = closed.local;
        await closed.close();
        const socket = await guest.bind();
        const told = new Told(socket);
        say(socket, 'anybody?', port);
        assert.deepEqual(await told.until(1), ['CONNECTION_REFUSED']);
      });
    },
  );

  test(
    `${sockets} sockets: a second destination is reached from the same outside port, and both answer`,
    options,
    async () => {
      await scene(sockets, async (guest, outside) => {
        const [one, two] = [await server(outside), await server(outside)];
        const socket = await guest.bind();
        const told = new Told(socket);
        say(socket, 'a', one.port);
        await told.until(1);
        say(socket, 'b', two.port);
        await told.until(2);
        say(socket, 'c', one.port);
        assert.deepEqual(await told.until(3), [
          `a from ${one.port}`,
          `b from ${two.port}`,
          `c from ${one.port}`,
        ]);
        const ports = [...one.clients, ...two.clients].map(({ port }) => port);
        assert.equal(new Set(ports).size, 1);
        assert.ok(!ports.includes(socket.local.port));
      });
    },
  );
}

test(
  'native sockets: of two destinations one refuses, and the guest is told which',
  { skip: requires(nativeAvailable() ?? false) },
  async () => {
    await scene('native', async (guest, outside) => {
      const open = await server(outside);
      const closed = await outside.bind({ address: IpAddress.LOOPBACK4 });
      const { port } = closed.local;
      await closed.close();
      const socket = await guest.bind();
      const told: string[] = [];
      const both = Promise.withResolvers<void>();
      socket.start({
        receive: (batch) => {
          for (const { remote } of batch) told.push(`answer from ${remote.port}`);
          if (told.length === 3) both.resolve();
        },
        error: ({ code }, remote) => {
          told.push(`${code} to ${remote?.port}`);
          if (told.length === 3) both.resolve();
        },
      });
      say(socket, 'a', open.port);
      say(socket, 'anybody?', port);
      say(socket, 'b', open.port);
      await both.promise;
      const answer = `answer from ${open.port}`;
      assert.deepEqual(told.sort(), [`CONNECTION_REFUSED to ${port}`, answer, answer]);
    });
  },
);

test('a narrow socket sends to its one end whatever a datagram says; a wide one to each, from the same port', async () => {
  await using host = osHost({ sockets: 'platform' });
  const [one, two] = [await server(host), await server(host)];
  const socket = await bindOutside(host, 4);
  const told = new Told(socket);
  const { port } = socket.local;
  const send = (text: string, to: number): void => {
    const remote = { address: IpAddress.LOOPBACK4, port: to };
    socket.send([{ data: new TextEncoder().encode(text), remote }]);
  };
  socket.narrow!({ address: IpAddress.LOOPBACK4, port: one.port });
  send('a', two.port);
  assert.deepEqual(await told.until(1), [`a from ${one.port}`]);
  socket.widen!();
  send('b', two.port);
  assert.deepEqual(await told.until(2), [`a from ${one.port}`, `b from ${two.port}`]);
  assert.deepEqual(
    [one.clients[0]!.port, two.clients[0]!.port, socket.local.port],
    [port, port, port],
  );
  assert.equal(two.clients.length, 1);
});

test('TFTP servers answer from another port: no socket is made narrow for one', () => {
  const address = IpAddress.LOOPBACK4;
  assert.equal(answersFromThere({ address, port: 69 }), false);
  assert.equal(answersFromThere({ address, port: 53 }), true);
});
