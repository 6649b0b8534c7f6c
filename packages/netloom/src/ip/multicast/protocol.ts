import type { IpAddress } from '../../core/index.ts';
import type { GroupRecord } from '../../wire/index.ts';
import type { CompatibilityMode } from './compatibility.ts';

/** A query as the membership engine looks at it: that of either protocol will do. */
export interface MembershipQuery {
  /** Of the messages of IGMP, 1 to 3; of MLD, 1 or 2. */
  readonly version: number;
  /** Unspecified: of any group. */
  readonly group: IpAddress;
  readonly maximumResponseTime: number;
  readonly robustness: number;
  readonly queryInterval: number;
  readonly sources: readonly IpAddress[];
}

/** A message, and where it goes. */
export interface Outgoing<Message> {
  readonly message: Message;
  readonly destination: IpAddress;
}

/** What IGMP and MLD do differently. */
export interface MembershipProtocol<Message> {
  readonly name: 'igmp' | 'mld';
  readonly family: 4 | 6;
  /** The version of a query that an up-to-date router sends. */
  readonly newestVersion: number;
  /** Records that fit in one report on any link. */
  readonly recordsPerReport: number;
  /** Milliseconds within which a report of joining is repeated, for the newest version and the older. */
  readonly unsolicitedReportInterval: { readonly newest: number; readonly older: number };
  /** Whether routers need to hear of the group at all. */
  isReported(group: IpAddress): boolean;
  /** A report of the newest version. */
  report(records: readonly GroupRecord[]): Outgoing<Message>;
  /** A report of the version spoken in an older mode. */
  olderReport(group: IpAddress, mode: CompatibilityMode): Outgoing<Message>;
  /** The word of leaving in mode `older`. */
  leave(group: IpAddress): Outgoing<Message>;
}
