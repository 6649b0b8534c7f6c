import {
  Counters,
  NetloomError,
  channel,
  withLimits,
  type Channel,
  type Engine,
  type PublishedCount,
} from '../../../core/index.ts';
import { emitBpduFrame, isFault, parseBpduFrame, type Bpdu } from '../../../wire/index.ts';
import {
  TreeBridge,
  type SpanningTreeGuard,
  type SpanningTreePortState,
  type TreeEvent,
} from './bridge.ts';
import { PortMachines } from './machines.ts';
import { TreePort } from './port.ts';
import { selectRoles } from './role-selection.ts';
import {
  SPANNING_TREE_LIMITS,
  bridgeSettings,
  checkBridgePriority,
  checkPortNumber,
  portSettings,
  type SpanningTreeLimits,
  type SpanningTreeOptions,
  type SpanningTreePortOptions,
} from './settings.ts';
import {
  bridgeStatus,
  portStatus,
  type SpanningTreeBridgeStatus,
  type SpanningTreePortStatus,
} from './status.ts';

/** What a {@link SpanningTree} calls: once its machines have come to rest, and in the order in which things came about. */
export interface SpanningTreeSink {
  /** Send this frame by the port, whatever its state. It is given away. */
  send(port: number, frame: Uint8Array): void;
  /** What the port does with frames from now on. Ports begin by discarding. */
  state(port: number, state: SpanningTreePortState): void;
  /** Forget at once which stations are behind the port. */
  flush(port: number): void;
  /** A change of the topology was seen on the port, or told of through it; with every hello as long as it is told. */
  topologyChanged?(port: number): void;
  /** A guard has shut the port. */
  guarded?(port: number, why: SpanningTreeGuard): void;
}

/** A port took a step, as it is published. */
export interface SpanningTreePortChange {
  /** Live, so look at it and keep what you need. */
  readonly subject: SpanningTree;
  readonly port: number;
  readonly state: SpanningTreePortState;
}

/** Frames that spanning trees have not taken, by reason. */
export const SPANNING_TREE_DROP: Channel<PublishedCount<SpanningTree>> =
  channel('netloom:stp:drop');
/** States of ports. */
export const SPANNING_TREE_STATE: Channel<SpanningTreePortChange> = channel('netloom:stp:state');

/**
 * The spanning tree of one bridge (IEEE 802.1D-2004, clause 17): with the bridges around it, it chooses the ports that forward so that there is a
 * way between any two stations, and never two. It forwards nothing itself: its owner hands it the frames that come to 01:80:c2:00:00:00, and does
 * with all others what the states it tells of allow.
 *
 * On cables the newer protocol is done in a moment. But where a root is lost in a network with rings, old word of it can go round for up to its
 * maximum age, each time older by one bridge; some links rest for so long. That is in the protocol's nature; loops in that time, which are
 * in its nature as well, are kept from coming about.
 */
export class SpanningTree implements Engine {
  readonly #bridge: TreeBridge;
  readonly #sink: SpanningTreeSink;
  readonly #limits: SpanningTreeLimits;
  readonly #running = new Map<TreePort, PortMachines>();
  readonly #drops: Counters = new Counters(SPANNING_TREE_DROP, this);
  #isDelivering = false;

  /** Throws `SPANNING_TREE_INVALID`. */
  constructor(options: SpanningTreeOptions, sink: SpanningTreeSink) {
    this.#limits = withLimits(SPANNING_TREE_LIMITS, options.limits);
    this.#bridge = new TreeBridge(options.mac, bridgeSettings(options), options.random);
    this.#sink = sink;
  }

