/** What goes wrong outside of a command: one line says what happened and what to do, with a code; nothing half written is left. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { watch } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  KernelNamespace,
  namespaceObstacle,
  tapObstacle,
} from '../../netloom/test/kernel-namespace.ts';
import { privilege, requires } from '../../netloom/test/requires.ts';
import { runInProcess, runNetloom, startNetloom, type Outcome } from './netloom-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'netloom-bad-'));
// Some tests run as somebody else, who has to reach it.
chmodSync(folder, 0o755);
after(() => rmSync(folder, { recursive: true }));

/** Somebody without privileges, where the test has them. */
const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/** It failed, with one line that ends in the code and has a sentence before it that says what to do. */
function assertTold({ code, stderr }: Outcome, errorCode: string, exitCode = 1): void {
  assert.equal(code, exitCode, stderr);
  assert.match(
    stderr,
    new RegExp(`^netloom: \\S[^\\n]*[.?] [A-Z][^\\n]*\\. \\(${errorCode}\\)\\n$`),
  );
}

test('options that do not exist, or lack their value, or are no number', async () => {
  for (const args of [
    ['up', '--prot', '1'],
    ['up', '--port'],
    ['up', '--port', '-1'],
    ['up', '--port', '1e9'],
    ['up', 'one.yaml', 'two.yaml'],
    ['up', '--port', '1', 'one.yaml'],
    ['apply', 'one.yaml', 'two.yaml'],
    ['get', 'http://127.0.0.1/', '--timeout', '-1'],
    ['get', 'http://127.0.0.1:99999/'],
    ['get', 'http://[::zz]/'],
    ['ping', '127.0.0.1', '-c', 'many'],
    ['dump', 'x', '--count', '1.5'],
    ['dump', 'eth:0'],
    ['dump', 'tap:'],
    ['sim', 'lossy-transfer', '--seed', '-1'],
  ]) {
    const outcome = await runInProcess(args);
    assertTold(outcome, 'USAGE', 2);
    assert.equal(outcome.stdout, '', args.join(' '));
  }
  const { stderr } = await runInProcess(['up', '--port', '-1']);
  assert.match(stderr, /--port wants a value, written as --port=-1 if/);
});

test('a port that wants privileges', { skip: requires(privilege()) }, async () => {
  // In a namespace of its own every port below 1,024 is privileged, whatever this machine allows.
  using namespace = new KernelNamespace('port');
  namespace.sysctl('net.ipv4.ip_unprivileged_port_start=1024');
  const through = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
  const state = join(folder, 'state');
  mkdirSync(state);
  chownSync(state, 65_534, 65_534);
  const outcome = await runNetloom(['up', '--port', '80', '--state', state], {
    namespace: namespace.name,
    through,
  });
  assertTold(outcome, 'PERMISSION_DENIED');
  rmSync(state, { recursive: true });
});

test('a server that is not there, a name that is not, a scheme that is not', async () => {
  const path = join(folder, 'not-there');
  for (const [url, code] of [
    ['http://127.0.0.1:1/x', 'CONNECTION_REFUSED'],
    ['http://nobody.invalid/x', 'NAME_NOT_FOUND'],
    ['https://127.0.0.1/x', 'TLS_UNAVAILABLE'],
  ] as const) {
    assertTold(await runInProcess(['get', url, '-o', path]), code);
  }
  assert.deepEqual(readdirSync(folder), []);
});

test('captures that cannot be read', async () => {
  const path = join(folder, 'secret');
  assertTold(await runInProcess(['dump', join(folder, 'none')]), 'FILE_UNREADABLE');
  assertTold(await runInProcess(['dump', folder]), 'FILE_UNREADABLE');
  writeFileSync(path, 'x', { mode: 0o600 });
  chmodSync(path, process.getuid?.() === 0 ? 0o600 : 0);
  assertTold(await runNetloom(['dump', path], nobody), 'FILE_UNREADABLE');
  rmSync(path);
});

test('a machine without any network', { skip: requires(namespaceObstacle) }, async () => {
  using alone = new KernelNamespace('alone');
  const options = { namespace: alone.name, cwd: folder };
  const outcome = await runNetloom(['get', 'http://192.0.2.1/x'], options);
  assertTold(outcome, 'NETWORK_UNREACHABLE');
  assertTold(await runNetloom(['ping', '192.0.2.1'], options), 'NETWORK_UNREACHABLE');
  assert.deepEqual(readdirSync(folder), []);
});

