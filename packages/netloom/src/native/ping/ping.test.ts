import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { IpAddress, ManualClock, type EchoReply } from '../../core/index.ts';
import { KernelNamespace, namespaceObstacle } from '../../../test/kernel-namespace.ts';
import { requires } from '../../../test/requires.ts';
import { inNetworkNamespace, nativeAvailable } from '../index.ts';
import { nativePing, type NativePingOptions } from './index.ts';

const options = { skip: requires(nativeAvailable() ?? namespaceObstacle), timeout: 30_000 };

/** A clock that stands still, so that nothing is ever late. */
const still = new ManualClock();

function ping(
  namespace: KernelNamespace,
  target: string,
  more: Partial<NativePingOptions> = {},
): Promise<EchoReply> {
  return inNetworkNamespace(namespace.name, () =>
    nativePing(IpAddress.parse(target), {
      clock: still,
      timeout: 1,
      size: 56,
      sequence: 0,
      hopLimit: 64,
      signal: undefined,
      ...more,
    }),
  );
}

/** Joins two namespaces by a cable, whose ends have the same name. */
function cable(from: KernelNamespace, to: KernelNamespace, name: string): void {
  from.ip('link', 'add', name, 'type', 'veth', 'peer', 'name', name, 'netns', to.name);
}

/** Gives an end its addresses. */
function number(namespace: KernelNamespace, device: string, net: number, host: number): void {
  namespace.ip('address', 'add', `10.87.${net}.${host}/24`, 'dev', device);
  namespace.ip('address', 'add', `fd87:${net}::${host}/64`, 'dev', device, 'nodad');
  namespace.ip('link', 'set', device, 'up');
}

/** How many descriptors this process has open. */
function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** Three namespaces in a row; the one in the middle forwards between 10.87.1.0/24 and 10.87.2.0/24, and the same in IPv6. */
class Row implements Disposable {
  readonly #stack = new DisposableStack();
  readonly near: KernelNamespace = this.#stack.use(new KernelNamespace('near'));
  readonly router: KernelNamespace = this.#stack.use(new KernelNamespace('router'));
  readonly far: KernelNamespace = this.#stack.use(new KernelNamespace('far'));

