import { IpProtocol } from '../../wire/index.ts';
import { forwardPacket } from '../forward.ts';
import type { Interface } from '../interface/interface.ts';
import type { Packet } from '../packet.ts';
import type { IpStack } from '../stack.ts';
import { Nat } from './nat.ts';
import type { NatOptions } from './options.ts';

/**
 * Has a forwarding stack translate between its inside interfaces and its outside one, until the answer is closed. Throws `INTERFACE_INVALID`.
 *
 * Ports that the stack itself listens at are not given to mappings; a port that it comes to listen at later is the mapping's until that ends.
 */
export function openNat(stack: IpStack, options: NatOptions): Nat {
  const nat = new Nat(options, {
    random: stack.random,
    now: () => stack.now(),
    generation: () => stack.paths.generation,
    interfaceTowards: (packet) => interfaceTowards(stack, packet),
    isPortTaken: (protocol, port) =>
      protocol === IpProtocol.TCP
        ? stack.tcp.isListening(port)
        : protocol === IpProtocol.UDP && stack.udp.hasPort(port),
    isOwn: (packet, sourcePort, destinationPort) =>
      packet.protocol === IpProtocol.TCP &&
      stack.tcp.flows.get(packet.destination, destinationPort, packet.source, sourcePort) !==
        undefined,
    forward: (packet, translation) => forwardPacket(stack, packet, translation),
    sendError: (packet, kind) => stack.icmp.sendError(packet, kind),
    sendErrorAbout: (gone, kind) => stack.icmp.sendErrorAbout(gone, kind),
    timersChanged: () => stack.timersChanged(),
    closed: (closed) => stack.translators.remove(closed),
  });
  stack.translators.add(nat);
  return nat;
}

function interfaceTowards({ paths }: IpStack, { destination }: Packet): Interface | undefined {
  try {
    return paths.cached(destination, undefined).interface;
  } catch {
    return undefined;
  }
}
