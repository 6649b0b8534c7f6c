import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { bootMachine } from '../../../netloom/test/qemu-machine.ts';

/** A guest of QEMU that boots from its network card. It is killed, as by a loss of power, when it is disposed of. */
export class Guest implements AsyncDisposable {
  readonly #machine: ChildProcess;
  readonly #ended: Promise<unknown>;

  /** @param netdev as `bootMachine` has it */
  constructor(netdev: string, mac: string) {
    this.#machine = bootMachine(netdev, mac);
    this.#ended = once(this.#machine, 'exit');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#machine.kill('SIGKILL');
    await this.#ended;
  }
}
