/** What must hold of any file. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describeMistakes, readNodeFile, type NodeModel } from '../../src/index.ts';
import { fileModel } from './arbitraries.ts';
import { printNodeFile } from './print.ts';

/** Routes of gateways follow from the routers, and are not written. */
function withoutRoutes({ networks, routers }: NodeModel): NodeModel {
  const plain = networks.map((network) => ({
    ...network,
    gateway: network.gateway && { ...network.gateway, routes: {} },
  }));
  return { networks: plain, routers };
}

test('a model that is written and read again is the same', () => {
  fc.assert(
    fc.property(fileModel, (model) => {
      const text = printNodeFile(model);
      const read = readNodeFile(text, { path: '/srv/node.yaml' });
      assert.equal(read.mistakes && describeMistakes(text, 'it', read.mistakes), undefined);
      assert.deepEqual(withoutRoutes(read.model!), model);
    }),
    { numRuns: 100 },
  );
});

const folder = fileURLToPath(new URL('../../../../examples/networks/', import.meta.url));
const examples = readdirSync(folder).map((name) => readFileSync(folder + name, 'utf8'));

/** Pieces that mean something in such a file. */
const PIECES = [
  '{',
  '}',
  '[',
  ']',
  ': ',
  '- ',
  ', ',
  '\n',
  '\n  ',
  '\t',
  '"',
  "'",
  '#',
  '&a ',
  '*a',
  '<<: *a',
  '|',
  '>',
  '? ',
  '!!binary ',
  '!x ',
  '%',
  '---\n',
  '...\n',
  'null',
  '~',
  'true',
  '0',
  '-1',
  '1e9',
  '0x10',
  '.nan',
  '.inf',
  '10.0.0.0/0',
  '::/0',
  '0.0.0.0',
  '4095',
  '80ms±10ms',
  '\u0000',
  '\u2028',
  '\ud800',
  '__proto__: ',
  'constructor: ',
];

/** A good file with pieces put in, left out or exchanged. */
const damaged = fc
  .tuple(
    fc.constantFrom(...examples),
    fc.array(fc.tuple(fc.nat(4000), fc.nat(30), fc.constantFrom(...PIECES, '')), { maxLength: 4 }),
  )
  .map(([text, changes]) =>
    changes.reduce((now, [at, removed, piece]) => {
      const start = at % (now.length + 1);
      return now.slice(0, start) + piece + now.slice(start + removed);
    }, text),
  );

/** It is a model, or mistakes in order, each at a place in the text. */
function assertSound(text: string): void {
  const { model, mistakes } = readNodeFile(text, { path: '/srv/node.yaml' });
  assert.notEqual(model === undefined, mistakes === undefined);
  if (mistakes === undefined) return;
  assert.ok(mistakes.length > 0);
  const lines = text.split(/\r\n|[\n\r]/);
  let last = [0, 0];
  for (const { line, column, message, remedy } of mistakes) {
    assert.ok(line > last[0]! || (line === last[0] && column >= last[1]!), message);
    assert.ok(line <= lines.length && column <= (lines[line - 1]?.length ?? 0) + 1, message);
    assert.ok(message !== '' && /^[^]*[.?]$/.test(remedy), remedy);
    last = [line, column];
  }
  const described = describeMistakes(text, 'it', mistakes);
  assert.equal([...described.matchAll(/^ +\| +\^ /gm)].length >= mistakes.length, true);
}

test('a good file that is damaged is a model, or mistakes in the order of the text', () => {
  fc.assert(fc.property(damaged, assertSound), { numRuns: 500 });
});

test('any text is a model, or mistakes', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .array(fc.constantFrom(...PIECES, 'networks', 'lan', 'a'), { maxLength: 30 })
      .map((all) => all.join('')),
  );
  fc.assert(fc.property(text, assertSound), { numRuns: 500 });
});
