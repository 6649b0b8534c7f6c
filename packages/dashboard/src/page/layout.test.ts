import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { NetworkModel } from '@netloom/edge/model';
import { networkStatus } from '../../../edge/test/fake-node.ts';
import type { Point } from './geometry.ts';
import { END_RADIUS, SWITCH_HEIGHT, layOut, type Layout } from './layout.ts';
import { lineKey, type DrawnNetwork, type Line, type Topology } from './topology.ts';

/** How a topology of a test is: stations of each network, and the networks that each router joins. */
interface Sketch {
  readonly networks: readonly number[];
  readonly routers: readonly (readonly number[])[];
}

function line(network: string, name: string, kind: string): Line {
  return { key: lineKey(network, name), network, name, kind, port: null };
}

/** Only a network's name and its lines matter to the layout. */
const NO_MODEL = {} as NetworkModel;

function topology({ networks, routers }: Sketch): Topology {
  const drawn = networks.map((stations, i): DrawnNetwork => {
    const name = `net${i}`;
    return {
      status: networkStatus(name),
      model: NO_MODEL,
      ways: [line(name, 'gateway', 'gateway')],
      stations: Array.from({ length: stations }, (_, n) => line(name, `m${n}`, 'machine')),
    };
  });
  return {
    networks: drawn,
    routers: routers.map((joined, i) => ({
      name: `r${i}`,
      lines: joined.map((n) => line(`net${n}`, `r${i}`, 'router')),
    })),
    outside: drawn.map(({ status: { name } }) => name),
    hasUplink: true,
  };
}

const sketch: fc.Arbitrary<Sketch> = fc
  .array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 5 })
  .chain((networks) => {
    const joined = fc.subarray([...networks.keys()], { minLength: 1 });
    return fc.record({
      networks: fc.constant(networks),
      routers: fc.array(joined, { maxLength: 4 }),
    });
  });
const width = fc.integer({ min: 320, max: 2000 });

/** Pixels of a name that stands beside what it is of. */
const NAME_WIDTH = 100;

/** A rectangle that something takes up. */
interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

function around({ x, y }: Point, labels: 'below' | 'beside'): Box {
  const right = x + (labels === 'beside' ? NAME_WIDTH : END_RADIUS);
  return { left: x - END_RADIUS, right, top: y - END_RADIUS, bottom: y + END_RADIUS };
}

/** Everything that takes up room. */
function boxes({ lines, switches, routers }: Layout): Box[] {
  return [
    ...lines.flatMap(({ end, labels }) => (end === undefined ? [] : [around(end, labels)])),
    ...routers.map(({ at }) => around(at, 'beside')),
    ...switches.map(({ at: { x, y }, width: wide }) => ({
      left: x,
      right: x + wide,
      top: y,
      bottom: y + SWITCH_HEIGHT,
    })),
  ];
}

function areApart(one: Box, other: Box): boolean {
  return (
    one.right <= other.left ||
    other.right <= one.left ||
    one.bottom <= other.top ||
    other.bottom <= one.top
  );
}

test('everything is drawn once, inside the picture, and nothing over something else', () => {
  fc.assert(
    fc.property(sketch, width, (wanted, wide) => {
      const drawn = topology(wanted);
      const layout = layOut(drawn, wide);
      assert.equal(layout.switches.length, wanted.networks.length);
      assert.equal(layout.routers.length, wanted.routers.length);
      const keys = layout.lines.map(({ line: { key } }) => key);
      const lines = [
        ...drawn.networks.flatMap(({ ways, stations }) => [...ways, ...stations]),
        ...drawn.routers.flatMap((router) => router.lines),
      ];
      assert.deepEqual(keys.toSorted(), lines.map(({ key }) => key).toSorted());
      assert.equal(layout.ways.length, wanted.networks.length);
      const placed = boxes(layout);
      for (const [i, box] of placed.entries()) {
        const { left, right, top, bottom } = box;
        const isInside = left >= 0 && right <= wide && top >= 0 && bottom <= layout.height;
        assert.ok(isInside, JSON.stringify(box));
        for (const other of placed.slice(i + 1)) {
          assert.ok(areApart(box, other), `${JSON.stringify(box)} and ${JSON.stringify(other)}`);
        }
      }
      for (const { cable } of layout.lines) assert.doesNotMatch(cable.path, /NaN|undefined/);
    }),
  );
});

test('every cable begins at the edge of its switch and ends at what it leads to', () => {
  fc.assert(
    fc.property(sketch, width, (wanted, wide) => {
      const layout = layOut(topology(wanted), wide);
      const routers = new Map(layout.routers.map(({ name, at }) => [name, at]));
      const switches = new Map(layout.switches.map((one) => [one.network.status.name, one]));
      for (const { line: one, end = routers.get(one.name)!, cable } of layout.lines) {
        const numbers = cable.path.match(/-?[\d.]+(?:e-\d+)?/g)!.map(Number);
        const [beginX, beginY] = numbers;
        assert.deepEqual([beginX, beginY], [cable.plug.x, cable.plug.y]);
        const { at, width: long } = switches.get(one.network)!;
        assert.ok(beginX! >= at.x && beginX! <= at.x + long);
        assert.ok(beginY === at.y || beginY === at.y + SWITCH_HEIGHT);
        const [endX, endY] = numbers.slice(-2);
        const distance = Math.hypot(endX! - end.x, endY! - end.y);
        assert.ok(Math.abs(distance - END_RADIUS) < 0.001, `${one.key} ends ${distance} away`);
      }
    }),
  );
});

test('two small networks stand side by side where there is room, and one below the other where not', () => {
  const two = topology({ networks: [4, 3], routers: [[0, 1]] });
  const tops = (wide: number): number[] => layOut(two, wide).switches.map(({ at }) => at.y);
  const [left, right] = tops(820);
  assert.equal(left, right);
  const [above, below] = tops(400);
  assert.ok(below! > above! + SWITCH_HEIGHT);
});

test('a router stands between the networks that it joins', () => {
  const layout = layOut(topology({ networks: [3, 3], routers: [[0, 1]] }), 1000);
  const [left, right] = layout.switches;
  const { at } = layout.routers[0]!;
  assert.ok(at.x > left!.at.x + left!.width / 2 && at.x < right!.at.x + right!.width / 2);
  assert.ok(at.y < left!.at.y);
});
