/** `netloom run`: signals reach the program, each once, whoever they were sent to; on a terminal too. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, test } from 'node:test';
import { program, requires } from '../../netloom/test/requires.ts';
import { startNetloom } from './netloom-process.ts';
import {
  as,
  processesIn,
  runObstacle,
  runOptions,
  SHOW_NAMESPACE,
  startScript,
} from './run-place.ts';

const folder = mkdtempSync(join(tmpdir(), 'netloom-signals-'));
after(() => rmSync(folder, { recursive: true }));

const SIGNALS = ['HUP', 'INT', 'QUIT', 'TERM', 'USR1', 'USR2', 'WINCH', 'ALRM'] as const;

/** Says which signals it gets, until it gets this one. */
const listener = (last: (typeof SIGNALS)[number]): string => `
  const names = ${JSON.stringify(SIGNALS)};
  for (const name of names) process.on('SIG' + name, () => {
    console.log('got ' + name);
    if (name === '${last}') process.exit(9);
  });
  process.on('SIGCONT', () => console.log('got CONT'));
  setInterval(() => {}, 1000);
  console.log('ready ' + process.pid);
`;

for (const who of ['root', 'user'] as const) {
  test(`signals sent to netloom reach the program of ${who}, each once`, runOptions, async () => {
    const words = ['run', '--', process.execPath, '-e', listener('ALRM')];
    const run = startNetloom(words, as(who));
    await run.until(/ready/);
    for (const name of SIGNALS) {
      run.signal(`SIG${name}`);
      await run.until(new RegExp(`got ${name}`));
    }
    const { code, stdout } = await run.outcome();
    assert.equal(code, 9);
    assert.deepEqual(
      stdout.trim().split('\n').slice(1),
      SIGNALS.map((name) => `got ${name}`),
    );
  });
}

test('a signal sent to the whole group is one signal', runOptions, async () => {
  // A terminal does that, and so does timeout(1).
  const run = startNetloom(['run', '--', process.execPath, '-e', listener('ALRM')], {
    through: ['setsid', '--wait', 'sh', '-c', 'echo group $$; exec "$@"', 'sh'],
  });
  await run.until(/ready/);
  const [, group] = await run.until(/group (\d+)/);
  for (const name of SIGNALS) {
    process.kill(-Number(group), `SIG${name}`);
    await run.until(new RegExp(`got ${name}`));
  }
  const { stdout } = await run.outcome();
  assert.deepEqual(
    stdout.trim().split('\n').slice(2),
    SIGNALS.map((name) => `got ${name}`),
  );
});

test('a program that does not catch a signal dies of it', runOptions, async () => {
  for (const name of ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR1'] as const) {
    const run = startScript('echo ready; exec sleep 1000');
    await run.until(/ready/);
    run.signal(name);
    assert.equal((await run.outcome()).code, 128 + constants.signals[name], name);
  }
});

test(
  'a signal before the program is started ends netloom, and leaves nothing',
  runOptions,
  async () => {
    for (const name of ['SIGTERM', 'SIGINT', 'SIGKILL'] as const) {
      const run = startScript(`${SHOW_NAMESPACE}; sleep 1000`);
      run.signal(name);
      const { stdout } = await run.outcome();
      if (stdout !== '') assert.deepEqual(processesIn(stdout.trim()), []);
    }
  },
);

const terminalOptions = { ...runOptions, skip: requires(runObstacle, program('python3')) };
const TERMINAL = fileURLToPath(new URL('terminal.py', import.meta.url));
const NETLOOM = fileURLToPath(new URL('../../../netloom', import.meta.url));

/** Plays a conversation on a terminal: a step waits for a text, or types one. Answers what was shown, and how it ended. */
function onTerminal(
  command: readonly string[],
  steps: readonly (readonly ['expect' | 'type', string])[],
) {
  const done = spawnSync('python3', [TERMINAL, JSON.stringify({ command, steps })], {
    encoding: 'utf8',
    timeout: 50_000,
  });
  assert.equal(done.status, 0, `${done.stdout}\n${done.stderr}`);
  return JSON.parse(done.stdout) as { shown: string; code: number };
}

