/** Who may talk to a node, and what a node that was killed leaves: with processes of several users. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { privilege, requires } from '../../netloom/test/requires.ts';
import { controlClient } from '../src/control/index.ts';
import { StateFolder } from '../src/node/index.ts';

const PROGRAM = fileURLToPath(new URL('./control-program.ts', import.meta.url));
/** Somebody else. */
const OTHER = 54_322;

const root = mkdtempSync(join(tmpdir(), 'netloom-owner-'));
const running = new Set<ChildProcess>();
after(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(root, { recursive: true });
});

/** Starts the program, as somebody; answers it with the line it says. */
async function run(
  uid: number | undefined,
  ...args: string[]
): Promise<{ child: ChildProcess; said: string }> {
  const words = ['--conditions=netloom-source', '--disable-warning=ExperimentalWarning', PROGRAM];
  const child = spawn(process.execPath, [...words, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  running.add(child);
  let said = '';
  for await (const chunk of child.stdout!) {
    said += String(chunk);
    if (said.endsWith('\n')) break;
  }
  return { child, said: said.trimEnd() };
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  running.delete(child);
}

test('a node that was killed leaves its socket, and the next takes its place', async () => {
  const folder = new StateFolder('killed', root);
  const first = await run(undefined, 'serve', root, 'killed');
  assert.equal(first.said, 'serving');
  const second = await run(undefined, 'serve', root, 'killed');
  assert.equal(
    second.said,
    `NODE_RUNNING: a node 'killed' is running already, as process ${first.child.pid}`,
  );
  await kill(first.child);
  assert.ok(existsSync(folder.controlSocket), 'its socket is left');
  await using client = controlClient(folder);
  await assert.rejects(client.status(), { code: 'NODE_NOT_RUNNING' });
  const third = await run(undefined, 'serve', root, 'killed');
  assert.equal(third.said, 'serving');
  assert.equal((await client.status()).process, third.child.pid);
  await kill(third.child);
});

test(
  'another user can neither connect to a node nor ask it',
  { skip: requires(privilege()) },
  async () => {
    chmodSync(root, 0o755);
    const { child } = await run(undefined, 'serve', root, 'mine');
    const asked = await run(OTHER, 'ask', root, 'mine');
    assert.match(asked.said, /^NODE_FOREIGN: \S+\/mine belongs to another user$/);
    const { controlSocket } = new StateFolder('mine', root);
    assert.equal(await connectAs(OTHER, controlSocket), 'EACCES');
    // Were the folder open, the socket would not be.
    chmodSync(join(root, 'mine'), 0o755);
    assert.equal(await connectAs(OTHER, controlSocket), 'EACCES');
    assert.equal(await connectAs(0, controlSocket), 'connected');
    await kill(child);
  },
);

test(
  'a folder or a socket that is somebody else’s is not talked to',
  { skip: requires(privilege()) },
  async () => {
    chmodSync(root, 0o755);
    const theirs = join(root, 'theirs');
    const { child } = await run(undefined, 'serve', root, 'theirs');
    await using client = controlClient(new StateFolder('theirs', root));
    await client.status();
    chownSync(join(theirs, 'control.sock'), OTHER, OTHER);
    await assert.rejects(client.status(), { code: 'NODE_FOREIGN', message: /control\.sock/ });
    chownSync(join(theirs, 'control.sock'), 0, 0);
    chownSync(theirs, OTHER, OTHER);
    await assert.rejects(client.status(), { code: 'NODE_FOREIGN', message: /theirs belongs/ });
    await kill(child);
  },
);

/** What a bare socket of that user comes to. */
async function connectAs(uid: number, path: string): Promise<string> {
  const script = `require('node:net').connect(${JSON.stringify(path)})
    .on('connect', function () { console.log('connected'); this.destroy(); })
    .on('error', (error) => console.log(error.code));`;
  const child = spawn(process.execPath, ['-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    uid,
    gid: uid,
  });
  let said = '';
  for await (const chunk of child.stdout) said += String(chunk);
  return said.trim();
}
