import { MacAddress, secureRandom, withLimits } from '../../core/index.ts';
import {
  DESCRIPTOR_LINK_LIMITS,
  DescriptorLink,
  type DescriptorLinkLimits,
} from '../descriptor/index.ts';
import type { Link } from '../index.ts';
import { macInvalid } from './packet-errors.ts';
import { openPacketSocket } from './packet-socket.ts';

/** The limits of a {@link packetLink}. */
export interface PacketLimits extends DescriptorLinkLimits {
  /**
   * Bytes of frames that the kernel keeps until they are read, its bookkeeping included. Without CAP_NET_ADMIN it is at most what
   * `net.core.rmem_max` allows.
   */
  readonly receiveBytes: number;
}

const DEFAULT_LIMITS: PacketLimits = { ...DESCRIPTOR_LINK_LIMITS, receiveBytes: 4 * 1024 * 1024 };

/** What {@link packetLink} takes. */
export interface PacketLinkOptions {
  /** The interface's name, as `eth0`. */
  readonly interface: string;
  /** The network namespace, as `ip netns` names it, in which the interface is. Default: this process's. */
  readonly namespace?: string;
  /** Whether frames for any station are taken in, and not only those for the interface's own address and for groups. Default true. */
  readonly promiscuous?: boolean;
  /** The address of the station at our end. Default: a random one; without `promiscuous` the interface's own, since no other would hear anything. */
  readonly mac?: MacAddress;
  readonly limits?: Partial<PacketLimits>;
}

/**
 * A link straight onto an interface of this machine, by a packet socket (packet(7)): what comes in by the interface comes out here, and
 * what is sent here goes out of it. So our stack stands beside the kernel's on the same wire, or a switch is joined to the network there.
 *
 * What the kernel itself sends out of the interface is not seen, and what is sent here does not reach the kernel: the two hear everybody
 * on the wire but each other. The interface stays as it is: one that is down is for its administrator to set up, and frames are refused until then.
 *
 * Needs Linux 4.20, Node 26.6 or newer, and root or CAP_NET_RAW. Throws `NATIVE_UNAVAILABLE`, `PACKET_DENIED`, `PACKET_INTERFACE_MISSING`,
 * `PACKET_INTERFACE_UNSUITABLE`, `PACKET_MAC_INVALID`, `PACKET_UNSUPPORTED`, `PACKET_FAILED`, `NETWORK_NAMESPACE_MISSING`,
 * `NETWORK_NAMESPACE_DENIED` or `NETWORK_NAMESPACE_STUCK`. When the interface is deleted or moved to another namespace, the handler's
 * `closed` is given `PACKET_GONE`.
 *
 * While it is open it keeps the process alive.
 */
export function packetLink(options: PacketLinkOptions): Link {
  const { receiveBytes, ...limits } = withLimits(DEFAULT_LIMITS, options.limits);
  const { mac } = options;
  if (mac?.isStation === false) throw macInvalid(mac);
  const promiscuous = options.promiscuous ?? true;
  const socket = openPacketSocket({
    interface: options.interface,
    namespace: options.namespace,
    promiscuous,
    receiveBytes,
  });
  const ours = promiscuous ? MacAddress.random(secureRandom()) : socket.kernelMac;
  return new DescriptorLink(socket, { mac: mac ?? ours, offload: true, limits });
}
