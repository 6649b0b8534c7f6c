/** Open vSwitch in a namespace of a test, with a database, daemons and sockets of its own and its data path in user space: nothing of the system's is used. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { KernelNamespace, NamespaceProgram } from '../kernel-namespace.ts';
import { program, type Obstacle } from '../requires.ts';

const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema';
const BRIDGE = 'br0';
/** What it would otherwise look for in the system's folders. */
const FOLDERS = ['OVS_RUNDIR', 'OVS_LOGDIR', 'OVS_DBDIR', 'OVS_SYSCONFDIR'];

const folder = mkdtempSync(join(tmpdir(), 'netloom-ovs-'));
let made = 0;
after(() => rmSync(folder, { recursive: true }));

/** What is set of a bridge or a port, by the keys of its column `other_config` (ovs-vswitchd.conf.db(5)). */
export type OtherConfig = Readonly<Record<string, string | number | boolean>>;

/** What it tells of its rapid spanning tree. */
export interface RapidTree {
  /** As our own identifiers of bridges print. */
  readonly root: string;
  /** Of each port, by its interface: role and state. */
  readonly ports: Readonly<Record<string, string>>;
}

/** What is missing, or false. */
export function openVswitchObstacle(): Obstacle {
  const programs = ['ovsdb-tool', 'ovsdb-server', 'ovs-vswitchd', 'ovs-vsctl', 'ovs-appctl'];
  return programs.map(program).find((obstacle) => obstacle !== false) ?? false;
}

/** A bridge of Open vSwitch that speaks RSTP. It goes with the namespace. */
export class OpenVswitch {
  /** The daemon, whose lines tell of each step of a state machine of the tree's. */
  readonly daemon: NamespaceProgram;
  readonly #namespace: KernelNamespace;
  readonly #folder: string;

  /**
   * Settles when it is as it is to be.
   * @param ports what is set of each, by its interface, which has to be there
   */
  static async start(
    namespace: KernelNamespace,
    bridge: OtherConfig,
    ports: Readonly<Record<string, OtherConfig>>,
  ): Promise<OpenVswitch> {
    const started = new OpenVswitch(namespace);
    await started.#configure(bridge, ports);
    return started;
  }

  private constructor(namespace: KernelNamespace) {
    this.#namespace = namespace;
    this.#folder = join(folder, `${++made}`);
    const database = this.#path('conf.db');
    const server = `ovsdb-server ${database} --remote=punix:${this.#path('db.sock')} --unixctl=${this.#path('db.ctl')}`;
    this.#start(
      `mkdir ${this.#folder} && ovsdb-tool create ${database} ${SCHEMA} && exec ${server} -vconsole:warn`,
    );
    // It waits for the database by itself.
    const daemon = `ovs-vswitchd unix:${this.#path('db.sock')} --unixctl=${this.#path('switch.ctl')}`;
    this.daemon = this.#start(`exec ${daemon} -vconsole:warn -vrstp_sm:console:dbg`);
  }

  /** What it says of its tree. */
  async tree(): Promise<RapidTree> {
    const words = ['-t', this.#path('switch.ctl'), 'rstp/show'];
    const said = await this.#namespace.run('ovs-appctl', ...words);
    const rootId = /Root ID:\n +stp-priority +(\d+)\n +stp-system-id +(\S+)\n/;
    const [, priority, mac] = rootId.exec(said)!;
    const rows = said.matchAll(/^ +(\S+) +(Root|Designated|Alternate|Backup|Disabled) +(\S+) /gm);
    const ports = [...rows].map(([, name, role, state]) => [
      name,
      `${role} ${state}`.toLowerCase(),
    ]);
    return {
      root: `${Number(priority).toString(16).padStart(4, '0')}.${mac}`,
      ports: Object.fromEntries(ports),
    };
  }

  async #configure(
    bridge: OtherConfig,
    ports: Readonly<Record<string, OtherConfig>>,
  ): Promise<void> {
    await this.#control('--no-wait', 'init');
    const kind = ['datapath_type=netdev', 'rstp_enable=true', ...columns(bridge)];
    const words = ['--', 'add-br', BRIDGE, '--', 'set', 'Bridge', BRIDGE, ...kind];
    for (const [name, settings] of Object.entries(ports)) {
      words.push('--', 'add-port', BRIDGE, name);
      words.push('--', 'set', 'Port', name, ...columns(settings));
    }
    await this.#control(...words);
  }

  /** Settles when the daemon has followed. It is tried again for as long as there is no server. */
  async #control(...words: readonly string[]): Promise<void> {
    await this.#namespace.run(
      'ovs-vsctl',
      `--db=unix:${this.#path('db.sock')}`,
      '--retry',
      ...words,
    );
  }

  #start(command: string): NamespaceProgram {
    const environment = FOLDERS.map((name) => `${name}=${this.#folder}`).join(' ');
    return this.#namespace.startProgram('sh', '-c', `export ${environment}; ${command} 2>&1`);
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }
}

function columns(settings: OtherConfig): string[] {
  return Object.entries(settings).map(([name, value]) => `other_config:${name}=${value}`);
}
