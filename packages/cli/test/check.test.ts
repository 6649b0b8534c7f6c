/** `netloom check`: files that are good, that are not, and that cannot be read. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runInProcess, runNetloom } from './netloom-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'netloom-check-'));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const GOOD = `
networks:
  lan: { subnets: [10.0.0.0/24], machines: { a: web, b: echo }, publish: [8080:a:80] }
  far: { subnets: [10.1.0.0/24], gateway: false, taps: { t: }, qemu: { q: { listen: 7001 } } }
routers:
  r: { interfaces: { lan: 10.0.0.9, far: 10.1.0.9 } }
`;

test('a good file is said to be good, with what is in it', async () => {
  const path = file('good.yaml', GOOD);
  assert.deepEqual(await runNetloom(['check', path]), {
    code: 0,
    stdout: `${path}: 2 networks, 1 router, 2 machines, 1 TAP, 1 QEMU, 1 publication; it is good\n`,
    stderr: '',
  });
  const { stdout } = await runInProcess(['check', file('empty.yaml', '')]);
  assert.match(stdout, /empty\.yaml: nothing; it is good\n$/);
});

test('every mistake is told, and the exit code is 1', async () => {
  const path = file('bad.yaml', 'networks:\n  lan:\n    mtu: big\n    kidn: bridged\n');
  assert.deepEqual(await runNetloom(['check', path]), {
    code: 1,
    stdout: '',
    stderr: `${path}:3:10: mtu wants an MTU, not 'big' (networks.lan.mtu)
   3 |     mtu: big
     |          ^ Write a whole number from 576 to 65521.

${path}:4:5: there is no key 'kidn' in a network (networks.lan.kidn)
   4 |     kidn: bridged
     |     ^ Did you mean 'kind'?

${path}: 2 mistakes
`,
  });
});

test('a module that is not there is a mistake of the file; one that is there is not run', async () => {
  file('there.ts', 'throw new Error("it was run");');
  mkdirSync(join(folder, 'folder.ts'));
  const path = file(
    'modules.yaml',
    `networks:
  lan:
    machines:
      a: ./there.ts
      b: ./away.ts
      c: { run: [{ module: ./deep/er.ts, port: 81 }, ./folder.ts] }
`,
  );
  const { code, stderr } = await runNetloom(['check', path], { cwd: '/' });
  const told = stderr.split('\n').filter((line) => line.startsWith(path));
  assert.deepEqual(told, [
    `${path}:5:10: cannot read the module ${folder}/away.ts: there is no such file (networks.lan.machines.b.run[0])`,
    `${path}:6:28: cannot read the module ${folder}/deep/er.ts: there is no such file (networks.lan.machines.c.run[0].module)`,
    `${path}:6:54: cannot read the module ${folder}/folder.ts: it is no file (networks.lan.machines.c.run[1])`,
    `${path}: 3 mistakes`,
  ]);
  assert.equal(code, 1);
  const up = await runNetloom(['up', path, '--state', folder]);
  assert.equal(up.code, 1);
  assert.match(up.stderr, /modules\.yaml: 3 mistakes; nothing is started\n$/);
});

test('of several files each is checked', async () => {
  const [bad, good] = [file('one.yaml', 'a: 1'), file('two.yaml', GOOD)];
  const { code, stdout, stderr } = await runInProcess(['check', bad, good]);
  assert.equal(code, 1);
  assert.match(stdout, /two\.yaml: 2 networks/);
  assert.match(stderr, /one\.yaml: 1 mistake\n$/);
});

test('relative paths in a file are of its folder, wherever the command runs', async () => {
  const example = fileURLToPath(new URL('../../../examples/networks/lan.yaml', import.meta.url));
  const { code } = await runNetloom(['check', example], { cwd: folder });
  assert.equal(code, 0);
});

test('files that cannot be read, that are no text, or that do not end', async () => {
  for (const [path, told] of [
    [join(folder, 'none.yaml'), 'FILE_UNREADABLE'],
    [folder, 'FILE_UNREADABLE'],
    [file('binary', new Uint8Array([0x61, 0xff, 0xfe])), 'FILE_UNREADABLE'],
    [file('cut', new Uint8Array([0x61, 0xc3])), 'FILE_UNREADABLE'],
    ['/dev/zero', 'NODE_FILE_TOO_LARGE'],
  ] as const) {
    const { code, stdout, stderr } = await runInProcess(['check', path]);
    assert.deepEqual([code, stdout], [1, ''], path);
    assert.match(
      stderr,
      new RegExp(`^netloom: \\S[^\\n]*\\. [A-Z][^\\n]*\\. \\(${told}\\)\\n$`),
      path,
    );
  }
  const { code, stderr } = await runInProcess(['check']);
  assert.equal(code, 2);
  assert.match(stderr, /^netloom: check wants a file: netloom check FILE\. .*\(USAGE\)\n$/);
});
