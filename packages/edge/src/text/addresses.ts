/** Addresses as people write them, and as they are written again. */
import { Cidr, IpAddress, type SocketAddress } from 'netloom/core';

/** As `Cidr.parse`, but undefined for text that is none. */
export function parseCidr(text: string): Cidr | undefined {
  try {
    return Cidr.parse(text);
  } catch {
    return undefined;
  }
}

/** The network that has this address and no other. */
export function hostNetwork(address: IpAddress): Cidr {
  return new Cidr(address, address.family === 4 ? 32 : 128);
}

/** The network an address is in, as `10.0.0.0/8` of `10.1.2.3/8`. */
export function formatNetwork({ network, prefixLength }: Cidr): string {
  return `${network}/${prefixLength}`;
}

/** The address alone, of text as `10.0.0.7/24`. */
export function withoutPrefixLength(text: string): string {
  return text.replace(/\/\d+$/, '');
}

/** An address as it stands before a colon and a port: IPv6 has brackets there. Other names stay as they are. */
export function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** The address that stands before a colon and a port: IPv6 in brackets, IPv4 without. Undefined: it is none. */
export function parseBracketed(text: string): IpAddress | undefined {
  const isBracketed = text.startsWith('[') && text.endsWith(']');
  const address = IpAddress.tryParse(isBracketed ? text.slice(1, -1) : text);
  return address !== undefined && (address.family === 6) === isBracketed ? address : undefined;
}

/** What of a socket address may be left out, and what holds then. */
export interface SocketAddressDefaults {
  /** Missing: the address has to be there. */
  readonly address?: IpAddress;
  /** Missing: the port has to be there. */
  readonly port?: number;
  /** The lowest port; default 0, which stands for any that is free. */
  readonly leastPort?: number;
}

/** From text as `192.0.2.7:4789`, `[2001:db8::7]:4789`, or one of the two alone where the other has a default. Undefined: it is none. */
export function parseSocketAddress(
  text: string,
  { address, port, leastPort = 0 }: SocketAddressDefaults = {},
): SocketAddress | undefined {
  const alone = IpAddress.tryParse(text);
  if (alone !== undefined) return port === undefined ? undefined : { address: alone, port };
  const [, host, digits = ''] = /^(?:(.+):)?(\d+)$/.exec(text) ?? [];
  const found = host === undefined ? address : parseBracketed(host);
  const number = parsePort(digits, leastPort);
  return found && number !== undefined ? { address: found, port: number } : undefined;
}

const HIGHEST_PORT = 65_535;

/** A port of at least `least`. */
export function parsePort(digits: string, least: number): number | undefined {
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : NaN;
  return port >= least && port <= HIGHEST_PORT ? port : undefined;
}
