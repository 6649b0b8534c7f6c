import type { Datagram, IpAddress, NetloomError, SocketAddress } from '../../core/index.ts';
import type { IcmpErrorKind } from '../icmp/icmp-error.ts';
import type { Interface } from '../interface/interface.ts';
import type { TcpConnection } from '../tcp/connection.ts';

/**
 * Takes what comes to a stack for others: a guest's connections, datagrams and echo requests to any address. The stack speaks for that address: what it
 * sends to the guest has the address that the guest wanted as its source.
 */
export interface Interceptor {
  /** A guest wants a connection. It is answered when that is known: {@link InterceptedConnection.accept} or {@link InterceptedConnection.refuse}. */
  connection(attempt: InterceptedConnection): void;
  /** A guest sends a datagram; its data is borrowed until this returns. What comes back is sent by `stack.udp.sendAs`. */
  datagram(datagram: InterceptedDatagram): void;
  /** A guest sends an ICMP echo request. */
  echo(request: InterceptedEcho): void;
}

/** How a guest is told that what it wants cannot be: by a reset (TCP), by an ICMP error, or by nothing at all. */
export type Refusal =
  | 'reset'
  | Extract<
      IcmpErrorKind,
      'host-unreachable' | 'network-unreachable' | 'port-unreachable' | 'prohibited'
    >
  | 'silently';

/** Why an attempt that was not answered yet is over. */
export type AttemptEnd =
  /** The guest has reset it. */
  | 'reset'
  /** The guest has not been heard for a while. */
  | 'timeout'
  /** There were too many, and it was the oldest of the guest who had most. */
  | 'displaced'
  /** The interception was closed, or the link that the guest is on. */
  | 'closed';

/** How something of a guest's came in. */
export interface Intercepted {
  readonly interface: Interface;
  /** The station that sent it, as `MacAddress.toNumber` has it: who shares something out among guests tells them apart by this. */
  readonly station: number;
}

/** A guest's SYN that waits for an answer. */
export interface InterceptedConnection extends Intercepted {
  /** The guest. */
  readonly remote: SocketAddress;
  /** Where it wants to. */
  readonly local: SocketAddress;
  /** The address is one of the stack's own, and nothing listens there. */
  readonly isOwn: boolean;
  /** Called once if the guest gives up before it has been answered; not after that. */
  cancelled: ((why: AttemptEnd) => void) | undefined;
  /**
   * Answers the SYN: the handshake goes on, in the name of the address that the guest wanted. `opened` is called once: with the connection when the
   * handshake is done, or with what went wrong. Once accepted, refused or cancelled, this does nothing.
   */
  accept(opened: (connection: TcpConnection, error: NetloomError | undefined) => void): void;
  /** Tells the guest that it cannot be. Idempotent. */
  refuse(how: Refusal): void;
}

/** A guest's datagram. */
export interface InterceptedDatagram extends Datagram, Intercepted {
  /** Where it is to go. */
  readonly destination: SocketAddress;
  readonly station: number;
  /** The address is one of the stack's own, and no socket is there. */
  readonly isOwn: boolean;
}

/** A guest's echo request. */
export interface InterceptedEcho extends Intercepted {
  /** The guest. */
  readonly source: IpAddress;
  readonly target: IpAddress;
  readonly sequence: number;
  /** Bytes after the ICMP header. */
  readonly size: number;
  /** Sends the guest its data back, in the name of the target. */
  reply(): void;
  /** Tells the guest that the target is not reached. */
  unreachable(kind: Exclude<Refusal, 'reset' | 'silently'>): void;
}
