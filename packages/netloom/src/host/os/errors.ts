import { NetloomError, hostError, type HostErrorCode } from '../../core/index.ts';

/** The platform's error codes (errno and getaddrinfo names, as node:net and node:dns give them) and ours. */
const CODES: ReadonlyMap<string, HostErrorCode> = new Map<string, HostErrorCode>([
  ['ECONNREFUSED', 'CONNECTION_REFUSED'],
  ['ECONNRESET', 'CONNECTION_RESET'],
  ['ECONNABORTED', 'CONNECTION_RESET'],
  // What a write gives after the peer's reset was read.
  ['EPIPE', 'CONNECTION_RESET'],
  ['ETIMEDOUT', 'TIMEOUT'],
  ['EHOSTUNREACH', 'HOST_UNREACHABLE'],
  ['EHOSTDOWN', 'HOST_UNREACHABLE'],
  ['ENETUNREACH', 'NETWORK_UNREACHABLE'],
  ['ENETDOWN', 'NETWORK_UNREACHABLE'],
  ['EAFNOSUPPORT', 'NETWORK_UNREACHABLE'],
  ['EADDRINUSE', 'ADDRESS_IN_USE'],
  ['EADDRNOTAVAIL', 'ADDRESS_NOT_AVAILABLE'],
  ['EACCES', 'PERMISSION_DENIED'],
  ['EPERM', 'PERMISSION_DENIED'],
  ['EMSGSIZE', 'DATAGRAM_TOO_LARGE'],
  ['EMFILE', 'TOO_MANY_OPEN'],
  ['ENFILE', 'TOO_MANY_OPEN'],
  ['ENOBUFS', 'TOO_MANY_OPEN'],
  ['ERR_SOCKET_BAD_PORT', 'PORT_INVALID'],
  ['ENOTFOUND', 'NAME_NOT_FOUND'],
  ['ENODATA', 'NAME_NOT_FOUND'],
  // Node gives EAI_NONAME and EAI_NODATA as ENOTFOUND; the rest of getaddrinfo's are failures to ask.
  ['EAI_AGAIN', 'NAME_RESOLUTION_FAILED'],
  ['EAI_FAIL', 'NAME_RESOLUTION_FAILED'],
  ['EAI_MEMORY', 'NAME_RESOLUTION_FAILED'],
]);

/** What the platform threw as one of our errors: its own code decides ours, and it is kept as the cause. */
export function fromSystemError(thrown: unknown, what: string): NetloomError {
  if (thrown instanceof NetloomError) return thrown;
  const systemCode = (thrown as { code?: unknown } | undefined)?.code;
  const code = (typeof systemCode === 'string' && CODES.get(systemCode)) || 'NETWORK_FAILED';
  const said = thrown instanceof Error ? thrown.message : String(thrown);
  return hostError(code, `${what}: ${said}`, { cause: thrown });
}
