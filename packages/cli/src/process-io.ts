import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { Interruption, type CommandIo } from './command.ts';

/** The process's own {@link CommandIo}. */
export interface ProcessIo extends CommandIo {
  /** Settles when everything written has left the process. */
  flush(): Promise<void>;
}

/** Signals that ask a process to end, and what the shell makes of them: 128 and the signal's number. */
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** What the shell makes of a writer whose reader has gone. */
const SIGPIPE_EXIT = 141;

/**
 * Standard streams and signals of this process. The second signal ends it at once.
 *
 * A stream is touched when it is used, and not before: Node makes one that is a pipe non-blocking, also for the programs
 * that are started with it as theirs.
 */
export function processIo(): ProcessIo {
  const controller = new AbortController();
  const endings = new Map(
    Object.entries(SIGNALS).map(([name, exitCode]) => [
      name,
      (): void => {
        if (controller.signal.aborted) process.exit(exitCode);
        controller.abort(new Interruption(name, exitCode));
      },
    ]),
  );
  for (const [name, ending] of endings) process.on(name, ending);
  // Whoever read our output is gone (as `head` is, once it has enough): no error, but nothing more to do.
  const stdout = new Output(
    () => process.stdout,
    () => controller.abort(new Interruption('a closed output', SIGPIPE_EXIT)),
  );
  const stderr = new Output(
    () => process.stderr,
    () => undefined,
  );
  return {
    write: (data) => writeTo(stdout.stream, data),
    writeError: (text) => writeAtOnce(text, stderr),
    get stdin() {
      return process.stdin;
    },
    terminalWidth: isatty(2) ? process.stderr.columns : undefined,
    get outputWidth() {
      return isatty(1) ? process.stdout.columns : undefined;
    },
    get outputHeight() {
      return isatty(1) ? process.stdout.rows : undefined;
    },
    signal: controller.signal,
    takeSignals(names, handler) {
      for (const name of names) {
        process.on(name, () => handler(name));
        const ending = endings.get(name);
        if (ending !== undefined) process.off(name, ending);
      }
    },
    flush: async () => {
      await Promise.all([stdout.drained(), stderr.drained()]);
    },
  };
}

/** Writes to standard error without a stream, if the kernel takes it. */
function writeAtOnce(text: string, stderr: Output): void {
  let left: Uint8Array = new TextEncoder().encode(text);
  try {
    while (left.length > 0) left = left.subarray(writeSync(2, left));
  } catch {
    // It is full, and somebody has made it non-blocking; or there is nobody any more who reads it.
    stderr.stream.write(left);
  }
}

/** A standard output, opened when it is first used. */
class Output {
  readonly #open: () => NodeJS.WriteStream;
  readonly #failed: () => void;
  #stream: NodeJS.WriteStream | undefined;

  constructor(open: () => NodeJS.WriteStream, failed: () => void) {
    this.#open = open;
    this.#failed = failed;
  }

  get stream(): NodeJS.WriteStream {
    this.#stream ??= this.#open().on('error', this.#failed);
    return this.#stream;
  }

  /** Settles when everything written has left the process. */
  drained(): Promise<void> {
    return this.#stream === undefined ? Promise.resolve() : drained(this.#stream);
  }
}

function writeTo(stream: NodeJS.WriteStream, data: string | Uint8Array): Promise<void> {
  if (!stream.writable || stream.write(data)) return Promise.resolve();
  return new Promise((resolve) => {
    const settle = (): void => {
      stream.off('drain', settle);
      stream.off('close', settle);
      resolve();
    };
    stream.on('drain', settle);
    stream.on('close', settle);
  });
}

function drained(stream: NodeJS.WriteStream): Promise<void> {
  if (!stream.writable) return Promise.resolve();
  return new Promise((resolve) => {
    stream.once('close', resolve);
    // Called back, with an error or not, after all that was written before.
    stream.write('', () => resolve());
  });
}
