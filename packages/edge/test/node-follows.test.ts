/** A node's real networks, in virtual time, follow changed models: what is not about to change goes on as if nothing had been. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { NetworkModel, NodeModel, PortModel } from '../src/model/index.ts';
import type { Network } from '../src/network/index.ts';
import type { NetloomNode } from '../src/node/index.ts';
import type { PortStatus } from '../src/status/index.ts';
import { LiveNode } from './live-node.ts';
import { nodeModel } from './model-arbitraries.ts';
import { sorted } from './plain-model.ts';
import { attachment, gateway, isolated, machine, port, router } from './sample-models.ts';

/** Real networks take their time. */
const RUNS = 40;
const ECHO = 7;
const models = nodeModel({ outside: false });

/** A LAN whose echo service is published, and another network. */
function lab(change: { web?: PortModel; lan?: Partial<NetworkModel>; more?: NetworkModel[] } = {}) {
  const { web = port(), lan = {}, more = [] } = change;
  const echo = machine({ services: [{ kind: 'echo' }], addresses: ['10.0.0.80'] });
  const model: NodeModel = {
    networks: [
      isolated('lan', {
        subnets: ['10.0.0.0/24'],
        routers: ['10.0.0.1'],
        gateway: gateway(['10.0.0.1/24']),
        attachments: [
          attachment('web', echo, web),
          attachment('db', machine({ addresses: ['10.0.0.81'] })),
        ],
        publications: [{ protocol: 'tcp', listen: '0.0.0.0:7007', station: 'web', port: ECHO }],
        ...lan,
      }),
      ...more,
    ],
    routers: [],
  };
  return model;
}

/** What can be seen of a node, but for what depends on its history. */
function seen(node: NetloomNode<Network>): unknown {
  return node.networks
    .map((network) => {
      const { name, kind, state, mtu, subnets, publications } = network.status();
      const given = new Set(
        network.model.attachments
          .filter(({ station }) => 'addresses' in station && station.addresses.length > 0)
          .map((one) => one.name),
      );
      const ports = network.ports().map((one) => ({
        name: one.name,
        kind: one.kind,
        vlan: one.vlan,
        connected: one.connected,
        mac: one.mac,
        // Of those that are free a station gets any.
        addresses:
          given.has(one.name) || one.kind === 'gateway' ? one.addresses : one.addresses.length,
        link: { ...one.link, queuedBytes: 0 },
      }));
      return {
        network: { name, kind, state, mtu, subnets },
        published: publications.map(({ listen, target }) => `${listen} ${target}`).sort(),
        ports: ports.sort((one, other) => (one.name < other.name ? -1 : 1)),
      };
    })
    .sort((one, other) => (one.network.name < other.network.name ? -1 : 1));
}

function portOf(node: NetloomNode<Network>, name: string, network = 'lan'): PortStatus {
  return node
    .network(network)
    .ports()
    .find((one) => one.name === name)!;
}

test('what was applied is what would have been started', async () => {
  await fc.assert(
    fc.asyncProperty(models, models, async (from, to) => {
      let applied: unknown;
      let started: unknown;
      await new LiveNode().run(async (live) => {
        const node = await live.start(from);
        const { failed } = await node.apply(to);
        assert.equal(failed, null);
        assert.deepEqual(sorted(node.model), sorted(to));
        applied = seen(node);
        assert.deepEqual((await node.apply(to)).plan.steps, []);
        await node.close();
      });
      await new LiveNode().run(async (live) => {
        const node = await live.start(to);
        started = seen(node);
        await node.close();
      });
      assert.deepEqual(applied, started);
    }),
    { numRuns: RUNS },
  );
});

