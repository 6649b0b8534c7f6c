import {
  NetloomError,
  type Engine,
  type IpAddress,
  type MacAddress,
  type Random,
} from '../../core/index.ts';
import {
  findNdpOption,
  type ArpPacket,
  type NeighbourAdvertisement,
  type NeighbourSolicitation,
} from '../../wire/index.ts';
import type { AddressConflict, ConflictOutcome } from './address-conflict.ts';
import { ConflictDetector, ConflictHistory, type ConflictDefence } from './duplicate-address-v4.ts';
import { DuplicateDetection } from './duplicate-address-v6.ts';
import { isSameAddress, type Interface } from '../interface/interface.ts';

/** Who wants or has an address is told how that goes. A handler may call anything. */
export interface ClaimHandler {
  /** The check begins, or begins anew since the interface is up again: the address must not be used until it is {@link free}. */
  checking(): void;
  /** No other station has it. */
  free(): void;
  /** Another station has it, and it must not be used. The claim has ended. */
  conflict(conflict: AddressConflict): void;
}

/**
 * What is asked for: only to know whether the address is free (`probe`), to have it if it is (`claim`), or to have it at once, since it
 * has been probed before (`announce`).
 */
export type ClaimKind = 'probe' | 'claim' | 'announce';

/** An address that somebody on this host wants or has. */
export interface Claim {
  readonly address: IpAddress;
  readonly kind: ClaimKind;
  readonly handler: ClaimHandler;
  /** IPv4: each address has its own. */
  readonly detector: ConflictDetector | undefined;
}

/** What the claims of an interface need of the stack. */
export interface InterfaceClaimsEnvironment {
  readonly random: Random;
  /** How many claims one interface may have. */
  readonly limit: number;
  now(): number;
  sendArp(sender: IpAddress | undefined, target: IpAddress): void;
  sendSolicitation(message: NeighbourSolicitation, destination: IpAddress): void;
  /** The group that questions for an address are sent to (RFC 4862, section 5.4.2). */
  joinSolicitedNode(address: IpAddress): void;
  leaveSolicitedNode(address: IpAddress): void;
  /** Counts and publishes a conflict. */
  report(
    address: IpAddress,
    other: MacAddress | undefined,
    outcome: ConflictOutcome,
  ): AddressConflict;
}

/**
 * Stations that come up together do not ask together (RFC 4862, section 5.4.2: up to MAX_RTR_SOLICITATION_DELAY). A probe comes at its
 * own time, when a server has given an address.
 */
const LARGEST_CLAIM_DELAY = 1000;

/** The addresses that are wanted or watched over on one interface: an RFC 5227 detector for each IPv4 address, RFC 4862's for all of IPv6. */
export class InterfaceClaims implements Engine {
  readonly #via: Interface;
  readonly #environment: InterfaceClaimsEnvironment;
  readonly #claims = new Set<Claim>();
  readonly #history = new ConflictHistory();
  readonly #detection: DuplicateDetection;

