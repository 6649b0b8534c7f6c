import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NetloomError } from 'netloom/core';
import { simWorld, type SimWorld } from 'netloom/host';
import { FakeNetwork, FakeWorld } from '../../test/fake-network.ts';
import { nodeModel } from '../../test/model-arbitraries.ts';
import { sorted, takeStep } from '../../test/plain-model.ts';
import {
  NOTHING,
  attachment,
  gateway,
  isolated,
  machine,
  router,
} from '../../test/sample-models.ts';
import type { NetworkModel, NodeModel } from '../model/index.ts';
import { NetloomNode } from './node.ts';

const RUNS = 150;
const models = nodeModel({ outside: true });

/** Networks that only remember, on a clock that goes by itself. */
class Scene {
  readonly fakes = new FakeWorld();
  readonly world: SimWorld = simWorld({ seed: 1 });

  start(model: NodeModel): Promise<NetloomNode<FakeNetwork>> {
    const { clock } = this.world;
    const environment = {
      clock,
      random: this.world.random('node'),
      outside: this.world.machine('outside'),
      resolvers: [],
    };
    return NetloomNode.start(model, {
      name: 'test',
      file: null,
      stateFolder: null,
      environment,
      makeNetwork: (wanted) => new FakeNetwork(wanted, this.fakes, clock),
    });
  }

  async run(work: (scene: Scene) => Promise<void>): Promise<void> {
    await this.world.run(work(this));
  }
}

const LAN = isolated('lan', {
  gateway: gateway(['10.0.0.1/24']),
  attachments: [attachment('web', machine()), attachment('db', machine())],
  publications: [{ protocol: 'tcp', listen: '127.0.0.1:8080', station: 'web', port: 80 }],
});
const WAN = isolated('wan');
const MODEL: NodeModel = {
  networks: [LAN, WAN],
  routers: [router('edge', { lan: ['10.0.0.254/24'], wan: ['10.1.0.1/24'] })],
};

test('whatever it was, it becomes what is asked for, and then there is nothing to do', async () => {
  await fc.assert(
    fc.asyncProperty(models, models, (from, to) =>
      new Scene().run(async (scene) => {
        const node = await scene.start(from);
        assert.deepEqual(sorted(node.model), sorted(from));
        const report = await node.apply(to);
        assert.equal(report.failed, null);
        assert.deepEqual(sorted(node.model), sorted(to));
        assert.deepEqual((await node.apply(to)).plan.steps, []);
        await node.close();
        assert.deepEqual([...scene.fakes.present], []);
      }),
    ),
    { numRuns: RUNS },
  );
});

test('networks and stations that no step is about are the very same afterwards', async () => {
  await fc.assert(
    fc.asyncProperty(models, models, (from, to) =>
      new Scene().run(async (scene) => {
        const node = await scene.start(from);
        const before = new Map(node.networks.map((network) => [network.model.name, network]));
        const stations = new Map(
          [...before].flatMap(([name, network]) =>
            [...network.stations].map(([station, object]) => [`${name}/${station}`, object]),
          ),
        );
        const { steps } = (await node.apply(to)).plan;
        for (const network of node.networks) {
          const { name } = network.model;
          const isOther = steps.some((step) => step.object === 'network' && step.name === name);
          assert.equal(before.get(name) === network, !isOther);
          for (const [station, object] of network.stations) {
            const isNew = steps.some(
              (step) =>
                step.object === 'attachment' && step.name === station && step.network === name,
            );
            assert.equal(stations.get(`${name}/${station}`) === object, !isNew);
          }
        }
        await node.close();
      }),
    ),
    { numRuns: RUNS },
  );
});

test('it ends at a step that fails, says what is done and what is not, and goes on from there', async () => {
  const position = fc.nat({ max: 30 });
  await fc.assert(
    fc.asyncProperty(models, models, position, async (from, to, which) => {
      const operations: string[] = [];
      await new Scene().run(async (scene) => {
        const node = await scene.start(from);
        const begun = scene.fakes.log.length;
        await node.apply(to);
        operations.push(...scene.fakes.log.slice(begun));
      });
      const refusable = operations.filter((one) => /^(start|attach|publish|connect) /.test(one));
      fc.pre(refusable.length > 0);
      const failing = refusable[which % refusable.length]!;
      await new Scene().run(async (scene) => {
        const node = await scene.start(from);
        scene.fakes.failing = failing;
        const { plan, done, failed, left } = await node.apply(to);
        assert.equal(failed!.error.code, 'ADDRESS_IN_USE');
        assert.match(failed!.error.message, new RegExp(`${failed!.step.name}.*is refused`));
        assert.deepEqual([...done, failed!.step, ...left], plan.steps);
        const reached = done.reduce((model, step) => takeStep(model, step, to), from);
        const live = withoutFailed(node);
        assert.deepEqual(sorted(live), sorted(withoutRoutersLosses(reached, live)));
        scene.fakes.failing = undefined;
        assert.equal((await node.apply(to)).failed, null);
        assert.deepEqual(sorted(node.model), sorted(to));
        await node.close();
      });
    }),
    { numRuns: RUNS },
  );
});

