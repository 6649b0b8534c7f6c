/** Letters in which a name may differ to be suggested. */
const MOST_EDITS = 2;

/** The name that was most likely meant; undefined if none is near. */
export function suggest(text: string, names: readonly string[]): string | undefined {
  let best: string | undefined;
  let fewest = MOST_EDITS + 1;
  for (const name of names) {
    const edits = name.startsWith(text) && text !== '' ? 0 : editDistance(text, name);
    if (edits < fewest && edits < name.length) {
      best = name;
      fewest = edits;
    }
  }
  return best;
}

/** Letters to be put in, left out, replaced or exchanged with their neighbour to make `b` of `a` (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, replaced);
      const isExchange = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isExchange) least = Math.min(least, rows[i - 2]![j - 2]! + 1);
      row.push(least);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
