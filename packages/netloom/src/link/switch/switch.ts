import {
  EngineTimer,
  MacAddress,
  NetloomError,
  withLimits,
  type Clock,
  type Counters,
  type IpAddress,
  type Random,
} from '../../core/index.ts';
import { FramePool } from '../frame-pool.ts';
import type { Link } from '../link.ts';
import { linkPair, type LinkPairOptions } from '../pair.ts';
import { AddressGuard } from './address-guard.ts';
import { ForwardingPath } from './forwarding.ts';
import { Mirrors, type Mirror, type MirrorOptions } from './mirrors.ts';
import type { SharedByPorts } from './output.ts';
import { Port, type SwitchPort } from './port.ts';
import { FlowHash } from './queueing/index.ts';
import type { PortSettings } from './settings.ts';
import { Snooper, type SnoopingSettings } from './snooping/index.ts';
import type { SpanningTree, SpanningTreeOptions } from './spanning-tree/index.ts';
import { StationTable, type StationEntry } from '../station/index.ts';
import { TreeDriver } from './tree-driver.ts';
import { checkVlan } from './vlan.ts';

/** The limits of a {@link Switch}. */
export interface SwitchLimits {
  readonly ports: number;
  readonly mirrors: number;
  /** Stations known at all ports; how many at one is a setting of the port. */
  readonly stations: number;
  /** IP addresses that the switch was told the ports of. */
  readonly addresses: number;
  /** Groups that somebody wants to hear, and those that one port is a member of, where the switch snoops. */
  readonly groups: number;
  readonly groupsPerPort: number;
  /** Bytes of memory kept for frames to come. */
  readonly poolBytes: number;
}

const DEFAULT_LIMITS: SwitchLimits = {
  ports: 1024,
  mirrors: 16,
  stations: 16_384,
  addresses: 16_384,
  groups: 4096,
  groupsPerPort: 512,
  poolBytes: 16 * 1024 * 1024,
};

/** Milliseconds after which a silent station is forgotten (IEEE 802.1Q, table 8-6). */
const AGEING = 300_000;

/** What a {@link Switch} is made from beside the clock. */
export interface SwitchOptions {
  /** Default `switch`. */
  readonly name?: string;
  /** Its own address. Default: drawn. */
  readonly mac?: MacAddress;
  readonly random: Random;
  /** Milliseconds after which a silent station is forgotten. Default 300,000. */
  readonly ageing?: number;
  /** Listens to IGMP and MLD, so that a group's frames go only where they are wanted. Default: no, and they go everywhere. */
  readonly snooping?: SnoopingSettings;
  /** Takes part in a spanning tree. Default: no, and the spanning trees of others go through. */
  readonly spanningTree?: Omit<SpanningTreeOptions, 'mac' | 'random'>;
  readonly limits?: Partial<SwitchLimits>;
}

/** What a port with a cable of its own is made from: its station's name and address, the cable's properties, the port's settings. */
export interface SwitchCableOptions extends Omit<LinkPairOptions, 'names' | 'macs'> {
  readonly name: string;
  readonly mac: MacAddress;
  readonly settings?: Partial<PortSettings>;
}

/** A group of a VLAN, and the ports that want to hear it. */
export interface KnownGroup {
  readonly vlan: number;
  readonly group: IpAddress;
  readonly ports: readonly SwitchPort[];
}

/** A port behind which a multicast router is. */
export interface KnownMulticastRouter {
  readonly vlan: number;
  readonly family: 4 | 6;
  readonly port: SwitchPort;
}

/** What a switch knows of a station. */
export type KnownStation = StationEntry<SwitchPort>;

/**
 * An Ethernet switch (a bridge of IEEE 802.1Q): it learns which stations are behind which port, keeps VLANs apart, and sends a frame out
 * only where it has to go.
 *
 * Any {@link Link} can be plugged in. What a frame's sender left to the link is handed on where the other link can do it, and
 * done in software where it cannot.
 */
export class Switch implements AsyncDisposable {
  readonly name: string;
  readonly mac: MacAddress;
  readonly #clock: Clock;
  readonly #limits: SwitchLimits;
  readonly #shared: SharedByPorts;
  readonly #stations: StationTable<Port>;
  readonly #stationTimer: EngineTimer;
  readonly #guard: AddressGuard<Port>;
  readonly #path: ForwardingPath;
  readonly #tree: TreeDriver | undefined;
  readonly #snooper: Snooper<Port> | undefined;
  readonly #mirrors: Mirrors;
  /** Never changed, but replaced: so a frame under way goes to the ports there were. */
  #ports: readonly Port[] = [];
  readonly #byNumber: (Port | undefined)[] = [];
  #now = 0;
  #inBatch = false;