const CTRL_C = '\u0003';
const CTRL_Z = '\u001a';
const CTRL_BACKSLASH = '\u001c';

test('Ctrl-C on a terminal reaches the program once, and netloom stays', terminalOptions, () => {
  const { shown, code } = onTerminal(
    [NETLOOM, 'run', '--', process.execPath, '-e', listener('QUIT')],
    [
      ['expect', 'ready'],
      ['type', CTRL_C],
      ['expect', 'got INT'],
      ['type', CTRL_C],
      ['expect', 'got INT'],
      ['type', CTRL_BACKSLASH],
      ['expect', 'got QUIT'],
    ],
  );
  assert.equal(shown.match(/got INT/g)?.length, 2);
  assert.equal(code, 9);
});

const BASH = ['bash', '--norc', '--noediting', '-i'];

/** What is typed to a shell to start the listener that ends with Ctrl-C. */
const START_LISTENER = `${process.execPath} ${join(folder, 'listener.cjs')}`;
writeFileSync(join(folder, 'listener.cjs'), listener('INT'));

test('a shell inside has job control: Ctrl-C, Ctrl-Z, fg', terminalOptions, () => {
  const { shown, code } = onTerminal(
    [NETLOOM, 'run', '--', ...BASH],
    [
      ['expect', '# '],
      ['type', `${START_LISTENER}\n`],
      ['expect', 'ready'],
      ['type', CTRL_Z],
      ['expect', 'Stopped'],
      ['type', 'fg\n'],
      ['expect', 'got CONT'],
      ['type', CTRL_C],
      ['expect', 'got INT'],
      ['expect', '# '],
      ['type', 'exit $?\n'],
    ],
  );
  assert.equal(code, 9);
  assert.doesNotMatch(shown, /no job control/);
});

test('the shell outside stops it with Ctrl-Z and has it go on', terminalOptions, () => {
  const { code, shown } = onTerminal(BASH, [
    ['expect', '# '],
    ['type', `${NETLOOM} run -- ${START_LISTENER}\n`],
    ['expect', 'ready'],
    ['type', CTRL_Z],
    ['expect', 'Stopped'],
    ['type', 'fg\n'],
    ['expect', 'got CONT'],
    ['type', CTRL_C],
    ['expect', 'got INT'],
    ['expect', '# '],
    ['type', 'exit $?\n'],
  ]);
  assert.equal(code, 9);
  assert.equal(shown.match(/got/g)?.length, 2);
});

test(
  'a shell inside that suspends itself gives the terminal back, and gets it again',
  terminalOptions,
  () => {
    const { code } = onTerminal(BASH, [
      ['expect', '# '],
      ['type', `PS1='inside> ' ${NETLOOM} run -- ${BASH.join(' ')}\n`],
      ['expect', 'inside> '],
      ['type', 'suspend -f\n'],
      ['expect', 'Stopped'],
      ['expect', '# '],
      ['type', 'fg\n'],
      ['expect', 'netloom run'],
      ['type', 'echo in-side $((40 + 2))\n'],
      ['expect', 'in-side 42'],
      ['type', 'exit 4\n'],
      ['expect', '# '],
      ['type', 'exit $?\n'],
    ]);
    assert.equal(code, 4);
  },
);

test('after a shell inside, the terminal is that of the script again', terminalOptions, () => {
  const { code } = onTerminal(
    ['sh', '-c', `${NETLOOM} run -- ${BASH.join(' ')}; read word; test "$word" = word`],
    [
      ['expect', '# '],
      ['type', 'exit\n'],
      ['expect', 'exit'],
      ['type', 'word\n'],
    ],
  );
  assert.equal(code, 0);
});
