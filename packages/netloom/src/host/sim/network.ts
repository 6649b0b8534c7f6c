import {
  Cidr,
  IpAddress,
  NetloomError,
  readInt32,
  readUint16,
  type Clock,
  type MacAddress,
  type Random,
} from '../../core/index.ts';
import { FramePool, type FrameOffload, type Impairment } from '../../link/index.ts';
import { SimCable, SimPort, type CableEnvironment, type SimCableOptions } from './cable.ts';
import type { SimFate, SimTrace } from './trace.ts';

/** What a network is like. The impairments befall each frame once, on its way from the sender into the network. */
export interface SimNetworkOptions extends Partial<Omit<Impairment, 'partition'>> {
  /** The networks its stations get addresses of. Default: `10.N.0.0/16` and `fd00:N::/64`, N being the network's number in its world. */
  readonly subnets?: readonly (Cidr | string)[];
  /** Default 1500. */
  readonly mtu?: number;
  /** Default 65,536. */
  readonly maximumStations?: number;
}

/** What a network needs of its world. */
export interface NetworkEnvironment {
  readonly clock: Clock;
  readonly trace: SimTrace;
  random(name: string): Random;
  nextMac(): MacAddress;
}

/** A frame in the network. */
interface Carried {
  readonly from: SimPort;
  readonly frame: Uint8Array;
  readonly offload: FrameOffload | undefined;
}

/**
 * One Ethernet segment of a simulated world, with any number of stations: a switch that has learned everything. Made by `world.network`.
 *
 * A frame for one station reaches that station only, so that a thousand machines cost what their traffic costs; groups and
 * broadcasts reach all.
 */
export class SimNetwork {
  readonly name: string;
  readonly subnets: readonly Cidr[];
  readonly mtu: number;
  readonly #environment: NetworkEnvironment;
  readonly #maximumStations: number;
  #impairment: Partial<Impairment>;
  readonly #ports = new Set<SimPort>();
  readonly #cables = new Map<string, SimCable>();
  readonly #byMac = new Map<number, SimPort>();
  /** Addresses given out, in each subnet. */
  #given = 0;
  readonly #pool = new FramePool();
  #carried: Carried[] = [];
  #deliveryDue = false;
  #isPartitioned = false;

  constructor(
    name: string,
    options: SimNetworkOptions,
    defaultSubnets: readonly string[],
    environment: NetworkEnvironment,
  ) {
    const {
      subnets = defaultSubnets,
      mtu = 1500,
      maximumStations = 65_536,
      ...impairment
    } = options;
    this.name = name;
    this.subnets = subnets.map((cidr) => (typeof cidr === 'string' ? Cidr.parse(cidr) : cidr));
    this.mtu = mtu;
    this.#maximumStations = maximumStations;
    this.#impairment = impairment;
    this.#environment = environment;
  }

