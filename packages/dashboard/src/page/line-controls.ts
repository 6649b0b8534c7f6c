import type { LinkChange } from '@netloom/edge/model';
import type { LinkStatus } from '@netloom/edge/status';
import { html, setAttributes, setText } from './dom.ts';
import { LineChanger } from './line-changer.ts';
import { growingScale, limitScale, type SliderScale } from './slider-scale.ts';
import { formatDelay, formatRate, formatShare } from './units.ts';

/** Something of a line that a slider sets. */
interface Quantity {
  readonly field: Exclude<keyof LinkChange, 'partition' | 'queueBytes' | 'seed'>;
  readonly label: string;
  readonly scale: SliderScale;
  readonly format: (value: number) => string;
  /** What null is called. */
  readonly none: string;
}

const SHARES = growingScale(0.001, 1);
const QUANTITIES: readonly Quantity[] = [
  {
    field: 'delay',
    label: 'Delay',
    scale: growingScale(1, 2000),
    format: formatDelay,
    none: 'none',
  },
  {
    field: 'jitter',
    label: 'Jitter',
    scale: growingScale(1, 1000),
    format: formatDelay,
    none: 'none',
  },
  {
    field: 'rate',
    label: 'Rate',
    scale: limitScale(1e4, 1e10),
    format: formatRate,
    none: 'no limit',
  },
  { field: 'loss', label: 'Loss', scale: SHARES, format: formatShare, none: 'none' },
];
const RARE_QUANTITIES: readonly Quantity[] = [
  { field: 'reorder', label: 'Reordered', scale: SHARES, format: formatShare, none: 'none' },
  { field: 'duplicate', label: 'Duplicated', scale: SHARES, format: formatShare, none: 'none' },
  { field: 'corrupt', label: 'Corrupted', scale: SHARES, format: formatShare, none: 'none' },
];

/** What makes a line good again. */
const NOTHING_WRONG: LinkChange = {
  delay: null,
  jitter: null,
  rate: null,
  loss: null,
  reorder: null,
  duplicate: null,
  corrupt: null,
  partition: null,
};

/** Sliders for what is wrong with a line. They follow the node, and the node follows them while they are moved. */
export class LineControls {
  readonly element: HTMLElement;
  readonly #changer: LineChanger;
  readonly #sliders: readonly Slider[];
  readonly #cut = html('input', { type: 'checkbox', role: 'switch', id: 'cut' });

  constructor(network: string, port: string) {
    const problem = html('p', { class: 'problem', role: 'alert' });
    this.#changer = new LineChanger(network, port, (text) => setText(problem, text));
    const slider = (quantity: Quantity): Slider =>
      new Slider(quantity, (value) => this.#changer.change({ [quantity.field]: value }));
    const usual = QUANTITIES.map(slider);
    const rare = RARE_QUANTITIES.map(slider);
    this.#sliders = [...usual, ...rare];
    this.#cut.addEventListener('change', () =>
      this.#changer.change({ partition: this.#cut.checked || null }),
    );
    const reset = html('button', { type: 'button' }, 'Reset');
    reset.addEventListener('click', () => this.#changer.change(NOTHING_WRONG));
    this.element = html(
      'section',
      { class: 'controls', 'aria-label': 'Impairments' },
      html('div', { class: 'controls-head' }, html('h3', {}, 'Impairments, each way'), reset),
      ...usual.map(({ element }) => element),
      html(
        'label',
        { class: 'switch-row', for: 'cut' },
        html('span', {}, 'Partition: nothing passes'),
        this.#cut,
      ),
      html('details', {}, html('summary', {}, 'More'), ...rare.map(({ element }) => element)),
      problem,
    );
  }

  /** @param time when the line was so */
  show(link: LinkStatus, time: number): void {
    if (!this.#changer.isSettledAt(time)) return;
    for (const slider of this.#sliders) slider.show(link[slider.field]);
    this.#cut.checked = link.partition;
  }
}

class Slider {
  readonly element: HTMLElement;
  readonly field: Quantity['field'];
  readonly #quantity: Quantity;
  readonly #input: HTMLInputElement;
  readonly #words: HTMLElement;

  constructor(quantity: Quantity, changed: (value: number | null) => void) {
    const { field, label, scale } = quantity;
    this.#quantity = quantity;
    this.field = field;
    this.#input = html('input', { type: 'range', id: field, min: 0, max: scale.last, step: 1 });
    this.#words = html('output', { for: field });
    this.element = html(
      'div',
      { class: 'slider' },
      html('label', { for: field }, label),
      this.#words,
      this.#input,
    );
    this.#input.addEventListener('input', () => {
      const value = scale.valueAt(this.#input.valueAsNumber);
      this.#tell(value);
      changed(value);
    });
    this.show(null);
  }

  /** Not set is null, or 0 where that means nothing of it. */
  show(value: number | null): void {
    const { scale } = this.#quantity;
    const position = scale.positionOf(value);
    // Where two positions mean nearly the same, the one that was taken stays.
    if (scale.valueAt(this.#input.valueAsNumber) !== value) {
      this.#input.valueAsNumber = position;
    }
    this.#tell(value);
  }

  #tell(value: number | null): void {
    const { format, none } = this.#quantity;
    const words = value === null || value === 0 ? none : format(value);
    setText(this.#words, words);
    setAttributes(this.#input, { 'aria-valuetext': words });
  }
}
