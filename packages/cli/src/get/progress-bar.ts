import type { DownloadProgress } from 'netloom/http';
import { formatBytes, formatDuration } from '../format.ts';

/** Milliseconds between two pictures. */
const INTERVAL = 100;
const BAR_WIDTH = 24;

/** A line on a terminal that is written over and over. */
export class ProgressBar {
  readonly #write: (text: string) => void;
  readonly #width: number;
  #drawnAt = -Infinity;

  /** @param width the terminal's */
  constructor(write: (text: string) => void, width: number) {
    this.#write = write;
    this.#width = width;
  }

  /** Shows how far it is, unless it was shown a moment ago. */
  show(progress: DownloadProgress, now: number): void {
    if (now - this.#drawnAt < INTERVAL) return;
    this.#drawnAt = now;
    // One column is left free: a full line would make some terminals go on to the next.
    this.#write(`\r\u001b[K${progressLine(progress).slice(0, this.#width - 1)}`);
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#drawnAt !== -Infinity) this.#write('\r\u001b[K');
  }
}

/** How far a download is: bytes, rate, time left. */
export function progressLine({ position, total, rate }: DownloadProgress): string {
  const speed = `${formatBytes(rate)}/s`;
  if (total === undefined || total === 0) return `${formatBytes(position)}  ${speed}`;
  const share = Math.min(1, position / total);
  const filled = Math.round(share * BAR_WIDTH);
  const bar = `[${'='.repeat(filled).padEnd(BAR_WIDTH)}]`;
  const percent = `${Math.floor(share * 100)}%`.padStart(4);
  const left = rate > 0 ? `  ${formatDuration((total - position) / rate)} left` : '';
  return `${percent} ${bar} ${formatBytes(position)} of ${formatBytes(total)}  ${speed}${left}`;
}
