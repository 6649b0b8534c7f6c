/** What comes of it that an interface goes down, comes up, or goes for good. */
import { NetloomError } from '../../core/index.ts';
import type { Interface } from './interface.ts';
import type { IpStack } from '../stack.ts';
import { linkGone } from '../tcp/network-events.ts';

/** An interface has been taken out of use for a while. Routes and static addresses stay; routes over it are passed over meanwhile, and connections try on. */
export function interfaceDown(stack: IpStack, via: Interface): void {
  via.neighbours.clear();
  stack.claims.suspend(via);
  stack.autoconfiguration.suspend(via);
  stack.paths.changed();
}

/** An interface is in use again: its link may be another by now, so everything said on it is said anew. */
export function interfaceUp(stack: IpStack, via: Interface): void {
  stack.paths.changed();
  stack.multicast.announce(via);
  stack.claims.resume(via);
  stack.autoconfiguration.resume(via);
  announceAddresses(stack, via);
}

/**
 * The interface's link is gone, with an error if that did not happen at our wish: the connections that have no other path end, and addresses
 * that are being asked about are given up.
 */
export function interfaceGone(
  stack: IpStack,
  via: Interface,
  error: NetloomError | undefined,
): void {
  interfaceDown(stack, via);
  const neverUsed = via.addresses.filter(({ tentative }) => tentative);
  for (const { cidr } of neverUsed) stack.addresses.remove(via, cidr.address);
  linkGone(stack.tcp, via, error);
}

/** Takes everything of an interface out of the stack; the caller takes out the interface itself, and closes its link. */
export function withdrawInterface(stack: IpStack, via: Interface): void {
  stack.autoconfiguration.stop(via);
  // Routers on the link hear that its groups are left, while there is a way to tell them.
  stack.multicast.removeInterface(via);
  stack.claims.remove(via);
  via.down();
  const cause = new NetloomError('INTERFACE_REMOVED', `interface ${via.name} has been removed`);
  linkGone(stack.tcp, via, cause);
  stack.addresses.removeAll(via);
  const over = [...stack.routes].filter(({ target }) => target === via);
  for (const route of over) stack.routes.remove(route);
  for (const socket of stack.udp.sockets()) {
    if (socket.device !== via) continue;
    socket.fail(cause);
    void socket.close();
  }
}

/** Tells the link where the addresses in use are: neighbours may have learnt otherwise meanwhile (RFC 5227, section 3; RFC 4861, section 7.2.6). */
function announceAddresses(stack: IpStack, via: Interface): void {
  if (!via.needsNeighbours) return;
  for (const { cidr, tentative } of via.addresses) {
    const { address } = cidr;
    if (tentative) continue;
    if (address.family === 4) stack.arp.request(via, address, address);
    else stack.ndp.announce(via, address);
  }
}
