import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cidr, IpAddress, MacAddress } from '../core/index.ts';
import {
  DhcpClient,
  simWorld,
  type KeptLeases,
  type LeaseStore,
  type SimHost,
  type SimNetwork,
  type SimWorld,
} from '../host/index.ts';
import type { Dhcpv4LeaseRecord, Dhcpv6LeaseRecord, Interface } from '../ip/index.ts';
import { DnsName, DnsType } from '../dns/index.ts';
import { gatewayServices, type GatewayServices, type GatewayServicesOptions } from './index.ts';

const HOUR = 3_600_000;
const MAC = MacAddress.parse('02:00:00:00:00:66');

/** Leases kept in memory, with what was kept last. */
class MemoryStore<LeaseRecord> implements LeaseStore<LeaseRecord> {
  kept: KeptLeases<LeaseRecord> | undefined;
  saves = 0;
  fails = false;

  load(): Promise<KeptLeases<LeaseRecord> | undefined> {
    return Promise.resolve(this.kept);
  }

  save(kept: KeptLeases<LeaseRecord>): Promise<void> {
    this.saves++;
    if (this.fails) return Promise.reject(new Error('the disk is full'));
    // As a file would have it.
    this.kept = JSON.parse(JSON.stringify(kept)) as KeptLeases<LeaseRecord>;
    return Promise.resolve();
  }
}

interface Scene {
  readonly world: SimWorld;
  readonly lan: SimNetwork;
  readonly gateway: SimHost;
  readonly via: Interface;
}

function network(addresses = ['10.1.0.1/24', 'fe80::1/64', '2001:db8::1/64']): Scene {
  const world = simWorld({ seed: 1 });
  const lan = world.network('lan', { subnets: [], delay: 1 });
  const gateway = world.machine('gateway', { forwarding: true });
  return { world, lan, gateway, via: gateway.attach(lan, { addresses }).interface };
}

function serve(scene: Scene, options?: GatewayServicesOptions): Promise<GatewayServices> {
  return scene.world.run(gatewayServices(scene.gateway, scene.via, options));
}

/** A machine that asks for everything. */
function booted({ world, lan }: Scene, name: string, hostname = name) {
  const host = world.machine(name);
  const { interface: via } = host.attach(lan, { addresses: [] });
  const client = new DhcpClient(host, via, { hostname, probe: false });
  return { host, via, client, configuration: host.autoconfigure(via) };
}

/** What the gateway's DNS knows of a name. */
function known(services: GatewayServices, name: string): string[] {
  const { names } = services.dns!.forwarder;
  return (names.addressesOf(names.nameOf(name)) ?? []).map(String);
}

test('one call gives a network addresses of both families, a router and names', async () => {
  const scene = network();
  const { world } = scene;
  const services = await serve(scene);
  const { host, client, configuration } = booted(scene, 'box');
  const lease = await world.run(client.lease());
  assert.equal(lease.address.toString(), '10.1.0.128');
  assert.deepEqual(lease.dnsServers.map(String), ['10.1.0.1']);
  assert.equal(lease.mtu, 1500);
  await world.run(configuration.ready());
  await world.run(world.now() + 10_000);
  const addresses = host.addresses.map(String);
  assert.ok(addresses.includes('2001:db8::1000'), addresses.join(' '));
  assert.ok(configuration.dnsServers.some((server) => server.toString() === '2001:db8::1'));
  assert.deepEqual(known(services, 'box'), ['10.1.0.128']);
  assert.deepEqual(known(services, 'gateway'), ['10.1.0.1', '2001:db8::1']);
  await world.run(client.release());
  await world.run(world.now() + 100);
  assert.deepEqual(known(services, 'box'), []);
});

test('each family is served where there are addresses of it, and what is left out is left out', async () => {
  const only4 = await serve(network(['10.1.0.1/24']));
  assert.ok(only4.dhcp && only4.dns && !only4.dhcpv6 && !only4.advertising);
  const only6 = await serve(network(['fe80::1/64', '2001:db8::1/64']));
  assert.ok(!only6.dhcp && only6.dns && only6.dhcpv6 && only6.advertising);
  const none = await serve(network(), {
    dhcp: false,
    dhcpv6: false,
    dns: false,
    advertisements: false,
  });
  assert.ok(!none.dhcp && !none.dhcpv6 && !none.dns && !none.advertising);
  const stateless = await serve(network(), { dhcpv6: false });
  assert.equal(stateless.advertising?.network.managed, false);
});

