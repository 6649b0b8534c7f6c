import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress, type MacAddress } from '../../core/index.ts';
import {
  Dhcpv6Message,
  Dhcpv6MessageType,
  Dhcpv6OptionCode,
  Dhcpv6RelayMessage,
  Dhcpv6Status,
  dhcpv6Association,
  dhcpv6Option,
  dhcpv6RelayedMessage,
  duidOfMac,
  encodeDhcpv6,
  parseDhcpv6,
  readDhcpv6Status,
} from '../../wire/index.ts';
import { simWorld, type SimHost, type SimNetwork, type SimWorld } from '../sim/index.ts';
import { DhcpClientV6 } from './dhcpv6-client.ts';
import { DhcpServerV6 } from './dhcp-server-v6.ts';

const at = (text: string): IpAddress => IpAddress.parse(text);
const POOL = { first: at('2001:db8::100'), last: at('2001:db8::1ff') };

interface Scene {
  readonly world: SimWorld;
  readonly lan: SimNetwork;
  readonly server: SimHost;
  readonly dhcp: DhcpServerV6;
}

function lanWithServer(): Scene {
  const world = simWorld({ seed: 1 });
  const lan = world.network('lan', { subnets: [], delay: 1 });
  const server = world.machine('server');
  const addresses = ['fe80::1/64', '2001:db8::1/64'];
  const { interface: via } = server.attach(lan, { addresses });
  return { world, lan, server, dhcp: new DhcpServerV6(server, via, { pool: POOL }) };
}

/** A machine with a link-local address. */
function machine({ world, lan }: Scene, name: string, addresses = [`fe80::${name}/64`]) {
  const host = world.machine(name);
  return { host, via: host.attach(lan, { addresses }).interface };
}

/** A message to the server, by hand, and its answer. */
async function ask(
  { world }: Scene,
  host: SimHost,
  bytes: Uint8Array,
  to: IpAddress,
  from: string,
) {
  const socket = await world.run(host.bind({ port: 546 }));
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  socket.start({ receive: ([first]) => resolve(new Uint8Array(first!.data)) });
  socket.send([{ data: bytes, remote: { address: to, port: 547 }, local: at(from) }]);
  const answer = await world.run(promise);
  await world.run(socket.close());
  return parseDhcpv6(answer, 0, answer.length);
}

function message(type: number, mac: MacAddress, server?: Uint8Array): Dhcpv6Message {
  const made = new Dhcpv6Message();
  made.type = type;
  made.transactionId = 5;
  const none = { renew: 0, rebind: 0, status: 0, addresses: [], prefixes: [] };
  made.options = [
    dhcpv6Option(Dhcpv6OptionCode.CLIENT_IDENTIFIER, duidOfMac(mac)),
    dhcpv6Association({ ...none, code: Dhcpv6OptionCode.IA_NA, id: 1 }),
    ...(server === undefined ? [] : [dhcpv6Option(Dhcpv6OptionCode.SERVER_IDENTIFIER, server)]),
  ];
  return made;
}

test('our client and our server on a network: leased, renewed for hours, released', async () => {
  const scene = lanWithServer();
  const { world, dhcp } = scene;
  const { host, via } = machine(scene, 'a');
  const client = new DhcpClientV6(host, via, { probe: false });
  const lease = await world.run(client.lease());
  assert.equal(lease.addresses[0]?.address.toString(), '2001:db8::100');
  await world.run(world.now() + 10 * 3_600_000);
  assert.equal(dhcp.leases()[0]?.lease, '2001:db8::100/128');
  assert.equal(client.current?.addresses.length, 1);
  await world.run(client.release());
  assert.deepEqual(dhcp.leases(), []);
  assert.deepEqual(dhcp.drops.snapshot(), {});
});

test('a server takes leases of an earlier run, and reserves', async () => {
  const scene = lanWithServer();
  const { world, dhcp } = scene;
  const { host, via } = machine(scene, 'a');
  assert.equal(
    dhcp.reserve({ mac: via.mac, address: at('2001:db8::7') }).toString(),
    '2001:db8::7',
  );
  const record = {
    kind: 'address' as const,
    lease: '2001:db8::100/128',
    client: 'duid:0102',
    associationId: 1,
    hostname: undefined,
    remaining: 5000,
  };
  assert.equal(dhcp.importLeases([record]), 1);
  const lease = await world.run(new DhcpClientV6(host, via, { probe: false }).lease());
  assert.equal(lease.addresses[0]?.address.toString(), '2001:db8::7');
  await world.run(6000);
  assert.equal(dhcp.leases().length, 1, 'the other has ended by its timer');
  dhcp.unreserve({ mac: via.mac });
  assert.equal(dhcp.leases().length, 1, 'the client has asked for it, so it goes on');
});

test('a Request to the server’s own address is told to use the group (RFC 8415, 18.4)', async () => {
  const scene = lanWithServer();
  const { server, lan } = scene;
  const { host, via } = machine(scene, 'a');
  const duid = duidOfMac(server.cable(lan).interface.mac);
  const request = encodeDhcpv6(message(Dhcpv6MessageType.REQUEST, via.mac, duid));
  const answer = await ask(scene, host, request, at('fe80::1%lan'), 'fe80::a%lan');
  assert.ok(answer instanceof Dhcpv6Message);
  assert.equal(readDhcpv6Status(answer.options), Dhcpv6Status.USE_MULTICAST);
});

test('a relay agent is answered at the address it speaks from', async () => {
  const scene = lanWithServer();
  const { world, dhcp } = scene;
  const { host, via } = machine(scene, 'b', ['fe80::b/64', '2001:db8::b/64']);
  const relay = new Dhcpv6RelayMessage();
  relay.linkAddress = at('2001:db8::b');
  relay.peerAddress = at('fe80::77');
  relay.options = [dhcpv6RelayedMessage(message(Dhcpv6MessageType.SOLICIT, via.mac))];
  const socket = await world.run(host.bind({ port: 547 }));
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.start({ receive: ([first]) => resolve(first!.remote.address.toString()) });
  const remote = { address: at('2001:db8::1'), port: 547 };
  socket.send([{ data: encodeDhcpv6(relay), remote, local: at('2001:db8::b') }]);
  assert.equal(await world.run(promise), '2001:db8::1');
  assert.deepEqual(dhcp.drops.snapshot(), {});
});

test('an interface needs an address of a network and one of its link; the port is free after close()', async () => {
  const scene = lanWithServer();
  const { world, dhcp, server, lan } = scene;
  const code = 'ADDRESS_NOT_AVAILABLE';
  for (const addresses of [['fe80::9/64'], ['2001:db8::9/64'], []]) {
    const { host, via } = machine(
      scene,
      `m${addresses.length}-${addresses.join('').length}`,
      addresses,
    );
    assert.throws(() => new DhcpServerV6(host, via, { pool: POOL }), { code });
  }
  const { interface: via } = server.cable(lan);
  assert.throws(() => new DhcpServerV6(server, via, { pool: POOL }), { code: 'ADDRESS_IN_USE' });
  // Until all reports of the joining are out.
  await world.run(world.now() + 10_000);
  const before = world.trace().length;
  await world.run(dhcp.close());
  await world.run(world.now() + 5000);
  const frames = world.trace().slice(before).join('\n');
  assert.match(frames, /MLD.*ff02::1:2/, 'the group is left');
  const again = new DhcpServerV6(server, via, { pool: POOL });
  await world.run(Promise.all([again.close(), again.close()]));
  assert.deepEqual(server.stack.udp.sockets(), []);
});
