import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NetloomError } from 'netloom/core';
import { runCli } from '../src/cli.ts';
import type { CommandEntry } from '../src/command.ts';
import { commands } from '../src/commands.ts';
import { describeError } from '../src/report-error.ts';
import { runInProcess, runNetloom } from './netloom-process.ts';

test('the program lists its commands, and says which one it is', async () => {
  const [help, version, nothing] = await Promise.all([
    runNetloom(['help']),
    runNetloom(['--version']),
    runNetloom([]),
  ]);
  assert.deepEqual([help.code, help.stderr], [0, '']);
  for (const { name, summary } of commands) {
    assert.match(help.stdout, new RegExp(`^  ${name} +${summary}$`, 'm'));
  }
  assert.equal(version.code, 0);
  assert.match(version.stdout, /^netloom \d+\.\d+\.\d+ \(Node \d+\.\d+\.\d+\)\n$/);
  // Nothing was asked for, so nothing is on standard output.
  assert.deepEqual([nothing.code, nothing.stdout, nothing.stderr], [2, '', help.stdout]);
});

test('a command that is unknown is an error, with the one that was meant', async () => {
  assert.deepEqual(await runNetloom(['pong']), {
    code: 2,
    stdout: '',
    stderr:
      "netloom: there is no command 'pong'; did you mean 'ping'? See 'netloom help'. (USAGE)\n",
  });
  const { code, stderr } = await runInProcess(['help', 'xyzzy']);
  assert.equal(code, 2);
  assert.equal(stderr, "netloom: there is no command 'xyzzy'. See 'netloom help'. (USAGE)\n");
});

test('an option that is unknown is an error, with the one that was meant', async () => {
  const { code, stderr } = await runInProcess(['up', '--prot', '80']);
  assert.equal(code, 2);
  assert.equal(
    stderr,
    "netloom: up: there is no option '--prot'; did you mean '--port'? See 'netloom help up'. (USAGE)\n",
  );
});

for (const { name, load } of commands) {
  test(`help of ${name}, asked for in each way; its options are checked`, async () => {
    const { help } = await load();
    assert.ok(help.startsWith(`netloom ${name}`), 'it begins with the synopsis');
    assert.ok(help.endsWith('\n'));
    const tooLong = help.split('\n').filter((line) => line.length > 110);
    assert.deepEqual(tooLong, []);
    for (const args of [
      ['help', name],
      [name, '--help'],
      [name, '-h'],
    ]) {
      const { code, stdout, stderr } = await runInProcess(args);
      assert.deepEqual([code, stdout, stderr], [0, help, '']);
    }
    const { code, stderr } = await runInProcess([name, '--no-such-option']);
    assert.equal(code, 2);
    assert.match(stderr, /^netloom: .*'--no-such-option'.* \(USAGE\)\n$/);
  });
}

const failing = (error: unknown): CommandEntry => ({
  name: 'fail',
  summary: '',
  load: async () => ({ name: 'fail', help: '', run: () => Promise.reject(error) }),
});

async function fail(error: unknown, ...args: string[]): Promise<[number, string]> {
  let text = '';
  const io = {
    write: () => Promise.resolve(),
    writeError: (more: string) => void (text += more),
    stdin: { async *[Symbol.asyncIterator]() {} },
    terminalWidth: undefined,
    outputWidth: undefined,
    outputHeight: undefined,
    signal: new AbortController().signal,
    takeSignals: () => undefined,
  };
  return [await runCli(['fail', ...args], io, [failing(error)]), text];
}

test('an error is one line: what happened, what to do, the code', async () => {
  const error = new NetloomError('A_B', 'it\n  broke', {
    remedy: 'Mend it',
    cause: new Error('x'),
  });
  assert.deepEqual(await fail(error), [1, 'netloom: it broke. Mend it. (A_B)\n']);
  assert.deepEqual(await fail(new NetloomError('A', 'Why?')), [1, 'netloom: Why? (A)\n']);
  const [code, text] = await fail(new TypeError('x is no function'));
  assert.equal(code, 1);
  assert.match(text, /^netloom: x is no function\. This is a defect .*\(UNEXPECTED\)\n$/);
});

test('the stack and the causes are shown when asked for', async () => {
  const error = new NetloomError('A', 'it broke', { cause: new RangeError('deep down') });
  const [, text] = await fail(error, '--verbose');
  assert.match(text, /^netloom: it broke\. \(A\)\n/);
  assert.match(text, /RangeError: deep down\n +at /);
  assert.equal(describeError(error, false).split('\n').length, 2);
});
