import type { DestinationAccount } from 'netloom/host';
import { formatBytes } from '../format.ts';
import { formatTable, type Column } from '../table.ts';

const COLUMNS: readonly Column[] = [
  { heading: 'sent where' },
  { heading: 'known as' },
  { heading: 'flows', align: 'right' },
  { heading: 'denied', align: 'right' },
  { heading: 'sent', align: 'right' },
  { heading: 'received', align: 'right' },
];

/** What went where, as a table: a line for each destination, the most bytes first. */
export function describeDestinations(accounts: readonly DestinationAccount[]): string {
  if (accounts.length === 0) return 'Nothing was sent to anybody.\n';
  const rows = accounts.map((account) => [
    `${account.protocol} ${account.destination}`,
    account.labels[0] ?? '',
    String(account.flows),
    String(account.denied),
    formatBytes(account.bytesSent),
    formatBytes(account.bytesReceived),
  ]);
  return formatTable(COLUMNS, rows);
}
