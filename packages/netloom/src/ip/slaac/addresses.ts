import {
  Cidr,
  type Counters,
  type IpAddress,
  type Random,
  type TimerQueue,
} from '../../core/index.ts';
import type { NdpPrefix } from '../../wire/index.ts';
import type { DuplicateDetection } from '../address/duplicate-address-v6.ts';
import { ConfiguredAddress, type AddressPlan, type AutoAddress } from './address.ts';
import {
  isReservedIdentifier,
  randomIdentifier,
  stableIdentifier,
  type StableIdentifierOptions,
} from './identifier.ts';
import { TWO_HOURS, type SlaacLimits } from './limits.ts';
import { lifetimeOf, type SlaacTimer } from './timer.ts';

/** What {@link AutoAddresses} needs of the engine around it. */
export interface AddressEnvironment {
  readonly timers: TimerQueue<SlaacTimer>;
  readonly random: Random;
  readonly limits: SlaacLimits;
  readonly identity: StableIdentifierOptions;
  readonly useTemporary: boolean;
  readonly detection: DuplicateDetection;
  readonly drops: Counters;
  tentative(address: AutoAddress): void;
  ready(address: AutoAddress, now: number): void;
  changed(address: AutoAddress): void;
  failed(address: AutoAddress): void;
  removed(address: AutoAddress): void;
  /** No link-local address could be had. */
  linkLocalFailed(now: number): void;
}

interface Lifetimes {
  readonly preferredUntil: number;
  readonly validUntil: number;
}

const LINK_LOCAL: Cidr = Cidr.parse('fe80::/64');

/** The first try, good for ever. */
const FIRST_PLAN = {
  attempt: 0,
  preferredUntil: Infinity,
  validUntil: Infinity,
  preferredLimit: Infinity,
  validLimit: Infinity,
} as const;

/** The length of prefixes that addresses are made from: identifiers have 64 bits (RFC 4291, section 2.5.4). */
const PREFIX_LENGTH = 64;

/** How many identifiers are looked at for one that is not reserved. */
const IDENTIFIER_TRIES = 8;

/** The addresses that an interface has given itself: making them, their lifetimes, and what becomes of duplicates. */
export class AutoAddresses {
  readonly #environment: AddressEnvironment;
  #addresses: ConfiguredAddress[] = [];

  constructor(environment: AddressEnvironment) {
    this.#environment = environment;
  }

  list(): readonly AutoAddress[] {
    return this.#addresses;
  }

  /** The link-local address, once it is known to be free. */
  get linkLocal(): IpAddress | undefined {
    return this.#addresses.find(({ kind, isAssigned }) => kind === 'link-local' && isAssigned)
      ?.address;
  }

  /** Makes the link-local address (RFC 4862, section 5.3). */
  start(now: number): void {
    const plan = { ...FIRST_PLAN, kind: 'link-local', prefix: LINK_LOCAL } as const;
    this.#make(plan, this.#randomDelay(), now);
  }

  /** Takes over what a router says of a prefix for autonomous configuration (RFC 4862, section 5.5.3). */
  update(option: NdpPrefix, now: number): void {
    const { drops } = this.#environment;
    const { prefixLength } = option.prefix;
    const prefix = new Cidr(option.prefix.network, prefixLength);
    const valid = lifetimeOf(option.validLifetime);
    const preferred = lifetimeOf(option.preferredLifetime);
    if (preferred > valid) {
      drops.add('prefix-preferred-beyond-valid');
    } else if (prefixLength !== PREFIX_LENGTH) {
      drops.add('prefix-length');
    } else {
      const stable = this.#ofPrefix(prefix).find(({ kind }) => kind === 'stable');
      const lifetimes = { preferredUntil: now + preferred, validUntil: now + valid };
      if (stable !== undefined) {
        this.#refresh(stable, lifetimes, now);
      } else if (valid > 0) {
        const plan = { ...FIRST_PLAN, ...lifetimes, kind: 'stable', prefix } as const;
        this.#make(plan, this.#randomDelay(), now);
      }
      this.#ensureTemporary(prefix, now);
    }
  }