  /** What the bridge knows of the tree. */
  get bridge(): SpanningTreeBridgeStatus {
    return bridgeStatus(this.#bridge);
  }

  /** What each port is to the tree. */
  get ports(): readonly SpanningTreePortStatus[] {
    return [...this.#bridge.ports.values()].map(portStatus);
  }

  /** What one port is to the tree. */
  port(port: number): SpanningTreePortStatus | undefined {
    const found = this.#bridge.ports.get(port);
    return found === undefined ? undefined : portStatus(found);
  }

  /** Frames that were not taken, on all ports, by reason. */
  get drops(): Counters {
    return this.#drops;
  }

  /** Adds a port, 1 to 4095, which is down. Throws `SPANNING_TREE_INVALID` or `SPANNING_TREE_FULL`. */
  addPort(number: number, options: SpanningTreePortOptions, now: number): void {
    const { ports } = this.#bridge;
    checkPortNumber(number);
    if (ports.has(number)) {
      throw new NetloomError('SPANNING_TREE_INVALID', `the spanning tree has a port ${number}`, {
        remedy: 'Remove it first, or give this one another number.',
      });
    }
    if (ports.size >= this.#limits.ports) {
      throw new NetloomError(
        'SPANNING_TREE_FULL',
        `the spanning tree has ${this.#limits.ports} ports, all in use`,
        { remedy: "Give it a larger limit 'ports'." },
      );
    }
    const port = new TreePort(this.#bridge, number, portSettings(options, {}));
    this.#bridge.now = now;
    ports.set(number, port);
    this.#running.set(port, new PortMachines(port));
    this.#bridge.wakeAll();
    this.#settle();
  }

  /** Removes the port; nothing is told of it any more. Does no harm when it is not there. */
  removePort(number: number, now: number): void {
    const port = this.#bridge.ports.get(number);
    if (port === undefined) return;
    this.#bridge.now = now;
    this.#bridge.ports.delete(number);
    this.#bridge.forget(port);
    this.#running.delete(port);
    port.stopTimers();
    this.#bridge.reselect = true;
    this.#settle();
  }

  /** Changes what a port is to the tree. Throws `SPANNING_TREE_INVALID`. */
  changePort(number: number, changes: Partial<SpanningTreePortOptions>, now: number): void {
    const port = this.#portOf(number);
    const before = port.settings;
    port.settings = portSettings(changes, before);
    this.#bridge.now = now;
    if (before.bpduGuard && !port.settings.bpduGuard && port.guardedBy === 'bpdu-guard') {
      this.#enable(port);
    }
    this.#bridge.reselect = true;
    this.#settle();
  }

  /** Changes the bridge's priority, and with it, maybe, the root. Throws `SPANNING_TREE_INVALID`. */
  setPriority(priority: number, now: number): void {
    checkBridgePriority(priority);
    this.#bridge.now = now;
    this.#bridge.setPriority(priority);
    this.#settle();
  }

  /** The link of the port works from now on. A port that BPDU guard has shut gets another chance. */
  portUp(number: number, now: number): void {
    const port = this.#portOf(number);
    this.#bridge.now = now;
    port.isUp = true;
    this.#enable(port);
    this.#settle();
  }

  /** The link of the port does not work any more. */
  portDown(number: number, now: number): void {
    const port = this.#portOf(number);
    this.#bridge.now = now;
    port.isUp = false;
    this.#disable(port);
    this.#settle();
  }

  /** Has the port try the newer protocol again, where it has fallen back to the older one (17.19.13). */
  checkProtocol(number: number, now: number): void {
    const port = this.#portOf(number);
    this.#bridge.now = now;
    port.mcheck = this.#bridge.rstpVersion;
    this.#bridge.wake(port);
    this.#settle();
  }

  /** Takes a frame that has come by the port to the bridges' group address. It is borrowed. */
  receive(number: number, frame: Uint8Array, now: number): void {
    const port = this.#bridge.ports.get(number);
    if (port === undefined) {
      this.#drops.add('port-unknown');
      return;
    }
    this.#bridge.now = now;
    const bpdu = this.#admit(port, frame);
    if (typeof bpdu === 'string') {
      port.drops.add(bpdu);
      this.#drops.add(bpdu);
      return;
    }
    port.received[bpdu.kind]++;
    port.bpdu = bpdu;
    port.rcvdBPDU = true;
    this.#bridge.wake(port);
    this.#settle();
  }

  /** When the next timer of any port runs out. */
  deadline(): number {
    return this.#bridge.timers.deadline();
  }

  /** Does what is due. Timers that have run out together count as one event. */
  advance(now: number): void {
    const bridge = this.#bridge;
    if (!(bridge.timers.deadline() <= now)) return;
    bridge.now = now;
    for (;;) {
      const timer = bridge.timers.takeDue(now);
      if (timer === undefined) break;
      timer.port.expired(timer);
    }
    this.#settle();
  }

  #portOf(number: number): TreePort {
    const port = this.#bridge.ports.get(number);
    if (port !== undefined) return port;
    throw new NetloomError('SPANNING_TREE_INVALID', `the spanning tree has no port ${number}`, {
      remedy: 'Add the port first.',
    });
  }

  #enable(port: TreePort): void {
    port.guardedBy = undefined;
    port.portEnabled = port.isUp;
    port.edgeDelayWhile.release();
    port.mdelayWhile.release();
    this.#bridge.wake(port);
  }

  #disable(port: TreePort): void {
    port.portEnabled = false;
    port.guardedBy = undefined;
    this.#bridge.wake(port);
  }

