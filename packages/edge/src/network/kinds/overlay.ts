import { formatSocketAddress, type Host, type SocketAddress } from 'netloom/core';
import { VxlanEndpoint, WrappedLink, type Link } from 'netloom/link';
import type { NetworkKind } from '../../model/index.ts';
import type { NetworkEnvironment } from '../environment.ts';
import { socketAddressOf } from '../addresses.ts';

/** What an overlay is in the model. */
export type OverlayKind = Extract<NetworkKind, { kind: 'overlay' }>;

/** An endpoint, and how many networks are in it. */
interface SharedEndpoint {
  readonly opened: Promise<VxlanEndpoint>;
  users: number;
}

/** By host and by where it listens: several networks share one endpoint, as a port of a machine is had once. */
const endpoints = new WeakMap<Host, Map<string, SharedEndpoint>>();

/** Joins a network to those of other nodes by VXLAN. Rejects as `bind` and as `VxlanEndpoint.network` do. */
export async function overlayLink(
  { identifier, local, peers }: OverlayKind,
  mtu: number,
  environment: NetworkEnvironment,
): Promise<Link> {
  const { endpoint, leave } = await enter(socketAddressOf(local), environment);
  try {
    const link = endpoint.network(identifier, { peers: peers.map(socketAddressOf), mtu });
    return new OverlayLink(link, leave);
  } catch (error) {
    await leave();
    throw error;
  }
}

/** A network's link, with which its part of the endpoint goes. */
class OverlayLink extends WrappedLink {
  readonly #leave: () => Promise<void>;
  #closed: Promise<void> | undefined;

  constructor(inner: Link, leave: () => Promise<void>) {
    super(inner);
    this.#leave = leave;
  }

  override close(): Promise<void> {
    this.#closed ??= super.close().then(() => this.#leave());
    return this.#closed;
  }
}

async function enter(
  local: SocketAddress,
  { outside, clock, random }: NetworkEnvironment,
): Promise<{ endpoint: VxlanEndpoint; leave(): Promise<void> }> {
  const ofHost = endpoints.get(outside) ?? new Map<string, SharedEndpoint>();
  endpoints.set(outside, ofHost);
  const key = formatSocketAddress(local);
  const open = async (): Promise<VxlanEndpoint> =>
    new VxlanEndpoint(await outside.bind(local), { clock, random });
  const shared = ofHost.get(key) ?? { opened: open(), users: 0 };
  ofHost.set(key, shared);
  shared.users++;
  const leave = async (): Promise<void> => {
    shared.users--;
    if (shared.users > 0) return;
    ofHost.delete(key);
    await (await shared.opened).close();
  };
  try {
    return { endpoint: await shared.opened, leave };
  } catch (error) {
    ofHost.delete(key);
    throw error;
  }
}
