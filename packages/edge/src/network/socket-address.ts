import { IpAddress, NetloomError, type SocketAddress } from 'netloom/core';

/** Reads `192.0.2.1:80` or `[2001:db8::1]:80`. Throws `ADDRESS_INVALID`. */
export function parseSocketAddress(text: string): SocketAddress {
  const [, host, port] = /^\[?([^\]]+?)\]?:(\d{1,5})$/.exec(text) ?? [];
  const address = IpAddress.tryParse(host ?? '');
  if (address !== undefined && Number(port) <= 65_535) return { address, port: Number(port) };
  throw new NetloomError('ADDRESS_INVALID', `'${text}' is not an address with a port`, {
    remedy: 'Write it as 192.0.2.1:80 or [2001:db8::1]:80.',
  });
}
