import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { KernelNamespace, namespaceObstacle } from '../../test/kernel-namespace.ts';
import { requires } from '../../test/requires.ts';
import {
  Failure,
  FileDescriptor,
  inNetworkNamespace,
  nativeAvailable,
  NativeMemory,
  ReadinessWatcher,
  SystemCallError,
} from './index.ts';
import { pointerTo } from './memory.ts';

const options = { skip: requires(nativeAvailable() ?? false), timeout: 30_000 };
const execute = promisify(execFile);

/** A named pipe open at both ends: what is written is read again, and until then reading would block. */
function withPipe<T>(work: (pipe: FileDescriptor) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'netloom-native-'));
  try {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    return work(FileDescriptor.open(join(folder, 'pipe')));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The network namespace of this thread. */
function current(): string {
  return readlinkSync('/proc/thread-self/ns/net');
}

/** How many descriptors this process has open. */
function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

test('memory is carved without overlap, aligned, and is as native code sees it', options, () => {
  const slab = NativeMemory.allocate(1000);
  assert.ok(slab.bytes.length >= 4096);
  const parts = [slab.carve(1), slab.carve(64), slab.carve(65), slab.carve(10)];
  let last = -1n;
  for (const part of parts) {
    const start = pointerTo(part);
    assert.equal(start - pointerTo(slab), BigInt(part.bytes.byteOffset - slab.bytes.byteOffset));
    assert.equal((start - pointerTo(slab)) % 64n, 0n);
    assert.ok(start > last);
    last = start + BigInt(part.bytes.length) - 1n;
  }
  const inner = slab.carve(1000).carve(10);
  assert.equal(pointerTo(inner) - pointerTo(slab), BigInt(inner.bytes.byteOffset));
  assert.throws(() => slab.carve(slab.bytes.length), { code: 'BYTES_OVERFLOW' });
});

test('memory that was transferred away is refused', options, () => {
  const memory = NativeMemory.allocate(10);
  const part = memory.carve(10);
  structuredClone(part.bytes, { transfer: [part.bytes.buffer] });
  assert.throws(() => pointerTo(memory), { code: 'NATIVE_MEMORY_DETACHED' });
  assert.throws(() => pointerTo(part), { code: 'NATIVE_MEMORY_DETACHED' });
});

test(
  'a descriptor reads what it wrote, and says by its failures what is the matter',
  options,
  () => {
    const pipe = withPipe((it) => it);
    const memory = NativeMemory.allocate(10);
    const from = memory.carve(100);
    const into = memory.carve(100);
    assert.equal(pipe.read(into), Failure.WOULD_BLOCK);
    from.bytes.set([1, 2, 3, 4]);
    assert.equal(pipe.write(from, 3), 3);
    assert.equal(pipe.read(into), 3);
    assert.deepEqual([...into.bytes.subarray(0, 4)], [1, 2, 3, 0]);
    // Never more than the region has.
    assert.equal(pipe.write(from, 100_000), 100);
    assert.equal(pipe.read(into), 100);
    assert.throws(
      () => pipe.ioctlNumber(0x5421_0000, 0),
      (error) => error instanceof SystemCallError && error.code === 'ENOTTY',
    );
    pipe.close();
    pipe.close();
    assert.equal(pipe.number, -1);
    const badDescriptor = -9;
    assert.equal(pipe.read(into), badDescriptor);
    assert.equal(pipe.write(from, 1), badDescriptor);
  },
);

test('a closed descriptor does not touch the file that has its number now', options, () => {
  const first = withPipe((it) => it);
  const { number } = first;
  first.close();
  const second = withPipe((it) => it);
  assert.equal(second.number, number);
  const memory = NativeMemory.allocate(10);
  assert.ok(first.write(memory, 1) < 0);
  first.close();
  assert.equal(second.read(memory), Failure.WOULD_BLOCK);
  second.close();
});

test(
  'a watcher calls while there is something to read, not when stopped, and lets go when closed',
  options,
  async () => {
    using pipe = withPipe((it) => it);
    const memory = NativeMemory.allocate(10);
    let calls = 0;
    let called = Promise.withResolvers<void>();
    const watcher = new ReadinessWatcher(pipe, (failed) => {
      assert.equal(failed, false);
      calls++;
      called.resolve();
    });
    watcher.start();
    pipe.write(memory, 1);
    await called.promise;
    // What was not read is still there: the next turn calls again.
    called = Promise.withResolvers<void>();
    await called.promise;
    watcher.stop();
    const before = calls;
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(calls, before);
    called = Promise.withResolvers<void>();
    watcher.start();
    await called.promise;
    const after = calls;
    await new Promise<void>((resolve) => watcher.close(resolve));
    watcher.close();
    watcher.start();
    watcher.stop();
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(calls, after);
  },
);

test(
  'a watcher that is stopped after libuv called, and before the work, does none',
  options,
  async () => {
    using pipe = withPipe((it) => it);
    const memory = NativeMemory.allocate(10);
    const calls: string[] = [];
    const turn = Promise.withResolvers<void>();
    // Both are ready in one turn: whichever works first stops the other, which has been noted already.
    using other = withPipe((it) => it);
    const first: ReadinessWatcher = new ReadinessWatcher(pipe, () => {
      calls.push('first');
      second.stop();
      first.stop();
      setImmediate(turn.resolve);
    });
    const second: ReadinessWatcher = new ReadinessWatcher(other, () => {
      calls.push('second');
      first.stop();
      second.stop();
      setImmediate(turn.resolve);
    });
    pipe.write(memory, 1);
    other.write(memory, 1);
    first.start();
    second.start();
    await turn.promise;
    assert.equal(calls.length, 1);
    await Promise.all([
      new Promise<void>((resolve) => first.close(resolve)),
      new Promise<void>((resolve) => second.close(resolve)),
    ]);
  },
);

test('a descriptor can be watched once at a time, and a file not at all', options, async () => {
  using pipe = withPipe((it) => it);
  const watcher = new ReadinessWatcher(pipe, () => undefined);
  watcher.start();
  assert.throws(
    () => new ReadinessWatcher(pipe, () => undefined),
    (error) => error instanceof SystemCallError && error.code === 'EEXIST',
  );
  await new Promise<void>((resolve) => watcher.close(resolve));
  const again = new ReadinessWatcher(pipe, () => undefined);
  again.close();
  const folder = mkdtempSync(join(tmpdir(), 'netloom-native-'));
  execFileSync('touch', [join(folder, 'file')]);
  using file = FileDescriptor.open(join(folder, 'file'));
  rmSync(folder, { recursive: true });
  assert.throws(
    () => new ReadinessWatcher(file, () => undefined),
    (error) => error instanceof SystemCallError && error.code === 'EPERM',
  );
});

test(
  'work in a network namespace sees that one, and comes back after an error',
  {
    ...options,
    skip: requires(nativeAvailable() ?? namespaceObstacle),
  },
  () => {
    using namespace = new KernelNamespace('enter');
    const own = current();
    const open = descriptors();
    const there = inNetworkNamespace(namespace.name, current);
    assert.notEqual(there, own);
    assert.equal(current(), own);
    assert.throws(
      () =>
        inNetworkNamespace(namespace.name, () => {
          throw new Error('in there');
        }),
      /in there/,
    );
    assert.equal(current(), own);
    // One in the other: each comes back to where it was called.
    const nested = inNetworkNamespace(namespace.name, () => {
      inNetworkNamespace(namespace.name, current);
      return current();
    });
    assert.equal(nested, there);
    assert.equal(current(), own);
    assert.throws(() => inNetworkNamespace('netloom-test-no-such', current), {
      code: 'NETWORK_NAMESPACE_MISSING',
    });
    assert.equal(descriptors(), open);
  },
);

test('a watcher that is closed is let go of', options, async () => {
  const code = `
    import { mkdtempSync, rmSync } from 'node:fs';
    import { execFileSync } from 'node:child_process';
    import { FileDescriptor, ReadinessWatcher } from '${import.meta.resolve('./index.ts')}';
    const folder = mkdtempSync('${join(tmpdir(), 'netloom-native-')}');
    execFileSync('mkfifo', [folder + '/pipe']);
    const pipe = FileDescriptor.open(folder + '/pipe');
    rmSync(folder, { recursive: true });
    let watcher = new ReadinessWatcher(pipe, () => {});
    const held = new WeakRef(watcher);
    watcher.start();
    watcher.close(() => setTimeout(() => { gc(); console.log(held.deref() === undefined); }));
    watcher = undefined;
  `;
  const words = ['--expose-gc', '--disable-warning=ExperimentalWarning', '--input-type=module'];
  const { stdout } = await execute(process.execPath, [...words, '-e', code]);
  assert.equal(stdout.trim(), 'true');
});

/** What a process that was started so says of native calls. */
async function availability(node: readonly string[], before = ''): Promise<string> {
  const code = `
    ${before}
    const { nativeAvailable, NativeMemory } = await import('${import.meta.resolve('./index.ts')}');
    let code = 'allocated';
    try { NativeMemory.allocate(1); } catch (error) { code = error.code + (error.remedy ? '' : ' without remedy'); }
    console.log(code + ': ' + nativeAvailable());
  `;
  const words = [
    '--disable-warning=ExperimentalWarning',
    ...node,
    '--input-type=module',
    '-e',
    code,
  ];
  return (await execute(process.execPath, words)).stdout.trim();
}

test('where native calls cannot be made the reason is said', options, async () => {
  assert.equal(await availability([]), 'allocated: undefined');
  const older = `process.getBuiltinModule = () => undefined;`;
  assert.match(await availability([], older), /^NATIVE_UNAVAILABLE: this is Node .* no complete/);
  const system = `Object.defineProperty(process, 'platform', { value: 'darwin' });`;
  assert.match(await availability([], system), /^NATIVE_UNAVAILABLE: the system is darwin/);
  const processor = `Object.defineProperty(process, 'arch', { value: 's390x' });`;
  assert.match(await availability([], processor), /^NATIVE_UNAVAILABLE: the processor is s390x/);
  assert.match(
    await availability(['--permission', '--allow-fs-read=*']),
    /^NATIVE_UNAVAILABLE: .*--allow-ffi/,
  );
});

test('a worker thread is refused, for its end would be the process’s', options, async () => {
  const code = `
    import { Worker } from 'node:worker_threads';
    const inside = "import('${import.meta.resolve('./index.ts')}')" +
      ".then(({ nativeAvailable }) => process.getBuiltinModule('node:worker_threads').parentPort.postMessage(nativeAvailable()))";
    const worker = new Worker(inside, { eval: true });
    worker.on('message', (reason) => { console.log(reason); void worker.terminate(); });
  `;
  const { stdout } = await execute(process.execPath, ['--input-type=module', '-e', code]);
  assert.equal(stdout.trim(), 'this is a worker thread');
});