/** What there is of a node: not a network that could not be started. */
function withoutFailed(node: NetloomNode<FakeNetwork>): NodeModel {
  const { networks, routers } = node.model;
  const works = ({ name }: NetworkModel): boolean => node.network(name).state !== 'failed';
  return { networks: networks.filter(works), routers };
}

/** A router that has lost an interface has lost the routes and the translation of it too, until a later step gives them back. */
function withoutRoutersLosses(expected: NodeModel, found: NodeModel): NodeModel {
  const routers = expected.routers.map((one) => {
    const live = found.routers.find(({ name }) => name === one.name);
    const { routes = {}, translation = null } = live ?? {};
    return { ...one, routes, translation };
  });
  return { ...expected, routers };
}

test('a start that fails leaves nothing, and says what failed', async () => {
  for (const failing of ['publish 127.0.0.1:8080 in lan', 'attach db in lan', 'start wan']) {
    await new Scene().run(async (scene) => {
      scene.fakes.failing = failing;
      await assert.rejects(scene.start(MODEL), ({ code, message, remedy }: NetloomError) => {
        assert.deepEqual([code, remedy], ['ADDRESS_IN_USE', 'Try again.']);
        assert.match(message, /^(publication tcp .* in lan|attachment lan\/db|network wan): /);
        return true;
      });
      assert.deepEqual([...scene.fakes.present], []);
    });
  }
});

test('models that are applied at once are applied one after the other', async () => {
  await new Scene().run(async (scene) => {
    const node = await scene.start(MODEL);
    const first = node.apply({ networks: [LAN], routers: [] });
    const second = node.apply(MODEL, { file: '/etc/lab.yaml' });
    assert.deepEqual([(await first).failed, (await second).failed], [null, null]);
    assert.deepEqual(
      (await second).plan.steps
        .filter(({ object }) => object === 'network')
        .map(({ name }) => name),
      ['wan'],
    );
    assert.deepEqual(sorted(node.model), sorted(MODEL));
    assert.equal(node.status().file, '/etc/lab.yaml');
    await node.close();
  });
});

test('closing ends what is being applied, and takes down what has come of it', async () => {
  await new Scene().run(async (scene) => {
    const node = await scene.start(NOTHING);
    let closed: Promise<void> | undefined;
    scene.fakes.done = () => {
      closed ??= node.close();
    };
    const { done, failed, left } = await node.apply(MODEL);
    assert.deepEqual([failed?.error.code, done.length], ['NODE_CLOSED', 1]);
    assert.equal(left.length, 7);
    await closed;
    assert.deepEqual([...scene.fakes.present], []);
    assert.equal((await node.apply(MODEL)).failed?.error.code, 'NODE_CLOSED');
    assert.deepEqual([...scene.fakes.present], []);
  });
});

test('a network that has failed is replaced, though its model is the same', async () => {
  await new Scene().run(async (scene) => {
    const node = await scene.start(MODEL);
    const lan = node.network('lan');
    lan.state = 'failed';
    lan.error = new NetloomError('TAP_GONE', 'the TAP is gone');
    const { plan, failed } = await node.apply(MODEL);
    assert.equal(failed, null);
    const replaced = plan.steps.find((one) => one.object === 'network' && one.action === 'replace');
    assert.match(replaced!.note!, /^it had failed: the TAP is gone; it cuts web, db, tcp /);
    assert.notEqual(node.network('lan'), lan);
    assert.deepEqual(sorted(node.model), sorted(MODEL));
    await node.close();
  });
});

test('a network that cannot be started is there as failed, and is started again by what was wanted before', async () => {
  await new Scene().run(async (scene) => {
    const node = await scene.start({ networks: [WAN], routers: [] });
    scene.fakes.failing = 'start lan';
    for (let round = 0; round < 2; round++) {
      const { failed } = await node.apply(round === 0 ? MODEL : node.wanted);
      assert.equal(failed?.step.name, 'lan');
      assert.deepEqual(
        node.status().networks.map(({ name, state }) => [name, state]),
        [
          ['wan', 'active'],
          ['lan', 'failed'],
        ],
      );
    }
    scene.fakes.failing = undefined;
    const { failed, plan } = await node.apply(node.wanted);
    assert.equal(failed, null);
    assert.ok(plan.steps.some(({ note }) => note === 'it had failed: start lan is refused'));
    assert.deepEqual(sorted(node.model), sorted(MODEL));
    assert.deepEqual((await node.apply(node.wanted)).plan.steps, []);
    await node.close();
    assert.deepEqual([...scene.fakes.present], []);
  });
});

test('it tells of itself', async () => {
  await new Scene().run(async (scene) => {
    const node = await scene.start(MODEL);
    await scene.world.sleep(1500);
    const { uptime, startedAt, process: id, networks, routers, file, version } = node.status();
    assert.deepEqual([uptime, startedAt, id], [1500, '2020-01-01T00:00:00.000Z', process.pid]);
    assert.deepEqual(
      networks.map(({ name }) => name),
      ['lan', 'wan'],
    );
    assert.deepEqual(routers, [{ name: 'edge', networks: ['lan', 'wan'] }]);
    assert.equal(file, null);
    assert.match(version, /^\d+\.\d+\.\d+/);
    await node.close();
  });
});
