import { html, setText } from './dom.ts';

/** A list of what is known of something: names, and values that change. */
export class Facts {
  readonly element: HTMLDListElement;
  readonly #values: readonly HTMLElement[];

  constructor(names: readonly string[]) {
    this.#values = names.map(() => html('dd'));
    this.element = html(
      'dl',
      { class: 'facts' },
      ...names.map((name, i) => html('div', {}, html('dt', {}, name), this.#values[i]!)),
    );
  }

  /** The values in the order of their names. */
  show(...values: string[]): void {
    for (const [i, value] of values.entries()) setText(this.#values[i]!, value);
  }
}

/** What was dropped, by reason, the most first; in words. */
export function dropWords(drops: Readonly<Record<string, number>>): string {
  const reasons = Object.entries(drops).filter(([, count]) => count > 0);
  const words = reasons
    .sort(([, one], [, other]) => other - one)
    .map(([why, count]) => `${why} ${count.toLocaleString('en')}`);
  return words.length === 0 ? 'nothing' : words.join(', ');
}
