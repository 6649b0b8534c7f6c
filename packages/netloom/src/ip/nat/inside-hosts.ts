import type { IpAddress } from '../../core/index.ts';
import type { NatFlow } from './flow.ts';

/** An inside host: what of the table is its own. */
export class InsideHost {
  readonly address: IpAddress;
  /** What it is seen as, where that is to be the same for all it sends (RFC 4787, REQ-2). */
  external: IpAddress | undefined;
  mappings = 0;
  flows = 0;
  /** Its flows that are not established, oldest first. */
  readonly weak: Set<NatFlow> = new Set();

  constructor(address: IpAddress) {
    this.address = address;
  }
}

/** The inside hosts that have mappings. */
export class InsideHosts {
  readonly #byAddress = new Map<string, InsideHost>();

  get size(): number {
    return this.#byAddress.size;
  }

  obtain(address: IpAddress): InsideHost {
    const key = address.toString();
    let host = this.#byAddress.get(key);
    if (host === undefined) this.#byAddress.set(key, (host = new InsideHost(address)));
    return host;
  }

  /** Forgets a host that has no mapping. */
  release(host: InsideHost): void {
    if (host.mappings === 0) this.#byAddress.delete(host.address.toString());
  }
}
