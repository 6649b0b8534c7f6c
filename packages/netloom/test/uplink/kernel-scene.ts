/**
 * Three namespaces of the Linux kernel: guests behind a TAP, the machine that our uplink runs on, and a world on a cable of that machine's. None of them
 * has a way out.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { KernelNamespace, type NamespaceProgram } from '../kernel-namespace.ts';
import { GATEWAY, GUEST, TAP, type DriverOptions } from './kernel-driver.ts';

/** The world's addresses, and the machine's on the cable to it. */
export const WORLD = { 4: '198.51.100.2', 6: '2001:db8:51::2' } as const;
export const MACHINE = { 4: '198.51.100.1', 6: '2001:db8:51::1' } as const;

const DRIVER = fileURLToPath(new URL('kernel-driver.ts', import.meta.url));

/** See the file's head. */
export class UplinkScene implements AsyncDisposable {
  readonly guest: KernelNamespace;
  readonly machine: KernelNamespace;
  readonly world: KernelNamespace;
  /** Ports that were asked to be published, in that order. */
  readonly published: number[] = [];
  #driver!: NamespaceProgram;

  private constructor(label: string) {
    this.guest = new KernelNamespace(`${label}-guest`);
    this.machine = new KernelNamespace(`${label}-machine`);
    this.world = new KernelNamespace(`${label}-world`);
    for (const namespace of [this.guest, this.machine, this.world]) namespace.enableIpv6();
    const { machine, world } = this;
    machine.ip(
      'link',
      'add',
      'cable',
      'type',
      'veth',
      'peer',
      'name',
      'cable',
      'netns',
      world.name,
    );
    for (const [namespace, addresses] of [
      [machine, MACHINE],
      [world, WORLD],
    ] as const) {
      namespace.ip('address', 'add', `${addresses[4]}/24`, 'dev', 'cable');
      namespace.ip('address', 'add', `${addresses[6]}/64`, 'dev', 'cable', 'nodad');
      namespace.ip('link', 'set', 'cable', 'up');
    }
    machine.sysctl('net.ipv4.ping_group_range=0 2147483647');
  }

  /** Resolves when the uplink is there and the guest has its routes. */
  static async open(label: string, options: Partial<DriverOptions> = {}): Promise<UplinkScene> {
    const scene = new UplinkScene(label);
    const { guest, machine } = scene;
    const given: DriverOptions = { ...options, guests: guest.name };
    const words = ['--conditions=netloom-source', '--disable-warning=ExperimentalWarning', DRIVER];
    scene.#driver = machine.startProgram(process.execPath, ...words, JSON.stringify(given));
    for (;;) {
      const line = await scene.#driver.line();
      if (line === 'ready') break;
      scene.published.push(Number(line));
    }
    guest.ip('address', 'add', `${GUEST[4]}/24`, 'dev', TAP);
    guest.ip('address', 'add', `${GUEST[6]}/64`, 'dev', TAP, 'nodad');
    guest.ip('route', 'add', 'default', 'via', GATEWAY[4]);
    guest.ip('-6', 'route', 'add', 'default', 'via', GATEWAY[6]);
    return scene;
  }

  /** Runs a program in a namespace; answers its exit code and what it said. */
  attempt(where: 'guest' | 'world', ...words: string[]): { code: number; said: string } {
    try {
      const all = ['netns', 'exec', this[where].name, ...words];
      return { code: 0, said: execFileSync('ip', all, { encoding: 'utf8', stdio: 'pipe' }) };
    } catch (error) {
      const { status, stderr, stdout } = error as Record<'stderr' | 'stdout', string> & {
        status: number;
      };
      return { code: status, said: stdout + stderr };
    }
  }

  /** Ends the uplink in good order; answers what it says of its flows. */
  async end(): Promise<{ open: number; ended: number }> {
    const ended = this.#driver.stop();
    const line = await this.#driver.line();
    await ended;
    return JSON.parse(line) as { open: number; ended: number };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#driver.stop();
    for (const namespace of [this.guest, this.world, this.machine]) namespace[Symbol.dispose]();
  }
}
