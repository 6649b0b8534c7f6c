import { createHash } from 'node:crypto';
import type { Link } from 'netloom/link';
import { packetLink } from 'netloom/link/packet';
import { openTap } from 'netloom/link/tap';

/** Names of interfaces have at most 15 bytes: enough of a hash to tell networks apart, and to see whose it is. */
const PREFIX = 'nl-';
const HASH_LENGTH = 8;

/**
 * Joins a network to a bridge of this machine's kernel: by a TAP that becomes a port of it, and goes with the link. Throws as `openTap`, as `TAP_BRIDGE_MISSING`.
 * When the bridge goes, so does the link: a network does not stay that reaches nobody.
 */
export function bridgeLink(network: string, bridge: string, mtu: number): Link {
  return openTap({ name: tapName(network, bridge), mtu, place: { bridge } });
}

/** Joins a network to what is behind an interface of this machine. Throws as `packetLink`. */
export function interfaceLink(name: string): Link {
  return packetLink({ interface: name });
}

/** The same at every start, so that what another process of the same network has left, or has, is met. */
function tapName(network: string, bridge: string): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([network, bridge]))
    .digest('hex');
  return `${PREFIX}${hash.slice(0, HASH_LENGTH)}`;
}
