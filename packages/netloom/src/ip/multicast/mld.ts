import { IpAddress } from '../../core/index.ts';
import { IPV6_ALL_NODES, IPV6_ALL_ROUTERS, type MldMessage } from '../../wire/index.ts';
import type { MembershipProtocol } from './protocol.ts';

/** Every MLDv2 router hears these (RFC 3810, section 5.2.14). */
const ALL_MLD_ROUTERS = IpAddress.parse('ff02::16');

/** Scopes that end before the first router: reserved and interface-local (RFC 3810, section 6; RFC 7346, section 2). */
const INTERFACE_LOCAL = 1;

/**
 * MLD: version 2 (RFC 3810) with fallback to 1 (RFC 2710). Sent from a link-local address, or `::` while there is none, with hop
 * limit 1 and a router alert.
 */
export const MLD: MembershipProtocol<MldMessage> = {
  name: 'mld',
  family: 6,
  newestVersion: 2,
  // In 1280 bytes, with 48 of IP headers and 8 of MLD's own: records of 20 bytes.
  recordsPerReport: 61,
  // RFC 3810, section 9.11; RFC 2710, section 7.10.
  unsolicitedReportInterval: { newest: 1000, older: 10_000 },
  isReported: (group) =>
    !group.equals(IPV6_ALL_NODES) && ((group.word0 >>> 16) & 0x0f) > INTERFACE_LOCAL,
  report: (records) => ({ message: { kind: 'report-v2', records }, destination: ALL_MLD_ROUTERS }),
  olderReport: (group) => ({ message: { kind: 'report', group }, destination: group }),
  leave: (group) => ({ message: { kind: 'done', group }, destination: IPV6_ALL_ROUTERS }),
};
