import { setAttributes, svg } from './dom.ts';
import type { PlacedCable } from './layout.ts';
import type { LineRates } from './line-history.ts';
import { wrapWords } from './line-words.ts';

/** From one dot to the next, in pixels; see picture.css. */
const DOT_SPACING = 14;
/** Milliseconds that a dot takes from one place to the next, on a line of little traffic. */
const DOT_TIME = 900;
/** Bits per second, of which nobody would see the difference to none. */
const SILENCE = 100;
/** Of words about the line. */
const CHARACTER_WIDTH = 5.9;
const ROW_LENGTH = 15;
const ROW_HEIGHT = 12.5;

const calm = matchMedia('(prefers-reduced-motion: reduce)');

/** A cable in the picture: the more there is on it the thicker it is, and dots run the way that frames do. */
export class Cable {
  readonly element: SVGGElement;
  readonly #cable: SVGPathElement;
  readonly #towards: Flow;
  readonly #back: Flow;
  readonly #plug: SVGCircleElement;
  readonly #words: SVGGElement;
  #shownWords = '';

  /** @param place where it runs, from the switch outwards */
  constructor({ path, plug, words }: PlacedCable) {
    this.#cable = svg('path', { class: 'cable', d: path });
    this.#towards = new Flow(path, 'to', -1);
    this.#back = new Flow(path, 'from', 1);
    this.#plug = svg('circle', { class: 'plug', cx: plug.x, cy: plug.y, r: 3.5 });
    this.#words = svg('g', { class: 'words', transform: `translate(${words.x} ${words.y})` });
    this.element = svg(
      'g',
      { class: 'line' },
      svg('path', { class: 'reach', d: path }),
      this.#cable,
      this.#towards.element,
      this.#back.element,
    );
  }

  /** What stands before whatever else is drawn: words about the line, and its plug. */
  get front(): readonly SVGElement[] {
    return [this.#plug, this.#words];
  }

  /** How the line is now. */
  show({ fromStation, toStation }: LineRates, words: readonly string[], isUp: boolean): void {
    setAttributes(this.#cable, { 'stroke-width': thickness(fromStation + toStation) });
    this.#towards.show(toStation);
    this.#back.show(fromStation);
    this.#plug.classList.toggle('up', isUp);
    this.#showWords(wrapWords(words, ROW_LENGTH));
  }

  #showWords(rows: readonly string[]): void {
    const all = rows.join('\n');
    if (this.#shownWords === all) return;
    this.#shownWords = all;
    if (rows.length === 0) {
      this.#words.replaceChildren();
      return;
    }
    const width = Math.max(...rows.map(({ length }) => length)) * CHARACTER_WIDTH + 12;
    const height = rows.length * ROW_HEIGHT + 4;
    this.#words.replaceChildren(
      svg('rect', { width, x: -width / 2, height, y: -height, rx: 7 }),
      ...rows.map((row, i) => svg('text', { y: (i + 1 - rows.length) * ROW_HEIGHT - 5 }, row)),
    );
  }
}

/** Dots that run one way. */
class Flow {
  readonly element: SVGPathElement;
  readonly #animation: Animation;

  constructor(path: string, name: string, direction: 1 | -1) {
    this.element = svg('path', { class: `flow ${name} none`, d: path });
    const end = direction * DOT_SPACING;
    this.#animation = this.element.animate([{ strokeDashoffset: 0 }, { strokeDashoffset: end }], {
      duration: DOT_TIME,
      iterations: Infinity,
    });
    this.#animation.pause();
  }

  show(bitsPerSecond: number): void {
    const isSilent = bitsPerSecond < SILENCE;
    this.element.classList.toggle('none', isSilent);
    if (isSilent || calm.matches) {
      this.#animation.pause();
      return;
    }
    this.#animation.updatePlaybackRate(Math.min(4, 0.5 + decades(bitsPerSecond, 1e3) / 2));
    if (this.#animation.playState !== 'running') this.#animation.play();
  }
}

function thickness(bitsPerSecond: number): number {
  return Number((2 + decades(bitsPerSecond, 1e4) * 1.1).toFixed(1));
}

/** How many times ten the value is larger. */
function decades(value: number, than: number): number {
  return Math.log10(1 + value / than);
}
