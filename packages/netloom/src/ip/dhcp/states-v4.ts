import type { Transitions } from '../../core/index.ts';

/** The states of a DHCPv4 client (RFC 2131, figure 5), and the three that the figure leaves to the reader. */
export type Dhcpv4ClientState =
  /** Not started, or ended. */
  | 'stopped'
  | 'init'
  | 'selecting'
  | 'requesting'
  /** An address was granted; whether another station uses it is being found out (RFC 2131, section 3.1, step 5). */
  | 'checking'
  | 'init-reboot'
  | 'rebooting'
  | 'bound'
  | 'renewing'
  | 'rebinding'
  /** Nothing can be sent; a lease, if there is one, goes on. */
  | 'link-down';

/** What moves a DHCPv4 client from state to state. */
export type Dhcpv4ClientEvent =
  /** Begin without an address in mind. */
  | 'start'
  /** Begin with an address whose lease may still run. */
  | 'reboot'
  /** The first DISCOVER was sent. */
  | 'discover'
  /** An offer was chosen, and its REQUEST sent. */
  | 'select'
  /** The REQUEST for the address of before was sent. */
  | 'verify'
  /** An ACK granted an address that is not held yet. */
  | 'granted'
  /** An ACK confirmed the address that is held. */
  | 'confirmed'
  /** No other station uses the granted address. */
  | 'free'
  /** Another station uses it: DECLINE was sent. */
  | 'in-use'
  /** A NAK. */
  | 'refused'
  /** No answer, after all retransmissions. */
  | 'unanswered'
  /** No answer, but the lease held is good for a while. */
  | 'keep'
  /** T1 has come. */
  | 'renew'
  /** T2 has come. */
  | 'rebind'
  /** The lease has ended. */
  | 'expire'
  | 'link-down'
  | 'stop';

/** The client's state diagram (RFC 2131, figure 5). */
export const DHCPV4_CLIENT_TRANSITIONS: Transitions<Dhcpv4ClientState, Dhcpv4ClientEvent> = {
  stopped: { start: 'init', reboot: 'init-reboot', 'link-down': 'link-down' },
  init: { discover: 'selecting', 'link-down': 'link-down', stop: 'stopped' },
  selecting: { select: 'requesting', 'link-down': 'link-down', stop: 'stopped' },
  requesting: {
    granted: 'checking',
    refused: 'init',
    unanswered: 'init',
    'link-down': 'link-down',
    stop: 'stopped',
  },
  checking: { free: 'bound', 'in-use': 'init', 'link-down': 'link-down', stop: 'stopped' },
  'init-reboot': {
    verify: 'rebooting',
    expire: 'init',
    'link-down': 'link-down',
    stop: 'stopped',
  },
  rebooting: {
    granted: 'checking',
    confirmed: 'bound',
    refused: 'init',
    unanswered: 'init',
    keep: 'bound',
    expire: 'init',
    'link-down': 'link-down',
    stop: 'stopped',
  },
  bound: {
    renew: 'renewing',
    rebind: 'rebinding',
    expire: 'init',
    'link-down': 'link-down',
    stop: 'stopped',
  },
  renewing: {
    confirmed: 'bound',
    refused: 'init',
    rebind: 'rebinding',
    expire: 'init',
    'link-down': 'link-down',
    stop: 'stopped',
  },
  rebinding: {
    confirmed: 'bound',
    refused: 'init',
    expire: 'init',
    'link-down': 'link-down',
    stop: 'stopped',
  },
  'link-down': { start: 'init', reboot: 'init-reboot', expire: 'link-down', stop: 'stopped' },
};
