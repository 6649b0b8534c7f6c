import { Cable } from './cable.ts';
import { setAttributes, setText, svg } from './dom.ts';
import { layOut, type Layout, type PlacedLine, type PlacedSwitch } from './layout.ts';
import type { LineHistory, LineRates } from './line-history.ts';
import { impairmentWords, shorten } from './line-words.ts';
import { drawEnd, drawGlobe, kindName } from './shapes.ts';
import { SwitchBox } from './switch-box.ts';
import type { Line, Topology } from './topology.ts';
import { formatRate } from './units.ts';

/** What is chosen in the picture: a line, or a network. */
export interface Choice {
  readonly network: string;
  /** Null: the network itself. */
  readonly port: string | null;
}

/** What a {@link Picture} is drawn with. */
export interface PictureOptions {
  readonly choose: (choice: Choice) => void;
  /** What is known of a line. */
  readonly history: (key: string) => LineHistory;
}

const NAME_LENGTH = 15;
/** Around what is at the end of a line and its labels: where a press counts. */
const REACH = {
  below: { x: -46, y: -22, width: 92, height: 92 },
  beside: { x: -22, y: -22, width: 134, height: 54 },
} as const;

/** A line that is drawn, and what is at its end. */
interface DrawnLine {
  readonly group: SVGGElement;
  readonly cable: Cable;
  readonly address: SVGTextElement | undefined;
  readonly rate: SVGTextElement | undefined;
}

/** The topology, drawn; it is drawn anew when there is more or less of it, or another width to draw it in. */
export class Picture {
  readonly #element: HTMLElement;
  readonly #options: PictureOptions;
  readonly #lines = new Map<string, DrawnLine>();
  readonly #switches = new Map<string, SwitchBox>();
  readonly #outside = new Map<string, Cable>();
  #topology: Topology | undefined;
  #choice: Choice | undefined;
  #drawn = '';

