import { execFile, execFileSync, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { MacAddress, secureRandom } from 'netloom/core';
import { gatewayServices } from 'netloom/gateway';
import { SystemClock, osHost, stackHost, uplink, type StackHost } from 'netloom/host';
import { Switch, type PortSettings } from 'netloom/link';
import { openTap } from 'netloom/link/tap';
import { iperf3, onLoopback, receivedRate } from '../frame/iperf3.ts';
import { ended, readUntil } from '../frame/place.ts';

/** The gateway's link address. */
export const GATEWAY: MacAddress = new MacAddress(0x0200, 1);

const FLOODER = fileURLToPath(new URL('flooder.ts', import.meta.url));
/** Frames a second. */
const RATE = 50_000;
/** Seconds of one run of iperf3. */
const SECONDS = 1;
const PORT = 5219;

const run = promisify(execFile);

/** A port of a guest that nobody trusts. */
const GUEST: Partial<PortSettings> = {
  stations: 16,
  whenFull: 'drop',
  storm: {
    broadcast: { framesPerSecond: 1000 },
    multicast: { framesPerSecond: 1000 },
    unknownUnicast: { framesPerSecond: 1000 },
  },
};

/** Two guests in namespaces of their own, each by a TAP at one switch, and a gateway by which they reach this machine's loopback, and nothing else. */
export class FloodScene implements AsyncDisposable {
  readonly #clock = new SystemClock();
  readonly #switch = new Switch(this.#clock, { random: secureRandom() });
  readonly #gateway: StackHost = stackHost({
    name: 'gateway',
    clock: this.#clock,
    forwarding: true,
  });
  readonly #namespaces: string[] = [];
  #neighbour = '';
  #attacker = '';

  /** Makes it; where that fails, nothing is left of it. */
  static async open(): Promise<FloodScene> {
    const scene = new FloodScene();
    try {
      await scene.#start();
      return scene;
    } catch (error) {
      await scene[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #start(): Promise<void> {
    const link = this.#switch.port({ name: 'gateway', mac: GATEWAY });
    this.#switch.addStation(link.mac, this.#switch.ports[0]!);
    const inside = this.#gateway.addInterface(link, {
      addresses: ['10.9.0.1/16', 'fd00:9::1/64', 'fe80::1/64'],
    });
    uplink({
      inside: this.#gateway,
      interfaces: [inside],
      outside: osHost(),
      hostAccess: 'gateway',
      allow: ({ destination }) => inside.find(destination.address) !== undefined,
    });
    await gatewayServices(this.#gateway, inside, { dns: false });
    this.#neighbour = this.#guest('neighbour', '10.9.1.1/16', GUEST);
    this.#attacker = this.#guest('attacker', '10.9.1.2/16', GUEST);
    // Where a flood costs its sender what it costs, and nobody else anything.
    const cable = 'link add nowhere type veth peer name nobody';
    for (const words of [cable, 'link set nowhere up', 'link set nobody up']) {
      execFileSync('ip', ['-n', this.#attacker, ...words.split(' ')]);
    }
  }

  /** Megabits a second that the neighbour sends to a server of the machine, while the attacker floods: the gateway, or nobody. */
  async measure(frames: Uint8Array, at: 'gateway' | 'nobody'): Promise<number> {
    const flooder = spawn(
      process.execPath,
      [
        ...process.execArgv,
        FLOODER,
        this.#attacker,
        at === 'gateway' ? 'tap0' : 'nowhere',
        String(RATE),
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    try {
      flooder.stdin.end(frames);
      await readUntil(flooder.stdout, /flooding/, 'the flooder');
      return await this.#throughput();
    } finally {
      await ended(flooder);
    }
  }

  async #throughput(): Promise<number> {
    const client = `netns exec ${this.#neighbour} iperf3 --json --client 10.9.0.1 --port ${PORT} --time ${SECONDS}`;
    const limits = { timeout: 60_000, maxBuffer: 1 << 24 };
    const report = await iperf3(onLoopback, PORT, async () => {
      const { stdout } = await run('ip', client.split(' '), limits);
      return stdout;
    });
    return receivedRate(report);
  }

  #guest(label: string, address: string, settings: Partial<PortSettings>): string {
    const namespace = `netloom-bench-${label}-${process.pid}`;
    execFileSync('ip', ['netns', 'add', namespace]);
    this.#namespaces.push(namespace);
    this.#switch.connect(openTap({ name: 'tap0', namespace }), settings);
    execFileSync('ip', ['-n', namespace, 'address', 'add', address, 'dev', 'tap0']);
    return namespace;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#gateway.close();
    await this.#switch.close();
    for (const namespace of this.#namespaces) execFileSync('ip', ['netns', 'delete', namespace]);
  }
}
