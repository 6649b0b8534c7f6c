import { existsSync, writeFileSync } from 'node:fs';
import type { Cidr, IpAddress, MacAddress } from '../../core/index.ts';
import {
  FileDescriptor,
  InterfaceRequest,
  NativeMemory,
  REQUEST_VALUE,
} from '../../native/index.ts';

/** sys/socket.h */
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_DGRAM = 2;
/** linux/sockios.h, linux/route.h */
const SIOCADDRT = 0x890b;
const SIOCSIFADDR = 0x8916;
const SIOCSIFNETMASK = 0x891c;
const SIOCBRADDIF = 0x89a2;
const RTF_UP = 1;
const RTF_GATEWAY = 2;

/** `struct sockaddr_in` in a `struct ifreq`: its family, then a port, then the address. */
const V4_FAMILY = REQUEST_VALUE;
const V4_ADDRESS = REQUEST_VALUE + 4;
/** `struct rtentry` (linux/route.h) on 64 bits: three `sockaddr`, then flags. */
const V4_ROUTE = { length: 120, destination: 8, gateway: 24, mask: 40, flags: 56 };
/** `struct in6_ifreq` and `struct in6_rtmsg` (linux/ipv6.h, linux/ipv6_route.h). */
const V6_REQUEST = { length: 24, prefixLength: 16, index: 20 };
const V6_ROUTE = { length: 80, gateway: 32, metric: 56, flags: 72, index: 76 };
/** What the kernel gives a route of its own making (IP6_RT_PRIO_USER). */
const V6_METRIC = 1024;

const V6_SETTINGS = '/proc/sys/net/ipv6/conf/';
const PING_GROUPS = '/proc/sys/net/ipv4/ping_group_range';

/** Whether this kernel has IPv6. */
export function hasIpv6(): boolean {
  return existsSync(V6_SETTINGS);
}

/** Whether there is an interface of that name. */
export function hasInterface(name: string): boolean {
  try {
    indexOf(name);
    return true;
  } catch {
    return false;
  }
}

/** Sets an interface up. Throws a SystemCallError. */
export function bringUpInterface(name: string): void {
  using socket = FileDescriptor.socket(AF_INET, SOCK_DGRAM, 0);
  new InterfaceRequest(name).bringUp(socket);
}

/** Gives the interface, which is not up yet, an address of Ethernet. Throws a SystemCallError. */
export function setInterfaceMac(name: string, mac: MacAddress): void {
  using socket = FileDescriptor.socket(AF_INET, SOCK_DGRAM, 0);
  new InterfaceRequest(name).setEthernetAddress(socket, mac);
}

/** Lets every group that is known in this user namespace send echo requests (icmp(7)); a new network namespace allows it to none. */
export function allowPing(userNamespace: boolean): void {
  const own = process.getgid!();
  setting(PING_GROUPS, userNamespace ? `${own} ${own}` : '0 2147483647');
}

/** Lets the interface have IPv6, its addresses good at once: on this link there is nobody who could have them too. */
export function allowIpv6(name: string): void {
  setting(`${V6_SETTINGS}${name}/disable_ipv6`, '0');
  setting(`${V6_SETTINGS}${name}/accept_dad`, '0');
  setting(`${V6_SETTINGS}lo/disable_ipv6`, '0');
}

/** Gives the interface, which is up, an address. Throws a SystemCallError. */
export function addInterfaceAddress(name: string, cidr: Cidr): void {
  if (cidr.address.family === 4) addV4(name, cidr);
  else addV6(name, cidr);
}

/**
 * Gives the interface, which is up, all of these addresses. By this way the kernel takes one IPv4 address under each label of an interface: the second
 * has the label `NAME:1` (netdevice(7)). Throws a SystemCallError.
 */
export function addInterfaceAddresses(name: string, addresses: readonly Cidr[]): void {
  const v4 = addresses.filter(({ address }) => address.family === 4);
  for (const [index, cidr] of v4.entries()) addV4(index === 0 ? name : `${name}:${index}`, cidr);
  for (const cidr of addresses) if (cidr.address.family === 6) addV6(name, cidr);
}

/** Makes the interface of that number a port of a bridge of the kernel's. Throws a SystemCallError. */
export function joinBridge(socket: FileDescriptor, bridge: string, index: number): void {
  const request = new InterfaceRequest(bridge);
  request.setIndex(index);
  socket.ioctl(SIOCBRADDIF, request.memory);
}

/** Sends what is for no other network through a gateway on the interface's. Throws a SystemCallError. */
export function addDefaultRoute(name: string, gateway: IpAddress): void {
  if (gateway.family === 4) routeV4(gateway);
  else routeV6(name, gateway);
}

function addV4(name: string, cidr: Cidr): void {
  using socket = FileDescriptor.socket(AF_INET, SOCK_DGRAM, 0);
  const request = new InterfaceRequest(name);
  const { bytes, view } = request.memory;
  view.setUint16(V4_FAMILY, AF_INET, true);
  cidr.address.copyTo(bytes, V4_ADDRESS);
  socket.ioctl(SIOCSIFADDR, request.memory);
  view.setUint16(V4_FAMILY, AF_INET, true);
  view.setUint32(V4_ADDRESS, cidr.prefixLength === 0 ? 0 : -1 << (32 - cidr.prefixLength));
  socket.ioctl(SIOCSIFNETMASK, request.memory);
}

function addV6(name: string, cidr: Cidr): void {
  using socket = FileDescriptor.socket(AF_INET6, SOCK_DGRAM, 0);
  const memory = NativeMemory.allocate(V6_REQUEST.length);
  cidr.address.copyTo(memory.bytes, 0);
  memory.view.setUint32(V6_REQUEST.prefixLength, cidr.prefixLength, true);
  memory.view.setInt32(V6_REQUEST.index, indexOf(name), true);
  socket.ioctl(SIOCSIFADDR, memory);
}

function routeV4(gateway: IpAddress): void {
  using socket = FileDescriptor.socket(AF_INET, SOCK_DGRAM, 0);
  const memory = NativeMemory.allocate(V4_ROUTE.length);
  for (const at of [V4_ROUTE.destination, V4_ROUTE.gateway, V4_ROUTE.mask]) {
    memory.view.setUint16(at, AF_INET, true);
  }
  gateway.copyTo(memory.bytes, V4_ROUTE.gateway + 4);
  memory.view.setUint16(V4_ROUTE.flags, RTF_UP | RTF_GATEWAY, true);
  socket.ioctl(SIOCADDRT, memory);
}

function routeV6(name: string, gateway: IpAddress): void {
  using socket = FileDescriptor.socket(AF_INET6, SOCK_DGRAM, 0);
  const memory = NativeMemory.allocate(V6_ROUTE.length);
  gateway.copyTo(memory.bytes, V6_ROUTE.gateway);
  memory.view.setUint32(V6_ROUTE.metric, V6_METRIC, true);
  memory.view.setUint32(V6_ROUTE.flags, RTF_UP | RTF_GATEWAY, true);
  memory.view.setInt32(V6_ROUTE.index, indexOf(name), true);
  socket.ioctl(SIOCADDRT, memory);
}

function indexOf(name: string): number {
  using socket = FileDescriptor.socket(AF_INET, SOCK_DGRAM, 0);
  return new InterfaceRequest(name).index(socket);
}

/** Sets what the kernel lets be set; where /proc/sys is closed to writers, as in some containers, its default stays. */
function setting(path: string, value: string): void {
  try {
    writeFileSync(path, value);
  } catch {
    // The default is one that can be lived with: the address is good a second later, or ping wants privileges.
  }
}
