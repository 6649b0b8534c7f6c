/** ICMP echo by the operating system's sockets. Apart from the rest, since it alone knows what is in a packet. */
export { nativePing, type NativePingOptions } from './ping.ts';
