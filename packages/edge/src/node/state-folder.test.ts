import assert from 'node:assert/strict';
import {
  chownSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { privilege, requires } from '../../../netloom/test/requires.ts';
import { StateFolder, defaultStateRoot } from './state-folder.ts';

/** Somebody else. */
const OTHER = 54_322;

const root = mkdtempSync(join(tmpdir(), 'netloom-state-'));
after(() => rmSync(root, { recursive: true }));

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

test('the root is where the environment has it, or where XDG has state', () => {
  const usual = join(homedir(), '.local', 'state', 'netloom');
  assert.equal(defaultStateRoot({}), usual);
  assert.equal(defaultStateRoot({ NETLOOM_STATE: '', XDG_STATE_HOME: '' }), usual);
  assert.equal(defaultStateRoot({ XDG_STATE_HOME: 'relative' }), usual);
  assert.equal(defaultStateRoot({ XDG_STATE_HOME: '/var/state' }), '/var/state/netloom');
  assert.equal(
    defaultStateRoot({ XDG_STATE_HOME: '/var/state', NETLOOM_STATE: '/run/n' }),
    '/run/n',
  );
});

test('each node has a folder, with a socket and files for the leases of each network', () => {
  const folder = new StateFolder('lab', '/run/n');
  assert.equal(folder.path, '/run/n/lab');
  assert.equal(folder.controlSocket, '/run/n/lab/control.sock');
  assert.deepEqual(folder.leaseFiles('lan'), {
    v4: '/run/n/lab/leases/lan.v4.json',
    v6: '/run/n/lab/leases/lan.v6.json',
  });
});

test('a name that would lead elsewhere is refused', () => {
  for (const name of ['', '.', '..', '../lab', 'a/b', '.hidden', 'a'.repeat(64), 'a\0']) {
    assert.throws(() => new StateFolder(name, root), { code: 'STATE_FOLDER_INVALID' });
    const folder = new StateFolder('lab', root);
    assert.throws(() => folder.leaseFiles(name), { code: 'STATE_FOLDER_INVALID' });
  }
});

test('it is made for its owner alone, whatever it was before', async () => {
  const folder = new StateFolder('made', join(root, 'not', 'there'));
  await folder.prepare();
  assert.equal(modeOf(folder.path), 0o700);
  assert.equal(modeOf(join(folder.path, 'leases')), 0o700);
  chmodSync(folder.path, 0o755);
  await folder.prepare();
  assert.equal(modeOf(folder.path), 0o700);
});

test('what is in its place, and what cannot be made, is a named error', async () => {
  mkdirSync(join(root, 'elsewhere'));
  symlinkSync(join(root, 'elsewhere'), join(root, 'link'));
  await assert.rejects(new StateFolder('link', root).prepare(), { code: 'STATE_FOLDER_INVALID' });
  writeFileSync(join(root, 'file'), '');
  await assert.rejects(new StateFolder('file', root).prepare(), { code: 'STATE_FOLDER_INVALID' });
  await assert.rejects(new StateFolder('x', join(root, 'file')).prepare(), {
    code: 'STATE_FOLDER_FAILED',
  });
  await assert.rejects(new StateFolder('x', '/proc/x').prepare(), { code: 'STATE_FOLDER_FAILED' });
  await assert.rejects(new StateFolder('x', '/dev/null').prepare(), {
    code: 'STATE_FOLDER_FAILED',
    remedy: 'Choose another by --state, or in NETLOOM_STATE.',
  });
});

test(
  'a folder of another user is told as theirs, whether or not it may be looked into',
  { skip: requires(privilege()) },
  async () => {
    const theirs = new StateFolder('theirs', join(root, 'open'));
    await theirs.prepare();
    chownSync(theirs.path, OTHER, OTHER);
    await assert.rejects(theirs.prepare(), {
      code: 'NODE_FOREIGN',
      message: `${theirs.path} belongs to another user`,
      remedy: /as that user, or choose another folder by --state/,
    });
    chmodSync(root, 0o755);
    const closed = new StateFolder('mine', join(root, 'closed'));
    await closed.prepare();
    process.seteuid!(OTHER);
    try {
      await assert.rejects(closed.prepare(), { code: 'NODE_FOREIGN' });
    } finally {
      process.seteuid!(0);
    }
  },
);
