import { HalfSipHash, readInt32, readUint16 } from '../../../core/index.ts';
import {
  EtherType,
  IpProtocol,
  IPV4_HEADER_LENGTH,
  IPV6_HEADER_LENGTH,
} from '../../../wire/index.ts';
import type { Passage } from '../passage.ts';

/** Differentiated services code points that mean something other than their first three bits say. */
const DSCP_PRIORITY = new Map([
  // Lower effort goes behind the best effort (RFC 8622, section 3).
  [1, 1],
  // Where frames have their CS1, that is lower effort too (RFC 4594, section 4.10); AF1x is not (section 4.8).
  [8, 1],
  [10, 2],
  [12, 2],
  [14, 2],
]);

/** The priority of IEEE 802.1Q for each code point: mostly its first three bits, which were once the precedence (RFC 2474, section 4.2.2). */
const PRIORITIES = Uint8Array.from(
  { length: 64 },
  (_, code) => DSCP_PRIORITY.get(code) ?? code >>> 3,
);

/** The priority that a frame's packet asks for by its code point; 0 if it is not IP. */
export function dscpPriority({ frame, type, payload }: Passage): number {
  if (payload + 2 > frame.length) return 0;
  if (type === EtherType.IPV4) return PRIORITIES[frame[payload + 1]! >>> 2]!;
  // In IPv6 the eight bits of the traffic class lie across two bytes (RFC 8200, section 3).
  return type === EtherType.IPV6 ? PRIORITIES[(readUint16(frame, payload) >>> 6) & 0x3f]! : 0;
}

/** The class of a priority, in order of what goes first: 1 is for what is in the background, and goes behind 0 (IEEE 802.1Q, table 8-5). */
export function rankOf(priority: number): number {
  return priority > 1 ? priority : 1 - priority;
}

/** As many words as the longest key has: two IPv6 addresses, ports, protocol. */
const MAXIMUM_WORDS = 10;

/** Tells flows apart, by a keyed hash: nobody outside can choose ports that share a queue with another's. */
export class FlowHash {
  readonly #hash: HalfSipHash;
  readonly #words = new Int32Array(MAXIMUM_WORDS);

  /** `key`: 8 random bytes. */
  constructor(key: Uint8Array) {
    this.#hash = new HalfSipHash(key);
  }

  /** The hash of the frame's flow: addresses, protocol and ports of a packet; the stations, where it is not IP. */
  of(passage: Passage): number {
    return this.#hash.hash(this.#words, this.#setWords(passage));
  }

  #setWords({ frame, type, payload, header }: Passage): number {
    const { length } = frame;
    if (type === EtherType.IPV4 && payload + IPV4_HEADER_LENGTH <= length) {
      return this.#setIpv4(frame, payload);
    }
    if (type === EtherType.IPV6 && payload + IPV6_HEADER_LENGTH <= length) {
      return this.#setIpv6(frame, payload);
    }
    const words = this.#words;
    words[0] = header.sourceLow;
    words[1] = header.destinationLow;
    words[2] = (header.sourceHigh << 16) | header.destinationHigh;
    words[3] = type;
    return 4;
  }

  #setIpv4(frame: Uint8Array, at: number): number {
    const words = this.#words;
    const protocol = frame[at + 9]!;
    words[0] = readInt32(frame, at + 12);
    words[1] = readInt32(frame, at + 16);
    words[2] = protocol;
    // Only the first fragment has the ports, and all are to wait in one line.
    const isFragment = (readUint16(frame, at + 6) & 0x3fff) !== 0;
    words[3] = isFragment ? 0 : portsAt(frame, at + (frame[at]! & 0x0f) * 4, protocol);
    return 4;
  }

  #setIpv6(frame: Uint8Array, at: number): number {
    const words = this.#words;
    for (let word = 0; word < 8; word++) words[word] = readInt32(frame, at + 8 + 4 * word);
    const protocol = frame[at + 6]!;
    words[8] = protocol;
    words[9] = portsAt(frame, at + IPV6_HEADER_LENGTH, protocol);
    return 10;
  }
}

/** Both ports; 0 where there are none. */
function portsAt(frame: Uint8Array, at: number, protocol: number): number {
  const hasPorts = protocol === IpProtocol.TCP || protocol === IpProtocol.UDP;
  return hasPorts && at + 4 <= frame.length ? readInt32(frame, at) : 0;
}
