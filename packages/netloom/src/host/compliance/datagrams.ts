import assert from 'node:assert/strict';
import {
  IpAddress,
  copyBytes,
  seededRandom,
  toHex,
  type BindOptions,
  type Datagram,
  type DatagramSocket,
  type Host,
  type NetloomError,
  type Random,
  type SocketAddress,
} from '../../core/index.ts';
import type { Check, Settings } from './contract.ts';
import { rejectsWith, type Scene } from './scene.ts';

/** UDP sockets. */
export function checkDatagrams(check: Check, settings: Settings): void {
  checkExchange(check);
  checkSockets(check);
  checkMulticast(check, settings);
}

/** A socket that keeps what comes. */
class Mailbox {
  readonly socket: DatagramSocket;
  readonly received: { data: Uint8Array; remote: SocketAddress }[] = [];
  readonly errors: NetloomError[] = [];
  /** Whom the datagrams were to that errors are about, where the host has told. */
  readonly failed: SocketAddress[] = [];
  closings = 0;
  #waiting: { count: number; resolve: () => void }[] = [];

  constructor(socket: DatagramSocket) {
    this.socket = socket;
    socket.start({
      receive: (batch) => this.#receive(batch),
      error: (error, remote) => {
        this.errors.push(error);
        if (remote !== undefined) this.failed.push(remote);
      },
      closed: () => this.closings++,
    });
  }

  static async bind(host: Host, options?: BindOptions): Promise<Mailbox> {
    return new Mailbox(await host.bind(options));
  }

  #receive(batch: readonly Datagram[]): void {
    assert.ok(batch.length > 0);
    for (const { data, remote, segmentSize } of batch) {
      const step = segmentSize ?? Math.max(1, data.length);
      // What came together is taken apart again; a datagram of no bytes is one too.
      for (let at = 0; at < Math.max(1, data.length); at += step) {
        this.received.push({ data: copyBytes(data, at, at + step), remote });
      }
    }
    this.#waiting = this.#waiting.filter(({ count, resolve }) => {
      if (this.received.length < count) return true;
      resolve();
      return false;
    });
  }

  /** Settles when so many datagrams have come in all. */
  has(count: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.received.length >= count) resolve();
      else this.#waiting.push({ count, resolve });
    });
  }
}

/** A socket of the server's at this address that sends back all it gets. */
async function echoSocket(scene: Scene, address: IpAddress): Promise<DatagramSocket> {
  const socket = await scene.server.bind({ address });
  socket.start({
    receive(batch) {
      socket.send(batch.map((datagram) => ({ ...datagram, data: copyBytes(datagram.data) })));
    },
  });
  return socket;
}

/** Sends these to the echo socket, and asserts that they come back from it in order. */
async function exchange(client: Mailbox, to: SocketAddress, sent: Uint8Array[]): Promise<void> {
  const before = client.received.length;
  const batch = sent.map((data) => ({ data: copyBytes(data), remote: to }));
  assert.equal(client.socket.send(batch), sent.length);
  await client.has(before + sent.length);
  const back = client.received.slice(before);
  assert.deepEqual(
    back.map(({ data }) => toHex(data)),
    sent.map((data) => toHex(data)),
  );
  for (const { remote } of back) {
    assert.equal(String(remote.address), String(to.address));
    assert.equal(remote.port, to.port);
  }
}

function randomBytes(random: Random, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  return random.fill(bytes);
}

