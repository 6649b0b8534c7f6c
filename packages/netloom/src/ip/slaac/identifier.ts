import type { IpAddress, Random } from '../../core/index.ts';

/** An interface identifier: the last two words of an address. */
export interface InterfaceIdentifier {
  readonly word2: number;
  readonly word3: number;
}

/** A keyed pseudo-random function of words with 64 bits of output, of which the upper are in `high` after a call: `SipHash` is one. */
export interface KeyedHash {
  hash(words: Int32Array): number;
  readonly high: number;
}

/** What a stable identifier depends on beside the prefix (RFC 7217, section 5). */
export interface StableIdentifierOptions {
  /** Keyed with a secret that outlives restarts, if the addresses are to. */
  readonly hash: KeyedHash;
  /** What tells the interface from the node's others and stays the same: its name, or its MAC address. */
  readonly interfaceIdentity: string;
  /** What tells the network from others with the same prefix, as an SSID. Default: none. */
  readonly networkIdentity?: string;
}

/**
 * The identifier for addresses of a prefix of 64 bits: the same whenever the interface is on this network, and unlike that on any
 * other, so that nobody can follow the node around (RFC 7217, section 5). `counter` gives another after a duplicate.
 */
export function stableIdentifier(
  { hash, interfaceIdentity, networkIdentity = '' }: StableIdentifierOptions,
  prefix: IpAddress,
  counter: number,
): InterfaceIdentifier {
  // Each text goes with its length, so that what is in one cannot pass for what is in the other.
  const words = Int32Array.of(
    prefix.word0,
    prefix.word1,
    ...textWords(interfaceIdentity),
    ...textWords(networkIdentity),
    counter,
  );
  const word3 = hash.hash(words);
  return { word2: hash.high, word3 };
}

function textWords(text: string): number[] {
  return [text.length, ...Array.from({ length: text.length }, (_, i) => text.charCodeAt(i))];
}

/** An identifier that means nothing, for a temporary address (RFC 8981, section 3.3.1). */
export function randomIdentifier(random: Random): InterfaceIdentifier {
  return { word2: random.uint32() | 0, word3: random.uint32() | 0 };
}

/** Whether an identifier is set aside for something else (RFC 5453; IANA "Reserved IPv6 Interface Identifiers"). */
export function isReservedIdentifier({ word2, word3 }: InterfaceIdentifier): boolean {
  const high = word2 >>> 0;
  const low = word3 >>> 0;
  // The subnet-router anycast address; IANA's Ethernet block, proxy mobile IPv6 in it; the subnet anycast addresses.
  return (
    (high === 0 && low === 0) ||
    (high === 0x0200_5eff && low >>> 24 === 0xfe) ||
    (high === 0xfdff_ffff && low >= 0xffff_ff80)
  );
}
