import { html, setAttributes, setText } from './dom.ts';

/** A column of a list. */
export interface Column {
  readonly name: string;
  readonly isNumber?: boolean;
}

/** A row of a list. */
export interface Row {
  /** What tells it from others. */
  readonly key: string;
  readonly cells: readonly string[];
  /** What it is of is over. */
  readonly isOver?: boolean;
  /** What its first cell does when it is pressed. */
  readonly press?: () => void;
}

/** Rows that are shown: nobody reads more, and a browser has to draw them each second. */
const MOST_ROWS = 200;

/** A list whose rows stay the same elements while they are there, so that what is marked or pressed is not lost each second. */
export class Table {
  readonly element: HTMLElement;
  readonly #columns: readonly Column[];
  readonly #body = html('tbody');
  readonly #rest = html('p', { class: 'empty', hidden: true });
  readonly #rows = new Map<string, HTMLTableRowElement>();
  readonly #empty: string;

  /** @param empty what is said where there is none */
  constructor(columns: readonly Column[], empty: string) {
    this.#columns = columns;
    this.#empty = empty;
    const heads = columns.map(({ name, isNumber = false }) =>
      html('th', { scope: 'col', class: isNumber ? 'number' : '' }, name),
    );
    const table = html('table', {}, html('thead', {}, html('tr', {}, ...heads)), this.#body);
    this.element = html('div', {}, table, this.#rest);
  }

  show(rows: readonly Row[]): void {
    const shown = rows.slice(0, MOST_ROWS);
    const keys = new Set(shown.map(({ key }) => key));
    for (const [key, element] of this.#rows) {
      if (keys.has(key)) continue;
      element.remove();
      this.#rows.delete(key);
    }
    for (const [index, row] of shown.entries()) {
      const element = this.#rows.get(row.key) ?? this.#add(row);
      if (this.#body.rows[index] !== element) {
        this.#body.insertBefore(element, this.#body.rows[index] ?? null);
      }
      this.#fill(element, row);
    }
    const left = rows.length - shown.length;
    setText(this.#rest, rows.length === 0 ? this.#empty : `and ${left} more`);
    setAttributes(this.#rest, { hidden: rows.length > 0 && left === 0 });
  }

  #add(row: Row): HTMLTableRowElement {
    const cells = this.#columns.map(({ isNumber = false }) =>
      html('td', { class: isNumber ? 'number' : '' }),
    );
    if (row.press !== undefined) {
      const button = html('button', { type: 'button' });
      button.addEventListener('click', row.press);
      cells[0]!.append(button);
    }
    const element = html('tr', {}, ...cells);
    this.#rows.set(row.key, element);
    return element;
  }

  #fill(element: HTMLTableRowElement, { cells, isOver = false }: Row): void {
    setAttributes(element, { class: isOver ? 'over' : '' });
    for (const [i, text] of cells.entries()) {
      const cell = element.cells[i]!;
      setText(cell.firstElementChild ?? cell, text);
    }
  }
}
