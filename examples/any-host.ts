/**
 * One program on three kinds of network: the operating system's sockets, our own stack on a cable in memory, and a simulated
 * world, where the line is 200 ms long and the program does not notice that nobody waits for it.
 *
 *     scripts/node examples/any-host.ts
 */
import { IpAddress, type Host } from 'netloom/core';
import { SystemClock, osHost, simWorld, stackHost } from 'netloom/host';
import { fetch, serve } from 'netloom/http';
import { linkPair } from 'netloom/link';

/** The program: it takes Hosts, and cannot tell which they are. */
async function greet(client: Host, server: Host, address: IpAddress): Promise<string> {
  const site = await serve({ fetch: () => new Response('hello') }, { host: server, port: 0 });
  const response = await fetch(`http://${address}:${site.local.port}/`, { host: client });
  const text = await response.text();
  await site.close();
  return text;
}

async function onTheSystem(): Promise<string> {
  await using host = osHost();
  return await greet(host, host, IpAddress.LOOPBACK4);
}

async function onOurStack(): Promise<string> {
  const clock = new SystemClock();
  const [oneEnd, otherEnd] = linkPair(clock);
  await using client = stackHost({ clock });
  await using server = stackHost({ clock });
  client.addInterface(oneEnd, { addresses: ['10.0.0.1/24'] });
  server.addInterface(otherEnd, { addresses: ['10.0.0.2/24'] });
  return await greet(client, server, IpAddress.parse('10.0.0.2'));
}

async function inASimulation(): Promise<string> {
  const world = simWorld({ seed: 1 });
  const line = world.network('line', { delay: 200 });
  const client = world.machine('client', { on: line });
  const server = world.machine('server', { on: line });
  const text = await world.run(greet(client, server, server.address));
  return `${text}, after ${(world.now() / 1000).toFixed(1)} s that nobody waited for`;
}

console.log('os:   ', await onTheSystem());
console.log('stack:', await onOurStack());
console.log('sim:  ', await inASimulation());
