import { NetloomError, type IpAddress } from '../../core/index.ts';
import { isSameAddress } from '../interface/interface.ts';
import type { NatPublicationOptions } from './options.ts';
import { NatPublication } from './publication.ts';
import type { NatTable } from './table.ts';

/** What {@link NatPublications} need of the NAT around them. */
export interface NatPublicationsEnvironment {
  /** How many there may be. */
  readonly limit: number;
  readonly table: NatTable;
  /** What inside hosts of a family are seen as. */
  externals(family: 4 | 6): readonly IpAddress[];
  /** The stack itself uses the port. */
  isPortTaken(protocol: number, port: number): boolean;
}

/** The ports that a NAT has lead inside, each with a mapping as long as there is an address for it. */
export class NatPublications {
  readonly #environment: NatPublicationsEnvironment;
  readonly #all = new Set<NatPublication>();

  constructor(environment: NatPublicationsEnvironment) {
    this.#environment = environment;
  }

  /** See `Nat.publish`. */
  open(options: NatPublicationOptions): NatPublication {
    const { limit, isPortTaken } = this.#environment;
    const { external } = options;
    const made = new NatPublication(options, (closed) => this.#remove(closed));
    if (this.#all.size >= limit) {
      throw new NetloomError('TOO_MANY_OPEN', `${limit} ports are published`, {
        remedy: 'Close some, or raise the limit `publications`.',
      });
    }
    const isTaken = [...this.#all].some(
      (other) => other.protocol === made.protocol && overlaps(other.options, options),
    );
    if (isTaken || isPortTaken(made.protocol, external.port)) {
      throw new NetloomError(
        'ADDRESS_IN_USE',
        `${options.protocol} port ${external.port} is taken`,
        {
          remedy: 'Publish another port, or close what has it.',
        },
      );
    }
    this.#all.add(made);
    this.#place(made);
    return made;
  }

  /** The external addresses are others now: what was published at one that is gone gets a mapping at another. */
  readdress(externals: readonly IpAddress[]): void {
    for (const publication of this.#all) {
      const { mapping } = publication;
      const { family } = publication.options.inside.address;
      const wanted = publication.externalEnd(externals.filter((each) => each.family === family));
      if (mapping !== undefined && wanted?.address.equals(mapping.external.address)) continue;
      this.#displace(publication);
      this.#place(publication);
    }
  }

  #remove(publication: NatPublication): void {
    this.#all.delete(publication);
    this.#displace(publication);
  }

  #place(publication: NatPublication): void {
    const { externals, table } = this.#environment;
    const { inside } = publication.options;
    const external = publication.externalEnd(externals(inside.address.family));
    if (external === undefined) return;
    publication.mapping = table.publish(publication.protocol, inside, external);
  }

  #displace(publication: NatPublication): void {
    if (publication.mapping !== undefined) this.#environment.table.drop(publication.mapping);
    publication.mapping = undefined;
  }
}

function overlaps(a: NatPublicationOptions, b: NatPublicationOptions): boolean {
  if (a.external.port !== b.external.port) return false;
  if (a.inside.address.family !== b.inside.address.family) return false;
  const [first, second] = [a.external.address, b.external.address];
  return first === undefined || second === undefined || isSameAddress(first, second);
}
