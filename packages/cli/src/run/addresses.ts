import { Cidr, MacAddress, type IpAddress } from 'netloom/core';

/** The gateway's address in its network, of each family. */
export const GATEWAY_ADDRESSES: readonly Cidr[] = [
  Cidr.parse('10.0.2.2/24'),
  Cidr.parse('fd00::2/64'),
];
/** From which it speaks as a router (RFC 4861, section 6.1.2). */
export const GATEWAY_LINK_LOCAL: Cidr = Cidr.parse('fe80::2/64');
/** The program's. */
export const PROGRAM_ADDRESSES: readonly Cidr[] = [
  Cidr.parse('10.0.2.100/24'),
  Cidr.parse('fd00::100/64'),
];
/** Where the name server is: an address that is reached whatever of IPv6 the program's kernel has. */
export const NAME_SERVER: IpAddress = GATEWAY_ADDRESSES[0]!.address;
/** Locally administered. */
export const GATEWAY_MAC: MacAddress = MacAddress.parse('02:00:00:00:00:02');
