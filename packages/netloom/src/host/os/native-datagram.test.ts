/** UDP sockets that are driven by system calls: what the platform's cannot do. What both can is in the compliance suite. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  IpAddress,
  copyBytes,
  forEachSegment,
  type BindOptions,
  type Datagram,
  type DatagramSocket,
  type NetloomError,
  type SocketAddress,
} from '../../core/index.ts';
import { nativeAvailable } from '../../native/index.ts';
import { requires } from '../../../test/requires.ts';
import { osHost, type OsHost, type OsHostOptions } from './os-host.ts';

const options = { skip: requires(nativeAvailable() ?? false), timeout: 30_000 };
const HERE4 = IpAddress.LOOPBACK4;
const HERE6 = IpAddress.LOOPBACK6;

/** All there were: the sockets of a test that has timed out would keep the process alive. */
const hosts: OsHost[] = [];
after(() => Promise.all(hosts.map((host) => host.close())));

function nativeHost(more: OsHostOptions = {}): OsHost {
  const host = osHost({ ...more, sockets: 'native' });
  hosts.push(host);
  return host;
}

/** A socket and what it has been told. */
class Inbox {
  readonly socket: DatagramSocket;
  readonly received: Datagram[] = [];
  readonly errors: { error: NetloomError; remote: SocketAddress | undefined }[] = [];
  #changed = Promise.withResolvers<void>();

  constructor(socket: DatagramSocket) {
    this.socket = socket;
    socket.start({
      receive: (batch) => {
        for (const one of batch) this.received.push({ ...one, data: copyBytes(one.data) });
        this.#tell();
      },
      error: (error, remote) => {
        this.errors.push({ error, remote });
        this.#tell();
      },
    });
  }

  static async bind(host: OsHost, more: BindOptions = {}): Promise<Inbox> {
    return new Inbox(await host.bind(more));
  }

  get port(): number {
    return this.socket.local.port;
  }

