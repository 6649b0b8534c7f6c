/** Duplicate address detection for IPv6 (RFC 4862, section 5.4), with nonces against loops (RFC 7527). */
import {
  Counters,
  NOT_QUEUED,
  NetloomError,
  StateMachine,
  TimerQueue,
  copyBytes,
  equalBytes,
  withLimits,
  type Engine,
  type IpAddress,
  type Random,
  type TimerEntry,
  type Transitions,
} from '../../core/index.ts';
import {
  solicitedNodeGroup,
  type NdpOption,
  type NeighbourAdvertisement,
  type NeighbourSolicitation,
} from '../../wire/index.ts';

/** Limits and constants of {@link DuplicateDetection}. Milliseconds unless said otherwise. */
export interface DuplicateDetectionLimits {
  /** Addresses checked at a time. */
  readonly addresses: number;
  /** Solicitations sent for each; 0: no detection (RFC 4862, section 5.1: DupAddrDetectTransmits). */
  readonly transmits: number;
  /** Between solicitations, and after the last, until a router says otherwise (RFC 4861, section 10: RETRANS_TIMER). */
  readonly retransmitTime: number;
  /** Solicitations sent anew each time one of ours came back to us (RFC 7527, section 4.1: MAX_MULTICAST_SOLICIT). */
  readonly loopTransmits: number;
}

/** The RFCs' values. */
export const DUPLICATE_DETECTION_LIMITS: DuplicateDetectionLimits = {
  addresses: 64,
  transmits: 1,
  retransmitTime: 1000,
  loopTransmits: 3,
};

/** What is known of an address that is checked. */
export type DuplicateDetectionState = 'waiting' | 'probing' | 'unique' | 'duplicate';

/** What moves a check on. */
export type DuplicateDetectionEvent =
  | 'solicit'
  /** The last solicitation has gone unanswered for long enough. */
  | 'unanswered'
  /** Another node has the address, or wants it at the same time. */
  | 'conflict';

/** RFC 4862, section 5.4. */
export const DUPLICATE_DETECTION_TRANSITIONS: Transitions<
  DuplicateDetectionState,
  DuplicateDetectionEvent
> = {
  waiting: { solicit: 'probing', unanswered: 'unique', conflict: 'duplicate' },
  probing: { solicit: 'probing', unanswered: 'unique', conflict: 'duplicate' },
  unique: {},
  duplicate: {},
};

/** What a {@link DuplicateDetection} calls, as the last thing it does. */
export interface DuplicateDetectionSink {
  /** Send from `::` with hop limit 255. The node must be in the target's solicited-node group, which is `destination`, by now (RFC 4862, section 5.4.2). */
  solicit(message: NeighbourSolicitation, destination: IpAddress): void;
  /** No other node has the address: it may be used. */
  unique(address: IpAddress, now: number): void;
  /** Another node has it: it must not be used. */
  duplicate(address: IpAddress, now: number): void;
}

/** The Nonce option (RFC 3971, section 5.3.2), with six random bytes. */
const NONCE_TYPE = 14;
const NONCE_LENGTH = 6;

/** An address that is checked. */
class Check implements TimerEntry {
  deadline: number = NOT_QUEUED.deadline;
  position: number = NOT_QUEUED.position;
  order: number = NOT_QUEUED.order;
  readonly address: IpAddress;
  readonly nonce: Uint8Array | undefined;
  readonly machine: StateMachine<DuplicateDetectionState, DuplicateDetectionEvent> =
    new StateMachine('duplicate-detection', DUPLICATE_DETECTION_TRANSITIONS, 'waiting');
  solicitationsLeft: number;
  /** A solicitation of ours has come back since the last round of them began. */
  wasLooped = false;

  constructor(address: IpAddress, nonce: Uint8Array | undefined, transmits: number) {
    this.address = address;
    this.nonce = nonce;
    this.solicitationsLeft = transmits;
  }
}

/** Finds out whether IPv6 addresses are free before they are used: any number at a time, of one interface. */
export class DuplicateDetection implements Engine {
  /** Messages passed over, by reason. */
  readonly drops: Counters = new Counters();
  /** Milliseconds between solicitations: routers may set it (RFC 4861, section 6.3.4). */
  retransmitTime: number;
  readonly #random: Random;
  readonly #useNonce: boolean;
  readonly #limits: DuplicateDetectionLimits;
  readonly #sink: DuplicateDetectionSink;
  readonly #checks: Check[] = [];
  readonly #timers = new TimerQueue<Check>();

  constructor(
    options: {
      readonly random: Random;
      /** Default true. Without it, a link that loops packets back makes every address a duplicate. */
      readonly nonce?: boolean;
      readonly limits?: Partial<DuplicateDetectionLimits>;
    },
    sink: DuplicateDetectionSink,
  ) {
    this.#random = options.random;
    this.#useNonce = options.nonce ?? true;
    this.#limits = withLimits(DUPLICATE_DETECTION_LIMITS, options.limits);
    this.retransmitTime = this.#limits.retransmitTime;
    this.#sink = sink;
  }

