import {
  MacAddress,
  NOT_QUEUED,
  TimerQueue,
  type Engine,
  type Random,
  type TimerEntry,
} from '../../core/index.ts';
import { StationIndex, type Indexed } from './station-index.ts';

/** What holds stations: a port. */
export interface StationHolder {
  /** From 1 on. */
  readonly number: number;
  /** How many it has; kept by the table. Static ones are not counted. */
  stationCount: number;
  /** How many it may have. */
  readonly stationLimit: number;
}

/** A station that a switch knows. Where it is and when it last sent a frame is told by the index, where frames look. */
class Station<Port> implements Indexed, TimerEntry {
  readonly vlan: number;
  readonly mac: MacAddress;
  readonly isStatic: boolean;
  port: Port;
  slot = -1;
  deadline: number = NOT_QUEUED.deadline;
  position: number = NOT_QUEUED.position;
  order: number = NOT_QUEUED.order;

  constructor(vlan: number, mac: MacAddress, port: Port, isStatic: boolean) {
    this.vlan = vlan;
    this.mac = mac;
    this.port = port;
    this.isStatic = isStatic;
  }
}

/** What is told of a station. */
export interface StationEntry<Port> {
  readonly mac: MacAddress;
  readonly vlan: number;
  readonly port: Port;
  readonly isStatic: boolean;
  /** When it last sent a frame, in milliseconds of the clock. */
  readonly seenAt: number;
}

/** What came of a source address: it is where it was, newly known, somewhere else than before; or it was not learned, and why. */
export type Learning = 'known' | 'learned' | 'moved' | 'table-full' | 'port-full' | 'static';

/** What a {@link StationTable} is made from. */
export interface StationTableOptions {
  readonly random: Random;
  /** Stations in all, static ones included. */
  readonly limit: number;
  /** Milliseconds after which a silent station is forgotten. */
  readonly ageing: number;
}

/**
 * Which stations are behind which ports: the filtering database of IEEE 802.1Q, clause 8.8.
 *
 * A known station is never pushed out by new ones: when the table or a port is full, what is new is not learned. So a flood of source
 * addresses fills what is free, and those that talk go on talking. A frame of a known station costs a look and writes a time;
 * the station's place in the queue of deadlines is put right only when its deadline comes.
 */
export class StationTable<Port extends StationHolder> implements Engine {
  readonly #limit: number;
  readonly #ageing: number;
  readonly #index: StationIndex<Station<Port>>;
  readonly #deadlines = new TimerQueue<Station<Port>>();

  constructor({ random, limit, ageing }: StationTableOptions) {
    this.#index = new StationIndex(random);
    this.#limit = limit;
    this.#ageing = ageing;
  }

  /** The number of the port behind which a station is; 0: that is not known. */
  portOf(vlan: number, macHigh: number, macLow: number): number {
    const slot = this.#index.find(vlan, macHigh, macLow);
    return slot < 0 ? 0 : this.#index.port(slot);
  }

  /** Takes note that a station has sent a frame by `port`. */
  learn(vlan: number, macHigh: number, macLow: number, port: Port, now: number): Learning {
    const index = this.#index;
    const slot = index.find(vlan, macHigh, macLow);
    if (slot >= 0 && index.port(slot) === port.number) {
      index.setTime(slot, now);
      return 'known';
    }
    if (slot < 0) return this.#learnNew(vlan, macHigh, macLow, port, now);
    return this.#move(index.item(slot), port, now);
  }

  #learnNew(vlan: number, macHigh: number, macLow: number, port: Port, now: number): Learning {
    if (port.stationCount >= port.stationLimit) return 'port-full';
    if (this.#index.size >= this.#limit) return 'table-full';
    const station = new Station(vlan, new MacAddress(macHigh, macLow), port, false);
    this.#index.add(vlan, macHigh, macLow, port.number, now, station);
    this.#deadlines.set(station, now + this.#ageing);
    port.stationCount++;
    return 'learned';
  }

  #move(station: Station<Port>, port: Port, now: number): Learning {
    if (station.isStatic) return 'static';
    if (port.stationCount >= port.stationLimit) return 'port-full';
    station.port.stationCount--;
    port.stationCount++;
    station.port = port;
    this.#index.setPort(station.slot, port.number);
    this.#index.setTime(station.slot, now);
    return 'moved';
  }

  /** Puts a station in that is neither learned elsewhere nor forgotten, in place of one that was learned. False: the table is full. */
  addStatic(vlan: number, mac: MacAddress, port: Port, now: number): boolean {
    this.forget(vlan, mac);
    if (this.#index.size >= this.#limit) return false;
    const station = new Station(vlan, mac, port, true);
    this.#index.add(vlan, mac.high, mac.low, port.number, now, station);
    return true;
  }

  /** Forgets a station, static or not. False: it was not known. */
  forget(vlan: number, mac: MacAddress): boolean {
    const slot = this.#index.find(vlan, mac.high, mac.low);
    if (slot >= 0) this.#remove(this.#index.item(slot));
    return slot >= 0;
  }

  #remove(station: Station<Port>): void {
    this.#index.remove(station.slot);
    this.#deadlines.clear(station);
    if (!station.isStatic) station.port.stationCount--;
  }

  /** Forgets what was learned at a port; with `all`, its static stations too. */
  flush(port: Port, all = false): void {
    for (const station of this.#index.items()) {
      if (station.port === port && (all || !station.isStatic)) this.#remove(station);
    }
  }

  /** All stations, in no order. */
  entries(): StationEntry<Port>[] {
    return this.#index.items().map(({ mac, vlan, port, isStatic, slot }) => ({
      mac,
      vlan,
      port,
      isStatic,
      seenAt: this.#index.time(slot),
    }));
  }

  deadline(): number {
    return this.#deadlines.deadline();
  }

  advance(now: number): void {
    for (;;) {
      const station = this.#deadlines.takeDue(now);
      if (station === undefined) return;
      const end = this.#index.time(station.slot) + this.#ageing;
      if (end > now) this.#deadlines.set(station, end);
      else this.#remove(station);
    }
  }
}
