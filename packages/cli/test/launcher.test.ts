/** The launcher, `scripts/node`, on machines that lack something: with stand-ins for npm, Node and apt, so that nothing is installed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

const SCRIPTS = new URL('../../../scripts/', import.meta.url);

/** A clone of two scripts and a lock file, and a PATH that has stand-ins before the system's programs. */
class Clone {
  readonly root = mkdtempSync(join(tmpdir(), 'netloom-launcher-'));
  readonly #programs = join(this.root, 'bin');

  constructor(context: TestContext) {
    context.after(() => rmSync(this.root, { recursive: true }));
    mkdirSync(join(this.root, 'scripts'));
    mkdirSync(this.#programs);
    writeFileSync(join(this.root, 'package-lock.json'), '{}');
    for (const name of ['node', 'libatomic']) {
      copyFileSync(new URL(name, SCRIPTS), join(this.root, 'scripts', name));
    }
  }

  program(name: string, ...lines: string[]): void {
    const file = join(this.#programs, name);
    writeFileSync(file, ['#!/bin/sh', ...lines, ''].join('\n'));
    chmodSync(file, 0o755);
  }

  /** An npm that says which Node it would run on, and "installs" a Node of these lines. */
  npm(...node: string[]): void {
    this.program(
      'npm',
      'command -v node >>"$PWD/npm-runs" || echo none >>"$PWD/npm-runs"',
      'mkdir -p node_modules/node/bin',
      `printf '%s\\n' '#!/bin/sh' ${node.map((line) => `'${line}'`).join(' ')} >node_modules/node/bin/node`,
      'chmod +x node_modules/node/bin/node',
    );
  }

  run(path = `${this.#programs}:${process.env['PATH']}`) {
    const { status, stdout, stderr } = spawnSync(join(this.root, 'scripts/node'), ['script.ts'], {
      env: { PATH: path },
      encoding: 'utf8',
    });
    return { status, stdout: stdout.trim(), stderr };
  }
}

test('what is missing is installed once, and what the launcher is given is run', (context) => {
  const clone = new Clone(context);
  clone.npm('echo "ran $*"');
  const first = clone.run();
  assert.match(first.stdout, /^ran .*script\.ts$/m);
  assert.match(first.stderr, /installing/);
  const second = clone.run();
  assert.equal(second.stdout, first.stdout);
  assert.equal(second.stderr, '');
});

test('npm chooses the packages for the pinned Node, not for the one that the machine has', (context) => {
  const clone = new Clone(context);
  clone.npm('echo "ran $*"');
  clone.run();
  const nodes = readFileSync(join(clone.root, 'npm-runs'), 'utf8').trim().split('\n');
  assert.equal(nodes.length, 2);
  assert.equal(nodes[1], join(clone.root, 'node_modules/node/bin/node'));
});

test('a library that Node needs and the machine lacks is put beside it', (context) => {
  const clone = new Clone(context);
  clone.npm(
    '[ -f "$LD_LIBRARY_PATH/libatomic.so.1" ] || { echo "libatomic.so.1: cannot open" >&2; exit 127; }',
    'echo "ran $*"; echo "put before: $NETLOOM_LIBRARIES, files: $NETLOOM_OPEN_FILES"',
  );
  clone.program('apt-get', 'case $* in *download*) touch libatomic1_12_amd64.deb ;; esac');
  clone.program('dpkg-deb', 'mkdir -p "$3/usr/lib"', 'echo library >"$3/usr/lib/libatomic.so.1"');
  const { status, stdout } = clone.run();
  assert.equal(status, 0);
  assert.match(stdout, /^ran .*script\.ts$/m);
  // What netloom run takes away again.
  const libraries = join(clone.root, 'node_modules/.libraries');
  assert.match(stdout, new RegExp(`^put before: ${libraries}, files: (\\d+|unlimited)$`, 'm'));
  assert.match(clone.run().stdout, /^ran/);
});

test('where it cannot be had, the launcher says what to install, and tries again next time', (context) => {
  const clone = new Clone(context);
  clone.npm('echo "libatomic.so.1: cannot open" >&2', 'exit 127');
  clone.program('apt-get', 'exit 100');
  for (let time = 0; time < 2; time++) {
    const { status, stderr } = clone.run();
    assert.equal(status, 1);
    assert.match(stderr, /libatomic1/);
  }
});

test('without npm the launcher says that it is npm that is missing', (context) => {
  const clone = new Clone(context);
  for (const name of ['cmp', 'dirname']) clone.program(name, 'exec /usr/bin/' + name + ' "$@"');
  const { status, stderr } = clone.run(join(clone.root, 'bin'));
  assert.equal(status, 1);
  assert.match(stderr, /npm is not installed/);
});
