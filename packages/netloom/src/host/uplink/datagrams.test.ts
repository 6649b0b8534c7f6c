/** Guests' datagrams and echo requests over an uplink, in virtual time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  copyBytes,
  type Datagram,
  type DatagramSocket,
  type Host,
  type IpAddress,
  type NetloomError,
  type SocketAddress,
} from '../../core/index.ts';
import {
  FAMILIES,
  NOWHERE,
  UNKNOWN,
  UplinkWorld,
  addressOf,
} from '../../../test/uplink/uplink-world.ts';

/** A socket that keeps what it gets. */
class Post {
  readonly socket: DatagramSocket;
  readonly received: { text: string; from: SocketAddress }[] = [];
  readonly errors: NetloomError[] = [];

  constructor(socket: DatagramSocket, answer?: (datagram: Datagram) => void) {
    this.socket = socket;
    socket.start({
      receive: (batch) => {
        for (const datagram of batch) {
          const text = new TextDecoder().decode(datagram.data);
          this.received.push({ text, from: datagram.remote });
          answer?.(datagram);
        }
      },
      error: (error) => this.errors.push(error),
    });
  }

  send(text: string, address: IpAddress, port: number): void {
    const data = new TextEncoder().encode(text);
    this.socket.send([{ data, remote: { address, port } }]);
  }

  get lines(): string[] {
    return this.received.map(({ text, from }) => `${text} ${from.address} ${from.port}`);
  }
}

async function post(host: Host, port = 0): Promise<Post> {
  return new Post(await host.bind({ port }));
}

/** Sends back whatever comes. */
async function echoing(host: Host, port: number): Promise<Post> {
  const socket = await host.bind({ port });
  return new Post(socket, ({ data, remote }) => socket.send([{ data: copyBytes(data), remote }]));
}

for (const family of FAMILIES) {
  test(`IPv${family}: a question and its answer, which comes from whom was asked`, async () => {
    const scene = new UplinkWorld();
    await scene.run(async () => {
      const address = scene.serverAddress(family);
      const server = await echoing(scene.server, 53);
      const guest = await post(scene.guest);
      guest.send('what?', address, 53);
      await scene.world.sleep(100);
      assert.deepEqual(guest.lines, [`what? ${address} 53`]);
      assert.ok(server.received[0]!.from.address.equals(addressOf(scene.outside, family)));
      const [flow] = scene.uplink.flows.list();
      const { state, bytesSent, bytesReceived, packetsSent, packetsReceived } = flow!;
      assert.deepEqual([state, bytesSent, bytesReceived], ['open', 5, 5]);
      assert.deepEqual([packetsSent, packetsReceived], [1, 1]);
    });
  });

  test(`IPv${family}: a closed port is reported to the guest`, async () => {
    const scene = new UplinkWorld();
    await scene.run(async () => {
      const guest = await post(scene.guest);
      guest.send('anybody?', scene.serverAddress(family), 9);
      await scene.world.sleep(100);
      assert.deepEqual(
        guest.errors.map(({ code }) => code),
        ['CONNECTION_REFUSED'],
      );
    });
  });

  test(`IPv${family}: datagrams larger than the link, both ways`, async () => {
    const scene = new UplinkWorld();
    await scene.run(async () => {
      await echoing(scene.server, 7);
      const guest = await post(scene.guest);
      // So that no fragment is lost while addresses are asked for.
      guest.send('first', scene.serverAddress(family), 7);
      await scene.world.sleep(100);
      const text = 'x'.repeat(30_000);
      guest.send(text, scene.serverAddress(family), 7);
      await scene.world.sleep(100);
      assert.equal(guest.received[1]?.text, text);
    });
  });

  test(`IPv${family}: ping`, async () => {
    const scene = new UplinkWorld();
    await scene.run(async () => {
      const target = scene.serverAddress(family);
      await scene.guest.ping(target, { size: 100 });
      const reply = await scene.guest.ping(target, { size: 100, sequence: 7 });
      assert.deepEqual([String(reply.from), reply.size, reply.sequence], [String(target), 100, 7]);
      assert.ok(Math.abs(reply.roundTrip - 10.4) < 1, `${reply.roundTrip} ms`);
      assert.deepEqual(scene.ended().slice(0, 1), [`icmp outbound ${target} finished`]);
      assert.equal(scene.uplink.flows.ended()[0]!.bytesReceived, 100);
    });
  });
}

test('ping: what is not reached is said so, and silence is silence', async () => {
  const scene = new UplinkWorld();
  await scene.run(async () => {
    const codeOf = (target: IpAddress, timeout: number): Promise<unknown> =>
      scene.guest.ping(target, { timeout }).catch((error: NetloomError) => error.code);
    assert.equal(await codeOf(UNKNOWN, 5000), 'NETWORK_UNREACHABLE');
    assert.equal(await codeOf(NOWHERE, 20_000), 'TIMEOUT');
    assert.deepEqual(scene.ended(), [
      `icmp outbound ${UNKNOWN} unreachable`,
      `icmp outbound ${NOWHERE} timeout`,
    ]);
  });
});

