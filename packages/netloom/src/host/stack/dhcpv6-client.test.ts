import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cidr, IpAddress, type Connection, type NetloomError } from '../../core/index.ts';
import type { Dhcpv6LossReason } from '../../ip/index.ts';
import { Dhcpv6OptionCode, duidOfMac, type Dhcpv6Message } from '../../wire/index.ts';
import { ROUTER_ADDRESS, StackLan6 } from '../../../test/dhcp/stack-lan-v6.ts';
import { addressNumber, associationsOf, prefixNumber } from '../../../test/dhcp/lan-v6.ts';
import type { SimHost } from '../sim/index.ts';
import { DhcpClientV6, type DhcpClientV6Options } from './dhcpv6-client.ts';

const HOUR = 3_600_000;

/** A machine with a client. */
function booted(lan: StackLan6, name: string, options: DhcpClientV6Options = {}) {
  const { host, via } = lan.machine(name);
  return { host, via, client: new DhcpClientV6(host, via, options) };
}

/** The addresses of the machine but its link-local one, as text. */
function globals(host: SimHost): string[] {
  return host.addresses.filter((address) => !address.isLinkLocal).map(String);
}

/** A connection of the machine's to a port of the router's where somebody listens, and what becomes of it. */
async function connected({ world, router }: StackLan6, host: SimHost) {
  const accepted = Promise.withResolvers<Connection>();
  await world.run(router.listen({ port: 80, accept: accepted.resolve }));
  const connection = await world.run(host.connect({ host: ROUTER_ADDRESS, port: 80 }));
  const peer = await world.run(accepted.promise);
  const seen: string[] = [];
  for (const [who, side] of [
    ['own', connection],
    ['peer', peer],
  ] as const) {
    side.start({
      data: (chunk) => seen.push(`${who} data ${chunk.length}`),
      end: () => {
        seen.push(`${who} end`);
        if (side === peer) side.end();
      },
      closed: (error) => seen.push(`${who} closed ${error?.code ?? 'well'}`),
    });
  }
  return { connection, seen };
}

test('an interface is given an address as /128, from a server asked by its link-local address', async () => {
  const lan = new StackLan6();
  const { world, server } = lan;
  const { host, via, client } = booted(lan, 'a');
  const lease = await world.run(client.lease());
  assert.deepEqual(globals(host), ['2001:db8::101']);
  assert.equal(via.find(addressNumber(1))?.cidr.prefixLength, 128);
  assert.equal(client.state, 'bound');
  assert.equal(client.current, lease);
  assert.equal(await world.run(client.lease()), lease);
  assert.deepEqual(client.parameters?.dnsServers.map(String), ['2001:db8::53']);
  assert.deepEqual((await world.run(client.configured())).searchDomains, ['lan']);
  assert.deepEqual(server.received, ['solicit', 'request']);
  const frames = world.trace().join('\n');
  assert.match(frames, / a > \* {2}\[fe80::2\]:546 > \[ff02::1:2\]:547 DHCPv6 solicit/);
  // It is there for everybody on the network, and it is what this machine speaks from.
  const { roundTrip } = await world.run(lan.router.ping(addressNumber(1)));
  assert.ok(roundTrip < 10);
  assert.equal(host.stack.paths.find(ROUTER_ADDRESS, undefined).source.toString(), '2001:db8::101');
});

test('each address is probed before it is used, and declined where somebody has it (RFC 8415, 18.2.10.1)', async () => {
  const lan = new StackLan6();
  const { world, network, server } = lan;
  world.machine('squatter').attach(network, { addresses: ['2001:db8::101/64'] });
  const { host, client } = booted(lan, 'a');
  const lease = await world.run(client.lease());
  assert.deepEqual(server.received, ['solicit', 'request', 'decline', 'solicit', 'request']);
  assert.deepEqual(
    lease.addresses.map(({ address }) => address.toString()),
    ['2001:db8::102'],
  );
  assert.deepEqual(globals(host), ['2001:db8::102']);
  assert.match(world.trace().join('\n'), / a > \* {2}:: > .* who has 2001:db8::102\? \(probe\)/);
});

