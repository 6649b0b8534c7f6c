import uPlot from 'uplot';
import { html, setText } from './dom.ts';
import { HISTORY_SECONDS } from './line-history.ts';

/** A row of numbers in a plot. */
export interface PlotRow {
  readonly name: string;
  /** A colour of page.css. */
  readonly color: string;
  /** A broken line, to be told from another without colours. */
  readonly isBroken?: boolean;
}

/** What a {@link Plot} shows. */
export interface PlotOptions {
  readonly title: string;
  readonly rows: readonly PlotRow[];
  readonly format: (value: number) => string;
  /** What the axis reaches to at least, so that nothing does not look like something. */
  readonly least: number;
  /** Whether the axis is marked at powers of two. */
  readonly isBinary?: boolean;
}

const HEIGHT = 96;
const AXIS_WIDTH = 74;
const GRID_WIDTH = 0.5;
const POWERS_OF_TWO = Array.from({ length: 40 }, (_, i) => 2 ** i);

/** The last two minutes of something, with its value now, or where the pointer is, in words. */
export class Plot {
  readonly element: HTMLElement;
  readonly #options: PlotOptions;
  readonly #values: HTMLElement[];
  readonly #area = html('div', { class: 'plot-area' });
  #plot: uPlot | undefined;

  constructor(options: PlotOptions) {
    this.#options = options;
    const { title, rows } = options;
    this.#values = rows.map(() => html('span', { class: 'value' }, '–'));
    this.element = html(
      'figure',
      { class: 'plot' },
      html(
        'figcaption',
        {},
        html('h3', {}, title),
        ...rows.map(({ name, color, isBroken = false }, i) =>
          html(
            'span',
            { class: 'key' },
            html('i', { class: `stroke ${color}${isBroken ? ' broken' : ''}` }),
            ...(name === '' ? [] : [`${name} `]),
            this.#values[i]!,
          ),
        ),
      ),
      this.#area,
    );
    new ResizeObserver(() => this.#resize()).observe(this.#area);
    // Colours are another's with the other scheme.
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () =>
      this.#plot?.redraw(),
    );
  }

  /** @param times seconds since 1970; the last is now */
  show(times: readonly number[], ...rows: (readonly number[])[]): void {
    const data = [[...times], ...rows.map((row) => [...row])] as uPlot.AlignedData;
    const now = times.at(-1) ?? performance.timeOrigin / 1000;
    const most = Math.max(this.#options.least, ...rows.flat()) * 1.1;
    this.#plot ??= this.#make();
    const plot = this.#plot;
    plot.batch(() => {
      plot.setData(data, false);
      plot.setScale('x', { min: now - HISTORY_SECONDS, max: now });
      plot.setScale('y', { min: 0, max: most });
    });
    this.#tell();
  }

  #make(): uPlot {
    const { rows, format, isBinary = false } = this.#options;
    const axis: uPlot.Axis = {
      stroke: () => colorOf('soft'),
      grid: { stroke: () => colorOf('line'), width: GRID_WIDTH },
      ticks: { show: false },
      font: '11px system-ui, sans-serif',
    };
    const options: uPlot.Options = {
      width: this.#area.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      padding: [6, 14, 0, 0],
      cursor: { y: false, drag: { setScale: false } },
      scales: { x: { time: false, auto: false }, y: { auto: false } },
      axes: [
        {
          ...axis,
          size: 22,
          splits: (self) => minuteMarks(self.scales['x']!.max ?? 0),
          values: (self, splits) => splits.map((at) => ago(self.scales['x']!.max ?? 0, at)),
        },
        {
          ...axis,
          size: AXIS_WIDTH,
          space: 28,
          values: (_, splits) => splits.map(format),
          ...(isBinary ? { incrs: POWERS_OF_TWO } : {}),
        },
      ],
      series: [
        {},
        ...rows.map(({ color, isBroken = false }) => ({
          stroke: () => colorOf(color),
          width: 1.8,
          points: { show: false },
          ...(isBroken ? { dash: [5, 3] } : {}),
        })),
      ],
      hooks: { setCursor: [() => this.#tell()] },
    };
    return new uPlot(options, [[], ...rows.map(() => [])], this.#area);
  }

  #tell(): void {
    const plot = this.#plot;
    if (plot === undefined) return;
    const index = plot.cursor.idx ?? plot.data[0].length - 1;
    for (const [i, element] of this.#values.entries()) {
      const value = plot.data[i + 1]?.[index];
      setText(element, value == null ? '–' : this.#options.format(value));
    }
  }

  #resize(): void {
    const width = this.#area.clientWidth;
    if (width > 0) this.#plot?.setSize({ width, height: HEIGHT });
  }
}

/** Each half minute before now. */
function minuteMarks(now: number): number[] {
  return [120, 90, 60, 30, 0].map((seconds) => now - seconds);
}

function ago(now: number, at: number): string {
  const seconds = Math.round(now - at);
  return seconds === 0 ? 'now' : `−${seconds} s`;
}

function colorOf(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);
}
