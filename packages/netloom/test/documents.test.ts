/** The documents that tell of the sources tell of all that is there, and of nothing else. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { HOST_ERRORS } from 'netloom/core';
import { stateMachinesDocument } from '../../../scripts/documents/state-machines.ts';
import { root, sources } from './repository.ts';

const code = sources('packages', '*/src/**/*.ts').filter(
  ({ path }) => !path.endsWith('.test.ts') && !path.includes('/compliance/'),
);

function document(name: string): string {
  return readFileSync(`${root}docs/${name}`, 'utf8');
}

/** The rows of a document's tables that begin with a name in code quotes: the cells, without the quotes of the first. */
function rows(markdown: string): string[][] {
  return [...markdown.matchAll(/^\| `([^`]+)` \| (.*) \|$/gm)].map(([, name, rest]) => [
    name!,
    ...rest!.split(' | '),
  ]);
}

/** Codes of one word: others are known by their underscore. */
const ONE_WORD = ['ABORTED', 'TIMEOUT', 'UNEXPECTED', 'USAGE'];

/** What is written as codes are, and is none of ours. */
const OTHERS = [
  // of the platform
  /^EAI_/,
  /^ERR_/,
  // a variable of the environment
  /^NETLOOM_DEBUG$/,
  // a message of DHCPv6
  /^INFORMATION_REQUEST$/,
];

/** The error codes in a text: string literals in upper case. */
function errorCodes(text: string): string[] {
  return [...text.matchAll(/'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)'/g)]
    .map(([, name]) => name!)
    .filter((name) => name.includes('_') || ONE_WORD.includes(name))
    .filter((name) => !OTHERS.some((pattern) => pattern.test(name)));
}

/** Sources whose upper-case words are states of the spanning tree's machines, which keep the names that the standard gives them. */
const namesStates = ({ path, text }: { path: string; text: string }): boolean =>
  path.includes('spanning-tree/') && text.includes("from './machine.ts'");

function sorted(names: Iterable<string>): string[] {
  return [...new Set(names)].sort();
}

test('docs/errors.md has each error code of the sources once, with a meaning and a remedy', () => {
  const inSources = sorted([
    ...code.filter((source) => !namesStates(source)).flatMap(({ text }) => errorCodes(text)),
    ...Object.keys(HOST_ERRORS),
  ]);
  const table = rows(document('errors.md'));
  const told = table.map(([name]) => name!);
  assert.ok(told.length > 100, 'hardly any codes were found');
  const untold = inSources.filter((name) => !told.includes(name));
  assert.deepEqual(untold, [], 'codes that docs/errors.md does not have');
  const gone = told.filter((name) => !inSources.includes(name));
  assert.deepEqual(gone, [], 'codes of docs/errors.md that no source has');
  assert.equal(told.length, new Set(told).size, 'each code once');
  for (const row of table) {
    const line = row.join(' | ');
    assert.equal(row.length, 3, line);
    for (const cell of row) assert.ok(cell.trim() !== '', line);
  }
});

test('docs/errors.md says of a Host’s errors what HOST_ERRORS does', () => {
  const told = rows(document('errors.md')).slice(0, Object.keys(HOST_ERRORS).length);
  assert.deepEqual(
    told,
    Object.entries(HOST_ERRORS).map(([name, { meaning, remedy }]) => [name, meaning, remedy]),
  );
});

test('docs/diagnostics.md has each channel of the sources once', () => {
  const published = code.flatMap(({ text }) =>
    [...text.matchAll(/\bchannel(?:<[^>]+>)?\(\s*'(netloom:[^']+)'/g)].map(([, name]) => name!),
  );
  const told = rows(document('diagnostics.md'));
  assert.ok(told.length > 10, 'hardly any channels were found');
  assert.deepEqual(
    told.map(([name]) => name),
    sorted(published),
  );
  for (const [name, type, when] of told) {
    assert.match(name!, /^netloom:[a-z]+:[a-z-]+$/);
    assert.ok(when !== undefined && when !== '', `${name}: when?`);
    const [declared] = type!.replaceAll('`', '').split('<');
    const pattern = new RegExp(`(?:interface|class) ${declared}\\b`);
    assert.ok(
      code.some(({ text }) => pattern.test(text)),
      `${name}: there is no ${declared}`,
    );
  }
});

test('docs/state-machines.md is what npm run diagrams writes', async () => {
  const written = await stateMachinesDocument();
  assert.ok(written.match(/^```mermaid$/gm)!.length > 8, 'hardly any tables were found');
  assert.match(written, /## TCP\n[^]*syn_sent --> established: synchronized/);
  assert.equal(document('state-machines.md'), written, 'run npm run diagrams');
});

test('the table of every state machine is drawn', async () => {
  const written = await stateMachinesDocument();
  const machines = code.flatMap(({ path, text }) =>
    [...text.matchAll(/new StateMachine\(([^)]*)/g)].map(([, words]) => ({ path, words: words! })),
  );
  assert.ok(machines.length > 8, 'hardly any machines were found');
  for (const { path, words } of machines) {
    const [table] = /\w+_TRANSITIONS/.exec(words) ?? [];
    assert.ok(table !== undefined && written.includes(`\`${table}\``), `${path}: ${words}`);
  }
});

test('every file that docs/architecture.md names is there', () => {
  const library = new Set(code.map(({ path }) => path.replace(/^netloom\/src\//, '')));
  const named =
    document('architecture.md').match(/(?<=[`" ])(?:[a-z0-9-]+\/)+[a-z0-9-]+\.ts/g) ?? [];
  assert.ok(named.length > 20, 'hardly any were found');
  for (const path of named) assert.ok(library.has(path), `docs/architecture.md names ${path}`);
});

test('the documents link to what is there', () => {
  const documents = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'];
  for (const name of readdirSync(`${root}docs`))
    if (name.endsWith('.md')) documents.push(`docs/${name}`);
  for (const path of documents) {
    const text = readFileSync(root + path, 'utf8');
    for (const [, link] of text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (link!.startsWith('http')) continue;
      const target = new URL(link!, `file://${root}${path}`);
      assert.ok(existsSync(target), `${path} links to ${link}`);
    }
  }
});

test('the checks see what they are for', () => {
  assert.deepEqual(
    errorCodes("throw hostError('TIMEOUT', 'a'); x = 'GET'; new E('A_B'); ['EAI_FAIL', 'C_D']"),
    ['TIMEOUT', 'A_B', 'C_D'],
  );
  assert.deepEqual(rows('| Code | a |\n|---|---|\n| `A_B` | one | two |\n'), [
    ['A_B', 'one', 'two'],
  ]);
});
