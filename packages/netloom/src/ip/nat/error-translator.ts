import type { SocketAddress } from '../../core/index.ts';
import {
  ICMPV4_HEADER_LENGTH,
  IpProtocol,
  foldSum,
  pseudoHeaderSumV6,
  sumWords,
} from '../../wire/index.ts';
import { isSameAddress } from '../interface/interface.ts';
import type { Packet } from '../packet.ts';
import type { NatFlow } from './flow.ts';
import type { PacketPlace } from './rewrite.ts';
import type { NatTable } from './table.ts';
import { ErrorTranslation } from './translation.ts';
import { TransportEnds, addressesOf, quotedPlace } from './transport-ends.ts';

/** A packet that has been translated, and the ends it had before; undefined: it has that end still. */
export interface Untranslated {
  readonly way: 'outbound' | 'inbound' | 'hairpin';
  readonly flow: NatFlow;
  readonly source: SocketAddress | undefined;
  readonly destination: SocketAddress | undefined;
}

/** What a packet was before it was translated; undefined: it is not of any flow. */
export function untranslate(
  table: NatTable,
  bytes: Uint8Array,
  place: PacketPlace,
): Untranslated | undefined {
  const ends = new TransportEnds();
  if (!ends.read(bytes, place, true)) return undefined;
  const { protocol } = place;
  const [from, to] = addressesOf(bytes, place);
  const source = { address: from, port: ends.sourcePort };
  const destination = { address: to, port: ends.destinationPort };
  const { mappings, flows } = table;
  const sender = mappings.findExternal(protocol, from, source.port);
  if (sender === undefined) {
    const flow = table.find(protocol, destination, source);
    return flow && { way: 'inbound', flow, source: undefined, destination: flow.external };
  }
  const receiver = table.find(protocol, destination, sender.external);
  if (receiver !== undefined) {
    const { external } = receiver;
    return { way: 'hairpin', flow: receiver, source: sender.inside, destination: external };
  }
  const flow = flows.find(sender, destination);
  return flow && { way: 'outbound', flow, source: sender.inside, destination: undefined };
}

/**
 * What an ICMP error about a packet that has been translated becomes: the packet it quotes is what its sender sent, and whoever reports is where that sender can
 * take him to be (RFC 5508, REQ-4, REQ-5 and REQ-7). Nothing is refreshed by it, and nothing forgotten (REQ-6). Undefined: it is about nothing of ours, or broken.
 */
export function translateError(
  table: NatTable,
  packet: Packet,
  isFromInside: boolean,
): ErrorTranslation | undefined {
  const { bytes, transport, end, family } = packet;
  if (!isIntact(packet)) return undefined;
  const place = quotedPlace(bytes, transport + ICMPV4_HEADER_LENGTH, end, family);
  const before = place && untranslate(table, bytes, place);
  if (place === undefined || before === undefined) return undefined;
  // Errors come back the way the packet went, to whom it was from.
  const [reported] = addressesOf(bytes, place);
  if ((before.way === 'outbound') === isFromInside) return undefined;
  if (!isSameAddress(reported, packet.destination)) return undefined;
  const outer = { source: before.destination, destination: before.source };
  return new ErrorTranslation(outer, place, before);
}

/** Whether the message is as it was sent (RFC 5508, REQ-3). */
function isIntact(packet: Packet): boolean {
  const { family, bytes, transport, end } = packet;
  if (end - transport < ICMPV4_HEADER_LENGTH) return false;
  const pseudoHeader =
    family === 4
      ? 0
      : pseudoHeaderSumV6(
          packet.source0,
          packet.source1,
          packet.source2,
          packet.source3,
          packet.destination0,
          packet.destination1,
          packet.destination2,
          packet.destination3,
          IpProtocol.ICMPV6,
          end - transport,
        );
  return foldSum(sumWords(bytes, transport, end, pseudoHeader)) === 0xffff;
}
