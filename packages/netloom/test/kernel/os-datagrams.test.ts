/** UDP sockets of the operating system's, driven by system calls, where loopback is not enough: routers, MTUs, groups, zones, a line that is full. */
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
} from 'netloom/core';
import { osHost, type OsHost } from 'netloom/host';
import { inNetworkNamespace, nativeAvailable } from '../../src/native/index.ts';
import { KernelNamespace, namespaceObstacle, type NamespaceProgram } from '../kernel-namespace.ts';
import { program, requires, type Obstacle } from '../requires.ts';

const needed: Obstacle[] = [nativeAvailable() ?? false, namespaceObstacle];
const timeout = 30_000;
const options = { skip: requires(...needed), timeout };

const host: OsHost = osHost({ sockets: 'native' });
after(() => host.close());

/** A cable of the usual MTU between two namespaces; its ends are called `cable`. */
class Cable implements Disposable {
  readonly #stack = new DisposableStack();
  readonly near: KernelNamespace = this.#stack.use(new KernelNamespace('near'));
  readonly far: KernelNamespace = this.#stack.use(new KernelNamespace('far'));

  constructor() {
    const { near, far } = this;
    for (const namespace of [near, far]) namespace.enableIpv6();
    near.ip('link', 'add', 'cable', 'type', 'veth', 'peer', 'name', 'cable', 'netns', far.name);
    for (const [namespace, number] of [
      [near, 1],
      [far, 2],
    ] as const) {
      namespace.ip('address', 'add', `10.89.0.${number}/24`, 'dev', 'cable');
      namespace.ip('address', 'add', `fd89::${number}/64`, 'dev', 'cable', 'nodad');
      namespace.ip('link', 'set', 'cable', 'up');
    }
    for (const namespace of [near, far]) while (!isRunning(namespace));
    near.ip('route', 'add', 'default', 'via', '10.89.0.2');
    near.ip('-6', 'route', 'add', 'default', 'via', 'fd89::2');
    far.sysctl('net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

/** An end has its link-local address when the kernel has seen that the other is up too; what is sent before is lost. */
function isRunning(namespace: KernelNamespace): boolean {
  const [link] = JSON.parse(namespace.ip('-j', 'link', 'show', 'dev', 'cable'));
  const addresses = namespace.ip('-6', 'address', 'show', 'dev', 'cable');
  const isNumbered = addresses.includes('inet6 fe80:') && !addresses.includes('tentative');
  return (link as { operstate: string }).operstate === 'UP' && isNumbered;
}

/** A socket in a namespace, and what it has been told. */
class Inbox implements AsyncDisposable {
  readonly socket: DatagramSocket;
  readonly received: Datagram[] = [];
  readonly errors: string[] = [];
  #changed = Promise.withResolvers<void>();

  constructor(socket: DatagramSocket) {
    this.socket = socket;
    socket.start({
      receive: (batch) => {
        for (const one of batch) this.received.push({ ...one, data: copyBytes(one.data) });
        this.#tell();
      },
      error: ({ code, message }) => {
        this.errors.push(`${code} ${message}`);
        this.#tell();
      },
    });
  }

  /** What a native host binds, it has bound when `bind` returns. */
  static async bind(namespace: KernelNamespace, more: BindOptions = {}): Promise<Inbox> {
    return new Inbox(await inNetworkNamespace(namespace.name, () => host.bind(more)));
  }

  get segments(): Uint8Array[] {
    const all: Uint8Array[] = [];
    for (const one of this.received) forEachSegment(one, (segment) => all.push(segment));
    return all;
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await this.#changed.promise;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.socket.close();
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

const FAR = [IpAddress.parse('10.89.0.2'), IpAddress.parse('fd89::2')];

test(
  'segments that fit into the MTU travel together, longer ones one by one',
  options,
  async () => {
    using cable = new Cable();
    for (const address of FAR) {
      await using inbox = await Inbox.bind(cable.far, { joinsSegments: true });
      await using sender = await Inbox.bind(cable.near);
      const remote = { address, port: inbox.socket.local.port };
      for (const [segmentSize, isTogether] of [
        [1400, true],
        [2000, false],
        [1400, true],
      ] as const) {
        inbox.received.length = 0;
        const data = Uint8Array.from({ length: 9_100 }, (_, i) => i % 251);
        sender.socket.send([{ data: copyBytes(data), remote, segmentSize }]);
        await inbox.until(() => inbox.segments.length === Math.ceil(9_100 / segmentSize));
        assert.deepEqual(new Uint8Array(Buffer.concat(inbox.segments)), data);
        assert.equal(inbox.received.length === 1, isTogether, `${segmentSize} bytes each`);
      }
      assert.deepEqual(sender.errors, []);
    }
  },
);

test('what a router says of a datagram is told, and who said so', options, async () => {
  using cable = new Cable();
  await using sender = await Inbox.bind(cable.near);
  for (const [to, router] of [
    ['10.99.0.1', '10.89.0.2'],
    ['fd99::1', 'fd89::2'],
  ] as const) {
    const remote = { address: IpAddress.parse(to), port: 9 };
    sender.errors.length = 0;
    sender.socket.send([{ data: new Uint8Array(8), remote }]);
    await sender.until(() => sender.errors.length === 1);
    assert.match(sender.errors[0]!, new RegExp(`^NETWORK_UNREACHABLE .*says ${router}: `));
  }
});

test('a path too narrow for a datagram is told', options, async () => {
  using cable = new Cable();
  cable.far.ip('link', 'add', 'beyond', 'type', 'veth', 'peer', 'name', 'end');
  cable.far.ip('address', 'add', '10.90.0.1/24', 'dev', 'beyond');
  cable.far.ip('link', 'set', 'beyond', 'mtu', '1300', 'up');
  cable.far.ip('link', 'set', 'end', 'mtu', '1300', 'up');
  cable.far.ip('neighbour', 'add', '10.90.0.2', 'lladdr', '02:00:00:00:00:02', 'dev', 'beyond');
  await using sender = await Inbox.bind(cable.near);
  const remote = { address: IpAddress.parse('10.90.0.2'), port: 9 };
  sender.socket.send([{ data: new Uint8Array(1400), remote }]);
  await sender.until(() => sender.errors.length === 1);
  assert.match(sender.errors[0]!, /^DATAGRAM_TOO_LARGE .*says 10\.89\.0\.2: /);
});

test(
  'a line that is full holds datagrams back, and they go when it has room',
  {
    skip: requires(...needed, program('tc')),
    timeout,
  },
  async () => {
    using cable = new Cable();
    const rate = 'rate 40mbit burst 32k limit 4m'.split(' ');
    await cable.near.run('tc', 'qdisc', 'add', 'dev', 'cable', 'root', 'tbf', ...rate);
    const drops = host.drops.snapshot();
    await using inbox = await Inbox.bind(cable.far);
    await using sender = await Inbox.bind(cable.near);
    const remote = { address: FAR[0]!, port: inbox.socket.local.port };
    // More than the kernel's send buffer, less than that and what waits.
    const count = 600;
    const batch = Array.from({ length: count }, (_, i) => {
      const data = new Uint8Array(1000);
      new DataView(data.buffer).setUint16(0, i);
      return { data, remote };
    });
    assert.equal(sender.socket.send(batch), count);
    await inbox.until(() => inbox.segments.length === count);
    const numbers = inbox.segments.map(({ buffer, byteOffset }) =>
      new DataView(buffer, byteOffset).getUint16(0),
    );
    assert.deepEqual(
      numbers,
      batch.map((_, i) => i),
    );
    const many = Array.from({ length: 4_000 }, () => ({ data: new Uint8Array(1000), remote }));
    const taken = sender.socket.send(many);
    assert.ok(taken < many.length, 'the limit is reached');
    await sender.socket.close();
    const dropped = host.drops.get('send-buffer-full') - (drops['send-buffer-full'] ?? 0);
    assert.equal(dropped, many.length - taken);
    assert.ok(host.drops.get('closed-before-sent') > (drops['closed-before-sent'] ?? 0));
  },
);

test(
  'a group is joined on the interface with an address, and heard until it is left',
  options,
  async () => {
    using cable = new Cable();
    for (const [group, via, from, far] of [
      ['239.89.0.1', '10.89.0.2', '10.89.0.1', FAR[0]!],
      ['ff15::89', 'fd89::2', 'fd89::1', FAR[1]!],
    ] as const) {
      const address = IpAddress.parse(group);
      await using member = await Inbox.bind(cable.far);
      const { port } = member.socket.local;
      await using other = await Inbox.bind(cable.far, { port: 0 });
      const { socket } = member;
      inNetworkNamespace(cable.far.name, () => socket.joinGroup(address, IpAddress.parse(via)));
      await using sender = await Inbox.bind(cable.near, { address: IpAddress.parse(from) });
      const send = (to: IpAddress, value: number): void => {
        const data = new Uint8Array([value]);
        sender.socket.send([{ data, remote: { address: to, port } }]);
      };
      send(address, 1);
      await member.until(() => member.received.length === 1);
      assert.equal(String(member.received[0]!.local), group);
      assert.equal(String(member.received[0]!.remote.address), from);
      inNetworkNamespace(cable.far.name, () => socket.leaveGroup(address, IpAddress.parse(via)));
      send(address, 2);
      send(far, 3);
      await member.until(() => member.received.length === 2);
      assert.equal(member.received[1]!.data[0], 3);
      assert.deepEqual(other.received, []);
    }
  },
);

test(
  'a socket that has not joined a group does not hear what others’ groups get',
  options,
  async () => {
    using cable = new Cable();
    for (const [address, group, far, near] of [
      [IpAddress.ANY4, '239.89.0.2', FAR[0]!, '10.89.0.1'],
      [IpAddress.ANY6, 'ff15::90', FAR[1]!, 'fd89::1'],
    ] as const) {
      const bound = { address, reuseAddress: true };
      await using member = await Inbox.bind(cable.far, bound);
      const { port } = member.socket.local;
      await using bystander = await Inbox.bind(cable.far, { ...bound, port });
      const to = { address: IpAddress.parse(group), port };
      inNetworkNamespace(cable.far.name, () => member.socket.joinGroup(to.address, far));
      await using sender = await Inbox.bind(cable.near, { address: IpAddress.parse(near) });
      sender.socket.send([{ data: new Uint8Array([1]), remote: to }]);
      await member.until(() => member.received.length === 1);
      // To the address, it goes to one of the two: the one that was bound last.
      sender.socket.send([{ data: new Uint8Array([2]), remote: { address: far, port } }]);
      await bystander.until(() => bystander.received.length === 1);
      assert.equal(bystander.received[0]!.data[0], 2);
    }
  },
);

/** A program in a namespace, where the names of interfaces are those of the namespace. */
function station(namespace: KernelNamespace, code: string): NamespaceProgram {
  const source = new URL('../../src/', import.meta.url).href;
  const imports = `
    import { osHost } from '${source}host/os/os-host.ts';
    import { IpAddress, copyBytes } from '${source}core/index.ts';
    const host = osHost({ sockets: 'native' });`;
  const words = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e'];
  return namespace.startProgram(process.execPath, ...words, imports + code);
}

function linkLocal(namespace: KernelNamespace): string {
  const [described] = JSON.parse(namespace.ip('-6', '-j', 'address', 'show', 'dev', 'cable')) as [
    { addr_info: { local: string; scope: string }[] },
  ];
  return described.addr_info.find(({ scope }) => scope === 'link')!.local;
}

test(
  'link-local addresses go with their zones: bound to, sent to, received from',
  options,
  async () => {
    using cable = new Cable();
    const [near, far] = [linkLocal(cable.near), linkLocal(cable.far)];
    const server = station(
      cable.far,
      `
    const socket = await host.bind({ port: 7000 });
    socket.start({
      receive(batch) {
        for (const { data, remote, local } of batch) {
          console.log(remote.address + ' to ' + local);
          socket.send([{ data: copyBytes(data), remote, local }]);
        }
      },
      error: (error) => console.log(error.message),
    });
    console.log('ready');`,
    );
    assert.equal(await server.line(), 'ready');
    for (const bound of [`{ address: IpAddress.parse('${near}%cable') }`, '']) {
      const client = station(
        cable.near,
        `
      const socket = await host.bind(${bound});
      const remote = { address: IpAddress.parse('${far}%cable'), port: 7000 };
      socket.start({
        receive([{ remote }]) {
          console.log(socket.local.address + ' has an answer from ' + remote.address);
          void host.close();
        },
        error: (error) => console.log(error.message),
      });
      socket.send([{ data: new Uint8Array(1), remote }]);`,
      );
      assert.equal(await server.line(), `${near}%cable to ${far}%cable`);
      const local = bound === '' ? '::' : `${near}%cable`;
      assert.equal(await client.line(), `${local} has an answer from ${far}%cable`);
      await client.ended;
    }
  },
);

test('without IPv6 addresses, a socket for both families still has IPv4', options, async () => {
  using namespace = new KernelNamespace('four');
  await using inbox = await Inbox.bind(namespace);
  await using sender = await Inbox.bind(namespace);
  const { port } = inbox.socket.local;
  sender.socket.send([
    { data: new Uint8Array([6]), remote: { address: IpAddress.LOOPBACK6, port } },
    { data: new Uint8Array([4]), remote: { address: IpAddress.LOOPBACK4, port } },
  ]);
  await inbox.until(() => inbox.received.length === 1);
  assert.equal(inbox.received[0]!.data[0], 4);
  await sender.until(() => sender.errors.length === 1);
});

test('what was asked of a host in a namespace is refused there by name', options, async () => {
  using namespace = new KernelNamespace('refused');
  const address = IpAddress.parse('10.89.0.1');
  await assert.rejects(
    inNetworkNamespace(namespace.name, () => host.bind({ address })),
    (error: NetloomError) => error.code === 'ADDRESS_NOT_AVAILABLE',
  );
});
