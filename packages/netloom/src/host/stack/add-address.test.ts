import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress } from '../../core/index.ts';
import { simWorld, type SimHost, type SimWorld } from '../sim/index.ts';
import type { Interface } from '../../ip/index.ts';
import { DhcpClient } from './dhcp-client.ts';

const TAKEN = '10.1.0.9/24';
const FREE = '10.1.0.10/24';

/** A network on which somebody has 10.1.0.9, and a machine without an address. */
function scene(): { world: SimWorld; host: SimHost; via: Interface } {
  const world = simWorld({ seed: 1 });
  const lan = world.network('lan', { subnets: ['10.1.0.0/24'], delay: 1 });
  world.machine('owner').attach(lan, { addresses: [TAKEN] });
  const host = world.machine('a');
  const { interface: via } = host.attach(lan, { addresses: [] });
  return { world, host, via };
}

test('a free address is used once the link has been asked', async () => {
  const { world, host, via } = scene();
  await world.run(host.addAddress(via, FREE, { duplicates: 'detect' }));
  assert.ok(world.now() >= 4000, `asked for ${world.now()} ms`);
  assert.deepEqual(host.addresses.map(String), ['10.1.0.10']);
  await world.run(host.ping(IpAddress.parse('10.1.0.9')));
});

test('without being asked for, nothing is waited for', async () => {
  const { world, host, via } = scene();
  await world.run(host.addAddress(via, FREE));
  assert.equal(world.now(), 0);
  assert.deepEqual(host.addresses.map(String), ['10.1.0.10']);
});

test('a taken address is refused by name', async () => {
  const { world, host, via } = scene();
  await assert.rejects(world.run(host.addAddress(via, TAKEN, { duplicates: 'detect' })), {
    code: 'ADDRESS_DUPLICATE',
    message: /^the station [0-9a-f:]{17} on lan has the address 10\.1\.0\.9$/,
  });
  assert.deepEqual(host.addresses, []);
});

test('given up by signal, or with its interface, an address is not used later', async () => {
  const { world, host, via } = scene();
  const controller = new AbortController();
  const { signal } = controller;
  const aborted = host.addAddress(via, FREE, { duplicates: 'detect', signal });
  await world.run(500);
  controller.abort();
  await assert.rejects(aborted, { code: 'ABORTED' });
  await world.run(20_000);
  assert.deepEqual(via.addresses, []);
  const removed = host.addAddress(via, FREE, { duplicates: 'detect' });
  const refused = assert.rejects(removed, { code: 'ADDRESS_NOT_AVAILABLE' });
  await world.run(host.removeInterface(via));
  await refused;
  assert.deepEqual(via.addresses, []);
});

test('an address that is asked about on a link that goes is refused', async () => {
  const { world, host, via } = scene();
  const refused = assert.rejects(host.addAddress(via, FREE, { duplicates: 'detect' }), {
    code: 'ADDRESS_NOT_AVAILABLE',
  });
  await world.run(500);
  await world.run(via.link.close());
  await refused;
  assert.deepEqual(via.addresses, []);
});

test('a removed interface ends what configures it: its DHCP client, and itself', async () => {
  const { world, host, via } = scene();
  const client = new DhcpClient(host, via);
  const configuration = host.autoconfigure(via);
  const ends = Promise.all(
    [client.lease(), configuration.ready()].map((waiting) =>
      assert.rejects(waiting, { code: 'HOST_CLOSED' }),
    ),
  );
  await world.run(5000);
  await world.run(host.removeInterface(via));
  await ends;
  assert.equal(host.stack.interfaces.includes(via), false);
  assert.equal(host.stack.autoconfiguration.parameters(via), undefined);
  await world.run(Promise.all([host.removeInterface(via), client.close()]));
});
