/** IPv6 prefix translation (RFC 6296): one address outside for each inside, and nothing to be remembered. */
import { Counters, type IpAddress } from '../../core/index.ts';
import { ETHERNET_HEADER_LENGTH, ICMPV6_HEADER_LENGTH, IpProtocol } from '../../wire/index.ts';
import { forwardPacket } from '../forward.ts';
import type { Interface } from '../interface/interface.ts';
import type { Packet } from '../packet.ts';
import type { IpStack } from '../stack.ts';
import { PrefixMapping, type PrefixPair } from './prefix-mapping.ts';
import type { Translation } from './translation.ts';
import { addressesOf, isPassedError, quotedPlace } from './transport-ends.ts';
import type { Translator } from './translators.ts';

/** Where an IPv6 header has its addresses. */
const SOURCE = 8;
const DESTINATION = 24;

/** What a {@link PrefixTranslator} is made with. */
export interface PrefixTranslationOptions {
  readonly inside: readonly Interface[];
  readonly outside: Interface;
  readonly prefixes: PrefixPair;
}

/** Translates one prefix between inside interfaces and an outside one. The outside prefix is routed to this stack. */
export class PrefixTranslator implements Translator {
  /** Packets dropped, by reason. */
  readonly drops: Counters = new Counters();
  readonly #stack: IpStack;
  readonly #inside: Set<Interface>;
  readonly #outside: Interface;
  readonly #mapping: PrefixMapping;

  constructor(stack: IpStack, { inside, outside, prefixes }: PrefixTranslationOptions) {
    this.#stack = stack;
    this.#inside = new Set(inside);
    this.#outside = outside;
    this.#mapping = new PrefixMapping(prefixes);
  }

  /** Translates nothing any more. Idempotent. */
  close(): void {
    this.#stack.translators.remove(this);
  }

  concerns(packet: Packet): boolean {
    if (packet.family === 4) return false;
    const { inside, outside } = this.#mapping;
    const { source, destination } = packet;
    if (packet.interface === this.#outside) return outside.contains(destination);
    if (!this.#inside.has(packet.interface) || !inside.contains(source)) return false;
    return outside.contains(destination) || this.#leadsOutside(destination);
  }

  translate(packet: Packet): boolean {
    const mapping = this.#mapping;
    const isFromInside = packet.interface !== this.#outside;
    const source = isFromInside ? mapping.translate(packet.source, true) : packet.source;
    const isInbound = mapping.outside.contains(packet.destination);
    const destination = isInbound
      ? mapping.translate(packet.destination, false)
      : packet.destination;
    if (source === undefined || destination === undefined) {
      this.drops.add('nat-prefix-unmappable');
      // RFC 6296, section 3.7: a parameter problem, which points at the address.
      const pointer = source === undefined ? SOURCE : DESTINATION;
      this.#stack.icmp.sendError(packet, 'bad-header', pointer);
      return true;
    }
    const to = isInbound ? destination : undefined;
    forwardPacket(this.#stack, packet, new PrefixTranslation(mapping, isFromInside, to));
    return true;
  }

  restore(packet: Packet): void {
    if (packet.family === 4) return;
    const { bytes, start } = packet;
    const { inside, outside } = this.#mapping;
    const { source, destination } = packet;
    const wasFromInside = outside.contains(source);
    const wasInbound = packet.interface !== this.#outside && inside.contains(destination);
    if (wasFromInside) this.#mapping.rewrite(bytes, start + SOURCE, false);
    if (wasInbound && !inside.contains(source)) {
      this.#mapping.rewrite(bytes, start + DESTINATION, true);
    }
  }

  deadline(): number {
    return Infinity;
  }

  advance(): void {
    // Nothing is remembered, so nothing is ever due.
  }

  #leadsOutside(destination: IpAddress): boolean {
    try {
      return this.#stack.paths.cached(destination, undefined).interface === this.#outside;
    } catch {
      return false;
    }
  }
}

/** The other prefix in the addresses of one packet, and of the one it quotes if it is an ICMPv6 error. No checksum changes. */
class PrefixTranslation implements Translation {
  readonly destinationAddress: IpAddress | undefined;
  readonly #mapping: PrefixMapping;
  readonly #isFromInside: boolean;

  constructor(mapping: PrefixMapping, isFromInside: boolean, destination: IpAddress | undefined) {
    this.#mapping = mapping;
    this.#isFromInside = isFromInside;
    this.destinationAddress = destination;
  }

  apply(frame: Uint8Array, packet: Packet): void {
    const isInbound = this.destinationAddress !== undefined;
    const start = ETHERNET_HEADER_LENGTH;
    this.#quoted(frame, packet, isInbound);
    if (this.#isFromInside) this.#mapping.rewrite(frame, start + SOURCE, true);
    if (isInbound) this.#mapping.rewrite(frame, start + DESTINATION, false);
  }

  /** The quoted packet went the other way: its source is where the error goes, its destination where that comes from. */
  #quoted(frame: Uint8Array, packet: Packet, isInbound: boolean): void {
    const { protocol, bytes, transport, end, start } = packet;
    const isError = protocol === IpProtocol.ICMPV6 && isPassedError(6, bytes[transport]!);
    const place = isError
      ? quotedPlace(bytes, transport + ICMPV6_HEADER_LENGTH, end, 6)
      : undefined;
    if (place === undefined) return;
    const at = place.start + ETHERNET_HEADER_LENGTH - start;
    const [source, destination] = addressesOf(bytes, place);
    const { inside, outside } = this.#mapping;
    if (isInbound && outside.contains(source)) this.#mapping.rewrite(frame, at + SOURCE, false);
    if (this.#isFromInside && inside.contains(destination)) {
      this.#mapping.rewrite(frame, at + DESTINATION, true);
    }
  }
}

/** Has a forwarding stack translate an IPv6 prefix, until the answer is closed. Throws `NAT_PREFIX_INVALID`. */
export function openPrefixTranslation(
  stack: IpStack,
  options: PrefixTranslationOptions,
): PrefixTranslator {
  const made = new PrefixTranslator(stack, options);
  stack.translators.add(made);
  return made;
}
