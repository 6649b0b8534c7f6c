import type { FlowStatus } from '@netloom/edge';
import { parseSocketAddress } from '@netloom/edge/text';
import type { DestinationAccount } from 'netloom/host';

/** What went where of a network's flows, for the guest of these addresses: the most bytes first. */
export function destinationsOf(
  flows: readonly FlowStatus[],
  guestAddresses: readonly string[],
): DestinationAccount[] {
  const own = flows.filter(
    ({ direction, guest }) => direction === 'outbound' && guestAddresses.includes(addressOf(guest)),
  );
  const groups = Map.groupBy(own, ({ protocol, destination }) => `${protocol} ${destination}`);
  return [...groups.values()].map(accountOf).sort((a, b) => bytesOf(b) - bytesOf(a));
}

/** Of an address with a port, or of one without, as those of echo requests are. */
function addressOf(end: string): string {
  return String(parseSocketAddress(end, { port: 0 })?.address);
}

function accountOf(flows: readonly FlowStatus[]): DestinationAccount {
  const { protocol, destination, labels } = flows[0]!;
  return {
    protocol,
    destination,
    labels,
    flows: flows.length,
    denied: flows.filter(({ end }) => end === 'denied').length,
    bytesSent: sum(flows, 'bytesSent'),
    bytesReceived: sum(flows, 'bytesReceived'),
  };
}

function sum(flows: readonly FlowStatus[], name: 'bytesSent' | 'bytesReceived'): number {
  return flows.reduce((total, flow) => total + flow[name], 0);
}

function bytesOf({ bytesSent, bytesReceived }: DestinationAccount): number {
  return bytesSent + bytesReceived;
}
