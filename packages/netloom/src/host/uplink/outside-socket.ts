import {
  IpAddress,
  type DatagramSocket,
  type Host,
  type NetloomError,
  type SocketAddress,
} from '../../core/index.ts';
import { OsHost } from '../os/os-host.ts';

/**
 * The outside socket of a mapping.
 *
 * Node's own sockets are told that a datagram of theirs was refused only while they are connected. So as long as a guest's port has sent to one destination, as
 * most do ever, such a socket is connected to that ({@link narrow}); with the second it is opened for all ({@link widen}), at the same port. Those that are
 * driven by system calls have the kernel's error queue, and our own stack tells every socket: these have neither method.
 */
export interface OutsideSocket extends DatagramSocket {
  narrow?(remote: SocketAddress): void;
  widen?(): void;
}

/** A TFTP server answers from a port of its own choice, which a connected socket would not hear (RFC 1350, section 4). */
const TFTP_PORT = 69;

/** Linux's range of ephemeral ports (`net.ipv4.ip_local_port_range`), and how often a free one of it is looked for. */
const FIRST_PORT = 32_768;
const PORTS = 28_232;
const TRIES = 8;

/** Binds a socket for datagrams to anywhere in a family. Rejects with the host's error. */
export async function bindOutside(host: Host, family: 4 | 6): Promise<OutsideSocket> {
  const address = family === 4 ? IpAddress.ANY4 : IpAddress.ANY6;
  if (!(host instanceof OsHost) || host.sockets === 'native')
    return host.bind({ address, joinsSegments: true });
  // A port that is asked for by its number stays when a connected socket is opened for all; one that the platform chooses does not.
  for (let left = TRIES; ; left--) {
    try {
      return await host.bind({ address, port: FIRST_PORT + host.random.below(PORTS) });
    } catch (error) {
      if (left <= 1 || (error as NetloomError).code !== 'ADDRESS_IN_USE') throw error;
    }
  }
}

/** Whether answers from this end can only come from it. */
export function answersFromThere({ port }: SocketAddress): boolean {
  return port !== TFTP_PORT;
}
