import type { Link } from '../link.ts';
import { PortOutput, type FrameObserver, type SharedByPorts } from './output.ts';
import type { ClassStatistics } from './queueing/index.ts';
import { changePortSettings, DEFAULT_PORT_SETTINGS, type PortSettings } from './settings.ts';
import type { StationHolder } from '../station/index.ts';
import type { SpanningTreePortState } from './spanning-tree/index.ts';
import { PortStatistics } from './statistics.ts';
import { stormLimiter, type StormLimiter } from './storm-control.ts';
import { VlanMembership } from './vlan.ts';

/** A port of a switch. */
export interface SwitchPort {
  /** From 1 on; the smallest that was free. */
  readonly number: number;
  readonly name: string;
  /** What is plugged in. */
  readonly link: Link;
  readonly settings: PortSettings;
  readonly statistics: PortStatistics;
  /** What the spanning tree lets it do; without one always `forwarding`. */
  readonly state: SpanningTreePortState;
  /** Stations learned here. */
  readonly stationCount: number;
  /** Changes the settings named; the others stay. Throws `SWITCH_SETTING_INVALID`, and changes nothing then. */
  configure(change: Partial<PortSettings>): void;
  /** What waits to go out; undefined: the port has no rate. */
  readonly queue: QueueStatus | undefined;
  /** All drops by reason: the port's, and those of its link. */
  drops(): Record<string, number>;
  /** Takes the port away and closes its link. */
  close(): Promise<void>;
}

/** What waits at a port. */
export interface QueueStatus {
  readonly frames: number;
  readonly bytes: number;
  /** By class of traffic: the last goes first. */
  readonly classes: readonly ClassStatistics[];
}

/** What a {@link Port} is made from. */
export interface PortOptions {
  readonly number: number;
  readonly name: string;
  readonly link: Link;
  readonly settings: Partial<PortSettings>;
  readonly shared: SharedByPorts;
  /** Told of new settings before they are in force; may throw, and then they never are. */
  changing(port: Port, settings: PortSettings): void;
}

/** A port as the switch sees it. */
export class Port implements SwitchPort, StationHolder {
  readonly number: number;
  readonly name: string;
  readonly link: Link;
  readonly statistics: PortStatistics = new PortStatistics(this);
  readonly output: PortOutput;
  state: SpanningTreePortState = 'forwarding';
  stationCount = 0;
  /** It shows what passes elsewhere, and does nothing else. */
  isMirror = false;
  /** Is shown each frame that comes in; undefined: nobody looks. */
  inputObserver: FrameObserver | undefined;
  vlans!: VlanMembership;
  broadcastStorm: StormLimiter | undefined;
  multicastStorm: StormLimiter | undefined;
  unknownStorm: StormLimiter | undefined;
  #settings: PortSettings = DEFAULT_PORT_SETTINGS;
  readonly #changing: PortOptions['changing'];

  constructor({ number, name, link, settings, shared, changing }: PortOptions) {
    this.number = number;
    this.name = name;
    this.link = link;
    this.output = new PortOutput(link, this.statistics, shared);
    this.#changing = changing;
    this.#apply(changePortSettings(DEFAULT_PORT_SETTINGS, settings), () => {});
  }

  get settings(): PortSettings {
    return this.#settings;
  }

  get stationLimit(): number {
    return this.#settings.stations;
  }

  configure(change: Partial<PortSettings>): void {
    const settings = changePortSettings(this.#settings, change);
    this.#apply(settings, () => this.#changing(this, settings));
  }

  /** First all that may be refused, so that what is refused changes nothing. */
  #apply(settings: PortSettings, changing: () => void): void {
    const { vlan, storm, queueing } = settings;
    const vlans = new VlanMembership(vlan);
    const [broadcast, multicast, unknown] = [
      stormLimiter(storm.broadcast),
      stormLimiter(storm.multicast),
      stormLimiter(storm.unknownUnicast),
    ];
    changing();
    if (queueing !== this.#settings.queueing) this.output.configure(queueing);
    this.#settings = settings;
    this.vlans = vlans;
    this.broadcastStorm = broadcast;
    this.multicastStorm = multicast;
    this.unknownStorm = unknown;
  }

  get queue(): QueueStatus | undefined {
    const { scheduler } = this.output;
    return (
      scheduler && { frames: scheduler.frames, bytes: scheduler.bytes, classes: scheduler.classes }
    );
  }

  drops(): Record<string, number> {
    const drops = this.statistics.drops.snapshot();
    for (const [reason, count] of Object.entries(this.link.statistics.drops.snapshot())) {
      drops[reason] = (drops[reason] ?? 0) + count;
    }
    return drops;
  }

  close(): Promise<void> {
    return this.link.close();
  }
}
