import type { Transitions } from '../../core/index.ts';

/** The states of a DHCPv6 client: one for each exchange of RFC 8415, section 18.2, and those between exchanges. */
export type Dhcpv6ClientState =
  /** Not started, or ended. */
  | 'stopped'
  | 'soliciting'
  | 'requesting'
  /** Addresses were granted; whether other stations use them is being found out (RFC 8415, section 18.2.10.1). */
  | 'checking'
  | 'declining'
  /** Asking whether the addresses of before are good on this link. */
  | 'confirming'
  | 'bound'
  | 'renewing'
  | 'rebinding'
  | 'releasing'
  /** Asking for parameters alone. */
  | 'informing'
  | 'informed'
  /** Nothing can be sent; a lease, if there is one, goes on. */
  | 'link-down';

/** What moves a DHCPv6 client from state to state. */
export type Dhcpv6ClientEvent =
  /** Begin without a lease. */
  | 'solicit'
  /** Begin with addresses of before. */
  | 'confirm'
  /** Begin with prefixes of before; or T2 has come. */
  | 'rebind'
  /** Begin to ask for parameters alone; or they are to be refreshed. */
  | 'inform'
  /** An Advertise was chosen. */
  | 'select'
  /** There are addresses that are not held yet. */
  | 'granted'
  /** All there is is held already. */
  | 'confirmed'
  /** No other station uses the addresses. */
  | 'free'
  /** Another station uses one. */
  | 'in-use'
  /** Addresses were declined, and nothing is left. */
  | 'declined'
  /** Addresses were declined, and others are left. */
  | 'remaining'
  /** The server says no. */
  | 'refused'
  /** The server does not know the lease: it is asked for anew. */
  | 'no-binding'
  /** No answer, after all retransmissions. */
  | 'unanswered'
  /** No answer, but the lease held is good for a while. */
  | 'keep'
  /** T1 has come. */
  | 'renew'
  /** The last valid lifetime has ended. */
  | 'expire'
  /** Parameters have come. */
  | 'configured'
  | 'release'
  /** The Release was answered, or given up. */
  | 'released'
  | 'link-down'
  | 'stop';

/** Events that most states take alike. */
const ALWAYS = { 'link-down': 'link-down', stop: 'stopped' } as const;

/** The client's state diagram (RFC 8415, section 18.2). */
export const DHCPV6_CLIENT_TRANSITIONS: Transitions<Dhcpv6ClientState, Dhcpv6ClientEvent> = {
  stopped: {
    solicit: 'soliciting',
    confirm: 'confirming',
    rebind: 'rebinding',
    inform: 'informing',
    'link-down': 'link-down',
  },
  soliciting: { select: 'requesting', granted: 'checking', ...ALWAYS },
  requesting: {
    granted: 'checking',
    confirmed: 'bound',
    refused: 'soliciting',
    unanswered: 'soliciting',
    expire: 'soliciting',
    release: 'releasing',
    ...ALWAYS,
  },
  checking: { free: 'bound', 'in-use': 'declining', release: 'releasing', ...ALWAYS },
  declining: { declined: 'soliciting', remaining: 'bound', release: 'releasing', ...ALWAYS },
  confirming: {
    granted: 'checking',
    confirmed: 'bound',
    keep: 'bound',
    refused: 'soliciting',
    expire: 'soliciting',
    release: 'releasing',
    ...ALWAYS,
  },
  bound: {
    renew: 'renewing',
    rebind: 'rebinding',
    expire: 'soliciting',
    release: 'releasing',
    ...ALWAYS,
  },
  renewing: {
    granted: 'checking',
    confirmed: 'bound',
    'no-binding': 'requesting',
    refused: 'soliciting',
    rebind: 'rebinding',
    expire: 'soliciting',
    release: 'releasing',
    ...ALWAYS,
  },
  rebinding: {
    granted: 'checking',
    confirmed: 'bound',
    keep: 'bound',
    'no-binding': 'requesting',
    refused: 'soliciting',
    expire: 'soliciting',
    release: 'releasing',
    ...ALWAYS,
  },
  releasing: { released: 'stopped', 'link-down': 'stopped', stop: 'stopped' },
  informing: { configured: 'informed', ...ALWAYS },
  informed: { inform: 'informing', ...ALWAYS },
  'link-down': {
    solicit: 'soliciting',
    confirm: 'confirming',
    rebind: 'rebinding',
    inform: 'informing',
    expire: 'link-down',
    stop: 'stopped',
  },
};