test('networks and ports that no step is about keep their numbers and their counts', async () => {
  await fc.assert(
    fc.asyncProperty(models, models, (from, to) =>
      new LiveNode().run(async (live) => {
        const node = await live.start(from);
        await live.world.sleep(1000);
        const before = new Map(node.networks.map((network) => [network, network.ports()]));
        const { steps } = (await node.apply(to)).plan;
        for (const network of node.networks) {
          const { name } = network.model;
          const isNew = steps.some((step) => step.object === 'network' && step.name === name);
          assert.equal(before.has(network), !isNew);
          for (const old of before.get(network) ?? []) {
            const isTouched = steps.some(
              (step) =>
                step.network === name &&
                step.object !== 'port' &&
                step.object !== 'publication' &&
                (step.name === old.name || step.object === 'gateway'),
            );
            if (isTouched || old.kind === 'router') continue;
            const now = network.ports().find((one) => one.name === old.name)!;
            assert.equal(now.number, old.number);
            assert.ok(now.received.frames >= old.received.frames);
            assert.ok(now.sent.frames >= old.sent.frames);
          }
        }
        await node.close();
      }),
    ),
    { numRuns: RUNS },
  );
});

test('no station is given an address that another of the file has', async () => {
  await new LiveNode().run(async (live) => {
    const [lan] = lab().networks;
    // The first address that is given out.
    const fixed = attachment('fixed', machine({ addresses: ['10.0.0.128'] }));
    const model = (...names: string[]): NodeModel => {
      const attachments = [...names.map((name) => attachment(name, machine())), fixed];
      return { networks: [{ ...lan!, attachments, publications: [] }], routers: [] };
    };
    const node = await live.start(model('any'));
    assert.deepEqual(portOf(node, 'any').addresses, ['10.0.0.129']);
    await node.apply(model('any', 'more'));
    assert.deepEqual(portOf(node, 'more').addresses, ['10.0.0.130']);
    // One that is there already makes room.
    const taking = attachment('taking', machine({ addresses: ['10.0.0.129'] }));
    const [wanted] = model('any', 'more').networks;
    const attachments = [...wanted!.attachments, taking];
    const { plan, failed } = await node.apply({
      networks: [{ ...wanted!, attachments }],
      routers: [],
    });
    assert.equal(failed, null);
    assert.deepEqual(
      plan.steps.map(({ action, name }) => `${action} ${name}`),
      ['replace any', 'create taking', 'create any'],
    );
    assert.deepEqual(portOf(node, 'any').addresses, ['10.0.0.131']);
    assert.deepEqual(portOf(node, 'more').addresses, ['10.0.0.130']);
    await node.close();
  });
});

test('a connection goes on while everything around it is changed', async () => {
  await new LiveNode().run(async (live) => {
    const node = await live.start(lab());
    const talk = await live.talk(7007);
    await talk.echo(10_000);
    const before = portOf(node, 'web');
    const [lan] = lab().networks;
    const other = isolated('other', { attachments: [attachment('x', machine())] });
    const steps = [
      lab({ more: [other] }),
      lab({ lan: { attachments: [lan!.attachments[0]!] } }),
      lab({
        lan: {
          gateway: { ...lan!.gateway!, dns: { zone: 'lan', names: { printer: ['10.0.0.9'] } } },
          publications: [
            ...lan!.publications,
            { protocol: 'udp', listen: '0.0.0.0:7007', station: 'web', port: ECHO },
          ],
        },
      }),
      {
        ...lab({ more: [other] }),
        routers: [router('edge', { lan: ['10.0.0.254/24'], other: ['10.9.0.1/24'] })],
      },
      lab(),
    ];
    for (const model of steps) {
      const { failed, plan } = await node.apply(model);
      assert.equal(failed, null);
      assert.ok(plan.steps.length > 0);
      await talk.echo(10_000);
    }
    assert.equal(talk.error, undefined);
    const after = portOf(node, 'web');
    assert.equal(after.number, before.number);
    assert.ok(after.received.bytes >= before.received.bytes + 50_000);
    await talk.close();
    await node.close();
  });
});

