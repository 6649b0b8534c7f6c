import { curve, polyline, spread, type Point } from './geometry.ts';
import type { DrawnNetwork, Line, Topology } from './topology.ts';

/** A cable: where it runs, from the switch outwards, and where words about it go. */
export interface PlacedCable {
  readonly path: string;
  /** Where it is plugged in. */
  readonly plug: Point;
  /** The lower end of words about it, in their middle. */
  readonly words: Point;
}

/** A line, with what is at its end. */
export interface PlacedLine {
  readonly line: Line;
  /** The middle of what is at its end; undefined: that is a router, which is drawn once for all its lines. */
  readonly end: Point | undefined;
  /** Where the end's name stands. */
  readonly labels: 'below' | 'beside';
  readonly cable: PlacedCable;
}

/** A network's switch. */
export interface PlacedSwitch {
  readonly network: DrawnNetwork;
  /** Its upper left corner. */
  readonly at: Point;
  readonly width: number;
}

/** Everything at its place. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly switches: readonly PlacedSwitch[];
  readonly lines: readonly PlacedLine[];
  readonly routers: readonly { readonly name: string; readonly at: Point }[];
  /** The middle of what stands for the outside; undefined: nothing leads there. */
  readonly outside: Point | undefined;
  /** From there to the gateways. */
  readonly ways: readonly { readonly network: string; readonly path: string }[];
}

/** The height of a switch. */
export const SWITCH_HEIGHT = 54;
/** Half the size of what is at a line's end. */
export const END_RADIUS = 20;

const CELL_WIDTH = 104;
/** From a switch to the middle of the stations below it, and from there to those of the next row: room for words about the line. */
const FIRST_ROW = 76;
const ROW_HEIGHT = 122;
/** From the middle of a station to the end of its labels. */
const LABELS_HEIGHT = 70;
/** Between plugs that would meet. */
const PLUG_SPACING = 14;
const LEAST_COLUMNS = 2;
const SWITCH_GAP = 30;
const BAND_GAP = 36;
/** What stands above switches: its name is beside it. */
const WAY_SPACING = 150;
const WAY_HEIGHT = 92;
const WAY_LABEL = 112;
/** Beside everything, for cables that go past what is between their ends. */
const GUTTER = 24;
const OUTSIDE_HEIGHT = 92;
/** Of words about a line that are not many. */
const WORDS_HEIGHT = 16;

/** Networks that stand side by side. */
interface Band {
  readonly networks: readonly { readonly network: DrawnNetwork; readonly columns: number }[];
}

/** Something above the switches. */
interface Way {
  readonly name: string;
  readonly lines: readonly Line[];
  /** Where it would like to stand. */
  readonly x: number;
}

/**
 * Places networks side by side, as many as the width takes, and what is left below them. Each is its switch, with stations in rows below it, and what leads
 * elsewhere above: gateway, bridge, and routers between the networks that they join. The same topology is always drawn the same.
 */
export function layOut(topology: Topology, width: number): Layout {
  const bands = bandsOf(topology.networks, width);
  const plan = new Plan(topology, width);
  let y = topology.outside.length > 0 ? OUTSIDE_HEIGHT : 8;
  for (const [index, band] of bands.entries()) y = plan.addBand(band, index, y) + BAND_GAP;
  return plan.finish(Math.max(y - BAND_GAP, 120));
}

function bandsOf(networks: readonly DrawnNetwork[], width: number): Band[] {
  const most = Math.max(1, Math.floor((width - 2 * GUTTER) / CELL_WIDTH));
  const bands: { network: DrawnNetwork; columns: number }[][] = [];
  let room = 0;
  for (const network of networks) {
    const columns = Math.min(most, columnsFor(network.stations.length));
    const needed = columns * CELL_WIDTH + SWITCH_GAP;
    if (bands.length === 0 || needed > room) {
      bands.push([]);
      room = width - 2 * GUTTER + SWITCH_GAP;
    }
    bands.at(-1)!.push({ network, columns });
    room -= needed;
  }
  return bands.map((each) => ({ networks: each }));
}

