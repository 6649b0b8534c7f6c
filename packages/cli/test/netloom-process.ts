/** The `netloom` command as a test runs it: the real program, or its commands in the test's own process. */
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { concatBytes } from 'netloom/core';
import { runCli } from '../src/cli.ts';
import type { CommandIo } from '../src/command.ts';

const PROGRAM = fileURLToPath(new URL('../../../netloom', import.meta.url));
/** What is started is ended after so many milliseconds, should the test have hung. */
const PATIENCE = 60_000;

/** Where the nodes of this test keep their state: not where the user's own nodes do. */
export const STATE_ROOT: string = mkdtempSync(join(tmpdir(), 'netloom-state-'));

const running = new Set<ChildProcess>();
after(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(STATE_ROOT, { recursive: true, force: true });
});

/** What a run has come to. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How {@link startNetloom} starts it. */
export interface StartOptions extends Pick<
  SpawnOptions,
  'cwd' | 'env' | 'uid' | 'gid' | 'timeout'
> {
  /** The network namespace it runs in. */
  readonly namespace?: string;
  /** The words of a program that is to start it, as one that takes privileges away. */
  readonly through?: readonly string[];
}

/** The program, running. */
export class NetloomProcess {
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  readonly #changed = new EventTarget();

  constructor(child: ChildProcess) {
    this.#child = child;
    running.add(child);
    child.stdout!.setEncoding('utf8').on('data', (text: string) => this.#add('stdout', text));
    child.stderr!.setEncoding('utf8').on('data', (text: string) => this.#add('stderr', text));
    this.#ended = once(child, 'close').then(([code]) => {
      running.delete(child);
      this.#changed.dispatchEvent(new Event('change'));
      return code as number | null;
    });
  }

  /** Settles when the output has this; answers the match. Rejects when the program ends without. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
      if (match !== null) return match;
      if (!running.has(this.#child)) {
        throw new Error(`it ended without ${pattern}:\n${this.stdout}${this.stderr}`);
      }
      await once(this.#changed, 'change');
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Settles when it has ended. */
  async outcome(): Promise<Outcome> {
    const code = await this.#ended;
    return { code, stdout: this.stdout, stderr: this.stderr };
  }

  #add(stream: 'stdout' | 'stderr', text: string): void {
    this[stream] += text;
    this.#changed.dispatchEvent(new Event('change'));
  }
}

/** Starts `./netloom` of this repository. */
export function startNetloom(args: readonly string[], options: StartOptions = {}): NetloomProcess {
  const usual = { ...process.env, NETLOOM_STATE: STATE_ROOT };
  const { namespace, through = [], env = usual, ...rest } = options;
  const prefix = namespace === undefined ? [] : ['ip', 'netns', 'exec', namespace];
  const [command, ...words] = [...prefix, ...through, PROGRAM, ...args];
  return new NetloomProcess(
    spawn(command!, words, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: PATIENCE,
      env: { NETLOOM_STATE: STATE_ROOT, ...env },
      ...rest,
    }),
  );
}

/** Runs `./netloom` of this repository to its end. */
export function runNetloom(args: readonly string[], options: StartOptions = {}): Promise<Outcome> {
  return startNetloom(args, options).outcome();
}

/** An outcome of {@link runInProcess}, with its standard output as bytes too. */
export interface InProcessOutcome extends Outcome {
  readonly bytes: Uint8Array;
}

/** Runs a command line in this process: quicker, for what does not depend on the process. */
export async function runInProcess(
  args: readonly string[],
  more: Partial<CommandIo> = {},
): Promise<InProcessOutcome> {
  const chunks: Uint8Array[] = [];
  let stderr = '';
  const encoder = new TextEncoder();
  const code = await runCli(args, {
    write(data) {
      chunks.push(typeof data === 'string' ? encoder.encode(data) : data);
      return Promise.resolve();
    },
    writeError: (text) => void (stderr += text),
    stdin: {
      async *[Symbol.asyncIterator]() {},
    },
    terminalWidth: undefined,
    outputWidth: undefined,
    outputHeight: undefined,
    signal: new AbortController().signal,
    takeSignals: () => undefined,
    ...more,
  });
  const bytes = concatBytes(chunks);
  return { code, bytes, stdout: new TextDecoder().decode(bytes), stderr };
}
