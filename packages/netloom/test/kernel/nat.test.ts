/** Our NAT between two kernels: a client's namespace and a server's, each on a TAP of our router, the server knowing nothing of the client's network. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { IpAddress } from 'netloom/core';
import { SystemClock, stackHost, type StackHost } from 'netloom/host';
import { openNat, type Nat, type NatOptions } from 'netloom/ip';
import { openTap } from 'netloom/link/tap';
import { KernelNamespace, tapObstacle } from '../kernel-namespace.ts';
import { privilege, program, requires } from '../requires.ts';
import { NGINX_PORT, Nginx } from './nginx.ts';
import { writePattern } from './pattern.ts';

const skip = requires(
  privilege(),
  tapObstacle,
  program('nginx'),
  program('curl'),
  program('ping'),
  program('sha256sum'),
);
const options = { skip, timeout: 120_000 };
const LENGTH = 64 << 20;

/** The client's and the server's address of each family, and what the client is seen as. */
const FAMILIES = [
  {
    family: 4,
    client: '10.90.0.2',
    server: '203.0.113.2',
    external: '203.0.113.1',
    gateway: '10.90.0.1',
  },
  {
    family: 6,
    client: 'fd00:90::2',
    server: '2001:db8::2',
    external: '2001:db8::1',
    gateway: 'fd00:90::1',
  },
] as const;

function inUrl(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** The two namespaces and the router between them. */
class NatBetweenKernels implements AsyncDisposable {
  readonly client: KernelNamespace = new KernelNamespace('nat-client');
  readonly server: KernelNamespace = new KernelNamespace('nat-server');
  readonly router: StackHost;
  readonly nat: Nat;

  constructor(behaviour: NatOptions['behaviour'] = {}, offload = true) {
    this.router = stackHost({ clock: new SystemClock(), name: 'router', forwarding: true });
    const inside = this.#attach(this.client, 'inside0', 'client', 'gateway', offload);
    const outside = this.#attach(this.server, 'outside0', 'server', 'external', offload);
    for (const { gateway } of FAMILIES) {
      this.client.ip('route', 'add', 'default', 'via', gateway);
    }
    this.nat = openNat(this.router.stack, {
      inside: [inside],
      outside,
      external: FAMILIES.map(({ external }) => IpAddress.parse(external)),
      behaviour,
    });
  }

  #attach(
    namespace: KernelNamespace,
    name: string,
    theirs: 'client' | 'server',
    ours: 'gateway' | 'external',
    offload: boolean,
  ) {
    namespace.enableIpv6();
    const tap = openTap({ name, namespace: namespace.name, mtu: 1500, offload });
    const addresses: string[] = [];
    for (const family of FAMILIES) {
      const length = family.family === 4 ? 24 : 64;
      const flags = family.family === 6 ? ['nodad'] : [];
      namespace.ip('address', 'add', `${family[theirs]}/${length}`, 'dev', name, ...flags);
      addresses.push(`${family[ours]}/${length}`);
    }
    return this.router.addInterface(tap, { addresses });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.router.close();
    this.client[Symbol.dispose]();
    this.server[Symbol.dispose]();
  }
}

for (const offload of [true, false]) {
  const how = offload ? 'with' : 'without';
  test(`curl fetches 64 MiB from nginx through our NAT, ${how} offload`, options, async () => {
    using nginx = new Nginx();
    const expected = writePattern(nginx.path('large'), LENGTH);
    await using lan = new NatBetweenKernels({}, offload);
    await nginx.start(lan.server);
    for (const { server, family } of FAMILIES) {
      const url = `http://${inUrl(server)}:${NGINX_PORT}/large`;
      const command = `curl --silent --show-error --globoff --fail ${url} | sha256sum`;
      const said = await lan.client.run('sh', '-c', command);
      assert.equal(said, `${expected}  -\n`, `IPv${family}`);
    }
    // curl ends without waiting for the last acknowledgement.
    while ([...lan.nat.flows()].some(({ state }) => state !== 'ended')) await setImmediate();
    const flows = [...lan.nat.flows()];
    assert.equal(flows.length, FAMILIES.length);
    assert.ok(flows.every(({ inbound }) => inbound.bytes > LENGTH));
    assert.deepEqual(lan.nat.drops.snapshot(), {});
  });
}

test('a published port leads curl outside to nginx inside', options, async () => {
  using nginx = new Nginx();
  const expected = writePattern(nginx.path('small'), 1 << 20);
  await using lan = new NatBetweenKernels();
  await nginx.start(lan.client);
  for (const { client, external, family } of FAMILIES) {
    const inside = { address: IpAddress.parse(client), port: NGINX_PORT };
    lan.nat.publish({ protocol: 'tcp', external: { port: 80 }, inside });
    const command = `curl --silent --show-error --globoff --fail http://${inUrl(external)}/small | sha256sum`;
    assert.equal(await lan.server.run('sh', '-c', command), `${expected}  -\n`, `IPv${family}`);
  }
});

test('ping goes through, and the router is seen as a hop of its own', options, async () => {
  await using lan = new NatBetweenKernels();
  for (const { server, gateway } of FAMILIES) {
    const said = await lan.client.run('ping', '-c', '3', '-i', '0.01', '-W', '5', server);
    assert.match(said, /3 packets transmitted, 3 received/);
    const oneHop = await lan.client.run('sh', '-c', `ping -c 1 -t 1 -W 5 ${server} || true`);
    assert.match(oneHop, /Time (to live )?exceeded/);
    assert.ok(oneHop.toLowerCase().includes(`from ${gateway}`), oneHop);
    assert.match(
      await lan.client.run('ping', '-c', '1', '-t', '2', '-W', '5', server),
      /1 received/,
    );
  }
});

test(
  'UDP goes out as the router’s and comes back; a closed port is reported to the client',
  options,
  async () => {
    await using lan = new NatBetweenKernels();
    for (const { family, server, external } of FAMILIES) {
      const type = `udp${family}`;
      const echo = lan.server.start(`
      import { createSocket } from 'node:dgram';
      const socket = createSocket('${type}');
      socket.on('message', (data, { address, port }) => socket.send(address + ' ' + data.length, port, address));
      socket.bind(5300, () => console.log('ready'));
    `);
      assert.equal(await echo.line(), 'ready');
      const client = lan.client.start(`
      import { createSocket } from 'node:dgram';
      const socket = createSocket('${type}');
      socket.on('message', (data) => {
        console.log(String(data));
        // A second one, to where nobody is; connected, so that the kernel tells of the error.
        const other = createSocket('${type}');
        other.on('error', ({ code }) => { console.log(code); process.exit(); });
        other.connect(5301, '${server}', () => other.send('x'));
      });
      // Longer than the MTU: it goes in fragments.
      socket.send(Buffer.alloc(4000), 5300, '${server}');
    `);
      assert.equal(await client.line(), `${external} 4000`);
      assert.equal(await client.line(), 'ECONNREFUSED');
      await client.ended;
      await echo.stop();
    }
  },
);
