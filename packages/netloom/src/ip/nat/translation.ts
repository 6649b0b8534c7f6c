import { writeUint16, type IpAddress, type SocketAddress } from '../../core/index.ts';
import { ETHERNET_HEADER_LENGTH, finishChecksum, foldSum, sumWords } from '../../wire/index.ts';
import type { Packet } from '../packet.ts';
import { rewriteAddresses, rewriteEnds, type NewEnds, type PacketPlace } from './rewrite.ts';

/** What a packet that is passed on becomes. The packet itself stays as it came, for the errors that may have to quote it. */
export interface Translation {
  /** Where it goes, if that is another address than it says. */
  readonly destinationAddress: IpAddress | undefined;
  /** Changes the copy that leaves, which has the packet behind an Ethernet header. */
  apply(frame: Uint8Array, packet: Packet): void;
}

/** Other ends for a packet of TCP, UDP or an ICMP query. */
export class EndsTranslation implements Translation, NewEnds {
  source: SocketAddress | undefined;
  destination: SocketAddress | undefined;

  get destinationAddress(): IpAddress | undefined {
    return this.destination?.address;
  }

  apply(frame: Uint8Array, packet: Packet): void {
    const isUnfinished = packet.offload !== undefined && packet.offload.checksumStart > 0;
    rewriteEnds(frame, placeInFrame(packet), this, isUnfinished);
  }
}

/** Other addresses for an ICMP error, and other ends for the packet it quotes (RFC 5508, section 4). */
export class ErrorTranslation implements Translation, NewEnds {
  readonly source: SocketAddress | undefined;
  readonly destination: SocketAddress | undefined;
  readonly #quoted: PacketPlace;
  readonly #quotedEnds: NewEnds;

  /** `quoted`: where the quoted packet is in the one that quotes it. */
  constructor(ends: NewEnds, quoted: PacketPlace, quotedEnds: NewEnds) {
    this.source = ends.source;
    this.destination = ends.destination;
    this.#quoted = quoted;
    this.#quotedEnds = quotedEnds;
  }

  get destinationAddress(): IpAddress | undefined {
    return this.destination?.address;
  }

  apply(frame: Uint8Array, packet: Packet): void {
    const by = ETHERNET_HEADER_LENGTH - packet.start;
    rewriteEnds(frame, moved(this.#quoted, by), this.#quotedEnds);
    const place = placeInFrame(packet);
    rewriteAddresses(frame, place, this);
    sumIcmp(frame, place);
  }
}

/** Sums an ICMP message anew, which covers the whole of what it quotes. */
function sumIcmp(
  frame: Uint8Array,
  { family, start, transport, end, protocol }: PacketPlace,
): void {
  const length = end - transport;
  const pseudoHeader =
    family === 4 ? 0 : sumWords(frame, start + 8, start + 40) + protocol + length;
  writeUint16(frame, transport + 2, 0);
  const sum = sumWords(frame, transport, end, foldSum(pseudoHeader));
  writeUint16(frame, transport + 2, finishChecksum(sum));
}

/** Where the packet's parts are in the copy that leaves. */
export function placeInFrame(packet: Packet): PacketPlace {
  return moved(packet, ETHERNET_HEADER_LENGTH - packet.start);
}

function moved(place: PacketPlace, by: number): PacketPlace {
  const { start, transport, end, family, protocol } = place;
  return { start: start + by, transport: transport + by, end: end + by, family, protocol };
}
