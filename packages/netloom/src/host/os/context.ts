import {
  IpAddress,
  channel,
  type Channel,
  type Clock,
  type Counters,
  type NetloomError,
} from '../../core/index.ts';

/** The limits of a host on the operating system's sockets. */
export interface OsHostLimits {
  /** Connections, listeners and datagram sockets that may be open at once. */
  readonly open: number;
  /** Bytes of a connection that wait to be sent before `write` answers false. */
  readonly sendBuffer: number;
  /** Milliseconds `close()` waits for a peer that shows no progress. */
  readonly closeTimeout: number;
  /** Datagrams kept for one socket until its handler takes them; more are dropped. */
  readonly receiveQueue: number;
  /** Bytes of datagrams waiting in one socket before `send` takes no more. */
  readonly datagramSendBuffer: number;
}

/** The defaults of {@link OsHostLimits}. */
export const OS_HOST_LIMITS: OsHostLimits = {
  open: 65_536,
  sendBuffer: 256 * 1024,
  closeTimeout: 5_000,
  receiveQueue: 1_024,
  datagramSendBuffer: 1024 * 1024,
};

/** Something of a host that is open: the host closes it with itself. */
export interface OpenThing {
  close(): Promise<void>;
}

/**
 * By what means a host has the operating system's sockets: by system calls (`native`, on Linux, in the main thread), or by Node's own modules (`platform`). Both do the
 * same; the first costs less.
 */
export type SocketKind = 'native' | 'platform';

/** What the parts of one host share. */
export interface OsContext {
  readonly name: string;
  readonly sockets: SocketKind;
  readonly clock: Clock;
  readonly limits: OsHostLimits;
  readonly drops: Counters;
  readonly open: Set<OpenThing>;
}

/** An error that no promise and no handler could be told. */
export interface HostFault {
  /** The host's name. */
  readonly host: string;
  readonly error: NetloomError;
}

/** Where a {@link HostFault} is published: a handler's `closed` or a listener's `accept` that threw. */
export const hostFaults: Channel<HostFault> = channel('netloom:host:fault');

/** The platform's text of an address, where an IPv4 address may be written as IPv4-mapped IPv6 (on a dual-stack socket). */
export function parsePlatformAddress(text: string): IpAddress {
  const address = IpAddress.parse(text);
  const isMapped =
    address.family === 6 && address.word0 === 0 && address.word1 === 0 && address.word2 === 0xffff;
  return isMapped ? IpAddress.v4(address.word3) : address;
}
