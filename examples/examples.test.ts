/** Every example runs, and does what it says. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { KernelNamespace, tapObstacle } from '../packages/netloom/test/kernel-namespace.ts';
import { privilege, program, requires } from '../packages/netloom/test/requires.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const flags = ['--conditions=netloom-source', '--disable-warning=ExperimentalWarning'];

/** Runs an example to its end; answers the lines it printed. */
async function run(example: string): Promise<string[]> {
  const words = [...flags, `examples/${example}`];
  const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: root });
  return stdout.trimEnd().split('\n');
}

test('web-server.ts shows the page, and every frame it took', async () => {
  const lines = await run('web-server.ts');
  assert.match(lines[0]!, /^out +ARP who has 10\.0\.0\.2\? tell 10\.0\.0\.1 /);
  assert.match(lines[1]!, /^in +ARP 10\.0\.0\.2 is at /);
  assert.match(lines[2]!, /^out +10\.0\.0\.1:\d+ > 10\.0\.0\.2:80 TCP SYN /);
  assert.ok(lines.includes('200 you asked for /a/page'), lines.join('\n'));
});

test('any-host.ts says hello from three networks', async () => {
  const lines = await run('any-host.ts');
  assert.deepEqual(lines.slice(0, 2), ['os:    hello', 'stack: hello']);
  assert.match(lines[2]!, /^sim: {3}hello, after \d\.\d s that nobody waited for$/);
  assert.equal(lines.length, 3);
});

test(
  'tap-machine.ts is pinged and asked for its page by the kernel',
  { skip: requires(privilege(), tapObstacle, program('ping'), program('curl')), timeout: 60_000 },
  async () => {
    using namespace = new KernelNamespace('example');
    namespace.ip('tuntap', 'add', 'dev', 'tap0', 'mode', 'tap');
    namespace.ip('link', 'set', 'tap0', 'up');
    namespace.ip('address', 'add', '10.9.0.1/24', 'dev', 'tap0');
    const example = [`${root}examples/tap-machine.ts`, 'tap0', '10.9.0.2/24'];
    const machine = namespace.startProgram(process.execPath, ...flags, ...example);
    assert.match(await machine.line(), /^http:\/\/10\.9\.0\.2\/ is served/);
    await namespace.run('ping', '-c', '2', '-i', '0.2', '10.9.0.2');
    assert.match(await namespace.run('curl', '-sf', 'http://10.9.0.2/'), /^\d+ frames so far\n$/);
    const [told] = await Promise.all([machine.line(), machine.stop()]);
    assert.match(told, /^1 requests, \d+ packets dropped$/);
  },
);

test('every example is in README.md, and short', () => {
  const readme = readFileSync(`${root}README.md`, 'utf8');
  const examples = globSync('examples/*.ts', { cwd: root }).filter(
    (path) => path !== 'examples/examples.test.ts',
  );
  assert.ok(examples.length >= 4);
  for (const path of examples) {
    assert.ok(readme.includes(`(${path})`), `README.md does not link ${path}`);
    const lines = readFileSync(root + path, 'utf8')
      .trimEnd()
      .split('\n').length;
    assert.ok(lines < 60, `${path} has ${lines} lines`);
  }
});
