import type { DestinationAccount } from 'netloom/host';
import { formatBytes } from '../get/format.ts';

const HEADINGS = ['sent where', 'known as', 'flows', 'denied', 'sent', 'received'];

/** What went where, as a table: a line for each destination, the most bytes first. */
export function describeDestinations(accounts: readonly DestinationAccount[]): string {
  const rows = accounts.map((account) => [
    `${account.protocol} ${account.destination}`,
    account.labels[0] ?? '',
    String(account.flows),
    String(account.denied),
    formatBytes(account.bytesSent),
    formatBytes(account.bytesReceived),
  ]);
  if (rows.length === 0) return 'Nothing was sent to anybody.\n';
  const table = [HEADINGS, ...rows];
  const widths = HEADINGS.map((_, i) => Math.max(...table.map((row) => row[i]!.length)));
  return table.map((row) => `${pad(row, widths)}\n`).join('');
}

/** Text to the left, numbers to the right. */
function pad(row: readonly string[], widths: readonly number[]): string {
  const cells = row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)));
  return cells.join('  ').trimEnd();
}