test('without probing an address is used at once', async () => {
  const lan = new StackLan6();
  const { world, network } = lan;
  world.machine('squatter').attach(network, { addresses: ['2001:db8::101/64'] });
  const { host, client } = booted(lan, 'a', { probe: false });
  await world.run(client.lease());
  assert.deepEqual(globals(host), ['2001:db8::101']);
});

test('the lease is renewed for as long as the server is there', async () => {
  const lan = new StackLan6();
  const { world, server } = lan;
  let renewals = 0;
  const { host, client } = booted(lan, 'a', { renewed: () => void renewals++ });
  await world.run(client.lease());
  await world.run(world.now() + 10 * HOUR + 10_000);
  assert.equal(renewals, 40, 'every 15 minutes: at half of the preferred lifetime');
  assert.equal(server.received.filter((kind) => kind === 'renew').length, renewals);
  assert.deepEqual(globals(host), ['2001:db8::101']);
});

test('without a server an address becomes deprecated, then goes, and its connections are told', async () => {
  const lan = new StackLan6();
  const { world, server } = lan;
  const lost: Dhcpv6LossReason[] = [];
  const { host, via, client } = booted(lan, 'a', { lost: (reason) => lost.push(reason) });
  const { addresses } = await world.run(client.lease());
  const [{ address, preferredUntil, validUntil }] = addresses as [(typeof addresses)[0]];
  assert.deepEqual(
    [preferredUntil, validUntil].map((until) => Math.round(until / 60_000)),
    [30, 60],
  );
  const { connection, seen } = await connected(lan, host);
  server.change = () => undefined;
  // An address that suits worse, until the leased one is deprecated (RFC 6724, section 5, rule 3).
  host.stack.addAddress(via, Cidr.parse('fd00::9/128'));
  const source = () => host.stack.paths.cached(ROUTER_ADDRESS, undefined).source.toString();
  await world.run(preferredUntil - 1);
  assert.equal(via.find(address)?.deprecated, false);
  assert.equal(source(), '2001:db8::101');
  await world.run(preferredUntil);
  assert.equal(via.find(address)?.deprecated, true);
  assert.equal(source(), 'fd00::9');
  connection.write(new Uint8Array(7));
  await world.run(validUntil - 1);
  assert.deepEqual(seen, ['peer data 7']);
  await world.run(validUntil + 1000);
  assert.deepEqual(globals(host), ['fd00::9']);
  assert.equal(client.current, undefined);
  assert.deepEqual(lost, ['expired']);
  assert.deepEqual(seen, ['peer data 7', 'own closed ADDRESS_NOT_AVAILABLE']);
  assert.equal(client.state, 'soliciting', 'it goes on asking');
});

test('an address granted with no preferred lifetime left is deprecated from the start, and preferred once renewed', async () => {
  const lan = new StackLan6();
  const { world, server } = lan;
  server.preferred = 0;
  const { via, client } = booted(lan, 'a');
  const { renewAt } = await world.run(client.lease());
  assert.equal(via.find(addressNumber(1))?.deprecated, true);
  server.preferred = 1800;
  await world.run(renewAt + 1000);
  assert.equal(via.find(addressNumber(1))?.deprecated, false);
});

test('an address that the server takes back goes; one that the interface has from elsewhere is left alone', async () => {
  const lan = new StackLan6();
  const { world, server } = lan;
  const { host, via } = lan.machine('a');
  host.stack.addAddress(via, new Cidr(addressNumber(1), 64));
  const client = new DhcpClientV6(host, via, { probe: false });
  await world.run(client.lease());
  await world.run(client.close());
  assert.deepEqual(globals(host), ['2001:db8::101']);
  const other = booted(lan, 'b');
  const { renewAt } = await world.run(other.client.lease());
  assert.deepEqual(globals(other.host), ['2001:db8::102']);
  server.valid = 0;
  server.preferred = 0;
  await world.run(renewAt + 1000);
  assert.deepEqual(globals(other.host), []);
});

