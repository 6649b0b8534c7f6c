/** A node as its user runs it: `netloom up FILE` in a process of its own, asked and changed by the commands. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  STATE_ROOT,
  runNetloom,
  startNetloom,
  type NetloomProcess,
  type Outcome,
  type StartOptions,
} from '../../../cli/test/netloom-process.ts';
import { controlClient, type ControlClient } from '../../src/client.ts';
import { StateFolder } from '../../src/node/index.ts';
import type { FlowStatus, LeaseStatus, NodeStatus, PortStatus } from '../../src/status/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'netloom-proof-'));
// Some of it is for programs of other users.
chmodSync(folder, 0o755);
after(() => rmSync(folder, { recursive: true }));

/** A node is ended after so many milliseconds, should the test have hung. */
const PATIENCE = 240_000;
/** Milliseconds between two looks at what is waited for. */
const LOOK = 100;
let made = 0;

/** How a {@link RunningNode} is started. */
export interface RunningNodeOptions extends StartOptions {
  readonly name?: string;
  /** More for `netloom up`. */
  readonly args?: readonly string[];
}

/** A file of this test's own, which goes with it; answers its path. */
export function temporaryFile(name: string, text: string, mode = 0o644): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode });
  return path;
}

/** See the top of the file. It is killed when it is disposed of, if it has not ended by then. */
export class RunningNode implements AsyncDisposable {
  readonly name: string;
  readonly #file: string;
  /** Who runs commands at it: who has started it. */
  readonly #owner: StartOptions;
  readonly #process: NetloomProcess;
  #hasEnded = false;

  /** Settles when all of the file is up; rejects, with what the node has said, when it ends before. */
  static async up(text: string, options: RunningNodeOptions = {}): Promise<RunningNode> {
    const { name = `proof-${process.pid}-${++made}`, namespace, args = [], ...owner } = options;
    const file = temporaryFile(`${name}.yaml`, text);
    const words = ['up', file, '--name', name, '--no-dashboard', ...args];
    const started = startNetloom(words, {
      timeout: PATIENCE,
      ...owner,
      ...(namespace !== undefined && { namespace }),
    });
    await started.until(/Ctrl-C ends it/);
    return new RunningNode(name, file, owner, started);
  }

  private constructor(name: string, file: string, owner: StartOptions, started: NetloomProcess) {
    this.name = name;
    this.#file = file;
    this.#owner = owner;
    this.#process = started;
  }

  /** Settles when what it has said since it was started has this; answers the match. */
  until(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#process.until(pattern);
  }

  /** Runs a command at it; it has to succeed. Answers what it prints. */
  async run(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await runNetloom([...args, '--name', this.name], this.#owner);
    assert.deepEqual([code, stderr], [0, ''], args.join(' '));
    return stdout;
  }

  async status(): Promise<NodeStatus> {
    return JSON.parse(await this.run('status', '--json')) as NodeStatus;
  }

  async interfaces(): Promise<readonly PortStatus[]> {
    return JSON.parse(await this.run('list', 'interfaces', '--json')) as PortStatus[];
  }

  /** One of {@link interfaces}. */
  async interface(name: string): Promise<PortStatus> {
    const found = (await this.interfaces()).find((one) => one.name === name);
    return found ?? assert.fail(`there is no interface ${name}`);
  }

  async leases(): Promise<readonly LeaseStatus[]> {
    return JSON.parse(await this.run('list', 'leases', '--json')) as LeaseStatus[];
  }

  async flows(): Promise<readonly FlowStatus[]> {
    return JSON.parse(await this.run('list', 'flows', '--json')) as FlowStatus[];
  }

  /** Settles when the interface is as wanted; answers how it is then. */
  async untilInterface(name: string, isWanted: (port: PortStatus) => boolean): Promise<PortStatus> {
    const isIt = (port: PortStatus): boolean => port.name === name && isWanted(port);
    const ports = await this.#until(
      (client) => client.interfaces(),
      (all) => all.some(isIt),
    );
    return ports.find(isIt)!;
  }

  /** Settles when the leases are as wanted; answers them. */
  untilLeases(
    isWanted: (leases: readonly LeaseStatus[]) => boolean,
  ): Promise<readonly LeaseStatus[]> {
    return this.#until((client) => client.leases(), isWanted);
  }

  /** Makes it follow another text of its file; answers what the command prints. */
  async apply(text: string): Promise<string> {
    const { code, stdout, stderr } = await this.tryApply(text);
    assert.deepEqual([code, stderr], [0, ''], stdout);
    return stdout;
  }

  /** The same where it need not succeed. */
  async tryApply(text: string): Promise<Outcome> {
    writeFileSync(this.#file, text);
    return runNetloom(['apply', this.#file, '--name', this.name], this.#owner);
  }

  /** Ends it as Ctrl-C does. It has to end well, and to have said nothing on standard error. */
  async stop(): Promise<void> {
    const { code, stderr } = await this.end('SIGINT');
    assert.deepEqual([code, stderr], [0, '']);
  }

  /** Ends it by a signal. */
  async end(signal: NodeJS.Signals): Promise<Outcome> {
    this.#hasEnded = true;
    this.#process.signal(signal);
    return this.#process.outcome();
  }

  /** Asks by its socket, again and again. What is waited for has to come: only the test's timeout ends this. */
  async #until<T>(
    ask: (client: ControlClient) => Promise<T>,
    isWanted: (answer: T) => boolean,
  ): Promise<T> {
    await using client = controlClient(new StateFolder(this.name, STATE_ROOT));
    for (;;) {
      const answer = await ask(client);
      if (isWanted(answer)) return answer;
      await sleep(LOOK);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasEnded) await this.end('SIGKILL');
  }
}