test('ping: requests that wait at once are one flow, and each gets its reply', async () => {
  const scene = new UplinkWorld();
  await scene.run(async () => {
    const target = scene.server.address;
    // So that none of them waits for an address.
    await scene.guest.ping(target);
    const first = scene.guest.ping(target, { sequence: 1 });
    await scene.world.sleep(5);
    const others = [2, 3].map((sequence) => scene.guest.ping(target, { sequence }));
    await first;
    assert.equal(scene.uplink.flows.size, 1);
    await Promise.all(others);
    const [, flow] = scene.uplink.flows.ended();
    assert.deepEqual([flow!.packetsSent, flow!.packetsReceived, flow!.bytesReceived], [3, 3, 168]);
    assert.equal(scene.uplink.flows.endedCount, 2);
    assert.equal(scene.uplink.flows.size, 0);
  });
});

/** Settles when there was no reply. */
function lost(host: Host): Promise<unknown> {
  return host.ping(NOWHERE).catch(() => undefined);
}

test('ping: requests that wait are limited', async () => {
  const scene = new UplinkWorld({ limits: { echoRequests: 5, echoRequestsPerGuest: 3 } });
  await scene.run(async () => {
    await scene.guest.ping(scene.server.address);
    await scene.neighbour.ping(scene.server.address);
    const flood = Array.from({ length: 5 }, () => lost(scene.guest));
    await scene.world.sleep(1);
    flood.push(...Array.from({ length: 5 }, () => lost(scene.neighbour)));
    await scene.world.sleep(1);
    const { drops } = scene.uplink;
    // The guest has the three of its own, the neighbour one of the two that were left.
    assert.equal(drops.get('icmp-echoes-of-guest-limit'), 2 + 4);
    assert.equal(drops.get('icmp-echo-limit'), 0);
    const third = scene.world.machine('third', { on: scene.lan });
    third.routeVia(scene.gateway);
    await third.ping(scene.server.address);
    flood.push(lost(third));
    await scene.world.sleep(1);
    flood.push(lost(scene.world.machine('fourth', { on: scene.lan })), lost(third));
    await Promise.all(flood);
    assert.equal(drops.get('icmp-echo-limit'), 1);
  });
});

test('a guest’s port is one outside port, whatever the destination (RFC 4787, section 4.1)', async () => {
  const scene = new UplinkWorld();
  await scene.run(async () => {
    const [one, other] = [await echoing(scene.server, 1001), await echoing(scene.server, 1002)];
    const guest = await post(scene.guest, 4000);
    const second = await post(scene.guest, 4001);
    const same = await post(scene.neighbour, 4000);
    for (const from of [guest, second, same]) from.send('a', scene.server.address, 1001);
    guest.send('b', addressOf(scene.server, 4), 1002);
    await scene.world.sleep(100);
    const ports = one.received.map(({ from }) => from.port);
    assert.equal(new Set(ports).size, 3);
    assert.equal(ports.includes(other.received[0]!.from.port), true);
    assert.deepEqual(guest.lines.toSorted(), [
      `a ${scene.server.address} 1001`,
      `b ${scene.server.address} 1002`,
    ]);
  });
});

test('answers may come from another port of whom was asked, not from anybody else (RFC 4787, section 5)', async () => {
  const scene = new UplinkWorld();
  const stranger = scene.world.machine('stranger', { on: scene.internet });
  await scene.run(async () => {
    const server = await post(scene.server, 1001);
    const guest = await post(scene.guest);
    guest.send('hello', scene.server.address, 1001);
    await scene.world.sleep(100);
    const { from } = server.received[0]!;
    (await post(scene.server, 1002)).send('other port', from.address, from.port);
    (await post(stranger, 1001)).send('unasked', from.address, from.port);
    await scene.world.sleep(100);
    assert.deepEqual(guest.lines, [`other port ${scene.server.address} 1002`]);
    assert.equal(scene.uplink.drops.get('udp-unasked'), 1);
  });
});

test('an idle mapping ends after five minutes, one for names after ten seconds; use keeps it', async () => {
  const scene = new UplinkWorld();
  await scene.run(async () => {
    await echoing(scene.server, 53);
    await echoing(scene.server, 7);
    const names = await post(scene.guest);
    const other = await post(scene.guest);
    names.send('a', scene.server.address, 53);
    other.send('a', scene.server.address, 7);
    await scene.world.sleep(9000);
    assert.equal(scene.uplink.flows.size, 2);
    await scene.world.sleep(2000);
    assert.deepEqual(scene.ended(), [`udp outbound ${scene.server.address} 53 idle`]);
    await scene.world.sleep(280_000);
    other.send('b', scene.server.address, 7);
    await scene.world.sleep(290_000);
    assert.equal(scene.uplink.flows.size, 1);
    await scene.world.sleep(20_000);
    assert.equal(scene.uplink.flows.size, 0);
    assert.equal(scene.outside.stack.udp.sockets().length, 0);
    // A port that has asked for names and then goes on otherwise lasts as others do.
    names.send('a', scene.server.address, 53);
    names.send('b', scene.server.address, 7);
    await scene.world.sleep(200_000);
    assert.equal(scene.uplink.flows.size, 2);
  });
});