  /** Names of the machines that are plugged in. */
  get stations(): readonly string[] {
    return [...this.#cables.keys()];
  }

  /** The cable of a machine. */
  cable(station: string): SimCable | undefined {
    return this.#cables.get(station);
  }

  /** Plugs a machine in; see `SimHost.attach`. Throws `SIM_NETWORK_FULL` or `SIM_NAME_TAKEN`. */
  plug(station: string, options: SimCableOptions): SimCable {
    if (this.#cables.has(station)) {
      throw new NetloomError('SIM_NAME_TAKEN', `${station} is on the network ${this.name} already`);
    }
    if (this.#ports.size >= this.#maximumStations) {
      throw new NetloomError(
        'SIM_NETWORK_FULL',
        `the network ${this.name} takes ${this.#maximumStations} stations`,
        { remedy: "Raise the network's maximumStations." },
      );
    }
    const { clock, trace } = this.#environment;
    const environment: CableEnvironment = {
      clock,
      random: this.#environment.random(`cable:${this.name}:${station}`),
      pool: this.#pool,
      mtu: this.mtu,
      carry: (from, frame, offload) => this.#carry(from, frame, offload),
      befell: ({ station: own }, direction, effect, frame, offload) => {
        const [from, to] =
          direction === 'out' ? [own, this.#receiverName(frame)] : [this.#senderName(frame), own];
        trace.record(this.name, from, to, effect, frame, offload);
      },
      unplugged: (port) => this.#unplug(port),
    };
    const mac = this.#environment.nextMac();
    const port = new SimPort(station, `${station}@${this.name}`, mac, environment);
    const outbound = { ...this.#impairment, ...options.outbound };
    const cable = new SimCable(port, environment, { ...options, outbound });
    this.#ports.add(port);
    this.#byMac.set(mac.toNumber(), port);
    this.#cables.set(station, cable);
    return cable;
  }

  /** The next address of each subnet, counted from 1. Throws `SIM_NETWORK_FULL`. */
  nextAddresses(): Cidr[] {
    const number = ++this.#given;
    return this.subnets.map((subnet) => {
      const { network, prefixLength } = subnet;
      const address =
        network.family === 4
          ? IpAddress.v4(network.word3 + number)
          : IpAddress.v6(network.word0, network.word1, network.word2, network.word3 + number);
      const isLast = network.family === 4 && prefixLength < 31 && address.equals(subnet.broadcast);
      if (isLast || !subnet.contains(address)) {
        throw new NetloomError('SIM_NETWORK_FULL', `the subnet ${subnet} has no address left`, {
          remedy: 'Give the network a larger subnet.',
        });
      }
      return new Cidr(address, prefixLength);
    });
  }

  /** Changes what befalls frames from now on, of every machine that is plugged in and of those to come. */
  impair(change: Partial<Omit<Impairment, 'partition'>>): void {
    this.#impairment = { ...this.#impairment, ...change };
    for (const cable of this.#cables.values()) cable.outbound.set(change);
  }

  /**
   * Cuts the network: the machines of each group reach each other only, and so do those that no group names. What is under
   * way between them is lost. Takes the place of a partition before.
   */
  partition(...groups: readonly (readonly { readonly name: string }[])[]): void {
    this.heal();
    this.#isPartitioned = true;
    for (const [index, group] of groups.entries()) {
      for (const { name } of group) {
        const cable = this.#cables.get(name);
        if (cable === undefined) {
          throw new NetloomError('SIM_UNKNOWN', `${name} is not on the network ${this.name}`);
        }
        cable.port.side = index + 1;
      }
    }
  }

  /** Ends a partition. */
  heal(): void {
    this.#isPartitioned = false;
    for (const port of this.#ports) port.side = 0;
  }

  #carry(from: SimPort, frame: Uint8Array, offload: FrameOffload | undefined): void {
    this.#carried.push({ from, frame, offload: offload && { ...offload } });
    if (this.#deliveryDue) return;
    // Deferred: a station that answers within its receive would otherwise be called within its own call.
    this.#deliveryDue = true;
    this.#environment.clock.defer(() => this.#deliverAll());
  }

  #deliverAll(): void {
    this.#deliveryDue = false;
    const carried = this.#carried;
    this.#carried = [];
    const touched = new Set<SimPort>();
    for (const each of carried) {
      if ((each.frame[0]! & 1) !== 0) this.#deliverToAll(each);
      else this.#deliverToOne(each, touched);
      this.#pool.give(each.frame);
    }
    for (const port of touched) port.batchEnd();
  }

  #deliverToOne({ from, frame, offload }: Carried, touched: Set<SimPort>): void {
    const port = this.#byMac.get(macAt(frame, 0));
    // Recorded before it is delivered: what it leads to comes behind.
    const fate = this.#fateBetween(from, port);
    this.#record(from, port?.station ?? '?', fate, frame, offload);
    if (fate !== 'delivered') return;
    port!.deliver(frame, offload);
    touched.add(port!);
  }

  /** Each station ends its batch at once: to come back to a thousand of them costs more than to end some batches twice. */
  #deliverToAll({ from, frame, offload }: Carried): void {
    this.#record(from, '*', 'delivered', frame, offload);
    let cutOff = false;
    for (const port of this.#ports) {
      if (port === from) continue;
      if (this.#isCut(from, port)) {
        cutOff = true;
      } else {
        port.deliver(frame, offload);
        port.batchEnd();
      }
    }
    if (cutOff) this.#record(from, '*', 'partition', frame, offload);
  }

  #fateBetween(from: SimPort, to: SimPort | undefined): SimFate {
    if (to === undefined || to === from) return 'no-station';
    return this.#isCut(from, to) ? 'partition' : 'delivered';
  }

  #isCut(from: SimPort, to: SimPort): boolean {
    return this.#isPartitioned && from.side !== to.side;
  }

  #record(
    { station, statistics }: SimPort,
    to: string,
    fate: SimFate,
    frame: Uint8Array,
    offload: FrameOffload | undefined,
  ): void {
    if (fate !== 'delivered') statistics.drops.add(fate);
    this.#environment.trace.record(this.name, station, to, fate, frame, offload);
  }

  #receiverName(frame: Uint8Array): string {
    return (frame[0]! & 1) !== 0 ? '*' : (this.#byMac.get(macAt(frame, 0))?.station ?? '?');
  }

  #senderName(frame: Uint8Array): string {
    return this.#byMac.get(macAt(frame, 6))?.station ?? '?';
  }

  #unplug(port: SimPort): void {
    this.#ports.delete(port);
    this.#byMac.delete(port.mac.toNumber());
    this.#cables.delete(port.station);
  }
}

/** The address at `at` as one number, as `MacAddress.toNumber` has it. */
function macAt(frame: Uint8Array, at: number): number {
  return readUint16(frame, at) * 0x1_0000_0000 + (readInt32(frame, at + 2) >>> 0);
}
