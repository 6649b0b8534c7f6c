/**
 * Asking who else has an address: everybody who wants one asks here before it is used, and here it is watched over while it is.
 *
 * Read first: RFC 5227 (IPv4), RFC 4862, section 5.4 (IPv6).
 */
import { Counters, IpAddress, type Engine, type Random } from '../../core/index.ts';
import type { ArpPacket, NeighbourAdvertisement, NeighbourSolicitation } from '../../wire/index.ts';
import {
  ADDRESS_CONFLICT,
  type AddressConflict,
  type ConflictOutcome,
} from './address-conflict.ts';
import type { ArpLayer } from '../arp.ts';
import type { ConflictDefence } from './duplicate-address-v4.ts';
import {
  InterfaceClaims,
  type Claim,
  type ClaimHandler,
  type ClaimKind,
} from './interface-claims.ts';
import type { Interface } from '../interface/interface.ts';
import type { NdpLayer } from '../ndp/ndp-layer.ts';

/** What claims need of the stack. */
export interface AddressClaimsEnvironment {
  readonly arp: ArpLayer;
  readonly ndp: NdpLayer;
  readonly random: Random;
  /** Addresses that may be asked for or watched over at a time, on one interface. */
  readonly claimsPerInterface: number;
  now(): number;
  timersChanged(): void;
  joinSolicitedNode(via: Interface, address: IpAddress): void;
  leaveSolicitedNode(via: Interface, address: IpAddress): void;
}

/** The claims of a stack, on all of its interfaces. */
export class AddressClaims implements Engine {
  /** Conflicts seen, by what came of them: see {@link ConflictOutcome}. */
  readonly conflicts: Counters = new Counters();
  readonly #environment: AddressClaimsEnvironment;
  /** Interfaces on which there is or was a claim. */
  readonly #interfaces = new Map<Interface, InterfaceClaims>();

  constructor(environment: AddressClaimsEnvironment) {
    this.#environment = environment;
    environment.arp.listen((via, packet) => this.#receiveArp(via, packet));
    environment.ndp.listen(this);
  }

  /** Addresses that are asked for or watched over now. */
  get size(): number {
    let size = 0;
    for (const claims of this.#interfaces.values()) size += claims.size;
    return size;
  }

  /**
   * Finds out whether another station on the link has the address: IPv4 by ARP probes, in four to seven seconds (RFC 5227, section 2.1.1); IPv6 in one
   * (RFC 4862, section 5.4). `settled` is told once, never from within this call; the answer gives up, and then nothing is told. While the interface is down, it waits.
   */
  probe(via: Interface, address: IpAddress, settled: (taken: boolean) => void): () => void {
    return this.claim(via, address, 'probe', undefined, {
      checking: () => undefined,
      free: () => settled(false),
      conflict: () => settled(true),
    });
  }

  /** Claims an address that the interface has, or is to have. The answer ends the claim. */
  claim(
    via: Interface,
    address: IpAddress,
    kind: ClaimKind,
    defence: ConflictDefence | undefined,
    handler: ClaimHandler,
  ): () => void {
    const claims = this.#interfaces.get(via) ?? this.#make(via);
    const claim: Claim = claims.add(address, kind, defence, handler);
    this.#environment.timersChanged();
    return () => {
      claims.remove(claim);
      this.#environment.timersChanged();
    };
  }

  /** The interface is down: claims wait until it is up again. */
  suspend(via: Interface): void {
    this.#interfaces.get(via)?.suspend();
  }

  /** The interface is up again. */
  resume(via: Interface): void {
    this.#interfaces.get(via)?.resume();
    this.#environment.timersChanged();
  }

  /** The interface is no more. */
  remove(via: Interface): void {
    this.#interfaces.get(via)?.suspend();
    this.#interfaces.delete(via);
  }

  /** See {@link NdpListener}. */
  solicitation(via: Interface, source: IpAddress, message: NeighbourSolicitation): boolean {
    const isTentative = this.#interfaces.get(via)?.receiveSolicitation(source, message) ?? false;
    if (isTentative) this.#environment.timersChanged();
    return isTentative;
  }

  /** See {@link NdpListener}. */
  advertisement(via: Interface, message: NeighbourAdvertisement): boolean {
    const wasTentative = this.#interfaces.get(via)?.receiveAdvertisement(message) ?? false;
    if (wasTentative) this.#environment.timersChanged();
    return wasTentative;
  }

  deadline(): number {
    let deadline = Infinity;
    for (const claims of this.#interfaces.values()) {
      deadline = Math.min(deadline, claims.deadline());
    }
    return deadline;
  }

  advance(now: number): void {
    for (const claims of this.#interfaces.values()) claims.advance(now);
  }

  #receiveArp(via: Interface, packet: ArpPacket): void {
    const claims = this.#interfaces.get(via);
    if (claims === undefined || claims.size === 0) return;
    claims.receiveArp(packet);
    this.#environment.timersChanged();
  }

  #make(via: Interface): InterfaceClaims {
    const { arp, ndp, random, claimsPerInterface, now, joinSolicitedNode, leaveSolicitedNode } =
      this.#environment;
    const claims = new InterfaceClaims(via, {
      random,
      limit: claimsPerInterface,
      now,
      sendArp: (sender, target) => arp.request(via, sender ?? IpAddress.ANY4, target),
      sendSolicitation: (message, destination) =>
        ndp.send(via, IpAddress.ANY6, destination, message),
      joinSolicitedNode: (address) => joinSolicitedNode(via, address),
      leaveSolicitedNode: (address) => leaveSolicitedNode(via, address),
      report: (address, other, outcome) =>
        this.#report({
          interface: via.name,
          address,
          other,
          outcome,
          at: now(),
        }),
    });
    this.#interfaces.set(via, claims);
    return claims;
  }

  #report(conflict: AddressConflict): AddressConflict {
    this.conflicts.add(conflict.outcome satisfies ConflictOutcome);
    if (ADDRESS_CONFLICT.hasSubscribers) ADDRESS_CONFLICT.publish(conflict);
    return conflict;
  }
}
