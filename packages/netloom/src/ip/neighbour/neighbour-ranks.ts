import type { Neighbour } from './neighbour.ts';

/**
 * The neighbours of a cache by how much would be lost with each, so that the one that makes room is found without a search: whoever makes up addresses has the
 * cache full, and then every packet wants room.
 */
export class NeighbourRanks {
  /** By {@link worth}; in each the longest unused first, but for those used since they came there. */
  readonly #ranks: readonly Set<Neighbour>[] = [new Set(), new Set(), new Set(), new Set()];

  /** Puts a neighbour in its place: it is new, or something has happened to it. */
  update(neighbour: Neighbour): void {
    const rank = worth(neighbour);
    if (rank === neighbour.rank) return;
    this.remove(neighbour);
    this.#append(neighbour, rank);
  }

  remove(neighbour: Neighbour): void {
    if (neighbour.rank < 0) return;
    this.#ranks[neighbour.rank]!.delete(neighbour);
    neighbour.rank = -1;
  }

  /** The one of least worth; among equals the longest unused, if not to the millisecond. */
  least(): Neighbour | undefined {
    const [idle, heardOf, waitedFor, inUse] = this.#ranks;
    // Strangers who announce themselves are not to drive out one that frames wait for, nor a scan those who are known: where one of the two is a flood, it has most.
    const [first, second] =
      waitedFor!.size > heardOf!.size ? [waitedFor, heardOf] : [heardOf, waitedFor];
    return leastOf(idle!) ?? leastOf(first!) ?? leastOf(second!) ?? leastOf(inUse!);
  }

  #append(neighbour: Neighbour, rank: number): void {
    neighbour.rank = rank;
    this.#ranks[rank]!.add(neighbour);
  }
}

/** The one unused longest, more or less (the clock algorithm): what has been used since it was last looked at is passed over once. */
function leastOf(neighbours: Set<Neighbour>): Neighbour | undefined {
  for (const neighbour of neighbours) {
    if (!neighbour.isUsed) return neighbour;
    // That is noted only here, for uses are many and this is rare.
    neighbour.isUsed = false;
    neighbours.delete(neighbour);
    neighbours.add(neighbour);
  }
  return undefined;
}

/**
 * Those in use that have answered are worth most, or a scan of addresses where nobody is would take the link from everybody (RFC 6583, section 7.1). One that is sent to,
 * but known only from what somebody said, is worth no more than any that somebody spoke of: for whoever asks us is sent an answer.
 */
function worth({ state, isResolved, isProven, waiting }: Neighbour): 0 | 1 | 2 | 3 {
  if (isResolved) return isProven && state !== 'stale' ? 3 : 1;
  return waiting.length > 0 ? 2 : 0;
}
