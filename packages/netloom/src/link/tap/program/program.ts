import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import { fileURLToPath } from 'node:url';
import {
  MacAddress,
  NetloomError,
  withLimits,
  type Cidr,
  type IpAddress,
} from '../../../core/index.ts';
import {
  ControlSocket,
  ReadinessWatcher,
  type ControlMessage,
  type FileDescriptor,
} from '../../../native/index.ts';
import type { Link } from '../../index.ts';
import type { TapDevice } from '../tap-device.ts';
import type { TapLimits } from '../tap-link.ts';
import { namespaceDenied, namespaceUnsupported, programLost } from './errors.ts';
import type { Order, Report, Setup } from './protocol.ts';

/** What a {@link Program} is made from. */
export interface ProgramOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** The name the program sees of its interface. */
  readonly interfaceName: string;
  readonly mtu: number;
  readonly offload: boolean;
  /** The interface's own address. Default: one that the kernel draws. */
  readonly interfaceMac?: MacAddress | undefined;
  /** Given to the interface, each good at once. */
  readonly addresses: readonly Cidr[];
  /** The routers for everything else, one of a family. */
  readonly gateways: readonly IpAddress[];
  /** Asked for names. */
  readonly nameServers: readonly IpAddress[];
  /** Environment variables that are not to be as this process has them; null: not set. */
  readonly variables?: Readonly<Record<string, string | null>>;
  /** How many files the program may have open (RLIMIT_NOFILE, the soft limit). Default: as many as this process, for which Node has raised it. */
  readonly openFiles?: number | undefined;
  /** The program has been stopped, and not as all of this process's group was, by its terminal (Ctrl-Z). */
  stopped?(): void;
}

/** What {@link Program.link} takes. */
export interface ProgramLinkOptions {
  /** The address of the station at our end. Default: a random one. */
  readonly mac?: MacAddress;
  readonly limits?: Partial<TapLimits>;
}

/** How a program has ended: with a code of its own, or by a signal. */
export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** capability(7) */
const CAP_NET_ADMIN = 12n;
const CAP_SYS_ADMIN = 21n;

/**
 * The launcher waits outside of the namespaces, in our process group, for the first process in them to end. What a terminal or a user sends to the group is for the
 * program and not to end it, nor to stop it. (Node has such signals do again what they do by default.)
 */
const LAUNCH = 'trap \'\' HUP INT QUIT TERM USR1 USR2 ALRM TSTP TTIN TTOU; exec unshare "$@"';
/** What a shell answers when there is no such program (POSIX, Shell Command Language, 2.8.2). */
const NO_SUCH_PROGRAM = 127;

/**
 * A program in a place with a network of its own: namespaces for network, mounts and processes (and users, unless this process is privileged), and in them the
 * kernel's end of a TAP, whose other end is {@link link}. The place is made at once; the program waits for {@link start}.
 *
 * It needs no privileges where users may make namespaces and open /dev/net/tun. What is made there is gone when the program has ended, and when this process has,
 * in whatever way. Throws `NATIVE_UNAVAILABLE`.
 */
export class Program implements AsyncDisposable {
  /** Settles when the program and all that it started are gone. Rejects with `PROGRAM_LOST` if its end could not be learned. */
  readonly ended: Promise<ProgramEnd>;
  readonly #options: ProgramOptions;
  readonly #control: ControlSocket;
  readonly #watcher: ReadinessWatcher;
  readonly #launcher: ChildProcess;
  readonly #userNamespace = !isPrivileged();
  readonly #ready = Promise.withResolvers<TapDevice>();
  readonly #started = Promise.withResolvers<void>();
  readonly #gone = Promise.withResolvers<void>();
  #end: ProgramEnd | undefined;
  /** Until there is a link of it. */
  #device: TapDevice | undefined;
  #mac: MacAddress = MacAddress.ZERO;
  #notes: readonly string[] = [];
  #closed = false;