function checkExchange(check: Check): void {
  const random = seededRandom(3);
  const datagrams = (sizes: number[]): Uint8Array[] =>
    sizes.map((size) => randomBytes(random, size));

  check('datagrams of 0, 1, 1,472 and 9,000 bytes come back whole', async (scene) => {
    const server = await echoSocket(scene, scene.pair.serverAddress4);
    const client = await Mailbox.bind(scene.client);
    for (const size of [0, 1, 1_472, 9_000])
      await exchange(client, server.local, datagrams([size]));
    assert.deepEqual(client.errors, []);
  });

  check('batches of datagrams come back in order', async (scene) => {
    const server = await echoSocket(scene, scene.pair.serverAddress4);
    const client = await Mailbox.bind(scene.client);
    for (let round = 0; round < 20; round++) {
      await exchange(client, server.local, datagrams(Array(32).fill(100 + round)));
    }
  });

  check('one datagram with a segment size is several', async (scene) => {
    const server = await Mailbox.bind(scene.server, { address: scene.pair.serverAddress4 });
    const client = await Mailbox.bind(scene.client);
    const [data] = datagrams([2_500]);
    const remote = server.socket.local;
    assert.equal(client.socket.send([{ data: copyBytes(data!), remote, segmentSize: 1_000 }]), 1);
    await server.has(3);
    const parts = server.received.map((datagram) => toHex(datagram.data));
    assert.deepEqual(parts, [
      toHex(data!.subarray(0, 1_000)),
      toHex(data!.subarray(1_000, 2_000)),
      toHex(data!.subarray(2_000)),
    ]);
  });

  check('datagrams over IPv6, and over both from one socket', async (scene, test) => {
    const { serverAddress4, serverAddress6 } = scene.pair;
    if (serverAddress6 === undefined) return test.skip('the pair has no IPv6');
    const client = await Mailbox.bind(scene.client);
    for (const address of [serverAddress6, serverAddress4]) {
      const server = await echoSocket(scene, address);
      await exchange(client, server.local, datagrams([1, 500]));
    }
  });

  check('datagrams that come before start are kept', async (scene) => {
    const server = await scene.server.bind({ address: scene.pair.serverAddress4 });
    const client = await Mailbox.bind(scene.client);
    client.socket.send([{ data: new Uint8Array([1, 2, 3]), remote: server.local }]);
    const echoing = await echoSocket(scene, scene.pair.serverAddress4);
    await exchange(client, echoing.local, datagrams([1]));
    const mailbox = new Mailbox(server);
    await mailbox.has(1);
    assert.deepEqual([...mailbox.received[0]!.data], [1, 2, 3]);
  });
}

