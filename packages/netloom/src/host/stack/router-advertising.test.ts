import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cidr, IpAddress } from '../../core/index.ts';
import { simWorld, type SimHost, type SimNetwork, type SimWorld } from '../sim/index.ts';
import type { Interface } from '../../ip/index.ts';
import { DhcpServerV6 } from './dhcp-server-v6.ts';
import { RouterAdvertising, type RouterAdvertisingOptions } from './router-advertising.ts';

interface Lan {
  readonly world: SimWorld;
  readonly lan: SimNetwork;
  readonly router: SimHost;
  readonly via: Interface;
}

/** A network with a machine that is to be its router. */
function lanWithRouter(): Lan {
  const world = simWorld({ seed: 1 });
  const lan = world.network('lan', { subnets: [], delay: 1 });
  const router = world.machine('router', { forwarding: true });
  const addresses = ['fe80::1/64', '2001:db8::1/64'];
  return { world, lan, router, via: router.attach(lan, { addresses }).interface };
}

function advertising({ router, via }: Lan, options?: RouterAdvertisingOptions): RouterAdvertising {
  return new RouterAdvertising(router, via, options);
}

/** A machine that configures itself. */
function booted({ world, lan }: Lan, name: string) {
  const host = world.machine(name);
  const { interface: via } = host.attach(lan, { addresses: [] });
  return { host, via, configuration: host.autoconfigure(via) };
}

const OUTSIDE = IpAddress.parse('2001:db8:9::9');

test('a machine makes itself an address, a default route and an MTU of what the router says', async () => {
  const scene = lanWithRouter();
  const { world, router } = scene;
  scene.via.mtu = 1400;
  advertising(scene);
  await world.run(200_000);
  // Long after everybody was told: so it asks, and is answered.
  const { host, via, configuration } = booted(scene, 'a');
  const address = await world.run(configuration.ready());
  assert.ok(world.now() < 204_000);
  assert.ok(Cidr.parse('2001:db8::/64').contains(address));
  assert.equal(via.mtu, 1400);
  const { nextHop } = host.stack.routes.lookup(OUTSIDE)!;
  assert.match(String(nextHop), /^fe80::1(%|$)/);
  await world.run(router.ping(address));
  assert.equal(router.stack.drops.get('ndp-ignored'), 0);
});

test('DNS servers reach the machine; closing takes the router and its DNS servers from it', async () => {
  const scene = lanWithRouter();
  const { world } = scene;
  const own = IpAddress.parse('2001:db8::1');
  const prefixes = [{ prefix: Cidr.parse('2001:db8::/64') }];
  const router = advertising(scene, { network: { prefixes, dnsServers: [own] } });
  const { host, configuration } = booted(scene, 'a');
  await world.run(configuration.ready());
  assert.deepEqual(configuration.dnsServers.map(String), ['2001:db8::1']);
  await world.run(router.close());
  await world.run(world.now() + 100);
  assert.equal(host.stack.routes.lookup(OUTSIDE), undefined);
  assert.deepEqual(configuration.dnsServers, []);
  await world.run(router.close());
  const frames = world.trace().length;
  await world.run(world.now() + 3_600_000);
  assert.ok(!world.trace().slice(frames).join('\n').includes('router lifetime'));
});

test('with the flag M and a DHCPv6 server, the machine has its address from there', async () => {
  const scene = lanWithRouter();
  const { world, router, via } = scene;
  const server = new DhcpServerV6(router, via, {
    pool: { first: IpAddress.parse('2001:db8::100'), last: IpAddress.parse('2001:db8::1ff') },
    parameters: { dnsServers: [IpAddress.parse('2001:db8::53')] },
  });
  const prefixes = [{ prefix: Cidr.parse('2001:db8::/64'), autonomous: false }];
  advertising(scene, { network: { prefixes, managed: true } });
  const { configuration } = booted(scene, 'a');
  const address = await world.run(configuration.ready());
  assert.equal(address.toString(), '2001:db8::100');
  assert.deepEqual(configuration.dnsServers.map(String), ['2001:db8::53']);
  assert.equal(server.leases()[0]?.lease, '2001:db8::100/128');
  await world.run(router.ping(address));
  await world.run(configuration.release());
  assert.deepEqual(server.leases(), []);
});

test('a change reaches the machines: another MTU, a preference', async () => {
  const scene = lanWithRouter();
  const { world } = scene;
  const router = advertising(scene);
  const { via, configuration } = booted(scene, 'a');
  await world.run(configuration.ready());
  assert.equal(via.mtu, 1500);
  router.change({ ...router.network, mtu: 1300 });
  await world.run(world.now() + 4000);
  assert.equal(via.mtu, 1300);
});

test('an interface without a link-local address cannot be a router’s; a closed host says no more', async () => {
  const { world, lan, router } = lanWithRouter();
  const { interface: via } = router.attach(world.network('other', { subnets: [], delay: 1 }), {
    addresses: ['2001:db8:1::1/64'],
  });
  assert.throws(() => new RouterAdvertising(router, via), { code: 'ADDRESS_NOT_AVAILABLE' });
  const advertised = new RouterAdvertising(router, router.cable(lan).interface);
  assert.equal(advertised.network.mtu, 1500);
  await world.run(router.close());
  const before = world.trace().length;
  await world.run(world.now() + 3_600_000);
  assert.equal(world.trace().length, before);
  assert.equal(advertised.counters.get('not-sent'), 1, 'it has noticed, and does not try on');
});
