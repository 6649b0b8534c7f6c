import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const NETLOOM = fileURLToPath(new URL('../../netloom', import.meta.url));

/** The router of a {@link Machine}, which is not there. `pasta` has its place lead to the machine's loopback. */
const NOBODY = '10.250.0.2';

/** Milliseconds after which a command counts as hung. */
const PATIENCE = 60_000;

/** Numbers the namespaces. */
let made = 0;

/** A network namespace in the place of the machine: servers run in it, and what carries the places' traffic. So nobody else is measured, and nobody else is reached. */
export class Machine implements Disposable {
  readonly namespace: string = addNamespace('machine');

  constructor() {
    this.#ip('link set lo up');
    // Nobody is there. But `pasta` takes its addresses from where a default route leads.
    this.#ip('link add out type veth peer nobody');
    this.#ip('link set out up');
    this.#ip('link set nobody up');
    this.#ip('address add 10.250.0.1/24 dev out');
    this.#ip(`route add default via ${NOBODY}`);
  }

  /** Starts a program in it, with pipes. */
  spawn(command: string, ...args: string[]): ChildProcess {
    return spawn('ip', ['netns', 'exec', this.namespace, command, ...args], {
      stdio: ['pipe', 'pipe', 'ignore', 'pipe'],
    });
  }

  [Symbol.dispose](): void {
    deleteNamespace(this.namespace);
  }

  #ip(words: string): void {
    execFileSync('ip', ['-n', this.namespace, ...words.split(' ')]);
  }
}

/** A shell in a network of its own, from which the machine is reached. */
export class Place implements AsyncDisposable {
  /** The machine's address in it. */
  readonly host: string;
  readonly #shell: ChildProcess;
  readonly #leave: () => Promise<void> | void;

  constructor(host: string, shell: ChildProcess, leave: () => Promise<void> | void) {
    this.host = host;
    this.#shell = shell;
    this.#leave = leave;
  }

  /** Runs a command line, and answers what it prints. */
  async run(command: string): Promise<string> {
    const { stdin, stdout } = this.#shell;
    // A mark that no program prints, and the exit code.
    stdin!.write(`${command} </dev/null; printf '\\0%d\\n' $?\n`);
    const text = await readUntil(stdout!, /\0\d+\n$/, command);
    const [output, code] = text.split('\0') as [string, string];
    if (Number(code) !== 0) throw new Error(`'${command}' ended with ${code.trim()}: ${output}`);
    return output;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.#shell, 'exit');
    this.#shell.stdin!.end();
    await gone;
    await this.#leave();
  }
}

/** Makes a place on a machine, whose links have this MTU. */
export type PlaceMaker = (machine: Machine, mtu: number) => Promise<Place>;

/** `netloom run --host-access` with these options, as it is in this folder. */
export async function netloomPlace(
  machine: Machine,
  mtu: number,
  ...options: readonly string[]
): Promise<Place> {
  const words = ['run', '--host-access', '--mtu', String(mtu), ...options, '--', 'sh'].join(' ');
  const place = new Place('10.0.2.2', machine.spawn(NETLOOM, ...words.split(' ')), () => undefined);
  await place.run('true');
  return place;
}

async function slirpPlace(machine: Machine, mtu: number): Promise<Place> {
  const namespace = addNamespace('slirp');
  const words = `--configure --mtu=${mtu} --netns-type=path --ready-fd=3 /run/netns/${namespace} tap0`;
  const carrier = machine.spawn('slirp4netns', ...words.split(' '));
  await once(carrier.stdio[3]!, 'data');
  return new Place('10.0.2.2', shellIn(namespace), async () => {
    await ended(carrier);
    deleteNamespace(namespace);
  });
}

async function pastaPlace(machine: Machine, mtu: number): Promise<Place> {
  const namespace = addNamespace('pasta');
  // As root, since otherwise it becomes nobody before it enters the namespace.
  const words = `--foreground --quiet --runas 0:0 --netns-only --config-net --ipv4-only --mtu ${mtu} --ns-ifname tap0 --netns /run/netns/${namespace}`;
  const carrier = machine.spawn('pasta', ...words.split(' '));
  const place = new Place(NOBODY, shellIn(namespace), async () => {
    await ended(carrier);
    deleteNamespace(namespace);
  });
  try {
    await place.run("timeout 5 sh -c 'until ip route | grep -q default; do sleep 0.02; done'");
    return place;
  } catch (error) {
    await place[Symbol.asyncDispose]();
    throw error;
  }
}

/** A cable between the machine and the place, all in the kernel: the limit of what any program can reach. */
async function cablePlace(machine: Machine, mtu: number): Promise<Place> {
  const namespace = addNamespace('cable');
  const ends = [
    [machine.namespace, 'inner', '10.251.0.1/24'],
    [namespace, 'outer', '10.251.0.2/24'],
  ] as const;
  const cable = `inner mtu ${mtu} type veth peer outer netns ${namespace} mtu ${mtu}`;
  execFileSync('ip', ['-n', machine.namespace, 'link', 'add', ...cable.split(' ')]);
  for (const [where, end, address] of ends) {
    execFileSync('ip', ['-n', where, 'address', 'add', address, 'dev', end]);
    execFileSync('ip', ['-n', where, 'link', 'set', end, 'up']);
  }
  const place = new Place('10.251.0.1', shellIn(namespace), () => deleteNamespace(namespace));
  await place.run('true');
  return place;
}

/** The peers of `netloom run`, by name; null: not installed. */
export function peerPlaces(): Record<string, PlaceMaker | null> {
  return {
    slirp4netns: isInstalled('slirp4netns') ? slirpPlace : null,
    pasta: isInstalled('pasta') ? pastaPlace : null,
    veth: cablePlace,
  };
}

/** Whether there is such a program. */
export function isInstalled(program: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(':');
  return folders.some((folder) => existsSync(`${folder}/${program}`));
}

/** Answers what is printed up to and with `end`. Rejects when the output ends before that, or takes too long. */
export function readUntil(output: Readable, end: RegExp, what: string): Promise<string> {
  const outcome = Promise.withResolvers<string>();
  let text = '';
  const onData = (piece: string): void => {
    text += piece;
    if (end.test(text)) outcome.resolve(text);
  };
  const onClose = (): void => outcome.reject(new Error(`'${what}' was cut off: ${text}`));
  const patience = setTimeout(() => {
    outcome.reject(new Error(`'${what}' takes too long: ${text}`));
  }, PATIENCE);
  output.setEncoding('utf8').on('data', onData).on('close', onClose);
  return outcome.promise.finally(() => {
    clearTimeout(patience);
    output.off('data', onData).off('close', onClose);
  });
}

/** Ends a program, and waits until it is gone. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}

function shellIn(namespace: string): ChildProcess {
  return spawn('ip', ['netns', 'exec', namespace, 'sh'], { stdio: ['pipe', 'pipe', 'inherit'] });
}

function addNamespace(kind: string): string {
  const name = `netloom-bench-${kind}-${process.pid}-${++made}`;
  execFileSync('ip', ['netns', 'add', name]);
  execFileSync('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
  return name;
}

function deleteNamespace(name: string): void {
  execFileSync('ip', ['netns', 'delete', name]);
}
