/** Guests' TCP connections over an uplink, in virtual time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection, NetloomError } from '../../core/index.ts';
import { FAMILIES, NOWHERE, UNKNOWN, UplinkWorld } from '../../../test/uplink/uplink-world.ts';
import { Pattern, Recorder, echo, send } from '../compliance/recorder.ts';

const MIB = 1 << 20;

/** What a promise rejects with. */
async function errorOf(work: Promise<unknown>): Promise<NetloomError> {
  try {
    await work;
  } catch (error) {
    return error as NetloomError;
  }
  return assert.fail('it was to be rejected');
}

for (const family of FAMILIES) {
  test(`IPv${family}: bytes go both ways; the guest sees the server, the server the outside machine`, async () => {
    const scene = new UplinkWorld();
    await scene.run(async () => {
      const [near, far] = await scene.connected(family);
      assert.equal(String(near.remote.address), String(scene.serverAddress(family)));
      assert.ok(scene.outside.addresses.some((address) => address.equals(far.remote.address)));
      const violations: string[] = [];
      const [guest, server] = [new Recorder(near, violations), new Recorder(far, violations)];
      const [up, down] = [new Pattern(), new Pattern()];
      await Promise.all([send(guest, up, 2 * MIB), send(server, down, MIB)]);
      near.end();
      far.end();
      assert.deepEqual([await guest.gone(), await server.gone()], [undefined, undefined]);
      assert.equal(server.digest(), up.digest());
      assert.equal(guest.digest(), down.digest());
      assert.deepEqual(violations, []);
      await scene.world.sleep(1000);
      const [flow] = scene.uplink.flows.ended();
      assert.deepEqual([flow!.bytesSent, flow!.bytesReceived], [2 * MIB, MIB]);
      assert.deepEqual(scene.ended(), [`tcp outbound ${scene.serverAddress(family)} 80 finished`]);
    });
  });

  test(`IPv${family}: refused there is refused here, and an absent host is an absent host`, async () => {
    const scene = new UplinkWorld();
    await scene.run(async () => {
      const host = scene.serverAddress(family);
      const refused = await errorOf(scene.guest.connect({ host, port: 81 }));
      assert.equal(refused.code, 'CONNECTION_REFUSED');
      const absent = scene.internet.subnets.find(({ address }) => address.family === family)!;
      const nobody = absent.network.toString().replace(/(\.0|::)$/, family === 4 ? '.99' : '::99');
      const unreachable = await errorOf(scene.guest.connect({ host: nobody, port: 80 }));
      assert.equal(unreachable.code, 'HOST_UNREACHABLE');
      assert.deepEqual(scene.ended(), [
        `tcp outbound ${host} 81 refused`,
        `tcp outbound ${nobody} 80 unreachable`,
      ]);
    });
  });
}

test('the guest’s SYN is answered when the outside has answered, not before', async () => {
  const scene = new UplinkWorld();
  scene.internet.impair({ delay: 200 });
  await scene.run(async () => {
    // The addresses of both are known by then.
    await scene.connected();
    const began = scene.world.now();
    await scene.guest.connect({ host: scene.server.address, port: 80 });
    const took = scene.world.now() - began;
    assert.ok(took > 400 && took < 410, `${took} ms`);
  });
});

test('a network that is not reached is reported, and silence is silence', async () => {
  const scene = new UplinkWorld({ limits: { connectTimeout: 3000 } });
  await scene.run(async () => {
    const unreachable = await errorOf(scene.guest.connect({ host: UNKNOWN, port: 80 }));
    assert.equal(unreachable.code, 'NETWORK_UNREACHABLE');
    const began = scene.world.now();
    const lost = await errorOf(scene.guest.connect({ host: NOWHERE, port: 80, timeout: 4000 }));
    assert.equal(lost.code, 'TIMEOUT');
    assert.ok(Math.abs(scene.world.now() - began - 4000) < 1);
    assert.equal(scene.ended()[1], `tcp outbound ${NOWHERE} 80 timeout`);
  });
});

