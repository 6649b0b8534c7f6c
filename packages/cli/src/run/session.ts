/** One run of `netloom run`. */
import { constants } from 'node:os';
import type { NodeModel } from '@netloom/edge';
import { abortError, NetloomError } from 'netloom/core';
import { PASSED_SIGNALS, Program, Terminal, type ProgramEnd } from 'netloom/link/tap/program';
import type { CommandIo } from '../command.ts';
import { describeError } from '../report-error.ts';
import { GATEWAY_ADDRESSES, NAME_SERVER, PROGRAM_ADDRESSES } from './addresses.ts';
import type { NetworkChoice } from './network-choice.ts';
import type { ProgramInterface, ProgramPlace } from './place.ts';
import type { RunRequest } from './request.ts';
import { describeDestinations } from './statistics.ts';
import { userSurroundings } from './surroundings.ts';

/** What shells answer when they cannot start a program (POSIX, Shell Command Language, 2.8.2), and for one that was killed by a signal. */
const EXIT_CODES: ReadonlyMap<string, number> = new Map([
  ['PROGRAM_NOT_FOUND', 127],
  ['PROGRAM_NOT_EXECUTABLE', 126],
  ['PROGRAM_LOST', 128 + constants.signals.SIGKILL],
]);

/** Runs the program, and answers its exit code. Rejects with what went wrong before it was started. */
export async function runProgram(request: RunRequest, io: CommandIo): Promise<number> {
  const model = request.network && (await readNetwork(request.network, io));
  if (request.network !== undefined && model === undefined) return 1;
  const session = new Session(request, io);
  try {
    return await session.run(model);
  } catch (error) {
    const code = error instanceof NetloomError ? EXIT_CODES.get(error.code) : undefined;
    if (code === undefined) throw error;
    io.writeError(describeError(error, request.verbose));
    return code;
  } finally {
    await session.close();
  }
}

/** What the file says; undefined: it is wrong, and its mistakes have been told. */
async function readNetwork({ file }: NetworkChoice, io: CommandIo): Promise<NodeModel | undefined> {
  const { describeMistakes } = await import('@netloom/edge');
  const { loadNodeFile } = await import('../node-file.ts');
  const { text, model, mistakes } = await loadNodeFile(file);
  if (mistakes !== undefined) io.writeError(`${describeMistakes(text, file, mistakes)}\n`);
  return model;
}

class Session {
  readonly #request: RunRequest;
  readonly #io: CommandIo;
  readonly #terminal = Terminal.find();
  /** What is being opened at the other end of the program's interface. */
  #opening: Promise<ProgramPlace> | undefined;
  #program: Program | undefined;
  #isClosed = false;

  constructor(request: RunRequest, io: CommandIo) {
    this.#request = request;
    this.#io = io;
  }

  /** @param network what the file says of the program's network; undefined: it has one of its own */
  async run(network: NodeModel | undefined): Promise<number> {
    this.#opening = network === undefined ? this.#openGateway() : this.#openNetwork(network);
    // Whether anybody waits for it or not.
    this.#opening.catch(() => undefined);
    const failed = this.#opening.then(() => new Promise<never>(() => {}));
    failed.catch(() => undefined);
    await Promise.race([this.#prepared(), failed, interrupted(this.#io.signal)]);
    const program = this.#program!;
    this.#io.takeSignals(PASSED_SIGNALS, (name) => program.signal(name));
    await program.start();
    const end = await Promise.race([program.ended, failed]);
    this.#terminal?.takeBack();
    if (this.#request.stats) {
      const place = await this.#opening;
      this.#io.writeError(describeDestinations(place.destinations()));
    }
    return exitCodeOf(end);
  }

  /** Everything that is left goes. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#program?.close();
    this.#terminal?.takeBack();
    const place = await this.#opening?.catch(() => undefined);
    await place?.close();
  }

  /** Settles when the program may start. */
  async #prepared(): Promise<void> {
    const { pcap, publications, network } = this.#request;
    // What was asked for and may be refused is known before the program starts. The rest is not waited for: the kernel keeps what the program sends meanwhile.
    if (network !== undefined || pcap !== undefined || publications.length > 0) await this.#opening;
    else await this.#program!.ready();
  }

  /** What the network takes to load is loaded while the place of the program is made. */
  async #openGateway(): Promise<ProgramPlace> {
    const program = this.#prepare({
      mtu: this.#request.mtu,
      addresses: PROGRAM_ADDRESSES,
      gateways: GATEWAY_ADDRESSES.map(({ address }) => address),
      nameServers: [NAME_SERVER],
    });
    const { Gateway } = await import('./gateway.ts');
    return this.#opened(await Gateway.open(program, this.#request));
  }

  async #openNetwork(model: NodeModel): Promise<ProgramPlace> {
    const { NodeNetwork } = await import('./node-network.ts');
    const place = await NodeNetwork.open({
      request: this.#request,
      choice: this.#request.network!,
      model,
      prepare: (wanted) => this.#prepare(wanted),
      notice: (text) => this.#io.writeError(`netloom run: ${text}\n`),
    });
    return this.#opened(place);
  }

  #prepare(wanted: ProgramInterface): Program {
    const { command, args } = this.#request;
    this.#program = new Program({
      command,
      args,
      interfaceName: 'tap0',
      offload: true,
      ...wanted,
      ...userSurroundings(process.env),
      stopped: () => this.#stop(),
    });
    // It was asked to end meanwhile.
    if (this.#isClosed) void this.#program.close();
    return this.#program;
  }

  async #opened(place: ProgramPlace): Promise<ProgramPlace> {
    const { busyPoll, verbose } = this.#request;
    if (busyPoll > 0) {
      const { setBusyPoll } = await import('netloom/host');
      setBusyPoll(busyPoll);
    }
    place.captureFailed.catch((error: unknown) => {
      this.#io.writeError(describeError(error, verbose));
    });
    const notes = verbose ? this.#program!.notes : [];
    for (const note of notes) this.#io.writeError(`netloom run: ${note}\n`);
    return place;
  }

  /** The program has stopped itself: then whoever waits for this process is to see it stopped too, and can let it go on. */
  #stop(): void {
    const holder = this.#terminal?.takeBack();
    process.once('SIGCONT', () => {
      if (holder !== undefined) this.#terminal?.giveTo(holder);
      this.#program?.signal('SIGCONT');
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