test('a line whose rate, delay and loss are changed cuts no connection over it, and is as it was asked for', async () => {
  await new LiveNode().run(async (live) => {
    const node = await live.start(lab());
    const talk = await live.talk(7007);
    const unimpaired = await talk.echo(125_000);
    assert.ok(unimpaired < 100, `${unimpaired} ms`);
    const slow = await node.apply(lab({ web: port({ link: { rate: 1e6, queueBytes: 1e6 } }) }));
    assert.deepEqual(
      slow.plan.steps.map(({ action, object }) => `${action} ${object}`),
      ['change port'],
    );
    // A million bits there, and as many back meanwhile.
    const limited = await talk.echo(125_000);
    assert.ok(limited > 1000 && limited < 1500, `${limited} ms`);
    await node.apply(lab({ web: port({ link: { delay: 200 } }) }));
    const delayed = await talk.echo(1);
    assert.ok(delayed > 400 && delayed < 450, `${delayed} ms`);
    // What is still under way keeps its place.
    await live.world.sleep(1000);
    await node.apply(lab());
    const restored = await talk.echo(1);
    assert.ok(restored < 10, `${restored} ms`);
    assert.equal(talk.error, undefined);
    await talk.close();
    await node.close();
  });
});

test('a station is moved to another VLAN and back without its port being closed', async () => {
  await new LiveNode().run(async (live) => {
    const node = await live.start(lab());
    const talk = await live.talk(7007);
    await talk.echo(1000);
    const before = portOf(node, 'web');
    const moved = lab({ web: port({ vlan: { mode: 'access', vlan: 20 } }) });
    assert.equal((await node.apply(moved)).failed, null);
    assert.equal(portOf(node, 'web').vlan, 'access 20');
    // Its gateway is in the VLAN that it was in.
    const waiting = talk.echo(1000);
    await live.world.sleep(3000);
    assert.equal(talk.error, undefined);
    await node.apply(lab());
    await waiting;
    const after = portOf(node, 'web');
    assert.deepEqual([after.vlan, after.number], ['access 1', before.number]);
    assert.ok(after.received.frames > before.received.frames);
    await talk.close();
    await node.close();
  });
});

test('routers join networks, and their lines are changed in place', async () => {
  await new LiveNode().run(async (live) => {
    const echo = machine({ services: [{ kind: 'echo' }], addresses: ['10.0.0.80'] });
    const lan = isolated('lan', {
      subnets: ['10.0.0.0/24'],
      routers: ['10.0.0.254'],
      attachments: [attachment('web', echo)],
    });
    const front = isolated('front', {
      subnets: ['10.1.0.0/24'],
      routers: ['10.1.0.1'],
      gateway: gateway(['10.1.0.1/24'], { routes: { '10.0.0.0/24': '10.1.0.254' } }),
      publications: [{ protocol: 'tcp', listen: '0.0.0.0:7007', station: '10.0.0.80', port: ECHO }],
    });
    const model = (link: { delay?: number }): NodeModel => ({
      networks: [lan, front],
      routers: [router('edge', { lan: ['10.0.0.254/24'], front: ['10.1.0.254/24'] }, {}, link)],
    });
    const node = await live.start(model({}));
    const talk = await live.talk(7007);
    const first = await talk.echo(1);
    assert.ok(first < 20, `${first} ms`);
    const { plan } = await node.apply(model({ delay: 50 }));
    assert.deepEqual(
      plan.steps.map(({ action, object }) => `${action} ${object}`),
      ['change interface', 'change interface'],
    );
    const delayed = await talk.echo(1);
    assert.ok(delayed > 200 && delayed < 230, `${delayed} ms`);
    await live.world.sleep(1000);
    await node.apply(model({}));
    const restored = await talk.echo(1);
    assert.ok(restored < 20, `${restored} ms`);
    // What was changed by hand is put back.
    node.network('lan').impair('edge', { loss: 0.5 });
    const { plan: back } = await node.apply(model({}));
    assert.deepEqual(
      back.steps.map(({ changes }) => changes),
      [[{ path: 'link.loss', from: 0.5 }]],
    );
    assert.deepEqual(sorted(node.model), sorted(model({})));
    assert.equal(talk.error, undefined);
    await talk.close();
    await node.close();
  });
});
