/** The Linux kernel as the peer of a test: a network namespace of the test's own, so that nothing of it is seen outside. */
import { execFile, execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { promisify } from 'node:util';

const execute = promisify(execFile);
/** What is started is ended after so many milliseconds, should the test have hung. */
const PATIENCE = 120_000;

/** Why no {@link KernelNamespace} can be made, or false when it can: for `skip`. */
export const namespaceObstacle: string | false = findObstacle();
/** The same with a TAP in it. */
export const tapObstacle: string | false =
  namespaceObstacle || (existsSync('/dev/net/tun') ? false : 'there is no /dev/net/tun');

function findObstacle(): string | false {
  if (process.platform !== 'linux') return 'this is not Linux';
  const probe = nameOf('probe');
  const added = spawnSync('ip', ['netns', 'add', probe], { encoding: 'utf8' });
  if (added.error !== undefined) return 'ip (iproute2) is not installed';
  if (added.status !== 0) return `network namespaces are not allowed here: ${added.stderr.trim()}`;
  spawnSync('ip', ['netns', 'del', probe]);
  return false;
}

function nameOf(label: string): string {
  return `netloom-test-${process.pid}-${label}`;
}

/** A program that runs in a {@link KernelNamespace}, and the lines it prints. */
export interface NamespaceProgram {
  /** The next line of its output; rejects when it ended without. */
  line(): Promise<string>;
  /** Resolves when it has ended, whatever its exit code. */
  readonly ended: Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** Interrupts it, as Ctrl-C does, so that it can finish its work; resolves when it has ended. */
  stop(): Promise<void>;
}

/** Those that are there. A test that has timed out never comes to the end of its `using`; what it has is then taken away here. */
const open = new Set<KernelNamespace>();
/** Numbers them: the name of one that a failed test has left is not used again. */
let made = 0;
after(() => {
  for (const namespace of open) namespace.abandon();
});

/** A network namespace; gone, with what runs in it, when it is disposed of. */
export class KernelNamespace implements Disposable {
  readonly name: string;
  readonly #programs = new Set<ChildProcess>();

  /** @param label tells several namespaces of one test file apart */
  constructor(label: string) {
    this.name = nameOf(`${label}-${++made}`);
    execFileSync('ip', ['netns', 'add', this.name]);
    open.add(this);
    // IPv6 speaks up by itself; a test that wants it says so. Then its addresses are to be good at once.
    this.sysctl('net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1');
    this.sysctl('net.ipv6.conf.all.accept_dad=0', 'net.ipv6.conf.default.accept_dad=0');
    this.ip('link', 'set', 'lo', 'up');
  }

  /** `ip` of iproute2 in the namespace; the event loop waits. Answers its output. */
  ip(...words: string[]): string {
    return execFileSync('ip', ['-n', this.name, ...words], { encoding: 'utf8', stdio: 'pipe' });
  }

  sysctl(...settings: string[]): void {
    execFileSync('ip', ['netns', 'exec', this.name, 'sysctl', '-qw', ...settings]);
  }

  /** What `ip -j` says of an interface. */
  describe(device: string): { address: string; stats64: { rx: KernelCounts; tx: KernelCounts } } {
    return JSON.parse(this.ip('-s', '-j', 'link', 'show', 'dev', device))[0];
  }

  /** Lets the kernel have IPv6 on the interfaces to come; their addresses are good at once. */
  enableIpv6(): void {
    this.sysctl('net.ipv6.conf.all.disable_ipv6=0', 'net.ipv6.conf.default.disable_ipv6=0');
  }

  /** Runs a program to its end; answers its output, and rejects when its exit code is not 0. */
  async run(command: string, ...words: string[]): Promise<string> {
    const all = ['netns', 'exec', this.name, command, ...words];
    const running = execute('ip', all, { timeout: PATIENCE, maxBuffer: 1 << 24 });
    this.#programs.add(running.child);
    try {
      return (await running).stdout;
    } finally {
      this.#programs.delete(running.child);
    }
  }

  /** Starts a JavaScript program that talks with the test by lines of output. */
  start(code: string): NamespaceProgram {
    return this.startProgram(process.execPath, '--input-type=module', '-e', code);
  }

  /** Starts a program that talks with the test by lines of output, and goes with the namespace if it has not ended by then. */
  startProgram(command: string, ...words: string[]): NamespaceProgram {
    const child = spawn('ip', ['netns', 'exec', this.name, command, ...words], {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: PATIENCE,
    });
    this.#programs.add(child);
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const ended = new Promise<void>((resolve) => {
      child.once('close', () => {
        this.#programs.delete(child);
        resolve();
      });
    });
    return {
      ended,
      signal(name) {
        child.kill(name);
      },
      stop() {
        child.kill('SIGINT');
        return ended;
      },
      async line() {
        const { value, done } = await lines.next();
        if (done === true) throw new Error('the program ended without printing another line');
        return value;
      },
    };
  }

  /** Deletes its interfaces first: a TAP that is still open would keep them, and our process, alive. */
  abandon(): void {
    for (const { ifname } of JSON.parse(this.ip('-j', 'link')) as { ifname: string }[]) {
      if (ifname !== 'lo') this.ip('link', 'del', ifname);
    }
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    open.delete(this);
    for (const child of this.#programs) child.kill('SIGKILL');
    execFileSync('ip', ['netns', 'del', this.name]);
  }
}

/** What the kernel has counted on an interface, one way. */
export interface KernelCounts {
  readonly bytes: number;
  readonly packets: number;
  readonly errors: number;
  readonly dropped: number;
}
