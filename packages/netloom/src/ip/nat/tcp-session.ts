/** The following of TCP connections from the middle of the way (RFC 5382; the states are those of RFC 6146, section 3.5.2, as RFC 7857, section 2 has them for every NAT). */
import type { Transitions } from '../../core/index.ts';
import { TcpFlag } from '../../wire/index.ts';

/** How far a connection is, as far as one can tell from between its ends. */
export type NatTcpState =
  | 'new'
  | 'inside-opening'
  | 'outside-opening'
  | 'established'
  | 'inside-ended'
  | 'outside-ended'
  | 'ended'
  | 'reset';

/** What moves a connection on. */
export type NatTcpEvent =
  /** A SYN has come from inside. */
  | 'inside-syn'
  | 'outside-syn'
  | 'inside-fin'
  | 'outside-fin'
  /** A reset has come, from either side. */
  | 'reset'
  /** Something else has come, from either side. */
  | 'data';

/** A TCP connection as a NAT sees it; a reset is believed only when nothing comes after it (RFC 7857, section 2.2). */
export const NAT_TCP_TRANSITIONS: Transitions<NatTcpState, NatTcpEvent> = {
  new: { 'inside-syn': 'inside-opening', 'outside-syn': 'outside-opening' },
  // The other's SYN, with an acknowledgment or without: a simultaneous open (RFC 5382, REQ-2) is no different.
  'inside-opening': { 'outside-syn': 'established', reset: 'reset' },
  'outside-opening': { 'inside-syn': 'established', reset: 'reset' },
  established: { 'inside-fin': 'inside-ended', 'outside-fin': 'outside-ended', reset: 'reset' },
  'inside-ended': { 'outside-fin': 'ended', reset: 'reset' },
  'outside-ended': { 'inside-fin': 'ended', reset: 'reset' },
  // The same ports may be used for the next connection (RFC 9293, section 3.6.1).
  ended: { 'inside-syn': 'inside-opening', 'outside-syn': 'outside-opening' },
  reset: {
    data: 'established',
    'inside-syn': 'inside-opening',
    'outside-syn': 'outside-opening',
  },
};

/** What a segment with these flags is to the connection. */
export function tcpEvent(flags: number, isFromInside: boolean): NatTcpEvent {
  if ((flags & TcpFlag.RST) !== 0) return 'reset';
  if ((flags & TcpFlag.SYN) !== 0) return isFromInside ? 'inside-syn' : 'outside-syn';
  if ((flags & TcpFlag.FIN) !== 0) return isFromInside ? 'inside-fin' : 'outside-fin';
  return 'data';
}

/** Whether both ends have agreed to the connection, and not both have ended it: then it has the long timeout. */
export function isLasting(state: NatTcpState): boolean {
  return state === 'established' || state === 'inside-ended' || state === 'outside-ended';
}