test(
  'a host that nobody answers for, from the stack on a TAP',
  { skip: requires(tapObstacle) },
  async () => {
    using near = new KernelNamespace('near');
    near.ip('tuntap', 'add', 'dev', 't0', 'mode', 'tap');
    near.ip('link', 'set', 't0', 'up');
    const stack = ['--via', 'stack', '--tap', 't0', '--address', '10.9.0.2/24'];
    const options = { namespace: near.name, cwd: folder };
    assertTold(
      await runNetloom(['get', 'http://10.9.0.7/x', ...stack], options),
      'HOST_UNREACHABLE',
    );
    assert.deepEqual(readdirSync(folder), []);
  },
);

test(
  'a TAP that vanishes while an address is waited for',
  { skip: requires(tapObstacle) },
  async () => {
    using near = new KernelNamespace('near');
    near.ip('tuntap', 'add', 'dev', 't0', 'mode', 'tap');
    near.ip('link', 'set', 't0', 'up');
    const options = { namespace: near.name, cwd: folder };
    const pcap = join(folder, 'asked.pcapng');
    const stack = ['--via', 'stack', '--tap', 't0', '--pcap', pcap];
    const run = startNetloom(['ping', '10.9.0.1', ...stack], options);
    // The first frame has been sent: a question for an address, which nobody answers.
    await Promise.race([hasGrown('asked.pcapng', 200), run.outcome()]);
    near.ip('link', 'del', 't0');
    const outcome = await run.outcome();
    assertTold(outcome, 'TAP_GONE');
    rmSync(pcap);
  },
);

/** A machine with a TAP whose kernel's end has a server that begins to answer and then stalls. */
async function stalling(near: KernelNamespace): Promise<void> {
  near.ip('tuntap', 'add', 'dev', 't0', 'mode', 'tap');
  near.ip('address', 'add', '10.9.0.1/24', 'dev', 't0');
  near.ip('link', 'set', 't0', 'up');
  const server = near.start(`
    import { createServer } from 'node:http';
    createServer((_, response) => {
      response.writeHead(200, { etag: '"one"', 'content-length': 1000000 });
      response.write(new Uint8Array(400000));
    }).listen(80, '10.9.0.1', () => console.log('ready'));
  `);
  assert.equal(await server.line(), 'ready');
}

/** Settles when a file of the test's folder has so many bytes. */
async function hasGrown(name: string, length: number): Promise<void> {
  const isSo = (): boolean =>
    (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0) >= length;
  const changes = watch(folder);
  if (isSo()) return;
  for await (const _ of changes) if (isSo()) return;
}

test(
  'a TAP that vanishes under a download, and under a dump',
  { skip: requires(tapObstacle) },
  async () => {
    using near = new KernelNamespace('near');
    await stalling(near);
    const options = { namespace: near.name, cwd: folder };
    const stack = ['--via', 'stack', '--tap', 't0', '--address', '10.9.0.2/24'];
    const path = join(folder, 'file');
    const run = startNetloom(
      ['get', 'http://10.9.0.1/x', '-o', path, '--pcap', join(folder, 'frames'), ...stack],
      options,
    );
    await Promise.race([hasGrown('file.part', 256 * 1024), run.outcome()]);
    near.ip('link', 'del', 't0');
    const outcome = await run.outcome();
    assertTold(outcome, 'NETWORK_UNREACHABLE');
    assert.ok(!readdirSync(folder).includes('file'));
    for (const name of readdirSync(folder)) rmSync(join(folder, name));

    near.ip('tuntap', 'add', 'dev', 't0', 'mode', 'tap');
    near.ip('link', 'set', 't0', 'up');
    const dump = startNetloom(['dump', 'tap:t0'], options);
    near.ip('address', 'add', '10.9.0.1/24', 'dev', 't0');
    near.start(`
    import { createSocket } from 'node:dgram';
    const socket = createSocket('udp4');
    setInterval(() => socket.send('x', 9, '10.9.0.9', () => undefined), 50);
  `);
    await dump.until(/ARP who has/);
    near.ip('link', 'del', 't0');
    const { stderr, ...lost } = await dump.outcome();
    // Above it stand, as of every live dump, what was listened on and how many frames there were.
    assertTold({ ...lost, stderr: stderr.slice(stderr.indexOf('netloom:')) }, 'TAP_GONE');
  },
);
