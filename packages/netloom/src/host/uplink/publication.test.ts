/** Guests' ports, published outside, in virtual time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress, copyBytes, type NetloomError } from '../../core/index.ts';
import { FAMILIES, UplinkWorld, addressOf } from '../../../test/uplink/uplink-world.ts';
import { Pattern, Recorder, echo, send } from '../compliance/recorder.ts';
import type { SimHost } from '../sim/index.ts';
import { holderOf } from './shares.ts';

const PORT = 8080;

/** A client's connection to a published port. */
async function opened(scene: UplinkWorld, client: SimHost, port: number): Promise<Recorder> {
  return new Recorder(await client.connect({ host: scene.outside.address, port }), []);
}

function codeOf({ code }: NetloomError): string {
  return code;
}

for (const family of FAMILIES) {
  test(`IPv${family}: a connection to the published port is one to the guest, from the gateway`, async () => {
    const scene = new UplinkWorld();
    await scene.run(async () => {
      const to = { address: addressOf(scene.guest, family), port: 80 };
      const accepted: Recorder[] = [];
      await scene.guest.listen({
        port: 80,
        accept: (connection) => {
          accepted.push(new Recorder(connection, []));
          connection.write(new Uint8Array(1000));
          connection.end();
        },
      });
      const publication = await scene.uplink.publish({ port: PORT, to });
      assert.equal(publication.local.port, PORT);
      const host = addressOf(scene.outside, family);
      const client = new Recorder(await scene.server.connect({ host, port: PORT }), []);
      const pattern = new Pattern();
      await send(client, pattern, 1 << 20);
      client.connection.end();
      assert.equal(await client.gone(), undefined);
      assert.equal(client.length, 1000);
      const [guest] = accepted;
      assert.equal(await guest!.gone(), undefined);
      assert.equal(guest!.digest(), pattern.digest());
      const { remote } = guest!.connection;
      assert.ok(remote.address.equals(addressOf(scene.gateway, family)));
      await scene.world.sleep(100);
      const [flow] = scene.uplink.flows.ended();
      const { direction, end, bytesSent, bytesReceived, destination } = flow!;
      assert.deepEqual(
        [direction, end, bytesSent, bytesReceived],
        ['inbound', 'finished', 1000, 1 << 20],
      );
      assert.equal(String(destination.address), String(addressOf(scene.server, family)));
      const [account] = scene.uplink.flows.destinations();
      assert.equal(account!.flows, 1);
    });
  });

  test(`IPv${family}: datagrams of several clients, each told apart`, async () => {
    const scene = new UplinkWorld();
    await scene.run(async () => {
      const to = { address: addressOf(scene.guest, family), port: 53 };
      const guest = await scene.guest.bind({ port: 53 });
      const ports = new Set<number>();
      guest.start({
        receive: (batch) => {
          for (const { data, remote } of batch) {
            ports.add(remote.port);
            guest.send([{ data: copyBytes(data), remote }]);
          }
        },
      });
      await scene.uplink.publish({ port: 5353, protocol: 'udp', to });
      const remote = { address: addressOf(scene.outside, family), port: 5353 };
      const answers: string[] = [];
      for (const name of ['one', 'two']) {
        const client = await scene.server.bind();
        client.start({
          receive: (batch) => {
            for (const { data, remote: from } of batch) {
              answers.push(`${new TextDecoder().decode(data)} for ${name} from ${from.port}`);
            }
          },
        });
        for (const part of ['a', 'b']) {
          const data = new TextEncoder().encode(`${name}-${part}`);
          client.send([{ data, remote }]);
        }
      }
      await scene.world.sleep(100);
      assert.deepEqual(answers.toSorted(), [
        'one-a for one from 5353',
        'one-b for one from 5353',
        'two-a for two from 5353',
        'two-b for two from 5353',
      ]);
      assert.equal(ports.size, 2);
      assert.equal(scene.uplink.flows.size, 2);
      await scene.world.sleep(310_000);
      assert.equal(scene.uplink.flows.size, 0);
    });
  });
}

test('a guest that refuses: the client is cut off, and the flow says why', async () => {
  const scene = new UplinkWorld();
  await scene.run(async () => {
    await scene.uplink.publish({ port: PORT, to: { address: scene.guest.address, port: 80 } });
    const host = scene.outside.address;
    const client = new Recorder(await scene.server.connect({ host, port: PORT }), []);
    assert.equal((await client.gone())?.code, 'CONNECTION_RESET');
    assert.equal(scene.uplink.flows.ended()[0]!.end, 'refused');
  });
});

test('a port that is taken cannot be published', async () => {
  const scene = new UplinkWorld();
  await scene.run(async () => {
    await scene.outside.listen({ port: PORT, accept: echo });
    const to = { address: scene.guest.address, port: 80 };
    assert.equal(await scene.uplink.publish({ port: PORT, to }).catch(codeOf), 'ADDRESS_IN_USE');
    await scene.outside.bind({ port: PORT });
    const udp = scene.uplink.publish({ port: PORT, protocol: 'udp', to });
    assert.equal(await udp.catch(codeOf), 'ADDRESS_IN_USE');
  });
});

