/** A guest of QEMU that runs Linux: Debian's kernel as `scripts/guest-linux` fetches it, a virtio network card, and this machine's busybox in an initramfs. */
import { execFileSync, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startMachine } from '../../../netloom/test/qemu-machine.ts';
import { file, program, type Obstacle } from '../../../netloom/test/requires.ts';

/** Where `.ci/run` has `scripts/guest-linux` put it. */
const LINUX = fileURLToPath(new URL('../../../../node_modules/.guest-linux/', import.meta.url));
const KERNEL = join(LINUX, 'vmlinuz');
/** Each needs those before it, as their `depends` say. A kernel that has one built in has no such file. */
const MODULES =
  'virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci failover net_failover virtio_net';
const MEGABYTES = '128';
/** The guest's own lines begin so, what commands print does not. */
const MARK = '@guest';

/** What the kernel starts. Each line that comes by the console is a command; when it has ended, its exit code goes back. */
const INIT = `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in ${MODULES}; do
  [ ! -f /modules/$module.ko ] || insmod /modules/$module.ko
done
ip link set lo up
ip link set eth0 up
exec </dev/ttyS0 >/dev/ttyS0 2>&1
stty -echo -opost
echo '${MARK} 0'
while IFS= read -r line; do
  sh -c "$line" </dev/null
  printf '\\n${MARK} %d\\n' $?
done
`;

/** What udhcpc calls: it does what it was told, and says what. */
const DHCP_SCRIPT = `#!/bin/sh
[ "$1" = bound ] || exit 0
ip address replace "$ip/$mask" dev "$interface"
ip route replace default via "$router"
echo "search $domain" >/etc/resolv.conf
echo "nameserver $dns" >>/etc/resolv.conf
echo "lease $ip $mask $router $dns $domain"
`;

/** What keeps such a guest from being booted, or false. */
export function linuxObstacle(): Obstacle {
  const kernel = file(KERNEL, 'linux-image-cloud-amd64, for scripts/guest-linux to unpack,');
  return program('busybox') || kernel;
}

const folder = mkdtempSync(join(tmpdir(), 'netloom-guest-'));
/** Those that run. A test that has timed out never comes to the end of its `await using`. */
const running = new Set<ChildProcess>();
after(() => {
  for (const machine of running) machine.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});
let initramfs: string | undefined;

/** See the top of the file. It is killed, as by a loss of power, when it is disposed of. */
export class LinuxGuest implements AsyncDisposable {
  readonly #machine: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #lines: AsyncIterator<string>;

  /** Settles when it takes commands. @param netdev an argument of `-netdev` with id `n0` */
  static async boot(netdev: string, mac: string): Promise<LinuxGuest> {
    const guest = new LinuxGuest(netdev, mac);
    try {
      await guest.#outcome();
      return guest;
    } catch (error) {
      await guest[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(netdev: string, mac: string) {
    initramfs ??= makeInitramfs();
    const kernel = ['-kernel', KERNEL, '-initrd', initramfs];
    const parameters = ['-append', 'console=ttyS0 quiet loglevel=1 panic=-1'];
    const device = `virtio-net-pci,netdev=n0,romfile=,mac=${mac}`;
    const card = ['-netdev', netdev, '-device', device];
    const words = ['-m', MEGABYTES, '-no-reboot', '-serial', 'stdio'];
    this.#machine = startMachine([...words, ...kernel, ...parameters, ...card], 'pipe');
    running.add(this.#machine);
    this.#ended = once(this.#machine, 'exit').then(() => running.delete(this.#machine));
    this.#lines = createInterface(this.#machine.stdout!)[Symbol.asyncIterator]();
  }

  /** Has its shell run a command line, which has to succeed. Answers what it prints; of errors, too. */
  async run(command: string): Promise<string> {
    this.#machine.stdin!.write(`${command}\n`);
    const { code, output } = await this.#outcome();
    if (code !== 0) throw new Error(`the guest's '${command}' ended with ${code}:\n${output}`);
    return output;
  }

  /** What comes next: up to where a command has ended. */
  async #outcome(): Promise<{ code: number; output: string }> {
    const lines: string[] = [];
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error(`the guest has ended; it said:\n${lines.join('\n')}`);
      const [mark, code] = value.split(' ');
      if (mark === MARK) return { code: Number(code), output: lines.join('\n') };
      lines.push(value);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#machine.kill('SIGKILL');
    await this.#ended;
  }
}

/** Answers its path. It is not compressed: the guest would only take longer. */
function makeInitramfs(): string {
  const root = join(folder, 'root');
  for (const name of ['bin', 'dev', 'etc', 'proc', 'sys']) {
    mkdirSync(join(root, name), { recursive: true });
  }
  for (const path of [realpathSync(busybox()), ...librariesOf(busybox())]) {
    const to = join(root, path.endsWith('/busybox') ? '/bin/busybox' : path);
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(path, to);
  }
  cpSync(LINUX, join(root, 'modules'), {
    recursive: true,
    filter: (path) => path !== KERNEL,
  });
  for (const [name, text] of [
    ['init', INIT],
    ['dhcp-script', DHCP_SCRIPT],
  ] as const) {
    writeFileSync(join(root, name), text);
    chmodSync(join(root, name), 0o755);
  }
  const archive = execFileSync('sh', ['-c', 'find . | busybox cpio -o -H newc'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 1 << 26,
  });
  const path = join(folder, 'initramfs');
  writeFileSync(path, archive);
  return path;
}

function busybox(): string {
  return execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim();
}

/** The shared objects a program needs, its loader included; of one that is static, none. */
function librariesOf(path: string): string[] {
  const { stdout } = spawnSync('ldd', [path], { encoding: 'utf8' });
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, library]) => library!);
}