  /** Duplicate detection has found an address free. */
  unique(address: IpAddress, now: number): void {
    const found = this.#find(address);
    if (found === undefined) return;
    found.take('unique', now);
    if (found.preferredUntil <= now) found.take('deprecate', now);
    this.#schedule(found);
    this.#environment.ready(found, now);
  }

  /** Duplicate detection has found an address taken: another is tried (RFC 7217, section 6; RFC 8981, section 3.4, step 4). */
  duplicate(address: IpAddress, now: number): void {
    const found = this.#find(address);
    if (found === undefined) return;
    const { limits } = this.#environment;
    found.take('duplicate', now);
    this.#environment.failed(found);
    if (found.attempt < limits.identifierRetries) {
      this.#forget(found);
      this.#make(nextAttempt(found), limits.identifierDelay, now);
    } else {
      // It stays, so that the next word of the same prefix does not begin it all again.
      this.#schedule(found);
      if (found.kind === 'link-local') this.#environment.linkLocalFailed(now);
    }
  }

  /** Gives all addresses up. */
  clear(now: number): void {
    for (const address of this.#addresses) this.#expire(address, now);
  }

  #find({ word0, word1, word2, word3 }: IpAddress): ConfiguredAddress | undefined {
    return this.#addresses.find(
      ({ address, state }) =>
        state === 'tentative' &&
        address.word3 === word3 &&
        address.word2 === word2 &&
        address.word1 === word1 &&
        address.word0 === word0,
    );
  }

  #ofPrefix(prefix: Cidr): ConfiguredAddress[] {
    return this.#addresses.filter((address) => address.prefix.equals(prefix));
  }

  #randomDelay(): number {
    const { random, limits } = this.#environment;
    return random.float() * limits.maximumDelay;
  }

  #make(plan: AddressPlan, delay: number, now: number): void {
    const { limits, detection, drops } = this.#environment;
    if (this.#addresses.length >= limits.addresses) {
      drops.add('too-many-addresses');
      return;
    }
    const made = this.#identify(plan);
    this.#addresses.push(made);
    this.#schedule(made);
    this.#environment.tentative(made);
    detection.check(made.address, delay, now);
  }

  /** Finds an identifier that is not reserved; one passed over counts as tried. */
  #identify(plan: AddressPlan): ConfiguredAddress {
    const { identity, random } = this.#environment;
    const { kind, prefix } = plan;
    for (let attempt = plan.attempt; ; attempt++) {
      const identifier =
        kind === 'temporary'
          ? randomIdentifier(random)
          : stableIdentifier(identity, prefix.address, attempt);
      const isLastTry = attempt >= plan.attempt + IDENTIFIER_TRIES;
      if (isLastTry || !isReservedIdentifier(identifier)) {
        return new ConfiguredAddress({ ...plan, attempt }, identifier, (due, at) =>
          this.#elapsed(due, at),
        );
      }
    }
  }

  /** RFC 4862, section 5.5.3 e: a forged message must not take an address away at once, so the valid lifetime is not cut below two hours. */
  #refresh(
    stable: ConfiguredAddress,
    { preferredUntil, validUntil }: Lifetimes,
    now: number,
  ): void {
    const isLonger = validUntil > now + TWO_HOURS || validUntil > stable.validUntil;
    const least = Math.min(stable.validUntil, now + TWO_HOURS);
    const lifetimes = { preferredUntil, validUntil: isLonger ? validUntil : least };
    for (const address of this.#ofPrefix(stable.prefix))
      this.#setLifetimes(address, lifetimes, now);
  }

  #setLifetimes(
    address: ConfiguredAddress,
    { preferredUntil, validUntil }: Lifetimes,
    now: number,
  ): void {
    address.preferredUntil = Math.min(preferredUntil, address.preferredLimit);
    address.validUntil = Math.min(validUntil, address.validLimit);
    const isPreferred = address.preferredUntil > now;
    if (address.state === 'deprecated' && isPreferred) {
      address.take('prefer', now);
      this.#environment.changed(address);
    } else if (address.state === 'preferred' && !isPreferred) {
      address.take('deprecate', now);
      this.#environment.changed(address);
    }
    this.#schedule(address);
  }

  /** Sets the timer to what comes next in the address's life. */
  #schedule(address: ConfiguredAddress): void {
    const { timers } = this.#environment;
    let next = address.validUntil;
    if (address.state === 'preferred') {
      const wantsSuccessor = address.kind === 'temporary' && !address.hasSuccessor;
      const ahead = wantsSuccessor ? this.#regenerationAdvance : 0;
      next = Math.min(next, address.preferredUntil - ahead);
    }
    timers.set(address, next);
  }

  #elapsed(address: ConfiguredAddress, now: number): void {
    if (address.validUntil <= now) {
      this.#expire(address, now);
      return;
    }
    if (address.kind === 'temporary' && !address.hasSuccessor) {
      address.hasSuccessor = true;
      this.#ensureTemporary(address.prefix, now);
    }
    if (address.state === 'preferred' && address.preferredUntil <= now) {
      address.take('deprecate', now);
      this.#environment.changed(address);
    }
    this.#schedule(address);
  }

  #expire(address: ConfiguredAddress, now: number): void {
    // Of a duplicate the owner has been told already.
    const wasFailed = address.state === 'duplicate';
    address.take('expire', now);
    this.#forget(address);
    if (!wasFailed) this.#environment.removed(address);
  }

  #forget(address: ConfiguredAddress): void {
    const { timers, detection } = this.#environment;
    timers.clear(address);
    detection.cancel(address.address);
    this.#addresses = this.#addresses.filter((other) => other !== address);
  }

  /** How long before a temporary address is deprecated the next is made: long enough to find one that is free (RFC 8981, section 3.8). */
  get #regenerationAdvance(): number {
    const { limits, detection } = this.#environment;
    return 2000 + limits.identifierRetries * limits.transmits * detection.retransmitTime;
  }

  /** Makes a temporary address for the prefix if there should be one and none is good for a while (RFC 8981, sections 3.4 and 3.5). */
  #ensureTemporary(prefix: Cidr, now: number): void {
    const { useTemporary, limits, random } = this.#environment;
    if (!useTemporary) return;
    const ofPrefix = this.#ofPrefix(prefix);
    const stable = ofPrefix.find(({ kind, state }) => kind === 'stable' && state !== 'duplicate');
    const isThere = ofPrefix.some(
      ({ kind, state, hasSuccessor }) =>
        kind === 'temporary' && state !== 'deprecated' && !hasSuccessor,
    );
    if (stable === undefined || isThere) return;
    const { temporaryPreferred, temporaryValid, temporaryDesynchronization } = limits;
    const preferredLimit =
      now + temporaryPreferred * (1 - temporaryDesynchronization * random.float());
    const validLimit = now + temporaryValid;
    const preferredUntil = Math.min(stable.preferredUntil, preferredLimit);
    if (preferredUntil - now <= this.#regenerationAdvance) return;
    const validUntil = Math.min(stable.validUntil, validLimit);
    this.#make(
      {
        kind: 'temporary',
        prefix,
        attempt: 0,
        preferredUntil,
        validUntil,
        preferredLimit,
        validLimit,
      },
      this.#randomDelay(),
      now,
    );
  }
}

/** The same again, with another identifier. */
function nextAttempt(failed: ConfiguredAddress): AddressPlan {
  const { kind, prefix, attempt, preferredUntil, validUntil, preferredLimit, validLimit } = failed;
  return {
    kind,
    prefix,
    attempt: attempt + 1,
    preferredUntil,
    validUntil,
    preferredLimit,
    validLimit,
  };
}
