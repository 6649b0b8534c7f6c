import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nodeModel } from '../../test/model-arbitraries.ts';
import { sorted, takeStep } from '../../test/plain-model.ts';
import type { NodeModel } from '../model/index.ts';
import { planChanges } from './plan-changes.ts';
import type { PlanStep } from './plan.ts';
import { publicationName } from './publication-name.ts';

const RUNS = 500;
const models = nodeModel({ outside: true });

function follow(from: NodeModel, to: NodeModel): NodeModel {
  return planChanges(from, to).steps.reduce((model, step) => takeStep(model, step, to), from);
}

test('the steps from one model to another lead there, each possible when it comes', () => {
  fc.assert(
    fc.property(models, models, (from, to) => {
      assert.deepEqual(sorted(follow(from, to)), sorted(to));
    }),
    { numRuns: RUNS },
  );
});

test('from a model to itself there is no step, in whatever order it is written', () => {
  fc.assert(
    fc.property(models, (model) => {
      assert.deepEqual(planChanges(model, sorted(model)).steps, []);
    }),
    { numRuns: RUNS },
  );
});

test('what a step gives up was taken before, and nothing is taken that is not free', () => {
  fc.assert(
    fc.property(models, models, (from, to) => {
      let model = from;
      for (const step of planChanges(from, to).steps) {
        model = takeStep(model, step, to);
        const taken = resourcesOf(model);
        assert.equal(new Set(taken).size, taken.length, JSON.stringify(step));
      }
    }),
    { numRuns: RUNS },
  );
});

/** What only one can have at a time. */
function resourcesOf({ networks, routers }: NodeModel): string[] {
  return [
    ...networks.flatMap(({ kind, gateway, attachments, publications, name }) => [
      ...(kind.kind === 'overlay' ? [`udp ${kind.local}`] : []),
      ...(gateway?.addresses.map((address) => `${name} ${address}`) ?? []),
      ...publications.map(({ protocol, listen }) => `${protocol} ${listen}`),
      ...attachments.flatMap(({ station }) => {
        if (station.kind === 'tap') return [`interface ${station.interface}`];
        if (station.kind === 'machine') return station.addresses.map((one) => `${name} ${one}/24`);
        return 'listen' in station ? [`tcp ${station.listen}`] : [];
      }),
    ]),
    ...routers.flatMap(({ interfaces }) =>
      interfaces.flatMap(({ network, addresses }) => addresses.map((one) => `${network} ${one}`)),
    ),
  ];
}

test('what is the same in both models and leans on nothing that goes has no step', () => {
  fc.assert(
    fc.property(models, models, (from, to) => {
      const { steps } = planChanges(from, to);
      for (const step of steps) {
        const isExcused = step.again === true || step.note !== undefined;
        if (step.action === 'change' || isExcused) continue;
        const [before, after] = [from, to].map((model) => JSON.stringify(thingOf(model, step)));
        assert.notEqual(before, after, JSON.stringify(step));
      }
    }),
    { numRuns: RUNS },
  );
});

function thingOf({ networks, routers }: NodeModel, step: PlanStep): unknown {
  const { object, name } = step;
  const network = networks.find((one) => one.name === (step.network ?? name));
  const router = routers.find((one) => one.name === name);
  switch (object) {
    case 'network':
      return network;
    case 'gateway':
      return network?.gateway;
    case 'attachment':
    case 'port':
      return network?.attachments.find((one) => one.name === name);
    case 'publication':
      return network?.publications.find((one) => publicationName(one) === name);
    case 'router':
      return router;
    case 'interface':
      return router?.interfaces.find((one) => one.network === step.network);
  }
}
