import type { MacAddress } from 'netloom/core';
import type { Link } from 'netloom/link';

/** What is plugged into a port of a network, live. */
export interface Station {
  /** The network's end of the cable. */
  readonly link: Link;
  /** Whether there is somebody at the other end. */
  readonly isConnected: boolean;
  /** Null: it is known only when the station speaks. */
  readonly mac: MacAddress | null;
  /** Those that it has, or is known to be given. */
  readonly addresses: readonly string[];
  /** The network has another gateway. False: the station cannot follow, and is to be made anew. */
  gatewayChanged(): boolean;
  /** Ends it, and the link. Idempotent. */
  close(): Promise<void>;
}