  constructor(clock: Clock, options: SwitchOptions) {
    const { name = 'switch', random, mac = MacAddress.random(random), ageing = AGEING } = options;
    if (!(ageing > 0)) {
      throw new NetloomError('SWITCH_SETTING_INVALID', `the ageing of a switch is ${ageing}`, {
        remedy: 'Give milliseconds, more than 0; Infinity keeps stations for ever.',
      });
    }
    this.name = name;
    this.mac = mac;
    this.#clock = clock;
    this.#limits = withLimits(DEFAULT_LIMITS, options.limits);
    const flows = new FlowHash(random.fill(new Uint8Array(8)));
    this.#shared = { clock, pool: new FramePool(this.#limits.poolBytes), flows };
    this.#stations = new StationTable({ random, limit: this.#limits.stations, ageing });
    this.#stationTimer = new EngineTimer(clock, this.#stations);
    this.#tree =
      options.spanningTree &&
      new TreeDriver(clock, { ...options.spanningTree, mac, random }, (port) => this.#forget(port));
    const { snooping } = options;
    this.#snooper = snooping && new Snooper<Port>(clock, random, snooping, this.#limits);
    this.#mirrors = new Mirrors(this.#limits.mirrors, () => this.#ports);
    this.#guard = new AddressGuard(this.#limits.addresses);
    this.#path = new ForwardingPath({
      guard: this.#guard,
      stations: this.#stations,
      snooper: this.#snooper,
      ports: () => this.#ports,
      port: (number) => this.#byNumber[number]!,
      takeBpdu: (port, frame, now) => {
        this.#tree?.receive(port, frame, now);
        return this.#tree !== undefined;
      },
      stationLearned: () => this.#stationTimer.update(),
    });
  }

  /** The spanning tree the switch takes part in, to be looked at. */
  get spanningTree(): SpanningTree | undefined {
    return this.#tree?.tree;
  }

  /** The ports there are, by number. */
  get ports(): readonly SwitchPort[] {
    return this.#ports;
  }

  /** Makes a cable, plugs one end in, and answers the other: the link for a station. */
  port({ name, mac, settings, ...cable }: SwitchCableOptions): Link {
    // The switch's own end sends no frames of its own, so its address is never seen.
    const [inside, outside] = linkPair(this.#clock, {
      ...cable,
      names: [`${name}@${this.name}`, name],
      macs: [mac, mac],
    });
    this.#connect(inside, name, settings);
    return outside;
  }

  /** Plugs a link in: the switch becomes its handler. When the link ends, the port is gone. Throws `SWITCH_FULL`, `SWITCH_SETTING_INVALID`, `SPANNING_TREE_INVALID`. */
  connect(link: Link, settings?: Partial<PortSettings>): SwitchPort {
    return this.#connect(link, link.name, settings);
  }

  #connect(link: Link, name: string, settings: Partial<PortSettings> = {}): Port {
    if (this.#ports.length >= this.#limits.ports) {
      throw new NetloomError(
        'SWITCH_FULL',
        `${this.name} has ${this.#limits.ports} ports, all in use`,
        { remedy: "Give the switch a larger limit 'ports'." },
      );
    }
    const number = freeNumber(this.#ports);
    const port = new Port({
      number,
      name,
      link,
      settings,
      shared: this.#shared,
      changing: (_, changed) => this.#changing(port, changed),
    });
    this.#tree?.add(port);
    this.#byNumber[number] = port;
    this.#ports = [...this.#ports, port].sort((a, b) => a.number - b.number);
    this.#mirrors.portAdded();
    link.attach({
      receive: (frame, offload) => this.#path.receive(port, frame, offload, this.#beginBatch()),
      batchEnd: () => this.#endBatch(),
      closed: () => {
        this.#endBatch();
        this.#remove(port);
      },
    });
    return port;
  }

  /** The time of what is being done: one instant for all frames of a batch. */
  #beginBatch(): number {
    if (!this.#inBatch) {
      this.#inBatch = true;
      this.#now = this.#clock.now();
    }
    return this.#now;
  }

  #endBatch(): void {
    this.#inBatch = false;
  }

  #changing(port: Port, settings: PortSettings): void {
    if (settings.spanningTree !== port.settings.spanningTree) {
      this.#tree?.change(port, settings.spanningTree);
    }
    const { vlan, stations } = port.settings;
    // What was learned is not true of other VLANs, and may be more than is allowed now.
    if (settings.vlan !== vlan || settings.stations !== stations) this.#forget(port);
  }

  /** Forgets what was learned at a port. */
  #forget(port: Port): void {
    this.#stations.flush(port);
    this.#stationTimer.update();
    this.#snooper?.forget(port);
  }

  #remove(port: Port): void {
    this.#ports = this.#ports.filter((other) => other !== port);
    port.output.close();
    this.#tree?.remove(port);
    this.#stations.flush(port, true);
    this.#stationTimer.update();
    this.#guard.forget(port);
    this.#byNumber[port.number] = undefined;
    this.#snooper?.remove(port);
    this.#mirrors.portRemoved(port);
  }

  /** The stations that are known, in no order. */
  stations(): KnownStation[] {
    return this.#stations.entries();
  }

  /** The groups that somebody wants to hear, and where. Empty, if the switch does not snoop. */
  groups(): KnownGroup[] {
    return this.#snooper?.groups() ?? [];
  }

  /** Where multicast routers are heard. */
  multicastRouters(): KnownMulticastRouter[] {
    return this.#snooper?.routers(this.#clock.now()) ?? [];
  }

  /** Messages of IGMP and MLD that were not understood (`invalid`), and memberships there was no room for (`group-limit`). */
  get snoopingRefusals(): Counters | undefined {
    return this.#snooper?.refusals;
  }

  /** Says where a station is: it is neither learned elsewhere nor forgotten. Throws `SWITCH_STATIONS_FULL`, `SWITCH_PORT_UNKNOWN`, `SWITCH_SETTING_INVALID`. */
  addStation(mac: MacAddress, port: SwitchPort, vlan = 1): void {
    checkVlan(vlan);
    if (this.#stations.addStatic(vlan, mac, this.#own(port), this.#clock.now())) return;
    throw new NetloomError(
      'SWITCH_STATIONS_FULL',
      `${this.name} knows ${this.#limits.stations} stations, and has no room for ${mac}`,
      { remedy: "Give the switch a larger limit 'stations'." },
    );
  }

  /** Forgets a station, static or not. False: it was not known. */
  removeStation(mac: MacAddress, vlan = 1): boolean {
    const wasKnown = this.#stations.forget(vlan, mac);
    this.#stationTimer.update();
    return wasKnown;
  }

  /**
   * Says behind which port an IP address is: ARP packets and neighbour discovery that claim it elsewhere are dropped (`address-elsewhere`), until the port is gone. Throws
   * `SWITCH_ADDRESSES_FULL`, `SWITCH_PORT_UNKNOWN`, `SWITCH_SETTING_INVALID`.
   */
  addAddress(address: IpAddress, port: SwitchPort, vlan = 1): void {
    checkVlan(vlan);
    if (this.#guard.add(vlan, address, this.#own(port))) return;
    throw new NetloomError(
      'SWITCH_ADDRESSES_FULL',
      `${this.name} was told of ${this.#limits.addresses} addresses, and has no room for ${address}`,
      { remedy: "Give the switch a larger limit 'addresses'." },
    );
  }

  /** Anybody may claim the address from now on. False: it was not known. */
  removeAddress(address: IpAddress, vlan = 1): boolean {
    return this.#guard.remove(vlan, address);
  }

  /** Shows what passes at some ports, or in a VLAN, at a port. Throws `SWITCH_MIRRORS_FULL`, `SWITCH_PORT_UNKNOWN`, `SWITCH_SETTING_INVALID`. */
  mirror(options: MirrorOptions): Mirror {
    this.#own(options.to);
    for (const port of options.ports ?? []) this.#own(port);
    return this.#mirrors.add(options);
  }

  #own(port: SwitchPort): Port {
    const own = this.#ports.find((other) => other === port);
    if (own !== undefined) return own;
    throw new NetloomError('SWITCH_PORT_UNKNOWN', `${this.name} has no port ${port.name}`, {
      remedy: "Give one of the switch's 'ports'; a port whose link has ended is gone.",
    });
  }

  /** Closes every link that is plugged in. */
  async close(): Promise<void> {
    await Promise.all(this.#ports.map((port) => port.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The smallest number from 1 on that no port has; ports are in order of theirs. */
function freeNumber(ports: readonly Port[]): number {
  const gap = ports.findIndex((port, index) => port.number !== index + 1);
  return gap < 0 ? ports.length + 1 : gap + 1;
}