test('reserve() says what a machine will be given, shows it as leased, and names it', async () => {
  const scene = network();
  const { world, lan } = scene;
  const services = await serve(scene);
  const host = world.machine('late');
  const { interface: via } = host.attach(lan, { addresses: [] });
  const { mac } = via;
  const given = services.reserve({ mac, hostname: 'Box' });
  assert.deepEqual(given.map(String), ['10.1.0.128/24', '2001:db8::1000/64']);
  assert.deepEqual(known(services, 'box'), ['10.1.0.128', '2001:db8::1000']);
  assert.equal(services.dhcp!.leases()[0]?.hostname, 'Box');
  const lease = await world.run(new DhcpClient(host, via, { probe: false }).lease());
  assert.equal(lease.address.toString(), '10.1.0.128');
  assert.equal(known(services, 'box')[0], '10.1.0.128', 'it keeps the name it was given');
  services.unreserve(mac);
  assert.deepEqual(services.dhcpv6!.leases(), []);
  const chosen = [IpAddress.parse('10.1.0.7'), IpAddress.parse('2001:db8::7')];
  const other = MacAddress.parse('02:00:00:00:00:67');
  const wanted = services.reserve({ mac: other, addresses: chosen });
  assert.deepEqual(wanted.map(String), ['10.1.0.7/24', '2001:db8::7/64']);
});

test('a client that says no name, or another, has the one it is known by to the owner', async () => {
  const scene = network();
  const { world, lan } = scene;
  const services = await serve(scene);
  const { client: other } = booted(scene, 'other', 'tap');
  const host = world.machine('silent');
  const { interface: via } = host.attach(lan, { addresses: [] });
  assert.deepEqual(services.reserve({ mac: via.mac, hostname: 'tap', families: [] }), []);
  await world.run(other.lease());
  assert.deepEqual(known(services, 'tap'), [], 'it is nobody else’s');
  const { address } = await world.run(new DhcpClient(host, via, { probe: false }).lease());
  assert.deepEqual(known(services, 'tap'), [address.toString()]);
  services.setName('tap', []);
  assert.deepEqual(known(services, 'tap'), [address.toString()], 'what is leased has its name');
});

test('a client cannot take a name that is another’s, the gateway’s, or given by hand', async () => {
  const scene = network();
  const { world } = scene;
  const names = { files: [IpAddress.parse('10.1.0.50')] };
  const services = await serve(scene, { names, zone: 'home' });
  for (const [machine, hostname] of [
    ['a', 'gateway'],
    ['b', 'files'],
    ['c', 'box'],
    ['d', 'BOX.example.com'],
    ['e', 'ns'],
  ] as const) {
    const { client } = booted(scene, machine, hostname);
    await world.run(client.lease());
  }
  assert.deepEqual(known(services, 'gateway'), ['10.1.0.1', '2001:db8::1']);
  assert.deepEqual(known(services, 'files'), ['10.1.0.50']);
  assert.deepEqual(known(services, 'box.home'), ['10.1.0.130']);
  assert.deepEqual(known(services, 'ns'), ['10.1.0.1', '2001:db8::1']);
  assert.equal(services.dhcp!.leases().length, 5);
});

test('a name given later is the owner’s from then on, and a client’s again when it is given up', async () => {
  const scene = network();
  const { world } = scene;
  const services = await serve(scene);
  const first = booted(scene, 'box');
  await world.run(first.client.lease());
  assert.deepEqual(known(services, 'box'), ['10.1.0.128']);
  services.setName('box', [IpAddress.parse('10.1.0.9')]);
  await world.run(first.client.release());
  await world.run(world.now() + 100);
  assert.deepEqual(known(services, 'box'), ['10.1.0.9'], 'the lease does not take it along');
  services.setName('box', []);
  assert.deepEqual(known(services, 'box'), []);
  await world.run(booted(scene, 'second', 'box').client.lease());
  assert.equal(known(services, 'box').length, 1);
});

test('of a family that is not asked for, nothing is kept', async () => {
  const services = await serve(network());
  const given = services.reserve({ mac: MAC, hostname: 'box', families: [4] });
  assert.deepEqual(given.map(String), ['10.1.0.128/24']);
  assert.deepEqual(services.dhcpv6!.leases(), []);
});

