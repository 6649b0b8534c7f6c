import type { Clock } from 'netloom/core';
import type { DhcpHeir, Dhcpv4LeaseRecord, Dhcpv6LeaseRecord } from 'netloom/ip';
import { describeLeaseClient, withoutPrefixLength } from '../../text/index.ts';

/** What people are told of an address of the file that a client had been leased before: whose it is to be, who has it, and until when. */
export function displacedNotice(
  network: string,
  lease: Dhcpv4LeaseRecord | Dhcpv6LeaseRecord,
  heir: DhcpHeir,
  clock: Clock,
): string {
  const address = 'kind' in lease ? withoutPrefixLength(lease.lease) : lease.address;
  const { hostname, client, remaining } = lease;
  const holder = describeLeaseClient(client);
  const who = hostname === undefined ? holder : `${hostname} (${holder})`;
  const until =
    remaining === null
      ? 'for ever'
      : `until ${new Date(clock.wallTime() + remaining).toISOString()}`;
  return (
    `${address} of the network ${network} is reserved for ${heir.hostname ?? describeLeaseClient(heir.client)}, and ` +
    `leased to ${who} ${until}: when that asks for more, it is given another`
  );
}