test('prefixes are delegated to the owner, who hears of each change', async () => {
  const lan = new StackLan6();
  const { world } = lan;
  const told: string[] = [];
  const { host, client } = booted(lan, 'a', {
    addresses: false,
    prefixes: true,
    bound: ({ prefixes }) => told.push(`bound ${prefixes.map(({ prefix }) => prefix)}`),
    renewed: ({ prefixes }) => told.push(`renewed ${prefixes.map(({ prefix }) => prefix)}`),
    lost: (reason, { prefixes }) =>
      told.push(`lost ${reason} ${prefixes.map(({ prefix }) => prefix)}`),
  });
  const { renewAt } = await world.run(client.lease());
  await world.run(renewAt + 1000);
  await world.run(client.release());
  const prefix = prefixNumber(1);
  assert.deepEqual(told, [`bound ${prefix}`, `renewed ${prefix}`, `lost released ${prefix}`]);
  assert.deepEqual(globals(host), []);
});

test('parameters alone: no address, no lease to wait for', async () => {
  const lan = new StackLan6();
  const { world, server } = lan;
  let configured = 0;
  const { host, client } = booted(lan, 'a', {
    mode: 'stateless',
    configured: () => void configured++,
  });
  const waiting = client.configured();
  const { dnsServers } = await world.run(waiting);
  assert.deepEqual(dnsServers.map(String), ['2001:db8::53']);
  assert.deepEqual([server.received, configured], [['information_request'], 1]);
  assert.deepEqual(globals(host), []);
  await assert.rejects(client.lease(), { code: 'DHCP_STATELESS' });
});

test('release() gives the address back before it closes; close() tells nobody; either frees the port', async () => {
  const lan = new StackLan6();
  const { world, server } = lan;
  const a = booted(lan, 'a');
  const b = booted(lan, 'b');
  await world.run(Promise.all([a.client.lease(), b.client.lease()]));
  server.received.length = 0;
  const released = a.client.release();
  assert.deepEqual(globals(a.host), [], 'the address is not used to give it back');
  const before = world.now();
  await world.run(Promise.all([released, a.client.release()]));
  assert.ok(world.now() - before < 10, 'as soon as the server has answered');
  await world.run(b.client.close());
  await world.run(b.client.close());
  assert.deepEqual(globals(b.host), []);
  assert.deepEqual(server.received, ['release']);
  const again = new DhcpClientV6(a.host, a.via, { probe: false });
  assert.throws(() => new DhcpClientV6(a.host, a.via), { code: 'ADDRESS_IN_USE' });
  await world.run(again.lease());
});

test('a server that does not answer a release is waited for two seconds', async () => {
  const lan = new StackLan6();
  const { world, server } = lan;
  const { client } = booted(lan, 'a');
  await world.run(client.lease());
  server.change = () => undefined;
  const before = world.now();
  await world.run(client.release());
  assert.equal(world.now() - before, 2000);
  assert.equal(server.received.filter((kind) => kind === 'release').length, 2);
  assert.equal(client.state, 'stopped');
});

test('an address of an earlier run is confirmed, and used again', async () => {
  const lan = new StackLan6();
  const { world, server } = lan;
  const { host, via, client } = booted(lan, 'a');
  const previous = await world.run(client.lease());
  await world.run(client.close());
  server.received.length = 0;
  const again = new DhcpClientV6(host, via, { previous });
  assert.deepEqual((await world.run(again.lease())).addresses, previous.addresses);
  assert.deepEqual(server.received, ['confirm']);
  assert.deepEqual(globals(host), ['2001:db8::101']);
});

test('who the client is: by default the host by its first MAC address, and the interface by its own', async () => {
  const lan = new StackLan6();
  const { world, network, server } = lan;
  const asked: Dhcpv6Message[] = [];
  server.change = (answer, request) => {
    asked.push(request);
    return answer;
  };
  const host = world.machine('a');
  const first = host.attach(world.network('first', { subnets: [] }), { addresses: [] }).interface;
  const { interface: via } = host.attach(network, { addresses: ['fe80::a/64'] });
  const client = new DhcpClientV6(host, via);
  await world.run(client.lease());
  const [solicit] = asked as [Dhcpv6Message];
  const duid = solicit.option(Dhcpv6OptionCode.CLIENT_IDENTIFIER);
  assert.deepEqual([...duid!], [...duidOfMac(first.mac)]);
  assert.deepEqual(
    associationsOf(solicit).map(({ id }) => id),
    [via.mac.low >>> 0],
  );
});

