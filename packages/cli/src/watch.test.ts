import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Interruption, type CommandIo } from './command.ts';
import { tell, type Telling } from './watch.ts';

/** Watches what is told, until there is nothing more; answers what was written each time. */
async function watch(
  texts: readonly string[],
  { isJson = false, ...more }: Partial<Telling & CommandIo> = {},
): Promise<string[]> {
  const written: string[] = [];
  const controller = new AbortController();
  const io: CommandIo = {
    write: async (text) => void written.push(String(text)),
    writeError: (text) => assert.fail(text),
    stdin: { async *[Symbol.asyncIterator]() {} },
    terminalWidth: undefined,
    outputWidth: undefined,
    outputHeight: undefined,
    signal: controller.signal,
    takeSignals: () => undefined,
    ...more,
  };
  const left = [...texts];
  const look = async (): Promise<string> => left.shift()!;
  await tell(io, { isWatched: true, isJson, look }, async () => {
    if (left.length === 0) controller.abort(new Interruption('SIGINT', 130));
  });
  return written;
}

test('each look is told behind the one before, without a code for terminals', async () => {
  assert.deepEqual(await watch(['a\n', 'b\nc\n', 'd\n']), ['a\n', '\nb\nc\n', '\nd\n']);
});

test('as JSON each is a line', async () => {
  assert.deepEqual(await watch(['[]\n', '[1]\n'], { isJson: true, outputWidth: 80 }), [
    '[]\n',
    '[1]\n',
  ]);
});

test('on a terminal it is told in place of the one before, as much of it as there is room for', async () => {
  const told = await watch(['a\nb\nc\nd\n', 'e\n'], { outputWidth: 80, outputHeight: 4 });
  const [clear, home, restOfLine, rest] = ['\x1b[2J', '\x1b[H', '\x1b[K', '\x1b[J'];
  assert.deepEqual(told, [
    `${clear}${home}a${restOfLine}\nb${restOfLine}\nc${rest}`,
    `${home}e${restOfLine}\n${rest}`,
  ]);
});

test('it ends at once when it is asked to, and with what goes wrong', async () => {
  const signal = AbortSignal.abort(new Interruption('SIGINT', 130));
  assert.deepEqual(await watch(['a\n'], { signal }), []);
  const io = { signal: new AbortController().signal } as CommandIo;
  const gone = new Error('gone');
  await assert.rejects(
    tell(io, { isWatched: true, isJson: false, look: () => Promise.reject(gone) }),
    gone,
  );
});
