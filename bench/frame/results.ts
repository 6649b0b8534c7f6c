/** The table of results that is kept in the repository: bench/RESULTS.md, one section a bench. */
import os from 'node:os';
import type { Result } from './bench.ts';
import { formatNumber } from './report.ts';

const HEAD = `# Results

Written by \`npm run bench -- [NAME...] --update\`. Figures are medians; the ratio is ours to the peer's, so that more is better. A section says
where and when it was measured: compare figures within one only.
`;

/** The machine, as one line. */
export function describeMachine(): string {
  const cpus = os.cpus();
  const model = cpus[0]?.model.trim() ?? 'unknown processor';
  return `${model}, ${cpus.length} cores, Node ${process.versions.node}`;
}

/** The file with the section of each bench that has been run replaced, and the others as they were; sections in order of name. */
export function updateResults(
  before: string,
  results: readonly Result[],
  machine: string,
  date: string,
): string {
  const sections = new Map<string, string>();
  for (const section of before.split(/^## /m).slice(1)) {
    const [name] = section.split('\n', 1);
    sections.set(name!.trim(), section.trimEnd());
  }
  for (const [name, own] of Map.groupBy(results, ({ bench }) => bench)) {
    sections.set(name, `${name}\n\n${date}, ${machine}\n\n${table(own)}`);
  }
  const ordered = [...sections].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return [HEAD, ...ordered.map(([, section]) => `## ${section}\n`)].join('\n');
}

function table(results: readonly Result[]): string {
  const rows = results.flatMap(rowsOf);
  return ['| case | netloom | peer | ratio | to reach |', '|---|---|---|---|---|', ...rows].join(
    '\n',
  );
}

/** A row for each peer, or one if there is none. */
function rowsOf(result: Result): string[] {
  const own = `${formatNumber(result.netloom)} ${result.unit}`;
  const peers = Object.entries(result.peers);
  if (peers.length === 0) return [`| ${result.case} | ${own} | | | |`];
  return peers.map(([name, peer]) => {
    const figure = peer === null ? 'not measured' : `${formatNumber(peer)} ${result.unit}`;
    const ratio = result.ratio[name] ?? '';
    const target = result.target[name] ?? '';
    return `| ${result.case} | ${own} | ${name}: ${figure} | ${ratio} | ${target} |`;
  });
}
