import { spawn, type ChildProcess } from 'node:child_process';
import {
  clearAmbientCapabilities,
  ControlSocket,
  ReadinessWatcher,
  reapOrphans,
  wasStopped,
  withOpenFiles,
  type FileDescriptor,
} from '../../../native/index.ts';
import { notStarted, reportOf } from './errors.ts';
import { preparePlace } from './place.ts';
import { PASSED_SIGNALS, type Order, type Report, type Setup } from './protocol.ts';

/** Signals by which a terminal stops what runs in it. */
const STOPPING_SIGNALS: readonly NodeJS.Signals[] = ['SIGTSTP', 'SIGTTIN', 'SIGTTOU'];
/** Milliseconds within which a signal that this process and the one outside have both had is one signal, sent to the whole process group. */
const SAME_SIGNAL = 1000;

/**
 * The first process of a PID namespace, which keeps a program: sets up its place, starts it, passes signals on, tells how it ended. When it ends, all
 * processes of the namespace do; and it ends when the process outside is gone, however that went.
 */
export class Keeper {
  readonly #setup: Setup;
  readonly #command: string;
  readonly #args: readonly string[];
  readonly #control: ControlSocket;
  readonly #watcher: ReadinessWatcher;
  /** When this process itself had a signal last. */
  readonly #witnessed = new Map<string, number>();
  #program: ChildProcess | undefined;

  constructor(setup: Setup, command: string, args: readonly string[]) {
    this.#setup = setup;
    this.#command = command;
    this.#args = args;
    this.#control = ControlSocket.adopt(setup.control);
    this.#watcher = new ReadinessWatcher(this.#control.descriptor, (failed) => this.#hear(failed));
  }

  run(): void {
    this.#watchSignals();
    try {
      const { device, notes } = preparePlace(this.#setup);
      const { name, mtu, kernelMac } = device;
      this.#tell({ is: 'ready', name, mtu, mac: kernelMac.toString(), notes }, device.descriptor);
      // The process outside has it: the interface goes when that one does.
      device.descriptor.close();
      this.#watcher.start();
    } catch (error) {
      this.#tell(reportOf(error));
      process.exit(1);
    }
  }

  #hear(failed: boolean): void {
    if (failed) process.exit(1);
    for (;;) {
      const message = this.#control.receive();
      if (message === undefined) return;
      // Nobody is left outside who would want to know.
      if (message === 'ended') process.exit(1);
      this.#obey(JSON.parse(message.text) as Order);
    }
  }

  #obey(order: Order): void {
    if (order.do === 'start') this.#start();
    else
      this.#unlessWitnessed([order.name], () => this.#program?.kill(order.name as NodeJS.Signals));
  }

  #start(): void {
    try {
      // The capabilities were for the setting up: the program is to be able to do here what its user can do elsewhere.
      if (this.#setup.userNamespace) clearAmbientCapabilities();
      const program = this.#spawn();
      program.once('spawn', () => this.#tell({ is: 'started' }));
      program.once('error', (error) => this.#fail(error));
      program.once('exit', (code, signal) => {
        this.#tell({ is: 'ended', code, signal });
        process.exit(0);
      });
      this.#program = program;
    } catch (error) {
      this.#fail(error);
    }
  }

  /** With the environment and the limits that it is to have, which are not those that Node needed here. */
  #spawn(): ChildProcess {
    const { variables, openFiles } = this.#setup;
    const env: NodeJS.ProcessEnv = { ...process.env };
    for (const [name, value] of Object.entries(variables)) env[name] = value ?? undefined;
    const start = (): ChildProcess => spawn(this.#command, this.#args, { stdio: 'inherit', env });
    return openFiles === null ? start() : withOpenFiles(openFiles, start);
  }

  #fail(error: unknown): void {
    this.#tell(reportOf(notStarted(this.#command, error)));
    process.exit(1);
  }

  #watchSignals(): void {
    for (const name of [...PASSED_SIGNALS, ...STOPPING_SIGNALS]) {
      process.on(name, () => this.#witnessed.set(name, performance.now()));
    }
    process.on('SIGCHLD', () => {
      const pid = this.#program?.pid;
      reapOrphans(pid ?? 0);
      if (pid !== undefined && wasStopped(pid)) {
        this.#unlessWitnessed(STOPPING_SIGNALS, () => this.#tell({ is: 'stopped' }));
      }
    });
  }

  /**
   * Acts, unless one of the signals came to the whole process group, as those of a terminal do: then the program has had it too, and is not to have it twice. A
   * group's signal is with all its members before any of them can say so; but the platform may tell of it a turn later than of what was said. The first
   * immediate is still of the turn in which that came, and nothing is heard between; the second is of the next.
   */
  #unlessWitnessed(names: readonly string[], act: () => void): void {
    const decide = (): void => {
      const since = performance.now() - SAME_SIGNAL;
      const witnessed = names.filter((name) => (this.#witnessed.get(name) ?? -Infinity) > since);
      for (const name of names) this.#witnessed.delete(name);
      if (witnessed.length === 0) act();
    };
    setImmediate(() => setImmediate(decide));
  }

  #tell(report: Report, descriptor?: FileDescriptor): void {
    try {
      this.#control.send(JSON.stringify(report), descriptor);
    } catch {
      // The process outside is gone, and so is everything here in a moment.
      process.exit(1);
    }
  }
}