  constructor() {
    const { near, router, far } = this;
    for (const namespace of [near, router, far]) {
      namespace.sysctl('net.ipv6.conf.all.disable_ipv6=0', 'net.ipv6.conf.default.disable_ipv6=0');
    }
    cable(near, router, 'one');
    cable(far, router, 'two');
    number(near, 'one', 1, 1);
    number(router, 'one', 1, 9);
    number(router, 'two', 2, 9);
    number(far, 'two', 2, 2);
    router.sysctl('net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
    near.ip('route', 'add', 'default', 'via', '10.87.1.9');
    near.ip('-6', 'route', 'add', 'default', 'via', 'fd87:1::9');
    far.ip('route', 'add', 'default', 'via', '10.87.2.9');
    far.ip('-6', 'route', 'add', 'default', 'via', 'fd87:2::9');
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

for (const kind of ['ping', 'raw'] as const) {
  // A range that holds no group leaves only the raw kind, even to root (icmp(7)).
  const range = kind === 'ping' ? '0 2147483647' : '1 0';

  test(`echo over a ${kind} socket: size, sequence and hop limit come back`, options, async () => {
    using row = new Row();
    row.near.sysctl(`net.ipv4.ping_group_range=${range}`);
    const far = await ping(row.near, '10.87.2.2', { sequence: 7, size: 1000 });
    assert.equal(far.from.toString(), '10.87.2.2');
    assert.equal(far.sequence, 7);
    assert.equal(far.size, 1000);
    assert.equal(far.hopLimit, 63, 'one router on the way back');
    const far6 = await ping(row.near, 'fd87:2::2', { sequence: 65_535, size: 0 });
    assert.equal(far6.size, 0);
    assert.equal(far6.sequence, 65_535);
    assert.equal(far6.hopLimit, 63);
    const near = await ping(row.near, '127.0.0.1', { size: 65_507 });
    assert.equal(near.size, 65_507);
    assert.equal(near.hopLimit, 64);
  });

  test(`what routers answer is told over a ${kind} socket`, options, async () => {
    using row = new Row();
    row.near.sysctl(`net.ipv4.ping_group_range=${range}`);
    for (const [target, router] of [
      ['10.87.2.2', '10.87.1.9'],
      ['fd87:2::2', 'fd87:1::9'],
    ] as const) {
      await assert.rejects(ping(row.near, target, { hopLimit: 1 }), {
        code: 'EHOSTUNREACH',
        message: new RegExp(`hop limit used up, says ${router}`),
      });
    }
    for (const target of ['10.99.0.1', 'fd99::1']) {
      await assert.rejects(ping(row.near, target), { code: 'ENETUNREACH', message: /says/ });
    }
    // Without a route the kernel itself says so.
    await assert.rejects(ping(row.router, '10.99.0.1'), { code: 'ENETUNREACH' });
  });

  test(`a hundred at once over ${kind} sockets each have their own reply`, options, async () => {
    using row = new Row();
    row.near.sysctl(`net.ipv4.ping_group_range=${range}`);
    const targets = ['10.87.2.2', 'fd87:2::2', '10.87.1.9', '127.0.0.1'];
    const replies = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        // One sequence number for all: only the identifier tells them apart.
        ping(row.near, targets[i % 4]!, { sequence: 5, size: i }),
      ),
    );
    for (const [i, reply] of replies.entries()) {
      assert.equal(reply.size, i);
      assert.equal(reply.from.toString(), targets[i % 4]);
    }
  });
}

test(
  'a link-local address is reached through its zone, and an unknown zone is named',
  options,
  async () => {
    using row = new Row();
    const described = JSON.parse(row.router.ip('-6', '-j', 'address', 'show', 'dev', 'one')) as {
      addr_info: { local: string; scope: string }[];
    }[];
    const address = described[0]!.addr_info.find(({ scope }) => scope === 'link')!.local;
    const reply = await ping(row.near, `${address}%one`);
    assert.equal(reply.from.toString(), `${address}%one`);
    await assert.rejects(ping(row.near, `${address}%nine`), {
      code: 'NETWORK_UNREACHABLE',
      message: /'nine'/,
    });
  },
);

test(
  'no reply is TIMEOUT when the clock says so, an aborted one ABORTED, and neither leaves a descriptor',
  options,
  async () => {
    using row = new Row();
    const silent = '10.87.1.1';
    row.near.ip('neighbour', 'add', '10.87.1.77', 'lladdr', '02:00:00:00:00:77', 'dev', 'one');
    await ping(row.near, silent);
    assert.equal(still.deadline(), Infinity, 'no timer of a ping that is over');
    const open = descriptors();
    const clock = new ManualClock();
    const late = ping(row.near, '10.87.1.77', { clock, timeout: 1000 });
    const controller = new AbortController();
    const given = ping(row.near, '10.87.1.77', { signal: controller.signal });
    const outcomes = Promise.allSettled([late, given]);
    controller.abort();
    clock.advance(1000);
    const codes = (await outcomes).map((outcome) =>
      outcome.status === 'rejected' ? (outcome.reason as { code: string }).code : 'replied',
    );
    assert.deepEqual(codes, ['TIMEOUT', 'ABORTED']);
    await assert.rejects(ping(row.near, silent, { signal: controller.signal }), {
      code: 'ABORTED',
    });
    assert.equal(descriptors(), open);
  },
);

test('a size that no packet holds is refused', options, async () => {
  using namespace = new KernelNamespace('size');
  for (const size of [-1, 65_508, NaN]) {
    await assert.rejects(ping(namespace, '127.0.0.1', { size }), { code: 'DATAGRAM_TOO_LARGE' });
  }
});
