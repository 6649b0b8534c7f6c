/**
 * What is published works where it is installed: built and packed from a copy of the sources, installed in an empty
 * folder without a network, used from plain JavaScript and from TypeScript.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readLayers, root } from './repository.ts';

const work = mkdtempSync(join(tmpdir(), 'netloom-package-'));
const source = join(work, 'source');
const consumer = join(work, 'consumer');
/** The paths of files in the tarball. */
let packed: string[] = [];
/** What can be imported, as `netloom/core`. */
let entries: string[] = [];

/** Runs a program to its end and answers its output; fails the test with all it said if it fails. */
function run(cwd: string, command: string, ...args: string[]): string {
  const env = { ...process.env, PATH: `${root}node_modules/.bin:${process.env['PATH']}` };
  // As on the machine of someone who has nothing of this repository: neither its npm settings nor its conditions.
  for (const name of Object.keys(env)) {
    if (/^(npm_|NODE_)/i.test(name)) Reflect.deleteProperty(env, name);
  }
  const done = spawnSync(command, args, { cwd, env, encoding: 'utf8' });
  assert.equal(
    done.status,
    0,
    `${command} ${args.join(' ')}: ${done.error ?? ''}\n${done.stdout}\n${done.stderr}`,
  );
  return done.stdout;
}

function isSource(path: string): boolean {
  return !/\/(dist|node_modules)$/.test(path);
}

/** A copy of what the build needs, so that it touches no file others use. */
function copySources(): void {
  for (const path of [
    'scripts',
    'packages/netloom',
    'tsconfig.base.json',
    'package.json',
    'LICENSE',
    'README.md',
  ]) {
    cpSync(root + path, join(source, path), { recursive: true, filter: isSource });
  }
  symlinkSync(`${root}node_modules`, join(source, 'node_modules'));
}

before(() => {
  copySources();
  run(source, process.execPath, 'scripts/build.ts');
  const library = join(source, 'packages/netloom');
  const [tarball] = JSON.parse(
    run(library, 'npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', work),
  ) as [{ filename: string; files: { path: string }[] }];
  packed = tarball.files.map(({ path }) => path);
  mkdirSync(consumer);
  writeFileSync(join(consumer, 'package.json'), '{ "private": true, "type": "module" }\n');
  run(
    consumer,
    'npm',
    'install',
    '--offline',
    '--no-audit',
    '--no-fund',
    join(work, tarball.filename),
  );
  const { exports } = JSON.parse(readFileSync(join(library, 'package.json'), 'utf8')) as {
    exports: Record<string, unknown>;
  };
  entries = Object.keys(exports)
    .filter((name) => name !== './package.json')
    .map((name) => name.replace('.', 'netloom'));
});

after(() => rmSync(work, { recursive: true, force: true }));

test('the tarball holds what was built, the licence and the README, and nothing else', () => {
  assert.ok(packed.includes('LICENSE') && packed.includes('README.md'));
  assert.ok(packed.includes('dist/core/index.js') && packed.includes('dist/core/index.d.ts'));
  const strays = packed.filter(
    (path) => !/^(LICENSE|README\.md|package\.json|dist\/.+\.(js|d\.ts))$/.test(path),
  );
  assert.deepEqual(strays, []);
  assert.deepEqual(
    packed.filter((path) => path.includes('.test.')),
    [],
  );
});

test('every layer can be imported, but for those that are the platform’s inside', () => {
  const layers = readLayers(readFileSync(`${root}docs/architecture.md`, 'utf8'));
  const expected = layers
    .map(({ folder }) => `netloom/${folder}`)
    .filter((name) => !name.startsWith('netloom/native') && name !== 'netloom/link/descriptor');
  assert.deepEqual(
    expected.filter((name) => !entries.includes(name)),
    [],
  );
});

test('plain JavaScript uses it, with no flag and no build step', () => {
  const imports = entries.map((name) => `await import('${name}');`).join('\n');
  const program = `
    import { ByteWriter, Cidr, IpAddress, toHex } from 'netloom/core';
    import { emitUdp, parseUdp } from 'netloom/wire';
    ${imports}
    const network = Cidr.parse('2001:db8::/32');
    const bytes = new Uint8Array(8);
    emitUdp({ sourcePort: 53, destinationPort: 1024, length: 8, checksum: 0 }, bytes, 0);
    console.log(JSON.stringify({
      inside: network.contains(IpAddress.parse('2001:DB8:0:0::1')),
      datagram: toHex(bytes),
      port: parseUdp(bytes, 0, 8).destinationPort,
    }));
  `;
  writeFileSync(join(consumer, 'use.js'), program);
  assert.deepEqual(JSON.parse(run(consumer, process.execPath, 'use.js')), {
    inside: true,
    datagram: '0035040000080000',
    port: 1024,
  });
});

/** Checks a program of a consumer with the compiler; libraries' declarations are checked too. */
function typeCheck(name: string, program: string, options: object): void {
  const folder = join(consumer, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'use.ts'), program);
  const compilerOptions = {
    target: 'ES2024',
    lib: ['ESNext', 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable'],
    strict: true,
    skipLibCheck: false,
    noEmit: true,
    ...options,
  };
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['use.ts'] }),
  );
  run(folder, `${root}node_modules/.bin/tsc`, '--project', '.');
}

const ENGINE_PROGRAM = `
  import { IpAddress, type Host } from 'netloom/core';
  import * as http from 'netloom/http';
  import * as ip from 'netloom/ip';
  import * as link from 'netloom/link';
  import * as wire from 'netloom/wire';
  export const layers = [http, ip, link, wire];
  export const family: 4 | 6 = IpAddress.parse('::1').family;
  // @ts-expect-error: the types have arrived, so this is seen to be wrong
  export const wrong: string = IpAddress.parse('::1').family;
  export const connect = (host: Host) => host.connect({ host: 'web.lan', port: 80 });
`;

test('its types are found and whole, for both ways modules are resolved; engine layers need no types of the platform', () => {
  typeCheck('nodenext', ENGINE_PROGRAM, { module: 'NodeNext', types: [] });
  typeCheck('bundler', ENGINE_PROGRAM, {
    module: 'ESNext',
    moduleResolution: 'Bundler',
    types: [],
  });
});

test('the types of the platform layers are whole beside those of Node', () => {
  const program = entries.map((name, i) => `export * as layer${i} from '${name}';`).join('\n');
  const typeRoots = [`${root}node_modules/@types`];
  typeCheck('platform', program, { module: 'NodeNext', types: ['node'], typeRoots });
});
