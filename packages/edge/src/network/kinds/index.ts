/** How far networks reach. */
import type { Link } from 'netloom/link';
import type { NetworkModel } from '../../model/index.ts';
import type { NetworkEnvironment } from '../environment.ts';
import { bridgeLink, interfaceLink } from './bridged.ts';
import { overlayLink } from './overlay.ts';

/** The link that joins the switch of a network to what is outside of it; undefined: nothing does. */
export async function openUplink(
  { name, kind, mtu }: NetworkModel,
  environment: NetworkEnvironment,
): Promise<Link | undefined> {
  switch (kind.kind) {
    case 'bridged':
      return 'bridge' in kind ? bridgeLink(name, kind.bridge, mtu) : interfaceLink(kind.interface);
    case 'overlay':
      return overlayLink(kind, mtu, environment);
    default:
      return undefined;
  }
}