for (const [first, second] of [
  ['guest', 'server'],
  ['server', 'guest'],
] as const) {
  test(`the ${first} ends, and the ${second} goes on`, async () => {
    const scene = new UplinkWorld();
    await scene.run(async () => {
      const [near, far] = await scene.connected();
      const ends = { guest: new Recorder(near, []), server: new Recorder(far, []) };
      ends[first].connection.end();
      await ends[second].until(() => ends[second].ended);
      const pattern = new Pattern();
      await send(ends[second], pattern, MIB);
      ends[second].connection.end();
      assert.equal(await ends[first].gone(), undefined);
      assert.equal(ends[first].digest(), pattern.digest());
    });
  });

  test(`a reset by the ${first} resets the ${second}`, async () => {
    const scene = new UplinkWorld();
    await scene.run(async () => {
      const [near, far] = await scene.connected();
      const ends = { guest: new Recorder(near, []), server: new Recorder(far, []) };
      ends[first].write(new Uint8Array(10));
      await ends[second].until(() => ends[second].length === 10);
      ends[first].connection.abort();
      assert.equal((await ends[second].gone())?.code, 'CONNECTION_RESET');
      await scene.world.sleep(100);
      const by = first === 'guest' ? 'guest' : 'destination';
      assert.match(scene.ended().join(), new RegExp(`reset-by-${by}$`));
      assert.equal(scene.uplink.flows.size, 0);
    });
  });

  test(`a ${second} that does not read stops the ${first}, and nothing is lost`, async () => {
    const scene = new UplinkWorld();
    await scene.run(async () => {
      const [near, far] = await scene.connected();
      const ends = { guest: new Recorder(near, []), server: new Recorder(far, []) };
      ends[second].connection.pause();
      const pattern = new Pattern();
      const total = 64 * MIB;
      const sending = send(ends[first], pattern, total);
      await scene.world.sleep(60_000);
      const [flow] = scene.uplink.flows.list();
      const carried = flow!.bytesSent + flow!.bytesReceived;
      await scene.world.sleep(60_000);
      assert.equal(flow!.bytesSent + flow!.bytesReceived, carried, 'it still flows');
      assert.ok(carried < total / 2, `${carried} bytes went to a reader that does not read`);
      assert.equal(ends[second].length, 0);
      ends[second].connection.resume();
      await sending;
      ends[first].connection.end();
      await ends[second].until(() => ends[second].ended);
      assert.equal(ends[second].digest(), pattern.digest());
    });
  });
}

test('what the server says at once is there when the guest is connected', async () => {
  const scene = new UplinkWorld();
  await scene.run(async () => {
    await scene.server.listen({
      port: 25,
      accept: (connection) => {
        connection.start({});
        connection.write(new TextEncoder().encode('220 hello\r\n'));
      },
    });
    const connection = await scene.guest.connect({ host: scene.server.address, port: 25 });
    const guest = new Recorder(connection, []);
    await guest.until(() => guest.length === 11);
  });
});

test('a thousand connections at once', async () => {
  const scene = new UplinkWorld();
  await scene.run(async () => {
    await scene.server.listen({ port: 7, accept: echo });
    const pattern = new Pattern();
    const bytes = pattern.take(3000);
    const expected = pattern.digest();
    // Two hundred SYNs at a time: more of one guest wait for their next.
    let left = 1000;
    const one = async (): Promise<void> => {
      while (left-- > 0) {
        const connection = await scene.guest.connect({ host: scene.server.address, port: 7 });
        connections.push(connection);
      }
    };
    const connections: Connection[] = [];
    await Promise.all(Array.from({ length: 200 }, one));
    assert.equal(scene.uplink.flows.size, 1000);
    const all = connections.map(async (connection) => {
      const guest = new Recorder(connection, []);
      guest.write(bytes.slice());
      connection.end();
      assert.equal(await guest.gone(), undefined);
      assert.equal(guest.digest(), expected);
    });
    await Promise.all(all);
    await scene.world.sleep(1000);
    assert.equal(scene.uplink.flows.size, 0);
    assert.equal(scene.uplink.flows.endedCount, 1000);
    assert.ok(scene.uplink.flows.ended().every(({ end }) => end === 'finished'));
  });
});

test('a guest that gives up leaves nothing behind', async () => {
  const scene = new UplinkWorld();
  await scene.run(async () => {
    const giveUp = new AbortController();
    const attempt = scene.guest.connect({ host: NOWHERE, port: 80, signal: giveUp.signal });
    const rejected = errorOf(attempt);
    await scene.world.sleep(1000);
    assert.equal(scene.uplink.flows.size, 1);
    giveUp.abort();
    assert.equal((await rejected).code, 'ABORTED');
    await scene.world.sleep(100_000);
    assert.equal(scene.uplink.flows.size, 0);
    assert.equal(scene.gateway.stack.tcp.connections, 0);
    assert.equal(scene.outside.stack.tcp.connections, 0);
  });
});

test('a guest that is gone when the outside answers: the outside connection is reset', async () => {
  const scene = new UplinkWorld({ gateway: { limits: { tcp: { synRetries: 2 } } } });
  await scene.run(async () => {
    const accepted = Promise.withResolvers<Connection>();
    await scene.server.listen({ port: 80, accept: accepted.resolve });
    const giveUp = new AbortController();
    const { signal } = giveUp;
    const attempt = errorOf(scene.guest.connect({ host: scene.server.address, port: 80, signal }));
    await scene.world.sleep(5);
    scene.lan.partition([scene.guest]);
    const server = new Recorder(await accepted.promise, []);
    giveUp.abort();
    await attempt;
    assert.equal((await server.gone())?.code, 'CONNECTION_RESET');
    assert.equal(scene.uplink.flows.size, 0);
  });
});

test('a connection that is made outside in the very turn that all is given up in is reset', async () => {
  const scene = new UplinkWorld();
  await scene.run(async () => {
    const accepted = Promise.withResolvers<Connection>();
    await scene.server.listen({ port: 80, accept: accepted.resolve });
    const connect = scene.outside.connect.bind(scene.outside);
    scene.outside.connect = async (options) => {
      const made = await connect(options);
      void scene.uplink.close();
      return made;
    };
    const attempt = errorOf(scene.guest.connect({ host: scene.server.address, port: 80 }));
    const server = new Recorder(await accepted.promise, []);
    assert.equal((await server.gone())?.code, 'CONNECTION_RESET');
    assert.equal((await attempt).code, 'CONNECTION_REFUSED');
  });
});

