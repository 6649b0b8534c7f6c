import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FileLock } from './file-lock.ts';

const folder = mkdtempSync(join(tmpdir(), 'netloom-file-lock-'));
after(() => rmSync(folder, { recursive: true }));

test('of many who want a lock at once one has it; when it is given back the next has it', async () => {
  const path = join(folder, 'one');
  const taken = await Promise.all(Array.from({ length: 8 }, () => FileLock.take(path)));
  const locks = taken.filter((lock) => lock !== undefined);
  assert.equal(locks.length, 1);
  await locks[0]!.close();
  assert.ok(!existsSync(path));
  await using next = await FileLock.take(path);
  assert.ok(next !== undefined);
  // A second close of the one before does not take the file of who has it now.
  await locks[0]!.close();
  assert.ok(existsSync(path));
  assert.equal(await FileLock.take(path), undefined);
});

test('a lock of another process holds, until that is killed', { timeout: 60_000 }, async () => {
  const path = join(folder, 'two');
  const script = `
    const { FileLock } = await import(${JSON.stringify(import.meta.resolve('./file-lock.ts'))});
    const lock = await FileLock.take(${JSON.stringify(path)});
    process.stdout.write(lock === undefined ? 'refused' : 'taken');
    process.stdin.resume();`;
  const child = spawn(
    process.execPath,
    ['--conditions=netloom-source', '--input-type=module', '-e', script],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const [said] = (await once(child.stdout, 'data')) as [Uint8Array];
  assert.equal(String(said), 'taken');
  assert.equal(await FileLock.take(path), undefined);
  child.kill('SIGKILL');
  await once(child, 'close');
  assert.ok(existsSync(path), 'its file is left');
  await using lock = await FileLock.take(path);
  assert.ok(lock !== undefined);
});

test('a folder that is not there is FILE_LOCK_FAILED, with what the system said', async () => {
  await assert.rejects(FileLock.take(join(folder, 'none', 'lock')), (error: Error) => {
    assert.equal((error as { code?: string }).code, 'FILE_LOCK_FAILED');
    assert.equal((error.cause as { code?: string }).code, 'ENOENT');
    return true;
  });
});
