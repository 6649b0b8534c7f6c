import { NetloomError, type ErrorDetails } from './errors.ts';

/**
 * The codes of the errors that a Host and its connections, listeners and sockets give, the same on the operating system's
 * sockets, on our stack and in a simulation. {@link HOST_ERRORS} says what each means and what to do.
 */
export type HostErrorCode =
  | 'ABORTED'
  | 'ADDRESS_IN_USE'
  | 'ADDRESS_NOT_AVAILABLE'
  | 'CONNECTION_REFUSED'
  | 'CONNECTION_RESET'
  | 'DATAGRAM_TOO_LARGE'
  | 'HANDLER_THREW'
  | 'HOST_CLOSED'
  | 'HOST_UNREACHABLE'
  | 'NAME_NOT_FOUND'
  | 'NAME_RESOLUTION_FAILED'
  | 'NETWORK_FAILED'
  | 'NETWORK_UNREACHABLE'
  | 'PERMISSION_DENIED'
  | 'PING_UNAVAILABLE'
  | 'PORT_INVALID'
  | 'TIMEOUT'
  | 'TOO_MANY_OPEN'
  | 'WRITE_AFTER_END';

/** What an error code means, and what the reader can do about it. */
export interface HostErrorMeaning {
  readonly meaning: string;
  readonly remedy: string;
}

/** Every {@link HostErrorCode} with its meaning and the remedy an error of that code carries. */
export const HOST_ERRORS: { readonly [Code in HostErrorCode]: HostErrorMeaning } = {
  ABORTED: {
    meaning: 'this side gave it up: abort() was called, or the signal was aborted',
    remedy:
      'If that was not intended, look for the caller of abort(); a signal’s reason is the cause.',
  },
  ADDRESS_IN_USE: {
    meaning: 'another socket has the address and port',
    remedy: 'Choose another port, or 0 to be given a free one, or stop what holds it.',
  },
  ADDRESS_NOT_AVAILABLE: {
    meaning: 'the local address is not one of this host, or no local port is free',
    remedy: 'Use an address of one of the host’s interfaces.',
  },
  CONNECTION_REFUSED: {
    meaning: 'the peer answered that nothing listens there',
    remedy: 'Check the address and port, and that the server runs.',
  },
  CONNECTION_RESET: {
    meaning: 'the peer, or something on the way, cut the connection off',
    remedy: 'Look at the peer’s side for the reason; try again if what was sent may be sent twice.',
  },
  DATAGRAM_TOO_LARGE: {
    meaning: 'the datagram is longer than the protocol or the route allows',
    remedy:
      'Send at most 65,507 bytes over IPv4 (65,527 over IPv6), or less where the route asks so.',
  },
  HANDLER_THREW: {
    meaning: 'a handler of this side threw, so its connection or socket was ended',
    remedy: 'Mend the handler; what it threw is the cause.',
  },
  HOST_CLOSED: {
    meaning: 'the host was closed',
    remedy: 'Use a host that is open.',
  },
  HOST_UNREACHABLE: {
    meaning: 'the network of the address is reached, the machine is not',
    remedy: 'Check that the machine is up and that no firewall stands between.',
  },
  NAME_NOT_FOUND: {
    meaning: 'the name has no address',
    remedy: 'Check the spelling of the name.',
  },
  NAME_RESOLUTION_FAILED: {
    meaning: 'no resolver answered, so it is unknown whether the name exists',
    remedy: 'Check the resolver’s configuration and that it is reached; try again later.',
  },
  NETWORK_FAILED: {
    meaning: 'the platform reported a failure that has no code here',
    remedy: 'The cause has the platform’s own error.',
  },
  NETWORK_UNREACHABLE: {
    meaning: 'there is no route to the address',
    remedy: 'Check the routes, and that the address is of a family this host or socket has.',
  },
  PERMISSION_DENIED: {
    meaning: 'the operating system or a firewall of this host does not allow it',
    remedy: 'Use a port of 1,024 or above, or run with the privilege that is missing.',
  },
  PING_UNAVAILABLE: {
    meaning: 'this host cannot send ICMP echo requests',
    remedy: 'Use a host on our own stack, or allow ping sockets to this process.',
  },
  PORT_INVALID: {
    meaning: 'the port is not a whole number from 0 to 65,535, or is 0 where one must be named',
    remedy: 'Give a port from 1 to 65,535.',
  },
  TIMEOUT: {
    meaning: 'no answer came in time',
    remedy: 'Check that the peer is reached, or allow more time.',
  },
  TOO_MANY_OPEN: {
    meaning: 'a limit on open connections or sockets was reached',
    remedy: 'Close what is not needed, or raise the limit (ulimit -n, or the host’s limits).',
  },
  WRITE_AFTER_END: {
    meaning: 'a write came after end(), close() or abort()',
    remedy: 'Write first, end after.',
  },
};

/** An error of this code, with the remedy of {@link HOST_ERRORS} unless another is given. */
export function hostError(
  code: HostErrorCode,
  message: string,
  details: ErrorDetails = {},
): NetloomError {
  return new NetloomError(code, message, { remedy: HOST_ERRORS[code].remedy, ...details });
}