  constructor(options: ProgramOptions) {
    this.#options = options;
    const { near, far } = ControlSocket.pair();
    this.#control = near;
    try {
      this.#launcher = this.#launch(far.number);
    } finally {
      far.close();
    }
    this.#launcher.once('error', (error) => this.#fail(namespaceUnsupported(error)));
    this.#launcher.once('exit', (code) => {
      if (code === NO_SUCH_PROGRAM) this.#fail(namespaceUnsupported());
    });
    this.#watcher = new ReadinessWatcher(near.descriptor, (failed) => this.#hear(failed));
    this.#watcher.start();
    this.ended = this.#finish();
    for (const promise of [this.#ready.promise, this.#started.promise, this.ended]) {
      // Whether anybody waits for it or not.
      promise.catch(() => undefined);
    }
  }

  /** The address of the program's interface, once there is a {@link link}. */
  get mac(): MacAddress {
    return this.#mac;
  }

  /** What could not be set up, and can be done without: a sentence for each. */
  get notes(): readonly string[] {
    return this.#notes;
  }

  /** Settles when the place is ready. Rejects with `PROGRAM_NAMESPACE_UNSUPPORTED`, `PROGRAM_NAMESPACE_DENIED`, `PROGRAM_FAILED` or an error of `openTap`. */
  async ready(): Promise<void> {
    await this.#ready.promise;
  }

  /**
   * Settles when the place is ready: with the link to it, which is the caller's to close. To be called once. The program need not wait for it: what it sends
   * meanwhile is kept by the kernel, as long as that is not much. Rejects as {@link ready}.
   */
  async link(options: ProgramLinkOptions = {}): Promise<Link> {
    // Loaded while the place is being made.
    const { adoptTap, TAP_LIMITS } = await import('../open-tap.ts');
    const limits = withLimits(TAP_LIMITS, options.limits);
    const device = await this.#ready.promise;
    this.#device = undefined;
    return adoptTap(device, { mac: options.mac, offload: this.#options.offload, limits });
  }

  /** Starts the program; settles when it runs. Rejects with `PROGRAM_NOT_FOUND` or `PROGRAM_NOT_EXECUTABLE`. */
  start(): Promise<void> {
    this.#order({ do: 'start' });
    return this.#started.promise;
  }

  /** Sends the program a signal, unless it had it as a member of this process's group. */
  signal(name: NodeJS.Signals): void {
    this.#order({ do: 'signal', name });
  }

  /** Kills the program with all that it started; settles when they are gone. Idempotent. */
  async close(): Promise<void> {
    this.#hangUp();
    await this.#gone.promise;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #launch(control: number): ChildProcess {
    const { command, args, interfaceName, mtu, offload, ...rest } = this.#options;
    const setup: Setup = {
      control,
      compileCache: getCompileCacheDir(),
      userNamespace: this.#userNamespace,
      interface: {
        name: interfaceName,
        mtu,
        offload,
        mac: rest.interfaceMac?.toString() ?? null,
        addresses: rest.addresses.map(String),
        gateways: rest.gateways.map(String),
      },
      nameServers: rest.nameServers.map(String),
      variables: rest.variables ?? {},
      openFiles: rest.openFiles ?? null,
    };
    const user = this.#userNamespace ? ['--user', '--map-current-user', '--keep-caps'] : [];
    const namespaces = [...user, '--net', '--mount', '--pid', '--fork', '--'];
    const conditions = process.execArgv.filter((word) => word.startsWith('--conditions='));
    const node = [process.execPath, '--disable-warning=ExperimentalWarning', ...conditions];
    const inside = [insideScript(), JSON.stringify(setup), command, ...args];
    const words = ['-c', LAUNCH, 'sh', ...namespaces, ...node, ...inside];
    return spawn('sh', words, { stdio: 'inherit' });
  }

  #hear(failed: boolean): void {
    for (;;) {
      const message = failed ? 'ended' : this.#control.receive();
      if (message === undefined) return;
      if (message === 'ended') {
        this.#hangUp();
        return;
      }
      this.#take(message);
    }
  }

  #take({ text, descriptor }: ControlMessage): void {
    const report = JSON.parse(text) as Report;
    switch (report.is) {
      case 'ready':
        this.#takeDevice(report, descriptor!);
        break;
      case 'started':
        this.#started.resolve();
        break;
      case 'stopped':
        this.#options.stopped?.();
        break;
      case 'ended':
        this.#end = { code: report.code, signal: report.signal as NodeJS.Signals | null };
        break;
      case 'failed': {
        const details = report.remedy === undefined ? {} : { remedy: report.remedy };
        this.#fail(new NetloomError(report.code, report.message, details));
      }
    }
  }

  #takeDevice(report: Extract<Report, { is: 'ready' }>, descriptor: FileDescriptor): void {
    const { name, mtu, mac, notes } = report;
    this.#notes = notes;
    this.#mac = MacAddress.parse(mac);
    this.#device = { descriptor, name, mtu, kernelMac: this.#mac };
    this.#ready.resolve(this.#device);
  }

  #fail(error: NetloomError): void {
    this.#ready.reject(error);
    this.#started.reject(error);
  }

  #order(order: Order): void {
    if (this.#closed) return;
    try {
      this.#control.send(JSON.stringify(order));
    } catch {
      // The keeper is gone, of which the watcher is about to hear.
    }
  }

  /** The keeper sees that, and goes with everything of its namespace. */
  #hangUp(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#device?.descriptor.close();
    this.#watcher.close();
    this.#control.close();
  }

  /** The launcher ends when the keeper has, and that one when the kernel has seen to it that nothing is left of its namespace. */
  async #finish(): Promise<ProgramEnd> {
    if (this.#launcher.pid !== undefined) await once(this.#launcher, 'exit');
    if (!this.#closed) this.#hear(false);
    this.#hangUp();
    this.#gone.resolve();
    this.#fail(namespaceDenied(this.#userNamespace));
    if (this.#end === undefined) throw programLost();
    return this.#end;
  }
}

/** Beside this file, and as that one: TypeScript in the sources, JavaScript in what is published. */
function insideScript(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`./inside.${extension}`, import.meta.url));
}

/** Whether this process may make namespaces for itself; otherwise it needs one for users, in which it may. */
function isPrivileged(): boolean {
  const status = readFileSync('/proc/self/status', 'utf8');
  const [, effective = '0'] = /^CapEff:\s*([0-9a-f]+)$/m.exec(status) ?? [];
  const wanted = (1n << CAP_NET_ADMIN) | (1n << CAP_SYS_ADMIN);
  return (BigInt(`0x${effective}`) & wanted) === wanted;
}