  constructor(element: HTMLElement, options: PictureOptions) {
    this.#element = element;
    this.#options = options;
    new ResizeObserver(() => this.#update()).observe(element);
  }

  show(topology: Topology, choice: Choice | undefined): void {
    this.#topology = topology;
    this.#choice = choice;
    this.#update();
  }

  #update(): void {
    const topology = this.#topology;
    const width = Math.floor(this.#element.clientWidth);
    if (topology === undefined || width === 0) return;
    const shape = JSON.stringify([width, shapeOf(topology)]);
    if (shape !== this.#drawn) {
      this.#drawn = shape;
      this.#draw(layOut(topology, width), topology);
    }
    this.#refresh(topology);
  }

  #draw(layout: Layout, topology: Topology): void {
    const hadFocus = document.activeElement?.getAttribute('data-key');
    for (const drawn of [this.#lines, this.#switches, this.#outside]) drawn.clear();
    const { width, height } = layout;
    const ways = svg('g', { class: 'ways' }, ...this.#drawOutside(layout, topology));
    const lines = layout.lines.map((line) => this.#drawLine(line));
    const switches = layout.switches.map((placed) => this.#drawSwitch(placed));
    const routers = layout.routers.map((router) => this.#drawRouter(router, topology));
    const front = [...this.#lines.values()].flatMap(({ cable }) => cable.front);
    const drawing = svg(
      'svg',
      { viewBox: `0 0 ${width} ${height}`, width, height, role: 'group', 'aria-label': 'Topology' },
      ways,
      ...lines,
      ...switches,
      ...routers,
      svg('g', { 'aria-hidden': 'true' }, ...front),
    );
    this.#element.replaceChildren(drawing);
    if (hadFocus != null) {
      drawing.querySelector<SVGElement>(`[data-key="${CSS.escape(hadFocus)}"]`)?.focus();
    }
  }

  #drawOutside({ outside, ways }: Layout, { hasUplink }: Topology): SVGElement[] {
    if (outside === undefined) return [];
    const { x, y } = outside;
    const cables = ways.map(({ network, path }) => {
      const cable = new Cable({ path, plug: outside, words: outside });
      this.#outside.set(network, cable);
      return cable.element;
    });
    const words = hasUplink ? ['The world', "over this machine's sockets"] : ['This machine', ''];
    const label = words[1] === '' ? 5 : -2;
    return [
      ...cables,
      svg(
        'g',
        { class: 'outside', transform: `translate(${x} ${y})` },
        svg('rect', { x: -104, y: -20, width: 208, height: 40, rx: 20 }),
        svg('g', { transform: 'translate(-82 0)' }, drawGlobe()),
        svg('text', { class: 'name', x: -64, y: label }, words[0]!),
        svg('text', { class: 'soft', x: -64, y: 12 }, words[1]!),
      ),
    ];
  }

  #drawLine({ line, end, labels, cable: place }: PlacedLine): SVGGElement {
    const cable = new Cable(place);
    const group = this.#choosable(line.key, { network: line.network, port: line.name });
    group.append(cable.element);
    let texts: SVGTextElement[] = [];
    if (end !== undefined) {
      const at = labels === 'below' ? { x: 0, y: 35 } : { x: 28, y: -6 };
      const place = { class: `labels ${labels}`, transform: `translate(${end.x} ${end.y})` };
      texts = [
        svg('text', { class: 'name', ...at }, shorten(line.name, NAME_LENGTH)),
        svg('text', { class: 'soft', x: at.x, y: at.y + 14 }),
        svg('text', { class: 'rate', x: at.x, y: at.y + 28 }),
      ];
      group.append(
        svg(
          'g',
          place,
          svg('rect', { class: 'reach', ...REACH[labels] }),
          drawEnd(line.kind),
          ...texts,
        ),
      );
    }
    group.append(svg('title'));
    this.#lines.set(line.key, { group, cable, address: texts[1], rate: texts[2] });
    return group;
  }

  /** Its lines are chosen each by itself; where the router is pressed, that is the first. */
  #drawRouter({ name, at }: Layout['routers'][number], { routers }: Topology): SVGGElement {
    const group = svg(
      'g',
      { class: 'router', transform: `translate(${at.x} ${at.y})` },
      svg('rect', { class: 'reach', ...REACH.beside }),
      drawEnd('router'),
      svg('text', { class: 'name', x: 28, y: 0 }, shorten(name, NAME_LENGTH)),
      svg('text', { class: 'soft', x: 28, y: 14 }, 'router'),
    );
    const line = routers.find((router) => router.name === name)?.lines[0];
    if (line !== undefined) {
      const { network } = line;
      group.addEventListener('click', () => this.#options.choose({ network, port: name }));
    }
    return group;
  }

  #drawSwitch(placed: PlacedSwitch): SVGGElement {
    const { name } = placed.network.status;
    const group = this.#choosable(name, { network: name, port: null });
    const box = new SwitchBox(group, placed);
    this.#switches.set(name, box);
    return group;
  }

  /** What a click, Enter or the space bar chooses. */
  #choosable(key: string, choice: Choice): SVGGElement {
    const group = svg('g', { class: 'choice', role: 'button', tabindex: 0, 'data-key': key });
    group.addEventListener('click', () => this.#options.choose(choice));
    group.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      this.#options.choose(choice);
    });
    return group;
  }

  #refresh({ networks, routers }: Topology): void {
    const { network: chosen, port = null } = this.#choice ?? {};
    for (const network of networks) {
      const { name } = network.status;
      const isChosen = chosen === name && port === null;
      this.#switches.get(name)?.show(network, isChosen);
      const isActive = network.status.state === 'active';
      for (const line of [...network.ways, ...network.stations]) this.#refreshLine(line, isActive);
    }
    const states = new Map(networks.map(({ status }) => [status.name, status.state]));
    for (const { lines } of routers) {
      for (const line of lines) this.#refreshLine(line, states.get(line.network) === 'active');
    }
  }

  #refreshLine(line: Line, isActive: boolean): void {
    const drawn = this.#lines.get(line.key);
    if (drawn === undefined) return;
    const { group, cable, address, rate } = drawn;
    const { port } = line;
    const rates = this.#options.history(line.key).latest;
    const words = port === null ? [] : impairmentWords(port.link);
    const isConnected = port?.connected === true;
    cable.show(rates, words, isConnected && isActive);
    const isChosen = this.#choice?.network === line.network && this.#choice.port === line.name;
    group.classList.toggle('off', !isConnected || !isActive);
    group.classList.toggle('cut', port?.link.partition === true);
    group.classList.toggle('bad', words.length > 0);
    group.classList.toggle('dropping', rates.drops > 0);
    setAttributes(group, { 'aria-pressed': String(isChosen) });
    const total = rates.fromStation + rates.toStation;
    if (address !== undefined) {
      setText(address, shorten(addressWords(line), 18));
    }
    if (rate !== undefined) setText(rate, total >= 100 ? formatRate(total) : '');
    const description = describe(line, rates, words);
    setAttributes(group, { 'aria-label': description });
    setText(group.querySelector('title')!, description);
    if (line.kind === 'gateway') this.#outside.get(line.network)?.show(reverse(rates), [], true);
  }
}

function addressWords({ kind, port }: Line): string {
  if (port === null) return 'not up';
  if (!port.connected) return 'not connected';
  // A way to elsewhere has none of its own.
  return port.addresses[0] ?? (kind === 'uplink' ? '' : 'no address');
}

/** Everything that decides where something is drawn. */
function shapeOf({ networks, routers, outside, hasUplink }: Topology): unknown {
  return [
    networks.map(({ status, ways, stations }) => [status.name, keys(ways), keys(stations)]),
    routers.map(({ name, lines }) => [name, keys(lines)]),
    outside,
    hasUplink,
  ];
}

function keys(lines: readonly Line[]): string[] {
  return lines.map(({ key, kind }) => `${key} ${kind}`);
}

/** The cable to the outside runs from there to the gateway: what comes from a gateway into its network has come in. */
function reverse(rates: LineRates): LineRates {
  return { ...rates, toStation: rates.fromStation, fromStation: rates.toStation };
}

function describe(line: Line, rates: LineRates, words: readonly string[]): string {
  const { kind, name, network, port } = line;
  const what = `${kindName(kind)} ${name} in ${network}`;
  if (port === null) return `${what}: not up`;
  const parts = [
    ...(port.connected ? [] : ['not connected']),
    ...(port.addresses.length === 0 ? [] : [port.addresses.join(', ')]),
    `${formatRate(rates.fromStation)} from it, ${formatRate(rates.toStation)} to it`,
    ...words,
    ...(rates.drops > 0 ? ['frames are dropped'] : []),
  ];
  return `${what}: ${parts.join('; ')}`;
}
