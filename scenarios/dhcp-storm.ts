import assert from 'node:assert/strict';
import { IpAddress } from 'netloom/core';
import { DhcpClient, DhcpServer, type Scenario, type SimHost, type SimNetwork } from 'netloom/host';

/** A power cut is over: all machines of a LAN boot at once and ask one server for an address. */
export const scenario: Scenario<{ hosts: number; loss: number; limit: number }> = {
  name: 'dhcp-storm',
  description: 'several hundred machines boot at once against one DHCP server on a lossy LAN',
  parameters: {
    hosts: 300,
    /** The probability that a frame is lost. */
    loss: 0.1,
    /** Virtual seconds by which all have an address. */
    limit: 600,
  },
  async run(world, { hosts, loss, limit }) {
    const subnets = ['10.9.0.0/16'];
    const lan = world.network('lan', { subnets, delay: 0.2, jitter: 0.1, loss, rate: 1e8 });
    const server = world.machine('server', { on: lan });
    const dhcp = new DhcpServer(server, server.cable(lan).interface, {
      // A few more than needed: addresses that were offered in vain are kept for a minute.
      pool: { first: IpAddress.parse('10.9.1.0'), last: IpAddress.v4(0x0a09_0100 + hosts + 20) },
      parameters: { routers: [server.address] },
    });
    const machines = Array.from({ length: hosts }, (_, index) => world.machine(`host-${index}`));
    const booting = Promise.all(machines.map((machine) => boot(machine, lan, limit)));
    const addresses = await world.within(limit * 1000, 'the boot of all', booting);
    const bootedAfter = world.now() / 1000;
    assert.equal(new Set(addresses).size, hosts, 'every address is given once');
    const leased = dhcp.leases().map(({ address }) => address);
    for (const address of addresses) assert.ok(leased.includes(address), `${address} is leased`);
    // Whether machines find each other where one frame in ten is lost is another question.
    lan.impair({ loss: 0 });
    await checkReachable(machines, server);
    return { hosts, bootedAfter, last: addresses.toSorted().at(-1)! };
  },
};

/** Answers the address it was given. */
async function boot(machine: SimHost, lan: SimNetwork, limit: number): Promise<string> {
  const cable = machine.attach(lan, { addresses: [] });
  const client = new DhcpClient(machine, cable.interface, { hostname: machine.name });
  const { address } = await client.lease({ timeout: limit * 1000 });
  assert.deepEqual(machine.addresses.map(String), [address.toString()]);
  return address.toString();
}

/** The address works, and the way to other networks leads by the server. */
async function checkReachable(machines: readonly SimHost[], server: SimHost): Promise<void> {
  for (const machine of machines.slice(0, 3)) {
    const connection = await refusal(machine, server);
    assert.equal(connection, 'CONNECTION_REFUSED', `${machine.name} reaches the server`);
  }
}

async function refusal(machine: SimHost, server: SimHost): Promise<unknown> {
  const attempt = machine.connect({ host: server.address, port: 1 });
  return attempt.then(
    () => 'connected',
    (error: { code: string }) => error.code,
  );
}
