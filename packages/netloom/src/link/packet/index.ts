/** An interface of this machine as a link. */
export { packetLink, type PacketLimits, type PacketLinkOptions } from './packet-link.ts';