  /** The BPDU, if it is to be taken (9.3.4); otherwise the reason why not. */
  #admit(port: TreePort, frame: Uint8Array): Bpdu | string {
    if (!port.portEnabled) return port.guardedBy ?? 'port-down';
    if (!this.#isWithinRate(port)) return 'rate';
    const bpdu = parseBpduFrame(frame);
    if (isFault(bpdu)) return bpdu;
    if (port.settings.bpduGuard) {
      this.#shut(port);
      return 'bpdu-guard';
    }
    if (bpdu.kind === 'topology-change-notification') return bpdu;
    if (bpdu.port === port.portId && bpdu.bridge.mac.equals(this.#bridge.mac)) return 'own';
    if (bpdu.kind === 'configuration' && bpdu.messageAge >= bpdu.maxAge) return 'too-old';
    return bpdu;
  }

  #isWithinRate(port: TreePort): boolean {
    const { now } = this.#bridge;
    if (now - port.receivedSince >= 1000) {
      port.receivedSince = now;
      port.receivedLately = 0;
    }
    return ++port.receivedLately <= this.#limits.receivedPerSecond;
  }

  #shut(port: TreePort): void {
    port.portEnabled = false;
    port.guardedBy = 'bpdu-guard';
    this.#bridge.events.push({ kind: 'guarded', port, why: 'bpdu-guard' });
    this.#bridge.wake(port);
    this.#settle();
  }

  /** Runs the machines until they rest, then tells what has come of it. A handler may come in here again: what it causes is told after what there is. */
  #settle(): void {
    this.#runMachines();
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      const { events } = this.#bridge;
      for (let event = events.shift(); event !== undefined; event = events.shift()) {
        if (this.#running.has(event.port)) this.#deliver(event);
      }
    } finally {
      this.#isDelivering = false;
    }
  }

  #runMachines(): void {
    const bridge = this.#bridge;
    const stepped = new Set<PortMachines>();
    for (;;) {
      const port = bridge.takeAwake();
      if (port !== undefined) {
        const machines = this.#running.get(port)!;
        machines.settle();
        stepped.add(machines);
      } else if (bridge.reselect) {
        selectRoles(bridge);
      } else {
        break;
      }
    }
    for (const machines of stepped) machines.transmit();
  }

  #deliver(event: TreeEvent): void {
    const { port } = event;
    switch (event.kind) {
      case 'send':
        port.sent[event.bpdu.kind]++;
        this.#sink.send(port.number, emitBpduFrame(event.bpdu, this.#bridge.mac));
        break;
      case 'state':
        if (SPANNING_TREE_STATE.hasSubscribers) {
          SPANNING_TREE_STATE.publish({ subject: this, port: port.number, state: event.state });
        }
        this.#sink.state(port.number, event.state);
        break;
      case 'flush':
        this.#sink.flush(port.number);
        break;
      case 'topology-changed':
        this.#sink.topologyChanged?.(port.number);
        break;
      case 'guarded':
        this.#sink.guarded?.(port.number, event.why);
        break;
    }
  }
}
