import type { IpAddress, SocketAddress } from '../../core/index.ts';
import { IpProtocol } from '../../wire/index.ts';
import type { NatMapping } from './mapping.ts';
import type { NatPublicationOptions } from './options.ts';

/** A port outside that leads to a port inside, until it is closed. */
export class NatPublication {
  readonly options: NatPublicationOptions;
  /** What there is of it; undefined while the NAT has no address for it. */
  mapping: NatMapping | undefined;
  readonly #closed: (publication: NatPublication) => void;

  constructor(options: NatPublicationOptions, closed: (publication: NatPublication) => void) {
    this.options = options;
    this.#closed = closed;
  }

  /** An `IpProtocol`. */
  get protocol(): number {
    return this.options.protocol === 'tcp' ? IpProtocol.TCP : IpProtocol.UDP;
  }

  /** Where it is to be seen, given the addresses there are. */
  externalEnd(externals: readonly IpAddress[]): SocketAddress | undefined {
    const { address, port } = this.options.external;
    const found =
      address === undefined ? externals[0] : externals.find((each) => each.equals(address));
    return found && { address: found, port };
  }

  /** Nothing comes in by it any more, and its flows end. Idempotent. */
  close(): void {
    this.#closed(this);
  }
}
