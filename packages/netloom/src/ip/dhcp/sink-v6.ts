import type { Cidr, IpAddress, Random } from '../../core/index.ts';
import type { Dhcpv6Lease, Dhcpv6Parameters } from './lease-v6.ts';
import type { Dhcpv6ClientLimits } from './limits.ts';

/** Why a lease is not to be used any more. */
export type Dhcpv6LossReason = 'expired' | 'refused' | 'released' | 'stopped';

/** What a DHCPv6 client calls. A handler may call anything of the client's. */
export interface Dhcpv6ClientSink {
  /** Send this to port 547 of `destination` (ff02::1:2) from port 546 of the interface's link-local address. The bytes are given away. */
  send(message: Uint8Array, destination: IpAddress): void;
  /** Find out whether a station on the link uses the address (RFC 4862, section 5.4), and call the client's `probed`. */
  probe(address: IpAddress): void;
  /** These addresses and prefixes are to be used from now on. */
  bound(lease: Dhcpv6Lease): void;
  /** The lease has changed: times, parameters, or which addresses and prefixes it has. */
  renewed(lease: Dhcpv6Lease): void;
  /** Nothing of the lease is to be used from now on. */
  lost(reason: Dhcpv6LossReason, lease: Dhcpv6Lease): void;
  /** Parameters alone have come (mode `stateless`). */
  configured(parameters: Dhcpv6Parameters): void;
}

/** How to make a DHCPv6 client. */
export interface Dhcpv6ClientOptions {
  /** Who the client is: see `duidOfMac`. The same at every run (RFC 8415, section 11). */
  readonly duid: Uint8Array;
  /** `IAID`: which interface it is. The same at every run. */
  readonly associationId: number;
  readonly random: Random;
  /** `stateless`: parameters alone, addresses come from router advertisements (RFC 8415, section 6.1). `stateful` by default. */
  readonly mode?: 'stateful' | 'stateless';
  /** Whether addresses are wanted; yes by default. */
  readonly addresses?: boolean;
  /** Whether prefixes are wanted; no by default. A prefix is a hint at the one or the length that would be welcome. */
  readonly prefixes?: boolean | Cidr;
  /** Whether a server may grant at once, in two messages instead of four (RFC 8415, section 18.2.1). */
  readonly rapidCommit?: boolean;
  /** What an earlier run had. */
  readonly previous?: Dhcpv6Lease;
  readonly limits?: Partial<Dhcpv6ClientLimits>;
}
