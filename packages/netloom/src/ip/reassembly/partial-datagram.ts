import {
  concatBytes,
  writeUint16,
  NOT_QUEUED,
  copyBytes,
  type TimerEntry,
} from '../../core/index.ts';
import {
  IPV6_FRAGMENT_LENGTH,
  IPV6_HEADER_LENGTH,
  finishChecksum,
  sumWords,
} from '../../wire/index.ts';
import type { Fragment } from './fragment.ts';
import { Pieces } from './pieces.ts';

/** The codepoints of RFC 3168, section 5. */
const NOT_ECN_CAPABLE = 0;
const CONGESTION_EXPERIENCED = 3;

/** How a fragment came in. The interface counts by identity; the rest is the owner's. */
export interface Arrival {
  readonly interface: object;
  /** Who sent it on this link: tells apart those who share the memory. */
  readonly station: number;
}

/** A datagram of which fragments are still missing. */
export class PartialDatagram<From extends Arrival> implements TimerEntry {
  deadline: number = NOT_QUEUED.deadline;
  position: number = NOT_QUEUED.position;
  order: number = NOT_QUEUED.order;
  readonly hash: number;
  /** Which budget it is charged to. */
  readonly sourceHash: number;
  /** Another datagram of the same hash. */
  next: PartialDatagram<From> | undefined;
  /** How the fragments came in: that of the first that did. */
  readonly from: From;
  /** What it is charged for its memory. */
  charge = 0;
  /** Undefined: the datagram is not to be trusted, and what still comes of it is dropped. */
  pieces: Pieces | undefined = new Pieces();
  /** All before the data of the fragment of offset 0, as it came. */
  #header: Uint8Array | undefined;
  #fragmentField = 0;
  /** The ECN codepoints seen, one bit for each. */
  #ecnSeen = 0;
  #firstEcn = 0;
  readonly #family: 4 | 6;
  readonly #source0: number;
  readonly #source1: number;
  readonly #source2: number;
  readonly #source3: number;
  readonly #destination0: number;
  readonly #destination1: number;
  readonly #destination2: number;
  readonly #destination3: number;
  readonly #identification: number;
  readonly #protocol: number;

  constructor(fragment: Fragment, hash: number, sourceHash: number, from: From) {
    this.hash = hash;
    this.sourceHash = sourceHash;
    this.from = from;
    this.#family = fragment.family;
    this.#source0 = fragment.source0;
    this.#source1 = fragment.source1;
    this.#source2 = fragment.source2;
    this.#source3 = fragment.source3;
    this.#destination0 = fragment.destination0;
    this.#destination1 = fragment.destination1;
    this.#destination2 = fragment.destination2;
    this.#destination3 = fragment.destination3;
    this.#identification = fragment.identification;
    this.#protocol = fragment.protocol;
  }

  /** Whether the fragment is one of this datagram (RFC 791, section 3.2; RFC 8200, section 4.5). */
  owns(fragment: Fragment, from: From): boolean {
    return (
      this.#identification === fragment.identification &&
      this.#source3 === fragment.source3 &&
      this.#destination3 === fragment.destination3 &&
      this.#protocol === fragment.protocol &&
      this.#family === fragment.family &&
      this.#source0 === fragment.source0 &&
      this.#source1 === fragment.source1 &&
      this.#source2 === fragment.source2 &&
      this.#destination0 === fragment.destination0 &&
      this.#destination1 === fragment.destination1 &&
      this.#destination2 === fragment.destination2 &&
      (!fragment.isLinkScoped || this.from.interface === from.interface)
    );
  }

  /** Remembers of a fragment what is not its data. Answers the bytes kept. */
  note(fragment: Fragment): number {
    this.#ecnSeen |= 1 << fragment.ecn;
    if (fragment.offset !== 0) return 0;
    this.#header = copyBytes(fragment.bytes, fragment.start, fragment.data);
    this.#fragmentField = fragment.fragmentField;
    this.#firstEcn = fragment.ecn;
    return this.#header.length;
  }

  /** The first fragment as it came, for the error that quotes it; undefined if it has not come or is kept no more. */
  get firstFragment(): Uint8Array | undefined {
    const data = this.pieces?.first;
    return this.#header !== undefined && data !== undefined
      ? concatBytes([this.#header, data])
      : undefined;
  }

  /** Gives the data up, and with it the datagram. */
  discard(): void {
    this.pieces = undefined;
    this.#header = undefined;
  }

  /** The whole packet, when no piece is missing: the first fragment's header with the lengths set right and no sign of fragments in it. */
  assemble(): Uint8Array | 'too-long' | 'mixed-ecn' {
    const ecn = this.#combinedEcn();
    if (ecn === undefined) return 'mixed-ecn';
    return this.#family === 4 ? this.#assembleV4(ecn) : this.#assembleV6(ecn);
  }

  #assembleV4(ecn: number): Uint8Array | 'too-long' {
    const header = this.#header!;
    const pieces = this.pieces!;
    const totalLength = header.length + pieces.length;
    // Each fragment was short enough with its own header, but the first one's has more options.
    if (totalLength > 0xffff) return 'too-long';
    const packet = new Uint8Array(totalLength);
    packet.set(header);
    pieces.copyTo(packet, header.length);
    packet[1] = (packet[1]! & ~3) | ecn;
    writeUint16(packet, 2, totalLength);
    // Flags and offset, then the checksum.
    writeUint16(packet, 6, 0);
    writeUint16(packet, 10, 0);
    writeUint16(packet, 10, finishChecksum(sumWords(packet, 0, header.length)));
    return packet;
  }

  #assembleV6(ecn: number): Uint8Array | 'too-long' {
    const header = this.#header!;
    const pieces = this.pieces!;
    const fragmentHeader = header.length - IPV6_FRAGMENT_LENGTH;
    const payloadLength = fragmentHeader - IPV6_HEADER_LENGTH + pieces.length;
    if (payloadLength > 0xffff) return 'too-long';
    const packet = new Uint8Array(IPV6_HEADER_LENGTH + payloadLength);
    packet.set(header.subarray(0, fragmentHeader));
    pieces.copyTo(packet, fragmentHeader);
    // The last two bits of the traffic class, which begins in the middle of the first byte.
    packet[1] = (packet[1]! & ~0x30) | (ecn << 4);
    writeUint16(packet, 4, payloadLength);
    packet[this.#fragmentField] = header[fragmentHeader]!;
    return packet;
  }

  /** RFC 3168, section 5.3: congestion that one fragment met was met by the datagram, unless another fragment's sender did not take part. */
  #combinedEcn(): number | undefined {
    if ((this.#ecnSeen & (1 << CONGESTION_EXPERIENCED)) === 0) return this.#firstEcn;
    return (this.#ecnSeen & (1 << NOT_ECN_CAPABLE)) === 0 ? CONGESTION_EXPERIENCED : undefined;
  }
}
