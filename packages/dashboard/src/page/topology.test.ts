import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readNodeFile } from '@netloom/edge';
import { FakeNetwork, FakeNode, networkStatus, portStatus } from '../../../edge/test/fake-node.ts';
import type { NodeView } from './node-api.ts';
import { isImpairable, topologyOf } from './topology.ts';

const FILE = `
networks:
  lan:
    subnets: [10.0.0.0/24]
    machines: { web: web, db: echo }
    publish: [8080:web:80]
  dmz: { subnets: [10.1.0.0/24], machines: { mail: web } }
routers:
  core: { interfaces: { lan: 10.0.0.254, dmz: 10.1.0.254 } }
`;

function view(more: Partial<NodeView> = {}): NodeView {
  const { model } = readNodeFile(FILE, { path: '/lan.yaml' });
  const status = new FakeNode(new FakeNetwork('lan')).status();
  return {
    time: 0,
    model: model!,
    status: {
      ...status,
      networks: [networkStatus('lan'), networkStatus('dmz', { state: 'failed' })],
      routers: [{ name: 'core', networks: ['lan', 'dmz'] }],
    },
    ports: [
      portStatus('lan', 'gateway', { kind: 'gateway' }),
      portStatus('lan', 'web'),
      portStatus('lan', 'db'),
      portStatus('lan', 'core', { kind: 'router' }),
    ],
    leases: [],
    flows: [],
    ...more,
  };
}

test('ways to elsewhere stand apart from stations, and routers from both', () => {
  const { networks, routers } = topologyOf(view());
  const [lan] = networks;
  assert.deepEqual(
    lan!.ways.map(({ name }) => name),
    ['gateway'],
  );
  assert.deepEqual(
    lan!.stations.map(({ name }) => name),
    ['web', 'db'],
  );
  assert.deepEqual(
    routers[0]!.lines.map(({ key, port }) => [key, port === null]),
    [
      ['lan/core', false],
      ['dmz/core', true],
    ],
  );
});

test('a network that has failed shows what it would have', () => {
  const dmz = topologyOf(view()).networks[1]!;
  assert.deepEqual(
    dmz.stations.map(({ name, kind, port }) => [name, kind, port]),
    [['mail', 'machine', null]],
  );
});

test('the outside is there for networks that it reaches', () => {
  const { outside, hasUplink } = topologyOf(view());
  assert.deepEqual([outside, hasUplink], [['lan'], false]);
  const nothing = topologyOf(view({ ports: [] }));
  assert.deepEqual(nothing.outside, []);
});

test('stations and routers have lines that can be made bad, gateways have none', () => {
  const { networks, routers } = topologyOf(view());
  const [gateway] = networks[0]!.ways;
  const lines = [gateway!, ...networks[0]!.stations, ...routers[0]!.lines];
  assert.deepEqual(lines.map(isImpairable), [false, true, true, true, false]);
});
