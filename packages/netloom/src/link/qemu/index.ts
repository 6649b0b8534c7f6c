/** Links to a virtual machine over its own sockets. */
export { QemuDatagramLink, type QemuDatagramLinkOptions } from './datagram.ts';
export type { QemuLinkLimits, QemuLinkOptions } from './options.ts';
export { QemuStreamLink } from './stream.ts';
