import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { readUntil, type Machine } from './place.ts';

const PROGRAM = fileURLToPath(new URL('sockets.py', import.meta.url));
/** The command line of a client; what there is to ask for is told in `sockets.py`. */
export function clientCommand(words: string): string {
  return `python3 ${PROGRAM} ${words}`;
}

/** The servers of `sockets.py`, on a machine. */
export class SocketServer implements AsyncDisposable {
  readonly port: number = 5300;
  readonly #process: ChildProcess;

  static async start(machine: Machine): Promise<SocketServer> {
    const made = new SocketServer(machine);
    await readUntil(made.#process.stdout!, /ready\n/, 'sockets.py serve');
    return made;
  }

  private constructor(machine: Machine) {
    this.#process = machine.spawn('python3', PROGRAM, 'serve', String(this.port));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.#process, 'exit');
    this.#process.stdin!.end();
    await gone;
  }
}
