import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress, type NetloomError } from '../../core/index.ts';
import { StackLan6 } from '../../../test/dhcp/stack-lan-v6.ts';
import { DhcpClientV6 } from './dhcpv6-client.ts';
import type { Ipv6ConfigurationOptions } from './ipv6-configuration.ts';

/** A machine that configures itself, and has its link-local address. */
async function configured(lan: StackLan6, options: Ipv6ConfigurationOptions = {}) {
  const { world, network } = lan;
  const host = world.machine('a');
  const { interface: via } = host.attach(network, { addresses: [] });
  const configuration = host.autoconfigure(via, options);
  await world.run(3000);
  assert.ok(via.linkLocal);
  return { host, via, configuration };
}

test('routers that say nothing of DHCPv6: no client', async () => {
  const lan = new StackLan6();
  const { configuration } = await configured(lan);
  lan.advertise({});
  await lan.world.run(10_000);
  assert.equal(configuration.client, undefined);
  assert.deepEqual(lan.server.received, []);
});

test('the flag M: an address by DHCPv6, that reaches beyond the link (RFC 4861, 4.2)', async () => {
  const lan = new StackLan6();
  const { world, router, server } = lan;
  const { host, via, configuration } = await configured(lan);
  assert.equal(configuration.address, undefined);
  const ready = configuration.ready();
  // Both flags: "If the M flag is set, the O flag is redundant" (RFC 4861, section 4.2).
  lan.advertise({ managed: true, otherConfiguration: true });
  lan.advertise({ managed: true, otherConfiguration: true });
  const address = await world.run(ready);
  assert.equal(address.toString(), '2001:db8::101');
  assert.equal(configuration.address, address);
  assert.equal((await world.run(configuration.ready())).toString(), '2001:db8::101');
  assert.deepEqual(server.received, ['solicit', 'request']);
  assert.ok((await world.run(router.ping(address))).roundTrip < 10);
  // The prefix is on the link by the router's word, and the rest of the world lies behind the router (RFC 5942, section 4).
  assert.equal(via.find(address)?.cidr.prefixLength, 128);
  const nextHop = (to: string) =>
    host.stack.routes.lookup(IpAddress.parse(to))?.nextHop?.toString();
  assert.equal(nextHop('2001:db8::1'), undefined);
  assert.equal(nextHop('2001:db8:ffff::1'), 'fe80::1%lan');
});

test('the flag O: parameters alone, beside addresses of one’s own making', async () => {
  const lan = new StackLan6();
  const { world, server } = lan;
  const { configuration } = await configured(lan);
  lan.advertise({
    otherConfiguration: true,
    options: [{ kind: 'dns-servers', lifetime: 600, addresses: [IpAddress.parse('2001:db8::54')] }],
  });
  await world.run(6000);
  assert.deepEqual(server.received, ['information_request']);
  assert.equal(configuration.client?.current, undefined);
  // Those of DHCPv6 first (RFC 8106, section 5.3.1).
  assert.deepEqual(configuration.dnsServers.map(String), ['2001:db8::53', '2001:db8::54']);
});

test('a flag that comes later is heeded, one that is taken back is not', async () => {
  const lan = new StackLan6();
  const { world, server } = lan;
  const { configuration } = await configured(lan);
  lan.advertise({ otherConfiguration: true });
  await world.run(6000);
  lan.advertise({ managed: true });
  await world.run(configuration.ready());
  assert.deepEqual(server.received, ['information_request', 'solicit', 'request']);
  lan.advertise({ otherConfiguration: true });
  lan.advertise({});
  await world.run(20_000);
  assert.equal(configuration.address?.toString(), '2001:db8::101');
  assert.equal(server.received.length, 3);
});

test('a router that speaks before the link-local address is ready is heard', async () => {
  const lan = new StackLan6();
  const { world, network, server } = lan;
  const host = world.machine('a');
  const { interface: via } = host.attach(network, { addresses: [] });
  const configuration = host.autoconfigure(via);
  lan.advertise({ managed: true });
  await world.run(10);
  assert.ok(host.stack.autoconfiguration.parameters(via)?.managed);
  assert.equal(configuration.client, undefined);
  await world.run(configuration.ready());
  assert.deepEqual(server.received, ['solicit', 'request']);
  assert.equal(via.drops.get('dhcpv6-not-started'), 0);
});