test('leases outlive a restart, with their time and their names', async () => {
  const scene = network();
  const { world, gateway } = scene;
  const leases = {
    v4: new MemoryStore<Dhcpv4LeaseRecord>(),
    v6: new MemoryStore<Dhcpv6LeaseRecord>(),
  };
  const first = await serve(scene, { leases });
  const { client, configuration } = booted(scene, 'box');
  await world.run(client.lease());
  await world.run(configuration.ready());
  await world.run(world.now() + 10_000);
  first.reserve({ mac: MAC });
  await world.run(world.now() + 100);
  assert.equal(leases.v4.kept?.leases.length, 1, 'what the owner has entered is not kept');
  assert.equal(leases.v6.kept?.leases.length, 1);
  await world.run(first.close());
  await world.run(world.now() + HOUR / 4);
  const second = await serve(scene, { leases });
  const [lease] = second.dhcp!.leases();
  assert.equal(lease?.address, '10.1.0.128');
  const left = lease.remaining!;
  assert.ok(left < (HOUR * 3) / 4 && left > HOUR / 2, `${left} ms are left`);
  assert.deepEqual(known(second, 'box'), ['10.1.0.128']);
  await world.run(world.now() + HOUR / 2);
  assert.deepEqual(client.current?.address.toString(), '10.1.0.128', 'renewed at the second');
  assert.ok(second.dhcp!.leases()[0]!.remaining! > HOUR / 2);
  await world.run(gateway.close());
});

test('no client is told of a lease before it is kept; what is asked at once is kept at once', async () => {
  const scene = network(['10.1.0.1/24']);
  const { world } = scene;
  const v4 = new MemoryStore<Dhcpv4LeaseRecord>();
  const release = Promise.withResolvers<void>();
  const save = v4.save.bind(v4);
  v4.save = async (kept) => {
    await release.promise;
    await save(kept);
  };
  await serve(scene, { leases: { v4 } });
  const machines = Array.from({ length: 20 }, (_, index) => booted(scene, `m${index}`));
  await world.run(world.now() + 3000);
  assert.ok(machines.every(({ client }) => client.current === undefined));
  release.resolve();
  for (const { client } of machines) await world.run(client.lease());
  assert.equal(v4.kept?.leases.length, 20);
  assert.ok(v4.saves < 15, `${v4.saves} saves for 20 leases`);
});

test('a store that fails: said and counted, and the network goes on', async () => {
  const scene = network(['10.1.0.1/24']);
  const v4 = new MemoryStore<Dhcpv4LeaseRecord>();
  const errors: string[] = [];
  const services = await serve(scene, { leases: { v4 }, failed: ({ code }) => errors.push(code) });
  v4.fails = true;
  const { client } = booted(scene, 'box');
  await scene.world.run(client.lease());
  assert.deepEqual(errors, ['LEASE_FILE_FAILED']);
  assert.equal(services.dhcp!.drops.get('not-kept'), 1);
});

test('closing leaves nothing open, tells stations, and may be done twice; what fails to start leaves nothing', async () => {
  const scene = network();
  const { world, gateway, via } = scene;
  const services = await serve(scene);
  const { host, configuration } = booted(scene, 'box');
  await world.run(configuration.ready());
  await world.run(services.close());
  await world.run(services.close());
  assert.deepEqual(gateway.stack.udp.sockets(), []);
  await world.run(world.now() + 100);
  assert.equal(host.stack.routes.lookup(IpAddress.parse('2001:db8:9::9')), undefined);
  const taken = gateway.stack.udp.bind(IpAddress.ANY6, 547, false, via);
  await assert.rejects(serve(scene), { code: 'ADDRESS_IN_USE' });
  assert.equal(gateway.stack.udp.sockets().length, 1);
  await world.run(taken.close());
  await serve(scene);
});

test('a network too small for a pool says so', async () => {
  const scene = network(['10.1.0.1/31']);
  await assert.rejects(serve(scene), { code: 'DHCP_POOL_INVALID' });
  const small = await serve(network(['10.1.0.1/30']));
  assert.equal(small.reserve({ mac: MAC })[0]?.toString(), '10.1.0.2/30');
});

test('a DNS question on the network finds a machine by its lease', async () => {
  const scene = network();
  const { world } = scene;
  const services = await serve(scene);
  const { client } = booted(scene, 'box');
  await world.run(client.lease());
  const { names } = services.dns!.forwarder;
  const name = DnsName.ofAddress(IpAddress.parse('10.1.0.128'));
  const answer = names.answer({ name, type: DnsType.PTR, class: 1 });
  assert.deepEqual(answer?.answers[0]?.data, { kind: 'name', name: names.nameOf('box') });
  assert.ok(new Cidr(IpAddress.parse('10.1.0.0'), 24).contains(client.current!.address));
});