test('one client outside cannot take all connections of the published ports', async () => {
  const scene = new UplinkWorld({ limits: { connections: 8, connectionsPerGuest: 6 } });
  await scene.run(async () => {
    await scene.guest.listen({ port: 80, accept: echo });
    const to = { address: scene.guest.address, port: 80 };
    await scene.uplink.publish({ port: PORT, to });
    await scene.uplink.publish({ port: PORT + 1, to });
    const greedy: Recorder[] = [];
    for (let number = 0; number < 12; number++) {
      greedy.push(await opened(scene, scene.server, PORT + (number % 2)));
    }
    await scene.world.sleep(100);
    const { drops, flows } = scene.uplink;
    assert.equal(flows.size, 4, 'as many as are free');
    assert.equal(drops.get('tcp-connections-of-client-limit'), 8);
    const other = scene.world.machine('other', { on: scene.internet });
    const client = await opened(scene, other, PORT);
    client.write(new Uint8Array(1));
    await client.until(() => client.length === 1);
    const guest = await scene.guest
      .connect({ host: scene.gateway.address, port: PORT })
      .catch(codeOf);
    assert.equal(guest, 'CONNECTION_REFUSED', 'the port is outside only');
    for (const { connection } of greedy) connection.abort();
    await scene.world.sleep(100);
    assert.equal(flows.size, 1);
    await opened(scene, scene.server, PORT);
    await scene.world.sleep(100);
    assert.equal(flows.size, 2, 'what has ended makes room');
  });
});

test('whoever has the most mappings of all published ports gives the one used longest ago', async () => {
  const scene = new UplinkWorld({ limits: { mappings: 6, mappingsPerGuest: 5 } });
  await scene.run(async () => {
    const to = { address: scene.guest.address, port: 53 };
    await scene.uplink.publish({ port: 5353, protocol: 'udp', to });
    await scene.uplink.publish({ port: 5354, protocol: 'udp', to });
    const other = scene.world.machine('other', { on: scene.internet });
    const ask = async (machine: SimHost, port: number): Promise<void> => {
      const remote = { address: scene.outside.address, port };
      (await machine.bind()).send([{ data: new Uint8Array(1), remote }]);
      await scene.world.sleep(100);
    };
    await ask(other, 5353);
    for (let number = 0; number < 10; number++) await ask(scene.server, 5353 + (number % 2));
    const { drops, flows } = scene.uplink;
    assert.equal(flows.size, 6);
    assert.equal(drops.get('udp-mappings-of-guest-limit'), 5);
    await ask(other, 5354);
    assert.equal(drops.get('udp-mapping-limit'), 1);
    const clients = flows.list().map(({ destination }) => String(destination.address));
    const ofOther = clients.filter((address) => address === String(other.address));
    assert.deepEqual([clients.length, ofOther.length], [6, 2]);
  });
});

test('an IPv6 client is counted as the /64 that it is in', () => {
  const [one, two, three] = ['2001:db8::1', '2001:db8::2:1', '2001:db8:0:1::1'].map((text) =>
    holderOf(IpAddress.parse(text)),
  );
  assert.equal(one, two);
  assert.notEqual(one, three);
  assert.notEqual(holderOf(IpAddress.parse('192.0.2.1')), holderOf(IpAddress.parse('192.0.2.2')));
});

test('a port published at one address is at no other', async () => {
  const scene = new UplinkWorld();
  await scene.run(async () => {
    await scene.guest.listen({ port: 80, accept: echo });
    const to = { address: scene.guest.address, port: 80 };
    await scene.uplink.publish({ address: IpAddress.LOOPBACK4, port: PORT, to });
    const host = scene.outside.address;
    assert.equal(
      await scene.server.connect({ host, port: PORT }).catch(codeOf),
      'CONNECTION_REFUSED',
    );
    await scene.outside.connect({ host: IpAddress.LOOPBACK4, port: PORT });
  });
});

test('closing a publication cuts off its clients, those that wait too, and frees the port', async () => {
  const scene = new UplinkWorld();
  await scene.run(async () => {
    await scene.guest.listen({ port: 80, accept: echo });
    const to = { address: scene.guest.address, port: 80 };
    const publication = await scene.uplink.publish({ port: PORT, to });
    const host = scene.outside.address;
    const client = new Recorder(await scene.server.connect({ host, port: PORT }), []);
    client.write(new Uint8Array(1));
    await client.until(() => client.length === 1);
    scene.lan.partition([scene.guest]);
    const waiting = new Recorder(await scene.server.connect({ host, port: PORT }), []);
    await scene.world.sleep(10);
    await publication.close();
    await publication.close();
    assert.equal((await client.gone())?.code, 'CONNECTION_RESET');
    assert.equal((await waiting.gone())?.code, 'CONNECTION_RESET');
    assert.deepEqual(
      scene.uplink.flows.ended().map(({ end }) => end),
      ['closed', 'closed'],
    );
    await scene.world.sleep(10);
    assert.equal(scene.gateway.stack.tcp.connections, 0);
    const again = await scene.uplink.publish({ port: PORT, to });
    await scene.uplink.close();
    await scene.outside.listen({ port: again.local.port, accept: echo });
  });
});