/** Wide rather than high: few stations stand in one row. */
function columnsFor(stations: number): number {
  if (stations <= 4) return Math.max(LEAST_COLUMNS, stations);
  return stations <= 12 ? Math.ceil(stations / 2) : Math.ceil(Math.sqrt(stations * 3));
}

class Plan {
  readonly #topology: Topology;
  readonly #width: number;
  readonly #switches = new Map<string, PlacedSwitch & { readonly band: number }>();
  readonly #lines: PlacedLine[] = [];
  readonly #routers: { name: string; at: Point }[] = [];
  /** Where something is plugged into the upper sides of switches. */
  readonly #plugs = new Map<string, number[]>();
  readonly #gateways = new Map<string, Point & { readonly band: number }>();

  constructor(topology: Topology, width: number) {
    this.#topology = topology;
    this.#width = width;
  }

  /** Answers where the band ends. */
  addBand({ networks }: Band, band: number, top: number): number {
    const total = networks.reduce((sum, { columns }) => sum + columns * CELL_WIDTH, 0);
    const gap = (this.#width - total) / (networks.length + 1);
    const edges: number[] = [];
    let x = gap;
    for (const { columns } of networks) {
      edges.push(x);
      x += columns * CELL_WIDTH + gap;
    }
    const middles = new Map(
      networks.map(({ network, columns }, i) => [
        network.status.name,
        edges[i]! + (columns * CELL_WIDTH) / 2,
      ]),
    );
    const ways = this.#waysOf(networks, middles);
    const perRow = Math.max(1, Math.floor((this.#width - 2 * GUTTER) / WAY_SPACING));
    const rows = Math.ceil(ways.length / perRow);
    const switchTop = top + rows * WAY_HEIGHT;
    let bottom = switchTop;
    for (const [i, { network, columns }] of networks.entries()) {
      const at = { x: edges[i]!, y: switchTop };
      const width = columns * CELL_WIDTH;
      this.#switches.set(network.status.name, { network, at, width, band });
      const stationRows = this.#addStations(network.stations, columns, at);
      const below =
        stationRows === 0 ? 0 : FIRST_ROW + (stationRows - 1) * ROW_HEIGHT + LABELS_HEIGHT;
      bottom = Math.max(bottom, switchTop + SWITCH_HEIGHT + below);
    }
    for (let row = 0; row < rows; row++) {
      const inRow = ways.slice(row * perRow, (row + 1) * perRow);
      this.#addWays(inRow, top + row * WAY_HEIGHT + END_RADIUS + 4, band);
    }
    return bottom;
  }

  finish(height: number): Layout {
    const { outside: reached } = this.#topology;
    const outside = reached.length === 0 ? undefined : { x: this.#width / 2, y: 26 };
    const ways = [...this.#gateways]
      .filter(([network]) => reached.includes(network))
      .map(([network, gateway]) => ({ network, path: this.#wayOutside(outside!, gateway) }));
    return {
      width: this.#width,
      height,
      switches: [...this.#switches.values()],
      lines: this.#lines,
      routers: this.#routers,
      outside,
      ways,
    };
  }

  #addStations(stations: readonly Line[], columns: number, { x: left, y: top }: Point): number {
    const bottom = top + SWITCH_HEIGHT;
    const rows = Math.ceil(stations.length / columns);
    for (const [i, line] of stations.entries()) {
      const [column, row] = [i % columns, Math.floor(i / columns)];
      const x = left + (column + 0.5) * CELL_WIDTH;
      const y = bottom + FIRST_ROW + row * ROW_HEIGHT;
      const end = { x, y };
      const words = { x, y: y - END_RADIUS - 5 };
      // The first row hangs on straight cables; those of others come down beside it.
      const channel = x - CELL_WIDTH / 2 + 6 + (row - 1) * Math.min(5, 14 / rows);
      const plug = { x: row === 0 ? x : channel, y: bottom };
      const corners = row === 0 ? [] : [{ x: channel, y }];
      const side = row === 0 ? { x, y: y - END_RADIUS } : { x: x - END_RADIUS, y };
      const path = polyline([plug, ...corners, side]);
      this.#lines.push({ line, end, labels: 'below', cable: { path, plug, words } });
    }
    return rows;
  }

  /** What stands above the switches of a band, from left to right. A router stands above the lowest of its networks. */
  #waysOf(networks: Band['networks'], middles: ReadonlyMap<string, number>): Way[] {
    const ways: Way[] = networks.flatMap(({ network: { ways: own, status } }) => {
      const first = middles.get(status.name)! - ((own.length - 1) * WAY_SPACING) / 2;
      return own.map((line, i) => ({
        name: line.name,
        lines: [line],
        x: first + i * WAY_SPACING - 30,
      }));
    });
    for (const { name, lines } of this.#topology.routers) {
      const isLast = lines.every(
        ({ network }) => middles.has(network) || this.#switches.has(network),
      );
      const here = lines.flatMap(({ network }) => middles.get(network) ?? []);
      if (!isLast || here.length === 0) continue;
      const x = here.reduce((sum, middle) => sum + middle, 0) / here.length;
      ways.push({ name, lines, x: x - 30 });
    }
    return ways.sort((one, other) => one.x - other.x);
  }

  #addWays(ways: readonly Way[], y: number, band: number): void {
    const wanted = ways.map(({ x }) => x);
    const places = spread(wanted, {
      spacing: WAY_SPACING,
      least: GUTTER + END_RADIUS,
      most: this.#width - GUTTER - WAY_LABEL,
    });
    for (const [i, { name, lines }] of ways.entries()) {
      const at = { x: places[i]!, y };
      const [first] = lines;
      if (first!.kind === 'gateway') this.#gateways.set(first!.network, { ...at, band });
      const isRouter = first!.kind === 'router';
      if (isRouter) this.#routers.push({ name, at });
      for (const line of lines) {
        const cable = this.#cableUp(line, at, band);
        const end = isRouter ? undefined : at;
        if (cable !== undefined) this.#lines.push({ line, end, labels: 'beside', cable });
      }
    }
  }

  /** From a switch to what stands above it, or above switches further down. Undefined: the network is not drawn. */
  #cableUp({ network }: Line, at: Point, band: number): PlacedCable | undefined {
    const from = this.#switches.get(network);
    if (from === undefined) return undefined;
    const { x: left, y: top } = from.at;
    if (from.band === band) {
      const x = this.#freePlug(network, at.x, left + 16, left + from.width - 16);
      const end = at.y + END_RADIUS;
      return {
        path: curve({ x, y: top }, { x: at.x, y: end }),
        plug: { x, y: top },
        words: { x: (x + at.x) / 2, y: (top + end) / 2 + WORDS_HEIGHT / 2 },
      };
    }
    const side = this.#width - GUTTER / 2;
    const start = { x: left + from.width - 14, y: top };
    const above = top - 12;
    const over = at.y - END_RADIUS - 14;
    const path = polyline([
      start,
      { x: start.x, y: above },
      { x: side, y: above },
      { x: side, y: over },
      { x: at.x, y: over },
      { x: at.x, y: at.y - END_RADIUS },
    ]);
    return { path, plug: start, words: { x: (at.x + side) / 2, y: over + WORDS_HEIGHT / 2 } };
  }

  /** Where a cable is plugged into a switch's upper side: as near as may be to where it comes from. */
  #freePlug(network: string, wanted: number, least: number, most: number): number {
    const taken = this.#plugs.get(network) ?? [];
    this.#plugs.set(network, taken);
    let x = Math.min(Math.max(wanted, least), most);
    // What comes from the right has been moved to the left, and makes room that way.
    const step = wanted > x ? -PLUG_SPACING : PLUG_SPACING;
    while (taken.some((other) => Math.abs(other - x) < PLUG_SPACING) && x + step >= least)
      x += step;
    taken.push(x);
    return x;
  }

  #wayOutside(outside: Point, gateway: Point & { readonly band: number }): string {
    const end = { x: gateway.x, y: gateway.y - END_RADIUS };
    if (gateway.band === 0) return curve({ x: outside.x, y: outside.y + 20 }, end);
    const side = GUTTER / 2;
    const over = end.y - 10;
    return polyline([
      { x: outside.x - 100, y: outside.y },
      { x: side, y: outside.y },
      { x: side, y: over },
      { x: end.x, y: over },
      end,
    ]);
  }
}
