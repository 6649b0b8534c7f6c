import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { secureRandom } from 'netloom/core';
import { StateFolder } from '../node/index.ts';
import { keptToken } from './kept-token.ts';

const root = mkdtempSync(join(tmpdir(), 'netloom-token-'));
after(() => rmSync(root, { recursive: true }));

async function prepared(name: string): Promise<StateFolder> {
  const folder = new StateFolder(name, root);
  await folder.prepare();
  return folder;
}

test('a token is the same at each start, for its owner alone, and another where that is asked for', async () => {
  const folder = await prepared('same');
  const token = await keptToken(folder, secureRandom());
  assert.match(token, /^[0-9a-f]{32}$/);
  assert.equal(statSync(folder.dashboardToken).mode & 0o777, 0o600);
  assert.equal(await keptToken(folder, secureRandom()), token);
  const other = await keptToken(folder, secureRandom(), { isNew: true });
  assert.notEqual(other, token);
  assert.equal(await keptToken(folder, secureRandom()), other);
});

test('what others may have read or put there, or is none, is no token', async () => {
  const folder = await prepared('spoilt');
  const path = folder.dashboardToken;
  const token = await keptToken(folder, secureRandom());
  chmodSync(path, 0o640);
  const second = await keptToken(folder, secureRandom());
  assert.notEqual(second, token);
  for (const text of ['', 'short\n', `${'z'.repeat(32)}\n`, `${second}\n${second}\n`]) {
    writeFileSync(path, text);
    const made = await keptToken(folder, secureRandom());
    assert.match(made, /^[0-9a-f]{32}$/);
    assert.notEqual(made, second);
    assert.equal(readFileSync(path, 'utf8'), `${made}\n`);
  }
  const elsewhere = join(root, 'elsewhere');
  writeFileSync(elsewhere, `${token}\n`, { mode: 0o600 });
  rmSync(path);
  symlinkSync(elsewhere, path);
  assert.notEqual(await keptToken(folder, secureRandom()), token);
  assert.equal(readFileSync(elsewhere, 'utf8'), `${token}\n`);
});

test('where it cannot be kept, that is said', async () => {
  const folder = new StateFolder('missing', root);
  await assert.rejects(keptToken(folder, secureRandom()), { code: 'STATE_FOLDER_FAILED' });
});
