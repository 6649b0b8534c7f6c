/** Addresses as models have them, read. */
import { IpAddress, NetloomError, type SocketAddress } from 'netloom/core';
import { parseSocketAddress } from '../text/index.ts';

/** What a model says, as `192.0.2.1:80` or `[2001:db8::1]:80`. Throws `ADDRESS_INVALID`. */
export function socketAddressOf(text: string): SocketAddress {
  const found = parseSocketAddress(text);
  if (found !== undefined) return found;
  throw new NetloomError('ADDRESS_INVALID', `'${text}' is not an address with a port`, {
    remedy: 'Write it as 192.0.2.1:80 or [2001:db8::1]:80.',
  });
}

/** What a model says, each as `192.0.2.1` or `2001:db8::1`. Throws `ADDRESS_INVALID`. */
export function ipAddressesOf(texts: readonly string[]): IpAddress[] {
  return texts.map((text) => IpAddress.parse(text));
}
