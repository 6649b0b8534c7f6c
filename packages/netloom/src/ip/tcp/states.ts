import type { Transitions } from '../../core/index.ts';

/** The states of a TCP connection (RFC 9293, section 3.3.2). */
export type TcpState =
  | 'closed'
  | 'syn-sent'
  | 'syn-received'
  | 'established'
  | 'fin-wait-1'
  | 'fin-wait-2'
  | 'close-wait'
  | 'closing'
  | 'last-ack'
  | 'time-wait';

/** What moves a connection from state to state. */
export type TcpEvent =
  /** The user opens: a SYN is sent. */
  | 'connect'
  /** A listener took a SYN: SYN and ACK are sent. */
  | 'accept'
  /** In SYN-SENT, the peer's SYN came without an acknowledgment of ours (simultaneous open). */
  | 'syn'
  /** Our SYN has been acknowledged and the peer's has come. */
  | 'synchronized'
  /** Our FIN has been queued behind the last byte: the user has ended. */
  | 'end'
  /** Our FIN has been acknowledged. */
  | 'end-acknowledged'
  /** The peer's FIN has come, in order. */
  | 'peer-end'
  /** Reset, aborted, timed out, or done waiting. */
  | 'gone';

/** The connection state diagram (RFC 9293, figure 5). */
export const TCP_TRANSITIONS: Transitions<TcpState, TcpEvent> = {
  closed: { connect: 'syn-sent', accept: 'syn-received', gone: 'closed' },
  'syn-sent': { syn: 'syn-received', synchronized: 'established', gone: 'closed' },
  'syn-received': {
    synchronized: 'established',
    end: 'fin-wait-1',
    'peer-end': 'close-wait',
    gone: 'closed',
  },
  established: { end: 'fin-wait-1', 'peer-end': 'close-wait', gone: 'closed' },
  'fin-wait-1': { 'end-acknowledged': 'fin-wait-2', 'peer-end': 'closing', gone: 'closed' },
  'fin-wait-2': { 'peer-end': 'time-wait', gone: 'closed' },
  'close-wait': { end: 'last-ack', gone: 'closed' },
  closing: { 'end-acknowledged': 'time-wait', gone: 'closed' },
  'last-ack': { 'end-acknowledged': 'closed', gone: 'closed' },
  'time-wait': { gone: 'closed' },
};
