import { printable } from '../text/index.ts';
import type { Mistake } from './mistake.ts';
import { LINE_BREAK } from './yaml-source.ts';

/** Letters of a line that are shown: so many before the mistake and after it. */
const BEFORE = 60;
const AFTER = 40;

/**
 * Mistakes for people, each as `PATH:LINE:COLUMN: message`, with the line, a caret under the place, and what to do. A file may come from anywhere: a
 * terminal is not to obey what of it is shown.
 */
export function describeMistakes(text: string, path: string, mistakes: readonly Mistake[]): string {
  const lines = text.split(LINE_BREAK);
  return mistakes.map((mistake) => describe(lines, path, mistake)).join('\n');
}

function describe(lines: readonly string[], path: string, mistake: Mistake): string {
  const { line, column, remedy } = mistake;
  const start = Math.max(0, column - 1 - BEFORE);
  const written = lines[line - 1] ?? '';
  const shown = printable(written.slice(start, column + AFTER).replaceAll('\t', ' '));
  const gutter = String(line).padStart(4);
  const caret = ' '.repeat(column - 1 - start);
  const where = mistake.path === '' ? '' : ` (${mistake.path})`;
  const message = printable(`${mistake.message}${where}`);
  return `${path}:${line}:${column}: ${message}
${gutter} | ${shown}
${' '.repeat(gutter.length)} | ${caret}^ ${printable(remedy)}
`;
}
