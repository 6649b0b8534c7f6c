import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cidr, IpAddress, MacAddress, type SocketAddress } from 'netloom/core';
import { StackHost, simWorld, type SimWorld } from 'netloom/host';
import { Hub } from 'netloom/link';
import type { TranslationModel } from '../model/index.ts';
import { Router } from './router.ts';

const TRANSLATION: TranslationModel = {
  outside: 'wan',
  inside: ['lan'],
  mapping: 'endpoint-independent',
  filtering: 'endpoint-independent',
  hairpinning: true,
};
const NO_MORE = { routes: {}, translation: null };
const PORT = 7;

/** Networks with a machine each, and a router that is on none yet. */
class Scene {
  readonly world: SimWorld = simWorld({ seed: 1 });
  readonly router: Router = this.another('edge');
  readonly #hubs = new Map<string, Hub>();
  #macs = 0;

  /** A machine on a network. */
  machine(network: string, address: string, gateway?: string): StackHost {
    const { clock } = this.world;
    const host = new StackHost({ name: network, clock, random: this.world.random(address) });
    const via = host.addInterface(this.#port(network), { name: 'eth0', addresses: [address] });
    if (gateway !== undefined) {
      host.stack.addRoute(Cidr.parse('0.0.0.0/0'), via, IpAddress.parse(gateway));
    }
    return host;
  }

  another(name: string): Router {
    return new Router({ name, clock: this.world.clock, random: this.world.random(name) });
  }

  plug(network: string, address: string, router = this.router): void {
    router.connect({ network, addresses: [address], link: {} }, this.#port(network));
  }

  async run(work: (scene: Scene) => Promise<void>): Promise<void> {
    await this.world.run(work(this));
  }

  #port(network: string): ReturnType<Hub['port']> {
    let hub = this.#hubs.get(network);
    if (hub === undefined) this.#hubs.set(network, (hub = new Hub(this.world.clock)));
    const mac = new MacAddress(0x0200, ++this.#macs);
    return hub.port({ name: `${network}-${this.#macs}`, mac });
  }
}

/** From where a server is reached by a client that connects to it, from a port of its own choice if it has one. */
async function seenFrom(
  client: StackHost,
  server: StackHost,
  address: string,
  local: { port?: number } = {},
): Promise<SocketAddress> {
  const { promise, resolve } = Promise.withResolvers<SocketAddress>();
  const listener = await server.listen({
    port: PORT,
    accept(connection) {
      connection.start({});
      resolve(connection.remote);
      void connection.close();
    },
  });
  try {
    const connection = await client.connect({ host: address, port: PORT, timeout: 10_000, local });
    connection.start({});
    await connection.close();
    return await promise;
  } finally {
    await listener.close();
  }
}

/** As whom a server sees a client. */
async function seenAs(client: StackHost, server: StackHost, address: string): Promise<string> {
  return String((await seenFrom(client, server, address)).address);
}

test('what is for others goes on to their network', async () => {
  await new Scene().run(async (scene) => {
    const inside = scene.machine('lan', '10.0.0.2/24', '10.0.0.1');
    const server = scene.machine('wan', '10.1.0.2/24', '10.1.0.254');
    scene.plug('lan', '10.0.0.1/24');
    scene.plug('wan', '10.1.0.254/24');
    assert.equal(await seenAs(inside, server, '10.1.0.2'), '10.0.0.2');
    assert.deepEqual(scene.router.model, {
      name: 'edge',
      interfaces: [
        { network: 'lan', addresses: ['10.0.0.1/24'], link: {} },
        { network: 'wan', addresses: ['10.1.0.254/24'], link: {} },
      ],
      ...NO_MORE,
    });
    await scene.router.close();
  });
});

test('with a translation, a server that knows no way back sees the router, until it is taken away', async () => {
  await new Scene().run(async (scene) => {
    const inside = scene.machine('lan', '10.0.0.2/24', '10.0.0.1');
    const server = scene.machine('wan', '10.1.0.2/24');
    scene.plug('lan', '10.0.0.1/24');
    scene.plug('wan', '10.1.0.254/24');
    scene.router.configure({ routes: {}, translation: TRANSLATION });
    assert.equal(await seenAs(inside, server, '10.1.0.2'), '10.1.0.254');
    assert.deepEqual(scene.router.model.translation, TRANSLATION);
    scene.router.configure(NO_MORE);
    await assert.rejects(seenAs(inside, server, '10.1.0.2'), { code: 'TIMEOUT' });
    await scene.router.close();
  });
});

test('a translation that stays keeps its flows when routes change', async () => {
  await new Scene().run(async (scene) => {
    const inside = scene.machine('lan', '10.0.0.2/24', '10.0.0.1');
    const server = scene.machine('wan', '10.1.0.2/24');
    scene.plug('lan', '10.0.0.1/24');
    scene.plug('wan', '10.1.0.254/24');
    scene.router.configure({ routes: {}, translation: TRANSLATION });
    await seenAs(inside, server, '10.1.0.2');
    const { nat } = scene.router;
    const routes = { '0.0.0.0/0': '10.1.0.2' };
    scene.router.configure({ routes, translation: { ...TRANSLATION } });
    assert.equal(scene.router.nat, nat);
    assert.equal([...nat!.flows()].length, 1);
    scene.router.configure({ routes, translation: { ...TRANSLATION, hairpinning: false } });
    assert.notEqual(scene.router.nat, nat);
    await scene.router.close();
  });
});

test('the translation maps as the model says: one external port for all, or one for each remote end', async () => {
  for (const [mapping, isSame] of [
    ['endpoint-independent', true],
    ['address-and-port-dependent', false],
  ] as const) {
    await new Scene().run(async (scene) => {
      const inside = scene.machine('lan', '10.0.0.2/24', '10.0.0.1');
      const servers = ['10.1.0.2', '10.1.0.3'] as const;
      const [one, other] = servers.map((address) => scene.machine('wan', `${address}/24`));
      scene.plug('lan', '10.0.0.1/24');
      scene.plug('wan', '10.1.0.254/24');
      scene.router.configure({ routes: {}, translation: { ...TRANSLATION, mapping } });
      const local = { port: 5000 };
      const first = await seenFrom(inside, one!, servers[0], local);
      const second = await seenFrom(inside, other!, servers[1], local);
      assert.equal(first.port === second.port, isSame, mapping);
      await scene.router.close();
    });
  }
});

test('routes lead on by the next router, and can be changed', async () => {
  await new Scene().run(async (scene) => {
    const inside = scene.machine('lan', '10.0.0.2/24', '10.0.0.1');
    const server = scene.machine('far', '192.168.0.2/24', '192.168.0.1');
    const second = scene.another('second');
    scene.plug('lan', '10.0.0.1/24');
    scene.plug('wan', '10.1.0.254/24');
    scene.plug('wan', '10.1.0.1/24', second);
    scene.plug('far', '192.168.0.1/24', second);
    second.configure({ routes: { '10.0.0.0/8': '10.1.0.254' }, translation: null });
    await assert.rejects(seenAs(inside, server, '192.168.0.2'), { code: 'NETWORK_UNREACHABLE' });
    const routes = { '192.168.0.0/24': '10.1.0.1' };
    scene.router.configure({ routes, translation: null });
    assert.deepEqual(scene.router.model.routes, routes);
    assert.equal(await seenAs(inside, server, '192.168.0.2'), '10.0.0.2');
    scene.router.configure(NO_MORE);
    await assert.rejects(seenAs(inside, server, '192.168.0.2'), { code: 'NETWORK_UNREACHABLE' });
    await Promise.all([scene.router.close(), second.close()]);
  });
});

test('an interface that is taken away takes its routes and its translation along', async () => {
  await new Scene().run(async (scene) => {
    const inside = scene.machine('lan', '10.0.0.2/24', '10.0.0.1');
    const server = scene.machine('wan', '10.1.0.2/24');
    scene.plug('lan', '10.0.0.1/24');
    scene.plug('wan', '10.1.0.254/24');
    const all = { routes: { '0.0.0.0/0': '10.1.0.2' }, translation: TRANSLATION };
    scene.router.configure(all);
    await scene.router.disconnect('wan');
    assert.deepEqual(scene.router.model, {
      name: 'edge',
      interfaces: [{ network: 'lan', addresses: ['10.0.0.1/24'], link: {} }],
      ...NO_MORE,
    });
    assert.throws(() => scene.router.configure(all), { code: 'ROUTER_NEXT_HOP_FOREIGN' });
    scene.plug('wan', '10.1.0.253/24');
    scene.router.configure(all);
    assert.equal(await seenAs(inside, server, '10.1.0.2'), '10.1.0.253');
    await scene.router.close();
  });
});

test('what leads nowhere is a named error', async () => {
  await new Scene().run(async (scene) => {
    scene.plug('lan', '10.0.0.1/24');
    const { router } = scene;
    assert.throws(
      () => router.configure({ routes: { '0.0.0.0/0': '10.9.0.1' }, translation: null }),
      {
        code: 'ROUTER_NEXT_HOP_FOREIGN',
        message:
          'the router edge has no interface in the network of 10.9.0.1, the next hop to 0.0.0.0/0',
      },
    );
    assert.throws(() => router.configure({ routes: {}, translation: TRANSLATION }), {
      code: 'ROUTER_INTERFACE_UNKNOWN',
      message: 'the router edge has no interface on the network wan',
    });
    await router.close();
  });
});
