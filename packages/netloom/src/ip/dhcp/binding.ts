import {
  NOT_QUEUED,
  NetloomError,
  StateMachine,
  type TimerEntry,
  type Transitions,
} from '../../core/index.ts';

/** The states of an address, or of a delegated prefix, in a server's keeping. */
export type DhcpBindingState =
  | 'free'
  /** Promised to a client, for a short time. */
  | 'offered'
  | 'bound'
  /** A client found it in use by a station that did not get it here. */
  | 'quarantined';

/** What moves an address of a server from state to state. */
export type DhcpBindingEvent =
  | 'offer'
  | 'acknowledge'
  /** The client chose another server, or another address. */
  | 'withdraw'
  | 'release'
  | 'decline'
  | 'expire';

/** The life of an address in a server's keeping (RFC 2131, section 4.3; RFC 8415, section 18.3). */
export const DHCP_BINDING_TRANSITIONS: Transitions<DhcpBindingState, DhcpBindingEvent> = {
  free: { offer: 'offered', acknowledge: 'bound' },
  offered: {
    offer: 'offered',
    acknowledge: 'bound',
    withdraw: 'free',
    decline: 'quarantined',
    expire: 'free',
  },
  bound: {
    acknowledge: 'bound',
    withdraw: 'free',
    release: 'free',
    decline: 'quarantined',
    expire: 'free',
  },
  quarantined: { expire: 'free' },
};

/** Of a binding that no station asked for: one of an earlier run, or entered by its owner. */
export const NO_STATION = -1;

/** Why a lease is no longer the client's. */
export type DhcpFreeReason = 'expired' | 'released' | 'declined';

/** For whom an address is reserved that another has. */
export interface DhcpHeir {
  /** The key of the client. */
  readonly client: string;
  readonly hostname: string | undefined;
}

/** What a server has offered, leased or put in quarantine, whatever that is. */
export class DhcpBinding implements TimerEntry {
  deadline: number = NOT_QUEUED.deadline;
  position: number = NOT_QUEUED.position;
  order: number = NOT_QUEUED.order;
  /** The client's key; empty in quarantine. */
  client: string;
  hostname: string | undefined;
  /** Its owner has entered it for a client that may never ask: see `reserve` of the servers. */
  isReserved = false;
  /** Its owner has reserved it for another since: that is entered when this ends. */
  heir: DhcpHeir | undefined;
  /** The station that asked for it; {@link NO_STATION}: nobody has said which. */
  readonly station: number;
  readonly #machine: StateMachine<DhcpBindingState, DhcpBindingEvent>;

  constructor(name: string, client: string, station: number) {
    this.client = client;
    this.station = station;
    this.#machine = new StateMachine(name, DHCP_BINDING_TRANSITIONS, 'free');
  }

  get state(): DhcpBindingState {
    return this.#machine.state;
  }

  take(event: DhcpBindingEvent, now: number): DhcpBindingState {
    return this.#machine.take(event, now);
  }

  /** Milliseconds until it ends; null: never. */
  remaining(now: number): number | null {
    return this.deadline === Infinity ? null : this.deadline - now;
  }
}

/** What a server's owner is told who wants an address reserved where none is free. */
export function poolExhausted(): NetloomError {
  return new NetloomError('DHCP_POOL_EXHAUSTED', 'no address of the pool is free', {
    remedy: 'Make the pool larger, or name an address outside of it.',
  });
}