test('never is never', async () => {
  const lan = new StackLan6();
  const { configuration } = await configured(lan, { dhcpv6: 'never' });
  lan.advertise({ managed: true, otherConfiguration: true });
  await lan.world.run(20_000);
  assert.equal(configuration.client, undefined);
  assert.deepEqual(lan.server.received, []);
});

test('the owner hears of every change, and of what its client is told', async () => {
  const lan = new StackLan6();
  const { world } = lan;
  const told: string[] = [];
  const { configuration } = await configured(lan, {
    changed: () => void told.push('changed'),
    client: {
      prefixes: true,
      bound: ({ prefixes }) => void told.push(`bound ${prefixes.map(({ prefix }) => prefix)}`),
      lost: (reason) => void told.push(`lost ${reason}`),
    },
  });
  lan.advertise({ managed: true });
  told.length = 0;
  await world.run(configuration.ready());
  assert.deepEqual(told.slice(-2), ['bound 2001:db8:1::/48', 'changed']);
  await world.run(configuration.release());
  assert.deepEqual(
    told.slice(-2),
    ['lost released', 'changed'],
    'and no more of what close() does',
  );
  assert.deepEqual(lan.server.received.at(-1), 'release');
});

test('an interface that was down and is up again has its lease confirmed (RFC 8415, 18.2.12)', async () => {
  const lan = new StackLan6();
  const { world, server } = lan;
  const { via, configuration } = await configured(lan);
  lan.advertise({ managed: true });
  await world.run(configuration.ready());
  via.down();
  await world.run(world.now() + 1000);
  assert.equal(configuration.client?.state, 'link-down');
  server.received.length = 0;
  via.up();
  await world.run(world.now() + 5000);
  assert.deepEqual(server.received, ['confirm']);
  assert.equal(configuration.client.state, 'bound');
  assert.equal(configuration.address?.toString(), '2001:db8::101');
});

test('a client of the owner’s own is left to do the work', async () => {
  const lan = new StackLan6();
  const { world, server } = lan;
  const failures = new Set<string>();
  const { host, via, configuration } = await configured(lan, {
    failed: ({ code }) => void failures.add(code),
  });
  const client = new DhcpClientV6(host, via);
  lan.advertise({ managed: true });
  await world.run(client.lease());
  assert.equal(configuration.client, undefined);
  assert.ok(configuration.address);
  assert.deepEqual(server.received, ['solicit', 'request']);
  assert.ok(via.drops.get('dhcpv6-not-started') > 0);
  assert.deepEqual([...failures], ['ADDRESS_IN_USE']);
});

test('close() gives up everything; ready() then rejects, as it does in vain and when aborted', async () => {
  const lan = new StackLan6();
  const { world, server } = lan;
  const { host, via, configuration } = await configured(lan);
  const codeOf = (waiting: Promise<unknown>): Promise<unknown> =>
    world.run(waiting.catch((error: NetloomError) => error.code));
  assert.equal(await codeOf(configuration.ready({ timeout: 1000 })), 'TIMEOUT');
  const controller = new AbortController();
  world.clock.defer(() => controller.abort());
  assert.equal(await codeOf(configuration.ready({ signal: controller.signal })), 'ABORTED');
  lan.advertise({ managed: true });
  await world.run(configuration.ready());
  assert.equal(host.autoconfigure(via), configuration, 'once for an interface');
  await world.run(Promise.all([configuration.close(), configuration.close()]));
  assert.deepEqual(via.addresses, []);
  assert.equal(configuration.client?.state, 'stopped');
  lan.advertise({ managed: true });
  await world.run(world.now() + 10_000);
  assert.equal(await codeOf(configuration.ready()), 'HOST_CLOSED');
  assert.deepEqual(server.received, ['solicit', 'request']);
  // And it can be begun anew.
  const again = host.autoconfigure(via);
  assert.notEqual(again, configuration);
  world.clock.defer(() => void host.close());
  assert.equal(await codeOf(again.ready()), 'HOST_CLOSED');
});