  constructor(via: Interface, environment: InterfaceClaimsEnvironment) {
    this.#via = via;
    this.#environment = environment;
    this.#detection = new DuplicateDetection(
      { random: environment.random, limits: { addresses: environment.limit } },
      {
        solicit: (message, destination) => environment.sendSolicitation(message, destination),
        unique: (address) => this.#settleV6(address, (claim) => this.#free(claim)),
        duplicate: (address) =>
          this.#settleV6(address, (claim) => this.#conflict(claim, undefined, false)),
      },
    );
  }

  get size(): number {
    return this.#claims.size;
  }

  /** Begins a claim; it waits while the interface is down. Throws `TOO_MANY_OPEN`. */
  add(
    address: IpAddress,
    kind: ClaimKind,
    defence: ConflictDefence | undefined,
    handler: ClaimHandler,
  ): Claim {
    const { limit } = this.#environment;
    if (this.#claims.size >= limit) {
      throw new NetloomError(
        'TOO_MANY_OPEN',
        `${limit} addresses are claimed on interface ${this.#via.name} already`,
        { remedy: 'Release some, or raise the limit `claimsPerInterface`.' },
      );
    }
    const claim: Claim = {
      address,
      kind,
      handler,
      detector: address.family === 4 ? this.#makeDetector(defence, () => claim) : undefined,
    };
    this.#claims.add(claim);
    if (address.family === 6) this.#environment.joinSolicitedNode(address);
    if (this.#via.isUp) this.#start(claim);
    return claim;
  }

  /** Ends a claim. Idempotent. */
  remove(claim: Claim): void {
    if (!this.#claims.delete(claim)) return;
    const { address, detector } = claim;
    detector?.stop(this.#environment.now());
    if (address.family === 4) return;
    if (this.#claimsOf(address).length === 0) this.#detection.cancel(address);
    this.#environment.leaveSolicitedNode(address);
  }

  /** The interface is down: nothing is sent or heard. */
  suspend(): void {
    for (const { address, detector } of this.#claims) {
      if (detector === undefined) this.#detection.cancel(address);
      else detector.stop(this.#environment.now());
    }
  }

  /** The interface is up again: each address is checked anew, for another station may have taken it (RFC 5227, section 2.1). */
  resume(): void {
    for (const claim of this.#claims) this.#start(claim);
  }

  receiveArp(packet: ArpPacket): void {
    const now = this.#environment.now();
    for (const detector of this.#detectors()) detector.receive(packet, now);
  }

  /** Somebody solicits. True: the target is tentative here, so it is not to be answered. */
  receiveSolicitation(source: IpAddress, message: NeighbourSolicitation): boolean {
    return this.#detection.receiveSolicitation(source, message, this.#environment.now());
  }

  /**
   * Somebody advertises. True: the target was tentative here, and is theirs. Of an address in use it only is reported: RFC 4862, section 5.4.4
   * leaves open what to do, and an address is not given up for one message that anybody may send.
   */
  receiveAdvertisement(message: NeighbourAdvertisement): boolean {
    const { target } = message;
    if (this.#detection.receiveAdvertisement(message, this.#environment.now())) return true;
    if (this.#claimsOf(target).length === 0) return false;
    const other = findNdpOption(message.options, 'target-link-address')?.mac;
    this.#environment.report(target, other, 'ignored');
    return false;
  }

  deadline(): number {
    let deadline = this.#detection.deadline();
    for (const { detector } of this.#claims) {
      if (detector !== undefined) deadline = Math.min(deadline, detector.deadline());
    }
    return deadline;
  }

  advance(now: number): void {
    this.#detection.advance(now);
    for (const detector of this.#detectors()) detector.advance(now);
  }

  /** Those there are now: what a handler claims anew meanwhile is none of them. */
  #detectors(): ConflictDetector[] {
    return [...this.#claims].flatMap(({ detector }) => detector ?? []);
  }

  #start(claim: Claim): void {
    const { address, kind, detector, handler } = claim;
    const { now, random } = this.#environment;
    if (kind === 'announce') {
      // IPv6 has nothing to announce and nothing to defend by: questions are answered (RFC 4862, section 5.4.3).
      if (detector === undefined) handler.free();
      else detector.claim(address, now());
      return;
    }
    handler.checking();
    const delay = kind === 'probe' ? 0 : random.float() * LARGEST_CLAIM_DELAY;
    if (detector === undefined) this.#detection.check(address, delay, now());
    else detector.start(address, now());
  }

  #makeDetector(defence: ConflictDefence | undefined, claim: () => Claim): ConflictDetector {
    const { random, sendArp, report } = this.#environment;
    return new ConflictDetector(
      {
        mac: this.#via.mac,
        random,
        history: this.#history,
        ...(defence !== undefined && { defence }),
      },
      {
        sendProbe: (address) => sendArp(undefined, address),
        sendAnnouncement: (address) => sendArp(address, address),
        free: () => this.#free(claim()),
        contested: (address, other, outcome) => void report(address, other, outcome),
        conflict: (_address, other, wasInUse) => this.#conflict(claim(), other, wasInUse),
      },
    );
  }

  #free(claim: Claim): void {
    // Whoever only asked does not have the address announced.
    if (claim.kind === 'probe') this.remove(claim);
    claim.handler.free();
  }

  #conflict(claim: Claim, other: MacAddress | undefined, wasInUse: boolean): void {
    this.remove(claim);
    const outcome = wasInUse ? 'gave-way' : 'before-use';
    claim.handler.conflict(this.#environment.report(claim.address, other, outcome));
  }

  /** Tells all claims of an IPv6 address that are being checked. */
  #settleV6(address: IpAddress, settle: (claim: Claim) => void): void {
    for (const claim of this.#claimsOf(address)) if (this.#claims.has(claim)) settle(claim);
  }

  #claimsOf(address: IpAddress): Claim[] {
    return [...this.#claims].filter((claim) => isSameAddress(claim.address, address));
  }
}