function checkSockets(check: Check): void {
  check(
    'a port is chosen; one that is taken is ADDRESS_IN_USE, until it is closed',
    async (scene) => {
      const address = scene.pair.serverAddress4;
      const socket = await scene.server.bind({ address });
      const { port } = socket.local;
      assert.ok(port > 0);
      await rejectsWith('ADDRESS_IN_USE', scene.server.bind({ address, port }));
      await socket.close();
      assert.equal((await scene.server.bind({ address, port })).local.port, port);
    },
  );

  check('a datagram to a closed port does the socket no harm', async (scene) => {
    const closed = await scene.server.bind({ address: scene.pair.serverAddress4 });
    await closed.close();
    const server = await echoSocket(scene, scene.pair.serverAddress4);
    const client = await Mailbox.bind(scene.client);
    client.socket.send([{ data: new Uint8Array(10), remote: closed.local }]);
    await exchange(client, server.local, [new Uint8Array([7])]);
    await exchange(client, server.local, [new Uint8Array([8])]);
    // A host may tell (ICMP port unreachable) or not; if it does, then by the right name.
    for (const error of client.errors) assert.equal(error.code, 'CONNECTION_REFUSED');
    for (const { address, port } of client.failed) {
      assert.equal(String(address), String(closed.local.address));
      assert.equal(port, closed.local.port);
    }
  });

  check('a datagram too large for the protocol is told as DATAGRAM_TOO_LARGE', async (scene) => {
    const server = await echoSocket(scene, scene.pair.serverAddress4);
    const errors: NetloomError[] = [];
    const told = Promise.withResolvers<void>();
    const client = await scene.client.bind();
    client.start({
      error(error) {
        errors.push(error);
        told.resolve();
      },
    });
    client.send([{ data: new Uint8Array(65_508), remote: server.local }]);
    assert.equal(errors.length, 0, 'not within send()');
    await told.promise;
    assert.deepEqual(
      errors.map(({ code }) => code),
      ['DATAGRAM_TOO_LARGE'],
    );
  });

  check('a handler that throws ends its socket with HANDLER_THREW', async (scene) => {
    const gone = Promise.withResolvers<NetloomError | undefined>();
    const socket = await scene.server.bind({ address: scene.pair.serverAddress4 });
    const thrown = new Error('a defect of the handler');
    socket.start({
      receive() {
        throw thrown;
      },
      closed: gone.resolve,
    });
    const client = await Mailbox.bind(scene.client);
    client.socket.send([{ data: new Uint8Array(1), remote: socket.local }]);
    const error = await gone.promise;
    assert.equal(error?.code, 'HANDLER_THREW');
    assert.equal(error.cause, thrown);
  });

  check('close() is idempotent, and closed() is called once', async (scene) => {
    const box = await Mailbox.bind(scene.client);
    await Promise.all([box.socket.close(), box.socket.close()]);
    await box.socket[Symbol.asyncDispose]();
    assert.equal(box.closings, 1);
    await (await scene.client.bind()).close();
  });

  check(
    'two sockets, closed by whichever receives first: no call after closed(), none empty',
    async (scene) => {
      const address = scene.pair.serverAddress4;
      const sockets = await Promise.all([
        scene.server.bind({ address }),
        scene.server.bind({ address }),
      ]);
      const calls: string[][] = [[], []];
      const gone = sockets.map((socket, index) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        socket.start({
          receive(batch) {
            calls[index]!.push(`receive ${batch.length}`);
            for (const one of sockets) void one.close();
          },
          closed() {
            calls[index]!.push('closed');
            resolve();
          },
        });
        return promise;
      });
      const client = await Mailbox.bind(scene.client);
      client.socket.send(sockets.map(({ local }) => ({ data: new Uint8Array(1), remote: local })));
      await Promise.all(gone);
      await scene.roundTrip();
      for (const told of calls) assert.match(told.join(), /^(receive 1,)?closed$/);
    },
  );

  check('close() within receive()', async (scene) => {
    const gone = Promise.withResolvers<void>();
    const socket = await scene.server.bind({ address: scene.pair.serverAddress4 });
    let batches = 0;
    socket.start({
      receive() {
        batches++;
        void socket.close();
      },
      closed: () => gone.resolve(),
    });
    const client = await Mailbox.bind(scene.client);
    const remote = socket.local;
    client.socket.send([1, 2, 3].map((value) => ({ data: new Uint8Array([value]), remote })));
    await gone.promise;
    assert.equal(batches, 1);
  });
}

function checkMulticast(check: Check, settings: Settings): void {
  check(
    'a group’s members get what is sent to it, until they leave',
    async (scene) => {
      const via = scene.pair.serverAddress4;
      // 239.0.0.0/8 is for use within an organisation (RFC 2365).
      const group = IpAddress.parse('239.77.1.2');
      const first = await Mailbox.bind(scene.server, { reuseAddress: true });
      const { port } = first.socket.local;
      const second = await Mailbox.bind(scene.server, { port, reuseAddress: true });
      first.socket.joinGroup(group, via);
      second.socket.joinGroup(group, via);
      const probe = await scene.connected();
      const sender = await Mailbox.bind(scene.client, { address: probe.client.local.address });
      const remote = { address: group, port };
      sender.socket.send([{ data: new Uint8Array([1]), remote }]);
      await Promise.all([first.has(1), second.has(1)]);
      assert.equal(String(first.received[0]!.remote.address), String(sender.socket.local.address));
      first.socket.leaveGroup(group, via);
      second.socket.leaveGroup(group, via);
      sender.socket.send([{ data: new Uint8Array([2]), remote }]);
      const direct = { address: via, port: (await echoSocket(scene, via)).local.port };
      await exchange(sender, direct, [new Uint8Array([3])]);
      assert.deepEqual([first.received.length, second.received.length], [1, 1]);
    },
    settings.skip?.multicast,
  );
}
