import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cidr, IpAddress, type NetloomError } from '../../core/index.ts';
import { simWorld, type SimHost, type SimNetwork, type SimWorld } from '../sim/index.ts';
import { DhcpClient, type DhcpClientOptions } from './dhcp-client.ts';
import { DhcpServer, type DhcpServerOptions } from './dhcp-server.ts';

const HOUR = 3_600_000;

interface Lan {
  readonly world: SimWorld;
  readonly lan: SimNetwork;
  readonly server: SimHost;
  readonly dhcp: DhcpServer;
}

/** A network with a server that has the first address, and gives out .100 and on. */
function lanWithServer(options: Partial<DhcpServerOptions> = {}): Lan {
  const world = simWorld({ seed: 1 });
  const lan = world.network('lan', { subnets: ['10.1.0.0/24'], delay: 1 });
  const server = world.machine('server', { on: lan });
  const dhcp = new DhcpServer(server, server.cable(lan).interface, {
    pool: { first: IpAddress.parse('10.1.0.100'), last: IpAddress.parse('10.1.0.109') },
    leaseDuration: HOUR,
    ...options,
  });
  return { world, lan, server, dhcp };
}

/** A machine without an address that asks for one. */
function booted({ world, lan }: Lan, name: string, options: DhcpClientOptions = {}) {
  const host = world.machine(name);
  const { interface: via } = host.attach(lan, { addresses: [] });
  return { host, via, client: new DhcpClient(host, via, { probe: false, ...options }) };
}

test('an interface without an address is given one, with routes, MTU and names', async () => {
  const scene = lanWithServer({
    parameters: {
      routers: [IpAddress.parse('10.1.0.1')],
      dnsServers: [IpAddress.parse('10.1.0.53')],
      mtu: 1400,
    },
  });
  const { world, server, dhcp } = scene;
  const { host, via, client } = booted(scene, 'a', { hostname: 'a-host' });
  const lease = await world.run(client.lease());
  assert.equal(lease.address.toString(), '10.1.0.100');
  assert.deepEqual(lease.dnsServers.map(String), ['10.1.0.53']);
  assert.equal(client.state, 'bound');
  assert.equal(client.current, lease);
  assert.deepEqual(host.addresses.map(String), ['10.1.0.100']);
  assert.equal(via.mtu, 1400);
  assert.equal(dhcp.leases()[0]?.hostname, 'a-host');
  assert.equal((await world.run(host.ping(server.address))).roundTrip, 4);
  const { nextHop } = host.stack.routes.lookup(IpAddress.parse('192.0.2.1'))!;
  assert.equal(nextHop?.toString(), '10.1.0.1');
});

