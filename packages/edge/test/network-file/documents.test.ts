/** The schema, the reference and the examples are those of the file that is read. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { parse } from 'yaml';
import * as z from 'zod';
import {
  keyTables,
  networkFileSchema,
  withKeyTables,
} from '../../../../scripts/documents/network-file.ts';
import {
  describeMistakes,
  describePlan,
  nodeFileSchema,
  planChanges,
  readNodeFile,
} from '../../src/index.ts';
import { fileModel } from './arbitraries.ts';
import { printNodeFile } from './print.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const reference = readFileSync(`${root}docs/network-file.md`, 'utf8');
const guide = readFileSync(`${root}docs/networks.md`, 'utf8');
const folder = `${root}examples/networks/`;
const examples = readdirSync(folder).sort();

/** The schema as somebody else's program understands it. */
const schema = z.fromJSONSchema(nodeFileSchema() as Parameters<typeof z.fromJSONSchema>[0]);

/** What an editor would complain of. */
function complaints(text: string): unknown {
  // As the reader does: nothing where a map could be is an empty one, and `<<` brings keys in.
  return schema.safeParse(parse(text, { merge: true })).error?.issues;
}

test('docs/network-file.schema.json is current', () => {
  const written = readFileSync(`${root}docs/network-file.schema.json`, 'utf8');
  assert.equal(written, networkFileSchema(), 'run npm run network-file');
});

test('docs/network-file.md has every key with its default, and no other', () => {
  assert.equal(withKeyTables(reference), reference, 'run npm run network-file');
  const shown = [...reference.matchAll(/<!-- keys ([a-z0-9-]+) -->/g)].map(([, name]) => name!);
  assert.deepEqual(shown.toSorted(), keyTables.toSorted());
  const rows = [...reference.matchAll(/^\| `(\w+)` \| /gm)].map(([, key]) => key!);
  const known = new Set<string>();
  collectKeys(nodeFileSchema(), known);
  assert.ok(known.size > 60, 'hardly any keys were found');
  assert.deepEqual([...new Set(rows)].sort(), [...known].sort());
});

/** Every key of every map in a schema. */
function collectKeys(value: unknown, keys: Set<string>): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    if (name === 'properties') for (const key of Object.keys(inner as object)) keys.add(key);
    collectKeys(inner, keys);
  }
}

/** The files that a document shows. */
function filesIn(document: string): string[] {
  return [...document.matchAll(/^```yaml\n([^]*?)^```/gm)].map(([, text]) => text!);
}

test('the files that docs/network-file.md shows are good', () => {
  const blocks = filesIn(reference);
  assert.ok(blocks.length >= 2);
  for (const text of blocks) assertGood(text, 'docs/network-file.md');
});

test('what docs/network-file.md shows of netloom check is what it prints', () => {
  const [, shown] = /\$ \.\/netloom check office\.yaml\n([^]*?)\noffice\.yaml: 1 mistake\n/.exec(
    reference,
  )!;
  const text = `networks:
  lan:
    subnets: [10.0.0.0/24]
    machines:
      web: { run: web, address: 10.0.0.300 }
`;
  const { mistakes } = readNodeFile(text, { path: 'office.yaml' });
  assert.equal(describeMistakes(text, 'office.yaml', mistakes!), shown);
});

test('the files that docs/networks.md shows are good, and its plan leads from the first to the third', () => {
  const blocks = filesIn(guide);
  assert.equal(blocks.length, 6);
  for (const text of blocks) assertGood(text, 'docs/networks.md');
  const [before, , , after] = blocks.map((text) => readNodeFile(text, { path: 'lab.yaml' }).model!);
  const [, shown] = /\$ \.\/netloom apply --dry-run lab\.yaml\n([^]*?)^```/m.exec(guide)!;
  assert.equal(describePlan(planChanges(before!, after!)), shown);
});

test('what docs/networks.md shows of mistakes is what is printed', () => {
  const [, shown] = /\$ \.\/netloom up lab\.yaml\n(lab\.yaml:[^]*?)\nlab\.yaml: 2 mistakes; /.exec(
    guide,
  )!;
  const text = `networks:
  lan:
    subnets: [10.0.0.0/24]
    uplnk: true
    machines: { web: { run: web, address: 10.0.1.80 } }
`;
  const { mistakes } = readNodeFile(text, { path: 'lab.yaml' });
  assert.equal(describeMistakes(text, 'lab.yaml', mistakes!), shown);
});

function assertGood(text: string, path: string): void {
  const { mistakes } = readNodeFile(text, { path });
  assert.equal(mistakes && describeMistakes(text, path, mistakes), undefined);
}

for (const name of examples) {
  test(`examples/networks/${name} is good, and says first what it is`, () => {
    const text = readFileSync(folder + name, 'utf8');
    assertGood(text, name);
    assert.deepEqual(complaints(text), undefined);
    assert.match(
      text,
      /^# yaml-language-server: \$schema=\.\.\/\.\.\/docs\/network-file\.schema\.json\n# [A-Z]/,
    );
    assert.ok(text.split('\n').length < 60);
  });
}

test('the examples together use most of what there is', () => {
  const text = examples.map((name) => readFileSync(folder + name, 'utf8')).join('\n');
  for (const kind of ['bridged', 'overlay', 'direct'])
    assert.ok(text.includes(`kind: ${kind}`), kind);
  for (const key of [
    'taps',
    'qemu',
    'routers',
    'nat',
    'publish',
    'vlan',
    'trunk',
    'reservations',
    'link',
    'uplink',
    'dns',
    'dhcp',
  ]) {
    assert.match(text, new RegExp(`\\b${key}:`), key);
  }
});

test('the schema takes every file that a model is written as', () => {
  fc.assert(
    fc.property(fileModel, (model) => {
      assert.deepEqual(complaints(printNodeFile(model)), undefined);
    }),
    { numRuns: 50 },
  );
});

test('the schema refuses what the reader refuses: keys, kinds of values, forms of quantities', () => {
  for (const text of [
    'netwroks: {}',
    'networks: { lan: { kidn: bridged } }',
    'networks: { lan: { kind: bridge } }',
    'networks: { Lan: {} }',
    'networks: { lan: { mtu: 100 } }',
    'networks: { lan: { uplink: yes } }',
    'networks: { lan: { link: { delay: 20, rate: 10mbit } } }',
    'networks: { lan: { link: { rate: 10 } } }',
    'networks: { lan: { machines: { a: { vlan: 4095 } } } }',
    'networks: { lan: { machines: { a: [web] } } }',
    'networks: { lan: { switch: { ageing: 5 } } }',
  ]) {
    assert.notEqual(complaints(text), undefined, text);
    assert.notEqual(readNodeFile(text, { path: 'a' }).mistakes, undefined, text);
  }
});
