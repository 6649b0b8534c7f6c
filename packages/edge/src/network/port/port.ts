import type { Clock, Random } from 'netloom/core';
import type { Link, PortSettings, Switch, SwitchPort } from 'netloom/link';
import type { LinkModel, VlanModel } from '../../model/index.ts';
import type { LinkStatus, PortStatus, TrafficStatus } from '../../status/index.ts';
import { Line, linkStatus } from './line.ts';
import { PortLink, type Gate, type Recorders } from './port-link.ts';
import { describeVlan } from './settings.ts';

/** What all ports of a network share. */
export interface PortEnvironment {
  readonly network: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly gate: Gate;
  readonly recorders: Recorders;
}

/** What is plugged in. */
export interface PlugOptions {
  readonly name: string;
  readonly kind: string;
  /** The network's end of the cable. */
  readonly link: Link;
  readonly settings: Partial<PortSettings>;
  /** What is wrong with its line; undefined: there is none that anything could be wrong with. */
  readonly line?: LinkModel;
}

/** Who is at a port, as its status tells. */
export interface PortStation {
  readonly isConnected: boolean;
  readonly mac: string | null;
  readonly addresses: readonly string[];
}

/** A port of a network: of its switch, with the line that leads there. */
export class NetworkPort {
  readonly name: string;
  readonly kind: string;
  /** Undefined: nothing can be wrong with it. */
  readonly line: Line | undefined;
  readonly #environment: PortEnvironment;
  readonly #device: Link;
  readonly #switchPort: SwitchPort;

  /** Plugs it in. Throws as `Switch.connect`, and `IMPAIRMENT_INVALID`. */
  constructor(bridge: Switch, options: PlugOptions, environment: PortEnvironment) {
    const { name, kind, link, settings, line } = options;
    const { clock, random, gate, recorders } = environment;
    this.name = name;
    this.kind = kind;
    this.#environment = environment;
    this.#device = link;
    this.line = line && new Line(link, line, clock, random);
    const seen = new PortLink(name, this.line?.link ?? link, clock, gate, recorders);
    this.#switchPort = bridge.connect(seen, settings);
  }

  /** As the switch knows it. */
  get switchPort(): SwitchPort {
    return this.#switchPort;
  }

  /** Throws `SWITCH_SETTING_INVALID`. */
  configure(settings: Partial<PortSettings>): void {
    this.#switchPort.configure(settings);
  }

  /** Unplugs it, and closes its link. Idempotent. */
  close(): Promise<void> {
    return this.#switchPort.close();
  }

  status({ isConnected, mac, addresses }: PortStation): PortStatus {
    const { number, settings, state, statistics } = this.#switchPort;
    return {
      network: this.#environment.network,
      name: this.name,
      number,
      kind: this.kind,
      // What the switch was given is the model's.
      vlan: describeVlan(settings.vlan as VlanModel),
      state: portState({
        isConnected,
        isSuspended: !this.#environment.gate.isOpen,
        allowed: state,
      }),
      connected: isConnected,
      mac,
      addresses,
      received: trafficOf(statistics.received),
      sent: trafficOf(statistics.sent),
      drops: this.#drops(),
      link: this.#linkStatus(),
    };
  }

  #drops(): Record<string, number> {
    const drops = this.#switchPort.drops();
    if (this.line === undefined) return drops;
    for (const [why, count] of Object.entries(this.#device.statistics.drops.snapshot())) {
      drops[why] = (drops[why] ?? 0) + count;
    }
    return drops;
  }

  #linkStatus(): LinkStatus {
    const waiting = this.#switchPort.queue?.bytes ?? 0;
    return this.line?.status(waiting) ?? linkStatus({}, waiting);
  }
}

/** As the status of a port tells it. */
export function portState(port: {
  readonly isConnected: boolean;
  readonly isSuspended: boolean;
  /** What the spanning tree lets it do; where there is none it forwards. */
  readonly allowed?: string;
}): string {
  if (port.isSuspended) return 'suspended';
  return port.isConnected ? (port.allowed ?? 'forwarding') : 'unconnected';
}

function trafficOf({ frames, bytes }: { frames: number; bytes: number }): TrafficStatus {
  return { frames, bytes };
}
