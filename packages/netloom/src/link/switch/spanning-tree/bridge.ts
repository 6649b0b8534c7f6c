import { TimerQueue, type MacAddress, type Random } from '../../../core/index.ts';
import { BridgeIdentifier, type Bpdu } from '../../../wire/index.ts';
import type { TreePort } from './port.ts';
import type { PortTimer } from './port-timer.ts';
import type { BridgeSettings } from './settings.ts';
import type { PriorityVector, Times } from './vectors.ts';

/** What a port does with frames (IEEE 802.1D-2004, 7.4). */
export type SpanningTreePortState = 'discarding' | 'learning' | 'forwarding';

/** Why a guard of a port has stepped in. */
export type SpanningTreeGuard = 'bpdu-guard' | 'root-guard';

/** What the machines want to be done outside. Carried out once they have all come to rest. */
export type TreeEvent =
  | { readonly kind: 'send'; readonly port: TreePort; readonly bpdu: Bpdu }
  | { readonly kind: 'state'; readonly port: TreePort; readonly state: SpanningTreePortState }
  | { readonly kind: 'flush'; readonly port: TreePort }
  | { readonly kind: 'topology-changed'; readonly port: TreePort }
  | { readonly kind: 'guarded'; readonly port: TreePort; readonly why: SpanningTreeGuard };

/**
 * A bridge's variables (IEEE 802.1D-2004, 17.18), under the standard's names, and its procedures for all ports. What is said of "the
 * tree" there is said of the bridge here.
 */
export class TreeBridge {
  readonly mac: MacAddress;
  readonly random: Random;
  readonly settings: BridgeSettings;
  readonly ports: Map<number, TreePort> = new Map();
  readonly timers: TimerQueue<PortTimer> = new TimerQueue();
  /** The time of the input that is being worked on. */
  now = 0;
  BridgeIdentifier: BridgeIdentifier;
  rootPriority: PriorityVector;
  rootTimes: Times;
  rootPort: TreePort | undefined;
  /** A port asks for the roles to be computed anew. */
  reselect = false;
  readonly events: TreeEvent[] = [];
  topologyChanges = 0;
  topologyChangedAt: number | undefined;
  /** Ports one of whose machines may have a step to take. */
  readonly #awake = new Set<TreePort>();

  constructor(mac: MacAddress, settings: BridgeSettings, random: Random) {
    this.mac = mac;
    this.settings = settings;
    this.random = random;
    this.BridgeIdentifier = new BridgeIdentifier(settings.priority, mac);
    this.rootPriority = this.BridgePriority;
    this.rootTimes = this.BridgeTimes;
  }

  /** The word of a bridge that is the root itself (17.18.3). */
  get BridgePriority(): PriorityVector {
    return {
      root: this.BridgeIdentifier,
      rootPathCost: 0,
      designatedBridge: this.BridgeIdentifier,
      designatedPort: 0,
    };
  }

  /** (17.18.4) */
  get BridgeTimes(): Times {
    const { maxAge, helloTime, forwardDelay } = this.settings;
    return { messageAge: 0, maxAge, helloTime, forwardDelay };
  }

  /** (17.20.11) */
  get rstpVersion(): boolean {
    return this.settings.mode === 'rstp';
  }

  /** Every port has the role that was selected for it, and none but the root port is out of step with the root (17.20.3). */
  get allSynced(): boolean {
    for (const port of this.ports.values()) {
      const isSettled = port.selected && !port.updtInfo && port.role === port.selectedRole;
      if (!isSettled || !(port.synced || port.role === 'root')) return false;
    }
    return true;
  }

  /** No other port was lately the root port, or all that were have been told to discard since (17.20.10). */
  isReRooted(newRoot: TreePort): boolean {
    for (const port of this.ports.values()) {
      if (port !== newRoot && !port.rrWhile.isZero) return false;
    }
    return true;
  }

  /** (17.21.14) */
  setSyncTree(): void {
    for (const port of this.ports.values()) port.sync = true;
    this.wakeAll();
  }

  /** (17.21.15) */
  setReRootTree(): void {
    for (const port of this.ports.values()) port.reRoot = true;
    this.wakeAll();
  }

  /** All but the port itself pass the topology change on (17.21.18). */
  setTcPropTree(from: TreePort): void {
    for (const port of this.ports.values()) if (port !== from) port.tcProp = true;
    this.wakeAll();
  }

  /** A topology change was seen on a port, or told of through it. */
  noteTopologyChange(port: TreePort): void {
    this.topologyChanges++;
    this.topologyChangedAt = this.now;
    this.events.push({ kind: 'topology-changed', port });
  }

  /** Has the port's conditions looked at again. */
  wake(port: TreePort): void {
    this.#awake.add(port);
  }

  wakeAll(): void {
    for (const port of this.ports.values()) this.#awake.add(port);
  }

  /** The port is gone. */
  forget(port: TreePort): void {
    this.#awake.delete(port);
    if (this.rootPort === port) this.rootPort = undefined;
  }

  /** The bridge is known by another identifier from now on. */
  setPriority(priority: number): void {
    this.BridgeIdentifier = new BridgeIdentifier(priority, this.mac);
    this.reselect = true;
  }

  /** Takes a port out of those that were woken. */
  takeAwake(): TreePort | undefined {
    for (const port of this.#awake) {
      this.#awake.delete(port);
      return port;
    }
    return undefined;
  }
}
