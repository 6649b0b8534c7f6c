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

/** Standard streams and signals of this process. The second signal ends it at once. */
export function processIo(): ProcessIo {
  const controller = new AbortController();
  for (const [name, exitCode] of Object.entries(SIGNALS)) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(exitCode);
      controller.abort(new Interruption(name, exitCode));
    });
  }
  const { stdout, stderr } = process;
  // Whoever read our output is gone (as `head` is, once it has enough): no error, but nothing more to do.
  stdout.on('error', () => controller.abort(new Interruption('a closed output', SIGPIPE_EXIT)));
  stderr.on('error', () => undefined);
  return {
    write: (data) => writeTo(stdout, data),
    writeError: (text) => void stderr.write(text),
    stdin: process.stdin,
    terminalWidth: stderr.isTTY ? stderr.columns : undefined,
    signal: controller.signal,
    flush: async () => {
      await Promise.all([drained(stdout), drained(stderr)]);
    },
  };
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
