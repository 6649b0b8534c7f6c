import { channel, formatSocketAddress, type Channel, type Clock } from '../../core/index.ts';
import { Flow, type FlowEnd, type FlowEnds, type FlowProtocol, type UplinkFlow } from './flow.ts';
import type { UplinkLimits } from './limits.ts';

/** Flows that begin, those included that are refused at once. */
export const FLOW_OPENED: Channel<UplinkFlow> = channel('netloom:uplink:flow-opened');
/** Flows that are over. */
export const FLOW_CLOSED: Channel<UplinkFlow> = channel('netloom:uplink:flow-closed');

/** What has gone to one destination, over all flows. */
export interface DestinationAccount {
  readonly protocol: FlowProtocol;
  /** As `192.0.2.1:443`; `others` for all that had no room. */
  readonly destination: string;
  /** The names that its address was given for, as the first flow knew them. */
  readonly labels: readonly string[];
  readonly flows: number;
  /** Of those: denied by the policy. */
  readonly denied: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

type MutableAccount = { -readonly [Key in keyof DestinationAccount]: DestinationAccount[Key] };

/** The flows of an uplink: those there are, the last that ended, and accounts by destination. */
export class FlowTable {
  readonly #clock: Clock;
  readonly #limits: UplinkLimits;
  readonly #open = new Set<Flow>();
  /** A ring of the last that ended. */
  readonly #ended: Flow[] = [];
  #endedCount = 0;
  #lastId = 0;
  readonly #accounts = new Map<string, MutableAccount>();

  constructor(clock: Clock, limits: UplinkLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** How many there are. */
  get size(): number {
    return this.#open.size;
  }

  /** How many have ended so far. */
  get endedCount(): number {
    return this.#endedCount;
  }

  /** The flows there are, oldest first. */
  list(): UplinkFlow[] {
    return [...this.#open];
  }

  /** The last flows that ended, oldest first. */
  ended(): UplinkFlow[] {
    const { endedFlows } = this.#limits;
    const first = this.#endedCount > endedFlows ? this.#endedCount % endedFlows : 0;
    return [...this.#ended.slice(first), ...this.#ended.slice(0, first)];
  }

  /** What went where, the flows that are open included; most bytes first. */
  destinations(): DestinationAccount[] {
    const sums = new Map<string, MutableAccount>();
    for (const [key, account] of this.#accounts) sums.set(key, { ...account });
    for (const flow of this.#open) add(sums, flow, this.#limits.accounts);
    return [...sums.values()].toSorted((a, b) => volume(b) - volume(a));
  }

  /** A flow begins. */
  begin(ends: FlowEnds): Flow {
    const flow = new Flow(++this.#lastId, ends, this.#clock.now());
    this.#open.add(flow);
    if (FLOW_OPENED.hasSubscribers) FLOW_OPENED.publish(flow);
    return flow;
  }

  /** A flow is over. Once only. */
  end(flow: Flow, why: FlowEnd): void {
    if (!this.#open.delete(flow)) return;
    flow.over(why, this.#clock.now());
    add(this.#accounts, flow, this.#limits.accounts);
    const { endedFlows } = this.#limits;
    if (endedFlows > 0) this.#ended[this.#endedCount % endedFlows] = flow;
    this.#endedCount++;
    if (FLOW_CLOSED.hasSubscribers) FLOW_CLOSED.publish(flow);
  }
}

function volume({ bytesSent, bytesReceived }: DestinationAccount): number {
  return bytesSent + bytesReceived;
}

function add(accounts: Map<string, MutableAccount>, flow: Flow, most: number): void {
  const { protocol, direction, labels } = flow;
  // Who comes to a published port comes from any port: then it is the guest's that tells them apart.
  const { address, port } = flow.destination;
  const shown = { address, port: direction === 'inbound' ? flow.guest.port : port };
  const text = protocol === 'icmp' ? String(address) : formatSocketAddress(shown);
  const own = `${protocol} ${direction} ${text}`;
  const hasRoom = accounts.has(own) || accounts.size < most;
  const key = hasRoom ? own : `${protocol} others`;
  let account = accounts.get(key);
  if (account === undefined) {
    const destination = hasRoom ? text : 'others';
    account = {
      protocol,
      destination,
      labels: hasRoom ? labels : [],
      flows: 0,
      denied: 0,
      bytesSent: 0,
      bytesReceived: 0,
    };
    accounts.set(key, account);
  }
  account.flows++;
  if (flow.end === 'denied') account.denied++;
  account.bytesSent += flow.bytesSent;
  account.bytesReceived += flow.bytesReceived;
}
