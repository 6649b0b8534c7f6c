import { formatValue, type LinkStatus } from '@netloom/edge/client';

/** What may befall a frame, and how it is told. */
const FATES = ['loss', 'reorder', 'duplicate', 'corrupt'] as const;

/** What is wrong with a line on purpose, as `40ms±5ms 10mbit loss 2%`; empty: nothing. */
export function describeLine(line: LinkStatus): string {
  const parts: string[] = [];
  const { partition, delay, jitter, rate } = line;
  if (partition) parts.push('cut');
  if (delay > 0 || jitter > 0) {
    const spread = jitter > 0 ? `±${formatValue('jitter', jitter)}` : '';
    parts.push(`${formatValue('delay', delay)}${spread}`);
  }
  if (rate !== null) parts.push(formatValue('rate', rate));
  for (const fate of FATES) {
    if (line[fate] > 0) parts.push(`${fate} ${formatValue(fate, line[fate])}`);
  }
  return parts.join(' ');
}
