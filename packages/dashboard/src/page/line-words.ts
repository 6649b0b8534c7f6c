import type { LinkStatus } from '@netloom/edge/status';
import { formatDelay, formatRate, formatShare } from './units.ts';

/** What is wrong with a line, in few words each, as `80±10 ms`, `1 Mbit`, `2 %`; none: nothing is. */
export function impairmentWords(link: LinkStatus): string[] {
  if (link.partition) return ['✕ cut'];
  const { delay, jitter, rate, loss, reorder, duplicate, corrupt } = link;
  const words: string[] = [];
  if (delay > 0 || jitter > 0) words.push(delayWords(delay, jitter));
  if (rate !== null) words.push(formatRate(rate).replace('/s', ''));
  if (loss > 0) words.push(formatShare(loss));
  const others = reorder > 0 || duplicate > 0 || corrupt > 0;
  return words.length === 0 && others ? ['disturbed'] : words;
}

/** Words in as few rows as their length allows. */
export function wrapWords(words: readonly string[], length: number): string[] {
  const rows: string[] = [];
  for (const word of words) {
    const longer = rows.length === 0 ? undefined : `${rows.at(-1)} · ${word}`;
    if (longer !== undefined && longer.length <= length) rows[rows.length - 1] = longer;
    else rows.push(word);
  }
  return rows;
}

function delayWords(delay: number, jitter: number): string {
  if (jitter === 0) return formatDelay(delay);
  return `${Number(delay.toPrecision(3))}±${Number(jitter.toPrecision(3))} ms`;
}

/** Words that are cut to what there is room for. */
export function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
