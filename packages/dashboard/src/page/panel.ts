import { CaptureBox, type PageCaptures } from './capture-box.ts';
import { html } from './dom.ts';
import type { LineHistory } from './line-history.ts';
import { LinePanel } from './line-panel.ts';
import { NetworkPanel } from './network-panel.ts';
import type { NodeView } from './node-api.ts';
import type { Choice } from './picture.ts';
import { lineKey, type Line, type Topology } from './topology.ts';

/** What a panel is about, as it is now. */
export interface PanelView {
  readonly view: NodeView;
  readonly topology: Topology;
}

/** What panels have of the rest of the page. */
export interface PanelOptions {
  readonly captures: PageCaptures;
  readonly history: (key: string) => LineHistory;
  /** What has passed a network's switch. */
  readonly networkHistory: (network: string) => LineHistory;
}

/** Tells of what is chosen, and what can be done with it. */
export class Panel {
  readonly #element: HTMLElement;
  readonly #options: PanelOptions;
  #shown = '';
  #line: LinePanel | undefined;
  #network: NetworkPanel | undefined;

  constructor(element: HTMLElement, options: PanelOptions) {
    this.#element = element;
    this.#options = options;
  }

  show({ view, topology }: PanelView, choice: Choice | undefined): void {
    if (choice === undefined) {
      this.#empty('This node has no networks.');
      return;
    }
    const { network, port } = choice;
    if (port === null) this.#showNetwork(topology, network);
    else this.#showLine(topology, network, port, view.time);
  }

  #showNetwork(topology: Topology, name: string): void {
    const network = topology.networks.find(({ status }) => status.name === name);
    if (network === undefined) {
      this.#empty(`The network ${name} is gone.`);
      return;
    }
    if (this.#become(name)) {
      this.#network = new NetworkPanel(name);
      const capture = new CaptureBox(this.#options.captures, name, null);
      this.#element.replaceChildren(this.#network.element, capture.element);
    }
    this.#network?.show(network, this.#options.networkHistory(name));
  }

  #showLine(topology: Topology, network: string, port: string, time: number): void {
    const key = lineKey(network, port);
    const line = linesOf(topology).find((one) => one.key === key);
    if (line === undefined) {
      this.#empty(`${port} is not in ${network} any more.`);
      return;
    }
    // A line that comes up, or goes down, can be told other things.
    if (this.#become(`${key} ${line.port !== null}`)) {
      this.#line = new LinePanel(line);
      const capture = new CaptureBox(this.#options.captures, network, port);
      this.#element.replaceChildren(this.#line.element, capture.element);
    }
    this.#line?.show(line, time, this.#options.history(key));
  }

  #empty(words: string): void {
    if (this.#become(`! ${words}`)) {
      this.#element.replaceChildren(html('p', { class: 'empty' }, words));
    }
  }

  /** Whether that is something else than what is shown. */
  #become(what: string): boolean {
    if (this.#shown === what) return false;
    this.#shown = what;
    return true;
  }
}

/** All lines of a topology. */
export function linesOf({ networks, routers }: Topology): Line[] {
  return [
    ...networks.flatMap(({ ways, stations }) => [...ways, ...stations]),
    ...routers.flatMap(({ lines }) => lines),
  ];
}