test('too many mappings: the guest’s own, used least recently, gives way, and its neighbours’ stay', async () => {
  const scene = new UplinkWorld({ limits: { mappings: 100, mappingsPerGuest: 4 } });
  await scene.run(async () => {
    await echoing(scene.server, 7);
    const neighbour = await post(scene.neighbour, 5000);
    neighbour.send('n', scene.server.address, 7);
    const posts = [];
    for (let index = 0; index < 4; index++) {
      posts.push(await post(scene.guest, 4000 + index));
      posts[index]!.send('a', scene.server.address, 7);
    }
    await scene.world.sleep(2000);
    posts[0]!.send('b', scene.server.address, 7);
    for (let index = 4; index < 7; index++) {
      (await post(scene.guest, 4000 + index)).send('a', scene.server.address, 7);
    }
    await scene.world.sleep(100);
    const ports = scene.uplink.flows.list().map(({ guest: { port } }) => port);
    assert.deepEqual(ports, [5000, 4000, 4004, 4005, 4006]);
    assert.equal(scene.outside.stack.udp.sockets().length, 5);
    assert.equal(scene.uplink.drops.get('udp-mappings-of-guest-limit'), 3);
  });
});

test('over all guests too, the mapping used least recently gives way', async () => {
  const scene = new UplinkWorld({ limits: { mappings: 2 } });
  await scene.run(async () => {
    for (const port of [4000, 4001, 4002]) {
      (await post(scene.guest, port)).send('a', scene.server.address, 7);
    }
    await scene.world.sleep(100);
    assert.deepEqual(
      scene.uplink.flows.list().map(({ guest: { port } }) => port),
      [4001, 4002],
    );
    assert.deepEqual(
      scene.uplink.flows.ended().map(({ end }) => end),
      ['limit'],
    );
  });
});

test('one port that sends everywhere is one socket, and remembers so many destinations', async () => {
  const scene = new UplinkWorld({ limits: { destinationsPerMapping: 8 } });
  await scene.run(async () => {
    const guest = await post(scene.guest);
    for (let port = 1; port <= 20; port++) guest.send('scan', scene.server.address, port);
    await scene.world.sleep(100);
    assert.equal(scene.uplink.flows.size, 8);
    assert.equal(scene.outside.stack.udp.sockets().length, 1);
    assert.equal(scene.uplink.flows.endedCount, 12);
  });
});

test('what waits for the outside socket is limited, and goes out in order', async () => {
  const scene = new UplinkWorld({ limits: { waitingDatagrams: 3 } });
  await scene.run(async () => {
    const server = await post(scene.server, 7);
    await scene.guest.ping(scene.server.address);
    const guest = await post(scene.guest);
    for (const text of ['a', 'b', 'c', 'd', 'e']) guest.send(text, scene.server.address, 7);
    await scene.world.sleep(100);
    const texts = server.received.map(({ text }) => text).join('');
    assert.ok('abcde'.startsWith(texts) && texts.length >= 3, texts);
    assert.equal(scene.uplink.drops.get('udp-waiting-limit'), 5 - texts.length);
  });
});

test('an outside host that has no socket left: the flow ends, and the next datagram tries again', async () => {
  const scene = new UplinkWorld();
  await scene.run(async () => {
    await echoing(scene.server, 7);
    const { bind } = scene.outside;
    const error = Object.assign(new Error('no more'), { code: 'TOO_MANY_OPEN' });
    scene.outside.bind = () => Promise.reject(error);
    const guest = await post(scene.guest);
    guest.send('a', scene.server.address, 7);
    await scene.world.sleep(10);
    assert.deepEqual(scene.ended(), [`udp outbound ${scene.server.address} 7 limit`]);
    assert.equal(scene.uplink.drops.get('udp-no-socket'), 1);
    scene.outside.bind = bind;
    guest.send('b', scene.server.address, 7);
    await scene.world.sleep(100);
    assert.deepEqual(guest.lines, [`b ${scene.server.address} 7`]);
  });
});

test('closing the uplink closes its sockets', async () => {
  const scene = new UplinkWorld();
  await scene.run(async () => {
    const guest = await post(scene.guest);
    guest.send('a', scene.server.address, 7);
    const waiting = lost(scene.guest);
    await scene.world.sleep(100);
    await scene.uplink.close();
    await waiting;
    assert.equal(scene.outside.stack.udp.sockets().length, 0);
    assert.deepEqual(
      scene.uplink.flows.ended().map(({ end }) => end),
      ['closed', 'closed'],
    );
  });
});