test('the address is probed before it is used, and declined where somebody has it', async () => {
  const scene = lanWithServer();
  const { world, lan, dhcp } = scene;
  world.machine('squatter').attach(lan, { addresses: ['10.1.0.100/24'] });
  const { host, client } = booted(scene, 'a', { probe: true });
  const lease = await world.run(client.lease());
  assert.equal(lease.address.toString(), '10.1.0.101');
  assert.ok(world.now() > 10_000, 'a client waits ten seconds after a DECLINE');
  assert.deepEqual(
    dhcp.leases().map(({ address }) => address),
    ['10.1.0.101'],
  );
  assert.deepEqual(host.addresses.map(String), ['10.1.0.101']);
  await world.run(world.now() + 5000);
  const frames = world.trace().join('\n');
  assert.match(frames, /ARP who has 10\.1\.0\.100\? \(probe/);
  assert.match(frames, /ARP 10\.1\.0\.101 is at .* \(announcement\)/);
});

test('the lease is renewed for as long as the server is there, and lost when it has ended', async () => {
  const scene = lanWithServer({ parameters: { routers: [IpAddress.parse('10.1.0.1')] } });
  const { world, dhcp } = scene;
  const lost: string[] = [];
  const { host, client } = booted(scene, 'a', { lost: (reason) => lost.push(reason) });
  await world.run(client.lease());
  await world.run(10 * HOUR);
  assert.deepEqual(host.addresses.map(String), ['10.1.0.100']);
  assert.equal(dhcp.leases().length, 1);
  await world.run(dhcp.close());
  await world.run(12 * HOUR);
  assert.deepEqual(lost, ['expired']);
  assert.deepEqual(host.addresses, []);
  assert.equal(host.stack.routes.lookup(IpAddress.parse('192.0.2.1')), undefined);
  assert.equal(client.state, 'selecting', 'it goes on asking');
});

test('what a renewal changes is changed: routes and MTU', async () => {
  const scene = lanWithServer({
    parameters: { routers: [IpAddress.parse('10.1.0.1')], mtu: 1400 },
  });
  const { world, lan, server, dhcp } = scene;
  const { host, via, client } = booted(scene, 'a');
  await world.run(client.lease());
  const leases = dhcp.leases();
  await world.run(dhcp.close());
  const pool = { first: IpAddress.parse('10.1.0.100'), last: IpAddress.parse('10.1.0.109') };
  const parameters = { routers: [IpAddress.parse('10.1.0.254')] };
  const successor = new DhcpServer(server, server.cable(lan).interface, { pool, parameters });
  successor.importLeases(leases);
  await world.run(HOUR);
  assert.equal(via.mtu, 1500);
  const everywhere = IpAddress.parse('192.0.2.1');
  assert.equal(host.stack.routes.lookup(everywhere)?.nextHop?.toString(), '10.1.0.254');
  assert.deepEqual(host.addresses.map(String), ['10.1.0.100']);
});

test('release() gives the address back; close() keeps it at the server', async () => {
  const scene = lanWithServer();
  const { world, dhcp } = scene;
  const a = booted(scene, 'a');
  const b = booted(scene, 'b');
  await world.run(Promise.all([a.client.lease(), b.client.lease()]));
  assert.equal(dhcp.leases().length, 2);
  await world.run(a.client.release());
  await world.run(b.client.close());
  await world.run(world.now() + 100);
  assert.deepEqual([a.host.addresses, b.host.addresses], [[], []]);
  assert.equal(dhcp.leases().length, 1);
  const again = new DhcpClient(a.host, a.via, { probe: false });
  assert.equal(
    (await world.run(again.lease())).address.toString(),
    '10.1.0.100',
    'port 68 is free',
  );
  await world.run(b.client.close());
});

test('whoever waits for a lease in vain is told: TIMEOUT, ABORTED, HOST_CLOSED', async () => {
  const scene = lanWithServer();
  const { world, dhcp } = scene;
  await world.run(dhcp.close());
  const { host, client } = booted(scene, 'a');
  const codeOf = (waiting: Promise<unknown>) =>
    world.run(waiting.catch((error: NetloomError) => error.code));
  assert.equal(await codeOf(client.lease({ timeout: 1000 })), 'TIMEOUT');
  const controller = new AbortController();
  world.clock.defer(() => controller.abort());
  assert.equal(await codeOf(client.lease({ signal: controller.signal })), 'ABORTED');
  world.clock.defer(() => void host.close());
  assert.equal(await codeOf(client.lease()), 'HOST_CLOSED');
});

test('each interface has a client of its own, and is asked by its own network only', async () => {
  const scene = lanWithServer();
  const { world } = scene;
  const other = world.network('other', { subnets: ['10.2.0.0/24'], delay: 1 });
  const second = world.machine('second', { on: other });
  const pool = { first: IpAddress.parse('10.2.0.50'), last: IpAddress.parse('10.2.0.59') };
  const secondServer = new DhcpServer(second, second.cable(other).interface, { pool });
  const { host, client } = booted(scene, 'a');
  const { interface: via } = host.attach(other, { addresses: [] });
  const secondClient = new DhcpClient(host, via, { probe: false });
  await world.run(Promise.all([client.lease(), secondClient.lease()]));
  assert.deepEqual(host.addresses.map(String), ['10.1.0.100', '10.2.0.50']);
  assert.equal(secondServer.leases().length, 1);
  assert.equal(secondServer.leases()[0]?.address, '10.2.0.50');
  const dropped = [client, secondClient].map(({ drops }) => drops.snapshot());
  assert.deepEqual(dropped, [{}, {}], 'neither saw what was for the other');
});

test('a client that takes unicast gets it, at the link address it gave', async () => {
  const scene = lanWithServer();
  const { world, lan, server } = scene;
  // A client of other make: without the broadcast flag, its address set by hand to what it will be given.
  const host = world.machine('other-make');
  const { interface: via } = host.attach(lan, { addresses: ['10.1.0.100/24'] });
  const socket = host.stack.udp.bind(IpAddress.ANY4, 68, false, via);
  const answered = new Promise<IpAddress | undefined>((resolve) => {
    socket.start({ receive: ([datagram]) => resolve(datagram!.local) });
  });
  const discover = new Uint8Array(248);
  discover.set([1, 1, 6, 0, 1, 2, 3, 4]);
  via.mac.copyTo(discover, 28);
  discover.set([99, 130, 83, 99, 53, 1, 1, 255], 236);
  socket.send([
    {
      data: discover,
      remote: { address: IpAddress.BROADCAST4, port: 67 },
      local: IpAddress.ANY4,
    },
  ]);
  assert.equal((await world.run(answered))?.toString(), '10.1.0.100');
  const known = server.cable(lan).interface.neighbours.find(IpAddress.parse('10.1.0.100'));
  assert.equal(known?.macLow, via.mac.low, 'without a question by ARP');
  assert.doesNotMatch(world.trace().join('\n'), /ARP/);
});

test('a server takes leases of an earlier run, and needs an address of its own', async () => {
  const scene = lanWithServer();
  const { world, lan, dhcp } = scene;
  const record = {
    address: '10.1.0.105',
    client: 'id:0102',
    hostname: undefined,
    remaining: HOUR,
  };
  assert.equal(dhcp.importLeases([record]), 1);
  assert.equal(dhcp.leases()[0]?.address, '10.1.0.105');
  await world.run(HOUR + 1);
  assert.deepEqual(dhcp.leases(), [], 'it has ended');
  const { via, host } = booted(scene, 'a');
  const pool = { first: IpAddress.parse('10.1.0.1'), last: IpAddress.parse('10.1.0.2') };
  assert.throws(() => new DhcpServer(host, via, { pool }), { code: 'ADDRESS_NOT_AVAILABLE' });
  const cidr = Cidr.parse('10.1.0.1/24');
  const given = world.machine('given').attach(lan, { addresses: [cidr] });
  assert.deepEqual(given.interface.usable(4)[0]?.cidr, cidr);
});
