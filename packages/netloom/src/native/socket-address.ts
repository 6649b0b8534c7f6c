import { IpAddress, hostError, type SocketAddress } from '../core/index.ts';
import { interfaceName } from './call-arguments.ts';
import { native } from './library.ts';
import { NativeMemory, pointerTo } from './memory.ts';

/** Address families of Linux (sys/socket.h). */
export const AF_INET = 2;
export const AF_INET6 = 10;

/** `struct sockaddr_in` and `struct sockaddr_in6` (netinet/in.h). */
const PORT = 2;
const V4_LENGTH = 16;
const V4_ADDRESS = 4;
const V6_LENGTH = 28;
const V6_ADDRESS = 8;
const V6_SCOPE = 24;

/** Bytes of the longest {@link writeSocketAddress} writes. */
export const SOCKET_ADDRESS_LENGTH: number = V6_LENGTH;

/**
 * Writes an address as the kernel reads it, and answers its length. For a socket of IPv6 (`asV6`) an IPv4 address is written as IPv4-mapped (RFC 3493,
 * section 3.7). Throws `NETWORK_UNREACHABLE` when there is no interface of the zone's name.
 */
export function writeSocketAddress(
  { bytes, view }: NativeMemory,
  { address, port }: SocketAddress,
  asV6: boolean = address.family === 6,
): number {
  bytes.fill(0, 0, V6_LENGTH);
  view.setUint16(0, asV6 ? AF_INET6 : AF_INET, true);
  view.setUint16(PORT, port);
  if (!asV6) {
    address.copyTo(bytes, V4_ADDRESS);
    return V4_LENGTH;
  }
  if (address.family === 4) {
    view.setUint16(V6_ADDRESS + 10, 0xffff);
    address.copyTo(bytes, V6_ADDRESS + 12);
  } else {
    address.copyTo(bytes, V6_ADDRESS);
    if (address.zone !== '') view.setUint32(V6_SCOPE, scopeOf(address), true);
  }
  return V6_LENGTH;
}

/** Reads what the kernel has written: an IPv4-mapped address is an IPv4 address. */
export function readSocketAddress({ bytes, view }: NativeMemory): SocketAddress {
  const port = view.getUint16(PORT);
  if (view.getUint16(0, true) === AF_INET) {
    return { address: IpAddress.readV4(bytes, V4_ADDRESS), port };
  }
  const address = IpAddress.readV6(bytes, V6_ADDRESS);
  const isMapped = address.word0 === 0 && address.word1 === 0 && address.word2 === 0xffff;
  if (isMapped) return { address: IpAddress.v4(address.word3), port };
  const scope = view.getUint32(V6_SCOPE, true);
  if (scope === 0) return { address, port };
  return { address: IpAddress.readV6(bytes, V6_ADDRESS, zoneOf(scope)), port };
}

/** The address in memory of its own, its port 0. Throws as {@link writeSocketAddress}. */
export function socketAddress(address: IpAddress): NativeMemory {
  const memory = NativeMemory.allocate(V6_LENGTH);
  return memory.carve(writeSocketAddress(memory, { address, port: 0 }));
}

/** The number of the interface that the zone names; a zone may be that number (RFC 4007, section 11.2). Throws `NETWORK_UNREACHABLE` when there is none of the name. */
export function scopeOf(address: IpAddress): number {
  const { zone } = address;
  if (/^\d+$/.test(zone)) return Number(zone);
  const index = interfaceIndex(zone);
  if (index === 0) {
    throw hostError('NETWORK_UNREACHABLE', `${address}: there is no interface '${zone}'`);
  }
  return index;
}

/** The number of the interface with the name; 0: there is none. */
function interfaceIndex(name: string): number {
  const { bytes } = interfaceName();
  const { written } = new TextEncoder().encodeInto(name, bytes.subarray(0, -1));
  bytes[written] = 0;
  return native().call.if_nametoindex(pointerTo(interfaceName()));
}

/** The name of the interface with the number, or the number. */
export function zoneOf(scope: number): string {
  const { bytes } = interfaceName();
  if (native().call.if_indextoname(scope, pointerTo(interfaceName())) === 0n) return String(scope);
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}
