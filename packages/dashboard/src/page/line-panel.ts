import { html } from './dom.ts';
import { Facts, dropWords } from './facts.ts';
import { LineControls } from './line-controls.ts';
import type { LineHistory } from './line-history.ts';
import { Plot } from './plot.ts';
import { kindName } from './shapes.ts';
import { isImpairable, type Line } from './topology.ts';
import { formatBytes, formatCount, formatPerSecond, formatRate } from './units.ts';

/** A line: what is at its end, what passes, and what is wrong with it. */
export class LinePanel {
  readonly element: HTMLElement;
  readonly #facts = new Facts(['Addresses', 'MAC', 'Port', 'Sent', 'Received', 'Dropped']);
  readonly #traffic: Plot;
  readonly #drops = new Plot({
    title: 'Drops',
    rows: [{ name: '', color: 'bad' }],
    format: formatPerSecond,
    least: 1,
  });
  readonly #queue = new Plot({
    title: 'Queue',
    rows: [{ name: '', color: 'warn' }],
    format: formatBytes,
    least: 1024,
    isBinary: true,
  });
  readonly #controls: LineControls | undefined;

  constructor(line: Line) {
    const { network, name, kind } = line;
    this.#traffic = new Plot({
      title: 'Throughput',
      rows: [
        { name: 'from it', color: 'from' },
        { name: 'to it', color: 'to', isBroken: true },
      ],
      format: formatRate,
      least: 1000,
    });
    if (isImpairable(line)) this.#controls = new LineControls(network, name);
    this.element = html(
      'div',
      { class: 'chosen' },
      html('h2', {}, name, ' ', html('small', {}, `${kindName(kind)} in ${network}`)),
      this.#facts.element,
      this.#traffic.element,
      html('div', { class: 'plots' }, this.#drops.element, this.#queue.element),
      ...(this.#controls === undefined ? [] : [this.#controls.element]),
    );
  }

  /** @param time when the line was so */
  show({ port }: Line, time: number, history: LineHistory): void {
    if (port === null) {
      this.#facts.show('–', '–', 'not up', '–', '–', '–');
      return;
    }
    const { addresses, mac, number, vlan, state, received, sent, drops } = port;
    this.#facts.show(
      addresses.join(', ') || '–',
      mac ?? '–',
      `${number}, ${vlan}, ${state}`,
      `${formatCount(received.frames)} frames, ${formatBytes(received.bytes)}`,
      `${formatCount(sent.frames)} frames, ${formatBytes(sent.bytes)}`,
      dropWords(drops),
    );
    const columns = history.columns();
    this.#traffic.show(columns.times, columns.fromStation, columns.toStation);
    this.#drops.show(columns.times, columns.drops);
    this.#queue.show(columns.times, columns.queue);
    this.#controls?.show(port.link, time);
  }
}
