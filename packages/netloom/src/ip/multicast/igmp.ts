import { IpAddress } from '../../core/index.ts';
import type { IgmpMessage } from '../../wire/index.ts';
import type { MembershipProtocol } from './protocol.ts';

/** Every IGMPv3 router hears these (RFC 3376, section 4.2.14; RFC 2236, section 9). */
const ALL_IGMP_ROUTERS = IpAddress.parse('224.0.0.22');
const ALL_ROUTERS = IpAddress.parse('224.0.0.2');
const ALL_SYSTEMS = IpAddress.parse('224.0.0.1');

/** IGMP: version 3 (RFC 3376) with fallback to 2 (RFC 2236) and 1 (RFC 1112, appendix I). Sent with time to live 1 and a router alert. */
export const IGMP: MembershipProtocol<IgmpMessage> = {
  name: 'igmp',
  family: 4,
  newestVersion: 3,
  // In 576 bytes, with 24 of IP header and 8 of IGMP's own: records of 8 bytes.
  recordsPerReport: 68,
  // RFC 3376, section 8.11; RFC 2236, section 8.10.
  unsolicitedReportInterval: { newest: 1000, older: 10_000 },
  isReported: (group) => !group.equals(ALL_SYSTEMS),
  report: (records) => ({
    message: { kind: 'report-v3', records },
    destination: ALL_IGMP_ROUTERS,
  }),
  olderReport: (group, mode) => ({
    message: { kind: 'report', version: mode === 'oldest' ? 1 : 2, group },
    destination: group,
  }),
  leave: (group) => ({ message: { kind: 'leave', group }, destination: ALL_ROUTERS }),
};
