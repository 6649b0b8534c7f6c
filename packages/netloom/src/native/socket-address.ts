import { networkInterfaces } from 'node:os';
import { hostError, type IpAddress } from '../core/index.ts';
import { NativeMemory } from './memory.ts';

/** Address families of Linux (sys/socket.h). */
export const AF_INET = 2;
export const AF_INET6 = 10;

/** `struct sockaddr_in` and `struct sockaddr_in6` (netinet/in.h). */
const V4_LENGTH = 16;
const V4_ADDRESS = 4;
const V6_LENGTH = 28;
const V6_ADDRESS = 8;
const V6_SCOPE = 24;

/** The address as the kernel reads it, its port 0. Throws `NETWORK_UNREACHABLE` when there is no interface of the zone's name. */
export function socketAddress(address: IpAddress): NativeMemory {
  const isV4 = address.family === 4;
  const memory = NativeMemory.allocate(V6_LENGTH).carve(isV4 ? V4_LENGTH : V6_LENGTH);
  memory.view.setUint16(0, isV4 ? AF_INET : AF_INET6, true);
  address.copyTo(memory.bytes, isV4 ? V4_ADDRESS : V6_ADDRESS);
  if (address.zone !== '') memory.view.setUint32(V6_SCOPE, scopeOf(address), true);
  return memory;
}

/** The number of the interface that the zone names; a zone may be that number (RFC 4007, section 11.2). */
function scopeOf(address: IpAddress): number {
  if (/^\d+$/.test(address.zone)) return Number(address.zone);
  for (const { family, scopeid } of networkInterfaces()[address.zone] ?? []) {
    if (family === 'IPv6' && scopeid) return scopeid;
  }
  throw hostError(
    'NETWORK_UNREACHABLE',
    `${address}: no interface '${address.zone}' that has a link-local address`,
  );
}