test('a flood of connections that never come about is bounded, and a neighbour’s go on as before', async () => {
  const limits = { tcp: { attempts: 64, attemptsPerGuest: 32 } };
  const scene = new UplinkWorld({ gateway: { limits } });
  await scene.run(async () => {
    await scene.server.listen({ port: 7, accept: echo });
    /** How long a neighbour takes for a connection with a mebibyte both ways. */
    const timed = async (): Promise<number> => {
      const began = scene.world.now();
      const neighbour = await scene.neighbour.connect({ host: scene.server.address, port: 7 });
      const recorder = new Recorder(neighbour, []);
      await Promise.all([
        send(recorder, new Pattern(), MIB),
        recorder.until(() => recorder.length === MIB),
      ]);
      neighbour.end();
      await recorder.gone();
      return scene.world.now() - began;
    };
    await timed();
    const quiet = await timed();
    // So that no SYN is lost while the gateway's address is asked for.
    await scene.guest.ping(scene.gateway.address);
    const giveUp = new AbortController();
    const { signal } = giveUp;
    const flood = Array.from({ length: 500 }, () =>
      errorOf(scene.guest.connect({ host: NOWHERE, port: 80, signal })),
    );
    await scene.world.sleep(10);
    assert.equal(scene.uplink.flows.size, 32);
    const flooded = await timed();
    assert.ok(flooded < 1.1 * quiet, `${flooded} ms, and ${quiet} without the flood`);
    assert.ok(scene.outside.stack.tcp.connections <= 34);
    giveUp.abort();
    await Promise.all(flood);
    assert.ok(scene.gateway.stack.tcp.statistics.drops.get('tcp-attempts-of-guest-limit') >= 468);
  });
});

test('connections are limited, of one guest and of all; one more hears nothing till there is room', async () => {
  const scene = new UplinkWorld({ limits: { connections: 4, connectionsPerGuest: 2 } });
  await scene.run(async () => {
    await scene.server.listen({ port: 7, accept: echo });
    const to = { host: scene.server.address, port: 7 };
    const first = await scene.guest.connect(to);
    await scene.guest.connect(to);
    const third = errorOf(scene.guest.connect({ ...to, timeout: 500 }));
    assert.equal((await third).code, 'TIMEOUT');
    await scene.neighbour.connect(to);
    // It has as many as are free.
    assert.equal((await errorOf(scene.neighbour.connect({ ...to, timeout: 500 }))).code, 'TIMEOUT');
    const { drops } = scene.uplink;
    assert.equal(drops.get('tcp-connections-of-guest-limit'), 2);
    const [last, oneMore] = ['last', 'one-more'].map((name) => {
      const machine = scene.world.machine(name, { on: scene.lan });
      machine.routeVia(scene.gateway);
      return machine;
    });
    await last!.connect(to);
    assert.equal(drops.get('tcp-connection-limit'), 0);
    const waiting = oneMore!.connect(to);
    await scene.world.sleep(500);
    assert.equal(drops.get('tcp-connection-limit'), 1);
    await scene.world.sleep(100);
    first.abort();
    await waiting;
  });
});

test('a guest that is switched off is found out, and its connection outside ends', async () => {
  const scene = new UplinkWorld({ limits: { keepAlive: 60_000 } });
  await scene.run(async () => {
    const [, far] = await scene.connected();
    const server = new Recorder(far, []);
    await scene.guest.cable(scene.lan).close();
    await server.gone();
    await scene.world.sleep(1000);
    assert.equal(scene.uplink.flows.size, 0);
  });
});

test('closing the uplink resets both sides and leaves gateway and outside machine as they were', async () => {
  const scene = new UplinkWorld();
  await scene.run(async () => {
    const [near, far] = await scene.connected();
    const ends = [new Recorder(near, []), new Recorder(far, [])];
    const waiting = errorOf(scene.guest.connect({ host: NOWHERE, port: 80 }));
    await scene.world.sleep(10);
    await scene.uplink.close();
    for (const end of ends) assert.equal((await end.gone())?.code, 'CONNECTION_RESET');
    await scene.world.sleep(10);
    assert.equal(scene.uplink.flows.size, 0);
    assert.equal(scene.outside.stack.tcp.connections, 0);
    assert.deepEqual(
      scene.uplink.flows.ended().map(({ end }) => end),
      ['closed', 'closed'],
    );
    // Without an uplink the gateway is no router, and says nothing.
    const after = await errorOf(
      scene.guest.connect({ host: scene.server.address, port: 80, timeout: 100 }),
    );
    assert.equal(after.code, 'TIMEOUT');
    await scene.gateway.ping(scene.guest.address);
    await scene.outside.ping(scene.server.address);
    assert.equal((await waiting).code, 'CONNECTION_REFUSED');
  });
});