  /** Whether the address is being checked. */
  isChecking(address: IpAddress): boolean {
    return this.#find(address) !== undefined;
  }

  /**
   * Checks an address, or goes on checking it, beginning after `delay` milliseconds: a random time where others may do the same at the same
   * instant, as when the interface has just come up, or a router has spoken to all (RFC 4862, section 5.4.2). Throws `DUPLICATE_DETECTION_FULL`.
   */
  check(address: IpAddress, delay: number, now: number): void {
    if (this.isChecking(address)) return;
    const { addresses, transmits } = this.#limits;
    if (this.#checks.length >= addresses) {
      throw new NetloomError(
        'DUPLICATE_DETECTION_FULL',
        `${addresses} addresses are being checked already`,
        { remedy: 'Wait for some, or raise the limit `addresses`.' },
      );
    }
    const nonce = this.#useNonce ? this.#random.fill(new Uint8Array(NONCE_LENGTH)) : undefined;
    const check = new Check(address, nonce, transmits);
    this.#checks.push(check);
    if (transmits === 0) this.#settle(check, 'unanswered', now);
    else if (delay > 0) this.#timers.set(check, now + delay);
    else this.#solicit(check, now);
  }

  /** Checks the address no more. */
  cancel(address: IpAddress): void {
    const check = this.#find(address);
    if (check !== undefined) this.#remove(check);
  }

  /** A neighbour solicitation has come. True: its target is being checked, so it is not to be answered (RFC 4862, section 5.4.3). */
  receiveSolicitation(source: IpAddress, message: NeighbourSolicitation, now: number): boolean {
    const check = this.#find(message.target);
    if (check === undefined) return false;
    // From an address: somebody resolves ours, and gets no answer yet.
    if (!source.isUnspecified) {
      this.drops.add('resolution-of-tentative');
    } else if (isOwn(check, message.options)) {
      this.drops.add('looped-back');
      check.wasLooped = true;
    } else {
      this.#settle(check, 'conflict', now);
    }
    return true;
  }

  /** A neighbour advertisement has come. True: its target is being checked, and is taken (RFC 4862, section 5.4.4). */
  receiveAdvertisement(message: NeighbourAdvertisement, now: number): boolean {
    const check = this.#find(message.target);
    if (check === undefined) return false;
    this.#settle(check, 'conflict', now);
    return true;
  }

  deadline(): number {
    return this.#timers.deadline();
  }

  advance(now: number): void {
    for (;;) {
      const check = this.#timers.takeDue(now);
      if (check === undefined) return;
      if (check.solicitationsLeft === 0 && check.wasLooped) {
        // Ours came back, so an answer might have been lost in the same loop: the link is tried until it is quiet (RFC 7527, section 4.1).
        check.wasLooped = false;
        check.solicitationsLeft = this.#limits.loopTransmits;
      }
      if (check.solicitationsLeft > 0) this.#solicit(check, now);
      else this.#settle(check, 'unanswered', now);
    }
  }

  #find({ word0, word1, word2, word3 }: IpAddress): Check | undefined {
    return this.#checks.find(
      ({ address }) =>
        address.word3 === word3 &&
        address.word2 === word2 &&
        address.word1 === word1 &&
        address.word0 === word0,
    );
  }

  #solicit(check: Check, now: number): void {
    check.solicitationsLeft--;
    check.machine.take('solicit', now);
    this.#timers.set(check, now + this.retransmitTime);
    const { address, nonce } = check;
    const options: NdpOption[] =
      nonce === undefined ? [] : [{ kind: 'other', type: NONCE_TYPE, body: copyBytes(nonce) }];
    this.#sink.solicit(
      { kind: 'neighbour-solicitation', target: address, options },
      solicitedNodeGroup(address),
    );
  }

  #settle(check: Check, event: 'unanswered' | 'conflict', now: number): void {
    this.#remove(check);
    const state = check.machine.take(event, now);
    if (state === 'unique') this.#sink.unique(check.address, now);
    else this.#sink.duplicate(check.address, now);
  }

  #remove(check: Check): void {
    this.#timers.clear(check);
    this.#checks.splice(this.#checks.indexOf(check), 1);
  }
}

/** Whether a solicitation is ours, come back (RFC 7527, section 4.2). */
function isOwn({ nonce }: Check, options: readonly NdpOption[]): boolean {
  return (
    nonce !== undefined &&
    options.some(
      (option) =>
        option.kind === 'other' && option.type === NONCE_TYPE && equalBytes(option.body, nonce),
    )
  );
}
