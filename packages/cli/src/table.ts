import { printable } from '@netloom/edge/text';

/** A column of a {@link formatTable}. */
export interface Column {
  readonly heading: string;
  /** Numbers are to the right, below each other. Default `left`. */
  readonly align?: 'left' | 'right';
  /** Whether its texts may be cut short where the table is wider than the terminal. */
  readonly shrinks?: boolean;
}

const GAP = '  ';
/** No column is cut to less. */
const NARROWEST = 8;

/**
 * A table with its headings, a line for each row. With a width, the columns that may shrink do so until it fits, the widest first; where
 * that is not enough, lines are longer. What a terminal would obey is shown as it would not.
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width?: number,
): string {
  const table = [columns.map(({ heading }) => heading), ...rows.map((row) => row.map(printable))];
  const widths = columns.map((_, i) => Math.max(...table.map((row) => lengthOf(row[i]!))));
  if (width !== undefined) shrink(columns, widths, width);
  return table.map((row) => `${formatRow(row, columns, widths)}\n`).join('');
}

function shrink(columns: readonly Column[], widths: number[], width: number): void {
  const sum = (): number =>
    widths.reduce((all, one) => all + one, GAP.length * (widths.length - 1));
  for (let over = sum() - width; over > 0; over = sum() - width) {
    let widest = -1;
    for (const [i, { shrinks, heading }] of columns.entries()) {
      const least = Math.max(NARROWEST, heading.length);
      if (shrinks !== true || widths[i]! <= least) continue;
      if (widest < 0 || widths[i]! > widths[widest]!) widest = i;
    }
    if (widest < 0) return;
    widths[widest]!--;
  }
}

function formatRow(
  row: readonly string[],
  columns: readonly Column[],
  widths: readonly number[],
): string {
  const cells = row.map((cell, i) => fit(cell, widths[i]!, columns[i]!.align ?? 'left'));
  return cells.join(GAP).trimEnd();
}

function fit(text: string, width: number, align: 'left' | 'right'): string {
  const letters = [...text];
  if (letters.length > width) return `${letters.slice(0, width - 1).join('')}…`;
  const space = ' '.repeat(width - letters.length);
  return align === 'left' ? text + space : space + text;
}

/** In code points: an approximation of what a terminal takes. */
function lengthOf(text: string): number {
  return [...text].length;
}
