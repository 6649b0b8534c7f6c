import type { IpAddress, MacAddress, Random } from '../../core/index.ts';
import type { Dhcpv4Lease } from './lease-v4.ts';
import type { Dhcpv4ClientLimits } from './limits.ts';

/** Why an address is not to be used any more. */
export type Dhcpv4LossReason = 'expired' | 'refused' | 'released' | 'stopped';

/** What a DHCPv4 client calls. A handler may call anything of the client's. */
export interface Dhcpv4ClientSink {
  /** Send this to port 67 of `destination` (255.255.255.255 or a server) from port 68 of `source` (0.0.0.0 while there is no address). The bytes are given away. */
  send(message: Uint8Array, destination: IpAddress, source: IpAddress): void;
  /** Find out whether a station on the link uses the address (RFC 2131, section 4.4.1; RFC 5227, section 2.1), and call the client's `probed`. */
  probe(address: IpAddress): void;
  /** The address is to be used from now on. */
  bound(lease: Dhcpv4Lease): void;
  /** The address goes on to be used; times and parameters may be new. */
  renewed(lease: Dhcpv4Lease): void;
  /** The address is not to be used from now on. */
  lost(reason: Dhcpv4LossReason, lease: Dhcpv4Lease): void;
}

/** How to make a DHCPv4 client. */
export interface Dhcpv4ClientOptions {
  readonly mac: MacAddress;
  readonly random: Random;
  /** By default made of the MAC address. */
  readonly clientIdentifier?: Uint8Array;
  readonly hostname?: string;
  /** Ask servers to answer by broadcast: for a host that cannot take a unicast to an address it has not yet. */
  readonly broadcast?: boolean;
  /** What an earlier run had: it is asked for again while its lease may run (INIT-REBOOT). */
  readonly previous?: Pick<Dhcpv4Lease, 'address' | 'expiresAt'>;
  readonly limits?: Partial<Dhcpv4ClientLimits>;
}
