/** One run of `netloom run`. */
import { constants } from 'node:os';
import { abortError, NetloomError } from 'netloom/core';
import { PASSED_SIGNALS, Program, Terminal, type ProgramEnd } from 'netloom/link/tap/program';
import type { CommandIo } from '../command.ts';
import { describeError } from '../report-error.ts';
import { GATEWAY_ADDRESSES, NAME_SERVER, PROGRAM_ADDRESSES } from './addresses.ts';
import type { Gateway } from './gateway.ts';
import type { RunRequest } from './request.ts';
import { describeDestinations } from './statistics.ts';

/** What shells answer when they cannot start a program (POSIX, Shell Command Language, 2.8.2), and for one that was killed by a signal. */
const EXIT_CODES: ReadonlyMap<string, number> = new Map([
  ['PROGRAM_NOT_FOUND', 127],
  ['PROGRAM_NOT_EXECUTABLE', 126],
  ['PROGRAM_LOST', 128 + constants.signals.SIGKILL],
]);

/** Runs the program, and answers its exit code. Rejects with what went wrong before it was started. */
export async function runProgram(request: RunRequest, io: CommandIo): Promise<number> {
  const session = new Session(request, io);
  try {
    return await session.run();
  } catch (error) {
    const code = error instanceof NetloomError ? EXIT_CODES.get(error.code) : undefined;
    if (code === undefined) throw error;
    io.writeError(describeError(error, request.verbose));
    return code;
  } finally {
    await session.close();
  }
}

class Session {
  readonly #request: RunRequest;
  readonly #io: CommandIo;
  readonly #terminal = Terminal.find();
  readonly #program: Program;
  #gateway: Gateway | undefined;
  #isClosed = false;

  constructor(request: RunRequest, io: CommandIo) {
    this.#request = request;
    this.#io = io;
    this.#program = new Program({
      command: request.command,
      args: request.args,
      interfaceName: 'tap0',
      mtu: request.mtu,
      offload: true,
      addresses: PROGRAM_ADDRESSES,
      gateways: GATEWAY_ADDRESSES.map(({ address }) => address),
      nameServers: [NAME_SERVER],
      stopped: () => this.#stop(),
    });
  }

  async run(): Promise<number> {
    const opened = this.#open();
    const failed = opened.then(() => new Promise<never>(() => {}));
    // Whether anybody waits for it or not.
    failed.catch(() => undefined);
    const { pcap, publications } = this.#request;
    // What was asked for and may be refused is known before the program starts. The rest is not waited for: the kernel keeps what the program sends meanwhile.
    const first = pcap !== undefined || publications.length > 0 ? opened : this.#program.ready();
    await Promise.race([first, failed, interrupted(this.#io.signal)]);
    this.#io.takeSignals(PASSED_SIGNALS, (name) => this.#program.signal(name));
    await this.#program.start();
    const end = await Promise.race([this.#program.ended, failed]);
    this.#terminal?.takeBack();
    if (this.#request.stats) {
      this.#io.writeError(describeDestinations(this.#gateway?.destinations() ?? []));
    }
    return exitCodeOf(end);
  }

  /** Everything that is left goes. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#program.close();
    this.#terminal?.takeBack();
    await this.#gateway?.close();
  }

  /** What the network takes to load is loaded while the place of the program is made. */
  async #open(): Promise<void> {
    const { Gateway } = await import('./gateway.ts');
    if (this.#isClosed) return;
    this.#gateway = await Gateway.open(this.#program, this.#request);
    this.#gateway.captureFailed.catch((error: unknown) => {
      this.#io.writeError(describeError(error, this.#request.verbose));
    });
    if (!this.#request.verbose) return;
    for (const note of this.#program.notes) this.#io.writeError(`netloom run: ${note}\n`);
  }

  /** The program has stopped itself: then whoever waits for this process is to see it stopped too, and can let it go on. */
  #stop(): void {
    const holder = this.#terminal?.takeBack();
    process.once('SIGCONT', () => {
      if (holder !== undefined) this.#terminal?.giveTo(holder);
      this.#program.signal('SIGCONT');
    });
    process.kill(process.pid, 'SIGSTOP');
  }
}

function exitCodeOf({ code, signal }: ProgramEnd): number {
  return code ?? 128 + constants.signals[signal!];
}

function interrupted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => reject(abortError(signal, 'netloom run'));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}
