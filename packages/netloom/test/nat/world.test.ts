/** Whole stacks on both sides of a NAT, in virtual time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from 'netloom/core';
import { NatLan, addressOf, sendPattern, sumOf, sumReceived } from './lan.ts';

const LENGTH = 500_000;
const FAMILIES = [4, 6] as const;

for (const family of FAMILIES) {
  test(`a transfer goes through whole, over a line that loses and reorders (IPv${family})`, async () => {
    const lan = new NatLan({ outsideNetwork: { loss: 0.02, jitter: 3 } });
    const { server, a, world } = lan;
    const accepted = Promise.withResolvers<Connection>();
    const run = async (): Promise<void> => {
      await server.listen({ port: 80, accept: accepted.resolve });
      const connection = await a.connect({ host: addressOf(server, family), port: 80 });
      sendPattern(connection, LENGTH);
      const peer = await accepted.promise;
      assert.equal(
        String(peer.remote.address),
        String(lan.external(family)),
        'who the server sees',
      );
      assert.equal(await sumReceived(peer), sumOf(LENGTH));
    };
    await world.run(run());
    const [flow] = [...lan.nat.flows()];
    assert.ok(flow!.outbound.bytes > LENGTH);
    assert.ok(flow!.inbound.packets > 10);
    assert.deepEqual(lan.nat.drops.snapshot(), {});
  });

  test(`a published port leads to an inside server, from outside and from inside (IPv${family})`, async () => {
    const lan = new NatLan();
    const { a, b, server, nat, world } = lan;
    const inside = { address: addressOf(a, family), port: 8080 };
    nat.publish({ protocol: 'tcp', external: { port: 80 }, inside });
    const run = async (): Promise<void> => {
      await a.listen({ port: 8080, accept: (peer) => sendPattern(peer, 100_000) });
      for (const client of [server, b]) {
        const connection = await client.connect({ host: lan.external(family), port: 80 });
        assert.equal(await sumReceived(connection), sumOf(100_000));
      }
    };
    await world.run(run());
  });

  test(`path MTU discovery works through it, by the errors of a router beyond (IPv${family})`, async () => {
    const lan = new NatLan();
    const { a, world, router, outside } = lan;
    const far = world.network('far', { subnets: ['198.51.100.0/24', '2001:db8:f::/64'] });
    const beyond = world.machine('beyond', { on: [outside, far], forwarding: true });
    const server = world.machine('far-server', { on: far });
    server.routeVia(beyond, far);
    router.routeVia(beyond, outside);
    // Less than what the ends of the connection agree on, so that somebody has to tell.
    beyond.cable(far).interface.mtu = 1300;
    const host = addressOf(server, family);
    const accepted = Promise.withResolvers<Connection>();
    const run = async (): Promise<void> => {
      await server.listen({ port: 80, accept: accepted.resolve });
      sendPattern(await a.connect({ host, port: 80 }), LENGTH);
      assert.equal(await sumReceived(await accepted.promise), sumOf(LENGTH));
    };
    await world.run(run());
    assert.equal(a.stack.pathMtus.lookup(host, a.stack.now()), 1300);
    assert.equal(router.stack.pathMtus.lookup(host, router.stack.now()), undefined);
  });

  test(`a closed port outside is a refused connection inside, and pings go through (IPv${family})`, async () => {
    const { a, server, world, nat } = new NatLan();
    const host = addressOf(server, family);
    await assert.rejects(world.run(a.connect({ host, port: 81 })), { code: 'CONNECTION_REFUSED' });
    assert.equal((await world.run(a.ping(host))).roundTrip, 12);
    await world.run(world.sleep(300_000));
    assert.deepEqual([nat.flowCount, nat.mappingCount], [0, 0]);
  });
}

test('a host that floods half-open connections leaves others working, and the table within its limits', async () => {
  const limits = { flows: 400, flowsPerHost: 300 };
  const lan = new NatLan({ limits });
  const { a, b, server, nat, world } = lan;
  const accepted: Connection[] = [];
  const host = addressOf(server, 4);
  const run = async (): Promise<void> => {
    await server.listen({ port: 80, accept: (peer) => void accepted.push(peer) });
    const before = await b.connect({ host, port: 80 });
    // 2,000 SYNs to where nobody answers.
    const controller = new AbortController();
    const { signal } = controller;
    const floods: Promise<unknown>[] = [];
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 100; i++) {
        const target = { host: `203.0.113.${100 + (i % 100)}`, port: 1 + round };
        floods.push(a.connect({ ...target, signal }).catch(() => undefined));
      }
      await world.sleep(1);
      assert.ok(nat.flowCount <= limits.flows);
    }
    const during = await b.connect({ host, port: 80 });
    for (const connection of [before, during]) {
      sendPattern(connection, 50_000);
    }
    for (const peer of accepted) assert.equal(await sumReceived(peer), sumOf(50_000));
    assert.equal(accepted.length, 2);
    controller.abort();
    await Promise.all(floods);
  };
  await world.run(run());
  assert.ok(nat.drops.get('nat-flow-displaced') > 1000);
});
