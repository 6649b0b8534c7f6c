/** The layers of docs/architecture.md hold: imports point down, through index.ts, and engines know no platform. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { test } from 'node:test';
import { checkImports, importsOf, readLayers, root, sources } from './repository.ts';

const layers = readLayers(readFileSync(`${root}docs/architecture.md`, 'utf8'));
const files = sources('packages/netloom/src', '**/*.ts');
const folders = new Set(
  files
    .filter(({ path }) => posix.basename(path) === 'index.ts')
    .map(({ path }) => posix.dirname(path)),
);

test('the table of layers is there, and so is every layer of it', () => {
  assert.deepEqual(layers[0], { folder: 'core', isEngine: true });
  assert.ok(layers.length >= 8);
  for (const { folder } of layers) assert.ok(folders.has(folder), `${folder}/index.ts is missing`);
});

test('every layer is a TypeScript project that references the layers it imports', () => {
  const all = JSON.parse(readFileSync(`${root}packages/netloom/tsconfig.json`, 'utf8')) as {
    references: { path: string }[];
  };
  const built = all.references.map(({ path }) => path.replace('./src/', ''));
  assert.deepEqual(
    built,
    layers.map(({ folder }) => folder),
  );
  for (const { folder, isEngine } of layers) {
    const project = JSON.parse(
      readFileSync(`${root}packages/netloom/src/${folder}/tsconfig.json`, 'utf8'),
    ) as { compilerOptions: { types: string[] } };
    assert.deepEqual(project.compilerOptions.types, isEngine ? [] : ['node'], folder);
  }
});

test('imports of the library point down, go through index.ts, end in .ts, and leave the platform to platform layers', () => {
  const library = files.filter(({ path }) => !path.endsWith('.test.ts'));
  assert.ok(library.length > 30, 'hardly any files were found');
  assert.deepEqual(
    library.flatMap((file) => checkImports(file, layers, folders)),
    [],
  );
});

test('relative imports of programs and tests lead to a file that is there', () => {
  const programs = sources('.', '{scripts,bench,fuzz,examples,conformance,packages}/**/*.ts');
  const broken = programs.flatMap(({ path, text }) =>
    importsOf(text)
      .filter((specifier) => specifier.startsWith('.'))
      .filter((specifier) => !existsSync(root + posix.join(posix.dirname(path), specifier)))
      .map((specifier) => `${path}: ${specifier}`),
  );
  assert.deepEqual(broken, []);
});

test('the check sees what it is for', () => {
  // [file, its text, what is wrong with it]
  const table: [string, string, RegExp | undefined][] = [
    ['wire/udp.ts', "import { a } from '../core/index.ts';", undefined],
    ['wire/udp.ts', "import { a } from './fault.ts';", undefined],
    ['wire/udp.ts', "import {\n  type A,\n  b,\n} from '../ip/index.ts';", /points up/],
    ['wire/udp.ts', "import type { A } from '../ip/index.ts';", /points up/],
    ['wire/udp.ts', "export * from '../ip/index.ts';", /points up/],
    ['wire/udp.ts', "export {\n  a,\n} from '../ip/index.ts';", /points up/],
    ['wire/udp.ts', "import '../ip/index.ts';", /points up/],
    // In two pieces, so that it is not taken for an import of this file.
    ['wire/udp.ts', `const a = await import(${"'../ip/index.ts'"});`, /points up/],
    ['wire/udp.ts', "import { a } from '../core/bytes.ts';", /through core\/index.ts/],
    ['wire/udp.ts', "import { a } from '../core/index';", /not end in .ts/],
    ['wire/udp.ts', "import { readFileSync } from 'node:fs';", /platform/],
    ['wire/udp.ts', "import { a } from 'somewhere';", /depends on none/],
    ['wire/udp.ts', "import { a } from '../../../cli/src/main.ts';", /out of the layers/],
    ['news/udp.ts', '', /not in the table/],
    ['link/pair.ts', "import { a } from './tap/index.ts';", /points up/],
    ['link/pair.ts', "import { a } from '../native/index.ts';", /platform layer/],
    ['ip/stack.ts', "import { a } from '../link/tap/index.ts';", /platform layer/],
    ['link/tap/tap.ts', "import { a } from '../index.ts';", undefined],
    ['link/tap/tap.ts', "import { a } from '../link.ts';", /through link\/index.ts/],
    ['link/tap/tap.ts', "import { openSync } from 'node:fs';", undefined],
    ['ip/stack.ts', "import { a } from './tcp/tcp.ts';", undefined],
    ['ip/stack.ts', "import { a } from './dhcp/client.ts';", /through ip\/dhcp\/index.ts/],
    ['ip/dhcp/client.ts', "import { a } from './options/one.ts';", undefined],
    ['ip/tcp/tcp.ts', "import { a } from '../dhcp/client.ts';", /through ip\/dhcp\/index.ts/],
    ['ip/dhcp/client.ts', "import { a } from '../stack.ts';", undefined],
  ];
  const withDhcp = new Set([...layers.map(({ folder }) => folder), 'ip/dhcp']);
  for (const [path, text, expected] of table) {
    const complaints = checkImports({ path, text }, layers, withDhcp);
    if (expected === undefined) assert.deepEqual(complaints, []);
    else {
      assert.equal(complaints.length, 1, `${path}: ${text}`);
      assert.match(complaints[0]!, expected);
    }
  }
});