test('whoever waits for a lease in vain is told: TIMEOUT, ABORTED, HOST_CLOSED', async () => {
  const lan = new StackLan6();
  const { world, server } = lan;
  server.change = () => undefined;
  const { host, client } = booted(lan, 'a');
  const codeOf = (waiting: Promise<unknown>): Promise<string> =>
    world.run(
      waiting.then(
        () => 'none',
        ({ code, message }: NetloomError) => `${code}: ${message}`,
      ),
    );
  assert.equal(
    await codeOf(client.lease({ timeout: 1000 })),
    'TIMEOUT: a DHCPv6 lease for lan: no server has given one in 1000 ms',
  );
  const controller = new AbortController();
  world.clock.defer(() => controller.abort());
  assert.match(await codeOf(client.configured({ signal: controller.signal })), /^ABORTED/);
  world.clock.defer(() => void host.close());
  const configured = client.configured().catch(({ code }: NetloomError) => code);
  assert.match(await codeOf(client.lease()), /^HOST_CLOSED/);
  assert.equal(await configured, 'HOST_CLOSED');
  assert.match(await codeOf(client.lease()), /^HOST_CLOSED/);
});

test('closing while an address is being probed leaves nothing behind', async () => {
  const lan = new StackLan6();
  const { world } = lan;
  const { host, client } = booted(lan, 'a');
  while (client.state !== 'checking') await world.run(world.now() + 10);
  await world.run(client.close());
  await world.run(world.now() + 100);
  assert.match(world.trace().at(-1)!, /ff02::1:ff00:101 to-include/, 'its group is left at once');
  await world.run(world.now() + 10_000);
  assert.deepEqual(globals(host), []);
  assert.equal(client.state, 'stopped');
  assert.equal(client.drops.total(), 0);
});

test('a client that has ended sets no timer', async () => {
  const lan = new StackLan6();
  const { world } = lan;
  const { host, client } = booted(lan, 'a');
  await world.run(client.lease());
  await world.run(client.close());
  await world.run(Promise.all([host.close(), lan.router.close()]));
  const before = world.now();
  const never = Promise.withResolvers<void>().promise;
  await assert.rejects(world.run(never), { code: 'SIM_DEADLOCK' }, 'nothing is left to happen');
  assert.ok(world.now() - before < 100);
});

test('without a link-local address it does not begin, and without one later it does not speak', async () => {
  const lan = new StackLan6();
  const { world, network, server } = lan;
  const bare = world.machine('bare');
  const { interface: via } = bare.attach(network, { addresses: [] });
  assert.throws(() => new DhcpClientV6(bare, via), { code: 'ADDRESS_NOT_AVAILABLE' });
  const a = booted(lan, 'a');
  const [{ cidr }] = a.via.addresses as [(typeof a.via.addresses)[0]];
  a.host.stack.removeAddress(a.via, cidr.address);
  await world.run(5000);
  assert.deepEqual(server.received, []);
  assert.ok(a.client.drops.get('no-link-local') > 0);
  a.host.stack.addAddress(a.via, cidr);
  await world.run(a.client.lease());
});

test('a host that is closed ends its connections in good order before it gives up the address', async () => {
  const lan = new StackLan6();
  const { world } = lan;
  const { host, client } = booted(lan, 'a');
  await world.run(client.lease());
  const { seen } = await connected(lan, host);
  const before = world.now();
  await world.run(host.close());
  assert.ok(world.now() - before < 100);
  assert.deepEqual(seen, ['peer end', 'own closed well', 'peer closed well']);
  assert.equal(client.state, 'stopped');
  assert.deepEqual(globals(host), []);
});

test('what is not for it is dropped and counted', async () => {
  const lan = new StackLan6();
  const { world, router } = lan;
  const { via, client } = booted(lan, 'a');
  const socket = await world.run(router.bind());
  const remote = { address: IpAddress.parse(`${via.linkLocal}%lan`), port: 546 };
  socket.send([{ data: Uint8Array.of(7, 1, 2, 3), remote }]);
  await world.run(world.now() + 10);
  assert.equal(client.drops.total(), 1);
});