  /** Settles when it holds. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await this.#changed.promise;
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** An address and port where nobody is. */
async function closedPort(host: OsHost, address: IpAddress): Promise<SocketAddress> {
  const socket = await host.bind({ address });
  await socket.close();
  return { address, port: socket.local.port };
}

function oneByte(remote: SocketAddress): Datagram {
  return { data: bytes(1), remote };
}

function bytes(...values: number[]): Uint8Array {
  return new Uint8Array(values);
}

test(
  'ECN bits go out and are told, over both families and from a socket for both',
  options,
  async () => {
    await using host = nativeHost();
    for (const [from, to] of [
      [HERE4, HERE4],
      [HERE6, HERE6],
      [undefined, HERE4],
      [undefined, HERE6],
    ] as const) {
      const sender = await host.bind(from === undefined ? {} : { address: from });
      for (const bound of [{}, { address: to }]) {
        const inbox = await Inbox.bind(host, bound);
        const remote = { address: to, port: inbox.port };
        const marks = [0, 1, 2, 3];
        sender.send([
          ...marks.map((ecn) => ({ data: bytes(ecn), remote, ecn })),
          { data: bytes(9), remote },
        ]);
        await inbox.until(() => inbox.received.length === 5);
        assert.deepEqual(
          inbox.received.map(({ data, ecn }) => [data[0], ecn]),
          [...marks.map((ecn) => [ecn, ecn]), [9, 0]],
        );
      }
    }
  },
);

test('the address a datagram came to is told, and an answer leaves from it', options, async () => {
  await using host = nativeHost();
  const [other, third] = [IpAddress.parse('127.0.0.77'), IpAddress.parse('127.0.0.78')];
  for (const address of [undefined, IpAddress.ANY4]) {
    const server = await Inbox.bind(host, address === undefined ? {} : { address });
    const client = await Inbox.bind(host, { address: third });
    client.socket.send([{ data: bytes(1), remote: { address: other, port: server.port } }]);
    await server.until(() => server.received.length === 1);
    const [{ local, remote }] = server.received as [Datagram];
    assert.equal(String(local), '127.0.0.77');
    assert.equal(String(remote.address), '127.0.0.78');
    server.socket.send([{ data: bytes(2), remote, local: local! }]);
    await client.until(() => client.received.length === 1);
    assert.equal(String(client.received[0]!.remote.address), '127.0.0.77');
    assert.equal(String(client.received[0]!.local), '127.0.0.78', 'of a bound socket, its address');
  }
  const server = await Inbox.bind(host);
  const client = await Inbox.bind(host, { address: HERE6 });
  client.socket.send([{ data: bytes(1), remote: { address: HERE6, port: server.port } }]);
  await server.until(() => server.received.length === 1);
  const [{ local, remote }] = server.received as [Datagram];
  assert.equal(String(local), '::1');
  server.socket.send([{ data: bytes(2), remote, local: local! }]);
  await client.until(() => client.received.length === 1);
});

test(
  'an answer to a group or to everybody leaves from an address that the kernel chooses',
  options,
  async () => {
    await using host = nativeHost();
    const inbox = await Inbox.bind(host, { address: HERE4 });
    const sender = await Inbox.bind(host, { address: IpAddress.ANY4 });
    for (const local of ['239.1.2.3', '255.255.255.255', '0.0.0.0', '::1']) {
      const before = inbox.received.length;
      const remote = inbox.socket.local;
      sender.socket.send([{ data: bytes(1), remote, local: IpAddress.parse(local) }]);
      await inbox.until(() => inbox.received.length > before);
    }
    assert.deepEqual(sender.errors, []);
  },
);

test('an address that is not ours is no source: the error says so', options, async () => {
  await using host = nativeHost();
  const sender = await Inbox.bind(host);
  const remote = { address: HERE4, port: 9 };
  sender.socket.send([{ data: bytes(1), remote, local: IpAddress.parse('192.0.2.1') }]);
  await sender.until(() => sender.errors.length > 0);
  assert.equal(sender.errors[0]!.remote, remote);
});

test(
  'segments travel as one, the kernel cutting and joining them, and are all there',
  options,
  async () => {
    await using host = nativeHost();
    for (const address of [HERE4, HERE6]) {
      const inbox = await Inbox.bind(host, { address, joinsSegments: true });
      const sender = await host.bind();
      const data = Uint8Array.from({ length: 100_100 }, (_, i) => i % 251);
      sender.send([
        { data: copyBytes(data), remote: inbox.socket.local, segmentSize: 1_000, ecn: 2 },
      ]);
      const segments = (): Uint8Array[] => {
        const all: Uint8Array[] = [];
        for (const one of inbox.received) forEachSegment(one, (segment) => all.push(segment));
        return all;
      };
      await inbox.until(() => segments().length === 101);
      assert.deepEqual(new Uint8Array(Buffer.concat(segments())), data);
      assert.deepEqual(
        inbox.received.map(({ data: { length }, segmentSize, ecn }) => [length, segmentSize, ecn]),
        [
          [64_000, 1_000, 2],
          [36_100, 1_000, 2],
        ],
      );
    }
  },
);

test('who has not asked for joined segments gets them one by one', options, async () => {
  await using host = nativeHost();
  const inbox = await Inbox.bind(host, { address: HERE4 });
  const sender = await host.bind();
  const data = new Uint8Array(10_000);
  sender.send([{ data, remote: inbox.socket.local, segmentSize: 1_000 }]);
  await inbox.until(() => inbox.received.length === 10);
  for (const one of inbox.received) {
    assert.deepEqual([one.data.length, one.segmentSize], [1_000, undefined]);
  }
});

test('the longest datagrams come whole, many of them', options, async () => {
  await using host = nativeHost();
  for (const [address, longest] of [
    [HERE4, 65_507],
    [HERE6, 65_527],
  ] as const) {
    const inbox = await Inbox.bind(host, { address });
    const sender = await host.bind();
    const remote = inbox.socket.local;
    for (let i = 1; i <= 20; i++) {
      const data = new Uint8Array(longest).fill(i);
      assert.equal(sender.send([{ data, remote }]), 1);
      await inbox.until(() => inbox.received.length === i);
    }
    for (const [i, { data }] of inbox.received.entries()) {
      assert.equal(data.length, longest);
      assert.ok(data.every((value) => value === i + 1));
    }
  }
});

test('more than fit into one call are handed on in order', options, async () => {
  await using host = nativeHost();
  const inbox = await Inbox.bind(host, { address: HERE4 });
  const sender = await host.bind({ address: HERE4 });
  // Fewer than the kernel keeps for a socket.
  const values = Array.from({ length: 150 }, (_, i) => i);
  const remote = inbox.socket.local;
  assert.equal(sender.send(values.map((value) => ({ data: bytes(value), remote }))), 150);
  await inbox.until(() => inbox.received.length === 150);
  assert.deepEqual(
    inbox.received.map(({ data }) => data[0]),
    values,
  );
});

test(
  'of several destinations, who refuses is told, over both families; the others get theirs',
  options,
  async () => {
    await using host = nativeHost();
    for (const address of [HERE4, HERE6]) {
      for (const bound of [{}, { address }]) {
        const sender = await Inbox.bind(host, bound);
        const inbox = await Inbox.bind(host, { address });
        const closed = await closedPort(host, address);
        const batch = [inbox.socket.local, closed, inbox.socket.local].map(oneByte);
        assert.equal(sender.socket.send(batch), 3);
        await inbox.until(() => inbox.received.length === 2);
        await sender.until(() => sender.errors.length === 1);
        const [{ error, remote }] = sender.errors as [Inbox['errors'][number]];
        assert.equal(error.code, 'CONNECTION_REFUSED');
        assert.match(error.message, new RegExp(`to \\S*:${closed.port}: says ${address}: `));
        assert.equal(String(remote!.address), String(address));
        assert.equal(remote!.port, closed.port);
      }
    }
  },
);

test('many refusals cost none of the datagrams to others', options, async () => {
  await using host = nativeHost();
  const sender = await Inbox.bind(host);
  const inbox = await Inbox.bind(host, { address: HERE4 });
  // Each is in the way of the next that is sent, as an error that the kernel has yet to tell. (How many are told is limited by `icmp_ratelimit` elsewhere.)
  const closed = await closedPort(host, HERE4);
  for (let i = 0; i < 100; i++) {
    sender.socket.send([{ data: bytes(i), remote: closed }]);
    sender.socket.send([{ data: bytes(i), remote: inbox.socket.local }]);
  }
  await inbox.until(() => inbox.received.length === 100);
  await sender.until(() => sender.errors.length === 100);
  assert.deepEqual(
    [...new Set(sender.errors.map(({ error }) => error.code))],
    ['CONNECTION_REFUSED'],
  );
});

test('errors are told after send() has returned, and not after close()', options, async () => {
  await using host = nativeHost();
  const sender = await Inbox.bind(host);
  const closed = await closedPort(host, HERE4);
  sender.socket.send([{ data: bytes(1), remote: closed }]);
  sender.socket.send([{ data: new Uint8Array(70_000), remote: closed }]);
  assert.deepEqual(sender.errors, []);
  await sender.socket.close();
  await new Promise<void>((resolve) => host.clock.defer(resolve));
  assert.deepEqual(sender.errors, []);
});

test('the same end as last time is the same object', options, async () => {
  await using host = nativeHost();
  for (const address of [HERE4, HERE6]) {
    const inbox = await Inbox.bind(host);
    const [one, two] = [await host.bind({ address }), await host.bind({ address })];
    const remote = { address, port: inbox.port };
    for (const sender of [one, one, two, two, one]) {
      const before = inbox.received.length;
      sender.send([{ data: bytes(1), remote }]);
      await inbox.until(() => inbox.received.length > before);
    }
    const remotes = inbox.received.map((datagram) => datagram.remote);
    assert.deepEqual(
      remotes.map(({ port }) => port),
      [one, one, two, two, one].map(({ local: { port } }) => port),
    );
    assert.equal(remotes[0], remotes[1]);
    assert.equal(remotes[2], remotes[3]);
    assert.equal(new Set(inbox.received.map(({ local }) => local)).size, 1);
  }
});

test(
  'what comes before start() is kept up to the limit, segments counting each',
  options,
  async () => {
    await using host = nativeHost({ limits: { receiveQueue: 10 } });
    const socket = await host.bind({ address: HERE4, joinsSegments: true });
    const sender = await host.bind();
    const remote = socket.local;
    sender.send([
      { data: new Uint8Array(80), remote, segmentSize: 10 },
      { data: new Uint8Array(30), remote, segmentSize: 10 },
      { data: bytes(1), remote },
      { data: bytes(2), remote },
      { data: bytes(3), remote },
    ]);
    while (host.drops.get('receive-queue-full') < 4) {
      await new Promise<void>((resolve) => host.clock.defer(resolve));
    }
    const inbox = new Inbox(socket);
    assert.equal(inbox.received.length, 0, 'not within start()');
    sender.send([{ data: bytes(4), remote }]);
    await inbox.until(() => inbox.received.length === 4);
    assert.deepEqual(
      inbox.received.map(({ data }) => (data.length > 1 ? data.length : data[0])),
      [80, 1, 2, 4],
    );
    assert.deepEqual(host.drops.snapshot(), { 'receive-queue-full': 4 });
  },
);

test('a zone that is not is an error of its own; what is sent beside goes', options, async () => {
  await using host = nativeHost();
  const inbox = await Inbox.bind(host, { address: HERE6 });
  const sender = await Inbox.bind(host);
  const nowhere = { address: IpAddress.parse('fe80::1%nowhere'), port: 9 };
  assert.equal(
    sender.socket.send([inbox.socket.local, nowhere, inbox.socket.local].map(oneByte)),
    3,
  );
  await inbox.until(() => inbox.received.length === 2);
  await sender.until(() => sender.errors.length === 1);
  const [{ error, remote }] = sender.errors as [Inbox['errors'][number]];
  assert.equal(error.code, 'NETWORK_UNREACHABLE');
  assert.match(error.message, /'nowhere'/);
  assert.equal(remote, nowhere);
  await assert.rejects(host.bind({ address: nowhere.address }), { code: 'NETWORK_UNREACHABLE' });
});

test('addresses that cannot be bound are refused by name', options, async () => {
  await using host = nativeHost();
  await assert.rejects(host.bind({ address: IpAddress.parse('192.0.2.1') }), {
    code: 'ADDRESS_NOT_AVAILABLE',
    message: /cannot bind UDP 192\.0\.2\.1:0/,
  });
  const socket = await host.bind({ address: HERE4 });
  assert.throws(() => socket.joinGroup(HERE4), /cannot join 127\.0\.0\.1/);
  assert.throws(() => socket.leaveGroup(IpAddress.parse('239.1.2.3')), {
    code: 'ADDRESS_NOT_AVAILABLE',
  });
});

test('who transfers what was lent to him harms no other socket', options, async () => {
  await using host = nativeHost();
  const thief = await host.bind({ address: HERE4 });
  const taken = Promise.withResolvers<void>();
  thief.start({
    receive: ([datagram]) => {
      structuredClone(datagram!.data, { transfer: [datagram!.data.buffer as ArrayBuffer] });
      taken.resolve();
    },
  });
  const inbox = await Inbox.bind(host, { address: HERE4 });
  const sender = await host.bind();
  sender.send([{ data: bytes(1), remote: thief.local }]);
  await taken.promise;
  sender.send([{ data: bytes(7), remote: inbox.socket.local }]);
  await inbox.until(() => inbox.received.length === 1);
  assert.deepEqual([...inbox.received[0]!.data], [7]);
});
